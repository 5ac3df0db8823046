"""The beliefs that the course collects, by number: an exercise, a mistake or a cell names the one that it is about."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files


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
