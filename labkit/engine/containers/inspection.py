"""What is told of containers: docker ps, GET /containers/NAME/json, how long one is up, its addresses and ports."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from types import EllipsisType

from labkit.engine.containers import networks as container_networks
from labkit.engine.containers import oci
from labkit.engine.core.core import Core, by_age, find
from labkit.engine.core.errors import (
    EngineError,
    Filters,
    check_filters,
    filter_truth,
    invalid,
    labels_match,
    matches_filter,
)
from labkit.engine.core.records import Container, ContainerState
from labkit.engine.images import contentstore
from labkit.engine.images.imagestore import ImageStore, LayerStore
from labkit.kernel.golang import (
    SECOND,
    Json,
    JsonObject,
    human_duration,
    members,
    number,
    objects,
    rfc3339,
    text,
    texts,
)


def network_settings(core: Core, container: Container) -> JsonObject:
    sandbox = core.digest("sandbox", container.id) if container.state.running else ""
    return {
        "SandboxID": sandbox,
        "SandboxKey": f"/var/run/docker/netns/{sandbox[:12]}" if sandbox else "",
        "Ports": {port: [{**each} for each in places] if places else None for port, places in ports(container).items()},
        "Networks": networks(core, container),
    }


def ports(container: Container) -> dict[str, list[dict[str, str]] | None]:
    """Each port that it exposes while it runs, and where that is published: on both families where -p names no address.

    A port that the host chooses is the container's number above 32768, where Linux's own choice begins.
    """
    if not container.state.running or container.network_mode not in ("bridge", "default"):
        return {}
    bindings = members(container.host_config, "PortBindings")
    if container.host("PublishAllPorts"):
        bindings = {**{port: [{}] for port in members(container.config, "ExposedPorts")}, **bindings}
    known = {**members(container.config, "ExposedPorts"), **bindings}
    found: dict[str, list[dict[str, str]] | None] = {}
    for place, port in enumerate(sorted(known, key=_port_order)):
        free = str(32768 + container.number * 8 + place)
        found[port] = [
            {"HostIp": address, "HostPort": text(binding, "HostPort") or free}
            for binding in objects(bindings, port)
            for address in ([text(binding, "HostIp")] if binding.get("HostIp") else ["0.0.0.0", "::"])
        ] or None
    return found


def _port_order(port: str) -> tuple[int, str]:
    number, _, protocol = port.partition("/")
    return int(number), protocol


def port_rows(container: Container) -> Iterator[JsonObject]:
    """The same as a list, as the API's list of containers has it."""
    for port, published in ports(container).items():
        number, protocol = _port_order(port)
        if not published:
            yield {"PrivatePort": number, "Type": protocol}
        for place in published or ():
            yield {
                "IP": place["HostIp"],
                "PrivatePort": number,
                "PublicPort": int(place["HostPort"]),
                "Type": protocol,
            }


def networks(core: Core, container: Container) -> JsonObject:
    found = container_networks.of(core, container)
    return {name: _endpoint(core, container, name, *about) for name, about in found.items()}


def _endpoint(
    core: Core, container: Container, name: str, network: container_networks.Network | None, asked: JsonObject
) -> JsonObject:
    up = container.state.running
    address = "" if not up else container_networks.address_in(network, container) if network else container.address
    pool = network.pools[0] if network and network.pools else container_networks.DEFAULT_POOL
    aliases = texts(asked, "Aliases")
    made = name not in container_networks.PREDEFINED
    names = dict.fromkeys([container.name, *aliases, container.id[:12], container.hostname])
    return {
        "IPAMConfig": members(asked, "IPAMConfig") or None,
        "Links": [*texts(asked, "Links")] or None,
        "Aliases": [*aliases] or None,
        "DriverOpts": members(asked, "DriverOpts") or None,
        "GwPriority": number(asked, "GwPriority"),
        "NetworkID": container_networks.identifier_of(core, name) if up else "",
        "EndpointID": core.digest("endpoint", container.id) if up else "",
        "Gateway": text(pool, "Gateway") if address else "",
        "IPAddress": address,
        "MacAddress": container_networks.mac_address(core, container) if address else "",
        "IPPrefixLen": int(text(pool, "Subnet").partition("/")[2]) if address else 0,
        "IPv6Gateway": "",
        "GlobalIPv6Address": "",
        "GlobalIPv6PrefixLen": 0,
        "DNSNames": [*names] if made and up else None,
    }


def status_text(state: ContainerState, now: int) -> str:
    """As `docker ps` shows it (moby, daemon/container/state.go)."""
    if state.running:
        up = human_duration(now - (state.started or now))
        if state.status == "paused":
            return f"Up {up} (Paused)"
        if state.status == "restarting":
            return f"Restarting ({state.exit_code}) {human_duration(now - (state.finished or now))} ago"
        return f"Up {up}"
    if state.status == "dead":
        return "Dead"
    if state.status == "created" or state.started is None or state.finished is None:
        return "Created"
    return f"Exited ({state.exit_code}) {human_duration(now - state.finished)} ago"


