"""`--change` of commit and import: Dockerfile instructions that only touch an image's configuration."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Sequence
from typing import Any

from labkit.engine.errors import invalid

Config = dict[str, Any]


def apply(changes: Sequence[str]) -> Config:
    """The configuration that these instructions make, starting from an empty one."""
    config: Config = {}
    for line in changes:
        word, _, rest = line.strip().partition(" ")
        name = word.upper()
        if name not in _INSTRUCTIONS:
            if name in _OTHERS:
                raise invalid(f"{name.lower()} is not a valid change command")
            raise invalid(f"dockerfile parse error on line 1: unknown instruction: {name}")
        if not rest.strip():
            raise invalid(f"{name} requires at least one argument")
        _INSTRUCTIONS[name](config, rest.strip())
    return config


_OTHERS = ("ADD", "ARG", "COPY", "FROM", "MAINTAINER", "RUN", "SHELL")


def _words(text: str) -> list[str] | None:
    """The list of a JSON form; None where it is none."""
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, list) and all(isinstance(word, str) for word in found) else None


def _command(key: str) -> Callable[[Config, str], None]:
    def run(config: Config, text: str) -> None:
        words = _words(text)
        config[key] = words if words is not None else ["/bin/sh", "-c", text]

    return run


def _pairs(text: str) -> list[tuple[str, str]]:
    words = shlex.split(text)
    if words and "=" not in words[0]:
        return [(words[0], text[len(words[0]) :].strip())]
    return [(key, value) for key, _, value in (word.partition("=") for word in words)]


def _env(config: Config, text: str) -> None:
    for key, value in _pairs(text):
        kept = [other for other in config.get("Env", []) if other.partition("=")[0] != key]
        config["Env"] = [*kept, f"{key}={value}"]


def _label(config: Config, text: str) -> None:
    config["Labels"] = {**config.get("Labels", {}), **dict(_pairs(text))}


def _expose(config: Config, text: str) -> None:
    ports: dict[str, Any] = {port if "/" in port else f"{port}/tcp": {} for port in text.split()}
    config["ExposedPorts"] = {**config.get("ExposedPorts", {}), **ports}


def _volume(config: Config, text: str) -> None:
    config["Volumes"] = {**config.get("Volumes", {}), **{path: {} for path in _words(text) or text.split()}}


def _onbuild(config: Config, text: str) -> None:
    config["OnBuild"] = [*config.get("OnBuild", []), text]


def _plain(key: str) -> Callable[[Config, str], None]:
    def run(config: Config, text: str) -> None:
        config[key] = text

    return run


_INSTRUCTIONS: dict[str, Callable[[Config, str], None]] = {
    "CMD": _command("Cmd"),
    "ENTRYPOINT": _command("Entrypoint"),
    "ENV": _env,
    "EXPOSE": _expose,
    "HEALTHCHECK": lambda config, text: None,
    "LABEL": _label,
    "ONBUILD": _onbuild,
    "STOPSIGNAL": _plain("StopSignal"),
    "USER": _plain("User"),
    "VOLUME": _volume,
    "WORKDIR": _plain("WorkingDir"),
}
