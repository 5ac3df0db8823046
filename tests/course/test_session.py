"""An attempt: what the widget and the plain-text cell stand on."""

from __future__ import annotations

from pathlib import Path

import pytest

from labkit.course import Attempt, judge, load_all, load_exercise
from labkit.course.machines import inputs_of
from labkit.course.record import for_learner


def attempt(slug: str) -> Attempt:
    return Attempt(load_exercise(slug), "demo", "")


def test_solving_in_a_terminal() -> None:
    one = attempt("three-layers")
    assert one.form == {"type": "terminal"}
    assert not one.check().passed
    script = one.solutions[1][1].splitlines()
    for line in script:
        assert one.run(line).returncode == 0
    assert one.answer == script
    judgement = one.check()
    assert judgement.passed
    assert judgement.points == judgement.of == 2
    assert judgement.text.startswith("Solved: 2 of 2 points.\n  [x] the image ")
    assert not attempt("three-layers").check().passed


def test_undo_and_reset() -> None:
    one = attempt("three-layers")
    one.run("echo 1 > a")
    one.run("cd /tmp")
    one.run("echo 2 > b")
    one.undo()
    assert one.answer == ["echo 1 > a", "cd /tmp"]
    assert one.run("pwd; cat /home/learner/a; ls").stdout == "/tmp\n1\n"
    one.reset()
    assert one.answer == []
    assert not one.machine.files.exists("/home/learner/a")


@pytest.mark.parametrize("text", ["", "one\n", "two\nlines", "it's $HOME `x` \\ EOF\nEOF\nEOF_\n"])
def test_what_an_editor_saves_is_an_input(text: str) -> None:
    one = attempt("three-layers")
    path = "/home/learner/it's a file"
    one.write_file(path, text)
    assert one.machine.files.read(path).decode() == (text if text.endswith("\n") or not text else text + "\n")
    assert len(one.answer) == 1


def test_looking_is_no_answer() -> None:
    one = attempt("where-did-version-2-come-from")
    app = one.exercise.own.cause[0].split()[-1]
    assert one.run(f"docker history {app}").returncode == 0
    assert one.answer is None
    assert one.check(one.solution).passed
    assert one.answer == one.solution
    assert one.goal.engine.inspect_image(app)


def test_the_goal_is_there_where_a_machine_changes() -> None:
    assert attempt("three-layers").goal is not None
    assert attempt("a-tag-moves").goal is None


def test_whose_attempt_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path))
    monkeypatch.setenv("LABKIT_LEARNER", "ann")
    monkeypatch.setenv("LABKIT_SEED", "2026")
    one = Attempt(load_exercise("three-layers"))
    assert one.exercise == for_learner(load_exercise("three-layers"), "ann", "2026")
    assert (one.slug, one.kind, one.points, one.revision, one.lesson) == (
        "three-layers",
        "do",
        2,
        2,
        "02-layered-images",
    )
    with pytest.raises(AttributeError):
        _ = one.nothing


def test_a_runaway_ends_and_nothing_after_it_is_played() -> None:
    exercise = for_learner(load_exercise("three-layers"), "demo", "")
    judgement = judge(exercise, ["while true; do :; done"] * 400)
    assert not judgement.passed
    assert len(judgement.notes) == 1
    assert "while true" in judgement.notes[0]


@pytest.mark.parametrize(
    "answer",
    ["rm -rf / --no-preserve-root", "docker system prune -af --volumes", "exit 3", "cd /nowhere; :(", "\x1b[0m"],
)
def test_whatever_is_typed_is_judged(answer: str) -> None:
    assert not judge(for_learner(load_exercise("deleted-but-not-gone"), "demo", ""), answer).passed


def test_what_went_wrong_is_told_without_dockers_advice() -> None:
    judgement = attempt("three-layers").check("docker buld .")
    assert judgement.notes == ("`docker buld .` ended with: docker: unknown command: docker buld",)
    assert judgement.notes[0] in judgement.text


@pytest.mark.long
def test_what_holds_so_far_is_what_check_says() -> None:
    """After each input of each solution, without handing in: with checks that run commands first, too."""
    for exercise in load_all():
        attempt = Attempt(exercise, "demo", "")
        if not attempt.by_commands:
            continue
        for line in ["", *inputs_of(attempt.exercise.solutions[0].answer)]:
            if line:
                attempt.run(line)
            results = attempt.so_far()
            judged = judge(attempt.exercise, attempt.answer).results
            assert [each.ok or each.kept for each in results] == [each.ok for each in judged], (
                f"{attempt.slug} after {line!r}"
            )
            assert line or not any(each.ok for each in results)  # nothing is shown as done before anything is
