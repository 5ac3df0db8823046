"""POSIX's calls that change what is known of a file: rights, owner, times, length, extended attributes."""

from __future__ import annotations

import stat

from labkit.files import errno
from labkit.files.contents import failure
from labkit.files.inodes import DIRECTORY, REGULAR, S_IFMT, Inode, Place
from labkit.files.paths import LARGEST, R_OK, W_OK, Paths, write_data


class Attributes(Paths):
    """The calls, on paths."""

    __slots__ = ()

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
        if size > LARGEST:
            raise failure(errno.EFBIG, path)
        self._need_not_running(place, path)
        write_data(self.store, system, place.node, self.store.content(inode).truncate(size))

    def getxattr(self, path: str, name: str, follow: bool = True) -> bytes:
        place = self.find(path, follow=follow)
        self._need_xattr(place, name, path, writing=False)
        value = (place.mount.source.system.get(place.node).xattrs or {}).get(name)
        if value is None:
            raise failure(errno.ENODATA, path)
        return value

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
