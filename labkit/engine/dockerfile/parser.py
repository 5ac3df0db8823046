"""The instructions of a Dockerfile, checked: their words, flags and stages.

The rules and messages are those of moby/buildkit frontend/dockerfile/instructions.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from labkit.engine.dockerfile.diagnostics import DockerfileError, Lines, Linter, did_you_mean
from labkit.engine.dockerfile.instructions import (
    ArgInstruction,
    CmdInstruction,
    CommandInstruction,
    CopyInstruction,
    EntrypointInstruction,
    EnvInstruction,
    ExposeInstruction,
    FromInstruction,
    HealthcheckInstruction,
    Instruction,
    LabelInstruction,
    MaintainerInstruction,
    NameValue,
    OnbuildInstruction,
    RunInstruction,
    ShellInstruction,
    Stage,
    StopSignalInstruction,
    UserInstruction,
    VolumeInstruction,
    WorkdirInstruction,
    Written,
    parse_mount,
)
from labkit.engine.dockerfile.lines import (
    BOOL,
    KEYWORDS,
    TEXT,
    TEXTS,
    ParsedLine,
    at_least_one,
    exactly_one,
    last,
    no_flags,
    parse_flags,
    parse_heredoc,
    read_dockerfile,
)
from labkit.kernel.golang import JsonObject, duration, quote

_HEALTH_TIMES = ("interval", "timeout", "start-period", "start-interval")
_MILLISECOND = 1_000_000  # nanoseconds


def health_config(health: HealthcheckInstruction) -> JsonObject:
    """As an image's configuration has it: what is not set is not in it."""
    times = (health.interval, health.timeout, health.start_period, health.start_interval)
    names = ("Interval", "Timeout", "StartPeriod", "StartInterval")
    check: JsonObject = {"Test": list(health.test)}
    check |= {name: time for name, time in zip(names, times, strict=True) if time}
    return check | ({"Retries": health.retries} if health.retries else {})


def parse_healthcheck(node: ParsedLine, common: Written) -> HealthcheckInstruction:
    at_least_one(node)
    kind, *words = node.arguments
    kind = kind.upper()
    if kind == "NONE":
        if words:
            raise ValueError("HEALTHCHECK NONE takes no arguments")
        return HealthcheckInstruction(*common, ("NONE",))
    flags = parse_flags(node, dict.fromkeys((*_HEALTH_TIMES, "retries"), TEXT))
    if kind != "CMD":
        raise ValueError(f"Unknown type {quote(kind)} in HEALTHCHECK (try CMD)")
    if not words:
        raise ValueError("Missing command after HEALTHCHECK CMD")
    interval, timeout, start_period, start_interval = (_interval(name, last(flags, name)) for name in _HEALTH_TIMES)
    test = ("CMD" if node.is_json else "CMD-SHELL", *words)
    retries = _retries(last(flags, "retries"))
    return HealthcheckInstruction(*common, test, interval, timeout, start_period, start_interval, retries)


def _interval(name: str, text: str) -> int:
    if not text:
        return 0
    time = duration(text)
    if time and time < _MILLISECOND:
        raise ValueError(f"Interval {quote(name)} cannot be less than 1ms")
    return time


def _retries(text: str) -> int:
    if not text:
        return 0
    if not re.fullmatch(r"[+-]?\d+", text):
        raise ValueError(f"strconv.ParseInt: parsing {quote(text)}: invalid syntax")
    if int(text) < 0:
        raise ValueError(f"--retries cannot be negative ({int(text)})")
    return int(text)


_STAGE_NAME = re.compile(r"[a-z][a-z0-9\-_.]*")


def parse_stages(nodes: list[ParsedLine], lint: Linter) -> tuple[list[Stage], list[ArgInstruction]]:
    """The stages, and the ARGs before the first of them. Raises DockerfileError."""
    stages: list[Stage] = []
    before: list[ArgInstruction] = []
    for node in nodes:
        try:
            instruction = parse_instruction(node, lint)
        except ValueError as error:
            raise DockerfileError(f"dockerfile parse error on line {node.place.start}: {error}", node.place) from None
        if isinstance(instruction, FromInstruction):
            stages.append(Stage(instruction))
        elif stages:
            stages[-1].instructions.append(instruction)
        elif isinstance(instruction, ArgInstruction):
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


def parse_instruction(node: ParsedLine, lint: Linter) -> Instruction:
    """One instruction. Raises ValueError."""
    parse = _PARSERS.get(node.keyword.lower())
    if not parse:
        names = sorted(name.upper() for name in KEYWORDS)
        message = f"unknown instruction: {node.keyword}"
        raise ValueError(did_you_mean(message, node.keyword, names, case_sensitive=False))
    _lint(node, lint)
    return parse(node, (node.keyword, node.original.strip(), node.place))


def _lint(node: ParsedLine, lint: Linter) -> None:
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


# one function an instruction


def _pairs(node: ParsedLine) -> tuple[NameValue, ...]:
    no_flags(node)
    at_least_one(node)
    words = node.arguments
    if "" in words[::3]:
        raise ValueError(f"{node.keyword.upper()} names can not be blank")
    return tuple(
        NameValue(name, value, legacy=not sign)
        for name, value, sign in zip(words[::3], words[1::3], words[2::3], strict=True)
    )


def _arg(node: ParsedLine, common: Written) -> ArgInstruction:
    at_least_one(node)
    pairs = []
    for word in node.arguments:
        name, equals, value = word.partition("=")
        if equals and not name:
            raise ValueError("ARG names can not be blank")
        pairs.append(NameValue(name, value if equals else None))
    return ArgInstruction(*common, tuple(pairs))


