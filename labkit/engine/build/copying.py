"""How COPY and ADD put files into a stage.

The rules are those of moby/buildkit solver/llbsolver/file and tonistiigi/fsutil copy: a folder's contents are
copied, not the folder; a file goes into a folder that is there or that ends in a slash; missing folders are made
with mode 755.
"""

from __future__ import annotations

import posixpath
import re
import stat
from dataclasses import dataclass, field

from labkit.engine.build.context import Matcher, SourceTree, matcher
from labkit.engine.containers.oci import account_rows
from labkit.files import BadArchiveError, Content, Files, Stat, User, layers
from labkit.kernel import limits
from labkit.kernel.unpacking import PackingError, packing, unpacked


class CopyError(Exception):
    """A copy that is not possible; str() is BuildKit's message."""


_STEPS = 10  # that a file takes


@dataclass
class Copying:
    """One source of a COPY: from `tree` into `files`. `merged` is for messages."""

    tree: SourceTree
    files: Files
    owner: User | None = None
    mode: str = ""
    exclude: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    unpack: bool = False
    merged: str = ""  # where the stage's root is on the host
    _links: dict[int, str] = field(default_factory=dict)

    def copy(self, source: str, target: str) -> None:
        """Copy what a source path (perhaps with wildcards) names. Raises CopyError, OSError."""
        excluded = matcher(self.exclude) if self.exclude else None
        included = matcher(self.include) if self.include else None
        try:
            found = list(self.tree.find(source))
        except FileNotFoundError:
            raise CopyError(f"lstat {source}: no such file or directory") from None
        for name, path in found:
            if self.unpack and self._unpack(path, target):
                continue
            self._copy_one(name, path, target, excluded, included)

    def write(self, name: str, data: str, target: str) -> None:
        """A heredoc as a source file of this name."""
        target = self._prepare(name, None, target)
        self._clear(target)
        self.files.write(target, data)
        self._set(target, 0o644, User(), self.files.store.clock.now)

    def _copy_one(self, name: str, path: str, target: str, excluded: Matcher | None, included: Matcher | None) -> None:
        about = self.tree.lstat(path)
        is_folder = stat.S_ISDIR(about.st_mode)
        if target.endswith("/"):
            make_folders(self.files, target, self.owner)
        target = self._prepare(name, about, target)
        if not is_folder:
            self._copy_file(path, about, target)
            return
        existed = self.files.exists(target)
        self._copy_folder(path, "", target, excluded, included)
        if existed:
            self.files.utime(target, about.st_atime_ns, about.st_mtime_ns)

    def _prepare(self, name: str, about: Stat | None, target: str) -> str:
        """The path that the source becomes, its folder made."""
        is_folder = about is not None and stat.S_ISDIR(about.st_mode)
        if target.endswith("/") and not is_folder:
            make_folders(self.files, target, self.owner)
        target = _resolved(self.files, target)
        if not is_folder and self.files.is_dir(target):
            target = posixpath.join(target, name)
        new_folder = is_folder and not self.files.exists(target)
        make_folders(self.files, target if new_folder else posixpath.dirname(target), self.owner)
        return target

    def _copy_folder(
        self, top: str, inner: str, target: str, excluded: Matcher | None, included: Matcher | None
    ) -> None:
        """The contents of a folder; `inner`: where it lies below the source that was named."""
        self._need_folder(target)
        for name in self.tree.listdir(top):
            path, relative = posixpath.join(top, name), f"{inner}{name}"
            about = self.tree.lstat(path)
            wanted = not (excluded and excluded.matches(relative)) and (not included or included.matches(relative))
            into = posixpath.join(target, name)
            if stat.S_ISDIR(about.st_mode):
                if wanted or self._any_below(path, relative, excluded, included):
                    self._folder(about, into)
                    self._copy_folder(path, f"{relative}/", into, excluded, included)
                    self._finish(about, into)
            elif wanted:
                self._copy_file(path, about, into)

    def _any_below(self, path: str, relative: str, excluded: Matcher | None, included: Matcher | None) -> bool:
        return any(
            (not included or included.matches(inside)) and not (excluded and excluded.matches(inside))
            for inside in (f"{relative}/{name}" for name, _ in self.tree.walk(path))
        )

    def _folder(self, about: Stat, target: str) -> None:
        try:
            known = self.files.lstat(target)
        except FileNotFoundError:
            self.files.mkdir(target, 0o777)
            return
        if not stat.S_ISDIR(known.st_mode):
            raise CopyError(f"cannot copy to non-directory: {self.merged}{target}")

    def _need_folder(self, target: str) -> None:
        if not self.files.is_dir(target):
            raise CopyError(f"cannot copy to non-directory: {self.merged}{target}")

    def _clear(self, target: str) -> None:
        """Take away the file that is in the way."""
        try:
            known = self.files.lstat(target)
        except FileNotFoundError:
            return
        if stat.S_ISDIR(known.st_mode):
            raise CopyError(f"cannot replace to directory {self.merged}{target} with file")
        self.files.unlink(target)

    def _copy_file(self, path: str, about: Stat, target: str) -> None:
        limits.tick(_STEPS)
        self._clear(target)
        kind = stat.S_IFMT(about.st_mode)
        if kind == stat.S_IFLNK:
            self.files.symlink(self.tree.files.readlink(path), target)
        elif kind != stat.S_IFREG:
            self.files.mknod(target, about.st_mode, about.st_rdev)
        elif about.st_nlink > 1 and about.st_ino in self._links:
            self.files.link(self._links[about.st_ino], target)
        else:
            self.files.write(target, self.tree.content(path))
            self._links[about.st_ino] = target
        self._finish(about, target)

    def _finish(self, about: Stat, target: str) -> None:
        self._set(target, about.st_mode, User(about.st_uid, about.st_gid), about.st_mtime_ns)

    def _set(self, target: str, mode: int, owner: User, mtime: int) -> None:
        owner = self.owner or owner
        self.files.chown(target, owner.uid, owner.gid, follow=False)
        if not stat.S_ISLNK(self.files.lstat(target).st_mode):
            self.files.chmod(target, changed_mode(mode, self.mode) if self.mode else mode & 0o7777)
        self.files.utime(target, mtime, mtime, follow=False)

    # archives

    def _unpack(self, path: str, target: str) -> bool:
        """Unpack a local archive into the folder `target`; False where it is none."""
        if not stat.S_ISREG(self.tree.lstat(path).st_mode):
            return False
        entries = _entries(self.tree.content(path))
        if entries is None:
            return False
        target = _resolved(self.files, target)
        make_folders(self.files, target, self.owner)
        for entry in entries:
            if entry.path:
                extract(self.files, target, entry, self.owner)
        return True


