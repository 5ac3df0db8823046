"""The course is sound: untouched exercises fail, solutions pass, each mistake gets just its answer, in 20 variants."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from labkit.course import CourseError, Exercise, load_all, load_exercise
from labkit.course.facts import Facts
from labkit.course.play import fresh_machine
from labkit.course.record import Assertion, Solution, for_learner
from labkit.course.selfcheck import check_exercise, notebook_faults


@pytest.mark.parametrize("exercise", load_all(), ids=lambda exercise: exercise.slug)
def test_sound(exercise: Exercise) -> None:
    assert check_exercise(exercise) == []


@pytest.mark.parametrize("exercise", load_all(), ids=lambda exercise: exercise.slug)
def test_setup_works(exercise: Exercise) -> None:
    variant = for_learner(exercise, "demo", "")
    machine = fresh_machine(replace(variant, setup=replace(variant.setup, commands=())))
    for command in [*variant.setup.commands, *variant.own.get("cause", ())]:
        done = machine.run(command)
        assert (done.returncode, done.stderr) == (0, ""), command


def test_right_marks_of_layers_are_those_of_the_image() -> None:
    variant = for_learner(load_exercise("layer-or-metadata"), "demo", "")
    machine = fresh_machine(variant)
    machine.run("docker build -t stack stack")
    steps = Facts(machine).steps("stack")[-6:]
    assert variant.own["right"] == ["layer" if step.is_layer else "only metadata" for step in steps]


def test_right_marks_of_files_are_those_of_the_image() -> None:
    variant = for_learner(load_exercise("which-layer-is-it-from"), "demo", "")
    image = variant.setup.commands[0].split()[-1]
    facts = Facts(fresh_machine(variant))
    for path, mark in zip(variant.own["items"], variant.own["right"], strict=True):
        highest = [step for step in facts.layers(image) if path in (step.entries or {})][-1]
        assert highest == facts.layers(image)[0] if mark == "FROM" else mark.split()[-1] in highest.created_by


def faulty(**changes: object) -> list[str]:
    return check_exercise(replace(load_exercise("three-layers"), **changes), variants=1)


def test_each_fault_is_said() -> None:
    exercise = load_exercise("three-layers")
    (first, *_), (mistake, *_) = exercise.solutions, exercise.mistakes
    always = Assertion("image_exists", {"image": "busybox"})
    assert faulty(checks=(always,), mistakes=()) == ["it passes when nothing has been done (variant of learner-0)"]
    assert faulty(solutions=(Solution("none", "true"),), mistakes=())[0].startswith(
        "the solution 'none' does not pass: the image "
    )
    assert faulty(solutions=(Solution("rash", ["false >&2", "cat nothing", *first.answer]),), mistakes=()) == [
        "a command of the solution 'rash' fails: `cat nothing` ended with: cat: nothing: No such file or directory (variant of learner-0)"
    ]
    assert faulty(mistakes=(replace(mistake, example=first.answer),)) == [
        "the example of the mistake 'a line for each command' passes (variant of learner-0)"
    ]
    assert faulty(mistakes=(replace(mistake, example="true"),)) == [
        "the example of the mistake 'a line for each command' is taken for None (variant of learner-0)"
    ]


def test_notebooks_use_the_exercises(tmp_path: Path) -> None:
    def cell(text: str) -> dict:
        return {"cell_type": "code", "source": text.splitlines(keepends=True)}

    exercises = [load_exercise("three-layers"), load_exercise("a-tag-moves")]
    other = {"cells": [cell('exercise("a-tag-moves")'), {"cell_type": "markdown", "source": 'exercise("x")'}]}
    (tmp_path / "03-other.ipynb").write_text(json.dumps(other))
    lesson = {"cells": [cell("%%answer three-layers\nls"), cell("show(); exercise('no-such')")]}
    (tmp_path / "02-layered-images.ipynb").write_text(json.dumps(lesson))
    assert list(notebook_faults(exercises, tmp_path)) == [
        "02-layered-images.ipynb: there is no exercise 'no-such'",
        "03-other.ipynb: the exercise 'a-tag-moves' belongs to 02-layered-images.ipynb",
        "02-layered-images.toml: exercise 'a-tag-moves': 02-layered-images.ipynb does not use it",
    ]
    (tmp_path / "03-other.ipynb").write_text("{")
    with pytest.raises(CourseError, match=r"03-other\.ipynb: it is not JSON"):
        list(notebook_faults(exercises, tmp_path))
