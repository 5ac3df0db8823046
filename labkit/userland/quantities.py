"""Sizes and times as text, and back: suffixes, human-readable sizes, dates (UTC, or the zone that is given)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import ROUND_CEILING, Decimal

from labkit.kernel import limits
from labkit.userland.zones import GREENWICH, Zone

_POWERS = {letter: power for power, letter in enumerate("kmgtpezy", 1)}
_SIZE = re.compile(r"(\d+)([A-Za-z]*)")


class NoSizeError(ValueError):
    """Not a size; str() is the text."""


def size(text: str, *, gnu: bool = True) -> int:
    """Bytes: 10, 10k, 10K, 10M, 10KiB, 10MB (powers of 1000, GNU), 2b (512), 3c, 4w. Raises ValueError."""
    match = _SIZE.fullmatch(text)
    if not match:
        raise NoSizeError(text)
    return int(match[1]) * factor(match[2], gnu=gnu)


def factor(suffix: str, *, gnu: bool = True) -> int:
    """What a suffix multiplies by. Raises ValueError."""
    if suffix in ("", "c"):
        return 1
    if suffix in ("b", "w"):
        return 512 if suffix == "b" else 2
    power = _POWERS.get(suffix[0].lower())
    if power is None or suffix[1:] not in ("", "iB", "B", "D"):
        raise NoSizeError(suffix)
    thousand = 1000 if suffix[1:] in ("B", "D") and (gnu or suffix[1:] == "D") else 1024
    return int(thousand**power)


def scaled(number: int, base: int) -> tuple[Decimal, int]:
    """The number in the largest unit that it fills, and which power of the base that is."""
    value, power = Decimal(number), 0
    while value >= base and power < 8:
        value, power = value / base, power + 1
    return value, power


def human_gnu(number: int, base: int = 1024) -> str:
    """As GNU's -h: rounded up, one decimal below ten."""
    if number < base:
        return str(number)
    value, power = scaled(number, base)
    letters = "KMGTPEZY" if base == 1024 else "kMGTPEZY"
    if value < 10:
        rounded = value.quantize(Decimal("0.1"), ROUND_CEILING)
        if rounded < 10:
            return f"{rounded}{letters[power - 1]}"
    rounded = value.quantize(Decimal(1), ROUND_CEILING)
    if rounded >= base and power < 8:
        return f"1.0{letters[power]}"
    return f"{rounded}{letters[power - 1]}"


def human_busybox(number: int, unit: int = 1) -> str:
    """As busybox's -h: rounded to the nearest, one decimal; `unit`: what the number counts, in bytes."""
    value, power, tenths = number * unit, 0, 0
    while value >= 1024 and power < 6:
        power += 1
        tenths = (value % 1024 * 10 + 512) // 1024
        value //= 1024
    if tenths >= 10:
        value, tenths = value + 1, 0
    return f"{value}.{tenths}{'KMGTPE'[power - 1]}" if power else str(value)


def plain_float(text: str) -> float:
    """A number such as sleep and seq take. Raises ValueError."""
    if not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|0[xX][0-9a-fA-F]+|[+-]?inf(inity)?", text.strip()):
        raise NoSizeError(text)
    return float(int(text, 16)) if text.strip()[:2].lower() == "0x" else float(text)


SECOND = 1_000_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_TOGETHER = {
    "c": "%a %b %e %H:%M:%S %Y",
    "D": "%m/%d/%y",
    "F": "%Y-%m-%d",
    "T": "%H:%M:%S",
    "R": "%H:%M",
    "h": "%b",
    "r": "%I:%M:%S %p",
    "x": "%m/%d/%y",
    "X": "%H:%M:%S",
    "+": "%a %b %e %H:%M:%S %Z %Y",
}
_PADS = {"-": "", "_": " ", "0": "0"}


