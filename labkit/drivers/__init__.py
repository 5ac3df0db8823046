"""Storage drivers: how the layers of images and containers lie on the disk. One file a driver, and this table."""

from __future__ import annotations

from labkit.drivers.aufs import Aufs
from labkit.drivers.base import Change, Driver
from labkit.drivers.btrfs import Btrfs
from labkit.drivers.devicemapper import Devicemapper
from labkit.drivers.fuse_overlayfs import FuseOverlayfs
from labkit.drivers.overlay import OneLower
from labkit.drivers.overlay2 import Overlay2
from labkit.drivers.overlayfs import Overlayfs
from labkit.drivers.vfs import Vfs
from labkit.drivers.zfs import Zfs

DRIVERS: dict[str, type[Driver]] = {
    "overlay2": Overlay2,
    "overlay": OneLower,
    "aufs": Aufs,
    "fuse-overlayfs": FuseOverlayfs,
    "btrfs": Btrfs,
    "zfs": Zfs,
    "devicemapper": Devicemapper,
    "vfs": Vfs,
    "overlayfs": Overlayfs,
}

# What the daemon tries by itself, from which engine on; the others have to be asked for.
ORDERS: tuple[tuple[tuple[int, int], tuple[str, ...]], ...] = (
    ((17, 6), ("aufs", "btrfs", "zfs", "overlay2", "overlay", "devicemapper", "vfs")),
    ((17, 9), ("btrfs", "zfs", "overlay2", "aufs", "overlay", "devicemapper", "vfs")),
    ((20, 10), ("btrfs", "zfs", "overlay2", "fuse-overlayfs", "aufs", "overlay", "devicemapper", "vfs")),
    ((23, 0), ("overlay2", "fuse-overlayfs", "btrfs", "zfs", "vfs")),
)

__all__ = ["DRIVERS", "ORDERS", "Change", "Driver"]
