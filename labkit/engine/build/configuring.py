"""The instructions that change only the image's configuration (dockerfile2llb/convert.go, dispatchEnv and its like)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from labkit.engine.dockerfile.durations import go_duration
from labkit.engine.dockerfile.errors import DockerfileError, Lines
from labkit.engine.dockerfile.expand import go_quote
from labkit.engine.dockerfile.healthcheck import health_config
from labkit.engine.dockerfile.instructions import (
    ArgInstruction,
    CmdInstruction,
    EntrypointInstruction,
    EnvInstruction,
    ExposeInstruction,
    HealthcheckInstruction,
    Instruction,
    LabelInstruction,
    MaintainerInstruction,
    OnbuildInstruction,
    ShellInstruction,
    StopSignalInstruction,
    UserInstruction,
    VolumeInstruction,
)
from labkit.engine.dockerfile.lint import is_secret
from labkit.kernel.process import NUMBERS

from .planning import NOT_IN_ENV, Planning
from .stagestate import StageState

DEFAULT_SHELL = ("/bin/sh", "-c")


def env(planning: Planning, state: StageState, env: EnvInstruction) -> None:
    text = "ENV"
    pairs = [
        (planning.word(state, pair.name, env.place), planning.word(state, pair.value or "", env.place))
        for pair in env.pairs
    ]
    for pair, (name, value) in zip(env.pairs, pairs, strict=True):
        if pair.legacy:
            planning.lint.warn("LegacyKeyValueFormat", env.place, env.keyword)
        if is_secret(name):
            planning.lint.warn("SecretsUsedInArgOrEnv", env.place, "ENV", name)
        text += f" {name}={value}"
        state.set_env(name, value)
        state.config["Env"] = _with_variable(state.config.get("Env") or [], name, value)
    state.record(text)


def arg(planning: Planning, state: StageState, arg: ArgInstruction) -> None:
    texts = []
    for pair in arg.pairs:
        if is_secret(pair.name):
            planning.lint.warn("SecretsUsedInArgOrEnv", arg.place, "ARG", pair.name)
        value = _arg_value(planning, state, pair.name, pair.value, arg.place)
        if value is not None and pair.name not in NOT_IN_ENV:
            state.set_env(pair.name, value)
        state.args.append((pair.name, value))
        texts.append(pair.name if value is None else f"{pair.name}={value}")
    state.record(f"ARG {' '.join(texts)}")


def _arg_value(planning: Planning, state: StageState, name: str, default: str | None, place: Lines) -> str | None:
    if name in planning.settings.build_args:
        return planning.settings.build_args[name]
    if default is not None:
        return planning.word(state, default, place)
    return planning.globals.get(name)


def label(planning: Planning, state: StageState, label: LabelInstruction) -> None:
    text = "LABEL"
    labels = dict(state.config.get("Labels") or {})
    for pair in label.pairs:
        if pair.legacy:
            planning.lint.warn("LegacyKeyValueFormat", label.place, label.keyword)
        name = planning.word(state, pair.name, label.place)
        labels[name] = planning.word(state, pair.value or "", label.place)
        text += f" {name}={labels[name]}"
    state.config["Labels"] = labels
    state.record(text)


def user(planning: Planning, state: StageState, user: UserInstruction) -> None:
    state.user = state.config["User"] = planning.word(state, user.user, user.place)
    state.record(f"USER {state.user}")


def volume(planning: Planning, state: StageState, volume: VolumeInstruction) -> None:
    paths = [planning.word(state, path, volume.place) for path in volume.paths]
    if "" in paths:
        raise DockerfileError("VOLUME specified can not be an empty string", volume.place)
    state.config["Volumes"] = {**(state.config.get("Volumes") or {}), **{path: {} for path in paths}}
    state.record(f"VOLUME [{' '.join(paths)}]")


def expose(planning: Planning, state: StageState, expose: ExposeInstruction) -> None:
    ports: list[str] = []
    for text in expose.ports:
        for word in planning.expand(text, state.env, expose.place).words:
            ports += _ports(planning, word, expose.place)
    state.config["ExposedPorts"] = {**(state.config.get("ExposedPorts") or {}), **{port: {} for port in ports}}
    state.record(f"EXPOSE [{' '.join(ports)}]")


def _ports(planning: Planning, word: str, place: Lines) -> list[str]:
    host, mapped, text = word.rpartition(":")
    text, _, protocol = text.partition("/")
    protocol = protocol or "tcp"
    if not text or protocol.lower() not in ("tcp", "udp", "sctp"):
        problem = f"invalid proto: {protocol}" if text else "no port specified"
        raise DockerfileError(f"invalid port: {go_quote(word)}: {problem}", place)
    if protocol != protocol.lower():
        planning.lint.warn("ExposeProtoCasing", place, word)
    if mapped and host:
        planning.lint.warn("ExposeInvalidFormat", place, word)
    match = re.fullmatch(r"(\d+)(?:-(\d+))?", text)
    first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, -1)
    if not match or last < first or last > 65535:
        raise DockerfileError(f"invalid containerPort: {text}", place)
    return [f"{port}/{protocol.lower()}" for port in range(first, last + 1)]


def stop_signal(planning: Planning, state: StageState, stop: StopSignalInstruction) -> None:
    signal = planning.word(state, stop.signal, stop.place)
    if not _is_signal(signal):
        raise DockerfileError(f"invalid signal: {signal}", stop.place)
    state.config["StopSignal"] = signal
    state.record(f"STOPSIGNAL {signal}")


def shell(planning: Planning, state: StageState, shell: ShellInstruction) -> None:
    state.config["Shell"] = list(shell.words)
    state.record(f"SHELL [{' '.join(shell.words)}]")


def maintainer(planning: Planning, state: StageState, maintainer: MaintainerInstruction) -> None:
    state.author = maintainer.name
    state.record(f"MAINTAINER {maintainer.name}")


def onbuild(planning: Planning, state: StageState, onbuild: OnbuildInstruction) -> None:
    state.config["OnBuild"] = [*(state.config.get("OnBuild") or ()), onbuild.expression]


def _once(planning: Planning, state: StageState, instruction: Instruction) -> None:
    name = instruction.keyword.upper()
    if name in state.used:
        planning.lint.warn("MultipleInstructionsDisallowed", state.used[name], instruction.keyword)
    state.used[name] = instruction.place


def with_shell(state: StageState, words: tuple[str, ...]) -> list[str]:
    return [*(state.config.get("Shell") or DEFAULT_SHELL), " ".join(words)]


def _words(planning: Planning, state: StageState, command: CmdInstruction | EntrypointInstruction) -> list[str]:
    _once(planning, state, command)
    if not command.shell:
        return list(command.words)
    if not state.config.get("Shell"):
        planning.lint.warn("JSONArgsRecommended", command.place, command.keyword)
    return with_shell(state, command.words)


def cmd(planning: Planning, state: StageState, cmd: CmdInstruction) -> None:
    words = _words(planning, state, cmd)
    state.config |= {"Cmd": words, "ArgsEscaped": True}
    state.record(f"CMD {_quoted(words)}")


def entrypoint(planning: Planning, state: StageState, entrypoint: EntrypointInstruction) -> None:
    words = _words(planning, state, entrypoint)
    state.config["Entrypoint"] = words
    if "CMD" not in state.used:
        state.config.pop("Cmd", None)
    state.record(f"ENTRYPOINT {_quoted(words)}")


def healthcheck(planning: Planning, state: StageState, health: HealthcheckInstruction) -> None:
    _once(planning, state, health)
    times = (health.interval, health.timeout, health.start_period, health.start_interval)
    state.config["Healthcheck"] = health_config(health)
    shown = " ".join(go_quote(go_duration(time)) for time in times)
    state.record(f"HEALTHCHECK &{{{_quoted(health.test)} {shown} {go_quote(chr(health.retries), chr(39))}}}")


def _with_variable(env: list[str], name: str, value: str) -> list[str]:
    new = f"{name}={value}"
    if any(each.partition("=")[0] == name for each in env):
        return [new if each.partition("=")[0] == name else each for each in env]
    return [*env, new]


def _quoted(words: Iterable[str]) -> str:
    return f"[{' '.join(go_quote(word) for word in words)}]"


def _is_signal(text: str) -> bool:
    if text.isdigit():
        return int(text) != 0
    return text.upper().removeprefix("SIG") in NUMBERS
