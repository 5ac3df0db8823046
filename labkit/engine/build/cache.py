"""The build cache: what each finished step left, by what it was made from; and looks into its layers.

A *record* is the layer that a step with its cache key made; it holds the layer until it is pruned. A *link* leads from
a COPY --from by its Dockerfile to its key by content, so that it is found when the stage that it copies from is no
longer there. (BuildKit: solver/cache.go, cache/manager.go, in effect.)
"""

from __future__ import annotations

import re
import stat
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from heapq import heapify, heappop, heappush

from labkit.engine.core.core import Core
from labkit.engine.core.errors import earliest
from labkit.engine.core.records import LOCAL, CacheRecord, Journal, Known, MadeStep, key_digest
from labkit.engine.images.contentstore import packed
from labkit.engine.images.imagestore import LayerStore, sync
from labkit.files import Files, Namespace, Source, tmpfs
from labkit.files.contents import PAGE
from labkit.kernel.golang import JsonObject, number

_LAST = "last"  # the one journal that is kept
_UNTIL = ("until", "unused-for")
Filters = Mapping[str, Sequence[str]]


class BuildCache:
    """All records of an engine. Everything lies in its tables."""

    def __init__(self, core: Core) -> None:
        self._core = core

    # finding

    def find(self, digest: str) -> CacheRecord | None:
        """The record of the step with this key."""
        found = self._core.tables.cache_ids.get(digest)
        return self._core.tables.cache.get(found) if found else None

    def all(self) -> list[CacheRecord]:
        """The one that was not used for the longest time first."""
        return sorted((record for _, record in self._core.tables.cache.items()), key=_age)

    def linked(self, by_name: str) -> str | None:
        return self._core.tables.cache_links.get(by_name)

    def known(self, name: str) -> dict[str, Known]:
        """What was sent last under this name."""
        return self._core.tables.cache_sent.get(key_digest(LOCAL, name)) or {}

    def made(self) -> tuple[MadeStep, ...]:
        """All steps that were ever made, those that were pruned too, in order."""
        return tuple(sorted((made for _, made in self._core.tables.made_steps.items()), key=lambda made: made.number))

    def made_of(self, digest: str | None) -> MadeStep | None:
        """What was made under a key, even if its record is no longer there."""
        return self._core.tables.made_steps.get(digest) if digest else None

    @property
    def journal(self) -> Journal | None:
        """What the last build found and made."""
        return self._core.tables.journals.get(_LAST)

    # changing

    def keep_journal(self, journal: Journal) -> None:
        self._core.tables.journals.set(_LAST, journal)

    def keep_made(self, made: MadeStep) -> None:
        """Remember how a step was made; it outlasts the record."""
        self._core.tables.made_steps.set(made.key.digest, made)

    def add(self, record: CacheRecord) -> CacheRecord:
        """Keep a record; one with the same key is no longer found, but stays until it is pruned."""
        now = self._core.now()
        record = replace(record, created=record.created or now, used=now)
        self._core.tables.cache.set(record.id, record)
        self._core.tables.cache_ids.set(record.digest, record.id)
        return record

    def use(self, record: CacheRecord, size: int | None = None) -> CacheRecord:
        """Its layer, or what was sent, is taken once more."""
        record = self._core.tables.cache.get(record.id) or record
        size = record.size if size is None else size
        record = replace(record, size=size, used=self._core.now(), count=record.count + 1)
        self._core.tables.cache.set(record.id, record)
        return record

    def link(self, by_name: str, digest: str) -> None:
        self._core.tables.cache_links.set(by_name, digest)

    def remember(self, name: str, known: dict[str, Known], size: int, description: str) -> None:
        """What was sent from a client's folder."""
        digest = key_digest(LOCAL, name)
        if self._core.keeps_manifests:
            size = _sent_blocks(known)
        self._core.tables.cache_sent.set(digest, known)
        if record := self.find(digest):
            self.use(record, size)
        else:
            self.add(CacheRecord(self._core.ids.key("build"), digest, LOCAL, description=description, size=size))

    def exported(self, chains: Collection[str]) -> None:
        """An image has these layers now: the containerd store has a blob of each."""
        for record in self.all():
            layer = LayerStore(self._core).get(record.chain)
            if layer and layer.cache_id == record.id and record.chain in chains:
                blob = packed(layer.layer).blob.size
                self._core.tables.cache.set(record.id, replace(record, blob=blob))
        sync(self._core)

    def size(self, record: CacheRecord) -> int:
        """Bytes that a record takes."""
        own = self._core.driver.size(record.scratch) if record.scratch else record.size
        return own + record.blob

    # for the CLI

    def _image_chains(self) -> frozenset[str]:
        """The chain ids of all images' layers."""
        found: set[str] = set()
        for _, image in self._core.tables.images.items():
            chain = image.chain
            while chain and chain not in found:
                found.add(chain)
                layer = LayerStore(self._core).get(chain)
                chain = layer.parent if layer else None
        return frozenset(found)

    def usage(self) -> list[JsonObject]:
        """What GET /system/df tells of the records; times in ns."""
        images = self._image_chains()
        return [self._row(record, images) for record in self.all()]

    def prune(self, all: bool = False, keep: int = 0, filters: Filters | None = None) -> tuple[list[JsonObject], int]:
        """POST /build/prune: what went, and its bytes. Without `all` what images share stays.

        The one that was not used for the longest time goes first, but none that another record stands on.
        """
        images, filters = self._image_chains(), filters or {}
        times = [text for name in _UNTIL for text in filters.get(name, ())]
        limit = earliest({"until": times}, self._core.now(), many=True)
        records = {record.id: record for record in self.all()}
        wanted = {
            record.id
            for record in records.values()
            if (all or record.chain not in images)
            and (limit is None or record.used < limit)
            and all_match(_texts(record), filters)
        }
        standing = Counter(record.parent for record in records.values())
        leaves = [(_age(records[each]), records[each]) for each in wanted if not standing[each]]
        heapify(leaves)
        sizes = {record.id: self.size(record) for record in records.values()}
        total, gone = sum(sizes.values()), list[JsonObject]()
        while leaves and not (keep and total <= keep):
            leaf = heappop(leaves)[1]
            gone.append(self._row(leaf, images))
            self._remove(leaf)
            total -= sizes[leaf.id]
            standing[leaf.parent] -= 1
            if leaf.parent in wanted and not standing[leaf.parent]:
                heappush(leaves, (_age(records[leaf.parent]), records[leaf.parent]))
        sync(self._core)
        return gone, sum(number(row, "Size") for row in gone)

    def _row(self, record: CacheRecord, images: frozenset[str]) -> JsonObject:
        return {
            "ID": record.id,
            "Parents": [record.parent] if record.parent else None,
            "Type": record.type,
            "Description": record.description,
            "InUse": False,
            "Shared": record.chain in images,
            "Size": self.size(record),
            "CreatedAt": record.created,
            "LastUsedAt": record.used,
            "UsageCount": record.count,
        }

    def _remove(self, record: CacheRecord) -> None:
        tables = self._core.tables
        tables.cache.delete(record.id)
        if tables.cache_ids.get(record.digest) == record.id:
            tables.cache_ids.delete(record.digest)
        if record.digest in tables.cache_sent:
            tables.cache_sent.delete(record.digest)
        if record.chain:
            LayerStore(self._core).release(record.chain)
        if record.scratch:
            self._core.driver.remove(record.scratch)


