"""One contract for all drivers: whatever lies on the disk, a container sees the same files."""

from __future__ import annotations

import random

import pytest

from labkit.drivers import DRIVERS
from labkit.drivers.unionmounts import UnionMounts
from labkit.files import O_WRONLY
from tests.drivers.deviations import COUNTS_OTHER_LAYERS, ORACLE, UNIONS
from tests.drivers.stacked import seen_in, stacked
from tests.files.machines import layer, tree
from tests.files.operations import play_simulated, sequence

pytestmark = pytest.mark.long


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


def played(name: str, seed: int, left_out: set[str]) -> tuple[object, ...]:
    """What random steps return, and what they leave behind."""
    host, driver = stacked(name)
    files = seen_in(host, driver, "top")
    steps = [step for step in sequence(random.Random(seed), 40) if step[0] not in left_out]
    results = [play_simulated(files, step) for step in steps]
    host.store.clock.now += 1
    layer = UnionMounts.diff(driver, "top") if isinstance(driver, UnionMounts) else driver.diff("top")
    return results, tree(files), driver.changes("top"), layer.diff_id


def not_counted(name: str) -> set[str]:
    return {"links"} if name in COUNTS_OTHER_LAYERS else set()


@pytest.mark.parametrize("name", [name for name in DRIVERS if name != ORACLE])
def test_random_operations_leave_what_full_copies_have(name: str) -> None:
    """Without renaming where a folder of a lower layer can't be moved."""
    left_out = not_counted(name) | ({"rename"} if name in UNIONS else set())
    for seed in range(80):
        assert played(name, seed, left_out) == played(ORACLE, seed, left_out), f"seed {seed}"


@pytest.mark.parametrize("name", UNIONS[1:])
def test_union_drivers_rename_alike(name: str) -> None:
    for seed in range(80):
        assert played(name, seed, not_counted(name)) == played(UNIONS[0], seed, not_counted(name)), f"seed {seed}"


def test_the_layer_of_overlay2_has_what_was_copied_up_without_a_change_too() -> None:
    """moby, overlay2/overlay.go, Diff: an archive of the upper folder where the kernel allows it."""
    host, driver = stacked("overlay2")
    files = seen_in(host, driver, "top")
    files.open("/b", O_WRONLY).close()
    files.rmtree("/a")
    files.mkdir("/a")
    assert "/b" not in {path for _, path in driver.changes("top")}
    assert {entry.path for entry in driver.diff("top").entries()} == {"a", "b"}  # a is opaque
    seen = tree(files)
    driver.create("again", "1")
    driver.apply("again", driver.diff("top"))
    assert tree(seen_in(host, driver, "again")) == seen


@pytest.mark.parametrize("name", [name for name in DRIVERS if name != ORACLE])
def test_random_builds_make_the_same_layers(name: str) -> None:
    for seed in range(40):
        assert built(name, seed) == built(ORACLE, seed), f"seed {seed}"


def built(name: str, seed: int) -> list[object]:
    """Layers committed one on another, the init layer and a container on the last."""
    host, driver = stacked(name)
    chance = random.Random(seed)
    parent, seen = "1", []
    for number in range(3):
        driver.create(f"step{number}", parent)
        parent = f"step{number}"
        files = seen_in(host, driver, parent)
        for step in sequence(chance, 12):
            if step[0] not in ("rename", "links", "chmod", "chown"):  # what is copied up unchanged is in a layer
                play_simulated(files, step)
        host.store.clock.now += 1
        driver.commit(parent)
        seen.append(tree(seen_in(host, driver, parent)))
    driver.create("c-init", parent)
    driver.apply("c-init", layer({"etc/hosts": ""}))
    driver.create("c", "c-init")
    files = seen_in(host, driver, "c")
    files.append("/etc/hosts", "x")
    seen += [tree(files), driver.changes("c")]
    for gone in ("c", "c-init", parent):
        driver.unmount(gone)
        driver.remove(gone)
    return seen