def moment(ns: int) -> datetime:
    return _EPOCH + timedelta(seconds=ns // SECOND)


def nanoseconds(when: datetime) -> int:
    return int((when - _EPOCH) / timedelta(microseconds=1)) * 1000


def formatted(form: str, ns: int, zone: Zone = GREENWICH) -> str:
    """strftime with GNU's flags `-`, `_`, `0`, `^` and a width."""
    return re.sub(r"%([-_0^#]*)(\d*)(:*[A-Za-z%+])", lambda match: _field(match, ns, zone), form)


def _field(match: re.Match[str], ns: int, zone: Zone) -> str:
    flags, width, letter = match.groups()
    width = width[:20]
    limits.hold(int(width or 0), "date")
    if letter in _TOGETHER:
        text = formatted(_TOGETHER[letter], ns, zone)
        return text.upper() if "^" in flags else text
    value = _value(letter, ns, zone)
    if value is None:
        return match[0]
    number, digits, fill = value
    if isinstance(number, str):
        text = number.rjust(int(width or 0))
        return text.upper() if "^" in flags else text
    pad = next((_PADS[flag] for flag in flags if flag in _PADS), fill)
    if letter == "N" and width:
        return f"{number:09}"[: int(width)]
    return str(number).rjust(int(width) if width else digits, pad) if pad else str(number)


def _value(letter: str, ns: int, zone: Zone) -> tuple[int | str, int, str] | None:
    """Number, digits and fill, or a text."""
    east, name = zone.at(ns // SECOND)
    when = moment(ns + east * SECOND)
    sign, hours, minutes = "-" if east < 0 else "+", abs(east) // 3600, abs(east) // 60 % 60
    hour12 = (when.hour - 1) % 12 + 1
    offsets = {
        "z": f"{sign}{hours:02}{minutes:02}",
        ":z": f"{sign}{hours:02}:{minutes:02}",
        "::z": f"{sign}{hours:02}:{minutes:02}:00",
        ":::z": f"{sign}{hours:02}" + (f":{minutes:02}" if minutes else ""),
    }
    values: dict[str, tuple[int | str, int, str]] = {
        "Y": (when.year, 4, "0"),
        "m": (when.month, 2, "0"),
        "d": (when.day, 2, "0"),
        "e": (when.day, 2, " "),
        "H": (when.hour, 2, "0"),
        "k": (when.hour, 2, " "),
        "I": (hour12, 2, "0"),
        "l": (hour12, 2, " "),
        "M": (when.minute, 2, "0"),
        "S": (when.second, 2, "0"),
        "s": (ns // SECOND, 1, "0"),
        "N": (ns % SECOND, 9, "0"),
        "y": (when.year % 100, 2, "0"),
        "C": (when.year // 100, 2, "0"),
        "j": (when.timetuple().tm_yday, 3, "0"),
        "u": (when.isoweekday(), 1, "0"),
        "w": (when.isoweekday() % 7, 1, "0"),
        "a": (DAYS[when.weekday()][:3], 0, ""),
        "A": (DAYS[when.weekday()], 0, ""),
        "b": (MONTHS[when.month - 1][:3], 0, ""),
        "B": (MONTHS[when.month - 1], 0, ""),
        "p": ("AM" if when.hour < 12 else "PM", 0, ""),
        "P": ("am" if when.hour < 12 else "pm", 0, ""),
        "Z": (name, 0, ""),
        "n": ("\n", 0, ""),
        "t": ("\t", 0, ""),
        "%": ("%", 0, ""),
        "G": (when.isocalendar()[0], 4, "0"),
        "g": (when.isocalendar()[0] % 100, 2, "0"),
        "V": (when.isocalendar()[1], 2, "0"),
        "q": ((when.month + 2) // 3, 1, "0"),
        "U": ((when.timetuple().tm_yday + 6 - when.isoweekday() % 7) // 7, 2, "0"),
        "W": ((when.timetuple().tm_yday + 6 - when.weekday()) // 7, 2, "0"),
        **{key: (text, 0, "") for key, text in offsets.items()},
    }
    return values.get(letter)


_CLOCK = r"(?P<h>\d{1,2}):(?P<mi>\d\d)(?::(?P<s>\d\d)(?:\.(?P<f>\d{1,9})\d*)?)?"
_ZONE = r"\s*(?P<z>Z|UTC|GMT|[+-]\d\d:?\d\d|[+-]\d\d)?"
_GIVEN = re.compile(r"[\d ](?:Z|UTC|GMT)\b|:\d\d(?:[.,]\d+)?\s*[+-]\d\d:?\d\d", re.I)  # the zone is in the text
_NAMED = "|".join(name[:3] for name in MONTHS)
_ABSOLUTE = [
    re.compile(rf"(?P<y>\d{{4}})-(?P<m>\d{{1,2}})-(?P<d>\d{{1,2}})(?:[T ]\s*{_CLOCK})?{_ZONE}", re.I),
    re.compile(rf"(?P<y>\d{{4}})(?P<m>\d\d)(?P<d>\d\d)(?:[T ]\s*{_CLOCK})?{_ZONE}", re.I),
    re.compile(
        rf"(?:\w{{3}},?\s+)?(?P<d>\d{{1,2}})\s+(?P<mn>{_NAMED})\w*\s+(?P<y>\d{{4}})(?:\s+{_CLOCK})?{_ZONE}", re.I
    ),
    re.compile(
        rf"(?:\w{{3}},?\s+)?(?P<mn>{_NAMED})\w*\s+(?P<d>\d{{1,2}}),?(?:\s+{_CLOCK})?(?:\s+UTC)?\s+(?P<y>\d{{4}})", re.I
    ),
    re.compile(rf"(?P<m>\d{{1,2}})/(?P<d>\d{{1,2}})/(?P<y>\d{{4}})(?:\s+{_CLOCK})?{_ZONE}", re.I),
    re.compile(rf"{_CLOCK}{_ZONE}", re.I),
]
_UNITS = {
    "sec": 1,
    "second": 1,
    "min": 60,
    "minute": 60,
    "hour": 3600,
    "day": 86400,
    "week": 604800,
    "fortnight": 1209600,
}
_RELATIVE = re.compile(
    r"([+-]?\s*\d+|next|last|a)?\s*(sec|second|min|minute|hour|day|week|fortnight|month|year)s?(\s+ago)?\b", re.I
)


def parsed(text: str, now: int, *, gnu: bool = True, zone: Zone = GREENWICH) -> int | None:
    """What GNU's -d reads (its everyday forms), in ns; None where it is no date."""
    text = text.strip()
    if match := re.fullmatch(r"@(-?\d+)(?:\.(\d{1,9})\d*)?", text):
        return int(match[1]) * SECOND + int((match[2] or "0").ljust(9, "0"))
    if zone != GREENWICH:
        here = parsed(text, now + zone.at(now // SECOND)[0] * SECOND, gnu=gnu)
        if here is None or _GIVEN.search(text):
            return parsed(text, now, gnu=gnu)
        return zone.universal(here // SECOND) * SECOND + here % SECOND
    start = now
    for pattern in _ABSOLUTE:
        if match := pattern.match(text):
            try:
                start = _absolute(match, now)
            except ValueError:
                return None
            text = text[match.end() :].strip()
            break
    return _moved(text, start, now) if text else start if gnu or text == "" else None


def _absolute(match: re.Match[str], now: int) -> int:
    parts = match.groupdict()
    today = moment(now)
    names = [name[:3].lower() for name in MONTHS]
    month = names.index(parts["mn"][:3].lower()) + 1 if parts.get("mn") else int(parts.get("m") or today.month)
    year, day = int(parts.get("y") or today.year), int(parts.get("d") or today.day)
    hour, minute, second = (int(parts.get(key) or 0) for key in ("h", "mi", "s"))
    when = datetime(year, month, day, hour, minute, second, tzinfo=_zone(parts.get("z")))
    return nanoseconds(when) + int((parts.get("f") or "0").ljust(9, "0"))


def _zone(text: str | None) -> timezone:
    if not text or text[0] not in "+-":
        return UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if text[0] == "-" else offset)


_WORDS = {"now": 0, "today": 0, "yesterday": -86400, "tomorrow": 86400, "midnight": 0, "utc": 0, "ago": 0}


def _moved(text: str, start: int, now: int) -> int | None:
    """Relative parts such as `+1 day`, `2 hours ago`, `yesterday`."""
    while text:
        if match := _RELATIVE.match(text):
            start = _step(match, start)
        elif (match := re.match(r"[A-Za-z]+", text)) and match[0].lower() in _WORDS:
            start += _WORDS[match[0].lower()] * SECOND
        elif match := _ABSOLUTE[-1].match(text):
            start = _absolute(match, start)
        else:
            return None
        text = text[match.end() :].strip()
    return start


def _step(match: re.Match[str], start: int) -> int:
    word = (match[1] or "1").replace(" ", "").lower()
    count = {"next": 1, "last": -1, "a": 1}.get(word) or int(word)
    count = -count if match[3] else count
    unit = match[2].lower()
    if unit in _UNITS:
        return start + count * _UNITS[unit] * SECOND
    when = moment(start)
    months = when.year * 12 + when.month - 1 + count * (12 if unit == "year" else 1)
    shifted = when.replace(year=months // 12, month=months % 12 + 1, day=1) + timedelta(days=when.day - 1)
    return nanoseconds(shifted) + start % SECOND


def stamped(text: str, now: int, zone: Zone = GREENWICH) -> int | None:
    """touch -t's [[CC]YY]MMDDhhmm[.ss]."""
    match = re.fullmatch(r"(\d\d)?(\d\d)?(\d\d)(\d\d)(\d\d)(\d\d)(?:\.(\d\d))?", text)
    if not match:
        return None
    century, year, *rest = match.groups()
    if century and not year:
        century, year = None, century
    if year is None:
        full = moment(now).year
    else:
        full = int(century or ("20" if int(year) < 69 else "19")) * 100 + int(year)
    month, day, hour, minute, second = (int(part or 0) for part in rest)
    try:
        here = nanoseconds(datetime(full, month, day, hour, minute, second, tzinfo=UTC))
        return zone.universal(here // SECOND) * SECOND
    except ValueError:
        return None
