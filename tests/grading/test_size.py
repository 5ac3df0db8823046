"""The memory that grading takes does not grow with the class."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from classroom import MARKED, marks

from labkit.course.exercises import load_exercise

GRADE = """
import resource, sys
from labkit.cli import main
assert main(["grade", sys.argv[1], "--out", sys.argv[2], "--executor", "here", "--lesson", "02"]) == 0
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def peak(folder: Path, many: int) -> int:
    """KiB of a process that grades so many learners' files, each another one."""
    (folder / "in").mkdir(parents=True)
    revision = load_exercise(MARKED).revision
    for number in range(many):
        name = f"s{number:05}"
        rows = [{"exercise": MARKED, "revision": revision, "answer": marks(name)}]
        text = json.dumps({"labkit-submission": 1, "learner": name, "answers": rows})
        (folder / "in" / f"{name}.labkit.json").write_text(text)
    command = [sys.executable, "-c", GRADE, str(folder / "in"), str(folder / "out")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return int(done.stdout.split()[-1])


@pytest.mark.long
def test_a_thousand_take_little_more_memory_than_a_hundred(tmp_path: Path) -> None:
    few, many = peak(tmp_path / "few", 100), peak(tmp_path / "many", 1000)
    print(f"100: {few >> 10} MiB, 1,000: {many >> 10} MiB")
    assert many - few < 10 << 10


@pytest.mark.nightly
@pytest.mark.skipif(not os.environ.get("LABKIT_NIGHTLY"), reason="takes minutes; LABKIT_NIGHTLY=1 runs it")
def test_nor_do_ten_thousand(tmp_path: Path) -> None:
    few, many = peak(tmp_path / "few", 100), peak(tmp_path / "many", 10_000)
    print(f"100: {few >> 10} MiB, 10,000: {many >> 10} MiB")
    assert many - few < 60 << 10
