"""The two file systems: Tree, an ordinary one such as ext4 or tmpfs; and the union mount of the kernel's overlayfs.

A union mount has read-only lower layers, and an upper that takes every change. Everything follows from one lookup (the
upper's name, else the lowers', a whiteout hiding it, an opaque folder hiding all below) and one copy-up (the whole
file, its folders first, into the upper, at the first change). The lowers come as one Merged tree, made once when a
layer is finished and shared by all its containers, so a lookup does not slow down with the number of layers. Facts:
kernel, Documentation/filesystems/overlayfs.rst; no redirect_dir, metacopy, index.
"""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterable

from labkit.files import errno
from labkit.files.contents import PAGE, Content, Map, failure
from labkit.files.inodes import REGULAR, S_IFMT, FileData, FileNode, Inode, Store


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
        self.store.version += self.store.is_in_upper(folder)
        return node

    def remove(self, folder: Inode, name: str) -> None:
        """Take a file's or an empty folder's name away."""
        self.store.drop(self.store.take(folder, name))

    def link(self, node: Inode, folder: Inode, name: str) -> None:
        inode = self.store.change(node)
        inode.nlink += 1
        inode.ctime = self.store.clock.now
        self.store.add(folder, name, node)
        self.store.version += self.store.is_in_upper(folder)

    def rename(self, folder: Inode, name: str, to: Inode, other: str) -> None:
        """Move a name onto another, which is free or, as the caller has checked, may be replaced."""
        store = self.store
        if other in store.names(to):
            store.drop(store.take(to, other))
        node = store.take(folder, name)
        store.change(node).ctime = store.clock.now
        store.add(to, other, node)

    def identity(self, node: Inode) -> object:
        return node.born

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


OPAQUE = "trusted.overlay.opaque"
WHITEOUT_MODE = stat.S_IFCHR


class Merged:
    """A file of the lower layers put together: the topmost inode, and for a directory its merged names."""

    __slots__ = ("inode", "layer", "names")

    def __init__(self, inode: Inode, layer: int, names: Map[str, Merged] | None) -> None:
        self.inode = inode
        self.layer = layer  # in which layer the inode lies, from 0 at the bottom
        self.names = names  # of a directory

    @classmethod
    def of(cls, inode: Inode, layer: int, names: dict[str, Merged]) -> Merged:
        return cls(inode, layer, Map(names))


def merge(store: Store, below: Merged | None, top: Inode, layer: int) -> Merged:
    """A layer's tree on the merged tree below it. Costs as much as the layer is large, however many lie below."""
    inode = store.get(top)
    if not inode.is_dir:
        return Merged(top, layer, None)
    if below is None or below.names is None or inode.is_opaque:
        names: Map[str, Merged] = Map()
        hidden = None
    else:
        names = below.names.copy()
        hidden = below.names
    for name, child in inode.names.items():
        if store.get(child).is_whiteout:
            if name in names:
                names.delete(name)
        else:
            names.set(name, merge(store, None if hidden is None else hidden.get(name), child, layer))
    return Merged(top, layer, names)


def stack(store: Store, layers: Iterable[Inode]) -> Merged | None:
    """The merged tree of layers from the bottom up, as they are now, each one's root inode given."""
    below: Merged | None = None
    for number, top in enumerate(layers):
        below = merge(store, below, top, number)
    return below


class Node(FileNode):
    """A file as seen through the mount. Its upper is there when it was made or changed in the mount."""

    __slots__ = ("children", "lower", "name", "parent", "upper")

    def __init__(self, parent: Node | None, name: str, upper: Inode | None, lower: Merged | None) -> None:
        self.parent = parent
        self.name = name
        self.upper = upper
        self.lower = lower  # a directory's: what its names are merged with; None where the upper hides it
        self.children: dict[str, Node] = {}


def _without_marks(xattrs: dict[str, bytes] | None) -> dict[str, bytes] | None:
    """The attributes that a copy gets: overlayfs' own marks are not copied up (kernel, ovl_copy_xattr)."""
    if not xattrs:
        return xattrs
    return {name: value for name, value in xattrs.items() if not name.startswith("trusted.overlay.")}


