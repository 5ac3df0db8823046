"""The exercise's widget, without a browser: messages in, traits out."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from labkit.course import Attempt, CheckResult, Judgement, load_exercise, open_progress
from labkit.jupyter.exercise import (
    FORM_TEXTS,
    ExerciseWidget,
    differences,
    feedback_trait,
    flag_parts,
    goals_trait,
    side_by_side,
    widget,
)
from labkit.jupyter.panel import KEPT_OUTPUT, shortened
from labkit.jupyter.view import MachineView, look
from labkit.kernel.golang import Json, JsonObject

from .machines import small_machine

FIRST = "your-first-container"  # do: a container named hello30 of busybox that prints howdy
RIGHT = "docker run --name hello30 busybox echo howdy"
CHOICE = "a-tag-moves"


@pytest.fixture
def made() -> ExerciseWidget:
    return widget(FIRST)


def run(widget: ExerciseWidget, *lines: str) -> None:
    for line in lines:
        widget.handle({"do": "run", "line": line})


def typed(widget: ExerciseWidget) -> list[str]:
    return [given.text for given in widget.timeline.inputs]


def letter(slug: str, *, right: bool) -> str:
    """The letter of a right option, or of a wrong one, as learner demo sees them."""
    attempt = Attempt(load_exercise(slug))
    return next(each["value"] for each in attempt.form["options"] if attempt.check(each["value"]).passed is right)


def test_it_says_what_it_is(made: ExerciseWidget) -> None:
    assert repr(made) == f"exercise('{FIRST}'): {made.title}"
    bundle = made._repr_mimebundle_()
    assert bundle
    assert bundle[0]["text/plain"] == repr(made)
    assert f"<p><strong>Exercise: {made.title}</strong> (1 point)</p>" in bundle[0]["text/html"]
    assert "application/vnd.jupyter.widget-view+json" in bundle[0]


def test_a_command_runs_and_the_picture_follows(made: ExerciseWidget) -> None:
    before = made.picture["text"]
    run(made, "docker volume create v1; ls /nosuch")
    assert typed(made) == ["docker volume create v1; ls /nosuch"]
    (entry,) = made.log
    assert (entry["prompt"], entry["status"]) == ("# ", 2)
    assert entry["pieces"] == [
        {"message": False, "text": "v1\n"},
        {"message": True, "text": "ls: cannot access '/nosuch': No such file or directory\n"},
    ]
    assert made.picture["text"] != before
    assert "volume v1  [new]" in made.picture["text"]
    assert made.picture["src"].startswith("data:image/svg+xml;base64,")
    assert made.can_undo


def test_an_editor_opens_a_pane_and_saves_into_the_answer(made: ExerciseWidget) -> None:
    files = made.timeline.machine.files
    run(made, "mkdir app; echo FROM busybox >app/Dockerfile", "nano app/Dockerfile")
    assert made.editor == {"path": "app/Dockerfile", "text": "FROM busybox\n"}
    assert len(typed(made)) == 1
    made.handle({"do": "save", "text": "FROM alpine\n"})
    assert files.read("/home/learner/app/Dockerfile") == b"FROM alpine\n"
    assert (made.editor, made.log[-1]["line"]) == ({}, "nano app/Dockerfile")
    assert typed(made)[-1] == "cat > 'app/Dockerfile' <<'EOF'\nFROM alpine\nEOF"
    run(made, "cd app", "vi new")
    assert made.editor == {"path": "new", "text": ""}
    made.handle({"do": "close"})
    made.handle({"do": "save", "text": "nowhere"})
    assert len(typed(made)) == 3
    run(made, "nano ~/app")
    assert made.feedback["title"].endswith("~/app: Is a directory")


def test_a_file_is_edited_in_the_container_whose_shell_is_open(made: ExerciseWidget) -> None:
    run(made, "docker run -it --name box busybox sh", "cd /tmp; echo inside > note", "nano note")
    assert made.editor["text"] == "inside\n"
    made.handle({"do": "save", "text": "anew"})
    assert made.timeline.machine.container("box").files.read("/tmp/note") == b"anew\n"


def test_undo_and_reset(made: ExerciseWidget) -> None:
    run(made, "true", "false")
    made.handle({"do": "undo"})
    assert (typed(made), [entry["line"] for entry in made.log], made.can_undo) == (["true"], ["true"], True)
    made.handle({"do": "reset"})
    assert (typed(made), made.log, made.can_undo) == ([], [], False)
    made.handle({"do": "undo"})
    assert typed(made) == []


def test_a_wrong_answer_is_told_what_is_so_instead(made: ExerciseWidget) -> None:
    run(made, "docker run --name hello30 busybox echo hello")
    made.handle({"do": "check"})
    assert (open_progress().entry(FIRST) or {})["passed"] is False
    assert made.feedback["title"] == "Not yet: 0 of 1 point."
    assert [item["ok"] for item in made.feedback["items"]] == [True, False]
    assert made.feedback["items"][1]["note"]
    run(made, "true")
    assert made.feedback == {}


def test_a_named_mistake_gets_its_own_answer() -> None:
    exercise = load_exercise(CHOICE)
    made = widget(CHOICE)
    made.handle({"do": "check", "answer": letter(CHOICE, right=False)})
    assert any(made.feedback["reply"].endswith(mistake.reply.strip()) for mistake in exercise.mistakes)


def test_a_right_answer_is_recorded(made: ExerciseWidget) -> None:
    run(made, RIGHT)
    made.handle({"do": "check"})
    assert (open_progress().entry(FIRST) or {})["passed"] is True
    assert (made.feedback["tone"], made.standing) == ("right", "Solved")


def test_the_answer_of_a_form_is_what_the_page_sends() -> None:
    made = widget(CHOICE)
    made.handle({"do": "check", "answer": letter(CHOICE, right=True)})
    assert made.feedback["tone"] == "right"


def test_hints_open_one_by_one(made: ExerciseWidget) -> None:
    hints = list(Attempt(load_exercise(FIRST)).exercise.hints)
    assert (made.hints, made.hints_left) == ([], 2)
    made.handle({"do": "hint"})
    assert (made.hints, made.hints_left) == (hints[:1], 1)
    made.handle({"do": "hint"})
    made.handle({"do": "hint"})
    assert (made.hints, made.hints_left) == (hints, 0)


def test_the_solution_opens_after_a_try(made: ExerciseWidget) -> None:
    made.handle({"do": "solution"})
    assert made.solutions == []
    made.handle({"do": "check"})
    made.handle({"do": "solution"})
    assert made.solutions == [], "what stood there at first is no try"
    run(made, "true")
    made.handle({"do": "check"})
    made.handle({"do": "solution"})
    assert made.solutions[0]["text"] == RIGHT


def test_the_order_that_stood_there_at_first_is_no_try() -> None:
    made = widget("three-lines-in-order")
    shown = [each["value"] for each in made.form["options"]]
    made.handle({"do": "check", "answer": shown})
    assert not made.may_see_solution
    made.handle({"do": "check", "answer": shown[::-1]})
    assert made.may_see_solution


@pytest.mark.parametrize(
    "message", [None, "run", [], {}, {"do": "rm"}, {"do": ["run"]}, {"do": "run"}, {"do": "run", "line": " "}]
)
def test_a_message_that_is_none_is_passed_over(made: ExerciseWidget, message: Json) -> None:
    made.handle(message)
    assert (typed(made), made.log, made.feedback) == ([], [], {})


def test_trouble_is_told_in_the_widget(made: ExerciseWidget, home: Path) -> None:
    (home / "progress.json").mkdir()
    run(made, "true")
    made.handle({"do": "check"})
    assert "Your progress could not be saved: " in made.feedback["reply"]


def test_a_goal_stands_beside_it(made: ExerciseWidget) -> None:
    assert "container hello30" in made.goal["text"]
    assert "hello30" not in made.picture["text"]
    assert widget(CHOICE).goal == {}


def test_endless_output_is_shortened() -> None:
    assert shortened("x" * KEPT_OUTPUT) == "x" * KEPT_OUTPUT
    assert shortened("x" * (KEPT_OUTPUT + 5)).startswith("[5 characters left out]\n")


def test_what_is_written_stays_in_its_order(made: ExerciseWidget) -> None:
    run(made, "docker run -it busybox sh", "echo a; echo b; ls /nosuch; echo c")
    pieces = [(piece["message"], piece["text"]) for piece in made.log[-1]["pieces"]]
    assert pieces == [(False, "a\nb\nls: /nosuch: No such file or directory\nc\n")], "a terminal has one screen"
    assert made.prompt == "/ # "
    run(made, "exit", "echo a; ls /nosuch; echo c")
    assert [piece["message"] for piece in made.log[-1]["pieces"]] == [False, True, False]


def test_an_empty_line_counts_only_where_something_waits(made: ExerciseWidget) -> None:
    run(made, "", "cat >f <<EOF", "", "EOF", "cat", "")
    assert typed(made) == ["cat >f <<EOF", "", "EOF", "cat", ""]
    assert made.prompt == "", "of a program that reads"


def test_a_form_about_a_machine_has_a_terminal_to_look_around(made: ExerciseWidget) -> None:
    for slug, drawn, explore in ((CHOICE, False, False), ("whose-file-is-it", True, True), (FIRST, True, False)):
        found = widget(slug)
        assert (bool(found.picture), found.explore) == (drawn, explore)


def test_an_earlier_answer_comes_back(made: ExerciseWidget) -> None:
    run(made, "true", "false")
    for _ in range(2):
        made.handle({"do": "check"})
    again = widget(FIRST)
    assert (again.standing, again.earlier, typed(again)) == ("Tried 2 times", 2, [])
    again.handle({"do": "bring back"})
    assert (typed(again), [row["line"] for row in again.log], again.earlier) == (
        ["true", "false"],
        ["true", "false"],
        0,
    )
    again.handle({"do": "bring back"})
    assert typed(again) == ["true", "false"]


def test_a_form_is_filled_in_as_it_was() -> None:
    wrong = letter(CHOICE, right=False)
    widget(CHOICE).handle({"do": "check", "answer": wrong})
    assert (widget(CHOICE).draft, widget(CHOICE).earlier) == (wrong, 0)


@pytest.mark.parametrize(("passed", "reply"), [(False, "`dokcer ps` ended with: not found"), (True, "")])
def test_a_slip_on_the_way_is_told_only_to_who_is_not_there_yet(passed: bool, reply: str) -> None:
    judgement = Judgement(passed, 0, 1, notes=("`dokcer ps` ended with: not found",))
    assert feedback_trait(judgement)["reply"] == reply


def test_what_is_done_is_told_after_each_input(made: ExerciseWidget) -> None:
    assert made.goals["title"] == "0 of 2 checks are done"
    run(made, RIGHT)
    assert made.goals["title"] == "2 of 2 checks are done: press Check to hand it in"
    made.handle({"do": "undo"})
    assert made.goals["title"] == "0 of 2 checks are done"
    assert open_progress().entry(FIRST) is None
    assert widget(CHOICE).goals == {}


def test_checks_that_take_long_wait_for_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[ExerciseWidget.__module__], "LIVE", -1.0)
    made = widget(FIRST)
    run(made, "true", RIGHT)
    assert made.goals == {"title": "Press Check to see what is done", "items": []}
    made.handle({"do": "check"})
    assert made.goals["title"].startswith("2 of 2 checks")


def test_a_prediction_stands_beside_what_is_printed() -> None:
    made = widget("what-three-images-take")
    made.handle({"do": "check", "answer": "0B"})
    (row,) = made.compared["rows"]
    assert (row["said"], row["same"]) == ("0B", False)
    assert row["real"].endswith("MB")
    made.handle({"do": "reset"})
    assert made.compared == {}


def test_an_explanation_is_shown_with_where_it_differs() -> None:
    made = widget("what-happened-here")
    made.handle({"do": "check", "answer": "docker volume create other"})
    assert "there as well: volume other" in made.reached["differs"]
    assert "volume other  [new]" in made.reached["text"]
    made.handle({"do": "check", "answer": Attempt(load_exercise("what-happened-here")).solution})
    assert made.reached["differs"] == []


@pytest.mark.parametrize(
    ("form", "shown"),
    [
        ({"type": "terminal"}, "<p>Answered in a terminal"),
        ({"type": "text", "label": "<b>"}, "Answered with a line of text: &lt;b&gt;"),
        ({"type": "choice", "options": [{"value": "wrong", "text": "no"}]}, "<li><strong>wrong)</strong> no</li>"),
        ({"type": "choice", "options": [{"value": "1 < 2", "text": "1 < 2"}]}, "<li>1 &lt; 2</li>"),
        ({"type": "order", "options": [{"value": "a", "text": "<a>"}, {"value": "b", "text": "b"}]}, "<pre>&lt;a&gt;\nb</pre>"),
        (
            {"type": "marks", "items": [{"value": "x", "text": "x"}], "options": [{"value": "y", "text": "y"}]},
            "marks <code>y</code>:</p>\n<pre>x</pre>",
        ),
    ],
)  # fmt: skip
def test_where_no_kernel_runs_the_form_is_a_text(form: JsonObject, shown: str) -> None:
    assert shown in FORM_TEXTS[str(form["type"])](form)


# --- what is said to an answer


def test_the_same_difference_is_told_once() -> None:
    results = (
        CheckResult(False, "a", "no image"),
        CheckResult(False, "b", "no image"),
        CheckResult(False, "c", "other"),
    )
    told = goals_trait(results)
    assert told["items"] == [
        {"ok": False, "text": text, "note": note} for text, note in (("a", "no image"), ("b", ""), ("c", "other"))
    ]


@pytest.mark.parametrize(
    ("said", "real", "signs", "row", "column"),
    [
        ("0B", "15MB", [False], 0, 0),
        ("15kB", "15MB", [False], 0, 2),
        ("a\nb\nc", "a\nx\nc", [True, False, True], 1, 0),
        ("a\nc", "a\nb\nc", [True, False, True], 1, 0),
        ("a  1\nb", "a 1\nb", [True, True], -1, 0),
        ("", "x", [False], 0, 0),
        ("x", "", [False], 0, 0),
        ("ab", "abc", [False], 0, 2),
    ],
)
def test_the_first_difference_is_found(said: str, real: str, signs: list[bool], row: int, column: int) -> None:
    found = side_by_side(said, real, right=False)
    rows: Any = found["rows"]
    assert ([each["same"] for each in rows], found["row"], found["column"]) == (signs, row, column)
    assert "\n".join(each["said"] for each in rows if each["said"] is not None) == said.strip()
    assert "\n".join(each["real"] for each in rows if each["real"] is not None) == real.strip()


def test_what_is_right_has_no_difference_however_it_is_written() -> None:
    found = side_by_side("3MB", "3.1MB", right=True)
    assert found == {"rows": [{"said": "3MB", "real": "3.1MB", "same": True}], "row": -1, "column": 0}


def test_what_is_done_is_told_by_what_a_check_looks_for() -> None:
    results = (CheckResult(True, "a", ""), CheckResult(False, "b", "no b"), CheckResult(False, "c", "no b"))
    told = goals_trait(results)
    assert told["title"] == "1 of 3 checks is done"
    assert [item["note"] for item in told["items"]] == ["", "no b", ""]
    assert goals_trait(results[:1]) == {
        "title": "1 of 1 check is done: press Check to hand it in",
        "items": [{"ok": True, "text": "a", "note": ""}],
    }
    scripts = (CheckResult(False, "`docker inspect x | grep -q y && echo it` prints 'it'", ""),)
    assert goals_trait(scripts)["items"][0]["text"] == "a look at the machine shows 'it'"


def test_how_two_machines_differ() -> None:
    wanted, reached = small_machine("docker volume create wanted"), small_machine()
    reached.run("for n in 0 1 2 3 4 5 6 7 8; do docker volume create v$n; done")
    found = differences(look(wanted), look(reached))
    assert found[:2] == ["not there: volume wanted", "there as well: volume v0"]
    assert found[-1] == "and 2 more"
    assert differences(look(wanted), look(wanted)) == []
    assert differences(look(small_machine()), MachineView())[0].startswith("not there: step ")


@pytest.mark.parametrize(
    ("text", "parts", "message"),
    [
        ("", [], ""),
        ("-v", [], ""),
        ("-v data:/x:ro", [("source", "data"), ("target", "/x"), ("readonly", "ro")], ""),
        ("--volume=data:/x", [("source", "data"), ("target", "/x")], ""),
        ("--mount type=bind,src=/a", [("type", "type=bind"), ("source", "src=/a")], ""),
        ("--mount <b>", [("?", "<b>")], "--mount: invalid field '<b>' must be a key=value pair"),
        (
            "-v data:/x:ro:z",
            [("source", "data"), ("target", "/x"), ("readonly", "ro"), ("?", "z")],
            "-v: invalid spec: data:/x:ro:z: too many colons",
        ),
    ],
)
def test_a_flag_is_taken_apart_while_it_is_typed(text: str, parts: list[tuple[str, str]], message: str) -> None:
    found = flag_parts(text)
    assert [(part["name"], part["text"]) for part in found["parts"]] == parts
    assert found["message"] == message
