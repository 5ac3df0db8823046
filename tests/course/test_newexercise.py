"""`labkit new-exercise`: for every kind a record that can be read and is judged; what cannot be made is one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from labkit.course import newexercise
from labkit.course.exercises import parse_records
from labkit.course.judge import KINDS
from labkit.course.newexercise import NewExerciseError, append_exercise, record
from labkit.course.selfcheck import check_exercise


def test_there_is_a_form_for_each_kind_that_labkit_judges() -> None:
    assert newexercise.FORMS.keys() == KINDS.keys() - {"write"}


@pytest.mark.parametrize("kind", newexercise.FORMS)
def test_a_new_record_is_sound(kind: str) -> None:
    (exercise,), faults = parse_records("x.toml", 'schema = 1\nlesson = "x"\n' + record("a-new-one", kind))
    assert faults == []
    assert check_exercise(exercise, 2) == []
    assert (exercise.slug, exercise.kind) == ("a-new-one", kind)
    assert {"TITLE", "SITUATION"} <= set(f"{exercise.title} {exercise.task}".replace(",", "").split())


def test_it_is_appended(tmp_path: Path) -> None:
    path, line = append_exercise("03", "a-first-one", "do", tmp_path)
    assert path.name == "03-the-build-cache.toml"
    first = path.read_text()
    assert first.splitlines()[line] == 'slug = "a-first-one"'
    _, line = append_exercise("03-the-build-cache", "a-second-one", "choose", tmp_path)
    text = path.read_text()
    assert text.startswith(first)
    assert text.splitlines()[line - 1 : line + 1] == ["[[exercise]]", 'slug = "a-second-one"']
    assert [each.slug for each in parse_records(path.name, text)[0]] == ["a-first-one", "a-second-one"]


@pytest.mark.parametrize(
    ("lesson", "slug", "kind", "fault"),
    [
        ("33", "one", "do", "there is no lesson '33'; they are 00-start-here, "),
        ("03", "One", "do", "'One' is no slug: words of a-z and 0-9 with - between them"),
        ("03", "three-layers", "do", "there is an exercise 'three-layers' already"),
        ("03", "one", "doo", "there is no kind 'doo'; there are do, repair, "),
    ],
)
def test_what_cannot_be_made(lesson: str, slug: str, kind: str, fault: str, tmp_path: Path) -> None:
    with pytest.raises(NewExerciseError) as caught:
        append_exercise(lesson, slug, kind, tmp_path)
    assert str(caught.value).startswith(fault)
    assert list(tmp_path.iterdir()) == []


def test_a_file_with_faults_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "03-the-build-cache.toml"
    path.write_text("schema = 2\n")
    with pytest.raises(NewExerciseError, match=r"^mend this first: 03-the-build-cache\.toml: 'schema' must be 1$"):
        append_exercise("03", "one", "do", tmp_path)
    assert path.read_text() == "schema = 2\n"
