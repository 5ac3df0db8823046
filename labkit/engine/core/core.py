"""Core: what every mechanism of the engine stands on.

The host's files, the storage driver, the kernel with its clock, and the tables with ids and events over them. The
mechanisms stand on it and on each other downwards: images, mounts, containers, then build and daemon, then the API.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Protocol

from labkit.drivers import Driver
from labkit.engine.core import times
from labkit.engine.core.events import CopiedUp, EventLog, Whiteout
from labkit.engine.core.ids import Ids
from labkit.engine.core.tables import Tables
from labkit.files import Files, Inode, Layer, Map, Namespace, Source
from labkit.kernel.process import Kernel

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
    def config(self) -> Mapping[str, Any]: ...
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
        self.events = EventLog(tables.events)

    # What the file system does in the containers' own layers (labkit.files.store.Watcher).

    def copied_up(self, label: str, path: str, size: int, layer: int) -> None:
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

    def snapshot(self) -> Tables:
        return self.tables.copy()

    def restore(self, saved: Tables) -> None:
        self._take(saved.copy())

    def now(self) -> int:
        """Nanoseconds since 1970, on the machine's clock."""
        return self.kernel.clock.now

    def until(self, text: str) -> int:
        """The moment that `until=` names: a duration before now, seconds since 1970, or a time."""
        return times.moment(text, self.now())

    def digest(self, *words: str) -> str:
        """64 hexadecimal digits that follow from the words."""
        return sha256("/".join(words).encode()).hexdigest()

    def view(self, source: Source) -> Files:
        """A file system by itself, as root sees it."""
        return Namespace(self.host.store, source).files()

    def namespace_of(self, container: str) -> Namespace | None:
        running = self.tables.running.get(container)
        return running.namespace if running else None
