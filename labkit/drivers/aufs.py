"""aufs: every layer a folder, put together by the aufs module; names are hidden by files named `.wh.…`.

Facts: moby, daemon/graphdriver/aufs/aufs.go (until Engine 23); aufs manual, aufs(5). diff/ID has a layer's files,
layers/ID the ids below it, the nearest first, mnt/ID is where it is mounted. A folder of a lower layer can't be
renamed (EXDEV). Not modelled: pseudo-links, which keep a hard link whole when one of its names is copied up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from labkit.drivers.base import NO_OPTIONS, Needs, StorageOpts
from labkit.drivers.unionmounts import OPAQUE_NAME, PREFIX, MarkedLayers, UnionLayer, unmarked
from labkit.files import Files, Inode, Layer, Map, errno, failure
from labkit.files.inodes import REGULAR, FileData
from labkit.files.union import Node, Overlay

_MARK = REGULAR | 0o444


class AufsMount(Overlay):
    """A union mount whose upper has `.wh.` marks; they are not seen in it, and nobody can make them in it."""

    __slots__ = ()

    def _find(self, folder: Node, name: str) -> Node | None:
        store = self.store
        lower = folder.lower.names.get(name) if folder.lower is not None and folder.lower.names is not None else None
        names: Map[str, Inode] = Map() if folder.upper is None else store.names(folder.upper)
        if name.startswith(PREFIX):
            return None
        upper = names.get(name)
        if upper is None:
            hidden = lower is None or PREFIX + name in names
            return None if hidden else Node(folder, name, None, lower)
        inode = store.get(upper)
        if not inode.is_dir or OPAQUE_NAME in inode.names or (lower is not None and lower.names is None):
            lower = None
        return Node(folder, name, upper, lower)

    def names(self, folder: Node) -> Iterable[str]:
        upper: Map[str, Inode] = Map() if folder.upper is None else self.store.names(folder.upper)
        lower = (folder.lower.names if folder.lower is not None else None) or ()
        shown = [name for name in upper if not name.startswith(PREFIX)]
        return shown + [name for name in lower if name not in upper and PREFIX + name not in upper]

    def make(
        self, folder: Node, name: str, mode: int, uid: int, gid: int, data: FileData = None, rdev: int = 0
    ) -> Node:
        if name.startswith(PREFIX):
            raise failure(errno.EPERM)
        return super().make(folder, name, mode, uid, gid, data, rdev)

    def _free(self, folder: Node, name: str) -> Inode:
        upper = super()._free(folder, name)
        if PREFIX + name in self.store.names(upper):
            self.store.drop(self.store.take(upper, PREFIX + name, touch=False))
        return upper

    def _place(self, folder: Node, name: str, upper: Inode, inode: Inode, *, moved: bool = False) -> None:
        if inode.is_dir and self._hides(folder, name) and OPAQUE_NAME not in self.store.names(inode.born):
            self.store.add(inode.born, OPAQUE_NAME, self.store.new(_MARK), touch=False)
        self.store.add(upper, name, inode.born)
        folder.children.pop(name, None)

    def _hide(self, upper: Inode, name: str) -> None:
        self.store.add(upper, PREFIX + name, self.store.new(_MARK), touch=True)


class Aufs(MarkedLayers):
    name = fstype = "aufs"
    storage_opts = StorageOpts(refused="--storage-opt is not supported for aufs")
    device_name = "none"
    by_container = False
    mount_class = AufsMount
    needs = Needs(kernel=None, feature="aufs", not_on=frozenset({"aufs", "btrfs", "ecryptfs"}), gone=(24, 0))

    def __init__(self, host: Files, docker_root: str, options: Mapping[str, str] = NO_OPTIONS) -> None:
        super().__init__(host, f"{docker_root}/{self.name}")
        for name in ("diff", "layers", "mnt"):
            self.folders.make(self.folders.top(), name, 0o700)

    def _folder(self, name: str) -> Inode:
        return self.store.names(self.folders.top())[name]

    def lay_out(self, id: str, parent: str | None) -> UnionLayer:
        upper = self.folders.make(self._folder("diff"), id, 0o755)
        self.folders.make(self._folder("mnt"), id, 0o755)
        ids = []
        while parent is not None:
            ids.append(parent)
            parent = self.rows[parent].parent
        self.folders.file(self._folder("layers"), id, "".join(f"{line}\n" for line in ids))
        return UnionLayer(ids[0] if ids else None, id, self._folder("diff"), upper)

    def files_name(self, row: UnionLayer) -> str:
        return row.name

    def clear_away(self, id: str, row: UnionLayer) -> None:
        for name in ("diff", "layers", "mnt"):
            self.store.drop(self.store.take(self._folder(name), id))

    def frozen(self, row: UnionLayer) -> Layer:
        return Layer(unmarked(super().frozen(row).root))

    def layer_path(self, id: str) -> str:
        return f"{self.root}/diff/{id}"

    def merged_at(self, id: str) -> str:
        return f"{self.root}/mnt/{id}"

    def mount_options(self, id: str) -> tuple[str, ...]:
        return ("rw", "relatime", f"si={id[:16]}", "dio", "dirperm1")

    def data(self, id: str) -> dict[str, str]:
        return {}

    def status(self) -> list[tuple[str, str]]:
        return [
            ("Root Dir", self.root),
            ("Backing Filesystem", self.backing),
            ("Dirs", str(len(self.ids()))),
            ("Dirperm1 Supported", "true"),
        ]
