"""What the OCI runtime is told and what it answers: HostConfig with its defaults, devices, the user, a failed start.

Messages: runc, libcontainer; moby, daemon/errors.go (translateContainerdStartErr). A user is `USER[:GROUP]` by the
container's own /etc/passwd and /etc/group. --device, --gpus and the limits of single devices are
looked up on the host when a container is started (moby, daemon: pkg/oci/devices_linux.go, daemon_unix.go).
"""

from __future__ import annotations

import posixpath
import re
import stat
from collections.abc import Iterator, Sequence
from types import EllipsisType
from typing import NamedTuple

from labkit.engine.core.errors import invalid, system
from labkit.engine.core.mountkeys import Mount
from labkit.files import Files, User
from labkit.files.errno import EACCES, EISDIR, ENOENT, ENOTDIR
from labkit.kernel.golang import Json, JsonObject, items, objects, quote, text, texts
from labkit.kernel.process import ExecError, find_program

_CREATE = (
    "failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: "
    "unable to start container process: error during container init: "
)
_EXEC = "OCI runtime exec failed: exec failed: unable to start container process: "
_REASONS = {ENOENT: "no such file or directory", ENOTDIR: "not a directory", EACCES: "permission denied"}
_MIXED = (
    ": Are you trying to mount a directory onto a file (or vice-versa)? Check if the specified host path exists and is "
    "the expected type"
)
NOT_FOUND, NOT_EXECUTABLE, UNKNOWN = 127, 126, 128  # exit codes of a process that did not start


def create_failed(reason: str) -> tuple[str, int]:
    """The daemon's message and the container's exit code when runc cannot create it."""
    return _translated(f"{_CREATE}{reason}: unknown")


def exec_failed(reason: str) -> tuple[str, int]:
    return _translated(f"{_EXEC}{reason}: unknown")


def _translated(text: str) -> tuple[str, int]:
    code = UNKNOWN
    if "executable file not found" in text or "no such file or directory" in text:
        code = NOT_FOUND
    if "permission denied" in text:
        code = NOT_EXECUTABLE
    if "is a directory" in text:
        return f"{text}: permission denied", NOT_EXECUTABLE
    if "not a directory" in text:
        return text + _MIXED, NOT_FOUND
    return text, code


class NotStarted(Exception):
    """argv[0] cannot be started; str() is why, as runc says it."""


def program_in(files: Files, argv: list[str], path: str) -> str:
    """The file that argv[0] is. Raises NotStarted."""
    try:
        return find_program(files, argv[0], path)
    except ExecError as error:
        raise NotStarted(reason(argv[0], error)) from None


def reason(name: str, error: ExecError) -> str:
    if error.searched or not name:
        return f'exec: "{name}": executable file not found in $PATH'
    if error.errno == EISDIR:
        return f'exec: "{name}": is a directory'
    if error.errno == EACCES:
        return f'exec: "{name}": permission denied'
    return f'exec: "{name}": stat {name}: {_REASONS.get(error.errno, "no such file or directory")}'


_HIGHEST_ID = (1 << 31) - 1


def look_up_user(files: Files, text: str, more_groups: Sequence[str] = ()) -> User:
    """USER[:GROUP] by the files of the container's root; no mount is there yet (moby, daemon/oci_linux.go, getUser).

    Raises EngineError where a name is in neither file; a number may be in none (moby/sys/user, GetExecUser)."""
    name, group = [*text.split(":"), ""][:2]
    uid, wanted = _number(name), _number(group)
    passwd = account_rows(files, "/etc/passwd")
    number = "0" if not name else None if uid is None else str(uid)
    entry = next((row for row in passwd if (row[0] == name if number is None else row[2:3] == [number])), None)
    if entry is None and number is None:
        raise invalid(f"unable to find user {name}: no matching entries in passwd file")
    gid = int(entry[3]) if entry and len(entry) > 3 and entry[3].isdigit() else 0
    groups = account_rows(files, "/etc/group")
    others: tuple[int, ...] = ()
    if group:
        gid = _gid(groups, group, wanted)
    elif entry:
        others = tuple(int(row[2]) for row in groups if len(row) > 3 and entry[0] in row[3].split(","))
    others += tuple(_gid(groups, more, _number(more)) for more in more_groups)
    return User(int(entry[2]) if entry and len(entry) > 2 else uid or 0, gid, others)


