"""The contract of all storage drivers, and what they have in common.

A driver keeps *layers* under ids, each created on a parent. A layer is written through its mount; `commit` ends that
and makes it immutable, `apply` fills a fresh one from a Layer at once. A container's own layer is never committed.
"""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple, Protocol, cast

from labkit.files import Content, Entry, Files, Layer, Map, Source
from labkit.files.contents import PAGE
from labkit.files.inodes import DIRECTORY, REGULAR, S_IFMT, SYMLINK, FileNode, FileSystem, Generated, Inode, N, Store
from labkit.files.union import Node

Saved = dict[str, Map[str, object]]  # what a driver remembers, by the attributes that hold it
Change = tuple[str, str]  # "A", "C" or "D", and the path
NO_OPTIONS: Mapping[str, str] = MappingProxyType({})


class Cost(NamedTuple):
    """What one layer costs, counted on the disk as it is now."""

    copied: int  # bytes that were copied from the layers below
    disk: int  # bytes of blocks that are this layer's alone
    inodes: int  # that are this layer's alone


class Needs(NamedTuple):
    """What a driver needs of a machine. Versions are the first two numbers."""

    kernel: tuple[int, int] | None = (0, 0)  # the first mainline kernel that will do; None: no mainline one
    feature: str | None = None  # of a distribution's kernel, that will do instead
    backings: frozenset[str] = frozenset()  # the file systems that it works on; empty: any
    not_on: frozenset[str] = frozenset()  # that it does not work on
    not_on_untried: frozenset[str] = frozenset()  # that it refused before it tried
    tries_since: tuple[int, int] = (0, 0)  # the first engine that tries
    since: tuple[int, int] = (0, 0)  # the first engine that has it
    gone: tuple[int, int] | None = None  # the first engine without it
    installed: bool = True  # whether all that it takes comes with the engine and the file system
    leftovers_count: bool = True  # whether its folder, where it is not empty, decides what the daemon picks


class StorageOpts(NamedTuple):
    """What a driver says to `docker run --storage-opt`, in its own words; empty: it does not say this."""

    refused: str = ""  # of any option
    size: str = ""  # of a size
    no_size: str = ""  # of a size that can't be read; empty: what the reader of sizes says
    unknown: str = "Unknown option {}"  # of another option
    needs_size: bool = True  # whether an option without a size beside it is an error


class OptionRefused(ValueError):
    """A storage option that a driver does not take; str() is what the daemon says."""


class DriverFailed(Exception):
    """A layer that a driver can't make; str() is what the daemon says."""


class Driver(Protocol):
    """What the engine asks of a storage driver."""

    def __init__(self, host: Files, docker_root: str, options: Mapping[str, str] = NO_OPTIONS) -> None: ...
    def configure(self, options: Mapping[str, str]) -> None:
        """Take other options, as a daemon does that starts again. Raises OptionRefused."""

    name: str
    needs: Needs
    options: frozenset[str]  # the storage options that it takes
    unknown_option: str  # what the daemon says of another; {} is its name
    storage_opts: StorageOpts
    backing: str  # the file system under it, as `docker info` names it
    root: str  # its folder on the host
    by_container: bool  # whether a container's own layer goes by the container's id
    shares_page_cache: bool  # whether containers read one copy in memory of an image's file

    def create(self, id: str, parent: str | None = None) -> None: ...
    def mount(self, id: str) -> Source:
        """The layer's files, with those of the layers below it; read-only where the layer is finished."""

    def unmount(self, id: str) -> None: ...
    def remove(self, id: str) -> None: ...
    def changes(self, id: str) -> list[Change]:
        """What differs from the parent, a folder before what is in it."""

    def diff(self, id: str) -> Layer:
        """The same as a layer."""

    def commit(self, id: str) -> Layer:
        """End the writing of a layer; all that was written is in it, changed or not."""

    def apply(self, id: str, layer: Layer) -> None: ...
    def size(self, id: str) -> int:
        """Bytes of what the layer adds to its parent."""

    def layer_size(self, layer: Layer) -> int:
        """Bytes that a finished layer is said to have."""

    def merged_at(self, id: str) -> str:
        """Where on the host a container's files are seen while it runs."""

    def mount_options(self, id: str) -> tuple[str, ...]:
        """How /proc/mounts shows the mount of a layer; empty where nothing is mounted."""

    def device(self, id: str) -> tuple[str, str]:
        """What it shows as device and type there."""

    def data(self, id: str) -> dict[str, str]:
        """What `docker inspect` shows as GraphDriver.Data; empty for a snapshotter, which has none."""

    def status(self) -> list[tuple[str, str]]:
        """What `docker info` shows below the driver's name."""

    def ids(self) -> list[str]:
        """All layers."""

    def layer_path(self, id: str) -> str:
        """The folder on the host that holds a layer's files, where there is one."""

    def cost(self, id: str) -> Cost: ...
    def looked_through(self, id: str) -> int:
        """How many folders a name may have to be looked up in."""

    def snapshot(self) -> Saved: ...
    def restore(self, saved: Saved) -> None: ...


