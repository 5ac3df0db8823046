"""What the drivers cost, against a walk over the simulated disk that reads every byte, and against their documentation."""

from __future__ import annotations

import random
import re
import stat
from pathlib import Path

import pytest

import labkit.drivers
from labkit.cli import main
from labkit.drivers import DRIVERS
from labkit.drivers.fulltrees import Clones
from labkit.drivers.measure import Bench, Measure, base_image, change, measure, measure_all
from labkit.files import Files
from tests.files.operations import play_simulated, sequence

PAGE = 4096
UNIONS = ("overlay2", "overlay", "aufs", "fuse-overlayfs", "overlayfs")
CLONES = tuple(name for name, driver in DRIVERS.items() if issubclass(driver, Clones))


def random_work(bench: Bench, seed: int) -> None:
    """An image of three layers that nobody planned, and three containers."""
    chance = random.Random(seed)

    def step(files: Files) -> None:
        for one in sequence(chance, 15):
            if one[0] not in ("rename", "truncate"):
                play_simulated(files, one)
        bench.host.store.clock.now += 1
        for name in ("/large", "/larger"):
            files.append(name, chance.randbytes(chance.randrange(300_000)))
            change(files, name, chance.randrange(files.stat(name).st_size), b"changed")
        path = f"/usr/0/{chance.randrange(20)}"
        if files.exists(path):
            files.unlink(path)

    top = bench.image([base_image, step, step])
    for _ in range(3):
        step(bench.files(bench.start(top)))


def walked(files: Files, top: str) -> dict[int, int]:
    """Bytes of the blocks of each inode below a folder, and of the folder."""
    paths = [top] + [f"{folder}/{name}" for folder, *_ in files.walk(top) for name in files.listdir(folder)]
    found = {}
    for path in paths:
        seen = files.lstat(path)
        is_link = stat.S_ISLNK(seen.st_mode)
        found[seen.st_ino] = PAGE if stat.S_ISDIR(seen.st_mode) else 0 if is_link else seen.st_blocks * 512
    return found


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("name", [name for name in DRIVERS if name not in CLONES])
def test_folders_cost_what_a_walk_counts(name: str, seed: int) -> None:
    bench = Bench(DRIVERS[name])
    random_work(bench, seed)
    found: dict[int, int] = {}
    for id in bench.driver.ids():
        found |= walked(bench.host, bench.driver.layer_path(id))
    assert (bench.total().disk, bench.total().inodes) == (sum(found.values()), len(found))


def files_of(files: Files) -> dict[int, tuple[object, bytes]]:
    """What there is to know of each inode, and its bytes."""
    found = {}
    paths = ["/"] + [f"{folder}/{name}" for folder, *_ in files.walk("/") for name in files.listdir(folder)]
    for path in paths:
        seen = files.lstat(path)
        data = files.read(path) if stat.S_ISREG(seen.st_mode) else b""
        about = (seen.st_mode, seen.st_uid, seen.st_gid, seen.st_mtime_ns, seen.st_nlink)
        found[seen.st_ino] = (about, data)
    return found


