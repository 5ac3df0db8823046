"""One answer judged on a fresh machine, whatever it is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from labkit.course.exercises import CourseError, load_exercise
from labkit.course.judge import Judgement, judge
from labkit.course.machines import reusing_machines
from labkit.course.record import for_learner
from labkit.course.setups import SetupTree
from labkit.grading.submission import Given

_tree = SetupTree()  # of this process: setups of hundreds of learners begin alike
load = lru_cache(maxsize=1024)(load_exercise)  # hundreds of learners answer the same few


class UngradedError(Exception):
    """An answer that could not be judged at all; str() is one line that says why."""


@dataclass(frozen=True)
class Graded:
    """One answer with what came of it."""

    given: Given
    judgement: Judgement
    title: str


def grade_answer(given: Given, learner: str, seed: str) -> Graded:
    """Raises UngradedError; MemoryError behind a wall (labkit/grading/wall.py) is its business."""
    try:
        exercise = load(given.exercise)
        with reusing_machines(_tree):
            return Graded(given, judge(for_learner(exercise, learner, seed), given.answer), exercise.title)
    except CourseError:
        fault = f"there is no exercise '{short(given.exercise)}'"
    except MemoryError:
        raise
    except Exception as error:  # a fault of labkit's own must not keep everyone else from being graded
        fault = f"'{given.exercise}' could not be judged: {type(error).__name__}: {short(str(error))}"
    raise UngradedError(fault)


def short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 80 else text[:80] + "…"
