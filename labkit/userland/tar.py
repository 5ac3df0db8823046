"""tar, in the ways of GNU and busybox. The archives themselves are labkit.files.layers's."""

from __future__ import annotations

import re
import stat
from collections.abc import Callable, Iterator
from itertools import chain
from posixpath import basename, dirname

from labkit.files import O_CREAT, O_EXCL, O_WRONLY, Content, Files, Stat, major, minor
from labkit.files.layers import BLOCK, BadArchiveError, Entry, members, write
from labkit.kernel.unpacking import unpacked
from labkit.userland.compressing import compressed
from labkit.userland.owning import Names, shown
from labkit.userland.patterns import matches
from labkit.userland.quantities import formatted
from labkit.userland.tool import Done, Say, Tool, Utility

RECORD = 20 * BLOCK  # what GNU's tar writes at a time


def fatal(tool: Tool, gnu: str, busybox: str) -> None:
    if tool.gnu:
        tool.err(gnu)
        tool.fail("Error is not recoverable: exiting now", 2)
    tool.fail(busybox)


def delayed(tool: Tool) -> None:
    if tool.status:
        tool.err(
            "Exiting with failure status due to previous errors"
            if tool.gnu
            else "error exit delayed from previous errors",
            2 if tool.gnu else 1,
        )


def say_relative(tool: Tool) -> None:
    said = "Removing leading `/' from member names" if tool.gnu else "removing leading '/' from member names"
    tool.process.stderr.write(f"tar: {said}\n")


def long_line(tool: Tool, member: Entry) -> str:
    owner = f"{member.user or member.uid}/{member.group or member.gid}"
    if tool.has("numeric-owner"):
        owner = f"{member.uid}/{member.gid}"
    device = stat.S_ISCHR(member.mode) or stat.S_ISBLK(member.mode)
    size = f"{major(member.rdev)},{minor(member.rdev)}" if device else str(member.body.size)
    mode = shown(member.mode)
    hard = member.hardlink is not None and tool.gnu
    if hard:
        mode = "h" + mode[1:]
    arrow = f" link to {member.link}" if hard else f" -> {member.link}" if member.link else ""
    when = formatted("%Y-%m-%d %H:%M" if tool.gnu else "%Y-%m-%d %H:%M:%S", member.mtime)
    return f"{mode} {owner} {size:>{max(1, 18 - len(owner)) if tool.gnu else 9}} {when} {member.path}{arrow}"


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
    old = list(members(started.content(target))) if action == "r" else []
    files = Packing(tool)
    if target != "-":
        _begin(tool, started, target)
        files.target = started.realpath(target)
    found = [*old, *(member for path in paths for member in files.collect(path))]
    archive = write(found, gnu=True, record=RECORD if tool.gnu else BLOCK)
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
        _not_opened(tool, target, error)


def _not_opened(tool: Tool, path: str, error: OSError) -> None:
    reason = tool.reason(error)
    fatal(tool, f"{path}: Cannot open: {reason}", f"can't open '{path}': {reason}")


class Packing:
    """What goes into a new archive, and what has been said about it."""

    def __init__(self, tool: Tool) -> None:
        self.tool = tool
        self.names = Names(tool.files)
        self.seen: dict[tuple[int, int], str] = {}
        self.warned = False
        self.target = ""  # where the archive is written

    def collect(self, path: str) -> Iterator[Entry]:
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
            stream.write((long_line(tool, member) if tool.values("v")[1:] else member.path) + "\n")
        if name:
            yield member
        if stat.S_ISDIR(about.st_mode) and not tool.has("no-recursion"):
            for child in tool.files.listdir(path):
                yield from self.collect(f"{path.rstrip('/') if path.strip('/') else ''}/{child}")

    def excluded(self, path: str) -> bool:
        lists = [self.tool.data(listing).decode().splitlines() for listing in self.tool.values("X")]
        patterns = [*self.tool.values("exclude"), *chain.from_iterable(lists)]
        names = [path, path.removeprefix("./"), basename(path)]
        return any(matches(pattern.rstrip("/"), name) for pattern in patterns for name in names)

    def stored(self, path: str) -> str:
        """The name in the archive: relative, unless -P."""
        if not path.startswith("/") or self.tool.has("P"):
            return path
        if not self.warned:
            self.warned = True
            say_relative(self.tool)
        return path.lstrip("/") or ("./" if self.tool.gnu else "")

    def member(self, path: str, name: str, about: Stat) -> Entry:
        tool = self.tool
        kind = stat.S_IFMT(about.st_mode)
        user, group = self.names.user(about.st_uid, ""), self.names.group(about.st_gid, "")
        made = self.owned(Entry(
            name, about.st_mode, about.st_uid, about.st_gid, about.st_mtime_ns, rdev=about.st_rdev,
            user=user, group=group,
        ))  # fmt: skip
        if kind == stat.S_IFDIR:
            return made._replace(path=name.rstrip("/") + "/" if name else "")
        if kind == stat.S_IFLNK:
            return made._replace(data=tool.files.readlink(path))
        key = (about.st_dev, about.st_ino)
        if about.st_nlink > 1 and key in self.seen:
            return made._replace(hardlink=self.seen[key])
        self.seen.setdefault(key, name)
        return made._replace(data=tool.files.content(path)) if kind == stat.S_IFREG else made

    def owned(self, member: Entry) -> Entry:
        """With the owner that the options say."""
        if self.tool.has("numeric-owner"):
            member = member._replace(user="", group="")
        if value := self.tool.value("owner"):
            member = member._replace(uid=_given(value, self.names.uid), user=_named(value))
        if value := self.tool.value("group"):
            member = member._replace(gid=_given(value, self.names.gid), group=_named(value))
        return member


