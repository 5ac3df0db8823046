"""The map: the same text for everyone, the learner's own progress in the live widget."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from labkit.course import Attempt, load_exercise, open_progress
from labkit.course.lessons import LESSONS, exercises_by_lesson
from labkit.jupyter import map as module
from labkit.jupyter import progress
from labkit.jupyter.exercise import widget
from labkit.jupyter.magics import judge_text
from labkit.jupyter.map import MapWidget, file_word, newest, open_map, score, where_to_go_on

SLUG = "three-layers"
LESSON = "02-layered-images"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LABKIT_LEARNER", "ann")
    monkeypatch.chdir(tmp_path)
    (tmp_path / f"{LESSON}.ipynb").write_text("{}")
    return tmp_path


def row(widget: MapWidget, start: str) -> dict[str, object]:
    return next(each for each in widget.rows if each["name"].startswith(start))


def solve(slug: str = SLUG) -> None:
    assert judge_text(slug, Attempt(load_exercise(slug)).solution).startswith("Solved")


def test_what_is_saved_says_nothing_of_the_learner() -> None:
    before = [(repr(each), each.still()) for each in (open_map(), open_map(LESSON))]
    solve()
    assert [(repr(each), each.still()) for each in (open_map(), open_map(LESSON))] == before
    assert before[0][0].splitlines()[3] == "  02 Layered images"
    assert f'<a href="{LESSON}.ipynb">02 Layered images</a>' in before[0][1]
    assert before[1][0] == f"progress('{LESSON}'): the exercises of 02 Layered images"
    assert "<li>Build an image of exactly three layers</li>" in before[1][1]


def test_it_follows_what_is_solved_in_this_kernel() -> None:
    whole, lesson, exercise = open_map(), open_map("02"), widget(SLUG)
    assert whole.onward["text"] == "Begin with"
    assert row(lesson, "Build an image")["state"] == "not begun"
    exercise.handle({"do": "check"})
    assert row(lesson, "Build an image")["said"] == "Tried 1 time"
    solve()
    exercise.handle({"do": "check"})
    assert (row(whole, "02")["state"], row(whole, "02")["done"]) == ("begun", 1)
    assert row(lesson, "Build an image")["state"] == "solved"
    assert (whole.onward["name"], whole.onward["stem"], whole.whose) == ("02 Layered images", LESSON, "ann")
    assert lesson.onward["text"] == f"Next here: {lesson.rows[0]['name']}"
    assert sum(each["next"] for each in lesson.rows) == sum(each["next"] for each in whole.rows) == 1


def test_a_notebook_that_is_not_there_has_no_link() -> None:
    assert {each["stem"] for each in open_map().rows} == {"", LESSON}


def test_where_to_go_on() -> None:
    course = exercises_by_lesson()
    done = {each.slug: {"passed": True, "at": 5, "points": 1} for each in course[LESSON]}
    after = next(lesson for lesson in LESSONS[3:] if course[lesson.stem])
    assert where_to_go_on(course, {}) == next(lesson for lesson in LESSONS if course[lesson.stem])
    assert where_to_go_on(course, done) == after
    everything = {each.slug: {"passed": True, "at": 5} for stem in course for each in course[stem]}
    assert where_to_go_on(course, everything) is None
    assert where_to_go_on({}, {}) is None
    assert score(course[LESSON], done).state == "solved"
    assert score([], {}).state == "no exercises"


def test_a_solved_lesson_leads_on() -> None:
    answers = {f"{each.slug}@{each.revision}": {"answer": "x", "passed": True, "points": 1, "at": 5, "tries": 1}
               for each in exercises_by_lesson()[LESSON]}  # fmt: skip
    text = json.dumps({"labkit-progress": 1, "learner": {"name": "", "seed": "", "at": 0}, "answers": {"ann": answers}})
    made = open_map(LESSON)
    open_map().handle({"do": "import", "text": text})
    assert made.onward == {"text": "All of them are solved. Go on with", "name": "03 The build cache", "stem": ""}


def test_the_file_to_take_along(home: Path) -> None:
    solve()
    made = open_map()
    made.handle({"do": "export"})
    assert (made.copy["name"], made.copy["number"]) == ("progress-ann.json", 1)
    (home / "home" / "progress.json").unlink()
    again = open_map()
    for text, note in (
        (None, "That file cannot be read as progress: it is empty."),
        ("<b>", "That file cannot be read as progress: it is not JSON."),
        (made.copy["text"], "Added: 1 solved exercise of ann."),
        (made.copy["text"], "Nothing in it is new."),
    ):
        again.handle({"do": "import", "text": text})
        assert again.note == note
    assert (open_progress().entry(SLUG) or {})["passed"]


@pytest.mark.parametrize(("name", "word"), [("ann", "ann"), ("../x y<b>", "..-x-y-b-"), ("", "learner"), ("é", "é")])
def test_a_name_in_a_file_name(name: str, word: str) -> None:
    assert file_word(name) == word


def test_the_newest_revision_counts() -> None:
    assert newest({"a@2": {"n": 2}, "a@10": {"n": 10}, "b@1": {"n": 1}}) == {"a": {"n": 10}, "b": {"n": 1}}


def test_a_bad_name_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("77", 3):
        assert progress(name) is None  # type: ignore[arg-type]
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("progress: there is no lesson '77'; they are 00-start-here, ")
    assert second == 'progress: of which lesson? Write its name in quotes, as in: progress("02-layered-images")'


def test_a_record_that_cannot_be_read_leaves_the_lessons(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "exercises_by_lesson", lambda: {lesson.stem: [] for lesson in LESSONS})
    made = open_map()
    assert {each["state"] for each in made.rows} == {"no exercises"}
    assert made.onward["text"] == ""
