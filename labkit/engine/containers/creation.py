"""docker create: the image's and the caller's configuration put together, a name, a layer, mounts.

Order and messages: moby, daemon/create.go and daemon/container.go; what wins where both say something:
daemon/internal/runconfig (merge.go).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from labkit.engine.containers import folder, storageopts
from labkit.engine.core import names
from labkit.engine.core.core import ContainerCreated, Core
from labkit.engine.core.errors import EngineError, conflict, invalid
from labkit.engine.core.records import Container, Image
from labkit.engine.images.imagestore import ImageStore
from labkit.engine.images.layerstore import LayerStore
from labkit.engine.mounts import mounts
from labkit.kernel.jsontypes import JsonObject, members

_INHERITED = ("User", "WorkingDir", "StopSignal", "Healthcheck", "Shell", "OnBuild", "ArgsEscaped")


def create(core: Core, body: Mapping[str, Any], name: str = "") -> tuple[str, list[str]]:
    """POST /containers/create: the id, and warnings."""
    host_config = dict(body.get("HostConfig") or {})
    mounts.check(core, host_config)
    _check_restart(host_config.get("RestartPolicy") or {})
    _check_addresses(body.get("NetworkingConfig") or {})
    workdir = body.get("WorkingDir") or ""
    if workdir and not workdir.startswith("/"):
        raise invalid(f"the working directory '{workdir}' is invalid, it needs to be an absolute path")
    image = ImageStore(core).find(body.get("Image") or "")
    config = merge(body, image.run_config)
    if not config.get("Cmd") and not config.get("Entrypoint"):
        raise invalid("no command specified")
    size = storageopts.wanted_size(core.driver, host_config.get("StorageOpt") or {})
    identifier = core.ids.new("container")
    container = Container(
        identifier, _reserve(core, identifier, name), core.ids.number("containers"), core.now(), image.id,
        config, host_config,
    )  # fmt: skip
    core.tables.names.set(container.name, identifier)
    writable = LayerStore(core).create_writable(identifier, image.chain)
    storageopts.grow(core.driver, writable.mount_id, size)
    try:
        container = _furnish(core, container, image)
    except EngineError:
        LayerStore(core).remove_writable(identifier)
        core.tables.names.delete(container.name)
        if identifier in core.tables.containers:
            core.tables.containers.delete(identifier)
        raise
    folder.make_container_folder(core, container)
    core.events.append(ContainerCreated(identifier, container.name, image.id))
    return identifier, []


_POLICIES = ("no", "always", "on-failure", "unless-stopped")


def _check_restart(policy: Mapping[str, Any]) -> None:
    """moby, api/types/container/hostconfig.go ValidateRestartPolicy."""
    name, count = policy.get("Name") or "", policy.get("MaximumRetryCount") or 0
    if name and name not in _POLICIES:
        choices = "'no', 'always', 'on-failure', or 'unless-stopped'"
        raise invalid(f"invalid restart policy: unknown policy '{name}'; use one of {choices}")
    if name == "on-failure" and count < 0:
        raise invalid("invalid restart policy: maximum retry count cannot be negative")
    if name not in ("", "on-failure") and count:
        more = " and cannot be negative" if count < 0 else ""
        raise invalid(f"invalid restart policy: maximum retry count can only be used with 'on-failure'{more}")


def _check_addresses(networking: JsonObject) -> None:
    """moby, daemon/create.go and container_operations.go validateEndpointSettings; unverified."""
    for network, endpoint in members(networking, "EndpointsConfig").items():
        if network in ("default", "bridge", "host", "none") and members(endpoint, "IPAMConfig"):
            name = "bridge" if network == "default" else network
            raise invalid(
                f"invalid config for network {name}: invalid endpoint settings:\n"
                "user-specified IP address is supported on user-defined networks only"
            )


def _furnish(core: Core, container: Container, image: Image) -> Container:
    """Mounts and the working directory; what is made in the root is made in the container's own layer."""
    container = replace(container, mounts=mounts.points(core, container))
    workdir = container.config.get("WorkingDir")
    needs_root = bool(workdir) or bool(container.mounts) or bool(container.config.get("Volumes"))
    if needs_root:
        mount_id = core.tables.mounts[container.id].mount_id
        root = core.view(core.driver.mount(mount_id))
        try:
            if workdir:
                _make_workdir(root, workdir)
            container = _with_image_volumes(core, container, root)
            mounts.populate(core, container, root)
        finally:
            core.driver.unmount(mount_id)
    core.tables.containers.set(container.id, container)
    return container


def _with_image_volumes(core: Core, container: Container, root: Any) -> Container:
    for target in container.config.get("Volumes") or {}:
        path = mounts.absolute(target)
        if not container.mount_at(target) and root.exists(path) and not root.is_dir(path):
            raise invalid(f"cannot mount volume over existing file, file exists {path}")
    return replace(container, mounts=mounts.image_volumes(core, container))


def _make_workdir(root: Any, workdir: str) -> None:
    try:
        root.makedirs(workdir)
    except OSError as error:
        raise invalid(
            f"Cannot mkdir: {workdir} is not a directory" if root.exists(workdir) and not root.is_dir(workdir)
            else f"mkdir {workdir}: {(error.strerror or '').lower()}"
        ) from None  # fmt: skip


def _reserve(core: Core, identifier: str, name: str) -> str:
    """The name without its slash, free for this container."""
    if not name:
        return names.generate(identifier, core.tables.names)
    names.check(name)
    bare = name.removeprefix("/")
    refuse_taken(core, bare)
    return bare


def refuse_taken(core: Core, name: str) -> None:
    if holder := core.tables.names.get(name):
        raise conflict(
            f'Conflict. The container name "/{name}" is already in use by container "{holder}". You have to remove '
            "(or rename) that container to be able to reuse that name."
        )


def merge(asked: Mapping[str, Any], image: Mapping[str, Any]) -> dict[str, Any]:
    """What was asked for, on what the image says."""
    config = {key: value for key, value in asked.items() if key not in ("HostConfig", "NetworkingConfig")}
    for key in _INHERITED:
        if not config.get(key) and image.get(key):
            config[key] = image[key]
    if not config.get("Entrypoint"):
        config["Cmd"] = config.get("Cmd") or image.get("Cmd")
    if config.get("Entrypoint") is None:
        config["Entrypoint"] = image.get("Entrypoint")
    if config["Entrypoint"] == [""]:  # --entrypoint "" takes the image's away
        config["Entrypoint"] = None
    config["Env"] = merge_env(config.get("Env") or (), image.get("Env") or ())
    for key in ("Labels", "Volumes", "ExposedPorts"):
        both = {**(image.get(key) or {}), **(config.get(key) or {})}
        config[key] = dict(sorted(both.items())) or None
    return config


def merge_env(asked: Any, image: Any) -> list[str]:
    """The asked variables first, then those of the image that were not asked for; the order of an inspect."""
    taken = {text.partition("=")[0] for text in asked}
    return [*(text for text in asked if "=" in text), *(text for text in image if text.partition("=")[0] not in taken)]
