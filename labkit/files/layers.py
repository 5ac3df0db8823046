"""Layers: immutable sets of changes to a tree, with a digest.

A layer is kept as a frozen tree with the kernel's marks (whiteouts as 0/0 devices, opaque folders as an attribute), so
that it can be a lower of a union mount as it is; in a tar archive the marks are files named `.wh.…`, as the image
specification has it (OCI image-spec, layer.md). Frozen inodes may be shared between machines. Stands on tree.py,
union.py, tar.py.
"""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Iterable, Iterator
from zlib import crc32

from labkit.files import tar
from labkit.files.contents import Content, Map
from labkit.files.inodes import DIRECTORY, REGULAR, S_IFMT, SYMLINK, Generated, Inode, Store
from labkit.files.tar import Entry
from labkit.files.union import OPAQUE, WHITEOUT_MODE, Merged

WHITEOUT_PREFIX, OPAQUE_NAME = ".wh.", ".wh..wh..opq"
_HASH_ALL = 4 << 20  # bytes made by rule; a layer with more gets its digest from their rules, to stay fast


class Layer:
    """An immutable layer. `root` is the frozen tree of its changes; `size` the bytes of its files and links."""

    def __init__(self, root: Inode) -> None:
        self.root = root
        self._merged: dict[Merged | None, Merged] = {}
        self._diff_id: str | None = None
        self.size = sum(self._sizes())

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> Layer:
        """A layer of entries, whiteouts as devices; folders that no entry names are made 755 root's."""
        return cls(grow(entries))

    @classmethod
    def from_tar(cls, archive: Content) -> Layer:
        """A layer of an archive with the image specification's `.wh.` marks. Raises tar.BadArchiveError."""
        return cls.of(_without_marks(tar.read(archive)))

    @classmethod
    def freeze(cls, store: Store, top: Inode) -> Layer:
        """A layer of a store's tree as it is now."""
        return cls(_freeze(store, top, {}))

    def entries(self) -> Iterator[Entry]:
        """Its files, sorted by path, each folder before what is in it; whiteouts as devices. The root is left out."""
        return _entries(self.root, "", {})

    def tar(self) -> Content:
        """The archive of the layer, with the image specification's marks."""
        return tar.write(_with_marks(self.entries()))

    @property
    def diff_id(self) -> str:
        """sha256:… of its archive; where large runs are kept as rules, of the archive with the rules in their place."""
        if self._diff_id is None:
            archive = self.tar()
            if archive.made_by_rule <= _HASH_ALL:
                self._diff_id = "sha256:" + archive.sha256()
            else:
                self._diff_id = "sha256:" + hashlib.sha256(archive.recipe()).hexdigest()
        return self._diff_id

    def on(self, below: Merged | None, number: int) -> Merged:
        """The merged tree of this layer, the one numbered `number`, on those below it."""
        merged = self._merged.get(below)
        if merged is None:
            merged = self._merged[below] = _merge_frozen(below, self.root, number)
        return merged

    def _sizes(self) -> Iterator[int]:
        seen: set[Inode] = set()
        waiting = [self.root]
        while waiting:
            inode = waiting.pop()
            kind = inode.mode & S_IFMT
            if kind == DIRECTORY:
                waiting.extend(inode.names.values())
            elif inode not in seen and kind in (REGULAR, SYMLINK):
                seen.add(inode)
                yield inode.length


def _merge_frozen(below: Merged | None, top: Inode, number: int) -> Merged:
    """union.merge for a frozen tree, which needs no store."""
    if top.mode & S_IFMT != DIRECTORY:
        return Merged(top, number, None)
    hidden = None if below is None or top.is_opaque else below.names
    if hidden is None:
        names = {name: _merge_frozen(None, child, number) for name, child in top.names.items() if not child.is_whiteout}
        return Merged.of(top, number, names)
    merged = hidden.copy()
    for name, child in top.names.items():
        if not child.is_whiteout:
            merged.set(name, _merge_frozen(hidden.get(name), child, number))
        elif name in merged:
            merged.delete(name)
    return Merged(top, number, merged)


def _freeze(store: Store, node: Inode, done: dict[Inode, Inode]) -> Inode:
    inode = store.get(node)
    if inode.epoch is None and inode is node:
        return inode
    frozen = done.get(node)
    if frozen is None:
        frozen = done[node] = inode.twin(None)
        frozen.born, frozen.sealed, frozen.origin, frozen.parent = frozen, True, None, None
        if frozen.is_dir:
            frozen.names = Map(_freeze_children(store, frozen, inode.names, done))
        elif frozen.mode & S_IFMT == REGULAR:
            frozen.data = store.content(inode)
    return frozen


def _freeze_children(store: Store, folder: Inode, names: Map[str, Inode], done: dict[Inode, Inode]) -> dict[str, Inode]:
    children = {}
    for name, child in names.items():
        children[name] = frozen = _freeze(store, child, done)
        if frozen is not child and frozen.is_dir:
            frozen.parent = folder
    return children


