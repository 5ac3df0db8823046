"""The course tests itself: what `labkit check-course` says, a sentence for each fault, with its file and place.

course.py reads it; exercise.py, notebooks.py and whole.py each have the rules for what their name says. That notebooks
give what is saved needs Jupyter: labkit.jupyter.running.
"""

from __future__ import annotations

from importlib.resources.abc import Traversable
from pathlib import Path

from labkit.course import settings
from labkit.course.selfcheck.course import Course, read_course, read_notebook, the_plan
from labkit.course.selfcheck.exercise import VARIANTS, check_exercise
from labkit.course.selfcheck.notebooks import notebook_faults
from labkit.course.selfcheck.whole import covered, faults_of_the_whole, faults_together

__all__ = [
    "VARIANTS",
    "Course",
    "check_course",
    "check_exercise",
    "covered",
    "faults_of_the_whole",
    "faults_of_what_is_there",
    "notebooks_folder",
    "read_course",
    "read_notebook",
    "the_plan",
]


def notebooks_folder() -> Path | None:
    """The folder of the lessons, from where the shell is."""
    course = settings.course_folder()
    return course / "notebooks" if course else None


def check_course(
    variants: int = VARIANTS, notebooks: Path | None = None, records: Traversable | None = None
) -> list[str]:
    """Every fault of the course; [] for one that is sound and complete. Notebooks are read, not run."""
    course = read_course(notebooks or notebooks_folder(), records)
    return [*faults_of_what_is_there(course, variants), *faults_of_the_whole(course)]


def faults_of_what_is_there(course: Course, variants: int = VARIANTS) -> list[str]:
    """All but what is only missing yet."""
    faults = [*course.faults, *faults_together(course), *notebook_faults(course)]
    for exercise in course.exercises:
        place = f"{exercise.lesson}.toml: exercise '{exercise.slug}'"
        faults += [f"{place}: {fault}" for fault in check_exercise(exercise, variants)]
    return faults
