"""What single flags accept, beyond the kind of their value, and flags that the help does not show any more."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from labkit.engine.process import Process

from .errors import ValueInvalid
from .flags import Flag, Validator
from .mountflags import parse_mount, resolve_in

_RENAMED_TIME = (Flag("time", "", "int", deprecated="use --timeout instead"),)
# docker/cli's hidden and deprecated flags, by command.
DEPRECATED: dict[str, tuple[Flag, ...]] = {
    "stop": _RENAMED_TIME,
    "restart": _RENAMED_TIME,
    "run": (
        Flag("net", "", "network"),
        Flag("net-alias", "", "list"),
        Flag("dns-opt", "", "list"),
        Flag("disable-content-trust"),
    ),
    "create": (
        Flag("net", "", "network"),
        Flag("net-alias", "", "list"),
        Flag("dns-opt", "", "list"),
        Flag("disable-content-trust"),
    ),
    "commit": (
        Flag("pause", "p", deprecated="and enabled by default. Use --no-pause to disable pausing during commit."),
    ),
    "builder prune": (
        Flag("keep-storage", "", "bytes", deprecated="keep-storage flag has been changed to reserved-space"),
    ),
}


def _environment(process: Process) -> Validator:
    """opts/env.go: a name alone takes the client's value where it has one."""

    def check(text: str) -> str:
        name, equals, _ = text.partition("=")
        if not name:
            raise ValueInvalid(f"invalid environment variable: {text}")
        return text if equals or name not in process.env else f"{name}={process.env[name]}"

    return check


def _label(text: str) -> str:
    """opts/opts.go ValidateLabel."""
    name = text.partition("=")[0].lstrip(" \t")
    if not name:
        raise ValueInvalid(f"invalid label '{text}': empty name")
    if re.search(r"[ \t]", name):
        raise ValueInvalid(f"label '{name}' contains whitespaces")
    return text


def _attach(text: str) -> str:
    """cli/command/container/opts.go validateAttach."""
    if text.lower() not in ("stdin", "stdout", "stderr"):
        raise ValueInvalid("valid streams are STDIN, STDOUT and STDERR")
    return text.lower()


def _extra_host(text: str) -> str:
    """opts/hosts.go ValidateExtraHost."""
    name, sign, address = re.match(r"([^:=]*)([:=]?)(.*)", text, re.DOTALL).groups()  # type: ignore[union-attr]
    if not sign or not name:
        raise ValueInvalid(f'bad format for add-host: "{text}"')
    if address != "host-gateway" and not _is_ip(address.strip("[]")):
        raise ValueInvalid(f'invalid IP address in add-host: "{address}"')
    return f"{name}:{address}"


def _is_ip(text: str) -> bool:
    import ipaddress

    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _ip(text: str) -> str:
    """opts/opts.go ValidateIPAddress."""
    if not _is_ip(text.strip()):
        raise ValueInvalid(f"IP address is not correctly formatted: {text}")
    return text.strip()


def _ip_value(text: str) -> str:
    """pflag's type ip."""
    if not _is_ip(text.strip()):
        raise ValueInvalid(f"invalid string being converted to IP address: {text}")
    return text.strip()


def _link(text: str) -> str:
    """opts/opts.go ParseLink."""
    if not text:
        raise ValueInvalid("empty string specified for links")
    if text.count(":") > 1:
        raise ValueInvalid(f"bad format for links: {text}")
    return text


_SYSCTLS = ["msgmax", "msgmnb", "msgmni", "sem", "shmall", "shmmax", "shmmni", "shm_rmid_forced"]


def _sysctl(text: str) -> str:
    """opts/opts.go ValidateSysctl."""
    name, equals, _ = text.partition("=")
    known = name.startswith(("net.", "fs.mqueue.")) or name.removeprefix("kernel.") in _SYSCTLS
    if not equals or not known:
        raise ValueInvalid(f"sysctl '{text}' is not allowed")
    return text


_CONTAINER: dict[str, Validator] = {
    "label": _label,
    "attach": _attach,
    "add-host": _extra_host,
    "dns": _ip,
    "link": _link,
    "sysctl": _sysctl,
    "ip": _ip_value,
    "ip6": _ip_value,
}


def validators_for(command: str, process: Process) -> dict[str, Callable[[Any], Any]]:
    """The checks of one command's flags."""
    if command in ("run", "create"):
        resolve = resolve_in(process.files.cwd)
        return _CONTAINER | {"env": _environment(process), "mount": lambda text: parse_mount(text, resolve)}
    if command == "exec":
        return {"env": _environment(process)}
    return {"label": _label} if command == "volume create" else {}
