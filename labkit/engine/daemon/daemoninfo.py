"""What the daemon is told and tells: /etc/docker/daemon.json, docker version, docker info, docker system df.

The configuration is read when the daemon starts (moby, daemon/config/config.go; Go, encoding/json for its words on text
that is no JSON). What is acted on is "storage-driver", "storage-opts" and the feature that picks the image store. The
other directives that the daemon knows are taken and change nothing, but for "data-root", which this daemon does not
have. In system df a layer counts once; what an image could give back is what no other image shares (moby,
daemon/disk_usage.go).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from labkit.drivers.choice import numbers
from labkit.engine.containers import inspection
from labkit.engine.containers.sandbox import CPUS, MEMORY
from labkit.engine.core.core import Core, by_age
from labkit.engine.core.records import Image, chain_ids
from labkit.engine.images import images
from labkit.engine.images.imagestore import ImageStore, LayerStore
from labkit.engine.mounts import volumes
from labkit.kernel.golang import Json, JsonObject, number, rfc3339, text

if TYPE_CHECKING:
    from labkit.files import Files


PATH = "/etc/docker/daemon.json"
# Directives, by the type that Go expects ("": any).
_TYPES = {"storage-driver": "string", "storage-opts": "[]string", "features": "map[string]bool"}
_OTHERS = (
    "add-runtime", "allow-direct-routing", "allow-nondistributable-artifacts", "api-cors-header",
    "authorization-plugins", "bip", "bip6", "bridge", "builder", "cdi-spec-dirs", "cgroup-parent", "containerd",
    "containerd-namespace", "containerd-plugin-namespace", "cpu-rt-period", "cpu-rt-runtime", "data-root", "debug",
    "default-address-pools", "default-cgroupns-mode", "default-gateway", "default-gateway-v6",
    "default-ipc-mode", "default-network-opts", "default-runtime", "default-shm-size", "default-ulimits", "dns",
    "dns-opts", "dns-search", "exec-opts", "exec-root", "experimental", "firewall-backend", "fixed-cidr",
    "fixed-cidr-v6", "group", "host-gateway-ip", "host-gateway-ips", "hosts", "http-proxy", "https-proxy", "icc",
    "init", "init-path", "insecure-registries", "ip", "ip-forward", "ip-forward-no-drop", "ip-masq", "ip6tables",
    "iptables", "ipv6", "labels", "live-restore", "log-driver", "log-format", "log-level", "log-opts",
    "max-concurrent-downloads", "max-concurrent-uploads", "max-download-attempts", "metrics-addr", "min-api-version",
    "mtu", "network-control-plane-mtu", "no-new-privileges", "no-proxy", "node-generic-resources",
    "oom-score-adjust", "pidfile", "proxies", "raw-logs", "registry-mirrors", "rootless", "runtimes",
    "seccomp-profile", "selinux-enabled", "shutdown-timeout", "swarm-default-advertise-addr", "tls", "tlscacert",
    "tlscert", "tlskey", "tlsverify", "userland-proxy", "userland-proxy-path", "userns-remap",
)  # fmt: skip
_HERE = "/var/lib/docker"  # the one data-root
_GO_TYPES = {str: "string", bool: "bool", int: "number", float: "number", list: "array", dict: "object"}
_PYTHON_TYPES: dict[str, type] = {"string": str, "bool": bool, "[]string": list, "map[string]bool": dict}
_LITERALS = {"t": "true", "f": "false", "n": "null"}


class ConfigError(ValueError):
    """The daemon does not start; str() is what it says."""


@dataclass(frozen=True)
class Config:
    storage_driver: str | None = None
    storage_options: tuple[str, ...] = ()
    features: dict[str, bool] = field(default_factory=dict)


def read_config(host: Files) -> Config:
    """Raises ConfigError. Without a file, or with an empty one, everything is as it is by default."""
    try:
        text = host.read(PATH).decode("utf-8", "replace").strip()
    except FileNotFoundError:
        return Config()
    except OSError as error:
        raise _refused(f"open {PATH}: {str(error.strerror).lower()}") from None
    return parse(text) if text else Config()


def current(host: Files) -> JsonObject:
    """What the file says, as it stands; empty where it is none that can be read."""
    try:
        found = json.loads(host.read(PATH))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def write(host: Files, config: Mapping[str, object]) -> None:
    host.makedirs(PATH.rpartition("/")[0])
    host.write(PATH, json.dumps(config, indent=2) + "\n", 0o644)


def parse(text: str) -> Config:
    try:
        found = json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise _refused(go_error(error)) from None
    except RecursionError:
        raise _refused("exceeded max depth") from None
    if found is None:
        return Config()
    if not isinstance(found, dict):
        kind = _GO_TYPES[type(found)]
        raise _refused(f"json: cannot unmarshal {kind} into Go value of type map[string]interface {{}}")
    unknown = [key for key in found if key not in _TYPES and key not in _OTHERS]
    if unknown:
        raise _refused(f"the following directives don't match any configuration option: {', '.join(unknown)}")
    for key, wanted in _TYPES.items():
        _check(key, found.get(key), wanted)
    if found.get("data-root", _HERE) not in (_HERE, f"{_HERE}/"):
        raise _refused(f"this simulated daemon has no data-root but {_HERE}")
    options = tuple(found.get("storage-opts") or ())
    return Config(found.get("storage-driver") or None, options, dict(found.get("features") or {}))


def _no_constant(name: str) -> NoReturn:
    """NaN and Infinity, which are JSON to Python alone."""
    raise _refused(f"invalid character '{name.lstrip('-')[0]}' looking for beginning of value")


def _refused(said: str) -> ConfigError:
    return ConfigError(f"unable to configure the Docker daemon with file {PATH}: {said}")


def _check(key: str, value: Json, wanted: str) -> None:
    """Raise where a value is not of the type that the daemon's structure has."""
    if value is None:
        return
    if type(value) is not _PYTHON_TYPES[wanted]:
        raise _wrong_type(key, value, wanted)
    if isinstance(value, list):
        _check_all(key, value, "string")
    elif isinstance(value, dict):
        _check_all(key, value.values(), "bool")


