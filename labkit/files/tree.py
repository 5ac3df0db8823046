"""Inodes, the store that keeps all of one machine, and Tree: an ordinary file system such as ext4 or tmpfs.

A directory entry points at the inode as it was *born*; the store knows what has become of it since. An inode that was
born, or written, after the last snapshot is changed in place; an older one is replaced in the store's table, so that
the snapshot keeps the old one. So a snapshot costs nothing, and what no one has changed, such as the files of an
image, is shared between snapshots, containers and machines. Stands on persistent.py and contents.py.
"""

from __future__ import annotations

import errno
import stat
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from labkit.files.contents import PAGE, Content
from labkit.files.errors import failure
from labkit.files.persistent import Map

S_IFMT = 0o170000
DIRECTORY, REGULAR, SYMLINK = stat.S_IFDIR, stat.S_IFREG, stat.S_IFLNK
_EMPTY_FILE = Content()


class Generated(tuple[Any, ...]):
    """A content that is computed when it is looked at, by store.generators[kind](*args) -> bytes."""

    __slots__ = ()

    def __new__(cls, kind: str, args: tuple[Any, ...]) -> Generated:
        return super().__new__(cls, (kind, *args))

    @property
    def kind(self) -> str:
        return self[0]  # type: ignore[no-any-return]

    @property
    def args(self) -> tuple[Any, ...]:
        return self[1:]


class Inode:
    """One file of any type. data: Content or Generated (file), Map of names to inodes (directory), str (link)."""

    __slots__ = (
        "atime", "born", "ctime", "data", "epoch", "gid", "ino", "mode", "mtime", "nlink", "origin", "parent", "rdev",
        "sealed", "uid", "xattrs",
    )  # fmt: skip

    def __init__(self, epoch: object, ino: int, mode: int, uid: int, gid: int, now: int, data: Any = None) -> None:
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
        if data is None:
            data = Map() if kind == DIRECTORY else _EMPTY_FILE if kind == REGULAR else None
        self.data = data

    def twin(self, epoch: object) -> Inode:
        """A copy for the given epoch."""
        twin = Inode.__new__(Inode)
        twin.born, twin.epoch, twin.ino, twin.mode, twin.uid, twin.gid = (
            self.born, epoch, self.ino, self.mode, self.uid, self.gid,
        )  # fmt: skip
        twin.rdev, twin.atime, twin.mtime, twin.ctime = self.rdev, self.atime, self.mtime, self.ctime
        twin.xattrs, twin.origin, twin.parent, twin.sealed = self.xattrs, self.origin, self.parent, self.sealed
        twin.nlink = self.nlink
        twin.data = self.data.copy() if type(self.data) is Map else self.data
        return twin

    @property
    def is_dir(self) -> bool:
        return self.mode & S_IFMT == DIRECTORY

    @property
    def is_whiteout(self) -> bool:
        """A character device 0/0: overlayfs' mark for a name that is deleted (kernel, overlayfs.rst)."""
        return self.rdev == 0 and self.mode & S_IFMT == stat.S_IFCHR

    @property
    def is_opaque(self) -> bool:
        """A directory whose mark hides all that lies below it."""
        return self.xattrs is not None and self.xattrs.get("trusted.overlay.opaque") == b"y"


class HasTime(Protocol):
    now: int


@dataclass(frozen=True)
class Saved:
    """A store at one moment."""

    changed: Map[Inode, Inode]
    tables: Map[Any, Any]
    next_ino: int
    tampered: int


