"""The course as its author has it: what it is to be (lessons.toml), the records, the notebooks."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from labkit.course.exercises import CourseError, exercises_folder, parse_records
from labkit.course.jsonfile import BadJsonError, read_json
from labkit.course.record import Exercise

LARGEST_NOTEBOOK = 32 << 20  # bytes
SLUG = re.compile(r'^slug\s*=\s*"([^"]*)"', re.MULTILINE)
TAG = re.compile(r"(claim|picture|misconception):(.*)")


@dataclass(frozen=True)
class Lesson:
    """What one lesson has to have."""

    name: str
    claims: tuple[str, ...]
    pictures: tuple[int, ...]
    exercises: int


@dataclass(frozen=True)
class Plan:
    """A course that is complete."""

    lessons: tuple[Lesson, ...]
    exercises: int
    misconceptions: int
    choose: float

    def lesson_of(self, kind: str, name: str) -> str:
        """The lesson that this claim or picture belongs to; "" where there is no such."""
        rows = {"claim": lambda each: each.claims, "picture": lambda each: map(str, each.pictures)}
        return next((each.name for each in self.lessons if name in rows[kind](each)), "")


@dataclass(frozen=True)
class Cell:
    id: str
    code: bool
    source: str
    tags: tuple[str, ...]
    outputs: tuple[dict[str, Any], ...]

    def tagged(self, kind: str) -> list[str]:
        """The names in its tags of this kind: ["B1"] for `claim:B1`."""
        found = (TAG.fullmatch(tag) for tag in self.tags)
        return [each[2] for each in found if each and each[1] == kind]


@dataclass(frozen=True)
class Notebook:
    name: str  # without .ipynb
    path: Path
    cells: tuple[Cell, ...]

    @property
    def code(self) -> list[Cell]:
        return [cell for cell in self.cells if cell.code]

    @property
    def prose(self) -> list[Cell]:
        return [cell for cell in self.cells if not cell.code]


@dataclass
class Course:
    """All that was read, and what could not be read."""

    plan: Plan
    records: Traversable  # the folder of the exercises
    exercises: list[Exercise] = field(default_factory=list)
    unread: set[str] = field(default_factory=set)  # slugs of records with faults
    notebooks: dict[str, Notebook] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)


@lru_cache(maxsize=1)
def the_plan() -> Plan:
    data = tomllib.loads((files("labkit.course") / "lessons.toml").read_text(encoding="utf-8"))
    lessons = tuple(
        Lesson(row["name"], tuple(row["claims"]), tuple(row["pictures"]), row["exercises"]) for row in data["lesson"]
    )
    return Plan(lessons, data["exercises"], data["misconceptions"], data["choose"])


def read_course(notebooks: Path | None, records: Traversable | None = None) -> Course:
    """The course; what is wrong with a file is in its faults, and the rest is there all the same."""
    course = Course(the_plan(), records or exercises_folder())
    for file in sorted(course.records.iterdir(), key=lambda each: each.name):
        if file.name.endswith(".toml"):
            _read_records(course, file)
    for path in sorted(notebooks.glob("*.ipynb")) if notebooks else ():
        try:
            course.notebooks[path.stem] = read_notebook(path)
        except CourseError as error:
            course.faults += error.faults
    return course


def _read_records(course: Course, file: Traversable) -> None:
    text = file.read_text(encoding="utf-8")
    exercises, faults = parse_records(file.name, text)
    course.exercises += exercises
    course.faults += faults
    course.unread |= set(SLUG.findall(text)) - {each.slug for each in exercises}


def read_notebook(path: Path) -> Notebook:
    """A notebook as it is saved; raises CourseError."""
    try:
        data = read_json(path.read_bytes(), LARGEST_NOTEBOOK)
    except BadJsonError as error:
        raise CourseError([f"{path.name}: {error}"]) from None
    try:
        cells = tuple(_cell(each) for each in data["cells"])  # type: ignore[call-overload,index]
    except (KeyError, TypeError, AttributeError):
        raise CourseError([f"{path.name}: this is no notebook"]) from None
    return Notebook(path.stem, path, cells)


def _cell(cell: dict[str, Any]) -> Cell:
    return Cell(
        str(cell.get("id", "")),
        cell["cell_type"] == "code",
        "".join(cell["source"]),
        tuple(cell.get("metadata", {}).get("tags", ())),
        tuple(cell.get("outputs", ())),
    )
