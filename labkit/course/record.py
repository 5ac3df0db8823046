"""An exercise as data: an Exercise is as its author wrote it or, after `for_learner`, one learner's variant of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any

from labkit.course.variants import Draw, draw_values, fill, fill_all, variant_key

Answer = str | list | dict  # text, or JSON; never code


@dataclass(frozen=True)
class Assertion:
    """One use of a check: `is` or `not`, its arguments, and commands that are first run on a copy of the machine."""

    check: str
    arguments: Mapping[str, object] = field(default_factory=dict)
    negated: bool = False
    after: tuple[str, ...] = ()
    says: str = ""  # in place of the check's own words


@dataclass(frozen=True)
class Setup:
    """What the machine starts from. Paths are relative to /home/learner."""

    machine: Mapping[str, object] = field(default_factory=dict)  # arguments of Machine
    files: Mapping[str, str] = field(default_factory=dict)
    commands: tuple[str, ...] = ()


@dataclass(frozen=True)
class Solution:
    name: str
    answer: Answer


@dataclass(frozen=True)
class Mistake:
    """An answer that people give, how it is recognised, and what to say to it."""

    name: str
    example: Answer
    reply: str
    when: tuple[Assertion, ...] = ()  # all hold on the machine that the answer leads to
    matches: str = ""  # a regular expression that the answer's text matches
    observe: str = ""  # predict: the answer is what this command prints
    marks: Mapping[str, str] = field(default_factory=dict)  # mark: the answer has all of these
    misconception: int = 0  # the belief that it comes from: see misconceptions.toml; 0: none of them


@dataclass(frozen=True)
class Exercise:
    slug: str
    revision: int
    lesson: str
    title: str
    points: int
    kind: str
    task: str
    setup: Setup = Setup()
    specs: Mapping[str, object] = field(default_factory=dict)  # the values, as they are to be drawn
    checks: tuple[Assertion, ...] = ()
    hints: tuple[str, ...] = ()
    solutions: tuple[Solution, ...] = ()
    mistakes: tuple[Mistake, ...] = ()
    own: Mapping[str, Any] = field(default_factory=dict)  # what only this kind has: see kinds.KINDS
    misconceptions: tuple[int, ...] = ()  # the beliefs that it is about, those of its mistakes among them
    key: bytes = b""  # of the variant; empty as the author wrote it

    def draw(self, what: str) -> Draw:
        """A stream of this variant for something else than a value (the order of options)."""
        return Draw(self.key, f"/{what}")


def for_learner(exercise: Exercise, learner: str, seed: str) -> Exercise:
    """This learner's variant: every @name@ in it replaced."""
    key = variant_key(seed, learner, exercise.slug, exercise.revision)
    values = draw_values(exercise.specs, key)
    return replace(_filled(exercise, values), specs=exercise.specs, key=key)


def _filled(data: Any, values: Mapping[str, str]) -> Any:
    """The same record with @name@ replaced in all texts, in records within records too."""
    if is_dataclass(data) and not isinstance(data, type):
        changes = {each.name: _filled(getattr(data, each.name), values) for each in fields(data)}
        return replace(data, **changes)
    if isinstance(data, tuple):
        return tuple(_filled(item, values) for item in data)
    if isinstance(data, str):
        return fill(data, values)
    return fill_all(data, values)
