"""Images as tar archives: docker save, load and import.

Layout of an archive: the OCI image layout with the files of older engines beside it (moby,
daemon/internal/image/tarexport): blobs/sha256/DIGEST, index.json, manifest.json, oci-layout, repositories.
"""

from __future__ import annotations

import json
import stat
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256

from labkit.engine.core.core import Core
from labkit.engine.core.errors import EngineError, invalid, not_found, system
from labkit.engine.core.names import Reference, parse, parse_any
from labkit.engine.core.records import Image, chain_id, chain_ids, new_config
from labkit.engine.dockerfile import changes as changing
from labkit.engine.images import ocilayouts
from labkit.engine.images.imagestore import ImageStore, LayerStore
from labkit.files import BadArchiveError, Content, Entry, Layer, layers
from labkit.kernel import golang
from labkit.kernel.golang import Json, JsonObject, rfc3339
from labkit.kernel.unpacking import PackingError, unpacked

_BLOBS = "blobs/sha256"
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar"
_INDEX = "application/vnd.oci.image.index.v1+json"


class _Blobs:
    """The blobs of an archive by digest."""

    def __init__(self) -> None:
        self.found: dict[str, Content] = {}

    def add(self, content: Content, digest: str = "") -> str:
        digest = digest.removeprefix("sha256:") or content.sha256()
        self.found[digest] = content
        return digest

    def text(self, text: str) -> str:
        return self.add(Content(text), sha256(text.encode()).hexdigest())


# --- save


def save(core: Core, names: Sequence[str]) -> Content:
    """One archive with all of the images; by a name without a tag all tags of that name."""
    if core.keeps_manifests:
        return ocilayouts.save(core, names)
    chosen: dict[str, list[Reference]] = {}
    for name in names:
        _choose(core, name, chosen)
    blobs = _Blobs()
    manifests: list[JsonObject] = []
    descriptors: list[JsonObject] = []
    repositories: dict[str, JsonObject] = {}
    for image_id, references in chosen.items():
        image: Image = core.tables.images[image_id]
        if not image.diff_ids:
            raise system("empty export - not implemented")
        item, descriptor = _save_image(core, image, blobs)
        item["RepoTags"] = [reference.familiar for reference in references] or None
        if image.parent in chosen:
            item["Parent"] = image.parent
        manifests.append(item)
        for reference in references:
            top = image.diff_ids[-1][7:]
            repositories.setdefault(reference.familiar_name, {})[reference.tag or ""] = top
            note: JsonObject = {
                "io.containerd.image.name": str(reference),
                "org.opencontainers.image.ref.name": reference.tag,
            }
            descriptors.append({**descriptor, "annotations": note})
        if not descriptors:
            descriptors.append(descriptor)
    index = {"schemaVersion": 2, "mediaType": _INDEX, "manifests": descriptors}
    texts = {
        "index.json": golang.dumps(index),
        "manifest.json": golang.dumps([_ordered(item) for item in manifests]) + "\n",
        "oci-layout": '{"imageLayoutVersion": "1.0.0"}',
    }
    if repositories:
        texts["repositories"] = (
            golang.dumps({name: dict(sorted(tags.items())) for name, tags in sorted(repositories.items())}) + "\n"
        )
    return _archive(blobs, texts)


def _ordered(item: JsonObject) -> JsonObject:
    return {key: item[key] for key in ("Config", "RepoTags", "Layers", "Parent", "LayerSources") if key in item}


def _choose(core: Core, name: str, chosen: dict[str, list[Reference]]) -> None:
    """Messages: moby, daemon/internal/image/tarexport/save.go, parseNames; daemon/internal/refstore/store.go."""
    store = ImageStore(core)
    reference = parse_any(name)
    if isinstance(reference, str):
        chosen.setdefault(store.find(name).id, [])
        return
    if reference.familiar_name == "sha256":  # the start of an id
        chosen.setdefault(store.find(name).id, [])
        return
    if reference.tag or reference.digest:
        try:
            image = store.find(name)
        except EngineError:
            raise not_found("reference does not exist") from None
        wanted = [reference] if not reference.digest else []
        _add(chosen, image.id, wanted)
        return
    found = [
        (parse(text), image_id)
        for text, image_id in sorted(core.tables.references.items())
        if parse(text).name == reference.name
    ]
    for known, image_id in found:
        _add(chosen, image_id, [known] if not known.digest else [])
    if not found:
        try:
            chosen.setdefault(store.find(name).id, [])
        except EngineError:
            raise not_found(f"No such image: {name}") from None