class Store:
    """All inodes of one machine, and when they were changed."""

    def __init__(self, clock: HasTime) -> None:
        self.clock = clock
        self.epoch = object()
        self.version = 0  # goes up whenever a name is taken away or comes to mean another file
        self.generators: dict[str, Callable[..., bytes]] = {}
        self.meter: Callable[[int], object] = lambda steps: None  # told of steps that are more than usual
        self.events: Callable[..., None] = lambda *event: None  # told of copy-ups and whiteouts
        self._changed: Map[Inode, Inode] = Map()
        self._tables: Map[Any, Any] = Map()  # mount tables by namespace
        self._next_ino = 11
        self._next_device = 0x30
        self.tampered = 0  # how often the names in a layer were changed from outside

    def snapshot(self) -> Saved:
        self.epoch = object()
        return Saved(self._changed.copy(), self._tables.copy(), self._next_ino, self.tampered)

    def restore(self, saved: Saved) -> None:
        self.epoch = object()
        self._changed, self._tables = saved.changed.copy(), saved.tables.copy()
        self._next_ino = saved.next_ino
        self.tampered = saved.tampered
        self.version += 1

    def get(self, node: Inode) -> Inode:
        """What this inode is now."""
        return self._changed.get(node, node)  # type: ignore[no-any-return]

    def change(self, node: Inode) -> Inode:
        """The inode as it is now, to be changed."""
        inode = self._changed.get(node, node)
        if inode.epoch is self.epoch:
            return inode  # type: ignore[no-any-return]
        inode = inode.twin(self.epoch)
        self._changed.set(node, inode)
        return inode  # type: ignore[no-any-return]

    def content(self, inode: Inode) -> Content:
        """A regular file's bytes."""
        if type(inode.data) is Generated:
            return Content(self.generators[inode.data.kind](*inode.data.args))
        return inode.data  # type: ignore[no-any-return]

    def new(self, mode: int, uid: int = 0, gid: int = 0, data: Any = None) -> Inode:
        """A new inode that no directory names yet."""
        self._next_ino += 1
        return Inode(self.epoch, self._next_ino, mode, uid, gid, self.clock.now, data)

    def new_device(self) -> int:
        """A number for st_dev of a file system without a disk."""
        self._next_device += 1
        return self._next_device

    def names(self, folder: Inode) -> Map[str, Inode]:
        return self.get(folder).data  # type: ignore[no-any-return]

    def add(self, folder: Inode, name: str, node: Inode, *, touch: bool = True) -> None:
        """Give a node a name in a folder; the caller has seen to it that the name is free."""
        into = self._change_folder(folder, touch)
        into.data.set(name, node)
        if node.mode & S_IFMT == DIRECTORY:
            if not node.sealed or self.get(node).parent is not None:
                self.change(node).parent = into.born
            into.nlink += 1

    def take(self, folder: Inode, name: str, *, touch: bool = True) -> Inode:
        """Take a name away; the node is returned, its link count as it was. Raises OSError where it is not there."""
        out = self._change_folder(folder, touch)
        node: Inode | None = out.data.get(name)
        if node is None:
            raise failure(errno.ENOENT, name)
        out.data.delete(name)
        if node.mode & S_IFMT == DIRECTORY:
            out.nlink -= 1
        self.version += 1
        return node

    def _change_folder(self, folder: Inode, touch: bool) -> Inode:
        inode = self.change(folder)
        if inode.sealed:
            self.tampered += 1
            self.version += 1
        if touch:
            inode.mtime = inode.ctime = self.clock.now
        return inode

    def drop(self, node: Inode) -> None:
        """One link less."""
        inode = self.change(node)
        inode.nlink -= 2 if inode.is_dir else 1
        inode.ctime = self.clock.now

    def table(self, key: object) -> Map[Any, Any]:
        """The mount table of a namespace, to read."""
        return self._tables.get(key, (None, None))[1]  # type: ignore[no-any-return]

    def change_table(self, key: object) -> Map[Any, Any]:
        """The same, to change."""
        epoch, table = self._tables.get(key, (None, None))
        if epoch is not self.epoch:
            table = table.copy() if table is not None else Map()
            self._tables.set(key, (self.epoch, table))
        return table  # type: ignore[no-any-return]

    def drop_table(self, key: object) -> None:
        if key in self._tables:
            self._tables.delete(key)


class Tree:
    """An ordinary file system in the store: its nodes are inodes."""

    overlay = False

    def __init__(self, store: Store, root: Inode, device: int, *, limit: int | None = None) -> None:
        self.store = store
        self.root = root
        self.device = device  # st_dev
        self.limit = limit  # bytes it may hold
        self.get = store.get
        self.change = store.change

    def lookup(self, folder: Inode, name: str) -> Inode | None:
        return self.store.get(folder).data.get(name)  # type: ignore[no-any-return]

    def names(self, folder: Inode) -> Iterable[str]:
        return self.store.get(folder).data  # type: ignore[no-any-return]

    def is_empty(self, folder: Inode) -> bool:
        return not self.store.get(folder).data

    def number(self, node: Inode) -> int:
        """st_ino."""
        return node.ino

    def links(self, node: Inode) -> int:
        """st_nlink."""
        return self.store.get(node).nlink

    def make(self, folder: Inode, name: str, mode: int, uid: int, gid: int, data: Any = None, rdev: int = 0) -> Inode:
        """A new file of any type under a name that is free."""
        node = self.store.new(mode, uid, gid, data)
        node.rdev = rdev
        self.store.add(folder, name, node)
        self.store.version += 1  # a union mount may have this folder as its upper
        return node

    def remove(self, folder: Inode, name: str) -> None:
        """Take a file's or an empty folder's name away."""
        self.store.drop(self.store.take(folder, name))

    def link(self, node: Inode, folder: Inode, name: str) -> None:
        inode = self.store.change(node)
        inode.nlink += 1
        inode.ctime = self.store.clock.now
        self.store.add(folder, name, node)
        self.store.version += 1

    def rename(self, folder: Inode, name: str, to: Inode, other: str) -> None:
        """Move a name onto another, which is free or, as the caller has checked, may be replaced."""
        store = self.store
        if other in store.names(to):
            store.drop(store.take(to, other))
        node = store.take(folder, name)
        store.change(node).ctime = store.clock.now
        store.add(to, other, node)

    def can_move_folder(self, folder: Inode) -> bool:
        return True

    def is_inside(self, node: Inode, folder: Inode) -> bool:
        """Whether `node` is `folder` or lies below it."""
        seen: Inode | None = node
        while seen is not None:
            if seen is folder:
                return True
            seen = self.store.get(seen).parent
        return False

    def prepare_write(self, node: Inode, *, keep: bool = True) -> None:
        """Called when a file is opened for writing; `keep`: its old bytes matter."""

    def room_for(self, more: int, node: Inode, data: Any) -> None:
        """Raise ENOSPC where `more` bytes do not fit. `data` is what `node` is about to hold."""
        if self.limit is not None and more > 0:
            pages = -(-more // PAGE) * PAGE
            if used(self.store, self.root) + pages > self.limit:
                raise failure(errno.ENOSPC)


def used(store: Store, top: Inode) -> int:
    """Bytes in blocks of the files below a folder; a file with several names counts once."""
    total, seen, waiting = 0, set(), [top]
    while waiting:
        inode = store.get(waiting.pop())
        if inode.born in seen:
            continue
        seen.add(inode.born)
        if inode.is_dir:
            waiting.extend(inode.data.values())
        elif type(inode.data) is Content:
            total += inode.data.allocated
    return total
