"""Where a path leads and what a user may do there: mounts, symbolic links, rights; and the files that are open.

The systems that are mounted know nothing of paths, users or mounts. Access times are not kept up (noatime).
"""

from __future__ import annotations

import stat
from typing import NamedTuple, Unpack

from labkit.files import errno
from labkit.files.contents import PAGE, Content, failure
from labkit.files.inodes import (
    DIRECTORY,
    REGULAR,
    S_IFMT,
    SYMLINK,
    FileNode,
    FileSystem,
    Inode,
    Mount,
    MountAbout,
    Place,
    Source,
    Store,
)

O_RDONLY, O_WRONLY, O_RDWR, O_ACCMODE = 0, 1, 2, 3  # Linux' numbers, on every platform
O_CREAT, O_EXCL, O_NOCTTY, O_TRUNC, O_APPEND = 0o100, 0o200, 0o400, 0o1000, 0o2000
O_DIRECTORY, O_NOFOLLOW = 0o200000, 0o400000
R_OK, W_OK, X_OK = 4, 2, 1
LARGEST = 1 << 44  # bytes of a file on ext4 with blocks of 4 KiB
_ELF = b"\x7fELF"  # the first bytes of a program; a script that runs is only read
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
    store.meter(len(data.pieces) >> 1)
    if system.limit is not None:
        system.room_for(data.allocated - store.content(system.get(node)).allocated, node, data)
    inode = system.change(node)
    inode.data = data
    inode.mtime = inode.ctime = store.clock.now


