"""docker commit: a container's own layer becomes one more layer of a new image (moby, daemon/commit.go)."""

from __future__ import annotations

from collections.abc import Sequence

from labkit.engine.containers.creation import merge
from labkit.engine.core.core import Core, find
from labkit.engine.core.happened import tell
from labkit.engine.core.names import parse
from labkit.engine.core.records import EMPTY_LAYER, WritableLayer
from labkit.engine.dockerfile import changes as changing
from labkit.engine.images.imagestore import ImageStore, LayerStore
from labkit.kernel.golang import Json, JsonObject, items, rfc3339, texts

_KEYS = (
    "Hostname", "Domainname", "User", "AttachStdin", "AttachStdout", "AttachStderr", "ExposedPorts", "Tty", "OpenStdin",
    "StdinOnce", "Env", "Cmd", "Healthcheck", "Image", "Volumes", "WorkingDir", "Entrypoint", "OnBuild", "Labels",
    "StopSignal", "Shell",
)  # fmt: skip


def commit(core: Core, container: str, name: str, author: str, message: str, instructions: Sequence[str]) -> str:
    """The id of the image."""
    found = find(core, container)
    reference = parse(name).tagged() if name else None
    config = merge(changing.apply(instructions), found.config)
    parent = ImageStore(core).get(found.image)
    writable: WritableLayer = core.tables.mounts[found.id]
    LayerStore(core).check_depth(writable.parent)
    layer = core.driver.diff(writable.mount_id)
    empty = layer.diff_id == EMPTY_LAYER or not any(True for _ in layer.entries())
    now = core.now()
    step: JsonObject = {
        "created": rfc3339(now),
        "author": author,
        "created_by": " ".join(texts(found.config, "Cmd")),
        "comment": message,
        "empty_layer": empty,
    }
    below: JsonObject = parent.config if parent else {}
    diff_ids = list(parent.diff_ids) if parent else _diff_ids(core, writable.parent)
    record = None
    if not empty:
        # There the layer is unpacked on the snapshot that the container stands on (moby, image_commit.go).
        between = core.driver.size(writable.init_id) if core.keeps_manifests else 0
        record = LayerStore(core).register(layer, writable.parent, between)
        diff_ids.append(layer.diff_id)
    image = ImageStore(core).add(
        {
            "architecture": "amd64",
            "author": author,
            "comment": message,
            "config": _config(config),
            "container": found.id,
            "created": rfc3339(now),
            "docker_version": "29-dev",
            "history": [*items(below, "history"), {key: value for key, value in step.items() if value}],
            "os": "linux",
            "rootfs": {"type": "layers", "diff_ids": list[Json](diff_ids)},
        },
        parent=found.image if parent else "",
    )
    if record:
        LayerStore(core).release(record.chain_id)
    if reference:
        ImageStore(core).tag(image.id, reference)
    named = reference.familiar if reference else ""
    tell(core, "container", "commit", found.id, comment=message, imageID=image.id, imageRef=named)
    return image.id


def _config(config: JsonObject) -> JsonObject:
    return {key: config.get(key) for key in _KEYS if config.get(key) not in (None, "", False, [], {})}


def _diff_ids(core: Core, chain: str | None) -> list[str]:
    """The layers of a chain whose image is gone."""
    found: list[str] = []
    while record := LayerStore(core).get(chain):
        found.insert(0, record.diff_id)
        chain = record.parent
    return found
