"""Utilities that take a text line by line, or count it: tac rev nl fold paste comm wc shuf split strings."""

from __future__ import annotations

import hashlib
import re
import stat
from collections.abc import Iterator
from itertools import zip_longest

from labkit.files import Content
from labkit.userland.tool import SAME, Done, Say, Tool, Utility, bytes_of, text_of
from labkit.userland.viewing import count


def tac(tool: Tool) -> None:
    for _, content in tool.inputs(_FOR_TAC):
        for line in reversed(list(tool.lines(content))):
            tool.out(line)


_FOR_TAC = Say("{0}", "failed to open {0:q} for reading")


def rev(tool: Tool) -> None:
    for line in tool.input_lines(Say("{0}", "cannot open {0}")):
        body = text_of(line.removesuffix(b"\n"))
        tool.out(bytes_of(body[::-1]) + (b"\n" if line.endswith(b"\n") else b""))


_NUMBER = {"ln": "{0:<{1}}", "rn": "{0:>{1}}", "rz": "{0:0>{1}}"}


def nl(tool: Tool) -> None:
    style, separator = tool.value("b") or "t", tool.value("s")
    width, number, step = (tool.width("w", 6), tool.number("v", 1), tool.number("i", 1))
    separator = "\t" if separator is None else separator
    form = _NUMBER.get(tool.value("n") or "rn", "{0:>{1}}")
    for line in tool.input_lines(SAME):
        body = line.removesuffix(b"\n")
        if style == "a" or (style == "t" and body):
            tool.out(form.format(number, width) + separator)
            number += step
        else:
            tool.out(" " * (width + len(separator)))
        tool.out(body + b"\n")


