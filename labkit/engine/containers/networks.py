"""Networks, as far as their names, their documents and pruning go: three that are always there, and those people make.

Messages: moby, daemon/network.go, daemon/libnetwork (error.go, network.go). Packets go nowhere.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from ipaddress import ip_address, ip_network

from labkit.engine.containers import addresses
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
from labkit.engine.core.happened import tell
from labkit.engine.core.records import Container
from labkit.kernel.golang import Json, JsonObject, members, objects, quote, rfc3339, text, texts

PREDEFINED = {"bridge": "bridge", "host": "host", "none": "null"}
_BRIDGE = "com.docker.network.bridge."
_BRIDGE_OPTIONS: JsonObject = {
    f"{_BRIDGE}default_bridge": "true",
    f"{_BRIDGE}enable_icc": "true",
    f"{_BRIDGE}enable_ip_masquerade": "true",
    f"{_BRIDGE}host_binding_ipv4": "0.0.0.0",
    f"{_BRIDGE}name": "docker0",
    "com.docker.network.driver.mtu": "1500",
}
_ASKED: dict[str, JsonObject] = {
    "bridge": {"Driver": "bridge", "Options": _BRIDGE_OPTIONS},
    "host": {"Driver": "host"},
    "none": {"Driver": "null"},
}
DEFAULT_POOL: JsonObject = {"Subnet": "172.17.0.0/16", "Gateway": "172.17.0.1"}  # of the default bridge
_LEFT: JsonObject = {"left": True}  # the endpoint of a container that was taken out of the network it was made for
_PREFIX = "network "
_LIST_FILTERS = ("dangling", "driver", "id", "label", "name", "scope", "type")
_PRUNE_FILTERS = ("label", "label!", "until")


@dataclass(frozen=True)
class Network:
    """`asked`: the body of POST /networks/create."""

    name: str
    id: str
    created: int  # ns
    asked: JsonObject
    pools: tuple[JsonObject, ...] = ()  # its subnets, with their gateways
    connected: dict[str, JsonObject] = field(default_factory=dict)  # container id -> its endpoint, as it was asked for
    addresses: dict[str, str] = field(default_factory=dict)  # container id -> its address, while it runs

    @property
    def driver(self) -> str:
        return text(self.asked, "Driver")

    @property
    def labels(self) -> dict[str, str]:
        return {name: str(value) for name, value in members(self.asked, "Labels").items()}


def every(core: Core) -> list[Network]:
    """By name."""
    found = {name: _predefined(core, name) for name in PREDEFINED}
    found |= {network.name: network for network in _kept(core)}
    return sorted(found.values(), key=lambda network: network.name)


def _predefined(core: Core, name: str) -> Network:
    return Network(
        name,
        core.digest("network", name),
        core.epoch,
        _ASKED.get(name, {}),
        (DEFAULT_POOL,) if name == "bridge" else (),
    )


def _kept(core: Core) -> list[Network]:
    """Those that people made, and of the others those that a container was put in by hand."""
    written = [json.loads(text) for key, text in core.tables.words.items() if key.startswith(_PREFIX)]
    return [Network(**{**values, "pools": tuple(values["pools"])}) for values in written]


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


def create(core: Core, name: str, asked: JsonObject) -> str:
    """POST /networks/create: the id."""
    if name in PREDEFINED or name == "default":
        raise forbidden(f"operation is not permitted on predefined {name} network")
    if text(asked, "Driver") == "overlay":
        raise forbidden(
            'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to '
            "swarm and try again."
        )
    configs = objects(asked, "IPAM", "Config")
    addresses.check(configs, bool(asked.get("EnableIPv6")))
    if not name.strip():
        raise invalid("invalid name: name is empty")
    if any(each.name == name for each in every(core)):
        raise conflict(f"network with name {name} already exists")
    _check_fields(asked, configs)
    pools: list[JsonObject] = []
    if asked.get("ConfigOnly"):
        asked = {**asked, "Driver": "null"}
    else:
        asked = _with_configuration(core, asked)
        taken = [ip_network(text(pool, "Subnet")) for each in every(core) for pool in each.pools]
        ipv4, ipv6 = asked.get("EnableIPv4") is not False, bool(asked.get("EnableIPv6"))
        unique = core.digest("network prefix", name)
        pools = addresses.allocate(objects(asked, "IPAM", "Config"), taken, ipv4=ipv4, ipv6=ipv6, unique=unique)
    network = Network(name, core.ids.new("network"), core.now(), asked, tuple(pools))
    _keep(core, network)
    _tell(core, "create", network)
    return network.id


def _check_fields(asked: JsonObject, configs: list[JsonObject]) -> None:
    """libnetwork, network.go validateConfiguration; controller.go NewNetwork."""
    driver, scope = text(asked, "Driver"), text(asked, "Scope")
    if asked.get("ConfigOnly"):
        if scope or any(asked.get(key) for key in ("Ingress", "Internal", "Attachable")):
            raise forbidden(
                "configuration network can only contain network specific fields. Network operator fields like "
                "[ ingress | internal | attachable | scope ] are not supported."
            )
        if text(asked, "ConfigFrom"):
            raise forbidden("a configuration network cannot depend on another configuration network")
        return
    if text(asked, "ConfigFrom"):
        changed = asked.get("EnableIPv4") is False or asked.get("EnableIPv6")
        if changed or configs or members(asked, "Labels") or members(asked, "IPAM", "Options"):
            raise forbidden(
                "user-specified configurations are not supported if the network depends on a configuration network"
            )
        if members(asked, "Options"):
            raise forbidden(
                "network driver options are not supported if the network depends on a configuration network"
            )
    if driver not in ("bridge", "macvlan", "ipvlan", "host", "null"):
        raise not_found(f'could not find plugin {driver} in v1 plugin registry: plugin "{driver}" not found')
    if asked.get("Ingress"):
        raise forbidden("Ingress network can only be global scope network")
    if scope == "swarm":
        raise forbidden("cannot create a swarm scoped network when swarm is not active")
    if driver in ("host", "null"):
        raise forbidden(f'only one instance of "{driver}" network is allowed')


def _with_configuration(core: Core, asked: JsonObject) -> JsonObject:
    """With what another network, made for that, says of it."""
    name = text(asked, "ConfigFrom")
    if not name:
        return asked
    model = next((each.asked for each in every(core) if each.name == name and each.asked.get("ConfigOnly")), None)
    if model is None:
        raise not_found(f"configuration network {quote(name)} does not exist")
    return {**asked, **{key: model.get(key) for key in ("EnableIPv4", "EnableIPv6", "IPAM", "Labels", "Options")}}


def _tell(core: Core, action: str, network: Network, **more: str) -> None:
    tell(core, "network", action, network.id, **more, name=network.name, type=network.driver)


def members_of(core: Core, network: Network) -> list[Container]:
    """The running containers in it."""
    running = (container for container in by_age(core) if container.state.running)
    return [each for each in running if each.id in network.connected or _mode(each) in (network.name, network.id)]


def _mode(container: Container) -> str:
    mode = container.network_mode
    return "bridge" if mode == "default" else mode


def of(core: Core, container: Container) -> dict[str, tuple[Network | None, JsonObject]]:
    """The networks that a container is in, running or not, by name, and what was asked for its place there."""
    kept, mode = _kept(core), _mode(container)
    if mode.startswith("container:"):
        return {}
    if mode in PREDEFINED and not any(container.id in network.connected for network in kept):
        return {mode: (None, {})}
    main = next((network for network in kept if mode in (network.name, network.id)), None)
    found: dict[str, tuple[Network | None, JsonObject]]
    found = {} if main and main.connected.get(container.id) == _LEFT else {main.name if main else mode: (main, {})}
    for network in kept:
        if container.id in network.connected and network.connected[container.id] != _LEFT:
            found[network.name] = (network, network.connected[container.id])
    return dict(sorted(found.items()))


def join(core: Core, container: Container) -> None:
    """It starts: each of its networks gives it an address. Raises EngineError where it can't be had."""
    for name, (network, endpoint) in of(core, container).items():
        if network and network.pools and name not in PREDEFINED:
            wanted = text(endpoint, "IPAMConfig", "IPv4Address")
            if wanted and wanted in network.addresses.values():
                raise forbidden("failed to set up container networking: Address already in use")
            address = wanted or addresses.free_address(network.pools[0], network.addresses.values())
            _keep(core, replace(network, addresses={**network.addresses, container.id: address}))
        _tell(core, "connect", network or _predefined(core, name), container=container.id)


