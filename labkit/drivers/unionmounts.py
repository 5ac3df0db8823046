"""What the drivers on the kernel's overlayfs have in common: the layers, their union mounts, what differs in them.

Drivers that keep many lowers under short names (moby, daemon/graphdriver/overlay2/overlay.go) have below ID/: diff (the
files), link (a short name; l/ leads from it to diff, since a page of mount options must hold 128 of them), lower (the
short names below, the topmost first), work, committed (in a layer that others stand on), merged (while it is mounted).

Drivers before overlayfs lay layers on the disk with the image specification's marks (OCI image-spec, layer.md, which
has them from aufs): `.wh.NAME` hides a name, `.wh..wh..opq` all below. Trees are frozen ones; what has no mark in it is
shared between the marked and the plain tree.
"""

from __future__ import annotations

import stat
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256

from labkit.drivers.base import (
    NO_OPTIONS,
    Change,
    Cost,
    DriverFailed,
    Folders,
    Remembers,
    StorageOpts,
    blocks,
    compare,
    layer_of,
    tree_size,
    view,
)
from labkit.files import Content, Files, Layer, Map, Source
from labkit.files.inodes import REGULAR, Inode, MountAbout
from labkit.files.union import OPAQUE, Merged, Overlay


@dataclass(frozen=True)
class UnionLayer:
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


class UnionMounts(Remembers):
    """A driver whose layers are put together by union mounts."""

    name: str
    root: str
    most_lowers = 0  # layers that one may stand on; 0: any number
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
        self.rows: Map[str, UnionLayer] = Map()
        self._mounts: dict[str, Overlay] = {}  # made anew when missing

    def configure(self, options: Mapping[str, str]) -> None:
        """There is nothing to configure."""

    # each driver's own

    def lay_out(self, id: str, parent: str | None) -> UnionLayer:
        """Make the folders of a new layer."""
        raise NotImplementedError

    def clear_away(self, id: str, row: UnionLayer) -> None:
        """Remove the folders of a layer."""
        raise NotImplementedError

    def merged_at(self, id: str) -> str:
        """Where on the host the layer's union mount is seen."""
        raise NotImplementedError

    def mount_options(self, id: str) -> tuple[str, ...]:
        """As /proc/mounts shows them."""
        raise NotImplementedError

    def before_mount(self, id: str, row: UnionLayer) -> None:
        """Make the folder that is mounted on."""

    def after_unmount(self, id: str, row: UnionLayer) -> None:
        """Remove it."""

    def files_name(self, row: UnionLayer) -> str:
        return self.files_folder

    def base(self, row: UnionLayer) -> str | None:
        """The layer that is this one's topmost lower."""
        return row.parent

    def to_disk(self, root: Inode) -> Inode:
        """A finished layer's tree as it lies on the disk."""
        return root

    def lower(self, row: UnionLayer) -> Inode:
        """A layer's tree with the kernel's marks."""
        return row.upper

    def frozen(self, row: UnionLayer) -> Layer:
        """What has been written in a layer."""
        return Layer.freeze(self.store, row.upper)

    def device(self, id: str) -> tuple[str, str]:
        return self.device_name, self.fstype

    def layer_path(self, id: str) -> str:
        """The folder of a layer's own files."""
        raise NotImplementedError

    # the contract

    def forget(self) -> None:
        self._mounts = {}

    def create(self, id: str, parent: str | None = None) -> None:
        number = 0 if parent is None else self.rows[parent].number + 1
        if self.most_lowers and number > self.most_lowers:
            raise DriverFailed("max depth exceeded")
        row = self.lay_out(id, parent)
        if parent is not None and not self.rows[parent].has_children:
            self.rows.set(parent, replace(self.rows[parent], has_children=True))
        self.rows.set(id, replace(row, number=number))

    def below(self, id: str | None) -> list[UnionLayer]:
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
            upper = self._nothing(row) if row.finished else row.upper
            base = id if row.finished else self.base(row)
            merged = self.rows[base].merged if base is not None else None
            device = row.device or self.store.new_device()
            overlay = self.mount_class(self.store, upper, lambda: self._lowers(base), device, merged)
            overlay.label = id
            self._mounts[id] = overlay
        return overlay

    def _nothing(self, row: UnionLayer) -> Inode:
        """The upper of a layer that is only looked at. It takes no number: who looks changes nothing."""
        return Inode(self.store.epoch, row.upper.ino, row.upper.mode, 0, 0, self.store.clock.now)

    def mount(self, id: str) -> Source:
        row = self.rows[id]
        overlay = self._overlay(id)
        if row.finished:
            return Source(overlay, None, readonly=True)
        if not row.device:
            self.rows.set(id, replace(row, device=overlay.device))
            self.before_mount(id, row)
            about: MountAbout = {"device": self.device_name, "fstype": self.fstype}
            about["options"] = lambda: self.mount_options(id)  # long, and seldom looked at
            self.host.namespace.mount(self.merged_at(id), Source(overlay, None), new=True, **about)
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
            former = Overlay(self.store, self._nothing(self.rows[id]), tuple, 0, None)
        else:
            former = self._overlay(parent)
        here = self._overlay(id)
        return list(compare(view(here, here.root), view(former, former.root)))

    def diff(self, id: str) -> Layer:
        here = self._overlay(id)
        return layer_of(self.store, self.changes(id), view(here, here.root))

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
        copied = sum(inode.data.size for inode in origins if isinstance(inode.data, Content))
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


_LINK_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_LINK_LENGTH = 26


