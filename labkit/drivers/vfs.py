"""vfs: every layer a full copy of its parent. Too simple to be wrong, so it is what the others are held against.

Facts: moby, daemon/graphdriver/vfs/driver.go. All is under dir/ID; nothing is mounted. Nothing is shared, so nothing
is copied when a file is written: all was copied when the layer was made.
"""

from __future__ import annotations

from collections.abc import Mapping

from labkit.drivers.base import NO_OPTIONS, Cost, Needs, StorageOpts, block_size, file_bytes
from labkit.drivers.fulltrees import FullTrees, TreeLayer
from labkit.files import Files, Tree
from labkit.files.inodes import Inode

_NO_QUOTA = "Filesystem does not support, or has not enabled quotas"


class Vfs(FullTrees):
    name = "vfs"
    storage_opts = StorageOpts(size=_NO_QUOTA, no_size=_NO_QUOTA, unknown="Storage opt {} not supported")
    keeps_numbers = False
    unknown_option = "unknown option {} for vfs"
    needs = Needs(leftovers_count=False)

    def __init__(self, host: Files, docker_root: str, options: Mapping[str, str] = NO_OPTIONS) -> None:
        super().__init__(host, docker_root)
        self._host_system = Tree(self.store, host.inode("/"), host.stat("/").st_dev)
        self.folders.make(self.folders.top(), "dir", 0o710)

    def _dir(self) -> Inode:
        return self.store.names(self.folders.top())["dir"]

    def lay_out(self, id: str, number: int) -> Inode:
        return self.folders.make(self._dir(), id, 0o755)

    def clear_away(self, id: str, row: TreeLayer) -> None:
        self.store.drop(self.store.take(self._dir(), id))

    def system(self, id: str, row: TreeLayer) -> Tree:
        return self._host_system

    def merged_at(self, id: str) -> str:
        return f"{self.root}/dir/{id}"

    def data(self, id: str) -> dict[str, str]:
        return {"SourceDir": f"{self.root}/dir/{id}"}

    def cost(self, id: str) -> Cost:
        row = self.rows[id]
        copied = 0 if row.parent is None else file_bytes(self.inodes(row.parent))
        return Cost(copied, block_size(self.store.get, row.tree), len(list(self.inodes(id))))
