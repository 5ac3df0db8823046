"""overlayfs: the snapshotter of the containerd image store, what a new installation of Engine 29 has.

Facts: containerd, plugins/snapshots/overlay/overlay.go, and recordings of an engine. A snapshot is a numbered folder
with fs (the files) and work. A container's union mount is seen at /var/lib/docker/rootfs/overlayfs/ID. What a build
makes is there twice: as the build cache's snapshot, and unpacked anew for the image. Sizes are of the blocks on the
disk.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from labkit.drivers.base import NO_OPTIONS, Needs, block_size
from labkit.drivers.unionmounts import UnionLayer, UnionMounts
from labkit.files import Content, Files, Inode, Layer, Map
from labkit.files.contents import PAGE

_PLUGIN = "containerd/daemon/io.containerd.snapshotter.v1.overlayfs"
# What else containerd keeps beside its snapshotters, as recorded.
_BESIDE = (
    "io.containerd.content.v1.content/blobs/sha256", "io.containerd.content.v1.content/ingest",
    "io.containerd.grpc.v1.introspection", "io.containerd.metadata.v1.bolt", "io.containerd.runtime.v2.task/moby",
    "io.containerd.sandbox.controller.v1.shim", "io.containerd.snapshotter.v1.blockfile",
    "io.containerd.snapshotter.v1.erofs/snapshots", "io.containerd.snapshotter.v1.native/snapshots", "tmpmounts",
)  # fmt: skip
_FILES = {"io.containerd.grpc.v1.introspection/uuid": 36, "io.containerd.metadata.v1.bolt/meta.db": 131072}  # bytes
_UNPACKED = " unpacked"  # after the id of a built layer: its second snapshot


class Overlayfs(UnionMounts):
    name = "overlayfs"
    files_folder = "fs"
    by_container = True
    needs = Needs(
        kernel=(4, 0), feature="many lowers", not_on=frozenset({"aufs", "ecryptfs", "overlay"}), since=(23, 0)
    )

    kept: tuple[str, ...] = ("rows", "_counter")

    def __init__(self, host: Files, docker_root: str, options: Mapping[str, str] = NO_OPTIONS) -> None:
        super().__init__(host, f"{docker_root}/{_PLUGIN}")
        self._docker_root = docker_root
        self.folders.file(self.folders.top(), "metadata.db", "")
        self.folders.make(self.folders.top(), "snapshots", 0o700)
        self._counter: Map[str, int] = Map()
        host.makedirs(f"{docker_root}/rootfs/{self.name}", 0o710)
        beside = self.root.rpartition("/")[0]
        for folder in _BESIDE:
            host.makedirs(f"{beside}/{folder}")
        for file, size in _FILES.items():
            host.write(f"{beside}/{file}", Content.filler(file, size))

    def lay_out(self, id: str, parent: str | None) -> UnionLayer:
        number = self._counter.get("last", 0) + 1
        self._counter.set("last", number)
        snapshots = self.store.names(self.folders.top())["snapshots"]
        folder = self.folders.make(snapshots, str(number), 0o700)
        upper = self.folders.make(folder, "fs", 0o755)
        self.folders.make(folder, "work", 0o711)
        return UnionLayer(parent, str(number), folder, upper)

    def clear_away(self, id: str, row: UnionLayer) -> None:
        snapshots = self.store.names(self.folders.top())["snapshots"]
        self.store.drop(self.store.take(snapshots, row.name))
        if f"{id}{_UNPACKED}" in self.rows:
            self.remove(f"{id}{_UNPACKED}")

    def commit(self, id: str) -> Layer:
        """The layer is what differs, as an image's layer is made by comparing; the cache's snapshot keeps all."""
        layer = self.diff(id)
        self.unmount(id)
        whole = Layer.freeze(self.store, self.rows[id].upper)
        self.apply(id, whole)
        twin = f"{id}{_UNPACKED}"
        self.rows.set(twin, replace(self.lay_out(twin, None), upper=layer.root, merged=self.rows[id].merged))
        self.folders.replace(self.rows[twin].folder, "fs", layer.root)
        return layer

    def layer_path(self, id: str) -> str:
        return f"{self.root}/snapshots/{self.rows[id].name}/fs"

    def merged_at(self, id: str) -> str:
        return f"{self._docker_root}/rootfs/{self.name}/{id}"

    def before_mount(self, id: str, row: UnionLayer) -> None:
        self.host.makedirs(self.merged_at(id), 0o710)

    def after_unmount(self, id: str, row: UnionLayer) -> None:
        self.host.rmdir(self.merged_at(id))

    def mount_options(self, id: str) -> tuple[str, ...]:
        snapshots = f"{self.root}/snapshots"
        below = ":".join(f"{snapshots}/{row.name}/fs" for row in self.below(self.rows[id].parent))
        here = f"{snapshots}/{self.rows[id].name}"
        return ("rw", "relatime", f"lowerdir={below}", f"upperdir={here}/fs", f"workdir={here}/work")

    def size(self, id: str) -> int:
        own = [self.store.get(inode) for inode in self.own_inodes(id)]
        return block_size(self.store.get, self.rows[id].upper) + PAGE * sum(map(self._has_long_marks, own))

    def _has_long_marks(self, inode: Inode) -> bool:
        """A folder that was copied up and has something that was: ext4 gives the attributes of both a block."""
        if not inode.is_dir or inode.origin is None:
            return False
        return any(self.store.get(child).origin is not None for child in inode.names.values())

    def layer_size(self, layer: Layer) -> int:
        return block_size(lambda inode: inode, layer.root)

    def data(self, id: str) -> dict[str, str]:
        return {}

    def status(self) -> list[tuple[str, str]]:
        return [("driver-type", "io.containerd.snapshotter.v1")]