def _named(owner: str) -> str:
    """The name in NAME, NAME:NUMBER or NUMBER."""
    name = owner.partition(":")[0]
    return "" if name.isdigit() else name


def _given(owner: str, number_of: Callable[[str], int | None]) -> int:
    name, _, number = owner.partition(":")
    return int(number or name) if (number or name).isdigit() else number_of(name) or 0


def read(tool: Tool, action: str, started: Files) -> None:
    source = tool.value("f") or "-"
    try:
        archive = _archive(tool, source, started)
    except OSError as error:
        _not_opened(tool, source, error)
        raise
    wanted = WantedMembers(tool)
    unpacking = Unpacking(tool)
    if not archive:
        tool.err("This does not look like a tar archive" if tool.gnu else "short read")
    try:
        for member in members(archive):
            tool.tick()
            if not wanted.has(member.path):
                continue
            if action == "t":
                tool.out((long_line(tool, member) if tool.has("v") else member.path) + "\n")
            else:
                unpacking.extract(member)
    except BadArchiveError as bad:
        if not tool.gnu:
            tool.fail("short read" if bad.place is None or archive.size < BLOCK else "invalid tar magic")
        at_start = "This does not look like a tar archive" if bad.place == 0 else "Skipping to next header"
        tool.err("Unexpected EOF in archive" if bad.place is None else at_start)
    unpacking.finish()
    wanted.finish()
    if tool.gnu:
        delayed(tool)


def _archive(tool: Tool, source: str, started: Files) -> Content:
    if source == "-":
        content = tool.process.stdin.read_content()
    else:
        content = started.content(source)
    return unpacked(content)


class WantedMembers:
    """Which members the operands name."""

    def __init__(self, tool: Tool) -> None:
        self.tool = tool
        self.names = [name.rstrip("/") for name in tool.operands]
        self.found: set[str] = set()
        self.exclude = tool.values("exclude")

    def has(self, name: str) -> bool:
        plain = name.rstrip("/")
        parts = [plain, *(plain[:place] for place in range(len(plain)) if plain[place] == "/")]
        if any(
            matches(pattern, part) or matches(pattern, basename(part)) for pattern in self.exclude for part in parts
        ):
            return False
        if not self.names:
            return True
        globs = self.tool.has("wildcards") or not self.tool.gnu
        for wanted in self.names:
            if wanted in parts or (globs and any(matches(wanted, part) for part in parts)):
                self.found.add(wanted)
                return True
        return False

    def finish(self) -> None:
        for name in self.names:
            if name not in self.found:
                said = Say("{0}: not found in archive", "{0}: Not found in archive")
                self.tool.complain(said, name, status=2 if self.tool.gnu else 1)