def check_joined(core: Core, container: Container) -> None:
    """Raises EngineError where the container whose network it shares is not there (getNetworkedContainer)."""
    reference = container.network_mode.partition(":")[2]
    try:
        other = find(core, reference)
    except EngineError as error:
        raise system(f"joining network namespace of container: {error}") from None
    if other.id == container.id:
        raise system("cannot join own network namespace")
    if not other.state.running:
        status = other.state.status
        raise conflict(f"cannot join network namespace of a non running container: container {other.name} is {status}")


def leave(core: Core, container: Container, *, gone: bool = False) -> None:
    """It ends; `gone`: it is removed."""
    for name, (kept, _) in of(core, container).items():
        network = kept or _predefined(core, name)
        if gone:
            connected = {key: value for key, value in network.connected.items() if key != container.id}
            if connected != network.connected:
                _keep(core, replace(network, connected=connected))
            continue
        _tell(core, "disconnect", network, container=container.id)
        if container.id in network.addresses:
            left = {key: value for key, value in network.addresses.items() if key != container.id}
            _keep(core, replace(network, addresses=left))


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
    users = [each.name for each in every(core) if text(each.asked, "ConfigFrom") == network.name]
    if network.asked.get("ConfigOnly") and users:
        raise forbidden(f"configuration network {quote(network.name)} is in use")
    core.tables.words.delete(_PREFIX + network.name)
    _tell(core, "destroy", network)


