"""The flags of run and create as the body of POST /containers/create (docker/cli cli/command/container/opts.go).

Ports, too: -p as the API takes it (docker/go-connections nat), and as docker ps shows them (DisplayablePorts).
"""

from __future__ import annotations

import codecs
import ipaddress
import json
import posixpath
import re
from collections.abc import Callable

from labkit.dockercli.flags import Options, ValueInvalid
from labkit.dockercli.mountflags import Resolve, split_tmpfs, split_volumes
from labkit.files import Files
from labkit.kernel.golang import Json, JsonObject, number, quote, text

Bindings = dict[str, list[dict[str, str]]]  # "80/tcp" -> where it is published


def standard(text: str) -> str:
    """published=8080,target=80,protocol=tcp as 8080:80/tcp."""
    if "=" not in text:
        return text
    fields = {"protocol": "tcp", "published": "", "target": ""}
    for field in text.split(","):
        name, equals, value = field.partition("=")
        if not (equals and name):
            raise ValueInvalid(f"invalid publish opts format (should be name=value but got '{field}')")
        fields[name] = value
    return f"{fields['published']}:{fields['target']}/{fields['protocol']}"


def parse_specs(specs: list[str]) -> Bindings:
    """-p values. Raises ValueInvalid."""
    found: Bindings = {}
    for spec in specs:
        for port, binding in _parse(standard(spec)):
            found.setdefault(port, []).append(binding)
    return found


def _parse(spec: str) -> list[tuple[str, dict[str, str]]]:
    ip, host, container = _split(spec)
    container, _, protocol = container.partition("/")
    if not container:
        raise ValueInvalid(f"no port specified: {spec}<empty>")
    protocol = (protocol or "tcp").lower()
    if protocol not in ("tcp", "udp", "sctp"):
        raise ValueInvalid(f"invalid proto: {protocol}")
    if ip.startswith("["):
        ip = ip[1:-1]
    if ip and not _valid_ip(ip):
        raise ValueInvalid(f"invalid IP address: {ip}")
    low, high = _range(container, "containerPort")
    host_low, host_high = _range(host, "hostPort") if host else (0, 0)
    if host and high - low != host_high - host_low and low != high:
        raise ValueInvalid(f"invalid ranges specified for container and host Ports: {container} and {host}")
    if host and low == high and host_low != host_high:
        return [(f"{low}/{protocol}", {"HostIp": ip, "HostPort": f"{host_low}-{host_high}"})]
    return [
        (f"{low + step}/{protocol}", {"HostIp": ip, "HostPort": str(host_low + step) if host else ""})
        for step in range(high - low + 1)
    ]


def _split(text: str) -> tuple[str, str, str]:
    parts = text.rsplit(":", 2)
    if len(parts) == 1:
        return "", "", parts[0]
    if len(parts) == 2:
        return "", parts[0], parts[1]
    return parts[0], parts[1], parts[2]


def _valid_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _range(text: str, what: str) -> tuple[int, int]:
    low, dash, high = text.partition("-")
    numbers = [low, high] if dash else [low, low]
    if not all(number.isascii() and number.isdigit() and int(number) < 65536 for number in numbers):
        raise ValueInvalid(f"invalid {what}: {text}")
    if int(numbers[0]) > int(numbers[1]):
        raise ValueInvalid(f"invalid {what}: {text}")
    return int(numbers[0]), int(numbers[1])


def parse_exposed(specs: list[str]) -> list[str]:
    """--expose values as 80/tcp. Raises ValueInvalid."""
    found = []
    for spec in specs:
        try:
            low, high, protocol = _exposed_range(spec)
        except ValueInvalid as error:
            raise ValueInvalid(f"invalid range format for --expose: {error}") from None
        found += [f"{port}/{protocol}" for port in range(low, high + 1)]
    return found


def _exposed_range(spec: str) -> tuple[int, int, str]:
    """moby api/types/network ParsePortRange."""
    if not spec:
        raise ValueInvalid("invalid port range: value is empty")
    ports, _, protocol = spec.partition("/")
    start, dash, end = ports.partition("-")
    low = port_number(start, "start port")
    high = port_number(end, "end port") if dash else low
    if high < low:
        raise ValueInvalid(f"invalid port range: {spec}")
    return low, high, protocol.lower() or "tcp"