class Unpacking:
    """Members becoming files again; what folders are to be is set when all is in them."""

    def __init__(self, tool: Tool) -> None:
        self.tool = tool
        self.files = tool.files
        self.folders: list[tuple[str, Entry]] = []
        self.keep_owner = self.files.user.uid == 0 and not tool.has("o", "no-same-owner")
        self.keep_mode = self.files.user.uid == 0 or tool.has("p", "same-permissions")
        self.warned = False

    def extract(self, member: Entry) -> None:
        tool = self.tool
        path = self.target(member.path)
        if not path:
            return
        if tool.has("v"):
            (tool.process.stderr if tool.has("O") else tool.process.stdout).write(member.path + "\n")
        if tool.has("O"):
            tool.process.stdout.write_content(member.body)
            return
        try:
            self.make(path, member)
        except OSError as error:
            verb = "mkdir" if stat.S_ISDIR(member.mode) else "open"
            said = Say(f"can't {verb if verb == 'open' else 'make dir'} '{{0}}'", f"{{0}}: Cannot {verb}")
            tool.complain(said, path, error=error, status=2 if tool.gnu else 1)

    def target(self, name: str) -> str:
        if name.startswith("/") and not self.tool.has("P"):
            if not self.warned:
                self.warned = True
                say_relative(self.tool)
            name = name.lstrip("/")
        strip = int(self.tool.value("strip-components") or 0)
        parts = [part for part in name.split("/") if part not in ("", ".")] if strip else []
        return "/".join(parts[strip:]) if strip else name.rstrip("/") or "."

    def make(self, path: str, member: Entry) -> None:
        files = self.files
        parent = dirname(path)
        if parent and not files.is_dir(parent):
            files.makedirs(parent)
        if stat.S_ISDIR(member.mode):
            if not files.is_dir(path):
                files.mkdir(path)
            if self.tool.gnu:
                self.folders.append((path, member))
            else:  # so what is unpacked into it changes its time again
                self.set(path, member)
            return
        if self.tool.look(path):
            if self.tool.has("k"):
                said = Say("can't open '{0}': File exists", "{0}: Cannot open: File exists")
                self.tool.complain(said, path, status=2 if self.tool.gnu else 1)
                return
            files.unlink(path)
        if member.hardlink is not None:
            files.link(self.target(member.link), path)
            return
        if stat.S_ISLNK(member.mode):
            files.symlink(member.link, path)
        elif stat.S_ISREG(member.mode):
            with files.open(path, O_WRONLY | O_CREAT | O_EXCL, 0o600) as handle:
                handle.write_content(member.body)
        else:
            files.mknod(path, member.mode, member.rdev)
        self.set(path, member)

    def set(self, path: str, member: Entry) -> None:
        files, link = self.files, stat.S_ISLNK(member.mode)
        if self.keep_owner:
            names = Names(files)
            uid = names.uid(member.user) if member.user and not self.tool.has("numeric-owner") else None
            gid = names.gid(member.group) if member.group and not self.tool.has("numeric-owner") else None
            files.chown(path, member.uid if uid is None else uid, member.gid if gid is None else gid, False)
        if not link:
            files.chmod(path, member.mode & 0o7777 if self.keep_mode else member.mode & 0o777 & ~files.umask)
        if not self.tool.has("m"):
            files.utime(path, member.mtime, member.mtime, False)

    def finish(self) -> None:
        for path, member in reversed(self.folders):
            self.set(path, member)


def _old_style(args: list[str]) -> list[str]:
    """`cvf x.tar` is `-c -v -f x.tar`."""
    if not args or args[0].startswith("-"):
        return args
    out, rest = [], args[1:]
    for letter in args[0]:
        out.append(f"-{letter}")
        if letter in "fCTXbgHKLNV" and rest:
            out.append(rest.pop(0))
    return out + rest


def tar(tool: Tool) -> None:
    action = tool.last("c", "x", "t", "r")
    if action is None:
        if tool.gnu:
            tool.process.stderr.write(
                "tar: You must specify one of the '-Acdtrux', '--delete' or '--test-label' options\n"
                "Try 'tar --help' or 'tar --usage' for more information.\n"
            )
            raise Done(2)
        tool.usage()
    started = tool.files
    tool.files = tool.files.copy()
    for folder in tool.values("C"):
        try:
            tool.files.chdir(folder)
        except OSError as error:
            reason = tool.reason(error)
            fatal(tool, f"{folder}: Cannot open: {reason}", f"can't change directory to '{folder}': {reason}")
    if action in ("c", "r"):
        create(tool, action, started)
    else:
        read(tool, action, started)


_GNU = (
    "c=create x=extract,get t=list r=append f:=file v=verbose z=gzip,gunzip,ungzip j=bzip2 J=xz "
    "a=auto-compress C:=directory O=to-stdout "
    "p=preserve-permissions h=dereference k=keep-old-files m=touch o P=absolute-names T:=files-from "
    "X:=exclude-from b: S=sparse "
    "=exclude: =strip-components: =numeric-owner =owner: =group: =mode: =no-same-owner =same-owner "
    "=same-permissions =wildcards "
    "=no-recursion =mtime: =sort: =format: =transform: =warning: =xattrs =acls =selinux"
)
UTILITIES = {
    "tar": Utility(
        tar,
        "c=create x=extract t=list f:=file v=verbose z=gzip j=bzip2 J=xz a=auto-compress "
        "C:=directory O=to-stdout p h=dereference k=keep-old m=touch o T:=files-from X:=exclude-from Z "
        "=exclude: =strip-components: =numeric-owner =no-recursion =overwrite",
        _GNU,
        "c|x|t [-ZzJjahmvokO] [-f TARFILE] [-C DIR] [FILE]...",
        bad=2,
        prepare=_old_style,
        package="GNU tar) 1.34",
    ),
}
