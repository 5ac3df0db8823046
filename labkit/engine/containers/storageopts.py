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

_REFUSED = {  # any option at all
    "overlay": "--storage-opt is not supported for overlay",
    "aufs": "--storage-opt is not supported for aufs",
    "fuse-overlayfs": "--storage-opt is not supported",
}
_SIZE = {  # a size that is one; the simulated file systems have no quotas
    "overlay2": "--storage-opt is supported only for overlay over xfs with 'pquota' mount option",
    "vfs": "Filesystem does not support, or has not enabled quotas",
    "btrfs": "this simulated btrfs has no quotas",
    "zfs": "this simulated zfs has no quotas",
}
_UNKNOWN = {"vfs": "Storage opt {} not supported", "btrfs": "unknown option {}"}


def wanted_size(driver: Driver, options: Mapping[str, str]) -> int:
    """Bytes that the container's file system is to have; 0: as many as any other. Raises EngineError."""
    if not options or driver.by_container:
        return 0
    lower = {name.lower(): value for name, value in options.items()}
    if driver.name in _REFUSED:
        raise system(_REFUSED[driver.name])
    if driver.name == "btrfs" and "size" not in lower:
        return 0
    for name in lower:
        if name != "size":
            raise system(_UNKNOWN.get(driver.name, "Unknown option {}").format(name))
    try:
        size = ram_in_bytes(lower["size"])
    except SizeInvalid as error:
        raise system(_SIZE[driver.name] if driver.name in ("overlay2", "vfs") else str(error)) from None
    if driver.name == "btrfs" and size == 0:
        raise system("btrfs: invalid storage size: 0B")
    if driver.name in _SIZE:
        raise system(_SIZE[driver.name])
    if isinstance(driver, Devicemapper) and 0 < size < driver.base_size:
        raise system(f"devmapper: Container size cannot be smaller than {human_size(driver.base_size)}")
    return size


def grow(driver: Driver, layer: str, size: int) -> None:
    """Give a container's own layer the size that it wants."""
    if size and isinstance(driver, Devicemapper):
        driver.grow(layer, size)
