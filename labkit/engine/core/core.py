"""Core: what every mechanism of the engine stands on.

The host's files, the storage driver, the kernel with its clock, and the tables with ids and events over them. The
mechanisms stand on it and on each other downwards: images, mounts, containers, then build and daemon, then the API.

All that an engine remembers lies in the tables, persistent maps: to copy them is to take a snapshot. Ids are shaped
like Docker's and come from a counter, so that the same commands give the same ids. An event is what the engine did, a
frozen record, with paths as people know them: in a container from its root, on the host from the host's.
"""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from operator import attrgetter
from typing import Protocol, TypedDict, Unpack, dataclass_transform

from labkit.drivers import Driver
from labkit.drivers.base import Saved
from labkit.engine.core.errors import invalid, no_name, not_found
from labkit.engine.core.records import (
    CacheRecord,
    Container,
    ContainerState,
    Image,
    Journal,
    Known,
    LayerRecord,
    MadeStep,
    Service,
    Volume,
    Waiting,
    WritableLayer,
)
from labkit.files import Content, Files, Inode, Layer, Map, Namespace, Source
from labkit.files.inodes import Generated
from labkit.kernel.golang import JsonObject
from labkit.kernel.process import Kernel

_LETTERS = "0123456789abcdefghijklmnopqrstuvwxyz"


class Ids:
    """Gives new ids; `counters` (kind -> how many were given) is all that it remembers."""

    def __init__(self, counters: Map[str, int], seed: str = "") -> None:
        self.counters = counters
        self.seed = seed

    def new(self, kind: str) -> str:
        """64 hexadecimal digits. As with Docker's, the short form (12) is never a plain number."""
        while True:
            text = self._digest(kind).hex()
            if _has_letter_and_digit(text[:12]):
                return text

    def key(self, kind: str) -> str:
        """25 letters and digits, as BuildKit names its layers."""
        while True:
            text = _base36(int.from_bytes(self._digest(kind)[:16], "big"))[:25]
            if _has_letter_and_digit(text[:12]):
                return text

    def number(self, kind: str) -> int:
        """The next number of this kind, from 1."""
        number = (self.counters.get(kind) or 0) + 1
        self.counters.set(kind, number)
        return number

    def _digest(self, kind: str) -> bytes:
        return sha256(f"{self.seed}/{kind}/{self.number(kind)}".encode()).digest()


