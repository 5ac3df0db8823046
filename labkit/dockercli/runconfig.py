"""The flags of run and create as the body of POST /containers/create (docker/cli cli/command/container/opts.go)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from labkit.files import Files

from .errors import ValueInvalid
from .flags import Options
from .mountflags import Resolve, split_tmpfs, split_volumes
from .ports import parse_exposed, parse_specs
from .units import quote

Body = dict[str, Any]
_MEMORY_ERRORS = "Valid memory swappiness range is 0-100"


def read_pairs(files: Files, paths: list[str], given: list[str], lookup: Callable[[str], str | None]) -> list[str]:
    """KEY=VALUE lines of files, then those given on the command line (opts/file.go, pkg/kvfile)."""
    found: list[str] = []
    for path in paths:
        try:
            text = files.read(path).decode("utf-8")
        except UnicodeDecodeError:
            raise ValueInvalid(f"invalid env file ({path}): env file contains invalid utf8 bytes") from None
        except OSError as error:
            raise ValueInvalid(f"open {path}: {(error.strerror or '').lower()}") from None
        for line in text.removeprefix("\ufeff").splitlines():
            line = line.lstrip()
            if line and not line.startswith("#"):
                found += _pair(path, line, lookup)
    return found + given


def _pair(path: str, line: str, lookup: Callable[[str], str | None]) -> list[str]:
    name, equals, value = line.partition("=")
    name = name.lstrip()
    if not name:
        raise ValueInvalid(f"invalid env file ({path}): no variable name on line '{line}'")
    if re.search(r"[ \t]", name):
        raise ValueInvalid(f"invalid env file ({path}): variable '{name}' contains whitespaces")
    if equals:
        return [f"{name}={value}"]
    known = lookup(name)
    return [] if known is None else [f"{name}={known}"]


def restart_policy(text: str) -> Body:
    """opts/parse.go ParseRestartPolicy."""
    if not text:
        return {"Name": "", "MaximumRetryCount": 0}
    name, colon, count = text.partition(":")
    if colon and not name:
        raise ValueInvalid("invalid restart policy format: no policy provided before colon")
    if count and not re.fullmatch(r"[+-]?\d+", count):
        raise ValueInvalid("invalid restart policy format: maximum retry count must be an integer")
    return {"Name": name, "MaximumRetryCount": int(count or 0)}


def _to_map(pairs: list[str]) -> dict[str, str]:
    return {pair.partition("=")[0]: pair.partition("=")[2] for pair in pairs}


def _valid_mode(text: str, plain: tuple[str, ...]) -> bool:
    kind, colon, name = text.partition(":")
    return not text or text in plain or (kind == "container" and bool(colon and name))


# Flag, the values that it takes beside container:NAME, and its complaint.
_MODES = (
    ("pid", ("host",), "--pid: invalid PID mode"),
    ("uts", ("host",), "--uts: invalid UTS mode"),
    ("userns", ("host",), "--userns: invalid USER mode"),
    ("cgroupns", ("host", "private"), "--cgroupns: invalid CGROUP mode"),
)
_HEALTH = ("cmd", "interval", "timeout", "start-period", "start-interval", "retries")


def _health(options: Options) -> Body | None:
    given = {name: options[f"health-{name}"] for name in _HEALTH if options[f"health-{name}"]}
    if options["no-healthcheck"]:
        if given:
            raise ValueInvalid("--no-healthcheck conflicts with --health-* options")
        return {"Test": ["NONE"]}
    for name in _HEALTH[1:]:
        if given.get(name, 0) < 0:
            raise ValueInvalid(f"--health-{name} cannot be negative")
    if not given:
        return None
    keys = {
        "interval": "Interval",
        "timeout": "Timeout",
        "start-period": "StartPeriod",
        "start-interval": "StartInterval",
    }
    test = ["CMD-SHELL", given["cmd"]] if "cmd" in given else None
    body = {"Test": test} | {keys.get(name, "Retries"): value for name, value in given.items() if name != "cmd"}
    return {name: value for name, value in body.items() if value}


def _network(options: Options) -> str:
    """--network NAME or name=NAME,alias=…; the first counts as NetworkMode."""
    networks = options["network"] + (options["net"] or [])
    if not networks:
        return "default"
    fields = [field.partition("=") for field in networks[0].split(",")]
    if len(fields) == 1 and not fields[0][1]:
        return str(networks[0])
    names = [value for key, _, value in fields if key.strip().lower() == "name"]
    if not names:
        raise ValueInvalid("network name/id is not specified")
    return str(names[0])


def _security(options: Options) -> list[str]:
    for option in options["security-opt"]:
        if "=" not in option and ":" not in option and option != "no-new-privileges":
            raise ValueInvalid(f"invalid --security-opt: {quote(option)}")
    return list(options["security-opt"])


def _storage(options: Options) -> dict[str, str]:
    if any("=" not in option for option in options["storage-opt"]):
        raise ValueInvalid("invalid storage option")
    return _to_map(options["storage-opt"])


# HostConfig's keys that take a flag's value as it is.
_HOST = (
    ("ContainerIDFile", "cidfile"),
    ("AutoRemove", "rm"),
    ("VolumeDriver", "volume-driver"),
    ("VolumesFrom", "volumes-from"),
    ("CapAdd", "cap-add"),
    ("CapDrop", "cap-drop"),
    ("CgroupnsMode", "cgroupns"),
    ("Dns", "dns"),
    ("DnsOptions", "dns-option"),
    ("DnsSearch", "dns-search"),
    ("ExtraHosts", "add-host"),
    ("GroupAdd", "group-add"),
    ("IpcMode", "ipc"),
    ("Links", "link"),
    ("OomScoreAdj", "oom-score-adj"),
    ("PidMode", "pid"),
    ("Privileged", "privileged"),
    ("PublishAllPorts", "publish-all"),
    ("ReadonlyRootfs", "read-only"),
    ("UTSMode", "uts"),
    ("UsernsMode", "userns"),
    ("ShmSize", "shm-size"),
    ("Runtime", "runtime"),
    ("Isolation", "isolation"),
    ("CpuShares", "cpu-shares"),
    ("Memory", "memory"),
    ("NanoCpus", "cpus"),
    ("CgroupParent", "cgroup-parent"),
    ("BlkioWeight", "blkio-weight"),
    ("CpuPeriod", "cpu-period"),
    ("CpuQuota", "cpu-quota"),
    ("CpuRealtimePeriod", "cpu-rt-period"),
    ("CpuRealtimeRuntime", "cpu-rt-runtime"),
    ("CpusetCpus", "cpuset-cpus"),
    ("CpusetMems", "cpuset-mems"),
    ("DeviceCgroupRules", "device-cgroup-rule"),
    ("MemoryReservation", "memory-reservation"),
    ("MemorySwap", "memory-swap"),
    ("OomKillDisable", "oom-kill-disable"),
)


def _host_config(options: Options, binds: list[str], bindings: Body) -> Body:
    body = {key: options[name] or None for key, name in _HOST}
    body |= {
        "Binds": binds or None,
        "Mounts": options["mount"] or None,
        "Tmpfs": split_tmpfs(options["tmpfs"]) or None,
        "PortBindings": bindings,
        "NetworkMode": _network(options),
        "RestartPolicy": restart_policy(options["restart"]),
        "LogConfig": {"Type": options["log-driver"], "Config": _to_map(options["log-opt"])}
        if options["log-driver"]
        else None,
        "SecurityOpt": _security(options) or None,
        "StorageOpt": _storage(options) or None,
        "Sysctls": _to_map(options["sysctl"]) or None,
        "Annotations": _to_map(options["annotation"]) or None,
        "PidsLimit": options["pids-limit"] or None,
    }
    if options.changed("init"):
        body["Init"] = options["init"]
    return {key: value for key, value in body.items() if value is not None}


def container_body(options: Options, arguments: list[str], files: Files, env: dict[str, str], resolve: Resolve) -> Body:
    """Config with HostConfig in it. Raises ValueInvalid."""
    swappiness = options["memory-swappiness"]
    if swappiness != -1 and not 0 <= swappiness <= 100:
        raise ValueInvalid(f"invalid value: {swappiness}. {_MEMORY_ERRORS}")
    binds, volumes = split_volumes(options["volume"], resolve)
    bindings = parse_specs(options["publish"])
    exposed = [*bindings, *parse_exposed(options["expose"])]
    variables = read_pairs(files, options["env-file"], options["env"], env.get)
    labels = read_pairs(files, options["label-file"], options["label"], lambda name: "")
    for name, plain, complaint in _MODES:
        if not _valid_mode(options[name], plain) or (name != "pid" and options[name].startswith("container:")):
            raise ValueInvalid(complaint)
    host = _host_config(options, binds, bindings)
    if options["rm"] and host["RestartPolicy"]["Name"] not in ("", "no"):
        raise ValueInvalid("conflicting options: cannot specify both --restart and --rm")
    attach = options["attach"]
    body = {
        "Hostname": options["hostname"],
        "Domainname": options["domainname"],
        "User": options["user"],
        "AttachStdin": "stdin" in attach or options["interactive"],
        "AttachStdout": "stdout" in attach or not attach,
        "AttachStderr": "stderr" in attach or not attach,
        "ExposedPorts": {port: {} for port in exposed} or None,
        "Tty": options["tty"],
        "OpenStdin": options["interactive"],
        "StdinOnce": options["interactive"],
        "Env": variables,
        "Cmd": arguments[1:] or None,
        "Healthcheck": _health(options),
        "Image": arguments[0],
        "Volumes": volumes or None,
        "WorkingDir": options["workdir"],
        "Entrypoint": [options["entrypoint"]] if options.changed("entrypoint") else None,
        "Labels": _to_map(labels),
        "StopSignal": options["stop-signal"] or None,
        "StopTimeout": options["stop-timeout"] if options.changed("stop-timeout") else None,
        "HostConfig": host,
    }
    return {key: value for key, value in body.items() if value is not None}
