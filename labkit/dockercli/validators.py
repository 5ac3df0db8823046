"""What single flags accept, beyond the kind of their value, and flags that the help does not show any more."""

from __future__ import annotations

import re
from collections.abc import Callable

from labkit.dockercli.flags import Flag, Validator, ValueInvalid, parse_bytes
from labkit.kernel.golang import JsonObject, quote, ram_in_bytes
from labkit.kernel.process import Process

from .mountflags import parse_mount, read_csv, resolve_in

_RENAMED_TIME = (Flag("time", "", "int", deprecated="use --timeout instead"),)
# docker/cli's hidden and deprecated flags, by command.
DEPRECATED: dict[str, tuple[Flag, ...]] = {
    "build": (  # docker/buildx commands/build.go: hidden, taken and not heeded
        *(Flag(name) for name in ("compress", "force-rm", "rm", "squash")),
        *(Flag(name, "", "string") for name in ("cpuset-cpus", "cpuset-mems", "isolation", "memory-swap")),
        *(Flag(name, "", "int") for name in ("cpu-period", "cpu-quota")),
        Flag("cpu-shares", "c", "int"),
        Flag("memory", "m", "string"),
        Flag("security-opt", "", "strings"),
    ),
    "stop": _RENAMED_TIME,
    "restart": _RENAMED_TIME,
    "run": (
        Flag("net", "", "network"),
        Flag("net-alias", "", "list"),
        Flag("dns-opt", "", "list"),
        Flag("disable-content-trust"),
        Flag("kernel-memory", "", "bytes", deprecated="and no longer supported by the kernel"),
    ),
    "create": (
        Flag("net", "", "network"),
        Flag("net-alias", "", "list"),
        Flag("dns-opt", "", "list"),
        Flag("disable-content-trust"),
        Flag("kernel-memory", "", "bytes", deprecated="and no longer supported by the kernel"),
    ),
    "commit": (
        Flag("pause", "p", deprecated="and enabled by default. Use --no-pause to disable pausing during commit."),
    ),
    "volume create": (Flag("name", "", "string"),),
    "builder prune": (
        Flag("keep-storage", "", "bytes", deprecated="keep-storage flag has been changed to reserved-space"),
    ),
}


def _environment(process: Process) -> Validator:
    """opts/env.go: a name alone takes the client's value where it has one."""

    def check(text: str) -> str:
        name, equals, _ = text.partition("=")
        if not name:
            raise ValueInvalid(f"invalid environment variable: {text}")
        return text if equals or name not in process.env else f"{name}={process.env[name]}"

    return check


def _label(text: str) -> str:
    """opts/opts.go ValidateLabel."""
    name = text.partition("=")[0].lstrip(" \t")
    if not name:
        raise ValueInvalid(f"invalid label '{text}': empty name")
    if re.search(r"[ \t]", name):
        raise ValueInvalid(f"label '{name}' contains whitespaces")
    return text


def _attach(text: str) -> str:
    """cli/command/container/opts.go validateAttach."""
    if text.lower() not in ("stdin", "stdout", "stderr"):
        raise ValueInvalid("valid streams are STDIN, STDOUT and STDERR")
    return text.lower()


def _extra_host(text: str) -> str:
    """opts/hosts.go ValidateExtraHost."""
    name, sign, address = text.partition("=" if "=" in text else ":")
    if not sign or not name or ":" in name:
        raise ValueInvalid(f"bad format for add-host: {quote(text)}")
    if len(address) > 2 and address.startswith("[") and address.endswith("]"):
        address = address[1:-1]
    if address != "host-gateway" and not _is_ip(address):
        raise ValueInvalid(f"invalid IP address in add-host: {quote(address)}")
    return f"{name}:{address}"


def _is_ip(text: str) -> bool:
    import ipaddress

    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _ip(text: str) -> str:
    """opts/opts.go ValidateIPAddress."""
    if not _is_ip(text.strip()):
        raise ValueInvalid(f"IP address is not correctly formatted: {text}")
    return text.strip()


def _ip_value(text: str) -> str:
    """pflag's type ip."""
    if text and not _is_ip(text.strip()):
        raise ValueInvalid(f"failed to parse IP: {quote(text)}")
    return text.strip()


_NETWORK_KEYS = ("name", "alias", "ip", "ip6", "mac-address", "link-local-ip", "driver-opt", "gw-priority")


def _network(text: str) -> str:
    """opts/network.go: NAME, or name=NAME,alias=…; the name."""
    if not re.search(r"\w+=\w+(,\w+=\w+)*", text):
        return text
    found = ""
    for field in read_csv(text):
        key, equals, value = field.partition("=")
        key = key.strip().lower()
        if not equals or not key:
            raise ValueInvalid(f"invalid field {field}")
        if key not in _NETWORK_KEYS:
            raise ValueInvalid(f"invalid field key {key}")
        if key == "driver-opt" and "=" not in value:
            raise ValueInvalid("invalid key value pair format in driver options")
        if key == "name":
            found = value.strip()
    if not found:
        raise ValueInvalid("network name/id is not specified")
    return found


def _link(text: str) -> str:
    """opts/opts.go ParseLink."""
    if not text:
        raise ValueInvalid("empty string specified for links")
    if text.count(":") > 1:
        raise ValueInvalid(f"bad format for links: {text}")
    return text


