"""The addresses of networks: what `network create` asks for, as the daemon checks it, and what it picks by itself.

moby, daemon/network.go (validateIpamConfig), daemon/libnetwork/ipams/defaultipam, daemon/libnetwork/ipamutils.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from labkit.engine.core.errors import forbidden, invalid
from labkit.kernel.golang import JsonObject, members, text

Subnet = IPv4Network | IPv6Network
POOLS = (  # where no subnet is asked for, the first that is free
    *(IPv4Network(f"172.{number}.0.0/16") for number in range(17, 32)),
    *(IPv4Network(f"192.168.{number}.0/20") for number in range(0, 256, 16)),
)


def check(configs: Iterable[JsonObject], ipv6: bool) -> None:
    """Raises EngineError with all that is wrong."""
    wrong = [said for config in configs for said in _wrong(config, ipv6)]
    if wrong:
        listed = wrong[0] if len(wrong) == 1 else "".join(f"\n* {said}" for said in wrong)[1:]
        raise invalid(f"invalid network config:\n{listed}")


def _wrong(config: JsonObject, ipv6: bool) -> Iterator[str]:
    asked = text(config, "Subnet")
    subnet = ip_network(asked, strict=False)
    if subnet.version == 6 and not ipv6:
        return
    if asked != str(subnet):
        yield f"invalid subnet {asked}: it should be {subnet}"
    if part := text(config, "IPRange"):
        inner = ip_network(part, strict=False)
        if inner.version != subnet.version:
            yield f"invalid ip-range {part}: parent subnet is an IPv{subnet.version} block"
        else:
            if inner.prefixlen < subnet.prefixlen:
                yield f"invalid ip-range {part}: CIDR block is bigger than its parent subnet {asked}"
            if part != str(inner):
                yield f"invalid ip-range {part}: it should be {inner}"
            if not subnet.overlaps(inner):
                yield f"invalid ip-range {part}: parent subnet {asked} doesn't contain ip-range"
    named = [("gateway", text(config, "Gateway"), text(config, "Gateway"))]
    named += [("auxiliary address", name, str(aux)) for name, aux in members(config, "AuxiliaryAddresses").items()]
    for what, name, address in named:
        if address and ip_address(address).version != subnet.version:
            yield f"invalid {what} {name}: parent subnet is an IPv{subnet.version} block"
        elif address and ip_address(address) not in subnet:
            yield f"invalid {what} {name}: parent subnet {asked} doesn't contain this address"


def allocate(
    configs: list[JsonObject], taken: list[Subnet], *, ipv4: bool, ipv6: bool, unique: str
) -> list[JsonObject]:
    """The subnets of a new network, each with its gateway; `unique`: 40 bits in hex for a local prefix of IPv6.

    Raises EngineError where one is in use."""
    found = []
    for version, wanted in ((4, ipv4), (6, ipv6)):
        asked = [each for each in configs if ip_network(text(each, "Subnet")).version == version]
        if not wanted:
            continue
        if not asked and version == 4:
            free = (pool for pool in POOLS if not any(pool.overlaps(other) for other in taken if other.version == 4))
            pool = next(free, None)
            if pool is None:
                raise invalid("all predefined address pools have been fully subnetted")
            asked = [{"Subnet": str(pool)}]
        elif not asked:
            asked = [{"Subnet": str(IPv6Network(f"fd{unique[:2]}:{unique[2:6]}:{unique[6:10]}::/64"))}]
        for config in asked:
            subnet = ip_network(text(config, "Subnet"))
            if any(subnet.overlaps(other) for other in taken if other.version == version):
                raise forbidden("invalid pool request: Pool overlaps with other one on this address space")
            found.append(_with_gateway(config, subnet))
    return found


def _with_gateway(config: JsonObject, subnet: Subnet) -> JsonObject:
    part = text(config, "IPRange")
    first = ip_network(part).network_address if part else subnet.network_address
    gateway = text(config, "Gateway") or str(first + (first == subnet.network_address))
    keys = {**config, "Gateway": gateway}
    return {key: keys[key] for key in ("Subnet", "IPRange", "Gateway", "AuxiliaryAddresses") if keys.get(key)}


def free_address(config: JsonObject, used: Iterable[str]) -> str:
    """The lowest address of a subnet, or of the part that containers get theirs from, that nothing has."""
    subnet = ip_network(text(config, "Subnet"))
    pool = ip_network(text(config, "IPRange") or text(config, "Subnet"))
    others = map(str, members(config, "AuxiliaryAddresses").values())
    gone = {text(config, "Gateway"), str(subnet.network_address), *others, *used}
    return next((str(address) for address in pool if str(address) not in gone), "")


def status(config: JsonObject, used: int) -> JsonObject:
    """How many addresses of a subnet are taken: with its own, the last one and the gateway."""
    subnet = ip_network(text(config, "Subnet"))
    taken = used + (3 if subnet.version == 4 else 2) + len(members(config, "AuxiliaryAddresses"))
    free = ip_network(text(config, "IPRange") or text(config, "Subnet")).num_addresses - taken
    return {"IPsInUse": taken, "DynamicIPsAvailable": min(free, (1 << 64) - 1)}
