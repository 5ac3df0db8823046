"""diff and cmp."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import Literal

from labkit.files import Content
from labkit.userland.quantities import formatted, size
from labkit.userland.tool import SAME, Done, Say, Tool, Utility, below, bytes_of, text_of

Op = tuple[Literal["replace", "delete", "insert", "equal"], int, int, int, int]  # what SequenceMatcher gives
_LIMIT = 20_000  # lines of a file that are compared one by one


def diff(tool: Tool) -> int:
    if len(tool.operands) < 2:
        if tool.gnu:
            after = f" after '{tool.operands[0] if tool.operands else 'diff'}'"
            tool.process.stderr.write(f"diff: missing operand{after}\ndiff: Try 'diff --help' for more information.\n")
            raise Done(2)
        tool.usage()
    if len(tool.operands) > 2:
        tool.usage(f"extra operand '{tool.operands[2]}'")
    left, right = tool.operands
    try:
        return _pair(tool, left, right, top=True)
    except OSError as error:
        tool.complain(Say("can't stat '{0}'", "{0}"), str(error.filename), error=error)
        return 2


def _is_folder(tool: Tool, path: str) -> bool:
    if path == "-" or (tool.has("N") and not tool.files.exists(path)):
        return False
    return stat.S_ISDIR(tool.files.stat(path).st_mode)


def _pair(tool: Tool, left: str, right: str, *, top: bool = False) -> int:
    one, other = _is_folder(tool, left), _is_folder(tool, right)
    if one and other:
        return _folders(tool, left, right)
    if one != other and top:
        name = (right if one else left).rstrip("/").rpartition("/")[2]
        left, right = (below(left, name), right) if one else (left, below(right, name))
        tool.files.stat(left), tool.files.stat(right)
    elif one != other:
        kinds = ["directory" if folder else "regular file" for folder in (one, other)]
        tool.out(f"File {left} is a {kinds[0]} while file {right} is a {kinds[1]}\n")
        return 1
    return _files(tool, left, right, top)


def _folders(tool: Tool, left: str, right: str) -> int:
    names = sorted({*tool.files.listdir(left), *tool.files.listdir(right)})
    status = 0
    for name in names:
        tool.tick()
        one, other = below(left, name), below(right, name)
        here, there = name in tool.files.listdir(left), name in tool.files.listdir(right)
        if not (here and there) and not tool.has("N"):
            tool.out(f"Only in {left if here else right}: {name}\n")
            status = 1
        elif here and there and _is_folder(tool, one) and _is_folder(tool, other) and not tool.has("r"):
            tool.out(f"Common subdirectories: {one} and {other}\n")
        else:
            status = max(status, _pair(tool, one, other))
    return status


def _read(tool: Tool, path: str) -> Content:
    if tool.has("N") and path != "-" and not tool.files.exists(path):
        return Content()
    return tool.content(path)


def _files(tool: Tool, left: str, right: str, top: bool) -> int:
    one = _read(tool, left)
    other = one if left == right else _read(tool, right)
    if one == other:
        if tool.has("s"):
            tool.out(f"Files {left} and {right} are identical\n")
        return 0
    if tool.has("q"):
        tool.out(f"Files {left} and {right} differ\n")
        return 1
    if b"\0" in one.read(0, 4096) or b"\0" in other.read(0, 4096):
        tool.out(f"Binary files {left} and {right} differ\n")
        return 1
    before, after = ([text_of(line) for line in tool.lines(content)] for content in (one, other))
    if max(len(before), len(after)) > _LIMIT:
        tool.fail("these files are too long for this simulation", 2)
    ops = _operations(tool, before, after)
    blank = tool.has("B")
    if not any(
        op[0] != "equal" and not (blank and _is_blank(before[op[1] : op[2]] + after[op[3] : op[4]])) for op in ops
    ):
        return 0
    if not top and tool.gnu:
        flags = "".join(f" -{name}" if len(name) == 1 else f" --{name}" for name, _ in tool.options)
        tool.out(f"diff{flags} {left} {right}\n")
    unified = tool.has("u", "U") or not tool.gnu
    out = _unified(tool, left, right, before, after, ops) if unified else _normal(before, after, ops)
    tool.out(b"".join(bytes_of(text) for text in out))
    return 1


def _is_blank(lines: list[str]) -> bool:
    return all(not line.strip("\n") for line in lines)


def _operations(tool: Tool, left: list[str], right: list[str]) -> list[Op]:
    def key(line: str) -> str:
        if tool.has("w"):
            line = "".join(line.split())
        elif tool.has("b"):
            line = " ".join(line.split())
        return line.lower() if tool.has("i") else line

    tool.tick(len(left) + len(right))
    return SequenceMatcher(
        None, [key(line) for line in left], [key(line) for line in right], autojunk=False
    ).get_opcodes()


_NO_NEWLINE = "\n\\ No newline at end of file\n"


def _line(mark: str, line: str) -> str:
    return mark + line if line.endswith("\n") else mark + line + _NO_NEWLINE


def _span(start: int, stop: int) -> str:
    return f"{start + 1},{stop}" if stop - start > 1 else str(stop)


def _normal(left: list[str], right: list[str], ops: list[Op]) -> Iterator[str]:
    for kind, a, b, c, d in ops:
        if kind == "equal":
            continue
        one = _span(a, b) if b > a else str(a)
        other = _span(c, d) if d > c else str(c)
        yield f"{one}{'adc'[('insert', 'delete', 'replace').index(kind)]}{other}\n"
        yield from (_line("< ", line) for line in left[a:b])
        if kind == "replace":
            yield "---\n"
        yield from (_line("> ", line) for line in right[c:d])


def _unified(tool: Tool, left: str, right: str, one: list[str], other: list[str], ops: list[Op]) -> Iterator[str]:
    context = tool.number("U", 3)
    labels = [*tool.values("L"), "", ""]
    for mark, path, label in (("---", left, labels[0]), ("+++", right, labels[1])):
        yield f"{mark} {label or path + _stamp(tool, path)}\n"
    for group in _grouped(ops, context):
        a, b, c, d = group[0][1], group[-1][2], group[0][3], group[-1][4]
        yield f"@@ -{_range(a, b)} +{_range(c, d)} @@\n"
        for kind, a, b, c, d in group:
            if kind == "equal":
                yield from (_line(" ", line) for line in one[a:b])
                continue
            yield from (_line("-", line) for line in one[a:b])
            yield from (_line("+", line) for line in other[c:d])


def _stamp(tool: Tool, path: str) -> str:
    if not tool.gnu:
        return ""
    exists = path != "-" and tool.files.exists(path)
    ns = tool.files.stat(path).st_mtime_ns if exists else tool.process.kernel.clock.now if path == "-" else 0
    return "\t" + formatted("%Y-%m-%d %H:%M:%S.%N +0000", ns)


def _range(start: int, stop: int) -> str:
    length = stop - start
    return f"{start + (length > 0)}" if length == 1 else f"{start + (length > 0)},{length}"


def _grouped(ops: list[Op], context: int) -> Iterator[list[Op]]:
    """Changes with their context, those close to each other together."""
    group: list[Op] = []
    for kind, a, b, c, d in ops:
        if kind != "equal":
            group.append((kind, a, b, c, d))
        elif not group:
            keep = min(context, b - a)
            group = [(kind, b - keep, b, d - keep, d)]
        elif b - a > 2 * context:
            group.append((kind, a, a + context, c, c + context))
            yield group
            group = [(kind, b - context, b, d - context, d)]
        else:
            group.append((kind, a, b, c, d))
    if group and group[-1][0] == "equal":
        kind, a, b, c, d = group.pop()
        group.append((kind, a, min(b, a + context), c, min(d, c + context)))
    if any(op[0] != "equal" for op in group):
        yield group


# cmp


def cmp(tool: Tool) -> int:
    left, right = tool.operands[0], tool.operands[1] if len(tool.operands) > 1 else "-"
    contents = []
    for path in (left, right):
        with tool.refusing(SAME, path, status=2):
            contents.append(tool.content(path))
    one, other = contents
    if limit := tool.value("n"):
        one, other = one[: size(limit)], other[: size(limit)]  # type: ignore[assignment]
    if one == other:
        return 0
    return _differences(tool, left, right, one, other)


def _differences(tool: Tool, left: str, right: str, one: Content, other: Content) -> int:
    place, line, last = 0, 1, 10
    common = min(one.size, other.size)
    width = len(str(max(one.size, other.size))) if tool.gnu else 1
    while place < common:
        step = min(1 << 16, common - place)
        first, second = one.read(place, step), other.read(place, step)
        tool.tick()
        for index in range(step) if first != second else ():
            if first[index] != second[index]:
                at = place + index + 1
                if not tool.has("l"):
                    return _first_difference(tool, left, right, at, line + first[:index].count(b"\n"))
                tool.out(f"{at:{width}} {first[index]:3o} {second[index]:3o}\n")
        line += first.count(b"\n")
        last = first[-1]
        place += step
    if one.size != other.size and not tool.has("s"):
        short = left if one.size < other.size else right
        _end_of_file(tool, short, common, line, last)
    return 1


def _first_difference(tool: Tool, left: str, right: str, place: int, line: int) -> int:
    if not tool.has("s"):
        tool.out(f"{left} {right} differ: {'byte' if tool.gnu else 'char'} {place}, line {line}\n")
    return 1


def _end_of_file(tool: Tool, path: str, common: int, line: int, last: int) -> None:
    where = "" if tool.has("l") else f", line {line - 1}" if last == 10 else f", in line {line}"
    gnu = f" after byte {common}{where}" if common else " which is empty"
    tool.err(f"EOF on {path}{gnu if tool.gnu else ''}")


UTILITIES = {
    "diff": Utility(
        diff,
        "a b B d i N q r T s t w L: S: U: u",
        "a=text b=ignore-space-change B=ignore-blank-lines d=minimal i=ignore-case N=new-file "
        "q=brief r=recursive s=report-identical-files t T "
        "u U:=unified w=ignore-all-space L:=label x: y =color? =strip-trailing-cr",
        "[-abBdiNqrTstw] [-L LABEL] [-S FILE] [-U LINES] FILE1 FILE2",
        bad=2,
        package="GNU diffutils) 3.8",
    ),
    "cmp": Utility(
        cmp,
        "l s n:",
        "l=verbose s=quiet,silent n:=bytes b i:",
        "[-ls] [-n NUM] FILE1 [FILE2 [SKIP1 [SKIP2]]]",
        "[OPTION]... FILE1 [FILE2 [SKIP1 [SKIP2]]]",
        bad=2,
        package="GNU diffutils) 3.8",
        needs="operand",
    ),
}
