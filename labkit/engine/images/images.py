"""Images: pulled, listed, inspected; and the steps that made one, each with its layer.

An image's id is the SHA-256 of its configuration's JSON. A step is a line of the history, from the lowest up; one that
only changed settings has no layer. Pictures, the layers' explorer and the checks all stand on these.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from labkit.engine.core import errors
from labkit.engine.core.core import Core, RemoteImage
from labkit.engine.core.errors import EngineError, not_found
from labkit.engine.core.names import DEFAULT_DOMAIN, DEFAULT_TAG, Reference, parse
from labkit.engine.core.records import Image, chain_ids
from labkit.engine.images import contentstore
from labkit.engine.images.imagestore import ImageStore, LayerStore
from labkit.engine.images.removal import UNTIL
from labkit.files import Layer
from labkit.kernel.golang import SECOND, Json, JsonObject, members, number, objects, parse_time, rfc3339, text

_PARALLEL = 3  # layers that are downloaded at a time


def pull(core: Core, text: str, platform: str | None = "") -> Iterator[str]:
    """The lines of progress. The image is there after the last line."""
    reference = parse(text).tagged()
    image = _ask(core, reference)
    path = reference.path
    yield f"{reference.tag or reference.digest}: Pulling from {path}"
    new = ImageStore(core).get(_id_of(core, image)) is None
    if new:
        yield from _download(core, image)
    known = _store(core, image)
    status_new = new or core.tables.references.get(str(reference)) != known
    ImageStore(core).tag(known, reference)
    if not core.keeps_manifests:  # there every name has a digest
        ImageStore(core).tag(known, replace(reference, tag=None, digest=image.digest))
    yield f"Digest: {image.digest}"
    if status_new:
        yield f"Status: Downloaded newer image for {reference.familiar}"
    else:
        yield f"Status: Image is up to date for {reference.familiar}"


def _ask(core: Core, reference: Reference) -> RemoteImage:
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


def _id_of(core: Core, image: RemoteImage) -> str:
    from hashlib import sha256

    if core.keeps_manifests:
        return image.digest
    return f"sha256:{sha256(image.text.encode()).hexdigest()}"


def _download(core: Core, image: RemoteImage) -> Iterator[str]:
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


def _store(core: Core, image: RemoteImage) -> str:
    parent: str | None = None
    held = []
    for layer in image.layers:
        record = LayerStore(core).register(layer, parent)
        held.append(record.chain_id)
        parent = record.chain_id
    stored = ImageStore(core).add(dict(image.config), digest=image.digest)
    for chain in reversed(held):
        LayerStore(core).release(chain)
    return stored.id


_AROUND = (  # what the builders write around the Dockerfile's line: `docker build` of both kinds, `docker commit`
    (re.compile(r"\s+# buildkit$"), ""),
    (re.compile(r"^/bin/sh -c #\(nop\)\s+"), ""),
    (re.compile(r"^RUN (\|\d+ .*?)?/bin/sh -c "), "RUN "),
    (re.compile(r"^/bin/sh -c "), "RUN "),
)


@dataclass(frozen=True)
class ImageStep:
    """A line of an image's history: ImageStep("RUN make", 3200, "sha256:…", layer)."""

    text: str
    size: int  # as `docker history` has it
    digest: str | None  # None: settings only, no layer
    layer: Layer | None = field(default=None, repr=False, compare=False)


def instruction(created_by: str, comment: str = "") -> str:
    """The Dockerfile's line that a history entry was made by, without what the builders put around it."""
    text = created_by.strip()
    for pattern, instead in _AROUND:
        text = pattern.sub(instead, text)
    return text or comment or "(unnamed)"


def image_steps(image: Image, store: LayerStore) -> tuple[ImageStep, ...]:
    """The steps of an image; layers that its history does not tell of come last."""
    layers = iter(zip(image.diff_ids, chain_ids(image.diff_ids), strict=True))
    steps = [
        _step(store, _line(entry), None if entry.get("empty_layer") else next(layers, None))
        for entry in objects(image.config, "history")
    ]
    return (*steps, *(_step(store, "(not in the history)", each) for each in layers))


