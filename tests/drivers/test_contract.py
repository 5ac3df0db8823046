"""One contract for all drivers: whatever lies on the disk, a container sees the same files."""

from __future__ import annotations

import random

import pytest

from labkit.drivers import DRIVERS, Driver
from labkit.files import Files, Namespace
from tests.files.machines import empty_host, layer, tree
from tests.files.operations import play_simulated, sequence

LAYERS = [
    {"a/a": "1\n", "a/b": "2\n", "a/c/a": "3\n", "b": "4\n", "c": None, "d/a/b": "5\n"},
    {"a/d": "6\n", "-d/a": None, "c/a": "7\n", "a/c/d": "8\n"},
]


def stacked(name: str) -> tuple[Files, Driver]:
    """A driver with the two layers, "0" and "1", and an unfinished "top" on them."""
    host = empty_host()
    driver = DRIVERS[name](host, "/docker")
    parent = None
    for number, files in enumerate(LAYERS):
        driver.create(str(number), parent)
        driver.apply(str(number), layer(files))
        parent = str(number)
    driver.create("top", parent)
    return host, driver


def seen_in(host: Files, driver: Driver, id: str) -> Files:
    return Namespace(host.store, driver.mount(id)).files()


@pytest.mark.parametrize("name", DRIVERS)
class TestEachDriver:
    def test_a_layer_on_a_layer_shows_both(self, name: str) -> None:
        host, driver = stacked(name)
        files = seen_in(host, driver, "top")
        assert files.listdir("/") == ["a", "b", "c", "d"]
        assert files.listdir("/a/c") == ["a", "d"]
        assert files.listdir("/d") == []

    def test_a_finished_layer_can_not_be_written(self, name: str) -> None:
        host, driver = stacked(name)
        with pytest.raises(OSError, match="Read-only file system"):
            seen_in(host, driver, "1").write("/new", "")

    def test_what_is_written_is_seen_above_and_not_below(self, name: str) -> None:
        host, driver = stacked(name)
        seen_in(host, driver, "top").append("/b", "more\n")
        assert seen_in(host, driver, "top").read("/b") == b"4\nmore\n"
        assert seen_in(host, driver, "1").read("/b") == b"4\n"

    def test_a_committed_layer_has_the_changes(self, name: str) -> None:
        host, driver = stacked(name)
        files = seen_in(host, driver, "top")
        files.rmtree("/a")
        files.write("/new", "n\n")
        made = driver.commit("top")
        assert {entry.path for entry in made.entries()} == {"a", "new"}
        driver.create("next", "top")
        assert seen_in(host, driver, "next").listdir("/") == ["b", "c", "d", "new"]

    def test_a_folder_and_a_file_in_each_others_place(self, name: str) -> None:
        """go-archive, changes.go: what was below a folder that is none any more is not told of."""
        host, driver = stacked(name)
        files = seen_in(host, driver, "top")
        files.rmtree("/a")
        files.write("/a", "a file")
        files.unlink("/b")
        files.mkdir("/b")
        files.write("/b/in", "")
        assert list(driver.changes("top")) == [("C", "/a"), ("C", "/b"), ("A", "/b/in")]
        assert {entry.path for entry in driver.diff("top").entries()} == {"a", "b", "b/in"}

    def test_removing_a_layer_leaves_nothing_of_it(self, name: str) -> None:
        host, driver = stacked(name)
        before = tree(host, "/docker")
        driver.create("gone", "1")
        seen_in(host, driver, "gone").write("/x", "x")
        driver.remove("gone")
        assert tree(host, "/docker") == before

    def test_a_snapshot_brings_all_back(self, name: str) -> None:
        host, driver = stacked(name)
        saved = host.store.snapshot(), driver.snapshot()
        before = tree(host)
        seen_in(host, driver, "top").write("/b", "changed")
        driver.unmount("top")
        driver.remove("top")
        host.store.restore(saved[0])
        driver.restore(saved[1])
        assert tree(host) == before
        assert seen_in(host, driver, "top").read("/b") == b"4\n"


@pytest.mark.parametrize("name", [name for name in DRIVERS if name != "vfs"])
def test_random_operations_leave_what_full_copies_have(name: str) -> None:
    for seed in range(150):
        results = []
        for driver_name in (name, "vfs"):
            host, driver = stacked(driver_name)
            files = seen_in(host, driver, "top")
            played = [play_simulated(files, step) for step in _without_deviations(seed)]
            host.store.clock.now += 1
            results.append((played, tree(files), driver.changes("top"), driver.diff("top").diff_id))
        assert results[0] == results[1], f"seed {seed}"


def _without_deviations(seed: int) -> list[tuple[object, ...]]:
    """No renaming: a folder of a lower layer can't be moved in a union mount (EXDEV), which full copies allow."""
    return [step for step in sequence(random.Random(seed), 40) if step[0] != "rename"]
