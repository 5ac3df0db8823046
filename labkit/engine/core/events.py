"""What the engine did, one frozen record each, in order: what the pictures and the checks of a lesson read.

An event tells paths as people know them: in a container from its root, on the host from the host's.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, dataclass_transform

if TYPE_CHECKING:
    from labkit.files.persistent import Map


@dataclass_transform(frozen_default=True)
class Event:
    """The base of all events: frozen, compared by what they hold; lighter to load than a dataclass for each."""

    def __init__(self, *values: Any, **more: Any) -> None:
        names = tuple(type(self).__annotations__)
        self.__dict__.update(zip(names, values, strict=False), **more)
        if set(self.__dict__) != set(names):
            raise TypeError(f"{type(self).__name__} has {', '.join(names)}")

    def __setattr__(self, name: str, value: Any) -> None:
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


class ContainerStarted(Event):
    container: str


class ContainerStopped(Event):
    container: str
    exit_code: int


class ContainerRenamed(Event):
    container: str
    former: str
    name: str


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
    """The events so far; iterates and slices like a list."""

    def __init__(self, table: Map) -> None:
        self._table = table

    def append(self, event: Event) -> None:
        self._table.set(len(self._table), event)

    def __len__(self) -> int:
        return len(self._table)

    def __iter__(self) -> Iterator[Event]:
        return (self._table[number] for number in range(len(self._table)))

    def __getitem__(self, which: int | slice) -> Event | list[Event]:
        if isinstance(which, slice):
            return [self._table[number] for number in range(*which.indices(len(self._table)))]
        return self._table[which if which >= 0 else which + len(self._table)]
