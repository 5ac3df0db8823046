"""The course tests itself: what `labkit check-course` says about the exercises, a sentence for each fault."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from labkit.course import settings
from labkit.course.exercises import CourseError, exercises_folder, load_all
from labkit.course.jsonfile import BadJsonError, read_json
from labkit.course.judge import judge
from labkit.course.kinds import KINDS, shown_lines
from labkit.course.record import Exercise, for_learner

VARIANTS = 20
LARGEST_NOTEBOOK = 32 << 20  # bytes
SEED = "check-course"
USE = re.compile(r"""(?:^|\W)exercise\(\s*["']([^"']+)["']|^\s*%%answer\s+([^\s@]+)""", re.MULTILINE)


def check_course(variants: int = VARIANTS) -> list[str]:
    """Every fault of the course; [] for a sound one."""
    try:
        exercises = load_all()
        faults = list(_faults_together(exercises))
    except CourseError as error:
        return error.faults
    for exercise in exercises:
        place = f"{exercise.lesson}.toml: exercise '{exercise.slug}'"
        faults += [f"{place}: {fault}" for fault in check_exercise(exercise, variants)]
    return faults


def _faults_together(exercises: Sequence[Exercise]) -> Iterator[str]:
    """What no exercise shows alone."""
    taken = Counter(exercise.slug for exercise in exercises)
    yield from (f"the slug '{slug}' is in the course {count} times" for slug, count in taken.items() if count > 1)
    yield from _faults_of_old_records()
    course = settings.course_folder()
    yield from notebook_faults(exercises, course / "notebooks") if course else ()


def _faults_of_old_records() -> Iterator[str]:
    old = exercises_folder() / "old"
    for file in old.iterdir() if old.is_dir() else ():
        if not re.fullmatch(r"[a-z0-9-]+@\d+\.toml", file.name):
            yield f"old/{file.name}: its name must be SLUG@REVISION.toml"


def notebook_faults(exercises: Sequence[Exercise], folder: Path) -> Iterator[str]:
    """Each exercise is used in the notebook of its lesson, and what notebooks use is there."""
    lessons = {exercise.slug: exercise.lesson for exercise in exercises}
    used = {path.stem: used_slugs(path) for path in sorted(folder.glob("*.ipynb"))}
    for notebook, slugs in used.items():
        for slug in sorted(slugs):
            if slug not in lessons:
                yield f"{notebook}.ipynb: there is no exercise '{slug}'"
            elif lessons[slug] != notebook:
                yield f"{notebook}.ipynb: the exercise '{slug}' belongs to {lessons[slug]}.ipynb"
    for slug, lesson in lessons.items():
        if slug not in used.get(lesson, ()):
            yield f"{lesson}.toml: exercise '{slug}': {lesson}.ipynb does not use it"


def used_slugs(path: Path) -> set[str]:
    """The exercises that a notebook's code cells name."""
    try:
        answers = read_json(path.read_bytes(), LARGEST_NOTEBOOK)
    except BadJsonError as error:
        raise CourseError([f"{path.name}: {error}"]) from None
    cells = answers.get("cells", []) if isinstance(answers, dict) else []
    code = ["".join(cell["source"]) for cell in cells if cell.get("cell_type") == "code"]
    return {found[1] or found[2] for text in code for found in USE.finditer(text)}


def check_exercise(exercise: Exercise, variants: int = VARIANTS) -> list[str]:
    """What is wrong with one exercise, in the first variant in which it shows."""
    faults: dict[str, str] = {}
    for number in range(variants):
        learner = f"learner-{number}"
        for fault in _variant_faults(for_learner(exercise, learner, SEED)):
            faults.setdefault(fault, learner)
    return [f"{fault} (variant of {learner})" for fault, learner in faults.items()]


def _variant_faults(variant: Exercise) -> Iterator[str]:
    if judge(variant, untouched(variant)).passed:
        yield "it passes when nothing has been done"
    for route in variant.solutions:
        judgement = judge(variant, route.answer)
        if not judgement.passed:
            missed = next(
                (f"{each.text}: {each.difference}" for each in judgement.results if not each.ok), judgement.error
            )
            yield f"the solution '{route.name}' does not pass: {missed}"
        if judgement.notes:
            yield f"a command of the solution '{route.name}' fails: {judgement.notes[0]}"
    for mistake in variant.mistakes:
        judgement = judge(variant, mistake.example)
        if judgement.passed:
            yield f"the example of the mistake '{mistake.name}' passes"
        elif judgement.mistake != mistake.name:
            yield f"the example of the mistake '{mistake.name}' is taken for {judgement.mistake!r}"


def untouched(variant: Exercise) -> object:
    """What is there before the learner does anything."""
    if variant.kind == "order":
        return shown_lines(variant)
    return [] if KINDS[variant.kind].terminal else ""
