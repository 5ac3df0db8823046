"""How Go prints values: fmt's %v and printf, and encoding/json; and the Go types behind docker's inspect.

Values are None, bool, int, float, str, list and dict; Struct, Nil and Row (below) stand for what has no like in Python.
`docker inspect --format` first looks at the types (which fields, in what order, what an absent one is), then at the
daemon's JSON as it came (inspect/inspector.go). A field is written NAME and the sign of its type: nothing for a string,
# number, ? bool, [] slice, {} map, * pointer; :TYPE says of what. NAME=KEY: the JSON has it under another key.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from labkit.engine.core.mountkeys import PLACES
from labkit.kernel import limits
from labkit.kernel.golang import Json, JsonObject, quote

GoValue: TypeAlias = (
    "bool | int | float | str | Sequence[GoValue] | Mapping[str, GoValue] | Nil | Missing | TableRow | None"
)


class Missing:
    """What a map has under a key that it does not have: prints as <no value>."""


class Nil:
    """A nil of some type: kind is "slice", "map" or "pointer"."""

    def __init__(self, kind: str, type_name: str = "") -> None:
        self.kind = kind
        self.type_name = type_name


class Number(str):
    """A number as it was written in JSON (json.Number)."""


class Struct(dict[str, GoValue]):
    """A Go struct: all fields in the order of its declaration. `source` is the JSON that it was read from."""

    def __init__(self, fields: Mapping[str, GoValue], source: GoValue, type_name: str) -> None:
        super().__init__(fields)
        self.source = source
        self.type_name = type_name


class TableRow:
    """A line of a table, as a formatter's context: each name is a function of what is shown, Label one of a name."""

    def __init__(
        self, type_name: str, fields: Mapping[str, Callable[[], GoValue]], label: Callable[[str], str] | None = None
    ) -> None:
        self.type_name = type_name
        self.fields = fields
        self.label = label

    def as_json(self) -> dict[str, GoValue]:
        return {name: self.fields[name]() for name in sorted(self.fields)}


def type_name(value: GoValue) -> str:
    """What Go's messages call the type of a value."""
    if isinstance(value, (Struct, TableRow, Nil)):
        return value.type_name
    names = ((Number, "json.Number"), (bool, "bool"), (int, "int"), (float, "float64"), (str, "string"))
    for kind, name in names:
        if isinstance(value, kind):
            return name
    if isinstance(value, list):
        return "[]string" if value and all(type(item) is str for item in value) else "[]interface {}"
    return "map[string]interface {}" if isinstance(value, dict) else "interface {}"


def show(value: GoValue, *, inside: bool = False) -> str:
    """%v."""
    if value is None:
        return "<nil>"
    if isinstance(value, Nil):
        return {"slice": "[]", "map": "map[]"}.get(value.kind, "<nil>")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, Struct):
        body = "{" + " ".join(show(item, inside=True) for item in value.values()) + "}"
        return "&" + body if inside and value.type_name.startswith("*") else body
    if isinstance(value, dict):
        return "map[" + " ".join(f"{key}:{show(value[key], inside=True)}" for key in sorted(value)) + "]"
    if isinstance(value, (list, tuple)):
        return "[" + " ".join(show(item, inside=True) for item in value) + "]"
    return str(value)


def _float(value: float) -> str:
    text = repr(value)
    if "e" not in text and abs(value) < 1e21:
        return text.removesuffix(".0")
    digits, _, exponent = f"{value:e}".partition("e")
    return f"{digits.rstrip('0').rstrip('.')}e{exponent[0]}{int(exponent[1:]):02d}"


def plain(value: GoValue) -> Json:
    """The value as JSON knows it."""
    if isinstance(value, Struct):
        return plain(value.source)
    if isinstance(value, TableRow):
        return plain(value.as_json())
    if isinstance(value, Nil):
        return None
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, Number):
        return int(value) if re.fullmatch(r"-?\d+", value) else float(value)
    assert value is None or isinstance(value, (str, int, float))
    return value


def to_json(value: GoValue) -> str:
    """One line of JSON. A row escapes <, > and & as its own marshaller does; anything else does not."""
    text = json.dumps(plain(value), ensure_ascii=False, separators=(",", ":"))
    if isinstance(value, TableRow):
        for character in "<>&":
            text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def indented(value: GoValue) -> str:
    """JSON as docker inspect prints it."""
    return json.dumps(plain(value), ensure_ascii=False, indent=4)


def sprint(values: Sequence[GoValue]) -> str:
    """fmt.Sprint: a space between two operands where neither is a string."""
    text = ""
    for place, value in enumerate(values):
        if place and not isinstance(value, str) and not isinstance(values[place - 1], str):
            text += " "
        text += show(value)
    return text