class Remembers:
    """A driver, or a part of one, whose state lies in persistent maps: to copy them is to take a snapshot."""

    kept: tuple[str, ...] = ("rows",)  # the attributes that are such maps

    def snapshot(self) -> Saved:
        return {name: getattr(self, name).frozen() for name in self.kept}

    def restore(self, saved: Saved) -> None:
        for name, table in saved.items():
            setattr(self, name, table.copy())
        self.forget()

    def forget(self) -> None:
        """Drop what follows from the maps and is made anew when missing."""


def options_of(driver: type[Driver], words: Iterable[str]) -> dict[str, str]:
    """The storage options `KEY=VALUE`, as every driver reads them. Raises OptionRefused."""
    found = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals:
            raise OptionRefused(f"unable to parse key/value option: {word}")
        key = key.lower()
        if key not in driver.options:
            raise OptionRefused(driver.unknown_option.format(key))
        found[key] = value
    return found


class View(NamedTuple):
    """A node in a file system: one side of a comparison."""

    system: FileSystem[FileNode]
    node: FileNode

    @property
    def inode(self) -> Inode:
        return self.system.get(self.node)

    def child(self, name: str) -> View | None:
        node = self.system.lookup(self.node, name) if self.inode.is_dir else None
        return None if node is None else View(self.system, node)

    def names(self) -> list[str]:
        return sorted(self.system.names(self.node)) if self.inode.is_dir else []


def view(system: FileSystem[N], node: N) -> View:
    """Of which kind the nodes are, only the system need know: all that it is handed came from it."""
    return View(cast("FileSystem[FileNode]", system), node)


def compare(new: View, old: View, path: str = "") -> Iterator[Change]:
    """What differs, by names, modes, owners, sizes and times (moby/go-archive, changes_unix.go: statDifferent)."""
    former = set(old.names()) if new.inode.is_dir else set()  # what a file took the place of is not told of
    for name in sorted(former.union(new.names())):
        after, before = new.child(name), old.child(name)
        inside = f"{path}/{name}"
        if after is None:
            yield "D", inside
        elif before is None:
            yield "A", inside
            yield from _added(after, inside)
        elif not _untouched(after):
            below = list(compare(after, before, inside))
            if below or _differs(after.inode, before.inode):
                yield "C", inside
            yield from below


def _added(view: View, path: str) -> Iterator[Change]:
    for name in view.names():
        child = view.child(name)
        assert child is not None
        yield "A", f"{path}/{name}"
        yield from _added(child, f"{path}/{name}")


def _untouched(view: View) -> bool:
    """In a union mount, what has no upper is what it was."""
    return isinstance(view.node, Node) and view.node.upper is None


def _differs(new: Inode, old: Inode) -> bool:
    if (new.mode, new.uid, new.gid, new.rdev) != (old.mode, old.uid, old.gid, old.rdev):
        return True
    return not new.is_dir and (new.mtime != old.mtime or new.length != old.length)


