"""Sizes, durations, times and quoted strings as docker prints and reads them (docker/go-units, time, strconv)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from .errors import ValueInvalid

DECIMAL = ("B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB")
BINARY = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB")
SECOND = 1_000_000_000


def _scaled(size: float, base: float, names: tuple[str, ...], digits: int) -> str:
    place = 0
    while size >= base and place < len(names) - 1:
        size /= base
        place += 1
    return f"{size:.{digits}g}{names[place]}"


def human_size(size: float, digits: int = 4) -> str:
    """1984162 -> 1.984MB; with three digits 1.98MB."""
    return _scaled(float(size), 1000.0, DECIMAL, digits)


def bytes_size(size: float) -> str:
    """67108864 -> 64MiB."""
    return _scaled(float(size), 1024.0, BINARY, 4)


def human_duration(nanoseconds: int) -> str:
    """90 seconds -> About a minute (docker/go-units HumanDuration)."""
    seconds = max(0, nanoseconds) // SECOND
    minutes = seconds // 60
    hours = int(seconds / 3600 + 0.5)
    if seconds < 1:
        return "Less than a second"
    if seconds < 60:
        return "1 second" if seconds == 1 else f"{seconds} seconds"
    if minutes < 60:
        return "About a minute" if minutes == 1 else f"{minutes} minutes"
    if hours < 48:
        return "About an hour" if hours == 1 else f"{hours} hours"
    for limit, hours_each, name in ((24 * 14, 24, "days"), (24 * 60, 168, "weeks"), (24 * 730, 720, "months")):
        if hours < limit:
            return f"{hours // hours_each} {name}"
    return f"{seconds // 3600 // 8760} years"


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


_POWERS = "bkmgtp"


def parse_bytes(text: str) -> int:
    """128m -> 134217728 (docker/go-units RAMInBytes)."""
    last = max((text.rfind(character) for character in "0123456789. "), default=-1)
    if last == -1:
        raise ValueInvalid(f"invalid size: '{text}'")
    number, suffix = (text[:last], text[last + 1 :]) if text[last] == " " else (text[: last + 1], text[last + 1 :])
    try:
        size = float(number)
    except ValueError:
        raise ValueInvalid(f"strconv.ParseFloat: parsing {quote(number)}: invalid syntax") from None
    if size < 0:
        raise ValueInvalid(f"invalid size: '{text}'")
    if not suffix:
        return int(size)
    lower = suffix.lower()
    if not re.fullmatch(r"b|[kmgtp](i?b)?", lower):
        raise ValueInvalid(f"invalid suffix: '{suffix}'")
    return int(size * 1024 ** _POWERS.index(lower[0]))


_ESCAPES = {
    "\\": "\\\\",
    '"': '\\"',
    "\n": "\\n",
    "\t": "\\t",
    "\r": "\\r",
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\v": "\\v",
}


def quote(text: str) -> str:
    """A string in double quotes with Go's escapes (strconv.Quote)."""
    return '"' + "".join(_ESCAPES.get(c) or (c if c.isprintable() else _escape(c)) for c in text) + '"'


def _escape(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is not UTF-8
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def ellipsis(text: str, width: int) -> str:
    """At most `width` characters, the last one … where some are left out."""
    if len(text) <= width:
        return text
    return text[: max(0, width - 1)] + "…" if width > 1 else text[:width]


def short_id(identifier: str) -> str:
    """sha256:0123456789abcdef… -> 0123456789ab."""
    return identifier.partition(":")[2][:12] if ":" in identifier else identifier[:12]
