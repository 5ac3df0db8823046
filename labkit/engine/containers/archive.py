"""Files in and out of containers as tar archives: docker cp's half in the daemon, and docker export.

A container is seen as its root with its volumes and bind mounts, running or not, and from its first start on with the
files of its folder that are mounted at /etc, but without what is in a tmpfs.
Messages: moby, daemon/archive.go, daemon/archive_unix.go, daemon/containerfs_linux.go.
"""

from __future__ import annotations

import posixpath
import stat
from collections.abc import Iterator
from dataclasses import replace

from labkit.engine.containers import creation, oci
from labkit.engine.containers.sandbox import RuntimeFailed, Sandboxes
from labkit.engine.core.core import Core, find
from labkit.engine.core.errors import EngineError, forbidden, invalid, not_found, system
from labkit.engine.core.happened import tell
from labkit.engine.core.records import Container
from labkit.engine.mounts import mounts
from labkit.files import BadArchiveError, Content, Entry, Files, Namespace, Stat, User, errno, failure, layers
from labkit.kernel.golang import text


def stopped_files(core: Core, container: Container) -> Files:
    """The container's root with its volumes and bind mounts on it."""
    mount_id = core.tables.mounts[container.id].mount_id
    source = core.driver.mount(mount_id)
    if not container.state.running:
        core.driver.unmount(mount_id)
    namespace = Namespace(core.host.store, source)
    visible = replace(container, mounts=tuple(mount for mount in container.mounts if mount.type != "tmpfs"))
    visible = replace(visible, host_config={**visible.host_config, "Tmpfs": None})
    try:
        ready = [*mounts.prepare(core, visible), *_network_files(core, container)]
        Sandboxes(core).add(namespace, ready, core.driver.merged_at(mount_id), runs=False)
    except (mounts.OpenFailed, RuntimeFailed) as error:
        raise invalid(str(error)) from None
    finally:
        if not container.state.running:
            mounts.finish(core, visible)
        else:
            mounts.tell_finished(core, visible)
    return namespace.files()


def _network_files(core: Core, container: Container) -> list[mounts.Prepared]:
    if not core.host.exists(f"{container.folder}/hosts"):
        return []
    return [mount for mount in creation.network_mounts(core, container) if not container.mount_at(mount.target)]


def _asked(core: Core, reference: str, path: str) -> Files:
    """The container of a request for a path in it (moby, daemon/server/httputils/form.go, ArchiveFormValues)."""
    if not path:
        raise invalid("bad parameter: path cannot be empty")
    return stopped_files(core, find(core, reference))


def _missing(path: str, reference: str) -> EngineError:
    return not_found(f"Could not find the file {path} in container {reference}")


def stat_path(core: Core, reference: str, path: str) -> Stat:
    """What is at a path; a link at its end is not followed, but where a slash comes after it."""
    files = _asked(core, reference, path)
    return _lstat(files, path, reference)


def _lstat(files: Files, path: str, reference: str) -> Stat:
    inside = _inside(path)
    ending = next((end for end in ("/.", "/") if path.endswith(end) and inside != "/"), "")
    try:
        found = files.stat(inside) if ending else files.lstat(inside)
        if ending and not stat.S_ISDIR(found.st_mode):
            raise failure(errno.ENOTDIR)
    except FileNotFoundError:
        raise _missing(path, reference) from None
    except OSError as error:
        raise system(f"lstat {inside}{ending}: {(error.strerror or '').lower()}") from None
    return found


def _inside(path: str) -> str:
    return posixpath.normpath("/" + path.lstrip("/"))


def _followed(files: Files, path: str) -> str:
    """Where the links of a path lead, as far as they can be followed."""
    for _ in range(40):
        try:
            return files.realpath(path)
        except OSError:
            pass
        try:
            path = posixpath.normpath(posixpath.join(posixpath.dirname(path), files.readlink(path)))
        except OSError:
            break
    return path


def link_target(core: Core, reference: str, path: str) -> str:
    """Where the symbolic link at a path leads, in the container."""
    files = _asked(core, reference, path)
    try:
        files.readlink(_inside(path))
    except OSError:
        raise _missing(path, reference) from None
    return _followed(files, _inside(path))


def get(core: Core, reference: str, path: str) -> tuple[Stat, Content]:
    """A file or folder as an archive whose names start with its own."""
    files = _asked(core, reference, path)
    found = _lstat(files, path, reference)
    top = _inside(path)
    name = "." if path.endswith("/.") else posixpath.basename(top) or "."
    if path.endswith(("/", "/.")):
        top = files.realpath(top)
    tell(core, "container", "archive-path", find(core, reference).id)
    return found, layers.write(entries(files, top, name))


def entries(files: Files, top: str, name: str) -> Iterator[Entry]:
    """The files below a path, under a name; links as links, a file's further names as hard links."""
    yield from _walk(files, top, name, {})


