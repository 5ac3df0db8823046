"""The engine's events in plain words: "copied /app/app.py, 8.4MB, from layer 3 into web's layer"."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from labkit.engine.api import Engine
from labkit.engine.core.core import (
    ContainerCreated,
    ContainerRemoved,
    ContainerRenamed,
    Event,
    ImageTagged,
    ImageUntagged,
    VolumeCreated,
)
from labkit.engine.core.errors import EngineError
from labkit.jupyter.view import Marks, cut, short, size_text
from labkit.kernel.golang import texts


class EventNames:
    """What containers and images are called: now, or when the events happened that tell of their end."""

    def __init__(self, engine: Engine, events: Sequence[Event]) -> None:
        self._engine = engine
        named = [each for each in events if isinstance(each, ContainerCreated | ContainerRenamed | ContainerRemoved)]
        self._containers = {event.container: event.name for event in named}
        tagged = [event for event in events if isinstance(event, ImageTagged | ImageUntagged)]
        self._images = {event.image: event.reference for event in tagged}

    def container(self, identifier: str) -> str:
        found = self._engine.tables.containers.get(identifier)
        return cut(found.name if found else self._containers.get(identifier) or short(identifier), 40)

    def image(self, identifier: str) -> str:
        try:
            names = texts(self._engine.inspect_image(identifier), "RepoTags")
        except EngineError:  # it is gone
            names = []
        return cut(next(iter(names), self._images.get(identifier) or short(identifier)), 40)


def told(events: Sequence[Event], engine: Engine) -> list[str]:
    """A sentence for each event, in order."""
    names = EventNames(engine, events)
    return [_sentence(event, names) for event in events]


def written(events: Sequence[Event], marks: Marks) -> list[str]:
    """The files of containers' layers that are other than before, where no event tells of it."""
    known = {vars(event).get("path", "") for event in events}
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


def _sentence(event: Event, names: EventNames) -> str:
    kind = type(event).__name__
    if kind not in _SENTENCES:
        return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", kind).lower()  # an event that this table does not know yet
    ways: dict[str, Callable[[str], str]] = {
        "container": names.container,
        "image": names.image,
        "path": cut,
        "diff_id": short,
        "cache_id": lambda text: cut(text, 15),
        **dict.fromkeys(("name", "former", "reference"), lambda text: cut(text, 40)),
    }
    found = {name: ways.get(name, str)(value) for name, value in vars(event).items() if name != "size"}
    more = {"id": short(vars(event).get("image", "")), "size": size_text(vars(event).get("size", 0))}
    unnamed = ", which nobody named" if isinstance(event, VolumeCreated) and event.anonymous else ""
    return _SENTENCES[kind].format(**found, **more, unnamed=unnamed)


_SENTENCES = {  # by the event's fields; {image} is an image's name, {id} its id
    "CopiedUp": "copied {path}, {size}, from layer {layer} into {container}'s layer",
    "Whiteout": "hid the image's {path} by a whiteout in {container}'s layer",
    "LayerCreated": "made the layer {diff_id}, {size}",
    "LayerRemoved": "removed the layer in the folder {cache_id}",
    "ImageCreated": "made the image {image}",
    "ImageTagged": "named the image {id} {reference}",
    "ImageUntagged": "took the name {reference} off the image {id}",
    "ImageRemoved": "removed the image {id}",
    "ContainerCreated": "made the container {container} on the image {image}, with an empty layer of its own",
    "ContainerStarted": "started {container}",
    "ContainerStopped": "{container} stopped with status {exit_code}; its layer stays",
    "ContainerRenamed": "renamed {former} to {name}",
    "ContainerRemoved": "removed {name}, and its own layer with it",
    "VolumeCreated": "made the volume {name}{unnamed}",
    "VolumeRemoved": "removed the volume {name} and what was in it",
    "VolumePopulated": "filled the empty volume {name} with what the image has at {path}",
    "HostFolderCreated": "made the missing folder {path} on the host",
    "MountpointCreated": "made {path} in {container}'s layer, to mount on it",
}
