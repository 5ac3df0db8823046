"""What can be asked about a machine, for the checks: images with their layers, containers, volumes, files.

Layers are read as the archives that registries hold, so that the answers are the same for every storage driver.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable, Iterable
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from labkit.files import Content, Files
    from labkit.files.layers import Layer
    from labkit.machine import Machine

WHITEOUT = ".wh."
OPAQUE = ".wh..wh..opq"


class ContentReader(io.RawIOBase):
    """A Content as a file to read, so that tarfile can skip what it need not see."""

    def __init__(self, content: Content) -> None:
        self._content = content
        self._place = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: len(self._content)}[whence]
        self._place = max(0, start + offset)
        return self._place

    def tell(self) -> int:
        return self._place

    def read(self, size: int = -1) -> bytes:
        left = max(0, len(self._content) - self._place)
        data = self._content.read(self._place, left if size < 0 else min(size, left))
        self._place += len(data)
        return data


@dataclass(frozen=True)
class Entry:
    """A name in a layer."""

    path: str  # absolute
    kind: str  # file, directory, symlink, whiteout, opaque, other
    size: int
    mode: int
    read: Callable[[], bytes]
    written: Callable[[], bytes] = bytes  # of its bytes, those that no rule makes


@dataclass(frozen=True)
class Step:
    """One line of an image's history, oldest first; `layer` is None where it only changed metadata."""

    created_by: str  # as the Dockerfile has it
    diff_id: str | None
    entries: dict[str, Entry] | None

    @property
    def is_layer(self) -> bool:
        return self.entries is not None

    @property
    def size(self) -> int:
        """Of the regular files in it, as docker counts a layer."""
        return sum(entry.size for entry in (self.entries or {}).values() if entry.kind == "file")


class Facts:
    """One machine, looked at once: nothing here changes it."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self._steps: dict[str, list[Step]] = {}
        self._merged: dict[str, dict[str, Entry]] = {}

    @cached_property
    def engine(self) -> Any:
        return self.machine.engine

    def _inspect(self, method: str, name: str) -> dict | None:
        from labkit.engine.core.errors import EngineError

        try:
            return getattr(self.engine, method)(name)
        except EngineError:
            return None

    def image(self, name: str) -> dict | None:
        return self._inspect("inspect_image", name)

    def container(self, name: str) -> dict | None:
        return self._inspect("inspect_container", name)

    def volume(self, name: str) -> dict | None:
        return self._inspect("inspect_volume", name)

    def steps(self, image: str) -> list[Step]:
        """The image's history with what each step's layer holds."""
        if image not in self._steps:
            self._steps[image] = _steps_of(self.engine, image)
        return self._steps[image]

    def layers(self, image: str) -> list[Step]:
        return [step for step in self.steps(image) if step.is_layer]

    def step(self, image: str, text: str) -> Step | None:
        """The last step whose instruction has `text` in it."""
        found = [step for step in self.steps(image) if _plain(text) in step.created_by]
        return found[-1] if found else None

    def merged(self, image: str) -> dict[str, Entry]:
        """All that a container of this image starts with."""
        if image not in self._merged:
            self._merged[image] = self._merge(image)
        return self._merged[image]

    def _merge(self, image: str) -> dict[str, Entry]:
        tree: dict[str, Entry] = {}
        for layer in self.layers(image):
            assert layer.entries is not None
            for entry in layer.entries.values():
                if entry.kind in ("whiteout", "opaque"):
                    _remove(tree, entry.path, itself=entry.kind == "whiteout")
            tree.update((path, each) for path, each in layer.entries.items() if each.kind not in ("whiteout", "opaque"))
        return tree

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


def _plain(text: str) -> str:
    """A step as the Dockerfile has it: `docker history` writes RUN with its shell, and BuildKit's name behind it."""
    return " ".join(text.replace("/bin/sh -c ", "").removesuffix("# buildkit").split())


def _remove(tree: dict[str, Entry], path: str, *, itself: bool) -> None:
    below = path.rstrip("/") + "/"
    for name in [name for name in tree if name.startswith(below) or (itself and name == path)]:
        del tree[name]


def _steps_of(engine: Any, image: str) -> list[Step]:
    from labkit.engine.images.layerstore import chain_ids

    found = engine.find_image(image)
    layers = iter(chain_ids(found.diff_ids))
    return [_step(engine, line, layers) for line in found.config.get("history") or []]


def _step(engine: Any, line: dict, layers: Iterator[str]) -> Step:
    created_by = _plain(line.get("created_by", ""))
    if line.get("empty_layer"):
        return Step(created_by, None, None)
    layer = engine.layerstore.get(next(layers)).layer
    return Step(created_by, layer.diff_id, _entries(_Layer(layer.diff_id, layer)))


@dataclass(frozen=True)
class _Layer:
    """A layer, known by its digest."""

    diff_id: str
    layer: Layer = field(compare=False)


@lru_cache(maxsize=256)
def _entries(layer: _Layer) -> dict[str, Entry]:
    """Read once: the layers of a base are in every image that is looked at."""
    return {_key(entry): entry for entry in layer_entries(layer.layer.tar())}


def _key(entry: Entry) -> str:
    """A folder can be made opaque and have an entry of its own in the same layer."""
    return entry.path + "/" if entry.kind == "opaque" else entry.path


def layer_entries(content: Content) -> Iterator[Entry]:
    """What is in a layer's tar; whiteouts under the name that they hide."""
    with tarfile.open(fileobj=ContentReader(content)) as archive:  # type: ignore[arg-type]
        for member in archive:
            folder, _, name = _absolute(member.name).rpartition("/")
            at = content, member.offset_data, member.size
            if name == OPAQUE:
                yield Entry(folder or "/", "opaque", 0, member.mode, lambda: b"")
            elif name.startswith(WHITEOUT):
                yield Entry(f"{folder}/{name[len(WHITEOUT) :]}", "whiteout", 0, member.mode, lambda: b"")
            else:
                yield Entry(f"{folder}/{name}", _kind(member), member.size, member.mode, _reader(*at), _writer(*at))


def _absolute(name: str) -> str:
    """/etc/x for etc/x, ./etc/x and etc/x/."""
    return "/" + name.removeprefix("./").strip("/")


def _kind(member: tarfile.TarInfo) -> str:
    kinds = {
        tarfile.REGTYPE: "file",
        tarfile.AREGTYPE: "file",
        tarfile.DIRTYPE: "directory",
        tarfile.SYMTYPE: "symlink",
    }
    return kinds.get(member.type, "other")


def _writer(content: Content, start: int, size: int) -> Callable[[], bytes]:
    """The bytes that somebody has written; those that a rule makes, as a package's are, have nobody's words in them."""

    def written() -> bytes:
        part = content[start : start + size]
        assert not isinstance(part, int)
        return b"\0".join(piece for piece in part.pieces if isinstance(piece, bytes))

    return written


def _reader(content: Content, start: int, size: int) -> Callable[[], bytes]:
    return lambda: content.read(start, size)
