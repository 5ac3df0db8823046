"""--device, --gpus and the limits of single devices: looked up on the host when a container is started.

moby, daemon: pkg/oci/devices_linux.go (DevicesFromPath), daemon_unix.go (getBlkioThrottleDevices), errors.go.
"""

from __future__ import annotations

import posixpath
import stat
from collections.abc import Iterator
from typing import NamedTuple

from labkit.engine.core.errors import invalid, system
from labkit.files import Files
from labkit.kernel.gounits import quote
from labkit.kernel.jsontypes import JsonObject, items, text, texts

_LIMITED = ("WeightDevice", "DeviceReadBps", "DeviceWriteBps", "DeviceReadIOps", "DeviceWriteIOps")


class DeviceNode(NamedTuple):
    """A node that the container gets."""

    path: str
    mode: int
    uid: int
    gid: int
    rdev: int


def look_up(host: Files, host_config: JsonObject) -> list[DeviceNode]:
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


def make(files: Files, nodes: list[DeviceNode]) -> None:
    """Put them where the container wants them; what is there already stays (runc, rootfs_linux.go createDeviceNode)."""
    for node in nodes:
        if not files.exists(node.path):
            files.makedirs(posixpath.dirname(node.path))
            files.mknod(node.path, node.mode, node.rdev)
            files.chmod(node.path, stat.S_IMODE(node.mode))
            files.chown(node.path, node.uid, node.gid)
