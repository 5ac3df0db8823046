"""Volumes of the driver `local`: a folder below /var/lib/docker/volumes, or something mounted on it while in use.

Names, options and their messages: moby, daemon/volume/local; removal and pruning: daemon/volume/service.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from labkit.engine.core.core import Core, VolumeCreated, VolumeRemoved
from labkit.engine.core.errors import (
    EngineError,
    Filters,
    check_filters,
    conflict,
    filter_truth,
    invalid,
    labels_match,
    matches_filter,
    no_name,
    not_found,
    system,
)
from labkit.engine.core.happened import tell
from labkit.engine.core.records import ANONYMOUS, Container, Volume
from labkit.engine.mounts.mountspec import tmpfs_check, tmpfs_of, tmpfs_shown
from labkit.files import failure
from labkit.files.errno import ENODEV
from labkit.kernel.golang import JsonObject, rfc3339_seconds

if TYPE_CHECKING:
    from labkit.files import Files

_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+")
_OPTIONS = ("type", "o", "device", "size")
_NEEDS = (("device", ("type",)), ("type", ("device",)), ("o", ("device", "type")))
_LIST_FILTERS = ("dangling", "driver", "label", "name")
_PRUNE_FILTERS = ("label", "label!", "all")


@dataclass(frozen=True)
class Request:
    """What a volume is to be created with."""

    name: str = ""
    driver: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)


def create(core: Core, request: Request) -> Volume:
    """The volume of that name, made where there is none. What exists stays as it is."""
    labels = dict(request.labels)
    name = request.name
    if not name:
        name = core.ids.new("volume")
        labels[ANONYMOUS] = ""
    known = core.tables.volumes.get(name)
    try:
        _check_driver(request.driver)
        if known:
            return known
        _check(name, request)
    except EngineError as error:
        raise EngineError(f"create {name}: {error}", error.kind) from None
    volume = Volume(name, core.now(), "local", labels or None, dict(request.options) or None)
    _make_folders(core.host, volume)
    core.tables.volumes.set(name, volume)
    core.events.append(VolumeCreated(name, volume.anonymous))
    return volume


def _check_driver(driver: str) -> None:
    if driver not in ("", "local"):
        raise not_found(f'error looking up volume plugin {driver}: plugin "{driver}" not found')


def _check(name: str, request: Request) -> None:
    if len(name) == 1:
        raise invalid("volume name is too short, names should be at least two alphanumeric characters")
    if not _NAME.fullmatch(name):
        raise invalid(
            f'"{name}" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are '
            "allowed. If you intended to pass a host directory, use absolute path"
        )
    _check_options(request.options)


def _check_options(options: Mapping[str, str]) -> None:
    for option in options:
        if option not in _OPTIONS:
            raise invalid(f'invalid option: "{option}"')
    if options.get("size"):
        raise invalid("quota size requested but no quota support")
    for option, others in _NEEDS:
        for other in others:
            if option in options and other not in options:
                raise invalid(f'missing required option: "{other}"')


def _make_folders(host: Files, volume: Volume) -> None:
    try:
        host.makedirs(volume.mountpoint)
    except OSError as error:
        text = f"mkdir {volume.folder}: {(error.strerror or '').lower()}"
        raise system(f"create {volume.name}: error while creating volume root path '{volume.folder}': {text}") from None
    host.chmod(volume.folder, 0o701)
    if volume.options:
        host.write_generated(f"{volume.folder}/opts.json", "volume-options", volume.name, mode=0o600)


def get(core: Core, name: str) -> Volume:
    volume = core.tables.volumes.get(name)
    if not volume:
        raise not_found(f"get {name}: no such volume") if name else no_name("volume")
    return volume


def users(core: Core, name: str) -> list[Container]:
    """The containers that refer to a volume, running or not, the oldest first."""
    found = [
        container
        for _, container in core.tables.containers.items()
        if any(mount.name == name for mount in container.mounts)
    ]
    return sorted(found, key=lambda container: container.number)


def remove(core: Core, name: str, force: bool = False) -> None:
    """DELETE /volumes/NAME; with force a missing one is no error."""
    volume = core.tables.volumes.get(name)
    if not volume:
        if force and name:
            return
        raise not_found(f"get {name}: no such volume") if name else no_name("volume")
    if containers := users(core, name):
        ids = ", ".join(container.id for container in containers)
        raise conflict(f"remove {name}: volume is in use - [{ids}]")
    if core.host.exists(volume.folder):
        core.host.rmtree(volume.folder)
    core.tables.volumes.delete(name)
    core.events.append(VolumeRemoved(name))


def prune(core: Core, all: bool = False, filters: Filters | None = None) -> tuple[list[str], int]:
    """POST /volumes/prune: volumes without options that nobody refers to; named ones only with `all`."""
    everything = all or _all_asked(filters or {})
    wanted = check_filters(filters, _PRUNE_FILTERS)
    gone, space = [], 0
    for name, volume in sorted(core.tables.volumes.items()):
        if users(core, name) or volume.options or not (everything or volume.anonymous):
            continue
        if not labels_match(volume.labels, wanted):
            continue
        space += size(core, volume)
        remove(core, name)
        gone.append(name)
    tell(core, "volume", "prune", "", reclaimed=str(space))
    return gone, space


def _all_asked(filters: Filters) -> bool:
    """The filter `all` (moby, daemon/volume/service/convert.go withPrune)."""
    values = filters.get("all", ())
    if len(values) > 1:
        raise invalid(f"invalid filter 'all=[{' '.join(values)}]': only one value is expected")
    known = {"1": True, "t": True, "true": True, "0": False, "f": False, "false": False}
    for value in values:
        if value.lower() not in known or value not in (value.lower(), value.upper(), value.capitalize()):
            raise invalid(f"invalid filter 'all': strconv.ParseBool: parsing \"{value}\": invalid syntax")
    return any(known[value.lower()] for value in values)


def size(core: Core, volume: Volume) -> int:
    """Bytes of the regular files in it."""
    return folder_size(core.host, volume.mountpoint)


def folder_size(files: Files, top: str) -> int:
    """Bytes of the files below a folder; one with several names counts once."""
    total, seen = 0, set()
    if not files.exists(top):
        return 0
    for folder, _, names in files.walk(top):
        for name in names:
            stat = files.lstat(f"{folder}/{name}")
            if stat.st_ino not in seen:
                seen.add(stat.st_ino)
                total += stat.st_size
    return total


def inspect(core: Core, name: str) -> JsonObject:
    """GET /volumes/NAME, in the order in which `docker volume inspect` prints it."""
    return _row(get(core, name))


def _row(volume: Volume) -> JsonObject:
    return {
        "CreatedAt": rfc3339_seconds(volume.created),
        "Driver": volume.driver,
        "Labels": None if volume.labels is None else dict(sorted(volume.labels.items())),
        "Mountpoint": volume.mountpoint,
        "Name": volume.name,
        "Options": None if volume.options is None else dict(sorted(volume.options.items())),
        "Scope": "local",
    }


def rows(core: Core, filters: Filters | None = None) -> list[JsonObject]:
    """GET /volumes, by name."""
    wanted = check_filters(filters, _LIST_FILTERS)
    dangling = filter_truth(wanted, "dangling")
    found = []
    for name, volume in sorted(core.tables.volumes.items()):
        if wanted.get("name") and not any(matches_filter(name, pattern) for pattern in wanted["name"]):
            continue
        if wanted.get("driver") and volume.driver not in wanted["driver"]:
            continue
        if not labels_match(volume.labels, wanted):
            continue
        if dangling is not None and dangling == bool(users(core, name)):
            continue
        found.append(_row(volume))
    return found


# --- what is mounted on a volume's folder while it is used

_FLAGS = {
    "ro": 0x1, "nosuid": 0x2, "nodev": 0x4, "noexec": 0x8, "sync": 0x10, "remount": 0x20, "mand": 0x40, "dirsync": 0x80,
    "noatime": 0x400, "nodiratime": 0x800, "bind": 0x1000, "rbind": 0x5000, "relatime": 0x200000,
    "strictatime": 0x1000000,
}  # fmt: skip
_CLEARS = ("rw", "suid", "dev", "exec", "async", "defaults", "atime", "diratime")


def mount(core: Core, volume: Volume) -> None:
    """Mount what the volume's options name, where that is not done yet; one more container uses it."""
    if not volume.needs_mount:
        return
    uses = core.tables.volume_uses.get(volume.name) or 0
    if not uses:
        _mount_device(core, volume)
    core.tables.volume_uses.set(volume.name, uses + 1)


