"""Times as --since, --until and until= name them: Go's durations before now, parts of RFC 3339, seconds since 1970.

The daemon and the client read them alike, with other words for what is none (moby, timestamp.go in
daemon/internal/timestamp and client/internal/timestamp; Go, time/format.go).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from labkit.kernel.golang import SECOND, duration, quote

_FAILED = "failed to parse value as time or duration: "
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HOURS = ("T15", "T15:04", "T15:04:05")  # by the colons
# What stands at each place of a layout, its name and its bounds where it has some.
_PLACES = {
    "2006": (r"\d{4}", "year", 0, 9999),
    "01": (r"\d\d", "month", 1, 12),
    "02": (r"\d\d", "day", 1, 31),
    "15": (r"\d\d?", "hour", 0, 23),
    "04": (r"\d\d", "minute", 0, 59),
    "05": (r"\d\d(?:[.,]\d+)?", "second", 0, 59),
    "Z07:00": (r"Z|[+-]\d\d:\d\d", "zone", 0, 0),
}


def moment(text: str, now: int, client: bool = False) -> int:
    """Nanoseconds since 1970. Raises ValueError with what the daemon, or its client, says."""
    if not text.strip() and not client:
        raise ValueError(_FAILED + "value is empty")
    try:
        if text != "0":
            return now - duration(text)
    except ValueError:
        pass
    try:
        return _time(_layout(text), text)
    except ValueError:
        if "-" in text:
            raise
    try:
        return _unix(text)
    except ValueError as error:
        raise ValueError(_FAILED + (quote(text) if client else str(error))) from None


def _layout(text: str) -> str:
    local = not re.search("[zZ+]", text) and text.count("-") != 3
    zone = "" if local else "Z07:00"
    if "." in text:
        return "2006-01-02T15:04:05.999999999" + zone
    if "T" not in text:
        return "2006-01-02" + zone
    colons = text.count(":") - (not local and not re.search("[zZ]", text))
    return "2006-01-02" + _HOURS[min(max(colons, 0), 2)] + zone


def _time(layout: str, text: str) -> int:
    """Go's time.Parse."""
    rest, found = text, dict[str, str]()
    for step in re.findall(r"2006|01|02|15|04|05|\.9+|Z07:00|.", layout):
        if step[0] == "." and len(step) > 1:
            continue  # a fraction is read with the seconds
        pattern, name, least, most = _PLACES.get(step, (re.escape(step), "", 0, 0))
        match = re.match(pattern, rest, re.ASCII)
        if match is None:
            said = f"cannot parse {quote(rest)} as {quote(step)}"
            raise ValueError(f"parsing time {quote(text)} as {quote(layout)}: {said}")
        if most and not least <= int(re.split("[.,]", match[0])[0]) <= most:
            raise ValueError(f"parsing time {quote(text)}: {name} out of range")
        found[name], rest = match[0], rest[match.end() :]
    if rest:
        raise ValueError(f"parsing time {quote(text)}: extra text: {quote(rest)}")
    return _nanoseconds(text, found)


def _nanoseconds(text: str, found: dict[str, str]) -> int:
    second, _, fraction = found.get("second", "0").replace(",", ".").partition(".")
    try:
        day = datetime(int(found["year"]), int(found["month"]), int(found["day"]), tzinfo=UTC)
    except ValueError:
        raise ValueError(f"parsing time {quote(text)}: day out of range") from None
    since = day - _EPOCH + timedelta(hours=int(found.get("hour", "0")), minutes=int(found.get("minute", "0")))
    zone = found.get("zone", "Z")
    if zone != "Z":
        east = timedelta(hours=int(zone[1:3]), minutes=int(zone[4:]))
        since += east if zone[0] == "-" else -east
    return (since.days * 86400 + since.seconds + int(second)) * SECOND + int(fraction[:9].ljust(9, "0"))


def _unix(text: str) -> int:
    seconds, _, fraction = text.partition(".")
    if not re.fullmatch(r"[+-]?\d+", seconds, re.ASCII):
        raise ValueError(f"invalid seconds {quote(seconds)}: invalid syntax")
    if not -(2**63) <= int(seconds[:40]) < 2**63:
        raise ValueError(f"invalid seconds {quote(seconds)}: value out of range")
    if len(fraction) > 20:
        raise ValueError(f"invalid nanoseconds: length {len(fraction)} exceeds maximum 20")
    if wrong := re.search("[^0-9]", fraction):
        raise ValueError(
            f"invalid nanoseconds: invalid character {quote(wrong[0], chr(39))} at position {wrong.start()}"
        )
    return int(seconds) * SECOND + int(fraction[:9].ljust(9, "0"))
