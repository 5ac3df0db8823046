"""What there is to see on a machine: images as steps, containers, volumes, mounts; plain facts for pictures and texts.

Stands on the engine's answers (the dicts of Docker's API) and nothing else, so that a picture never shows what
`docker history`, `docker inspect` and `docker diff` would not say.

Two images share a step (see engine/images/images.py) when they share all steps below it too.
`in_words` says all of it as an indented text, `told` the engine's events in plain words: "copied /app/app.py, 8.4MB,
from layer 3 into web's layer".
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from labkit.course.machines import MountFacts, container_facts
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
from labkit.engine.images.images import ImageStep, image_steps
from labkit.kernel.golang import human_size, number, text, texts
from labkit.machine import Machine

SHOWN_SETTINGS = 2  # so many lines of settings in a row are shown one by one


@dataclass(frozen=True)
class SeenImage:
    """An image: its names, and its steps from the lowest to the highest."""

    id: str
    names: tuple[str, ...]
    steps: tuple[ImageStep, ...]
    size: int


@dataclass(frozen=True)
class SeenContainer:
    """A container: its own writable layer is what `docker diff` lists."""

    id: str
    name: str
    image: str  # image id
    state: str
    changes: tuple[tuple[str, str], ...]  # (A, C or D, path)
    size: int
    mounts: tuple[MountFacts, ...]


@dataclass(frozen=True)
class MachineView:
    """All of it, in a fixed order."""

    images: tuple[SeenImage, ...] = ()
    containers: tuple[SeenContainer, ...] = ()
    volumes: tuple[str, ...] = ()


@dataclass
class StepStack:
    """Steps that all the same images have, lowest first, and what stands on them."""

    key: tuple[ImageStep, ...]  # every step up to and with the stack's highest: names the stack, and orders it
    steps: list[ImageStep] = field(default_factory=list)
    images: list[SeenImage] = field(default_factory=list)  # the images whose highest step is this stack's highest
    above: list[StepStack] = field(default_factory=list)


def count(number: int, word: str) -> str:
    """ "1 exercise", "2 exercises"."""
    return f"{number} {word}{'' if number == 1 else 's'}"


def size_text(size: int) -> str:
    """A size as `docker history` prints it: thousands, three figures ("6.3MB", "229B")."""
    return human_size(size, 3)


def look(machine: Machine) -> MachineView:
    """The machine's images, containers and volumes as they are now."""
    engine = machine.engine
    containers = tuple(sorted(_containers(engine), key=lambda container: container.name))
    images = tuple(sorted(_images(engine), key=lambda image: (image.names or ("~",), image.id)))
    return MachineView(images, containers, tuple(sorted(str(volume["Name"]) for volume in engine.volumes())))


def only(view: MachineView, names: Sequence[str]) -> MachineView:
    """What belongs to these images, containers or volumes, and the images below; ValueError names an unknown one."""
    containers = [c for c in view.containers if c.name in names or set(names) & {mount.source for mount in c.mounts}]
    wanted = {container.image for container in containers}
    tops = [image for image in view.images if image.id in wanted or _named(image, names)]
    images = [image for image in view.images if any(_stands_on(top, image) for top in tops)]
    volumes = {mount.source for container in containers for mount in container.mounts if mount.kind == "volume"}
    volumes |= set(names) & set(view.volumes)
    known = {c.name for c in containers} | volumes | {n for i in tops for n in names if _named(i, [n])}
    for name in names:
        if name not in known:
            raise ValueError(f"there is no image, container or volume {name!r} to show")
    return MachineView(tuple(images), tuple(containers), tuple(sorted(volumes)))


def added(before: MachineView, after: MachineView) -> MachineView:
    """What of `after` was not there before, with the images below; all of it where nothing was added."""
    known = {image.id for image in before.images}
    containers = tuple(container for container in after.containers if container not in before.containers)
    wanted = {container.image for container in containers}
    tops = [image for image in after.images if image.id not in known or image.id in wanted]
    images = tuple(image for image in after.images if any(_stands_on(top, image) for top in tops))
    mounted = {mount.source for container in containers for mount in container.mounts}
    volumes = tuple(volume for volume in after.volumes if volume not in before.volumes or volume in mounted)
    found = MachineView(images, containers, volumes)
    return after if found == MachineView() else found


def _stands_on(image: SeenImage, lower: SeenImage) -> bool:
    """Does the image have all the steps of the lower one below its own (or is it that one)?"""
    return image.steps[: len(lower.steps)] == lower.steps


def _named(image: SeenImage, names: Sequence[str]) -> bool:
    identifier = image.id.removeprefix("sha256:")
    return any({name, f"{name}:latest"} & set(image.names) or (name and identifier.startswith(name)) for name in names)


