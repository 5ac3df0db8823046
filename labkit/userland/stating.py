"""stat: of files, and with -f of file systems."""

from __future__ import annotations

import re
import stat as kinds
from collections.abc import Callable

from labkit.files import Stat, major, minor
from labkit.kernel import limits
from labkit.userland.mounting import Usage, usage_of
from labkit.userland.owning import Names, kind, shown
from labkit.userland.quantities import formatted
from labkit.userland.tool import Say, Tool, Utility, shell_quoted

_CANNOT = Say("can't stat '{0}'", "cannot statx {0:q}")
_CANNOT_FS = Say("can't read file system information for '{0}'", "cannot read file system information for {0:q}")
_TIME = "%Y-%m-%d %H:%M:%S.%N %z"
_ESCAPES = {
    "n": "\n",
    "t": "\t",
    "\\": "\\",
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "r": "\r",
    "v": "\v",
    '"': '"',
    "e": "\x1b",
}
_DEFAULT = {
    True: (
        "  File: %N\n  Size: %-10s\tBlocks: %-10b IO Block: %-6o %F\nDevice: %Hd,%Ld\tInode: %-11i Links: {links}\n"
        "Access: (%04a/%10.10A)  Uid: (%5u/%8U)   Gid: (%5g/%8G)\nAccess: %x\nModify: %y\nChange: %z\n Birth: %w\n"
    ),
    False: (
        "  File: %N\n  Size: %-10s\tBlocks: %-10b IO Block: %-6o %F\nDevice: %Dh/%dd\tInode: %-11i Links: {links}\n"
        "Access: (%04a/%10.10A)  Uid: (%5u/%8U)   Gid: (%5g/%8G)\nAccess: %x\nModify: %y\nChange: %z\n"
    ),
}  # key: GNU
_DEFAULT_FS = (
    '  File: "%n"\n    ID: %-8i Namelen: %-7l Type: %T\nBlock size: {size}\n'
    "Blocks: Total: %-10b Free: %-10f Available: %a\nInodes: Total: %-10c Free: %d\n"
)


def stat(tool: Tool) -> None:
    names = Names(tool.files)
    one = _one_system if tool.has("f") else _one_file
    for path in tool.operands:
        one(tool, path, names)


def _one_file(tool: Tool, path: str, names: Names) -> None:
    look = tool.files.stat if tool.has("L") else tool.files.lstat
    about = tool.attempt(lambda: look(path), _CANNOT, path)
    if about is None:
        return
    form, ending = _form(tool, about)
    values = _values(tool, path, about, names)
    if not tool.gnu and not tool.has("c"):
        values["N"] = lambda: path if not kinds.S_ISLNK(about.st_mode) else f"'{path}' -> '{tool.files.readlink(path)}'"
    elif not tool.has("c", "printf"):
        arrow = f" -> {tool.files.readlink(path)}" if kinds.S_ISLNK(about.st_mode) else ""
        values["N"] = lambda: shell_quoted(path, always=False) + arrow
    tool.out(filled(form, values, unknown="?" if tool.gnu else None) + ending)


def _form(tool: Tool, about: Stat) -> tuple[str, str]:
    if tool.has("printf"):
        return _escaped(tool.value("printf") or ""), ""
    if tool.has("c"):
        return tool.value("c") or "", "\n"
    if tool.has("t"):
        birth = " %W" if tool.gnu else ""
        return f"%n %s %b %f %u %g %D %i %h %t %T %X %Y %Z{birth} %o", "\n"
    device = kinds.S_ISCHR(about.st_mode) or kinds.S_ISBLK(about.st_mode)
    numbers = "%Hr,%Lr" if tool.gnu else "%t,%T"
    return _DEFAULT[tool.gnu].replace("{links}", f"%-5h Device type: {numbers}" if device else "%h"), ""


def _escaped(text: str) -> str:
    def one(match: re.Match[str]) -> str:
        if match[1]:
            return chr(int(match[1], 8))
        return chr(int(match[2], 16)) if match[2] else _ESCAPES.get(match[3], match[0])

    return re.sub(r"\\(?:([0-7]{1,3})|x([0-9a-fA-F]{1,2})|(.))", one, text, flags=re.S)


