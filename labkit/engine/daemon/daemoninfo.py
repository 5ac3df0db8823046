"""docker version and docker info: what the daemon says of itself and its machine."""

from __future__ import annotations

from typing import Any, NamedTuple

from labkit.drivers.choice import numbers
from labkit.engine.containers.procfiles import CPUS, MEMORY
from labkit.engine.core.core import Core, by_age
from labkit.engine.core.errors import rfc3339
from labkit.engine.images.imagestore import ImageStore

VERSION = "29-dev"
_GO = "go1.27.3"
_COMMIT = "b985e2313a"


class Release(NamedTuple):
    """What goes with a version of the engine."""

    api: str
    least_api: str
    go: str


# By the first version that has it. The API versions are those of docker/docs (Engine API, versions); the last row is a
# recorded engine's; Go's versions are those of each first release (unverified).
_RELEASES = (
    ((17, 6), Release("1.30", "1.12", "go1.8.3")),
    ((17, 9), Release("1.32", "1.12", "go1.8.3")),
    ((17, 12), Release("1.35", "1.12", "go1.9.2")),
    ((18, 6), Release("1.38", "1.12", "go1.10.3")),
    ((18, 9), Release("1.39", "1.12", "go1.10.4")),
    ((19, 3), Release("1.40", "1.12", "go1.12.5")),
    ((20, 10), Release("1.41", "1.12", "go1.13.15")),
    ((23, 0), Release("1.42", "1.12", "go1.19.5")),
    ((24, 0), Release("1.43", "1.12", "go1.20.4")),
    ((25, 0), Release("1.44", "1.24", "go1.21.6")),
    ((26, 0), Release("1.45", "1.24", "go1.21.8")),
    ((27, 0), Release("1.46", "1.24", "go1.21.11")),
    ((28, 0), Release("1.48", "1.24", "go1.23.6")),
    ((29, 0), Release("1.56", "1.40", _GO)),
)
_CLIENT_API = "1.55"  # of the client that was recorded beside the last


def _release(core: Core) -> Release:
    if core.about.server_version is None:
        return _RELEASES[-1][1]
    return next(release for since, release in reversed(_RELEASES) if numbers(core.about.server_version) >= since)


def version(core: Core) -> dict[str, Any]:
    """Both halves of docker version."""
    return {"Client": _client(core), "Server": _server(core)}


def _client(core: Core) -> dict[str, Any]:
    """The client comes with the engine, in the same version."""
    release = _release(core)
    api = _CLIENT_API if core.about.server_version is None else release.api
    return {
        "Platform": {"Name": ""},
        "Version": core.about.server_version or VERSION,
        "ApiVersion": api,
        "DefaultAPIVersion": api,
        "GitCommit": "unknown-commit",
        "GoVersion": release.go,
        "Os": "linux",
        "Arch": "amd64",
        "BuildTime": "unknown-buildtime",
        "Context": "default",
    }


def _server(core: Core) -> dict[str, Any]:
    release = _release(core)
    details = {
        "ApiVersion": release.api,
        "Arch": "amd64",
        "BuildTime": "library-import",
        "Experimental": "false",
        "GitCommit": _COMMIT,
        "GoVersion": release.go,
        "KernelVersion": core.about.kernel_version,
        "MinAPIVersion": release.least_api,
        "Os": "linux",
    }
    components = [
        {"Name": "Engine", "Version": core.about.server_version or VERSION, "Details": details},
        {"Name": "containerd", "Version": "1.6.20~ds1", "Details": {"GitCommit": "1.6.20~ds1-1+deb12u3"}},
        {"Name": "runc", "Version": "1.5.0-rc.1+dev", "Details": {"GitCommit": ""}},
        {"Name": "docker-init", "Version": "0.19.0", "Details": {"GitCommit": ""}},
    ]
    return {
        "Platform": {"Name": ""},
        "Components": components,
        "Version": core.about.server_version or VERSION,
        "ApiVersion": details["ApiVersion"],
        "MinAPIVersion": details["MinAPIVersion"],
        "GitCommit": _COMMIT,
        "GoVersion": release.go,
        "Os": "linux",
        "Arch": "amd64",
        "KernelVersion": core.about.kernel_version,
        "BuildTime": details["BuildTime"],
    }


def info(core: Core) -> dict[str, Any]:
    """GET /info."""
    states = [container.state.status for container in by_age(core)]
    running, paused = states.count("running") + states.count("restarting"), states.count("paused")
    digits = core.digest("engine", "id")
    return {
        "ID": f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:32]}",
        "Containers": len(states),
        "ContainersRunning": running,
        "ContainersPaused": paused,
        "ContainersStopped": len(states) - running - paused,
        "Images": len(ImageStore(core)),
        "Driver": core.driver.name,
        "DriverStatus": [list(pair) for pair in core.driver.status()],
        "Plugins": {
            "Volume": ["local"],
            "Network": ["bridge", "host", "ipvlan", "macvlan", "null", "overlay"],
            "Authorization": None,
            "Log": [
                "awslogs", "fluentd", "gcplogs", "gelf", "journald", "json-file", "local", "splunk", "syslog",
            ],
        },
        "MemoryLimit": True,
        "SwapLimit": True,
        "CpuCfsPeriod": True,
        "CpuCfsQuota": True,
        "CPUShares": True,
        "CPUSet": True,
        "PidsLimit": True,
        "IPv4Forwarding": True,
        "Debug": False,
        "NFd": 24,
        "OomKillDisable": True,
        "NGoroutines": 40,
        "SystemTime": rfc3339(core.now()),
        "LoggingDriver": "json-file",
        "CgroupDriver": "cgroupfs",
        "CgroupVersion": "1",
        "NEventsListener": 0,
        "KernelVersion": core.about.kernel_version,
        "OperatingSystem": core.about.operating_system,
        "OSVersion": "12",
        "OSType": "linux",
        "Architecture": "x86_64",
        "IndexServerAddress": "https://index.docker.io/v1/",
        "RegistryConfig": {
            "IndexConfigs": {
                "docker.io": {"Mirrors": [], "Name": "docker.io", "Official": True, "Secure": True}
            },
            "InsecureRegistryCIDRs": ["::1/128", "127.0.0.0/8"],
            "Mirrors": [],
        },
        "NCPU": CPUS,
        "MemTotal": MEMORY,
        "GenericResources": None,
        "DockerRootDir": "/var/lib/docker",
        "HttpProxy": "",
        "HttpsProxy": "",
        "NoProxy": "",
        "Name": core.about.hostname,
        "Labels": [],
        "ExperimentalBuild": False,
        "ServerVersion": core.about.server_version or VERSION,
        "Runtimes": {"io.containerd.runc.v2": {"path": "runc"}, "runc": {"path": "runc"}},
        "DefaultRuntime": "runc",
        "Swarm": {
            "NodeID": "", "NodeAddr": "", "LocalNodeState": "inactive", "ControlAvailable": False, "Error": "",
            "RemoteManagers": None,
        },
        "LiveRestoreEnabled": False,
        "Isolation": "",
        "InitBinary": "docker-init",
        "ContainerdCommit": {"ID": "1.6.20~ds1-1+deb12u3"},
        "RuncCommit": {"ID": ""},
        "InitCommit": {"ID": ""},
        "SecurityOptions": ["name=seccomp,profile=builtin"],
        "FirewallBackend": {"Driver": "iptables"},
        "CDISpecDirs": ["/etc/cdi", "/var/run/cdi"],
        "Warnings": None,
    }  # fmt: skip
