"""Bytes made visible: od, hexdump, xxd."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from labkit.files import Content
from labkit.userland.quantities import NoSizeError, size
from labkit.userland.tool import SAME, Tool, Utility

_NAMED = {0: "\\0", 7: "\\a", 8: "\\b", 9: "\\t", 10: "\\n", 11: "\\v", 12: "\\f", 13: "\\r"}
_CONTROL = (
    "nul soh stx etx eot enq ack bel bs ht nl vt ff cr so si dle dc1 dc2 dc3 dc4 nak syn etb can em "
    "sub esc fs gs rs us sp"
).split()


def _content(tool: Tool) -> Content | None:
    """All operands in one."""
    pieces = [content for _, content in tool.inputs(SAME)]
    return Content.join(pieces) if pieces else None


def _part(content: Content, skip: int, limit: str | None) -> Content:
    part = content[skip : skip + size(limit) if limit else None]
    assert isinstance(part, Content)
    return part


def _rows(tool: Tool, content: Content, width: int) -> Iterator[tuple[int, bytes]]:
    """Place and bytes; a star is written for rows that repeat the one before."""
    last, starred = b"", False
    for place in range(0, content.size, width):
        tool.tick()
        row = content.read(place, width)
        repeated = row == last and len(row) == width and not tool.has("v")
        if not repeated:
            yield place, row
        elif not starred:
            tool.out("*\n")
        last, starred = row, repeated


def _printable(row: bytes) -> str:
    return "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)


# od


@dataclass(frozen=True)
class DumpForm:
    """How a group of bytes is shown."""

    size: int  # of the group, in bytes
    width: int  # of what is shown
    show: Callable[[bytes], str]
    text: bool = False  # z: the characters at the end


_INT = {1: "B", 2: "H", 4: "I", 8: "Q"}
_WIDTHS = {"o": {1: 3, 2: 6, 4: 11, 8: 22}, "x": {1: 2, 2: 4, 4: 8, 8: 16}, "u": {1: 3, 2: 5, 4: 10, 8: 20},
           "d": {1: 4, 2: 6, 4: 11, 8: 20}}  # fmt: skip


def _integer(letter: str, width: int) -> DumpForm:
    code = _INT[width].lower() if letter == "d" else _INT[width]

    def show(data: bytes) -> str:
        number = struct.unpack("<" + code, data.ljust(width, b"\0"))[0]
        if letter in "ox":
            return f"{number:0{_WIDTHS[letter][width]}{letter}}"
        return str(number)

    return DumpForm(width, _WIDTHS[letter][width], show)


def _character(data: bytes) -> str:
    byte = data[0]
    return _NAMED.get(byte) or (chr(byte) if 32 <= byte < 127 else f"{byte:03o}")


def _name(data: bytes) -> str:
    byte = data[0] & 0x7F
    return _CONTROL[byte] if byte <= 32 else "del" if byte == 127 else chr(byte)


def _forms(tool: Tool) -> list[DumpForm]:
    forms = []
    short = {
        "b": "o1",
        "c": "c",
        "a": "a",
        "d": "u2",
        "o": "o2",
        "s": "d2",
        "x": "x2",
        "i": "d4",
        "l": "d8",
        "D": "u4",
        "h": "x2",
        "B": "o2",
        "X": "x4",
    }
    for name, value in tool.options:
        text = value if name == "t" else short.get(name, "")
        for letter, count, tail in re.findall(r"([acdoux])(\d*|[CSIL])(z?)", text):
            number = {"C": 1, "S": 2, "I": 4, "L": 8}.get(count) or int(count or (1 if letter in "ac" else 4))
            if letter in "ac":
                form = DumpForm(1, 3, _character if letter == "c" else _name)
            elif number in _INT:
                form = _integer(letter, number)
            else:
                tool.fail(f"invalid type string ‘{text}’;\nthis system doesn't provide a {number}-byte integral type")
            forms.append(DumpForm(form.size, form.width, form.show, bool(tail)))
    return forms or [_integer("o", 2)]


def od(tool: Tool) -> None:
    content = _content(tool)
    if content is None:
        return
    skip = size(tool.value("j") or "0")
    data = _part(content, skip, tool.value("N"))
    forms, base = _forms(tool), tool.value("A") or "o"
    width = max(1, tool.width("w", 32 if tool.has("w") else 16))
    cell = max(1, max((form.width + 1) * 8 // form.size for form in forms))  # eighths, so that forms line up
    for place, row in _rows(tool, data, width):
        for index, form in enumerate(forms):
            if not tool.gnu:
                cell = (form.width + 1) * 8 // form.size
            front = _place(base, place + skip) if index == 0 else " " * len(_place(base, place + skip))
            tool.out(front + _od_row(form, row, cell, width) + "\n")
    if base != "n":
        tool.out(_place(base, skip + data.size) + "\n")


def _place(base: str, place: int) -> str:
    shown = {"o": f"{place:07o}", "x": f"{place:06x}", "d": f"{place:07}", "n": ""}
    if base not in shown:
        raise NoSizeError(base)
    return shown[base]


def _od_row(form: DumpForm, row: bytes, cell: int, width: int) -> str:
    each = cell * form.size // 8
    out = "".join(form.show(row[at : at + form.size]).rjust(each) for at in range(0, len(row), form.size))
    if form.text:
        out = f"{out.ljust(each * (width // form.size))}  >{_printable(row)}<"
    return out


# hexdump


def hexdump(tool: Tool) -> None:
    content = _content(tool)
    if content is None:
        if tool.gnu:
            tool.err("all input file arguments failed")
        return
    skip = size(tool.value("s") or "0")
    data = _part(content, skip, tool.value("n"))
    canonical = tool.has("C")
    show = _canonical if canonical else _hexdump_form(tool)
    form = "%08x" if canonical else "%07x"
    for place, row in _rows(tool, data, 16):
        tool.out(form % (place + skip) + show(row) + "\n")
    if data:
        tool.out(form % (skip + data.size) + "\n")


def _canonical(row: bytes) -> str:
    halves = [" ".join(f"{byte:02x}" for byte in row[start : start + 8]) for start in (0, 8)]
    return f"  {halves[0]:<23}  {halves[1]:<23}  |{_printable(row)}|"


def _hexdump_form(tool: Tool) -> Callable[[bytes], str]:
    letter = tool.last("b", "c", "d", "o", "x")
    if letter == "b":
        return lambda row: "".join(f" {byte:03o}" for byte in row).ljust(64)
    if letter == "c":
        return lambda row: "".join(f" {_character(bytes([byte])):>3}" for byte in row).ljust(64)
    width, form = {"d": (8, "   {:05d}"), "o": (8, "  {:06o}"), "x": (8, "    {:04x}")}.get(
        letter or "", (5, " {:04x}")
    )

    def show(row: bytes) -> str:
        words = [int.from_bytes(row[start : start + 2], "little") for start in range(0, len(row), 2)]
        return "".join(form.format(word) for word in words).ljust(width * 8)

    return show


# xxd


def xxd(tool: Tool) -> None:
    path = tool.operands[0] if tool.operands else "-"
    content = tool.attempt(lambda: tool.content(path), SAME, path, status=2 if tool.gnu else 1)
    if content is None:
        return
    if tool.has("r"):
        _xxd_back(tool, tool.whole(content))
        return
    skip = size(tool.value("s") or "0")
    data = _part(content, skip, tool.value("l", "n"))
    if tool.has("p"):
        columns = max(1, tool.width("c", 30))
        for start in range(0, data.size, columns):
            tool.tick()
            tool.out(data.read(start, columns).hex() + "\n")
        return
    columns, group = max(1, tool.width("c", 16)), max(0, tool.number("g", 2))
    cells = columns * 2 + -(-columns // group) - 1 if group else columns * 2
    for start in range(0, data.size, columns):
        tool.tick()
        row = data.read(start, columns)
        pieces = [row[at : at + group].hex() for at in range(0, len(row), group)] if group else [row.hex()]
        tool.out(f"{start + skip:08x}: {' '.join(pieces):<{cells}}  {_printable(row)}\n")


def _xxd_back(tool: Tool, data: bytes) -> None:
    out = bytearray()
    text = data.decode("latin-1")
    lines = ["".join(text.split())] if tool.has("p") else text.splitlines()
    for line in lines:
        if not tool.has("p"):
            line = line.partition(":")[2].partition("  ")[0]
        out += bytes.fromhex("".join(re.findall(r"[0-9a-fA-F]{2}", line.replace(" ", ""))))
    tool.out(bytes(out))


_OD = "a b c d f h i l o v x s t: A: N: j: S: w? D B X"
UTILITIES = {
    "od": Utility(
        od,
        _OD,
        "A:=address-radix j:=skip-bytes N:=read-bytes t:=format v=output-duplicates w?=width a b c d f i l o s x",
        "[-abcdfhilovxs] [-t TYPE] [-A RADIX] [-N SIZE] [-j SKIP] [-S MINSTR] [-w WIDTH] [FILE]...",
    ),
    "hexdump": Utility(
        hexdump,
        "b c d o x C v n: s: e: f:",
        "b c d o x C v n: s: e: f:",
        "[-bcdoxCv] [-e FMT] [-f FMT_FILE] [-n LEN] [-s OFS] [FILE]...",
        package="util-linux 2.38.1)",
    ),
    "xxd": Utility(
        xxd,
        "p r i g: c: n: l: s: o:",
        "p r i g: c: l: s: o: u b",
        "[-pri] [-g N] [-c N] [-n LEN] [-s OFS] [-o OFS] [FILE]",
    ),
}
