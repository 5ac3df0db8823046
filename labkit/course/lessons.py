"""The lessons, in their order: a row each. The exercises of a lesson are those of the record file of the same name."""

from __future__ import annotations

from dataclasses import dataclass

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


LESSONS = (
    Lesson("00-start-here", "Start here"),
    Lesson("01-where-docker-keeps-its-files", "Where Docker keeps its files"),
    Lesson("02-layered-images", "Layered images"),
    Lesson("03-the-build-cache", "The build cache"),
    Lesson("04-the-writable-layer", "The writable layer"),
    Lesson("05-copy-on-write", "Copy-on-write"),
    Lesson("06-volumes", "Volumes"),
    Lesson("07-bind-mounts", "Bind mounts"),
    Lesson("08-v-versus-mount", "-v versus --mount"),
    Lesson("09-storage-drivers", "Storage drivers"),
    Lesson("10-capstone", "Capstone"),
)


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
