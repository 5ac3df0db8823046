"""Ports: -p as the API takes it (docker/go-connections nat), and as docker ps shows them (DisplayablePorts)."""

from __future__ import annotations

import ipaddress

from labkit.kernel.golang import Json, number, text

from .errors import ValueInvalid

Bindings = dict[str, list[dict[str, str]]]  # "80/tcp" -> where it is published


def standard(text: str) -> str:
    """published=8080,target=80,protocol=tcp as 8080:80/tcp."""
    if "=" not in text:
        return text
    fields = {"protocol": "tcp", "published": "", "target": ""}
    for field in text.split(","):
        name, equals, value = field.partition("=")
        if not (equals and name):
            raise ValueInvalid(f"invalid publish opts format (should be name=value but got '{field}')")
        fields[name] = value
    return f"{fields['published']}:{fields['target']}/{fields['protocol']}"


def parse_specs(specs: list[str]) -> Bindings:
    """-p values. Raises ValueInvalid."""
    found: Bindings = {}
    for spec in specs:
        for port, binding in _parse(standard(spec)):
            found.setdefault(port, []).append(binding)
    return found


def _parse(spec: str) -> list[tuple[str, dict[str, str]]]:
    ip, host, container = _split(spec)
    container, _, protocol = container.partition("/")
    if not container:
        raise ValueInvalid(f"no port specified: {spec}<empty>")
    protocol = (protocol or "tcp").lower()
    if protocol not in ("tcp", "udp", "sctp"):
        raise ValueInvalid(f"invalid proto: {protocol}")
    if ip.startswith("["):
        ip = ip[1:-1]
    if ip and not _valid_ip(ip):
        raise ValueInvalid(f"invalid IP address: {ip}")
    low, high = _range(container, "containerPort")
    host_low, host_high = _range(host, "hostPort") if host else (0, 0)
    if host and high - low != host_high - host_low and low != high:
        raise ValueInvalid(f"invalid ranges specified for container and host Ports: {container} and {host}")
    if host and low == high and host_low != host_high:
        return [(f"{low}/{protocol}", {"HostIp": ip, "HostPort": f"{host_low}-{host_high}"})]
    return [
        (f"{low + step}/{protocol}", {"HostIp": ip, "HostPort": str(host_low + step) if host else ""})
        for step in range(high - low + 1)
    ]


def _split(text: str) -> tuple[str, str, str]:
    parts = text.rsplit(":", 2)
    if len(parts) == 1:
        return "", "", parts[0]
    if len(parts) == 2:
        return "", parts[0], parts[1]
    return parts[0], parts[1], parts[2]


def _valid_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _range(text: str, what: str) -> tuple[int, int]:
    low, dash, high = text.partition("-")
    numbers = [low, high] if dash else [low, low]
    if not all(number.isascii() and number.isdigit() and int(number) < 65536 for number in numbers):
        raise ValueInvalid(f"invalid {what}: {text}")
    if int(numbers[0]) > int(numbers[1]):
        raise ValueInvalid(f"invalid {what}: {text}")
    return int(numbers[0]), int(numbers[1])


def parse_exposed(specs: list[str]) -> list[str]:
    """--expose values as 80/tcp. Raises ValueInvalid."""
    found = []
    for spec in specs:
        try:
            low, high, protocol = _exposed_range(spec)
        except ValueInvalid as error:
            raise ValueInvalid(f"invalid range format for --expose: {error}") from None
        found += [f"{port}/{protocol}" for port in range(low, high + 1)]
    return found


def _exposed_range(spec: str) -> tuple[int, int, str]:
    """moby api/types/network ParsePortRange."""
    if not spec:
        raise ValueInvalid("invalid port range: value is empty")
    ports, _, protocol = spec.partition("/")
    start, dash, end = ports.partition("-")
    low = port_number(start, "start port")
    high = port_number(end, "end port") if dash else low
    if high < low:
        raise ValueInvalid(f"invalid port range: {spec}")
    return low, high, protocol.lower() or "tcp"


def port_number(text: str, what: str) -> int:
    """moby api/types/network parsePortNumber. Raises ValueInvalid, which names `what` was wrong."""
    reason = ""
    if not text:
        reason = "value is empty"
    elif not (text.isascii() and text.isdigit()):
        reason = "invalid syntax"
    elif int(text) > 65535:
        reason = "value out of range"
    if reason:
        raise ValueInvalid(f"invalid {what} '{text}': {reason}")
    return int(text)


def join_host(ip: str, port: str) -> str:
    return f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"


def displayable(ports: list[Json]) -> str:
    """0.0.0.0:80->9090/tcp, 9988/tcp; neighbours as a range."""
    groups: dict[str, tuple[int, int]] = {}
    done: list[str] = []
    mapped: list[str] = []
    found = [(number(p, "PrivatePort"), text(p, "IP"), number(p, "PublicPort"), text(p, "Type")) for p in ports]
    for private, ip, public, kind in sorted(found):
        if ip and public != private:
            mapped.append(f"{join_host(ip, str(public))}->{private}/{kind}")
            continue
        key = f"{ip}/{kind}" if ip else kind
        if key in groups and private == groups[key][1] + 1:
            groups[key] = groups[key][0], private
            continue
        if key in groups:
            done.append(_group(key, *groups[key]))
        groups[key] = private, private
    return ", ".join([*done, *(_group(key, *ends) for key, ends in groups.items()), *mapped])


def _group(key: str, first: int, last: int) -> str:
    ip, slash, kind = key.rpartition("/")
    span = str(first) if first == last else f"{first}-{last}"
    return f"{join_host(ip, span)}->{span}/{kind}" if slash else f"{span}/{kind}"
