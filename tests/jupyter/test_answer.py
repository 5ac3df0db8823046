"""Answers as text: each solution, written as a person would write it, is taken, and remembered."""

from __future__ import annotations

import pytest

from labkit.course import Attempt, load_exercise, slugs
from labkit.jupyter.exercise import widget
from labkit.jupyter.magics import judge_text
from labkit.jupyter.panel import Memory

pytestmark = pytest.mark.long


@pytest.mark.parametrize("slug", slugs())
def test_every_solution_is_accepted_as_text(slug: str) -> None:
    exercise = load_exercise(slug)
    for _, text in Attempt(exercise).solutions:
        assert judge_text(slug, text).startswith("Solved" if exercise.points else "Right.")
    assert widget(slug).standing == "Solved"


@pytest.mark.parametrize("slug", slugs())
def test_every_exercise_becomes_a_widget(slug: str) -> None:
    made = widget(slug)
    assert repr(made) == f"exercise({slug!r}): {made.title}"
    made.handle({"do": "check"})
    assert made.feedback["tone"] in ("not yet", "error")


def test_a_wrong_answer_is_remembered_too() -> None:
    assert not judge_text("three-layers", "docker ps\n").startswith("Solved")
    assert (Memory().entry("three-layers") or {})["passed"] is False
    assert widget("three-layers").earlier


def test_an_unknown_exercise_is_one_line() -> None:
    with pytest.raises(ValueError, match="there is no exercise 'three-lairs'; did you mean 'three-layers'"):
        judge_text("three-lairs", "")
