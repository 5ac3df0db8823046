"""An answer given as text: judged, told in words, and recorded in the learner's progress."""

from __future__ import annotations

from labkit.course import Attempt, CourseError, Judgement, ProgressError, load_exercise, open_progress


def attempt_at(slug: str) -> Attempt:
    """An attempt of this learner at the exercise; ValueError where there is no such exercise."""
    try:
        return Attempt(load_exercise(slug))
    except CourseError as error:
        raise ValueError(str(error)) from None


def record(attempt: Attempt, judgement: Judgement) -> str:
    """Save the answer in the learner's progress; returns what went wrong, or ""."""
    try:
        open_progress().record(attempt, judgement)
    except (ProgressError, OSError) as error:
        return f"Your progress could not be saved: {error}"
    return ""


def judge_text(slug: str, text: str) -> str:
    """What is said to this answer, as text; the answer is recorded."""
    attempt = attempt_at(slug)
    judgement = attempt.check(text)
    return "\n".join(filter(None, [judgement.text, record(attempt, judgement)]))