class Overlay:
    """A union mount. Its nodes are Nodes; the same operations as Tree's."""

    overlay = True
    limit = None

    __slots__ = ("_base", "_base_tampered", "_lowers", "_root", "_upper", "_version", "device", "label", "store")

    def __init__(
        self, store: Store, upper: Inode, lowers: Callable[[], Iterable[Inode]], device: int, base: Merged | None
    ) -> None:
        self.store = store
        self.device = device
        self._upper = upper
        self._lowers = lowers  # their roots, from the bottom up; asked for only where someone changed one from outside
        self._base = base  # the merged tree of the lowers
        self.label = ""  # whose mount it is: the layer's id, for events
        self._base_tampered = store.tampered
        self._version = -1
        self._root = Node(None, "", upper, base)
        store.uppers.add(upper.ino)

    @property
    def root(self) -> Node:
        store = self.store
        if self._version != store.version:  # a name has gone somewhere: what was looked up may be out of date
            if self._base_tampered != store.tampered:
                self._base, self._base_tampered = stack(store, self._lowers()), store.tampered
            base = None if store.get(self._upper).is_opaque else self._base
            self._root = Node(None, "", self._upper, base)
            self._version = store.version
        return self._root

    @staticmethod
    def path(node: Node) -> str:
        """From the root of the mount."""
        names = []
        while node.parent is not None:
            names.append(node.name)
            node = node.parent
        return "/" + "/".join(reversed(names))

    # the one lookup

    def lookup(self, folder: Node, name: str) -> Node | None:
        found = folder.children.get(name)
        if found is None:
            found = self._find(folder, name)
            if found is not None:
                folder.children[name] = found
        return found

    def _find(self, folder: Node, name: str) -> Node | None:
        store = self.store
        lower = folder.lower.names.get(name) if folder.lower is not None and folder.lower.names is not None else None
        if folder.upper is not None:
            upper = store.get(folder.upper).names.get(name)
            if upper is not None:
                inode = store.get(upper)
                if inode.is_whiteout:
                    return None
                if not inode.is_dir or inode.is_opaque or (lower is not None and lower.names is None):
                    lower = None
                return Node(folder, name, upper, lower)
        return Node(folder, name, None, lower) if lower is not None else None

    # the one copy-up

    def copy_up(self, node: Node, *, keep: bool = True) -> Inode:
        """The node's upper inode; made, with those of its folders, where it is not there. `keep`: with its bytes."""
        if node.upper is not None:
            return node.upper
        assert node.parent is not None
        assert node.lower is not None
        folder = self.copy_up(node.parent)
        present = self.store.names(folder).get(node.name)
        if present is not None and self.store.get(present).origin is node.lower.inode:  # another handle did it
            node.upper = present
            return present
        old = self.store.get(node.lower.inode)
        data = old.data
        if old.mode & S_IFMT == REGULAR:
            data = self.store.content(old) if keep else Content()
        new = self.store.new(old.mode, old.uid, old.gid, data)
        new.rdev, new.xattrs, new.origin = old.rdev, _without_marks(old.xattrs), old.born
        new.atime, new.mtime = old.atime, old.mtime
        self.store.add(folder, node.name, new, touch=False)
        node.upper = new
        if not old.is_dir:
            if self.store.watcher:
                size = data.size if type(data) is Content else 0
                self.store.watcher.copied_up(self.label, self.path(node), size, node.lower.layer)
            node.lower = None
        return new

    # what follows from the two

    def get(self, node: Node) -> Inode:
        if node.upper is not None:
            return self.store.get(node.upper)
        assert node.lower is not None
        return self.store.get(node.lower.inode)

    def change(self, node: Node) -> Inode:
        return self.store.change(node.upper if node.upper is not None else self.copy_up(node))

    def prepare_write(self, node: Node, *, keep: bool = True) -> None:
        if node.upper is None:
            self.copy_up(node, keep=keep)

    def current(self, node: Node) -> None:
        """A node that was opened before its file was copied up: the copy is what is read from then on."""
        if node.upper is None and node.parent is not None and node.parent.upper is not None and node.lower is not None:
            present = self.store.names(node.parent.upper).get(node.name)
            if present is not None and self.store.get(present).origin is node.lower.inode:
                node.upper, node.lower = present, None

    def names(self, folder: Node) -> Iterable[str]:
        upper: Map[str, Inode] = self.store.names(folder.upper) if folder.upper is not None else Map()
        merged = folder.lower is not None and folder.lower.names is not None
        lower: Map[str, Merged] = folder.lower.names if merged else Map()  # type: ignore[union-attr, assignment]
        if not upper:
            return lower
        shown = [name for name, child in upper.items() if not self.store.get(child).is_whiteout]
        return shown + [name for name in lower if name not in upper]

    def is_empty(self, folder: Node) -> bool:
        return not list(self.names(folder))

    def number(self, node: Node) -> int:
        inode = self.get(node)
        return inode.origin.ino if inode.origin is not None else inode.ino

    def links(self, node: Node) -> int:
        inode = self.get(node)
        return 1 if inode.is_dir and node.lower is not None else inode.nlink

    def _hides(self, folder: Node, name: str) -> bool:
        """Whether the lowers have this name in this folder."""
        return folder.lower is not None and folder.lower.names is not None and name in folder.lower.names

    def _free(self, folder: Node, name: str) -> Inode:
        """The folder's upper, in which this name is free: what had it, a whiteout or not, is gone."""
        upper = self.copy_up(folder)
        if name in self.store.names(upper):
            self.store.drop(self.store.take(upper, name, touch=False))
        return upper

    def _place(self, folder: Node, name: str, upper: Inode, inode: Inode, *, moved: bool = False) -> None:
        """Name an inode in the upper; a directory must not show what the lowers have under its name.

        The kernel marks one that is made only where they have it, and one that is moved wherever the folder lies in
        them (fs/overlayfs/dir.c: ovl_create_upper, ovl_create_over_whiteout, ovl_rename; with index, metacopy and
        redirect_dir off, as Docker mounts)."""
        if inode.is_dir and (folder.lower is not None if moved else self._hides(folder, name)):
            changed = self.store.change(inode.born)
            changed.xattrs = {**(changed.xattrs or {}), OPAQUE: b"y"}
        self.store.add(upper, name, inode.born)
        folder.children.pop(name, None)

    def make(
        self, folder: Node, name: str, mode: int, uid: int, gid: int, data: FileData = None, rdev: int = 0
    ) -> Node:
        if mode & S_IFMT == WHITEOUT_MODE and rdev == 0:
            raise failure(errno.EPERM)
        upper = self._free(folder, name)
        inode = self.store.new(mode, uid, gid, data)
        inode.rdev = rdev
        self._place(folder, name, upper, inode)
        node = self.lookup(folder, name)
        assert node is not None
        return node

    def _take(self, folder: Node, name: str) -> None:
        """Take a name out of the upper, and hide the lowers' one."""
        upper = self.copy_up(folder)
        present = name in self.store.names(upper)
        if present:
            self.store.take(upper, name)
        if self._hides(folder, name):
            self._hide(upper, name)
            self.store.version += not present
            if self.store.watcher:
                self.store.watcher.hidden(self.label, f"{self.path(folder).rstrip('/')}/{name}")
        folder.children.pop(name, None)

    def _hide(self, upper: Inode, name: str) -> None:
        """Put the mark into the upper that hides the lowers' name."""
        self.store.add(upper, name, self.store.new(WHITEOUT_MODE), touch=True)

    def remove(self, folder: Node, name: str) -> None:
        node = self.lookup(folder, name)
        if node is not None and node.upper is not None:
            self.store.drop(node.upper)
        self._take(folder, name)

    def link(self, node: Node, folder: Node, name: str) -> None:
        inode = self.store.change(self.copy_up(node))
        upper = self._free(folder, name)
        inode.nlink += 1
        inode.ctime = self.store.clock.now
        self._place(folder, name, upper, inode)

    def rename(self, folder: Node, name: str, to: Node, other: str) -> None:
        node = self.lookup(folder, name)
        assert node is not None
        inode = self.store.change(self.copy_up(node))
        inode.ctime = self.store.clock.now
        upper = self._free(to, other)
        self._take(folder, name)
        self._place(to, other, upper, inode, moved=True)

    def identity(self, node: Node) -> object:
        """A lower's file keeps its inode in memory through a copy-up, but for one of several names: with index=off each
        of those is a file of its own (kernel, ovl_hash_bylower). The lower file itself is none of them."""
        self.current(node)
        inode = self.get(node)
        if node.upper is not None:
            return self.device, (inode.origin or inode.born)
        return self.device, inode.born if inode.nlink == 1 else self.path(node)

    def can_move_folder(self, folder: Node) -> bool:
        """Without redirect_dir a folder of a lower layer can't be moved."""
        return folder.lower is None

    def is_inside(self, node: Node, folder: Node) -> bool:
        seen: Node | None = node
        while seen is not None:
            if seen is folder:
                return True
            seen = seen.parent
        return False

    def room_for(self, more: int, node: Node, data: Content) -> None:
        """The disk below is as large as need be."""
