"""What the layers of an image or a container hold, hide and waste, and where the file at a path comes from.

A *stack* is the layers of an image from the bottom up; a container's has two more on top, the init layer that Docker
puts below every container and the container's own. Read are the layers themselves, never a driver's folders, so the
answers are the same for every storage driver and image store.

Words: an entry of a layer is *added* where nothing is below it, *changed* where something is, *deleted* where it is a
whiteout; a folder that is only on the way to others is none of these. A file is *hidden* where a layer above has a
whiteout, an opaque folder or another file at its path or at a folder above it. Hidden bytes are in the image, and are
stored and sent with it, but nothing that runs on it can see them. *Duplicated* bytes are those of files whose content
the stack has before, at the same path or another.

Efficiency and wasted bytes are dive's (wagoodman/dive, filetree/efficiency.go): each path that is a leaf of some
layer's tree counts with the sum of its sizes over all layers, and with the smallest of them; a whiteout counts 0, or
all that was in the folder that it hides. Efficiency is the sum of the smallest over the sum of all; wasted is the sum
of all sizes of those paths that two layers or more have, the last copy too. So a deleted folder's files are no waste
to dive: for those look at the hidden bytes.
"""

from __future__ import annotations

import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from labkit.engine.core.core import Core, find
from labkit.engine.core.errors import EngineError
from labkit.engine.core.records import WritableLayer
from labkit.engine.images.images import image_steps
from labkit.engine.images.imagestore import ImageStore, LayerStore
from labkit.files import Content, Inode, Layer
from labkit.files.inodes import REGULAR, S_IFMT, SYMLINK
from labkit.files.union import Merged, merge

ADDED, CHANGED, DELETED, ON_THE_WAY = "added", "changed", "deleted", ""
KINDS = {stat.S_IFDIR: "folder", REGULAR: "file", SYMLINK: "link", stat.S_IFIFO: "pipe", stat.S_IFSOCK: "socket"}


@dataclass(frozen=True)
class StackLayer:
    """One layer of a stack: StackLayer(2, "image", "RUN make", layer)."""

    number: int  # from 1 at the bottom
    kind: str  # image, init, container
    text: str  # of the image's step that made it
    layer: Layer = field(repr=False)

    @property
    def size(self) -> int:
        """Bytes of its files and links."""
        return self.layer.size

    @property
    def digest(self) -> str:
        """Of an image's layer; a container's own has none before it is committed."""
        return self.layer.diff_id if self.kind == "image" else ""


@dataclass(frozen=True)
class Hidden:
    """What one entry of a layer hides of the layers below: Hidden("/tmp/x", 3, "whiteout", …)."""

    path: str
    by: int  # number of the layer
    how: str  # whiteout, opaque (folder), replaced
    files: tuple[tuple[int, str, Inode], ...]  # layer, path, inode of each regular file below

    @property
    def size(self) -> int:
        return total(inode for _, _, inode in self.files)


@dataclass(frozen=True)
class Copies:
    """A content that is stored more than once."""

    size: int  # of one
    places: tuple[tuple[int, str], ...]  # layer, path

    @property
    def extra(self) -> int:
        """Bytes of all but the first."""
        return self.size * (len(self.places) - 1)


@dataclass(frozen=True)
class Found:
    """What one layer says of a path: Found(3, "whiteout", "/app", False)."""

    number: int
    what: str  # nothing, whiteout, opaque, file, folder, link, …
    at: str  # the path of the mark or entry: the asked one, or a folder above it
    seen: bool  # it is what is seen at the path (a folder: part of it)
    hidden_by: int | None = None
    inode: Inode | None = None


class _Frozen:
    """Layers' trees need no store: an inode is what it is."""

    @staticmethod
    def get(inode: Inode) -> Inode:
        return inode


