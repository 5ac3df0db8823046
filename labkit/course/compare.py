"""When a prediction is what a command prints: as text, as a number, as a size, as lines in any order."""

from __future__ import annotations

import re
from collections.abc import Callable

from labkit.course.checks import UNITS, size_of

CASE = {unit.lower(): unit for unit in UNITS}  # a size is the same however its unit is written: 3mb
UNIT = re.compile(r"[A-Za-z]+$")


def _compact(text: str) -> str:
    return " ".join(text.split())


def _number(text: str) -> float | None:
    found = re.search(r"-?\d+(?:\.\d+)?", text.replace(",", ""))
    return float(found[0]) if found else None


def _bytes(text: str) -> int | None:
    try:
        return size_of(UNIT.sub(lambda found: CASE.get(found[0].lower(), found[0]), text.strip()))
    except ValueError:
        return None


def _same_size(one: str, other: str) -> bool:
    """Within a twentieth: "3MB" for 3.1MB."""
    a, b = _bytes(one), _bytes(other)
    return a is not None and b is not None and abs(a - b) <= max(a, b) / 20


COMPARE: dict[str, Callable[[str, str], bool]] = {
    "text": lambda one, other: _compact(one) == _compact(other),
    "number": lambda one, other: _number(one) is not None and _number(one) == _number(other),
    "size": _same_size,
    "lines": lambda one, other: (
        sorted(map(_compact, one.strip().splitlines())) == sorted(map(_compact, other.strip().splitlines()))
    ),
}
