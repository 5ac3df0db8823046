"""The blobs of the containerd store as files: io.containerd.content.v1.content/blobs/sha256/DIGEST.

A blob stays as long as an image has it, or a step of the build cache whose layer was exported, or a base that the cache
holds (containerd, core/metadata/gc.go; plugins/content/local). The file of a blob whose bytes are not known, because
its layer has filler, is filler of the blob's size.
"""

from __future__ import annotations

from collections.abc import Iterator

from labkit.engine.core.core import Core, Maker
from labkit.engine.core.records import Blob, Image, chain_ids
from labkit.engine.images.contentstore import packed
from labkit.files import Content, Layer


def present(core: Core) -> dict[str, tuple[Blob, Layer | str]]:
    """What there is, by digest: the layer that a blob is of, or its text."""
    found: dict[str, tuple[Blob, Layer | str]] = {}
    for _, image in core.tables.images.items():
        found.update((blob.digest, (blob, of)) for blob, of in blobs_of(core, image))
    for layer in _cached(core):
        found.setdefault(packed(layer).blob.digest, (packed(layer).blob, layer))
    return found


def blobs_of(core: Core, image: Image) -> Iterator[tuple[Blob, Layer | str]]:
    """The blobs of an image, each with the layer that it is of or its text."""
    if image.stored is None:
        return
    for blob, chain in zip(image.stored.layers, chain_ids(image.diff_ids), strict=True):
        yield blob, core.tables.layers[chain].layer
    for blob in image.stored.blobs:
        if blob.digest in image.stored.texts:
            yield blob, image.stored.texts[blob.digest]


def _cached(core: Core) -> Iterator[Layer]:
    """The layers whose blobs the build cache holds: of exported steps, and all of a base."""
    for _, record in core.tables.cache.items():
        layer = core.tables.layers.get(record.chain) if record.chain else None
        is_base = layer is not None and layer.cache_id != record.id
        while layer and (record.blob or is_base):
            yield layer.layer
            layer = core.tables.layers.get(layer.parent) if is_base and layer.parent else None


def data_of(blob: Blob, of: Layer | str, *, whole: bool = False) -> Content:
    """The bytes of a blob; `whole`: rather the layer's archive than filler."""
    if isinstance(of, str):
        return Content(of)
    made = packed(of)
    if made.blob.digest != blob.digest or (whole and made.data.size != blob.size):
        return of.tar()
    return made.data if made.data.size == blob.size else Content.filler(f"blob {blob.digest}", blob.size)


def sync(core: Core) -> None:
    """Make the folder hold what there is."""
    if not core.keeps_manifests:
        return
    folder = f"{core.driver.root.rpartition('/')[0]}/io.containerd.content.v1.content/blobs/sha256"
    core.host.makedirs(folder)
    maker = Maker(core, folder)
    wanted = present(core)
    names = set(core.host.store.names(maker.top))
    for name in names - {digest[7:] for digest in wanted}:
        maker.remove(name)
    for digest, (blob, of) in wanted.items():
        if digest[7:] not in names:
            maker.text(maker.top, digest[7:], data_of(blob, of), 0o444)
