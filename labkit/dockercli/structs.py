"""The Go types behind docker's inspect: which fields there are, in what order, and what an absent one is.

`docker inspect --format` first looks at these, then at the daemon's JSON as it came (inspect/inspector.go). A field is
written NAME and the sign of its type: nothing for a string, # number, ? bool, [] slice, {} map, * pointer; :TYPE says
of what. NAME=KEY: the JSON has it under another key.
"""

from __future__ import annotations

import re

from labkit.engine.core.mountkeys import PLACES
from labkit.kernel.golang import Json, JsonObject

from .gotext import GoValue, Nil, Number, Struct

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