def up(size: int, unit: int) -> int:
    return -(-size // unit) * unit


def own_bytes(name: str, unit: int, mine: dict[int, tuple[object, bytes]], parents: dict) -> int:  # type: ignore[type-arg]
    """Bytes of the blocks that the parent does not have."""
    total = fresh = 0
    for number, (_, data) in mine.items():
        old = parents[number][1] if number in parents else b""
        starts = range(0, len(data), unit)
        blocks = sum(data[at : at + unit] != old[at : at + unit] for at in starts)
        if name == "devicemapper" and number not in parents:
            fresh += up(len(data), PAGE)
        elif name == "zfs" and len(data) <= unit:
            total += up(len(data), PAGE) if blocks else 0
        else:
            total += blocks * unit
    return total + up(fresh, unit)


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("name", CLONES)
def test_clones_cost_what_comparing_all_bytes_counts(name: str, seed: int) -> None:
    bench = Bench(DRIVERS[name])
    random_work(bench, seed)
    driver = bench.driver
    assert isinstance(driver, Clones)
    everything = {id: files_of(bench.files(id)) for id in driver.ids()}
    for id, mine in everything.items():
        parent = driver.rows[id].parent
        parents = everything[parent] if parent else {}
        changed = sum(number not in parents or parents[number] != about for number, about in mine.items())
        cost = driver.cost(id)
        assert (cost.disk, cost.inodes) == (own_bytes(name, driver.unit, mine, parents), changed), id


@pytest.fixture(scope="module")
def rows() -> dict[str, Measure]:
    return {row.driver: row for row in measure_all()}


def test_the_order_on_a_first_write_to_a_large_file(rows: dict[str, Measure]) -> None:
    """docker/docs, storage drivers: the overlay drivers and aufs copy the file, the others a block of their size."""
    assert rows["btrfs"].first_write == 4 << 10
    assert rows["devicemapper"].first_write == 64 << 10
    assert rows["zfs"].first_write == 128 << 10
    assert {rows[name].first_write for name in UNIONS} == {1 << 30}


def test_the_order_by_disk_for_a_hundred_containers(rows: dict[str, Measure]) -> None:
    """docker/docs: vfs makes a deep copy for each container; all others share the image."""
    most = max(row.containers for name, row in rows.items() if name != "vfs")
    assert rows["vfs"].containers > 20 * most
    assert rows["devicemapper"].containers > rows["btrfs"].containers


def test_the_order_by_inodes(rows: dict[str, Measure]) -> None:
    """docker/docs: overlay takes many inodes, since every layer has all folders again; overlay2 does not."""
    assert rows["overlay2"].deep < rows["overlay"].deep < rows["vfs"].deep
    assert rows["overlay2"].looked_through == 40
    assert rows["overlay"].looked_through == 2
    assert rows["btrfs"].looked_through == 1


def test_what_is_deleted_in_a_later_layer_stays_on_the_disk(rows: dict[str, Measure]) -> None:
    assert all(row.deleting > 100 * 10**6 for row in rows.values())


def test_who_shares_the_page_cache(rows: dict[str, Measure]) -> None:
    assert {name for name, row in rows.items() if row.page_cache} == set(UNIONS) - {"fuse-overlayfs"}


def test_the_command_prints_a_row_a_driver(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["drivers"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["DRIVER", *DRIVERS]


def test_a_driver_is_named_in_its_own_file_and_in_the_table_alone() -> None:
    """But for the names that the kernel and the daemon have for the file systems under a driver."""
    package = Path(labkit.drivers.__file__).parents[1]
    parts = [*(package / "drivers").glob("*.py"), *(package / "engine").rglob("*.py"), package / "machine.py"]
    for name in DRIVERS.keys() - {"overlay", "overlayfs", "zfs", "btrfs", "aufs"}:
        own = {"__init__.py", f"{name.replace('-', '_')}.py"}
        named = {path.name for path in parts if re.search(f"[\"']{name}[\"']", path.read_text(encoding="utf-8"))}
        assert named <= own | ({"choice.py"} if name == "vfs" else set()), name


def test_a_tenth_driver_takes_one_file_and_one_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "tenth.py"
    file.write_text("from labkit.drivers.vfs import Vfs\n\n\nclass Tenth(Vfs):\n    name = 'tenth'\n")
    monkeypatch.syspath_prepend(tmp_path)
    from tenth import Tenth  # type: ignore[import-not-found]

    from labkit import Machine

    monkeypatch.setitem(DRIVERS, "tenth", Tenth)
    machine = Machine(storage_driver="tenth")
    assert machine.run("docker run --rm busybox echo up").stdout == "up\n"
    assert " Storage Driver: tenth\n" in machine.run("docker info").stdout
    assert machine.run("ls /var/lib/docker/image").stdout == "tenth\n"
    assert measure("tenth", Tenth).containers == measure("vfs", DRIVERS["vfs"]).containers
