"""Base images: those that the engine has, and those that a build fetches without giving them a name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from labkit.engine.core.names import Reference, parse
from labkit.engine.core.records import chain_id
from labkit.engine.dockerfile.errors import DockerfileError

from .progress import Progress, human_size
from .stagestate import BaseImage

if TYPE_CHECKING:
    from labkit.engine.api import Engine

_DENIED = (
    "pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: "
    "authorization failed"
)


@dataclass
class Bases:
    """Finds images by their whole names, and remembers what was looked up, for the progress."""

    engine: Engine
    always_ask: bool = False  # --pull: the registry first
    lookups: list[tuple[str, str]] = field(default_factory=list)  # name and error ("" where it was found)
    fetched: dict[str, Any] = field(default_factory=dict)  # whole name -> the registry's image

    def find(self, reference: str) -> BaseImage:
        known = next((name for name, error in self.lookups if name == reference and not error), None)
        try:
            image = self._find(parse(reference))
        except DockerfileError as error:
            self.lookups.append((reference, error.message))
            message = f"failed to resolve source metadata for {reference}: {error.message}"
            raise DockerfileError(message) from None
        if not known:
            self.lookups.append((reference, ""))
        return image

    def _find(self, reference: Reference) -> BaseImage:
        local = self.engine.tables.references.get(str(reference))
        image = self.engine.imagestore.get(local) if local and not self.always_ask else None
        if image:
            shown = f"{reference}@{image.id}" if self.engine.keeps_manifests else str(reference)
            return BaseImage(shown, image.config, image.chain or "")
        return self._ask(reference)

    def _ask(self, reference: Reference) -> BaseImage:
        registry = self.engine.registry
        image = registry.get(reference.name, reference.digest or reference.tag or "latest") if registry else None
        if image is None:
            raise DockerfileError(f"{reference}: not found" if registry and registry.has(reference.name) else _DENIED)
        full = str(reference) if reference.digest else f"{reference}@{image.digest}"
        self.fetched[full] = image
        chain = chain_id(layer.diff_id for layer in image.layers) or ""
        remote = self.engine.layerstore.get(chain) is None
        return BaseImage(full, image.config, chain, remote)

    def show(self, progress: Progress) -> None:
        """The steps that look for images."""
        for name, error in self.lookups:
            step = progress.step(f"[internal] load metadata for {name}")
            if error:
                step.failed(error)
            else:
                step.done()

    def fetch(self, reference: str, line: Callable[[str], None]) -> None:
        """Take the layers of a registry's image; the caller holds the topmost afterwards."""
        image = self.fetched[reference]
        line(f"resolve {reference} done")
        for blob, layer in zip(image.blobs, image.layers, strict=True):
            line(f"{blob} {human_size(layer.size)} / {human_size(layer.size)} done")
        chain: str | None = None
        for blob, layer in zip(image.blobs, image.layers, strict=True):
            line(f"extracting {blob} done")
            record = self.engine.layerstore.register(layer, chain)
            if chain:
                self.engine.layerstore.release(chain)  # the layer above holds it now
            chain = record.chain_id
