"""What widgets remember: in the file, and what they take from a browser."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from labkit.course import Attempt, ProgressError, load_exercise, open_progress
from labkit.course.machines import inputs_of
from labkit.course.progress import empty
from labkit.jupyter.exercise import ExerciseWidget, widget
from labkit.jupyter.magics import judge_text
from labkit.jupyter.panel import Memory, RememberingPanel

SLUG = "a-tag-moves"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home for whoever; no widget of an earlier test."""
    for name in ("LABKIT_LEARNER", "LABKIT_SEED", "JUPYTERHUB_USER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path))
    RememberingPanel.live.clear()
    RememberingPanel.declined = False
    return tmp_path


def entry(passed: bool, at: int = 5) -> dict[str, object]:
    return {"answer": "x", "passed": passed, "points": int(passed), "at": at, "tries": 1}


def copy_of(learner: str, **answers: dict[str, object]) -> str:
    """What a browser may have."""
    keys = {f"{slug.replace('_', '-')}@1": each for slug, each in answers.items()}
    return json.dumps(empty() | {"learner": {"name": learner, "seed": "", "at": 9}, "answers": {learner: keys}})


def test_what_is_new_is_told() -> None:
    memory = Memory()
    assert memory.bare()
    assert memory.offer(copy_of("ann", a_tag_moves=entry(True), three_layers=entry(False))) == (
        "1 solved exercise of ann"
    )
    assert memory.offer(copy_of("ann", three_layers=entry(False))) == "1 exercise that ann has begun"
    assert memory.offer(copy_of("ann")) == ""
    assert memory.merge(copy_of("ann", a_tag_moves=entry(True))) == "1 solved exercise of ann"
    assert memory.offer(copy_of("ann", a_tag_moves=entry(True))) == ""
    assert not memory.bare()


@pytest.mark.parametrize("hostile", ["", "{", "<b>", "[]", '{"labkit-progress": 9}', "\ud800"])
def test_what_is_no_progress_is_no_offer(hostile: str) -> None:
    assert Memory().offer(hostile) == ""
    with pytest.raises(ProgressError):
        Memory().merge(hostile)
    assert Memory().bare()


def test_the_browser_is_asked_only_where_nothing_is_known() -> None:
    assert widget(SLUG).asks
    judge_text(SLUG, "a")
    assert not widget(SLUG).asks


def test_it_is_offered_once_and_brought_back_everywhere(home: Path) -> None:
    one, other = widget(SLUG), widget("three-layers")
    text = copy_of("ann", a_tag_moves=entry(True))
    for panel in (one, other, one):
        panel.handle({"do": "stored", "text": text})
    assert (one.offer, other.offer) == ("1 solved exercise of ann", "")
    rounds = other.round
    one.handle({"do": "bring all back", "text": text})
    assert (one.offer, one.standing, one.returned) == ("", "Solved", "Brought back: 1 solved exercise of ann.")
    assert one.task == Attempt(load_exercise(SLUG), "ann", "").task
    assert other.round > rounds
    assert open_progress(home / "progress.json").learner == "ann"


def test_not_now_is_for_the_whole_notebook() -> None:
    one, other = widget(SLUG), widget("three-layers")
    text = copy_of("ann", a_tag_moves=entry(True))
    one.handle({"do": "stored", "text": text})
    one.handle({"do": "not now"})
    other.handle({"do": "stored", "text": text})
    assert (one.offer, other.offer) == ("", "")
    assert Memory().bare()


def test_the_page_is_given_what_the_browser_is_to_keep() -> None:
    made = widget(SLUG)
    judge_text("three-layers", "docker ps")
    made.handle({"do": "hint"})
    made.handle({"do": "check", "answer": "a"})
    assert list(made.kept["answers"]["demo"]) == list(made.kept["drafts"]["demo"]) == [f"{SLUG}@2"]


def test_each_step_is_saved_and_comes_back() -> None:
    made = widget("three-layers")
    for line in ("docker ps", "docker images"):
        made.handle({"do": "run", "line": line})
    made.handle({"do": "undo"})
    made.handle({"do": "hint"})
    again = widget("three-layers")
    assert (again.earlier, len(again.hints), again.standing) == (1, 1, "")
    again.handle({"do": "bring back"})
    assert [row["line"] for row in again.log] == ["docker ps"]
    again.handle({"do": "reset"})
    assert widget("three-layers").earlier == 0


@pytest.mark.parametrize(
    ("draft", "kept"), [("b", "b"), (3, None), (["b"], None), ({"a": 1}, None), ("x" * 70_000, None), (None, None)]
)
def test_a_draft_that_does_not_fit_never_reaches_the_file(draft: object, kept: str | None) -> None:
    made = widget(SLUG)
    made.draft = "a"
    made.draft = draft
    assert (widget(SLUG).draft or None) == (kept or (None if draft is None else "a"))
    assert open_progress().draft(SLUG, 2, "demo")


def test_the_fewest_inputs_and_the_shortest_route() -> None:
    made = widget("three-layers")
    assert made.best == ""
    routes = [(len(inputs_of(text)), text, name) for name, text in Attempt(load_exercise("three-layers")).solutions]
    shortest, text, name = min(routes)
    for detours, told in (
        (1, f"The shortest route that is known has {shortest} inputs: {name}."),
        (0, "No shorter route is known."),
    ):
        made.handle({"do": "reset"})
        for line in ["docker ps"] * detours + inputs_of(text):
            made.handle({"do": "run", "line": line})
        made.handle({"do": "check"})
        assert (made.standing, made.best) == ("Solved", f"Your best: {shortest + detours} inputs. {told}")
        assert widget("three-layers").best == made.best


def test_trouble_with_the_file_is_a_sentence(home: Path) -> None:
    (home / "progress.json").mkdir()
    made: ExerciseWidget = widget(SLUG)
    made.handle({"do": "hint"})
    assert made.trouble.startswith("Your progress could not be saved: ")
