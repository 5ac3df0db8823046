"""The image store: layers by chain id, images, their names, and their files on the disk, blobs too.

The storage driver knows a layer by its *cache id*, the name of its folder. A layer is kept while something refers to
it: an image, a container, a build cache record or a layer on top of it (moby, daemon/internal/layer). What
/var/lib/docker/image holds: moby, daemon/internal/layer/filestore.go, image/fs.go.

In the containerd store blobs are files, io.containerd.content.v1.content/blobs/sha256/DIGEST. One stays as long as an
image has it, or a step of the build cache whose layer was exported, or a base that the cache holds (containerd,
core/metadata/gc.go; plugins/content/local). The file of a blob whose bytes are not known, because its layer has filler,
is filler of the blob's size.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING

from labkit.drivers.base import DriverFailed
from labkit.engine.core.core import (
    Core,
    ImageCreated,
    ImageTagged,
    ImageUntagged,
    LayerCreated,
    LayerRemoved,
    Maker,
    by_age,
    image_root,
)
from labkit.engine.core.errors import EngineError, not_found, system
from labkit.engine.core.names import Reference, parse, parse_any
from labkit.engine.core.records import Blob, Container, Image, LayerRecord, WritableLayer, chain_ids
from labkit.engine.images import contentstore
from labkit.engine.images.contentstore import packed
from labkit.files import Content, Entry, Layer
from labkit.kernel import golang
from labkit.kernel.golang import SECOND, JsonObject, texts

if TYPE_CHECKING:
    from labkit.files import Files


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


_IMAGE_FOLDERS = (
    "distribution", "imagedb", "imagedb/content", "imagedb/content/sha256", "imagedb/metadata",
    "imagedb/metadata/sha256", "layerdb", "layerdb/mounts", "layerdb/sha256", "layerdb/tmp",
)  # fmt: skip


def install_images(core: Core) -> None:
    """Make the folders of what the engine knows of images, under the name of its storage driver."""
    host, name = core.host, core.driver.name
    for folder in _IMAGE_FOLDERS:
        host.makedirs(f"{image_root(core)}/{folder}", 0o755 if folder.startswith("layerdb/") else 0o700)
    host.write_generated(f"{image_root(core)}/repositories.json", "docker", name, "repositories", mode=0o600)


def add_layer(core: Core, record: LayerRecord) -> None:
    maker = Maker(core, f"{image_root(core)}/layerdb/sha256")
    folder = maker.folder(record.chain_id[7:], 0o700)
    for name in ("cache-id", "diff", "size", "tar-split.json.gz", *(("parent",) if record.parent else ())):
        maker.generated(folder, name, "layer", name, record.chain_id)


def remove_layer(core: Core, chain_id: str) -> None:
    Maker(core, f"{image_root(core)}/layerdb/sha256").remove(chain_id[7:])


def add_image(core: Core, image: Image) -> None:
    maker = Maker(core, f"{image_root(core)}/imagedb/content/sha256")
    maker.generated(maker.top, image.id[7:], "image", image.id, mode=0o600)
    if image.parent:
        maker = Maker(core, f"{image_root(core)}/imagedb/metadata/sha256")
        maker.generated(maker.folder(image.id[7:], 0o755), "parent", "image-parent", image.id, mode=0o600)


def remove_image(core: Core, image_id: str) -> None:
    for kind in ("content", "metadata"):
        Maker(core, f"{image_root(core)}/imagedb/{kind}/sha256").remove(image_id[7:])


# What the layer between image and container holds (moby, daemon/initlayer): the targets of the mounts of every
# container. A text is the target of a symbolic link.
_INIT_PATHS: tuple[tuple[str, str], ...] = (
    ("dev/pts", "dir"),
    ("dev/shm", "dir"),
    ("proc", "dir"),
    ("sys", "dir"),
    (".dockerenv", "file"),
    ("etc/resolv.conf", "file"),
    ("etc/hosts", "file"),
    ("etc/hostname", "file"),
    ("dev/console", "file"),
    ("etc/mtab", "/proc/mounts"),
)


_MOST_LAYERS = 125  # below a layer that is committed, loaded or pulled


class LayerStore:
    def __init__(self, core: Core) -> None:
        self._core = core

    def get(self, chain: str | None) -> LayerRecord | None:
        return self._core.tables.layers.get(chain) if chain else None

    def records(self) -> list[LayerRecord]:
        return [record for _, record in sorted(self._core.tables.layers.items())]

    def cache_id(self, chain: str | None) -> str | None:
        record = self.get(chain)
        return record.cache_id if record else None

    def create(self, cache_id: str, parent: str | None) -> None:
        """A folder for a layer, on the one of another."""
        try:
            self._core.driver.create(cache_id, parent)
        except DriverFailed as error:
            raise system(str(error)) from None

    def check_depth(self, parent: str | None) -> None:
        """Refuse to put a layer on a chain that is too long; builds don't ask (moby, daemon/internal/layer)."""
        depth = 0
        while record := self.get(parent):
            depth, parent = depth + 1, record.parent
        if depth >= _MOST_LAYERS and not self._core.keeps_manifests:
            raise system("max depth exceeded")

    def register(self, layer: Layer, parent: str | None, between: int = 0) -> LayerRecord:
        """Put a layer on a chain, or find it there; the caller holds one reference to the record afterwards."""
        chain = _child(parent, layer.diff_id)
        if self.get(chain):
            return self.hold(chain)
        cache_id = self._core.ids.new("layer")
        self.create(cache_id, self.cache_id(parent))
        try:
            self._core.driver.apply(cache_id, layer)
        except OSError as error:  # the disk is full
            self._core.driver.remove(cache_id)
            reason = f"write {error.filename or '/'}: {str(error.strerror).lower()}"
            raise system(f"failed to register layer: {reason}") from None
        return self.adopt(layer, cache_id, parent, between)

    def keep(self, chain: str) -> None:
        """Hold a layer until images are pruned: so does a builder that has built from it before."""
        self._put(replace(self.hold(chain), kept=True))

    def adopt(self, layer: Layer, cache_id: str, parent: str | None, between: int = 0) -> LayerRecord:
        """Record a layer that the driver already has as `cache_id`; where the chain is known, that one stays."""
        chain = _child(parent, layer.diff_id)
        if self.get(chain):
            return self.hold(chain)
        if parent:
            self.hold(parent)
        size = self._core.driver.layer_size(layer)
        record = LayerRecord(chain, layer, cache_id, parent, 1, size, between)
        self._put(record)
        add_layer(self._core, record)
        self._core.events.append(LayerCreated(chain, layer.diff_id, cache_id, layer.size))
        return record

    def hold(self, chain: str) -> LayerRecord:
        """One reference more."""
        record: LayerRecord = self._core.tables.layers[chain]
        return self._put(replace(record, references=record.references + 1))

    def release(self, chain: str | None) -> list[str]:
        """One reference less; the chain ids of the layers that are gone with it, from the top down."""
        gone: list[str] = []
        while record := self.get(chain):
            if record.references > 1:
                self._put(replace(record, references=record.references - 1))
                break
            self._core.driver.remove(record.cache_id)
            self._core.tables.layers.delete(record.chain_id)
            remove_layer(self._core, record.chain_id)
            self._core.events.append(LayerRemoved(record.chain_id, record.cache_id))
            gone.append(record.chain_id)
            chain = record.parent
        return gone

    def release_kept(self, chain: str | None) -> list[str]:
        """Let go of the layers of this chain that are kept."""
        gone: list[str] = []
        while record := self.get(chain):
            if record.kept:
                self._put(replace(record, kept=False))
                gone += self.release(chain)
            chain = record.parent
        return gone

    def size(self, chain: str | None) -> int:
        """Bytes of all layers of a chain."""
        total = 0
        while record := self.get(chain):
            total += record.size + record.between
            chain = record.parent
        return total

    def _put(self, record: LayerRecord) -> LayerRecord:
        self._core.tables.layers.set(record.chain_id, record)
        return record

    # --- containers

    def create_writable(self, container: str, parent: str | None) -> WritableLayer:
        """The init layer and the container's own layer on an image's chain."""
        core = self._core
        mount_id = container if core.driver.by_container else core.ids.new("mount")
        writable = WritableLayer(mount_id, f"{mount_id}-init", parent)
        if parent:
            self.hold(parent)
        self.create(writable.init_id, self.cache_id(parent))
        core.driver.apply(writable.init_id, self.init_layer(parent))
        try:
            self.create(mount_id, writable.init_id)
        except EngineError:
            core.driver.remove(writable.init_id)
            self.release(parent)
            raise
        core.tables.mounts.set(container, writable)
        core.tables.holders.set(mount_id, container)
        return writable

    def init_layer(self, parent: str | None) -> Layer:
        if parent not in self._core.init_layers:
            cache_id = self.cache_id(parent)
            image = self._core.view(self._core.driver.mount(cache_id)) if cache_id else None
            self._core.init_layers[parent] = made_init_layer(image, self._core.epoch)
        return self._core.init_layers[parent]

    def remove_writable(self, container: str) -> None:
        writable: WritableLayer = self._core.tables.mounts[container]
        self._core.driver.remove(writable.mount_id)
        self._core.driver.remove(writable.init_id)
        self._core.tables.mounts.delete(container)
        self._core.tables.holders.delete(writable.mount_id)
        self.release(writable.parent)