def grow(entries: Iterable[Entry], *, sealed: bool = True) -> Inode:
    """The root of a frozen tree of these entries; `sealed`: it is a layer's."""
    root = _grow(list(entries))
    if not sealed:
        _unseal(root)
    return root


def _unseal(inode: Inode) -> None:
    inode.sealed = False
    if inode.is_dir:
        for child in inode.names.values():
            _unseal(child)


def _grow(entries: list[Entry]) -> Inode:
    base = (crc32("\0".join(entry.path for entry in entries).encode()) & 0xFFFFF) << 20
    made: dict[str, Inode] = {}
    names: dict[str, dict[str, Inode]] = {"": {}}
    root_entry = next((entry for entry in entries if entry.path == ""), Entry("", DIRECTORY | 0o755))
    made[""] = _inode(base, root_entry)
    for index, entry in enumerate(entries, 1):
        if entry.path == "":
            continue
        folder = _folders(entry.path.rpartition("/")[0], made, names, base)
        if entry.hardlink is not None and entry.hardlink in made:
            inode = made[entry.hardlink]
            inode.nlink += 1
        else:
            inode = _inode(base + index, entry)
        if entry.mode & S_IFMT == DIRECTORY and entry.path in names:  # named after what is in it
            inode.names, inode.nlink = made[entry.path].names, made[entry.path].nlink
        _name(inode, entry.path, folder, made, names)
    for path, children in names.items():
        made[path].names = Map(children)
    return made[""]


def _inode(ino: int, entry: Entry) -> Inode:
    inode = Inode(None, ino, entry.mode, entry.uid, entry.gid, entry.mtime, entry.data)
    inode.rdev, inode.sealed = entry.rdev, True
    if entry.xattrs:
        inode.xattrs = dict(entry.xattrs)
    return inode


def _folders(path: str, made: dict[str, Inode], names: dict[str, dict[str, Inode]], base: int) -> str:
    """The folder at this path, made with those above it where no entry has named it."""
    if path not in names:
        above = _folders(path.rpartition("/")[0], made, names, base)
        _name(_inode(base + 0xF0000 + len(made), Entry(path, DIRECTORY | 0o755)), path, above, made, names)
    return path


def _name(inode: Inode, path: str, folder: str, made: dict[str, Inode], names: dict[str, dict[str, Inode]]) -> None:
    made[path] = inode
    names[folder][path.rpartition("/")[2]] = inode
    if inode.is_dir:
        inode.parent = made[folder]
        made[folder].nlink += 1
        names.setdefault(path, {})


def _entries(folder: Inode, above: str, seen: dict[Inode, str]) -> Iterator[Entry]:
    for name in sorted(folder.names):
        inode = folder.names[name]
        path = f"{above}{name}"
        yield _entry(inode, path, seen.get(inode))
        if inode.is_dir:
            yield from _entries(inode, path + "/", seen)
        elif inode.nlink > 1:
            seen.setdefault(inode, path)


def _entry(inode: Inode, path: str, first: str | None) -> Entry:
    data = None if isinstance(inode.data, Generated) else inode.data
    xattrs = tuple(sorted((inode.xattrs or {}).items()))
    return Entry(path, inode.mode, inode.uid, inode.gid, inode.mtime, data, inode.rdev, first, xattrs)


def _with_marks(entries: Iterable[Entry]) -> Iterator[Entry]:
    for entry in entries:
        folder, _, name = entry.path.rpartition("/")
        if entry.mode & S_IFMT == WHITEOUT_MODE and entry.rdev == 0 and entry.hardlink is None:
            mark = f"{folder}/{WHITEOUT_PREFIX}{name}".lstrip("/")
            yield Entry(mark, REGULAR, mtime=entry.mtime, data=Content())
            continue
        marks = dict(entry.xattrs)
        opaque = marks.pop(OPAQUE, None) == b"y"
        kept = tuple((key, value) for key, value in marks.items() if not key.startswith("trusted.overlay."))
        yield entry._replace(xattrs=kept)
        if opaque:
            yield Entry(f"{entry.path}/{OPAQUE_NAME}", REGULAR, mtime=entry.mtime, data=Content())


def _without_marks(entries: Iterable[Entry]) -> Iterator[Entry]:
    opaque = set()
    plain = []
    for entry in entries:
        folder, _, name = entry.path.rpartition("/")
        if name == OPAQUE_NAME:
            opaque.add(folder)
        elif name.startswith(WHITEOUT_PREFIX):
            plain.append(Entry(f"{folder}/{name[len(WHITEOUT_PREFIX) :]}".lstrip("/"), stat.S_IFCHR, mtime=entry.mtime))
        else:
            plain.append(entry)
    for entry in plain:
        yield entry._replace(xattrs=(*entry.xattrs, (OPAQUE, b"y"))) if entry.path in opaque else entry
