"""What the drivers that keep each layer as a whole tree have in common: vfs copies it, the others clone it.

A clone keeps the inode numbers of its original (as a snapshot of a file system does) and knows it as `origin`, so that
what they share can be counted: see `cost` of Clones, and blocks.py. Nothing hides a name here: a deleted file is
gone from the tree, and what a layer changes is found by comparing two trees.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from labkit.drivers.base import NO_OPTIONS, Change, Cost, Folders, Remembers, StorageOpts, View, compare, layer_of, view
from labkit.drivers.blocks import own_blocks
from labkit.files import Content, Entry, Files, Layer, Map, Namespace, Source, Tree, User
from labkit.files.contents import PAGE
from labkit.files.inodes import DIRECTORY, REGULAR, S_IFMT, Inode, MountAbout, Store


@dataclass(frozen=True)
class TreeLayer:
    parent: str | None
    tree: Inode
    finished: bool = False
    number: int = 0  # given in the order of creation
    mounted: bool = False


class FullTrees(Remembers):
    """A driver whose layers are whole trees."""

    kept: tuple[str, ...] = ("rows", "_counter")
    name: str
    root: str
    by_container = False
    shares_page_cache = False
    backing = "extfs"
    options: frozenset[str] = frozenset()
    unknown_option = "Unknown option {}"
    storage_opts = StorageOpts()
    mounts_apart = True  # whether a layer in use is a mount of its own on the host; else it is seen where it lies
    keeps_numbers = True  # whether a copy has the inode numbers of its original

    def __init__(self, host: Files, docker_root: str, options: Mapping[str, str] = NO_OPTIONS) -> None:
        self.root = f"{docker_root}/{self.name}"
        self.folders = Folders(host, self.root)
        self.host = host
        self.store = host.store
        self.rows: Map[str, TreeLayer] = Map()
        self._counter: Map[str, int] = Map()
        self._systems: dict[str, Tree] = {}  # made anew when missing

    def configure(self, options: Mapping[str, str]) -> None:
        """There is nothing to configure."""

    # each driver's own

    def lay_out(self, id: str, number: int) -> Inode:
        """Make the folder of a new layer's files."""
        raise NotImplementedError

    def clear_away(self, id: str, row: TreeLayer) -> None:
        """Remove it."""
        raise NotImplementedError

    def system(self, id: str, row: TreeLayer) -> Tree:
        """The file system that the tree lies in."""
        return Tree(self.store, row.tree, self.store.new_device())

    def merged_at(self, id: str) -> str:
        """Where on the host the files are seen."""
        raise NotImplementedError

    def layer_path(self, id: str) -> str:
        return self.merged_at(id)

    def mount_options(self, id: str) -> tuple[str, ...]:
        """As /proc/mounts shows them; empty where nothing is mounted."""
        return ()

    def device(self, id: str) -> tuple[str, str]:
        """What /proc/mounts names as device and type."""
        return "/dev/vda1", "ext4"

    def before_mount(self, id: str) -> None:
        """Make the folder that is mounted on."""

    def after_unmount(self, id: str) -> None:
        """Remove it."""

    def mounted_source(self, id: str) -> Source:
        """What of the file system is mounted on the host."""
        return Source(self._system(id), None)

    def data(self, id: str) -> dict[str, str]:
        return {}

    def status(self) -> list[tuple[str, str]]:
        return []

    def cost(self, id: str) -> Cost:
        raise NotImplementedError

    # the contract

    def forget(self) -> None:
        self._systems = {}

    def ids(self) -> list[str]:
        return [id for id, _ in self.rows.items()]

    def create(self, id: str, parent: str | None = None) -> None:
        number = self._counter.get("last", 0) + 1
        self._counter.set("last", number)
        tree = self.lay_out(id, number)
        if parent is not None:
            copy_tree(self.store, self.rows[parent].tree, tree, {}, self.keeps_numbers)
        self.rows.set(id, TreeLayer(parent, tree, number=number))

    def _system(self, id: str) -> Tree:
        system = self._systems.get(id)
        if system is None:
            system = self._systems[id] = self.system(id, self.rows[id])
        return system

    def mount(self, id: str) -> Source:
        row = self.rows[id]
        options = self.mount_options(id)
        if options and self.mounts_apart and not row.finished and not row.mounted:
            self.rows.set(id, replace(row, mounted=True))
            self.before_mount(id)
            device, fstype = self.device(id)
            about: MountAbout = {"device": device, "fstype": fstype, "options": options}
            self.host.namespace.mount(self.mount_point(id), self.mounted_source(id), **about)
        return Source(self._system(id), row.tree, row.finished)

    def mount_point(self, id: str) -> str:
        return self.merged_at(id)

    def unmount(self, id: str) -> None:
        row = self.rows.get(id)
        if row is not None and row.mounted:
            self.host.namespace.umount(self.mount_point(id))
            self.after_unmount(id)
            self.rows.set(id, replace(row, mounted=False))

    def remove(self, id: str) -> None:
        self.unmount(id)
        self.clear_away(id, self.rows[id])
        self.rows.delete(id)
        self._systems.pop(id, None)

    def view(self, id: str | None) -> View:
        if id is None:
            root = self.store.new(DIRECTORY | 0o755)
            return view(Tree(self.store, root, 0), root)
        return view(self._system(id), self.rows[id].tree)

    def changes(self, id: str) -> list[Change]:
        return list(compare(self.view(id), self.view(self.rows[id].parent)))

    def diff(self, id: str) -> Layer:
        return layer_of(self.store, self.changes(id), self.view(id))

    def commit(self, id: str) -> Layer:
        self.unmount(id)
        layer = self.diff(id)
        self.finish(id)
        return layer

    def apply(self, id: str, layer: Layer) -> None:
        namespace = Namespace(self.store, Source(self._system(id), self.rows[id].tree))
        put_layer(Files(namespace, User()), layer)
        namespace.discard()
        self.finish(id)

    def finish(self, id: str) -> None:
        self.rows.set(id, replace(self.rows[id], finished=True))

    def size(self, id: str) -> int:
        """The files that differ from the parent's, whole."""
        changes = [change for change in self.changes(id) if change[0] != "D"]
        return self.layer_size(layer_of(self.store, changes, self.view(id)))

    def layer_size(self, layer: Layer) -> int:
        """Bytes of the regular files alone (moby/go-archive, ChangesSize)."""
        files = (entry.data for entry in layer.entries() if entry.hardlink is None)
        return sum(data.size for data in files if isinstance(data, Content))

    def looked_through(self, id: str) -> int:
        """Trees that a name is looked up in."""
        return 1

    def inodes(self, id: str) -> Iterator[Inode]:
        """Each inode of a layer's tree once."""
        seen: set[Inode] = set()
        waiting = [self.rows[id].tree]
        while waiting:
            inode = self.store.get(waiting.pop())
            if inode.born not in seen:
                seen.add(inode.born)
                yield inode
                if inode.is_dir:
                    waiting.extend(inode.names.values())


