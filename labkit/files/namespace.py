"""Mount namespaces and the POSIX calls: the only way in which anything gets at files.

A Namespace is a table of mounts by path. Files is one user's view of it, with a current folder and a umask; its methods
are POSIX's calls under POSIX's names, and their failures are OSError with the kernel's errno. Handle is an open file.
Stands on tree.py and union.py, which know nothing of paths, users or mounts. Access times are not kept up (noatime).
"""

from __future__ import annotations

import errno
import stat
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from labkit.files.contents import Content
from labkit.files.errors import failure
from labkit.files.persistent import Map
from labkit.files.tree import DIRECTORY, REGULAR, S_IFMT, SYMLINK, Generated, Inode, Store, Tree

O_RDONLY, O_WRONLY, O_RDWR, O_ACCMODE = 0, 1, 2, 3  # Linux' numbers, on every platform
O_CREAT, O_EXCL, O_NOCTTY, O_TRUNC, O_APPEND = 0o100, 0o200, 0o400, 0o1000, 0o2000
O_DIRECTORY, O_NOFOLLOW = 0o200000, 0o400000
R_OK, W_OK, X_OK = 4, 2, 1
_MAX_LINKS = 40  # symbolic links in one path (kernel, MAXSYMLINKS)
_NAME_MAX, _PATH_MAX = 255, 4096
_DEEP = 40  # names in a path, above which a look-up is metered
_FREE = 256  # bytes of one write that are not metered
_REMEMBERED = 50_000  # places
_LARGEST = 1 << 44  # bytes of a file on ext4 with blocks of 4 KiB


class User(NamedTuple):
    """Who asks: numbers only."""

    uid: int = 0
    gid: int = 0
    groups: tuple[int, ...] = ()


ROOT = User()


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


class Source(NamedTuple):
    """What can be mounted: a node of a file system (Tree or Overlay)."""

    system: Any
    node: Any  # None: the system's root, whatever it is at the time
    readonly: bool = False


class Mount:
    """One mount, never changed. `hidden` ones do not show in /proc/mounts; `number`: in the order of mounting."""

    __slots__ = ("_options", "device", "fstype", "hidden", "number", "propagation", "readonly", "source", "target")

    def __init__(
        self,
        target: str,
        source: Source,
        number: int,
        *,
        device: str = "/dev/vda1",
        fstype: str = "ext4",
        options: tuple[str, ...] | Callable[[], tuple[str, ...]] = ("rw", "relatime"),
        readonly: bool = False,
        propagation: str = "rprivate",
        hidden: bool = False,
    ) -> None:
        self.target = target
        self.source = source
        self.number = number
        self.device = device
        self.fstype = fstype
        self._options = options  # a function where they are long and seldom looked at
        self.readonly = readonly
        self.propagation = propagation
        self.hidden = hidden

    @property
    def options(self) -> tuple[str, ...]:
        return self._options() if callable(self._options) else self._options

    @property
    def root(self) -> Any:
        return self.source.system.root if self.source.node is None else self.source.node


class Place(NamedTuple):
    """Where a path leads: the mount, the node, and the path without links, `.` and `..`."""

    mount: Mount
    node: Any
    path: str


class Namespace:
    """A table of mounts by path. The last one on a path hides those before it."""

    def __init__(self, store: Store, root: Source, **about: Any) -> None:
        self.store = store
        self._found: dict[tuple[str, bool], Place] = {}
        self._found_version = -1
        self.mount("/", root, **about)

    def mount(self, target: str, source: Source, **about: Any) -> Mount:
        """Mount a source on a path; `about`: the fields of Mount. The path must exist, but that is not checked here."""
        table = self.store.change_table(self)
        number = table.get("", 0) + 1
        about["readonly"] = about.get("readonly", False) or source.readonly
        mount = Mount(target, source, number, **about)
        table.set("", number)
        table.set(target, (*table.get(target, ()), mount))
        self._found = {}
        return mount

    def remount(self, target: str, *, readonly: bool, options: tuple[str, ...]) -> None:
        """Change the last mount on a path (mount -o remount)."""
        table: Map[str, tuple[Mount, ...]] = self.store.change_table(self)
        *before, last = table[target]
        about: dict[str, Any] = {
            "device": last.device,
            "fstype": last.fstype,
            "propagation": last.propagation,
            "hidden": last.hidden,
        }
        mount = Mount(target, last.source, last.number, readonly=readonly, options=options, **about)
        table.set(target, (*before, mount))
        self._found = {}

    def umount(self, target: str) -> None:
        """Take the last mount on a path away."""
        table = self.store.change_table(self)
        left = table.get(target, ())[:-1]
        if left:
            table.set(target, left)
        elif target in table:
            table.delete(target)
        self._found = {}

    def discard(self) -> None:
        """Forget the whole table: nobody is in this namespace any more."""
        self.store.drop_table(self)

    @property
    def mounts(self) -> list[Mount]:
        """All mounts, in the order of mounting."""
        table: Map[str, Any] = self.store.table(self) or Map()
        found = [mount for target, stack in table.items() if target for mount in stack]
        return sorted(found, key=lambda mount: mount.number)

    def top(self, path: str) -> Mount | None:
        """The mount that is seen on this path, if there is one."""
        stack = self.store.table(self).get(path)
        return stack[-1] if stack else None

    def files(self, user: User = ROOT, umask: int = 0o022, cwd: str = "/") -> Files:
        return Files(self, user, umask, cwd)


