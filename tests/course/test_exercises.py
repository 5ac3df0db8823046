"""Records: each fault is one sentence that names the file and the place; the course's own records have none."""

from __future__ import annotations

import tomllib

import pytest

from labkit.course import CourseError, load_all, load_exercise
from labkit.course import exercises as module
from labkit.course.exercises import exercises_folder, parse_records, record_files
from labkit.course.judge import KINDS

RECORD = """
schema = 1
lesson = "02-x"
[[exercise]]
slug = "one"
revision = 1
points = 1
kind = "do"
title = "One"
task = "Make the image @app@."
hints = ["small", "large"]
values = { app = ["a", "b"] }
check = [{ is = "image_exists", image = "@app@" }]
solution = [{ name = "pull", answer = "docker pull @app@" }]
[[exercise.mistake]]
name = "none"
example = "true"
reply = "Nothing was pulled."
when = [{ not = "image_exists", image = "@app@" }]
"""


def faults(text: str) -> list[str]:
    return parse_records("02-x.toml", text)[1]


def test_a_sound_record() -> None:
    (exercise,), wrong = parse_records("02-x.toml", RECORD)
    assert wrong == []
    assert (exercise.slug, exercise.lesson, exercise.kind) == ("one", "02-x", "do")
    assert exercise.checks[0].check == "image_exists"
    assert exercise.mistakes[0].when[0].negated


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("schema = 1", "schema = 2", "02-x.toml: 'schema' must be 1"),
        ('lesson = "02-x"', "", "02-x.toml: 'lesson' must be the name of a lesson"),
        ('lesson = "02-x"', 'lesson = "02-x"\nlessons = 1', "02-x.toml: unknown key 'lessons'"),
        ("points = 1", "point = 1", "02-x.toml: exercise 'one': unknown key 'point'; did you mean 'points'?"),
        ("points = 1", "", "02-x.toml: exercise 'one': 'points' is missing"),
        ("points = 1", "points = -1", "02-x.toml: exercise 'one': 'points' and 'revision' must be 1 or more"),
        ("points = 1", "points = 0", "02-x.toml: exercise 'one': 'points' must be 1 or more, and 0 for a question of a self-test, which has 'again'"),
        ("points = 1", 'points = "1"', "02-x.toml: exercise 'one': 'points' must be a whole number"),
        ("points = 1", "points = true", "02-x.toml: exercise 'one': 'points' must be a whole number"),
        ('title = "One"', 'title = ""', "02-x.toml: exercise 'one': 'title' is empty"),
        ('slug = "one"', 'slug = "One"', "02-x.toml: exercise 'One': 'slug' must be words of a-z and 0-9 with - between them"),
        ('kind = "do"', 'kind = "doo"', "02-x.toml: exercise 'one': 'kind' must be one of " + ", ".join(KINDS)),
        ('kind = "do"', 'kind = "explain"', "02-x.toml: exercise 'one': 'cause' is missing"),
        ('is = "image_exists"', 'is = "image_exist"', "02-x.toml: exercise 'one': check 1: there is no check 'image_exist'; did you mean 'image_exists'?"),
        ('is = "image_exists"', 'if = "image_exists"', "02-x.toml: exercise 'one': check 1: it must name its check with either 'is' or 'not'"),
        ('is = "image_exists", image', 'is = "image_exists", name', "02-x.toml: exercise 'one': check 1: 'name' is no argument of image_exists (image)"),
        ('is = "image_exists", image = "@app@"', 'is = "image_exists", image = 3', "02-x.toml: exercise 'one': check 1: 'image' of image_exists has the wrong type"),
        ('not = "image_exists"', 'not = "vanished"', "02-x.toml: exercise 'one': mistake 1: sign 1: there is no check 'vanished'"),
        ('check = [{ is = "image_exists", image = "@app@" }]', "", "02-x.toml: exercise 'one': 'check' is missing"),
        ('["small", "large"]', '["small"]', "02-x.toml: exercise 'one': 'hints' must be two or three texts, none of them empty"),
        ('["small", "large"]', '["small", " "]', "02-x.toml: exercise 'one': 'hints' must be two or three texts, none of them empty"),
        ('["a", "b"]', "[]", "02-x.toml: exercise 'one': value 'app': it must be a list of options, a table with from and to, or a text"),
        ("the image @app@", "the image @ap@", "02-x.toml: exercise 'one': there is no value @ap@"),
        ("values = {", 'values = { box = ["x"], ', "02-x.toml: exercise 'one': the value @box@ is used nowhere"),
        ('reply = "Nothing was pulled."', 'reply = ""', "02-x.toml: exercise 'one': mistake 1: 'reply' is empty"),
        ('name = "pull", ', "", "02-x.toml: exercise 'one': solution 1: 'name' is missing"),
        ('name = "none"', 'name = "none"\nmisconception = 56', "02-x.toml: exercise 'one': mistake 1: there is no misconception 56 (1 to 55)"),
        ('name = "none"', 'name = "none"\nmisconception = "11"', "02-x.toml: exercise 'one': mistake 1: 'misconception' must be a whole number"),
        ("points = 1", "points = 1\nmisconceptions = [0]", "02-x.toml: exercise 'one': 'misconceptions': there is no misconception 0 (1 to 55)"),
        ("points = 1", "points = 1\nmisconceptions = [[1]]", "02-x.toml: exercise 'one': 'misconceptions': there is no misconception [1] (1 to 55)"),
        ('answer = "docker pull @app@"', "answer = [1]", "02-x.toml: exercise 'one': solution 'pull': the answer must be commands: a text, or a list of texts"),
    ],
)  # fmt: skip
def test_faults(old: str, new: str, fault: str) -> None:
    assert old in RECORD
    assert fault in faults(RECORD.replace(old, new, 1))


