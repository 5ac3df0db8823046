"""What can be asked about a machine, for the checks: images with their layers, containers, volumes, files.

Layers are read as they are, never a driver's folders, so that the answers are the same for every storage driver.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from labkit.engine.core.errors import EngineError
from labkit.engine.images.images import ImageStep, image_steps, instruction
from labkit.engine.images.layerreport import Stack, image_stack
from labkit.files import Content, Inode
from labkit.kernel.golang import Json, JsonObject

if TYPE_CHECKING:
    from labkit.files import Files
    from labkit.machine import Machine

Read = TypeVar("Read")


@dataclass(frozen=True)
class ImageFacts:
    """What `docker image inspect` says of an image."""

    id: str
    layers: tuple[str, ...]  # digests, the lowest first
    size: int
    comment: str
    config: JsonObject


@dataclass(frozen=True)
class MountFacts:
    """What covers a path of a container: MountFacts("volume", "data", "/data", True)."""

    kind: str
    source: str  # the volume's name, the host's path, or "" for a tmpfs
    target: str
    writable: bool


@dataclass(frozen=True)
class ContainerFacts:
    """What `docker container inspect` says of a container."""

    id: str
    name: str
    image: str  # image id
    image_name: str  # as it was given
    state: str
    running: bool
    mounts: tuple[MountFacts, ...]
    tmpfs: tuple[str, ...]  # what --tmpfs made, which is not among the mounts


class Facts:
    """One machine, looked at once: nothing here changes it."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.engine = machine.engine
        self._steps: dict[str, tuple[ImageStep, ...]] = {}
        self._stacks: dict[str, Stack] = {}

    def image(self, name: str) -> ImageFacts | None:
        return _unless_missing(self.engine.inspect_image, name, image_facts)

    def container(self, name: str) -> ContainerFacts | None:
        return _unless_missing(self.engine.inspect_container, name, container_facts)

    def volume(self, name: str) -> str | None:
        """The folder of a volume."""
        return _unless_missing(self.engine.inspect_volume, name, lambda document: str(document["Mountpoint"]))

    def steps(self, image: str) -> tuple[ImageStep, ...]:
        """The image's history, the oldest first, with the layer of each step that made one."""
        if image not in self._steps:
            self._steps[image] = image_steps(self.engine.find_image(image), self.engine.layerstore)
        return self._steps[image]

    def layers(self, image: str) -> list[ImageStep]:
        return [step for step in self.steps(image) if step.layer]

    def step(self, image: str, text: str) -> ImageStep | None:
        """The last step whose instruction has `text` in it."""
        wanted = _squeezed(text)
        return next((step for step in reversed(self.steps(image)) if wanted in _squeezed(step.text)), None)

    def seen(self, image: str, path: str) -> Inode | None:
        """What a container of this image starts with at a path."""
        if image not in self._stacks:
            self._stacks[image] = image_stack(self.engine.core, image)
        stack = self._stacks[image]
        merged = stack.seen(len(stack.layers), path)
        return merged.inode if merged else None

    def files(self, container: str | None) -> Files:
        """The host's files, or what a container sees."""
        return self.machine.container(container).files if container else self.machine.files

    @contextmanager
    def after(self, commands: Iterable[str]) -> Iterator[tuple[Facts, str]]:
        """The machine as it would be after these commands, and what the last one printed; then it is as it was."""
        saved = self.machine.snapshot()
        try:
            printed = ""
            for command in commands:
                done = self.machine.run(command)
                printed = done.stdout + done.stderr
            yield Facts(self.machine), printed
        finally:
            self.machine.restore(saved)


def _unless_missing(inspect: Callable[[str], JsonObject], name: str, read: Callable[[JsonObject], Read]) -> Read | None:
    try:
        return read(inspect(name))
    except EngineError:
        return None


def _table(value: Json) -> JsonObject:
    return value if isinstance(value, dict) else {}


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def image_facts(document: JsonObject) -> ImageFacts:
    layers = tuple(str(layer) for layer in _list(_table(document["RootFS"]).get("Layers")))
    size, comment = int(str(document.get("Size") or 0)), str(document.get("Comment") or "")
    return ImageFacts(str(document["Id"]), layers, size, comment, _table(document["Config"]))


def container_facts(document: JsonObject) -> ContainerFacts:
    state = _table(document["State"])
    return ContainerFacts(
        id=str(document["Id"]),
        name=str(document["Name"]).removeprefix("/"),
        image=str(document["Image"]),
        image_name=str(_table(document["Config"])["Image"]),
        state=str(state["Status"]),
        running=bool(state["Running"]),
        mounts=tuple(_mount(_table(each)) for each in _list(document.get("Mounts"))),
        tmpfs=tuple(_table(_table(document.get("HostConfig")).get("Tmpfs"))),
    )


def _mount(row: JsonObject) -> MountFacts:
    source = row.get("Name") if row["Type"] == "volume" else row.get("Source")
    return MountFacts(str(row["Type"]), str(source or ""), str(row["Destination"]), bool(row.get("RW", True)))


def _squeezed(text: str) -> str:
    """A step as the Dockerfile has it, with one blank between words."""
    return " ".join(instruction(text).split())


def content_of(inode: Inode) -> Content:
    """What is in a file; what is none is empty."""
    return inode.data if isinstance(inode.data, Content) else Content()


def written(content: Content) -> bytes:
    """The bytes that somebody has written; those that a rule makes, as a package's are, have nobody's words in them."""
    return b"\0".join(piece for piece in content.pieces if isinstance(piece, bytes))
