"""Layers that lie on the disk with the image specification's marks: `.wh.NAME` hides a name, `.wh..wh..opq` all below.

Facts: OCI image-spec, layer.md, which has them from aufs. Trees are frozen ones; what has no mark in it is shared
between the marked and the plain tree.
"""

from __future__ import annotations

import stat

from labkit.drivers.unionmounts import Row, UnionMounts
from labkit.files import Content, Inode, Layer, Map
from labkit.files.inodes import REGULAR
from labkit.files.union import OPAQUE

PREFIX = ".wh."
OPAQUE_NAME = ".wh..wh..opq"
_APART = 1 << 40  # from a folder's inode number to that of its mark


def marked(inode: Inode) -> Inode:
    """A frozen tree with `.wh.` files in place of the kernel's marks."""
    if not inode.is_dir:
        return inode
    names = {PREFIX + name if child.is_whiteout else name: _marked_child(child) for name, child in inode.names.items()}
    if inode.is_opaque:
        names[OPAQUE_NAME] = _file(inode, REGULAR | 0o444, _APART)
    return _folder(inode, names, opaque=False)


def _marked_child(child: Inode) -> Inode:
    return _file(child, REGULAR | 0o444) if child.is_whiteout else marked(child)


def unmarked(inode: Inode) -> Inode:
    """A frozen tree with the kernel's marks in place of `.wh.` files."""
    if not inode.is_dir:
        return inode
    names = {}
    for name, child in inode.names.items():
        if not name.startswith(PREFIX):
            names[name] = unmarked(child)
        elif name != OPAQUE_NAME:
            names[name.removeprefix(PREFIX)] = _file(child, stat.S_IFCHR)
    return _folder(inode, names, opaque=inode.is_opaque or OPAQUE_NAME in inode.names)


def _file(like: Inode, mode: int, apart: int = 0) -> Inode:
    inode = Inode(None, like.ino + apart, mode, 0, 0, like.mtime, Content() if mode & REGULAR == REGULAR else None)
    inode.sealed = True
    return inode


def _folder(old: Inode, names: dict[str, Inode], *, opaque: bool) -> Inode:
    """The folder with these names; the old one where nothing is different."""
    if opaque == old.is_opaque and names.keys() == set(old.names) and all(old.names[n] is names[n] for n in names):
        return old
    folder = old.twin(None)
    folder.born, folder.names = folder, Map(names)
    kept = {name: value for name, value in (old.xattrs or {}).items() if name != OPAQUE}
    folder.xattrs = {**kept, OPAQUE: b"y"} if opaque else kept or None
    return folder


class MarkedLayers(UnionMounts):
    """A driver whose finished layers lie on the disk with these marks."""

    def to_disk(self, root: Inode) -> Inode:
        return marked(root)

    def lower(self, row: Row) -> Inode:
        return unmarked(Layer.freeze(self.store, row.upper).root)
