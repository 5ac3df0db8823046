"""overlay2: every layer a folder of its own, put together by the kernel's overlayfs.

Facts: moby, daemon/graphdriver/overlay2/overlay.go. Under ID/: diff (the files), link (a short name, which l/ leads from
to diff, since a page of mount options must hold 128 of them), lower (the short names below, the topmost first), work,
committed (in a layer that others stand on), merged (while it is mounted).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

from labkit.drivers.base import Change, Folders, View, compare, layer_of, tree_size
from labkit.files import Files, Layer, Map, Source
from labkit.files.tree import Inode
from labkit.files.union import Merged, Overlay

_LINK_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_LINK_LENGTH = 26


@dataclass(frozen=True)
class _Row:
    """One layer. `merged`: with all layers below it, once it is finished."""

    parent: str | None
    link: str
    folder: Inode
    upper: Inode
    number: int = 0  # of layers below it
    merged: Merged | None = None
    device: int = 0
    has_children: bool = False

    @property
    def finished(self) -> bool:
        return self.merged is not None


class Overlay2:
    name = "overlay2"

    def __init__(self, host: Files, docker_root: str) -> None:
        self.root = f"{docker_root}/{self.name}"
        self._folders = Folders(host, self.root)
        self._host = host
        self._store = host.store
        self._rows: Map[str, _Row] = Map()
        self._mounts: dict[str, Overlay] = {}  # made anew when missing
        self._folders.make(self._folders.top(), "l", 0o710)
        self._store.generators["overlay2-lower"] = self._lower_file

    def _lower_file(self, id: str) -> bytes:
        return ":".join(f"l/{row.link}" for row in self._below(self._rows[id].parent)).encode()

    def snapshot(self) -> Any:
        return self._rows.copy()

    def restore(self, saved: Any) -> None:
        self._rows = saved.copy()
        self._mounts = {}

    def create(self, id: str, parent: str | None = None) -> None:
        folders, top = self._folders, self._folders.top()
        folder = folders.make(top, id, 0o710)
        upper = folders.make(folder, "diff", 0o755)
        link = _short_name(id)
        folders.file(folder, "link", link)
        folders.link(self._store.names(top)["l"], link, f"../{id}/diff")
        number = 0
        if parent is not None:
            below = self._rows[parent]
            number = below.number + 1
            folders.make(folder, "work", 0o700)
            folders.generated(folder, "lower", "overlay2-lower", id)
            if not below.has_children:
                self._rows.set(parent, replace(below, has_children=True))
                folders.file(below.folder, "committed", "", 0o600)
        self._rows.set(id, _Row(parent, link, folder, upper, number))

    def _below(self, id: str | None) -> list[_Row]:
        """A layer and those below it, from the top down."""
        rows = []
        while id is not None:
            rows.append(self._rows[id])
            id = rows[-1].parent
        return rows

    def _lowers(self, id: str | None) -> list[Inode]:
        return [row.upper for row in reversed(self._below(id))]

    def _overlay(self, id: str) -> Overlay:
        """The union mount of a layer; one object however often it is asked for."""
        overlay = self._mounts.get(id)
        if overlay is None:
            row = self._rows[id]
            upper = self._store.new(row.upper.mode) if row.finished else row.upper
            base = id if row.finished else row.parent
            merged = self._rows[base].merged if base is not None else None
            device = row.device or self._store.new_device()
            overlay = Overlay(self._store, upper, lambda: self._lowers(base), device, merged)
            overlay.label = id
            self._mounts[id] = overlay
        return overlay

    def mount(self, id: str) -> Source:
        row = self._rows[id]
        overlay = self._overlay(id)
        if row.finished:
            return Source(overlay, None, readonly=True)
        if not row.device:
            self._rows.set(id, replace(row, device=overlay.device))
            self._folders.make(row.folder, "merged", 0o700)
            merged = f"{self.root}/{id}/merged"
            about = {"device": "overlay", "fstype": "overlay", "options": lambda: self.mount_options(id)}
            self._host.namespace.mount(merged, Source(overlay, None), **about)
        return Source(overlay, None)

    def mount_options(self, id: str) -> tuple[str, ...]:
        """As /proc/mounts shows them."""
        below = ":".join(f"{self.root}/l/{row.link}" for row in self._below(self._rows[id].parent))
        here = f"{self.root}/{id}"
        return ("rw", "relatime", f"lowerdir={below}", f"upperdir={here}/diff", f"workdir={here}/work")

    def unmount(self, id: str) -> None:
        row = self._rows.get(id)
        if row is not None and row.device:
            self._host.namespace.umount(f"{self.root}/{id}/merged")
            self._store.take(row.folder, "merged")
            self._rows.set(id, replace(row, device=0))

    def remove(self, id: str) -> None:
        self.unmount(id)
        row, top = self._rows[id], self._folders.top()
        self._store.take(self._store.names(top)["l"], row.link)
        self._store.drop(self._store.take(top, id))
        self._rows.delete(id)
        self._mounts.pop(id, None)

    def changes(self, id: str) -> list[Change]:
        parent = self._rows[id].parent
        if parent is None:
            empty = Overlay(self._store, self._store.new(self._rows[id].upper.mode), tuple, 0, None)
        else:
            empty = self._overlay(parent)
        here = self._overlay(id)
        return list(compare(View(here, here.root), View(empty, empty.root)))

    def diff(self, id: str) -> Layer:
        here = self._overlay(id)
        return layer_of(self.changes(id), View(here, here.root))

    def commit(self, id: str) -> Layer:
        self.unmount(id)
        layer = Layer.freeze(self._store, self._rows[id].upper)
        self.apply(id, layer)
        return layer

    def apply(self, id: str, layer: Layer) -> None:
        row = self._rows[id]
        self._folders.replace(row.folder, "diff", layer.root)
        below = None if row.parent is None else self._rows[row.parent].merged
        self._rows.set(id, replace(row, upper=layer.root, merged=layer.on(below, row.number)))
        self._mounts.pop(id, None)

    def size(self, id: str) -> int:
        return tree_size(self._store, self._rows[id].upper)

    def data(self, id: str) -> dict[str, str]:
        here = f"{self.root}/{id}"
        data = {"MergedDir": f"{here}/merged", "UpperDir": f"{here}/diff", "WorkDir": f"{here}/work"}
        lower = self._lower_folders(id)
        return {"LowerDir": ":".join(lower), **data} if lower else data

    def _lower_folders(self, id: str) -> list[str]:
        folders, parent = [], self._rows[id].parent
        while parent is not None:
            folders.append(f"{self.root}/{parent}/diff")
            parent = self._rows[parent].parent
        return folders

    def status(self) -> list[tuple[str, str]]:
        return [
            ("Backing Filesystem", "extfs"),
            ("Supports d_type", "true"),
            ("Using metacopy", "false"),
            ("Native Overlay Diff", "true"),
            ("userxattr", "false"),
        ]


def _short_name(id: str) -> str:
    """26 letters and digits, from the id."""
    number = int.from_bytes(sha256(f"link {id}".encode()).digest(), "big")
    return "".join(_LINK_LETTERS[number >> 5 * place & 31] for place in range(_LINK_LENGTH))
