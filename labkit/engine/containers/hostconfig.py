"""HostConfig: what was asked for, and all the values that nobody asked for, in the order of an inspect."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labkit.engine.core.mountkeys import Mount

MASKED_PATHS = (
    "/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
    "/proc/sched_debug", "/proc/scsi", "/proc/timer_list", "/proc/timer_stats", "/sys/devices/virtual/powercap",
    "/sys/firmware",
)  # fmt: skip
READONLY_PATHS = ("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger")
SHM_SIZE = 64 << 20  # bytes

# Key and value where nothing was asked for; `...` stands for a key that is then left out.
_DEFAULTS: tuple[tuple[str, Any], ...] = (
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


def full(asked: Mapping[str, Any]) -> dict[str, Any]:
    """All of it."""
    record: dict[str, Any] = {}
    for key, default in _DEFAULTS:
        value = asked.get(key)
        if not value and value is not False and default is not ...:
            record[key] = default
        elif value or default is not ...:
            record[key] = value
    if record["NetworkMode"] == "default":
        record["NetworkMode"] = "bridge"
    if not (record["RestartPolicy"] or {}).get("Name"):
        record["RestartPolicy"] = {"Name": "no", "MaximumRetryCount": 0}
    if record.get("Mounts"):
        record["Mounts"] = [Mount(spec).ordered() for spec in record["Mounts"]]
    privileged = bool(asked.get("Privileged"))
    record["MaskedPaths"] = None if privileged else list(MASKED_PATHS)
    record["ReadonlyPaths"] = None if privileged else list(READONLY_PATHS)
    if asked.get("Init") is not None:
        record["Init"] = asked["Init"]
    return record
