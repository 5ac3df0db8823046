"""Grading a folder: answers are played, nothing they claim counts, a file that cannot be read stops nobody else's."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest
from classroom import MARKED, grade_here, letter, marks, notebook, solution, submission

from labkit.course.exercises import load_exercise
from labkit.course.record import for_learner
from labkit.grading.roster import Learner, Roster


def points(folder: Path, **how: object) -> dict[str, dict[str, float]]:
    return {
        each.learner.learner: {slug: counted.points for slug, counted in each.counted.items()}
        for each in grade_here(folder, **how)
    }


def test_each_learner_by_their_own_variant(tmp_path: Path) -> None:
    for name in ("ann", "bob", "eve"):
        (tmp_path / f"{name}.labkit.json").write_text(submission(("a-tag-moves", letter(name, "2026"))))
    assert points(tmp_path, seed="2026") == {name: {"a-tag-moves": 1} for name in ("ann", "bob", "eve")}


def test_another_name_in_the_file_is_a_doubt_and_no_grade(tmp_path: Path) -> None:
    other = next(name for name in ("bob", "eve", "joe", "kim") if letter(name) != letter("ann"))
    (tmp_path / "ann.labkit.json").write_text(submission(("a-tag-moves", letter(other)), learner=other))
    results = grade_here(tmp_path)
    assert results[0].counted == {}
    fault = f"ann.labkit.json: not graded: it says that it is from '{other}', but was handed in as 'ann'"
    assert results[0].faults == [fault]


def test_another_seed_than_the_learner_had_is_told(tmp_path: Path) -> None:
    text = submission(("a-tag-moves", letter("ann", "2026"))).replace("{", '{"course": "2026", ', 1)
    (tmp_path / "ann.labkit.json").write_text(text)
    (result,) = grade_here(tmp_path, seed="2026")
    assert (result.points, result.faults) == (1, [])
    (result,) = grade_here(tmp_path)
    assert result.faults == ["ann.labkit.json: it says that its course's seed is '2026'; graded with ''"]


def test_roster(tmp_path: Path) -> None:
    (tmp_path / "upload-7.ipynb").write_text(notebook(f"%%answer a-tag-moves\n{letter('demo')}\n"))
    (tmp_path / "guest.labkit.json").write_text(submission((MARKED, marks("guest"))))
    roster = Roster((Learner("ann", "Ann", "upload-7.ipynb", "demo"), Learner("bob")))
    results = grade_here(tmp_path, roster=roster)
    seen = {each.learner.learner: (each.points, each.files, each.on_roster) for each in results}
    assert seen == {
        "ann": (1, ["upload-7.ipynb"], True),
        "bob": (0, [], True),
        "guest": (2, ["guest.labkit.json"], False),
    }


def test_files_of_one_learner_come_together(tmp_path: Path) -> None:
    folder = tmp_path / "ann" / "lab"
    folder.mkdir(parents=True)
    lines = "\n".join(f"{item}: {mark}" for item, mark in dict(marks("ann")).items())  # type: ignore[call-overload]
    (folder / "02.ipynb").write_text(notebook(f"%%answer which-layer-is-it-from\n{lines}"))
    (tmp_path / "ann" / "rest.labkit.json").write_text(
        submission(("a-tag-moves", letter("ann")), ("which-layer-is-it-from", []))
    )
    (folder / ".ipynb_checkpoints").mkdir()
    (folder / ".ipynb_checkpoints" / "02-checkpoint.ipynb").write_text("{")
    (folder / "notes.txt").write_text("no submission")
    assert points(tmp_path) == {"ann": {"which-layer-is-it-from": 2, "a-tag-moves": 1}}
    (result,) = grade_here(tmp_path)
    assert (result.files, result.faults) == (["ann/lab/02.ipynb", "ann/rest.labkit.json"], [])
    assert {each.exercise.title for each in result.counted.values()} == {
        load_exercise(slug).title for slug in ("which-layer-is-it-from", "a-tag-moves")
    }


def test_without_a_roster_all_may_have_had_one_variant(tmp_path: Path) -> None:
    other = next(name for name in ("bob", "eve", "joe", "kim") if letter(name) != letter("demo"))
    (tmp_path / f"{other}.ipynb").write_text(notebook(f"%%answer a-tag-moves\n{letter('demo')}"))
    (tmp_path / ".hidden.ipynb").write_text("{")
    assert points(tmp_path, variant="demo") == {other: {"a-tag-moves": 1}}
    assert points(tmp_path) == {other: {"a-tag-moves": 0}}


@pytest.mark.parametrize(
    ("name", "data", "fault"),
    [
        ("bad.ipynb", b"{", "bad.ipynb: it is not JSON"),
        ("bad.labkit.json", b"", "bad.labkit.json: it is empty"),
        ("bad.labkit.json", b'{"a":' * 10**5, "bad.labkit.json: it is nested more than 40 levels deep"),
        ("bad.labkit.json", b" " * (5 << 20), "bad.labkit.json: it has 5 MB; 4 MiB is the most that is read"),
        ("bad.zip", b"PK\x03\x04", "bad.zip: it cannot be read as a zip: File is not a zip file"),
        ("bad.ipynb", notebook("print()").encode(), "bad.ipynb: it has no answers"),
        ("bad.labkit.json", submission(("no-such", "x")).encode(), "bad.labkit.json: there is no exercise 'no-such@1'"),
        ("bad.labkit.json", submission(("x" * 99, "x")).encode(), f"bad.labkit.json: there is no exercise '{'x' * 80}…'"),
        ("bad.labkit.json", submission(("x" * 78, "x")).encode(), f"bad.labkit.json: there is no exercise '{'x' * 78}@1'"),
        ("bad.labkit.json", submission(("x" * 79, "x")).encode(), f"bad.labkit.json: there is no exercise '{'x' * 79}@…'"),
        ("bad.labkit.json", submission(("../a", "x")).encode(), "bad.labkit.json: there is no exercise '../a@1'"),
    ],
)  # fmt: skip
def test_a_bad_file_is_one_line_and_the_others_are_graded(tmp_path: Path, name: str, data: bytes, fault: str) -> None:
    (tmp_path / name).write_bytes(data)
    (tmp_path / "ann.labkit.json").write_text(submission((MARKED, marks("ann"))))
    results = grade_here(tmp_path)
    assert {each.learner.learner: (each.points, each.faults) for each in results} == {
        "ann": (2, []),
        "bad": (0, [fault]),
    }


def test_a_second_answer_is_not_a_second_try(tmp_path: Path) -> None:
    tries = [("a-tag-moves", each) for each in "abcd"]
    (tmp_path / "ann.labkit.json").write_text(submission(*tries))
    results = grade_here(tmp_path)
    assert results[0].counted["a-tag-moves"].answer == "a"
    assert results[0].faults == ["ann.labkit.json: a second answer to 'a-tag-moves@2' is not graded"]


def test_a_fault_of_labkit_is_one_line_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RecursionError("too\ndeep")

    (tmp_path / "ann.labkit.json").write_text(submission(("a-tag-moves", "a")))
    monkeypatch.setattr("labkit.grading.judging.judge", broken)
    results = grade_here(tmp_path)
    assert results[0].faults == ["ann.labkit.json: 'a-tag-moves@2' could not be judged: RecursionError: too deep"]


def test_of_several_answers_the_best_counts_and_among_equals_the_first(tmp_path: Path) -> None:
    wrong = [each for each in "abc" if each != letter("ann")][:2]
    for name, answers in {"ann": [*wrong], "bob": [wrong[0], letter("bob"), wrong[1]]}.items():
        (tmp_path / name).mkdir()
        for number, answer in enumerate(answers):
            (tmp_path / name / f"{number}.labkit.json").write_text(submission(("a-tag-moves", answer)))
    results = grade_here(tmp_path)
    kept = {each.learner.learner: each.counted["a-tag-moves"].answer for each in results}
    assert kept == {"ann": wrong[0], "bob": letter("bob")}


def test_hundreds_are_graded(tmp_path: Path) -> None:
    for number in range(300):
        name = f"learner-{number}"
        (tmp_path / f"{name}.labkit.json").write_text(submission((MARKED, marks(name))))
    results = grade_here(tmp_path)
    assert len(results) == 300
    assert {each.points for each in results} == {2}


def test_commands_are_played_as_the_learners_own_variant(tmp_path: Path) -> None:
    wrong = for_learner(load_exercise("three-layers"), "eve", "").mistakes[0]
    for name, answer in {
        "ann": solution("three-layers", "ann"),
        "bob": solution("three-layers", "ann"),
        "eve": wrong.example,
        "joe": "import os; os.system('x')",
    }.items():
        (tmp_path / f"{name}.labkit.json").write_text(submission(("three-layers", answer)))
    assert solution("three-layers", "ann") != solution("three-layers", "bob")
    results = grade_here(tmp_path)
    judged = {each.learner.learner: each.counted["three-layers"].judgement for each in results}
    assert {name: judgement.points for name, judgement in judged.items()} == {
        "ann": 2,
        "bob": 0,
        "eve": 0,
        "joe": 0,
    }
    assert judged["eve"] == replace(judged["eve"], mistake=wrong.name)
    assert [note.split("`")[1] for note in judged["joe"].notes] == ["import os; os.system('x')"]


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from labkit.cli import main

    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "ann.labkit.json").write_text(submission((MARKED, marks("ann"))))
    (tmp_path / "in" / "bob.labkit.json").write_text("")
    assert main(["grade", str(tmp_path / "in"), "--out", str(tmp_path / "out"), "--lesson", "02"]) == 0
    out, err = capsys.readouterr()
    assert "bob: bob.labkit.json: it is empty\n" in err
    assert out.startswith("2 files graded: ")
    rows = list(csv.DictReader((tmp_path / "out" / "grades.csv").read_text().splitlines()))
    assert [(row["learner"], row["points"], row["of"], row["notes"]) for row in rows] == [
        ("ann", "2", "21", ""),
        ("bob", "0", "21", "bob.labkit.json: it is empty"),
    ]
    assert {each.name for each in (tmp_path / "out").iterdir()} == {
        *("grades.csv", "report.html", "results.sqlite", "students")
    }
