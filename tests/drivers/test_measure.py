"""What the drivers cost, against a walk over the simulated disk that reads every byte, and against their documentation."""

from __future__ import annotations

import ast
import random
import stat
from collections.abc import Callable, Iterator
from functools import cache, partial
from hashlib import sha256
from pathlib import Path

import pytest

import labkit.drivers
from labkit.cli import main
from labkit.drivers import DRIVERS
from labkit.drivers.fulltrees import Clones
from labkit.drivers.measure import PARTS, Bench, Result, base_image, change, measure, measure_all, run, table
from labkit.files import Content, Files
from tests.files.operations import play_simulated, sequence

pytestmark = pytest.mark.long

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
        step(bench.files(bench.container(top)))


def paths_below(files: Files, top: str) -> list[str]:
    """A folder and all that is in it."""
    names = ((folder.rstrip("/"), files.listdir(folder)) for folder, *_ in files.walk(top))
    return [top, *(f"{folder}/{name}" for folder, inside in names for name in inside)]


def walked(files: Files, top: str) -> dict[object, int]:
    """Bytes of the blocks of each inode below a folder, and of the folder; a file with several names is there once."""
    found: dict[object, int] = {}
    for path in paths_below(files, top):
        seen = files.lstat(path)
        is_folder, is_link = stat.S_ISDIR(seen.st_mode), stat.S_ISLNK(seen.st_mode)
        key = seen.st_ino if seen.st_nlink > 1 and not is_folder else path
        found[key] = PAGE if is_folder else 0 if is_link else seen.st_blocks * 512
    return found


# The workload of `labkit drivers`, and three that nobody planned.
WORK: dict[str, Callable[[Bench], object]] = {
    **{name: part.work for name, part in PARTS.items()},
    **{f"random-{seed}": partial(random_work, seed=seed) for seed in (1, 2, 3)},
}


@pytest.mark.parametrize("part", WORK)
@pytest.mark.parametrize("name", [name for name in DRIVERS if name not in CLONES])
def test_folders_cost_what_a_walk_counts(name: str, part: str) -> None:
    bench = Bench(DRIVERS[name])
    WORK[part](bench)
    found: dict[object, int] = {}
    for id in bench.driver.ids():
        found |= walked(bench.host, bench.driver.layer_path(id))
    assert (bench.total().disk, bench.total().inodes) == (sum(found.values()), len(found))


def files_of(files: Files) -> dict[int, tuple[object, Content]]:
    """What there is to know of each inode, and its bytes."""
    found = {}
    for path in paths_below(files, "/"):
        seen = files.lstat(path)
        data = files.content(path) if stat.S_ISREG(seen.st_mode) else Content()
        about = (seen.st_mode, seen.st_uid, seen.st_gid, seen.st_mtime_ns, seen.st_nlink)
        found[seen.st_ino] = (about, data)
    return found


