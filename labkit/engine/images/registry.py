"""docker pull: an image of the registry becomes one of the engine's, with the progress that the CLI prints."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from labkit.engine.core.core import Core
from labkit.engine.core.errors import EngineError, not_found
from labkit.engine.core.names import DEFAULT_DOMAIN, DEFAULT_TAG, Reference, parse
from labkit.engine.core.records import chain_ids
from labkit.engine.images.imagestore import ImageStore
from labkit.engine.images.layerstore import LayerStore

_PARALLEL = 3  # layers that are downloaded at a time


def pull(core: Core, text: str, platform: str | None = "") -> Iterator[str]:
    """The lines of progress. The image is there after the last line."""
    reference = parse(text).tagged()
    image = _ask(core, reference)
    path = reference.path
    yield f"{reference.tag or reference.digest}: Pulling from {path}"
    new = ImageStore(core).get(_id_of(image)) is None
    if new:
        yield from _download(core, image)
    known = _store(core, image)
    status_new = new or core.tables.references.get(str(reference)) != known
    ImageStore(core).tag(known, reference)
    ImageStore(core).tag(known, replace(reference, tag=None, digest=image.digest))
    yield f"Digest: {image.digest}"
    if status_new:
        yield f"Status: Downloaded newer image for {reference.familiar}"
    else:
        yield f"Status: Image is up to date for {reference.familiar}"


def _ask(core: Core, reference: Reference) -> Any:
    registry = core.registry
    image = (
        registry.get(str(replace(reference, tag=None, digest=None)), reference.digest or reference.tag or DEFAULT_TAG)
        if registry
        else None
    )
    if image is not None:
        return image
    if reference.domain == DEFAULT_DOMAIN and not (registry and registry.has(reference.name)):
        raise EngineError(
            f"pull access denied for {reference.familiar_name}, repository does not exist or may require "
            "'docker login': denied: requested access to the resource is denied",
            "not-found",
        )
    raise not_found(f"manifest for {reference.familiar} not found: manifest unknown: manifest unknown")


def _id_of(image: Any) -> str:
    from hashlib import sha256

    return f"sha256:{sha256(image.text.encode()).hexdigest()}"


def _download(core: Core, image: Any) -> Iterator[str]:
    """A line for each thing that happens to a layer."""
    chain = chain_ids(layer.diff_id for layer in image.layers)
    short = [blob.removeprefix("sha256:")[:12] for blob in image.blobs]
    missing = [name for name, chain_id in zip(short, chain, strict=True) if not LayerStore(core).get(chain_id)]
    for name in short:
        yield f"{name}: {'Pulling fs layer' if name in missing else 'Already exists'}"
    for name in missing[_PARALLEL:]:
        yield f"{name}: Waiting"
    for name in missing:
        yield f"{name}: Verifying Checksum"
        yield f"{name}: Download complete"
    for name in missing:
        yield f"{name}: Pull complete"


def _store(core: Core, image: Any) -> str:
    parent: str | None = None
    held = []
    for layer in image.layers:
        record = LayerStore(core).register(layer, parent)
        held.append(record.chain_id)
        parent = record.chain_id
    stored = ImageStore(core).add(dict(image.config))
    for chain in reversed(held):
        LayerStore(core).release(chain)
    return stored.id
