"""zfs: every layer a dataset, a child the clone of a snapshot of its parent; they share the records not changed since.

Facts: moby, daemon/graphdriver/zfs/zfs.go; docker/docs, storage drivers; OpenZFS, zfsprops(7) (recordsize 128 KiB). A
dataset is POOL/docker/ID with a legacy mountpoint: it is mounted at graph/ID while it is in use, and its files are
nowhere on the host else. What is counted: records of 128 KiB; a file up to that size is one record of its own size in
whole 4 KiB sectors. Not modelled: metadata, compression. A cached block is there once for all clones that have it, in
ZFS's own cache, the ARC ("single copy ARC", docker/docs, ZFS storage driver).
"""

from __future__ import annotations

from collections.abc import Mapping

from labkit.drivers.base import NO_OPTIONS, Needs, StorageOpts
from labkit.drivers.fulltrees import Clones, TreeLayer, pages
from labkit.files import Content, Files
from labkit.files.inodes import DIRECTORY, Inode

_RECORD = 128 << 10  # bytes
_PARENT = "zpool-docker"


class Zfs(Clones):
    name = "zfs"
    storage_opts = StorageOpts(size="this simulated zfs has no quotas")
    unit = _RECORD
    shares_page_cache = True
    backing = "zfs"
    needs = Needs(backings=frozenset({"zfs"}))

    def __init__(self, host: Files, docker_root: str, options: Mapping[str, str] = NO_OPTIONS) -> None:
        super().__init__(host, docker_root)
        self.folders.make(self.folders.top(), "graph", 0o710)

    def _graph(self) -> Inode:
        return self.store.names(self.folders.top())["graph"]

    def lay_out(self, id: str, number: int) -> Inode:
        return self.store.new(DIRECTORY | 0o755)

    def clear_away(self, id: str, row: TreeLayer) -> None:
        """Its tree was nowhere on the host."""

    def before_mount(self, id: str) -> None:
        self.folders.make(self._graph(), id, 0o755)

    def after_unmount(self, id: str) -> None:
        self.store.drop(self.store.take(self._graph(), id))

    def merged_at(self, id: str) -> str:
        return f"{self.root}/graph/{id}"

    def mount_options(self, id: str) -> tuple[str, ...]:
        return ("rw", "relatime", "xattr", "noacl")

    def device(self, id: str) -> tuple[str, str]:
        return f"{_PARENT}/{id}", self.name

    def data(self, id: str) -> dict[str, str]:
        return {"Dataset": f"{_PARENT}/{id}", "Mountpoint": self.merged_at(id)}

    def status(self) -> list[tuple[str, str]]:
        used = sum(self.cost(id).disk for id in self.ids())
        return [
            ("Zpool", _PARENT),
            ("Zpool Health", "ONLINE"),
            ("Parent Dataset", _PARENT),
            ("Space Used By Parent", str(used)),
            ("Space Available", str((100 << 30) - used)),
            ("Parent Quota", "no"),
            ("Compression", "off"),
        ]

    def space(self, data: Content, blocks: list[int], fresh: bool) -> int:
        return pages(data) if blocks and data.size <= _RECORD else len(blocks) * _RECORD
