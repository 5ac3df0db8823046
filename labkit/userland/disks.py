"""How full a mounted file system is. The machine's disk has one size for all; what lies on it counts to the byte."""

from __future__ import annotations

from dataclasses import dataclass

from labkit.files import Files, Mount
from labkit.files.inodes import FileNode, FileSystem, Inode
from labkit.files.tree import used
from labkit.files.union import Node
from labkit.userland.numbers import size

_TYPES = {  # what a mount calls its type: its magic number, stat -f's name of it (statfs(2))
    "ext4": ("ef53", "ext2/ext3"),
    "xfs": ("58465342", "xfs"),
    "btrfs": ("9123683e", "btrfs"),
    "zfs": ("2fc12fc1", "zfs"),
    "tmpfs": ("1021994", "tmpfs"),
    "overlay": ("794c7630", "overlayfs"),
    "aufs": ("61756673", "aufs"),
    "proc": ("9fa0", "proc"),
    "sysfs": ("62656572", "sysfs"),
    "devpts": ("1cd1", "devpts"),
    "cgroup2": ("63677270", "cgroup2fs"),
    "mqueue": ("19800202", "mqueue"),
    "devtmpfs": ("1021994", "tmpfs"),
    "fuse.fuse-overlayfs": ("65735546", "fuseblk"),
}
_EMPTY = {"proc", "sysfs", "devpts", "cgroup", "cgroup2", "mqueue", "securityfs", "bpf", "debugfs"}
DISK = 62_671_097_856  # bytes of the machine's disk
_RESERVED = 3_221_225_472  # of them for root (ext4)
_SYSTEM = 1_610_612_736  # taken by what the machine's file tree does not show
_MEMORY = 4_116_324_352  # half of it is what a tmpfs without a size may hold
_INODES = 3_907_584


@dataclass(frozen=True)
class Usage:
    """Sizes in bytes."""

    total: int
    used: int
    available: int
    inodes: int
    inodes_used: int
    type_name: str
    magic: str
    identity: str
    block: int = 4096


def usage_of(files: Files, mount: Mount) -> Usage:
    magic, type_name = _TYPES.get(mount.fstype, ("0", f"UNKNOWN (0x{0:x})"))
    identity = f"{mount.source.system.device * 0x9E3779B97F4A7C15 & (1 << 64) - 1:x}"
    if mount.fstype in _EMPTY:
        return Usage(0, 0, 0, 0, 0, type_name, magic, identity)
    system, root = _tree(files, mount)
    taken, count = used(files.store, root), _count(files, root)
    if mount.fstype in ("tmpfs", "devtmpfs"):
        total = system.limit if system.limit is not None else _said(mount) or _MEMORY // 2
        return Usage(total, taken, total - taken, _MEMORY // 4096, count, type_name, magic, identity)
    taken += _SYSTEM
    return Usage(DISK, taken, DISK - _RESERVED - taken, _INODES, count, type_name, magic, identity)


def _said(mount: Mount) -> int | None:
    """The size among the options of a mount."""
    text = next((option[5:] for option in mount.options if option.startswith("size=")), None)
    return size(text) if text else None


def _tree(files: Files, mount: Mount) -> tuple[FileSystem[FileNode], Inode]:
    """The file system that takes what is written, and the topmost inode of it: for a union mount, its upper's."""
    system = mount.source.system
    root = system.root
    inode = root.upper if isinstance(root, Node) else root
    assert isinstance(inode, Inode)
    while system.overlay and (parent := files.store.get(inode).parent) is not None:
        inode = parent
    return system, inode


def _count(files: Files, top: Inode) -> int:
    waiting, count = [top], 0
    while waiting:
        inode = files.store.get(waiting.pop())
        count += 1
        if inode.is_dir:
            waiting.extend(inode.names.values())
    return count
