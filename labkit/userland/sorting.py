"""sort: by keys, each a range of fields with its own order."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from labkit.userland.tool import Say, Tool, Utility

_LETTERS = "bdfghinMRrV"
_MONTHS = [b"JAN", b"FEB", b"MAR", b"APR", b"MAY", b"JUN", b"JUL", b"AUG", b"SEP", b"OCT", b"NOV", b"DEC"]
_NUMBER = re.compile(rb"[ \t]*(-?\d*\.?\d*)")
_HUMAN = re.compile(rb"[ \t]*(-?\d*\.?\d*)([kKMGTPEZY]?)")
_POWER = {letter: index for index, letter in enumerate("KMGTPEZY", 1)} | {"k": 1, "": 0}


Value = bytes | float | tuple[int, float] | list[tuple[bytes, int]]  # what lines are put in order by
Order = list[Callable[[bytes], Value]]


@dataclass(frozen=True)
class SortKey:
    """Where a key starts and ends (field and character, from 1; 0: to the end) and how it is compared."""

    field: int = 1
    char: int = 1
    end_field: int = 0
    end_char: int = 0
    flags: str = ""
    end_blanks: bool = False


def sort(tool: Tool) -> int | None:
    general = "".join(name for name, _ in tool.options if name in _LETTERS)
    keys = [_key(tool, text, general) for text in tool.values("k")] or [SortKey(flags=general)]
    for key in keys if tool.gnu else ():
        orders = "".join(letter for letter in "dghiMnRV" if letter in key.flags)
        if len(orders.replace("i", "").replace("d", "")) > 1 or (set(orders) & set("di") and set(orders) - set("di")):
            tool.fail(f"options '-{orders}' are incompatible", 2)
    end = b"\0" if tool.has("z") else b"\n"
    lines: list[bytes] = []
    if not tool.gnu and _is_folder(tool):
        return 0
    for _, content in tool.inputs(
        Say("{0}", "cannot read: {0:n}" if not _is_folder(tool) else "read failed: {0:n}"), status=2
    ):
        lines += [line.removesuffix(end) for line in tool.lines(content, end)]
    if tool.status:
        return 2
    order = _order(tool, keys)
    if tool.has("c", "C") and len(tool.operands) > 1 and tool.gnu:
        tool.fail(f"extra operand '{tool.operands[1]}' not allowed with -{tool.last('c', 'C')}", 2)
    if tool.has("c", "C"):
        return _check(tool, lines, order)
    whole_reversed = "r" in general
    if not tool.has("s") and not (tool.gnu and tool.has("u")):
        lines.sort(reverse=whole_reversed)
    for key, value in reversed(list(zip(keys, order, strict=True))):
        lines.sort(key=value, reverse="r" in key.flags)
    if tool.has("u"):
        lines = list(_unique(lines, order))
    tool.tick(len(lines))
    _write(tool, b"".join(line + end for line in lines))
    return None


def _is_folder(tool: Tool) -> bool:
    return any(path != "-" and tool.files.is_dir(path) for path in tool.operands)


def _write(tool: Tool, data: bytes) -> None:
    path = tool.value("o")
    if path is None:
        tool.out(data)
        return
    with tool.complaining(Say("{0}", "open failed: {0:n}"), path, status=2):
        tool.files.write(path, data)


def _unique(lines: list[bytes], order: Order) -> Iterator[bytes]:
    last: list[Value] | None = None
    for line in lines:
        value = [one(line) for one in order]
        if value != last:
            yield line
        last = value


def _check(tool: Tool, lines: list[bytes], order: Order) -> int:
    reverse = tool.has("r")
    path = tool.operands[0] if tool.operands else "-"
    for number, (one, other) in enumerate(pairwise(lines), 2):
        left, right = [value(one) for value in order], [value(other) for value in order]
        if not tool.has("u"):
            left, right = [*left, one], [*right, other]
        wrong = left < right if reverse else left > right
        if wrong or (tool.has("u") and left == right):
            if not tool.has("C"):
                text = other.decode("utf-8", "surrogateescape")
                said = f"{path}:{number}: disorder: {text}" if tool.gnu else f"Check line {number - 1}"
                tool.process.stderr.write(f"sort: {said}\n" if tool.gnu else f"{said}\n")
            return 1
    return 0


def _key(tool: Tool, text: str, general: str) -> SortKey:
    match = re.fullmatch(rf"(\d+)(?:\.(\d+))?([{_LETTERS}]*)(?:,(\d+)(?:\.(\d+))?([{_LETTERS}]*))?", text)
    if not match:
        said = "invalid number at field start: invalid count at start of {0:l}"
        tool.refuse(Say("bad field specification", said), text, status=2)
    field, char, flags, end_field, end_char, end_flags = match.groups()
    if field == "0":
        said = "field number is zero: invalid field specification {0:l}"
        tool.refuse(Say("bad field specification", said), text, status=2)
    own = flags + (end_flags or "")
    return SortKey(
        int(field),
        int(char or 1),
        int(end_field or 0),
        int(end_char or 0),
        own or general,
        "b" in ((end_flags or "") if own else general),
    )


def _order(tool: Tool, keys: list[SortKey]) -> Order:
    mark = tool.value("t")
    if mark is not None:
        mark = "\0" if mark == "\\0" else mark
        if len(mark) != 1:
            said = "multi-character tab {0:l}" if mark else "empty tab"
            tool.refuse(Say("bad -t parameter", said), mark, status=2)
    separator = mark[:1].encode() if mark else None
    return [_value(key, separator) for key in keys]


def _value(key: SortKey, separator: bytes | None) -> Callable[[bytes], Value]:
    convert = _conversion(key.flags)
    if (key.field, key.char, key.end_field) == (1, 1, 0) and "b" not in key.flags:
        return convert
    return lambda line: convert(_extract(line, key, separator))


def _extract(line: bytes, key: SortKey, separator: bytes | None) -> bytes:
    bounds = _fields(line, separator)
    start = _position(line, bounds, key.field, key.char - 1, "b" in key.flags, len(line))
    if not key.end_field:
        return line[start:]
    if key.end_char:
        stop = _position(line, bounds, key.end_field, key.end_char, key.end_blanks, len(line))
    else:
        stop = bounds[key.end_field - 1][1] if key.end_field <= len(bounds) else len(line)
    return line[start : max(start, stop)]


def _position(line: bytes, bounds: list[tuple[int, int]], field: int, char: int, blanks: bool, default: int) -> int:
    if field > len(bounds):
        return default
    start, stop = bounds[field - 1]
    if blanks:
        while start < stop and line[start : start + 1] in (b" ", b"\t"):
            start += 1
    return min(start + char, default)


def _fields(line: bytes, separator: bytes | None) -> list[tuple[int, int]]:
    """Where the fields begin and end; without a separator the blanks before a field belong to it."""
    if separator is None:
        return [match.span() for match in re.finditer(rb"[ \t]*[^ \t]+|[ \t]+$", line)] or [(0, 0)]
    bounds, start = [], 0
    for part in line.split(separator):
        bounds.append((start, start + len(part)))
        start += len(part) + 1
    return bounds


def _conversion(flags: str) -> Callable[[bytes], Value]:
    """By the first of these letters, else as it is written."""
    return next((_CONVERSIONS[letter] for letter in "nghMV" if letter in flags), lambda data: _plain(data, flags))


def _plain(data: bytes, flags: str) -> bytes:
    if "d" in flags:
        data = re.sub(rb"[^A-Za-z0-9 \t]", b"", data)
    if "i" in flags:
        data = re.sub(rb"[^\x20-\x7e]", b"", data)
    return data.upper() if "f" in flags else data


def _float(text: bytes) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def _number(data: bytes) -> float | int:
    match = _NUMBER.match(data)
    text = match[1] if match else b""
    return int(text) if text.lstrip(b"-").isdigit() else _float(text)


def _general(data: bytes) -> tuple[int, float]:
    match = re.match(rb"[ \t]*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)", data)
    return (1, float(match[1])) if match else (0, 0.0)


def _human(data: bytes) -> tuple[int, float]:
    match = _HUMAN.match(data)
    if not match:
        return (0, 0.0)
    number, power = _float(match[1]), _POWER[match[2].decode()]
    return (power if number > 0 else -power if number < 0 else 0, number)


def _month(data: bytes) -> int:
    name = data.strip()[:3].upper()
    return _MONTHS.index(name) + 1 if name in _MONTHS else 0


def _version(data: bytes) -> list[tuple[bytes, int]]:
    return [(text, int(number or 0)) for text, number in re.findall(rb"(\D*)(\d*)", data)]


_CONVERSIONS: dict[str, Callable[[bytes], Value]] = {
    "n": _number, "g": _general, "h": _human, "M": _month, "V": _version,
}  # fmt: skip


UTILITIES = {
    "sort": Utility(
        sort,
        "n r u g M c s z b d f i o: k: t: m V",
        "b=ignore-leading-blanks d=dictionary-order f=ignore-case g=general-numeric-sort "
        "i=ignore-nonprinting M=month-sort "
        "h=human-numeric-sort n=numeric-sort R=random-sort r=reverse V=version-sort c=check? C "
        "k:=key m=merge o:=output s=stable S: t:=field-separator T: u=unique z=zero-terminated =parallel:",
        "[-nrugMcszbdfiokt] [-o FILE] [-k START[.OFS][OPTS][,END[.OFS][OPTS]] [-t CHAR] [FILE]...",
        bad=2,
        busybox_bad=2,
    ),
}
