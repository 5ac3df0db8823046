"""The records of the build cache: kept, used, told, pruned; which of them a filter means (docker/buildx commands/prune.go, containerd pkg/filters)."""

from __future__ import annotations

import stat
from collections.abc import Iterable

import pytest

from labkit import Machine
from labkit.engine.build.cache import BuildCache, Views, _sent_blocks, all_match
from labkit.engine.core.records import CacheKey, CacheRecord, Journal, MadeStep
from tests.engine.build.conftest import Host

ROW = {"id": "abc123", "type": "regular", "description": "local source for context", "parents": ""}
FILTERS = [
    ({}, True),
    ({"type": ["regular"]}, True),
    ({"type": ["reg"]}, False),
    ({"type!": ["regular"]}, False),
    ({"type!": ["exec.cachemount"]}, True),
    ({"id": ["c12"]}, True),
    ({"id": ["^c12"]}, False),
    ({"description~": ["^local .* context$"]}, True),
    ({"description": ["local"]}, False),
    ({"parents": [""]}, False),
    ({"shared": ["true"]}, False),
    ({"nosuch": ["1"]}, False),
    ({"nosuch!": ["1"]}, True),
    ({"until": ["24h"]}, True),
]


def test_what_was_used_last_goes_last_and_a_step_goes_before_the_one_below_it() -> None:
    machine = Machine()
    machine.run("docker pull -q busybox")
    steps = {"a": "RUN echo 1\nRUN echo 2\n", "b": "RUN echo 3\n", "c": "RUN echo 4\n"}
    for name in ("a", "b", "c", "a"):
        machine.files.makedirs(f"/home/learner/{name}")
        machine.files.write(f"/home/learner/{name}/Dockerfile", f"FROM busybox\n{steps[name]}")
        assert machine.run(f"docker build -q -t {name} {name}").returncode == 0
    machine.run("docker rmi a b c")
    gone, _ = machine.engine.prune_build_cache(all=True)
    made = [str(row["Description"])[-1] for row in gone if "exec" in str(row["Description"])]
    assert made == ["3", "4", "2", "1"]


@pytest.mark.parametrize(("filters", "expected"), FILTERS)
def test_filters(filters: dict[str, list[str]], expected: bool) -> None:
    assert all_match(ROW, filters) is expected


RECORDS = [  # used, created
    CacheRecord("id-c", "k3", chain=None, parent="id-b", description="third", size=30, created=3, used=30),
    CacheRecord("id-a", "k1", description="first", size=1, created=1, used=10),
    CacheRecord("id-b", "k2", parent="id-a", description="second", size=200, created=2, used=20),
    CacheRecord("id-d", "k4", description="alone", size=4000, created=4, used=15),
]


@pytest.fixture
def cache(host: Host) -> BuildCache:
    """Four records: c on b on a, and d by itself; d was used before b and c."""
    made = BuildCache(host.engine.core)
    for record in RECORDS:
        host.engine.core.tables.cache.set(record.id, record)
        host.engine.core.tables.cache_ids.set(record.digest, record.id)
    return made


def ids(records: Iterable[CacheRecord]) -> list[str]:
    return [record.id[-1] for record in records]


def test_the_longest_unused_is_first(cache: BuildCache) -> None:
    assert ids(cache.all()) == ["a", "d", "b", "c"]
    assert [row["ID"] for row in cache.usage()] == ["id-a", "id-d", "id-b", "id-c"]


def test_what_usage_tells(cache: BuildCache) -> None:
    assert cache.usage()[2] == {
        "ID": "id-b", "Parents": ["id-a"], "Type": "regular", "Description": "second", "InUse": False, "Shared": False,
        "Size": 200, "CreatedAt": 2, "LastUsedAt": 20, "UsageCount": 1,
    }  # fmt: skip
    assert cache.usage()[0]["Parents"] is None


PRUNES: list[tuple[int, dict[str, list[str]], list[str], int]] = [
    (0, {}, ["d", "c", "b", "a"], 4231),
    (231, {}, ["d"], 4000),
    (230, {}, ["d", "c"], 4030),
    (4231, {}, [], 0),
    (1, {}, ["d", "c", "b"], 4230),
    (0, {"description": ["third"]}, ["c"], 30),
    (0, {"description": ["second"]}, [], 0),  # another stands on it
    (0, {"description~": ["second|third"]}, ["c", "b"], 230),
    (0, {"id": ["^id-d$"]}, ["d"], 4000),
    (0, {"parents!": [""]}, ["c", "b"], 230),
    (0, {"type": ["source.local"]}, [], 0),
]


@pytest.mark.parametrize(("keep", "filters", "gone", "size"), PRUNES)
@pytest.mark.parametrize("all_too", [True, False])
def test_what_prune_takes(
    cache: BuildCache, keep: int, filters: dict[str, list[str]], gone: list[str], size: int, all_too: bool
) -> None:
    rows, freed = cache.prune(all=all_too, keep=keep, filters=filters)
    assert ([str(row["ID"])[-1] for row in rows], freed) == (gone, size)
    assert set(ids(cache.all())) == set("abcd") - set(gone)
    assert [cache.find(f"k{number}") is None for number in (1, 2, 3, 4)] == [letter in gone for letter in "abcd"]


def test_prune_until_is_the_last_use(host: Host) -> None:
    core = host.engine.core
    cache = BuildCache(core)
    for name in ("old", "new"):
        core.kernel.clock.advance(3600 * 10**9)
        cache.add(CacheRecord(name, name))
    core.kernel.clock.advance(1800 * 10**9)
    assert cache.prune(filters={"until": ["2h"]}) == ([], 0)
    assert cache.prune(filters={"unused-for": ["1h30m"]}) == ([], 0)
    assert [row["ID"] for row in cache.prune(filters={"until": ["1h", "10m"]})[0]] == ["old"]
    cache.use(CacheRecord("new", "new"))
    assert cache.prune(filters={"until": ["10m"]}) == ([], 0)


