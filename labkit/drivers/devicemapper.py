"""devicemapper: every layer a thin device with a file system in it, a child the thin snapshot of its parent.

Facts: moby, daemon/graphdriver/devmapper (until Engine 24); kernel, device-mapper/thin-provisioning.rst. The pool is
two sparse loop files, devicemapper/data and devicemapper/metadata (loop-lvm: 100 and 2 GiB); metadata/ has a JSON file
a layer. A device is mounted at mnt/ID while it is in use, the files in its folder rootfs; none can hold more than the
base device's 10 GiB. What is counted: blocks of 64 KiB, the pool's unit. A write into an old file takes each block of
it that it meets; new files lie one after another in blocks of their own. Not modelled: the journal and tables of the
file system inside, where it puts a file, direct-lvm (an LVM pool in place of the loop files), blocks that a loop file
keeps after they are discarded.
"""

from __future__ import annotations

import json
from typing import Any

from labkit.drivers.base import Cost, Needs
from labkit.drivers.fulltrees import Clones, Row, pages
from labkit.files import Content, Files, Map, Source, Tree
from labkit.files.tree import DIRECTORY, REGULAR, Inode

_BLOCK = 64 << 10  # bytes
_BASE_SIZE = 10 << 30  # bytes that a device can hold
_DATA, _METADATA = 100 << 30, 2 << 30  # bytes of the loop files
_POOL = "docker-254:1-131073-pool"


class Devicemapper(Clones):
    name = "devicemapper"
    unit = _BLOCK
    needs = Needs(gone=(25, 0))

    def __init__(self, host: Files, docker_root: str) -> None:
        super().__init__(host, docker_root)
        top = self.folders.top()
        loops = self.folders.make(top, "devicemapper", 0o700)
        for name, size in (("data", _DATA), ("metadata", _METADATA)):
            self.store.add(loops, name, self.store.new(REGULAR | 0o600, data=Content.hole(size)))
        self.folders.make(top, "metadata", 0o700)
        self.folders.make(top, "mnt", 0o700)
        self._used: Map[str, int] = Map()  # bytes of the pool, by finished layer

    def _folder(self, name: str) -> Inode:
        return self.store.names(self.folders.top())[name]

    def snapshot(self) -> Any:
        return super().snapshot(), self._used.copy()

    def restore(self, saved: Any) -> None:
        super().restore(saved[0])
        self._used = saved[1].copy()

    def lay_out(self, id: str, number: int) -> Inode:
        top = self.store.new(DIRECTORY | 0o755)
        tree = self.folders.make(top, "rootfs", 0o755)
        self.folders.file(top, "id", id, 0o600)
        about = {
            "device_id": number,
            "size": _BASE_SIZE,
            "transaction_id": number,
            "initialized": False,
            "deleted": False,
        }
        self.folders.file(self._folder("metadata"), id, json.dumps(about, separators=(",", ":")), 0o600)
        return tree

    def clear_away(self, id: str, row: Row) -> None:
        self.store.take(self._folder("metadata"), id)
        if id in self._used:
            self._used.delete(id)
        self._write_pool()

    def finish(self, id: str) -> None:
        super().finish(id)
        self._count(id)

    def after_unmount(self, id: str) -> None:
        self.store.drop(self.store.take(self._folder("mnt"), id))
        self._count(id)

    def _count(self, id: str) -> None:
        self._used.set(id, self.cost(id).disk)
        self._write_pool()

    def _write_pool(self) -> None:
        """The loop file holds blocks for what the layers hold."""
        used = self._pool_used()
        data = self.store.change(self.store.names(self._folder("devicemapper"))["data"])
        data.data = Content.zeros(used) + Content.hole(_DATA - used)

    def _pool_used(self) -> int:
        return sum(used for _, used in self._used.items())

    def system(self, id: str, row: Row) -> Tree:
        top = self.store.get(row.tree).parent
        assert top is not None
        return Tree(self.store, top, self.store.new_device(), limit=_BASE_SIZE)

    def before_mount(self, id: str) -> None:
        self.folders.make(self._folder("mnt"), id, 0o755)

    def mount_point(self, id: str) -> str:
        return f"{self.root}/mnt/{id}"

    def merged_at(self, id: str) -> str:
        return f"{self.root}/mnt/{id}/rootfs"

    def mount_options(self, id: str) -> tuple[str, ...]:
        return ("rw", "relatime", "nouuid", "attr2", "inode64", "logbsize=64k", "sunit=128", "swidth=128", "noquota")

    def device(self, id: str) -> tuple[str, str]:
        return f"/dev/mapper/{_POOL.removesuffix('pool')}{id}", "xfs"

    def mounted_source(self, id: str) -> Source:
        return Source(self._system(id), None)

    def data(self, id: str) -> dict[str, str]:
        return {
            "DeviceId": str(self.rows[id].number),
            "DeviceName": f"{_POOL.removesuffix('pool')}{id}",
            "DeviceSize": str(_BASE_SIZE),
        }

    def status(self) -> list[tuple[str, str]]:
        used, loops = self._pool_used(), f"{self.root}/devicemapper"
        return [
            ("Pool Name", _POOL),
            ("Pool Blocksize", "65.54kB"),
            ("Base Device Size", "10.74GB"),
            ("Backing Filesystem", "xfs"),
            ("Udev Sync Supported", "true"),
            ("Data file", "/dev/loop0"),
            ("Metadata file", "/dev/loop1"),
            ("Data loop file", f"{loops}/data"),
            ("Metadata loop file", f"{loops}/metadata"),
            ("Data Space Used", _size(used)),
            ("Data Space Total", _size(_DATA)),
            ("Data Space Available", _size(_DATA - used)),
            ("Deferred Removal Enabled", "true"),
            ("Deferred Deletion Enabled", "true"),
            ("Deferred Deleted Device Count", "0"),
        ]

    def cost(self, id: str) -> Cost:
        """New files are packed: their sectors together fill blocks."""
        cost = super().cost(id)
        fresh = sum(pages(inode.data) for inode in self._fresh(id))
        return cost._replace(disk=cost.disk + -(-fresh // _BLOCK) * _BLOCK)

    def _fresh(self, id: str) -> list[Inode]:
        return [inode for inode in self.inodes(id) if inode.origin is None and isinstance(inode.data, Content)]

    def space(self, data: Content, blocks: list[int], fresh: bool) -> int:
        return 0 if fresh else len(blocks) * _BLOCK


def _size(count: int) -> str:
    """As go-units prints bytes: four digits, powers of 1000."""
    value, unit = float(count), 0
    while value >= 1000 and unit < 4:
        value, unit = value / 1000, unit + 1
    return f"{value:.4g}{('B', 'kB', 'MB', 'GB', 'TB')[unit]}"