def _walk(files: Files, path: str, name: str, seen: dict[tuple[int, int], str]) -> Iterator[Entry]:
    found = files.lstat(path)
    kind = stat.S_IFMT(found.st_mode)
    key = (found.st_dev, found.st_ino)
    first = None
    if kind != stat.S_IFDIR and found.st_nlink > 1:
        first = seen.get(key)
        seen.setdefault(key, name)
    data: Content | str | None = None
    if kind == stat.S_IFREG and first is None:
        data = files.content(path)
    elif kind == stat.S_IFLNK:
        data = files.readlink(path)
    if name:
        yield Entry(
            name, found.st_mode, found.st_uid, found.st_gid, found.st_mtime_ns, data, found.st_rdev, first,
            _xattrs(files, path),
        )  # fmt: skip
    if kind == stat.S_IFDIR:
        for child in files.listdir(path):
            yield from _walk(files, f"{path.rstrip('/')}/{child}", f"{name}/{child}" if name else child, seen)


def _xattrs(files: Files, path: str) -> tuple[tuple[str, bytes], ...]:
    names = files.listxattr(path, follow=False)
    return tuple((name, files.getxattr(path, name, follow=False)) for name in names if name == "security.capability")


def put(core: Core, reference: str, path: str, archive: Content, copy_uid_gid: bool = False) -> None:
    """Unpack an archive in a folder of the container, owners by number as it says them.

    With `copy_uid_gid` all belongs to the container's user, where it has one (moby, daemon/archive_tarcopyoptions).
    """
    container = find(core, reference)
    files = stopped_files(core, container)
    try:
        folder = files.realpath(_inside(path))
    except NotADirectoryError:
        raise system("not a directory") from None
    except OSError:
        raise _missing(path, reference) from None
    if not files.is_dir(folder):
        raise invalid("extraction point is not a directory")
    _refuse_readonly(container, folder)
    try:
        owner = (
            oci.look_up_user(files, text(container.config, "User"))
            if copy_uid_gid and container.config.get("User")
            else None
        )
        _unpack(files, folder, layers.read(archive), owner)
        tell(core, "container", "extract-to-dir", container.id)
    except BadArchiveError as error:
        raise invalid(str(error)) from None
    except OSError as error:
        raise invalid(f"{(error.strerror or '').lower()}") from None


def _refuse_readonly(container: Container, folder: str) -> None:
    """A read-only mount or root takes nothing; what counts is the mount that covers the folder."""
    covering = [
        point
        for point in container.mounts
        if folder == point.destination or folder.startswith(point.destination.rstrip("/") + "/")
    ]
    if covering:
        if not max(covering, key=lambda point: len(point.destination)).rw:
            raise forbidden("mounted volume is marked read-only")
    elif container.host("ReadonlyRootfs"):
        raise forbidden("container rootfs is marked read-only")


def _unpack(files: Files, folder: str, archive: Iterator[Entry], owner: User | None) -> None:
    for entry in archive:
        parts = [part for part in entry.path.split("/") if part not in ("", ".")]
        if ".." in parts:
            raise invalid(f'breakout error: "{entry.path}"')
        path = "/".join([folder.rstrip("/"), *parts]) or "/"
        _put_entry(files, path, folder, entry, owner)


def _put_entry(files: Files, path: str, folder: str, entry: Entry, owner: User | None) -> None:
    kind = stat.S_IFMT(entry.mode)
    there = _there(files, path)
    if there is not None and path != folder:
        was_dir = stat.S_ISDIR(there.st_mode)
        if was_dir and kind != stat.S_IFDIR:
            raise invalid(f'cannot overwrite directory "{path}" with non-directory "{folder}"')
        if not was_dir and kind == stat.S_IFDIR:
            raise invalid(f'cannot overwrite non-directory "{path}" with directory "{folder}"')
        if not was_dir:
            _unlink(files, path)
    if entry.hardlink is not None:
        files.link(f"{folder.rstrip('/')}/{entry.hardlink}", path)
        return
    if kind == stat.S_IFDIR:
        files.makedirs(path)
    elif kind == stat.S_IFREG:
        files.makedirs(posixpath.dirname(path))
        files.write(path, entry.data if isinstance(entry.data, Content) else b"")
    elif kind == stat.S_IFLNK:
        files.symlink(str(entry.data), path)
    else:
        files.mknod(path, entry.mode, entry.rdev)
    if path != folder or kind != stat.S_IFDIR:
        _mark(files, path, entry, owner)


def _unlink(files: Files, path: str) -> None:
    try:
        files.unlink(path)
    except OSError as error:
        raise system(f"unlinkat {path}: {(error.strerror or '').lower()}") from None


def _mark(files: Files, path: str, entry: Entry, owner: User | None) -> None:
    files.chown(path, owner.uid if owner else entry.uid, owner.gid if owner else entry.gid, follow=False)
    if not stat.S_ISLNK(entry.mode):
        files.chmod(path, stat.S_IMODE(entry.mode))
    files.utime(path, entry.mtime, entry.mtime, follow=False)


def _there(files: Files, path: str) -> Stat | None:
    try:
        return files.lstat(path)
    except OSError:
        return None


def export(core: Core, reference: str) -> Content:
    """The container's root, image and own layer together, without what is mounted on it."""
    container = find(core, reference)
    mount_id = core.tables.mounts[container.id].mount_id
    files = core.view(core.driver.mount(mount_id))
    if not container.state.running:
        core.driver.unmount(mount_id)
    tell(core, "container", "export", container.id)
    return layers.write(list(entries(files, "/", "")))
