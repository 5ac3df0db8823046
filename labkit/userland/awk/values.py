"""awk's values: texts, numbers, and texts from the input that may be numbers."""

from __future__ import annotations

import re

from labkit.userland.guarded import Searchable
from labkit.userland.regex import compile_pattern

Value = str | float | None  # None: a variable that nobody has set
Array = dict[str, Value]
Cell = Value | Array


class StrNum(str):
    """A text from the input: a number where it looks like one."""

    __slots__ = ()


def split_text(record: str, separator: str) -> list[str]:
    if separator == " ":
        return record.split()
    if record == "":
        return []
    if separator == "":
        return list(record)
    if len(separator) == 1 and separator != "\\":
        return record.split(separator) if separator != "\t" else record.split("\t")
    return split_by(ere(separator), record)


def split_by(pattern: Searchable, record: str) -> list[str]:
    out, place = [], 0
    for match in pattern.finditer(record):
        if match.end() > match.start():
            out.append(record[place : match.start()])
            place = match.end()
    return [*out, record[place:]]


def ere(pattern: str) -> re.Pattern[str]:
    return compile_pattern(pattern, extended=True, controls=True)


_NUMBER = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)")
_HEX = re.compile(r"\s*([+-]?0[xX][0-9a-fA-F]+)")


def number(value: Value) -> float:
    if isinstance(value, float):
        return value
    match = _NUMBER.match(value) if value else None
    if value and match and (hexadecimal := _HEX.match(value)):
        return float(int(hexadecimal[1], 16))
    return float(match[1]) if match else 0.0


def looks_numeric(value: Value) -> bool:
    if value is None or isinstance(value, float):
        return True
    if not isinstance(value, StrNum):
        return False
    match = _NUMBER.match(value)
    return match is not None and value[match.end() :].strip() == ""


def truth(value: Value) -> bool:
    if value is None:
        return False
    if isinstance(value, float):
        return value != 0
    return number(value) != 0 if looks_numeric(value) else value != ""
