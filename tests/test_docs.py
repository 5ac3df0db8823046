"""What docs/ say of the code, held against the code."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.long

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
    named = re.findall(
        r"`((?:labkit|tests|docs|notebooks|widgets|binder|site)/[\w./-]*\w)(?:[ :][^`]*)?`", page.read_text()
    )
    gone = [path for path in named if not any(ROOT.glob(path)) and not PLACEHOLDER.search(path)]
    assert gone == []


BLOCK = re.compile(
    r'^```\w+ (?P<what>try|file=(?P<file>\S+)(?: (?P<how>after|instead)="(?P<line>[^\n]*)")?)\n(?P<text>.*?)^```$',
    re.M | re.S,
)


def recipes() -> dict[str, str]:
    title_and_text = re.split(r"^## (.*)\n", (ROOT / "docs" / "recipes.md").read_text(), flags=re.M)[1:]
    return dict(zip(title_and_text[::2], title_and_text[1::2], strict=True))


def put_in(path: Path, how: str | None, line: str | None, text: str) -> None:
    """Write a new file, or append to one, or put this after, or instead of, the one line that is so."""
    before = path.read_text() if path.exists() else ""
    if how is None:
        path.write_text(before + text)
        return
    assert before.split("\n").count(line) == 1, f"{path.name} has not one line {line!r}"
    path.write_text(before.replace(f"{line}\n", (f"{line}\n" if how == "after" else "") + text, 1))


@pytest.mark.parametrize("title", recipes())
def test_a_recipe_works(title: str, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "labkit", tmp_path / "labkit", ignore=shutil.ignore_patterns("__pycache__"))
    blocks = list(BLOCK.finditer(recipes()[title]))
    for block in blocks:
        if block["file"]:
            put_in(tmp_path / block["file"], block["how"], block["line"], block["text"])
    tries = [block["text"] for block in blocks if block["what"] == "try"]
    assert tries
    for code in tries:
        env = {**os.environ, "PYTHONPATH": str(tmp_path), "LABKIT_HOME": str(tmp_path / "home")}
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
