"""Layers by chain id, who refers to them, and the writable layer of each container.

A *chain id* names a layer together with all below it: the digest of the parent's chain id and the layer's own
`diff_id`. The storage driver knows a layer by its *cache id*, the name of its folder. A layer is kept while something
refers to it: an image, a container, a build cache record or a layer on top of it (moby, daemon/internal/layer).
"""

from __future__ import annotations

import stat
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING

from labkit.drivers.base import DriverFailed
from labkit.engine.core.core import Core, LayerCreated, LayerRemoved
from labkit.engine.core.errors import system
from labkit.engine.core.records import LayerRecord, WritableLayer
from labkit.engine.images import imagefolders
from labkit.files import Content, Entry, Layer

if TYPE_CHECKING:
    from labkit.files import Files


# What the layer between image and container holds (moby, daemon/initlayer): the targets of the mounts of every
# container. A text is the target of a symbolic link.
_INIT_PATHS: tuple[tuple[str, str], ...] = (
    ("dev/pts", "dir"),
    ("dev/shm", "dir"),
    ("proc", "dir"),
    ("sys", "dir"),
    (".dockerenv", "file"),
    ("etc/resolv.conf", "file"),
    ("etc/hosts", "file"),
    ("etc/hostname", "file"),
    ("dev/console", "file"),
    ("etc/mtab", "/proc/mounts"),
)


class LayerStore:
    def __init__(self, core: Core) -> None:
        self._core = core

    def get(self, chain: str | None) -> LayerRecord | None:
        return self._core.tables.layers.get(chain) if chain else None

    def records(self) -> list[LayerRecord]:
        return [record for _, record in sorted(self._core.tables.layers.items())]

    def cache_id(self, chain: str | None) -> str | None:
        record = self.get(chain)
        return record.cache_id if record else None

    def create(self, cache_id: str, parent: str | None) -> None:
        """A folder for a layer, on the one of another."""
        try:
            self._core.driver.create(cache_id, parent)
        except DriverFailed as error:
            raise system(str(error)) from None

    def register(self, layer: Layer, parent: str | None, *, imported: bool = False) -> LayerRecord:
        """Put a layer on a chain, or find it there; the caller holds one reference to the record afterwards."""
        chain = _child(parent, layer.diff_id)
        if known := self.get(chain):
            if imported and not known.imported:
                self._put(replace(known, imported=True, references=known.references + 1))
            return self.hold(chain)
        cache_id = self._core.ids.new("layer")
        self.create(cache_id, self.cache_id(parent))
        try:
            self._core.driver.apply(cache_id, layer)
        except OSError as error:  # the disk is full
            self._core.driver.remove(cache_id)
            reason = f"write {error.filename or '/'}: {str(error.strerror).lower()}"
            raise system(f"failed to register layer: {reason}") from None
        return self.adopt(layer, cache_id, parent, imported=imported)

    def adopt(self, layer: Layer, cache_id: str, parent: str | None, *, imported: bool = False) -> LayerRecord:
        """Record a layer that the driver already has as `cache_id`; where the chain is known, that one stays."""
        chain = _child(parent, layer.diff_id)
        if self.get(chain):
            return self.hold(chain)
        if parent:
            self.hold(parent)
        size = self._core.driver.layer_size(layer)
        record = LayerRecord(chain, layer, cache_id, parent, 2 if imported else 1, size, imported)
        self._put(record)
        imagefolders.add_layer(self._core, record)
        self._core.events.append(LayerCreated(chain, layer.diff_id, cache_id, layer.size))
        return record

    def hold(self, chain: str) -> LayerRecord:
        """One reference more."""
        record: LayerRecord = self._core.tables.layers[chain]
        return self._put(replace(record, references=record.references + 1))

    def release(self, chain: str | None) -> list[str]:
        """One reference less; the chain ids of the layers that are gone with it, from the top down."""
        gone: list[str] = []
        while record := self.get(chain):
            if record.references > 1:
                self._put(replace(record, references=record.references - 1))
                break
            self._core.driver.remove(record.cache_id)
            self._core.tables.layers.delete(record.chain_id)
            imagefolders.remove_layer(self._core, record.chain_id)
            self._core.events.append(LayerRemoved(record.chain_id, record.cache_id))
            gone.append(record.chain_id)
            chain = record.parent
        return gone

    def release_imported(self, chain: str | None) -> list[str]:
        """Let go of the reference that `docker import` left on the layers of this chain."""
        gone: list[str] = []
        while record := self.get(chain):
            if record.imported:
                self._put(replace(record, imported=False))
                gone += self.release(chain)
            chain = record.parent
        return gone

    def size(self, chain: str | None) -> int:
        """Bytes of all layers of a chain."""
        total = 0
        while record := self.get(chain):
            total += record.size
            chain = record.parent
        return total

    def _put(self, record: LayerRecord) -> LayerRecord:
        self._core.tables.layers.set(record.chain_id, record)
        return record

    # --- containers

    def create_writable(self, container: str, parent: str | None) -> WritableLayer:
        """The init layer and the container's own layer on an image's chain."""
        core = self._core
        mount_id = container if core.driver.by_container else core.ids.new("mount")
        writable = WritableLayer(mount_id, f"{mount_id}-init", parent)
        if parent:
            self.hold(parent)
        self.create(writable.init_id, self.cache_id(parent))
        core.driver.apply(writable.init_id, self.init_layer(parent))
        self.create(mount_id, writable.init_id)
        core.tables.mounts.set(container, writable)
        core.tables.holders.set(mount_id, container)
        return writable

    def init_layer(self, parent: str | None) -> Layer:
        if parent not in self._core.init_layers:
            cache_id = self.cache_id(parent)
            image = self._core.view(self._core.driver.mount(cache_id)) if cache_id else None
            self._core.init_layers[parent] = made_init_layer(image, self._core.epoch)
        return self._core.init_layers[parent]

    def remove_writable(self, container: str) -> None:
        writable: WritableLayer = self._core.tables.mounts[container]
        self._core.driver.remove(writable.mount_id)
        self._core.driver.remove(writable.init_id)
        self._core.tables.mounts.delete(container)
        self._core.tables.holders.delete(writable.mount_id)
        self.release(writable.parent)


def made_init_layer(image: Files | None, created: int) -> Layer:
    """The empty files and folders under every container's mounts; folders keep the image's mode and owner."""
    entries: dict[str, Entry] = {}
    for path, kind in _INIT_PATHS:
        parts = path.split("/")
        for end in range(1, len(parts)):
            folder = "/".join(parts[:end])
            entries.setdefault(folder, _folder(image, folder, created))
        if kind == "dir":
            entries[path] = _folder(image, path, created)
        elif kind == "file":
            entries[path] = Entry(path, stat.S_IFREG | 0o755, mtime=created, data=Content())
        else:
            entries[path] = Entry(path, stat.S_IFLNK | 0o777, mtime=created, data=kind)
    return Layer.of(entries[path] for path in sorted(entries))


def _folder(image: Files | None, path: str, created: int) -> Entry:
    """A folder as the image has it, else root's with mode 755."""
    try:
        found = image.lstat(f"/{path}") if image else None
    except OSError:
        found = None
    if not found or not stat.S_ISDIR(found.st_mode):
        return Entry(path, stat.S_IFDIR | 0o755, mtime=created)
    return Entry(path, found.st_mode, found.st_uid, found.st_gid, created)


def _child(parent: str | None, diff_id: str) -> str:
    return f"sha256:{sha256(f'{parent} {diff_id}'.encode()).hexdigest()}" if parent else diff_id
