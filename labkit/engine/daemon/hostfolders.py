"""What /var/lib/docker holds beside the driver's layers and the volumes' data.

Metadata files are computed when they are looked at; the files that are mounted at /etc in a container, and its log, are
plain files. Layout: moby, daemon/daemon.go, daemon/internal/layer/filestore.go, image/fs.go, container.go.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from labkit.engine.containers import oci
from labkit.engine.containers.inspection import config_row
from labkit.engine.core.core import ROOT, Core
from labkit.engine.core.mountkeys import MountPoint
from labkit.engine.core.records import LayerRecord
from labkit.engine.images.imagestore import install_images
from labkit.files import Content
from labkit.kernel import golang
from labkit.kernel.golang import JsonObject, rfc3339

if TYPE_CHECKING:
    from labkit.engine.core.core import Tables

_FOLDERS = (
    ("buildkit", 0o711), ("containers", 0o710), ("image", 0o700), ("network", 0o750), ("network/files", 0o750),
    ("plugins", 0o700), ("runtimes", 0o700), ("swarm", 0o700), ("tmp", 0o700), ("volumes", 0o701),
)  # fmt: skip


def install(core: Core) -> None:
    """Make the folders, and tell the store how the metadata is computed."""
    host = core.host
    core.host.store.generators["docker"] = lambda args: _TEXTS[args[1]](_Owner(core, args[0]), args[2:])
    core.host.store.generators["volume-options"] = lambda args: _volume_options(core, *args)
    host.makedirs(ROOT)
    host.chmod(ROOT, 0o710)
    for name, mode in _FOLDERS:
        host.makedirs(f"{ROOT}/{name}")
        host.chmod(f"{ROOT}/{name}", mode)
    host.write(f"{ROOT}/engine-id", _engine_id(core), 0o600)
    host.write(f"{ROOT}/network/files/local-kv.db", Content.zeros(65536), 0o644)
    host.write(f"{ROOT}/volumes/metadata.db", Content.zeros(32768), 0o600)
    for name in ("containerdmeta.db", "metadata_v2.db", "snapshots.db", "cache.db"):
        host.write(f"{ROOT}/buildkit/{name}", Content.zeros(32768), 0o644)
    for name in ("content", "executor"):
        host.makedirs(f"{ROOT}/buildkit/{name}", 0o711)
    install_images(core)


def _engine_id(core: Core) -> str:
    digits = core.digest("engine", "id")
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:32]}"


# --- what the files hold


class _Owner(NamedTuple):
    """An engine, and the storage driver that a file belongs to, which need not be the one in use."""

    core: Core
    driver: str

    @property
    def tables(self) -> Tables:
        return self.core.tables_of(self.driver)


def _layer_text(owner: _Owner, name: str, chain_id: str) -> bytes:
    record: LayerRecord | None = owner.tables.layers.get(chain_id)
    if record is None:
        return b""
    if name == "tar-split.json.gz":
        lines = (golang.dumps({"type": 1, "name": entry.path}) for entry in record.layer.entries())
        return gzip.compress("\n".join(lines).encode(), mtime=0)
    texts = {
        "cache-id": record.cache_id,
        "diff": record.diff_id,
        "size": str(record.size),
        "parent": record.parent or "",
    }
    return texts[name].encode()


def _mount_text(owner: _Owner, name: str, container: str) -> bytes:
    writable = owner.tables.mounts.get(container)
    if writable is None:
        return b""
    texts = {"init-id": writable.init_id, "mount-id": writable.mount_id, "parent": writable.parent or ""}
    return texts[name].encode()


def _image_text(owner: _Owner, image_id: str) -> bytes:
    image = owner.tables.images.get(image_id)
    return image.text.encode() if image else b""


def _parent_text(owner: _Owner, image_id: str) -> bytes:
    image = owner.tables.images.get(image_id)
    return image.parent.encode() if image else b""


def _repositories(owner: _Owner) -> bytes:
    """Names by repository, as the file of that name has them."""
    from labkit.engine.core.names import parse

    found: dict[str, dict[str, str]] = {}
    for name, image_id in sorted(owner.tables.references.items()):
        reference = parse(name)
        found.setdefault(reference.familiar_name, {})[reference.familiar] = image_id
    return golang.dumps({"Repositories": found}).encode()


def _config_text(owner: _Owner, identifier: str) -> bytes:
    container = owner.tables.containers.get(identifier)
    if container is None:
        return b""
    points = {mount.destination: _point(mount) for mount in container.mounts}
    command = container.command
    record = {
        "StreamConfig": {},
        "State": container.state.row(),
        "ID": container.id,
        "Created": rfc3339(container.created),
        "Path": command[0] if command else "",
        "Args": command[1:],
        "Config": config_row(container),
        "Image": container.image,
        "LogPath": container.log_path,
        "Name": f"/{container.name}",
        "Driver": owner.driver,
        "OS": "linux",
        "RestartCount": container.restarts,
        "MountPoints": points,
        "HostnamePath": f"{container.folder}/hostname",
        "HostsPath": f"{container.folder}/hosts",
        "ResolvConfPath": f"{container.folder}/resolv.conf",
    }
    return golang.dumps(record).encode()


def _point(mount: MountPoint) -> JsonObject:
    return {
        "Source": mount.source if mount.type == "bind" else "",
        "Destination": mount.destination,
        "RW": mount.rw,
        "Name": mount.name,
        "Driver": mount.driver,
        "Type": mount.type,
        **({"Relabel": mount.mode} if mount.mode else {}),
        **({"Propagation": mount.propagation} if mount.propagation else {}),
        "Spec": mount.spec.ordered(),
        "SkipMountpointCreation": mount.type == "bind" and not mount.create_source,
    }


def _hostconfig_text(owner: _Owner, identifier: str) -> bytes:
    container = owner.tables.containers.get(identifier)
    return golang.dumps(oci.full_host_config(container.host_config)).encode() if container else b""


def _volume_options(core: Core, name: str) -> bytes:
    volume = core.tables.volumes.get(name)
    options = (volume.options or {}) if volume else {}
    return json.dumps(
        {
            "MountType": options.get("type", ""),
            "MountOpts": options.get("o", ""),
            "MountDevice": options.get("device", ""),
            "Quota": {"Size": 0},
        },
        separators=(",", ":"),
    ).encode()


_TEXTS: dict[str, Callable[[_Owner, tuple[str, ...]], bytes]] = {
    "config": lambda owner, words: _config_text(owner, *words),
    "hostconfig": lambda owner, words: _hostconfig_text(owner, *words),
    "image": lambda owner, words: _image_text(owner, *words),
    "image-parent": lambda owner, words: _parent_text(owner, *words),
    "layer": lambda owner, words: _layer_text(owner, *words),
    "mount": lambda owner, words: _mount_text(owner, *words),
    "repositories": lambda owner, words: _repositories(owner),
}
