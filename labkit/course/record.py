"""An exercise as data: an Exercise is as its author wrote it or, after `for_learner`, one learner's variant of it.

A variant's values are draws from SHA-256, the same on every Python, for ever. A learner's work hangs on them: a change
of any of them changes everyone's variant, and tests/course holds them with fixed vectors. Each value has a stream of
its own, so that a record may gain a value without changing the others.

The beliefs that the course collects have numbers, by which an exercise, a mistake or a cell names what it is about.
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, is_dataclass, replace
from functools import lru_cache
from importlib.resources import files
from typing import TypeAlias, TypeVar

from labkit.kernel.golang import Json, JsonObject, items, texts
from labkit.kernel.golang import number as number_at

T = TypeVar("T")
PLACEHOLDER = re.compile(r"@([a-z][a-z0-9_]*)@")


def variant_key(seed: str, learner: str, slug: str, revision: int) -> bytes:
    """32 bytes from which everything in this learner's variant is drawn."""
    parts = ["labkit variant 1", _same(seed), _same(learner), slug, revision]
    return hashlib.sha256(json.dumps(parts, separators=(",", ":")).encode("ascii")).digest()


def _same(text: str) -> str:
    """One spelling of a name, whatever keyboard or file system it came from."""
    return unicodedata.normalize("NFC", text.strip())


class Draw:
    """A stream of random numbers: the 64-bit words of SHA-256(key, name, 0), SHA-256(key, name, 1), …"""

    def __init__(self, key: bytes, name: str) -> None:
        self._start = key + name.encode("utf-8") + b"\0"
        self._words: list[int] = []
        self._block = 0

    def _word(self) -> int:
        if not self._words:
            block = hashlib.sha256(self._start + self._block.to_bytes(8, "big")).digest()
            self._words = [int.from_bytes(block[at : at + 8], "big") for at in (24, 16, 8, 0)]
            self._block += 1
        return self._words.pop()

    def below(self, count: int) -> int:
        """A whole number from 0 to count - 1, each as likely (words beyond the last full multiple are thrown away)."""
        limit = (1 << 64) - (1 << 64) % count
        while (word := self._word()) >= limit:
            pass
        return word % count

    def choice(self, options: Sequence[T]) -> T:
        return options[self.below(len(options))]

    def sample(self, options: Sequence[T], count: int) -> list[T]:
        """`count` different options, in the order in which they were drawn."""
        left = list(options)
        return [left.pop(self.below(len(left))) for _ in range(count)]

    def shuffle(self, options: Sequence[T]) -> list[T]:
        return self.sample(options, len(options))


def draw_values(specs: Mapping[str, Json], key: bytes) -> dict[str, str]:
    """The values of a record's table `values`. validate_values has found it free of faults.

    `name = ["a", "b"]` draws one; `"one two" = ["a", "b", "c"]` draws different ones; `"one two" = [["a", "b"], …]`
    draws a row; `size = {from = 2, to = 9, step = 1}` draws a whole number; `box = {words = ["web", "desk"], to = 40}`
    a word with a number, web17; `code = {hex = 8}` as many hexadecimal digits; `name = "text"` comes from those above.
    """
    values: dict[str, str] = {}
    for names, spec in specs.items():
        values.update(zip(names.split(), _draw(names.split(), spec, Draw(key, names), values), strict=True))
    return values


def _draw(names: list[str], spec: Json, draw: Draw, values: Mapping[str, str]) -> list[str]:
    if isinstance(spec, str):
        return [fill(spec, values)]
    if isinstance(spec, dict):
        return _draw_table(len(names), spec, draw)
    options = items(spec)
    if isinstance(options[0], list):
        return [fill(str(cell), values) for cell in items(draw.choice(options))]
    return [str(option) for option in draw.sample(options, len(names))]


