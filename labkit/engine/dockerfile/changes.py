"""`--change` of commit and import: Dockerfile instructions that only touch an image's configuration.

Rules and messages: moby, daemon/builder/dockerfile, builder.go (BuildFromConfig) and dispatchers.go.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Sequence
from typing import Any

from labkit.engine.core.errors import invalid
from labkit.engine.dockerfile import instructions
from labkit.engine.dockerfile.diagnostics import DockerfileError, Linter
from labkit.engine.dockerfile.expand import ExpandError, Lexer
from labkit.engine.dockerfile.lines import Dockerfile, read_dockerfile
from labkit.engine.dockerfile.parser import health_config, parse_instruction

Config = dict[str, Any]
_VALID = frozenset("cmd entrypoint healthcheck env expose label onbuild stopsignal user volume workdir".split())
_SHELL = ["/bin/sh", "-c"]


def apply(changes: Sequence[str]) -> Config:
    """The configuration that these instructions make, starting from an empty one."""
    config: Config = {}
    if not changes:
        return config
    try:
        instructions, escape = _parsed("\n".join(changes))
        for instruction in instructions:
            _INSTRUCTIONS[type(instruction)](config, instruction, _expander(config, escape))
    except (ExpandError, ValueError) as error:
        raise invalid(str(error)) from None
    return config


def _parsed(text: str) -> tuple[list[instructions.Instruction], str]:
    """Raises EngineError, ValueError."""
    try:
        found: Dockerfile = read_dockerfile(text)
    except DockerfileError as error:
        raise invalid(error.message) from None
    for node in found.nodes:
        if node.keyword.lower() not in _VALID:
            raise invalid(f"{node.keyword} is not a valid change command")
    return [parse_instruction(node, Linter(skip_all=True)) for node in found.nodes], found.escape


_Expand = Callable[[str], str]


def _expander(config: Config, escape: str) -> _Expand:
    env = dict(pair.split("=", 1) for pair in config.get("Env", ()))
    return lambda word: Lexer(escape).expand(word, env).text


def _command(key: str) -> Callable[[Config, Any, _Expand], None]:
    def run(config: Config, command: instructions.CommandInstruction, expand: _Expand) -> None:
        config[key] = [*_SHELL, " ".join(command.words)] if command.shell else list(command.words)

    return run


def _env(config: Config, env: instructions.EnvInstruction, expand: _Expand) -> None:
    for pair in env.pairs:
        name, value = expand(pair.name), expand(pair.value or "")
        known = {each.partition("=")[0]: each for each in config.get("Env", ())}
        config["Env"] = list((known | {name: f"{name}={value}"}).values())


def _label(config: Config, label: instructions.LabelInstruction, expand: _Expand) -> None:
    found = {expand(pair.name): expand(pair.value or "") for pair in label.pairs}
    config["Labels"] = {**config.get("Labels", {}), **found}


def _expose(config: Config, expose: instructions.ExposeInstruction, expand: _Expand) -> None:
    ports = [port for text in expose.ports for port in expand(text).split()]
    found: Config = {port if "/" in port else f"{port}/tcp": {} for port in ports}
    config["ExposedPorts"] = {**config.get("ExposedPorts", {}), **found}


def _volume(config: Config, volume: instructions.VolumeInstruction, expand: _Expand) -> None:
    config["Volumes"] = {**config.get("Volumes", {}), **{expand(path): {} for path in volume.paths}}


def _onbuild(config: Config, onbuild: instructions.OnbuildInstruction, expand: _Expand) -> None:
    config["OnBuild"] = [*config.get("OnBuild", []), onbuild.expression]


def _healthcheck(config: Config, health: instructions.HealthcheckInstruction, expand: _Expand) -> None:
    config["Healthcheck"] = health_config(health)


def _workdir(config: Config, workdir: instructions.WorkdirInstruction, expand: _Expand) -> None:
    path = posixpath.join("/", config.get("WorkingDir", "/"), expand(workdir.path))
    config["WorkingDir"] = posixpath.normpath(path).replace("//", "/")


def _plain(key: str, field: str) -> Callable[[Config, Any, _Expand], None]:
    def run(config: Config, instruction: Any, expand: _Expand) -> None:
        config[key] = expand(getattr(instruction, field))

    return run


_INSTRUCTIONS: dict[type[instructions.Instruction], Callable[[Config, Any, _Expand], None]] = {
    instructions.CmdInstruction: _command("Cmd"),
    instructions.EntrypointInstruction: _command("Entrypoint"),
    instructions.EnvInstruction: _env,
    instructions.ExposeInstruction: _expose,
    instructions.HealthcheckInstruction: _healthcheck,
    instructions.LabelInstruction: _label,
    instructions.OnbuildInstruction: _onbuild,
    instructions.StopSignalInstruction: _plain("StopSignal", "signal"),
    instructions.UserInstruction: _plain("User", "user"),
    instructions.VolumeInstruction: _volume,
    instructions.WorkdirInstruction: _workdir,
}
