"""Inodes: what a file is, whatever its names. Stands on persistent.py and contents.py."""

from __future__ import annotations

import stat
from typing import NamedTuple

from labkit.files.contents import Content
from labkit.files.persistent import Map

S_IFMT = 0o170000
DIRECTORY, REGULAR, SYMLINK = stat.S_IFDIR, stat.S_IFREG, stat.S_IFLNK
_EMPTY_FILE = Content()


class Generated(NamedTuple):
    """A content that is computed when it is looked at, by store.generators[kind](args) -> bytes."""

    kind: str
    args: tuple[str, ...]


FileData = Content | Generated | str | None  # of a file, a file, a symbolic link, all else


class FileNode:
    """What a file system calls one of its files by: a Tree an Inode, a union mount a Node."""

    __slots__ = ()


class Inode(FileNode):
    """One file of any type."""

    __slots__ = (
        "atime", "born", "ctime", "data", "epoch", "gid", "ino", "mode", "mtime", "names", "nlink", "origin", "parent",
        "rdev", "sealed", "uid", "xattrs",
    )  # fmt: skip

    def __init__(self, epoch: object, ino: int, mode: int, uid: int, gid: int, now: int, data: FileData = None) -> None:
        self.born = self
        self.epoch = epoch  # in which it may be changed in place; None: never
        self.ino = ino
        self.mode = mode
        self.uid = uid
        self.gid = gid
        self.rdev = 0
        self.atime = self.mtime = self.ctime = now  # ns
        self.xattrs: dict[str, bytes] | None = None  # replaced, never changed
        self.origin: Inode | None = None  # the lower inode that this one was copied up from
        self.parent: Inode | None = None  # a directory's
        self.sealed = False  # part of a layer
        kind = mode & S_IFMT
        self.nlink = 2 if kind == DIRECTORY else 1
        self.data = _EMPTY_FILE if data is None and kind == REGULAR else data  # a link's is where it leads
        self.names: Map[str, Inode] = Map() if kind == DIRECTORY else _NO_NAMES  # a directory's

    def twin(self, epoch: object) -> Inode:
        """A copy for the given epoch."""
        twin = Inode.__new__(Inode)
        twin.born, twin.epoch, twin.ino, twin.mode, twin.uid, twin.gid = (
            self.born, epoch, self.ino, self.mode, self.uid, self.gid,
        )  # fmt: skip
        twin.rdev, twin.atime, twin.mtime, twin.ctime = self.rdev, self.atime, self.mtime, self.ctime
        twin.xattrs, twin.origin, twin.parent, twin.sealed = self.xattrs, self.origin, self.parent, self.sealed
        twin.nlink = self.nlink
        twin.data = self.data
        twin.names = _NO_NAMES if self.names is _NO_NAMES else self.names.copy()
        return twin

    @property
    def is_dir(self) -> bool:
        return self.mode & S_IFMT == DIRECTORY

    @property
    def length(self) -> int:
        """Bytes of a file's content, or of where a link leads; 0 for all else, and for what is computed."""
        if isinstance(self.data, str):
            return len(self.data.encode())
        return len(self.data) if isinstance(self.data, Content) else 0

    @property
    def target(self) -> str:
        """Where a symbolic link leads."""
        assert isinstance(self.data, str)
        return self.data

    @property
    def is_whiteout(self) -> bool:
        """A character device 0/0: overlayfs' mark for a name that is deleted (kernel, overlayfs.rst)."""
        return self.rdev == 0 and self.mode & S_IFMT == stat.S_IFCHR

    @property
    def is_opaque(self) -> bool:
        """A directory whose mark hides all that lies below it."""
        return self.xattrs is not None and self.xattrs.get("trusted.overlay.opaque") == b"y"


_NO_NAMES: Map[str, Inode] = Map()
