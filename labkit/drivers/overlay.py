"""overlay: union mounts with one lower, so that an image's layer has to hold the whole tree.

Facts: moby, daemon/graphdriver/overlay/overlay.go (until Engine 23). An image's layer is ID/root: its parent's tree
again, the folders made anew and the files hard-linked to the parent's, then changed; it has no whiteouts.
A container has ID/{upper,work,merged,lower-id}, lower-id naming the one layer below. What is created on a layer
without a root (a container on its init layer, a build step on another) gets a copy of its upper, and the same lower.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from labkit.drivers.base import NO_OPTIONS, Needs, StorageOpts
from labkit.drivers.fulltrees import copy_tree, put_layer
from labkit.drivers.unionmounts import UnionLayer, UnionMounts
from labkit.files import Files, Inode, Layer, Namespace, Source, Store, Tree, User
from labkit.files.union import stack

_INIT = "-init"  # at the end of the id of the layer between image and container, which is written through its mount


class OneLower(UnionMounts):
    """`name` of a row: its lower's id, empty where it has a root."""

    name = "overlay"
    storage_opts = StorageOpts(refused="--storage-opt is not supported for overlay")
    files_folder = "root"
    by_container = False
    needs = Needs(
        kernel=(3, 18),
        feature="many lowers",
        not_on=frozenset({"aufs", "btrfs", "ecryptfs", "overlay", "zfs"}),
        gone=(24, 0),
    )

    def __init__(self, host: Files, docker_root: str, options: Mapping[str, str] = NO_OPTIONS) -> None:
        super().__init__(host, f"{docker_root}/{self.name}")

    def lay_out(self, id: str, parent: str | None) -> UnionLayer:
        folders = self.folders
        folder = folders.make(folders.top(), id, 0o700)
        if parent is None:
            return UnionLayer(None, "", folder, folders.make(folder, "root", 0o755))
        above = self.rows[parent]
        upper = folders.make(folder, "upper", 0o755)
        if above.name:
            copy_tree(self.store, above.upper, upper, {}, False)
        for name in ("work", "merged"):
            folders.make(folder, name, 0o700)
        folders.file(folder, "lower-id", above.name or parent, 0o666)
        return UnionLayer(parent, above.name or parent, folder, upper)

    def clear_away(self, id: str, row: UnionLayer) -> None:
        if not row.name:
            _unlink(self.store, row.upper)
        self.store.drop(self.store.take(self.folders.top(), id))

    def files_name(self, row: UnionLayer) -> str:
        return "upper" if row.name else "root"

    def base(self, row: UnionLayer) -> str | None:
        return row.name or None

    def below(self, id: str | None) -> list[UnionLayer]:
        if id is None:
            return []
        row = self.rows[id]
        return [row, self.rows[row.name]] if row.name else [row]

    def apply(self, id: str, layer: Layer) -> None:
        row = self.rows[id]
        if row.parent is None or (id.endswith(_INIT) and not self.rows[row.parent].name):
            super().apply(id, layer)
        elif self.rows[row.parent].name:
            self._unpack(Source(self._overlay(id), None), layer)
            super().apply(id, self.frozen(row))
        else:
            self._apply_to_links(id, row, self.rows[row.parent], layer)

    def _unpack(self, into: Source, layer: Layer) -> None:
        namespace = Namespace(self.store, into)
        put_layer(Files(namespace, User()), layer)
        namespace.discard()

    def _apply_to_links(self, id: str, row: UnionLayer, above: UnionLayer, layer: Layer) -> None:
        """The parent's tree again, and the layer unpacked in it."""
        for name in ("upper", "work", "merged", "lower-id"):
            self.store.drop(self.store.take(row.folder, name))
        root = self.folders.make(row.folder, "root", 0o755)
        _link(self.store, above.upper, root)
        self._unpack(Source(Tree(self.store, root, 0), None), layer)
        _seal(self.store, root)
        self.rows.set(id, replace(row, name="", upper=root, merged=stack(self.store, [root])))
        self._mounts.pop(id, None)

    def commit(self, id: str) -> Layer:
        """The layer keeps its upper; where that began as a copy of another, the layer is what differs."""
        row = self.rows[id]
        if row.parent is None:
            return super().commit(id)
        written = self.frozen(row)
        layer = self.diff(id) if self.rows[row.parent].name else written
        self.unmount(id)
        super().apply(id, written)
        return layer

    def own_inodes(self, id: str) -> list[Inode]:
        """Files that the parent's tree has too are the parent's."""
        inodes, row = super().own_inodes(id), self.rows[id]
        if row.name or row.parent is None:
            return inodes
        linked = set(_files(self.store, self.rows[row.parent].upper))
        return [inode for inode in inodes if inode.born not in linked]

    def layer_path(self, id: str) -> str:
        return f"{self.root}/{id}/{self.files_name(self.rows[id])}"

    def merged_at(self, id: str) -> str:
        return f"{self.root}/{id}/{'merged' if self.rows[id].name else 'root'}"

    def mount_options(self, id: str) -> tuple[str, ...]:
        here, lower = f"{self.root}/{id}", self.rows[id].name
        return (
            "rw",
            "relatime",
            f"lowerdir={self.root}/{lower}/root",
            f"upperdir={here}/upper",
            f"workdir={here}/work",
        )

    def data(self, id: str) -> dict[str, str]:
        here, lower = f"{self.root}/{id}", self.rows[id].name
        if not lower:
            return {"RootDir": f"{here}/root"}
        return {
            "LowerDir": f"{self.root}/{lower}/root",
            "MergedDir": f"{here}/merged",
            "UpperDir": f"{here}/upper",
            "WorkDir": f"{here}/work",
        }

    def status(self) -> list[tuple[str, str]]:
        return [("Backing Filesystem", self.backing), ("Supports d_type", "true")]


def _link(store: Store, source: Inode, target: Inode) -> None:
    """A tree again: folders anew, everything else linked."""
    old, new = store.get(source), store.change(target)
    new.mode, new.uid, new.gid, new.xattrs = old.mode, old.uid, old.gid, old.xattrs
    for name, child in sorted(old.names.items()):
        inode = store.get(child)
        if inode.is_dir:
            twin = store.new(inode.mode)
            store.add(target, name, twin, touch=False)
            _link(store, child, twin)
        else:
            store.change(child).nlink += 1
            store.add(target, name, child, touch=False)
    store.change(target).mtime = old.mtime


def _unlink(store: Store, folder: Inode) -> None:
    for file in _files(store, folder):
        store.drop(file)


def _files(store: Store, folder: Inode) -> list[Inode]:
    """The files of a tree, as often as they have names in it."""
    found: list[Inode] = []
    for child in store.names(folder).values():
        if store.get(child).is_dir:
            found += _files(store, child)
        else:
            found.append(child)
    return found


def _seal(store: Store, folder: Inode) -> None:
    """Names that change in it from now on are noticed."""
    store.change(folder).sealed = True
    for child in store.names(folder).values():
        if store.get(child).is_dir:
            _seal(store, child)