class Stack:
    """The layers of one image or container."""

    def __init__(self, kind: str, name: str, layers: Iterable[StackLayer]) -> None:
        self.kind = kind  # image, container
        self.name = name
        self.layers = tuple(layers)
        self._sizes: dict[Inode, int] = {}
        self._seen_sizes: dict[Merged, int] = {}
        self._counts: dict[int, dict[str, int]] = {}

    @cached_property
    def merged(self) -> tuple[Merged | None, ...]:
        """What is seen after each layer; first, before all of them, nothing."""
        found: list[Merged | None] = [None]
        for each in self.layers:
            found.append(merge(_Frozen, found[-1], each.layer.root, each.number))  # type: ignore[arg-type]
        return tuple(found)

    @property
    def top(self) -> Merged | None:
        return self.merged[-1]

    # one layer

    def entry(self, number: int, path: str) -> Inode | None:
        """What a layer has at a path."""
        return entry_of(self.layers[number - 1].layer, path)

    def seen(self, number: int, path: str) -> Merged | None:
        """What is seen at a path when this layer is the topmost; with 0, nothing."""
        found = self.merged[number]
        for name in _parts(path):
            found = found.names.get(name) if found is not None and found.names is not None else None
        return found

    def mark(self, number: int, path: str) -> str:
        """What a layer does to a path that it has an entry for: added, changed, deleted, or only on the way."""
        inode = self.entry(number, path)
        assert inode is not None
        return _mark(inode, self.seen(number - 1, path))

    def size_in(self, inode: Inode) -> int:
        """Bytes of a file, or of all files in a layer's folder."""
        if inode not in self._sizes:
            files = walk(inode, "") if inode.is_dir else [("", inode)]
            self._sizes[inode] = total(each for _, each in files)
        return self._sizes[inode]

    def size_seen(self, merged: Merged | None) -> int:
        """Bytes of all files that are seen at and below a place of a merged tree."""
        if merged is None:
            return 0
        if merged not in self._seen_sizes:
            self._seen_sizes[merged] = total(inode for _, _, inode in files_of(merged, ""))
        return self._seen_sizes[merged]

    def counts(self, number: int) -> dict[str, int]:
        """How many entries of a layer are added, changed, deleted."""
        if number not in self._counts:
            found = self._counts[number] = {ADDED: 0, CHANGED: 0, DELETED: 0, ON_THE_WAY: 0}
            _count(self.layers[number - 1].layer.root, self.merged[number - 1], found)
        return self._counts[number]

    # across layers

    def hidden_by(self, number: int, path: str) -> int | None:
        """The lowest layer above this one that hides what it has at this path."""
        mine = self.entry(number, path)
        folder = mine is not None and mine.is_dir
        for each in self.layers[number:]:
            if _hides(each.layer.root, _parts(path), folder):
                return each.number
        return None

    @cached_property
    def hidden(self) -> tuple[Hidden, ...]:
        """All that layers hide of those below, by the entry that does it, from the bottom up."""
        return tuple(
            found
            for each in self.layers
            for found in _hidden(each.number, each.layer.root, self.merged[each.number - 1], "")
            if found.files
        )

    @cached_property
    def hidden_in(self) -> dict[int, int]:
        """Hidden bytes of each layer, by its number."""
        seen = {inode for _, _, inode in files_of(self.top, "")}
        return {
            each.number: total(inode for _, inode in walk(each.layer.root, "") if inode not in seen)
            for each in self.layers
        }

    @cached_property
    def copies(self) -> tuple[Copies, ...]:
        """The contents that are stored more than once, the costliest first."""
        by_size: dict[int, list[tuple[int, str, Inode]]] = {}
        for each in self.layers:
            stored: set[Inode] = set()
            for path, inode in walk(each.layer.root, ""):
                if isinstance(inode.data, Content) and inode.data and inode not in stored:
                    stored.add(inode)
                    by_size.setdefault(inode.data.size, []).append((each.number, path, inode))
        found: list[Copies] = []
        for size, files in by_size.items():
            if len(files) > 1:
                found += _alike(size, files)
        return tuple(sorted(found, key=lambda copies: (-copies.extra, copies.places)))

    @property
    def duplicated(self) -> int:
        return sum(copies.extra for copies in self.copies)

    @cached_property
    def efficiency(self) -> tuple[float, int]:
        """dive's score, from 0 to 1, and its wasted bytes."""
        sizes: dict[str, list[int]] = {}
        for each in self.layers:
            _leaves(each.layer.root, self.merged[each.number - 1], "", sizes, set())
        smallest, all_ = sum(map(min, sizes.values())), sum(map(sum, sizes.values()))
        return smallest / all_ if all_ else 1.0, sum(sum(found) for found in sizes.values() if len(found) > 1)

    def trace(self, path: str) -> list[Found]:
        """What every layer says of a path, the topmost first."""
        found: list[Found] = []
        stopped = False  # no layer below matters any more
        for each in reversed(self.layers):
            what, at, inode = _look(each.layer.root, _parts(path))
            here = inode is not None and at == _joined(_parts(path))
            is_folder = inode is not None and inode.is_dir
            seen = here and not stopped and what != "whiteout" and (is_folder or not any(row.seen for row in found))
            hider = self.hidden_by(each.number, path) if here and what != "whiteout" else None
            found.append(Found(each.number, what, at, seen, hider, inode if here else None))
            stopped = stopped or what not in ("nothing", "folder")
        return found