def _base36(number: int) -> str:
    return "".join(_LETTERS[number // 36**place % 36] for place in range(25))


def _has_letter_and_digit(text: str) -> bool:
    return not text.isdigit() and not text.isalpha()


def short(identifier: str) -> str:
    """The 12 digits by which Docker shows an id, with or without its algorithm."""
    return identifier.removeprefix("sha256:")[:12]


@dataclass_transform(frozen_default=True)
class Event:
    """The base of all events: frozen, compared by what they hold; lighter to load than a dataclass for each."""

    def __init__(self, *values: object, **more: object) -> None:
        names = tuple(type(self).__annotations__)
        self.__dict__.update(zip(names, values, strict=False), **more)
        if set(self.__dict__) != set(names):
            raise TypeError(f"{type(self).__name__} has {', '.join(names)}")

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen")

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.__dict__ == self.__dict__

    def __hash__(self) -> int:
        return hash((type(self), *self.__dict__.values()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.__dict__.items())})"


class CopiedUp(Event):
    """A file was copied whole into a container's upper folder, from a layer (1: the image's lowest)."""

    container: str
    path: str
    size: int
    layer: int  # one above the image's highest: what the engine itself put on the image


class Whiteout(Event):
    """A name of the image was hidden by a mark in a container's upper folder."""

    container: str
    path: str


class LayerCreated(Event):
    """A layer came into the layer store: chain id, digest of its own changes, folder, size in bytes."""

    chain_id: str
    diff_id: str
    cache_id: str
    size: int


class LayerRemoved(Event):
    chain_id: str
    cache_id: str


class ImageCreated(Event):
    image: str


class ImageTagged(Event):
    image: str
    reference: str


class ImageUntagged(Event):
    image: str
    reference: str


class ImageRemoved(Event):
    image: str


class ContainerCreated(Event):
    container: str
    name: str
    image: str
    reference: str  # what it was created from, as it was asked for


class ContainerStarted(Event):
    container: str


class ContainerStopped(Event):
    container: str
    exit_code: int
    seconds: int  # that it ran


class ContainerRenamed(Event):
    container: str
    former: str
    name: str

    former_path = property(lambda self: f"/{self.former}")


class ContainerRemoved(Event):
    container: str
    name: str


class VolumeCreated(Event):
    name: str
    anonymous: bool


class VolumeRemoved(Event):
    name: str


class VolumePopulated(Event):
    """An empty volume was filled with what the image has at the mount's target."""

    name: str
    container: str
    path: str


class HostFolderCreated(Event):
    """The missing source of a bind mount was made on the host, as an empty folder."""

    path: str
    container: str


class MountpointCreated(Event):
    """A mount's target did not exist in the container and was made there."""

    container: str
    path: str


class EventLog:
    """The events so far, each with its time; iterates and slices like a list."""

    def __init__(self, table: Map[int, tuple[int, Event]], now: Callable[[], int]) -> None:
        self._table, self._now = table, now

    def append(self, event: Event) -> None:
        self._table.set(len(self._table), (self._now(), event))

    def timed(self) -> list[tuple[int, Event]]:
        return [self._table[number] for number in range(len(self._table))]

    def __len__(self) -> int:
        return len(self._table)

    def __iter__(self) -> Iterator[Event]:
        return (event for _, event in self.timed())

    def __getitem__(self, which: int | slice[int | None, int | None, int | None]) -> Event | list[Event]:
        if isinstance(which, slice):
            return [self._table[number][1] for number in range(*which.indices(len(self._table)))]
        return self._table[which if which >= 0 else which + len(self._table)][1]


# Those that belong to one storage driver: an engine that runs with another does not see what they hold.
OF_A_DRIVER = (
    "layers", "mounts", "images", "references", "containers", "names", "running", "cache", "cache_ids", "cache_links",
    "cache_sent", "made_steps", "journals",
)  # fmt: skip
_OTHERS = ("counters", "events", "volumes", "volume_uses", "holders", "parked", "words", "service")


class Tables:
    """The maps, each an attribute under its name."""

    __slots__ = OF_A_DRIVER + _OTHERS

    counters: Map[str, int]  # kind of id -> how many were given
    layers: Map[str, LayerRecord]  # by chain id
    mounts: Map[str, WritableLayer]  # by container id
    images: Map[str, Image]
    references: Map[str, str]  # full name -> image id
    containers: Map[str, Container]
    names: Map[str, str]  # container name -> container id
    running: Waiting
    volumes: Map[str, Volume]  # by name
    volume_uses: Map[str, int]  # name of a volume that is mounted -> how many containers use it
    holders: Map[str, str]  # id of a writable layer -> container id
    cache: Map[str, CacheRecord]  # the build cache, by id
    cache_ids: Map[str, str]  # digest of a cache key -> id of the record
    cache_links: Map[str, str]  # digest of a COPY --from by its Dockerfile -> digest of its key by content
    cache_sent: Map[str, dict[str, Known]]  # digest of a client's folder -> what was sent of it last
    made_steps: Map[str, MadeStep]  # by the digest of the key; they outlast the records
    journals: Map[str, Journal]  # the last build's
    events: Map[int, tuple[int, Event]]  # with its time, ns
    parked: Map[str, ParkedDriver]  # by the name of a storage driver that is not in use
    service: Map[str, Service]  # the daemon, under its name
    words: Map[str, str]  # what a part keeps under a name of its own

    def __init__(self) -> None:
        for name in self.__slots__:
            setattr(self, name, Waiting() if name == "running" else Map())

    def park(self) -> Tables:
        """Take out what belongs to the driver in use, and leave empty maps in its place."""
        parked = Tables()
        for name in OF_A_DRIVER:
            setattr(parked, name, getattr(self, name))
            setattr(self, name, type(getattr(self, name))())
        return parked

    def unpark(self, parked: Tables) -> None:
        """Put back what was taken out; the parked maps stay as they are, a snapshot may have them."""
        for name in OF_A_DRIVER:
            setattr(self, name, getattr(parked, name).copy())

    def frozen(self) -> Frozen:
        """What all of them hold, in maps that nobody writes to."""
        return tuple(map(Map.frozen, _maps(self)))

    @classmethod
    def of(cls, frozen: Frozen) -> Tables:
        """Tables that hold this, to go on with."""
        tables = cls.__new__(cls)
        for name, table in zip(cls.__slots__, frozen, strict=True):
            setattr(tables, name, table.copy())
        return tables


Frozen = tuple[Map[str, object], ...]  # in the order of Tables' slots
_maps: Callable[[Tables], Frozen] = attrgetter(*Tables.__slots__)


@dataclass(frozen=True)
class ParkedDriver:
    """What an engine remembers of a storage driver that it does not run with, and what the driver itself does."""

    tables: Tables
    driver: Saved  # as Driver.snapshot() gave it


KERNEL_VERSION = "6.12.57"


@dataclass(frozen=True)
class About:
    """What the daemon says of itself and its machine."""

    kernel_version: str = KERNEL_VERSION
    hostname: str = "lab"  # the host's
    address: str = "192.0.2.10"  # the host's, in its network
    operating_system: str = "Debian GNU/Linux 12 (bookworm)"
    server_version: str | None = None  # None: the newest


class RemoteImage(Protocol):
    """An image as a registry has it."""

    @property
    def config(self) -> JsonObject: ...
    @property
    def layers(self) -> tuple[Layer, ...]: ...
    @property
    def text(self) -> str:
        """The configuration's JSON."""

    @property
    def digest(self) -> str:
        """Of its manifest."""

    @property
    def blobs(self) -> tuple[str, ...]:
        """The digests of its compressed layers."""


class Registry(Protocol):
    """Where images are pulled from."""

    def get(self, name: str, tag: str = "latest") -> RemoteImage | None: ...
    def has(self, name: str) -> bool: ...
    def names(self) -> list[str]: ...
    def tags(self, name: str) -> Iterable[str]: ...


class Core:
    def __init__(self, host: Files, driver: Driver, kernel: Kernel, registry: Registry | None, about: About) -> None:
        self.host = host
        self.driver = driver
        self.kernel = kernel
        self.registry = registry
        self.about = about
        self.epoch = kernel.clock.now  # when the daemon was started, ns
        self._take(Tables())
        # Made once for all containers, and anew where they are missing.
        self.init_layers: dict[str | None, Layer] = {}  # by the chain below
        self.shared_trees: dict[str, Source] = {}
        self.shared_proc: Map[str, Inode] | None = None
        host.store.watcher = self

    def _take(self, tables: Tables) -> None:
        self.tables = tables
        self.ids = Ids(tables.counters)
        self.events = EventLog(tables.events, self.now)

    def copied_up(self, label: str, path: str, size: int, layer: int) -> None:  # as labkit.files.inodes.Watcher
        if container := self.tables.holders.get(label):
            self.events.append(CopiedUp(container, path, size, layer + 1))

    def hidden(self, label: str, path: str) -> None:
        if container := self.tables.holders.get(label):
            self.events.append(Whiteout(container, path))

    @property
    def keeps_manifests(self) -> bool:
        """Whether images lie in the containerd store, which knows each by its manifest's digest."""
        return self.driver.by_container

    def use(self, driver: Driver) -> None:
        """Run with another storage driver; the tables are those that belong to it."""
        self.driver = driver
        self.init_layers = {}

    def tables_of(self, driver: str) -> Tables:
        """The tables that belong to a storage driver, be it in use or not."""
        parked = self.tables.parked.get(driver)
        return self.tables if parked is None or driver == self.driver.name else parked.tables

    def snapshot(self) -> Frozen:
        return self.tables.frozen()

    def restore(self, saved: Frozen) -> None:
        self._take(Tables.of(saved))

    def now(self) -> int:
        """Nanoseconds since 1970, on the machine's clock."""
        return self.kernel.clock.now

    def digest(self, *words: str) -> str:
        """64 hexadecimal digits that follow from the words."""
        return sha256("/".join(words).encode()).hexdigest()

    def view(self, source: Source) -> Files:
        """A file system by itself, as root sees it."""
        return Namespace(self.host.store, source).files()

    def namespace_of(self, container: str) -> Namespace | None:
        running = self.tables.running.get(container)
        return running.namespace if running else None


def find(core: Core, reference: str) -> Container:
    """By id, name (with or without a slash) or the start of an id."""
    containers, reference = core.tables.containers, reference.strip()
    if not reference:
        raise no_name("container")
    if found := containers.get(reference):
        return found
    if named := containers.get(core.tables.names.get(reference.removeprefix("/"), "")):  # or it is being made
        return named
    starts = [identifier for identifier in containers if identifier.startswith(reference)]
    if len(starts) > 1:
        raise invalid(f"Multiple IDs found with provided prefix: {reference}")
    if not starts:
        raise not_found(f"No such container: {reference}")
    return containers[starts[0]]


def by_age(core: Core) -> list[Container]:
    """All, the newest first."""
    return sorted((container for _, container in core.tables.containers.items()), key=lambda each: -each.number)


class ContainerChanges(TypedDict, total=False):
    """What a container's life changes of its record."""

    name: str
    state: ContainerState
    restarts: int
    stopped_by_hand: bool
    host_config: JsonObject


def change(core: Core, identifier: str, **changes: Unpack[ContainerChanges]) -> Container:
    container: Container = replace(core.tables.containers[identifier], **changes)
    core.tables.containers.set(identifier, container)
    return container


ROOT = "/var/lib/docker"


def image_root(core: Core) -> str:
    return f"{ROOT}/image/{core.driver.name}"


class Maker:
    """Makes files by the store's own means: quick, and free of paths and rights."""

    def __init__(self, core: Core, path: str) -> None:
        self.host = core.host
        self.driver = core.driver.name
        self.store = core.host.store
        self.top = core.host.inode(path)

    def folder(self, name: str, mode: int, into: Inode | None = None) -> Inode:
        node = self.store.new(stat.S_IFDIR | mode)
        self.store.add(into or self.top, name, node)
        return node

    def generated(self, into: Inode, name: str, *args: str, mode: int = 0o644) -> None:
        self.store.add(into, name, self.store.new(stat.S_IFREG | mode, data=Generated("docker", (self.driver, *args))))

    def text(self, into: Inode, name: str, text: str | Content, mode: int = 0o644) -> Inode:
        node = self.store.new(stat.S_IFREG | mode, data=Content(text) if isinstance(text, str) else text)
        self.store.add(into, name, node)
        return node

    def remove(self, name: str) -> None:
        if name in self.store.names(self.top):
            self.store.drop(self.store.take(self.top, name))
