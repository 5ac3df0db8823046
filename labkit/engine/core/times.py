"""Times as Docker writes them: RFC 3339 in UTC, with the digits of a second that are not zero."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache

from labkit.engine.core.errors import invalid

SECOND = 1_000_000_000
NEVER = "0001-01-01T00:00:00Z"  # Go's zero time


@lru_cache(maxsize=1024)
def rfc3339(nanoseconds: int | None) -> str:
    """`2026-11-24T03:17:38.971718956Z`; None is Go's zero time."""
    if nanoseconds is None:
        return NEVER
    seconds, rest = divmod(nanoseconds, SECOND)
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    fraction = f"{rest:09d}".rstrip("0")
    return f"{text}.{fraction}Z" if fraction else f"{text}Z"


def rfc3339_seconds(nanoseconds: int) -> str:
    return rfc3339(nanoseconds // SECOND * SECOND)


@lru_cache(maxsize=1024)
def parse(text: str) -> int:
    """The nanoseconds since 1970 of such a time; 0 where there is none."""
    if not text or text == NEVER:
        return 0
    head, _, fraction = text.removesuffix("Z").partition(".")
    seconds = int(datetime.fromisoformat(head).replace(tzinfo=UTC).timestamp())
    return seconds * SECOND + int(fraction.ljust(9, "0")[:9] or 0)


_UNITS = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": SECOND, "m": 60 * SECOND, "h": 3600 * SECOND}
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ns|us|ms|s|m|h))+")


def moment(text: str, now: int) -> int:
    """The time that `until=` or `--since` names: a Go duration before now, seconds since 1970, or RFC 3339."""
    if _DURATION.fullmatch(text):
        parts = re.findall(r"(\d+(?:\.\d+)?)(ns|us|ms|s|m|h)", text)
        return now - int(sum(float(number) * _UNITS[unit] for number, unit in parts))
    if re.fullmatch(r"\d+(?:\.\d+)?", text):
        return int(float(text) * SECOND)
    try:
        found = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise invalid(f'failed to parse value as time or duration: "{text}"') from None
    return int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()) * SECOND
