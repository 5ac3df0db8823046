"""The images of an engine and their names."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from typing import Any

from labkit.engine.core import gojson
from labkit.engine.core.core import Core, ImageCreated, ImageTagged, ImageUntagged, by_age
from labkit.engine.core.errors import SECOND, not_found
from labkit.engine.core.names import Reference, parse, parse_any
from labkit.engine.core.records import Container, Image
from labkit.engine.images import imagefolders
from labkit.engine.images.layerstore import LayerStore


class ImageStore:
    """The images of an engine and their names."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def __len__(self) -> int:
        return len(self._core.tables.images)

    def all(self) -> list[Image]:
        """Every image, the newest first."""
        return sorted((image for _, image in self._core.tables.images.items()), key=_by_age)

    def get(self, image_id: str) -> Image | None:
        return self._core.tables.images.get(image_id)

    def add(self, config: dict[str, Any], parent: str = "") -> Image:
        """Take in a configuration, all of whose layers are in the layer store; the image holds its top layer."""
        text = gojson.sorted_dumps(config)
        image_id = f"sha256:{sha256(text.encode()).hexdigest()}"
        if known := self.get(image_id):
            return known
        image = Image(image_id, config, text, parent)
        if image.chain:
            LayerStore(self._core).hold(image.chain)
        self._core.tables.images.set(image_id, image)
        imagefolders.add_image(self._core, image)
        self._core.events.append(ImageCreated(image_id))
        return image

    # --- names

    def names(self, image_id: str) -> list[Reference]:
        """The names of an image, in order of their text; digests are among them."""
        found = [parse(name) for name, target in self._core.tables.references.items() if target == image_id]
        return sorted(found, key=str)

    def tag(self, image_id: str, reference: Reference) -> None:
        """Give a name; an image that had it loses it."""
        core = self._core
        core.tables.references.set(str(reference), image_id)
        if not reference.digest:
            core.tables.images.set(image_id, replace(core.tables.images[image_id], tagged=core.now()))
            core.events.append(ImageTagged(image_id, reference.familiar))

    def untag(self, reference: Reference) -> None:
        references = self._core.tables.references
        image_id = references.get(str(reference))
        if image_id:
            references.delete(str(reference))
            self._core.events.append(ImageUntagged(image_id, reference.familiar))

    # --- finding

    def find(self, text: str) -> Image:
        """By name, digest, id or the start of an id. Raises EngineError `No such image`."""
        reference = parse_any(text)
        if isinstance(reference, str):
            if image := self.get(reference):
                return image
            raise not_found(f"No such image: {reference}")
        named = reference.tagged()
        image_id = self._core.tables.references.get(str(named)) or self._by_digest(named) or self._by_prefix(text)
        if image_id:
            return self._core.tables.images[image_id]
        raise not_found(f"No such image: {named.familiar}")

    def _by_digest(self, reference: Reference) -> str | None:
        if not reference.digest:
            return None
        return self._core.tables.references.get(str(replace(reference, tag=None)))

    def _by_prefix(self, text: str) -> str | None:
        digits = text.removeprefix("sha256:")
        if not digits or set(digits) - set("0123456789abcdef"):
            return None
        found = [image_id for image_id in self._core.tables.images if image_id[7:].startswith(digits)]
        return found[0] if len(found) == 1 else None

    # --- relations

    def children(self, image_id: str) -> list[Image]:
        """The images that were committed from this one."""
        return [image for _, image in self._core.tables.images.items() if image.parent == image_id]

    def containers(self, image_id: str) -> list[Container]:
        """The containers of an image, the newest first."""
        return [container for container in by_age(self._core) if container.image == image_id]

    def is_dangling(self, image_id: str) -> bool:
        return not self.names(image_id) and not self.children(image_id)

    def size(self, image: Image) -> int:
        """Bytes of the regular files in all its layers."""
        return LayerStore(self._core).size(image.chain)


def _by_age(image: Image) -> int:
    return -(image.created // SECOND)
