"""What is shown of a goal before it is reached gives no part of the solution away."""

from __future__ import annotations

import re

from labkit.course import Attempt
from labkit.course.exercises import load_all, load_exercise
from labkit.jupyter.exercise import ExerciseWidget, commands_of

SMALL = 3  # characters: shorter words are in every text


def shown(widget: ExerciseWidget) -> str:
    """All that a page has of the goal beside the task, in a notebook or without a kernel."""
    return "\n".join([widget.goal.get("text", ""), widget.goal.get("alt", ""), widget.still()])


def words_of(text: str) -> set[str]:
    return {word.rstrip(".:'\"`,;()").lstrip("'\"`(") for word in re.split(r"[\s=]+|(?<=\w):(?=/)", text)}


def given_away(attempt: Attempt) -> set[str]:
    """What of any solution stands in what is shown, and neither in the task nor on the machine as it is at first."""
    widget = ExerciseWidget(attempt)
    before = words_of(f"{widget.task} {widget.title} {widget.picture.get('text', '')}")
    seen = words_of(shown(widget)) - before
    typed = {word for _, text in attempt.solutions for word in words_of(text) if len(word) >= SMALL}
    return seen & (typed - before)


def test_no_command_and_no_value_of_a_solution_is_shown() -> None:
    found = {}
    for exercise in load_all():
        attempt = Attempt(exercise, "demo")
        if attempt.by_commands and (words := given_away(attempt)):
            found[exercise.slug] = words
    assert found == {}


def test_the_whole_goal_is_shown_once_it_is_reached() -> None:
    widget = ExerciseWidget(Attempt(load_exercise("nothing-but-one-file"), "demo"))
    veiled = widget.goal["text"]
    for line in commands_of(widget._attempt.solutions[0][1]):
        widget.handle({"do": "run", "line": line})
    assert widget.goal["text"] == veiled
    widget.handle({"do": "check"})
    assert widget.standing == "Solved"
    assert ". a layer:" in veiled
    assert "COPY" not in veiled
    assert ". a layer:" not in widget.goal["text"]
    assert "COPY" in widget.goal["text"]
