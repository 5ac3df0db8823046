"""tar -c and -r: files become an archive."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from dataclasses import replace
from posixpath import basename

from labkit.files import Content, Files, Stat
from labkit.userland.compressing import compressed
from labkit.userland.patterns import matches
from labkit.userland.tar.archive import BLOCK, RECORD, TarMember, members, written
from labkit.userland.tar.saying import delayed, fatal, long_line, say_relative
from labkit.userland.tool import Done, Say, Tool
from labkit.userland.users import Names


def create(tool: Tool, action: str, started: Files) -> None:
    paths = list(tool.operands)
    for listing in tool.values("T"):
        paths += tool.data(listing).decode("utf-8", "surrogateescape").splitlines()
    if not paths:
        if tool.gnu and not tool.has("T"):
            tool.process.stderr.write(
                "tar: Cowardly refusing to create an empty archive\nTry 'tar --help' or 'tar "
                "--usage' for more information.\n"
            )
            raise Done(2)
        if not tool.gnu:
            tool.fail("empty archive")
    target = tool.value("f") or "-"
    old: list[TarMember] = []
    if action == "r":
        old = list(members(started.content(target)))
    files = Packing(tool)
    if target != "-":
        _begin(tool, started, target)
        files.target = started.realpath(target)
    archive = written(
        iter([*old, *(member for path in paths for member in files.collect(path))]), RECORD if tool.gnu else BLOCK
    )
    kind = next((kind for kind in ("z", "j", "J") if tool.has(kind)), "")
    if tool.has("a"):
        kind = {".gz": "z", ".tgz": "z", ".bz2": "j", ".xz": "J"}.get(re.sub(r".*(\.\w+)$", r"\1", target), kind)
    if kind:
        archive = Content(compressed(tool, archive, kind))
    if target == "-":
        tool.process.stdout.write_content(archive)
    else:
        started.write(target, archive)
    delayed(tool)


def _begin(tool: Tool, started: Files, target: str) -> None:
    """The archive is there, empty, before the first file is looked at."""
    try:
        started.write(target, b"")
    except OSError as error:
        if tool.gnu:
            fatal(tool, f"{target}: Cannot open: {tool.reason(error)}")
        tool.fail(f"can't open '{target}': {tool.reason(error)}")


class Packing:
    """What goes into a new archive, and what has been said about it."""

    def __init__(self, tool: Tool) -> None:
        self.tool = tool
        self.names = Names(tool.files)
        self.seen: dict[tuple[int, int], str] = {}
        self.warned = False
        self.target = ""  # where the archive is written

    def collect(self, path: str) -> Iterator[TarMember]:
        tool = self.tool
        tool.tick()
        if self.excluded(path):
            return
        try:
            name = self.stored(path) if tool.gnu else path
            about = tool.files.stat(path) if tool.has("h") else tool.files.lstat(path)
            name = name if tool.gnu else self.stored(path)
            if self.target and stat.S_ISREG(about.st_mode) and tool.files.realpath(path) == self.target:
                said = Say("{0}: file is the archive; skipping", "{0}: file is the archive; not dumped")
                tool.process.stderr.write(f"tar: {tool.text(said, path)}\n")
                return
            member = self.member(path, name, about)
        except OSError as error:
            tool.complain(
                Say("{0}: " + tool.reason(error), "{0}: Cannot stat: " + tool.reason(error)),
                path,
                status=2 if tool.gnu else 1,
            )
            return
        if tool.has("v"):
            stream = tool.process.stderr if (tool.value("f") or "-") == "-" else tool.process.stdout
            stream.write((long_line(tool, member) if tool.values("v")[1:] else member.name) + "\n")
        if name:
            yield member
        if stat.S_ISDIR(about.st_mode) and not tool.has("no-recursion"):
            for child in tool.files.listdir(path):
                yield from self.collect(f"{path.rstrip('/') if path.strip('/') else ''}/{child}")

    def excluded(self, path: str) -> bool:
        patterns = [*self.tool.values("exclude"), *self.listed()]
        names = [path, path.removeprefix("./"), basename(path)]
        return any(matches(pattern.rstrip("/"), name) for pattern in patterns for name in names)

    def listed(self) -> list[str]:
        return [line for path in self.tool.values("X") for line in self.tool.data(path).decode().splitlines()]

    def stored(self, path: str) -> str:
        """The name in the archive: relative, unless -P."""
        if not path.startswith("/") or self.tool.has("P"):
            return path
        if not self.warned:
            self.warned = True
            say_relative(self.tool)
        return path.lstrip("/") or ("./" if self.tool.gnu else "")

    def member(self, path: str, name: str, about: Stat) -> TarMember:
        tool = self.tool
        kind = stat.S_IFMT(about.st_mode)
        user, group = self.names.user(about.st_uid, ""), self.names.group(about.st_gid, "")
        made = TarMember(
            name, about.st_mode, about.st_uid, about.st_gid, user, group, about.st_mtime_ns // 10**9, rdev=about.st_rdev
        )
        made = self.owned(made)
        if kind == stat.S_IFDIR:
            return replace(made, name=name.rstrip("/") + "/" if name else "")
        if kind == stat.S_IFLNK:
            return replace(made, link=tool.files.readlink(path))
        key = (about.st_dev, about.st_ino)
        if about.st_nlink > 1 and key in self.seen:
            return replace(made, link=self.seen[key], hard=True)
        self.seen.setdefault(key, name)
        return replace(made, body=tool.files.content(path)) if kind == stat.S_IFREG else made

    def owned(self, member: TarMember) -> TarMember:
        tool = self.tool
        if tool.has("numeric-owner"):
            member = replace(member, user="", group="")
        for option in ("owner", "group"):
            if value := tool.value(option):
                name, _, given = value.partition(":")
                found = (
                    int(given or name)
                    if (given or name).isdigit()
                    else (self.names.uid(name) if option == "owner" else self.names.gid(name)) or 0
                )
                name = "" if name.isdigit() else name
                if option == "owner":
                    member = replace(member, uid=found, user=name)
                else:
                    member = replace(member, gid=found, group=name)
        return member
