"""Parts of lines: cut, uniq, tr, column, expand, unexpand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby
from typing import NoReturn

from labkit.userland.tool import OPEN, SAME, Done, Say, Tool, Utility, bytes_of, text_of

Ranges = list[tuple[int, int]]  # from and to, from 1, both included
_END = 1 << 62


# cut


def cut(tool: Tool) -> None:
    kind = tool.last("b", "c", "f")
    if kind is None:
        what = "a list of bytes, characters, or fields"
        tool.wrong(f"you must specify {what}", f"expected {what}")
    if len([name for name, _ in tool.options if name in ("b", "c", "f")]) > 1:
        tool.usage("only one list may be specified")
    mark = tool.value("d")
    if mark is not None and kind != "f":
        said = "delimiter may be specified only when operating on fields"
        tool.wrong(f"an input {said}", f"a {said}")
    if mark is not None and tool.gnu and len(bytes_of(mark)) > 1:
        tool.usage("the delimiter must be a single character")
    ranges = _ranges(tool, tool.value(str(kind)) or "", kind == "f")
    if tool.has("complement"):
        ranges = _complement(ranges)
    delimiter = bytes_of(mark)[:1] if mark else b"\t" if mark is None else b"\0"
    joiner = tool.value("output-delimiter", "O")
    for line in tool.input_lines(SAME):
        body = line.removesuffix(b"\n")
        if kind == "f":
            _cut_fields(tool, body, ranges, delimiter, delimiter if joiner is None else bytes_of(joiner))
        else:
            pieces = [body[low - 1 : high] for low, high in ranges]
            tool.out(bytes_of(joiner or "").join(piece for piece in pieces if piece) + b"\n")


def _cut_fields(tool: Tool, body: bytes, ranges: Ranges, delimiter: bytes, joiner: bytes) -> None:
    cells = body.split(delimiter)
    if len(cells) == 1:
        if not tool.has("s"):
            tool.out(body + b"\n")
        return
    tool.out(joiner.join(cell for low, high in ranges for cell in cells[low - 1 : high]) + b"\n")


def _ranges(tool: Tool, text: str, fields: bool) -> Ranges:
    """A list such as 1,3-5,7- in order, overlaps put together."""
    found = []
    for part in re.split(r"[, \t]", text):
        match = re.fullmatch(r"(\d*)(-?)(\d*)", part)
        if not match or part in ("", "-") or (tool.gnu and (match[1] == "0" or (match[2] and match[3] == "0"))):
            _bad_range(tool, part, fields, match)
        low = max(1, int(match[1] or 1))
        high = int(match[3] or _END) if match[2] else low
        if high < low:
            tool.wrong("invalid decreasing range", f"invalid range {part}")
        found.append((low, high))
    merged: Ranges = []
    for low, high in sorted(found):
        if merged and low <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], high))
        else:
            merged.append((low, high))
    return merged


def _bad_range(tool: Tool, part: str, fields: bool, match: re.Match[str] | None) -> NoReturn:
    if not tool.gnu:
        tool.fail(f"invalid range {part}" if match else f"invalid number '{part}'")
    if part == "-":
        tool.usage("invalid range with no endpoint: -")
    if match:
        tool.usage("fields are numbered from 1" if fields else "byte/character positions are numbered from 1")
    name = tool.text(Say("", "{0:l}"), part)
    tool.usage(f"invalid field value {name}" if fields else f"invalid byte/character position {name}")


def _complement(ranges: Ranges) -> Ranges:
    out, start = [], 1
    for low, high in ranges:
        if low > start:
            out.append((start, low - 1))
        start = high + 1
    return [*out, (start, _END)] if start < _END else out


# uniq


def uniq(tool: Tool) -> None:
    source = tool.operands[0] if tool.operands else "-"
    lines = [line.removesuffix(b"\n") for line in tool.input_lines(OPEN, [source])]
    if tool.status:
        return
    out = []
    for _, group in groupby(lines, lambda line: _uniq_key(tool, line)):
        same = list(group)
        tool.tick()
        if (tool.has("d") and len(same) == 1) or (tool.has("u") and len(same) > 1):
            continue
        out.append((b"%7d " % len(same) if tool.has("c") else b"") + same[0] + b"\n")
    if len(tool.operands) > 1 and tool.operands[1] != "-":
        tool.files.write(tool.operands[1], b"".join(out))
    else:
        tool.out(b"".join(out))


def _uniq_key(tool: Tool, line: bytes) -> bytes:
    for _ in range(tool.number("f", 0)):
        line = re.sub(rb"^[ \t]*[^ \t]*", b"", line)
    line = line[tool.number("s", 0) :]
    if limit := tool.value("w"):
        line = line[: int(limit)]
    return line.lower() if tool.has("i") else line


# tr

_CLASSES = {
    "alpha": lambda byte: bytes([byte]).isalpha(),
    "digit": lambda byte: bytes([byte]).isdigit(),
    "alnum": lambda byte: bytes([byte]).isalnum(),
    "upper": lambda byte: bytes([byte]).isupper(),
    "lower": lambda byte: bytes([byte]).islower(),
    "space": lambda byte: byte in b" \t\n\v\f\r",
    "blank": lambda byte: byte in b" \t",
    "punct": lambda byte: 32 < byte < 127 and not bytes([byte]).isalnum(),
    "print": lambda byte: 32 <= byte < 127,
    "graph": lambda byte: 32 < byte < 127,
    "cntrl": lambda byte: byte < 32 or byte == 127,
    "xdigit": lambda byte: byte in b"0123456789abcdefABCDEF",
}
_TR_ESCAPES = {"a": 7, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11, "\\": 92}
_TWO = "missing operand after {0:l}\nTwo strings must be given when translating."
_ONE = "extra operand {0:l}\nOnly one string may be given when deleting without squeezing repeats."


def tr(tool: Tool) -> None:
    delete, squeeze = tool.has("d"), tool.has("s")
    names = tool.operands
    if len(names) == 1 and not (delete or squeeze):
        if tool.gnu:
            tool.usage(tool.text(Say("", _TWO), names[0]))
        tool.process.stdout.write_content(tool.content("-"))
        raise Done(0)
    if len(names) > 2 or (len(names) == 2 and delete and not squeeze and tool.gnu):
        if len(names) == 2:
            tool.usage(tool.text(Say("", _ONE), names[1]))
        tool.extra(2)
    first = _tr_set(tool, names[0], None)
    if tool.has("c", "C"):
        first = [byte for byte in range(256) if byte not in first]
    second = _tr_set(tool, names[1], len(first)) if len(names) > 1 else []
    table = bytearray(range(256))
    for index, byte in enumerate(first if second and not delete else ()):
        table[byte] = second[min(index, len(second) - 1)]
    squeezed = (second if len(names) > 1 else first) if squeeze else []
    _tr_run(tool, table, bytes(first if delete else ()), bytes(squeezed))


def _tr_run(tool: Tool, table: bytearray, gone: bytes, squeezed: bytes) -> None:
    last = -1
    for block in tool.content("-").blocks():
        tool.tick(1 + len(block) // 1024)
        block = block.translate(table, gone)
        if squeezed:
            out = bytearray()
            for byte in block:
                if byte != last or byte not in squeezed:
                    out.append(byte)
                last = byte
            block = bytes(out)
        tool.out(block)


def _tr_set(tool: Tool, text: str, fill: int | None) -> list[int]:
    """The bytes that a tr string stands for, in order; `fill`: how long the first one is, for [x*]."""
    out: list[int] = []
    star: tuple[int, int] | None = None
    for unit in _tr_units(bytes_of(text)):
        if isinstance(unit, int):
            out.append(unit)
        elif unit[0] == "class":
            if unit[1] not in _CLASSES:
                if tool.gnu:
                    tool.fail(tool.text(Say("", "invalid character class {0:l}"), str(unit[1])))
                out += bytes_of(f"[:{unit[1]}:]")
                continue
            out += [byte for byte in range(256) if _CLASSES[str(unit[1])](byte)]
        elif unit[0] == "range":
            low, high = int(unit[1]), int(unit[2])
            if high < low and tool.gnu:
                tool.fail(f"range-endpoints of '{chr(low)}-{chr(high)}' are in reverse collating sequence order")
            out += range(low, high + 1)
        elif int(unit[2]):
            tool.hold(8 * int(unit[2]))
            out += [int(unit[1])] * int(unit[2])
        else:
            star = (len(out), int(unit[1]))
    if star and fill is not None:
        out[star[0] : star[0]] = [star[1]] * max(0, fill - len(out))
    return out


def _tr_units(data: bytes) -> Iterator[int | tuple[str, str | int, int]]:
    place = 0
    while place < len(data):
        rest = data[place:]
        if match := re.match(rb"\[:(\w+):\]", rest):
            yield "class", match[1].decode(), 0
            place += match.end()
        elif match := re.match(rb"\[=(.)=\]", rest, re.S):
            yield match[1][0]
            place += match.end()
        elif match := re.match(rb"\[(\\.|[^\\])\*(\d*)\]", rest, re.S):
            byte, _ = _tr_byte(match[1])
            count = int(match[2], 8 if match[2].startswith(b"0") else 10) if match[2] else 0
            yield "repeat", byte, count
            place += match.end()
        else:
            low, used = _tr_byte(rest)
            place += used
            if data[place : place + 1] == b"-" and place + 1 < len(data):
                high, used = _tr_byte(data[place + 1 :])
                yield "range", low, high
                place += 1 + used
            else:
                yield low


def _tr_byte(data: bytes) -> tuple[int, int]:
    """One byte of a tr string, and how many it took to write it."""
    if data[:1] != b"\\" or len(data) == 1:
        return data[0], 1
    if match := re.match(rb"\\([0-7]{1,3})", data):
        return int(match[1], 8) & 0xFF, match.end()
    return _TR_ESCAPES.get(chr(data[1]), data[1]), 2


# columns


def column(tool: Tool) -> None:
    lines = [text_of(line.rstrip(b"\n")) for line in tool.input_lines(Say("", "cannot open {0}")) if line.strip()]
    if not tool.has("t"):
        tool.out("".join(f"{line}\n" for line in lines))
        return
    marks = tool.value("s")
    rows = [re.split(f"[{re.escape(marks)}]", line) if marks else line.split() for line in lines]
    joiner = tool.value("o")
    joiner = "  " if joiner is None else joiner
    widths = [
        max(len(row[index]) for row in rows if index < len(row)) for index in range(max(map(len, rows), default=0))
    ]
    for row in rows:
        last = len(row) - 1
        cells = [cell if index == last else cell.ljust(widths[index]) for index, cell in enumerate(row)]
        tool.out(joiner.join(cells) + "\n")


def expand(tool: Tool) -> None:
    width = max(1, tool.width("t", 8))
    for line in tool.input_lines(SAME):
        tool.hold(len(line) + width * line.count(b"\t"))
        tool.out(line.expandtabs(width))


def unexpand(tool: Tool) -> None:
    width = max(1, tool.width("t", 8))
    everywhere = tool.has("a", "t") and not tool.has("f", "first-only")
    for line in tool.input_lines(SAME):
        tool.hold(len(line) + width * line.count(b"\t"))
        out, column = bytearray(), 0
        for blanks, word in re.findall(rb"([ \t]*)([^ \t]*)", line):
            if out and not everywhere:
                out += blanks + word
                continue
            end = column
            for blank in blanks:
                end += 1 if blank == 32 else width - end % width
            tabs = end // width - column // width
            if tabs and (len(blanks) > 1 or blanks == b"\t" or not (out and tool.gnu)):
                out += b"\t" * tabs + b" " * (end % width)
            else:
                out += b" " * (end - column)
            out += word
            column = end + len(word)
        tool.out(bytes(out))


UTILITIES = {
    "cut": Utility(
        cut,
        "b: c: f: d: s n D O:=output-delimiter",
        "b:=bytes c:=characters f:=fields d:=delimiter n s=only-delimited =complement =output-delimiter: z",
        "[OPTIONS] [FILE]...",
        "OPTION... [FILE]...",
    ),
    "uniq": Utility(
        uniq,
        "c d u i f: s: w: z",
        "c=count d=repeated u=unique i=ignore-case f:=skip-fields s:=skip-chars w:=check-chars",
        "[-cduiz] [-f,s,w N] [FILE [OUTFILE]]",
    ),
    "tr": Utility(
        tr,
        "c d s C",
        "c=complement C d=delete s=squeeze-repeats t=truncate-set1",
        "[-cds] STRING1 [STRING2]",
        "[OPTION]... STRING1 [STRING2]",
        permute=False,
        needs="operand",
    ),
    "column": Utility(column, None, "t=table s:=separator o:=output-separator n e", "", package="util-linux 2.38.1)"),
    "expand": Utility(expand, "t: i", "t:=tabs i", "[-i] [-t N] [FILE]..."),
    "unexpand": Utility(unexpand, "t:=tabs f=first-only a=all", "t:=tabs a=all =first-only", "[-fa][-t N] [FILE]..."),
}