def look_up_user_of_exec(files: Files, text: str) -> User:
    """The same for docker exec with the containerd store, in containerd's words (containerd, pkg/oci, WithUser)."""
    names = text.split(":")
    if len(names) > 2:
        raise invalid(f"invalid USER value {text}")
    for name, path, what in zip(names, ("/etc/passwd", "/etc/group"), ("users", "groups"), strict=False):
        if name and not _is_number(name) and name not in [row[0] for row in account_rows(files, path)]:
            raise invalid(f"no {what} found")
    return look_up_user(files, text)


def home_of(files: Files, uid: int) -> str:
    """What HOME is where nobody says it: the container's own passwd, with its mounts, knows (runc, init_linux.go)."""
    return (
        next((row[5] for row in account_rows(files, "/etc/passwd") if row[2:3] == [str(uid)] and row[5:6]), "") or "/"
    )


def _is_number(text: str) -> bool:
    return re.fullmatch("[+-]?[0-9]+", text) is not None


def _number(text: str) -> int | None:
    if not _is_number(text):
        return None
    if not 0 <= int(text) <= _HIGHEST_ID:
        raise invalid(f"uids and gids must be in range 0-{_HIGHEST_ID}")
    return int(text)


def _gid(groups: list[list[str]], text: str, number: int | None) -> int:
    for row in groups:
        if row[0] == text if number is None else row[2:3] == [str(number)]:
            return int(row[2])
    if number is None:
        raise invalid(f"unable to find group {text}: no matching entries in group file")
    return number


def account_rows(files: Files, path: str) -> list[list[str]]:
    """The lines of /etc/passwd or /etc/group, split."""
    try:
        text = files.read(path).decode("utf-8", "replace")
    except OSError:
        return []
    rows = (line.split(":") for line in text.splitlines() if line.strip())
    return [row for row in rows if len(row) < 3 or row[2].isdigit()]


_LIMITED = ("WeightDevice", "DeviceReadBps", "DeviceWriteBps", "DeviceReadIOps", "DeviceWriteIOps")


class DeviceNode(NamedTuple):
    """A node that the container gets."""

    path: str
    mode: int
    uid: int
    gid: int
    rdev: int


def look_up_device(host: Files, host_config: JsonObject) -> list[DeviceNode]:
    """What HostConfig asks for. Raises EngineError."""
    for limit in _LIMITED:
        for each in items(host_config, f"Blkio{limit}"):
            _stat(host, text(each, "Path"))
    found = [
        node
        for each in items(host_config, "Devices")
        for node in _nodes(host, text(each, "PathOnHost"), text(each, "PathInContainer"))
    ]
    for request in items(host_config, "DeviceRequests"):
        wanted = " ".join(f"[{' '.join(texts(group))}]" for group in items(request, "Capabilities"))
        driver = quote(text(request, "Driver"))
        raise invalid(f"could not select device driver {driver} with capabilities: [{wanted}]")
    return found


def _stat(host: Files, path: str) -> None:
    try:
        host.stat(path)
    except OSError as error:
        raise system(f"stat {path}: {(error.strerror or '').lower()}") from None


def _nodes(host: Files, path: str, target: str) -> list[DeviceNode]:
    """The device, or all that lie in a folder."""
    try:
        real = host.realpath(path)
        found = list(_below(host, real, target))
        reason = "" if found else "not a device node"
    except OSError as error:
        found, reason = [], (error.strerror or "").lower()
    if reason:
        raise system(f"error gathering device information while adding custom device {quote(path)}: {reason}")
    return found


def _below(host: Files, path: str, target: str) -> Iterator[DeviceNode]:
    about = host.lstat(path)
    if stat.S_ISCHR(about.st_mode) or stat.S_ISBLK(about.st_mode):
        yield DeviceNode(target, about.st_mode, about.st_uid, about.st_gid, about.st_rdev)
    elif stat.S_ISDIR(about.st_mode):
        for name in host.listdir(path):
            yield from _below(host, posixpath.join(path, name), posixpath.join(target, name))


