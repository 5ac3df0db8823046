"""What /var/lib/docker/image holds: something for each layer and image.

Layout: moby, daemon/internal/layer/filestore.go, image/fs.go.
"""

from __future__ import annotations

from labkit.engine.core.core import Core, Maker, image_root
from labkit.engine.core.records import Image, LayerRecord

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