def sizes(core: Core, container: Container) -> tuple[int, int]:
    """Bytes of the container's own layer, and of that and its image together."""
    writable = core.tables.mounts[container.id]
    own = core.driver.size(writable.mount_id)
    below = LayerStore(core).size(writable.parent)
    if core.keeps_manifests:  # there the snapshot between the two counts (moby, daemon/containerd/service.go)
        below += core.driver.size(writable.init_id)
    return own, own + below


def inspect(core: Core, reference: str, size: bool = False) -> JsonObject:
    """In the order in which `docker inspect` prints it."""
    container = find(core, reference)
    command = container.command
    ran = container.state.started is not None or container.state.status != "created" or bool(container.state.error)
    folder = container.folder if ran else ""
    record: JsonObject = {
        "Id": container.id,
        "Created": rfc3339(container.created),
        "Path": command[0] if command else "",
        "Args": list[Json](command[1:]),
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
        "HostConfig": oci.full_host_config(container.host_config),
        **_storage(core, container),
        "Mounts": [mount.row() for mount in container.mounts],
        "Config": config_row(container),
        "NetworkSettings": network_settings(core, container),
        **_manifest(core, container),
    }
    if size:
        record["SizeRw"], record["SizeRootFs"] = sizes(core, container)
    return record


def _storage(core: Core, container: Container) -> JsonObject:
    """Where its files lie: by a storage driver, or by a snapshotter."""
    data = core.driver.data(core.tables.mounts[container.id].mount_id)
    if not core.keeps_manifests:
        return {"GraphDriver": {"Data": {"ID": container.id, **data}, "Name": core.driver.name}}
    return {"Storage": {"RootFS": {"Snapshot": {"Name": core.driver.name}}}}


def _manifest(core: Core, container: Container) -> JsonObject:
    """The manifest that it was made from, in the containerd store; one of an index says for which platform."""
    image = ImageStore(core).get(container.image)
    if image is None or image.stored is None:
        return {}
    platform: JsonObject = {"architecture": "amd64", "os": "linux"}
    more = {"platform": platform} if image.stored.target != image.stored.manifest else {}
    return {"ImageManifestDescriptor": contentstore.descriptor(image.stored.manifest, **more)}


_CONFIG_DEFAULTS: tuple[tuple[str, Json | EllipsisType], ...] = (
    ("Domainname", ""), ("User", ""), ("AttachStdin", False), ("AttachStdout", False), ("AttachStderr", False),
    ("ExposedPorts", ...), ("Tty", False), ("OpenStdin", False), ("StdinOnce", False), ("Env", None), ("Cmd", None),
    ("Healthcheck", ...), ("ArgsEscaped", ...), ("Image", ""), ("Volumes", None), ("WorkingDir", ""),
    ("Entrypoint", None), ("NetworkDisabled", ...), ("OnBuild", ...), ("Labels", None), ("StopSignal", ...),
    ("StopTimeout", ...), ("Shell", ...),
)  # fmt: skip


def config_row(container: Container) -> JsonObject:
    """Config with all its keys; those whose default is `...` only where they are set."""
    config = container.config
    record: JsonObject = {"Hostname": container.hostname}
    for key, default in _CONFIG_DEFAULTS:
        value = config.get(key)
        if value is None or value == {} or value == []:
            if default is not ...:
                record[key] = default
        elif value or default is not ...:
            record[key] = value
    record["Labels"] = dict(members(config, "Labels"))
    return record


_FILTERS = (
    "ancestor", "before", "exited", "expose", "health", "id", "is-task", "isolation", "label", "name", "network",
    "publish", "since", "status", "volume",
)  # fmt: skip
_HEALTH = ("none", "starting", "healthy", "unhealthy")
_STATES = ("created", "running", "paused", "restarting", "removing", "exited", "dead")


# --- finding


# --- GET /containers/json


def rows(
    core: Core,
    all: bool = False,
    filters: Filters | None = None,
    size: bool = False,
    limit: int = 0,
) -> list[JsonObject]:
    """The containers of `docker ps`, the newest first."""
    wanted = check_filters(filters, _FILTERS)
    for status in wanted.get("status", ()):
        if status not in _STATES:
            raise invalid(f"invalid value for state ({status}): must be one of {', '.join(_STATES)}")
    for code in wanted.get("exited", ()):
        if not re.fullmatch(r"[+-]?\d+", code):
            raise invalid(f'strconv.Atoi: parsing "{code}": invalid syntax')
    for health in wanted.get("health", ()):
        if health not in _HEALTH:
            said = f"invalid value for health ({health}): must be one of {', '.join(_HEALTH)}"
            raise invalid(f"invalid filter 'health={health}': {said}")
    if filter_truth(wanted, "is-task"):  # of a swarm
        return []
    shown = all or bool(wanted.get("status")) or bool(wanted.get("exited")) or limit > 0
    found = [container for container in by_age(core) if shown or container.state.running]
    for key, values in wanted.items():
        if values:
            test = _TESTS.get(key)
            found = [container for container in found if test is None or test(core, container, values)]
    return [row(core, container, size) for container in (found[:limit] if limit > 0 else found)]


