"""The build cache: what each finished step left, by what it was made from; and looks into its layers.

A *key* says what a step does and what it stands on: a RUN's words, variables, folder and user; a COPY's options and
the content of what it copies. Times are in none of it. A *record* is the layer that a step with that key made; it
holds the layer until it is pruned. A *link* leads from a COPY --from by its Dockerfile to its key by content, so
that it is found when the stage that it copies from is no longer there. (BuildKit: solver/cache.go, cache/manager.go,
in effect.)
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from labkit.engine.build.context import Known
from labkit.files import Files, Namespace, Source, tmpfs

if TYPE_CHECKING:
    from labkit.engine.api import Engine
    from labkit.engine.build.journal import Journal
    from labkit.engine.build.recipe import MadeStep


REGULAR, LOCAL, MOUNT = "regular", "source.local", "exec.cachemount"
_RECORD, _KEY, _LINK, _KNOWN, _MADE, _JOURNAL = "record/", "key/", "link/", "known/", "made/", "journal"
_UNTIL = ("until", "unused-for")
Filters = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class CacheRecord:
    """One line of `docker system df -v`."""

    id: str  # 25 letters and digits; also the name of the layer's folder
    key: str
    type: str = REGULAR
    chain: str | None = None  # of the layer that it holds
    parent: str = ""  # id of the record below
    description: str = ""
    size: int = 0
    created: int = 0  # ns
    used: int = 0  # ns
    count: int = 1
    scratch: str = ""  # a cache mount's own layer


def key_of(*parts: object) -> str:
    return sha256("\0".join(map(str, parts)).encode("utf-8", "replace")).hexdigest()


class BuildCache:
    """All records of an engine. Everything lies in its table `cache`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @property
    def _table(self) -> Any:
        return self._engine.tables.cache

    # finding

    def find(self, key: str) -> CacheRecord | None:
        found = self._table.get(_KEY + key)
        return self._table.get(_RECORD + found) if found else None

    def record(self, record_id: str) -> CacheRecord | None:
        return self._table.get(_RECORD + record_id)

    def all(self) -> list[CacheRecord]:
        """The one that was not used for the longest time first."""
        records = [value for name, value in self._table.items() if name.startswith(_RECORD)]
        return sorted(records, key=lambda record: (record.used, record.created, record.id))

    def linked(self, key: str) -> str | None:
        return self._table.get(_LINK + key)

    def known(self, name: str) -> dict[str, Known]:
        """What was sent last under this name."""
        return self._table.get(_KNOWN + name) or {}

    def made(self) -> tuple[MadeStep, ...]:
        """All steps that were ever made, those that were pruned too, in order."""
        found = [value for name, value in self._table.items() if name.startswith(_MADE)]
        return tuple(sorted(found, key=lambda made: made.number))

    def made_of(self, key: str | None) -> MadeStep | None:
        """What was made under a key, even if its record is no longer there."""
        return self._table.get(_MADE + key) if key else None

    @property
    def journal(self) -> Journal | None:
        """What the last build found and made."""
        return self._table.get(_JOURNAL)

    # changing

    def keep_journal(self, journal: Journal) -> None:
        self._table.set(_JOURNAL, journal)

    def keep_made(self, made: MadeStep) -> None:
        """Remember how a step was made; it outlasts the record."""
        self._table.set(_MADE + made.recipe.key, made)

    def add(self, record: CacheRecord) -> CacheRecord:
        """Keep a record; one with the same key is no longer found, but stays until it is pruned."""
        now = self._engine.now()
        record = replace(record, created=record.created or now, used=now)
        self._table.set(_RECORD + record.id, record)
        self._table.set(_KEY + record.key, record.id)
        return record

    def use(self, record: CacheRecord, **changes: Any) -> CacheRecord:
        """Its layer, or what was sent, is taken once more."""
        record = replace(self._table.get(_RECORD + record.id, record), **changes)
        record = replace(record, used=self._engine.now(), count=record.count + 1)
        self._table.set(_RECORD + record.id, record)
        return record

    def link(self, key: str, content_key: str) -> None:
        self._table.set(_LINK + key, content_key)

    def remember(self, name: str, known: dict[str, Known], size: int, description: str) -> None:
        """What was sent from a client's folder."""
        self._table.set(_KNOWN + name, known)
        key = key_of(LOCAL, name)
        if record := self.find(key):
            self.use(record, size=size)
        else:
            record_id = self._engine.ids.key("build")
            self.add(CacheRecord(record_id, key, LOCAL, description=description, size=size))

    # for the CLI

    def shared(self, record: CacheRecord, images: frozenset[str] | None = None) -> bool:
        """Whether an image has the layer too."""
        return record.chain is not None and record.chain in (self.image_chains() if images is None else images)

    def image_chains(self) -> frozenset[str]:
        """The chain ids of all images' layers."""
        found = set()
        for _, image in self._engine.tables.images.items():
            chain = image.chain
            while chain and chain not in found:
                found.add(chain)
                layer = self._engine.layerstore.get(chain)
                chain = layer.parent if layer else None
        return frozenset(found)

    def usage(self) -> list[dict[str, Any]]:
        """What GET /system/df tells of the records; times in ns."""
        images = self.image_chains()
        return [self._row(record, images) for record in self.all()]

    def _row(self, record: CacheRecord, images: frozenset[str]) -> dict[str, Any]:
        return {
            "ID": record.id,
            "Parents": [record.parent] if record.parent else None,
            "Type": record.type,
            "Description": record.description,
            "InUse": False,
            "Shared": self.shared(record, images),
            "Size": record.size,
            "CreatedAt": record.created,
            "LastUsedAt": record.used,
            "UsageCount": record.count,
        }

    def prune(
        self, all: bool = False, keep: int = 0, filters: Filters | None = None
    ) -> tuple[list[dict[str, Any]], int]:
        """POST /build/prune: what went, and its bytes. Without `all` what images share stays."""
        images = self.image_chains()
        wanted = {record.id for record in self.all() if self._may_go(record, all, images, filters or {})}
        gone: list[dict[str, Any]] = []
        while leaf := self._leaf(wanted):
            if keep and sum(record.size for record in self.all()) <= keep:
                break
            gone.append(self._row(leaf, images))
            self._remove(leaf)
            wanted.discard(leaf.id)
        return gone, sum(row["Size"] for row in gone)

    def _may_go(
        self, record: CacheRecord, all: bool, images: frozenset[str], filters: Mapping[str, Sequence[str]]
    ) -> bool:
        if not all and self.shared(record, images):
            return False
        limits = [self._engine.until(text) for name in _UNTIL for text in filters.get(name, ())]
        if limits and record.used >= min(limits):
            return False
        row = {"id": record.id, "type": record.type, "description": record.description, "parents": record.parent}
        return all_match(row, filters)

    def _leaf(self, wanted: set[str]) -> CacheRecord | None:
        """The next one to go: no record stands on it."""
        records = self.all()
        parents = {record.parent for record in records}
        return next((record for record in records if record.id in wanted and record.id not in parents), None)

    def _remove(self, record: CacheRecord) -> None:
        self._table.delete(_RECORD + record.id)
        if self._table.get(_KEY + record.key) == record.id:
            self._table.delete(_KEY + record.key)
        if record.type == LOCAL:
            for name in [name for name in self._table if name.startswith(_KNOWN)]:
                if key_of(LOCAL, name.removeprefix(_KNOWN)) == record.key:
                    self._table.delete(name)
        if record.chain:
            self._engine.layerstore.release(record.chain)
        if record.scratch:
            self._engine.driver.remove(record.scratch)


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

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._open: list[Namespace] = []
        self._mounted: list[str] = []
        self._layers: dict[str, Files] = {}

    def of(self, source: Source) -> Files:
        namespace = Namespace(self._engine.host.store, source)
        self._open.append(namespace)
        return namespace.files()

    def folder(self, files: Files, path: str) -> Files:
        return self.of(files.source(path))

    def empty(self) -> Files:
        """A file system in memory with nothing in it."""
        return self.of(tmpfs(self._engine.host.store, mode=0o755))

    def layer(self, chain: str) -> Files:
        """A finished layer, with all below it."""
        if chain not in self._layers:
            cache_id = self._engine.layerstore.cache_id(chain)
            assert cache_id
            self._layers[chain] = self.of(self._engine.driver.mount(cache_id))
        return self._layers[chain]

    def mount(self, layer_id: str) -> Source:
        """A layer that is written to; it is unmounted with the rest."""
        self._mounted.append(layer_id)
        return self._engine.driver.mount(layer_id)

    def close(self) -> None:
        for namespace in self._open:
            namespace.discard()
        for layer_id in self._mounted:
            self._engine.driver.unmount(layer_id)
        self._open, self._mounted, self._layers = [], [], {}
