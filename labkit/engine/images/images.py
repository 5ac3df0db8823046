"""Images: their configuration, names and parents, what lists and inspects show, and when they may be removed.

An image's id is the SHA-256 of its configuration's JSON. Rules of removal: moby, daemon/images/image_delete.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from labkit.engine.core import filters as filtering
from labkit.engine.core import gojson, times
from labkit.engine.core.errors import EngineError, conflict, not_found
from labkit.engine.core.events import ImageCreated, ImageRemoved, ImageTagged, ImageUntagged
from labkit.engine.core.ids import short
from labkit.engine.core.references import Reference, parse, parse_any
from labkit.engine.daemon import hostfolders
from labkit.engine.images import layerstore

if TYPE_CHECKING:
    from labkit.engine.api import Engine
    from labkit.engine.containers.containers import Container

# The order in which an inspect shows what an image's configuration sets; what is empty is left out.
_CONFIG_KEYS = (
    "User", "ExposedPorts", "Env", "Entrypoint", "Cmd", "Volumes", "WorkingDir", "Labels", "StopSignal",
    "ArgsEscaped", "Healthcheck", "OnBuild", "Shell",
)  # fmt: skip
_LIST_FILTERS = ("dangling", "label", "before", "since", "reference", "until")
_PRUNE_FILTERS = ("dangling", "label", "label!", "until")

Record = tuple[str, str]  # ("Untagged", name) or ("Deleted", id)


@dataclass(frozen=True)
class Image:
    id: str  # sha256:…
    config: dict[str, Any]  # as in its JSON; nobody changes it
    text: str  # that JSON
    parent: str = ""  # the image it was committed from; BuildKit leaves none
    tagged: int | None = None  # when it last got a name, ns

    @property
    def diff_ids(self) -> tuple[str, ...]:
        return tuple(self.config["rootfs"]["diff_ids"] or ())

    @property
    def chain(self) -> str | None:
        """The chain id of its top layer."""
        return layerstore.chain_id(self.diff_ids)

    @property
    def created(self) -> int:
        return times.parse(self.config.get("created", ""))

    @property
    def run_config(self) -> dict[str, Any]:
        """What containers of it are configured with."""
        return self.config.get("config") or {}


class ImageStore:
    """The images of an engine and their names."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __len__(self) -> int:
        return len(self._engine.tables.images)

    def all(self) -> list[Image]:
        """Every image, the newest first."""
        return sorted((image for _, image in self._engine.tables.images.items()), key=_by_age)

    def get(self, image_id: str) -> Image | None:
        return self._engine.tables.images.get(image_id)

    def add(self, config: dict[str, Any], parent: str = "") -> Image:
        """Take in a configuration, all of whose layers are in the layer store; the image holds its top layer."""
        text = gojson.sorted_dumps(config)
        image_id = f"sha256:{sha256(text.encode()).hexdigest()}"
        if known := self.get(image_id):
            return known
        image = Image(image_id, config, text, parent)
        if image.chain:
            self._engine.layerstore.hold(image.chain)
        self._engine.tables.images.set(image_id, image)
        hostfolders.add_image(self._engine, image)
        self._engine.events.append(ImageCreated(image_id))
        return image

    # --- names

    def names(self, image_id: str) -> list[Reference]:
        """The names of an image, in order of their text; digests are among them."""
        found = [parse(name) for name, target in self._engine.tables.references.items() if target == image_id]
        return sorted(found, key=str)

    def tag(self, image_id: str, reference: Reference) -> None:
        """Give a name; an image that had it loses it."""
        engine = self._engine
        engine.tables.references.set(str(reference), image_id)
        if not reference.digest:
            engine.tables.images.set(image_id, replace(engine.tables.images[image_id], tagged=engine.now()))
            engine.events.append(ImageTagged(image_id, reference.familiar))

    def untag(self, reference: Reference) -> None:
        references = self._engine.tables.references
        image_id = references.get(str(reference))
        if image_id:
            references.delete(str(reference))
            self._engine.events.append(ImageUntagged(image_id, reference.familiar))

    # --- finding

    def find(self, text: str) -> Image:
        """By name, digest, id or the start of an id. Raises EngineError `No such image`."""
        reference = parse_any(text)
        if isinstance(reference, str):
            if image := self.get(reference):
                return image
            raise not_found(f"No such image: {reference}")
        named = reference.tagged()
        image_id = self._engine.tables.references.get(str(named)) or self._by_digest(named) or self._by_prefix(text)
        if image_id:
            return self._engine.tables.images[image_id]
        raise not_found(f"No such image: {named.familiar}")

    def _by_digest(self, reference: Reference) -> str | None:
        if not reference.digest:
            return None
        return self._engine.tables.references.get(str(replace(reference, tag=None)))

    def _by_prefix(self, text: str) -> str | None:
        digits = text.removeprefix("sha256:")
        if not digits or set(digits) - set("0123456789abcdef"):
            return None
        found = [image_id for image_id in self._engine.tables.images if image_id[7:].startswith(digits)]
        return found[0] if len(found) == 1 else None

    # --- relations

    def children(self, image_id: str) -> list[Image]:
        """The images that were committed from this one."""
        return [image for _, image in self._engine.tables.images.items() if image.parent == image_id]

    def containers(self, image_id: str) -> list[Container]:
        """The containers of an image, the newest first."""
        return [container for container in self._engine.containers_by_age() if container.image == image_id]

    def is_dangling(self, image_id: str) -> bool:
        return not self.names(image_id) and not self.children(image_id)

    def size(self, image: Image) -> int:
        """Bytes of the regular files in all its layers."""
        return self._engine.layerstore.size(image.chain)