def _entries(content: Content) -> list[layers.Entry] | None:
    """What is in an archive; None where the content is none."""
    if not packing(content) and content.read(257, 5) != b"ustar":
        return None
    try:
        return list(layers.read(unpacked(content)))
    except (BadArchiveError, PackingError):
        return None


def extract(files: Files, root: str, entry: layers.Entry, owner: User | None = None) -> None:
    """One entry of an archive, below a folder."""
    limits.tick(_STEPS)
    path = posixpath.join(root, entry.path)
    make_folders(files, posixpath.dirname(path), None)
    kind = stat.S_IFMT(entry.mode)
    if not (kind == stat.S_IFDIR and files.is_dir(path)):
        if files.access(path, 0) or _is_link(files, path):
            files.rmtree(path)
        _make(files, root, path, entry, kind)
    if entry.hardlink is not None:
        return
    files.chown(path, owner.uid if owner else entry.uid, owner.gid if owner else entry.gid, follow=False)
    if kind != stat.S_IFLNK:
        files.chmod(path, entry.mode & 0o7777)
    files.utime(path, entry.mtime, entry.mtime, follow=False)


def _make(files: Files, root: str, path: str, entry: layers.Entry, kind: int) -> None:
    if entry.hardlink is not None:
        files.link(posixpath.join(root, entry.hardlink), path)
    elif kind == stat.S_IFDIR:
        files.mkdir(path)
    elif kind == stat.S_IFLNK:
        files.symlink(str(entry.data), path)
    elif kind == stat.S_IFREG:
        files.write(path, entry.data if isinstance(entry.data, Content) else Content())
    else:
        files.mknod(path, entry.mode, entry.rdev)


def _is_link(files: Files, path: str) -> bool:
    try:
        return stat.S_ISLNK(files.lstat(path).st_mode)
    except OSError:
        return False


# folders, modes, owners


