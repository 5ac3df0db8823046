"""Rules of the whole course, for which no single exercise or notebook is to blame."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from labkit.course.checks import CHECKS
from labkit.course.kinds import KINDS
from labkit.course.misconceptions import misconceptions
from labkit.course.record import Exercise
from labkit.course.selfcheck.course import Course, Lesson
from labkit.course.selfcheck.skeleton import skeleton

PLAN = "lessons.toml"  # where most of these are written


def faults_together(course: Course) -> Iterator[str]:
    """What no exercise shows alone, and is wrong in a course that is not complete too."""
    taken = Counter(exercise.slug for exercise in course.exercises)
    yield from (f"the slug '{slug}' is in the course {count} times" for slug, count in taken.items() if count > 1)
    for exercise in course.exercises:
        if exercise.lesson not in {lesson.name for lesson in course.plan.lessons}:
            yield f"{exercise.lesson}.toml: there is no such lesson in labkit/course/{PLAN}"
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
    first: dict[tuple, Exercise] = {}
    for exercise in exercises:
        before = first.setdefault(skeleton(exercise), exercise)
        if before is not exercise and before.slug != exercise.slug:
            yield f"{exercise.lesson}.toml: exercise '{exercise.slug}' is '{before.slug}' under another name"


def faults_of_the_whole(course: Course) -> Iterator[str]:
    """What is missing until the course is complete."""
    for lesson in course.plan.lessons:
        yield from _faults_of_a_lesson(course, lesson)
    yield from _faults_of_kinds(course)
    left = [str(number) for number in misconceptions() if number not in covered(course)]
    count = len(misconceptions()) - len(left)
    if count < course.plan.misconceptions:
        yield (
            f"{PLAN}: {count} misconceptions are covered, of {course.plan.misconceptions} at least;"
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
    count = sum(exercise.lesson == lesson.name for exercise in course.exercises)
    if count < lesson.exercises:
        yield f"{lesson.name}.toml: there are {count} exercises, of {lesson.exercises} at least"
    notebook = course.notebooks.get(lesson.name)
    if notebook is None:
        yield f"{PLAN}: there is no {lesson.name}.ipynb"
        return
    there: Mapping[str, set[Any]] = {
        kind: {name for cell in notebook.code for name in cell.tagged(kind)} for kind in ("claim", "picture")
    }
    for kind, names in (("claim", lesson.claims), ("picture", lesson.pictures)):
        missing = [name for name in names if str(name) not in there[kind]]
        yield from (f"{lesson.name}.ipynb: no code cell is tagged {kind}:{name}" for name in missing)


def _faults_of_kinds(course: Course) -> Iterator[str]:
    kinds = Counter(exercise.kind for exercise in course.exercises)
    yield from (f"{PLAN}: no exercise is of kind {kind}" for kind in KINDS if not kinds[kind])
    total = kinds.total()
    if total < course.plan.exercises:
        yield f"{PLAN}: the course has {total} exercises, of {course.plan.exercises} at least"
    if kinds["choose"] > course.plan.choose * total:
        yield f"{PLAN}: {kinds['choose']} of {total} exercises are of kind choose; {course.plan.choose:.0%} may be"


def _assertions(exercise: Exercise) -> Iterator[Any]:
    yield from exercise.checks
    for mistake in exercise.mistakes:
        yield from mistake.when
