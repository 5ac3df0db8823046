"""The lessons, in their order: the rows of lessons.toml, and their notebooks as they are saved.

A lesson's exercises are in the record file of the same name, its self-test's questions in `selftest/`.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from labkit.course.exercises import CourseError, load_all
from labkit.course.record import Exercise
from labkit.kernel.golang import BadJsonError, Json, JsonObject, at, items, read_json, text, texts

LARGEST_NOTEBOOK = 32 << 20  # bytes: outputs may hold pictures
TAG = re.compile(r"(claim|picture|misconception):(.*)")


@dataclass(frozen=True)
class Lesson:
    """One lesson, and what it has to have."""

    stem: str  # of its notebook and of its record file
    title: str
    claims: tuple[str, ...]
    pictures: tuple[int, ...]
    exercises: int  # at least

    @property
    def name(self) -> str:
        """Its number and title: "03 The build cache"."""
        return f"{self.stem[:2]} {self.title}"


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
        return next((each.stem for each in self.lessons if name in rows[kind](each)), "")


def _plan() -> Plan:
    data = tomllib.loads((files("labkit.course") / "lessons.toml").read_text(encoding="utf-8"))
    lessons = (
        Lesson(row["name"], row["title"], tuple(row["claims"]), tuple(row["pictures"]), row["exercises"])
        for row in data["lesson"]
    )
    return Plan(tuple(lessons), data["exercises"], data["misconceptions"], data["choose"])


PLAN = _plan()
LESSONS = PLAN.lessons


def find_lesson(name: str) -> Lesson:
    """The lesson of this name, or of this number. Raises CourseError."""
    wanted = name.removesuffix(".ipynb")
    for lesson in LESSONS:
        if wanted in (lesson.stem, lesson.stem[:2]):
            return lesson
    raise CourseError([f"there is no lesson '{name}'; they are {', '.join(lesson.stem for lesson in LESSONS)}"])


def exercises_by_lesson(self_tests: bool = False) -> dict[str, list[Exercise]]:
    """Each lesson's exercises, or its questions of self-tests; none anywhere while a record cannot be read."""
    found: dict[str, list[Exercise]] = {lesson.stem: [] for lesson in LESSONS}
    try:
        exercises = load_all()
    except CourseError:
        return found
    for exercise in exercises:
        if exercise.self_test == self_tests:
            found.setdefault(exercise.lesson, []).append(exercise)
    return found


@dataclass(frozen=True)
class Cell:
    id: str
    code: bool
    source: str
    tags: tuple[str, ...]
    outputs: tuple[JsonObject, ...]

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


def read_notebook(path: Path) -> Notebook:
    """A notebook as it is saved; raises CourseError."""
    try:
        data = read_json(path.read_bytes(), LARGEST_NOTEBOOK)
    except BadJsonError as error:
        raise CourseError([f"{path.name}: {error}"]) from None
    cells = at(data, "cells")
    if not isinstance(cells, list) or not all(text(each, "cell_type") for each in cells):
        raise CourseError([f"{path.name}: this is no notebook"])
    return Notebook(path.stem, path, tuple(_cell(each) for each in cells))


def _cell(cell: Json) -> Cell:
    return Cell(
        text(cell, "id"),
        text(cell, "cell_type") == "code",
        lines(cell, "source"),
        tuple(texts(cell, "metadata", "tags")),
        tuple(each for each in items(cell, "outputs") if isinstance(each, dict)),
    )


def lines(document: Json, *path: str) -> str:
    """A text of a notebook, which may hold it as lines."""
    return text(document, *path) or "".join(texts(document, *path))