class Clones(FullTrees):
    """A driver whose layers share with their parents what neither has changed, in blocks of `unit` bytes."""

    unit: int

    def cost(self, id: str) -> Cost:
        """Blocks of files that are not the original's; `copied` are those that the original had otherwise."""
        copied = disk = inodes = 0
        for inode in self.inodes(id):
            old = None if inode.origin is None else self.store.get(inode.origin)
            inodes += old is None or _changed(inode, old)
            if not isinstance(inode.data, Content):
                continue
            before = old.data if old is not None and isinstance(old.data, Content) else Content()
            if inode.data is before:
                continue
            blocks = own_blocks(inode.data, before, self.unit)
            disk += self.space(inode.data, blocks, old is None)
            copied += self.space(inode.data, [block for block in blocks if block * self.unit < before.size], False)
        return Cost(copied, disk, inodes)

    def space(self, data: Content, blocks: list[int], fresh: bool) -> int:
        """Bytes that these blocks of a file take on the disk."""
        return len(blocks) * self.unit


def _changed(new: Inode, old: Inode) -> bool:
    """A clone's inode is its original's as long as nothing in it has changed."""
    if (new.mode, new.uid, new.gid, new.mtime, new.nlink) != (old.mode, old.uid, old.gid, old.mtime, old.nlink):
        return True
    return isinstance(new.data, Content) and new.data is not old.data


def pages(data: Content) -> int:
    return -(-data.size // PAGE) * PAGE


def copy_tree(store: Store, source: Inode, target: Inode, seen: dict[Inode, Inode], keeps_numbers: bool) -> None:
    """Copy all that is in one folder into another, with owners, modes, times and hard links."""
    old, new = store.get(source), store.change(target)
    new.mode, new.uid, new.gid, new.xattrs = old.mode, old.uid, old.gid, old.xattrs
    new.mtime, new.origin = old.mtime, source
    if keeps_numbers:
        new.ino = source.ino
    for name, child in sorted(old.names.items()):
        inode = store.get(child)
        if child in seen:
            store.change(seen[child]).nlink += 1
            store.add(target, name, seen[child], touch=False)
            continue
        data = None if inode.is_dir else store.content(inode) if inode.mode & S_IFMT == REGULAR else inode.data
        twin = store.new(inode.mode, inode.uid, inode.gid, data)
        twin.rdev, twin.xattrs, twin.mtime, twin.atime = inode.rdev, inode.xattrs, inode.mtime, inode.atime
        twin.origin = child
        if keeps_numbers:
            twin.ino = child.ino
        store.add(target, name, twin, touch=False)
        if inode.is_dir:
            copy_tree(store, child, twin, seen, keeps_numbers)
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
        try:
            _put_entry(files, path, entry)
        except OSError as error:
            error.filename = error.filename or path
            raise
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
