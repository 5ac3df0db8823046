"""A view in words: the same facts as the picture, as an indented text."""

from __future__ import annotations

from collections.abc import Iterator

from labkit.course.facts import MountFacts
from labkit.jupyter.view import (
    UNMARKED,
    MachineView,
    Marks,
    SeenContainer,
    SeenImage,
    StepStack,
    rows,
    size_text,
    stacks,
)

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
