"""The instructions of a Dockerfile, as types, and RUN --mount=…: what is mounted for one process.

Rules and messages: moby/buildkit frontend/dockerfile/instructions, commands.go and commands_runmount.go.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from labkit.engine.dockerfile.diagnostics import Lines, did_you_mean
from labkit.engine.dockerfile.lines import Heredoc
from labkit.kernel.golang import quote

Written = tuple[str, str, Lines]  # an Instruction's fields


@dataclass(frozen=True)
class Instruction:
    """What all instructions have: the keyword as written, the whole line, its place."""

    keyword: str
    code: str
    place: Lines


@dataclass(frozen=True)
class NameValue:
    name: str
    value: str | None
    legacy: bool = False  # written with a blank instead of =


@dataclass(frozen=True)
class PairsInstruction(Instruction):
    pairs: tuple[NameValue, ...]


class EnvInstruction(PairsInstruction):
    pass


class LabelInstruction(PairsInstruction):
    pass


class ArgInstruction(PairsInstruction):
    pass


@dataclass(frozen=True)
class CommandInstruction(Instruction):
    """RUN, CMD and ENTRYPOINT: words, for a shell or not."""

    words: tuple[str, ...]
    shell: bool
    heredocs: tuple[Heredoc, ...] = ()


@dataclass(frozen=True)
class RunInstruction(CommandInstruction):
    mounts: tuple[str, ...] = ()
    network: str = ""


@dataclass(frozen=True)
class CmdInstruction(CommandInstruction):
    pass


@dataclass(frozen=True)
class EntrypointInstruction(CommandInstruction):
    pass


@dataclass(frozen=True)
class CopyInstruction(Instruction):
    """COPY, and ADD where `add` is set."""

    sources: tuple[str, ...]
    inline: tuple[Heredoc, ...]
    target: str
    add: bool = False
    from_: str = ""
    chown: str = ""
    chmod: str = ""
    parents: bool = False
    exclude: tuple[str, ...] = ()
    checksum: str = ""
    unpack: bool | None = None


@dataclass(frozen=True)
class WorkdirInstruction(Instruction):
    path: str


@dataclass(frozen=True)
class UserInstruction(Instruction):
    user: str


@dataclass(frozen=True)
class ExposeInstruction(Instruction):
    ports: tuple[str, ...]


@dataclass(frozen=True)
class VolumeInstruction(Instruction):
    paths: tuple[str, ...]


@dataclass(frozen=True)
class StopSignalInstruction(Instruction):
    signal: str


@dataclass(frozen=True)
class ShellInstruction(Instruction):
    words: tuple[str, ...]


@dataclass(frozen=True)
class HealthcheckInstruction(Instruction):
    test: tuple[str, ...]
    interval: int = 0  # this and the others: nanoseconds
    timeout: int = 0
    start_period: int = 0
    start_interval: int = 0
    retries: int = 0


@dataclass(frozen=True)
class OnbuildInstruction(Instruction):
    expression: str


@dataclass(frozen=True)
class MaintainerInstruction(Instruction):
    name: str


@dataclass(frozen=True)
class FromInstruction(Instruction):
    base: str
    name: str  # of the stage, "" where it has none
    platform: str = ""


@dataclass
class Stage:
    head: FromInstruction
    instructions: list[Instruction] = field(default_factory=list)


@dataclass(frozen=True)
class RunMount:
    """One --mount of a RUN."""

    type: str = "bind"
    from_: str = ""
    source: str = ""
    target: str = ""
    readonly: bool | None = None  # as it is written; what parse_mount gives has True or False
    required: bool = False
    id: str = ""
    sharing: str = ""
    size: int = 0
    mode: int | None = None
    uid: int | None = None
    gid: int | None = None


_MOUNT_TYPES = ("bind", "cache", "tmpfs", "secret", "ssh")
_SHARING = ("shared", "private", "locked")
_MOUNT_KEYS = (
    "type", "from", "source", "target", "readonly", "id", "sharing", "required", "mode", "uid", "gid", "src", "dst",
    "ro", "rw", "readwrite",
)  # fmt: skip

_SAME_KEY = {"src": "source", "dst": "target", "destination": "target", "ro": "readonly", "rw": "readwrite"}
_FLAGS = ("readonly", "readwrite", "required")
_BOOLS = {"1": True, "t": True, "true": True, "0": False, "f": False, "false": False}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgtp]?)i?b?", re.I)


def parse_mount(text: str, expand: Callable[[str], str] | None) -> RunMount:
    """A mount. Without `expand` only what needs no variables is checked. Raises ValueError."""
    mount = RunMount()
    for part in next(csv.reader([text]), []):
        key, equals, value = part.partition("=")
        key = key.lower()
        if expand is None:
            if key == "from" and re.search(r"\$.", value):
                raise ValueError(f"'{key}' doesn't support variable expansion, define alias stage instead")
            if not (equals and key == "from"):
                continue
        else:
            value = expand(value)
        mount = _with_key(mount, key, value if equals else None, part)
    return _checked(mount)


def _with_key(mount: RunMount, key: str, value: str | None, part: str) -> RunMount:
    name = _SAME_KEY.get(key, key)
    if value is None and name not in _FLAGS:
        raise ValueError(f"invalid field '{part}' must be a key=value pair")
    if (name == "required" and mount.type not in ("secret", "ssh")) or (name == "size" and mount.type != "tmpfs"):
        raise ValueError(f"unexpected key '{key}' for mount type '{mount.type}'")
    if name in _FLAGS:
        flag = _truth(key, "true" if value is None else value)
        return (
            replace(mount, required=flag)
            if name == "required"
            else replace(mount, readonly=flag ^ (name != "readonly"))
        )
    if name not in _READ:
        raise ValueError(did_you_mean(f"unexpected key '{key}' in '{part}'", key, _MOUNT_KEYS))
    return _READ[name](mount, key, value or "")


def _truth(key: str, value: str) -> bool:
    flag = _BOOLS.get(value if value.islower() or value.isdigit() else value.lower())
    if flag is None:
        raise ValueError(f"invalid value for {key}: {value}")
    return flag


def _number(name: str, value: str, base: int = 10) -> int:
    try:
        return int(value, base)
    except ValueError:
        raise ValueError(f"invalid value {value} for {name}") from None


def _one_of(what: str, options: tuple[str, ...], value: str) -> str:
    if value.lower() not in options:
        raise ValueError(did_you_mean(f"unsupported {what} {quote(value)}", value, options))
    return value.lower()


def _size(key: str, value: str) -> int:
    match = _SIZE.fullmatch(value)
    if not match:
        raise ValueError(f"invalid value for {key}: {value}")
    return int(float(match[1]) * 1024 ** " kmgtp".index(match[2].lower() or " "))


_READ: dict[str, Callable[[RunMount, str, str], RunMount]] = {
    "type": lambda mount, key, value: replace(mount, type=_one_of("mount type", _MOUNT_TYPES, value)),
    "from": lambda mount, key, value: replace(mount, from_=value),
    "source": lambda mount, key, value: replace(mount, source=value),
    "target": lambda mount, key, value: replace(mount, target=value),
    "size": lambda mount, key, value: replace(mount, size=_size(key, value)),
    "id": lambda mount, key, value: replace(mount, id=value),
    "sharing": lambda mount, key, value: replace(mount, sharing=_one_of("sharing value", _SHARING, value)),
    "mode": lambda mount, key, value: replace(mount, mode=_number("mode", value, 8)),
    "uid": lambda mount, key, value: replace(mount, uid=_number("uid", value)),
    "gid": lambda mount, key, value: replace(mount, gid=_number("gid", value)),
}


def _checked(mount: RunMount) -> RunMount:
    for name, value in (("mode", mount.mode), ("uid", mount.uid), ("gid", mount.gid)):
        if value is not None and mount.type not in ("secret", "ssh", "cache"):
            raise ValueError(f"{name} not allowed for {quote(mount.type)} type mounts")
    if mount.readonly is None:
        mount = replace(mount, readonly=mount.type not in ("cache", "tmpfs"))
    if mount.type == "secret":
        _check_secret(mount)
    if mount.sharing and mount.type != "cache":
        raise ValueError(f"invalid cache sharing set for {mount.type} mount")
    return mount


def _check_secret(mount: RunMount) -> None:
    if mount.from_:
        raise ValueError("secret mount should not have a from")
    if mount.sharing:
        raise ValueError("secret mount should not define sharing")
    if not (mount.source or mount.target or mount.id):
        raise ValueError("invalid secret mount. one of source, target required")
    if mount.source and mount.id:
        raise ValueError("both source and id can't be set")
