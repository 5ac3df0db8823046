"""Mounts: what lies where in the tree of paths that a process sees."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple, TypedDict, cast

from labkit.files.filesystem import FileSystem, N
from labkit.files.inodes import FileNode
from labkit.files.persistent import Map

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