def up(size: int, unit: int) -> int:
    return -(-size // unit) * unit


@cache
def digest(data: Content, start: int) -> bytes:
    """Of a megabyte of a file: what is compared again and again is read once, and not kept."""
    return sha256(data.read(start, 1 << 20)).digest()


def different(mine: Content, old: Content, unit: int) -> Iterator[int]:
    """Where the blocks begin that are not the same byte by byte."""
    for start in range(0, len(mine), 1 << 20):
        if digest(mine, start) != digest(old, start):
            ours, theirs = mine.read(start, 1 << 20), old.read(start, 1 << 20)
            yield from (
                start + at for at in range(0, len(ours), unit) if ours[at : at + unit] != theirs[at : at + unit]
            )


def own_bytes(name: str, unit: int, mine: dict[int, tuple[object, Content]], parents: dict) -> tuple[int, int]:  # type: ignore[type-arg]
    """Bytes of the blocks that the parent does not have, and of those of them that it had otherwise."""
    total = copied = fresh = 0
    for number, (_, data) in mine.items():
        old = parents[number][1] if number in parents else Content()
        starts = list(different(data, old, unit)) if number in parents else list(range(0, len(data), unit))
        over = [at for at in starts if at < len(old)]
        if name == "devicemapper" and number not in parents:
            fresh += up(len(data), PAGE)
        elif name == "zfs" and len(data) <= unit:
            total += up(len(data), PAGE) if starts else 0
            copied += up(len(data), PAGE) if over else 0
        else:
            total += len(starts) * unit
            copied += len(over) * unit
    return total + up(fresh, unit), copied


@pytest.mark.parametrize("part", WORK)
@pytest.mark.parametrize("name", CLONES)
def test_clones_cost_what_comparing_all_bytes_counts(name: str, part: str) -> None:
    bench = Bench(DRIVERS[name])
    WORK[part](bench)
    driver = bench.driver
    assert isinstance(driver, Clones)
    everything = {id: files_of(bench.files(id)) for id in driver.ids()}
    disk = inodes = copied = 0
    for id, mine in everything.items():
        parent = driver.rows[id].parent
        parents = everything[parent] if parent else {}
        inodes += sum(number not in parents or parents[number][0] != mine[number][0] for number in mine)
        own, over = own_bytes(name, driver.unit, mine, parents)
        disk, copied = disk + own, copied + over
    assert bench.total() == (copied, disk, inodes)


def file_sizes(files: Files, top: str = "/") -> dict[str, int]:
    found = {path: files.lstat(path) for path in paths_below(files, top)}
    return {path: seen.st_size for path, seen in found.items() if stat.S_ISREG(seen.st_mode)}


@pytest.mark.parametrize("part", ["first-write", "small-writes", "containers"])
@pytest.mark.parametrize("name", UNIONS)
def test_whole_files_are_copied(name: str, part: str) -> None:
    """The files of a container's own folder that its image has too, as large as they are there."""
    bench = Bench(DRIVERS[name])
    PARTS[part].work(bench)
    ids = bench.driver.ids()
    containers = [id.removesuffix("-init") for id in ids if id.endswith("-init")]
    (image,) = set(ids) - {*containers, *(f"{id}-init" for id in containers)}
    below, copied = file_sizes(bench.files(image)), 0
    for id in containers:
        upper = bench.driver.layer_path(id)
        copied += sum(below.get(path.removeprefix(upper), 0) for path in file_sizes(bench.host, upper))
    assert bench.total().copied == copied
    assert (copied > 0) == (part != "containers")


@pytest.mark.parametrize("part", ["first-write", "containers", "deep-image"])
def test_full_copies_copy_all_that_lies_below(part: str) -> None:
    bench = Bench(DRIVERS["vfs"])
    PARTS[part].work(bench)
    sizes = {id: sum(file_sizes(bench.files(id)).values()) for id in bench.driver.ids()}
    parents = [bench.driver.rows[id].parent for id in bench.driver.ids()]  # type: ignore[attr-defined]
    assert bench.total().copied == sum(sizes[parent] for parent in parents if parent is not None)


# --- the order of the drivers, as their documentation has it

Rows = dict[tuple[str, str], Result]


@pytest.fixture(scope="module")
def results() -> list[Result]:
    return measure_all()


@pytest.fixture(scope="module")
def rows(results: list[Result]) -> Rows:
    return {(one.part, one.driver): one for one in results}


def test_the_order_on_a_first_write_to_a_large_file(rows: Rows) -> None:
    """docker/docs, storage drivers: the overlay drivers and aufs copy the file, the others a block of their size."""
    copied = {name: rows["first-write", name].copied for name in DRIVERS}
    order = ["btrfs", "devicemapper", "zfs", "overlay2", "vfs"]
    assert sorted(order, key=copied.__getitem__) == order
    assert [copied[name] for name in order] == [4 << 10, 64 << 10, 128 << 10, 1 << 30, 2 << 30]
    assert {copied[name] for name in UNIONS} == {1 << 30}


def test_the_order_by_disk_for_a_hundred_containers(rows: Rows) -> None:
    """docker/docs: vfs makes a deep copy for each container, all others share the image; a thin pool's blocks are
    larger than what a file system of folders or extents takes for a small file."""
    disk = {name: rows["containers", name].disk for name in DRIVERS}
    order = ["btrfs", "overlay2", "devicemapper", "vfs"]
    assert sorted(order, key=disk.__getitem__) == order
    assert disk["vfs"] > 20 * max(taken for name, taken in disk.items() if name != "vfs")
    assert {disk[name] for name in UNIONS} == {disk["overlay2"]}


def test_the_order_by_inodes(rows: Rows) -> None:
    """docker/docs: overlay takes many inodes, since every layer has all folders again; overlay2 does not; vfs most."""
    inodes = {name: rows["deep-image", name].inodes for name in DRIVERS}
    order = ["btrfs", "overlay2", "overlay", "vfs"]
    assert sorted(order, key=inodes.__getitem__) == order
    assert inodes["overlay"] > 2 * inodes["overlay2"]
    assert {name: rows["deep-image", name].looked_through for name in order} == {
        "btrfs": 1, "overlay2": 40, "overlay": 1, "vfs": 1,
    }  # fmt: skip
    assert rows["containers", "overlay"].looked_through == 2


def test_what_is_deleted_in_a_later_layer_stays_on_the_disk(rows: Rows) -> None:
    disk = {name: rows["deleting-build", name].disk for name in DRIVERS}
    assert all(taken > 100 * 10**6 for taken in disk.values())
    assert disk["overlayfs"] > 200 * 10**6  # the build cache's snapshot, and the image's


def test_who_shares_the_page_cache(rows: Rows) -> None:
    sharing = {name for name in DRIVERS if rows["containers", name].page_cache}
    assert sharing == (set(UNIONS) - {"fuse-overlayfs"}) | {"zfs"}  # docker/docs: the ARC has a single copy


def test_the_command_prints_the_results(results: list[Result], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["drivers"]) == 0
    shown = capsys.readouterr().out
    assert shown == table(results)
    assert [line.split()[0] for line in shown.splitlines()] == ["DRIVER", *DRIVERS]
    assert shown.splitlines()[1].split()[1] == "1.074GB"


def test_any_workload_can_be_run() -> None:
    found = run("empty", lambda bench: bench.image([lambda files: files.mkdir("/a")]))
    assert [one.driver for one in found] == list(DRIVERS)
    assert all(one.copied == 0 and one.inodes >= 2 for one in found)


# --- a driver is one file and one row

PACKAGE = Path(labkit.drivers.__file__).parents[1]
# What else bears a driver's name: the file systems of a kernel, as the daemon and the kernel call them.
FILE_SYSTEMS = {
    "drivers/choice.py": {"btrfs", "zfs", "overlay", "overlayfs", "aufs"},  # backings, and a kernel's module
    "drivers/overlay.py": {"btrfs", "zfs", "aufs"},  # what it does not work on
    "drivers/overlay2.py": {"zfs", "overlay", "aufs"},
    "drivers/overlayfs.py": {"overlay", "aufs"},
    "drivers/aufs.py": {"btrfs"},
    "drivers/unionmounts.py": {"overlay"},  # the type of the mounts
    "userland/mounting.py": {"btrfs", "zfs", "overlay", "aufs", "overlayfs"},  # stat -f
    "engine/containers/sandbox.py": {"overlay"},  # /proc/filesystems
    "engine/daemon/daemoninfo.py": {"overlay"},  # a network driver
    "engine/containers/networks.py": {"overlay"},  # as above
}


def strings_of(path: Path) -> set[str]:
    """The strings in a file's code; its docstrings are for people."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    words = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return words - {text for text in words if "\n" in text or " " in text}


def test_a_driver_is_named_in_its_own_file_and_in_the_table_alone() -> None:
    """In all of the core; what else is called so is listed by file, and each row of that list is needed."""
    needed: dict[str, set[str]] = {}
    core = [PACKAGE / "machine.py", *(path for part in CORE for path in (PACKAGE / part).rglob("*.py"))]
    for path in core:
        place = path.relative_to(PACKAGE).as_posix()
        own = {name for name in DRIVERS if place == f"drivers/{name.replace('-', '_')}.py"}
        found = (strings_of(path) & DRIVERS.keys()) - own
        if found and place != "drivers/__init__.py":
            needed[place] = found
    assert needed == FILE_SYSTEMS


CORE = ("drivers", "engine", "files", "kernel", "shell", "userland", "dockercli", "catalog", "course", "grading")


def test_a_tenth_driver_takes_one_file_and_one_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The row stands for what is written into the table; with it the driver has all that the others have."""
    file = tmp_path / "tenth.py"
    file.write_text(TENTH)
    monkeypatch.syspath_prepend(tmp_path)
    from tenth import Tenth  # type: ignore[import-not-found]

    from labkit import Machine

    monkeypatch.setitem(DRIVERS, "tenth", Tenth)
    machine = Machine(storage_driver="tenth")
    assert machine.run("docker run --rm busybox echo up").stdout == "up\n"
    assert " Storage Driver: tenth\n" in machine.run("docker info").stdout
    assert machine.run("ls /var/lib/docker/image").stdout == "tenth\n"
    assert machine.run("systemctl restart docker; docker images -q").stdout.count("\n") == 1
    machine.restart_engine("overlay2")
    assert machine.run("docker images -q").stdout == ""
    machine.restart_engine("tenth", storage_options=["tenth.size=1"])
    assert machine.run("docker images -q").stdout.count("\n") == 1
    made = measure("containers", PARTS["containers"].work, "tenth", Tenth)
    assert made.inodes == measure("containers", PARTS["containers"].work, "vfs", DRIVERS["vfs"]).inodes
    assert [one.driver for one in run("small", lambda bench: bench.image([base_image]))][-1] == "tenth"
    with pytest.raises(ValueError, match=r"storage_driver is one of .*tenth"):
        Machine(storage_driver="no")


TENTH = """
from labkit.drivers.vfs import Vfs


class Tenth(Vfs):
    name = "tenth"
    options = frozenset({"tenth.size"})
"""
