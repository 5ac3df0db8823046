"""An answer given as text: judged, told in words, and recorded in the learner's progress."""

from __future__ import annotations

from labkit.course import Attempt, CourseError, load_exercise
from labkit.jupyter.memory import Memory


def attempt_at(slug: str) -> Attempt:
    """An attempt of this learner at the exercise; ValueError where there is no such exercise."""
    try:
        return Attempt(load_exercise(slug))
    except CourseError as error:
        raise ValueError(str(error)) from None


def judge_text(slug: str, text: str) -> str:
    """What is said to this answer, as text; the answer is recorded."""
    attempt = attempt_at(slug)
    judgement = attempt.check(text)
    return "\n".join(filter(None, [judgement.text, Memory().record(attempt, judgement)]))