def _line(entry: JsonObject) -> str:
    return instruction(str(entry.get("created_by") or ""), str(entry.get("comment") or ""))


def _step(store: LayerStore, text: str, ids: tuple[str, str] | None) -> ImageStep:
    """`ids`: the layer's digest and chain id."""
    if ids is None:
        return ImageStep(text, 0, None)
    record = store.get(ids[1])
    return ImageStep(text, record.size if record else 0, ids[0], record.layer if record else None)


# The order in which an inspect shows what an image's configuration sets; what is empty is left out.
_CONFIG_KEYS = (
    "User", "ExposedPorts", "Env", "Entrypoint", "Cmd", "Volumes", "WorkingDir", "Labels", "StopSignal",
    "ArgsEscaped", "Healthcheck", "OnBuild", "Shell",
)  # fmt: skip
_LIST_FILTERS = ("dangling", "label", "before", "since", "reference", "until")


# --- what the CLI asks for


def summaries(core: Core, all: bool = False, filters: errors.Filters | None = None) -> list[JsonObject]:
    """GET /images/json: images without a name that others were committed from only with `all`."""
    wanted = errors.check_filters(filters, _LIST_FILTERS)
    dangling = errors.filter_truth(wanted, "dangling")
    store = ImageStore(core)
    rows = []
    for image in _selected(core, wanted):
        names = store.names(image.id)
        if wanted.get("reference"):
            names = [name for name in names if _matches_any(name, wanted["reference"])]
            if not names:
                continue
        tags = [name.familiar for name in names if not name.digest]
        if dangling is not None and dangling == bool(tags):
            continue
        if not names and not all and store.children(image.id):
            continue
        rows.append(_summary(core, image, names))
    return rows


def _selected(core: Core, wanted: errors.Filters) -> list[Image]:
    images = [
        image for image in ImageStore(core).all() if errors.labels_match(members(image.run_config, "Labels"), wanted)
    ]
    for reference in wanted.get("before", ()):
        limit = ImageStore(core).find(reference).created
        images = [image for image in images if image.created < limit]
    for reference in wanted.get("since", ()):
        limit = ImageStore(core).find(reference).created
        images = [image for image in images if image.created > limit]
    until = errors.earliest(wanted, core.now(), UNTIL, many=True)
    return [image for image in images if until is None or image.created < until]


def _matches_any(name: Reference, patterns: Sequence[str]) -> bool:
    """As `reference=`: a shell pattern for the familiar name with or without its tag, in which `*` stops at a slash."""
    return any(_glob(pattern, text) for pattern in patterns for text in (name.familiar, name.familiar_name))


def _glob(pattern: str, text: str) -> bool:
    from fnmatch import fnmatchcase

    parts, names = pattern.split("/"), text.split("/")
    return len(parts) == len(names) and all(fnmatchcase(name, part) for name, part in zip(names, parts, strict=True))


def repo_digests(image: Image, names: Sequence[Reference]) -> list[str]:
    """The digests that an image goes by; in the containerd store each name has one (moby, image_inspect.go)."""
    if image.stored is None:
        return [name.familiar for name in names if name.digest]
    found = [replace(name, tag=None, digest=name.digest or image.stored.target.digest).familiar for name in names]
    return list(dict.fromkeys(found))


def _summary(core: Core, image: Image, names: list[Reference]) -> JsonObject:
    containers = ImageStore(core).containers(image.id)
    row: JsonObject = {
        "Containers": len(containers),
        "Created": image.created // SECOND,
        "Id": image.id,
        "Labels": image.run_config.get("Labels"),
        "ParentId": image.parent,
        "RepoDigests": list[Json](repo_digests(image, names[-1:] if image.stored else names)),
        "RepoTags": [name.familiar for name in names if not name.digest],
        "SharedSize": -1,
        "Size": ImageStore(core).size(image),
    }
    if image.stored:
        unpacked = LayerStore(core).size(image.chain)
        manifests = contentstore.platforms(image.stored, unpacked, [each.id for each in containers], image.config)
        row["Manifests"] = list[Json](manifests)
        row["Size"] = sum(number(part, "Size", "Total") for part in manifests)
    return row


