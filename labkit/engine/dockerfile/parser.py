"""The instructions of a Dockerfile, checked: their words, flags and stages.

The rules and messages are those of moby/buildkit frontend/dockerfile/instructions.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from labkit.engine.dockerfile.errors import DockerfileError, Lines
from labkit.engine.dockerfile.expand import go_quote
from labkit.engine.dockerfile.lines import KEYWORDS, Heredoc, Node, parse_heredoc, read_dockerfile
from labkit.engine.dockerfile.lint import Linter
from labkit.engine.dockerfile.suggest import did_you_mean

_STAGE_NAME = re.compile(r"[a-z][a-z0-9\-_.]*")


@dataclass(frozen=True)
class Instruction:
    """What all instructions have: the keyword as written, the whole line, its place."""

    keyword: str
    code: str
    place: Lines


@dataclass(frozen=True)
class Pair:
    name: str
    value: str | None
    legacy: bool = False  # written with a blank instead of =

    def __str__(self) -> str:
        return f"{self.name}={self.value}"


@dataclass(frozen=True)
class Env(Instruction):
    pairs: tuple[Pair, ...]


@dataclass(frozen=True)
class Label(Instruction):
    pairs: tuple[Pair, ...]


@dataclass(frozen=True)
class Arg(Instruction):
    pairs: tuple[Pair, ...]


@dataclass(frozen=True)
class Command(Instruction):
    """RUN, CMD and ENTRYPOINT: words, for a shell or not."""

    words: tuple[str, ...]
    shell: bool
    heredocs: tuple[Heredoc, ...] = ()


@dataclass(frozen=True)
class Run(Command):
    mounts: tuple[str, ...] = ()
    network: str = ""
    security: str = ""


@dataclass(frozen=True)
class Cmd(Command):
    pass


@dataclass(frozen=True)
class Entrypoint(Command):
    pass


@dataclass(frozen=True)
class Copy(Instruction):
    """COPY, and ADD where `add` is set."""

    sources: tuple[str, ...]
    inline: tuple[Heredoc, ...]
    target: str
    add: bool = False
    from_: str = ""
    chown: str = ""
    chmod: str = ""
    link: bool = False
    parents: bool = False
    exclude: tuple[str, ...] = ()
    checksum: str = ""
    unpack: bool | None = None


@dataclass(frozen=True)
class Workdir(Instruction):
    path: str


@dataclass(frozen=True)
class User(Instruction):
    user: str


@dataclass(frozen=True)
class Expose(Instruction):
    ports: tuple[str, ...]


@dataclass(frozen=True)
class Volume(Instruction):
    paths: tuple[str, ...]


@dataclass(frozen=True)
class StopSignal(Instruction):
    signal: str


@dataclass(frozen=True)
class Shell(Instruction):
    words: tuple[str, ...]


@dataclass(frozen=True)
class Healthcheck(Instruction):
    test: tuple[str, ...]
    interval: int = 0  # this and the others: nanoseconds
    timeout: int = 0
    start_period: int = 0
    start_interval: int = 0
    retries: int = 0


@dataclass(frozen=True)
class Onbuild(Instruction):
    expression: str


@dataclass(frozen=True)
class Maintainer(Instruction):
    name: str


@dataclass(frozen=True)
class From(Instruction):
    base: str
    name: str  # of the stage, "" where it has none
    platform: str = ""


@dataclass
class Stage:
    head: From
    instructions: list[Instruction] = field(default_factory=list)


def parse_stages(nodes: list[Node], lint: Linter) -> tuple[list[Stage], list[Arg]]:
    """The stages, and the ARGs before the first of them. Raises DockerfileError."""
    stages: list[Stage] = []
    before: list[Arg] = []
    for node in nodes:
        try:
            instruction = parse_instruction(node, lint)
        except ValueError as error:
            raise DockerfileError(f"dockerfile parse error on line {node.place.start}: {error}", node.place) from None
        if isinstance(instruction, From):
            stages.append(Stage(instruction))
        elif stages:
            stages[-1].instructions.append(instruction)
        elif isinstance(instruction, Arg):
            before.append(instruction)
        else:
            raise DockerfileError("no build stage in current context", node.place)
    if not stages:
        raise DockerfileError("dockerfile contains no stages to build")
    return stages, before


def parse_trigger(text: str, place: Lines) -> Instruction:
    """An ONBUILD's instruction, told to be at `place`. Raises ValueError."""
    nodes = read_dockerfile(text).nodes
    if len(nodes) != 1:
        raise ValueError("onbuild trigger should be a single expression")
    return parse_instruction(replace(nodes[0], place=place), Linter(skip_all=True))