def filled(form: str, values: dict[str, Callable[[], str | int]], unknown: str | None = "?") -> str:
    """A format with %-10s and the like filled in. `unknown`: what an unknown letter gives; None: itself."""

    def one(match: re.Match[str]) -> str:
        flags, width, precision, letter = match.groups()
        if letter == "%":
            return "%"
        if letter not in values:
            return unknown if unknown is not None else letter
        value = str(values[letter]())
        if precision:
            value = value[: int(precision[1:20] or 0)]
        if "#" in flags and letter == "a":
            value = "0" + value
        room = int((width or "")[:20] or 0)
        limits.hold(room, "stat")
        if "-" in flags:
            return value.ljust(room)
        return value.rjust(room, "0" if "0" in flags and value.isalnum() else " ")

    return re.sub(r"%([-0+ #]*)(\d*)(\.\d*)?([HL][dr]|[A-Za-z%])", one, form)


def _values(tool: Tool, path: str, about: Stat, names: Names) -> dict[str, Callable[[], str | int]]:
    device = about.st_dev
    values: dict[str, Callable[[], str | int]] = {
        "n": lambda: path,
        "N": lambda: _quoted_name(tool, path, about),
        "a": lambda: f"{about.st_mode & 0o7777:o}",
        "A": lambda: shown(about.st_mode),
        "b": lambda: about.st_blocks,
        "B": lambda: 512,
        "d": lambda: device,
        "D": lambda: f"{device:x}",
        "f": lambda: f"{about.st_mode:x}",
        "F": lambda: kind(about.st_mode, about.st_size),
        "g": lambda: about.st_gid,
        "G": lambda: names.group(about.st_gid, "UNKNOWN"),
        "h": lambda: about.st_nlink,
        "i": lambda: about.st_ino,
        "m": lambda: tool.files.find(path).mount.target,
        "o": lambda: 4096,
        "s": lambda: about.st_size,
        "t": lambda: f"{major(about.st_rdev):x}",
        "T": lambda: f"{minor(about.st_rdev):x}",
        "u": lambda: about.st_uid,
        "U": lambda: names.user(about.st_uid, "UNKNOWN"),
        "x": lambda: formatted(_TIME, about.st_atime_ns, tool.zone),
        "X": lambda: about.st_atime_ns // 10**9,
        "y": lambda: formatted(_TIME, about.st_mtime_ns, tool.zone),
        "Y": lambda: about.st_mtime_ns // 10**9,
        "z": lambda: formatted(_TIME, about.st_ctime_ns, tool.zone),
        "Z": lambda: about.st_ctime_ns // 10**9,
    }
    if tool.gnu:
        values |= {
            "w": lambda: "-",
            "W": lambda: 0,
            "C": lambda: "?",
            "r": lambda: about.st_rdev,
            "R": lambda: f"{about.st_rdev:x}",
            "Hd": lambda: major(device),
            "Ld": lambda: minor(device),
            "Hr": lambda: major(about.st_rdev),
            "Lr": lambda: minor(about.st_rdev),
        }
    else:
        del values["m"]
    return values


def _quoted_name(tool: Tool, path: str, about: Stat) -> str:
    if kinds.S_ISLNK(about.st_mode):
        target = tool.files.readlink(path)
        if not tool.gnu:
            return f"'{path}' -> '{target}'"
        return f"{shell_quoted(path, always=True)} -> {shell_quoted(target, always=True)}"
    return shell_quoted(path, always=True) if tool.gnu else path


def _one_system(tool: Tool, path: str, names: Names) -> None:
    usage = tool.attempt(lambda: usage_of(tool.files, tool.files.find(path).mount), _CANNOT_FS, path)
    if usage is None:
        return
    size = "%-10s Fundamental block size: %S" if tool.gnu else "%-10s"
    form = tool.value("c") or tool.value("printf") or _DEFAULT_FS.replace("{size}", size)
    if tool.has("printf"):
        form = _escaped(form)
    tool.out(filled(form, _system_values(path, usage)) + ("\n" if tool.has("c") else ""))


def _system_values(path: str, usage: Usage) -> dict[str, Callable[[], str | int]]:
    block = usage.block
    return {
        "n": lambda: path,
        "i": lambda: usage.identity,
        "l": lambda: 255,
        "T": lambda: usage.type_name,
        "t": lambda: usage.magic,
        "s": lambda: block,
        "S": lambda: block,
        "b": lambda: usage.total // block,
        "f": lambda: (usage.total - usage.used) // block,
        "a": lambda: usage.available // block,
        "c": lambda: usage.inodes,
        "d": lambda: usage.inodes - usage.inodes_used,
    }


UTILITIES = {
    "stat": Utility(
        stat,
        "l t f c: L",
        "L=dereference f=file-system c:=format t=terse =printf: =cached:",
        "[-ltf] [-c FMT] FILE...",
        "[OPTION]... FILE...",
        needs="operand",
    ),
}