def stack_of(core: Core, name: str) -> Stack:
    """The layers of a container of this name or id, or else of an image. Raises EngineError."""
    try:
        return container_stack(core, name)
    except EngineError:
        return image_stack(core, name)


def image_stack(core: Core, name: str) -> Stack:
    """Raises EngineError `No such image`."""
    made = [
        (step.text, step.layer) for step in image_steps(ImageStore(core).find(name), LayerStore(core)) if step.layer
    ]
    return Stack("image", name, _image_layers(made))


def container_stack(core: Core, name: str) -> Stack:
    """Raises EngineError `No such container`."""
    found = find(core, name)
    writable: WritableLayer = core.tables.mounts[found.id]
    if image := ImageStore(core).get(found.image):
        made = [(step.text, step.layer) for step in image_steps(image, LayerStore(core)) if step.layer]
    else:  # the image was removed by force; its layers stay with the container
        made = [("(unnamed)", layer) for layer in _layers_below(core, writable.parent)]
    layers = _image_layers(made)
    for kind, layer in (
        ("init", LayerStore(core).init_layer(writable.parent)),
        ("container", core.driver.diff(writable.mount_id)),
    ):
        layers.append(StackLayer(len(layers) + 1, kind, "", layer))
    return Stack("container", name, layers)


def _image_layers(made: Iterable[tuple[str, Layer]]) -> list[StackLayer]:
    return [StackLayer(number, "image", text, layer) for number, (text, layer) in enumerate(made, 1)]


def _layers_below(core: Core, chain: str | None) -> list[Layer]:
    """The layers of a chain, from the bottom up."""
    layers = []
    while record := LayerStore(core).get(chain):
        layers.append(record.layer)
        chain = record.parent
    return layers[::-1]


# --- trees


def total(inodes: Iterable[Inode]) -> int:
    """Bytes of the regular files among them; a file with several names counts once."""
    return sum(inode.data.size for inode in set(inodes) if isinstance(inode.data, Content))


def walk(folder: Inode, above: str) -> Iterator[tuple[str, Inode]]:
    """All files of a layer's tree that are no folders, by path."""
    for name in sorted(folder.names):
        inode = folder.names[name]
        if inode.is_dir:
            yield from walk(inode, f"{above}/{name}")
        else:
            yield f"{above}/{name}", inode


def files_of(merged: Merged | None, path: str) -> Iterator[tuple[int, str, Inode]]:
    """The regular files that are seen at and below a path: the layer of each, its path, its inode."""
    if merged is None:
        return
    if merged.names is None:
        if merged.inode.mode & S_IFMT == REGULAR:
            yield merged.layer, path, merged.inode
        return
    for name in sorted(merged.names):
        yield from files_of(merged.names[name], f"{path}/{name}")


def kind_of(inode: Inode) -> str:
    """file, folder, link, pipe, socket, whiteout, device."""
    return "whiteout" if inode.is_whiteout else KINDS.get(inode.mode & S_IFMT, "device")


def entry_of(layer: Layer, path: str) -> Inode | None:
    """What a layer has at a path."""
    return _below(layer.root, _parts(path))