def made_init_layer(image: Files | None, created: int) -> Layer:
    """The empty files and folders under every container's mounts; folders keep the image's mode and owner."""
    entries: dict[str, Entry] = {}
    for path, kind in _INIT_PATHS:
        if kind == "dir" and image and image.is_dir(f"/{path}"):
            continue  # it is there
        parts = path.split("/")
        for end in range(1, len(parts)):
            folder = "/".join(parts[:end])
            entries.setdefault(folder, _folder(image, folder, created))
        if kind == "dir":
            entries[path] = _folder(image, path, created)
        elif kind == "file":
            entries[path] = Entry(path, stat.S_IFREG | 0o755, mtime=created, data=Content())
        else:
            entries[path] = Entry(path, stat.S_IFLNK | 0o777, mtime=created, data=kind)
    return Layer.of(entries[path] for path in sorted(entries))


def _folder(image: Files | None, path: str, created: int) -> Entry:
    """A folder as the image has it, else root's with mode 755."""
    try:
        found = image.lstat(f"/{path}") if image else None
    except OSError:
        found = None
    if not found or not stat.S_ISDIR(found.st_mode):
        return Entry(path, stat.S_IFDIR | 0o755, mtime=created)
    return Entry(path, found.st_mode, found.st_uid, found.st_gid, created)