def make_folders(files: Files, path: str, owner: User | None, mode: int = 0o755) -> None:
    """A folder and those above it; what is new gets this mode and owner. Links are followed inside the root.

    Raises CopyError where a file is in the way (fsutil copy/mkdir.go, and continuity's RootPath before it).
    """
    done = "/"
    names = [name for name in path.split("/") if name]
    for place, name in enumerate(names):
        done = posixpath.join(done, name)
        if files.is_dir(done):
            continue
        if files.exists(done):
            below = posixpath.join(done, *names[place + 1 : place + 2])
            raise CopyError(f"{'mkdir' if below == done else 'lstat'} {below}: not a directory")
        if _is_link(files, done):
            make_folders(files, _resolved(files, done), owner, mode)
            continue
        files.mkdir(done)
        files.chmod(done, mode)
        if owner:
            files.chown(done, owner.uid, owner.gid)


def _resolved(files: Files, path: str) -> str:
    """The path with links followed as far as they lead somewhere; it need not exist."""
    path = posixpath.normpath(posixpath.join("/", path))
    rest: list[str] = []
    for _ in range(255):
        try:
            return posixpath.join(files.realpath(path), *reversed(rest))
        except OSError:
            pass
        if _is_link(files, path):
            path = posixpath.normpath(posixpath.join(posixpath.dirname(path), files.readlink(path)))
        else:
            path, name = posixpath.split(path)
            rest.append(name)
    return path


_CLAUSE = re.compile(r"([ugoa]*)((?:[-+=][rwxXstugo]*)+)")
_SHIFTS = {"u": 6, "g": 3, "o": 0}
_UMASK = 0o022  # the daemon's: it holds where a clause names nobody


def changed_mode(mode: int, change: str) -> int:
    """The mode after --chmod: octal, or as BSD's setmode takes it, u=rwx,go+X or go=u (tonistiigi/dchapes-mode)."""
    if re.fullmatch(r"[0-7]+", change):
        return int(change, 8)
    old = bits = mode & 0o7777
    searchable = stat.S_ISDIR(mode) or bool(old & 0o111)
    for clause in change.split(","):
        who, actions = _CLAUSE.fullmatch(clause).groups()  # type: ignore[union-attr]
        for sign, letters in re.findall(r"([-+=])([rwxXstugo]*)", actions):
            bits = _apply(bits, who, sign, letters, searchable)
    return bits


def _apply(bits: int, who: str, sign: str, letters: str, searchable: bool) -> int:
    people = "ugo" if not who or "a" in who else who
    reach = sum(7 << _SHIFTS[person] for person in set(people)) & ~(0 if who else _UMASK)
    granted = 0
    for letter in letters:
        if letter in "rwx" or (letter == "X" and sign == "+" and searchable):
            granted |= {"r": 0o444, "w": 0o222, "x": 0o111, "X": 0o111}[letter] & reach
        elif letter in _SHIFTS:
            granted |= (bits >> _SHIFTS[letter] & 7) * 0o111 & reach
        elif letter == "s" and set(people) & {"u", "g"}:
            granted |= (0o4000 if "u" in people else 0) | (0o2000 if "g" in people else 0)
        elif letter == "t" and set(people) & {"u", "g"}:
            granted |= 0o1000
    if sign == "+":
        return bits | granted
    if sign == "-":
        return bits & ~granted
    cleared = sum(7 << _SHIFTS[person] for person in set(people))
    return bits & ~cleared | granted


def check_mode(change: str) -> None:
    """Raises ValueError for a --chmod that is none (dockerfile2llb/convert_copy.go)."""
    if change[0].isdigit():
        if not re.fullmatch(r"[0-7]+", change) or int(change, 8) > 0o7777:
            raise ValueError(f"invalid chmod parameter: '{change}'. it should be octal string and between 0 and 07777")
    elif not all(_CLAUSE.fullmatch(clause) for clause in change.split(",")):
        raise ValueError("invalid syntax")


def find_owner(files: Files, text: str) -> User | None:
    """Who --chown or USER names, by the stage's own /etc/passwd and /etc/group; an unknown name changes nothing."""
    if not text:
        return None
    user, _, group = text.partition(":")
    uid, gid = _identity(files, "/etc/passwd", user) or (0, 0)
    if group and (known := _identity(files, "/etc/group", group)):
        gid = known[0]
    return User(uid, gid)


def _identity(files: Files, table: str, name: str) -> tuple[int, int] | None:
    """The number of a user or group, and the group of a user; a number stands for itself (its group too)."""
    if name.isdigit():
        return int(name), int(name)
    for fields in account_rows(files, table):
        if fields[0] == name and len(fields) > 2 and fields[2].isdigit():
            return int(fields[2]), int(fields[3]) if len(fields) > 3 and fields[3].isdigit() else 0
    return None