def _check_all(key: str, values: Iterable[Json], wanted: str) -> None:
    for value in values:
        _check(key, value, wanted)


def _wrong_type(key: str, value: Json, wanted: str) -> ConfigError:
    kind = _GO_TYPES[type(value)]
    return _refused(f"json: cannot unmarshal {kind} into Go struct field Config.{key} of type {wanted}")


def go_error(error: json.JSONDecodeError) -> str:
    """What Go says where Python says this."""
    text, message = error.doc, error.msg
    if message.startswith("Unterminated string"):
        return "unexpected end of JSON input"
    if message.startswith("Invalid control character"):
        return f"invalid character {_quoted(text[error.pos])} in string literal"
    if message.startswith("Invalid \\"):
        return f"invalid character {_quoted(text[error.pos + 1 : error.pos + 2] or ' ')} in string escape code"
    skipped = error.pos + (message.startswith("Illegal trailing comma"))
    rest = text[skipped:].lstrip(" \t\r\n")
    if not rest:
        return "unexpected end of JSON input"
    if message == "Expecting value" and rest[0] in _LITERALS:
        return _literal_error(rest)
    return f"invalid character {_quoted(rest[0])} {_where(message, text[:skipped])}"


def _where(message: str, before: str) -> str:
    """What Go was looking for."""
    if message.startswith("Expecting property name") or message.endswith("before end of object"):
        return "looking for beginning of object key string"
    if message.startswith("Expecting ':'"):
        return "after object key"
    if message.startswith("Expecting ','"):
        return "after object key:value pair" if _in_object(before) else "after array element"
    return "after top-level value" if message == "Extra data" else "looking for beginning of value"


def _in_object(before: str) -> bool:
    """Whether the innermost bracket that is open is that of an object."""
    open_ones, in_string, skip = [], False, False
    for character in before:
        if skip:
            skip = False
        elif in_string:
            skip, in_string = character == "\\", character != '"'
        elif character == '"':
            in_string = True
        elif character in "{[":
            open_ones.append(character)
        elif character in "}]" and open_ones:
            open_ones.pop()
    return open_ones[-1:] == ["{"]


def _literal_error(rest: str) -> str:
    literal = _LITERALS[rest[0]]
    for place, wanted in enumerate(literal):
        if place >= len(rest):
            return "unexpected end of JSON input"
        if rest[place] != wanted:
            return f"invalid character {_quoted(rest[place])} in literal {literal} (expecting '{wanted}')"
    return "unexpected end of JSON input"


def _quoted(character: str) -> str:
    """A character between quotes, as Go shows the first byte of it."""
    known = {"'": "'\\''", '"': "'\"'", "\n": "'\\n'", "\t": "'\\t'", "\r": "'\\r'", "\\": "'\\\\'"}
    byte = character.encode("utf-8", "replace")[0]
    return known.get(character) or (f"'{chr(byte)}'" if byte >= 32 and byte != 127 else f"'\\x{byte:02x}'")


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


