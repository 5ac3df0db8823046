"""Owners and rights: the names in /etc/passwd and /etc/group, modes read and written, chmod, chown, chgrp."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from functools import reduce
from operator import or_
from typing import NamedTuple

from labkit.files import Files
from labkit.userland.tool import Say, Tool, Utility, below, escaped


class Account(NamedTuple):
    """One line of /etc/passwd."""

    name: str
    uid: int
    gid: int
    comment: str = ""
    home: str = "/"
    shell: str = "/bin/sh"


class Group(NamedTuple):
    """One line of /etc/group."""

    name: str
    gid: int
    members: tuple[str, ...] = ()


def _rows(files: Files, path: str, least: int) -> list[list[str]]:
    try:
        text = files.read(path).decode("utf-8", "surrogateescape")
    except OSError:
        return []
    rows = [line.split(":") for line in text.splitlines()]
    return [row for row in rows if len(row) >= least and row[2].isdigit()]


def accounts(files: Files) -> list[Account]:
    found = []
    for row in _rows(files, "/etc/passwd", 4):
        if row[3].isdigit():
            rest = [*row[4:7], "", "", ""][:3]
            found.append(Account(row[0], int(row[2]), int(row[3]), rest[0], rest[1] or "/", rest[2] or "/bin/sh"))
    return found


def groups(files: Files) -> list[Group]:
    return [
        Group(row[0], int(row[2]), tuple(filter(None, row[3].split(","))) if len(row) > 3 else ())
        for row in _rows(files, "/etc/group", 3)
    ]


class Names:
    """Numbers to names and back; a number without a name stays a number."""

    def __init__(self, files: Files) -> None:
        self.accounts = accounts(files)
        self.groups = groups(files)
        self._users = {account.uid: account.name for account in reversed(self.accounts)}
        self._groups = {group.gid: group.name for group in reversed(self.groups)}

    def user(self, uid: int, default: str | None = None) -> str:
        return self._users.get(uid, str(uid) if default is None else default)

    def group(self, gid: int, default: str | None = None) -> str:
        return self._groups.get(gid, str(gid) if default is None else default)

    def account(self, name: str) -> Account | None:
        return next((account for account in self.accounts if account.name == name), None)

    def uid(self, name: str) -> int | None:
        account = self.account(name)
        return account.uid if account else int(name) if name.isdigit() else None

    def named_group(self, name: str) -> Group | None:
        return next((group for group in self.groups if group.name == name), None)

    def gid(self, name: str) -> int | None:
        group = self.named_group(name)
        return group.gid if group else int(name) if name.isdigit() else None

    def member_of(self, name: str) -> list[int]:
        return [group.gid for group in self.groups if name in group.members]


_LETTERS = {
    stat.S_IFDIR: "d", stat.S_IFLNK: "l", stat.S_IFCHR: "c", stat.S_IFBLK: "b", stat.S_IFIFO: "p", stat.S_IFSOCK: "s",
}  # fmt: skip
_WORDS = {
    stat.S_IFREG: "regular file", stat.S_IFDIR: "directory", stat.S_IFLNK: "symbolic link", stat.S_IFIFO: "fifo",
    stat.S_IFCHR: "character special file", stat.S_IFBLK: "block special file", stat.S_IFSOCK: "socket",
}  # fmt: skip
_CLAUSE = re.compile(r"([ugoa]*)((?:[-+=](?:[rwxXst]*|[ugo]|[0-7]+))+)")
_ACTION = re.compile(r"([-+=])([ugo](?![rwxXst])|[rwxXst]*|[0-7]+)")
_WHO = {"u": 0o4700, "g": 0o2070, "o": 0o1007, "a": 0o7777}
_BITS = {"r": 0o444, "w": 0o222, "x": 0o111, "s": 0o6000, "t": 0o1000}


def shown(mode: int) -> str:
    """`-rwxr-xr-x`"""
    out = _LETTERS.get(stat.S_IFMT(mode), "-")
    for shift, special, letter in ((6, 0o4000, "s"), (3, 0o2000, "s"), (0, 0o1000, "t")):
        bits = mode >> shift
        last = letter if bits & 1 else letter.upper()
        out += ("r" if bits & 4 else "-") + ("w" if bits & 2 else "-")
        out += last if mode & special else "x" if bits & 1 else "-"
    return out


def kind(mode: int, size: int = 1) -> str:
    """`regular file`, as stat's %F says it."""
    if stat.S_ISREG(mode) and size == 0:
        return "regular empty file"
    return _WORDS.get(stat.S_IFMT(mode), "weird file")


