"""The lessons, in their order: the rows of lessons.toml. Its exercises are in the record file of the same name."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from labkit.course.exercises import CourseError, load_all
from labkit.course.record import Exercise


@dataclass(frozen=True)
class Lesson:
    stem: str  # of its notebook and of its record file
    title: str

    @property
    def name(self) -> str:
        """Its number and title: "03 The build cache"."""
        return f"{self.stem[:2]} {self.title}"


def _rows() -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = tomllib.loads((files("labkit.course") / "lessons.toml").read_text("utf-8"))["lesson"]
    return rows


LESSONS = tuple(Lesson(row["name"], row["title"]) for row in _rows())


def find_lesson(name: str) -> Lesson:
    """The lesson of this name, or of this number. Raises CourseError."""
    wanted = name.removesuffix(".ipynb")
    for lesson in LESSONS:
        if wanted in (lesson.stem, lesson.stem[:2]):
            return lesson
    raise CourseError([f"there is no lesson '{name}'; they are {', '.join(lesson.stem for lesson in LESSONS)}"])


def exercises_by_lesson() -> dict[str, list[Exercise]]:
    """Each lesson's exercises; none anywhere while a record of the course cannot be read."""
    found: dict[str, list[Exercise]] = {lesson.stem: [] for lesson in LESSONS}
    try:
        exercises = load_all()
    except CourseError:
        return found
    for exercise in exercises:
        found.setdefault(exercise.lesson, []).append(exercise)
    return found
