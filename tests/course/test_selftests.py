"""Self-tests: three questions a lesson without points, asked again two lessons later in other words, and not graded."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from labkit.course import Attempt, Exercise, load_all, load_exercise, open_progress
from labkit.course.exercises import parse_records
from labkit.course.lessons import LESSONS, exercises_by_lesson
from labkit.course.record import for_learner
from labkit.course.selfcheck.selftests import PRACTISED, faults_of_self_tests
from labkit.grading.grade import exercises_of
from labkit.grading.submission import write_submission
from labkit.jupyter.map import open_map

QUESTION = "where-is-it-on-a-mac"


def test_the_course_has_them_all() -> None:
    assert list(faults_of_self_tests(load_all())) == []
    tests = exercises_by_lesson(self_tests=True)
    assert [len(tests[lesson.stem]) for lesson in LESSONS] == [3, 3, 6, 6, 6, 6, 6, 6, 6, 6, 12]
    assert {each.kind for questions in tests.values() for each in questions} == set(PRACTISED)
    assert not any(each.self_test for graded in exercises_by_lesson().values() for each in graded)


FAULTS = [  # (what is other in the question or in the one that is asked again, what is said)
    ("", {"lesson": "02-layered-images"}, "01-where-docker-keeps-its-files.toml: its self-test has 2 questions, of 3"),
    ("-once-more", {"lesson": "02-layered-images"}, f"01-where-docker-keeps-its-files.toml: the question '{QUESTION}' is not asked again in 03-the-build-cache"),
    ("-once-more", {"task": load_exercise(QUESTION).task}, f"01-where-docker-keeps-its-files.toml: the question '{QUESTION}' is asked again in the same words"),
    ("-once-more", {"points": 1}, f"01-where-docker-keeps-its-files.toml: the question '{QUESTION}' is not asked again in 03-the-build-cache"),
]  # fmt: skip


@pytest.mark.parametrize(("which", "changes", "fault"), FAULTS)
def test_a_fault(which: str, changes: dict[str, object], fault: str) -> None:
    exercises = [
        replace(each, **changes) if each.slug == QUESTION + which else each  # type: ignore[arg-type]
        for each in load_all()
    ]
    assert fault in list(faults_of_self_tests(exercises))


def test_asked_again_it_is_an_exercise_of_its_own() -> None:
    first, again = load_exercise("filled-or-not"), load_exercise("filled-or-not-once-more")
    assert (first.lesson, again.lesson) == ("06-volumes", "08-v-versus-mount")
    assert first.task != again.task
    assert first.solutions != again.solutions
    assert first.own == again.own, "what the words do not say otherwise is as it was"
    draws = [
        for_learner(each, f"learner-{number}", "").setup.commands[0] for number in range(9) for each in (first, again)
    ]
    assert draws[::2] != draws[1::2], "with values of its own"


def test_points_and_again_go_together() -> None:
    record = """schema = 1
lesson = "06-volumes"
[[exercise]]
slug = "one"
revision = 1
points = 0
kind = "choose"
title = "One"
task = "Which?"
hints = ["Think."]
solution = [{ name = "a", answer = "this" }]
mistake = [{ name = "b", example = "that", reply = "No." }]
[exercise.again]
lesson = "08-v-versus-mount"
tsak = "Which, then?"
"""
    exercises, faults = parse_records("06-volumes.toml", record)
    assert [each.slug for each in exercises] == ["one"]
    assert faults == ["06-volumes.toml: exercise 'one-once-more': unknown key 'tsak'; did you mean 'task'?"]


def answered(exercise: Exercise, home: Path, monkeypatch: pytest.MonkeyPatch, answer: object) -> Attempt:
    monkeypatch.setenv("LABKIT_HOME", str(home))
    attempt = Attempt(exercise, learner="ann", seed="")
    open_progress().record(attempt, attempt.check(answer))
    return attempt


def test_they_are_not_handed_in_and_not_graded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    exercise = load_exercise(QUESTION)
    attempt = answered(exercise, tmp_path, monkeypatch, "no")
    assert open_progress().entries("ann")[f"{QUESTION}@1"]["passed"]
    assert attempt.check("no").text.startswith("Right.")
    assert json.loads(write_submission(open_progress(), "ann"))["answers"] == []
    assert not any(each.self_test for each in exercises_of(()))


def test_the_lessons_list_says_what_has_stuck(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABKIT_LEARNER", "ann")
    answered(load_exercise(QUESTION), tmp_path, monkeypatch, "no")
    answered(load_exercise(f"{QUESTION}-once-more"), tmp_path, monkeypatch, "yes")
    assert open_map("01").summary.endswith(". Self-test: 1 of 3 right")
    assert open_map("03").summary.endswith(". Self-test: not tried yet. Asked again: 0 of 3 right")
