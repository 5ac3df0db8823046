"""Tree: an ordinary file system such as ext4 or tmpfs. Stands on store.py."""

from __future__ import annotations

import errno
from collections.abc import Iterable

from labkit.files.contents import PAGE, Content, failure
from labkit.files.inodes import FileData, Inode, Store


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
        return self.store.get(folder).names.get(name)

    def names(self, folder: Inode) -> Iterable[str]:
        return self.store.get(folder).names

    def is_empty(self, folder: Inode) -> bool:
        return not self.store.get(folder).names

    def number(self, node: Inode) -> int:
        """st_ino."""
        return node.ino

    def links(self, node: Inode) -> int:
        """st_nlink."""
        return self.store.get(node).nlink

    def make(
        self, folder: Inode, name: str, mode: int, uid: int, gid: int, data: FileData = None, rdev: int = 0
    ) -> Inode:
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

    def current(self, node: Inode) -> None:
        """Called when an open file is used: an inode is what it is."""

    def room_for(self, more: int, node: Inode, data: Content) -> None:
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
            waiting.extend(inode.names.values())
        elif type(inode.data) is Content:
            total += inode.data.allocated
    return total
