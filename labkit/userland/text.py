"""Whole files and their lines: cat, head, tail, tac, rev, nl, fold, paste, comm, tee, wc, split and the like."""

from __future__ import annotations

import hashlib
import re
import stat
from collections.abc import Iterator

from labkit.files import O_APPEND, O_CREAT, O_TRUNC, O_WRONLY, Content
from labkit.userland.numbers import size
from labkit.userland.tool import OPEN, SAME, Done, Say, Tool, Utility, bytes_of, text_of

_READ_ERROR = Say("read error", "{0:n}")
_FOR_READING = Say("{0}", "cannot open {0:q} for reading")
_TAIL_OPEN = Say("can't open '{0}'", "cannot open {0:q} for reading")


# cat


def cat(tool: Tool) -> None:
    tool.options += [(letter, "") for name, _ in tool.options for letter in _CAT_SHORT.get(name, "")]
    marked = tool.has("n", "b", "s", "v", "E", "T")
    state = {"number": 0, "blank": False, "fresh": True}
    for path in tool.operands or ["-"]:
        try:
            content = tool.content(path)
        except OSError as error:
            tool.complain(OPEN if error.filename else _READ_ERROR, path, error=error)
            continue
        if marked:
            _cat_marked(tool, content, state)
        else:
            tool.process.stdout.write_content(content)


_CAT_SHORT = {"A": "vET", "e": "vE", "t": "vT"}  # what these stand for


def _cat_marked(tool: Tool, content: Content, state: dict[str, int]) -> None:
    for line in tool.lines(content):
        blank = line == b"\n"
        if state["fresh"]:
            if blank and state["blank"] and tool.has("s"):
                continue
            state["blank"] = blank
            if (tool.has("n") and not tool.has("b")) or (tool.has("b") and not blank):
                state["number"] += 1
                tool.out(f"{state['number']:6}\t")
        ended = line.endswith(b"\n")
        state["fresh"] = ended
        body = line[:-1] if ended else line
        if tool.has("v"):
            body = visible(body)
        if tool.has("T"):
            body = body.replace(b"\t", b"^I")
        tool.out(body + (b"$" if ended and tool.has("E") else b"") + (b"\n" if ended else b""))


def visible(data: bytes) -> bytes:
    """Control characters as ^X, bytes above 127 as M-x; tabs and newlines stay."""
    return b"".join(_VISIBLE[byte] for byte in data)


def _visible(byte: int) -> bytes:
    if byte >= 128:
        return b"M-" + _visible_low(byte - 128)
    return bytes([byte]) if byte in b"\t\n" else _visible_low(byte)


def _visible_low(byte: int) -> bytes:
    return b"^" + bytes([byte ^ 64]) if byte < 32 or byte == 127 else bytes([byte])


_VISIBLE = [_visible(byte) for byte in range(256)]


# head and tail


def old_count(args: list[str]) -> list[str]:
    """-5 in front is -n 5."""
    return [re.sub(r"^-(\d+)$", r"-n\1", arg) if index == 0 else arg for index, arg in enumerate(args)]


def _old_tail(args: list[str]) -> list[str]:
    if args and re.fullmatch(r"\+\d+", args[0]):
        args = [f"-n{args[0]}", *args[1:]]
    return old_count(args)


def _count(tool: Tool, text: str, what: str) -> int:
    try:
        return size(text, gnu=tool.gnu)
    except ValueError:
        tool.refuse(Say("invalid number '{0}'", f"invalid number of {what}: {{0:l}}"), text)


def _asked(tool: Tool) -> tuple[bool, str, int]:
    """Whether bytes are asked for (else lines), the sign, the number."""
    name = tool.last("c", "n") or "n"
    text = tool.value(name) or "10"
    sign = text[0] if text[0] in "+-" else ""
    return name == "c", sign, _count(tool, text[len(sign) :], "bytes" if name == "c" else "lines")


def _titled(tool: Tool) -> bool:
    if tool.last("q", "v") == "q":
        return False
    return len(tool.operands) > 1 or tool.has("v")


def head(tool: Tool) -> None:
    in_bytes, sign, count = _asked(tool)
    if sign == "+" and not tool.gnu:
        tool.fail(f"invalid number '{tool.value('n', 'c')}'")
    _files_with_titles(tool, _FOR_READING, lambda content: _head_of(tool, content, in_bytes, sign, count))


def _files_with_titles(tool: Tool, say: Say, cut) -> int:  # type: ignore[no-untyped-def]
    titled, shown = _titled(tool), 0
    for path in tool.operands or ["-"]:
        try:
            content = tool.content(path)
        except OSError as error:
            if error.filename is None and tool.gnu and titled:
                tool.out(("\n" if shown else "") + f"==> {path} <==\n")
                shown += 1
            read = Say("{0}" if tool.name == "head" else "read error", "error reading {0:q}")
            tool.complain(say if error.filename else read, path, error=error)
            shown += tool.name == "head" and not tool.gnu
            continue
        if titled:
            tool.out(("\n" if shown else "") + f"==> {'standard input' if path == '-' else path} <==\n")
        shown += 1
        tool.process.stdout.write_content(cut(content))
    return shown


