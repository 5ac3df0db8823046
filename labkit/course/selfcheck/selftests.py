"""The self-tests held to their rule: three questions a lesson, of all kinds, each asked again two lessons on.

What the last two lessons ask is asked again in the last: on a later visit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from labkit.course.exercises import AGAIN
from labkit.course.judge import KINDS
from labkit.course.lessons import PLAN
from labkit.course.record import Exercise

QUESTIONS = 3
LATER = 2  # lessons
PRACTISED = [kind for kind in KINDS if kind != "write"]  # what a person reads is for a course of one's own


def faults_of_self_tests(exercises: Iterable[Exercise]) -> Iterator[str]:
    """What is missing, and what is asked again in another lesson than the one that is meant, or in the same words."""
    questions = {each.slug: each for each in exercises if each.self_test}
    first = [each for each in questions.values() if not each.slug.endswith(AGAIN)]
    stems = [lesson.stem for lesson in PLAN.lessons]
    for number, stem in enumerate(stems):
        own = [each for each in first if each.lesson == stem]
        if len(own) != QUESTIONS:
            yield f"{stem}.toml: its self-test has {len(own)} questions, of {QUESTIONS}"
        later = stems[min(number + LATER, len(stems) - 1)]
        for each in own:
            again = questions.get(f"{each.slug}{AGAIN}")
            if again is None or again.lesson != later:
                yield f"{stem}.toml: the question '{each.slug}' is not asked again in {later}"
            elif again.task == each.task:
                yield f"{stem}.toml: the question '{each.slug}' is asked again in the same words"
    asked = {each.kind for each in first}
    yield from (f"lessons.toml: no self-test is of kind {each}" for each in PRACTISED if each not in asked)