def version(core: Core) -> JsonObject:
    """Both halves of docker version."""
    return {"Client": _client(core), "Server": _server(core)}


def _client(core: Core) -> JsonObject:
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


def _server(core: Core) -> JsonObject:
    release = _release(core)
    details: JsonObject = {
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
    components: list[Json] = [
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


# What every daemon of this kind says alike, where it stands in moby, daemon/info.go.
_ABILITIES: JsonObject = {
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
}  # fmt: skip
_PLATFORM: JsonObject = {
    "OSVersion": "12",
    "OSType": "linux",
    "Architecture": "x86_64",
    "IndexServerAddress": "https://index.docker.io/v1/",
    "RegistryConfig": {
        "IndexConfigs": {"docker.io": {"Mirrors": [], "Name": "docker.io", "Official": True, "Secure": True}},
        "InsecureRegistryCIDRs": ["::1/128", "127.0.0.0/8"],
        "Mirrors": [],
    },
}
_RUNTIMES: JsonObject = {
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


def info(core: Core) -> JsonObject:
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
        **_ABILITIES,
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
        **_PLATFORM,
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
        **_RUNTIMES,
    }


def disk_usage(core: Core, cache: list[JsonObject]) -> JsonObject:
    """GET /system/df."""
    return {
        "ImageUsage": _images(core),
        "ContainerUsage": _containers(core),
        "VolumeUsage": _volumes(core),
        "BuildCacheUsage": _build_cache(cache),
    }


def _part(items: list[JsonObject], active: int, total: int, reclaimable: int) -> JsonObject:
    return {
        "ActiveCount": active,
        "TotalCount": len(items),
        "TotalSize": total,
        "Reclaimable": reclaimable,
        "Items": list[Json](items),
    }


def _images(core: Core) -> JsonObject:
    parts = {image.id: _parts(core, image) for image in ImageStore(core).all()}
    uses = Counter(name for own in parts.values() for name in own)
    items, reclaimable, active = [], 0, 0
    for row in images.summaries(core):
        shared = sum(size for name, size in parts[text(row, "Id")].items() if uses[name] > 1 and name[0] != " ")
        row["SharedSize"] = shared
        items.append(row)
        if row["Containers"]:
            active += 1
        else:
            reclaimable += number(row, "Size") - shared
    sizes = {name: size for own in parts.values() for name, size in own.items()}
    return _part(items, active, sum(sizes.values()), reclaimable)


def _parts(core: Core, image: Image) -> dict[str, int]:
    """What an image consists of: its layers, and in the containerd store its blobs; bytes by chain id and digest."""
    records = (LayerStore(core).get(chain) for chain in chain_ids(image.diff_ids))
    known = [record for record in records if record]
    layers = {f"layer {record.chain_id}": record.size for record in known}
    layers |= {f" below {record.chain_id}": record.between for record in known}  # which the engine never calls shared
    return layers | {blob.digest: blob.size for blob in (image.stored.blobs if image.stored else ())}


def _containers(core: Core) -> JsonObject:
    found = by_age(core)
    items = [inspection.row(core, container, size=True) for container in found]
    idle = sum(
        number(row, "SizeRw") for row, container in zip(items, found, strict=True) if not container.state.running
    )
    active = sum(container.state.running for container in found)
    return _part(items, active, sum(number(row, "SizeRw") for row in items), idle)


def _volumes(core: Core) -> JsonObject:
    """The local volumes but those with driver options (moby, volume/service/service.go, LocalVolumesSize)."""
    items, idle = list[JsonObject](), 0
    for row in volumes.rows(core, None):
        volume = core.tables.volumes[text(row, "Name")]
        if volume.options:
            continue
        count, size = len(volumes.users(core, volume.name)), volumes.size(core, volume)
        items.append({**row, "UsageData": {"RefCount": count, "Size": size}})
        idle += 0 if count else size
    active = sum(1 for item in items if number(item, "UsageData", "RefCount"))
    return _part(items, active, sum(number(item, "UsageData", "Size") for item in items), idle)


def _build_cache(items: list[JsonObject]) -> JsonObject:
    active = sum(1 for item in items if item["InUse"])
    total = sum(number(item, "Size") for item in items)
    reclaimable = sum(number(item, "Size") for item in items if not item["InUse"] and not item.get("Shared"))
    return _part(items, active, total, reclaimable)
