"""Networks, as far as their names, their documents and pruning go: three that are always there, and those people make.

Messages: moby, daemon/network.go, daemon/libnetwork (error.go, network.go). Packets go nowhere.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from labkit.engine.core.core import Core, by_age, find
from labkit.engine.core.errors import (
    EngineError,
    Filters,
    check_filters,
    conflict,
    earliest,
    forbidden,
    invalid,
    labels_match,
    matches_filter,
    no_name,
    not_found,
    system,
)
from labkit.engine.core.records import Container
from labkit.kernel.golang import JsonObject, rfc3339

PREDEFINED = {"bridge": "bridge", "host": "host", "none": "null"}
_PREFIX = "network "
_LIST_FILTERS = ("dangling", "driver", "id", "label", "name", "scope", "type")
_PRUNE_FILTERS = ("label", "label!", "until")


@dataclass(frozen=True)
class Network:
    name: str
    id: str
    driver: str
    created: int  # ns
    internal: bool = False
    attachable: bool = False
    labels: tuple[tuple[str, str], ...] = ()
    options: tuple[tuple[str, str], ...] = ()
    connected: tuple[str, ...] = ()  # ids of containers that `connect` put in
    number: int = 0  # which of those that were made, from 1


def every(core: Core) -> list[Network]:
    """By name."""
    found = [Network(name, core.digest("network", name), driver, core.epoch) for name, driver in PREDEFINED.items()]
    found += [_read(written) for key, written in core.tables.words.items() if key.startswith(_PREFIX)]
    return sorted(found, key=lambda network: network.name)


def _read(written: str) -> Network:
    values = json.loads(written)
    pairs = {key: tuple(tuple(pair) for pair in values[key]) for key in ("labels", "options")}
    return Network(**{**values, **pairs, "connected": tuple(values["connected"])})


def _keep(core: Core, network: Network) -> None:
    core.tables.words.set(_PREFIX + network.name, json.dumps(asdict(network)))


def look_up(core: Core, reference: str) -> Network:
    """By name, id or the start of an id."""
    reference = reference.strip()
    if not reference:
        raise no_name("network")
    networks = every(core)
    found = [each for each in networks if reference in (each.name, each.id)]
    found = found or [each for each in networks if each.id.startswith(reference)]
    if len(found) > 1:
        raise invalid(f"network {reference} is ambiguous ({len(found)} matches found on ID prefix)")
    if not found:
        raise not_found(f"network {reference} not found")
    return found[0]


def identifier_of(core: Core, name: str) -> str:
    return next((each.id for each in every(core) if name in (each.name, each.id)), core.digest("network", name))


def exists(core: Core, name: str) -> bool:
    return name in PREDEFINED or name == "default" or any(name in (each.name, each.id) for each in every(core))


def create(
    core: Core,
    name: str,
    driver: str = "",
    *,
    internal: bool = False,
    attachable: bool = False,
    labels: Sequence[tuple[str, str]] = (),
    options: Sequence[tuple[str, str]] = (),
) -> str:
    """POST /networks/create: the id."""
    if not name.strip():
        raise invalid("invalid name: name is empty")
    if name in PREDEFINED or name == "default":
        raise forbidden(f"operation is not permitted on predefined {name} network")
    if any(each.name == name for each in every(core)):
        raise conflict(f"network with name {name} already exists")
    if driver in ("host", "null"):
        raise forbidden(f'only one instance of "{driver}" network is allowed')
    if driver == "overlay":
        raise system(
            'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to '
            "swarm and try again."
        )
    if driver not in ("", "bridge", "macvlan", "ipvlan"):
        raise not_found(f'could not find plugin {driver} in v1 plugin registry: plugin "{driver}" not found')
    number = core.ids.number("networks")
    network = Network(
        name, core.ids.new("network"), driver or "bridge", core.now(), internal, attachable, tuple(labels),
        tuple(options), number=number,
    )  # fmt: skip
    _keep(core, network)
    return network.id


def members_of(core: Core, network: Network) -> list[Container]:
    """The running containers in it."""
    running = (container for container in by_age(core) if container.state.running)
    return [each for each in running if each.id in network.connected or _mode(each) in (network.name, network.id)]


def _mode(container: Container) -> str:
    mode = container.network_mode
    return "bridge" if mode == "default" else mode


def remove(core: Core, reference: str) -> None:
    """DELETE /networks/NAME."""
    network = look_up(core, reference)
    if network.name in PREDEFINED:
        raise forbidden(f"{network.name} is a pre-defined network and cannot be removed")
    if found := members_of(core, network):
        endpoints = ", ".join(
            f'name:"{each.name}" id:"{core.digest("endpoint", each.id)[:12]}"' for each in reversed(found)
        )
        raise forbidden(f"error while removing network: network {network.name} has active endpoints ({endpoints})")
    core.tables.words.delete(_PREFIX + network.name)


def connect(core: Core, reference: str, container: str) -> None:
    """POST /networks/NAME/connect."""
    network, found = look_up(core, reference), find(core, container)
    if _mode(found) == "host" or network.name == "host":
        raise forbidden("cannot connect container to host network - container must be created in host network mode")
    if found.id in network.connected or _mode(found) == network.name:
        raise forbidden(f"endpoint with name {found.name} already exists in network {network.name}")
    if network.name not in PREDEFINED:
        _keep(core, replace(network, connected=(*network.connected, found.id)))


def disconnect(core: Core, reference: str, container: str) -> None:
    """POST /networks/NAME/disconnect."""
    network, found = look_up(core, reference), find(core, container)
    if network.name == "host":
        raise forbidden("container cannot be disconnected from host network")
    if found.id in network.connected:
        _keep(core, replace(network, connected=tuple(each for each in network.connected if each != found.id)))
    elif _mode(found) != network.name:
        raise forbidden(f"container {found.id} is not connected to network {network.name}")


def prune(core: Core, filters: Filters | None = None) -> list[str]:
    """POST /networks/prune: the names of those that no container is in."""
    wanted = check_filters(filters, _PRUNE_FILTERS)
    limit = earliest(wanted, core.now())
    gone = []
    for network in every(core):
        if network.name in PREDEFINED or not labels_match(dict(network.labels), wanted):
            continue
        if limit is not None and network.created >= limit:
            continue
        try:
            remove(core, network.name)
        except EngineError:
            continue
        gone.append(network.name)
    return gone


def rows(core: Core, filters: Filters | None = None) -> list[JsonObject]:
    """GET /networks."""
    wanted = check_filters(filters, _LIST_FILTERS)
    kind = {"builtin": True, "custom": False}
    for value in wanted.get("type", ()):
        if value not in kind:
            raise invalid(f"invalid filter: 'type'='{value}'")
    return [document(core, each) for each in every(core) if _wanted(core, each, wanted)]


def _wanted(core: Core, network: Network, wanted: Filters) -> bool:
    builtin = network.name in PREDEFINED
    tests = {
        "name": lambda value: matches_filter(network.name, value),
        "id": lambda value: matches_filter(network.id, value),
        "driver": lambda value: network.driver == value,
        "scope": lambda value: value == "local",
        "type": lambda value: builtin == (value == "builtin"),
        "dangling": lambda value: (not builtin and not members_of(core, network)) == (value in ("1", "true")),
    }
    return labels_match(dict(network.labels), wanted) and all(
        any(test(value) for value in wanted[key]) for key, test in tests.items() if wanted.get(key)
    )


def document(core: Core, network: Network) -> JsonObject:
    """GET /networks/NAME, in the order in which `docker network inspect` prints it."""
    subnet = 17 + network.number
    ipam = network.driver != "host" and network.driver != "null"
    config: list[JsonObject] = [{"Subnet": f"172.{subnet}.0.0/16", "Gateway": f"172.{subnet}.0.1"}]
    return {
        "Name": network.name,
        "Id": network.id,
        "Created": rfc3339(network.created),
        "Scope": "local",
        "Driver": network.driver,
        "EnableIPv4": True,
        "EnableIPv6": False,
        "IPAM": {
            "Driver": "default",
            "Options": {} if network.number else None,
            "Config": list(config) if ipam else None,
        },
        "Internal": network.internal,
        "Attachable": network.attachable,
        "Ingress": False,
        "ConfigFrom": {"Network": ""},
        "ConfigOnly": False,
        "Containers": {
            each.id: {
                "Name": each.name,
                "EndpointID": core.digest("endpoint", each.id),
                "MacAddress": "",
                "IPv4Address": f"{each.address}/16" if each.address else "",
                "IPv6Address": "",
            }
            for each in members_of(core, network)
        },
        "Options": dict(network.options),
        "Labels": dict(network.labels),
    }  # fmt: skip