def make_devices(files: Files, nodes: list[DeviceNode]) -> None:
    """Put them where the container wants them; what is there already stays (runc, rootfs_linux.go createDeviceNode)."""
    for node in nodes:
        if not files.exists(node.path):
            files.makedirs(posixpath.dirname(node.path))
            files.mknod(node.path, node.mode, node.rdev)
            files.chmod(node.path, stat.S_IMODE(node.mode))
            files.chown(node.path, node.uid, node.gid)


MASKED_PATHS = (
    "/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
    "/proc/sched_debug", "/proc/scsi", "/proc/timer_list", "/proc/timer_stats", "/sys/devices/virtual/powercap",
    "/sys/firmware",
)  # fmt: skip
READONLY_PATHS = ("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger")
SHM_SIZE = 64 << 20  # bytes

# Key and value where nothing was asked for; `...` stands for a key that is then left out.
_DEFAULTS: tuple[tuple[str, Json | EllipsisType], ...] = (
    ("Binds", None), ("ContainerIDFile", ""), ("LogConfig", {"Type": "json-file", "Config": {}}),
    ("NetworkMode", "bridge"), ("PortBindings", {}), ("RestartPolicy", {"Name": "no", "MaximumRetryCount": 0}),
    ("AutoRemove", False), ("VolumeDriver", ""), ("VolumesFrom", None), ("ConsoleSize", [0, 0]), ("Annotations", ...),
    ("CapAdd", None), ("CapDrop", None), ("CgroupnsMode", "host"), ("Dns", None), ("DnsOptions", []), ("DnsSearch", []),
    ("ExtraHosts", None), ("GroupAdd", None), ("IpcMode", "private"), ("Cgroup", ""), ("Links", None),
    ("OomScoreAdj", 0), ("PidMode", ""), ("Privileged", False), ("PublishAllPorts", False), ("ReadonlyRootfs", False),
    ("SecurityOpt", None), ("StorageOpt", ...), ("Tmpfs", ...), ("UTSMode", ""), ("UsernsMode", ""),
    ("ShmSize", SHM_SIZE), ("Sysctls", ...), ("Runtime", "runc"), ("Isolation", ""), ("CpuShares", 0), ("Memory", 0),
    ("NanoCpus", 0), ("CgroupParent", ""), ("BlkioWeight", 0), ("BlkioWeightDevice", []), ("BlkioDeviceReadBps", []),
    ("BlkioDeviceWriteBps", []), ("BlkioDeviceReadIOps", []), ("BlkioDeviceWriteIOps", []), ("CpuPeriod", 0),
    ("CpuQuota", 0), ("CpuRealtimePeriod", 0), ("CpuRealtimeRuntime", 0), ("CpusetCpus", ""), ("CpusetMems", ""),
    ("Devices", []), ("DeviceCgroupRules", None), ("DeviceRequests", None), ("MemoryReservation", 0), ("MemorySwap", 0),
    ("MemorySwappiness", None), ("OomKillDisable", False), ("PidsLimit", None), ("Ulimits", []), ("CpuCount", 0),
    ("CpuPercent", 0), ("IOMaximumIOps", 0), ("IOMaximumBandwidth", 0), ("Mounts", ...),
)  # fmt: skip


def full_host_config(asked: JsonObject) -> JsonObject:
    """All of it."""
    record: JsonObject = {}
    for key, default in _DEFAULTS:
        value = asked.get(key)
        if not value and value is not False and default is not ...:
            record[key] = default
        elif value or default is not ...:
            record[key] = value
    if record["NetworkMode"] == "default":
        record["NetworkMode"] = "bridge"
    if not text(record, "RestartPolicy", "Name"):
        record["RestartPolicy"] = {"Name": "no", "MaximumRetryCount": 0}
    if record.get("Mounts"):
        record["Mounts"] = [Mount(spec).ordered() for spec in objects(record, "Mounts")]
    privileged = bool(asked.get("Privileged"))
    record["MaskedPaths"] = None if privileged else list(MASKED_PATHS)
    record["ReadonlyPaths"] = None if privileged else list(READONLY_PATHS)
    if asked.get("Init") is not None:
        record["Init"] = asked["Init"]
    return record