def check_endpoint(network: Network, endpoint: JsonObject) -> None:
    """moby, daemon/container_operations.go validateEndpointSettings."""
    asked = [str(value) for value in members(endpoint, "IPAMConfig").values() if value]
    wrong = []
    if network.name in PREDEFINED:
        wrong += ["user-specified IP address is supported on user-defined networks only"] if asked else []
        if texts(endpoint, "Aliases"):
            wrong.append("network-scoped aliases are only supported for user-defined networks")
    for address in asked:
        subnets = [ip_network(text(pool, "Subnet")) for pool in network.pools]
        if not any(ip_address(address) in subnet for subnet in subnets):
            wrong.append(f"no configured subnet contains IP address {address}")
    if wrong:
        listed = wrong[0] if len(wrong) == 1 else "\n".join(f"* {said}" for said in wrong)
        raise invalid(f"invalid endpoint settings:\n{listed}")


def connect(core: Core, reference: str, container: str, endpoint: JsonObject | None = None) -> None:
    """POST /networks/NAME/connect."""
    found = find(core, container)
    network, endpoint = look_up(core, reference), endpoint or {}
    if _mode(found) == "host" or network.name == "host":
        raise forbidden("cannot connect container to host network - container must be created in host network mode")
    if _mode(found).startswith("container:"):
        raise invalid(
            "container sharing network namespace with another container or host cannot be connected to any other "
            "network"
        )
    check_endpoint(network, endpoint)
    if network.name in of(core, found):
        raise forbidden(f"endpoint with name {found.name} already exists in network {network.name}")
    place(core, network, found, endpoint)


def place(core: Core, network: Network, container: Container, endpoint: JsonObject) -> None:
    """Put a container into a network."""
    addresses_now = dict(network.addresses)
    if container.state.running and network.pools:
        wanted = text(endpoint, "IPAMConfig", "IPv4Address")
        addresses_now[container.id] = wanted or addresses.free_address(network.pools[0], addresses_now.values())
    connected = {**network.connected, container.id: endpoint}
    _keep(core, replace(network, connected=connected, addresses=addresses_now))
    if container.state.running:
        _tell(core, "connect", network, container=container.id)


