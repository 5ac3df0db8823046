"""What a container's mounts become: mount points at its creation, volumes filled from the image, sources at each start.

The order of who wins at a target, and the messages: moby, daemon/volumes.go (registerMountPoints), create_unix.go,
daemon/volume/mounts/mounts.go (Setup). The grammar is in mountspec.py.
"""

from __future__ import annotations

import stat
from dataclasses import dataclass, replace

from labkit.engine.core.core import Core, HostFolderCreated, VolumePopulated, find
from labkit.engine.core.errors import EngineError, invalid, system
from labkit.engine.core.happened import tell
from labkit.engine.core.mountkeys import Mount, MountPoint
from labkit.engine.core.records import Container
from labkit.engine.images.imagestore import ImageStore, LayerStore
from labkit.engine.mounts import mountspec, volumes
from labkit.files import Files, Source, Stat, errno
from labkit.kernel.golang import JsonObject, members, objects, text, texts

# --- creation


def check(core: Core, host_config: JsonObject) -> None:
    """What is looked at before anything is made, at creation and at every start."""
    for spec in objects(host_config, "Mounts"):
        mountspec.check_mount(Mount(spec), core.host.exists)
    for target in members(host_config, "Tmpfs"):
        mountspec.check_destination(target)


def points(core: Core, container: Container) -> tuple[MountPoint, ...]:
    """The mount points of a new container; the volumes that they name are created.

    Later ones win over earlier at the same target: other containers' mounts, binds and mounts, the image's volumes.
    """
    found: dict[str, MountPoint] = {}
    for written in texts(container.host_config, "VolumesFrom"):
        for point in _from_container(core, written):
            found[point.destination] = point
    taken: set[str] = set()
    for written in texts(container.host_config, "Binds"):
        point = mountspec.parse_text(written, text(container.host_config, "VolumeDriver"))
        if point.destination in taken or point.destination in members(container.host_config, "Tmpfs"):
            raise invalid(f"Duplicate mount point: {point.destination}")
        _add(core, point, taken, found)
    for spec in objects(container.host_config, "Mounts"):
        point = mountspec.parse_record(spec, core.host.exists)
        if point.destination in taken:
            raise invalid(f"Duplicate mount point: {spec['Target']}")
        _add(core, point, taken, found)
    return tuple(found.values())


def _add(core: Core, point: MountPoint, taken: set[str], found: dict[str, MountPoint]) -> None:
    taken.add(point.destination)
    found.pop(point.destination, None)
    if point.type == "volume":
        point = _with_volume(core, point)
    elif point.type == "image":
        ImageStore(core).find(point.source)
        point = replace(point, name=point.source, rw=False)
    found[point.destination] = point


def _from_container(core: Core, text: str) -> list[MountPoint]:
    reference, mode = mountspec.parse_volumes_from(text)
    try:
        other = find(core, reference)
    except EngineError as error:
        raise invalid(str(error)) from None  # not the image is missing (moby, daemon/volumes.go)
    readonly = "ro" in mode.split(",")
    return [replace(point, rw=point.rw and not readonly, copy_data=False, mode="") for point in other.mounts]


def _with_volume(core: Core, point: MountPoint) -> MountPoint:
    asked = volumes.Request(point.name, point.driver, point.spec.driver_options, point.spec.labels)
    volume = volumes.create(core, asked)
    return replace(point, name=volume.name, driver=volume.driver, source=volume.mountpoint, mode=point.mode or "z")


def image_volumes(core: Core, container: Container) -> tuple[MountPoint, ...]:
    """An anonymous volume for each target of Config.Volumes at which nothing else is mounted."""
    found = list(container.mounts)
    for target in members(container.config, "Volumes"):
        destination = mountspec.clean(target)
        if any(point.destination == destination for point in found) or destination in members(
            container.host_config, "Tmpfs"
        ):
            continue
        volume = volumes.create(core, volumes.Request("", text(container.host_config, "VolumeDriver")))
        found.append(
            MountPoint(
                "volume", destination, volume.mountpoint, volume.name, volume.driver, "", True, "", copy_data=True
            )
        )
    return tuple(found)


