"""docker run --storage-opt: what a storage driver says to the options of one container.

moby, daemon/graphdriver: overlay2, btrfs, zfs, vfs and fuse-overlayfs; at v20.10 overlay, aufs and devmapper.
Snapshotters of containerd on Linux take any and do nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

from labkit.drivers.base import Driver
from labkit.drivers.devicemapper import Devicemapper
from labkit.engine.core.errors import system
from labkit.kernel.gounits import SizeInvalid, human_size, ram_in_bytes


def wanted_size(driver: Driver, options: Mapping[str, str]) -> int:
    """Bytes that the container's file system is to have; 0: as many as any other. Raises EngineError."""
    if not options or driver.by_container:
        return 0
    says = driver.storage_opts
    lower = {name.lower(): value for name, value in options.items()}
    if says.refused:
        raise system(says.refused)
    if "size" not in lower and not says.needs_size:
        return 0
    for name in lower:
        if name != "size":
            raise system(says.unknown.format(name))
    try:
        size = ram_in_bytes(lower["size"])
    except SizeInvalid as error:
        raise system(says.no_size or str(error)) from None
    if size == 0 and not says.needs_size:
        raise system(f"{driver.name}: invalid storage size: 0B")
    if says.size:
        raise system(says.size)
    if isinstance(driver, Devicemapper) and 0 < size < driver.base_size:
        raise system(f"devmapper: Container size cannot be smaller than {human_size(driver.base_size)}")
    return size


def grow(driver: Driver, layer: str, size: int) -> None:
    """Give a container's own layer the size that it wants."""
    if size and isinstance(driver, Devicemapper):
        driver.grow(layer, size)