def parse_instruction(node: Node, lint: Linter) -> Instruction:
    """One instruction. Raises ValueError."""
    parse = _PARSERS.get(node.keyword.lower())
    if not parse:
        names = sorted(name.upper() for name in KEYWORDS)
        message = f"unknown instruction: {node.keyword}"
        raise ValueError(did_you_mean(message, node.keyword, names, case_sensitive=False))
    _lint(node, lint)
    return parse(node, (node.keyword, node.original.strip(), node.place))


def _lint(node: Node, lint: Linter) -> None:
    keyword = node.keyword.lower()
    if keyword == "maintainer":
        lint.warn("MaintainerDeprecated", node.place)
    if keyword == "from" and len(node.arguments) == 3:
        _, as_, name = node.arguments
        if name != name.lower():
            lint.warn("StageNameCasing", node.place, name)
        wanted = as_.lower() if node.keyword == keyword else as_.upper()
        if as_.lower() == "as" and as_ != wanted:
            lint.warn("FromAsCasing", node.place, as_, node.keyword)


# flags

_BOOL, _TEXT, _TEXTS = "bool", "text", "texts"


def parse_flags(node: Node, allowed: Mapping[str, str]) -> dict[str, str | list[str]]:
    """The flags of an instruction by name; `allowed` tells each one's kind. Raises ValueError."""
    found: dict[str, str | list[str]] = {}
    for flag in node.flags:
        name, equals, value = flag.removeprefix("--").partition("=")
        kind = allowed.get(name)
        if kind is None:
            raise ValueError(did_you_mean(f"unknown flag: --{name}", name, allowed))
        if name in found and kind != _TEXTS:
            raise ValueError(f"duplicate flag specified: {name}")
        if (kind == _BOOL and equals and not value) or (kind != _BOOL and not equals):
            raise ValueError(f"missing a value on flag: {name}")
        if kind == _BOOL and value.lower() not in ("", "true", "false"):
            raise ValueError(f"expecting boolean value for flag {name}, not: {value}")
        if kind == _TEXTS:
            found.setdefault(name, []).append(value)  # type: ignore[union-attr]
        else:
            found[name] = (value.lower() or "true") if kind == _BOOL else value
    return found


def _no_flags(node: Node) -> None:
    parse_flags(node, {})


def _at_least_one(node: Node) -> None:
    if not node.arguments:
        raise ValueError(f"{node.keyword.upper()} requires at least one argument")


def _exactly_one(node: Node) -> str:
    if len(node.arguments) != 1:
        raise ValueError(f"{node.keyword.upper()} requires exactly one argument")
    return node.arguments[0]


# one function an instruction

Common = tuple[str, str, Lines]


def _pairs(node: Node) -> tuple[Pair, ...]:
    _no_flags(node)
    _at_least_one(node)
    words = node.arguments
    if "" in words[::3]:
        raise ValueError(f"{node.keyword.upper()} names can not be blank")
    return tuple(
        Pair(name, value, legacy=not sign)
        for name, value, sign in zip(words[::3], words[1::3], words[2::3], strict=True)
    )


def _arg(node: Node, common: Common) -> Arg:
    _at_least_one(node)
    pairs = []
    for word in node.arguments:
        name, equals, value = word.partition("=")
        if equals and not name:
            raise ValueError("ARG names can not be blank")
        pairs.append(Pair(name, value if equals else None))
    return Arg(*common, tuple(pairs))


def _from(node: Node, common: Common) -> From:
    words = node.arguments
    name = ""
    if len(words) == 3 and words[1].lower() == "as":
        name = words[2].lower()
        if not _STAGE_NAME.fullmatch(name):
            raise ValueError(
                f"invalid name for build stage: {go_quote(words[2])}, name can't start with a number or contain symbols"
            )
    elif len(words) != 1:
        raise ValueError("FROM requires either one or three arguments")
    flags = parse_flags(node, {"platform": _TEXT})
    return From(*common, words[0], name, str(flags.get("platform", "")))


