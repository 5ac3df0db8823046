"""btrfs: every layer a subvolume, a child the snapshot of its parent; they share the extents that neither has changed.

Facts: moby, daemon/graphdriver/btrfs/btrfs.go; docker/docs, storage drivers; btrfs documentation (copy on write, sector
size 4 KiB). A subvolume lies at subvolumes/ID and is seen there without a mount of its own, with a device number of its
own. What is counted: sectors of 4 KiB; a write into a file puts each sector that it meets in a new place. Not modelled:
metadata blocks, small files kept in them, compression, old extents kept because a part of them is still used.
"""

from __future__ import annotations

from collections.abc import Mapping

from labkit.drivers.base import NO_OPTIONS, Needs, StorageOpts
from labkit.drivers.fulltrees import Clones, TreeLayer
from labkit.files import Files
from labkit.files.inodes import Inode

_SECTOR = 4096  # bytes
_FIRST = 255  # before the id of the first subvolume


class Btrfs(Clones):
    name = "btrfs"
    storage_opts = StorageOpts(size="this simulated btrfs has no quotas", unknown="unknown option {}", needs_size=False)
    unit = _SECTOR
    mounts_apart = False
    backing = "btrfs"
    needs = Needs(backings=frozenset({"btrfs"}))

    def __init__(self, host: Files, docker_root: str, options: Mapping[str, str] = NO_OPTIONS) -> None:
        super().__init__(host, docker_root)
        self.folders.make(self.folders.top(), "subvolumes", 0o710)

    def _subvolumes(self) -> Inode:
        return self.store.names(self.folders.top())["subvolumes"]

    def lay_out(self, id: str, number: int) -> Inode:
        return self.folders.make(self._subvolumes(), id, 0o755)

    def clear_away(self, id: str, row: TreeLayer) -> None:
        self.store.drop(self.store.take(self._subvolumes(), id))

    def merged_at(self, id: str) -> str:
        return f"{self.root}/subvolumes/{id}"

    def mount_options(self, id: str) -> tuple[str, ...]:
        """Of a container's root, which is a bind mount of the subvolume."""
        number = _FIRST + self.rows[id].number
        return ("rw", "relatime", "space_cache=v2", f"subvolid={number}", f"subvol=/btrfs/subvolumes/{id}")

    def device(self, id: str) -> tuple[str, str]:
        return "/dev/vda1", self.name

    def status(self) -> list[tuple[str, str]]:
        return [("Btrfs", "")]