def disconnect(core: Core, reference: str, container: str) -> None:
    """POST /networks/NAME/disconnect."""
    found = find(core, container)
    network = look_up(core, reference)
    if network.name == "host" and _mode(found) == "host":
        raise invalid("cannot disconnect container from host network - container was created in host network mode")
    if network.name not in of(core, found):
        if not found.state.running:
            raise system(f"container {found.id} is not connected to the network {network.name}")
        raise forbidden(f"container {found.id} is not connected to network {network.name}")
    is_main = _mode(found) in (network.name, network.id)
    connected = {key: value for key, value in network.connected.items() if key != found.id}
    connected |= {found.id: _LEFT} if is_main else {}
    left = {key: value for key, value in network.addresses.items() if key != found.id}
    _keep(core, replace(network, connected=connected, addresses=left))
    if found.state.running:
        _tell(core, "disconnect", network, container=found.id)


def prune(core: Core, filters: Filters | None = None) -> list[str]:
    """POST /networks/prune: the names of those that no container is in."""
    wanted = check_filters(filters, _PRUNE_FILTERS)
    limit = earliest(wanted, core.now())
    gone = []
    for network in every(core):
        if network.name in PREDEFINED or not labels_match(network.labels, wanted):
            continue
        if limit is not None and network.created >= limit:
            continue
        try:
            remove(core, network.name)
        except EngineError:
            continue
        gone.append(network.name)
    tell(core, "network", "prune", "", reclaimed="0")
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
    return labels_match(network.labels, wanted) and all(
        any(test(value) for value in wanted[key]) for key, test in tests.items() if wanted.get(key)
    )


def document(core: Core, network: Network) -> JsonObject:
    """GET /networks/NAME, in the order in which `docker network inspect` prints it."""
    asked, inside = network.asked, members_of(core, network)
    configs: list[Json] = [*network.pools]
    made = network.name not in PREDEFINED
    shown: JsonObject = {
        "Name": network.name,
        "Id": network.id,
        "Created": rfc3339(network.created),
        "Scope": "local",
        "Driver": network.driver,
        "EnableIPv4": asked.get("EnableIPv4") is not False,
        "EnableIPv6": bool(asked.get("EnableIPv6")),
        "IPAM": {
            "Driver": text(asked, "IPAM", "Driver") or "default",
            "Options": members(asked, "IPAM", "Options") if made else None,
            "Config": configs or None,
        },
        "Internal": bool(asked.get("Internal")),
        "Attachable": bool(asked.get("Attachable")),
        "Ingress": False,
        "ConfigFrom": {"Network": text(asked, "ConfigFrom")},
        "ConfigOnly": bool(asked.get("ConfigOnly")),
        "Options": members(asked, "Options"),
        "Labels": members(asked, "Labels"),
        "Containers": {each.id: _member(core, network, each) for each in inside},
    }
    subnets: JsonObject = {text(pool, "Subnet"): addresses.status(pool, len(inside)) for pool in network.pools}
    shown["Status"] = {"IPAM": {"Subnets": subnets} if subnets else {}}
    return shown


def _member(core: Core, network: Network, container: Container) -> JsonObject:
    address = address_in(network, container)
    bits = text(network.pools[0], "Subnet").partition("/")[2] if network.pools else ""
    return {
        "Name": container.name,
        "EndpointID": core.digest("endpoint", container.id),
        "MacAddress": mac_address(core, container) if address else "",
        "IPv4Address": f"{address}/{bits}" if address else "",
        "IPv6Address": "",
    }


def address_in(network: Network, container: Container) -> str:
    return container.address if network.name == "bridge" else network.addresses.get(container.id, "")


def mac_address(core: Core, container: Container) -> str:
    digits = core.digest("address", container.id)
    return ":".join(["02", *(digits[place : place + 2] for place in range(0, 10, 2))])
