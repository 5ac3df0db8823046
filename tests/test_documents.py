"""What README and CONTRIBUTING show is so."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from labkit.course.exercises import parse_records
from labkit.course.selfcheck import check_exercise

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")]


def blocks(path: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", path.read_text(), re.MULTILINE | re.DOTALL)


def test_the_exercise_in_contributing_is_sound() -> None:
    (text,) = blocks(ROOT / "CONTRIBUTING.md", "toml")
    exercises, faults = parse_records("CONTRIBUTING.md", f'schema = 1\nlesson = "06-volumes"\n\n{text}')
    assert faults == []
    assert [fault for exercise in exercises for fault in check_exercise(exercise)] == []


def test_the_python_in_the_readme_runs() -> None:
    (text,) = blocks(ROOT / "README.md", "python")
    assert subprocess.run([sys.executable, "-c", text], cwd=ROOT).returncode == 0


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_and_pictures_lead_somewhere(path: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)\)", path.read_text())
    assert [target for target in targets if "://" not in target and not (ROOT / target).exists()] == []


def test_every_make_target_that_is_named_is_there() -> None:
    rules = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {name for path in DOCUMENTS for name in re.findall(r"(?m)(?:`|^ +|  )make ([a-z]+)\b", path.read_text())}
    assert named
    assert named <= rules