def _images(engine: Engine) -> Iterator[SeenImage]:
    for summary in engine.images(all=True):
        reference = text(summary, "Id")
        document = engine.inspect_image(reference)
        names = tuple(sorted(name for name in texts(document, "RepoTags") if name != "<none>:<none>"))
        yield SeenImage(
            reference,
            names,
            image_steps(engine.find_image(reference), engine.layerstore),
            number(document, "Size"),
        )


def _containers(engine: Engine) -> Iterator[SeenContainer]:
    for summary in engine.containers(all=True, size=True):
        reference = text(summary, "Id")
        inside = container_facts(engine.inspect_container(reference))
        changes = tuple(sorted(((str(k), str(p)) for k, p in engine.diff(reference)), key=lambda change: change[1]))
        mounts = [*inside.mounts, *(MountFacts("tmpfs", "", target, True) for target in inside.tmpfs)]
        yield SeenContainer(
            id=reference,
            name=inside.name,
            image=inside.image,
            state=inside.state,
            changes=changes,
            size=number(summary, "SizeRw"),
            mounts=tuple(sorted(mounts, key=lambda mount: mount.target)),
        )


def stacks(images: Sequence[SeenImage]) -> list[StepStack]:
    """The images' steps as stacks that stand on each other; each step is in exactly one."""
    return [_stack((), step, images) for step in _next_steps((), images)]


def _next_steps(below: tuple[ImageStep, ...], images: Sequence[SeenImage]) -> list[ImageStep]:
    here = len(below)
    found = (image.steps[here] for image in images if len(image.steps) > here and image.steps[:here] == below)
    return list(dict.fromkeys(found))


def _stack(below: tuple[ImageStep, ...], step: ImageStep, images: Sequence[SeenImage]) -> StepStack:
    stack = StepStack(below)
    following = [step]
    while len(following) == 1 and not stack.images:
        stack.steps.append(following[0])
        stack.key += (following[0],)
        stack.images = [image for image in images if image.steps == stack.key]
        following = _next_steps(stack.key, images)
    stack.above = [_stack(stack.key, upper, images) for upper in following]
    return stack


def parts(view: MachineView) -> dict[tuple[str, ...], str]:
    """Every part of the view that can be new, changed or gone, with what would count as a change of it."""
    found: dict[tuple[str, ...], str] = {}
    for image in view.images:
        found.update({step_part(image.steps[:height]): "" for height in range(1, len(image.steps) + 1)})
        found["image", image.id] = ", ".join(image.names)
    for container in view.containers:
        found["container", container.name] = f"{container.id} {container.state}"
        found.update({("file", container.name, path): f"{kind}" for kind, path in container.changes})
        found.update({("mount", container.name, mount.target): mount.source for mount in container.mounts})
    found.update({("volume", volume): "" for volume in view.volumes})
    return found


def step_part(steps: tuple[ImageStep, ...]) -> tuple[str, ...]:
    """The part that is the highest of these steps, standing on the others."""
    return ("step", *(f"{step.text} {step.digest}" for step in steps))


@dataclass(frozen=True)
class Marks:
    """What differs between two views."""

    new: frozenset[tuple[str, ...]] = frozenset()
    changed: frozenset[tuple[str, ...]] = frozenset()
    gone: tuple[tuple[str, ...], ...] = ()  # each with what its value was, at its end

    def word(self, *part: str) -> str:
        """The mark of a part, as a word: "new", "changed", or "" for one that is as it was."""
        return "new" if part in self.new else "changed" if part in self.changed else ""


UNMARKED = Marks()


def compare(before: MachineView | None, after: MachineView) -> Marks:
    """What is new, changed or gone since `before`; where there is no before, nothing."""
    if before is None:
        return Marks()
    old, now = parts(before), parts(after)
    return Marks(
        new=frozenset(part for part in now if part not in old),
        changed=frozenset(part for part in now if part in old and old[part] != now[part]),
        gone=tuple((*part, old[part]) for part in old if part not in now),
    )


@dataclass(frozen=True)
class StackRow:
    """A line of a stack: a step, or several lines of settings as one."""

    number: str  # from the bottom: "3", "1 to 4"
    text: str
    size: int
    digest: str | None
    word: str  # its mark


def rows(stack: StepStack, marks: Marks) -> list[StackRow]:
    """What a stack shows, lowest first; a long run of lines that are only settings is one row."""
    first = len(stack.key) - len(stack.steps)
    numbers = range(first + 1, len(stack.key) + 1)
    found: list[StackRow] = []
    for layer, group in itertools.groupby(numbers, lambda number: stack.key[number - 1].digest is not None):
        run = list(group)
        if layer or len(run) <= SHOWN_SETTINGS:
            found += [_row(stack, number, marks) for number in run]
        else:
            found.append(_settings_row(stack, run, marks))
    return found


