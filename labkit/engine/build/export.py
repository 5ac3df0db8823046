"""From the topmost layer and what the Dockerfile says to an image (moby/buildkit exporter/containerimage)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labkit.engine.core.errors import parse_time, rfc3339
from labkit.engine.core.records import new_config

from .cache import REGULAR, BuildCache
from .plan import BuildPlan

if TYPE_CHECKING:
    from labkit.engine.api import Engine

_CONFIG_ORDER = (
    "User", "ExposedPorts", "Env", "Entrypoint", "Cmd", "Volumes", "WorkingDir", "Labels", "StopSignal",
    "ArgsEscaped", "Healthcheck", "OnBuild", "Shell",
)  # fmt: skip


def export(engine: Engine, cache: BuildCache, planned: BuildPlan, chain: str | None) -> str:
    """The id of the image. The same layers and Dockerfile give the same one."""
    layers = _layers(engine, cache, chain)
    history = _dated(planned.history, [made for _, made in layers], engine.now())
    created = parse_time(history[-1]["created"]) if history else engine.now()
    config = {key: planned.config[key] for key in _CONFIG_ORDER if key in planned.config}
    more = {"author": planned.author} if planned.author else {}
    digests = [digest for digest, _ in layers]
    return engine.imagestore.add(new_config(digests, config, history, created, **more)).id


def _layers(engine: Engine, cache: BuildCache, chain: str | None) -> list[tuple[str, int | None]]:
    """The layers from the bottom up: their digests, and when the cache made each."""
    made = {record.chain: record.created for record in cache.all() if record.type == REGULAR}
    layers = []
    while record := engine.layerstore.get(chain):
        layers.append((record.diff_id, made.get(record.chain_id)))
        chain = record.parent
    return layers[::-1]


def _dated(history: list[dict[str, Any]], made: list[int | None], now: int) -> list[dict[str, Any]]:
    """The history with times: a layer's own, and for what made no layer that of the layer before it."""
    dated, layer = [], 0
    for entry in history:
        if not entry.get("empty_layer"):
            if "created" not in entry and layer < len(made) and made[layer] is not None:
                entry = {"created": rfc3339(made[layer]), **entry}
            layer += 1
        dated.append(entry)
    return _filled(dated, _first_moment(dated) or rfc3339(now))


def _first_moment(dated: list[dict[str, Any]]) -> str | None:
    """For what comes first without a time: when the next layer was made, else the one before it."""
    moment, missing = None, False
    for entry in dated:
        if "created" not in entry:
            missing = True
            continue
        moment = entry["created"]
        if missing:
            break
    return moment


def _filled(dated: list[dict[str, Any]], moment: str) -> list[dict[str, Any]]:
    filled, missing = [], False
    for entry in dated:
        if "created" not in entry:
            entry, missing = {"created": moment, **entry}, True
        elif missing:
            moment = entry["created"]
        filled.append(entry)
    return filled
