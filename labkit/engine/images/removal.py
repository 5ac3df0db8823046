"""When images may be removed, and what goes with them (moby, daemon/images/image_delete.go)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from labkit.engine.core.core import Core, ImageRemoved, short
from labkit.engine.core.errors import (
    EngineError,
    Filters,
    check_address,
    check_filters,
    conflict,
    earliest,
    labels_match,
)
from labkit.engine.core.names import Reference, parse
from labkit.engine.core.records import Image
from labkit.engine.images import imagestore
from labkit.engine.images.imagestore import ImageStore, LayerStore
from labkit.kernel.golang import members

PRUNE_FILTERS = ("dangling", "label", "label!", "until")
UNTIL = "invalid value for 'until' filter: "

Record = tuple[str, str]  # ("Untagged", name) or ("Deleted", id)


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


def remove(core: Core, text: str, force: bool = False, prune: bool = True) -> list[Record]:
    """DELETE /images/NAME: what was untagged and deleted, in order."""
    check_address(text)
    store = ImageStore(core)
    image = store.find(text)
    names = store.names(image.id)
    records: list[Record] = []
    if _is_id_prefix(image.id, text):
        if _single(names):
            _refuse(_first_conflict(core, image.id, _HARD if force else (*_HARD, _STOPPED)))
            for name in names:
                _untag(core, name, records)
        _delete(core, image.id, records, force, prune, quiet=False)
        return records
    if not force and _single(names):
        for container in store.containers(image.id):
            raise conflict(
                f'conflict: unable to remove repository reference "{text}" (must force) - container '
                f"{short(container.id)} is using its referenced image {short(image.id)}"
            )
    _remove_name(core, parse(text).tagged(), image.id, records)
    if not store.names(image.id):
        _delete(core, image.id, records, force, prune, quiet=True)
    return records


def _remove_name(core: Core, name: Reference, image_id: str, records: list[Record]) -> None:
    """Untag; with a repository's last tag its digests go too."""
    _untag(core, name, records)
    rest = [other for other in ImageStore(core).names(image_id) if other.name == name.name]
    if not name.digest and all(other.digest for other in rest):
        for other in rest:
            _untag(core, other, records)


def _untag(core: Core, name: Reference, records: list[Record]) -> None:
    ImageStore(core).untag(name)
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


def _delete(core: Core, image_id: str, records: list[Record], force: bool, prune: bool, *, quiet: bool) -> None:
    """Delete an image where nothing speaks against it, and then the parents that nothing else needs."""
    store = ImageStore(core)
    while True:
        found = _first_conflict(core, image_id, _HARD if force else (*_HARD, *_SOFT))
        if found:
            if quiet and (found.used or not store.is_dangling(image_id)):
                return
            raise found.error()
        for name in store.names(image_id):
            _untag(core, name, records)
        parent = _forget(core, image_id, records)
        if not prune or not parent:
            return
        image_id, force, quiet = parent, False, True


def _forget(core: Core, image_id: str, records: list[Record]) -> str:
    """Take an image out of the store; its parent, where that exists."""
    image = core.tables.images[image_id]
    core.tables.images.delete(image_id)
    imagestore.remove_image(core, image_id)
    core.events.append(ImageRemoved(image_id))
    records.append(("Deleted", image_id))
    records += [("Deleted", chain) for chain in LayerStore(core).release(image.chain)]
    return image.parent if ImageStore(core).get(image.parent) else ""


def _first_conflict(core: Core, image_id: str, kinds: Sequence[str]) -> _Conflict | None:
    for kind, found in _CONFLICTS.items():
        if kind in kinds and (conflict_found := found(core, image_id)):
            return conflict_found
    return None


def _has_children(core: Core, image_id: str) -> _Conflict | None:
    if ImageStore(core).children(image_id):
        return _Conflict(image_id, "image has dependent child images", hard=True)
    return None


def _is_running(core: Core, image_id: str) -> _Conflict | None:
    for container in ImageStore(core).containers(image_id):
        if container.state.running:
            return _Conflict(
                image_id, f"image is being used by running container {short(container.id)}", hard=True, used=True
            )
    return None


def _has_names(core: Core, image_id: str) -> _Conflict | None:
    return (
        _Conflict(image_id, "image is referenced in multiple repositories")
        if ImageStore(core).names(image_id)
        else None
    )


def _is_used(core: Core, image_id: str) -> _Conflict | None:
    for container in ImageStore(core).containers(image_id):
        if not container.state.running:
            return _Conflict(image_id, f"image is being used by stopped container {short(container.id)}", used=True)
    return None


_CONFLICTS = {_CHILD: _has_children, _RUNNING: _is_running, _NAMED: _has_names, _STOPPED: _is_used}


def prune(core: Core, all: bool = False, filters: Filters | None = None) -> tuple[list[Record], int]:
    """POST /images/prune: images without a name, or with `all` (`dangling=false`) all that no container uses."""
    wanted = check_filters(filters, PRUNE_FILTERS)
    dangling_only = not all and not _is_false(wanted.get("dangling"))
    limit = earliest(wanted, core.now(), UNTIL)
    store = ImageStore(core)
    before = {record.chain_id: record.size for record in LayerStore(core).records()}
    records: list[Record] = []
    for image in store.all():
        names = store.names(image.id)
        if (dangling_only or not names) and store.children(image.id):
            continue
        if dangling_only and any(not name.digest for name in names):
            continue
        if not labels_match(members(image.run_config, "Labels"), wanted) or (
            limit is not None and image.created >= limit
        ):
            continue
        records += _prune_one(core, image, names)
    gone = before.keys() - {record.chain_id for record in LayerStore(core).records()}
    return records, sum(before[chain] for chain in gone)


def _is_false(values: Sequence[str] | None) -> bool:
    return bool(values) and set(values or ()) <= {"0", "false"}


def _prune_one(core: Core, image: Image, names: list[Reference]) -> list[Record]:
    """Remove an image by all its names; what cannot be removed stays without a word."""
    records: list[Record] = []
    for text in [name.familiar for name in names] or [image.id]:
        try:
            records += remove(core, text)
        except EngineError:
            continue
    if not ImageStore(core).get(image.id):
        records += [("Deleted", chain) for chain in LayerStore(core).release_kept(image.chain)]
    return records