_COPY_FLAGS = {
    "chown": _TEXT,
    "from": _TEXT,
    "chmod": _TEXT,
    "link": _BOOL,
    "parents": _BOOL,
    "exclude": _TEXTS,
}
_ADD_FLAGS = {
    "chown": _TEXT,
    "chmod": _TEXT,
    "link": _BOOL,
    "keep-git-dir": _BOOL,
    "checksum": _TEXT,
    "unpack": _BOOL,
    "exclude": _TEXTS,
}


def _copy(node: Node, common: Common) -> Copy:
    add = node.keyword.lower() == "add"
    name = "ADD" if add else "COPY"
    if len(node.arguments) < 2:
        raise ValueError(
            f"{name} requires at least two arguments, but only one was provided. Destination could not be determined"
        )
    flags = parse_flags(node, _ADD_FLAGS if add else _COPY_FLAGS)
    *sources, target = node.arguments
    if parse_heredoc(target):
        raise ValueError(f"{name} cannot accept a heredoc as a destination")
    documents = {heredoc.name: heredoc for heredoc in node.heredocs}
    announced = {word: heredoc for word in sources if (heredoc := parse_heredoc(word))}
    return Copy(
        *common,
        sources=tuple(word for word in sources if word not in announced),
        inline=tuple(documents[heredoc.name] for heredoc in announced.values() if heredoc.name in documents),
        target=target,
        add=add,
        from_=str(flags.get("from", "")),
        chown=str(flags.get("chown", "")),
        chmod=str(flags.get("chmod", "")),
        link=flags.get("link") == "true",
        parents=flags.get("parents") == "true",
        exclude=tuple(flags.get("exclude", ())),
        checksum=str(flags.get("checksum", "")),
        unpack=flags["unpack"] == "true" if "unpack" in flags else None,
    )


def _run(node: Node, common: Common) -> Run:
    flags = parse_flags(node, {"device": _TEXTS, "mount": _TEXTS, "network": _TEXT, "security": _TEXT})
    mounts = tuple(flags.get("mount", ()))
    for mount in mounts:
        parse_mount(mount, None)
    network = str(flags.get("network", "default"))
    if network not in ("default", "none", "host"):
        message = f"unsupported network mode {go_quote(network)}"
        raise ValueError(did_you_mean(message, network, ("default", "none", "host")))
    security = str(flags.get("security", "sandbox"))
    if security not in ("sandbox", "insecure"):
        message = f"security {go_quote(security)} is not valid"
        raise ValueError(did_you_mean(message, security, ("sandbox", "insecure")))
    words, shell = _words(node)
    return Run(*common, words, shell, tuple(node.heredocs), mounts, network, security)


def _words(node: Node) -> tuple[tuple[str, ...], bool]:
    return tuple(node.arguments), not node.is_json


def _command(kind: type[Command]) -> Callable[[Node, Common], Instruction]:
    def parse(node: Node, common: Common) -> Instruction:
        _no_flags(node)
        return kind(*common, *_words(node))

    return parse


def _workdir(node: Node, common: Common) -> Workdir:
    path = _exactly_one(node)
    _no_flags(node)
    return Workdir(*common, path)


def _user(node: Node, common: Common) -> User:
    user = _exactly_one(node)
    _no_flags(node)
    return User(*common, user)


def _expose(node: Node, common: Common) -> Expose:
    _at_least_one(node)
    _no_flags(node)
    return Expose(*common, tuple(sorted(node.arguments)))


def _volume(node: Node, common: Common) -> Volume:
    _at_least_one(node)
    _no_flags(node)
    paths = tuple(path.strip() for path in node.arguments)
    if "" in paths:
        raise ValueError("VOLUME specified can not be an empty string")
    return Volume(*common, paths)


def _stop_signal(node: Node, common: Common) -> StopSignal:
    return StopSignal(*common, _exactly_one(node))


def _shell(node: Node, common: Common) -> Shell:
    _no_flags(node)
    _at_least_one(node)
    if not node.is_json:
        raise ValueError("SHELL requires the arguments to be in JSON form")
    return Shell(*common, tuple(node.arguments))