class Files:
    """One user's view of a namespace: POSIX's calls. Paths are absolute, or start from `cwd`."""

    __slots__ = ("cwd", "namespace", "store", "umask", "user")

    def __init__(self, namespace: Namespace, user: User = ROOT, umask: int = 0o022, cwd: str = "/") -> None:
        self.namespace = namespace
        self.store = namespace.store
        self.user = user
        self.umask = umask
        self.cwd = cwd

    def copy(self) -> Files:
        """Another view of the same namespace, with a current folder and umask of its own."""
        return Files(self.namespace, self.user, self.umask, self.cwd)

    def as_user(self, user: User) -> Files:
        return Files(self.namespace, user, self.umask, self.cwd)

    # finding

    def find(self, path: str, *, follow: bool = True) -> Place:
        """Where a path leads; `follow`: through a symbolic link at its end too."""
        if not path:
            raise failure(errno.ENOENT, path)
        full = path if path[0] == "/" else f"{self.cwd}/{path}"
        if self.user.uid:
            return self._walk(full, path, follow)
        namespace = self.namespace
        found = namespace._found
        if namespace._found_version != self.store.version or len(found) > _REMEMBERED:
            found = namespace._found = {}
            namespace._found_version = self.store.version
        place = found.get((full, follow))
        if place is None:
            place = self._step(found, full, path, follow)
            if self.store.version == namespace._found_version:
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
            if self.store.version == self.namespace._found_version:
                found[(folder, True)] = parent
        self._need_folder(parent, asked)
        mount = parent.mount
        system = mount.source.system
        node = system.lookup(parent.node, name)
        if node is None:
            raise failure(errno.ENOENT, asked)
        path = f"{parent.path}/{name}" if parent.path != "/" else f"/{name}"
        covering = self.store.table(self.namespace).get(path)
        if covering:
            return Place(covering[-1], covering[-1].root, path)
        if follow and system.get(node).mode & S_IFMT == SYMLINK:
            return self._walk(full, asked, follow)
        return Place(mount, node, path)

    def _walk(self, full: str, asked: str, follow: bool) -> Place:
        if len(asked) >= _PATH_MAX:
            raise failure(errno.ENAMETOOLONG, asked)
        table = self.store.table(self.namespace)
        mount: Mount = table.get("/")[-1]
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
                if links > _MAX_LINKS:
                    raise failure(errno.ELOOP, asked)
                target = inode.data
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

    def _child(self, parent: Place, name: str) -> Any:
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

    def _need_owner(self, place: Place, path: str) -> None:
        if self.user.uid not in (0, place.mount.source.system.get(place.node).uid):
            raise failure(errno.EPERM, path)

    def _need_change_of(self, parent: Place, path: str, node: Any = None) -> None:
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

    # looking

    def stat(self, path: str) -> Stat:
        return self._stat(self.find(path))

    def lstat(self, path: str) -> Stat:
        return self._stat(self.find(path, follow=False))

    def _stat(self, place: Place) -> Stat:
        return _stat_of(place.mount.source.system, place.node)

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
        return inode.data  # type: ignore[no-any-return]

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
            return stat.S_ISDIR(self.stat(path).st_mode)
        except OSError:
            return False

    def may_have(self, folder: str, name: str) -> bool:
        """Whether a look at folder/name is worth it: quicker than the look where the answer is no, as it often is."""
        if self.user.uid:
            return True
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

    def source(self, path: str) -> Source:
        """What lies at a path, to be mounted elsewhere (a bind mount)."""
        place = self.find(path)
        return Source(place.mount.source.system, place.node, place.mount.readonly)

    # opening

    def open(self, path: str, flags: int = O_RDONLY, mode: int = 0o666) -> Handle:
        place = self._existing(path, flags) if flags & O_CREAT else self._find_to_open(path, flags)
        if place is None:
            place = self._create(path, mode)
            return Handle(self, place, flags & ~O_TRUNC)
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
        want = (R_OK, W_OK, R_OK | W_OK, 0)[flags & O_ACCMODE]
        if want & W_OK and kind == REGULAR:
            self._need_writable(place, path)
        if self.user.uid and not self._may(inode, want):
            raise failure(errno.EACCES, path)
        if kind == REGULAR and want & W_OK:
            system.prepare_write(place.node, keep=not flags & O_TRUNC)
            if flags & O_TRUNC:
                _write_data(system, place.node, Content())
        return Handle(self, place, flags)

    def _find_to_open(self, path: str, flags: int) -> Place:
        place = self.find(path, follow=not flags & O_NOFOLLOW)
        if place.mount.source.system.get(place.node).mode & S_IFMT == SYMLINK:
            raise failure(errno.ELOOP, path)
        return place

    def _existing(self, path: str, flags: int) -> Place | None:
        try:
            return self.find(path, follow=not flags & O_EXCL)
        except FileNotFoundError:
            if path.endswith("/") and path.strip("/"):
                raise failure(errno.EISDIR, path) from None
            return None

    def _create(self, path: str, mode: int, links: int = 0) -> Place:
        """A new regular file; through a symbolic link that leads nowhere, the file that it names."""
        if links > _MAX_LINKS:
            raise failure(errno.ELOOP, path)
        parent, name = self._find_parent(path)
        dangling = self._child(parent, name)
        if dangling is not None:
            target = parent.mount.source.system.get(dangling).data
            return self._create(target if target[0] == "/" else self._child_path(parent, target), mode, links + 1)
        node = self._make(parent, name, REGULAR | mode & 0o7777 & ~self.umask, path)
        return Place(parent.mount, node, self._child_path(parent, name))

    def _make(self, parent: Place, name: str, mode: int, path: str, data: Any = None, rdev: int = 0) -> Any:
        """A new file of any type, with the rights, owner and group that the kernel gives it."""
        system = parent.mount.source.system
        if name in (".", "..", "/") or self._child(parent, name) is not None:
            raise failure(errno.EEXIST, path)
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

    def _to_remove(self, path: str) -> tuple[Place, str, Any]:
        parent, name = self._find_parent(path)
        node = self._child(parent, name) if name not in (".", "..", "/") else None
        if node is None and name not in (".", "..", "/"):
            raise failure(errno.ENOENT, path)
        return parent, name, node

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
        if self.namespace.top(self._child_path(parent, name)):
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
        if self.namespace.top(self._child_path(parent, name)):
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
        if place.mount is not parent.mount:
            raise failure(errno.EXDEV, path, other)
        if system.get(place.node).is_dir:
            raise failure(errno.EPERM, path, other)
        self._need_change_of(parent, path)
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
        if not moved.is_dir and (path.endswith("/") or (target is None and other.endswith("/"))):
            raise failure(errno.ENOTDIR, path, other)
        replaced = system.get(target) if target is not None else None
        if replaced is not None and replaced.born is moved.born:
            return
        self._need_change_of(parent, path, node)
        self._need_change_of(to, path, target)
        if replaced is not None and moved.is_dir != replaced.is_dir:
            raise failure(errno.ENOTDIR if moved.is_dir else errno.EISDIR, path, other)
        if moved.is_dir and to.node is not parent.node and not self._may(moved, W_OK):
            raise failure(errno.EACCES, path, other)  # its `..` changes
        for place, last in ((parent, name), (to, to_name)):
            if self.namespace.top(self._child_path(place, last)):
                raise failure(errno.EBUSY, path, other)
        if moved.is_dir and not system.can_move_folder(node):
            raise failure(errno.EXDEV, path, other)
        if replaced is not None and replaced.is_dir and not system.is_empty(target):
            raise failure(errno.ENOTEMPTY, path, other)
        system.rename(parent.node, name, to.node, to_name)

    # changing what is known of a file

    def _change(self, path: str, follow: bool, *, owner: bool = True) -> tuple[Place, Inode]:
        place = self.find(path, follow=follow)
        self._need_writable(place, path)
        if owner:
            self._need_owner(place, path)
        inode = place.mount.source.system.change(place.node)
        inode.ctime = self.store.clock.now
        return place, inode

    def chmod(self, path: str, mode: int) -> None:
        _, inode = self._change(path, follow=True)
        mode &= 0o7777
        if self.user.uid and inode.gid != self.user.gid and inode.gid not in self.user.groups:
            mode &= ~stat.S_ISGID
        inode.mode = inode.mode & S_IFMT | mode

    def chown(self, path: str, uid: int, gid: int, follow: bool = True) -> None:
        """-1 leaves the user or the group as it is."""
        place = self.find(path, follow=follow)
        self._need_writable(place, path)
        old = place.mount.source.system.get(place.node)
        user = self.user
        if user.uid:
            own_group = gid in (-1, old.gid, user.gid) or gid in user.groups
            if old.uid != user.uid or uid not in (-1, old.uid) or not own_group:
                raise failure(errno.EPERM, path)
        inode = place.mount.source.system.change(place.node)
        inode.ctime = self.store.clock.now
        inode.uid = inode.uid if uid == -1 else uid
        inode.gid = inode.gid if gid == -1 else gid
        if inode.mode & S_IFMT == REGULAR and inode.mode & 0o111:
            inode.mode &= ~stat.S_ISUID
            if inode.mode & 0o010:
                inode.mode &= ~stat.S_ISGID

    def utime(self, path: str, atime_ns: int | None = None, mtime_ns: int | None = None, follow: bool = True) -> None:
        """Set both times; None stands for now."""
        place = self.find(path, follow=follow)
        self._need_writable(place, path)
        old = place.mount.source.system.get(place.node)
        if self.user.uid not in (0, old.uid):
            now = atime_ns is None and mtime_ns is None
            if not (now and self._may(old, W_OK)):
                raise failure(errno.EACCES if now else errno.EPERM, path)
        inode = place.mount.source.system.change(place.node)
        now_ns = inode.ctime = self.store.clock.now
        inode.atime = now_ns if atime_ns is None else atime_ns
        inode.mtime = now_ns if mtime_ns is None else mtime_ns

    def truncate(self, path: str, size: int) -> None:
        place = self.find(path)
        system = place.mount.source.system
        inode = system.get(place.node)
        if inode.is_dir:
            raise failure(errno.EISDIR, path)
        if inode.mode & S_IFMT != REGULAR or size < 0:
            raise failure(errno.EINVAL, path)
        self._need_writable(place, path)
        if not self._may(inode, W_OK):
            raise failure(errno.EACCES, path)
        if size > _LARGEST:
            raise failure(errno.EFBIG, path)
        _write_data(system, place.node, self.store.content(inode).truncate(size))

    def getxattr(self, path: str, name: str, follow: bool = True) -> bytes:
        place = self.find(path, follow=follow)
        self._need_xattr(place, name, path, writing=False)
        value = (place.mount.source.system.get(place.node).xattrs or {}).get(name)
        if value is None:
            raise failure(errno.ENODATA, path)
        return value  # type: ignore[no-any-return]

    def listxattr(self, path: str, follow: bool = True) -> list[str]:
        place = self.find(path, follow=follow)
        names = sorted(place.mount.source.system.get(place.node).xattrs or ())
        if place.mount.source.system.overlay:  # an overlay shows its lowers' attributes, but never its own marks
            names = [name for name in names if not name.startswith("trusted.overlay.")]
        return [name for name in names if self.user.uid == 0 or not name.startswith("trusted.")]

    def setxattr(self, path: str, name: str, value: bytes, follow: bool = True) -> None:
        place = self.find(path, follow=follow)
        self._need_xattr(place, name, path, writing=True)
        inode = place.mount.source.system.change(place.node)
        inode.xattrs = {**(inode.xattrs or {}), name: bytes(value)}
        inode.ctime = self.store.clock.now
        self._mark_changed(inode)

    def removexattr(self, path: str, name: str, follow: bool = True) -> None:
        place = self.find(path, follow=follow)
        self._need_xattr(place, name, path, writing=True)
        old = place.mount.source.system.get(place.node).xattrs or {}
        if name not in old:
            raise failure(errno.ENODATA, path)
        inode = place.mount.source.system.change(place.node)
        inode.xattrs = {key: value for key, value in old.items() if key != name}
        self._mark_changed(inode)

    def _mark_changed(self, inode: Inode) -> None:
        """An attribute may be the mark of a union mount that this file is a part of."""
        self.store.version += 1
        self.store.tampered += inode.sealed

    def _need_xattr(self, place: Place, name: str, path: str, *, writing: bool) -> None:
        space = name.partition(".")[0]
        if space not in ("user", "trusted", "security", "system") or "." not in name:
            raise failure(errno.EOPNOTSUPP, path)
        if writing:
            self._need_writable(place, path)
        inode = place.mount.source.system.get(place.node)
        if space == "trusted" and self.user.uid:
            raise failure(errno.EPERM if writing else errno.ENODATA, path)
        if space == "user" and inode.mode & S_IFMT not in (REGULAR, DIRECTORY):
            raise failure(errno.EPERM if writing else errno.ENODATA, path)
        if not self._may(inode, W_OK if writing else R_OK):
            raise failure(errno.EACCES, path)

    # conveniences over the calls above

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

    def write_generated(self, path: str, kind: str, *args: Any, mode: int = 0o644) -> None:
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


