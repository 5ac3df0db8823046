"""/etc/docker/daemon.json as the daemon reads it when it starts, and what it says of one that it can't use.

Facts: moby, daemon/config/config.go; Go, encoding/json (its words for text that is no JSON). What is acted on is
"storage-driver", "storage-opts" and the feature that picks the image store. The other directives that the daemon knows
are taken and change nothing, but for "data-root", which this daemon does not have.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from labkit.files import Files

PATH = "/etc/docker/daemon.json"
# Directives, by the type that Go expects ("": any).
_TYPES = {"storage-driver": "string", "storage-opts": "[]string", "features": "map[string]bool"}
_OTHERS = (
    "add-runtime", "allow-direct-routing", "allow-nondistributable-artifacts", "api-cors-header",
    "authorization-plugins", "bip", "bip6", "bridge", "builder", "cdi-spec-dirs", "cgroup-parent", "containerd",
    "containerd-namespace", "containerd-plugin-namespace", "cpu-rt-period", "cpu-rt-runtime", "data-root", "debug",
    "default-address-pools", "default-cgroupns-mode", "default-gateway", "default-gateway-v6",
    "default-ipc-mode", "default-network-opts", "default-runtime", "default-shm-size", "default-ulimits", "dns",
    "dns-opts", "dns-search", "exec-opts", "exec-root", "experimental", "firewall-backend", "fixed-cidr",
    "fixed-cidr-v6", "group", "host-gateway-ip", "host-gateway-ips", "hosts", "http-proxy", "https-proxy", "icc",
    "init", "init-path", "insecure-registries", "ip", "ip-forward", "ip-forward-no-drop", "ip-masq", "ip6tables",
    "iptables", "ipv6", "labels", "live-restore", "log-driver", "log-format", "log-level", "log-opts",
    "max-concurrent-downloads", "max-concurrent-uploads", "max-download-attempts", "metrics-addr", "min-api-version",
    "mtu", "network-control-plane-mtu", "no-new-privileges", "no-proxy", "node-generic-resources",
    "oom-score-adjust", "pidfile", "proxies", "raw-logs", "registry-mirrors", "rootless", "runtimes",
    "seccomp-profile", "selinux-enabled", "shutdown-timeout", "swarm-default-advertise-addr", "tls", "tlscacert",
    "tlscert", "tlskey", "tlsverify", "userland-proxy", "userland-proxy-path", "userns-remap",
)  # fmt: skip
_HERE = "/var/lib/docker"  # the one data-root
_GO_TYPES = {str: "string", bool: "bool", int: "number", float: "number", list: "array", dict: "object"}
_PYTHON_TYPES: dict[str, type] = {"string": str, "bool": bool, "[]string": list, "map[string]bool": dict}
_LITERALS = {"t": "true", "f": "false", "n": "null"}


class ConfigError(ValueError):
    """The daemon does not start; str() is what it says."""


@dataclass(frozen=True)
class Config:
    storage_driver: str | None = None
    storage_options: tuple[str, ...] = ()
    features: dict[str, bool] = field(default_factory=dict)


def read(host: Files) -> Config:
    """Raises ConfigError. Without a file, or with an empty one, everything is as it is by default."""
    try:
        text = host.read(PATH).decode("utf-8", "replace").strip()
    except FileNotFoundError:
        return Config()
    except OSError as error:
        raise _refused(f"open {PATH}: {str(error.strerror).lower()}") from None
    return parse(text) if text else Config()


def current(host: Files) -> dict[str, Any]:
    """What the file says, as it stands; empty where it is none that can be read."""
    try:
        found = json.loads(host.read(PATH))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def write(host: Files, config: Mapping[str, object]) -> None:
    host.makedirs(PATH.rpartition("/")[0])
    host.write(PATH, json.dumps(config, indent=2) + "\n", 0o644)


def parse(text: str) -> Config:
    try:
        found = json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise _refused(go_error(error)) from None
    except RecursionError:
        raise _refused("exceeded max depth") from None
    if found is None:
        return Config()
    if not isinstance(found, dict):
        kind = _GO_TYPES[type(found)]
        raise _refused(f"json: cannot unmarshal {kind} into Go value of type map[string]interface {{}}")
    unknown = [key for key in found if key not in _TYPES and key not in _OTHERS]
    if unknown:
        raise _refused(f"the following directives don't match any configuration option: {', '.join(unknown)}")
    for key, wanted in _TYPES.items():
        _check(key, found.get(key), wanted)
    if found.get("data-root", _HERE) not in (_HERE, f"{_HERE}/"):
        raise _refused(f"this simulated daemon has no data-root but {_HERE}")
    options = tuple(found.get("storage-opts") or ())
    return Config(found.get("storage-driver") or None, options, dict(found.get("features") or {}))


def _no_constant(name: str) -> Any:
    """NaN and Infinity, which are JSON to Python alone."""
    raise _refused(f"invalid character '{name.lstrip('-')[0]}' looking for beginning of value")


def _refused(said: str) -> ConfigError:
    return ConfigError(f"unable to configure the Docker daemon with file {PATH}: {said}")


def _check(key: str, value: Any, wanted: str) -> None:
    """Raise where a value is not of the type that the daemon's structure has."""
    if value is None:
        return
    if type(value) is not _PYTHON_TYPES[wanted]:
        raise _wrong_type(key, value, wanted)
    if isinstance(value, list):
        _check_all(key, value, "string")
    elif isinstance(value, dict):
        _check_all(key, value.values(), "bool")