def _add(chosen: dict[str, list[Reference]], image_id: str, references: list[Reference]) -> None:
    known = chosen.setdefault(image_id, [])
    known += [reference for reference in references if reference not in known]


def _save_image(core: Core, image: Image, blobs: _Blobs) -> tuple[JsonObject, JsonObject]:
    sources: JsonObject = {}
    layers, parent = list[Json](), ""
    for place, chain in enumerate(chain_ids(image.diff_ids)):
        record = LayerStore(core).get(chain)
        assert record is not None
        archive = record.layer.tar()
        blobs.add(archive, record.diff_id)
        descriptor: JsonObject = {"mediaType": _LAYER, "digest": record.diff_id, "size": archive.size}
        sources[record.diff_id] = descriptor
        layers.append(descriptor)
        parent = _save_legacy(image, chain, parent, place == len(image.diff_ids) - 1, blobs)
    config = blobs.add(Content(image.text), image.id)
    manifest = {
        "schemaVersion": 2,
        "mediaType": _MANIFEST,
        "config": {"mediaType": _CONFIG, "digest": f"sha256:{config}", "size": len(image.text.encode())},
        "layers": layers,
    }
    text = golang.dumps(manifest)
    digest = blobs.text(text)
    item: JsonObject = {
        "Config": f"{_BLOBS}/{config}",
        "Layers": [f"{_BLOBS}/{diff_id[7:]}" for diff_id in image.diff_ids],
        "LayerSources": dict(sorted(sources.items())),
    }
    return item, {"mediaType": _MANIFEST, "digest": f"sha256:{digest}", "size": len(text.encode())}


def _save_legacy(image: Image, chain: str, parent: str, is_top: bool, blobs: _Blobs) -> str:
    """The configuration of one layer for engines before 1.10; its id, which the next one names as its parent."""
    config: JsonObject = {"created": "1970-01-01T00:00:00Z", "container_config": {}}
    if is_top:
        config = {key: image.config[key] for key in ("created", "config", "architecture") if key in image.config}
    identifier = sha256(f"{chain} {parent} {golang.dumps(config)}".encode()).hexdigest()
    record = {"id": identifier, **({"parent": parent} if parent else {}), **config, "os": "linux"}
    blobs.text(golang.dumps(record))
    return identifier


def _archive(blobs: _Blobs, texts: dict[str, str]) -> Content:
    entries = [Entry("blobs", stat.S_IFDIR | 0o755), Entry(_BLOBS, stat.S_IFDIR | 0o755)]
    entries += [
        Entry(f"{_BLOBS}/{digest}", stat.S_IFREG | 0o644, data=content)
        for digest, content in sorted(blobs.found.items())
    ]
    entries += [Entry(name, stat.S_IFREG | 0o644, data=Content(text)) for name, text in sorted(texts.items())]
    return layers.write(entries)


# --- load


def load(core: Core, archive: Content) -> list[str]:
    """Take in the images of an archive; a line for each name, or for each image where the last one has none."""
    files = _read(archive)
    if core.keeps_manifests:
        return ocilayouts.load(core, files)
    if "manifest.json" not in files:
        raise invalid("invalid archive: does not contain a manifest.json")
    try:
        manifest = json.loads(bytes(files["manifest.json"]))
    except ValueError as error:
        raise invalid(f"invalid archive: failed to decode manifest.json: {error}") from None
    if manifest is None:
        raise invalid("invalid manifest, manifest cannot be null (but can be [])")
    if not isinstance(manifest, list) or not all(isinstance(item, dict) for item in manifest):
        raise invalid("invalid archive: failed to decode manifest.json: json: cannot unmarshal into manifestItem")
    lines, loaded, names = [], [], []
    for item in manifest:
        image = _load_image(core, item, files)
        loaded.append((image.id, item.get("Parent") or ""))
        names = [parse(name) for name in golang.texts(item, "RepoTags")]
        for name in names:
            lines += _name_loaded(core, image.id, name)
    for identifier, parent in loaded:
        if parent in core.tables.images:
            core.tables.images.set(identifier, replace(core.tables.images[identifier], parent=parent))
    if not names:
        lines += [f"Loaded image ID: {identifier}" for identifier, _ in loaded]
    return lines


