"""grep, egrep, fgrep."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from posixpath import basename

from labkit.files import Content
from labkit.kernel.guarded import Searchable, guarded
from labkit.userland.patterns import BadPattern, matches, translated
from labkit.userland.tool import SAME, Done, Say, Tool, Utility, below, bytes_of, text_of


@dataclass
class Search:
    """One run of grep."""

    tool: Tool
    pattern: Searchable
    named: bool
    before: int
    after: int
    limit: int
    found: bool = False
    printed: bool = False


def grep(tool: Tool) -> int:
    patterns, paths = _patterns(tool)
    pattern = _compiled(tool, patterns)
    recursive = tool.has("r", "R")
    if recursive and not paths:
        paths = ["."]
    named = (recursive or len(paths) > 1) if tool.last("h", "H") is None else tool.last("h", "H") == "H"
    if recursive and len(paths) == 1 and not tool.files.is_dir(paths[0]) and tool.last("h", "H") is None:
        named = False
    around = _number(tool, "C")
    limit = tool.value("m")
    search = Search(
        tool, pattern, named, _number(tool, "B", around), _number(tool, "A", around), int(limit) if limit else 1 << 60
    )
    for path, content in _contents(tool, paths or ["-"], recursive):
        _one(search, path, content)
        if search.found and tool.has("q"):
            return 0
    if tool.status and not (tool.has("q") and search.found):
        return 2
    return 0 if search.found else 1


def _number(tool: Tool, name: str, default: int = 0) -> int:
    text = tool.value(name)
    if text is None:
        return default
    if not text.isdigit():
        tool.fail(f"{text}: invalid context length argument" if tool.gnu else f"invalid number '{text}'", 2)
    return int(text)


def _patterns(tool: Tool) -> tuple[list[str], list[str]]:
    """The patterns and the files."""
    patterns = [line for text in tool.values("e") for line in text.split("\n")]
    for path in tool.values("f"):
        with tool.refusing(SAME, path, status=2):
            lines = text_of(tool.data(path)).split("\n")
        patterns += lines[:-1] if lines[-1] == "" else lines
    if tool.has("e", "f"):
        return patterns, tool.operands
    if not tool.operands:
        if tool.gnu:
            tool.process.stderr.write(f"Usage: {tool.name} [OPTION]... PATTERNS [FILE]...\n")
        tool.usage()
    return tool.operands[0].split("\n"), tool.operands[1:]


def _compiled(tool: Tool, patterns: list[str]) -> Searchable:
    kind = "F" if tool.name == "fgrep" else "E" if tool.name == "egrep" else "G"
    kind = tool.last("F", "E", "G", "P") or kind
    parts = [_part(tool, pattern, kind) for pattern in patterns]
    text = "|".join(f"(?:{part})" for part in parts) if len(parts) != 1 else parts[0]
    if not parts:
        text = "(?!)"
    if tool.has("x"):
        text = rf"^(?:{text})\Z"
    elif tool.has("w"):
        text = rf"(?<!\w)(?:{text})(?!\w)"
    try:
        pattern = re.compile(text, re.I if tool.has("i", "y") else 0)
    except re.error:
        _bad(tool, patterns[0], "Invalid regular expression")
        raise Done(2) from None
    return guarded(pattern, tool.tick)


def _part(tool: Tool, pattern: str, kind: str) -> str:
    if kind == "F":
        return re.escape(pattern)
    if kind == "P":
        return pattern
    try:
        return translated(pattern, extended=kind == "E")
    except BadPattern as bad:
        _bad(tool, pattern, str(bad))
        raise Done(2) from None


def _bad(tool: Tool, pattern: str, why: str) -> None:
    if why.startswith("Unmatched ["):
        why = "Invalid regular expression"
    tool.fail(why if tool.gnu else f"bad regex '{pattern}'", 2)


def _contents(tool: Tool, paths: list[str], recursive: bool) -> Iterator[tuple[str, Content]]:
    for path in paths:
        if path != "-" and tool.files.is_dir(path):
            if recursive:
                yield from _below(tool, path)
            elif tool.gnu and tool.value("d") != "skip":
                tool.complain(Say("", "{0}: Is a directory"), path, status=2)
            continue
        yield from _open(tool, path)


def _open(tool: Tool, path: str) -> Iterator[tuple[str, Content]]:
    try:
        content = tool.content(path)
    except OSError as error:
        status = 2 if tool.gnu or path in tool.operands else 0
        tool.status = max(tool.status, status)
        if not tool.has("s"):
            tool.complain(Say("{0}", "{0}"), path, error=error, status=status)
        return
    yield path, content


def _below(tool: Tool, path: str) -> Iterator[tuple[str, Content]]:
    tool.tick()
    names = tool.attempt(lambda: tool.files.listdir(path), Say("{0}", "{0}"), path, status=2) or []
    implicit = tool.gnu and not tool.operands[1:] and not tool.has("e", "f")
    for name in names:
        inside = name if implicit and path == "." else below(path, name)
        mode = tool.files.lstat(inside).st_mode
        if stat.S_ISDIR(mode):
            if not any(matches(skip, name) for skip in tool.values("exclude-dir")):
                yield from _below(tool, inside)
        elif (stat.S_ISREG(mode) or (stat.S_ISLNK(mode) and _follows(tool, inside))) and _wanted(tool, name):
            yield from _open(tool, inside)


def _follows(tool: Tool, path: str) -> bool:
    """Whether a link below a folder is read; busybox reads those that lead to no folder."""
    return tool.has("R") if tool.gnu else not tool.files.is_dir(path)


def _wanted(tool: Tool, name: str) -> bool:
    include, exclude = tool.values("include"), tool.values("exclude")
    if any(matches(pattern, basename(name)) for pattern in exclude):
        return False
    return not include or any(matches(pattern, name) for pattern in include)


def _one(search: Search, path: str, content: Content) -> None:
    tool = search.tool
    name = "(standard input)" if path == "-" else path
    if tool.has("c", "l", "L", "q"):
        _only_count(search, name, content)
        return
    binary = tool.gnu and not tool.has("a") and b"\0" in content.read(0, 32768)
    _print_matches(search, name, content, binary)


def _matching(search: Search, line: str) -> bool:
    return bool(search.pattern.search(line)) != search.tool.has("v")


def _lines(tool: Tool, content: Content) -> Iterator[str]:
    for line in tool.lines(content):
        yield text_of(line.removesuffix(b"\n"))


def _only_count(search: Search, name: str, content: Content) -> None:
    tool, count = search.tool, 0
    for line in _lines(tool, content):
        if count >= search.limit:
            break
        if _matching(search, line):
            count += 1
            if tool.has("q", "l", "L"):
                break
    search.found |= count > 0 if tool.gnu else (count > 0) != tool.has("L")
    if tool.has("q"):
        return
    if tool.has("l", "L"):
        if (count > 0) != tool.has("L"):
            tool.out(name + ("\0" if tool.has("Z") else "\n"))
    else:
        tool.out((f"{name}:" if search.named else "") + f"{count}\n")


def _print_matches(search: Search, name: str, content: Content, binary: bool) -> None:
    tool = search.tool
    context = search.before or search.after
    waiting: list[tuple[int, str]] = []
    left, last, count = 0, 0, 0
    for number, line in enumerate(_lines(tool, content), 1):
        if count >= search.limit and not left:
            break
        if count < search.limit and _matching(search, line):
            search.found = True
            count += 1
            if binary:
                tool.out(f"grep: {name}: binary file matches\n")
                return
            first = waiting[0][0] if waiting else number
            if context and search.printed and first > last + 1:
                tool.out("--\n")
            for earlier, text in waiting:
                _print(search, name, earlier, text, "-")
            waiting, left, last = [], search.after, number
            search.printed = True
            _print(search, name, number, line, ":")
        elif left:
            left, last = left - 1, number
            _print(search, name, number, line, "-")
        elif search.before:
            waiting = [*waiting, (number, line)][-search.before :]


def _print(search: Search, name: str, number: int, line: str, mark: str) -> None:
    tool = search.tool
    front = (f"{name}{mark}" if search.named else "") + (f"{number}{mark}" if tool.has("n") else "")
    if not tool.has("o"):
        tool.out(bytes_of(f"{front}{line}\n"))
        return
    if mark == ":" and not tool.has("v"):
        for match in search.pattern.finditer(line):
            if match[0]:
                tool.out(bytes_of(f"{front}{match[0]}\n"))


def _old_context(args: list[str]) -> list[str]:
    return [re.sub(r"^-(\d+)$", r"-C\1", arg) for arg in args]


_GNU = (
    "E=extended-regexp F=fixed-strings G=basic-regexp P=perl-regexp e:=regexp f:=file "
    "i=ignore-case,no-ignore-case y w=word-regexp x=line-regexp "
    "c=count L=files-without-match l=files-with-matches m:=max-count o=only-matching q=quiet,silent "
    "s=no-messages b H=with-filename "
    "h=no-filename n=line-number T Z=null A:=after-context B:=before-context C:=context a=text I "
    "r=recursive R=dereference-recursive "
    "v=invert-match d:=directories z U u =color? =colour? =include: =exclude: =exclude-dir: "
    "=line-buffered =label: =binary-files:"
)
_BUSYBOX = "H h n l L o q v s r R i w F E z m: A: B: C: e: f: c x a =color? =include: =exclude:"
_USAGE = "[-HhnlLoqvsrRiwFEz] [-m N] [-A|B|C N] { PATTERN | -e PATTERN... | -f FILE... } [FILE]..."
UTILITIES = {
    name: Utility(
        grep,
        _BUSYBOX,
        _GNU,
        _USAGE,
        "[OPTION]... PATTERNS [FILE]...",
        2,
        2,
        prepare=_old_context,
        package="GNU grep) 3.8",
    )
    for name in ("grep", "egrep", "fgrep")
}
