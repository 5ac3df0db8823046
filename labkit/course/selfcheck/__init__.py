"""The course tests itself: what `labkit check-course` says, a sentence for each fault, with its file and place.

Here are the rules of the whole course, for which no single exercise or notebook is to blame; exercise.py and
notebooks.py each have the rules for what their name says. That notebooks give what is saved needs Jupyter:
labkit.jupyter.running.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.resources.abc import Traversable
from pathlib import Path

from labkit.course.checks import CHECKS
from labkit.course.exercises import CourseError, exercises_folder, parse_records, record_files
from labkit.course.lessons import PLAN, Lesson, Notebook, read_notebook
from labkit.course.progress import course_folder
from labkit.course.record import Assertion, Exercise, misconceptions
from labkit.course.selfcheck.exercise import VARIANTS, check_exercise, skeleton
from labkit.course.selfcheck.notebooks import notebook_faults
from labkit.course.selfcheck.selftests import PRACTISED, faults_of_self_tests
from labkit.course.selfcheck.wronganswers import wrong_answers

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
    "wrong_answers",
]

SLUG = re.compile(r'^slug\s*=\s*"([^"]*)"', re.MULTILINE)


@dataclass
class Course:
    """All that was read, and what could not be read."""

    records: Traversable  # the folder of the exercises
    exercises: list[Exercise] = field(default_factory=list)
    unread: set[str] = field(default_factory=set)  # slugs of records with faults
    notebooks: dict[str, Notebook] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)


def notebooks_folder() -> Path | None:
    """The folder of the lessons, from where the shell is."""
    course = course_folder()
    return course / "notebooks" if course else None


def read_course(notebooks: Path | None, records: Traversable | None = None) -> Course:
    """The course; what is wrong with a file is in its faults, and the rest is there all the same."""
    course = Course(records or exercises_folder())
    for file in record_files(course.records):
        text = file.read_text(encoding="utf-8")
        exercises, faults = parse_records(file.name, text)
        course.exercises += exercises
        course.faults += faults
        course.unread |= set(SLUG.findall(text)) - {each.slug for each in exercises}
    for path in sorted(notebooks.glob("*.ipynb")) if notebooks else ():
        try:
            course.notebooks[path.stem] = read_notebook(path)
        except CourseError as error:
            course.faults += error.faults
    return course


def check_course(
    variants: int = VARIANTS, notebooks: Path | None = None, records: Traversable | None = None
) -> list[str]:
    """Every fault of the course; [] for one that is sound and complete. Notebooks are read, not run."""
    course = read_course(notebooks or notebooks_folder(), records)
    return [*faults_of_what_is_there(course, variants), *faults_of_the_whole(course)]


def faults_of_what_is_there(course: Course, variants: int = VARIANTS) -> list[str]:
    """All but what is only missing yet."""
    faults = [*course.faults, *faults_together(course), *_notebook_faults(course)]
    for exercise in course.exercises:
        place = f"{exercise.lesson}.toml: exercise '{exercise.slug}'"
        faults += [f"{place}: {fault}" for fault in check_exercise(exercise, variants)]
    return faults


def _notebook_faults(course: Course) -> Iterator[str]:
    lessons = {exercise.slug: exercise.lesson for exercise in course.exercises}
    for notebook in course.notebooks.values():
        faults = notebook_faults(notebook, lessons, course.unread)
        yield from (f"{notebook.name}.ipynb: {fault}" for fault in faults)


def faults_together(course: Course) -> Iterator[str]:
    """What no exercise shows alone, and is wrong in a course that is not complete too."""
    taken = Counter(exercise.slug for exercise in course.exercises)
    yield from (f"the slug '{slug}' is in the course {count} times" for slug, count in taken.items() if count > 1)
    for exercise in course.exercises:
        if exercise.lesson not in {lesson.stem for lesson in PLAN.lessons}:
            yield f"{exercise.lesson}.toml: there is no such lesson in labkit/course/lessons.toml"
    yield from _faults_of_old_records(course)
    yield from _faults_of_skeletons(course.exercises)


def _faults_of_old_records(course: Course) -> Iterator[str]:
    """A record of an older revision is one of an exercise that has gone on since."""
    revisions = {exercise.slug: exercise.revision for exercise in course.exercises}
    old = course.records / "old"
    for file in sorted(old.iterdir(), key=lambda each: each.name) if old.is_dir() else ():
        found = re.fullmatch(r"([a-z0-9-]+)@(\d+)\.toml", file.name)
        if not found:
            yield f"old/{file.name}: its name must be SLUG@REVISION.toml"
        elif found[1] not in revisions.keys() | course.unread:
            yield f"old/{file.name}: there is no exercise '{found[1]}' any more"
        elif int(found[2]) >= revisions.get(found[1], 1 << 30):
            yield f"old/{file.name}: the exercise '{found[1]}' is at revision {revisions[found[1]]}"


def _faults_of_skeletons(exercises: list[Exercise]) -> Iterator[str]:
    first: dict[tuple[str, ...], Exercise] = {}
    for exercise in exercises:
        if exercise.self_test:  # what is asked again is the same on purpose
            continue
        before = first.setdefault(skeleton(exercise), exercise)
        if before is not exercise and before.slug != exercise.slug:
            yield f"{exercise.lesson}.toml: exercise '{exercise.slug}' is '{before.slug}' under another name"


def faults_of_the_whole(course: Course) -> Iterator[str]:
    """What is missing until the course is complete."""
    for lesson in PLAN.lessons:
        yield from _faults_of_a_lesson(course, lesson)
    yield from _faults_of_kinds(course)
    yield from faults_of_self_tests(course.exercises)
    left = [str(number) for number in misconceptions() if number not in covered(course)]
    count = len(misconceptions()) - len(left)
    if count < PLAN.misconceptions:
        yield (
            f"lessons.toml: {count} misconceptions are covered, of {PLAN.misconceptions} at least;"
            f" not: {', '.join(left)}"
        )
    used = {check.check for exercise in course.exercises for check in _assertions(exercise)}
    yield from (f"checks.py: no record uses the check '{name}'" for name in CHECKS if name not in used)


def covered(course: Course) -> dict[int, list[str]]:
    """For each misconception the exercises and the cells that are about it."""
    places: dict[int, list[str]] = {}
    for exercise in course.exercises:
        for number in exercise.misconceptions:
            places.setdefault(number, []).append(exercise.slug)
    for notebook in course.notebooks.values():
        for cell in notebook.code:
            for tag in cell.tagged("misconception"):
                if tag.isdecimal():
                    places.setdefault(int(tag), []).append(f"{notebook.name}.ipynb, cell {cell.id}")
    return places


def _faults_of_a_lesson(course: Course, lesson: Lesson) -> Iterator[str]:
    count = sum(exercise.lesson == lesson.stem and not exercise.self_test for exercise in course.exercises)
    if count < lesson.exercises:
        yield f"{lesson.stem}.toml: there are {count} exercises, of {lesson.exercises} at least"
    notebook = course.notebooks.get(lesson.stem)
    if notebook is None:
        yield f"lessons.toml: there is no {lesson.stem}.ipynb"
        return
    for kind, names in (("claim", lesson.claims), ("picture", lesson.pictures)):
        there = {name for cell in notebook.code for name in cell.tagged(kind)}
        missing = [name for name in names if str(name) not in there]
        yield from (f"{lesson.stem}.ipynb: no code cell is tagged {kind}:{name}" for name in missing)


def _faults_of_kinds(course: Course) -> Iterator[str]:
    kinds = Counter(exercise.kind for exercise in course.exercises if not exercise.self_test)
    yield from (f"lessons.toml: no exercise is of kind {kind}" for kind in PRACTISED if not kinds[kind])
    total = kinds.total()
    if total < PLAN.exercises:
        yield f"lessons.toml: the course has {total} exercises, of {PLAN.exercises} at least"
    if kinds["choose"] > PLAN.choose * total:
        yield f"lessons.toml: {kinds['choose']} of {total} exercises are of kind choose; {PLAN.choose:.0%} may be"


def _assertions(exercise: Exercise) -> Iterator[Assertion]:
    yield from exercise.checks
    for mistake in exercise.mistakes:
        yield from mistake.when