def _by_age(image: Image) -> int:
    return -(image.created // times.SECOND)


def new_config(
    diff_ids: Iterable[str], config: dict[str, Any], history: Sequence[dict[str, Any]], created: int, **more: Any
) -> dict[str, Any]:
    """A whole configuration of a Linux image for this machine's processor."""
    return {
        "architecture": "amd64",
        "config": config,
        "created": times.rfc3339(created),
        "history": list(history),
        "os": "linux",
        "rootfs": {"type": "layers", "diff_ids": list(diff_ids)},
        **more,
    }


# --- what the CLI asks for


def summaries(engine: Engine, all: bool = False, filters: filtering.Filters | None = None) -> list[dict[str, Any]]:
    """GET /images/json: images without a name that others were committed from only with `all`."""
    wanted = filtering.check(filters, _LIST_FILTERS)
    dangling = filtering.truth(wanted, "dangling")
    store = engine.imagestore
    rows = []
    for image in _selected(engine, wanted):
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
        rows.append(_summary(engine, image, names))
    return rows


def _selected(engine: Engine, wanted: filtering.Filters) -> list[Image]:
    images = [
        image for image in engine.imagestore.all() if filtering.labels_match(image.run_config.get("Labels"), wanted)
    ]
    for reference in wanted.get("before", ()):
        limit = engine.imagestore.find(reference).created
        images = [image for image in images if image.created < limit]
    for reference in wanted.get("since", ()):
        limit = engine.imagestore.find(reference).created
        images = [image for image in images if image.created > limit]
    for until in wanted.get("until", ()):
        limit = engine.until(until)
        images = [image for image in images if image.created < limit]
    return images


def _matches_any(name: Reference, patterns: Sequence[str]) -> bool:
    """As `reference=`: a shell pattern for the familiar name with or without its tag, in which `*` stops at a slash."""
    return any(_glob(pattern, text) for pattern in patterns for text in (name.familiar, name.familiar_name))


def _glob(pattern: str, text: str) -> bool:
    from fnmatch import fnmatchcase

    parts, names = pattern.split("/"), text.split("/")
    return len(parts) == len(names) and all(fnmatchcase(name, part) for name, part in zip(names, parts, strict=True))


def _summary(engine: Engine, image: Image, names: list[Reference]) -> dict[str, Any]:
    return {
        "Containers": len(engine.imagestore.containers(image.id)),
        "Created": image.created // times.SECOND,
        "Id": image.id,
        "Labels": image.run_config.get("Labels"),
        "ParentId": image.parent,
        "RepoDigests": [name.familiar for name in names if name.digest],
        "RepoTags": [name.familiar for name in names if not name.digest],
        "SharedSize": -1,
        "Size": engine.imagestore.size(image),
    }


def inspect(engine: Engine, reference: str) -> dict[str, Any]:
    """GET /images/NAME/json, in the order in which `docker image inspect` prints it."""
    store = engine.imagestore
    image = store.find(reference)
    names = store.names(image.id)
    config = image.run_config
    row: dict[str, Any] = {
        "Id": image.id,
        "RepoTags": [name.familiar for name in names if not name.digest],
        "RepoDigests": [name.familiar for name in names if name.digest],
        "Parent": image.parent,
        "Comment": image.config.get("comment") or _last_comment(image),
        "Created": image.config.get("created", ""),
        "Author": image.config.get("author", ""),
        "Config": {key: _by_key(config[key]) for key in _CONFIG_KEYS if config.get(key)},
        "Architecture": image.config.get("architecture", "amd64"),
        "Variant": image.config.get("variant", ""),
        "Os": image.config.get("os", "linux"),
        "Size": store.size(image),
        "GraphDriver": graph_driver(engine, image.chain),
        "RootFS": {"Type": "layers", "Layers": list(image.diff_ids)} if image.diff_ids else {"Type": "layers"},
        "Metadata": {"LastTagTime": times.rfc3339(image.tagged)},
    }
    return {key: value for key, value in row.items() if value or key not in _LEFT_OUT_WHEN_EMPTY}


def _by_key(value: Any) -> Any:
    """Go writes a map by its keys' order; a health check is a struct."""
    return dict(sorted(value.items())) if isinstance(value, dict) and "Test" not in value else value


def _last_comment(image: Image) -> str:
    """What the newest step says: BuildKit's images have a comment only there."""
    history = image.config.get("history") or [{}]
    return str(history[-1].get("comment", ""))


_LEFT_OUT_WHEN_EMPTY = ("Parent", "Comment", "Author", "Variant")


def graph_driver(engine: Engine, chain: str | None) -> dict[str, Any] | None:
    """The storage driver's part; a snapshotter has none."""
    cache_id = engine.layerstore.cache_id(chain)
    data = engine.driver.data(cache_id) if cache_id else None
    return None if engine.keeps_manifests else {"Data": data or None, "Name": engine.driver.name}


def history(engine: Engine, reference: str) -> list[dict[str, Any]]:
    """GET /images/NAME/history: the newest first; which image made a step is known only along the parents."""
    store = engine.imagestore
    image = store.find(reference)
    chain = layerstore.chain_ids(image.diff_ids)
    rows, layer = [], 0
    for entry in image.config.get("history") or []:
        size = 0
        if not entry.get("empty_layer") and layer < len(chain):
            record = engine.layerstore.get(chain[layer])
            size = record.size if record else 0
            layer += 1
        rows.append(
            {
                "Id": "<missing>",
                "Created": times.parse(entry.get("created", "")),
                "CreatedBy": entry.get("created_by", ""),
                "Tags": None,
                "Size": size,
                "Comment": entry.get("comment", ""),
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


def tag(engine: Engine, source: str, target: str) -> None:
    """POST /images/NAME/tag."""
    image = engine.imagestore.find(source)
    engine.imagestore.tag(image.id, parse(target).tagged())


# --- removal


@dataclass(frozen=True)
class _Conflict:
    """Why an image cannot be removed. `hard`: not even by force; `used`: by a container."""

    image: str
    message: str
    hard: bool = False
    used: bool = False

    def error(self) -> EngineError:
        force = "cannot be forced" if self.hard else "must be forced"
        return conflict(f"conflict: unable to delete {short(self.image)} ({force}) - {self.message}")


_CHILD, _RUNNING, _NAMED, _STOPPED = "child", "running", "named", "stopped"
_HARD = (_CHILD, _RUNNING)
_SOFT = (_NAMED, _STOPPED)


def remove(engine: Engine, text: str, force: bool = False, prune: bool = True) -> list[Record]:
    """DELETE /images/NAME: what was untagged and deleted, in order."""
    store = engine.imagestore
    image = store.find(text)
    names = store.names(image.id)
    records: list[Record] = []
    if _is_id_prefix(image.id, text):
        if _single(names):
            _refuse(_first_conflict(engine, image.id, _HARD if force else (*_HARD, _STOPPED)))
            for name in names:
                _untag(engine, name, records)
        _delete(engine, image.id, records, force, prune, quiet=False)
        return records
    if not force and _single(names):
        for container in store.containers(image.id):
            raise conflict(
                f'conflict: unable to remove repository reference "{text}" (must force) - container '
                f"{short(container.id)} is using its referenced image {short(image.id)}"
            )
    _remove_name(engine, parse(text).tagged(), image.id, records)
    if not store.names(image.id):
        _delete(engine, image.id, records, force, prune, quiet=True)
    return records


def _remove_name(engine: Engine, name: Reference, image_id: str, records: list[Record]) -> None:
    """Untag; with a repository's last tag its digests go too."""
    _untag(engine, name, records)
    rest = [other for other in engine.imagestore.names(image_id) if other.name == name.name]
    if not name.digest and all(other.digest for other in rest):
        for other in rest:
            _untag(engine, other, records)


def _untag(engine: Engine, name: Reference, records: list[Record]) -> None:
    engine.imagestore.untag(name)
    records.append(("Untagged", name.familiar))


def _is_id_prefix(image_id: str, text: str) -> bool:
    return image_id.startswith(text) or image_id[7:].startswith(text)


def _single(names: list[Reference]) -> bool:
    """All names are of one repository and at most one is a tag; not so where there is none."""
    if len(names) <= 1:
        return len(names) == 1
    tags = [name for name in names if not name.digest]
    digests = {name.name for name in names if name.digest}
    if len(tags) > 1:
        return False
    return digests == {(tags or names)[0].name}


def _refuse(found: _Conflict | None) -> None:
    if found:
        raise found.error()


def _delete(engine: Engine, image_id: str, records: list[Record], force: bool, prune: bool, *, quiet: bool) -> None:
    """Delete an image where nothing speaks against it, and then the parents that nothing else needs."""
    store = engine.imagestore
    while True:
        found = _first_conflict(engine, image_id, _HARD if force else (*_HARD, *_SOFT))
        if found:
            if quiet and (found.used or not store.is_dangling(image_id)):
                return
            raise found.error()
        for name in store.names(image_id):
            _untag(engine, name, records)
        parent = _forget(engine, image_id, records)
        if not prune or not parent:
            return
        image_id, force, quiet = parent, False, True


def _forget(engine: Engine, image_id: str, records: list[Record]) -> str:
    """Take an image out of the store; its parent, where that exists."""
    image = engine.tables.images[image_id]
    engine.tables.images.delete(image_id)
    hostfolders.remove_image(engine, image_id)
    engine.events.append(ImageRemoved(image_id))
    records.append(("Deleted", image_id))
    records += [("Deleted", chain) for chain in engine.layerstore.release(image.chain)]
    return image.parent if engine.imagestore.get(image.parent) else ""


def _first_conflict(engine: Engine, image_id: str, kinds: Sequence[str]) -> _Conflict | None:
    for kind, found in _CONFLICTS.items():
        if kind in kinds and (conflict_found := found(engine, image_id)):
            return conflict_found
    return None


def _has_children(engine: Engine, image_id: str) -> _Conflict | None:
    if engine.imagestore.children(image_id):
        return _Conflict(image_id, "image has dependent child images", hard=True)
    return None


def _is_running(engine: Engine, image_id: str) -> _Conflict | None:
    for container in engine.imagestore.containers(image_id):
        if container.state.running:
            return _Conflict(
                image_id, f"image is being used by running container {short(container.id)}", hard=True, used=True
            )
    return None


def _has_names(engine: Engine, image_id: str) -> _Conflict | None:
    return (
        _Conflict(image_id, "image is referenced in multiple repositories")
        if engine.imagestore.names(image_id)
        else None
    )


def _is_used(engine: Engine, image_id: str) -> _Conflict | None:
    for container in engine.imagestore.containers(image_id):
        if not container.state.running:
            return _Conflict(image_id, f"image is being used by stopped container {short(container.id)}", used=True)
    return None


_CONFLICTS = {_CHILD: _has_children, _RUNNING: _is_running, _NAMED: _has_names, _STOPPED: _is_used}


def prune(engine: Engine, all: bool = False, filters: filtering.Filters | None = None) -> tuple[list[Record], int]:
    """POST /images/prune: images without a name, or with `all` (`dangling=false`) all that no container uses."""
    wanted = filtering.check(filters, _PRUNE_FILTERS)
    dangling_only = not all and not _is_false(wanted.get("dangling"))
    limit = min((engine.until(until) for until in wanted.get("until", ())), default=None)
    store = engine.imagestore
    before = {record.chain_id: record.size for record in engine.layerstore.records()}
    records: list[Record] = []
    for image in store.all():
        names = store.names(image.id)
        if (dangling_only or not names) and store.children(image.id):
            continue
        if dangling_only and any(not name.digest for name in names):
            continue
        if not filtering.labels_match(image.run_config.get("Labels"), wanted) or (limit and image.created >= limit):
            continue
        records += _prune_one(engine, image, names)
    gone = before.keys() - {record.chain_id for record in engine.layerstore.records()}
    return records, sum(before[chain] for chain in gone)


def _is_false(values: Sequence[str] | None) -> bool:
    return bool(values) and set(values or ()) <= {"0", "false"}


def _prune_one(engine: Engine, image: Image, names: list[Reference]) -> list[Record]:
    """Remove an image by all its names; what cannot be removed stays without a word."""
    records: list[Record] = []
    for text in [name.familiar for name in names] or [image.id]:
        try:
            records += remove(engine, text)
        except EngineError:
            continue
    if not engine.imagestore.get(image.id):
        records += [("Deleted", chain) for chain in engine.layerstore.release_imported(image.chain)]
    return records