def _onbuild(node: Node, common: Common) -> Onbuild:
    if node.child is None:
        raise ValueError("ONBUILD requires at least one argument")
    _no_flags(node)
    trigger = node.child.keyword.upper()
    if trigger == "ONBUILD":
        raise ValueError("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed")
    if trigger in ("MAINTAINER", "FROM"):
        raise ValueError(f"{trigger} isn't allowed as an ONBUILD trigger")
    expression = re.sub(r"(?i)^\s*ONBUILD\s*", "", node.original)
    for heredoc in node.heredocs:
        expression += f"\n{heredoc.content}{heredoc.name}"
    return Onbuild(*common, expression)


def _maintainer(node: Node, common: Common) -> Maintainer:
    name = _exactly_one(node)
    _no_flags(node)
    return Maintainer(*common, name)


_HEALTH_TIMES = ("interval", "timeout", "start-period", "start-interval")
_MILLISECOND = 1_000_000  # nanoseconds


def health_config(health: Healthcheck) -> dict[str, Any]:
    """As an image's configuration has it: what is not set is not in it."""
    times = (health.interval, health.timeout, health.start_period, health.start_interval)
    names = ("Interval", "Timeout", "StartPeriod", "StartInterval")
    check: dict[str, Any] = {"Test": list(health.test)}
    check |= {name: time for name, time in zip(names, times, strict=True) if time}
    return check | ({"Retries": health.retries} if health.retries else {})


def _healthcheck(node: Node, common: Common) -> Healthcheck:
    _at_least_one(node)
    kind, *words = node.arguments
    kind = kind.upper()
    if kind == "NONE":
        if words:
            raise ValueError("HEALTHCHECK NONE takes no arguments")
        return Healthcheck(*common, ("NONE",))
    flags = parse_flags(node, dict.fromkeys((*_HEALTH_TIMES, "retries"), _TEXT))
    if kind != "CMD":
        raise ValueError(f"Unknown type {go_quote(kind)} in HEALTHCHECK (try CMD)")
    if not words:
        raise ValueError("Missing command after HEALTHCHECK CMD")
    interval, timeout, start_period, start_interval = (
        _interval(name, str(flags.get(name, ""))) for name in _HEALTH_TIMES
    )
    test = ("CMD" if node.is_json else "CMD-SHELL", *words)
    retries = _retries(str(flags.get("retries", "")))
    return Healthcheck(*common, test, interval, timeout, start_period, start_interval, retries)


def _interval(name: str, text: str) -> int:
    if not text:
        return 0
    time = duration(text)
    if time and time < _MILLISECOND:
        raise ValueError(f"Interval {go_quote(name)} cannot be less than 1ms")
    return time


def _retries(text: str) -> int:
    if not text:
        return 0
    if not re.fullmatch(r"[+-]?\d+", text):
        raise ValueError(f"strconv.ParseInt: parsing {go_quote(text)}: invalid syntax")
    if int(text) < 0:
        raise ValueError(f"--retries cannot be negative ({int(text)})")
    return int(text)


_UNITS = {"ns": 1, "us": 1000, "µs": 1000, "ms": 1_000_000, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
_DURATION = re.compile(r"[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|ms|s|m|h))+|[+-]?0")


def duration(text: str) -> int:
    """Nanoseconds of 1h2m3.5s. Raises ValueError as Go's time.ParseDuration."""
    if not _DURATION.fullmatch(text):
        if re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)", text):
            raise ValueError(f"time: missing unit in duration {go_quote(text)}")
        raise ValueError(f"time: invalid duration {go_quote(text)}")
    parts = re.findall(r"([\d.]+)(ns|us|µs|ms|s|m|h)", text)
    return sum(round(float(number) * _UNITS[unit]) for number, unit in parts) * (-1 if text[0] == "-" else 1)


_PARSERS: dict[str, Callable[[Node, Common], Instruction]] = {
    "add": _copy,
    "arg": _arg,
    "cmd": _command(Cmd),
    "copy": _copy,
    "entrypoint": _command(Entrypoint),
    "env": lambda node, common: Env(*common, _pairs(node)),
    "expose": _expose,
    "from": _from,
    "healthcheck": _healthcheck,
    "label": lambda node, common: Label(*common, _pairs(node)),
    "maintainer": _maintainer,
    "onbuild": _onbuild,
    "run": _run,
    "shell": _shell,
    "stopsignal": _stop_signal,
    "user": _user,
    "volume": _volume,
    "workdir": _workdir,
}


