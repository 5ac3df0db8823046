"""devicemapper: every layer a thin device with a file system in it, a child the thin snapshot of its parent.

Facts: moby, daemon/graphdriver/devmapper (until Engine 24); docker/docs, storage drivers (loop-lvm and direct-lvm);
kernel, device-mapper/thin-provisioning.rst. The pool is two sparse loop files, devicemapper/data and
devicemapper/metadata (loop-lvm: 100 and 2 GiB, blocks of 64 KiB), or with dm.thinpooldev a thin pool that LVM has made
(direct-lvm: here one of 95 GiB with the blocks of 512 KiB that the documentation has it made with). metadata/ has a
JSON file a layer. A device is mounted at mnt/ID while it is in use, the files in its folder rootfs; none can hold more
than the base device had when the lowest layer was made. What is counted: blocks of the pool. A write into an old file
takes each block of it that it meets; new files lie one after another in blocks of their own. Where the pool has no
block left, a write fails; below a tenth of free blocks no layer can be made. Not modelled: the journal and tables of
the file system inside, where it puts a file, the space of the pool's metadata, blocks that a loop file keeps after they
are discarded, and that blocks of a deleted file are free before the pool is full or the device out of use.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from labkit.drivers.base import NO_OPTIONS, Cost, DriverFailed, Needs, OptionRefused
from labkit.drivers.blocks import own_blocks
from labkit.drivers.fulltrees import Clones, TreeLayer, pages
from labkit.files import Content, Files, Map, Source, Tree, errno, failure
from labkit.files.inodes import DIRECTORY, REGULAR, Inode
from labkit.kernel.golang import human_size

_UNITS = {"": 0, "k": 10, "m": 20, "g": 30, "t": 40}
_PREFIX = "docker-254:1-131073"  # of the names of all devices: device and inode number of the driver's folder
_LOOP_BLOCK, _LVM_BLOCK = 64 << 10, 512 << 10  # bytes
_LVM_DATA = 95 << 30  # bytes of the pool that LVM has made
_DEFAULTS = {
    "dm.basesize": "10g",
    "dm.loopdatasize": "100g",
    "dm.loopmetadatasize": "2g",
    "dm.min_free_space": "10%",
    "dm.use_deferred_removal": "true",
    "dm.use_deferred_deletion": "true",
}
_NO_BASE = (  # unverified
    "devmapper: Base Device UUID and Filesystem verification failed: devicemapper: Error running deviceCreate "
    "(ActivateDevice) dm_task_run failed"
)


class ThinDevice(Tree):
    """The file system in a thin device: what is written in it takes blocks of a pool that it does not have alone."""

    def __init__(self, driver: Devicemapper, id: str, root: Inode, limit: int) -> None:
        super().__init__(driver.store, root, driver.store.new_device(), limit=limit)
        self.driver = driver
        self.id = id

    def room_for(self, more: int, node: Inode, data: Content) -> None:
        super().room_for(more, node, data)
        self.driver.take_blocks(self.id, node, data)


class Devicemapper(Clones):
    kept: tuple[str, ...] = ("rows", "_counter", "_used", "_since", "_sizes", "_options")
    name = "devicemapper"
    unit = _LOOP_BLOCK
    needs = Needs(gone=(25, 0))
    options = frozenset({*_DEFAULTS, "dm.blocksize", "dm.thinpooldev"})
    unknown_option = "devmapper: Unknown option {}"

    def __init__(self, host: Files, docker_root: str, options: Mapping[str, str] = NO_OPTIONS) -> None:
        self._read(options)
        super().__init__(host, docker_root)
        top = self.folders.top()
        self.folders.make(top, "metadata", 0o700)
        self.folders.make(top, "mnt", 0o700)
        self._used: Map[str, int] = Map()  # bytes of the pool, by layer, as they were last counted
        self._since: Map[str, int] = Map()  # bytes that may have been taken since
        self._sizes: Map[str, int] = Map()  # bytes that a device can hold
        if not self.thin_pool:
            loops = self.folders.make(top, "devicemapper", 0o700)
            for name, size in (("data", self.data_size), ("metadata", _bytes(self._options["dm.loopmetadatasize"]))):
                self.store.add(loops, name, self.store.new(REGULAR | 0o600, data=Content.hole(size)))

    # --- options

    def _read(self, options: Mapping[str, str] | Map[str, str]) -> None:
        self._options = Map({**_DEFAULTS, **dict(options.items())})
        self.thin_pool = self._options.get("dm.thinpooldev", "").removeprefix("/dev/mapper/")  # of LVM's making
        block = _LVM_BLOCK if self.thin_pool else _bytes(self._options.get("dm.blocksize", "64k"))
        self.unit = block
        self.base_size = _bytes(self._options["dm.basesize"])
        self.data_size = _LVM_DATA if self.thin_pool else _bytes(self._options["dm.loopdatasize"])
        share = self._options["dm.min_free_space"].removesuffix("%")
        if not share.isdigit() or int(share) >= 100:
            raise OptionRefused(f"devmapper: Invalid value for min_free_space: {share}")  # unverified
        self.least_free = self.data_size // self.unit * int(share) // 100  # blocks

    def configure(self, options: Mapping[str, str]) -> None:
        """The pool stays what it is; the base device can be made larger."""
        wanted = {**_DEFAULTS, **options}
        if wanted.get("dm.thinpooldev", "").removeprefix("/dev/mapper/") != self.thin_pool:
            raise OptionRefused(_NO_BASE)
        if "dm.basesize" in options and _bytes(options["dm.basesize"]) < self.base_size:
            raise OptionRefused(
                f"devmapper: Base fs size cannot be smaller than {human_size(self.base_size)}"
            )  # unverified
        kept = {key: value for key, value in self._options.items() if key in ("dm.loopdatasize", "dm.blocksize")}
        base = options.get("dm.basesize", str(self.base_size))
        self._read({**options, **kept, "dm.basesize": base})

    # --- the pool

    def take_blocks(self, id: str, node: Inode, data: Content) -> None:
        """A file is about to hold this. Raises ENOSPC where the pool has no blocks for it."""
        inode = self.store.get(node)
        more = max(0, self._blocks_of(inode, data) - self._blocks_of(inode, self.store.content(inode)))
        if more and self._pool_used() + more > self.data_size:
            self._count_all()
            if self._pool_used() + more > self.data_size:
                raise failure(errno.ENOSPC)
        self._since.set(id, self._since.get(id, 0) + more)

    def _blocks_of(self, inode: Inode, data: Content) -> int:
        """Bytes of the pool that a file with these bytes takes for itself, alone in its blocks."""
        old = self.store.get(inode.origin).data if inode.origin is not None else None
        if not isinstance(old, Content):
            return -(-pages(data) // self.unit) * self.unit
        return len(own_blocks(data, old, self.unit)) * self.unit

    def _pool_used(self) -> int:
        """Bytes; never fewer than are in use."""
        return sum(used for _, used in self._used.items()) + sum(more for _, more in self._since.items())

    def _count_all(self) -> None:
        for id, _ in list(self._since.items()):
            self._count(id)

    def _count(self, id: str) -> None:
        """What a device takes now."""
        self._used.set(id, self.cost(id).disk)
        if id in self._since:
            self._since.delete(id)
        self._write_pool()

    def _write_pool(self) -> None:
        """The loop file holds blocks for what the layers hold."""
        if self.thin_pool:
            return
        used = min(self._pool_used(), self.data_size)
        data = self.store.change(self.store.names(self._folder("devicemapper"))["data"])
        data.data = Content.zeros(used) + Content.hole(self.data_size - used)

    # --- layers

    def _folder(self, name: str) -> Inode:
        return self.store.names(self.folders.top())[name]

    def forget(self) -> None:
        super().forget()
        self._read(self._options)

    def create(self, id: str, parent: str | None = None) -> None:
        self._count_all()
        free = (self.data_size - self._pool_used()) // self.unit
        if free < self.least_free:
            raise DriverFailed(
                f"devmapper: Thin Pool has {free} free data blocks which is less than minimum required "
                f"{self.least_free} free data blocks. Create more free space in thin pool or use dm.min_free_space "
                "option to change behavior"
            )
        self._sizes.set(id, self.base_size if parent is None else self._sizes[parent])
        super().create(id, parent)

    def grow(self, id: str, size: int) -> None:
        """Make a device larger, as --storage-opt asks (deviceset.go growFS)."""
        self._sizes.set(id, size)
        self._systems.pop(id, None)
        self.store.drop(self.store.take(self._folder("metadata"), id))
        self._write_about(id, self.rows[id].number)

    def lay_out(self, id: str, number: int) -> Inode:
        top = self.store.new(DIRECTORY | 0o755)
        tree = self.folders.make(top, "rootfs", 0o755)
        self.folders.file(top, "id", id, 0o600)
        self._write_about(id, number)
        return tree

    def _write_about(self, id: str, number: int) -> None:
        about = {
            "device_id": number,
            "size": self._sizes[id],
            "transaction_id": number,
            "initialized": False,
            "deleted": False,
        }
        self.folders.file(self._folder("metadata"), id, json.dumps(about, separators=(",", ":")), 0o600)

    def clear_away(self, id: str, row: TreeLayer) -> None:
        self.store.take(self._folder("metadata"), id)
        for table in (self._used, self._since, self._sizes):
            if id in table:
                table.delete(id)
        self._write_pool()

    def finish(self, id: str) -> None:
        super().finish(id)
        self._count(id)

    def after_unmount(self, id: str) -> None:
        self.store.drop(self.store.take(self._folder("mnt"), id))
        self._count(id)

    def system(self, id: str, row: TreeLayer) -> Tree:
        top = self.store.get(row.tree).parent
        assert top is not None
        return ThinDevice(self, id, top, self._sizes[id])

    def before_mount(self, id: str) -> None:
        self.folders.make(self._folder("mnt"), id, 0o755)

    def mount_point(self, id: str) -> str:
        return f"{self.root}/mnt/{id}"

    def merged_at(self, id: str) -> str:
        return f"{self.root}/mnt/{id}/rootfs"

    def mount_options(self, id: str) -> tuple[str, ...]:
        return ("rw", "relatime", "nouuid", "attr2", "inode64", "logbsize=64k", "sunit=128", "swidth=128", "noquota")

    def device(self, id: str) -> tuple[str, str]:
        return f"/dev/mapper/{_PREFIX}-{id}", "xfs"

    def mounted_source(self, id: str) -> Source:
        return Source(self._system(id), None)

    def data(self, id: str) -> dict[str, str]:
        return {
            "DeviceId": str(self.rows[id].number),
            "DeviceName": f"{_PREFIX}-{id}",
            "DeviceSize": str(self._sizes[id]),
        }

    def status(self) -> list[tuple[str, str]]:
        self._count_all()
        used, loops = self._pool_used(), f"{self.root}/devicemapper"
        looped = not self.thin_pool
        files = [("Data loop file", f"{loops}/data"), ("Metadata loop file", f"{loops}/metadata")]
        return [
            ("Pool Name", self.thin_pool or f"{_PREFIX}-pool"),
            ("Pool Blocksize", human_size(self.unit)),
            ("Base Device Size", human_size(self.base_size)),
            ("Backing Filesystem", "xfs"),
            ("Data file", "/dev/loop0" if looped else ""),
            ("Metadata file", "/dev/loop1" if looped else ""),
            ("Data Space Used", human_size(used)),
            ("Data Space Total", human_size(self.data_size)),
            ("Data Space Available", human_size(self.data_size - used)),
            ("Thin Pool Minimum Free Space", human_size(self.least_free * self.unit)),
            ("Udev Sync Supported", "true"),
            ("Deferred Removal Enabled", self._options["dm.use_deferred_removal"]),
            ("Deferred Deletion Enabled", self._options["dm.use_deferred_deletion"]),
            ("Deferred Deleted Device Count", "0"),
            *(files if looped else ()),
        ]

    def cost(self, id: str) -> Cost:
        """New files are packed: their sectors together fill blocks."""
        cost = super().cost(id)
        fresh = sum(pages(data) for data in self._fresh(id))
        return cost._replace(disk=cost.disk + -(-fresh // self.unit) * self.unit)

    def _fresh(self, id: str) -> list[Content]:
        fresh = (inode.data for inode in self.inodes(id) if inode.origin is None)
        return [data for data in fresh if isinstance(data, Content)]

    def space(self, data: Content, blocks: list[int], fresh: bool) -> int:
        return 0 if fresh else len(blocks) * self.unit


def _bytes(text: str) -> int:
    """A size as go-units reads it: 20G, 64k, 1.5t; powers of 1024. Raises OptionRefused."""
    number = text.strip().lower().removesuffix("b").removesuffix("i")
    unit = number[-1:] if number[-1:] in _UNITS else ""
    try:
        return int(float(number.removesuffix(unit)) * (1 << _UNITS[unit]))
    except ValueError:
        raise OptionRefused(f"invalid size: '{text}'") from None