def _is_descendant(core: Core, container: Container, references: Sequence[str]) -> bool:
    images = []
    for reference in references:
        try:
            images.append(ImageStore(core).find(reference))
        except EngineError:
            continue  # an unknown image has no containers
    mine = ImageStore(core).get(container.image)
    if mine is None:
        return container.image in [image.id for image in images]
    layers = mine.diff_ids
    return any(
        image.id == mine.id
        or (image.diff_ids and len(image.diff_ids) < len(layers) and layers[: len(image.diff_ids)] == image.diff_ids)
        for image in images
    )


def _is_before(core: Core, container: Container, values: Sequence[str]) -> bool:
    return container.number < min(find(core, value).number for value in values)


def _is_since(core: Core, container: Container, values: Sequence[str]) -> bool:
    return container.number > max(find(core, value).number for value in values)


def _has_exited(core: Core, container: Container, values: Sequence[str]) -> bool:
    state = container.state
    return state.finished is not None and not state.running and str(state.exit_code) in values


def _has_volume(core: Core, container: Container, values: Sequence[str]) -> bool:
    return any(value in (mount.name, mount.source, mount.destination) for mount in container.mounts for value in values)


_TESTS: dict[str, Callable[[Core, Container, Sequence[str]], bool]] = {
    "ancestor": _is_descendant,
    "before": _is_before,
    "exited": _has_exited,
    "id": lambda core, container, values: any(container.id.startswith(value) for value in values),
    "label": lambda core, container, values: labels_match(members(container.config, "Labels"), {"label": values}),
    "name": lambda core, container, values: any(_name_matches(container.name, value) for value in values),
    "network": lambda core, container, values: _in_network(core, container, values),
    "publish": lambda core, container, values: _has_port("PublicPort")(core, container, values),
    "expose": lambda core, container, values: _has_port("PrivatePort")(core, container, values),
    "health": lambda core, container, values: _is_healthy(core, container, values),
    "since": _is_since,
    "status": lambda core, container, values: container.state.status in values,
    "volume": _has_volume,
}


def _name_matches(name: str, pattern: str) -> bool:
    """`name=` is a regular expression anywhere in the name, with or without its slash."""
    return matches_filter(f"/{name}", pattern) or matches_filter(name, pattern)


def _in_network(core: Core, container: Container, values: Sequence[str]) -> bool:
    return any(name in values for name in networks(core, container))


def _has_port(number: str) -> Callable[[Core, Container, Sequence[str]], bool]:
    """`publish=` and `expose=`: PORT[-PORT][/PROTOCOL], on the host or in the container."""

    def test(core: Core, container: Container, values: Sequence[str]) -> bool:
        wanted = [_port_range(value) for value in values]
        rows = list(port_rows(container))
        return any(
            row.get(number) in numbers and row["Type"] == protocol for row in rows for numbers, protocol in wanted
        )

    return test


def _port_range(text: str) -> tuple[range, str]:
    numbers, _, protocol = text.partition("/")
    first, _, last = numbers.partition("-")
    if not first.isdigit() or (last and not last.isdigit()):
        raise invalid(f"invalid start port '{first}': invalid syntax")
    return range(int(first), int(last or first) + 1), protocol or "tcp"


def _is_healthy(core: Core, container: Container, values: Sequence[str]) -> bool:
    """No container here has a health check that ran."""
    return "none" in values


def row(core: Core, container: Container, size: bool = False) -> JsonObject:
    record: JsonObject = {
        "Id": container.id,
        "Names": [f"/{container.name}"],
        "Image": _image_shown(core, container),
        "ImageID": container.image,
        "Command": command_text(container.command),
        "Created": container.created // SECOND,
        "Ports": list(port_rows(container)),
        "Labels": dict(members(container.config, "Labels")),
        "State": container.state.status,
        "Status": status_text(container.state, core.now()),
        "HostConfig": {"NetworkMode": container.network_mode},
        "NetworkSettings": {"Networks": networks(core, container)},
        "Mounts": [mount.row() for mount in container.mounts],
    }
    if size:
        record["SizeRw"], record["SizeRootFs"] = sizes(core, container)
    return record


def _image_shown(core: Core, container: Container) -> str:
    """The name that the container was made from, or the image's id where that name now means another image."""
    asked = text(container.config, "Image")
    try:
        return asked if ImageStore(core).find(asked).id == container.image else container.image
    except EngineError:
        return container.image


def command_text(command: Sequence[str]) -> str:
    """The command and its arguments, those with a blank in quotes."""
    first, rest = command[0] if command else "", command[1:]
    return " ".join([first, *(f"'{word}'" if " " in word else word for word in rest)])


# --- GET /containers/NAME/json
