"""A container's place in a network: its addresses, and its ports on the host."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from labkit.engine.core.core import Core
from labkit.engine.core.records import Container


def network_settings(core: Core, container: Container) -> dict[str, Any]:
    sandbox = core.digest("sandbox", container.id) if container.state.running else ""
    return {
        "SandboxID": sandbox,
        "SandboxKey": f"/var/run/docker/netns/{sandbox[:12]}" if sandbox else "",
        "Ports": ports(container),
        "Networks": networks(core, container),
    }


def ports(container: Container) -> dict[str, list[dict[str, str]] | None]:
    """Each port that it exposes while it runs, and where that is published: on both families where -p names no address.

    A port that the host chooses is the container's number above 32768, where Linux's own choice begins.
    """
    if not container.state.running or container.host("NetworkMode", "bridge") not in ("", "bridge", "default"):
        return {}
    bindings = container.host("PortBindings") or {}
    if container.host("PublishAllPorts"):
        bindings = {**{port: [{}] for port in container.config.get("ExposedPorts") or {}}, **bindings}
    known = {**(container.config.get("ExposedPorts") or {}), **bindings}
    found: dict[str, list[dict[str, str]] | None] = {}
    for place, port in enumerate(sorted(known, key=_port_order)):
        free = str(32768 + container.number * 8 + place)
        found[port] = [
            {"HostIp": address, "HostPort": binding.get("HostPort") or free}
            for binding in bindings.get(port) or ()
            for address in ([binding["HostIp"]] if binding.get("HostIp") else ["0.0.0.0", "::"])
        ] or None
    return found


def _port_order(port: str) -> tuple[int, str]:
    number, _, protocol = port.partition("/")
    return int(number), protocol


def port_rows(container: Container) -> Iterator[dict[str, Any]]:
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


def networks(core: Core, container: Container) -> dict[str, Any]:
    mode = container.host("NetworkMode", "bridge") or "bridge"
    mode = "bridge" if mode == "default" else mode
    up = container.state.running and mode == "bridge"
    digits = core.digest("address", container.id)
    return {
        mode: {
            "IPAMConfig": None,
            "Links": None,
            "Aliases": None,
            "DriverOpts": None,
            "GwPriority": 0,
            "NetworkID": core.digest("network", mode) if container.state.running else "",
            "EndpointID": core.digest("endpoint", container.id) if container.state.running else "",
            "Gateway": "172.17.0.1" if up else "",
            "IPAddress": container.address if up else "",
            "MacAddress": ":".join(["02", *(digits[place : place + 2] for place in range(0, 10, 2))]) if up else "",
            "IPPrefixLen": 16 if up else 0,
            "IPv6Gateway": "",
            "GlobalIPv6Address": "",
            "GlobalIPv6PrefixLen": 0,
            "DNSNames": None,
        }
    }
