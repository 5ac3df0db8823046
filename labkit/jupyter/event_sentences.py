"""The engine's events in plain words: "copied /app/app.py, 8.4MB, from layer 3 into web's layer"."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from labkit.jupyter.view import Marks, cut, short, size_text


class EventNames:
    """What containers and images are called: now, or when the events happened that tell of their end."""

    def __init__(self, engine: Any, events: Sequence[Any]) -> None:
        self._engine = engine
        told = {event.container: event.name for event in events if type(event).__name__.startswith("Container")
                and hasattr(event, "name")}  # fmt: skip
        self._containers: dict[str, str] = told
        self._images = {event.image: event.reference for event in events if hasattr(event, "reference")}

    def container(self, identifier: str) -> str:
        found = self._engine.tables.containers.get(identifier)
        return cut(found.name if found else self._containers.get(identifier) or short(identifier), 40)

    def image(self, identifier: str) -> str:
        try:
            names = self._engine.inspect_image(identifier).get("RepoTags") or []
        except Exception:  # EngineError: it is gone
            names = []
        return cut(next(iter(names), self._images.get(identifier) or short(identifier)), 40)


def told(events: Sequence[Any], engine: Any) -> list[str]:
    """A sentence for each event, in order."""
    names = EventNames(engine, events)
    return [_sentence(event, names) for event in events]


def written(events: Sequence[Any], marks: Marks) -> list[str]:
    """The files of containers' layers that are other than before, where no event tells of it."""
    known = {getattr(event, "path", "") for event in events}
    gone = {part[:3] for part in marks.gone if part[0] == "file" and ("container", *part[1:2]) not in _lost(marks)}
    groups = (
        (marks.new, "{} is new in {}'s layer"),
        (marks.changed, "{} changed in {}'s layer"),
        (gone, "{} left {}'s layer"),
    )
    return [
        text.format(cut(part[2]), cut(part[1], 40))
        for parts, text in groups
        for part in sorted(parts)
        if part[0] == "file" and not any(path == part[2] or path.startswith(f"{part[2]}/") for path in known)
    ]


def _lost(marks: Marks) -> set[tuple[str, ...]]:
    return {part[:2] for part in marks.gone if part[0] == "container"}


def _sentence(event: Any, names: EventNames) -> str:
    kind = type(event).__name__
    if kind in _SENTENCES:
        return _SENTENCES[kind](event, names)
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", kind).lower()  # an event that this table does not know yet


def _volume(event: Any, names: EventNames) -> str:
    return f"made the volume {cut(event.name, 40)}{', which nobody named' if event.anonymous else ''}"


_SENTENCES: dict[str, Callable[[Any, EventNames], str]] = {
    "CopiedUp": lambda event, names: (
        f"copied {cut(event.path)}, {size_text(event.size)}, from layer {event.layer} "
        f"into {names.container(event.container)}'s layer"
    ),
    "Whiteout": lambda event, names: (
        f"hid the image's {cut(event.path)} by a whiteout in {names.container(event.container)}'s layer"
    ),
    "LayerCreated": lambda event, names: f"made the layer {short(event.diff_id)}, {size_text(event.size)}",
    "LayerRemoved": lambda event, names: f"removed the layer in the folder {cut(event.cache_id, 15)}",
    "ImageCreated": lambda event, names: f"made the image {names.image(event.image)}",
    "ImageTagged": lambda event, names: f"named the image {short(event.image)} {cut(event.reference, 40)}",
    "ImageUntagged": lambda event, names: (
        f"took the name {cut(event.reference, 40)} off the image {short(event.image)}"
    ),
    "ImageRemoved": lambda event, names: f"removed the image {short(event.image)}",
    "ContainerCreated": lambda event, names: (
        f"made the container {names.container(event.container)} on the image {names.image(event.image)}, "
        "with an empty layer of its own"
    ),
    "ContainerStarted": lambda event, names: f"started {names.container(event.container)}",
    "ContainerStopped": lambda event, names: (
        f"{names.container(event.container)} stopped with status {event.exit_code}; its layer stays"
    ),
    "ContainerRenamed": lambda event, names: f"renamed {cut(event.former, 40)} to {cut(event.name, 40)}",
    "ContainerRemoved": lambda event, names: f"removed {cut(event.name, 40)}, and its own layer with it",
    "VolumeCreated": _volume,
    "VolumeRemoved": lambda event, names: f"removed the volume {cut(event.name, 40)} and what was in it",
    "VolumePopulated": lambda event, names: (
        f"filled the empty volume {cut(event.name, 40)} with what the image has at {cut(event.path)}"
    ),
    "HostFolderCreated": lambda event, names: f"made the missing folder {cut(event.path)} on the host",
    "MountpointCreated": lambda event, names: (
        f"made {cut(event.path)} in {names.container(event.container)}'s layer, to mount on it"
    ),
}
