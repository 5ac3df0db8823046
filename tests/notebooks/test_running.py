"""Notebooks run as learner demo: what is saved, what is said of a cell that fails, and of one that gives another output."""

from __future__ import annotations

import json
import os
from pathlib import Path

import nbformat
import pytest

from labkit.cli import main
from labkit.course.lessons import read_notebook
from labkit.jupyter.running import Shown, as_saved, faults_of_a_run, playing, run_notebook

pytestmark = pytest.mark.long

LESSONS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
START = "from labkit.jupyter import exercise, show\n\n%fresh"


def notebook(folder: Path, *sources: str, name: str = "02-x.ipynb") -> Path:
    (folder / "notebooks").mkdir(exist_ok=True)
    path = folder / "notebooks" / name
    cells = [nbformat.v4.new_code_cell(source, id=f"cell-{number}") for number, source in enumerate(sources, 1)]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


def save_outputs(path: Path, *texts: str) -> None:
    """As if the cells had printed this."""
    data = json.loads(path.read_text())
    for cell, text in zip(data["cells"], texts, strict=False):
        cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": text}] if text else []
    path.write_text(json.dumps(data))


def test_what_a_cell_gives() -> None:
    with playing() as player:
        assert player.play(START) == Shown()
        assert player.play("%host echo out; echo err >&2") == Shown("out\n", "err\n")
        assert player.play("1 + 1") == Shown(displays=((("text/plain", "2"),),))
        assert dict(player.play("show()").displays[0])["text/plain"] == "no images, no containers, no volumes"
        assert player.play("1 / 0").error == "ZeroDivisionError: division by zero"
        assert player.play("1 +").error.startswith("SyntaxError")
        player.play("a = 3\ndef later():\n    return a")
        assert player.play("later()") == Shown(displays=((("text/plain", "3"),),))


def test_a_function_sees_what_other_cells_have_made() -> None:
    with playing() as player:
        player.play("def twice():\n    return n * 2")
        player.play("n = 3")
        assert dict(player.play("twice()").displays[0])["text/plain"] == "6"


def test_a_shell_that_runs_already_is_left_as_it_is() -> None:
    with playing() as outer:
        outer.play("x = 1")
        with playing() as inner:
            assert inner.play("x").error.startswith("NameError")
        assert dict(outer.play("x").displays[0])["text/plain"] == "1"


@pytest.mark.parametrize(
    ("sources", "saved", "fault"),
    [
        ([START, "%host echo one"], ["", "one\n"], []),
        ([START, "%host echo two"], ["", "one\n"], ["cell cell-2: it gives 'two', saved is 'one'"]),
        ([START, "1 / 0"], ["", ""], ["cell cell-2: it ends with ZeroDivisionError: division by zero"]),
        (["try:\n    n += 1\nexcept NameError:\n    n = 1\nprint(n)"], ["1\n"], ["cell cell-1: it gives '2', saved is '1' when it runs again"]),
        (["import os; print(os.environ['LABKIT_LEARNER'], os.listdir(os.environ['LABKIT_HOME']))"], ["demo []\n"], []),
    ],
)  # fmt: skip
def test_twice_in_a_row(
    sources: list[str], saved: list[str], fault: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LABKIT_LEARNER", "somebody")
    path = notebook(tmp_path, *sources)
    save_outputs(path, *saved)
    here = Path.cwd()
    assert faults_of_a_run(path) == [f"02-x.ipynb: {each}" for each in fault]
    assert (os.environ["LABKIT_LEARNER"], Path.cwd()) == ("somebody", here)


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_each_lesson_gives_twice_what_is_saved(path: Path) -> None:
    assert faults_of_a_run(path) == []


def test_outputs_are_saved_as_they_are_for_everyone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = notebook(tmp_path, START, "%host echo one", 'exercise("three-layers")')
    monkeypatch.chdir(tmp_path)
    assert main(["run-notebooks", "02"]) == 0
    assert main(["run-notebooks", "--check"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert [line.split(" (")[0] for line in said] == ["02-x.ipynb: saved", "02-x.ipynb: as saved"]
    assert all(line.endswith(" s)") for line in said)
    data = json.loads(path.read_text())
    assert "widgets" not in data["metadata"]
    folded = {"jupyter": {"outputs_hidden": True}}
    assert [cell["metadata"] for cell in data["cells"]] == [{}, folded, {}], "no times; an exercise stays open"
    assert "widget-view" not in path.read_text(), "no kernel has that widget"
    assert as_saved(read_notebook(path).code[1].outputs) == Shown("one\n")
    assert not (tmp_path / ".labkit").exists()


def test_a_cell_that_fails_is_one_line_and_nothing_is_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = notebook(tmp_path, "print(1)", "1 / 0", "print(2)")
    before = path.read_text()
    monkeypatch.chdir(tmp_path)
    assert main(["run-notebooks"]) == 1
    assert capsys.readouterr().out.startswith("02-x.ipynb: cell cell-2: ZeroDivisionError: division by zero (")
    assert path.read_text() == before
    save_outputs(notebook(tmp_path, "print(1)"), "3\n")
    assert run_notebook(path, check=True).fault == "cell cell-1: it gives '1', saved is '3'"


def test_names_of_notebooks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["run-notebooks", "02"]) == 2
    notebook(tmp_path, "1")
    assert main(["run-notebooks", "03"]) == 2
    assert capsys.readouterr().err.splitlines() == [
        "labkit: there is no folder notebooks/ here or above: this is for authors, in a checkout of the course",
        f"labkit: there is no notebook '03' in {tmp_path / 'notebooks'}",
    ]