def _from(node: ParsedLine, common: Written) -> FromInstruction:
    words = node.arguments
    name = ""
    if len(words) == 3 and words[1].lower() == "as":
        name = words[2].lower()
        if not _STAGE_NAME.fullmatch(name):
            raise ValueError(
                f"invalid name for build stage: {quote(words[2])}, name can't start with a number or contain symbols"
            )
    elif len(words) != 1:
        raise ValueError("FROM requires either one or three arguments")
    flags = parse_flags(node, {"platform": TEXT})
    return FromInstruction(*common, words[0], name, last(flags, "platform"))


_COPY_FLAGS = {
    "chown": TEXT,
    "from": TEXT,
    "chmod": TEXT,
    "link": BOOL,
    "parents": BOOL,
    "exclude": TEXTS,
}
_ADD_FLAGS = {
    "chown": TEXT,
    "chmod": TEXT,
    "link": BOOL,
    "keep-git-dir": BOOL,
    "checksum": TEXT,
    "unpack": BOOL,
    "exclude": TEXTS,
}


def _copy(node: ParsedLine, common: Written) -> CopyInstruction:
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
    return CopyInstruction(
        *common,
        sources=tuple(word for word in sources if word not in announced),
        inline=tuple(documents[heredoc.name] for heredoc in announced.values() if heredoc.name in documents),
        target=target,
        add=add,
        from_=last(flags, "from"),
        chown=last(flags, "chown"),
        chmod=last(flags, "chmod"),
        parents=last(flags, "parents") == "true",
        exclude=tuple(flags.get("exclude", ())),
        checksum=last(flags, "checksum"),
        unpack=last(flags, "unpack") == "true" if "unpack" in flags else None,
    )


def _run(node: ParsedLine, common: Written) -> RunInstruction:
    flags = parse_flags(node, {"device": TEXTS, "mount": TEXTS, "network": TEXT, "security": TEXT})
    mounts = tuple(flags.get("mount", ()))
    for mount in mounts:
        parse_mount(mount, None)
    network = last(flags, "network", "default")
    if network not in ("default", "none", "host"):
        message = f"unsupported network mode {quote(network)}"
        raise ValueError(did_you_mean(message, network, ("default", "none", "host")))
    security = last(flags, "security", "sandbox")
    if security not in ("sandbox", "insecure"):
        message = f"security {quote(security)} is not valid"
        raise ValueError(did_you_mean(message, security, ("sandbox", "insecure")))
    words, shell = _words(node)
    return RunInstruction(*common, words, shell, tuple(node.heredocs), mounts, network)


def _words(node: ParsedLine) -> tuple[tuple[str, ...], bool]:
    return tuple(node.arguments), not node.is_json


def _command(kind: type[CommandInstruction]) -> Callable[[ParsedLine, Written], Instruction]:
    def parse(node: ParsedLine, common: Written) -> Instruction:
        no_flags(node)
        return kind(*common, *_words(node))

    return parse


def _one_word(kind: Callable[[str, str, Lines, str], Instruction]) -> Callable[[ParsedLine, Written], Instruction]:
    def parse(node: ParsedLine, common: Written) -> Instruction:
        word = exactly_one(node)
        no_flags(node)
        return kind(*common, word)

    return parse


def _expose(node: ParsedLine, common: Written) -> ExposeInstruction:
    at_least_one(node)
    no_flags(node)
    return ExposeInstruction(*common, tuple(sorted(node.arguments)))


def _volume(node: ParsedLine, common: Written) -> VolumeInstruction:
    at_least_one(node)
    no_flags(node)
    paths = tuple(path.strip() for path in node.arguments)
    if "" in paths:
        raise ValueError("VOLUME specified can not be an empty string")
    return VolumeInstruction(*common, paths)


def _shell(node: ParsedLine, common: Written) -> ShellInstruction:
    no_flags(node)
    at_least_one(node)
    if not node.is_json:
        raise ValueError("SHELL requires the arguments to be in JSON form")
    return ShellInstruction(*common, tuple(node.arguments))


def _onbuild(node: ParsedLine, common: Written) -> OnbuildInstruction:
    if node.child is None:
        raise ValueError("ONBUILD requires at least one argument")
    no_flags(node)
    trigger = node.child.keyword.upper()
    if trigger == "ONBUILD":
        raise ValueError("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed")
    if trigger in ("MAINTAINER", "FROM"):
        raise ValueError(f"{trigger} isn't allowed as an ONBUILD trigger")
    expression = re.sub(r"(?i)^\s*ONBUILD\s*", "", node.original)
    for heredoc in node.heredocs:
        expression += f"\n{heredoc.content}{heredoc.name}"
    return OnbuildInstruction(*common, expression)


_PARSERS: dict[str, Callable[[ParsedLine, Written], Instruction]] = {
    "add": _copy,
    "arg": _arg,
    "cmd": _command(CmdInstruction),
    "copy": _copy,
    "entrypoint": _command(EntrypointInstruction),
    "env": lambda node, common: EnvInstruction(*common, _pairs(node)),
    "expose": _expose,
    "from": _from,
    "healthcheck": parse_healthcheck,
    "label": lambda node, common: LabelInstruction(*common, _pairs(node)),
    "maintainer": _one_word(MaintainerInstruction),
    "onbuild": _onbuild,
    "run": _run,
    "shell": _shell,
    "stopsignal": _one_word(StopSignalInstruction),
    "user": _one_word(UserInstruction),
    "volume": _volume,
    "workdir": _one_word(WorkdirInstruction),
}