def layer_of(store: Store, changes: list[Change], top: View) -> Layer:
    """A layer of these changes, its files taken from a tree."""
    seen: dict[Inode, str] = {}
    return Layer.of([_entry(store, kind, path, top, seen) for kind, path in changes])


def _entry(store: Store, kind: str, path: str, top: View, seen: dict[Inode, str]) -> Entry:
    inside = path.lstrip("/")
    if kind == "D":
        return Entry(inside, stat.S_IFCHR)
    view: View | None = top
    for name in inside.split("/"):
        assert view is not None
        view = view.child(name)
    assert view is not None
    inode = view.inode
    kept = tuple((key, value) for key, value in sorted((inode.xattrs or {}).items()) if not key.startswith("trusted."))
    data = store.content(inode) if inode.mode & S_IFMT == REGULAR else inode.data
    first = seen.setdefault(inode.born, inside) if inode.nlink > 1 and not inode.is_dir else inside
    return Entry(
        inside, inode.mode, inode.uid, inode.gid, inode.mtime,
        data if isinstance(data, (Content, str)) else None, inode.rdev, first if first != inside else None, kept,
    )  # fmt: skip


def tree_size(store: Store, top: Inode) -> int:
    """Bytes of the files and symbolic links in a tree; a file with several names counts once (moby, directory.Size)."""
    total, seen, waiting = 0, set(), [top]
    while waiting:
        inode = store.get(waiting.pop())
        if inode.is_dir:
            waiting.extend(inode.names.values())
        elif inode.born not in seen:
            seen.add(inode.born)
            total += inode.length
    return total


def block_size(get: Callable[[Inode], Inode], top: Inode) -> int:
    """Bytes of the blocks that a tree takes on the disk, a folder one of 4 KiB (containerd/continuity fs.DiskUsage)."""
    total, seen, waiting = 0, set(), [top]
    while waiting:
        inode = get(waiting.pop())
        if inode.is_dir:
            total += PAGE
            waiting.extend(inode.names.values())
        elif inode.born not in seen and isinstance(inode.data, Content):
            seen.add(inode.born)
            total += inode.data.allocated
    return total


def blocks(inode: Inode) -> int:
    """Bytes of the blocks of 4 KiB that one file takes on the disk."""
    if inode.is_dir:
        return PAGE
    return inode.data.allocated if isinstance(inode.data, Content) else 0


def file_bytes(inodes: Iterable[Inode]) -> int:
    """Bytes of the regular files among them."""
    return sum(inode.data.size for inode in inodes if isinstance(inode.data, Content))


class Folders:
    """The folder of a driver on the host, by the store's own means: quick, and free of paths and rights."""

    def __init__(self, host: Files, root: str) -> None:
        host.makedirs(root, 0o710)
        self.host = host
        self.store = host.store
        self.path = root

    def top(self) -> Inode:
        return self.host.inode(self.path)

    def make(self, into: Inode, name: str, mode: int) -> Inode:
        node = self.store.new(DIRECTORY | mode)
        self.store.add(into, name, node)
        return node

    def file(self, into: Inode, name: str, text: str, mode: int = 0o644) -> None:
        self.store.add(into, name, self.store.new(REGULAR | mode, data=Content(text)))

    def generated(self, into: Inode, name: str, kind: str, *args: str) -> None:
        self.store.add(into, name, self.store.new(REGULAR | 0o644, data=Generated(kind, args)))

    def link(self, into: Inode, name: str, target: str) -> None:
        self.store.add(into, name, self.store.new(SYMLINK | 0o777, data=target))

    def replace(self, into: Inode, name: str, node: Inode) -> None:
        """Another folder under a name."""
        old = self.store.get(self.store.names(into).get(name) or node)
        if old.born.epoch is self.store.epoch and not old.names:  # just made, and not looked into
            within = self.store.change(into)
            within.names.delete(name)
            within.nlink -= 1
        else:
            self.store.take(into, name)
        self.store.add(into, name, node)
