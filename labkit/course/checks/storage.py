"""Checks of volumes and mounts, of the daemon and its disk."""

from __future__ import annotations

import re

from labkit.course.checks.table import check, size_of
from labkit.course.machines import Facts, MountFacts
from labkit.engine.daemon import daemoninfo
from labkit.kernel.golang import BadJsonError, at, human_size, objects, parse_time, read_json, text, texts

LARGEST = 1 << 20  # bytes of a daemon.json
MYSQL = 999  # the user that the image's server runs as


@check("the volume {volume} is there")
def volume_exists(facts: Facts, volume: str) -> str:
    facts.volume(volume)
    return ""


@check("the volume {volume} holds {path}")
def volume_has_file(facts: Facts, volume: str, path: str) -> str:
    there = facts.files(volume=volume).exists(path.lstrip("/"))
    return "" if there else f"the volume is there, but {path} is not in it"


@check("the volume {volume} is the one that was there at the beginning")
def same_volume(facts: Facts, volume: str) -> str:
    with facts.at(facts.start) as before:
        known = before.engine.inspect_volume(volume)["CreatedAt"]
    facts.volume(volume)
    return "" if facts.engine.inspect_volume(volume)["CreatedAt"] == known else f"{volume} is a new volume"


@check("there is no other volume than {volumes}, and {anonymous} without a name")
def only_volumes(facts: Facts, volumes: list[str], anonymous: int = 0) -> str:
    found = facts.names("volume")
    named = sorted(name for name in found if not NO_NAME.fullmatch(name))
    if named != sorted(volumes):
        return f"of those with a name there is {', '.join(named[:6]) or 'none'}"
    count = len(found) - len(named)
    return "" if count == anonymous else f"there are {count} without a name"


@check("MySQL has made the database {database} in {volume}, before {container} was made")
def database_is_older(facts: Facts, database: str, volume: str, container: str) -> str:
    """The server makes a folder for each database, which belongs to its own user."""
    files = facts.files(volume=volume)
    if not files.is_dir(database) or files.stat(database).st_uid != MYSQL:
        return f"there is no database {database} in it"
    made = parse_time(str(facts.engine.inspect_container(facts.container(container).id)["Created"]))
    return "" if files.stat(database).st_mtime_ns < made else f"the database is younger than {container}"


KINDS_OF_MOUNT = {"bind": "a folder of the host", "volume": "a volume", "tmpfs": "memory", "image": "an image"}
NO_NAME = re.compile(r"[0-9a-f]{64}")  # of a volume whose name nobody chose


def _mounted(mount: MountFacts) -> str:
    """A mount in words: "a volume named `conf`"."""
    if mount.kind == "volume":
        return "a volume without a name" if NO_NAME.fullmatch(mount.source) else f"a volume named `{mount.source}`"
    if mount.kind == "bind":
        return f"`{mount.source}` of the host"
    return f"the image `{mount.source}`" if mount.kind == "image" else "memory (tmpfs)"


@check("{container} has a {type} mount at {target}")
def mount_is(
    facts: Facts, container: str, target: str, type: str, source: str = "", readonly: bool | None = None
) -> str:
    mount = next((each for each in facts.container(container).mounts if each.target == target), None)
    if mount is None:
        there = type == "volume" and source in {str(row["Name"]) for row in facts.engine.volumes()}
        others = [f"{_mounted(each)} at {each.target}" for each in facts.container(container).mounts]
        instead = f"; there is {', '.join(others[:3])}" if others else ""
        return f"{'the volume is there, but ' if there else ''}nothing is mounted at {target}{instead}"
    if mount.kind != type:
        return f"{_mounted(mount)} is mounted at {target}; {KINDS_OF_MOUNT.get(type, type)} was asked for"
    if source and mount.source != source:
        return f"{_mounted(mount)} is mounted at {target}, not {source}"
    if readonly is not None and mount.writable == readonly:
        return f"the mount at {target} is {'writable' if mount.writable else 'read-only'}"
    return ""


@check("the volume at {target} in {container} is mounted so that nothing is copied into it")
def mount_copies_nothing(facts: Facts, container: str, target: str) -> str:
    host = at(facts.engine.inspect_container(facts.container(container).id), "HostConfig")
    by_mount = (
        at(each, "VolumeOptions", "NoCopy") for each in objects(host, "Mounts") if text(each, "Target") == target
    )
    by_bind = ("nocopy" in bind.split(":")[2].split(",") for bind in texts(host, "Binds") if f":{target}:" in bind)
    return "" if any([*by_mount, *by_bind]) else "what the image has there would be copied"


@check("{container} has a tmpfs at {target}")
def tmpfs_is(facts: Facts, container: str, target: str, size: str | int = 0) -> str:
    """`size`, where it is given, is how much fits into it."""
    mounts = facts.files(container).namespace.mounts
    mount = next((each for each in reversed([*mounts]) if each.target == target), None)
    if mount is None:
        return f"nothing is mounted at {target}"
    if mount.fstype != "tmpfs":
        return f"{target} is not in memory"
    if mount.readonly or "ro" in mount.options:
        return f"{target} is read-only"
    limit = mount.source.system.limit
    if size and limit != size_of(size):
        return f"{human_size(limit)} fit into it" if limit else "it has no limit of its own"
    return ""


# The daemon, and all there is


def _active(facts: Facts) -> bool:
    return facts.machine.daemon.service.status == "active"


@check("the daemon runs with {driver}")
def driver_is(facts: Facts, driver: str) -> str:
    if not _active(facts):
        return "the daemon does not run"
    return "" if facts.machine.driver.name == driver else f"it runs with {facts.machine.driver.name}"


@check("the service docker is active")
def daemon_is_active(facts: Facts) -> str:
    return "" if _active(facts) else "it is not"


@check("{key} in /etc/docker/daemon.json is {value}")
def daemon_setting_is(facts: Facts, key: str, value: str) -> str:
    try:
        found = at(read_json(facts.engine.host.read(daemoninfo.PATH), LARGEST), key)
    except BadJsonError as error:
        return f"it cannot be read: {error}"
    except OSError:
        return "there is no such file"
    return "" if found == value else f"{key} is {found!r}"


@check("the pool has at least {size} available")
def pool_has(facts: Facts, size: str | int) -> str:
    status = dict(facts.machine.driver.status())
    available = status.get("Data Space Available", "0B")
    return "" if size_of(available) >= size_of(size) else f"it has {available}"


@check("there is no more and no less than what you see: containers, volumes, images")
def as_shown(facts: Facts) -> str:
    with facts.at(facts.shown) as shown:
        wanted = _inventory(shown)
    for kind, names in _inventory(facts).items():
        if names != wanted[kind]:
            return f"there is {', '.join(names[:6])} of {kind}s" if names else f"there is no {kind}"
    return ""


def _inventory(facts: Facts) -> dict[str, list[str]]:
    """All names; of those that Docker gave, that there is one."""
    kinds = ("container", "volume", "image")
    return {kind: sorted(NO_NAME.sub("one without a name", name) for name in facts.names(kind)) for kind in kinds}


@check("the build cache is empty")
def build_cache_is_empty(facts: Facts) -> str:
    count = len(facts.engine.build_cache.all())
    return "" if count == 0 else f"it has {count} entries"
