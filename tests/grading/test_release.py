"""What is handed out is whole, and a sealed course gives no answer away and is graded by the full one."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from classroom import grade_here

from labkit.cli import main
from labkit.course.exercises import load_all
from labkit.course.record import for_learner

COURSE = """
schema = 1
lesson = "exam-1"

[[exercise]]
slug = "where-is-it"
revision = 1
points = 3
kind = "write"
title = "Where is it?"
task = "Say where @word@ lies, and why."
hints = ["Look.", "Look again."]
rubric = ["2 it says where", "1 it says why"]
values = { word = ["a", "b"] }
solution = [{ name = "a model answer", answer = "In the upper layer, since it was copied up." }]

[[exercise]]
slug = "which-is-it"
revision = 1
points = 1
kind = "choose"
title = "Which is it?"
task = "Which is it?"
hints = ["Look.", "Look again."]
solution = [{ name = "right", answer = "the upper one" }]
mistake = [{ name = "wrong", example = "the lower one", reply = "No." }, { name = "none", example = "neither", reply = "No." }]
"""
SEALED = """
import json, sys
from labkit.course.exercises import load_all
from labkit.course.judge import KINDS, judge
from labkit.course.record import for_learner
answers = json.load(open(sys.argv[1]))
found = {}
for each in load_all():
    variant = for_learner(each, "ann", "autumn")
    if each.sealed:
        assert not (each.solutions or each.mistakes or each.own.right or len(each.hints) > 1)
        KINDS[each.kind].form(variant)
        if each.slug in answers:
            found[each.slug] = judge(variant, answers[each.slug]).text
print(json.dumps(found))
"""


@pytest.mark.long
def test_a_release(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "roster.csv").write_text("learner,name\nann,Ann\n'bob b',=1+1\n")
    words = ["--seed", "autumn", "--deadline", "2026-11-30 18:00", "--roster", str(tmp_path / "roster.csv")]
    assert main(["release", "02", "--out", str(tmp_path / "out"), *words]) == 0
    names = ["02-layered-images.ipynb", "index.html", "lab.zip", "learners.csv", "release.json"]
    assert sorted(each.name for each in (tmp_path / "out").iterdir()) == names
    said = json.loads((tmp_path / "out" / "release.json").read_text())
    assert (said["lessons"], said["points"], len(said["exercises"])) == (["02-layered-images"], 21, 11)
    rows = list(csv.reader((tmp_path / "out" / "learners.csv").read_text().splitlines()))
    assert rows[1:] == [
        ["'bob b'", "'=1+1", "", """%labkit learner ''"'"'bob b'"'"'' --seed autumn"""],
        ["ann", "Ann", "", "%labkit learner ann --seed autumn"],
    ]
    sources = [each["source"] for each in json.loads((tmp_path / "out" / names[0]).read_text())["cells"]]
    assert sources[1] == "%labkit learner NAME --seed autumn"
    assert sources[-1] == "%labkit submit --lesson 02-layered-images"
    with zipfile.ZipFile(tmp_path / "out" / "lab.zip") as lab:
        assert set(lab.namelist()) == {*names} - {"lab.zip", "learners.csv"}
    capsys.readouterr()
    for wrong, why in (("99", "there is no lesson '99'"), ("02", "'soon' is not a time")):
        assert (
            main(["release", wrong, "--out", str(tmp_path / "x"), "--deadline", "soon" if wrong == "02" else ""]) == 2
        )
        assert why in capsys.readouterr().err


@pytest.mark.long
def test_a_sealed_course_holds_no_solution_and_is_graded_by_the_full_one(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "exam.toml").write_text(COURSE)
    out = tmp_path / "out"
    course = ["--course", str(tmp_path / "own"), "--no-solutions", "--seed", "autumn"]
    assert main(["release", "02", "exam-1", "--out", str(out), *course]) == 0
    (wheel,) = out.glob("*.whl")
    with zipfile.ZipFile(wheel) as whole:
        whole.extractall(tmp_path / "site")
    text = "".join(
        each.read_text()
        for each in (tmp_path / "site/labkit/course/exercises").rglob("*.toml")
        if each.name[:2] in ("02", "ow")
    )
    exercises = [each for each in load_all() if each.points and each.lesson in ("02-layered-images", "exam-1")]
    assert {"which-is-it", "where-is-it"} < {each.slug for each in exercises}
    replies = [each.reply.strip() for exercise in exercises for each in exercise.mistakes]
    hints = [each for exercise in exercises for each in exercise.hints[1:]]
    assert [each for each in (*replies, *hints) if each in text and len(each) > 12] == []
    answers = {
        each.slug: for_learner(each, "ann", "autumn").solutions[0].answer for each in exercises if each.kind != "mark"
    }
    (tmp_path / "answers.json").write_text(json.dumps(answers))
    env = {**os.environ, "PYTHONPATH": str(tmp_path / "site"), "LABKIT_HOME": str(tmp_path / "home")}
    done = subprocess.run(
        [sys.executable, "-c", SEALED, str(tmp_path / "answers.json")],
        env=env, cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert done.stderr == ""
    told = json.loads(done.stdout)
    kept = {slug for slug, each in told.items() if "Kept, to be handed in" in each}
    assert kept == {"which-is-it", "where-is-it", *(each.slug for each in exercises if each.kind == "choose")}
    assert [slug for slug, each in told.items() if slug not in kept and not each.startswith("Solved")] == []
    rows = [{"exercise": slug, "revision": 1, "answer": answer} for slug, answer in answers.items()]
    revisions = {each.slug: each.revision for each in exercises}
    rows = [{**row, "revision": revisions[str(row["exercise"])]} for row in rows]
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "ann.labkit.json").write_text(json.dumps({"labkit-submission": 1, "answers": rows}))
    files = ((tmp_path / "own" / "exam.toml").name, COURSE)
    (ann,) = grade_here(tmp_path / "in", seed="autumn", course=(files,), lessons=("exam-1", "02"))
    missed = [slug for slug, each in ann.counted.items() if not each.judgement.passed]
    assert missed == ["where-is-it"]
    assert ann.counted["where-is-it"].waits
    assert re.search("labkit-.*sealed", wheel.name)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("2 it says where", "it says where", "'rubric' must be texts that begin with points"),
        ("points = 3", "points = 4", "'rubric' must be texts that begin with points"),
        ('rubric = ["2 it says where", "1 it says why"]', "", "'rubric' is missing"),
        ('title = "Which is it?"', 'title = "?"\noptions = ["x"]', "only a sealed exercise has 'options'"),
        ("schema = 1", "schema = 2", "'schema' must be 1"),
    ],
)
def test_faults_of_a_course_of_ones_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, fault: str
) -> None:
    (tmp_path / "exam.toml").write_text(COURSE.replace(old, new, 1))
    command = ["grade", str(tmp_path), "--out", str(tmp_path / "out"), "--course", str(tmp_path), "--executor", "here"]
    (tmp_path / "ann.labkit.json").write_text("{}")
    assert main(command) == 2
    assert fault in capsys.readouterr().err
    (tmp_path / "exam.toml").unlink()
    assert main(command) == 2
    assert "there are no exercises (files NAME.toml) in it" in capsys.readouterr().err


@pytest.fixture(autouse=True)
def _the_course_alone():
    """A course of one's own is for one process; here many tests share it."""
    yield
    from labkit.grading.filework import start_worker

    start_worker(())
