"""The labkit command: bad usage is one line and exit status 2; what each command says."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from labkit import __version__
from labkit.cli import main
from labkit.course import Judgement, open_progress


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LABKIT_LEARNER", "LABKIT_SEED", "JUPYTERHUB_USER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ([], "the following arguments are required: COMMAND; see `labkit --help`"),
        (["fly"], "argument COMMAND: invalid choice: 'fly'"),
        (["grade"], "the following arguments are required: FOLDER, --out; see `labkit grade --help`"),
        (["grade", "none", "--out", "x"], "'none' is not a folder"),
        (["grade", ".", "--out", "x"], "there is nothing to grade in '.' (files NAME.labkit.json or NAME.ipynb, zips)"),
        (["grade", ".", "--out", "x", "--roster", "none.csv"], "none.csv: it cannot be read as CSV"),
        (["submit"], "there are no answers of 'demo' in "),
        (["submit", "--wrong"], "unrecognized arguments: --wrong"),
        (["learner", " "], "the name is empty"),
        (["learner", "a/b"], "'a/b' cannot be the name of a file; take one without '/'"),
        (["replay"], "the following arguments are required: PATH"),
        (["check-course", "--variants", "many"], "argument --variants: invalid int value: 'many'"),
    ],
)
def test_bad_usage(args: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(args) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"labkit: {message}")
    assert err.count("\n") == 1


@pytest.mark.parametrize("args", [["--help"], ["grade", "--help"], ["--version"]])
def test_help(args: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(args)
    assert caught.value.code == 0
    out = capsys.readouterr().out
    assert out == f"labkit {__version__}\n" if args == ["--version"] else "usage: labkit" in out


class Someone:
    """As much of an Attempt as is recorded."""

    def __init__(self, learner: str) -> None:
        self.learner, self.answer = learner, ["docker ps"]
        self.exercise = type("Record", (), {"slug": "three-layers", "revision": 1})


def test_learner_and_submit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["learner"]) == 0
    assert main(["learner", "ann", "--seed", "2026"]) == 0
    assert capsys.readouterr().out == "learner: demo\nlearner: ann, course: 2026\n"
    open_progress().record(Someone("ann"), Judgement(False, 0, 2))  # type: ignore[arg-type]
    assert main(["submit"]) == 0
    told = capsys.readouterr().out
    assert re.fullmatch(
        r"ann\.labkit\.json: 1 answer of ann\. Hand in this file\.\nIts code, as a receipt: [0-9a-f-]{19}\n", told
    )
    written = json.loads((tmp_path / "ann.labkit.json").read_text())
    assert written["answers"] == [{"exercise": "three-layers", "revision": 1, "answer": ["docker ps"]}]
    assert main(["submit", "bob"]) == 2
    assert "(there are answers of ann)" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["../up", "a/b", ".", "..", "a:b", 'a"b'])
def test_a_name_that_is_no_file(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    open_progress().record(Someone(name), Judgement(False, 0, 2))  # type: ignore[arg-type]
    assert main(["submit", name]) == 2
    assert main(["submit", name, "--out", "mine.json"]) == 0


def test_a_new_exercise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("labkit.course.newexercise.exercises_folder", lambda: tmp_path)
    assert main(["new-exercise", "03", "late-and-early", "--kind", "order"]) == 0
    out = capsys.readouterr().out.splitlines()
    path = tmp_path / "03-the-build-cache.toml"
    assert out == [
        f"{path}, line 4: fill in what stands in capitals.",
        'Then put exercise("late-and-early") into a cell of 03-the-build-cache.ipynb, and run: labkit check-course --fast',
    ]
    assert path.read_text().splitlines()[3] == "[[exercise]]"
    assert main(["new-exercise", "03", "late-and-early", "--kind", "dance"]) == 2
    assert capsys.readouterr().err.startswith("labkit: there is no kind 'dance'; there are do, repair, ")


def test_misconceptions(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["misconceptions"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 * 55
    assert (
        lines[20]
        == "11  deleting a file in a later layer makes the image smaller. The earlier layer keeps the file; the later one only hides it with a whiteout."
    )
    assert "deleted-but-not-gone" in lines[21]
