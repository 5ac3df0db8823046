"""The table of checks: what can be asserted about a machine, how a record writes it, and how it is asked.

A check is a function of the machine's Facts and of its own arguments. It returns "" where it holds, else the difference
in plain words: what is so instead; where the facts have no such thing, that is the difference. Its signature is what a
record may write; the sentence in `@check` is what a learner reads in the list of what is checked.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ParamSpec, Protocol, cast, get_args, get_origin, get_type_hints

from labkit.course.machines import Facts, MissingError
from labkit.course.record import Assertion
from labkit.engine.core.errors import EngineError

UNITS = {"": 1, "B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([kMG]?B|[KMG]iB|)\s*")


class Predicate(Protocol):
    """What is so instead; "" where it holds. Its arguments are a record's, held against its signature by `faults`."""

    def __call__(self, facts: Facts, /, **arguments: object) -> str: ...


@dataclass(frozen=True)
class Check:
    name: str
    holds: Predicate
    says: str

    @cached_property
    def types(self) -> dict[str, object]:
        return get_type_hints(self.holds)

    @cached_property
    def parameters(self) -> dict[str, inspect.Parameter]:
        """Its arguments, without the facts."""
        return dict(list(inspect.signature(self.holds).parameters.items())[1:])

    def faults(self, arguments: Mapping[str, object]) -> list[str]:
        """What is wrong with these arguments, a clause each."""
        known, types = self.parameters, self.types
        unknown = [name for name in arguments if name not in known]
        required = [name for name, parameter in known.items() if parameter.default is parameter.empty]
        wrong = [name for name in arguments if name in known and not _fits(arguments[name], types[name])]
        return [
            *(f"'{name}' is no argument of {self.name} ({', '.join(known)})" for name in unknown),
            *(f"{self.name} needs '{name}'" for name in required if name not in arguments),
            *(f"'{name}' of {self.name} has the wrong type" for name in wrong),
        ]

    def words(self, arguments: Mapping[str, object], *, hidden: bool = False) -> str:
        """The sentence, with these arguments; {where} is the container or the host, {layers} how many they may be."""
        defaults = {name: each.default for name, each in self.parameters.items() if each.default is not each.empty}
        known = {**defaults, **arguments}
        container = known.get("container")
        known["where"] = f"in the container {container}" if container else "on the host"
        known["layers"] = layers_text(_bounds(*(known.get(name) for name in ("count", "at_least", "at_most"))))
        says = self.says
        if hidden:
            says = says.replace("the text '{text}'", "the right text")
        return says.format(**known)


def _fits(value: object, kind: object) -> bool:
    """Is this TOML value one that the argument takes? Text stands for numbers too: it may be a learner's value."""
    if isinstance(value, list):
        return get_origin(kind) is list or any(get_origin(each) is list for each in get_args(kind))
    kinds = get_args(kind) or (kind,)
    if isinstance(value, bool):
        return bool in kinds
    if isinstance(value, str):
        return str in kinds or int in kinds
    return isinstance(value, tuple(each for each in kinds if isinstance(each, type)))


CHECKS: dict[str, Check] = {}
P = ParamSpec("P")


def check(says: str) -> Callable[[Callable[P, str]], Callable[P, str]]:
    """Enter the function into the table, under its own name."""

    def enter(function: Callable[P, str]) -> Callable[P, str]:
        CHECKS[function.__name__] = Check(function.__name__, cast(Predicate, function), says)
        return function

    return enter


@dataclass(frozen=True)
class CheckResult:
    ok: bool
    text: str  # what is checked
    difference: str = ""  # what is so instead
    kept: bool = False  # it holds, and did before anything was done: it is not shown as done until all is


def evaluate(facts: Facts, assertion: Assertion) -> CheckResult:
    """One assertion on the machine as it is, or as it would be after the assertion's commands."""
    if assertion.after:
        with facts.after(assertion.after) as later:
            return _evaluate(later, assertion)
    return _evaluate(facts, assertion)


def _evaluate(facts: Facts, assertion: Assertion) -> CheckResult:
    row = CHECKS[assertion.check]
    try:
        difference = row.holds(facts, **_numbers(row, assertion.arguments))
    except (MissingError, EngineError, OSError) as missing:  # EngineError: what a mount has made impossible to look at
        difference = str(missing)
    words = assertion.says or row.words(assertion.arguments, hidden=assertion.hidden)
    if not assertion.negated:
        return CheckResult(not difference, words, difference)
    return CheckResult(
        bool(difference),
        assertion.says or f"it is not so that {words}",
        "" if difference or assertion.says else row.words(assertion.arguments),
    )


def _numbers(row: Check, arguments: Mapping[str, object]) -> dict[str, object]:
    """Texts that came out of a learner's values, as the numbers that the check wants."""
    types = row.types
    wants = {
        name
        for name in arguments
        if int in (get_args(types[name]) or (types[name],)) and str not in get_args(types[name])
    }
    return {
        name: int(str(value)) if name in wants and not isinstance(value, bool) else value
        for name, value in arguments.items()
    }


def size_of(text: str | int) -> int:
    """Bytes: 120, "3 kB", "1.5MB", "2 MiB"."""
    found = SIZE.fullmatch(str(text))
    if not found:
        raise ValueError(f"{text!r} is no size")
    return round(float(found[1]) * UNITS[found[2]])


def _bounds(count: object, at_least: object, at_most: object) -> str:
    if count is not None:
        return f"{count}"
    if at_least is not None and at_most is not None:
        return f"{at_least} to {at_most}"
    return f"at least {at_least}" if at_least is not None else f"at most {at_most}"


def layers_text(number: object) -> str:
    return f"{number} layer" if str(number).split()[-1] == "1" else f"{number} layers"


def within(number: int, count: int | None, at_least: int | None, at_most: int | None) -> bool:
    if count is not None:
        return number == count
    return (at_least is None or number >= at_least) and (at_most is None or number <= at_most)