def inspect(core: Core, reference: str) -> JsonObject:
    """GET /images/NAME/json, in the order in which `docker image inspect` prints it."""
    if not reference:  # moby, client/image_inspect.go
        raise errors.EngineError("Error: No such image: ", "client")
    store = ImageStore(core)
    image = store.find(reference)
    names = store.names(image.id)
    config = image.run_config
    row: JsonObject = {
        "Id": image.id,
        "RepoTags": [name.familiar for name in names if not name.digest],
        "RepoDigests": list[Json](repo_digests(image, names)),
        "Parent": image.parent,
        "Comment": image.config.get("comment") or _last_comment(image),
        "Created": image.config.get("created", ""),
        "Author": image.config.get("author", ""),
        "Config": {key: _by_key(config[key]) for key in _CONFIG_KEYS if config.get(key)},
        "Architecture": image.config.get("architecture", "amd64"),
        "Variant": image.config.get("variant", ""),
        "Os": image.config.get("os", "linux"),
        "Size": store.size(image),
        **graph_driver(core, image.chain),
        "RootFS": {"Type": "layers", "Layers": list(image.diff_ids)} if image.diff_ids else {"Type": "layers"},
        "Metadata": {"LastTagTime": rfc3339(image.tagged)},
        **_identity(image),
    }
    return {key: value for key, value in row.items() if value or key not in _LEFT_OUT_WHEN_EMPTY}


def _by_key(value: Json) -> Json:
    """Go writes a map by its keys' order; a health check is a struct."""
    return dict(sorted(value.items())) if isinstance(value, dict) and "Test" not in value else value


def _last_comment(image: Image) -> str:
    """What the newest step says: BuildKit's images have a comment only there."""
    history = objects(image.config, "history")
    return text(history[-1], "comment") if history else ""


_LEFT_OUT_WHEN_EMPTY = ("Parent", "Comment", "Author", "Variant")


def graph_driver(core: Core, chain: str | None) -> JsonObject:
    """The storage driver's part; a snapshotter has none."""
    if core.keeps_manifests:
        return {}
    cache_id = LayerStore(core).cache_id(chain)
    data = core.driver.data(cache_id) if cache_id else None
    return {"GraphDriver": {"Data": dict(data) if data else None, "Name": core.driver.name}}


def _identity(image: Image) -> JsonObject:
    """What the containerd store tells besides: the descriptor, and the build that an image comes from."""
    if image.stored is None:
        return {}
    target, build = image.stored.target, image.stored.build
    identity: JsonObject = {"Build": [{"Ref": build, "CreatedAt": rfc3339(image.tagged)}]}
    return {"Descriptor": contentstore.descriptor(target), **({"Identity": identity} if build else {})}


def history(core: Core, reference: str) -> list[JsonObject]:
    """GET /images/NAME/history: the newest first; which image made a step is known only along the parents."""
    errors.check_address(reference)
    store = ImageStore(core)
    image = store.find(reference)
    chain = chain_ids(image.diff_ids)
    rows, layer = list[JsonObject](), 0
    for entry in objects(image.config, "history"):
        size = 0
        if not entry.get("empty_layer") and layer < len(chain):
            record = LayerStore(core).get(chain[layer])
            size = record.size if record else 0
            layer += 1
        rows.append(
            {
                "Id": "<missing>",
                "Created": parse_time(text(entry, "created")),
                "CreatedBy": text(entry, "created_by"),
                "Tags": None,
                "Size": size,
                "Comment": text(entry, "comment"),
            }
        )
    rows.reverse()
    step: Image | None = image
    for row in rows:
        if not step:
            break
        row["Id"] = step.id
        row["Tags"] = [name.familiar for name in store.names(step.id) if not name.digest] or None
        step = store.get(step.parent)
    return rows


def tag(core: Core, source: str, target: str) -> None:
    """POST /images/NAME/tag."""
    image = ImageStore(core).find(source)
    ImageStore(core).tag(image.id, parse(target).tagged())


# --- removal