def test_beliefs_of_mistakes_are_the_exercises_too() -> None:
    text = RECORD.replace("points = 1", "points = 1\nmisconceptions = [19, 3]")
    (exercise,), wrong = parse_records("02-x.toml", text.replace('name = "none"', 'name = "none"\nmisconception = 11'))
    assert wrong == []
    assert exercise.misconceptions == (3, 11, 19)
    assert exercise.mistakes[0].misconception == 11


def test_no_toml() -> None:
    assert faults("a = ")[0].startswith("02-x.toml: this is not TOML: ")


def test_a_slug_is_there_once() -> None:
    twice = RECORD + RECORD[RECORD.index("[[exercise]]") :]
    assert faults(twice) == ["02-x.toml: the slug 'one' is there twice"]


def test_the_course_loads() -> None:
    exercises = load_all()
    assert len({exercise.slug for exercise in exercises}) == len(exercises) >= 8
    assert load_exercise("three-layers").lesson == "02-layered-images"
    assert load_exercise("three-layers@2") == load_exercise("three-layers")


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("three-layer", "there is no exercise 'three-layer'; did you mean 'three-layers'?"),
        ("three-layers@1", "revision 1 of 'three-layers' is not graded any more: it is at revision 2"),
        ("three-layers@99", "there is no exercise 'three-layers@99'; did you mean 'three-layers'?"),
        ("", "there is no exercise ''"),
    ],
)
def test_an_unknown_exercise(name: str, fault: str) -> None:
    with pytest.raises(CourseError, match=r"no exercise|not graded") as caught:
        load_exercise(name)
    assert str(caught.value) == fault


def test_an_old_revision_is_found_in_its_own_file(tmp_path, monkeypatch) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "02-x.toml").write_text(RECORD.replace("revision = 1", "revision = 2"))
    (tmp_path / "old" / "one@1.toml").write_text(RECORD.replace("Make the", "Get the"))
    monkeypatch.setattr(module, "exercises_folder", lambda: tmp_path)
    assert load_exercise("one").revision == 2
    assert load_exercise("one@1").task == "Get the image @app@."
    assert [exercise.revision for exercise in load_all()] == [2]


def test_lesson_files_are_named_as_the_lesson() -> None:
    for file in record_files(exercises_folder()):
        assert tomllib.loads(file.read_text(encoding="utf-8"))["lesson"] == file.name.removesuffix(".toml")