def unmount(core: Core, volume: Volume) -> None:
    """One container less uses it; what was mounted goes with the last."""
    uses = core.tables.volume_uses.get(volume.name) or 0
    if not volume.needs_mount or not uses:
        return
    core.tables.volume_uses.set(volume.name, uses - 1)
    if uses == 1:
        core.host.namespace.umount(volume.mountpoint)


def _mount_device(core: Core, volume: Volume) -> None:
    options = volume.options or {}
    kind, device = options.get("type", ""), options.get("device", "")
    words = [word for word in options.get("o", "").split(",") if word]
    flags = sum(_FLAGS.get(word, 0) for word in words)
    data = ",".join(word for word in words if word not in _FLAGS and word not in _CLEARS)
    namespace = core.host.namespace
    try:
        if kind == "tmpfs" and not flags & 0x1000:
            tmpfs_check(data)
        if flags & 0x1000:
            namespace.mount(volume.mountpoint, core.host.source(device), readonly="ro" in words)
        elif kind == "tmpfs":
            namespace.mount(
                volume.mountpoint, tmpfs_of(core.host.store, data),
                readonly="ro" in words, fstype="tmpfs", device=device,
                options=("ro" if "ro" in words else "rw", "relatime", *tmpfs_shown(data.split(","))),
            )  # fmt: skip
        else:
            raise failure(ENODEV)
    except OSError as error:
        where = f"{device}:{volume.mountpoint}"
        more = (f", flags: {flags:#x}" if flags else "") + (f", data: {data}" if data else "")
        text = (error.strerror or str(error)).lower()
        raise system(f"failed to mount local volume: mount {where}{more}: {text}") from None
