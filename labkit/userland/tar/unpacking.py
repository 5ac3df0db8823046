"""tar -x and -t: what is in an archive, and files from it."""

from __future__ import annotations

import stat
from posixpath import basename, dirname

from labkit.files import O_CREAT, O_EXCL, O_WRONLY, Content, Files
from labkit.userland.compressing import opened
from labkit.userland.patterns import matches
from labkit.userland.tar.archive import BLOCK, BadTar, TarMember, members
from labkit.userland.tar.saying import delayed, fatal, long_line, say_relative
from labkit.userland.tool import Done, Say, Tool
from labkit.userland.users import Names


def read(tool: Tool, action: str, started: Files) -> None:
    source = tool.value("f") or "-"
    try:
        archive = _archive(tool, source, started)
    except OSError as error:
        if tool.gnu:
            fatal(tool, f"{source}: Cannot open: {tool.reason(error)}")
        tool.fail(f"can't open '{source}': {tool.reason(error)}")
    wanted = WantedMembers(tool)
    unpacking = Unpacking(tool)
    if not archive:
        tool.err("This does not look like a tar archive" if tool.gnu else "short read")
    try:
        for member in members(archive):
            tool.tick()
            if not wanted.has(member.name):
                continue
            if action == "t":
                tool.out((long_line(tool, member) if tool.has("v") else member.name) + "\n")
            else:
                unpacking.extract(member)
    except BadTar as bad:
        tool.err(
            str(bad) if tool.gnu else "short read" if "EOF" in str(bad) or len(archive) < BLOCK else "invalid tar magic"
        )
        if not tool.gnu:
            raise Done(1) from None
    unpacking.finish()
    wanted.finish()
    if tool.gnu:
        delayed(tool)


def _archive(tool: Tool, source: str, started: Files) -> Content:
    if source == "-":
        content = tool.process.stdin.read_content()
    else:
        content = started.content(source)
    return opened(tool, content) or content


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
        self.folders: list[tuple[str, TarMember]] = []
        self.keep_owner = self.files.user.uid == 0 and not tool.has("o", "no-same-owner")
        self.keep_mode = self.files.user.uid == 0 or tool.has("p", "same-permissions")
        self.warned = False

    def extract(self, member: TarMember) -> None:
        tool = self.tool
        path = self.target(member.name)
        if not path:
            return
        if tool.has("v"):
            (tool.process.stderr if tool.has("O") else tool.process.stdout).write(member.name + "\n")
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

    def make(self, path: str, member: TarMember) -> None:
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
        if self.exists(path):
            if self.tool.has("k"):
                said = Say("can't open '{0}': File exists", "{0}: Cannot open: File exists")
                self.tool.complain(said, path, status=2 if self.tool.gnu else 1)
                return
            files.unlink(path)
        if member.hard:
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

    def exists(self, path: str) -> bool:
        try:
            self.files.lstat(path)
        except OSError:
            return False
        return True

    def set(self, path: str, member: TarMember) -> None:
        files, link = self.files, stat.S_ISLNK(member.mode)
        if self.keep_owner:
            names = Names(files)
            uid = names.uid(member.user) if member.user and not self.tool.has("numeric-owner") else None
            gid = names.gid(member.group) if member.group and not self.tool.has("numeric-owner") else None
            files.chown(path, member.uid if uid is None else uid, member.gid if gid is None else gid, False)
        if not link:
            files.chmod(path, member.mode & 0o7777 if self.keep_mode else member.mode & 0o777 & ~files.umask)
        if not self.tool.has("m"):
            files.utime(path, member.mtime * 10**9, member.mtime * 10**9, False)

    def finish(self) -> None:
        for path, member in reversed(self.folders):
            self.set(path, member)
