"""Sizes, durations, times and quoted strings as docker prints and reads them (docker/go-units, time, strconv)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from labkit.kernel.golang import SECOND, SizeInvalid, human_duration, quote, ram_in_bytes

from .errors import ValueInvalid


def ago(now: int, then: int) -> str:
    return human_duration(now - then) + " ago"


def parse_time(text: str) -> int:
    """Nanoseconds since 1970 of an RFC 3339 time as the API writes it."""
    match = re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?(Z|[+-]\d\d:\d\d)", text)
    if not match:
        raise ValueInvalid(f"parsing time {quote(text)}")
    whole = datetime.fromisoformat(match[1] + ("+00:00" if match[3] == "Z" else match[3]))
    since = whole - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86400 + since.seconds) * SECOND + int((match[2] or "0").ljust(9, "0"))


def go_time(seconds: int) -> str:
    """2026-11-24 03:17:36 +0000 UTC (Go's Time.String)."""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    return moment.strftime("%Y-%m-%d %H:%M:%S +0000 UTC")


_DURATION_UNITS = {"ns": 1, "us": 1000, "µs": 1000, "ms": 10**6, "s": SECOND, "m": 60 * SECOND, "h": 3600 * SECOND}


def parse_duration(text: str) -> int:
    """Nanoseconds of 1h30m, 42s, 1.5h (Go's time.ParseDuration)."""
    match = re.fullmatch(r"([+-]?)((?:\d+\.?\d*|\.\d+)(?:ns|us|µs|ms|s|m|h))+", text)
    if text in ("0", "+0", "-0"):
        return 0
    if not match:
        unit = re.fullmatch(r"[+-]?(?:\d+\.?\d*|\.\d+)(.*)", text)
        if unit and not unit[1]:
            raise ValueInvalid(f"time: missing unit in duration {quote(text)}")
        if unit:
            raise ValueInvalid(f"time: unknown unit {quote(unit[1])} in duration {quote(text)}")
        raise ValueInvalid(f"time: invalid duration {quote(text)}")
    total = sum(
        float(number) * _DURATION_UNITS[unit]
        for number, unit in re.findall(r"(\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h)", text)
    )
    return -int(total) if text.startswith("-") else int(total)


def parse_bytes(text: str) -> int:
    """128m -> 134217728, for a flag. Raises ValueInvalid."""
    try:
        return ram_in_bytes(text)
    except SizeInvalid as error:
        raise ValueInvalid(str(error)) from None


def ellipsis(text: str, width: int) -> str:
    """At most `width` characters, the last one … where some are left out."""
    if len(text) <= width:
        return text
    return text[: max(0, width - 1)] + "…" if width > 1 else text[:width]


def short_id(identifier: str) -> str:
    """sha256:0123456789abcdef… -> 0123456789ab."""
    return identifier.partition(":")[2][:12] if ":" in identifier else identifier[:12]
