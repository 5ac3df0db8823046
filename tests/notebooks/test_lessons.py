"""The lessons as they are saved. What a lesson has to have, `labkit check-course` says (tests/course); that their
outputs are what running gives, `make notebooks` holds (nbval)."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from labkit.course.lessons import read_notebook
from labkit.course.selfcheck.notebooks import MINUTES, minutes

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
LESSONS = sorted(NOTEBOOKS.glob("*.ipynb"))


def read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))


def code_cells(path: Path) -> list[dict[str, Any]]:
    return [cell for cell in read(path)["cells"] if cell["cell_type"] == "code"]


def source(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


every_lesson = pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)


@every_lesson
def test_every_cell_was_run_once_in_order_without_an_error(path: Path) -> None:
    cells = code_cells(path)
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    assert [output for cell in cells for output in cell["outputs"] if output["output_type"] == "error"] == []


@every_lesson
def test_saved_outputs_are_the_same_for_everyone(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "object at 0x" not in text
    assert "widgets" not in read(path)["metadata"], "no widget state is saved"
    assert len(text) < 400_000
    for cell in code_cells(path):
        assert not re.fullmatch(r"[0-9a-f]{8}", cell["id"]), "cells have names, which they keep"
        assert "execution" not in cell["metadata"], "no times are saved"


@every_lesson
def test_every_picture_has_its_text(path: Path) -> None:
    for cell in code_cells(path):
        for output in cell["outputs"]:
            shown = "".join(output.get("data", {}).get("text/html", ""))
            if "<img" in shown:
                assert re.search(r'<img [^>]*alt="[^"]{20,}"', shown)
                assert "".join(output["data"]["text/plain"]).strip()


@every_lesson
def test_prose_keeps_the_tone(path: Path) -> None:
    prose = "\n".join(source(cell) for cell in read(path)["cells"] if cell["cell_type"] == "markdown")
    prose = re.sub(r"`[^`]*`", "", prose)
    assert "!" not in prose
    for word in ("simply", "incorrect", "in this section", "of course", "obviously"):
        assert word not in prose.lower()


@every_lesson
def test_a_lesson_takes_no_longer_than_it_says(path: Path) -> None:
    """200 words a minute, one and a half cells; and none asks for more than an hour."""
    (stated,) = MINUTES.findall(source(read(path)["cells"][0]))
    assert minutes(read_notebook(path)) <= int(stated) <= 60
