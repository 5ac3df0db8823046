"""What the engine did, one frozen record each, in order: what the pictures and the checks of a lesson read.

An event tells paths as people know them: in a container from its root, on the host from the host's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from labkit.files.persistent import Map


@dataclass(frozen=True)
class Event:
    """The base of all events."""


@dataclass(frozen=True)
class CopiedUp(Event):
    """A file of the image was copied whole into a container's upper folder."""

    container: str
    path: str
    size: int


@dataclass(frozen=True)
class Whiteout(Event):
    """A name of the image was hidden by a mark in a container's upper folder."""

    container: str
    path: str


@dataclass(frozen=True)
class LayerCreated(Event):
    """A layer came into the layer store: chain id, digest of its own changes, folder, size in bytes."""

    chain_id: str
    diff_id: str
    cache_id: str
    size: int


@dataclass(frozen=True)
class LayerRemoved(Event):
    chain_id: str
    cache_id: str


@dataclass(frozen=True)
class ImageCreated(Event):
    image: str


@dataclass(frozen=True)
class ImageTagged(Event):
    image: str
    reference: str


@dataclass(frozen=True)
class ImageUntagged(Event):
    image: str
    reference: str


@dataclass(frozen=True)
class ImageRemoved(Event):
    image: str


@dataclass(frozen=True)
class ContainerCreated(Event):
    container: str
    name: str
    image: str


@dataclass(frozen=True)
class ContainerStarted(Event):
    container: str


@dataclass(frozen=True)
class ContainerStopped(Event):
    container: str
    exit_code: int


@dataclass(frozen=True)
class ContainerRemoved(Event):
    container: str
    name: str


@dataclass(frozen=True)
class VolumeCreated(Event):
    name: str
    anonymous: bool


@dataclass(frozen=True)
class VolumeRemoved(Event):
    name: str


@dataclass(frozen=True)
class VolumePopulated(Event):
    """An empty volume was filled with what the image has at the mount's target."""

    name: str
    container: str
    path: str


@dataclass(frozen=True)
class HostFolderCreated(Event):
    """The missing source of a bind mount was made on the host, as an empty folder."""

    path: str
    container: str


@dataclass(frozen=True)
class MountpointCreated(Event):
    """A mount's target did not exist in the container and was made there."""

    container: str
    path: str


class EventLog:
    """The events so far; iterates and slices like a list."""

    def __init__(self, table: Map) -> None:
        self._table = table

    def append(self, event: Event) -> None:
        self._table.set(len(self._table), event)

    def __len__(self) -> int:
        return len(self._table)

    def __iter__(self) -> Iterator[Event]:
        return (self._table.get(number) for number in range(len(self._table)))

    def __getitem__(self, which: int | slice) -> Event | list[Event]:
        if isinstance(which, slice):
            return [self._table.get(number) for number in range(*which.indices(len(self._table)))]
        return self._table.get(which if which >= 0 else which + len(self._table))