def populate(core: Core, container: Container, root: Files) -> None:
    """Fill the empty volumes with what the image has at their targets."""
    for point in container.mounts:
        if point.type != "volume" or not point.copy_data:
            continue
        target = absolute(point.destination)
        if not root.is_dir(target):
            continue
        try:
            _populate(core, container, point, root, target)
        except EngineError as error:
            raise EngineError(f"failed to populate volume: {error}", error.kind) from None


def _populate(core: Core, container: Container, point: MountPoint, root: Files, target: str) -> None:
    volume = core.tables.volumes[point.name]
    path = _mount_volume(core, point)
    try:
        if point.subpath:
            path = _subpath(core, path, point.subpath)
        host = core.host
        if not host.is_dir(path) or host.listdir(path):
            return
        copied = copy_folder(root, target, host, path)
        if copied:
            core.events.append(VolumePopulated(point.name, container.id, target))
    finally:
        volumes.unmount(core, volume)


def copy_folder(source: Files, top: str, target: Files, into: str) -> int:
    """Copy what is in a folder into another, with modes, owners, times and links, and the folder's own mode and owner.

    The number of names that were copied.
    """
    seen: dict[int, str] = {}
    count = 0
    for name in source.listdir(top):
        count += 1
        _copy(source, f"{top.rstrip('/')}/{name}", target, f"{into.rstrip('/')}/{name}", seen)
    _copy_marks(source.stat(top), target, into)
    return count


def _copy(source: Files, path: str, target: Files, into: str, seen: dict[int, str]) -> None:
    found = source.lstat(path)
    kind = stat.S_IFMT(found.st_mode)
    if kind != stat.S_IFDIR and found.st_nlink > 1 and found.st_ino in seen:
        target.link(seen[found.st_ino], into)
        return
    seen[found.st_ino] = into
    if kind == stat.S_IFDIR:
        target.mkdir(into)
        for name in source.listdir(path):
            _copy(source, f"{path}/{name}", target, f"{into}/{name}", seen)
    elif kind == stat.S_IFLNK:
        target.symlink(source.readlink(path), into)
    elif kind == stat.S_IFREG:
        target.write(into, source.content(path))
    else:
        target.mknod(into, found.st_mode, found.st_rdev)
    _copy_marks(found, target, into)


def _copy_marks(found: Stat, target: Files, into: str) -> None:
    target.chown(into, found.st_uid, found.st_gid, follow=False)
    if not stat.S_ISLNK(found.st_mode):
        target.chmod(into, stat.S_IMODE(found.st_mode))
    target.utime(into, found.st_mtime_ns, found.st_mtime_ns, follow=False)


def absolute(destination: str) -> str:
    """runc takes a relative target as one from the root."""
    return destination if destination.startswith("/") else f"/{destination}"


# --- every start


@dataclass(frozen=True)
class Prepared:
    """One mount, ready to be made in the container's namespace."""

    target: str
    source_text: str  # as messages name it
    source: Source | None  # None: a tmpfs
    is_dir: bool = True
    readonly: bool = False
    propagation: str = "rprivate"
    options: tuple[str, ...] = ()  # of a tmpfs
    path: str = ""  # on the host
    recursive: bool = True
    data: tuple[str, ...] = ()  # of a tmpfs: size=, mode=…


def prepare(core: Core, container: Container) -> list[Prepared]:
    """Mount volumes, make missing sources of binds, and put all in the order of mounting: by depth of the target."""
    ready = [
        _tmpfs(target, str(words).split(",") if words else [])
        for target, words in members(container.host_config, "Tmpfs").items()
    ]
    for point in container.mounts:
        ready.append(_PREPARE[point.type](core, container, point))
        if point.type == "volume":
            about = {"destination": point.destination, "propagation": "", "read/write": str(point.rw).lower()}
            tell(core, "volume", "mount", point.name, container=container.id, **about)
    return sorted(ready, key=lambda mount: mount.target.count("/"))


def finish(core: Core, container: Container) -> None:
    """Let go of what prepare mounted."""
    for point in container.mounts:
        volume = core.tables.volumes.get(point.name) if point.type == "volume" else None
        if volume:
            volumes.unmount(core, volume)
    tell_finished(core, container)


