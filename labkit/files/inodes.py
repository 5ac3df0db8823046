"""Inodes, the store that keeps them, the protocol of the file systems that have them, and mounts of such systems.

An inode is what a file is, whatever its names. The store keeps all inodes of one machine. A directory entry points at
the inode as it was *born*; the store knows what has become of it since. An inode that was born, or written, after the
last snapshot is changed in place; an older one is replaced in the store's table, so that the snapshot keeps the old
one. So a snapshot costs nothing, and what no one has changed, such as the files of an image, is shared between
snapshots, containers and machines.
"""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, Protocol, TypedDict, TypeVar, cast

from labkit.files import errno
from labkit.files.contents import Content, Map, failure

S_IFMT = 0o170000
DIRECTORY, REGULAR, SYMLINK = stat.S_IFDIR, stat.S_IFREG, stat.S_IFLNK
_EMPTY_FILE = Content()


class Generated(NamedTuple):
    """A content that is computed when it is looked at, by store.generators[kind](args) -> bytes."""

    kind: str
    args: tuple[str, ...]


FileData = Content | Generated | str | None  # of a file, a file, a symbolic link, all else


class FileNode:
    """What a file system calls one of its files by: a Tree an Inode, a union mount a Node."""

    __slots__ = ()


class Inode(FileNode):
    """One file of any type."""

    __slots__ = (
        "atime", "born", "ctime", "data", "epoch", "gid", "ino", "mode", "mtime", "names", "nlink", "origin", "parent",
        "rdev", "sealed", "uid", "xattrs",
    )  # fmt: skip

    def __init__(self, epoch: object, ino: int, mode: int, uid: int, gid: int, now: int, data: FileData = None) -> None:
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
        self.data = _EMPTY_FILE if data is None and kind == REGULAR else data  # a link's is where it leads
        self.names: Map[str, Inode] = Map() if kind == DIRECTORY else _NO_NAMES  # a directory's

    def twin(self, epoch: object) -> Inode:
        """A copy for the given epoch."""
        twin = Inode.__new__(Inode)
        twin.born, twin.epoch, twin.ino, twin.mode, twin.uid, twin.gid = (
            self.born, epoch, self.ino, self.mode, self.uid, self.gid,
        )  # fmt: skip
        twin.rdev, twin.atime, twin.mtime, twin.ctime = self.rdev, self.atime, self.mtime, self.ctime
        twin.xattrs, twin.origin, twin.parent, twin.sealed = self.xattrs, self.origin, self.parent, self.sealed
        twin.nlink = self.nlink
        twin.data = self.data
        twin.names = _NO_NAMES if self.names is _NO_NAMES else self.names.copy()
        return twin

    @property
    def is_dir(self) -> bool:
        return self.mode & S_IFMT == DIRECTORY

    @property
    def length(self) -> int:
        """Bytes of a file's content, or of where a link leads; 0 for all else, and for what is computed."""
        if isinstance(self.data, str):
            return len(self.data.encode())
        return self.data.size if isinstance(self.data, Content) else 0

    @property
    def target(self) -> str:
        """Where a symbolic link leads."""
        assert isinstance(self.data, str)
        return self.data

    @property
    def is_whiteout(self) -> bool:
        """A character device 0/0: overlayfs' mark for a name that is deleted (kernel, overlayfs.rst)."""
        return self.rdev == 0 and self.mode & S_IFMT == stat.S_IFCHR

    @property
    def is_opaque(self) -> bool:
        """A directory whose mark hides all that lies below it."""
        return self.xattrs is not None and self.xattrs.get("trusted.overlay.opaque") == b"y"


_NO_NAMES: Map[str, Inode] = Map()


N = TypeVar("N", bound=FileNode)


class FileSystem(Protocol[N]):
    """Files by their nodes. Who calls has checked the rights, and that a name is free or may be replaced."""

    @property
    def device(self) -> int:
        """st_dev."""

    @property
    def limit(self) -> int | None:
        """Bytes that it may hold."""

    @property
    def overlay(self) -> bool:
        """Whether it is a union mount, whose marks are not shown."""

    @property
    def root(self) -> N: ...

    def get(self, node: N, /) -> Inode:
        """What this file is now."""

    def change(self, node: N, /) -> Inode:
        """The same, to be changed."""

    def lookup(self, folder: N, name: str) -> N | None: ...

    def names(self, folder: N) -> Iterable[str]: ...

    def is_empty(self, folder: N) -> bool: ...

    def number(self, node: N) -> int:
        """st_ino."""

    def links(self, node: N) -> int:
        """st_nlink."""

    def make(self, folder: N, name: str, mode: int, uid: int, gid: int, data: FileData = None, rdev: int = 0) -> N:
        """A new file of any type."""

    def remove(self, folder: N, name: str) -> None:
        """Take a file's or an empty folder's name away."""

    def link(self, node: N, folder: N, name: str) -> None: ...

    def rename(self, folder: N, name: str, to: N, other: str) -> None: ...

    def identity(self, node: N) -> object:
        """What is equal for the names of one file in memory, through whatever mounts, and for nothing else."""

    def can_move_folder(self, folder: N) -> bool: ...

    def is_inside(self, node: N, folder: N) -> bool:
        """Whether `node` is `folder` or lies below it."""

    def prepare_write(self, node: N, *, keep: bool = True) -> None:
        """Called when a file is opened for writing; `keep`: its old bytes matter."""

    def current(self, node: N) -> None:
        """Called when an open file is used: what has become of it since."""

    def room_for(self, more: int, node: N, data: Content) -> None:
        """Raise ENOSPC where `more` bytes do not fit. `data` is what `node` is about to hold."""


