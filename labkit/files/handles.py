"""Open files: what read, write and stat do to one that has been found. Access times are not kept up (noatime)."""

from __future__ import annotations

import errno
import stat
from typing import NamedTuple

from labkit.files.contents import Content
from labkit.files.errors import failure
from labkit.files.filesystem import FileSystem
from labkit.files.inodes import DIRECTORY, REGULAR, S_IFMT, SYMLINK, FileNode, Inode
from labkit.files.mounts import Place
from labkit.files.store import Store

O_RDONLY, O_WRONLY, O_RDWR, O_ACCMODE = 0, 1, 2, 3  # Linux' numbers, on every platform
O_CREAT, O_EXCL, O_NOCTTY, O_TRUNC, O_APPEND = 0o100, 0o200, 0o400, 0o1000, 0o2000
O_DIRECTORY, O_NOFOLLOW = 0o200000, 0o400000
R_OK, W_OK, X_OK = 4, 2, 1
LARGEST = 1 << 44  # bytes of a file on ext4 with blocks of 4 KiB
_FREE = 256  # bytes of one write that are not metered


class Stat(NamedTuple):
    """What stat(2) tells; times in ns, st_blocks in units of 512 B."""

    st_mode: int
    st_ino: int
    st_dev: int
    st_nlink: int
    st_uid: int
    st_gid: int
    st_size: int
    st_blocks: int
    st_atime_ns: int
    st_mtime_ns: int
    st_ctime_ns: int
    st_rdev: int


def stat_of(store: Store, system: FileSystem[FileNode], node: FileNode) -> Stat:
    inode = system.get(node)
    kind = inode.mode & S_IFMT
    if kind == REGULAR:
        data = store.content(inode)
        size, blocks = data.size, data.allocated >> 9
    elif kind == DIRECTORY:
        size, blocks = 4096, 8
    else:
        size, blocks = len(inode.target.encode()) if kind == SYMLINK else 0, 0
    return Stat(
        inode.mode, system.number(node), system.device, system.links(node), inode.uid, inode.gid, size, blocks,
        inode.atime, inode.mtime, inode.ctime, inode.rdev,
    )  # fmt: skip


def write_data(store: Store, system: FileSystem[FileNode], node: FileNode, data: Content) -> None:
    if system.limit is not None:
        system.room_for(data.allocated - store.content(system.get(node)).allocated, node, data)
    inode = system.change(node)
    inode.data = data
    inode.mtime = inode.ctime = store.clock.now


class Handle:
    """An open file: it keeps its place, and its file even when the name goes away."""

    __slots__ = ("_flags", "_node", "_position", "_store", "_system", "closed", "path")

    def __init__(self, store: Store, place: Place, flags: int) -> None:
        self._store = store
        self._system = place.mount.source.system
        self._node = place.node
        self.path = place.path  # where it was opened, without links
        self._flags = flags
        self._position = 0
        self.closed = False

    def _inode(self) -> Inode:
        if self.closed:
            raise failure(errno.EBADF)
        system = self._system
        if system.overlay:
            system.current(self._node)
        return system.get(self._node)

    def _data(self, want: int) -> Content:
        inode = self._inode()
        access = self._flags & O_ACCMODE
        if (access == O_WRONLY and want & R_OK) or (access == O_RDONLY and want & W_OK):
            raise failure(errno.EBADF)
        if inode.is_dir:
            raise failure(errno.EISDIR)
        return self._store.content(inode) if inode.mode & S_IFMT == REGULAR else Content()

    def read_content(self, size: int = -1) -> Content:
        """Up to `size` bytes from here on (all where it is negative), sparse."""
        data = self._data(R_OK)
        device = _device_read(self._inode(), size)
        if device is not None:
            return device
        start = self._position
        end = data.size if size < 0 else min(data.size, start + size)
        self._position = max(start, end)
        return data[start:end]  # type: ignore[return-value]

    def read(self, size: int = -1) -> bytes:
        data = self._data(R_OK)
        device = _device_read(self._inode(), size)
        if device is not None:
            return bytes(device)
        piece = data.read(self._position, data.size - self._position if size < 0 else size)
        self._position += len(piece)
        return piece

    def write_content(self, data: Content) -> int:
        old = self._data(W_OK)
        inode = self._inode()
        if inode.mode & S_IFMT != REGULAR:
            if inode.mode & S_IFMT == stat.S_IFCHR and inode.rdev == FULL:
                raise failure(errno.ENOSPC)
            return data.size
        start = old.size if self._flags & O_APPEND else self._position
        if start + data.size > LARGEST:
            raise failure(errno.EFBIG)
        if data.size:
            write_data(self._store, self._system, self._node, old.write(start, data))
        self._position = start + data.size
        return data.size

    def write(self, data: bytes) -> int:
        if len(data) > _FREE:
            self._store.meter(len(data) // _FREE)
        return self.write_content(Content(data))

    def seek(self, offset: int, whence: int = 0) -> int:
        """0: from the start, 1: from here, 2: from the end."""
        base = (0, self._position, self.stat().st_size if whence == 2 else 0)[whence]
        if base + offset < 0:
            raise failure(errno.EINVAL)
        self._position = base + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def truncate(self, size: int | None = None) -> int:
        size = self._position if size is None else size
        if size > LARGEST:
            raise failure(errno.EFBIG)
        write_data(self._store, self._system, self._node, self._data(W_OK).truncate(size))
        return size

    def stat(self) -> Stat:
        self._inode()
        return stat_of(self._store, self._system, self._node)

    def close(self) -> None:
        self.closed = True

    def __enter__(self) -> Handle:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def makedev(major: int, minor: int) -> int:
    """glibc's dev_t for numbers below 4096 and 256."""
    return major << 8 | minor & 0xFF | (minor & ~0xFF) << 12


def major(rdev: int) -> int:
    return rdev >> 8 & 0xFFF


def minor(rdev: int) -> int:
    return rdev & 0xFF | rdev >> 12 & ~0xFF


NULL, ZERO, FULL, RANDOM, URANDOM = (makedev(1, number) for number in (3, 5, 7, 8, 9))
ENDLESS = 1 << 40  # bytes that an endless device gives to one who reads all of it


def _device_read(inode: Inode, size: int) -> Content | None:
    """What a character device gives; None for any other file."""
    if inode.mode & S_IFMT != stat.S_IFCHR:
        return None
    size = ENDLESS if size < 0 else size
    if inode.rdev in (ZERO, FULL):
        return Content.zeros(size)
    if inode.rdev in (RANDOM, URANDOM):
        return Content.filler(f"random {inode.ino} {inode.ctime}", size)
    return Content()