def _child(parent: str | None, diff_id: str) -> str:
    return f"sha256:{sha256(f'{parent} {diff_id}'.encode()).hexdigest()}" if parent else diff_id


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

    def add(self, config: JsonObject, parent: str = "", *, built: bool = False, digest: str = "") -> Image:
        """Take in a configuration, all of whose layers are in the layer store; the image holds its top layer.

        `built`: by BuildKit. `digest`: of the index that it was pulled by.
        """
        return self.take(self._made(config, parent, built, digest))

    def take(self, image: Image) -> Image:
        """Take in an image; it holds its top layer."""
        if known := self.get(image.id):
            return known
        if image.chain:
            LayerStore(self._core).hold(image.chain)
        self._core.tables.images.set(image.id, image)
        add_image(self._core, image)
        sync(self._core)
        self._core.events.append(ImageCreated(image.id))
        return image

    def _made(self, config: JsonObject, parent: str, built: bool, digest: str) -> Image:
        if not self._core.keeps_manifests:
            text = golang.sorted_dumps(config)
            return Image(f"sha256:{sha256(text.encode()).hexdigest()}", config, text, parent)
        config = contentstore.config_of(config)
        text = golang.dumps(config)
        stored = contentstore.store(self._core, text, texts(config, "rootfs", "diff_ids"), built=built)
        if digest:
            stored = contentstore.pulled(stored, digest)
        return Image(stored.target.digest, config, text, parent, stored=stored)

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
        found = self._core.tables.references.get(str(replace(reference, tag=None)))
        if found or not self._core.keeps_manifests:
            return found
        names = self.names(reference.digest)  # there any name of the image goes with its digest
        return reference.digest if any(name.name == reference.name for name in names) else None

    def _by_prefix(self, text: str) -> str | None:
        digits = text.removeprefix("sha256:")
        if len(digits) < (4 if self._core.keeps_manifests else 1) or set(digits) - set("0123456789abcdef"):
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
        """Bytes of the files in all its layers; in the containerd store of their snapshots and its blobs."""
        content = contentstore.total(image.stored.of_platform) if image.stored else 0
        return content + LayerStore(self._core).size(image.chain)


def _by_age(image: Image) -> int:
    return -(image.created // SECOND)
