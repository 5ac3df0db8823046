"""All that an engine remembers, in persistent maps: copying the tables is what a snapshot is."""

from __future__ import annotations

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

    def copy(self) -> Tables:
        twin = Tables.__new__(Tables)
        for name in _NAMES:
            setattr(twin, name, getattr(self, name).copy())
        return twin
