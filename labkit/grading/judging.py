"""One answer judged on a fresh machine, whatever it is; what takes for ever is stopped."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache

from labkit.course.exercises import CourseError, load_exercise
from labkit.course.judge import Judgement, judge
from labkit.course.record import for_learner
from labkit.grading.submission import Given


class OvertimeError(BaseException):
    """The time is up. Not an Exception, so that nothing on the way takes it for a fault of its own."""


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Raise OvertimeError in here when it takes longer; without effect where there is no alarm (on Windows).

    A last resort: the machine counts steps, so that what it stops does not depend on the computer; but one step may be
    made long, by a path of thousands of folders.
    """
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGALRM, _ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _ring(number: int, frame: object) -> None:
    raise OvertimeError


LONGEST = 10  # seconds for one answer; usual ones take hundredths
load = lru_cache(maxsize=1024)(load_exercise)  # hundreds of learners answer the same few


class UngradedError(Exception):
    """An answer that could not be judged at all; str() is one line that says why."""


class StoppedError(UngradedError):
    """An answer that took more than an answer may."""


@dataclass(frozen=True)
class Graded:
    """One answer with what came of it."""

    given: Given
    judgement: Judgement
    title: str


def grade_answer(given: Given, learner: str, seed: str) -> Graded:
    """Raises UngradedError."""
    try:
        exercise = load(given.exercise)
        with deadline(LONGEST):
            return Graded(given, judge(for_learner(exercise, learner, seed), given.answer), exercise.title)
    except CourseError:
        fault = f"there is no exercise '{short(given.exercise)}'"
    except OvertimeError:
        raise StoppedError(
            f"'{given.exercise}' was stopped, not graded: it takes longer than {LONGEST} seconds"
        ) from None
    except Exception as error:  # a fault of labkit's own must not keep everyone else from being graded
        fault = f"'{given.exercise}' could not be judged: {type(error).__name__}: {short(str(error))}"
    raise UngradedError(fault)


def short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 80 else text[:80] + "…"