_KERNEL = tuple(
    "kernel." + name for name in ("msgmax", "msgmnb", "msgmni", "sem", "shmall", "shmmax", "shmmni", "shm_rmid_forced")
)


def _sysctl(text: str) -> str:
    """opts/opts.go ValidateSysctl."""
    name, equals, _ = text.partition("=")
    known = name in _KERNEL or name.startswith(("net.", "fs.mqueue."))
    if not equals or not known:
        raise ValueInvalid(f"sysctl '{text}' is not allowed")
    return text


_LABEL = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9\-]*[a-zA-Z0-9])"


def _dns_search(text: str) -> str:
    """opts/opts.go ValidateDNSSearch."""
    text = text.strip(" ")
    if text == ".":
        return text
    found = re.fullmatch(rf"({_LABEL}(?:\.{_LABEL})*)\.?\s*", text)
    if not found or not re.search("[a-zA-Z]", text) or len(found[1]) >= 255:
        raise ValueInvalid(f"{text} is not a valid domain")
    return found[1]


def _device_rule(text: str) -> str:
    """cli/command/container/opts.go validateDeviceCgroupRule."""
    if not re.fullmatch(r"[acb] ([0-9]+|\*):([0-9]+|\*) [rwm]{1,3}", text):
        raise ValueInvalid(f"invalid device cgroup format '{text}'")
    return text


def _limit(key: str, read: Callable[[str], int], wrong: str) -> Validator:
    """opts/throttledevice.go and weightdevice.go: /dev/sda:1mb."""

    def check(text: str) -> JsonObject:
        path, colon, value = text.partition(":")
        if not colon or not path:
            raise ValueInvalid(f"bad format: {text}")
        if not path.startswith("/dev/"):
            raise ValueInvalid(f"bad format for device path: {text}")
        try:
            return {"Path": path, key: read(value)}
        except ValueError:
            raise ValueInvalid(wrong.format(text)) from None

    return check


def _whole(text: str) -> int:
    if not re.fullmatch(r"[0-9]+", text):
        raise ValueError(text)
    return int(text)


def _weight(text: str) -> int:
    weight = _whole(text)
    if weight and not 10 <= weight <= 1000:
        raise ValueError(text)
    return weight


_FORMAT = "invalid rate for device: {}. The correct format is <device-path>:<number>"
_POSITIVE = "Number must be a positive integer"
_BPS = _limit("Rate", ram_in_bytes, f"{_FORMAT}[<unit>]. {_POSITIVE}. Unit is optional and can be kb, mb, or gb")
_IOPS = _limit("Rate", _whole, f"{_FORMAT}. {_POSITIVE}")


def _gpus(text: str) -> JsonObject:
    """opts/gpus.go."""
    request: JsonObject = {"Driver": "", "Count": 0, "DeviceIDs": None, "Capabilities": [["gpu"]], "Options": {}}
    seen: set[str] = set()
    for field in read_csv(text):
        key, equals, value = field.partition("=")
        if key in seen:
            raise ValueInvalid(f"gpu request key '{key}' can be specified only once")
        seen.add(key)
        if not equals or key == "count":
            seen.add("count")
            request["Count"] = _count(value if equals else key)
        elif key == "driver":
            request["Driver"] = value
        elif key == "device":
            request["DeviceIDs"] = [*value.split(",")]
        elif key == "capabilities":
            request["Capabilities"] = [[*value.split(","), "gpu"]]
        elif key == "options":
            request["Options"] = {pair.partition("=")[0]: pair.partition("=")[2] for pair in read_csv(value)}
        else:
            raise ValueInvalid(f"unexpected key '{key}' in '{field}'")
    if "count" not in seen and request["DeviceIDs"] is None:
        request["Count"] = 1
    return request


def _count(text: str) -> int:
    if text == "all":
        return -1
    if not re.fullmatch(r"[+-]?[0-9]+", text):
        raise ValueInvalid(f'invalid count ({text}): value must be either "all" or an integer: invalid syntax')
    return int(text)


_CONTAINER: dict[str, Validator] = {
    "label": _label,
    "attach": _attach,
    "add-host": _extra_host,
    "dns": _ip,
    "dns-search": _dns_search,
    "link": _link,
    "memory-swap": lambda text: -1 if text == "-1" else parse_bytes(text),
    "sysctl": _sysctl,
    "device-cgroup-rule": _device_rule,
    "ip": _ip_value,
    "ip6": _ip_value,
    "blkio-weight-device": _limit("Weight", _weight, "invalid weight for device: {}"),
    "device-read-bps": _BPS,
    "device-write-bps": _BPS,
    "device-read-iops": _IOPS,
    "device-write-iops": _IOPS,
    "gpus": _gpus,
    "network": _network,
    "net": _network,
}


def validators_for(command: str, process: Process) -> dict[str, Validator]:
    """The checks of one command's flags."""
    if command in ("run", "create"):
        resolve = resolve_in(process.files.cwd)
        return _CONTAINER | {"env": _environment(process), "mount": lambda text: parse_mount(text, resolve)}
    if command == "network connect":
        return {"ip": _ip_value, "ip6": _ip_value}
    if command == "exec":
        return {"env": _environment(process)}
    return {"label": _label} if command == "volume create" else {}