def port_number(text: str, what: str) -> int:
    """moby api/types/network parsePortNumber. Raises ValueInvalid, which names `what` was wrong."""
    reason = ""
    if not text:
        reason = "value is empty"
    elif not (text.isascii() and text.isdigit()):
        reason = "invalid syntax"
    elif int(text) > 65535:
        reason = "value out of range"
    if reason:
        raise ValueInvalid(f"invalid {what} '{text}': {reason}")
    return int(text)


def join_host(ip: str, port: str) -> str:
    return f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"


def displayable(ports: list[Json]) -> str:
    """0.0.0.0:80->9090/tcp, 9988/tcp; neighbours as a range."""
    groups: dict[str, tuple[int, int]] = {}
    done: list[str] = []
    mapped: list[str] = []
    found = [(number(p, "PrivatePort"), text(p, "IP"), number(p, "PublicPort"), text(p, "Type")) for p in ports]
    for private, ip, public, kind in sorted(found):
        if ip and public != private:
            mapped.append(f"{join_host(ip, str(public))}->{private}/{kind}")
            continue
        key = f"{ip}/{kind}" if ip else kind
        if key in groups and private == groups[key][1] + 1:
            groups[key] = groups[key][0], private
            continue
        if key in groups:
            done.append(_group(key, *groups[key]))
        groups[key] = private, private
    return ", ".join([*done, *(_group(key, *ends) for key, ends in groups.items()), *mapped])


def _group(key: str, first: int, last: int) -> str:
    ip, slash, kind = key.rpartition("/")
    span = str(first) if first == last else f"{first}-{last}"
    return f"{join_host(ip, span)}->{span}/{kind}" if slash else f"{span}/{kind}"


_MAC = r"([0-9a-fA-F]{2}[:-]){5}([0-9a-fA-F]{2}[:-]){0,14}[0-9a-fA-F]{2}|([0-9a-fA-F]{4}\.){2,3}[0-9a-fA-F]{4}"
_MEMORY_ERRORS = "Valid memory swappiness range is 0-100"


def read_pairs(files: Files, paths: list[str], given: list[str], lookup: Callable[[str], str | None]) -> list[str]:
    """KEY=VALUE lines of files, then those given on the command line (opts/file.go, pkg/kvfile)."""
    found: list[str] = []
    for path in paths:
        try:
            content = files.read(path)
        except OSError as error:
            raise ValueInvalid(f"open {path}: {(error.strerror or '').lower()}") from None
        for place, raw in enumerate(content.removeprefix(codecs.BOM_UTF8).split(b"\n"), 1):
            line = _decoded(path, place, raw.removesuffix(b"\r")).lstrip()
            if line and not line.startswith("#"):
                found += _pair(path, line, lookup)
    return found + given


def _pairs_of(files: Files, options: Options, source: str, name: str, lookup: Callable[[str], str | None]) -> list[str]:
    """Those of a flag and of the files of another, which mistakes are said of (docker/cli container/opts.go, parse)."""
    try:
        return read_pairs(files, options.texts(source), options.texts(name), lookup)
    except ValueInvalid as error:
        raise ValueInvalid(f"--{source}: {error}") from None


def _decoded(path: str, number: int, line: bytes) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        shown = " ".join(map(str, line))
        raise ValueInvalid(f"invalid env file ({path}): invalid utf8 bytes at line {number}: [{shown}]") from None


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


def restart_policy(text: str) -> JsonObject:
    """opts/parse.go ParseRestartPolicy."""
    if not text:
        return {"Name": "", "MaximumRetryCount": 0}
    name, colon, count = text.partition(":")
    if colon and not name:
        raise ValueInvalid("invalid restart policy format: no policy provided before colon")
    if count and not re.fullmatch(r"[+-]?\d+", count):
        raise ValueInvalid("invalid restart policy format: maximum retry count must be an integer")
    return {"Name": name, "MaximumRetryCount": int(count or 0)}


def _to_map(pairs: list[str]) -> JsonObject:
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
# --health-* flags that are numbers, with their keys in the API.
_HEALTH = {
    "interval": "Interval",
    "timeout": "Timeout",
    "retries": "Retries",
    "start-period": "StartPeriod",
    "start-interval": "StartInterval",
}