# RUN --mount


@dataclass(frozen=True)
class Mount:
    """One --mount of a RUN."""

    type: str = "bind"
    from_: str = ""
    source: str = ""
    target: str = ""
    readonly: bool = False
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
_BOOLS = {"1": True, "t": True, "true": True, "0": False, "f": False, "false": False}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgtp]?)i?b?", re.I)


def parse_mount(text: str, expand: Callable[[str], str] | None) -> Mount:
    """A mount. Without `expand` only what needs no variables is checked. Raises ValueError."""
    changes: dict[str, object] = {}
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
        _mount_key(changes, key, value if equals else None, part)
    return _checked_mount(changes)


def _mount_key(changes: dict[str, object], key: str, value: str | None, part: str) -> None:
    name = _SAME_KEY.get(key, key)
    kind = str(changes.get("type", "bind"))
    if value is None and name not in ("readonly", "readwrite", "required"):
        raise ValueError(f"invalid field '{part}' must be a key=value pair")
    if (name == "required" and kind not in ("secret", "ssh")) or (name == "size" and kind != "tmpfs"):
        raise ValueError(f"unexpected key '{key}' for mount type '{kind}'")
    value = "true" if value is None else value
    if name in ("readonly", "readwrite", "required"):
        flag = _BOOLS.get(value if value.islower() or value.isdigit() else value.lower())
        if flag is None:
            raise ValueError(f"invalid value for {key}: {value}")
        changes["required" if name == "required" else "readonly"] = flag ^ (name == "readwrite")
    elif name in ("mode", "uid", "gid"):
        changes[name] = _number(name, value)
    elif name in _MOUNT_VALUES:
        field_name, read = _MOUNT_VALUES[name]
        changes[field_name] = read(key, value)
    else:
        raise ValueError(did_you_mean(f"unexpected key '{key}' in '{part}'", key, _MOUNT_KEYS))


def _number(name: str, value: str) -> int:
    base = 8 if name == "mode" else 10
    try:
        return int(value, base)
    except ValueError:
        raise ValueError(f"invalid value {value} for {name}") from None


def _one_of(what: str, options: tuple[str, ...]) -> Callable[[str, str], str]:
    def read(key: str, value: str) -> str:
        if value.lower() not in options:
            raise ValueError(did_you_mean(f"unsupported {what} {go_quote(value)}", value, options))
        return value.lower()

    return read


def _size(key: str, value: str) -> int:
    match = _SIZE.fullmatch(value)
    if not match:
        raise ValueError(f"invalid value for {key}: {value}")
    return int(float(match[1]) * 1024 ** " kmgtp".index(match[2].lower() or " "))


_MOUNT_VALUES: dict[str, tuple[str, Callable[[str, str], object]]] = {
    "type": ("type", _one_of("mount type", _MOUNT_TYPES)),
    "from": ("from_", lambda key, value: value),
    "source": ("source", lambda key, value: value),
    "target": ("target", lambda key, value: value),
    "size": ("size", _size),
    "id": ("id", lambda key, value: value),
    "sharing": ("sharing", _one_of("sharing value", _SHARING)),
}


def _checked_mount(changes: dict[str, object]) -> Mount:
    kind = str(changes.get("type", "bind"))
    for name in ("mode", "uid", "gid"):
        if name in changes and kind not in ("secret", "ssh", "cache"):
            raise ValueError(f"{name} not allowed for {go_quote(kind)} type mounts")
    changes.setdefault("readonly", kind not in ("cache", "tmpfs"))
    mount = Mount(**changes)  # type: ignore[arg-type]
    if kind == "secret":
        _check_secret(mount)
    if mount.sharing and kind != "cache":
        raise ValueError(f"invalid cache sharing set for {kind} mount")
    return mount


def _check_secret(mount: Mount) -> None:
    if mount.from_:
        raise ValueError("secret mount should not have a from")
    if mount.sharing:
        raise ValueError("secret mount should not define sharing")
    if not (mount.source or mount.target or mount.id):
        raise ValueError("invalid secret mount. one of source, target required")
    if mount.source and mount.id:
        raise ValueError("both source and id can't be set")
