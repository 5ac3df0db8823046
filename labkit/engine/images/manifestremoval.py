"""Removal in the containerd image store (moby, daemon/containerd/image_delete.go, image_prune.go, soft_delete.go).

There an image is what names point to: one without a name is kept under a dangling name, and what no name points to is
gone. An image's own layers are not told of. Nothing but a running container speaks against force, and an image that
others were committed from may go: they have what they need of it.
"""

from __future__ import annotations

from collections.abc import Collection

from labkit.engine.core import errors
from labkit.engine.core.core import Core, ImageRemoved, short
from labkit.engine.core.errors import EngineError, Filters, conflict, not_found
from labkit.engine.core.names import Reference, parse
from labkit.engine.core.records import Container, Image
from labkit.engine.images import contentstore, imagestore
from labkit.engine.images.imagestore import ImageStore, LayerStore
from labkit.engine.images.removal import PRUNE_FILTERS, UNTIL, Record
from labkit.kernel.golang import members

_NAMED, _STOPPED = "named", "stopped"  # what speaks against a removal without force


def remove(core: Core, text: str, force: bool = False, prune: bool = True) -> list[Record]:
    """DELETE /images/NAME: what was untagged and deleted, in order."""
    store = ImageStore(core)
    image = store.find(text)
    names = store.names(image.id)
    against = set() if force else {_NAMED, _STOPPED}
    if _is_id_prefix(image.id, text):
        if core.tables.references.get(str(parse(text).tagged())) != image.id and len(_same(None, names)) == len(names):
            against.discard(_NAMED)
        return _delete(core, image, names, against, prune)
    named = parse(text)
    same = _same(named, names)
    if not same:
        raise not_found(f"No such image: {named.familiar}")
    if len(same) != len(names):
        return [_untag(core, name) for name in same]
    if len(names) > 1:
        against.discard(_NAMED)
    if not named.digest:
        for container in store.containers(image.id):
            if force:  # it stays, without a name
                return [_untag(core, named.tagged())]
            used = f"container {short(container.id)} is using its referenced image {short(image.id)}"
            raise _conflict(named.tagged().familiar, used)
    return _delete(core, image, names, against, prune)


def _is_id_prefix(image_id: str, text: str) -> bool:
    return image_id.startswith(text) or image_id[7:].startswith(text)


def _same(named: Reference | None, names: list[Reference]) -> list[Reference]:
    """The names that go with one, given or the first: those of its tag, and by digest where it is the only tag."""
    if not names:
        return []
    first = named or names[0]
    tag = first.tag or ("" if first.digest else "latest" if named else "")
    mine = [name for name in names if name.name == first.name]
    tags = [name for name in mine if not name.digest and (name.tag == tag or not tag)]
    others = [name for name in mine if not name.digest and name not in tags]
    return tags + ([] if others else [name for name in mine if name.digest])


def _conflict(what: str, why: str, *, hard: bool = False) -> EngineError:
    return conflict(f"conflict: unable to delete {what} ({'cannot' if hard else 'must'} be forced) - {why}")


def _check(core: Core, image: Image, names: list[Reference], against: Collection[str]) -> None:
    containers = ImageStore(core).containers(image.id)
    if running := _first(containers, running=True):
        raise _conflict(short(image.id), f"image is being used by running container {short(running.id)}", hard=True)
    if _STOPPED in against and (stopped := _first(containers, running=False)):
        raise _conflict(short(image.id), f"image is being used by stopped container {short(stopped.id)}")
    if _NAMED in against and len(names) > 1:
        raise _conflict(short(image.id), "image is referenced in multiple repositories")


def _first(containers: list[Container], *, running: bool) -> Container | None:
    return next((each for each in containers if each.state.running == running), None)


def _delete(core: Core, image: Image, names: list[Reference], against: Collection[str], prune: bool) -> list[Record]:
    """All names, the image, and the parents without a name that no container uses."""
    _check(core, image, names, against)
    store = ImageStore(core)
    keep = len(names) == 1 and _NAMED in against and bool(store.children(image.id))
    records = [_untag(core, name) for name in names]
    parents = _parents(core, image) if prune else []
    if not keep:
        forget(core, image.id)
    records.append(("Deleted", image.id))
    for parent in parents:
        if store.names(parent.id):
            break
        try:
            _check(core, parent, names, {_NAMED, _STOPPED})
        except EngineError:
            break
        forget(core, parent.id)
        records.append(("Deleted", parent.id))
    return records


