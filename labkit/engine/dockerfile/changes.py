"""`--change` of commit and import: Dockerfile instructions that only touch an image's configuration.

Rules and messages: moby, daemon/builder/dockerfile, builder.go (BuildFromConfig) and dispatchers.go.
"""

from __future__ import annotations

import posixpath
from collections.abc import Sequence

from labkit.engine.core.errors import invalid
from labkit.engine.dockerfile.diagnostics import DockerfileError, Linter
from labkit.engine.dockerfile.expand import ExpandError, Lexer
from labkit.engine.dockerfile.instructions import (
    CmdInstruction,
    EntrypointInstruction,
    EnvInstruction,
    ExposeInstruction,
    HealthcheckInstruction,
    Instruction,
    LabelInstruction,
    OnbuildInstruction,
    StopSignalInstruction,
    UserInstruction,
    VolumeInstruction,
    WorkdirInstruction,
)
from labkit.engine.dockerfile.lines import Dockerfile, read_dockerfile
from labkit.engine.dockerfile.parser import health_config, parse_instruction
from labkit.kernel.golang import Json, JsonObject, items, members, text, texts
from labkit.kernel.process import NUMBERS

_VALID = frozenset("cmd entrypoint healthcheck env expose label onbuild stopsignal user volume workdir".split())
_SHELL = ["/bin/sh", "-c"]


def apply(changes: Sequence[str]) -> JsonObject:
    """The configuration that these instructions make, starting from an empty one."""
    config: JsonObject = {}
    if not changes:
        return config
    try:
        instructions, escape = _parsed("\n".join(changes))
        for instruction in instructions:
            _apply(config, instruction, escape)
    except (ExpandError, ValueError) as error:
        raise invalid(str(error)) from None
    return config


def _parsed(written: str) -> tuple[list[Instruction], str]:
    """Raises EngineError, ValueError."""
    try:
        found: Dockerfile = read_dockerfile(written)
    except DockerfileError as error:
        raise invalid(error.message) from None
    for node in found.nodes:
        if node.keyword.lower() not in _VALID:
            raise invalid(f"{node.keyword} is not a valid change command")
    return [parse_instruction(node, Linter(skip_all=True)) for node in found.nodes], found.escape


_PROTOCOLS = ("tcp", "udp", "sctp")


def _exposed(port: str) -> list[str]:
    """The ports of 80, 80/udp, 80-82 (dispatchers.go, parsePortSpec)."""
    place, _, protocol = port.rpartition(":")[2].partition("/")
    protocol = protocol.lower() or "tcp"
    if not place:
        raise ValueError(f"no port specified: {port}<empty>")
    if protocol not in _PROTOCOLS:
        raise ValueError(f"invalid proto: {protocol}")
    first, _, last = place.partition("-")
    last = last or first
    if not (first.isdigit() and last.isdigit() and int(first) <= int(last) < 1 << 16):
        raise ValueError(f"invalid containerPort: {place}")
    return [f"{number}/{protocol}" for number in range(int(first), int(last) + 1)]


def _apply(config: JsonObject, instruction: Instruction, escape: str) -> None:
    """Do what one instruction says."""
    env = dict(pair.split("=", 1) for pair in texts(config, "Env"))

    def expand(word: str) -> str:
        return Lexer(escape).expand(word, env).text

    match instruction:
        case CmdInstruction() | EntrypointInstruction():
            key = "Cmd" if isinstance(instruction, CmdInstruction) else "Entrypoint"
            words = [*_SHELL, " ".join(instruction.words)] if instruction.shell else instruction.words
            config[key] = list[Json](words)
        case EnvInstruction():
            env |= {expand(pair.name): expand(pair.value or "") for pair in instruction.pairs}
            config["Env"] = [f"{name}={value}" for name, value in env.items()]
        case LabelInstruction():
            found = {expand(pair.name): expand(pair.value or "") for pair in instruction.pairs}
            config["Labels"] = {**members(config, "Labels"), **found}
        case ExposeInstruction():
            ports = [port for word in instruction.ports for port in expand(word).split()]
            exposed: JsonObject = {each: {} for port in ports for each in _exposed(port)}
            config["ExposedPorts"] = {**members(config, "ExposedPorts"), **exposed}
        case VolumeInstruction():
            config["Volumes"] = {**members(config, "Volumes"), **{expand(path): {} for path in instruction.paths}}
        case OnbuildInstruction():
            config["OnBuild"] = [*items(config, "OnBuild"), instruction.expression]
        case HealthcheckInstruction():
            config["Healthcheck"] = health_config(instruction)
        case WorkdirInstruction():
            path = posixpath.join("/", text(config, "WorkingDir"), expand(instruction.path))
            config["WorkingDir"] = posixpath.normpath(path).replace("//", "/")
        case StopSignalInstruction():
            signal = expand(instruction.signal)
            if not (int(signal) if signal.isdigit() else signal.upper().removeprefix("SIG") in NUMBERS):
                raise invalid(f"invalid signal: {signal}")
            config["StopSignal"] = signal
        case UserInstruction():
            config["User"] = expand(instruction.user)