def changed(text: str, old: int, umask: int) -> int | None:
    """The mode (12 bits) that a mode string makes of `old` (with its type); None where it is none."""
    if re.fullmatch(r"[0-7]+", text):
        number = int(text, 8)
        if number > 0o7777:
            return None
        keep = old & 0o6000 if stat.S_ISDIR(old) and len(text) < 5 else 0
        return number | keep
    mode = old
    for clause in text.split(","):
        match = _CLAUSE.fullmatch(clause)
        if not match:
            return None
        for sign, what in _ACTION.findall(match[2]):
            mode = _applied(match[1], sign, what, mode, umask)
    return mode & 0o7777


def _applied(who: str, sign: str, what: str, mode: int, umask: int) -> int:
    mask = reduce(or_, (_WHO[letter] for letter in who or "ugo"))
    bits = _bits(what, mode)
    if not who:
        bits &= ~umask | 0o7000
    bits &= mask
    if sign == "-":
        return mode & ~bits
    if sign == "=":
        keep = 0o6000 if stat.S_ISDIR(mode) else 0
        mode &= ~(mask & ~keep)
    return mode | bits


def _bits(what: str, mode: int) -> int:
    if what in ("u", "g", "o"):
        return (mode >> {"u": 6, "g": 3, "o": 0}[what] & 7) * 0o111
    if what.isdigit():
        return int(what, 8)
    bits = 0
    for letter in what:
        bits |= _BITS.get(letter, 0o111 if stat.S_ISDIR(mode) or mode & 0o111 else 0)  # else X
    return bits


_ACCESS = Say("{0}", "cannot access {0:q}")
_READ = Say("{0}", "cannot read directory {0:q}")


def _targets(tool: Tool, paths: list[str]) -> Iterator[str]:
    """These, with -R all below them too."""
    for path in paths:
        yield path
        about = tool.look(path)
        if tool.has("R") and about and stat.S_ISDIR(about.st_mode):
            tool.tick()
            names = tool.attempt(lambda: tool.files.listdir(path), _READ, path)  # noqa: B023 (called at once)
            yield from _targets(tool, [below(path, name) for name in names or ()])


def _operands(tool: Tool) -> tuple[str, list[str]]:
    """What to change to, and the files."""
    if reference := tool.value("reference"):
        return reference, tool.operands
    if len(tool.operands) < 2:
        tool.missing(after=True)
    return tool.operands[0], tool.operands[1:]


# chmod


def _dash_modes(args: list[str]) -> list[str]:
    """-x and -rw are modes, not options: they go in front of the operands."""
    out: list[str] = []
    for index, arg in enumerate(args):
        if arg == "--":
            return out + args[index:]
        if len(arg) > 1 and arg[0] == "-" and set(arg[1:]) <= set("rwxXst") | set(",+=-ugoa"):
            return [*out, *[other for other in args[index + 1 :] if other.startswith("-") and other != "--"], "--", arg,
                    *[other for other in args[index + 1 :] if not other.startswith("-") or other == "-"]]  # fmt: skip
        out.append(arg)
    return out


def chmod(tool: Tool) -> None:
    text, paths = _operands(tool)
    if tool.has("reference"):
        text = f"{tool.files.stat(text).st_mode & 0o7777:05o}"
    if tool.gnu and changed(text, 0o644, 0) is None:
        tool.usage(tool.text(Say("", "invalid mode: {0:l}"), text))
    for path in _targets(tool, paths):
        _chmod_one(tool, path, text, path in paths)


def _chmod_one(tool: Tool, path: str, text: str, operand: bool) -> None:
    try:
        if not operand and stat.S_ISLNK(tool.files.lstat(path).st_mode):
            return
        old = tool.files.stat(path).st_mode
    except OSError as error:
        if not tool.has("f"):
            tool.complain(_ACCESS, path, error=error)
        tool.status = max(tool.status, 1)
        return
    new = changed(text, old, tool.files.umask)
    if new is None:  # busybox reads the mode anew for each file, once it has looked at it
        tool.fail(f"invalid mode '{text}'")
    with tool.complaining(Say("{0}", "changing permissions of {0:q}"), path):
        tool.files.chmod(path, new)
        if tool.has("v") or (tool.has("c") and old & 0o7777 != new):
            _say_mode(tool, path, old & 0o7777, new)


def _say_mode(tool: Tool, path: str, old: int, new: int) -> None:
    now = f"{new:04o} ({shown(new)[1:]})"
    gnu = f"retained as {now}" if old == new else f"changed from {old:04o} ({shown(old)[1:]}) to {now}"
    tool.out(tool.text(Say("mode of '{0}' changed to " + now, f"mode of {{0:q}} {gnu}"), path) + "\n")