def sprintln(values: Sequence[GoValue]) -> str:
    return " ".join(show(value) for value in values) + "\n"


def _number(digits: str | None) -> int:
    """A width or a precision; none that is written with many digits is looked at."""
    return int(digits[:20]) if digits else 0


_VERB = re.compile(r"%([-+# 0]*)(\d+)?(?:\.(\d+))?(.)", re.DOTALL)


def sprintf(form: str, values: Sequence[GoValue]) -> str:
    """fmt.Sprintf for the verbs that templates use."""
    rest = list(values)

    def one(match: re.Match[str]) -> str:
        flags, size, precision, verb = match.groups()
        limits.hold(_number(size) + _number(precision), "printf")
        if verb == "%":
            return "%"
        if not rest:
            return f"%!{verb}(MISSING)"
        text = _verb(verb, rest.pop(0), flags, precision)
        return _padded(text, int(size or 0), flags, verb)

    text = _VERB.sub(one, form)
    if rest:
        text += "%!(EXTRA " + ", ".join(f"{type_name(value)}={show(value)}" for value in rest) + ")"
    return text


def _verb(verb: str, value: GoValue, flags: str, precision: str | None) -> str:
    if verb == "v":
        return show(value)
    if verb == "T":
        return type_name(value)
    if verb == "s":
        text = show(value) if isinstance(value, (str, list, dict)) else _wrong(verb, value)
        return text[: int(precision)] if precision else text
    if verb == "q":
        return quote(value) if isinstance(value, str) else _wrong(verb, value)
    if verb in "dxXob" and type(value) is int:
        text = format(value, verb)
        return "+" + text if "+" in flags and value >= 0 else text
    if verb in "xX" and isinstance(value, str):
        return format(int.from_bytes(value.encode(), "big"), verb).zfill(2 * len(value.encode())) if value else ""
    if verb in "feg" and type(value) is float:
        return f"{value:.{precision or 6}{verb}}" if verb != "g" or precision else show(value)
    if verb == "t" and isinstance(value, bool):
        return show(value)
    return _wrong(verb, value)


def _wrong(verb: str, value: GoValue) -> str:
    return f"%!{verb}(<nil>)" if value is None else f"%!{verb}({type_name(value)}={show(value)})"


def _padded(text: str, size: int, flags: str, verb: str) -> str:
    if "-" in flags:
        return text.ljust(size)
    if "0" in flags and verb in "dxXobfeg":
        return text[0] + text[1:].rjust(size - 1, "0") if text[:1] in "+-" else text.rjust(size, "0")
    return text.rjust(size)


TYPES = {
    "container": """
        ID=Id Created Path Args[] State*:state Image ResolvConfPath HostnamePath HostsPath LogPath Name RestartCount#
        Driver Platform MountLabel ProcessLabel AppArmorProfile ExecIDs[] HostConfig*:hostconfig
        GraphDriver*:graphdriver Storage*:storage SizeRw* SizeRootFs* Mounts[]:mount Config*:config
        NetworkSettings*:network ImageManifestDescriptor*""",
    "state": """
        Status Running? Paused? Restarting? OOMKilled? Dead? Pid# ExitCode# Error StartedAt FinishedAt Health*""",
    "mount": "Type Name Source Destination Driver Mode RW? Propagation",
    "graphdriver": "Data{} Name",
    "storage": "RootFS*",
    "restart": "Name MaximumRetryCount#",
    "logconfig": "Type Config{}",
    "hostconfig": """
        Binds[] ContainerIDFile LogConfig:logconfig NetworkMode PortBindings{} RestartPolicy:restart AutoRemove?
        VolumeDriver VolumesFrom[] ConsoleSize[] Annotations{} CapAdd[] CapDrop[] CgroupnsMode DNS=Dns[]
        DNSOptions=DnsOptions[] DNSSearch=DnsSearch[] ExtraHosts[] GroupAdd[] IpcMode Cgroup Links[] OomScoreAdj#
        PidMode Privileged? PublishAllPorts? ReadonlyRootfs? SecurityOpt[] StorageOpt{} Tmpfs{} UTSMode UsernsMode
        ShmSize# Sysctls{} Runtime Isolation CPUShares=CpuShares# Memory# NanoCPUs=NanoCpus# CgroupParent
        BlkioWeight# BlkioWeightDevice[] BlkioDeviceReadBps[] BlkioDeviceWriteBps[] BlkioDeviceReadIOps[]
        BlkioDeviceWriteIOps[] CPUPeriod=CpuPeriod# CPUQuota=CpuQuota# CPURealtimePeriod=CpuRealtimePeriod#
        CPURealtimeRuntime=CpuRealtimeRuntime# CpusetCpus CpusetMems Devices[] DeviceCgroupRules[] DeviceRequests[]
        MemoryReservation# MemorySwap# MemorySwappiness* OomKillDisable* PidsLimit* Ulimits[] CPUCount=CpuCount#
        CPUPercent=CpuPercent# IOMaximumIOps# IOMaximumBandwidth# Mounts[]:apimount MaskedPaths[] ReadonlyPaths[]
        Init*""",
    "config": """
        Hostname Domainname User AttachStdin? AttachStdout? AttachStderr? ExposedPorts{} Tty? OpenStdin? StdinOnce?
        Env[] Cmd[] Healthcheck* ArgsEscaped? Image Volumes{} WorkingDir Entrypoint[] NetworkDisabled? OnBuild[]
        Labels{} StopSignal StopTimeout* Shell[]""",
    "network": "SandboxID SandboxKey Ports{} Networks{}:endpoint",
    "endpoint": """
        IPAMConfig* Links[] Aliases[] DriverOpts{} GwPriority# NetworkID EndpointID Gateway IPAddress MacAddress
        IPPrefixLen# IPv6Gateway GlobalIPv6Address GlobalIPv6PrefixLen# DNSNames[]""",
    "image": """
        ID=Id RepoTags[] RepoDigests[] Comment Created Author Config*:imageconfig Architecture Variant Os OsVersion
        Size# GraphDriver*:graphdriver RootFS:rootfs Metadata:metadata Descriptor* Manifests[]""",
    "imageconfig": """
        User ExposedPorts{} Env[] Entrypoint[] Cmd[] Volumes{} WorkingDir Labels{} StopSignal ArgsEscaped?
        Healthcheck* OnBuild[] Shell[]""",
    "rootfs": "Type Layers[]",
    "metadata": "LastTagTime",
    "volume": """
        ClusterVolume* CreatedAt Driver Labels{} Mountpoint Name Options{} Scope Status{} UsageData*""",
}
_SIGNS = {str: "", bool: "?", int: "#", list: "[]", dict: "{}"}


