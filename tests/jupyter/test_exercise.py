"""The exercise's widget, without a browser: messages in, traits out."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest

from labkit.course import Judgement
from labkit.jupyter.exercise import KEPT_OUTPUT, ExerciseWidget, shortened
from labkit.jupyter.feedback import feedback_trait

from .fakes import FakeAttempt, FakeJudgement, FakeMachine, FakeMemory, FakeResult, small_machine

CHOICE = {"type": "choice", "options": [{"value": "wrong", "text": "no"}, {"value": "right", "text": "yes"}]}


def made(form: dict[str, Any] | None = None, trouble: str = "") -> tuple[ExerciseWidget, FakeAttempt, list[bool]]:
    attempt, memory = FakeAttempt(form), FakeMemory(trouble=trouble)
    return ExerciseWidget(attempt, memory), attempt, memory.saved


def test_it_says_what_it_is() -> None:
    widget, _, _ = made()
    assert repr(widget) == "exercise('first-image'): A first image"
    bundle = widget._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    assert data["text/plain"] == repr(widget)
    assert "&lt;b&gt;one&lt;/b&gt;" in data["text/html"]
    assert "application/vnd.jupyter.widget-view+json" in data


def test_a_command_runs_and_the_picture_follows() -> None:
    widget, attempt, _ = made()
    before = widget.picture["text"]
    widget.handle({"do": "run", "line": "docker volume create v1"})
    assert attempt.inputs == ["docker volume create v1"]
    (entry,) = widget.log
    assert (entry["prompt"], entry["status"]) == ("# ", 1)
    assert entry["pieces"] == [
        {"message": False, "text": "ran docker volume create v1\n"},
        {"message": True, "text": "no such thing\n"},
    ]
    assert widget.picture["text"] != before
    assert "volume v1  [new]" in widget.picture["text"]
    assert widget.picture["src"].startswith("data:image/svg+xml;base64,")
    assert widget.can_undo


def test_an_editor_opens_a_pane_and_saves_into_the_answer() -> None:
    widget, attempt, _ = made()
    attempt.machine.files.kept["/home/learner/app/Dockerfile"] = b"FROM busybox\n"
    widget.handle({"do": "run", "line": "nano app/Dockerfile"})
    assert widget.editor == {"path": "app/Dockerfile", "text": "FROM busybox\n"}
    assert attempt.inputs == []
    widget.handle({"do": "save", "text": "FROM alpine\n"})
    assert attempt.machine.files.kept["/home/learner/app/Dockerfile"] == b"FROM alpine\n"
    assert (widget.editor, attempt.inputs, widget.log[0]["line"]) == (
        {},
        ["cat > app/Dockerfile"],
        "nano app/Dockerfile",
    )
    widget.handle({"do": "run", "line": "vi new"})
    assert widget.editor == {"path": "new", "text": ""}
    widget.handle({"do": "close"})
    widget.handle({"do": "save", "text": "nowhere"})
    assert len(attempt.inputs) == 1
    widget.handle({"do": "run", "line": "nano folder"})
    assert widget.feedback["title"].endswith("folder: Is a directory")


def test_undo_and_reset() -> None:
    widget, attempt, _ = made()
    for line in ("one", "two"):
        widget.handle({"do": "run", "line": line})
    widget.handle({"do": "undo"})
    assert (attempt.inputs, [entry["line"] for entry in widget.log], widget.can_undo) == (["one"], ["one"], True)
    widget.handle({"do": "reset"})
    assert (attempt.inputs, widget.log, widget.can_undo) == ([], [], False)
    widget.handle({"do": "undo"})
    assert attempt.inputs == []


def test_a_wrong_answer_is_told_what_is_so_instead() -> None:
    widget, _, saved = made()
    widget.handle({"do": "check"})
    assert saved == [False]
    assert widget.feedback["title"] == "Not yet: 1 of 2 points."
    assert widget.feedback["items"][0] == {
        "ok": False,
        "text": "the image `app:1` is there",
        "note": "there is no image app:1",
    }
    assert widget.feedback["reply"] == "That is what most people expect."
    widget.handle({"do": "run", "line": "make"})
    assert widget.feedback == {}


def test_a_right_answer_is_recorded() -> None:
    widget, _, saved = made()
    widget.handle({"do": "run", "line": "make"})
    widget.handle({"do": "check"})
    assert (saved, widget.feedback["tone"], widget.standing) == ([True], "right", "Solved")


def test_the_answer_of_a_form_is_what_the_page_sends() -> None:
    widget, attempt, _ = made(CHOICE)
    widget.handle({"do": "check", "answer": "right"})
    assert (attempt.answer, widget.feedback["tone"]) == ("right", "right")


def test_hints_open_one_by_one() -> None:
    widget, attempt, _ = made()
    assert (widget.hints, widget.hints_left) == ([], 2)
    widget.handle({"do": "hint"})
    assert (widget.hints, widget.hints_left) == ([attempt.hints[0]], 1)
    widget.handle({"do": "hint"})
    widget.handle({"do": "hint"})
    assert (widget.hints, widget.hints_left) == (list(attempt.hints), 0)


def test_the_solution_opens_after_a_try() -> None:
    widget, _, _ = made()
    widget.handle({"do": "solution"})
    assert widget.solutions == []
    widget.handle({"do": "check"})
    widget.handle({"do": "solution"})
    assert widget.solutions == [], "what stood there at first is no try"
    widget.handle({"do": "run", "line": "one"})
    widget.handle({"do": "check"})
    widget.handle({"do": "solution"})
    assert widget.solutions == [{"name": "the short way", "text": "make"}]


@pytest.mark.parametrize(
    "message", [None, "run", [], {}, {"do": "rm"}, {"do": ["run"]}, {"do": "run"}, {"do": "run", "line": " "}]
)
def test_a_message_that_is_none_is_passed_over(message: object) -> None:
    widget, attempt, _ = made()
    widget.handle(message)
    assert (attempt.inputs, widget.log, widget.feedback) == ([], [], {})


def test_trouble_is_told_in_the_widget() -> None:
    widget, attempt, _ = made(trouble="Your progress could not be saved: disk full")
    widget.handle({"do": "check"})
    assert widget.feedback["reply"].endswith("Your progress could not be saved: disk full")
    attempt.machine = None  # type: ignore[assignment]
    widget.handle({"do": "run", "line": "x"})
    assert widget.feedback["tone"] == "error"


def test_a_goal_stands_beside_it() -> None:
    attempt = FakeAttempt()
    attempt.goal = small_machine()
    attempt.goal.engine.volume_table.append("wanted")
    widget = ExerciseWidget(attempt, FakeMemory({"passed": True, "tries": 1}))
    assert widget.goal["text"] == "volume wanted", "only what is to be reached"
    assert widget.standing == "Solved"


def test_endless_output_is_shortened() -> None:
    assert shortened("x" * KEPT_OUTPUT) == "x" * KEPT_OUTPUT
    assert shortened("x" * (KEPT_OUTPUT + 5)).startswith("[5 characters left out]\n")


def test_what_is_written_stays_in_its_order() -> None:
    widget, attempt, _ = made()
    written = [
        SimpleNamespace(stream=number, text=text) for number, text in ((2, b"pull\n"), (1, b"a"), (1, b"b"), (2, b"c"))
    ]
    attempt.terminal = SimpleNamespace(written=written)
    attempt.prompt = "/ # "
    widget.handle({"do": "run", "line": "x"})
    assert [(piece["message"], piece["text"]) for piece in widget.log[0]["pieces"]] == [
        (True, "pull\n"),
        (False, "ab"),
        (True, "c"),
    ]
    assert widget.prompt == "/ # "


def test_an_empty_line_counts_only_within_a_command() -> None:
    widget, attempt, _ = made()
    attempt.prompt = "> "
    for line in ("cat <<EOF", "", "EOF"):
        widget.handle({"do": "run", "line": line})
    assert attempt.inputs == ["cat <<EOF", "", "EOF"]


def test_the_same_difference_is_told_once() -> None:
    results = (FakeResult(False, "a", "no image"), FakeResult(False, "b", "no image"), FakeResult(False, "c", "other"))
    told = feedback_trait(FakeJudgement(False, 0, results=results))
    assert [item["note"] for item in told["items"]] == ["no image", "", "other"]


def test_an_empty_machine_is_drawn_only_beside_a_terminal() -> None:
    for form, drawn in (({"type": "terminal"}, True), (CHOICE, False)):
        attempt = FakeAttempt(form, FakeMachine())
        assert bool(ExerciseWidget(attempt, FakeMemory()).picture) is drawn


def test_a_form_about_a_machine_has_a_terminal_to_look_around() -> None:
    for form, machine, explore in (
        (CHOICE, small_machine(), True),
        (CHOICE, FakeMachine(), False),
        ({"type": "terminal"}, small_machine(), False),
    ):
        widget = ExerciseWidget(FakeAttempt(form, machine), FakeMemory())
        assert widget.explore is explore


def test_an_earlier_answer_comes_back() -> None:
    attempt = FakeAttempt()
    entry = {"answer": ["one", "make"], "passed": False, "tries": 2}
    widget = ExerciseWidget(attempt, FakeMemory(entry))
    assert (widget.standing, widget.earlier, attempt.inputs) == ("Tried 2 times", 2, [])
    widget.handle({"do": "bring back"})
    assert (attempt.inputs, [row["line"] for row in widget.log], widget.earlier) == (
        ["one", "make"],
        ["one", "make"],
        0,
    )
    widget.handle({"do": "bring back"})
    assert attempt.inputs == ["one", "make"]


@pytest.mark.parametrize(("answer", "draft"), [("right", "right"), (["right"], None), ({}, None), (None, None)])
def test_a_form_is_filled_in_as_it_was(answer: object, draft: object) -> None:
    widget = ExerciseWidget(FakeAttempt(CHOICE), FakeMemory({"answer": answer}))
    assert (widget.draft, widget.earlier) == (draft, 0)


@pytest.mark.parametrize(("passed", "reply"), [(False, "`dokcer ps` ended with: not found"), (True, "")])
def test_a_slip_on_the_way_is_told_only_to_who_is_not_there_yet(passed: bool, reply: str) -> None:
    judgement = Judgement(passed, 0, 1, notes=("`dokcer ps` ended with: not found",))
    assert feedback_trait(judgement)["reply"] == reply


def test_what_is_done_is_told_after_each_input() -> None:
    widget, _, saved = made()
    assert widget.goals["title"] == "1 of 2 checks is done"
    assert widget.goals["missing"] == "there is no image app:1"
    widget.handle({"do": "run", "line": "make"})
    assert widget.goals["title"] == "2 of 2 checks are done: press Check to hand it in"
    widget.handle({"do": "undo"})
    assert widget.goals["title"] == "1 of 2 checks is done"
    assert saved == []
    assert made(CHOICE)[0].goals == {}


def test_checks_that_take_long_wait_for_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[ExerciseWidget.__module__], "LIVE", -1.0)
    widget, _, _ = made()
    for line in ("one", "make"):
        widget.handle({"do": "run", "line": line})
    assert widget.goals == {"title": "Press Check to see what is done", "missing": "", "items": []}
    widget.handle({"do": "check"})
    assert widget.goals["title"].startswith("2 of 2 checks")


def test_a_prediction_stands_beside_what_is_printed() -> None:
    attempt = FakeAttempt({"type": "text", "label": "What will it print?"})
    attempt.kind, attempt.printed = "predict", "15MB"
    widget = ExerciseWidget(attempt, FakeMemory())
    widget.handle({"do": "check", "answer": "0B"})
    assert widget.compared["rows"] == [{"said": "0B", "real": "15MB", "same": False}]
    widget.handle({"do": "reset"})
    assert widget.compared == {}


def test_an_explanation_is_shown_with_where_it_differs() -> None:
    attempt = FakeAttempt({"type": "text", "label": "Which command was it?"})
    attempt.kind, attempt.reached = "explain", small_machine()
    attempt.machine.engine.volume_table.append("wanted")
    widget = ExerciseWidget(attempt, FakeMemory())
    widget.handle({"do": "check", "answer": "docker ps"})
    assert widget.reached["differs"] == ["not there: volume wanted"]
    assert "gone: volume wanted" in widget.reached["text"]


@pytest.mark.parametrize(
    ("form", "shown"),
    [
        ({"type": "terminal"}, "<p>Answered in a terminal"),
        ({"type": "text", "label": "<b>"}, "Answered with a line of text: &lt;b&gt;"),
        (CHOICE, "<li><strong>wrong)</strong> no</li>"),
        ({"type": "choice", "options": [{"value": "1 < 2", "text": "1 < 2"}]}, "<li>1 &lt; 2</li>"),
        ({"type": "order", "options": [{"value": "a", "text": "<a>"}, {"value": "b", "text": "b"}]}, "<pre>&lt;a&gt;\nb</pre>"),
        (
            {"type": "marks", "items": [{"value": "x", "text": "x"}], "options": [{"value": "y", "text": "y"}]},
            "marks <code>y</code>:</p>\n<pre>x</pre>",
        ),
    ],
)  # fmt: skip
def test_where_no_kernel_runs_the_form_is_a_text(form: dict[str, Any], shown: str) -> None:
    assert shown in made(form)[0].still()
