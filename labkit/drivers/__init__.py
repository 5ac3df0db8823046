"""Storage drivers: how the layers of images and containers lie on the disk. One file a driver, and this table."""

from __future__ import annotations

from collections.abc import Callable

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
from labkit.files import Files

DRIVERS: dict[str, Callable[[Files, str], Driver]] = {
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

__all__ = ["DRIVERS", "Change", "Driver"]
