"""GET /containers/NAME/json: all that is known of a container."""

from __future__ import annotations

from typing import Any

from labkit.engine.containers import hostconfig
from labkit.engine.containers.network import network_settings
from labkit.engine.containers.status import sizes
from labkit.engine.core.core import Core, find
from labkit.engine.core.errors import rfc3339
from labkit.engine.core.records import Container


def inspect(core: Core, reference: str, size: bool = False) -> dict[str, Any]:
    """In the order in which `docker inspect` prints it."""
    container = find(core, reference)
    command = container.command
    ran = container.state.started is not None or container.state.status != "created" or bool(container.state.error)
    folder = container.folder if ran else ""
    record: dict[str, Any] = {
        "Id": container.id,
        "Created": rfc3339(container.created),
        "Path": command[0] if command else "",
        "Args": command[1:],
        "State": container.state.row(),
        "Image": container.image,
        "ResolvConfPath": folder and f"{folder}/resolv.conf",
        "HostnamePath": folder and f"{folder}/hostname",
        "HostsPath": folder and f"{folder}/hosts",
        "LogPath": folder and container.log_path,
        "Name": f"/{container.name}",
        "RestartCount": container.restarts,
        "Driver": core.driver.name,
        "Platform": "linux",
        "MountLabel": "",
        "ProcessLabel": "",
        "AppArmorProfile": "",
        "ExecIDs": list(container.execs) or None,
        "HostConfig": hostconfig.full(container.host_config),
        **_storage(core, container),
        "Mounts": [mount.row() for mount in container.mounts],
        "Config": config_row(container),
        "NetworkSettings": network_settings(core, container),
    }
    if size:
        record["SizeRw"], record["SizeRootFs"] = sizes(core, container)
    return record


def _storage(core: Core, container: Container) -> dict[str, Any]:
    """Where its files lie: by a storage driver, or by a snapshotter."""
    data = core.driver.data(core.tables.mounts[container.id].mount_id)
    if not core.keeps_manifests:
        return {"GraphDriver": {"Data": {"ID": container.id, **data}, "Name": core.driver.name}}
    return {"GraphDriver": None, "Storage": {"RootFS": {"Snapshot": {"Name": core.driver.name}}}}


_CONFIG_DEFAULTS: tuple[tuple[str, Any], ...] = (
    ("Domainname", ""), ("User", ""), ("AttachStdin", False), ("AttachStdout", False), ("AttachStderr", False),
    ("ExposedPorts", ...), ("Tty", False), ("OpenStdin", False), ("StdinOnce", False), ("Env", None), ("Cmd", None),
    ("Healthcheck", ...), ("ArgsEscaped", ...), ("Image", ""), ("Volumes", None), ("WorkingDir", ""),
    ("Entrypoint", None), ("NetworkDisabled", ...), ("OnBuild", ...), ("Labels", None), ("StopSignal", ...),
    ("StopTimeout", ...), ("Shell", ...),
)  # fmt: skip


def config_row(container: Container) -> dict[str, Any]:
    """Config with all its keys; those whose default is `...` only where they are set."""
    config = container.config
    record: dict[str, Any] = {"Hostname": container.hostname}
    for key, default in _CONFIG_DEFAULTS:
        value = config.get(key)
        if value is None or value == {} or value == []:
            if default is not ...:
                record[key] = default
        elif value or default is not ...:
            record[key] = value
    record["Labels"] = dict(config.get("Labels") or {})
    return record
