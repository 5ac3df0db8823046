"""The lessons as they are saved. That their outputs are what running gives, `make notebooks` holds (nbval)."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from labkit.course import load_exercise

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
LESSONS = sorted(NOTEBOOKS.glob("*.ipynb"))
CLAIMS = {  # what each lesson must show happening
    "01-where-docker-keeps-its-files": "A1 A2 A3 A4 A5 A6 A7 A8 A9",
    "02-layered-images": "B1 B2 B6 B7",
    "03-the-build-cache": "B3 B4 B5",
    "04-the-writable-layer": "C1 C2 C3 C4 C8",
    "05-copy-on-write": "C5 C6 C7",
    "06-volumes": "D1 D2 D3 D4 D5 D6",
    "07-bind-mounts": "E1 E2 E3",
    "08-v-versus-mount": "F1 F2",
    "09-storage-drivers": "G1 G2 G3 G4",
}
PICTURES = {
    "02-layered-images": "1 2",
    "03-the-build-cache": "3",
    "04-the-writable-layer": "4",
    "05-copy-on-write": "5",
    "06-volumes": "6 7",
    "07-bind-mounts": "8",
    "08-v-versus-mount": "9",
}


def read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))


def code_cells(path: Path) -> list[dict[str, Any]]:
    return [cell for cell in read(path)["cells"] if cell["cell_type"] == "code"]


def source(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


def tagged(path: Path, kind: str) -> set[str]:
    tags = [tag for cell in code_cells(path) for tag in cell["metadata"].get("tags", [])]
    return {tag.removeprefix(f"{kind}:") for tag in tags if tag.startswith(f"{kind}:")}


def exercises(path: Path) -> list[str]:
    return [found[1] for cell in code_cells(path) if (found := re.fullmatch(r'exercise\("([^"]+)"\)', source(cell)))]


every_lesson = pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)


def test_there_are_lessons() -> None:
    assert {path.stem for path in LESSONS} >= {"00-start-here", "01-where-docker-keeps-its-files", "02-layered-images"}


@every_lesson
def test_claims_and_pictures_are_shown(path: Path) -> None:
    assert tagged(path, "claim") == set(CLAIMS.get(path.stem, "").split())
    assert tagged(path, "picture") == set(PICTURES.get(path.stem, "").split())


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
        assert cell["id"].startswith("l"), "cells keep their ids"
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
def test_exercises_are_there_and_of_this_lesson(path: Path) -> None:
    for slug in exercises(path):
        assert load_exercise(slug).lesson == path.stem


def test_lesson_02_has_six_exercises_of_three_kinds() -> None:
    found = exercises(NOTEBOOKS / "02-layered-images.ipynb")
    assert len(set(found)) == len(found) >= 6
    assert len({load_exercise(slug).kind for slug in found}) >= 3


@every_lesson
def test_prose_keeps_the_tone(path: Path) -> None:
    prose = "\n".join(source(cell) for cell in read(path)["cells"] if cell["cell_type"] == "markdown")
    prose = re.sub(r"`[^`]*`", "", prose)
    assert "!" not in prose
    for word in ("simply", "incorrect", "in this section", "of course", "obviously"):
        assert word not in prose.lower()