def _mount_types() -> dict[str, str]:
    """mount.Mount and what lies in it, from the table of a mount's places."""
    found: dict[str, dict[str, str]] = {"apimount": {}}
    for path, empty in PLACES:
        kind = "apimount"
        for name in path[:-1]:
            found[kind][name] = f"*:{name.lower()}"
            kind = name.lower()
            found.setdefault(kind, {})
        found[kind][path[-1]] = _SIGNS[type(empty)]
    found["apimount"]["ClusterOptions"] = "*"
    return {kind: " ".join(name + sign for name, sign in fields.items()) for kind, fields in found.items()}


TYPES |= _mount_types()
_FIELD = re.compile(r"(\w+)(?:=(\w+))?(#|\?|\[\]|\{\}|\*)?(?::(\w+))?")
_GO_NAMES = {
    "container": "container.InspectResponse",
    "state": "*container.State",
    "config": "*container.Config",
    "hostconfig": "*container.HostConfig",
    "network": "*container.NetworkSettings",
    "endpoint": "*network.EndpointSettings",
    "image": "image.InspectResponse",
    "imageconfig": "*dockerspec.DockerOCIImageConfig",
    "volume": "volume.Volume",
    "mount": "container.MountPoint",
}
_EMPTY: dict[str | None, str | int | bool] = {None: "", "#": 0, "?": False}
_NIL = {"[]": "slice", "{}": "map", "*": "pointer"}


def typed(kind: str, source: JsonObject) -> Struct:
    """The daemon's JSON as the Go struct of this kind."""
    fields: dict[str, GoValue] = {}
    for name, key, sign, of in (match.groups() for match in _FIELD.finditer(TYPES[kind])):
        fields[name] = _value(source.get(key or name), sign, of)
    return Struct(fields, source, _GO_NAMES.get(kind, kind))


def _value(value: Json, sign: str | None, of: str | None) -> GoValue:
    if value is None:
        if sign in _NIL:
            return Nil(_NIL[sign], _GO_NAMES.get(of or "", ""))
        return typed(of, {}) if of else _EMPTY[sign]
    if of is None or not isinstance(value, (list, dict)):
        return value
    if isinstance(value, list):
        return [typed(of, item) for item in value if isinstance(item, dict)]
    if sign == "{}":
        return {name: typed(of, item) for name, item in value.items() if isinstance(item, dict)}
    return typed(of, value)


def raw(value: Json) -> GoValue:
    """The daemon's JSON as it came: numbers as they were written."""
    if isinstance(value, dict):
        return {name: raw(item) for name, item in value.items()}
    if isinstance(value, list):
        return [raw(item) for item in value]
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return Number(value)
    return value
