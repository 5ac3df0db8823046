"""network connect, create, disconnect, ls, prune, rm (docker/cli cli/command/network)."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from labkit.engine.core.errors import EngineError
from labkit.kernel.golang import Json, JsonObject, members, quote, text

from .. import rows
from ..flags import StatusError
from ..gotext import TableRow
from ..rows import render
from . import Invocation, daemon_says
from .containers import natural

TABLE = "table {{.ID}}\t{{.Name}}\t{{.Driver}}\t{{.Scope}}"
RAW = "network_id: {{.ID}}\nname: {{.Name}}\ndriver: {{.Driver}}\nscope: {{.Scope}}\n"


def _pairs(run: Invocation, name: str) -> JsonObject:
    return {pair.partition("=")[0]: pair.partition("=")[2] for pair in run.options.texts(name)}


_KEYS = {
    "internal": "Internal",
    "attachable": "Attachable",
    "ingress": "Ingress",
    "config-only": "ConfigOnly",
    "ipv4": "EnableIPv4",
    "ipv6": "EnableIPv6",
}


def create(run: Invocation) -> int:
    options = run.options
    configs: list[Json] = [*_subnets(run)]
    ipam: JsonObject = {"Driver": options.text("ipam-driver"), "Config": configs, "Options": _pairs(run, "ipam-opt")}
    asked: JsonObject = {key: options.on(name) for name, key in _KEYS.items()}
    asked |= {"Driver": options.text("driver"), "Scope": options.text("scope"), "IPAM": ipam}
    asked |= {"ConfigFrom": options.text("config-from"), "Labels": _pairs(run, "label"), "Options": _pairs(run, "opt")}
    run.out(run.engine.create_network(run.arguments[0], asked))
    return 0


def _subnets(run: Invocation) -> list[JsonObject]:
    """The flags about addresses put together by subnet (create.go, createIPAMConfig)."""
    options = run.options
    subnets = options.texts("subnet")
    if len(subnets) < max(len(options.texts("ip-range")), len(options.texts("gateway"))):
        raise StatusError("every ip-range or gateway must have a corresponding subnet")
    found: dict[str, JsonObject] = {}
    for subnet in subnets:
        if any(_network(subnet).overlaps(_network(other)) for other in found):
            raise StatusError("multiple overlapping subnet configuration is not supported")
        _network(subnet)
        found[subnet] = {"Subnet": subnet}
    for part in options.texts("ip-range"):
        config = _matching(found, part.partition("/")[0], f"range {part}")
        if "IPRange" in config:
            both = f"{part}, {config['IPRange']}"
            raise StatusError(f"cannot configure multiple ranges ({both}) on the same subnet ({config['Subnet']})")
        config["IPRange"] = str(_network(part))
    for gateway in options.texts("gateway"):
        config = _matching(found, gateway, f"gateway {gateway}")
        if "Gateway" in config:
            both = f"{gateway}, {config['Gateway']}"
            raise StatusError(f"cannot configure multiple gateways ({both}) for the same subnet ({config['Subnet']})")
        config["Gateway"] = gateway
    for name, address in _pairs(run, "aux-address").items():
        config = _matching(found, str(address), f"aux-address {address}")
        config["AuxiliaryAddresses"] = {**members(config, "AuxiliaryAddresses"), name: address}
    return list(found.values())


def _network(text: str) -> IPv4Network | IPv6Network:
    """As netip.ParsePrefix reads it."""
    address, slash, bits = text.rpartition("/")
    try:
        if not slash:
            raise StatusError(f"netip.ParsePrefix({quote(text)}): no '/'")
        ip_address(address)
        return ip_network(text, strict=False)
    except ValueError:
        why = "prefix length out of range" if bits.isdigit() and _is_address(address) else ""
        why = why or (f"bad bits after slash: {quote(bits)}" if _is_address(address) else "")
        why = why or f"ParseAddr({quote(address)}): unable to parse IP"
        raise StatusError(f"netip.ParsePrefix({quote(text)}): {why}") from None


def _is_address(text: str) -> bool:
    try:
        return bool(ip_address(text))
    except ValueError:
        return False


def _matching(found: dict[str, JsonObject], address: str, what: str) -> JsonObject:
    if not _is_address(address):
        raise StatusError(f"ParseAddr({quote(address)}): unable to parse IP")
    for subnet, config in found.items():
        if ip_address(address) in _network(subnet):
            return config
    raise StatusError(f"no matching subnet for {what}")


def ls(run: Invocation) -> int:
    quiet, form = run.options.on("quiet"), run.options.text("format") or "table"
    if form == "table":
        form = "{{.ID}}" if quiet else TABLE
    elif form == "raw":
        form = "network_id: {{.ID}}" if quiet else RAW
    found = sorted(run.engine.networks(run.options.filters()), key=lambda each: natural(text(each, "Name")))
    shown = [_row(each, cut=not run.options.on("no-trunc")) for each in found]
    run.process.stdout.write(render(form, shown, rows.NETWORK_HEADERS))
    return 0


def _row(network: JsonObject, *, cut: bool) -> TableRow:
    labels = members(network, "Labels")
    fields = {
        "ID": lambda: text(network, "Id")[: 12 if cut else None],
        "Name": lambda: text(network, "Name"),
        "Driver": lambda: text(network, "Driver"),
        "Scope": lambda: text(network, "Scope"),
        "IPv4": lambda: str(network["EnableIPv4"]).lower(),
        "IPv6": lambda: str(network["EnableIPv6"]).lower(),
        "Internal": lambda: str(network["Internal"]).lower(),
        "Labels": lambda: ",".join(f"{key}={value}" for key, value in labels.items()),
        "CreatedAt": lambda: text(network, "Created").replace("T", " ").replace("Z", " +0000 UTC"),
    }
    return TableRow("*network.networkContext", fields, lambda name: str(labels.get(name, "")))


def rm(run: Invocation) -> int:
    status = 0
    for name in run.arguments:
        try:
            run.engine.remove_network(name)
        except EngineError as error:
            if not (run.options.on("force") and error.kind == "not-found"):
                run.err(daemon_says(error))
                status = 1
        else:
            run.out(name)
    if status:
        raise StatusError("exit status 1")
    return 0


def connect(run: Invocation) -> int:
    options = run.options
    addresses = {"IPv4Address": options.text("ip"), "IPv6Address": options.text("ip6")}
    endpoint: JsonObject = {
        "IPAMConfig": {key: value for key, value in addresses.items() if value},
        "Aliases": list[Json](options.texts("alias")),
        "Links": list[Json](options.texts("link")),
        "DriverOpts": _pairs(run, "driver-opt"),
        "GwPriority": options.number("gw-priority"),
    }
    network, container = run.arguments
    run.engine.connect_network(network, container, {key: value for key, value in endpoint.items() if value})
    return 0


def disconnect(run: Invocation) -> int:
    run.engine.disconnect_network(*run.arguments)
    return 0


WARNING = (
    "WARNING! This will remove all custom networks not used by at least one container.\n"
    "Are you sure you want to continue?"
)


def prune(run: Invocation) -> int:
    if not run.options.on("force") and not run.confirmed(WARNING):
        return 0
    if gone := run.engine.prune_networks(run.options.filters()):
        run.out("\n".join(["Deleted Networks:", *gone, ""]))
    return 0