def _health(options: Options) -> JsonObject | None:
    command = options.text("health-cmd")
    numbers = {name: options.number(f"health-{name}") for name in _HEALTH}
    if options.on("no-healthcheck"):
        if command or any(numbers.values()):
            raise ValueInvalid("--no-healthcheck conflicts with --health-* options")
        return {"Test": ["NONE"]}
    for name, value in numbers.items():
        if value < 0:
            raise ValueInvalid(f"--health-{name} cannot be negative")
    body: JsonObject = {"Test": ["CMD-SHELL", command]} if command else {}
    body |= {_HEALTH[name]: value for name, value in numbers.items() if value}
    return body or None


def _network(options: Options) -> str:
    """The first --network counts."""
    networks = [*options.texts("network"), *(options.texts("net") or [])]
    for place, name in enumerate(networks):
        if name in networks[:place]:
            raise ValueInvalid(f"network {quote(name)} is specified multiple times")
    if len({_user_defined(name) for name in networks}) > 1:
        raise ValueInvalid("conflicting options: cannot attach both user-defined and non-user-defined network-modes")
    first = str(networks[0]) if networks else "default"
    if not _user_defined(first) and (options.texts("network-alias") or options.texts("net-alias")):
        raise ValueInvalid("network-scoped aliases are only supported for user-defined networks")
    return first


def _endpoint(options: Options, network: str) -> JsonObject | None:
    """The addresses and names that were asked for, and the further networks."""
    asked = {"IPv4Address": options.text("ip"), "IPv6Address": options.text("ip6")}
    addresses: JsonObject = {key: value for key, value in asked.items() if value}
    aliases = list[Json]([*options.texts("network-alias"), *(options.texts("net-alias") or [])])
    first: JsonObject = {"IPAMConfig": addresses} if addresses else {}
    first |= {"Aliases": aliases} if aliases else {}
    others = [name for name in [*options.texts("network"), *(options.texts("net") or [])] if name != network]
    endpoints: JsonObject = {network: first, **{name: {} for name in others}}
    return {"EndpointsConfig": endpoints} if first or others else None


def _user_defined(network: str) -> bool:
    return network not in ("default", "bridge", "host", "none") and not network.startswith("container:")


def _log(options: Options) -> JsonObject | None:
    driver = options.text("log-driver")
    if driver == "none" and options.texts("log-opt"):
        raise ValueInvalid("invalid logging opts for driver none")
    asked = _to_map(options.texts("log-opt"))
    return {"Type": driver, "Config": asked} if driver or asked else None


def _security(options: Options, files: Files) -> list[str]:
    found = []
    for option in options.texts("security-opt"):
        name, sign, value = option.partition("=" if "=" in option else ":")
        if not (sign and value) and name != "no-new-privileges":
            raise ValueInvalid(f"invalid --security-opt: {quote(option)}")
        if name == "seccomp" and value not in ("builtin", "unconfined"):
            option = "seccomp=" + _seccomp(value, files)
        if option != "systempaths=unconfined":
            found.append(option)
    return found


def _seccomp(path: str, files: Files) -> str:
    """The profile in a file of the client."""
    try:
        return json.dumps(json.loads(files.read(path)), separators=(",", ":"), ensure_ascii=False)
    except OSError as error:
        reason = f"open {path}: {(error.strerror or '').lower()}"
        raise ValueInvalid(f"opening seccomp profile ({path}) failed: {reason}") from None
    except ValueError as error:
        raise ValueInvalid(f"compacting json for seccomp profile ({path}) failed: {error}") from None


def _storage(options: Options) -> JsonObject:
    if any("=" not in option for option in options.texts("storage-opt")):
        raise ValueInvalid("invalid storage option")
    return _to_map(options.texts("storage-opt"))


def device_mode(text: str) -> bool:
    """Each of r, w and m at most once."""
    return bool(text) and not set(text) - set("rwm") and len(set(text)) == len(text)


def parse_device(text: str) -> JsonObject:
    """--device: opts.go validateLinuxPath and parseLinuxDevice."""
    parts = text.split(":")
    if len(parts) > 3 or not parts[0]:
        raise ValueInvalid(f"bad format for path: {text}")
    if len(parts) == 3 and not device_mode(parts[2]):
        raise ValueInvalid(f"bad mode specified: {parts[2]}")
    mode = parts.pop() if len(parts) > 1 and (len(parts) == 3 or device_mode(parts[1])) else "rwm"
    if not parts[-1].startswith("/"):
        raise ValueInvalid(f"{parts[-1]} is not an absolute path")
    source, target = parts[0], posixpath.normpath(parts[-1])
    return {
        "PathOnHost": source if len(parts) == 2 else target,
        "PathInContainer": target,
        "CgroupPermissions": mode,
    }


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
    ("BlkioWeightDevice", "blkio-weight-device"),
    ("BlkioDeviceReadBps", "device-read-bps"),
    ("BlkioDeviceWriteBps", "device-write-bps"),
    ("BlkioDeviceReadIOps", "device-read-iops"),
    ("BlkioDeviceWriteIOps", "device-write-iops"),
    ("DeviceRequests", "gpus"),
    ("MemoryReservation", "memory-reservation"),
    ("MemorySwap", "memory-swap"),
    ("OomKillDisable", "oom-kill-disable"),
)