def _name_loaded(core: Core, image_id: str, name: Reference) -> list[str]:
    previous = core.tables.references.get(str(name))
    ImageStore(core).tag(image_id, name)
    lines = [f"Loaded image: {name.familiar}"]
    if previous and previous != image_id:
        lines.insert(
            0, f"The image {name.familiar} already exists, renaming the old one with ID {previous} to empty string"
        )
    return lines


def _read(archive: Content) -> dict[str, Content]:
    try:
        found = layers.read(_unpacked(archive))
        return {entry.path: entry.data for entry in found if isinstance(entry.data, Content)}
    except BadArchiveError as error:
        raise invalid(_bad(error)) from None


def _bad(error: BadArchiveError) -> str:
    """What Go's archive/tar says."""
    return str(error) if str(error) == "unexpected EOF" else f"archive/tar: {error}"


def _unpacked(archive: Content) -> Content:
    """A compressed archive as what it holds: gzip, bzip2 or xz."""
    try:
        return unpacked(archive)
    except PackingError:
        raise invalid("unexpected EOF") from None


def _load_image(core: Core, item: JsonObject, files: dict[str, Content]) -> Image:
    config = _config(_file(files, golang.text(item, "Config")))
    diff_ids = golang.texts(config, "rootfs", "diff_ids")
    paths = golang.texts(item, "Layers")
    if len(diff_ids) != len(paths):
        raise invalid(f"invalid manifest, layers length mismatch: expected {len(paths)}, got {len(diff_ids)}")
    held: list[str] = []
    parent: str | None = None
    for diff_id, path in zip(diff_ids, paths, strict=True):
        chain = chain_id([*_diffs(core, parent), diff_id])
        if known := LayerStore(core).get(chain):
            record = LayerStore(core).hold(known.chain_id)
        else:
            LayerStore(core).check_depth(parent)
            record = LayerStore(core).register(_layer(_file(files, path)), parent)
            if record.diff_id != diff_id:
                LayerStore(core).release(record.chain_id)
                raise invalid(f'invalid diffID for layer: expected "{diff_id}", got "{record.diff_id}"')
        held.append(record.chain_id)
        parent = record.chain_id
    image = ImageStore(core).add(config)
    for chain in reversed(held):
        LayerStore(core).release(chain)
    return image


def _file(files: dict[str, Content], path: str) -> Content:
    if path not in files:
        raise invalid(f"open /var/lib/docker/tmp/docker-import-1/{path}: no such file or directory")
    return files[path]


def _layer(content: Content) -> Layer:
    try:
        return Layer.from_tar(content)
    except BadArchiveError as error:
        raise invalid(_bad(error)) from None


def _config(content: Content) -> JsonObject:
    """moby, daemon/internal/image/image.go, NewFromJSON; how Go words a broken one is not looked up."""
    try:
        config = json.loads(bytes(content))
    except ValueError as error:
        raise invalid(str(error)) from None
    if not isinstance(config, dict):
        raise invalid("json: cannot unmarshal into Go value of type image.Image")
    if not isinstance(config.get("rootfs"), dict):
        raise invalid("invalid image JSON, no RootFS key")
    return config


def _diffs(core: Core, chain: str | None) -> list[str]:
    found: list[str] = []
    while record := LayerStore(core).get(chain):
        found.insert(0, record.diff_id)
        chain = record.parent
    return found


# --- import


def import_(core: Core, archive: Content, name: str, instructions: Sequence[str], message: str, source: str) -> str:
    """An image of one layer: all files of an archive."""
    reference = parse(name).tagged() if name else None
    config = changing.apply(instructions)
    try:
        layer = Layer.from_tar(_unpacked(archive))
    except BadArchiveError as error:
        raise system(_bad(error)) from None
    record = LayerStore(core).register(layer, None)
    now = core.now()
    comment = message or f"Imported from {source}"
    image = ImageStore(core).add(_imported(layer.diff_id, config, now, comment))
    LayerStore(core).release(record.chain_id)
    if reference:
        ImageStore(core).tag(image.id, reference)
    return image.id


def _imported(diff_id: str, config: JsonObject, now: int, comment: str) -> JsonObject:
    history: list[JsonObject] = [{"created": rfc3339(now), "comment": comment}]
    return new_config([diff_id], config, history, now, comment=comment, docker_version="29-dev")