MountOptions = tuple[str, ...] | Callable[[], tuple[str, ...]]  # a function where they are long and seldom looked at


class Source:
    """What can be mounted: a node of a file system. Without one: the system's root, whatever it is at the time."""

    __slots__ = ("node", "readonly", "system")

    def __init__(self, system: FileSystem[N], node: N | None = None, readonly: bool = False) -> None:
        # of which kind the nodes are, only the system need know: all that it is handed came from it
        self.system = cast("FileSystem[FileNode]", system)
        self.node: FileNode | None = node
        self.readonly = readonly


class MountAbout(TypedDict, total=False):
    """How a source is mounted."""

    device: str
    fstype: str
    options: MountOptions
    readonly: bool
    propagation: str
    hidden: bool


class Mount:
    """One mount, never changed. `hidden` ones do not show in /proc/mounts; `number`: in the order of mounting."""

    __slots__ = ("_options", "device", "fstype", "hidden", "number", "propagation", "readonly", "source", "target")

    def __init__(
        self,
        target: str,
        source: Source,
        number: int,
        *,
        device: str = "/dev/vda1",
        fstype: str = "ext4",
        options: MountOptions = ("rw", "relatime"),
        readonly: bool = False,
        propagation: str = "rprivate",
        hidden: bool = False,
    ) -> None:
        self.target = target
        self.source = source
        self.number = number
        self.device = device
        self.fstype = fstype
        self._options = options
        self.readonly = readonly
        self.propagation = propagation
        self.hidden = hidden

    def again(self, *, readonly: bool, options: MountOptions) -> Mount:
        """The same mount with other options."""
        return Mount(
            self.target, self.source, self.number, device=self.device, fstype=self.fstype, options=options,
            readonly=readonly, propagation=self.propagation, hidden=self.hidden,
        )  # fmt: skip

    @property
    def options(self) -> tuple[str, ...]:
        return self._options() if callable(self._options) else self._options

    @property
    def root(self) -> FileNode:
        return self.source.system.root if self.source.node is None else self.source.node


class Place(NamedTuple):
    """Where a path leads: the mount, the node, and the path without links, `.` and `..`."""

    mount: Mount
    node: FileNode
    path: str


class MountStacks:
    """The mounts of one namespace by path; the last one on a path hides those before it."""

    __slots__ = ("count", "epoch", "get", "stacks")

    def __init__(self, epoch: object, stacks: Map[str, tuple[Mount, ...]], count: int = 0) -> None:
        self.epoch = epoch  # in which it may be changed in place
        self.stacks = stacks
        self.count = count  # how many there have been
        self.get = stacks.get

    def copy(self, epoch: object) -> MountStacks:
        return MountStacks(epoch, self.stacks.copy(), self.count)

    def __iter__(self) -> Iterator[Mount]:
        return (mount for stack in self.stacks.values() for mount in stack)


class HasTime(Protocol):
    now: int


class Watcher(Protocol):
    """Who is told of what union mounts do to their uppers; `label`: whose mount it is."""

    def copied_up(self, label: str, path: str, size: int, layer: int) -> None:
        """A file; `layer`: where it lay, from 0 at the bottom."""

    def hidden(self, label: str, path: str) -> None:
        """A name, by a whiteout."""


class Saved(NamedTuple):
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
        self.version = 0  # goes up whenever a name is taken away or comes to mean another file in some mount
        self.generators: dict[str, Callable[[tuple[str, ...]], bytes]] = {}
        self.meter: Callable[[int], object] = lambda steps: None  # told of steps that are more than usual
        self.watcher: Watcher | None = None
        self.running: Callable[[], Iterable[Place]] = tuple  # the programs that run
        self._changed: Map[Inode, Inode] = Map()
        self._mounts: Map[object, MountStacks] = Map()  # by namespace
        self._next_ino = 11
        self._next_device = 0x30
        self.tampered = 0  # how often the names in a layer were changed from outside
        self.uppers: set[int] = set()  # numbers of the folders that union mounts write to, or once did

    def snapshot(self) -> Saved:
        self.epoch = object()
        return Saved(self._changed.frozen(), self._mounts.frozen(), self._next_ino, self.tampered)

    def restore(self, saved: Saved) -> None:
        self.epoch = object()
        self._changed, self._mounts = saved.changed.copy(), saved.mounts.copy()
        self._next_ino = saved.next_ino
        self.tampered = saved.tampered
        self.version += 1

    def get(self, node: Inode) -> Inode:
        """What this inode is now."""
        changed = self._changed  # Map.get, written out: this is called more than anything else
        return changed._changes.get(node) or changed._base.get(node, node)  # type: ignore[return-value]  # none goes

    def is_in_upper(self, folder: Inode) -> bool:
        """Whether a name that is new in this folder can be seen, and hide another one, through a union mount."""
        above: Inode | None = folder
        while above is not None:
            if above.ino in self.uppers:
                return True
            above = self.get(above).parent
        return False

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
