"""All that an engine remembers, in persistent maps: copying the tables is what a snapshot is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from labkit.engine.core.container import Container
from labkit.engine.core.events import Event
from labkit.engine.core.image import Image
from labkit.engine.core.layer import LayerRecord, WritableLayer
from labkit.engine.core.running import Running
from labkit.engine.core.service import Service
from labkit.engine.core.volume import Volume
from labkit.files.persistent import Map

# Those that belong to one storage driver: an engine that runs with another does not see what they hold.
OF_A_DRIVER = ("layers", "mounts", "images", "references", "containers", "names", "running", "cache")
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
    running: Map[str, Running]  # by container id; ID/NUMBER is what exec started
    volumes: Map[str, Volume]  # by name
    volume_uses: Map[str, int]  # name of a volume that is mounted -> how many containers use it
    holders: Map[str, str]  # id of a writable layer -> container id
    cache: Map[str, Any]  # the build cache's records
    events: Map[int, Event]
    parked: Map[str, ParkedDriver]  # by the name of a storage driver that is not in use
    service: Map[str, Service]  # the daemon, under its name
    words: Map[str, str]  # what a part keeps under a name of its own

    def __init__(self) -> None:
        for name in self.__slots__:
            setattr(self, name, Map())

    def park(self) -> Tables:
        """Take out what belongs to the driver in use, and leave empty maps in its place."""
        parked = Tables()
        for name in OF_A_DRIVER:
            setattr(parked, name, getattr(self, name))
            setattr(self, name, Map())
        return parked

    def unpark(self, parked: Tables) -> None:
        """Put back what was taken out; the parked maps stay as they are, a snapshot may have them."""
        for name in OF_A_DRIVER:
            setattr(self, name, getattr(parked, name).copy())

    def copy(self) -> Tables:
        twin = Tables.__new__(Tables)
        for name in self.__slots__:
            setattr(twin, name, getattr(self, name).copy())
        return twin


@dataclass(frozen=True)
class ParkedDriver:
    """What an engine remembers of a storage driver that it does not run with, and what the driver itself does."""

    tables: Tables
    driver: object  # as Driver.snapshot() gave it