def _draw_table(count: int, spec: JsonObject, draw: Draw) -> list[str]:
    if "hex" in spec:
        return ["".join(draw.choice("0123456789abcdef") for _ in range(number_at(spec, "hex"))) for _ in range(count)]
    if "words" in spec:
        return [f"{word}{1 + draw.below(number_at(spec, 'to'))}" for word in draw.sample(texts(spec, "words"), count)]
    first, last, step = _range(spec)
    return [str(first + step * draw.below((last - first) // step + 1))]


def _range(spec: JsonObject) -> list[int]:
    """from, to and step; those that are no whole numbers are left out."""
    return [each for each in (spec.get("from"), spec.get("to"), spec.get("step", 1)) if type(each) is int]


def validate_values(specs: Mapping[str, Json]) -> list[str]:
    """What is wrong with a table `values`, a clause each."""
    faults = []
    known: set[str] = set()
    for names, spec in specs.items():
        faults += [f"value '{names}': {fault}" for fault in _value_faults(names.split(), spec, known)]
        known.update(names.split())
    return faults


def _value_faults(names: list[str], spec: Json, known: set[str]) -> list[str]:
    faults = [f"'{name}' is no name (a-z, 0-9, _)" for name in names if not PLACEHOLDER.fullmatch(f"@{name}@")]
    faults += [f"the name '{name}' is taken" for name in names if name in known]
    if not names:
        return ["it has no name"]
    if isinstance(spec, str):
        return faults + [f"@{name}@ is not a value above it" for name in PLACEHOLDER.findall(spec) if name not in known]
    if isinstance(spec, dict):
        return faults + _table_faults(len(names), spec)
    if not isinstance(spec, list) or not spec:
        return [*faults, "it must be a list of options, a table with from and to, or a text"]
    rows = [option for option in spec if isinstance(option, list)]
    if len(rows) == len(spec):
        wrong = [row for row in rows if len(row) != len(names)]
        return faults + ([f"the row {wrong[0]} does not have {len(names)} cells"] if wrong else [])
    if not all(isinstance(option, str | int) for option in spec):
        return [*faults, "its options must be texts, whole numbers or rows"]
    return faults + ([f"there are fewer than {len(names)} options"] if len(spec) < len(names) else [])


def _table_faults(count: int, spec: JsonObject) -> list[str]:
    if "hex" in spec:
        return [] if spec.keys() == {"hex"} and number_at(spec, "hex") > 0 else ["hex is how many digits it has"]
    if "words" in spec:
        enough = len(texts(spec, "words")) >= count and number_at(spec, "to") > 0
        return [] if enough and spec.keys() == {"words", "to"} else ["it has words, enough of them, and to"]
    return _range_faults(spec)


def _range_faults(spec: JsonObject) -> list[str]:
    numbers = _range(spec)
    if spec.keys() - {"from", "to", "step"} or len(numbers) < 3:
        return ["a range has the whole numbers from, to and perhaps step"]
    first, last, step = numbers
    return [] if step > 0 and first <= last else ["its range is empty"]


def fill(text: str, values: Mapping[str, str]) -> str:
    """`text` with each @name@ replaced by its value; what is no value stays."""
    return PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), text)


Answer: TypeAlias = Json  # text, or JSON; never code


@dataclass(frozen=True)
class Assertion:
    """One use of a check: `is` or `not`, its arguments, and commands that are first run on a copy of the machine."""

    check: str
    arguments: Mapping[str, Json] = field(default_factory=dict)
    negated: bool = False
    after: tuple[str, ...] = ()
    says: str = ""  # in place of the check's own words
    hidden: bool = False  # its text is not one that the task gives: it is not shown


@dataclass(frozen=True)
class Setup:
    """What the machine starts from. Paths are relative to /home/learner."""

    machine: Mapping[str, Json] = field(default_factory=dict)  # arguments of Machine
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
    claims: tuple[
        Assertion, ...
    ] = ()  # what the reply says of that machine beyond `when`: it is told only where they hold
    matches: str = ""  # a regular expression that the answer's text matches
    observe: str = ""  # predict: the answer is what this command prints
    marks: Mapping[str, str] = field(default_factory=dict)  # mark: the answer has all of these
    misconception: int = 0  # the belief that it comes from: see misconceptions.toml; 0: none of them


@dataclass(frozen=True)
class Own:
    """What only records of some kinds have: see judge.KINDS."""

    command: str = ""
    observe: str = ""
    compare: str = "text"
    example: str = ""
    file: str = ""
    options: tuple[str, ...] = ()
    cause: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    right: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    then: tuple[str, ...] = ()
    rubric: tuple[str, ...] = ()  # "2 it says where the file lies": the most points, and for what


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
    specs: Mapping[str, Json] = field(default_factory=dict)  # the values, as they are to be drawn
    checks: tuple[Assertion, ...] = ()
    hints: tuple[str, ...] = ()
    solutions: tuple[Solution, ...] = ()
    mistakes: tuple[Mistake, ...] = ()
    own: Own = Own()
    harmless: Mapping[str, str] = field(default_factory=dict)  # slips of solutions that are right too, and why
    misconceptions: tuple[int, ...] = ()  # the beliefs that it is about, those of its mistakes among them
    key: bytes = b""  # of the variant; empty as the author wrote it
    sealed: bool = False  # what gives the answer away was taken out: see labkit.grading.sealed

    @property
    def self_test(self) -> bool:
        """Is it a question of a self-test: no points, not graded, asked again two lessons later?"""
        return not self.points

    def draw(self, what: str) -> Draw:
        """A stream of this variant for something else than a value (the order of options)."""
        return Draw(self.key, f"/{what}")


def for_learner(exercise: Exercise, learner: str, seed: str) -> Exercise:
    """This learner's variant: every @name@ in it replaced."""
    key = variant_key(seed, learner, exercise.slug, exercise.revision)
    variant = fill_all(exercise, draw_values(exercise.specs, key))
    assert isinstance(variant, Exercise)
    return replace(variant, specs=exercise.specs, key=key)


def fill_all(data: object, values: Mapping[str, str]) -> object:
    """The same record with @name@ replaced in all texts, in records within records, lists and tables too."""
    if isinstance(data, str):
        return fill(data, values) if "@" in data else data
    if isinstance(data, dict):
        return {fill_all(key, values): fill_all(value, values) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return type(data)(fill_all(item, values) for item in data)
    if is_dataclass(data) and not isinstance(data, type):
        return type(data)(**{name: fill_all(value, values) for name, value in vars(data).items()})
    return data


@dataclass(frozen=True)
class Misconception:
    number: int
    belief: str  # as somebody would say it, without a full stop
    fact: str  # what is so: one sentence


@lru_cache(maxsize=1)
def misconceptions() -> dict[int, Misconception]:
    """All of them, by number."""
    text = (files("labkit.course") / "misconceptions.toml").read_text(encoding="utf-8")
    return {row["number"]: Misconception(**row) for row in tomllib.loads(text)["misconception"]}


def told(number: int) -> str:
    """The belief by name, as it is told to somebody whose answer comes from it."""
    return f"A common belief: {misconceptions()[number].belief}."


def number_fault(number: object) -> str:
    """What is wrong with this as a misconception's number; "" where it is one."""
    if type(number) is int and number in misconceptions():
        return ""
    return f"there is no misconception {number} (1 to {max(misconceptions())})"
