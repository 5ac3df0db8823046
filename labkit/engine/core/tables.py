"""All that an engine remembers, in persistent maps: copying the tables is what a snapshot is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from labkit.files.persistent import Map

_NAMES = (
    "counters",  # kind of id -> how many were given
    "layers",  # chain id -> LayerRecord
    "mounts",  # container id -> WritableLayer
    "images",  # image id -> Image
    "references",  # full name -> image id
    "containers",  # container id -> Container
    "names",  # container name -> container id
    "running",  # container id -> Running
    "volumes",  # volume name -> Volume
    "cache",  # the build part's records
    "events",  # number -> Event
    "other",  # what a part keeps under a name of its own
)

# Those that belong to one storage driver: an engine that runs with another does not see what they hold.
OF_A_DRIVER = ("layers", "mounts", "images", "references", "containers", "names", "running", "cache")


class Tables:
    """The maps, each an attribute under its name."""

    __slots__ = _NAMES

    counters: Map[str, int]
    layers: Map[str, Any]
    mounts: Map[str, Any]
    images: Map[str, Any]
    references: Map[str, str]
    containers: Map[str, Any]
    names: Map[str, str]
    running: Map[str, Any]
    volumes: Map[str, Any]
    cache: Map[str, Any]
    events: Map[int, Any]
    other: Map[str, Any]

    def __init__(self) -> None:
        for name in _NAMES:
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
        for name in _NAMES:
            setattr(twin, name, getattr(self, name).copy())
        return twin


PARKED = "parked "  # before a driver's name: where `other` keeps what belongs to a driver that is not in use


@dataclass(frozen=True)
class Parked:
    """What an engine remembers of a storage driver that it does not run with, and what the driver itself does."""

    tables: Tables
    driver: Any  # as Driver.snapshot() gave it