def _row(stack: StepStack, number: int, marks: Marks) -> StackRow:
    step = stack.key[number - 1]
    return StackRow(str(number), step.text, step.size, step.digest, marks.word(*step_part(stack.key[:number])))


def _settings_row(stack: StepStack, run: list[int], marks: Marks) -> StackRow:
    each = [_row(stack, number, marks) for number in run]
    text = f"settings: {', '.join(row.text.split(' ')[0] for row in each)}"
    return StackRow(f"{run[0]} to {run[-1]}", text, 0, None, next((row.word for row in each if row.word), ""))


SHOWN_CHANGES = 8
SHOWN_TEXT = 60
COVERS = {
    "volume": "volume {source}",
    "bind": "host folder {source}",
    "tmpfs": "memory (tmpfs)",
    "image": "image {source}",
}


def short(identifier: str) -> str:
    """An id or digest as Docker shortens it: 12 figures."""
    return identifier.removeprefix("sha256:")[:12]


def cut(text: str, length: int = SHOWN_TEXT) -> str:
    """One line of at most `length` characters, with what is not printable written out as an escape."""
    line = "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in " ".join(text.split())
    )
    return line if len(line) <= length else line[: length - 3] + "..."


def image_title(image: SeenImage) -> str:
    """What heads a stack: the image's names, or what Docker shows in their place."""
    return ", ".join(cut(name, 40) for name in image.names) or "<none>"


def mount_source(mount: MountFacts) -> str:
    """What covers the path, in words."""
    return COVERS.get(mount.kind, mount.kind + " {source}").format(source=cut(mount.source, 40))


def in_words(view: MachineView, marks: Marks = UNMARKED) -> str:
    """The whole view as a text; a part that is new or changed ends in [new] or [changed]."""
    lines = [line for stack in stacks(view.images) for line in _stack_lines(stack, view, marks, 0)]
    for container in view.containers:
        lines += _container_lines(container, view, marks)
    for volume in view.volumes:
        lines.append(_marked(f"volume {cut(volume, 40)}", marks.word("volume", volume)))
    lines += [f"gone: {gone}" for gone in gone_lines(marks)]
    return "\n".join(lines or ["no images, no containers, no volumes"])


def gone_lines(marks: Marks) -> list[str]:
    """What was there before and is no more, one line each; files and mounts of a container that went go unsaid."""
    lost = {part[1] for part in marks.gone if part[0] == "container"}
    told = [part for part in marks.gone if part[0] not in ("file", "mount") or part[1] not in lost]
    return [_gone(part) for part in told]


def _gone(part: tuple[str, ...]) -> str:
    if part[0] == "step":
        return f"step {cut(part[-2].rpartition(' ')[0])}"
    if part[0] == "image":
        return f"image {cut(part[-1]) or short(part[1])}"
    if part[0] in ("file", "mount"):
        return f"{part[0]} {cut(part[2])} of container {cut(part[1], 40)}"
    return f"{part[0]} {cut(part[1], 40)}"


def _marked(line: str, word: str) -> str:
    return f"{line}  [{word}]" if word else line


def _stack_lines(stack: StepStack, view: MachineView, marks: Marks, depth: int) -> Iterator[str]:
    """A stack, lowest step first; the stacks that stand on it follow, indented by one more."""
    margin = "  " * depth
    for image in stack.images:
        line = f"{margin}image {image_title(image)} ({short(image.id)}, {size_text(image.size)})"
        yield _marked(line, marks.word("image", image.id))
    if not stack.images:
        yield f"{margin}steps that several images share"
    for row in rows(stack, marks):
        layer = f"layer {short(row.digest)}" if row.digest else "no layer"
        yield _marked(f"{margin}  {row.number}. {cut(row.text)}: {size_text(row.size)}, {layer}", row.word)
    for upper in stack.above:
        yield f"{margin}  on which stands"
        yield from _stack_lines(upper, view, marks, depth + 2)


def _container_lines(container: SeenContainer, view: MachineView, marks: Marks) -> Iterator[str]:
    names = {image.id: image_title(image) for image in view.images if image.names}
    image = names.get(container.image, short(container.image))
    line = f"container {cut(container.name, 40)} ({short(container.id)}, {container.state}) on image {image}"
    yield _marked(line, marks.word("container", container.name))
    yield f"  its own layer: {size_text(container.size)}, {len(container.changes)} changed paths"
    for kind, path in container.changes[:SHOWN_CHANGES]:
        yield _marked(f"    {kind} {cut(path)}", marks.word("file", container.name, path))
    if len(container.changes) > SHOWN_CHANGES:
        yield f"    and {len(container.changes) - SHOWN_CHANGES} more"
    for mount in container.mounts:
        way = "" if mount.writable else ", read-only"
        line = f"  {cut(mount.target, 40)} is covered by {mount_source(mount)}{way}"
        yield _marked(line, marks.word("mount", container.name, mount.target))


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
