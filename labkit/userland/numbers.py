"""Numbers as utilities read and print them: sizes with suffixes, counts, human-readable sizes."""

from __future__ import annotations

import re
from decimal import ROUND_CEILING, Decimal

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


def human_gnu(number: int, base: int = 1024) -> str:
    """As GNU's -h: rounded up, one decimal below ten."""
    if number < base:
        return str(number)
    value, power = Decimal(number), 0
    while value >= base and power < 8:
        value /= base
        power += 1
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