def _parts(path: str) -> list[str]:
    return [name for name in path.split("/") if name]


def _joined(parts: list[str]) -> str:
    return "/" + "/".join(parts)


def _below(inode: Inode | None, parts: list[str]) -> Inode | None:
    for name in parts:
        inode = inode.names.get(name) if inode is not None and inode.is_dir else None
    return inode


def _child(merged: Merged | None, name: str) -> Merged | None:
    return merged.names.get(name) if merged is not None and merged.names is not None else None


def _mark(inode: Inode, below: Merged | None) -> str:
    if inode.is_whiteout:
        return DELETED
    if below is None:
        return ADDED
    return ON_THE_WAY if inode.is_dir and _same_folder(inode, below.inode) else CHANGED


def _same_folder(new: Inode, old: Inode) -> bool:
    return not new.is_opaque and (new.mode, new.uid, new.gid) == (old.mode, old.uid, old.gid)


def _count(folder: Inode, below: Merged | None, found: dict[str, int]) -> None:
    for name, inode in folder.names.items():
        old = _child(below, name)
        found[_mark(inode, old)] += 1
        if inode.is_dir:
            _count(inode, old, found)


def _hides(root: Inode, parts: list[str], folder: bool) -> bool:
    """Does a layer hide what is below it at this path (`folder`: it is one)?"""
    inode: Inode = root
    for place, name in enumerate(parts):
        child = inode.names.get(name)
        if child is None:
            return False
        if not child.is_dir:
            return True
        last = place == len(parts) - 1
        if child.is_opaque and not last:
            return True
        if last:
            return not folder
        inode = child
    return False


def _hidden(number: int, top: Inode, below: Merged | None, path: str) -> Iterator[Hidden]:
    for name in sorted(top.names):
        inode = top.names[name]
        old, inside = _child(below, name), f"{path}/{name}"
        if old is None:
            continue
        if inode.is_whiteout:
            yield Hidden(inside, number, "whiteout", tuple(files_of(old, inside)))
        elif not inode.is_dir or old.names is None:
            yield Hidden(inside, number, "replaced", tuple(files_of(old, inside)))
        elif inode.is_opaque:
            yield Hidden(inside, number, "opaque", tuple(files_of(old, inside)))
        else:
            yield from _hidden(number, inode, old, inside)


def _alike(size: int, files: list[tuple[int, str, Inode]]) -> Iterator[Copies]:
    groups: dict[str, list[tuple[int, str]]] = {}
    for number, path, inode in files:
        if isinstance(inode.data, Content):
            groups.setdefault(inode.data.fingerprint(), []).append((number, path))
    return (Copies(size, tuple(places)) for places in groups.values() if len(places) > 1)


def _leaves(folder: Inode, below: Merged | None, path: str, sizes: dict[str, list[int]], seen: set[Inode]) -> None:
    """Add the size of every leaf of a layer's tree, as dive counts it: a second name of a file has none."""
    for name in sorted(folder.names):
        inode = folder.names[name]
        inside, old = f"{path}/{name}", _child(below, name)
        if inode.is_dir and len(inode.names):
            _leaves(inode, old, inside, sizes, seen)
            continue
        size = 0
        if inode.is_whiteout:
            size = total(each for _, _, each in files_of(old, "")) if old is not None and old.names is not None else 0
        elif isinstance(inode.data, Content) and inode not in seen:
            size = inode.data.size
        seen.add(inode)
        sizes.setdefault(inside, []).append(size)


def _look(root: Inode, parts: list[str]) -> tuple[str, str, Inode | None]:
    """What a layer has on the way to a path: the kind of what it ends at, where that is, and its inode."""
    inode, opaque = root, ""
    for place, name in enumerate(parts):
        child = inode.names.get(name)
        at = _joined(parts[: place + 1])
        if child is None:
            return ("opaque", opaque, None) if opaque else ("nothing", _joined(parts), None)
        if not child.is_dir:
            return kind_of(child), at, child
        if child.is_opaque:
            opaque = at
        inode = child
    return ("opaque" if opaque == _joined(parts) else "folder"), _joined(parts), inode
