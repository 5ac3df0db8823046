"""docker save and load in the containerd image store: the OCI image layout, with manifest.json beside it.

Facts: moby, daemon/containerd/image_exporter.go; containerd, core/images/archive/exporter.go and importer.go. What is
saved are the store's blobs as they are; so an image has the same id after a load. Where a layer's blob is partly filler
(contentstore.py) the archive has the layer itself under the blob's name.
"""

from __future__ import annotations

import gzip
import json
import stat
import zlib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from labkit.engine.core.core import Core
from labkit.engine.core.errors import EngineError, invalid, not_found
from labkit.engine.core.names import Reference, parse
from labkit.engine.core.records import Blob, Image, StoredImage, chain_ids
from labkit.engine.images import contentstore
from labkit.engine.images.contentstore import INDEX, descriptor
from labkit.engine.images.imagestore import ImageStore, LayerStore, blobs_of, data_of
from labkit.files import Content, Entry, Layer, layers
from labkit.kernel import golang
from labkit.kernel.golang import Json, JsonObject, number, objects, text, texts

_BLOBS = "blobs/sha256"
_NAME, _TAG = "io.containerd.image.name", "org.opencontainers.image.ref.name"
_DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
_DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
_DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar"
_INDEXES = (INDEX, "application/vnd.docker.distribution.manifest.list.v2+json")

# --- save


def save(core: Core, names: Sequence[str]) -> Content:
    """One archive with all of the images; by a name without a tag all tags of that name."""
    chosen = [each for name in names for each in _choose(core, name)]
    manifests = [_described(image, reference) for image, reference in chosen]
    texts = {
        "index.json": golang.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests}),
        "manifest.json": golang.dumps(_docker_manifests(chosen)),
        "oci-layout": '{"imageLayoutVersion":"1.0.0"}',
    }
    found = {blob.digest[7:]: (blob, of) for image, _ in chosen for blob, of in blobs_of(core, image)}
    blobs = {name: data_of(blob, of, whole=True) for name, (blob, of) in found.items()}
    entries = [Entry("blobs", stat.S_IFDIR | 0o755), Entry(_BLOBS, stat.S_IFDIR | 0o755)]
    entries += [Entry(f"{_BLOBS}/{name}", stat.S_IFREG | 0o444, data=data) for name, data in sorted(blobs.items())]
    modes = {"oci-layout": 0o444}
    entries += [
        Entry(name, stat.S_IFREG | modes.get(name, 0o644), data=Content(each)) for name, each in sorted(texts.items())
    ]
    return layers.write(entries)


_Chosen = tuple[Image, Reference | None]


def _choose(core: Core, name: str) -> list[_Chosen]:
    store = ImageStore(core)
    image, missing = None, None
    try:
        image = store.find(name)
    except EngineError as error:
        missing = error
    by_id = image is not None and image.id[7:].startswith(name.removeprefix("sha256:"))
    reference = parse(name)
    if not by_id and not reference.tag and not reference.digest:
        return _repository(core, reference)
    if image is None:
        assert missing
        raise missing
    return [(image, None if by_id or reference.digest else reference)]


def _repository(core: Core, wanted: Reference) -> list[_Chosen]:
    known = ((parse(name), image_id) for name, image_id in sorted(core.tables.references.items()))
    found: list[_Chosen] = [
        (core.tables.images[image_id], name) for name, image_id in known if name.name == wanted.name and not name.digest
    ]
    if not found:
        raise not_found(f"No such image: {wanted.tagged().familiar}")
    return found


def _described(image: Image, reference: Reference | None) -> JsonObject:
    assert image.stored
    if reference is None:
        return descriptor(image.stored.target)
    return descriptor(image.stored.target, annotations={_NAME: str(reference), _TAG: reference.tag})


def _docker_manifests(chosen: list[_Chosen]) -> list[JsonObject]:
    """One for each image of this machine's platform, as the older format has it."""
    found: dict[str, JsonObject] = {}
    names: dict[str, list[Json]] = {}
    for image, reference in chosen:
        assert image.stored
        digest = image.stored.manifest.digest
        if reference:
            names.setdefault(digest, []).append(reference.familiar)
        paths: list[Json] = [f"{_BLOBS}/{layer.digest[7:]}" for layer in image.stored.layers]
        config = f"{_BLOBS}/{image.stored.config.digest[7:]}"
        found[digest] = {"Config": config, "RepoTags": names.get(digest), "Layers": paths or None}
    return list(found.values())


# --- load


def load(core: Core, files: dict[str, Content]) -> list[str]:
    """Take in the images of an archive; a line for each name, and for each image without one."""
    if "oci-layout" in files:
        if "index.json" not in files:
            raise invalid("missing index.json in OCI layout 1.0.0")
        found = list(_of_layout(files))
    elif "manifest.json" in files:
        found = list(_of_docker(files))
    else:
        raise invalid("unrecognized image format")
    return [_taken(core, files, each) for each in found]


