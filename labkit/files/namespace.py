"""Mount namespaces and the POSIX calls: the only way in which anything gets at files.

A Namespace is a table of mounts by path. Files is one user's view of it, with a current folder and a umask; its methods
are POSIX's calls under POSIX's names, and their failures are OSError with the kernel's errno.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator

from labkit.files import errno
from labkit.files.attributes import Attributes
from labkit.files.contents import Content, failure
from labkit.files.inodes import (
    DIRECTORY,
    REGULAR,
    S_IFMT,
    SYMLINK,
    FileData,
    FileNode,
    Generated,
    Inode,
    Place,
    Source,
    Store,
)
from labkit.files.paths import (
    MAX_LINKS,
    O_ACCMODE,
    O_APPEND,
    O_CREAT,
    O_DIRECTORY,
    O_EXCL,
    O_NOFOLLOW,
    O_RDONLY,
    O_TRUNC,
    O_WRONLY,
    R_OK,
    ROOT,
    W_OK,
    X_OK,
    Handle,
    MountTable,
    Stat,
    User,
    stat_of,
    write_data,
)
from labkit.files.union import Tree

_OPEN_STEPS = 3  # that opening a file takes


class Namespace(MountTable):
    """A table of mounts by path, and who looks at it."""

    def files(self, user: User = ROOT, umask: int = 0o022, cwd: str = "/") -> Files:
        return Files(self, user, umask, cwd)


class Files(Attributes):
    """One user's view of a namespace: POSIX's calls. Paths are absolute, or start from `cwd`."""

    __slots__ = ()
    namespace: Namespace

    def copy(self) -> Files:
        """Another view of the same namespace, with a current folder and umask of its own."""
        return Files(self.namespace, self.user, self.umask, self.cwd)

    def as_user(self, user: User) -> Files:
        return Files(self.namespace, user, self.umask, self.cwd)

    # looking

    def stat(self, path: str) -> Stat:
        return self._stat(self.find(path))

    def lstat(self, path: str) -> Stat:
        return self._stat(self.find(path, follow=False))

    def _stat(self, place: Place) -> Stat:
        return stat_of(self.store, place.mount.source.system, place.node)

    def mode(self, path: str) -> int:
        """Type and permissions."""
        place = self.find(path)
        return place.mount.source.system.get(place.node).mode

    def listdir(self, path: str = ".") -> list[str]:
        """The names in a folder, sorted."""
        place = self.find(path)
        self._need_folder(place, path)
        system = place.mount.source.system
        if self.user.uid and not self._may(system.get(place.node), R_OK):
            raise failure(errno.EACCES, path)
        return sorted(system.names(place.node))

    def readlink(self, path: str) -> str:
        place = self.find(path, follow=False)
        inode = place.mount.source.system.get(place.node)
        if inode.mode & S_IFMT != SYMLINK:
            raise failure(errno.EINVAL, path)
        return inode.target

    def realpath(self, path: str) -> str:
        """The path without links, `.` and `..`; all of it must exist."""
        return self.find(path).path

    def access(self, path: str, mode: int) -> bool:
        """Whether this user may read (4), write (2), execute (1); 0: whether it exists."""
        try:
            place = self.find(path)
        except OSError:
            return False
        if mode & W_OK and place.mount.readonly:
            return False
        return self._may(place.mount.source.system.get(place.node), mode)

    def exists(self, path: str) -> bool:
        return self.access(path, 0)

    def is_dir(self, path: str) -> bool:
        try:
            return stat.S_ISDIR(self.mode(path))
        except OSError:
            return False

    def may_have(self, folder: str, name: str) -> bool:
        """Whether a look at folder/name is worth it: quicker than the look where the answer is no, as it often is."""
        if self.user.uid:
            return True
        namespace = self.namespace
        place = namespace.found.get((folder, True)) if namespace.found_version == self.store.version else None
        if place is None:
            above, _, last = folder.rpartition("/")
            if folder[:1] == "/" and last not in ("", ".", "..") and not self.may_have(above or "/", last):
                return False
            try:
                place = self.find(folder)
            except OSError:
                return False
        system = place.mount.source.system
        return not system.get(place.node).is_dir or system.lookup(place.node, name) is not None

    def chdir(self, path: str) -> None:
        place = self.find(path)
        self._need_folder(place, path)
        if not self._may(place.mount.source.system.get(place.node), X_OK):
            raise failure(errno.EACCES, path)
        self.cwd = place.path

    def inode(self, path: str) -> Inode:
        """What lies at a path of an ordinary file system."""
        node = self.find(path).node
        assert isinstance(node, Inode)
        return node

    def source(self, path: str) -> Source:
        """What lies at a path, to be mounted elsewhere (a bind mount)."""
        place = self.find(path)
        return Source(place.mount.source.system, place.node, place.mount.readonly)

    # opening

    def open(self, path: str, flags: int = O_RDONLY, mode: int = 0o666) -> Handle:
        self.store.meter(_OPEN_STEPS)
        place = self._existing(path, flags) if flags & O_CREAT else self._find_to_open(path, flags)
        if place is None:
            place = self._create(path, mode)
            return Handle(self.store, place, flags & ~O_TRUNC)
        if flags & O_CREAT and flags & O_EXCL:
            raise failure(errno.EEXIST, path)
        system = place.mount.source.system
        inode = system.get(place.node)
        kind = inode.mode & S_IFMT
        if kind == DIRECTORY:
            if flags & O_ACCMODE or flags & O_CREAT:
                raise failure(errno.EISDIR, path)
        elif flags & O_DIRECTORY:
            raise failure(errno.ENOTDIR, path)
        want = (R_OK, W_OK, R_OK | W_OK, 0)[flags & O_ACCMODE] | (W_OK if flags & O_TRUNC else 0)
        if want & W_OK and kind == REGULAR:
            self._need_writable(place, path)
        if self.user.uid and not self._may(inode, want):
            raise failure(errno.EACCES, path)
        if kind == REGULAR and want & W_OK:
            self._need_not_running(place, path)
            system.prepare_write(place.node, keep=not flags & O_TRUNC)
            if flags & O_TRUNC:
                write_data(self.store, system, place.node, Content())
        return Handle(self.store, place, flags)

    def _find_to_open(self, path: str, flags: int) -> Place:
        place = self.find(path, follow=not flags & O_NOFOLLOW)
        if place.mount.source.system.get(place.node).mode & S_IFMT == SYMLINK:
            raise failure(errno.ELOOP, path)
        return place

    def _existing(self, path: str, flags: int) -> Place | None:
        if path.endswith("/") and path.strip("/"):
            self._find_parent(path)
            raise failure(errno.EISDIR, path)
        try:
            return self.find(path, follow=not flags & O_EXCL)
        except FileNotFoundError:
            return None

    def _create(self, path: str, mode: int, links: int = 0) -> Place:
        """A new regular file; through a symbolic link that leads nowhere, the file that it names."""
        if links > MAX_LINKS:
            raise failure(errno.ELOOP, path)
        parent, name = self._find_parent(path)
        dangling = self._child(parent, name)
        if dangling is not None:
            target = parent.mount.source.system.get(dangling).target
            return self._create(target if target[0] == "/" else self._child_path(parent, target), mode, links + 1)
        node = self._make(parent, name, REGULAR | mode & 0o7777 & ~self.umask, path)
        return Place(parent.mount, node, self._child_path(parent, name))

    def _make(self, parent: Place, name: str, mode: int, path: str, data: FileData = None, rdev: int = 0) -> FileNode:
        """A new file of any type, with the rights, owner and group that the kernel gives it."""
        system = parent.mount.source.system
        if name in (".", "..", "/") or self._child(parent, name) is not None:
            raise failure(errno.EEXIST, path)
        if path.endswith("/") and mode & S_IFMT != DIRECTORY:
            raise failure(errno.ENOENT, path)
        self._need_change_of(parent, path)
        folder = system.get(parent.node)
        if folder.nlink == 0:
            raise failure(errno.ENOENT, path)
        gid = self.user.gid
        if folder.mode & stat.S_ISGID:
            gid = folder.gid
            if mode & S_IFMT == DIRECTORY:
                mode |= stat.S_ISGID
        try:
            return system.make(parent.node, name, mode, self.user.uid, gid, data, rdev)
        except OSError as error:
            raise failure(error.errno or errno.EIO, path) from None

    # changing names

    def mkdir(self, path: str, mode: int = 0o777) -> None:
        parent, name = self._find_parent(path)
        self._make(parent, name, DIRECTORY | mode & 0o1777 & ~self.umask, path)

    def mknod(self, path: str, mode: int = 0o600 | REGULAR, rdev: int = 0) -> None:
        """A file of the type that `mode` says; regular where it says none."""
        parent, name = self._find_parent(path)
        kind = mode & S_IFMT or REGULAR
        if kind in (stat.S_IFCHR, stat.S_IFBLK) and self.user.uid:
            raise failure(errno.EPERM, path)
        if kind in (DIRECTORY, SYMLINK):
            raise failure(errno.EPERM if kind == DIRECTORY else errno.EINVAL, path)
        self._make(parent, name, kind | mode & 0o7777 & ~self.umask, path, rdev=rdev)

    def mkfifo(self, path: str, mode: int = 0o666) -> None:
        self.mknod(path, stat.S_IFIFO | mode)

    def symlink(self, target: str, path: str) -> None:
        if not target:
            raise failure(errno.ENOENT, target, path)
        parent, name = self._find_parent(path)
        self._make(parent, name, SYMLINK | 0o777, path, data=target)

    def _to_remove(self, path: str) -> tuple[Place, str, FileNode | None]:
        parent, name = self._find_parent(path)
        node = self._child(parent, name) if name not in (".", "..", "/") else None
        if node is None and name not in (".", "..", "/"):
            raise failure(errno.ENOENT, path)
        return parent, name, node

    def _is_mount_point(self, parent: Place, name: str) -> bool:
        """Whether something is mounted there in this namespace, by whatever path (kernel, is_local_mountpoint)."""
        if self.namespace.top(self._child_path(parent, name)):
            return True
        system, ending = parent.mount.source.system, f"/{name}"
        for target in self.store.mounts(self.namespace).stacks:
            if target.endswith(ending):
                try:
                    other = Files(self.namespace).find(target[: -len(ending)] or "/")
                except OSError:
                    continue
                if other.mount.source.system.identity(other.node) == system.identity(parent.node):
                    return True
        return False

    def unlink(self, path: str) -> None:
        parent, name, node = self._to_remove(path)
        system = parent.mount.source.system
        if node is None:
            raise failure(errno.EISDIR, path)
        if path.endswith("/"):
            raise failure(errno.EISDIR if system.get(node).is_dir else errno.ENOTDIR, path)
        self._need_change_of(parent, path, node)
        if system.get(node).is_dir:
            raise failure(errno.EISDIR, path)
        if self._is_mount_point(parent, name):
            raise failure(errno.EBUSY, path)
        system.remove(parent.node, name)

    def rmdir(self, path: str) -> None:
        parent, name, node = self._to_remove(path)
        system = parent.mount.source.system
        if node is None:
            raise failure({".": errno.EINVAL, "..": errno.ENOTEMPTY}.get(name, errno.EBUSY), path)
        self._need_change_of(parent, path, node)
        if not system.get(node).is_dir:
            raise failure(errno.ENOTDIR, path)
        if self._is_mount_point(parent, name):
            raise failure(errno.EBUSY, path)
        if not system.is_empty(node):
            raise failure(errno.ENOTEMPTY, path)
        system.remove(parent.node, name)

    def link(self, path: str, other: str) -> None:
        place = self.find(path, follow=False)
        parent, name = self._find_parent(other)
        system = place.mount.source.system
        if name in (".", "..", "/") or self._child(parent, name) is not None:
            raise failure(errno.EEXIST, path, other)
        if other.endswith("/"):
            raise failure(errno.ENOENT, path, other)
        self._need_writable(parent, path)
        if place.mount is not parent.mount:
            raise failure(errno.EXDEV, path, other)
        self._need_change_of(parent, path)
        if system.get(place.node).is_dir:
            raise failure(errno.EPERM, path, other)
        system.link(place.node, parent.node, name)

    def rename(self, path: str, other: str) -> None:
        self._find_parent(path)
        to, to_name = self._find_parent(other)
        parent, name, node = self._to_remove(path)
        system = parent.mount.source.system
        if node is None or to_name in (".", "..", "/"):
            raise failure(errno.EBUSY, path, other)
        if parent.mount is not to.mount:
            raise failure(errno.EXDEV, path, other)
        target = self._child(to, to_name)
        moved = system.get(node)
        if moved.is_dir and system.is_inside(to.node, node):
            raise failure(errno.EINVAL, path, other)
        if target is not None and system.is_inside(parent.node, target):
            raise failure(errno.ENOTEMPTY, path, other)
        replaced = system.get(target) if target is not None else None
        into_folder = replaced is not None and replaced.is_dir
        if not moved.is_dir and (path.endswith("/") or (not into_folder and other.endswith("/"))):
            raise failure(errno.ENOTDIR, path, other)
        if replaced is not None and replaced.born is moved.born:
            return
        self._need_change_of(parent, path, node)
        self._need_change_of(to, path, target)
        if replaced is not None and moved.is_dir != replaced.is_dir:
            raise failure(errno.ENOTDIR if moved.is_dir else errno.EISDIR, path, other)
        if moved.is_dir and to.node is not parent.node and not self._may(moved, W_OK):
            raise failure(errno.EACCES, path, other)  # its `..` changes
        for place, last in ((parent, name), (to, to_name)):
            if self._is_mount_point(place, last):
                raise failure(errno.EBUSY, path, other)
        if moved.is_dir and not system.can_move_folder(node):
            raise failure(errno.EXDEV, path, other)
        if target is not None and system.get(target).is_dir and not system.is_empty(target):
            raise failure(errno.ENOTEMPTY, path, other)
        system.rename(parent.node, name, to.node, to_name)

    # conveniences over the calls

    def content(self, path: str) -> Content:
        """All of a file, sparse."""
        with self.open(path) as handle:
            return handle.read_content()

    def read(self, path: str) -> bytes:
        return bytes(self.content(path))

    def write(self, path: str, data: bytes | str | Content, mode: int = 0o666) -> None:
        """Make a file or replace what is in it."""
        self._put(path, O_WRONLY | O_CREAT | O_TRUNC, data, mode)

    def append(self, path: str, data: bytes | str | Content) -> None:
        self._put(path, O_WRONLY | O_CREAT | O_APPEND, data, 0o666)

    def _put(self, path: str, flags: int, data: bytes | str | Content, mode: int) -> None:
        with self.open(path, flags, mode) as handle:
            handle.write_content(data if isinstance(data, Content) else Content(data))

    def write_generated(self, path: str, kind: str, *args: str, mode: int = 0o644) -> None:
        """A file whose content is computed whenever it is looked at, by store.generators[kind](*args)."""
        parent, name = self._find_parent(path)
        if self._child(parent, name) is not None:
            self.unlink(path)
        self._make(parent, name, REGULAR | mode, path, data=Generated(kind, args))

    def makedirs(self, path: str, mode: int = 0o755) -> None:
        """Make a folder and those above it; those that are there stay as they are."""
        done = "" if path.startswith("/") else "."
        for name in path.split("/"):
            if not name:
                continue
            done = f"{done}/{name}"
            if not self.is_dir(done):
                self.mkdir(done, mode)
                self.chmod(done, mode)

    def walk(self, path: str) -> Iterator[tuple[str, list[str], list[str]]]:
        """As os.walk, from the top, symbolic links not followed; names sorted."""
        folders: list[str] = []
        others: list[str] = []
        for name in self.listdir(path):
            inside = f"{path.rstrip('/')}/{name}"
            (folders if stat.S_ISDIR(self.lstat(inside).st_mode) else others).append(name)
        yield path, folders, others
        for name in folders:
            yield from self.walk(f"{path.rstrip('/')}/{name}")

    def rmtree(self, path: str) -> None:
        """Remove a file, or a folder with all in it."""
        if not stat.S_ISDIR(self.lstat(path).st_mode):
            self.unlink(path)
            return
        for name in self.listdir(path):
            self.rmtree(f"{path.rstrip('/')}/{name}")
        self.rmdir(path)


def tmpfs(store: Store, size: int | None = None, mode: int = 0o1777, uid: int = 0, gid: int = 0) -> Source:
    """An empty file system in memory; `size`: bytes that fit."""
    root = store.new(DIRECTORY | mode, uid, gid)
    root.parent = None
    return Source(Tree(store, root, store.new_device(), limit=size), None)


MOST = 500  # paths


def paths(files: Files, begun: str) -> list[str]:
    """The paths that begin so, written as that is; a folder ends in /. Hidden names only where a dot was typed."""
    folder, slash, start = begun.rpartition("/")
    try:
        names = files.listdir(folder + slash or ".")
    except OSError:
        return []
    found = [name for name in names if name.startswith(start) and (start or not name.startswith("."))][:MOST]
    return [f"{folder}{slash}{name}{'/' * files.is_dir(f'{folder}{slash}{name}')}" for name in found]
