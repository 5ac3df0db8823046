"""The course is sound: untouched exercises fail, solutions pass, each mistake gets just its answer, in two variants.

`labkit check-course` looks at 20 of each, as does LABKIT_NIGHTLY=1 here.
"""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from labkit.course import Exercise, load_all, load_exercise
from labkit.course.machines import Facts, fresh_machine, reusing_machines
from labkit.course.record import Assertion, Solution, for_learner
from labkit.course.selfcheck import VARIANTS, check_exercise
from labkit.engine.images.layerreport import entry_of

pytestmark = pytest.mark.long


@pytest.mark.parametrize("exercise", load_all(), ids=lambda exercise: exercise.slug)
def test_sound(exercise: Exercise) -> None:
    assert (
        check_exercise(exercise, VARIANTS if "LABKIT_NIGHTLY" in os.environ else 1 if exercise.self_test else 2) == []
    )


def test_right_marks_of_layers_are_those_of_the_image() -> None:
    variant = for_learner(load_exercise("layer-or-metadata"), "demo", "")
    machine = fresh_machine(variant)
    machine.run("docker build -t stack stack")
    steps = Facts(machine).steps("stack")[-6:]
    assert list(variant.own.right) == ["layer" if step.layer else "only metadata" for step in steps]


def test_right_marks_of_files_are_those_of_the_image() -> None:
    variant = for_learner(load_exercise("which-layer-is-it-from"), "demo", "")
    image = variant.setup.commands[0].split()[-1]
    facts = Facts(fresh_machine(variant))
    for path, mark in zip(variant.own.items, variant.own.right, strict=True):
        highest = [step for step in facts.layers(image) if step.layer and entry_of(step.layer, path)][-1]
        assert highest == facts.layers(image)[0] if mark == "FROM" else mark.split()[-1] in highest.text


def faulty(**changes: object) -> list[str]:
    """Slips are looked at by a test of their own."""
    found = check_exercise(replace(load_exercise("three-layers"), **changes), variants=1)
    return [
        fault
        for fault in found
        if not fault.startswith(("a solution passes", "it takes no skill", "it can be cheated"))
    ]


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


def test_what_lies_around_is_said() -> None:
    exercise = load_exercise("three-layers")
    (first, *_), (mistake, *_) = exercise.solutions, exercise.mistakes
    setup = exercise.setup
    assert faulty(mistakes=(mistake, mistake)) == ["two mistakes are called 'a line for each command'"]
    assert faulty(solutions=(first, first)) == [
        "two solutions are called 'COPY, then RUN'",
        "two solutions are the same: cat > @app@/Dockerfile <<'EOF'",
    ]
    assert faulty(setup=replace(setup, commands=(*setup.commands, "true"))) == [
        "the command `true` of the setup changes nothing (variant of learner-0)"
    ]
    assert faulty(setup=replace(setup, commands=(*setup.commands, "cat nothing"))) == [
        "the command `cat nothing` of the setup fails: cat: nothing: No such file or directory (variant of learner-0)"
    ]
    assert faulty(setup=replace(setup, files={**setup.files, "@app@/spare": ""})) == [
        f"the file '{for_learner(exercise, 'learner-0', 'check-course').setup.files.popitem()[0].split('/')[0]}/spare'"
        " of the setup is used nowhere (variant of learner-0)"
    ]
    never = Assertion("volume_exists", {"volume": "data"}, negated=True)
    assert faulty(checks=(*exercise.checks, never)) == [
        "check 8 is missed by no mistake: it is not so that the volume data is there (variant of learner-0)"
    ]


def test_what_cannot_be_judged_is_said() -> None:
    exercise = load_exercise("layer-or-metadata")
    assert check_exercise(replace(exercise, own=replace(exercise.own, right=(), observe="echo layer")), variants=1) == [
        "it cannot be judged: ValueError: zip() argument 2 is shorter than argument 1 (variant of learner-0)"
    ]


def test_a_machine_that_is_used_again_is_as_it_was() -> None:
    variant = for_learner(load_exercise("deleted-but-not-gone"), "demo", "")
    with reusing_machines():
        first = fresh_machine(variant)
        before = first.run("docker images; find /home/learner; date").stdout
        first.run("docker rmi -f $(docker images -q); rm -r /home/learner/*; sleep 100")
        again = fresh_machine(variant)
        assert again is first
        assert again.run("docker images; find /home/learner; date").stdout == before
    assert fresh_machine(variant) is not first
