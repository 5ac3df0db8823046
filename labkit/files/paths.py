"""Where a path leads, and what a user may do there: mounts, symbolic links and rights on the way.

Stands on mounts.py; the systems that are mounted know nothing of paths, users or mounts.
"""

from __future__ import annotations

import errno
import stat
from typing import NamedTuple, Unpack

from labkit.files.errors import failure
from labkit.files.handles import W_OK, X_OK
from labkit.files.inodes import DIRECTORY, S_IFMT, SYMLINK, FileNode, Inode
from labkit.files.mounts import Mount, MountAbout, Place, Source
from labkit.files.store import Store

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

    def mount(self, target: str, source: Source, **about: Unpack[MountAbout]) -> Mount:
        """Mount a source on a path. The path must exist, but that is not checked here."""
        table = self.store.change_mounts(self)
        table.count += 1
        about["readonly"] = about.get("readonly", False) or source.readonly
        mount = Mount(target, source, table.count, **about)
        table.stacks.set(target, (*table.get(target, ()), mount))
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
        self._need_folder(parent, asked)
        mount = parent.mount
        system = mount.source.system
        node = system.lookup(parent.node, name)
        if node is None:
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
