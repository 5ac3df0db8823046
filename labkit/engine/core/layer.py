"""Layers as records.

A *chain id* names a layer together with all below it: the digest of the parent's chain id and the layer's own
`diff_id`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from labkit.files import Layer

if TYPE_CHECKING:
    pass


EMPTY_LAYER = "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"  # digest of a tar without files


@dataclass(frozen=True)
class LayerRecord:
    chain_id: str
    layer: Layer
    cache_id: str
    parent: str | None  # chain id
    references: int
    size: int  # bytes, as the storage driver counts them
    imported: bool = False  # `docker import` made it; it goes with the next prune of images, not with the image

    @property
    def diff_id(self) -> str:
        return self.layer.diff_id


@dataclass(frozen=True, slots=True)
class WritableLayer:
    """A container's own layer, its init layer below, and the chain id of the image's top layer."""

    mount_id: str
    init_id: str
    parent: str | None


def chain_ids(diff_ids: Iterable[str]) -> list[str]:
    """The chain id of each layer, from the bottom up."""
    chain: list[str] = []
    for diff_id in diff_ids:
        text = f"{chain[-1]} {diff_id}" if chain else None
        chain.append(f"sha256:{sha256(text.encode()).hexdigest()}" if text else diff_id)
    return chain


def chain_id(diff_ids: Iterable[str]) -> str | None:
    """The chain id of the topmost layer."""
    chain = chain_ids(diff_ids)
    return chain[-1] if chain else None