def _parents(core: Core, image: Image) -> list[Image]:
    """What it was committed from, what that was committed from, …; none where one of them is gone."""
    found: list[Image] = []
    while image.parent:
        parent = ImageStore(core).get(image.parent)
        if parent is None:
            return []
        found.append(parent)
        image = parent
    return found


def _untag(core: Core, name: Reference) -> Record:
    ImageStore(core).untag(name)
    return "Untagged", name.familiar


def forget(core: Core, image_id: str) -> None:
    """Take an image out of the store; layers go that nothing else needs."""
    image = core.tables.images[image_id]
    core.tables.images.delete(image_id)
    imagestore.remove_image(core, image_id)
    core.events.append(ImageRemoved(image_id))
    LayerStore(core).release(image.chain)
    LayerStore(core).release_kept(image.chain)
    imagestore.sync(core)


# --- prune


def prune(core: Core, all: bool = False, filters: Filters | None = None) -> tuple[list[Record], int]:
    """POST /images/prune: images without a name, or with `all` (`dangling=false`) every name that no container uses."""
    wanted = errors.check_filters(filters, PRUNE_FILTERS)
    dangling_only = not all and errors.filter_truth(wanted, "dangling") is not False
    limit = errors.earliest(wanted, core.now(), UNTIL, many=True)
    store = ImageStore(core)
    candidates = [
        (image, name)
        for image in store.all()
        if errors.labels_match(members(image.run_config, "Labels"), wanted)
        and not (limit is not None and image.created >= limit)
        for name in _names_to_prune(store, image, dangling_only)
    ]
    candidates.sort(key=lambda each: str(each[1] or f"moby-dangling@{each[0].id}"))
    records: list[Record] = []
    space = 0
    for image, name in _unused(core, candidates):
        more, freed = _prune_one(core, image, name)
        records += more
        space += freed
    return records, space


def _names_to_prune(store: ImageStore, image: Image, dangling_only: bool) -> list[Reference | None]:
    names = store.names(image.id)
    return [None] if not names else [] if dangling_only else list[Reference | None](names)


_Candidate = tuple[Image, Reference | None]  # with the name that goes; None: it has none


def _unused(core: Core, candidates: list[_Candidate]) -> list[_Candidate]:
    """Those whose name no container was made with, and not the last one of an image that was asked for by its id."""
    containers = [each for _, each in core.tables.containers.items()]
    kept_names = {str(parse(text).tagged()) for each in containers if not _by_id(each) and (text := _asked(each))}
    kept_images = {each.image for each in containers if _by_id(each)}
    used = {each.image for each in containers}
    left = {image.id: max(1, len(ImageStore(core).names(image.id))) for image, _ in candidates}
    found: list[_Candidate] = []
    for image, name in candidates:
        if (name is None and image.id in used) or (name is not None and str(name) in kept_names):
            continue
        if left[image.id] > 1:
            left[image.id] -= 1
        elif image.id in kept_images:
            continue
        found.append((image, name))
    return found


def _asked(container: Container) -> str:
    """What the container's image was called when it was made."""
    return str(container.config.get("Image") or "")


def _by_id(container: Container) -> bool:
    return container.image[7:].startswith(_asked(container).removeprefix("sha256:"))


def _prune_one(core: Core, image: Image, name: Reference | None) -> tuple[list[Record], int]:
    """Remove one name; the blobs and snapshots that are gone with it count."""
    store = ImageStore(core)
    before = _unpacked(core)
    if name is not None:
        store.untag(name)
    records: list[Record] = [("Untagged", name.familiar if name else image.id)]
    if store.names(image.id) or image.stored is None:
        return records, 0
    forget(core, image.id)
    left = imagestore.present(core)
    gone = [blob for blob in image.stored.blobs if blob.digest not in left]
    records += [("Deleted", blob.digest) for blob in gone if blob.media in (contentstore.INDEX, contentstore.MANIFEST)]
    after = _unpacked(core)
    return records, contentstore.total(gone) + sum(size for chain, size in before.items() if chain not in after)


def _unpacked(core: Core) -> dict[str, int]:
    """The snapshots of images, containers and the build cache's bases; what the cache made it has for itself."""
    store = LayerStore(core)
    tops = [image.chain for _, image in core.tables.images.items()]
    tops += [writable.parent for _, writable in core.tables.mounts.items()]
    tops += [record.chain for _, record in core.tables.cache.items() if store.cache_id(record.chain) != record.id]
    found: dict[str, int] = {}
    for chain in tops:
        while (record := store.get(chain)) and record.chain_id not in found:
            found[record.chain_id] = record.size
            chain = record.parent
    return found