def fold(tool: Tool) -> None:
    width = max(1, tool.number("w", 80))
    for line in tool.input_lines(SAME):
        tool.tick(len(line) // width * (1 + (len(line) >> 12)))
        pieces = _folded(text_of(line.removesuffix(b"\n")), width, tool.has("s"))
        tool.out(bytes_of("\n".join(pieces)) + (b"\n" if line.endswith(b"\n") else b""))


def _folded(text: str, width: int, at_spaces: bool) -> list[str]:
    pieces = []
    while len(text) > width:
        cut = width
        if at_spaces and (space := max(text.rfind(" ", 0, width), text.rfind("\t", 0, width))) >= 0:
            cut = space + 1
        pieces.append(text[:cut])
        text = text[cut:]
    return [*pieces, text]


_LIST_ESCAPES = {"n": "\n", "t": "\t", "\\": "\\", "0": ""}


def paste(tool: Tool) -> None:
    raw = tool.value("d")
    text = re.sub(r"\\(.)", lambda match: _LIST_ESCAPES.get(match[1], match[1]), raw) if raw else "\t"
    marks = [bytes_of(mark) for mark in text] or [b""]
    columns: list[Iterator[bytes]] = []
    shared: Iterator[bytes] | None = None  # the standard input, however often it is named
    for path in tool.operands or ["-"]:
        if path != "-" or shared is None:
            lines = list(tool.input_lines(SAME, [path]))
            if tool.status and not tool.has("s"):
                return
            columns.append(line.removesuffix(b"\n") for line in lines)
            shared = columns[-1] if path == "-" else shared
        else:
            columns.append(shared)
    for row in columns if tool.has("s") else zip_longest(*columns, fillvalue=b""):
        tool.out(_joined(list(row), marks) + b"\n")


def _joined(cells: list[bytes], marks: list[bytes]) -> bytes:
    out = cells[0] if cells else b""
    for index, cell in enumerate(cells[1:]):
        out += marks[index % len(marks)] + cell
    return out


def comm(tool: Tool) -> None:
    if len(tool.operands) < 2:
        tool.missing(after=True)
    files = []
    for path in tool.operands[:2]:
        files.append(list(tool.input_lines(SAME, [path])))
        if tool.status:
            raise Done(tool.status)
    left, right = files
    for number, lines in enumerate(files, 1):
        if lines != sorted(lines) and tool.gnu:
            tool.err(f"file {number} is not in sorted order")
    shown = [not tool.has(column) for column in "123"]
    while left or right:
        tool.tick()
        if left and right and left[0].rstrip(b"\n") == right[0].rstrip(b"\n"):
            column, line = 2, left.pop(0)
            right.pop(0)
        elif not right or (left and left[0] < right[0]):
            column, line = 0, left.pop(0)
        else:
            column, line = 1, right.pop(0)
        if shown[column]:
            tool.out(b"\t" * sum(shown[:column]) + line.rstrip(b"\n") + b"\n")
    if tool.status:
        tool.err("input is not in sorted order")


def wc(tool: Tool) -> None:
    columns = [letter for letter in "lwmcL" if tool.has(letter)] or ["l", "w", "c"]
    rows: list[tuple[str, dict[str, int]]] = []
    for path in tool.operands or ["-"]:
        try:
            content = tool.content(path)
        except OSError as error:
            tool.complain(SAME, path, error=error)
            if error.filename is None:
                rows.append((path, dict.fromkeys("lwmcL", 0)))
            continue
        rows.append((path, _counts(tool, content, columns)))
    width = _wc_width(tool, columns, rows)
    if len(tool.operands) > 1:
        total = {letter: sum(row[letter] for _, row in rows) for letter in "lwmc"}
        rows.append(("total", {**total, "L": max((row["L"] for _, row in rows), default=0)}))
    for path, row in rows:
        cells = [f"{row[letter]:{width}}" for letter in columns]
        name = f" {path}" if tool.operands else ""
        tool.out(" ".join(cells) + name + "\n")


def _wc_width(tool: Tool, columns: list[str], rows: list[tuple[str, dict[str, int]]]) -> int:
    if not tool.gnu:
        return 9 if len(columns) > 1 or len(tool.operands) > 1 else 0
    if len(columns) == 1 and len(tool.operands) <= 1:
        return 0
    least, total = 1, 0
    for path in tool.operands or ["-"]:
        try:
            about = tool.files.stat(path) if path != "-" else tool.process.stdin.handle.stat()  # type: ignore[attr-defined]
        except OSError:
            continue
        except AttributeError:
            least = 7
            continue
        if stat.S_ISREG(about.st_mode):
            total += about.st_size
        else:
            least = 7
    return max(least, len(str(total)))


def _counts(tool: Tool, content: Content, columns: list[str]) -> dict[str, int]:
    found = {"l": 0, "w": 0, "m": 0, "c": content.size, "L": 0}
    if columns == ["c"]:
        return found
    inside = False
    for block in content.blocks():
        tool.tick(1 + len(block) // 1024)
        found["l"] += block.count(b"\n")
        if "w" in columns:
            words = block.split()
            found["w"] += len(words) - (inside and bool(words) and not block[:1].isspace())
            inside = not block[-1:].isspace()
        if "m" in columns:
            found["m"] += len(block) - sum(0x80 <= byte < 0xC0 for byte in block) if not block.isascii() else len(block)
    if "L" in columns:
        found["L"] = max((len(text_of(line.rstrip(b"\n")).expandtabs(8)) for line in tool.lines(content)), default=0)
    return found


def shuf(tool: Tool) -> None:
    """An order that depends on the machine's clock alone."""
    if tool.has("e"):
        lines = [bytes_of(operand) + b"\n" for operand in tool.operands]
    elif limits := tool.value("i"):
        low, _, high = limits.partition("-")
        lines = [b"%d\n" % number for number in range(int(low), int(high) + 1)]
    else:
        lines = [line.rstrip(b"\n") + b"\n" for line in tool.input_lines(SAME)]
    now = str(tool.process.kernel.clock.now)
    order = sorted(range(len(lines)), key=lambda index: hashlib.sha256(f"{now} {index}".encode()).digest())
    count = tool.number("n", len(lines))
    for index in order[:count]:
        tool.out(lines[index])


def split(tool: Tool) -> None:
    path = tool.operands[0] if tool.operands else "-"
    prefix = tool.operands[1] if len(tool.operands) > 1 else "x"
    content = next((content for _, content in tool.inputs(Say("{0}", "cannot open {0:q} for reading"), [path])), None)
    if content is None:
        return
    if tool.has("b"):
        step = count(tool, tool.value("b") or "", "bytes")
        pieces: Iterator[Content] = (content[at : at + step] for at in range(0, content.size, step))  # type: ignore[misc]
    else:
        pieces = _by_lines(tool, content, count(tool, tool.value("l") or "1000", "lines"))
    width = tool.width("a", 2)
    for index, piece in enumerate(pieces):
        tool.tick(4 + width // 64)
        tool.files.write(prefix + _suffix(index, min(width, 256), tool.has("d")), piece)


def _by_lines(tool: Tool, content: Content, count: int) -> Iterator[Content]:
    lines = list(tool.lines(content))
    for start in range(0, len(lines), count):
        yield Content(b"".join(lines[start : start + count]))


def _suffix(index: int, width: int, digits: bool) -> str:
    letters = "0123456789" if digits else "abcdefghijklmnopqrstuvwxyz"
    out = ""
    for _ in range(width):
        index, rest = divmod(index, len(letters))
        out = letters[rest] + out
    return out


def strings(tool: Tool) -> None:
    least = tool.number("n", 4)
    base = {"x": "x", "o": "o", "d": "d"}.get(tool.value("t") or ("o" if tool.has("o") else ""))
    for path, content in tool.inputs(Say("{0}", "'{0}': No such file" if tool.gnu else "{0}")):
        place = 0
        for block in content.blocks():
            tool.tick(1 + len(block) // 1024)
            for match in re.finditer(rb"[\x20-\x7e\t]{%d,}" % least, block):
                where = f"{place + match.start():7{base}} " if base else ""
                tool.out((f"{path}: " if tool.has("f") else "") + where + match[0].decode() + "\n")
            place += len(block)


UTILITIES = {
    "tac": Utility(tac, "", "b r s:", "[FILE]..."),
    "rev": Utility(rev, "", "", "[FILE]..."),
    "nl": Utility(
        nl,
        "b: i: s: v: w: n:",
        "b:=body-numbering i:=line-increment n:=number-format s:=number-separator "
        "v:=starting-line-number w:=number-width",
        "[OPTIONS] [FILE]...",
    ),
    "fold": Utility(
        fold,
        "b s w:",
        "b=bytes s=spaces w:=width",
        "[-bs] [-w WIDTH] [FILE]...",
        prepare=lambda args: [re.sub(r"^-(\d+)$", r"-w\1", arg) for arg in args],
    ),
    "paste": Utility(paste, "d: s", "d:=delimiters s=serial", "[-d LIST] [-s] [FILE]..."),
    "comm": Utility(comm, "1 2 3", "1 2 3", "[-123] FILE1 FILE2"),
    "wc": Utility(wc, "c m l w L", "c=bytes m=chars l=lines w=words L=max-line-length", "[-cmlwL] [FILE]..."),
    "shuf": Utility(
        shuf,
        "e i: n: o: z",
        "e=echo i:=input-range n:=head-count",
        "[-n NUM] [-o FILE] [-z] [FILE | -e [ARG...] | -i L-H]",
    ),
    "split": Utility(split, "b: l: a: d", "b:=bytes l:=lines a:=suffix-length d", "[OPTIONS] [INPUT [PREFIX]]"),
    "strings": Utility(strings, "f o t: n: a", "f o t:=radix n:=bytes a=all", "[-fo] [-t o|d|x] [-n LEN] [FILE]..."),
}
