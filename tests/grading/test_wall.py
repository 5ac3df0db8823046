"""Behind the wall: too much time or memory is a line for the instructor, never a mark."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable

import pytest

from labkit.course.exercises import load_exercise
from labkit.grading.filework import STOPPED, FileTask, judge_file
from labkit.grading.roster import Learner
from labkit.grading.wall import WallError, wall
from labkit.grading.whose import Whom

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limits")


def busy() -> None:
    while True:
        pass


def hungry() -> None:
    kept = bytearray()
    while True:
        kept += bytes(16 << 20)


def in_a_child(work: Callable[[], str]) -> str:
    """What it gives, in a process of its own, which may be ended."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.write(write, work().encode())
        os._exit(0)
    os.close(write)
    os.waitpid(child, 0)
    return os.read(read, 1000).decode()


@pytest.mark.parametrize(("work", "error"), [(busy, WallError), (hungry, MemoryError)])
def test_what_takes_too_much_is_ended(work: Callable[[], None], error: type[BaseException]) -> None:
    def run() -> str:
        try:
            with wall(1, 600 << 20):
                work()
        except (WallError, MemoryError) as ended:
            return type(ended).__name__
        return "nothing"

    assert in_a_child(run) == error.__name__


def test_such_a_file_has_one_line_and_no_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    def too_much(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("labkit.grading.judging.judge", too_much)
    revision = load_exercise("a-tag-moves").revision
    answers = [{"exercise": "a-tag-moves", "revision": revision, "answer": "a"}]
    data = json.dumps({"labkit-submission": 1, "learner": "ann", "answers": answers}).encode()
    task = FileTask("k", "ann.labkit.json", data, Whom("ann", (Learner("ann"),)), "", frozenset({"a-tag-moves"}))
    judged = judge_file(task)
    assert (judged.faults, judged.answers) == ((STOPPED,), ())
