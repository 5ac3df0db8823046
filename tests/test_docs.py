"""What docs/ say of the code, held against the code."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "how-a-docker-run-reaches-bytes.md"
PLACEHOLDER = re.compile(r"NN|[A-Z]{4}")  # to be filled in by the reader
WALKS = ROOT / "tests" / "benchmarks" / "walks.py"


def told() -> set[str]:
    return {path for path in re.findall(r"`([a-z_/]+\.py)`", PAGE.read_text()) if not path.startswith("tests/")}


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    env = {**os.environ, "LABKIT_HOME": str(tmp_path_factory.mktemp("home"))}
    report = subprocess.run(
        [sys.executable, str(WALKS), "-v"], capture_output=True, text=True, check=True, env=env, cwd=ROOT
    ).stdout
    return {line.strip() for line in report.splitlines() if line.endswith(".py")}


def test_every_file_of_the_walks_has_its_sentence(walked: set[str]) -> None:
    assert walked - told() == set()


def test_no_sentence_is_about_a_file_that_no_walk_enters(walked: set[str]) -> None:
    assert told() - walked == set()


@pytest.mark.parametrize(
    "page", sorted([*(ROOT / "docs").glob("*.md"), *ROOT.glob("*.md")]), ids=lambda page: page.name
)
def test_paths_that_pages_name_are_there(page: Path) -> None:
    named = re.findall(r"`((?:labkit|tests|docs|notebooks|widgets|binder)/[\w./-]*\w)(?:[ :][^`]*)?`", page.read_text())
    gone = [path for path in named if not any(ROOT.glob(path)) and not PLACEHOLDER.search(path)]
    assert gone == []