def _host_config(options: Options, files: Files, binds: list[str], bindings: JsonObject) -> JsonObject:
    log = _log(options)
    body: JsonObject = {key: options[name] or None for key, name in _HOST}
    body |= {
        "Binds": [*binds] or None,
        "Mounts": options.several("mount") or None,
        "Tmpfs": split_tmpfs(options.texts("tmpfs")) or None,
        "PortBindings": bindings,
        "NetworkMode": _network(options),
        "RestartPolicy": restart_policy(options.text("restart")),
        "LogConfig": log,
        "Devices": [parse_device(each) for each in options.texts("device")] or None,
        "SecurityOpt": [*_security(options, files)] or None,
        "StorageOpt": _storage(options) or None,
        "Sysctls": _to_map(options.texts("sysctl")) or None,
        "Annotations": _to_map(options.texts("annotation")) or None,
        "PidsLimit": options.number("pids-limit") or None,
    }
    if options.changed("init"):
        body["Init"] = options.on("init")
    return {key: value for key, value in body.items() if value is not None}


def container_body(
    options: Options, arguments: list[str], files: Files, env: dict[str, str], resolve: Resolve
) -> JsonObject:
    """Config with HostConfig in it. Raises ValueInvalid."""
    address = options.text("mac-address")
    if address and not re.fullmatch(_MAC, address.strip()):
        raise ValueInvalid(f"{address} is not a valid mac address")
    swappiness = options.number("memory-swappiness")
    if swappiness != -1 and not 0 <= swappiness <= 100:
        raise ValueInvalid(f"invalid value: {swappiness}. {_MEMORY_ERRORS}")
    binds, volumes = split_volumes(options.texts("volume"), resolve)
    bindings = parse_specs(options.texts("publish"))
    exposed = [*bindings, *parse_exposed(options.texts("expose"))]
    variables = _pairs_of(files, options, "env-file", "env", env.get)
    labels = _pairs_of(files, options, "label-file", "label", lambda name: None)
    for name, plain, complaint in _MODES:
        mode = options.text(name)
        if not _valid_mode(mode, plain) or (name != "pid" and mode.startswith("container:")):
            raise ValueInvalid(complaint)
    host = _host_config(options, files, binds, {port: [{**each} for each in bound] for port, bound in bindings.items()})
    health = _health(options)
    if options.on("rm") and text(host, "RestartPolicy", "Name") not in ("", "no"):
        raise ValueInvalid("conflicting options: cannot specify both --restart and --rm")
    attach = options.texts("attach")
    body: JsonObject = {
        "Hostname": options.text("hostname"),
        "Domainname": options.text("domainname"),
        "User": options.text("user"),
        "AttachStdin": "stdin" in attach or options.on("interactive"),
        "AttachStdout": "stdout" in attach or not attach,
        "AttachStderr": "stderr" in attach or not attach,
        "ExposedPorts": {port: {} for port in exposed} or None,
        "Tty": options.on("tty"),
        "OpenStdin": options.on("interactive"),
        "StdinOnce": options.on("interactive"),
        "Env": [*variables],
        "Cmd": [*arguments[1:]] or None,
        "Healthcheck": health,
        "Image": arguments[0],
        "Volumes": volumes or None,
        "WorkingDir": options.text("workdir"),
        "Entrypoint": [options.text("entrypoint")] if options.changed("entrypoint") else None,
        "Labels": _to_map(labels),
        "StopSignal": options.text("stop-signal") or None,
        "StopTimeout": options.number("stop-timeout") if options.changed("stop-timeout") else None,
        "HostConfig": host,
        "NetworkingConfig": _endpoint(options, text(host, "NetworkMode")),
    }
    return {key: value for key, value in body.items() if value is not None}