def _stat_of(system: Any, node: Any) -> Stat:
    inode = system.get(node)
    data = inode.data
    kind = inode.mode & S_IFMT
    if kind == REGULAR:
        if type(data) is Generated:
            data = system.store.content(inode)
        size, blocks = data.size, data.allocated >> 9
    elif kind == DIRECTORY:
        size, blocks = 4096, 8
    else:
        size, blocks = len(data.encode()) if kind == SYMLINK else 0, 0
    return Stat(
        inode.mode, system.number(node), system.device, system.links(node), inode.uid, inode.gid, size, blocks,
        inode.atime, inode.mtime, inode.ctime, inode.rdev,
    )  # fmt: skip


def _write_data(system: Any, node: Any, data: Content) -> None:
    if system.limit is not None:
        system.room_for(data.allocated - system.get(node).data.allocated, node, data)
    inode = system.change(node)
    inode.data = data
    inode.mtime = inode.ctime = system.store.clock.now


class Handle:
    """An open file: it keeps its place, and its file even when the name goes away."""

    __slots__ = ("_files", "_flags", "_node", "_place", "_position", "closed")

    def __init__(self, files: Files, place: Place, flags: int) -> None:
        self._files = files
        self._place = place
        self._node = place.node
        self._flags = flags
        self._position = 0
        self.closed = False

    @property
    def path(self) -> str:
        """Where it was opened, without links."""
        return self._place.path

    @property
    def _system(self) -> Any:
        return self._place.mount.source.system

    def _inode(self) -> Inode:
        if self.closed:
            raise failure(errno.EBADF)
        system = self._system
        if system.overlay and self._node.upper is None:
            system.current(self._node)
        return system.get(self._node)  # type: ignore[no-any-return]

    def _data(self, want: int) -> Content:
        inode = self._inode()
        access = self._flags & O_ACCMODE
        if (access == O_WRONLY and want & R_OK) or (access == O_RDONLY and want & W_OK):
            raise failure(errno.EBADF)
        if inode.is_dir:
            raise failure(errno.EISDIR)
        return self._files.store.content(inode) if inode.mode & S_IFMT == REGULAR else Content()

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
        if start + data.size > _LARGEST:
            raise failure(errno.EFBIG)
        if data.size:
            _write_data(self._system, self._node, old.write(start, data))
        self._position = start + data.size
        return data.size

    def write(self, data: bytes) -> int:
        if len(data) > _FREE:
            self._files.store.meter(len(data) // _FREE)
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
        if size > _LARGEST:
            raise failure(errno.EFBIG)
        _write_data(self._system, self._node, self._data(W_OK).truncate(size))
        return size

    def stat(self) -> Stat:
        self._inode()
        return _stat_of(self._system, self._node)

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


def tmpfs(store: Store, size: int | None = None, mode: int = 0o1777, uid: int = 0, gid: int = 0) -> Source:
    """An empty file system in memory; `size`: bytes that fit."""
    root = store.new(DIRECTORY | mode, uid, gid)
    root.parent = None
    return Source(Tree(store, root, store.new_device(), limit=size), None)
