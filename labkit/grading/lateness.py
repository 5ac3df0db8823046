"""When something was handed in, and what the rule takes off: "none", "zero", "10%/day", "10%/day up to 3".

The time is the LMS' or the roster's. A learner's file or clock is never asked. Where no time is known, that is said and
nothing is taken off.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DAY = 86_400
RULE = re.compile(r"(\d{1,3})\s*%\s*(?:/|per|a)\s*day(?:\s+up\s+to\s+(\d{1,3})(?:\s+days?)?)?", re.IGNORECASE)
# Beside what datetime.fromisoformat reads: nbgrader's, Moodle's (strftimedaydatetime) and what spreadsheets make of it.
FORMATS = (
    "%A, %d %B %Y, %I:%M %p",
    "%d %B %Y, %I:%M %p",
    "%A, %d %B %Y, %H:%M",
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y",
    "%d/%m/%Y %H:%M",
)


class TimeError(ValueError):
    """A time or a rule that cannot be read; str() is one line that says why."""


def read_time(text: str) -> float:
    """Seconds since 1970; without a zone, this computer's. A date alone is the end of that day. Raises TimeError."""
    words = text.strip()
    stamp, _, zone = words.rpartition(" ")
    if re.fullmatch(r"\d{4}-\d\d-\d\d", words) or re.fullmatch(r"\d{1,2}\.\d{1,2}\.\d{4}", words):
        return _parsed(words) + DAY - 1
    if re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d(\.\d+)?)?", stamp):  # nbgrader's timestamp.txt
        return datetime.fromisoformat(stamp).replace(tzinfo=_zone(zone)).timestamp()
    return _parsed(words)


def _zone(name: str) -> timezone | ZoneInfo:
    if name in ("UTC", "GMT", "Z"):
        return UTC
    if offset := re.fullmatch(r"([+-])(\d\d):?(\d\d)", name):
        sign = -1 if offset[1] == "-" else 1
        return timezone(sign * timedelta(hours=int(offset[2]), minutes=int(offset[3])))
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise TimeError(f"'{name[:40]}' is not a time zone") from None


def _parsed(text: str) -> float:
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError):
        pass
    for form in FORMATS:
        try:
            return datetime.strptime(text, form).timestamp()
        except (ValueError, OverflowError):
            continue
    raise TimeError(f"'{text[:40]}' is not a time, such as 2026-11-30 18:00")


@dataclass(frozen=True)
class LateRule:
    """What is left of the points: all, nothing, or so many per cent less for each day that has begun."""

    kind: str = "none"
    percent: int = 0
    days: int | None = None  # after these nothing is left

    def left(self, days: int) -> float:
        if days <= 0 or self.kind == "none":
            return 1.0
        if self.kind == "zero" or (self.days is not None and days > self.days):
            return 0.0
        return max(0.0, 1 - self.percent * days / 100)


def read_rule(text: str) -> LateRule:
    """Raises TimeError."""
    words = " ".join(text.lower().split())
    if words in ("none", "zero"):
        return LateRule(words)
    found = RULE.fullmatch(words)
    if not found:
        raise TimeError(f"'{text[:40]}' is not a rule for late work: none, zero, 10%/day, or 10%/day up to 3")
    return LateRule("daily", int(found[1]), int(found[2]) if found[2] else None)


@dataclass(frozen=True)
class Lateness:
    """The rule, and until when."""

    rule: LateRule = LateRule()
    deadline: float | None = None

    def of(self, time: float | None, marked: bool | None, extension: float | None) -> tuple[float, str]:
        """The part of the points that is left, and a line where there is something to say.

        `marked`: the LMS says only whether it was late, by its own deadline.
        """
        until = self.deadline if extension is None else extension
        if time is not None and until is not None:
            days = math.ceil((time - until) / DAY)
            return self.rule.left(days), _told(days, self.rule.left(days)) if days > 0 else ""
        if marked and extension is not None:
            return 1.0, "marked late by the LMS, but with an extension, and the time is not known: nothing is taken off"
        if marked:
            left = self.rule.left(1)
            return left, f"marked late by the LMS, which does not say how late: {_taken(left)}"
        if until is not None and marked is None and self.rule.kind != "none":
            return 1.0, "when it was handed in is not known: nothing is taken off"
        return 1.0, ""


def _told(days: int, left: float) -> str:
    return f"handed in late, on day {days} after the deadline: {_taken(left)}"


def _taken(left: float) -> str:
    return "nothing is taken off" if left == 1 else "it does not count" if not left else f"{1 - left:.0%} is taken off"
