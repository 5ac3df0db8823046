"""What a container's host configuration must not say, in the order in which the daemon looks.

Facts: moby, daemon/container.go (validateHostConfig, validateCapabilities), daemon/daemon_unix.go
(verifyPlatformContainerSettings), daemon/runtime_unix.go, daemon/logger/factory.go, daemon/internal/runconfig.
"""

from __future__ import annotations

from collections.abc import Iterator

from labkit.engine.containers.sandbox import CPUS
from labkit.engine.core.errors import invalid
from labkit.kernel.golang import JsonObject, number, text, texts

_LEAST = 6 << 20  # bytes of memory
_CAPABILITIES = frozenset(
    "ALL AUDIT_CONTROL AUDIT_READ AUDIT_WRITE BLOCK_SUSPEND BPF CHECKPOINT_RESTORE CHOWN DAC_OVERRIDE DAC_READ_SEARCH "
    "FOWNER FSETID IPC_LOCK IPC_OWNER KILL LEASE LINUX_IMMUTABLE MAC_ADMIN MAC_OVERRIDE MKNOD NET_ADMIN "
    "NET_BIND_SERVICE NET_BROADCAST NET_RAW PERFMON SETFCAP SETGID SETPCAP SETUID SYSLOG SYS_ADMIN SYS_BOOT SYS_CHROOT "
    "SYS_MODULE SYS_NICE SYS_PACCT SYS_PTRACE SYS_RAWIO SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG WAKE_ALARM".split()
)
_LOGS = frozenset("none awslogs fluentd gcplogs gelf journald json-file local splunk syslog".split())
_JSON_LOG_OPTIONS = frozenset(
    "max-file max-size compress labels labels-regex env env-regex tag mode max-buffer-size".split()
)
_RUNTIMES = ("", "runc", "io.containerd.runc.v2")


def check(host: JsonObject) -> None:
    """Raises EngineError with the first thing that is wrong."""
    isolation = text(host, "Isolation")
    if isolation not in ("", "default"):
        raise invalid(f"invalid isolation ({isolation}): linux only supports 'default'")
    for find in (_capabilities, _resources, _namespaces, _runtime, _logs):
        for said in find(host):
            raise invalid(said)


def _capabilities(host: JsonObject) -> Iterator[str]:
    for key in ("CapAdd", "CapDrop"):
        for name in texts(host, key):
            bare = name.upper().removeprefix("CAP_")
            if bare not in _CAPABILITIES:
                yield f'invalid {key}: unknown capability: "CAP_{bare}"'


def _resources(host: JsonObject) -> Iterator[str]:
    memory, swap, reserved = (number(host, key) for key in ("Memory", "MemorySwap", "MemoryReservation"))
    cpus, period, quota = (number(host, key) for key in ("NanoCpus", "CpuPeriod", "CpuQuota"))
    wrong: tuple[tuple[bool, str], ...] = (
        (0 != memory < _LEAST, "Minimum memory limit allowed is 6MB"),
        (0 < swap < memory, "Minimum memoryswap limit should be larger than memory limit, see usage"),
        (
            memory == 0 < swap,
            "You should always set the Memory limit when using Memoryswap limit, see usage",
        ),
        (0 < reserved < _LEAST, "Minimum memory reservation allowed is 6MB"),
        (0 < memory < reserved, "Minimum memory limit can not be less than memory reservation limit, see usage"),
        (cpus > 0 < period, "Conflicting options: Nano CPUs and CPU Period cannot both be set"),
        (cpus > 0 < quota, "Conflicting options: Nano CPUs and CPU Quota cannot both be set"),
        (
            not 0 <= cpus <= CPUS * 10**9,
            f"range of CPUs is from 0.01 to {CPUS}.00, as there are only {CPUS} CPUs available",
        ),
        (
            period != 0 and not 1000 <= period <= 1_000_000,
            "CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)",
        ),
        (0 != quota < 1000 and quota > 0, "CPU cfs quota can not be less than 1ms (i.e. 1000)"),
    )
    yield from (said for is_wrong, said in wrong if is_wrong)


def _namespaces(host: JsonObject) -> Iterator[str]:
    mode, score = text(host, "IpcMode"), number(host, "OomScoreAdj")
    if mode not in ("", "none", "private", "shareable", "host") and not mode.startswith("container:"):
        yield f"invalid IPC mode: {mode}"
    if not -1000 <= score <= 1000:
        yield f"Invalid value {score}, range for oom score adj is [-1000, 1000]"


def _runtime(host: JsonObject) -> Iterator[str]:
    name = text(host, "Runtime")
    if name not in _RUNTIMES:
        yield f"unknown or invalid runtime name: {name}"


def _logs(host: JsonObject) -> Iterator[str]:
    config = host.get("LogConfig")
    name = text(config, "Type") or "json-file"
    if name not in _LOGS:
        yield f'error looking up logging plugin {name}: plugin "{name}" not found'
    options = config.get("Config") if isinstance(config, dict) else None
    for key in options if name == "json-file" and isinstance(options, dict) else ():
        if key not in _JSON_LOG_OPTIONS:
            yield f"unknown log opt '{key}' for json-file log driver"