def test_a_record_is_kept_and_used(host: Host) -> None:
    core = host.engine.core
    cache, now = BuildCache(core), core.now()
    assert cache.add(CacheRecord("one", "key", size=5)) == CacheRecord("one", "key", size=5, created=now, used=now)
    core.kernel.clock.advance(10)
    again = cache.add(CacheRecord("two", "key", created=7))
    assert (again.created, again.used) == (7, now + 10)
    assert cache.find("key") == again
    assert ids(cache.all()) == ["e", "o"], "the other stays until it is pruned"
    core.kernel.clock.advance(10)
    used = cache.use(CacheRecord("one", "key"))
    assert (used.size, used.count, used.used, used.created) == (5, 2, now + 20, now)
    assert cache.use(used, 9).size == 9
    unknown = cache.use(CacheRecord("three", "other", size=3))
    assert (unknown.count, cache.find("other")) == (2, None)
    cache.prune(all=True, keep=0, filters={"id": ["one"]})
    assert cache.find("key") == again


def test_what_was_sent_is_one_record_a_folder(host: Host) -> None:
    cache = BuildCache(host.engine.core)
    sent = {"a": (stat.S_IFREG | 0o644, 5, 1, "")}
    assert cache.known("context") == {}
    cache.remember("context", sent, 5, "local source for context")
    cache.remember("context", sent, 8, "other words")
    cache.remember("dockerfile", {}, 1, "local source for dockerfile")
    assert cache.known("context") == sent
    rows = {str(row["Description"]): (row["Type"], row["Size"], row["UsageCount"]) for row in cache.usage()}
    assert rows == {
        "local source for context": ("source.local", 8, 2),
        "local source for dockerfile": ("source.local", 1, 1),
    }
    assert all(len(str(row["ID"])) == 25 for row in cache.usage())
    cache.prune()
    assert (cache.known("context"), cache.all()) == ({}, [])


def test_links_steps_and_the_journal(host: Host) -> None:
    cache = BuildCache(host.engine.core)
    assert (cache.linked("name"), cache.journal, cache.made(), cache.made_of(None)) == (None, None, (), None)
    cache.link("name", "key")
    cache.keep_journal(Journal(sent=3))
    steps = [MadeStep(CacheKey("run", (), str(number)), f"step {number}", 1.0, 0, number) for number in (2, 1, 3)]
    for step in steps:
        cache.keep_made(step)
    assert (cache.linked("name"), cache.journal) == ("key", Journal(sent=3))
    assert [step.number for step in cache.made()] == [1, 2, 3]
    assert cache.made_of(steps[0].key.digest) == steps[0]
    assert (cache.find("nosuch"), cache.made_of("nosuch")) == (None, None)


def test_what_images_share_stays_without_all(host: Host) -> None:
    host.write("FROM busybox\nRUN echo a > /a\nRUN echo b > /b\n")
    host.build()
    cache = BuildCache(host.engine.core)
    shared = {str(row["Description"]): row["Shared"] for row in cache.usage() if row["Type"] == "regular"}
    assert set(shared.values()) == {True}
    assert {row["Type"] for row in cache.prune()[0]} == {"source.local"}
    held = {record.chain for record in cache.all() if record.chain}
    assert all(host.engine.layerstore.get(chain) for chain in held)
    assert len(cache.prune(all=True)[0]) == len(shared)
    assert cache.all() == []
    host.engine.remove_image("app")
    assert not any(host.engine.layerstore.get(chain) for chain in held)


R = stat.S_IFREG | 0o644
BLOCKS = [  # the folder itself is a block
    ({}, 1),
    ({"a": (R, 0, 0, "")}, 1),
    ({"a": (R, 1, 0, ""), "b": (R, 4096, 0, ""), "c": (R, 4097, 0, "")}, 1 + 1 + 1 + 2),
    ({"d/e/a": (R, 1, 0, "")}, 1 + 2 + 1),
    ({"d": (stat.S_IFDIR | 0o755, 0, 0, ""), "d/a": (R, 1, 0, ""), "e": (stat.S_IFDIR | 0o755, 9, 0, "")}, 1 + 2 + 1),
    ({"l": (stat.S_IFLNK | 0o777, 5, 0, "where")}, 1),
    ({"/a": (R, 1, 0, "")}, 2),
]


@pytest.mark.parametrize(("sent", "blocks"), BLOCKS)
def test_blocks_of_what_was_sent(sent: dict[str, tuple[int, int, int, str]], blocks: int) -> None:
    assert _sent_blocks(sent) == blocks * 4096


def test_views_are_forgotten_when_they_are_closed(host: Host) -> None:
    core = host.engine.core
    core.host.makedirs("/srv/in")
    core.host.write("/srv/in/f", b"x")
    views = Views(core)
    assert views.folder(core.host, "/srv/in").read("/f") == b"x"
    empty = views.empty()
    assert (empty.listdir("/"), oct(empty.stat("/").st_mode & 0o7777)) == ([], "0o755")
    host.write("FROM busybox\nRUN echo a > /a\n")
    host.build()
    chain = host.engine.find_image("app").chain
    layer = views.layer(chain)
    assert layer.read("/a") == b"a\n"
    assert views.layer(chain) is layer
    views.close()
    with pytest.raises(KeyError):
        empty.listdir("/")
    assert views.layer(chain) is not layer
    assert views.layer(chain).read("/a") == b"a\n"