class Handle:
    """An open file: it keeps its place, and its file even when the name goes away."""

    __slots__ = ("_flags", "_node", "_position", "_store", "_system", "closed", "place")

    def __init__(self, store: Store, place: Place, flags: int) -> None:
        self._store = store
        self._system = place.mount.source.system
        self._node = place.node
        self.place = place  # what was opened
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
        if (device := _device_read(self._inode(), size)) is not None:
            return device
        start = self._position
        end = data.size if size < 0 else min(data.size, start + size)
        self._position = max(start, end)
        return data[start:end]  # type: ignore[return-value]

    def read(self, size: int = -1) -> bytes:
        data = self._data(R_OK)
        if (device := _device_read(self._inode(), size)) is not None:
            return bytes(device)
        piece = data.read(self._position, data.size - self._position if size < 0 else size)
        self._position += len(piece)
        return piece

    def write_content(self, data: Content) -> int:
        """All of it, or what has room, and then the error."""
        written = self.write_some(data)
        while written < data.size:
            written += self.write_some(data[written:])  # type: ignore[arg-type]
        return written

    def write_some(self, data: Content) -> int:
        """As write(2): how many bytes were written. A full file system takes whole pages, and raises if it has none."""
        try:
            return self._write(data)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
        start = self._data(W_OK).size if self._flags & O_APPEND else self._position
        fits, pages = 0, data.size // PAGE + 1
        while pages:  # the most pages that find room, by halves
            size = (start // PAGE + fits + pages) * PAGE - start
            if 0 < size < data.size and self._has_room(data, start, size):
                fits += pages
            else:
                pages //= 2
        size = (start // PAGE + fits) * PAGE - start
        if not fits or size <= 0:
            raise failure(errno.ENOSPC)
        return self._write(data[:size])  # type: ignore[arg-type]

    def _has_room(self, data: Content, start: int, size: int) -> bool:
        old = self._data(W_OK)
        new = old.write(start, data[:size])  # type: ignore[arg-type]
        try:
            self._system.room_for(new.allocated - old.allocated, self._node, new)
        except OSError:
            return False
        return True

    def _write(self, data: Content) -> int:
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

    def writes(self, place: Place) -> bool:
        """Whether this file is open for writing here."""
        if self.closed or not self._flags & O_ACCMODE:
            return False
        return self._system.identity(self._node) == place.mount.source.system.identity(place.node)

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


MAX_LINKS = 40  # symbolic links in one path (kernel, MAXSYMLINKS)
_NAME_MAX, _PATH_MAX = 255, 4096
_DEEP = 40  # names in a path, above which a look-up is metered
_REMEMBERED = 50_000  # places


class User(NamedTuple):
    """Who asks: numbers only."""

    uid: int = 0
    gid: int = 0
    groups: tuple[int, ...] = ()


ROOT = User()


class MountTable:
    """The mounts of one namespace. The last one on a path hides those before it."""

    def __init__(self, store: Store, root: Source, **about: Unpack[MountAbout]) -> None:
        self.store = store
        self.found: dict[tuple[str, bool], Place] = {}
        self.found_version = -1
        self.mount("/", root, **about)

    def mount(self, target: str, source: Source, *, new: bool = False, **about: Unpack[MountAbout]) -> Mount:
        """Mount a source on a path, which must exist, though that is not checked here; `new`: it was just made."""
        table = self.store.change_mounts(self)
        table.count += 1
        about["readonly"] = about.get("readonly", False) or source.readonly
        mount = Mount(target, source, table.count, **about)
        table.stacks.set(target, (*table.get(target, ()), mount))
        if not new or (target, True) in self.found or (target, False) in self.found:
            self.found = {}
        return mount

    def remount(self, target: str, *, readonly: bool, options: tuple[str, ...]) -> None:
        """Change the last mount on a path (mount -o remount)."""
        stacks = self.store.change_mounts(self).stacks
        *before, last = stacks[target]
        stacks.set(target, (*before, last.again(readonly=readonly, options=options)))
        self.found = {}

    def umount(self, target: str) -> None:
        """Take the last mount on a path away."""
        stacks = self.store.change_mounts(self).stacks
        left = stacks.get(target, ())[:-1]
        if left:
            stacks.set(target, left)
        elif target in stacks:
            stacks.delete(target)
        self.found = {}

    def discard(self) -> None:
        """Forget the whole table: nobody is in this namespace any more."""
        self.store.drop_mounts(self)

    @property
    def mounts(self) -> list[Mount]:
        """All mounts, in the order of mounting."""
        return sorted(self.store.mounts(self), key=lambda mount: mount.number)

    def top(self, path: str) -> Mount | None:
        """The mount that is seen on this path, if there is one."""
        stack = self.store.mounts(self).get(path)
        return stack[-1] if stack else None


class Paths:
    """Where paths lead for one user. They are absolute, or start from `cwd`."""

    __slots__ = ("cwd", "namespace", "store", "umask", "user")

    def __init__(self, namespace: MountTable, user: User = ROOT, umask: int = 0o022, cwd: str = "/") -> None:
        self.namespace = namespace
        self.store = namespace.store
        self.user = user
        self.umask = umask
        self.cwd = cwd

    # finding

    def find(self, path: str, *, follow: bool = True) -> Place:
        """Where a path leads; `follow`: through a symbolic link at its end too."""
        if not path:
            raise failure(errno.ENOENT, path)
        full = path if path[0] == "/" else f"{self.cwd}/{path}"
        if self.user.uid:
            return self._walk(full, path, follow)
        namespace = self.namespace
        found = namespace.found
        if namespace.found_version != self.store.version or len(found) > _REMEMBERED:
            found = namespace.found = {}
            namespace.found_version = self.store.version
        place = found.get((full, follow))
        if place is None:
            place = self._step(found, full, path, follow)
            if self.store.version == namespace.found_version:
                found[(full, follow)] = place
        return place

    def _step(self, found: dict[tuple[str, bool], Place], full: str, asked: str, follow: bool) -> Place:
        """As `_walk`, for root: one look-up in the folder, which is remembered."""
        folder, _, name = full.rpartition("/")
        if not folder or name in ("", ".", "..") or len(name) > _NAME_MAX or len(asked) >= _PATH_MAX:
            return self._walk(full, asked, follow)
        parent = found.get((folder, True))
        if parent is None:
            parent = self._walk(folder, asked, True)
            if self.store.version == self.namespace.found_version:
                found[(folder, True)] = parent
        mount = parent.mount
        system = mount.source.system
        node = system.lookup(parent.node, name)
        if node is None:
            self._need_folder(parent, asked)
            raise failure(errno.ENOENT, asked)
        path = f"{parent.path}/{name}" if parent.path != "/" else f"/{name}"
        covering = self.store.mounts(self.namespace).get(path)
        if covering:
            return Place(covering[-1], covering[-1].root, path)
        if follow and system.get(node).mode & S_IFMT == SYMLINK:
            return self._walk(full, asked, follow)
        return Place(mount, node, path)

    def _walk(self, full: str, asked: str, follow: bool) -> Place:
        if len(asked) >= _PATH_MAX:
            raise failure(errno.ENAMETOOLONG, asked)
        table = self.store.mounts(self.namespace)
        mount = table.stacks["/"][-1]
        trail: list[Place] = [Place(mount, mount.root, "/")]
        names = full.split("/")
        names.reverse()
        links = 0
        if len(names) > _DEEP:
            self.store.meter(len(names))
        while names:
            name = names.pop()
            if not name or name == ".":
                if not names and trail[-1].path != "/":
                    self._need_folder(trail[-1], asked)
                continue
            here = trail[-1]
            if name == ".." or self.user.uid or len(name) > _NAME_MAX:
                self._need_folder(here, asked)
            if self.user.uid and not self._may(here.mount.source.system.get(here.node), X_OK):
                raise failure(errno.EACCES, asked)
            if name == "..":
                if len(trail) > 1:
                    trail.pop()
                continue
            if len(name) > _NAME_MAX:
                raise failure(errno.ENAMETOOLONG, asked)
            system = here.mount.source.system
            node = system.lookup(here.node, name)
            if node is None:
                self._need_folder(here, asked)
                raise failure(errno.ENOENT, asked)
            path = f"{here.path}/{name}" if here.path != "/" else f"/{name}"
            covering = table.get(path)
            if covering:
                mount = covering[-1]
                trail.append(Place(mount, mount.root, path))
                continue
            inode = system.get(node)
            if inode.mode & S_IFMT == SYMLINK and (names or follow):
                links += 1
                if links > MAX_LINKS:
                    raise failure(errno.ELOOP, asked)
                target = inode.target
                if not target:
                    raise failure(errno.ENOENT, asked)
                if target[0] == "/":
                    del trail[1:]
                names.extend(reversed(target.split("/")))
                continue
            trail.append(Place(here.mount, node, path))
        return trail[-1]

    def _need_folder(self, place: Place, asked: str) -> None:
        if place.mount.source.system.get(place.node).mode & S_IFMT != DIRECTORY:
            raise failure(errno.ENOTDIR, asked)

    def _find_parent(self, path: str) -> tuple[Place, str]:
        """The folder that a name is made in or taken from, and the name."""
        stripped = path.rstrip("/")
        folder, _, name = stripped.rpartition("/")
        if not stripped:
            return self.find("/" if path else path), "/"
        parent = self.find(folder or ("/" if stripped[0] == "/" else "."))
        self._need_folder(parent, path)
        if self.user.uid and not self._may(parent.mount.source.system.get(parent.node), X_OK):
            raise failure(errno.EACCES, path)
        if len(name) > _NAME_MAX:
            raise failure(errno.ENAMETOOLONG, path)
        return parent, name

    def _child_path(self, parent: Place, name: str) -> str:
        return f"{parent.path}/{name}" if parent.path != "/" else f"/{name}"

    def _child(self, parent: Place, name: str) -> FileNode | None:
        """The node under a name, or None. It may be covered by a mount."""
        return parent.mount.source.system.lookup(parent.node, name)

    # rights

    def _may(self, inode: Inode, want: int) -> bool:
        user = self.user
        if user.uid == 0:
            return not want & X_OK or inode.is_dir or bool(inode.mode & 0o111)
        if inode.uid == user.uid:
            granted = inode.mode >> 6
        elif inode.gid == user.gid or inode.gid in user.groups:
            granted = inode.mode >> 3
        else:
            granted = inode.mode
        return want & granted & 7 == want

    def _need_writable(self, place: Place, path: str) -> None:
        if place.mount.readonly:
            raise failure(errno.EROFS, path)

    def _need_not_running(self, place: Place, path: str) -> None:
        """A program that runs is not written to, whatever its rights (kernel, execve(2) and open(2): ETXTBSY)."""
        system = place.mount.source.system
        data = system.get(place.node).data
        if type(data) is not Content or not data.startswith(_ELF):
            return
        own = system.identity(place.node)
        if any(other.mount.source.system.identity(other.node) == own for other in self.store.running()):
            raise failure(errno.ETXTBSY, path)

    def _need_owner(self, place: Place, path: str) -> None:
        if self.user.uid not in (0, place.mount.source.system.get(place.node).uid):
            raise failure(errno.EPERM, path)

    def _need_change_of(self, parent: Place, path: str, node: FileNode | None = None) -> None:
        """The right to change a folder's names; `node`: the one that is taken away or replaced (sticky bit)."""
        self._need_writable(parent, path)
        system = parent.mount.source.system
        folder = system.get(parent.node)
        if not self._may(folder, W_OK | X_OK):
            raise failure(errno.EACCES, path)
        if (
            node is not None
            and folder.mode & stat.S_ISVTX
            and self.user.uid not in (0, folder.uid, system.get(node).uid)
        ):
            raise failure(errno.EPERM, path)
