"""Scenarios: what to play on an engine. A file is a list of them (YAML), or a recording, whose commands are taken."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from labkit.conformance.replay import UnusableError


@dataclass(frozen=True)
class Scenario:
    name: str
    runs: tuple[str, ...]
    files: dict[str, str] = field(default_factory=dict)
    topic: str = ""
    shows: str = ""
    engines: tuple[str, ...] = ()  # those that it is for; none: all


def read_scenarios(paths: list[str], engine: str) -> Iterator[Scenario]:
    """The scenarios for an engine in these files, and in those of these folders. Raises UnusableError."""
    for name in paths:
        path = Path(name)
        files = sorted(file for file in path.rglob("*") if _is_one(file)) if path.is_dir() else [path]
        if not files:
            raise UnusableError(f"{name}: no scenario there")
        for file in files:
            yield from (each for each in _read(file) if engine in (each.engines or (engine,)))


def _is_one(file: Path) -> bool:
    return file.suffix in (".yaml", ".yml", ".json") and file.name != "base.json"


def _read(path: Path) -> list[Scenario]:
    try:
        text = path.read_text()
        if path.suffix == ".json":
            one = json.loads(text)
            steps = tuple(step["run"] for step in one["steps"])
            files, topic, shows = one.get("files", {}), one.get("topic", ""), one.get("shows", "")
            return [Scenario(one["name"], steps, files, topic, shows, (one["engine"],))]
        return [
            Scenario(
                one["name"],
                tuple(one["steps"]),
                one.get("files", {}),
                one.get("topic", ""),
                one.get("shows", ""),
                tuple(one.get("engines", ())),
            )
            for one in yaml.safe_load(text)
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, yaml.YAMLError) as error:
        raise UnusableError(f"{path}: no scenarios: {error!r}") from None
