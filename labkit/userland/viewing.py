"""cat, head, tail, more, less, tee: files as they are."""

from __future__ import annotations

import re
from collections.abc import Callable

from labkit.files import O_APPEND, O_CREAT, O_TRUNC, O_WRONLY, Content
from labkit.userland.quantities import size
from labkit.userland.tool import SAME, Say, Tool, Utility

_READ_ERROR = Say("read error", "{0:n}")
_FOR_READING = Say("{0}", "cannot open {0:q} for reading")
_TAIL_OPEN = Say("can't open '{0}'", "cannot open {0:q} for reading")


def cat(tool: Tool) -> None:
    tool.options += [(letter, "") for name, _ in tool.options for letter in _CAT_SHORT.get(name, "")]
    marked = tool.has("n", "b", "s", "v", "E", "T")
    state = {"number": 0, "blank": False, "fresh": True}
    for _, content in tool.inputs(reading=_READ_ERROR):
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


def old_count(args: list[str]) -> list[str]:
    """-5 in front is -n 5."""
    return [re.sub(r"^-(\d+)$", r"-n\1", arg) if index == 0 else arg for index, arg in enumerate(args)]


def _old_tail(args: list[str]) -> list[str]:
    if args and re.fullmatch(r"\+\d+", args[0]):
        args = [f"-n{args[0]}", *args[1:]]
    return old_count(args)


def count(tool: Tool, text: str, what: str) -> int:
    try:
        return size(text, gnu=tool.gnu)
    except ValueError:
        tool.refuse(Say("invalid number '{0}'", f"invalid number of {what}: {{0:l}}"), text)


def _asked(tool: Tool) -> tuple[bool, str, int]:
    """Whether bytes are asked for (else lines), the sign, the number."""
    name = tool.last("c", "n") or "n"
    text = tool.value(name) or "10"
    sign = text[0] if text[0] in "+-" else ""
    return name == "c", sign, count(tool, text[len(sign) :], "bytes" if name == "c" else "lines")


def _titled(tool: Tool) -> bool:
    return tool.last("q", "v") != "q" and (len(tool.operands) > 1 or tool.has("v"))


def head(tool: Tool) -> None:
    in_bytes, sign, count = _asked(tool)
    if sign == "+" and not tool.gnu:
        tool.fail(f"invalid number '{tool.value('n', 'c')}'")
    _files_with_titles(tool, _FOR_READING, lambda content: _head_of(tool, content, in_bytes, sign, count))


def _files_with_titles(tool: Tool, say: Say, cut: Callable[[Content], Content]) -> int:
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
        stop = max(0, content.size - count) if sign == "-" else count
    else:
        stop = (_tail_start if sign == "-" else _after_lines)(tool, content, count)
    return content[:stop]  # type: ignore[return-value]


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
    end, step = content.size, 1 << 16
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
        return content[max(0, content.size - count) :]  # type: ignore[return-value]
    return content[_tail_start(tool, content, count) :]  # type: ignore[return-value]


def tee(tool: Tool) -> None:
    content = tool.content("-")
    flags = O_WRONLY | O_CREAT | (O_APPEND if tool.has("a") else O_TRUNC)
    for path in tool.operands:
        with tool.complaining(SAME, path), tool.files.open(path, flags) as handle:
            try:
                handle.write_content(content)
            except OSError as error:
                tool.err(f"{tool.text(SAME, path)}: {tool.reason(error) if tool.gnu else 'I/O error'}")
    tool.process.stdout.write_content(content)


def more(tool: Tool) -> None:
    for _, content in tool.inputs(Say("can't open '{0}'", "cannot open {0}")):
        tool.process.stdout.write_content(content)


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
    "tee": Utility(tee, "a i", "a=append i=ignore-interrupts p", "[-ai] [FILE]..."),
    "more": Utility(more, "d", "d f l p c s u", "[FILE]..."),
    "less": Utility(more, "E F I M m N S R h", "E F I M m N S R i n X r", "[-EFIMmNSRh~] [FILE]..."),
}
