"""The store that keeps all inodes of one machine.

A directory entry points at the inode as it was *born*; the store knows what has become of it since. An inode that was
born, or written, after the last snapshot is changed in place; an older one is replaced in the store's table, so that
the snapshot keeps the old one. So a snapshot costs nothing, and what no one has changed, such as the files of an
image, is shared between snapshots, containers and machines.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from labkit.files.contents import Content
from labkit.files.errors import failure
from labkit.files.inodes import DIRECTORY, S_IFMT, FileData, Generated, Inode
from labkit.files.mounts import MountStacks
from labkit.files.persistent import Map


class HasTime(Protocol):
    now: int


class Watcher(Protocol):
    """Who is told of what union mounts do to their uppers; `label`: whose mount it is."""

    def copied_up(self, label: str, path: str, size: int, layer: int) -> None:
        """A file; `layer`: where it lay, from 0 at the bottom."""

    def hidden(self, label: str, path: str) -> None:
        """A name, by a whiteout."""


@dataclass(frozen=True)
class Saved:
    """A store at one moment."""

    changed: Map[Inode, Inode]
    mounts: Map[object, MountStacks]
    next_ino: int
    tampered: int


class Store:
    """All inodes of one machine, and when they were changed."""

    def __init__(self, clock: HasTime) -> None:
        self.clock = clock
        self.epoch = object()
        self.version = 0  # goes up whenever a name is taken away or comes to mean another file
        self.generators: dict[str, Callable[[tuple[str, ...]], bytes]] = {}
        self.meter: Callable[[int], object] = lambda steps: None  # told of steps that are more than usual
        self.watcher: Watcher | None = None
        self._changed: Map[Inode, Inode] = Map()
        self._mounts: Map[object, MountStacks] = Map()  # by namespace
        self._next_ino = 11
        self._next_device = 0x30
        self.tampered = 0  # how often the names in a layer were changed from outside

    def snapshot(self) -> Saved:
        self.epoch = object()
        return Saved(self._changed.copy(), self._mounts.copy(), self._next_ino, self.tampered)

    def restore(self, saved: Saved) -> None:
        self.epoch = object()
        self._changed, self._mounts = saved.changed.copy(), saved.mounts.copy()
        self._next_ino = saved.next_ino
        self.tampered = saved.tampered
        self.version += 1

    def get(self, node: Inode) -> Inode:
        """What this inode is now."""
        return self._changed.get(node, node)

    def change(self, node: Inode) -> Inode:
        """The inode as it is now, to be changed."""
        inode = self._changed.get(node, node)
        if inode.epoch is self.epoch:
            return inode
        inode = inode.twin(self.epoch)
        self._changed.set(node, inode)
        return inode

    def content(self, inode: Inode) -> Content:
        """A regular file's bytes."""
        data = inode.data
        if type(data) is Generated:
            return Content(self.generators[data.kind](data.args))
        assert type(data) is Content
        return data

    def new(self, mode: int, uid: int = 0, gid: int = 0, data: FileData = None) -> Inode:
        """A new inode that no directory names yet."""
        self._next_ino += 1
        return Inode(self.epoch, self._next_ino, mode, uid, gid, self.clock.now, data)

    def new_device(self) -> int:
        """A number for st_dev of a file system without a disk."""
        self._next_device += 1
        return self._next_device

    def names(self, folder: Inode) -> Map[str, Inode]:
        return self.get(folder).names

    def add(self, folder: Inode, name: str, node: Inode, *, touch: bool = True) -> None:
        """Give a node a name in a folder; the caller has seen to it that the name is free."""
        into = self._change_folder(folder, touch)
        into.names.set(name, node)
        if node.mode & S_IFMT == DIRECTORY:
            if not node.sealed or self.get(node).parent is not None:
                self.change(node).parent = into.born
            into.nlink += 1

    def take(self, folder: Inode, name: str, *, touch: bool = True) -> Inode:
        """Take a name away; the node is returned, its link count as it was. Raises OSError where it is not there."""
        out = self._change_folder(folder, touch)
        node: Inode | None = out.names.get(name)
        if node is None:
            raise failure(errno.ENOENT, name)
        out.names.delete(name)
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

    def mounts(self, namespace: object) -> MountStacks:
        """The mounts of a namespace, to read."""
        return self._mounts[namespace]

    def change_mounts(self, namespace: object) -> MountStacks:
        """The same, to change."""
        mounts = self._mounts.get(namespace)
        if mounts is None or mounts.epoch is not self.epoch:
            mounts = mounts.copy(self.epoch) if mounts is not None else MountStacks(self.epoch, Map())
            self._mounts.set(namespace, mounts)
        return mounts

    def drop_mounts(self, namespace: object) -> None:
        if namespace in self._mounts:
            self._mounts.delete(namespace)
