"""vfs: every layer a full copy of its parent. Too simple to be wrong, so it is what the others are held against.

Facts: moby, daemon/graphdriver/vfs/driver.go. All is under dir/ID; nothing is mounted.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from labkit.drivers.base import Change, Folders, View, compare, layer_of
from labkit.files import Content, Entry, Files, Layer, Map, Source, Tree, User
from labkit.files.tree import DIRECTORY, REGULAR, S_IFMT, Inode, Store


@dataclass(frozen=True)
class _Row:
    parent: str | None
    tree: Inode
    finished: bool = False


class Vfs:
    name = "vfs"
    by_container = False

    def __init__(self, host: Files, docker_root: str) -> None:
        self.root = f"{docker_root}/{self.name}"
        self._folders = Folders(host, self.root)
        self._store = host.store
        self._host_system: Tree = host.find("/").mount.source.system
        self._rows: Map[str, _Row] = Map()
        self._folders.make(self._folders.top(), "dir", 0o710)

    def snapshot(self) -> Any:
        return self._rows.copy()

    def restore(self, saved: Any) -> None:
        self._rows = saved.copy()

    def _dir(self) -> Inode:
        return self._store.names(self._folders.top())["dir"]

    def create(self, id: str, parent: str | None = None) -> None:
        tree = self._folders.make(self._dir(), id, 0o755)
        if parent is not None:
            copy_tree(self._store, self._rows[parent].tree, tree, {})
        self._rows.set(id, _Row(parent, tree))

    def mount(self, id: str) -> Source:
        row = self._rows[id]
        return Source(self._host_system, row.tree, row.finished)

    def unmount(self, id: str) -> None:
        """Nothing was mounted."""

    def remove(self, id: str) -> None:
        self._store.drop(self._store.take(self._dir(), id))
        self._rows.delete(id)

    def _view(self, id: str | None) -> View:
        if id is None:
            return View(self._host_system, self._store.new(DIRECTORY | 0o755))
        return View(self._host_system, self._rows[id].tree)

    def changes(self, id: str) -> list[Change]:
        return list(compare(self._view(id), self._view(self._rows[id].parent)))

    def diff(self, id: str) -> Layer:
        return layer_of(self.changes(id), self._view(id))

    def commit(self, id: str) -> Layer:
        layer = self.diff(id)
        self._rows.set(id, replace(self._rows[id], finished=True))
        return layer

    def apply(self, id: str, layer: Layer) -> None:
        row = self._rows[id]
        put_layer(Files(_namespace_of(self._host_system, row.tree), User()), layer)
        self._rows.set(id, replace(row, finished=True))

    def size(self, id: str) -> int:
        """The files that differ from the parent's, whole."""
        changes = [change for change in self.changes(id) if change[0] != "D"]
        return self.layer_size(layer_of(changes, self._view(id)))

    def layer_size(self, layer: Layer) -> int:
        """Bytes of the regular files alone (moby/go-archive, ChangesSize)."""
        files = (entry.data for entry in layer.entries() if entry.hardlink is None)
        return sum(len(data) for data in files if isinstance(data, Content))

    def merged_at(self, id: str) -> str:
        return f"{self.root}/dir/{id}"

    def mount_options(self, id: str) -> tuple[str, ...]:
        return ()

    def data(self, id: str) -> dict[str, str]:
        return {"SourceDir": f"{self.root}/dir/{id}"}

    def status(self) -> list[tuple[str, str]]:
        return []


def _namespace_of(system: Tree, tree: Inode) -> Any:
    from labkit.files import Namespace

    return Namespace(system.store, Source(system, tree))


def copy_tree(store: Store, source: Inode, target: Inode, seen: dict[Inode, Inode]) -> None:
    """Copy all that is in one folder into another, with owners, modes, times and hard links."""
    old, new = store.get(source), store.change(target)
    new.mode, new.uid, new.gid, new.mtime, new.xattrs = old.mode, old.uid, old.gid, old.mtime, old.xattrs
    for name, child in sorted(old.data.items()):
        inode = store.get(child)
        if child in seen:
            store.change(seen[child]).nlink += 1
            store.add(target, name, seen[child], touch=False)
            continue
        data = None if inode.is_dir else store.content(inode) if inode.mode & S_IFMT == REGULAR else inode.data
        twin = store.new(inode.mode, inode.uid, inode.gid, data)
        twin.rdev, twin.xattrs, twin.mtime, twin.atime = inode.rdev, inode.xattrs, inode.mtime, inode.atime
        store.add(target, name, twin, touch=False)
        if inode.is_dir:
            copy_tree(store, child, twin, seen)
        elif inode.nlink > 1:
            seen[child] = twin


def put_layer(files: Files, layer: Layer) -> None:
    """Make a layer's changes in a tree: what docker does to unpack a layer where there is no union mount."""
    for entry in layer.entries():
        path = f"/{entry.path}"
        if entry.mode & S_IFMT == 0o020000 and entry.rdev == 0 and entry.hardlink is None:
            if _there(files, path):
                files.rmtree(path)
            continue
        _put_entry(files, path, entry)
    for entry in reversed(list(layer.entries())):
        if entry.mode & S_IFMT != 0o020000 or entry.rdev:
            files.utime(f"/{entry.path}", entry.mtime, entry.mtime, follow=False)


def _there(files: Files, path: str) -> bool:
    try:
        files.lstat(path)
    except OSError:
        return False
    return True


def _put_entry(files: Files, path: str, entry: Entry) -> None:
    kind = entry.mode & S_IFMT
    opaque = dict(entry.xattrs).get("trusted.overlay.opaque") == b"y"
    if _there(files, path) and (kind != DIRECTORY or opaque or files.lstat(path).st_mode & S_IFMT != DIRECTORY):
        files.rmtree(path)
    if entry.hardlink is not None:
        files.link(f"/{entry.hardlink}", path)
        return
    if kind == DIRECTORY:
        if not _there(files, path):
            files.mkdir(path)
    elif kind == REGULAR:
        files.write(path, entry.data if isinstance(entry.data, Content) else b"")
    elif isinstance(entry.data, str):
        files.symlink(entry.data, path)
    else:
        files.mknod(path, entry.mode, entry.rdev)
    files.chown(path, entry.uid, entry.gid, follow=False)
    if not isinstance(entry.data, str):
        files.chmod(path, entry.mode & 0o7777)
    for name, value in entry.xattrs:
        if not name.startswith("trusted.overlay."):
            files.setxattr(path, name, value, follow=False)
