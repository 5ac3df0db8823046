"""What Go programs print and read: sizes, durations, quoted strings and JSON (docker/go-units, strconv, encoding/json).

Times are RFC 3339 in UTC, with the digits of a second that are not zero. JSON is written without
spaces, and with `<`, `>`, `&` escaped; the digests of images depend on it.
JSON of unknown origin is read as hostile input: its size and its depth have limits.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import TypeAlias


class SizeInvalid(ValueError):
    """A text that is no size; str() is what go-units says."""


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


_NUMBER, _UNIT = r"(\d+\.?\d*|\.\d+)", "(ns|us|µs|ms|s|m|h)"
_UNITS = {"ns": 1, "us": 1000, "µs": 1000, "ms": 10**6, "s": SECOND, "m": 60 * SECOND, "h": 3600 * SECOND}


def duration(text: str) -> int:
    """Nanoseconds of 1h2m3.5s. Raises ValueError as Go's time.ParseDuration."""
    if re.fullmatch(r"[+-]?0", text):
        return 0
    if not re.fullmatch(rf"[+-]?({_NUMBER}{_UNIT})+", text):
        match = re.fullmatch(rf"[+-]?{_NUMBER}(.*)", text)
        if match is None:
            raise ValueError(f"time: invalid duration {quote(text)}")
        said = f"unknown unit {quote(match[2])}" if match[2] else "missing unit"
        raise ValueError(f"time: {said} in duration {quote(text)}")
    total = sum(round(float(number) * _UNITS[unit]) for number, unit in re.findall(_NUMBER + _UNIT, text))
    return -total if text[0] == "-" else total


def go_duration(nanoseconds: int) -> str:
    """As Go prints a time.Duration: 5m0s, 1.5s, 300ms."""
    if not nanoseconds:
        return "0s"
    for unit, size in (("ns", 1), ("µs", 1000), ("ms", 1_000_000)):
        if nanoseconds < size * 1000:
            return f"{nanoseconds / size:g}{unit}"
    minutes, rest = divmod(nanoseconds / SECOND, 60)
    hours, minutes = divmod(int(minutes), 60)
    head = f"{hours}h{minutes}m" if hours else f"{minutes}m" if minutes else ""
    return f"{head}{rest:g}s"


_POWERS = "bkmgtp"


def ram_in_bytes(text: str) -> int:
    """128m -> 134217728 (docker/go-units RAMInBytes). Raises SizeInvalid."""
    last = max((text.rfind(character) for character in "0123456789. "), default=-1)
    if last == -1:
        raise SizeInvalid(f"invalid size: '{text}'")
    number, suffix = (text[:last], text[last + 1 :]) if text[last] == " " else (text[: last + 1], text[last + 1 :])
    try:
        size = float(number)
    except ValueError:
        raise SizeInvalid(f"strconv.ParseFloat: parsing {quote(number)}: invalid syntax") from None
    if size < 0:
        raise SizeInvalid(f"invalid size: '{text}'")
    if not suffix:
        return int(size)
    lower = suffix.lower()
    if not re.fullmatch(r"b|[kmgtp](i?b)?", lower):
        raise SizeInvalid(f"invalid suffix: '{suffix}'")
    return int(size * 1024 ** _POWERS.index(lower[0]))


_QUOTED = {
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


def quote(text: str, mark: str = '"') -> str:
    """A string in quotes with Go's escapes (strconv.Quote; %q)."""
    escaped = _QUOTED | {mark: "\\" + mark}
    return mark + "".join(escaped.get(c) or (c if c.isprintable() else _escape(c)) for c in text) + mark


def _escape(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is not UTF-8
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


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
def parse_time(text: str) -> int:
    """The nanoseconds since 1970 of such a time; 0 where there is none."""
    if not text or text == NEVER:
        return 0
    head, _, fraction = text.removesuffix("Z").partition(".")
    seconds = int(datetime.fromisoformat(head).replace(tzinfo=UTC).timestamp())
    return seconds * SECOND + int(fraction.ljust(9, "0")[:9] or 0)


Json: TypeAlias = dict[str, "Json"] | list["Json"] | str | int | float | bool | None
JsonObject: TypeAlias = dict[str, Json]


def at(document: Json, *path: str) -> Json:
    """What lies there; None where nothing does."""
    for name in path:
        document = document.get(name) if isinstance(document, dict) else None
    return document


def text(document: Json, *path: str) -> str:
    found = at(document, *path)
    return found if isinstance(found, str) else ""


def number(document: Json, *path: str) -> int:
    found = at(document, *path)
    return found if isinstance(found, int) else 0


def members(document: Json, *path: str) -> JsonObject:
    for name in path:
        document = document.get(name) if isinstance(document, dict) else None
    return document if isinstance(document, dict) else {}


def items(document: Json, *path: str) -> list[Json]:
    for name in path:
        document = document.get(name) if isinstance(document, dict) else None
    return document if isinstance(document, list) else []


def objects(document: Json, *path: str) -> list[JsonObject]:
    return [each for each in items(document, *path) if isinstance(each, dict)]


def texts(document: Json, *path: str) -> list[str]:
    return [each for each in items(document, *path) if isinstance(each, str)]


_JSON_ESCAPES = str.maketrans(
    {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
)


def dumps(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).translate(_JSON_ESCAPES)


def sorted_dumps(value: Mapping[str, object]) -> str:
    """The same, with the keys of the outermost object in order, as the daemon writes an image's configuration."""
    return dumps({key: value[key] for key in sorted(value)})


DEEPEST = 40
MOST_VALUES = 500_000
STRING = re.compile(r'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"|[][{}]', re.DOTALL)


class BadJsonError(Exception):
    """str() says in one clause why it is not read."""


def read_json(data: bytes, largest: int) -> Json:
    """The document; BadJsonError where it is empty, too large, no JSON, or nested too deeply."""
    if len(data) > largest:
        raise BadJsonError(f"it is larger than {largest >> 20} MiB")
    if not data.strip():
        raise BadJsonError("it is empty")
    if data.startswith((b"PK\x03\x04", b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd")):
        raise BadJsonError("it is compressed; unpack it first")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadJsonError("it is not UTF-8 text") from None
    if text.count(",") > MOST_VALUES and STRING.sub("", text).count(",") > MOST_VALUES:
        raise BadJsonError(f"it has more than {MOST_VALUES:,} values")
    if too_deep(text):
        raise BadJsonError(f"it is nested more than {DEEPEST} levels deep")
    try:
        document: Json = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise BadJsonError("it is not JSON") from None
    try:
        json.dumps(document, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        raise BadJsonError("it has half a character in it") from None
    return document


def too_deep(text: str) -> bool:
    """Counted before parsing, so that no parser meets it. Brackets in strings do not count."""
    depth = 0
    for token in TOKEN.finditer(text):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(token[0], 0)
        if depth > DEEPEST:
            return True
    return False


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