def _sent_blocks(known: Mapping[str, Known]) -> int:
    """Blocks of a snapshot that holds what was sent, its folders' too."""
    folders = {"", *(path[:place] for path in known for place, letter in enumerate(path) if letter == "/" and place)}
    folders |= {path for path, (mode, *_) in known.items() if stat.S_ISDIR(mode)}
    files = (-(-size // PAGE) for mode, size, *_ in known.values() if stat.S_ISREG(mode))
    return PAGE * (len(folders) + sum(files))


def _age(record: CacheRecord) -> tuple[int, int, str]:
    return record.used, record.created, record.id


def _texts(record: CacheRecord) -> dict[str, str]:
    """What filters look at."""
    return {"id": record.id, "type": record.type, "description": record.description, "parents": record.parent}


def all_match(row: Mapping[str, str], filters: Filters) -> bool:
    """Whether a record is as all filters say: `id` and NAME~ are patterns, NAME! must differ, others are equal.

    What has no text (shared, inuse…) equals nothing (buildx commands/prune.go; buildkit cache/manager.go).
    """
    return all(_matches(row, name, value) for name, values in filters.items() if name not in _UNTIL for value in values)


def _matches(row: Mapping[str, str], name: str, value: str) -> bool:
    field = name.rstrip("!~")
    if name == "id" or name.endswith("~"):
        return re.search(value, row.get(field, "")) is not None
    if name.endswith("!"):
        return row.get(field, "") != value
    return bool(row.get(field)) and row[field] == value


class Views:
    """File systems seen from their own root; close() forgets them all."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._open: list[Namespace] = []
        self._mounted: list[str] = []
        self._layers: dict[str, Files] = {}

    def of(self, source: Source) -> Files:
        namespace = Namespace(self._core.host.store, source)
        self._open.append(namespace)
        return namespace.files()

    def folder(self, files: Files, path: str) -> Files:
        return self.of(files.source(path))

    def empty(self) -> Files:
        """A file system in memory with nothing in it."""
        return self.of(tmpfs(self._core.host.store, mode=0o755))

    def layer(self, chain: str) -> Files:
        """A finished layer, with all below it."""
        if chain not in self._layers:
            cache_id = LayerStore(self._core).cache_id(chain)
            assert cache_id
            self._layers[chain] = self.of(self._core.driver.mount(cache_id))
        return self._layers[chain]

    def mount(self, layer_id: str) -> Source:
        """A layer that is written to; it is unmounted with the rest."""
        self._mounted.append(layer_id)
        return self._core.driver.mount(layer_id)

    def close(self) -> None:
        for namespace in self._open:
            namespace.discard()
        for layer_id in self._mounted:
            self._core.driver.unmount(layer_id)
        self._open, self._mounted, self._layers = [], [], {}
