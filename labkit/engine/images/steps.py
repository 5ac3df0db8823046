"""An image's steps: the lines of its history from the lowest up, each with the layer that it made.

Pictures, the layers' explorer and the checks all stand on these. A step that only changed settings has no layer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from labkit.engine.core.records import Image, chain_ids
from labkit.engine.images.layerstore import LayerStore
from labkit.files import Layer

_AROUND = (  # what the builders write around the Dockerfile's line: `docker build` of both kinds, `docker commit`
    (re.compile(r"\s+# buildkit$"), ""),
    (re.compile(r"^/bin/sh -c #\(nop\)\s+"), ""),
    (re.compile(r"^RUN (\|\d+ .*?)?/bin/sh -c "), "RUN "),
    (re.compile(r"^/bin/sh -c "), "RUN "),
)


@dataclass(frozen=True)
class ImageStep:
    """A line of an image's history: ImageStep("RUN make", 3200, "sha256:…", layer)."""

    text: str
    size: int  # as `docker history` has it
    digest: str | None  # None: settings only, no layer
    layer: Layer | None = field(default=None, repr=False, compare=False)


def instruction(created_by: str, comment: str = "") -> str:
    """The Dockerfile's line that a history entry was made by, without what the builders put around it."""
    text = created_by.strip()
    for pattern, instead in _AROUND:
        text = pattern.sub(instead, text)
    return text or comment or "(unnamed)"


def image_steps(image: Image, store: LayerStore) -> tuple[ImageStep, ...]:
    """The steps of an image; layers that its history does not tell of come last."""
    layers = iter(zip(image.diff_ids, chain_ids(image.diff_ids), strict=True))
    steps = [
        _step(store, _line(entry), None if entry.get("empty_layer") else next(layers, None))
        for entry in image.config.get("history") or []
    ]
    return (*steps, *(_step(store, "(not in the history)", each) for each in layers))


def _line(entry: Mapping[str, object]) -> str:
    return instruction(str(entry.get("created_by") or ""), str(entry.get("comment") or ""))


def _step(store: LayerStore, text: str, ids: tuple[str, str] | None) -> ImageStep:
    """`ids`: the layer's digest and chain id."""
    if ids is None:
        return ImageStep(text, 0, None)
    record = store.get(ids[1])
    return ImageStep(text, record.size if record else 0, ids[0], record.layer if record else None)