# chown and chgrp


def chown(tool: Tool) -> None:
    text, paths = _operands(tool)
    if tool.has("reference"):
        about = tool.files.stat(text)
        uid, gid = about.st_uid, about.st_gid
    elif tool.name == "chgrp":
        uid, gid = -1, _group(tool, text, text)
    else:
        uid, gid = _owner(tool, text)
    names = Names(tool.files)
    for path in _targets(tool, paths):
        _chown_one(tool, path, uid, gid, names, path in paths)


def _owner(tool: Tool, text: str) -> tuple[int, int]:
    names = Names(tool.files)
    separator = ":" if ":" in text else "." if "." in text and names.uid(text) is None else ""
    if separator == "." and tool.gnu:
        tool.process.stderr.write(tool.text(Say("", "chown: warning: '.' should be ':': {0:l}\n"), text))
    user, _, group = text.partition(separator) if separator else (text, "", "")
    uid = gid = -1
    if user:
        found = names.uid(user)
        if found is None:
            said = f"unknown user/group {text}" if separator == ":" and group else f"unknown user {user}"
            tool.refuse(Say(escaped(said), "invalid user: {0:l}"), text)
        uid = found
        if separator and not group:
            account = next((account for account in names.accounts if account.uid == uid), None)
            if account is None:
                tool.refuse(Say(f"unknown user {escaped(user)}", "invalid spec: {0:l}"), text)
            gid = account.gid
    if group:
        gid = _group(tool, group, text)
    return uid, gid


def _group(tool: Tool, group: str, text: str) -> int:
    gid = Names(tool.files).gid(group)
    if gid is None:
        said = (
            f"unknown group {group}" if tool.name == "chgrp" or text.startswith(":") else f"unknown user/group {text}"
        )
        tool.refuse(Say(escaped(said), "invalid group: {0:l}"), text)
    return gid


def _chown_one(tool: Tool, path: str, uid: int, gid: int, names: Names, operand: bool) -> None:
    follow = not tool.has("h") and (operand and not tool.has("R"))
    link = tool.look(path)
    cannot = Say("{0}", "cannot dereference {0:q}") if link and stat.S_ISLNK(link.st_mode) else _ACCESS
    about = tool.attempt(lambda: (tool.files.stat if follow else tool.files.lstat)(path), cannot, path)
    if about is None:
        return
    what = "group" if tool.name == "chgrp" or uid == -1 else "ownership"
    with tool.complaining(Say("{0}", f"changing {what} of {{0:q}}"), path):
        tool.files.chown(path, uid, gid, follow)
        if tool.has("v") or (tool.has("c") and (uid not in (-1, about.st_uid) or gid not in (-1, about.st_gid))):
            _say_owner(tool, path, about.st_uid, about.st_gid, uid, gid, names)


def _say_owner(tool: Tool, path: str, old_uid: int, old_gid: int, uid: int, gid: int, names: Names) -> None:
    if not tool.gnu:
        shown = f"{old_uid if uid == -1 else uid}:{old_gid if gid == -1 else gid}"
        tool.out(f"changed ownership of '{path}' to {shown}\n")
        return
    new = ":".join([*([names.user(uid)] if uid != -1 else []), *([names.group(gid)] if gid != -1 else [])])
    old = ":".join([*([names.user(old_uid)] if uid != -1 else []), *([names.group(old_gid)] if gid != -1 else [])])
    what = "group" if uid == -1 else "ownership"
    said = f"{what} of {{0:q}} retained as {new}" if old == new else f"changed {what} of {{0:q}} from {old} to {new}"
    tool.out(tool.text(Say("", said), path) + "\n")


_GNU = (
    "R=recursive c=changes v=verbose f=silent,quiet h=no-dereference =reference: H L P "
    "=dereference =preserve-root =no-preserve-root"
)
UTILITIES = {
    "chmod": Utility(
        chmod,
        "R c v f",
        _GNU.replace("h=no-dereference ", ""),
        "[-Rcvf] MODE[,MODE]... FILE...",
        prepare=_dash_modes,
        needs="operand",
    ),
    "chown": Utility(chown, "R h L H P c v f", _GNU, "[-RhLHPcvf]... USER[:[GRP]] FILE...", needs="operand"),
    "chgrp": Utility(chown, "R h L H P c v f", _GNU, "[-RhLHPcvf]... GROUP FILE...", needs="operand"),
}