def _check_all(key: str, values: Iterable[Any], wanted: str) -> None:
    for value in values:
        _check(key, value, wanted)


def _wrong_type(key: str, value: Any, wanted: str) -> ConfigError:
    kind = _GO_TYPES[type(value)]
    return _refused(f"json: cannot unmarshal {kind} into Go struct field Config.{key} of type {wanted}")


def go_error(error: json.JSONDecodeError) -> str:
    """What Go says where Python says this."""
    text, message = error.doc, error.msg
    if message.startswith("Unterminated string"):
        return "unexpected end of JSON input"
    if message.startswith("Invalid control character"):
        return f"invalid character {_quoted(text[error.pos])} in string literal"
    if message.startswith("Invalid \\"):
        return f"invalid character {_quoted(text[error.pos + 1 : error.pos + 2] or ' ')} in string escape code"
    skipped = error.pos + (message.startswith("Illegal trailing comma"))
    rest = text[skipped:].lstrip(" \t\r\n")
    if not rest:
        return "unexpected end of JSON input"
    if message == "Expecting value" and rest[0] in _LITERALS:
        return _literal_error(rest)
    return f"invalid character {_quoted(rest[0])} {_where(message, text[:skipped])}"


def _where(message: str, before: str) -> str:
    """What Go was looking for."""
    if message.startswith("Expecting property name") or message.endswith("before end of object"):
        return "looking for beginning of object key string"
    if message.startswith("Expecting ':'"):
        return "after object key"
    if message.startswith("Expecting ','"):
        return "after object key:value pair" if _in_object(before) else "after array element"
    return "after top-level value" if message == "Extra data" else "looking for beginning of value"


def _in_object(before: str) -> bool:
    """Whether the innermost bracket that is open is that of an object."""
    open_ones, in_string, skip = [], False, False
    for character in before:
        if skip:
            skip = False
        elif in_string:
            skip, in_string = character == "\\", character != '"'
        elif character == '"':
            in_string = True
        elif character in "{[":
            open_ones.append(character)
        elif character in "}]" and open_ones:
            open_ones.pop()
    return open_ones[-1:] == ["{"]


def _literal_error(rest: str) -> str:
    literal = _LITERALS[rest[0]]
    for place, wanted in enumerate(literal):
        if place >= len(rest):
            return "unexpected end of JSON input"
        if rest[place] != wanted:
            return f"invalid character {_quoted(rest[place])} in literal {literal} (expecting '{wanted}')"
    return "unexpected end of JSON input"


def _quoted(character: str) -> str:
    """A character between quotes, as Go shows the first byte of it."""
    known = {"'": "'\\''", '"': "'\"'", "\n": "'\\n'", "\t": "'\\t'", "\r": "'\\r'", "\\": "'\\\\'"}
    byte = character.encode("utf-8", "replace")[0]
    return known.get(character) or (f"'{chr(byte)}'" if byte >= 32 and byte != 127 else f"'\\x{byte:02x}'")
