"""What -printf and -ls of find write."""

from __future__ import annotations

import re
import stat
from collections.abc import Callable
from posixpath import basename, dirname

from labkit.userland import modes
from labkit.userland.dates import formatted
from labkit.userland.find.expression import FindParser, Predicate, Primary, Visited
from labkit.userland.find.tests import DAY, SECOND, TYPES
from labkit.userland.tool import Tool
from labkit.userland.users import Names


def _printf(parser: FindParser, word: str) -> Predicate:
    parser.search.acts = True
    form = parser.next(word)
    names = Names(parser.tool.files)

    def act(found: Visited) -> bool:
        parser.tool.out(_filled(parser.tool, form, found, names))
        return True

    return act


_ESCAPES = {"n": "\n", "t": "\t", "\\": "\\", "a": "\a", "b": "\b", "f": "\f", "r": "\r", "v": "\v", "0": "\0"}
_DIRECTIVE = re.compile(
    r"\\(?P<octal>[0-7]{1,3})|\\(?P<escape>.)|%(?P<flags>[-0+ "
    r"#]*)(?P<width>\d*)(?:\.\d+)?(?P<time>[ACT](?=.))?(?P<letter>.)",
    re.S,
)


def _filled(tool: Tool, form: str, found: Visited, names: Names) -> str:
    def one(match: re.Match[str]) -> str:
        if match["octal"]:
            return chr(int(match["octal"], 8))
        if match["escape"]:
            return _ESCAPES.get(match["escape"], match[0])
        text = _time_text(match, found) if match["time"] else _directive(tool, match["letter"], found, names)
        width = int(match["width"] or 0)
        return text.ljust(width) if "-" in match["flags"] else text.rjust(width, "0" if "0" in match["flags"] else " ")

    return _DIRECTIVE.sub(one, form)


def _time_text(match: re.Match[str], found: Visited) -> str:
    about = found.about
    ns = {"A": about.st_atime_ns, "C": about.st_ctime_ns, "T": about.st_mtime_ns}[match["time"]]
    if match["letter"] == "@":
        return f"{ns // SECOND}.{ns % SECOND:09}0"
    if match["letter"] in "ST+":
        fraction = f".{ns % SECOND:09}0"
        return formatted({"S": "%S", "T": "%H:%M:%S", "+": "%Y-%m-%d+%H:%M:%S"}[match["letter"]], ns) + fraction
    return formatted(f"%{match['letter']}", ns)


def _directive(tool: Tool, letter: str, found: Visited, names: Names) -> str:
    about, path = found.about, found.path
    below = path[len(found.start) :].lstrip("/")
    letters = {stat.S_IFMT(kind): key for key, kind in TYPES.items()}
    values: dict[str, Callable[[], object]] = {
        "p": lambda: path,
        "f": lambda: basename(path.rstrip("/")) or path,
        "h": lambda: dirname(path) if "/" in path else ".",
        "P": lambda: below,
        "H": lambda: found.start,
        "d": lambda: found.depth,
        "s": lambda: about.st_size,
        "b": lambda: about.st_blocks,
        "k": lambda: -(-about.st_blocks // 2),
        "m": lambda: f"{about.st_mode & 0o7777:o}",
        "M": lambda: modes.shown(about.st_mode),
        "u": lambda: names.user(about.st_uid),
        "U": lambda: about.st_uid,
        "g": lambda: names.group(about.st_gid),
        "G": lambda: about.st_gid,
        "i": lambda: about.st_ino,
        "n": lambda: about.st_nlink,
        "y": lambda: letters.get(stat.S_IFMT(about.st_mode), "f"),
        "Y": lambda: letters.get(_through(tool, found), "N"),
        "l": lambda: tool.files.readlink(path) if stat.S_ISLNK(about.st_mode) else "",
        "D": lambda: about.st_dev,
        "t": lambda: (
            formatted("%a %b %e %H:%M:%S", about.st_mtime_ns)
            + f".{about.st_mtime_ns % SECOND:09}0 "
            + formatted("%Y", about.st_mtime_ns)
        ),
        "F": lambda: tool.files.find(path).mount.fstype,
        "%": lambda: "%",
    }
    return str(values[letter]()) if letter in values else f"%{letter}"


def _through(tool: Tool, found: Visited) -> int:
    try:
        return stat.S_IFMT(tool.files.stat(found.path).st_mode)
    except OSError:
        return 0


def _ls(parser: FindParser, word: str) -> Predicate:
    names = Names(parser.tool.files)
    form = "%9i %6k %M %3n %-8u %-8g %8s "
    parser.search.acts = True

    def act(found: Visited) -> bool:
        tool = parser.tool
        age = tool.process.kernel.clock.now - found.about.st_mtime_ns
        when = formatted("%b %e %H:%M" if 0 <= age < 182 * DAY * SECOND else "%b %e  %Y", found.about.st_mtime_ns)
        arrow = f" -> {tool.files.readlink(found.path)}" if stat.S_ISLNK(found.about.st_mode) else ""
        tool.out(_filled(tool, form, found, names) + f"{when} {found.path}{arrow}\n")
        return True

    return act


SHOWING: dict[str, Primary] = {
    "-printf": _printf,
    "-ls": _ls,
}
