"""Go's time.Duration, as text."""

from __future__ import annotations

import re

from labkit.engine.dockerfile.expand import go_quote

_UNITS = {"ns": 1, "us": 1000, "µs": 1000, "ms": 1_000_000, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
_DURATION = re.compile(r"[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|ms|s|m|h))+|[+-]?0")


def duration(text: str) -> int:
    """Nanoseconds of 1h2m3.5s. Raises ValueError as Go's time.ParseDuration."""
    if not _DURATION.fullmatch(text):
        if re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)", text):
            raise ValueError(f"time: missing unit in duration {go_quote(text)}")
        raise ValueError(f"time: invalid duration {go_quote(text)}")
    parts = re.findall(r"([\d.]+)(ns|us|µs|ms|s|m|h)", text)
    return sum(round(float(number) * _UNITS[unit]) for number, unit in parts) * (-1 if text[0] == "-" else 1)


def go_duration(nanoseconds: int) -> str:
    """As Go prints a time.Duration: 5m0s, 1.5s, 300ms."""
    if not nanoseconds:
        return "0s"
    for unit, size in (("ns", 1), ("µs", 1000), ("ms", 1_000_000)):
        if nanoseconds < size * 1000:
            return f"{nanoseconds / size:g}{unit}"
    seconds = nanoseconds / 10**9
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    head = f"{hours}h{minutes}m" if hours else f"{minutes}m" if minutes else ""
    return f"{head}{rest:g}s"