class _Loaded(NamedTuple):
    image: Image
    name: str
    layers: list[str]  # their files in the archive


def _taken(core: Core, files: dict[str, Content], loaded: _Loaded) -> str:
    """Unpack the layers that are not there, take in the image, and give it its name."""
    store, held, parent = LayerStore(core), list[str](), None
    for chain, path in zip(chain_ids(loaded.image.diff_ids), loaded.layers, strict=True):
        if store.get(chain) is None:
            held.append(store.register(Layer.from_tar(_unpacked(files[path])), parent).chain_id)
        parent = chain
    image = ImageStore(core).take(loaded.image)
    for chain in reversed(held):
        store.release(chain)
    if not loaded.name:
        return f"Loaded image ID: {image.id}"
    ImageStore(core).tag(image.id, parse(loaded.name))
    return f"Loaded image: {parse(loaded.name).familiar}"


def _json(files: dict[str, Content], path: str) -> JsonObject:
    try:
        found = json.loads(bytes(files[path]))
    except KeyError:
        raise not_found(f"content digest {path.rpartition('/')[2]}: not found") from None
    except ValueError as error:
        raise invalid(f"failed to decode {path}: {error}") from None
    return found if isinstance(found, dict) else {}


def _of_layout(files: dict[str, Content]) -> Iterator[_Loaded]:
    for each in objects(_json(files, "index.json"), "manifests"):
        target = Blob(text(each, "mediaType"), text(each, "digest"), number(each, "size"))
        stored = _stored(files, target)
        config = _json(files, _path(stored.config))
        image = Image(target.digest, config, stored.texts[stored.config.digest], stored=stored)
        yield _Loaded(image, text(each, "annotations", _NAME), [_path(layer) for layer in stored.layers])


def _path(blob: Blob) -> str:
    return f"{_BLOBS}/{blob.digest.removeprefix('sha256:')}"


def _stored(files: dict[str, Content], target: Blob) -> StoredImage:
    """The blobs that a target leads to."""
    found = {target.digest: bytes(files[_path(target)]).decode()} if _path(target) in files else {}
    manifest, others = target, list[Blob]()
    if target.media in _INDEXES:
        inner = [_blob(each) for each in objects(_json(files, _path(target)), "manifests")]
        inner = [each for each in inner if _path(each) in files]
        if not inner:
            raise not_found("no manifest found for platform: not found")
        manifest = inner[0]
        for each in inner[1:]:
            others += [each, *_below(files, each)]
    config, *layers = _below(files, manifest)
    for each in (manifest, config, *others):
        if _path(each) in files:
            found[each.digest] = bytes(files[_path(each)]).decode()
    return StoredImage(target, manifest, config, tuple(layers), tuple(others), found)


def _blob(each: JsonObject) -> Blob:
    return Blob(text(each, "mediaType"), text(each, "digest"), number(each, "size"))


def _below(files: dict[str, Content], manifest: Blob) -> list[Blob]:
    """The configuration and the layers of a manifest."""
    document = _json(files, _path(manifest))
    config = document.get("config")
    assert isinstance(config, dict)
    return [_blob(config), *map(_blob, objects(document, "layers"))]


def _unpacked(archive: Content) -> Content:
    if not archive.startswith(b"\x1f\x8b"):
        return archive
    try:
        return Content(gzip.decompress(bytes(archive)))
    except (OSError, EOFError, zlib.error):
        raise invalid("unexpected EOF") from None


def _of_docker(files: dict[str, Content]) -> Iterator[_Loaded]:
    """An archive of the older format: the manifests are made."""
    try:
        manifests = json.loads(bytes(files["manifest.json"]))
    except ValueError as error:
        raise invalid(f'untar manifest "manifest.json": {error}') from None
    for each in manifests:
        config, layers = text(each, "Config"), texts(each, "Layers")
        if config not in files:
            raise invalid(f'image config "{config}" not found')
        for layer in layers:
            if layer not in files:
                raise invalid(f'failed to resolve layers: layer "{layer}" not found')
        document = _json(files, config)
        blobs = (Blob(_DOCKER_LAYER, f"sha256:{files[layer].sha256()}", files[layer].size) for layer in layers)
        stored = contentstore.stored(bytes(files[config]).decode(), tuple(blobs), "", _DOCKER_MANIFEST, _DOCKER_CONFIG)
        image = Image(stored.target.digest, document, stored.texts[stored.config.digest], stored=stored)
        for name in texts(each, "RepoTags") or [""]:
            yield _Loaded(image, name, layers)
