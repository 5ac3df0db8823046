"""What the drivers on the kernel's overlayfs have in common: the layers, their union mounts, what differs in them.

Where the folders of a layer lie, and what is in them beside the files, is each driver's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from labkit.drivers.base import Change, Cost, Folders, StorageOpts, View, blocks, compare, layer_of, tree_size
from labkit.files import Content, Files, Layer, Map, Source
from labkit.files.inodes import Inode
from labkit.files.union import Merged, Overlay


@dataclass(frozen=True)
class Row:
    """One layer. `folder` holds its files' folder `upper`; `merged`: with all layers below it, once it is finished."""

    parent: str | None
    name: str
    folder: Inode
    upper: Inode
    number: int = 0  # of layers below it
    merged: Merged | None = None
    device: int = 0  # st_dev while it is mounted
    has_children: bool = False

    @property
    def finished(self) -> bool:
        return self.merged is not None


class UnionMounts:
    """A driver whose layers are put together by union mounts."""

    name: str
    root: str
    files_folder: str  # the folder of a layer's files in the layer's own folder
    fstype = device_name = "overlay"  # of its mounts
    shares_page_cache = True
    backing = "extfs"
    options: frozenset[str] = frozenset()
    unknown_option = "unknown option {}"
    storage_opts = StorageOpts()
    mount_class: type[Overlay] = Overlay

    def __init__(self, host: Files, root: str) -> None:
        self.root = root
        self.folders = Folders(host, root)
        self.host = host
        self.store = host.store
        self.rows: Map[str, Row] = Map()
        self._mounts: dict[str, Overlay] = {}  # made anew when missing

    def configure(self, options: Mapping[str, str]) -> None:
        """There is nothing to configure."""

    # each driver's own

    def lay_out(self, id: str, parent: str | None) -> Row:
        """Make the folders of a new layer."""
        raise NotImplementedError

    def clear_away(self, id: str, row: Row) -> None:
        """Remove the folders of a layer."""
        raise NotImplementedError

    def merged_at(self, id: str) -> str:
        """Where on the host the layer's union mount is seen."""
        raise NotImplementedError

    def mount_options(self, id: str) -> tuple[str, ...]:
        """As /proc/mounts shows them."""
        raise NotImplementedError

    def before_mount(self, id: str, row: Row) -> None:
        """Make the folder that is mounted on."""

    def after_unmount(self, id: str, row: Row) -> None:
        """Remove it."""

    def files_name(self, row: Row) -> str:
        return self.files_folder

    def base(self, row: Row) -> str | None:
        """The layer that is this one's topmost lower."""
        return row.parent

    def to_disk(self, root: Inode) -> Inode:
        """A finished layer's tree as it lies on the disk."""
        return root

    def lower(self, row: Row) -> Inode:
        """A layer's tree with the kernel's marks."""
        return row.upper

    def frozen(self, row: Row) -> Layer:
        """What has been written in a layer."""
        return Layer.freeze(self.store, row.upper)

    def device(self, id: str) -> tuple[str, str]:
        return self.device_name, self.fstype

    def layer_path(self, id: str) -> str:
        """The folder of a layer's own files."""
        raise NotImplementedError

    # the contract

    def snapshot(self) -> Any:
        return self.rows.copy()

    def restore(self, saved: Any) -> None:
        self.rows = saved.copy()
        self._mounts = {}

    def create(self, id: str, parent: str | None = None) -> None:
        row = self.lay_out(id, parent)
        number = 0 if parent is None else self.rows[parent].number + 1
        if parent is not None and not self.rows[parent].has_children:
            self.rows.set(parent, replace(self.rows[parent], has_children=True))
        self.rows.set(id, replace(row, number=number))

    def below(self, id: str | None) -> list[Row]:
        """A layer and those below it, from the top down."""
        rows = []
        while id is not None:
            rows.append(self.rows[id])
            id = rows[-1].parent
        return rows

    def _lowers(self, id: str | None) -> list[Inode]:
        return [self.lower(row) for row in reversed(self.below(id))]

    def _overlay(self, id: str) -> Overlay:
        """The union mount of a layer; one object however often it is asked for."""
        overlay = self._mounts.get(id)
        if overlay is None:
            row = self.rows[id]
            upper = self.store.new(row.upper.mode) if row.finished else row.upper
            base = id if row.finished else self.base(row)
            merged = self.rows[base].merged if base is not None else None
            device = row.device or self.store.new_device()
            overlay = self.mount_class(self.store, upper, lambda: self._lowers(base), device, merged)
            overlay.label = id
            self._mounts[id] = overlay
        return overlay

    def mount(self, id: str) -> Source:
        row = self.rows[id]
        overlay = self._overlay(id)
        if row.finished:
            return Source(overlay, None, readonly=True)
        if not row.device:
            self.rows.set(id, replace(row, device=overlay.device))
            self.before_mount(id, row)
            about: dict[str, Any] = {"device": self.device_name, "fstype": self.fstype}
            options = lambda: self.mount_options(id)  # noqa: E731  (long, and seldom looked at)
            self.host.namespace.mount(self.merged_at(id), Source(overlay, None), options=options, **about)
        return Source(overlay, None)

    def unmount(self, id: str) -> None:
        row = self.rows.get(id)
        if row is not None and row.device:
            self.host.namespace.umount(self.merged_at(id))
            self.after_unmount(id, row)
            self.rows.set(id, replace(row, device=0))

    def remove(self, id: str) -> None:
        self.unmount(id)
        self.clear_away(id, self.rows[id])
        self.rows.delete(id)
        self._mounts.pop(id, None)

    def changes(self, id: str) -> list[Change]:
        parent = self.rows[id].parent
        if parent is None:
            former = Overlay(self.store, self.store.new(self.rows[id].upper.mode), tuple, 0, None)
        else:
            former = self._overlay(parent)
        here = self._overlay(id)
        return list(compare(View(here, here.root), View(former, former.root)))

    def diff(self, id: str) -> Layer:
        here = self._overlay(id)
        return layer_of(self.changes(id), View(here, here.root))

    def commit(self, id: str) -> Layer:
        self.unmount(id)
        layer = self.frozen(self.rows[id])
        self.apply(id, layer)
        return layer

    def apply(self, id: str, layer: Layer) -> None:
        row = self.rows[id]
        base, on_disk = self.base(row), self.to_disk(layer.root)
        self.folders.replace(row.folder, self.files_name(row), on_disk)
        below = None if base is None else self.rows[base].merged
        self.rows.set(id, replace(row, upper=on_disk, merged=layer.on(below, row.number)))
        self._mounts.pop(id, None)

    def size(self, id: str) -> int:
        return tree_size(self.store, self.rows[id].upper)

    def layer_size(self, layer: Layer) -> int:
        return layer.size

    def ids(self) -> list[str]:
        return [id for id, _ in self.rows.items()]

    def looked_through(self, id: str) -> int:
        return len(self.below(id))

    def cost(self, id: str) -> Cost:
        """What lies in the layer's own folder; copied is the whole of each file that was changed."""
        inodes = self.own_inodes(id)
        origins = [self.store.get(inode.origin) for inode in inodes if inode.origin is not None]
        copied = sum(len(inode.data) for inode in origins if isinstance(inode.data, Content))
        return Cost(copied, sum(blocks(inode) for inode in inodes), len(inodes))

    def own_inodes(self, id: str) -> list[Inode]:
        seen: dict[Inode, Inode] = {}
        waiting = [self.rows[id].upper]
        while waiting:
            inode = self.store.get(waiting.pop())
            if inode.born not in seen:
                seen[inode.born] = inode
                if inode.is_dir:
                    waiting.extend(inode.names.values())
        return list(seen.values())