class LinkedLayers(UnionMounts):
    files_folder = "diff"
    most_lowers = 128  # so that their links fit into a page of mount options (moby, graphdriver/overlay2/overlay.go)
    by_container = False

    def __init__(self, host: Files, docker_root: str, options: Mapping[str, str] = NO_OPTIONS) -> None:
        super().__init__(host, f"{docker_root}/{self.name}")
        self.folders.make(self.folders.top(), "l", 0o710)
        self.store.generators[f"{self.name}-lower"] = lambda args: self._lower_file(*args)

    def _lower_file(self, id: str) -> bytes:
        return ":".join(f"l/{row.name}" for row in self.below(self.rows[id].parent)).encode()

    def _links(self) -> Inode:
        """The folder of short names. Raises OSError where somebody took it away."""
        return self.host.inode(f"{self.folders.path}/l")

    def lay_out(self, id: str, parent: str | None) -> UnionLayer:
        folders, top = self.folders, self.folders.top()
        folder = folders.make(top, id, 0o710)
        upper = folders.make(folder, "diff", 0o755)
        link = _short_name(id)
        folders.file(folder, "link", link)
        folders.link(self._links(), link, f"../{id}/diff")
        if parent is not None:
            folders.make(folder, "work", 0o700)
            folders.generated(folder, "lower", f"{self.name}-lower", id)
            if not self.rows[parent].has_children:
                folders.file(self.rows[parent].folder, "committed", "", 0o600)
        return UnionLayer(parent, link, folder, upper)

    def clear_away(self, id: str, row: UnionLayer) -> None:
        top = self.folders.top()
        self.store.take(self._links(), row.name)
        self.store.drop(self.store.take(top, id))

    def layer_path(self, id: str) -> str:
        return f"{self.root}/{id}/diff"

    def merged_at(self, id: str) -> str:
        return f"{self.root}/{id}/merged"

    def before_mount(self, id: str, row: UnionLayer) -> None:
        self.folders.make(row.folder, "merged", 0o700)

    def after_unmount(self, id: str, row: UnionLayer) -> None:
        self.store.take(row.folder, "merged")

    def mount_options(self, id: str) -> tuple[str, ...]:
        below = ":".join(f"{self.root}/l/{row.name}" for row in self.below(self.rows[id].parent))
        here = f"{self.root}/{id}"
        return ("rw", "relatime", f"lowerdir={below}", f"upperdir={here}/diff", f"workdir={here}/work")

    def data(self, id: str) -> dict[str, str]:
        here = f"{self.root}/{id}"
        data = {"MergedDir": f"{here}/merged", "UpperDir": f"{here}/diff", "WorkDir": f"{here}/work"}
        lower = self._lower_folders(id)
        return {"LowerDir": ":".join(lower), **data} if lower else data

    def _lower_folders(self, id: str) -> list[str]:
        folders, parent = [], self.rows[id].parent
        while parent is not None:
            folders.append(f"{self.root}/{parent}/diff")
            parent = self.rows[parent].parent
        return folders


def _short_name(id: str) -> str:
    """26 letters and digits, from the id."""
    number = int.from_bytes(sha256(f"link {id}".encode()).digest(), "big")
    return "".join(_LINK_LETTERS[number >> 5 * place & 31] for place in range(_LINK_LENGTH))


PREFIX = ".wh."
OPAQUE_NAME = ".wh..wh..opq"
_APART = 1 << 40  # from a folder's inode number to that of its mark


def marked(inode: Inode) -> Inode:
    """A frozen tree with `.wh.` files in place of the kernel's marks."""
    if not inode.is_dir:
        return inode
    names = {PREFIX + name if child.is_whiteout else name: _marked_child(child) for name, child in inode.names.items()}
    if inode.is_opaque:
        names[OPAQUE_NAME] = _file(inode, REGULAR | 0o444, _APART)
    return _folder(inode, names, opaque=False)


def _marked_child(child: Inode) -> Inode:
    return _file(child, REGULAR | 0o444) if child.is_whiteout else marked(child)


def unmarked(inode: Inode) -> Inode:
    """A frozen tree with the kernel's marks in place of `.wh.` files."""
    if not inode.is_dir:
        return inode
    names = {}
    for name, child in inode.names.items():
        if not name.startswith(PREFIX):
            names[name] = unmarked(child)
        elif name != OPAQUE_NAME:
            names[name.removeprefix(PREFIX)] = _file(child, stat.S_IFCHR)
    return _folder(inode, names, opaque=inode.is_opaque or OPAQUE_NAME in inode.names)


def _file(like: Inode, mode: int, apart: int = 0) -> Inode:
    inode = Inode(None, like.ino + apart, mode, 0, 0, like.mtime, Content() if mode & REGULAR == REGULAR else None)
    inode.sealed = True
    return inode


def _folder(old: Inode, names: dict[str, Inode], *, opaque: bool) -> Inode:
    """The folder with these names; the old one where nothing is different."""
    if opaque == old.is_opaque and names.keys() == set(old.names) and all(old.names[n] is names[n] for n in names):
        return old
    folder = old.twin(None)
    folder.born, folder.names = folder, Map(names)
    kept = {name: value for name, value in (old.xattrs or {}).items() if name != OPAQUE}
    folder.xattrs = {**kept, OPAQUE: b"y"} if opaque else kept or None
    return folder


class MarkedLayers(UnionMounts):
    """A driver whose finished layers lie on the disk with these marks."""

    def to_disk(self, root: Inode) -> Inode:
        return marked(root)

    def lower(self, row: UnionLayer) -> Inode:
        return unmarked(Layer.freeze(self.store, row.upper).root)