def _head_of(tool: Tool, content: Content, in_bytes: bool, sign: str, count: int) -> Content:
    if in_bytes:
        return content[: max(0, len(content) - count) if sign == "-" else count]  # type: ignore[return-value]
    if sign == "-":
        return content[: _tail_start(tool, content, count)]  # type: ignore[return-value]
    return content[: _after_lines(tool, content, count)]  # type: ignore[return-value]


def _after_lines(tool: Tool, content: Content, count: int) -> int:
    """Where the first `count` lines end."""
    place = 0
    for block in content.blocks() if count else ():
        tool.tick(1 + len(block) // 1024)
        found = block.count(b"\n")
        if found >= count:
            start = 0
            for _ in range(count):
                start = block.index(b"\n", start) + 1
            return place + start
        count -= found
        place += len(block)
    return place


def _tail_start(tool: Tool, content: Content, count: int) -> int:
    """Where the last `count` lines start."""
    end, step = len(content), 1 << 16
    if count == 0 or end == 0:
        return end
    if content.read(end - 1, 1) == b"\n":
        count += 1
    while end > 0:
        start = max(0, end - step)
        block = content.read(start, end - start)
        tool.tick(1 + len(block) // 1024)
        found = block.count(b"\n")
        if found >= count:
            place = len(block)
            for _ in range(count):
                place = block.rindex(b"\n", 0, place)
            return start + place + 1
        count -= found
        end = start
    return 0


def tail(tool: Tool) -> int | None:
    in_bytes, sign, count = _asked(tool)
    shown = _files_with_titles(tool, _TAIL_OPEN, lambda content: _tail_of(tool, content, in_bytes, sign, count))
    if tool.has("f", "F") and (shown or tool.has("F")):
        return tool.process.wait_forever()
    if not shown and not tool.gnu and tool.status and not any(tool.files.is_dir(path) for path in tool.operands):
        tool.fail("no files")
    return None


def _tail_of(tool: Tool, content: Content, in_bytes: bool, sign: str, count: int) -> Content:
    if sign == "+":
        start = max(0, count - 1)
        return content[start if in_bytes else _after_lines(tool, content, start) :]  # type: ignore[return-value]
    if in_bytes:
        return content[max(0, len(content) - count) :]  # type: ignore[return-value]
    return content[_tail_start(tool, content, count) :]  # type: ignore[return-value]


# lines


def tac(tool: Tool) -> None:
    for _, content in tool.inputs(_FOR_TAC):
        for line in reversed(list(tool.lines(content))):
            tool.out(line)


_FOR_TAC = Say("{0}", "failed to open {0:q} for reading")


def rev(tool: Tool) -> None:
    for _, content in tool.inputs(Say("{0}", "cannot open {0}")):
        for line in tool.lines(content):
            body = text_of(line.removesuffix(b"\n"))
            tool.out(bytes_of(body[::-1]) + (b"\n" if line.endswith(b"\n") else b""))


_NUMBER = {"ln": "{0:<{1}}", "rn": "{0:>{1}}", "rz": "{0:0>{1}}"}


def nl(tool: Tool) -> None:
    style, separator = tool.value("b") or "t", tool.value("s")
    width, number, step = (int(tool.value(name) or default) for name, default in (("w", 6), ("v", 1), ("i", 1)))
    separator = "\t" if separator is None else separator
    form = _NUMBER.get(tool.value("n") or "rn", "{0:>{1}}")
    for _, content in tool.inputs(SAME):
        for line in tool.lines(content):
            body = line.removesuffix(b"\n")
            if style == "a" or (style == "t" and body):
                tool.out(form.format(number, width) + separator)
                number += step
            else:
                tool.out(" " * (width + len(separator)))
            tool.out(body + b"\n")


def fold(tool: Tool) -> None:
    width = int(tool.value("w") or 80)
    for _, content in tool.inputs(SAME):
        for line in tool.lines(content):
            ended = line.endswith(b"\n")
            pieces = _folded(text_of(line.removesuffix(b"\n")), width, tool.has("s"))
            tool.out(bytes_of("\n".join(pieces)) + (b"\n" if ended else b""))


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
    columns: list[list[bytes]] = []
    shared: Iterator[bytes] | None = None
    for path in tool.operands or ["-"]:
        if path == "-":
            shared = shared or iter([line.removesuffix(b"\n") for line in tool.lines(tool.content("-"))])
            columns.append(shared)  # type: ignore[arg-type]
            continue
        for _, content in tool.inputs(SAME, [path]):
            columns.append([line.removesuffix(b"\n") for line in tool.lines(content)])
        if tool.status and not tool.has("s"):
            return
    if tool.has("s"):
        for column in columns:
            tool.out(_joined(list(column), marks) + b"\n")
        return
    for row in _rows(columns):
        tool.out(_joined([cell or b"" for cell in row], marks) + b"\n")


def _rows(columns: list[list[bytes]]) -> Iterator[tuple[bytes | None, ...]]:
    iterators = [iter(column) for column in columns]
    while True:
        row = tuple(next(iterator, None) for iterator in iterators)
        if all(cell is None for cell in row):
            return
        yield row


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
        files.append([line for _, content in tool.inputs(SAME, [path]) for line in tool.lines(content)])
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


def tee(tool: Tool) -> None:
    content = tool.content("-")
    flags = O_WRONLY | O_CREAT | (O_APPEND if tool.has("a") else O_TRUNC)
    for path in tool.operands:
        try:
            with tool.files.open(path, flags) as handle:
                handle.write_content(content)
        except OSError as error:
            tool.complain(SAME, path, error=error)
    tool.process.stdout.write_content(content)


# wc


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
    found = {"l": 0, "w": 0, "m": 0, "c": len(content), "L": 0}
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


# others


def more(tool: Tool) -> None:
    for _, content in tool.inputs(Say("can't open '{0}'", "cannot open {0}")):
        tool.process.stdout.write_content(content)


def shuf(tool: Tool) -> None:
    """An order that depends on the machine's clock alone."""
    if tool.has("e"):
        lines = [bytes_of(operand) + b"\n" for operand in tool.operands]
    elif limits := tool.value("i"):
        low, _, high = limits.partition("-")
        lines = [b"%d\n" % number for number in range(int(low), int(high) + 1)]
    else:
        lines = [line.rstrip(b"\n") + b"\n" for _, content in tool.inputs(SAME) for line in tool.lines(content)]
    now = str(tool.process.kernel.clock.now)
    order = sorted(range(len(lines)), key=lambda index: hashlib.sha256(f"{now} {index}".encode()).digest())
    count = int(tool.value("n") or len(lines))
    for index in order[:count]:
        tool.out(lines[index])


def split(tool: Tool) -> None:
    path = tool.operands[0] if tool.operands else "-"
    prefix = tool.operands[1] if len(tool.operands) > 1 else "x"
    content = next((content for _, content in tool.inputs(Say("{0}", "cannot open {0:q} for reading"), [path])), None)
    if content is None:
        return
    if tool.has("b"):
        step = _count(tool, tool.value("b") or "", "bytes")
        pieces: Iterator[Content] = (content[at : at + step] for at in range(0, len(content), step))  # type: ignore[misc]
    else:
        pieces = _by_lines(tool, content, _count(tool, tool.value("l") or "1000", "lines"))
    width = int(tool.value("a") or 2)
    for index, piece in enumerate(pieces):
        tool.tick()
        tool.files.write(prefix + _suffix(index, width, tool.has("d")), piece)


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
    least = int(tool.value("n") or 4)
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
    "cat": Utility(
        cat,
        "n b v t e A u s",
        "A=show-all b=number-nonblank e E=show-ends n=number s=squeeze-blank t T=show-tabs u v=show-nonprinting",
        "[-nbvteA] [FILE]...",
    ),
    "head": Utility(
        head, "n: c: q v", "n:=lines c:=bytes q=quiet,silent v=verbose", "[OPTIONS] [FILE]...", prepare=old_count
    ),
    "tail": Utility(
        tail,
        "n: c: f F q v s:",
        "n:=lines c:=bytes f F q=quiet,silent v=verbose s:=sleep-interval =follow? =retry =pid:",
        "[OPTIONS] [FILE]...",
        prepare=_old_tail,
    ),
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
    "tee": Utility(tee, "a i", "a=append i=ignore-interrupts p", "[-ai] [FILE]..."),
    "wc": Utility(wc, "c m l w L", "c=bytes m=chars l=lines w=words L=max-line-length", "[-cmlwL] [FILE]..."),
    "more": Utility(more, "d", "d f l p c s u", "[FILE]..."),
    "less": Utility(more, "E F I M m N S R h", "E F I M m N S R i n X r", "[-EFIMmNSRh~] [FILE]..."),
    "shuf": Utility(
        shuf,
        "e i: n: o: z",
        "e=echo i:=input-range n:=head-count",
        "[-n NUM] [-o FILE] [-z] [FILE | -e [ARG...] | -i L-H]",
    ),
    "split": Utility(split, "b: l: a: d", "b:=bytes l:=lines a:=suffix-length d", "[OPTIONS] [INPUT [PREFIX]]"),
    "strings": Utility(strings, "f o t: n: a", "f o t:=radix n:=bytes a=all", "[-fo] [-t o|d|x] [-n LEN] [FILE]..."),
}