def tell_finished(core: Core, container: Container) -> None:
    for point in container.mounts:
        if point.type == "volume" and point.name in core.tables.volumes:
            tell(core, "volume", "unmount", point.name, container=container.id)


def _mount_volume(core: Core, point: MountPoint) -> str:
    """Mount a volume where it needs that; its folder."""
    volume = core.tables.volumes[point.name]
    try:
        volumes.mount(core, volume)
    except EngineError as error:
        raise system(f"error while mounting volume '{point.source}': {error}") from None
    return volume.mountpoint


def _prepare_volume(core: Core, container: Container, point: MountPoint) -> Prepared:
    path = _mount_volume(core, point)
    text = path
    if point.subpath:
        path = _subpath(core, path, point.subpath)
    elif {"z", "Z"} & set(point.mode.split(",")) and not core.host.exists(path):
        raise system(f'error evaluating symlinks from mount source "{path}": lstat {path}: no such file or directory')
    return _of_host(core, point, path, text)


def _subpath(core: Core, top: str, subpath: str) -> str:
    path = f"{top}/{subpath}"
    try:
        found = core.host.realpath(path)
    except OSError as error:
        raise system(f"cannot access path {path}: lstat {path}: {(error.strerror or '').lower()}") from None
    if found != top and not found.startswith(f"{top}/"):
        raise invalid(f"path {path} is outside of volume {top}")
    return found


def _prepare_bind(core: Core, container: Container, point: MountPoint) -> Prepared:
    host = core.host
    if point.create_source and not host.exists(point.source):
        _make_source(core, container, point.source)
    return _of_host(core, point, point.source, point.source)


def _make_source(core: Core, container: Container, path: str) -> None:
    try:
        core.host.makedirs(path)
    except NotADirectoryError:
        return  # a file is in the way, which is for runc to complain about
    except OSError as error:
        where = error.filename or path
        if error.errno == errno.EEXIST and core.host.exists(where):
            return  # as above; a link that leads nowhere is another matter
        raise system(
            f"error while creating mount source path '{path}': mkdir {where}: {(error.strerror or '').lower()}"
        ) from None
    core.events.append(HostFolderCreated(path, container.id))


def _of_host(core: Core, point: MountPoint, path: str, text: str) -> Prepared:
    try:
        source = core.host.source(path)
        is_dir = core.host.is_dir(path)
    except OSError as error:
        raise OpenFailed(path, (error.strerror or "").lower()) from None
    return Prepared(
        absolute(point.destination), text, source, is_dir, not point.rw, point.propagation or "rprivate",
        path=path, recursive=not point.spec.non_recursive,
    )  # fmt: skip


class OpenFailed(Exception):
    """runc cannot open the source of a mount."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"failed to fulfil mount request: open {path}: {reason}")


def _prepare_tmpfs(core: Core, container: Container, point: MountPoint) -> Prepared:
    return _tmpfs(point.destination, mountspec.tmpfs_options(point.spec, not point.rw))


def _prepare_image(core: Core, container: Container, point: MountPoint) -> Prepared:
    image = ImageStore(core).find(point.source)
    cache_id = LayerStore(core).cache_id(image.chain)
    root = core.view(core.driver.mount(cache_id)) if cache_id else None
    if root is None:
        raise invalid(f"No such image: {point.source}")
    top = f"/{point.subpath}" if point.subpath else "/"
    try:
        return Prepared(absolute(point.destination), point.source, root.source(top), root.is_dir(top), readonly=True)
    except OSError as error:
        raise system(f"cannot access path {top}: {(error.strerror or '').lower()}") from None


_PREPARE = {
    "volume": _prepare_volume,
    "bind": _prepare_bind,
    "tmpfs": _prepare_tmpfs,
    "image": _prepare_image,
}


def _tmpfs(target: str, words: list[str]) -> Prepared:
    merged = mountspec.merge_tmpfs_words(["noexec", "nosuid", "nodev", "rprivate", *words])
    data = tuple(word for word in merged if word.split("=")[0] in mountspec.TMPFS_KEYS)
    readonly = "ro" in merged
    flags = tuple(word for word in ("nosuid", "nodev", "noexec", "noatime") if word in merged)
    return Prepared(mountspec.clean(target), "tmpfs", None, True, readonly, options=flags, data=data)
