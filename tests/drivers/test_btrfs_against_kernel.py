"""A real btrfs in a file, its subvolumes and snapshots beside the simulated driver's: the same trees, the same bytes.

Needs root, loop devices, a kernel with btrfs and btrfs-progs; left out with the reason where one is missing.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from labkit.drivers.btrfs import Btrfs
from labkit.drivers.measure import Bench, change
from labkit.files import Content, Files
from tests.drivers.stacked import seen_in, stacked
from tests.files.machines import tree
from tests.files.operations import play_real, play_simulated, real_tree, sequence

pytestmark = pytest.mark.long

SEQUENCES = int(os.environ.get("LABKIT_SEQUENCES", "200")) // 4
SEED = int(os.environ.get("LABKIT_SEED", "20261124"))
DISK = 400 << 20  # bytes of the file; it is sparse
SECTOR = 4096


def run(*words: object) -> str:
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(f"{words[0]}: {done.stderr.strip() or done.returncode}")
    return done.stdout


def missing() -> str:
    """Why there is no real btrfs to compare with; empty where there is one, as far as can be told before mounting."""
    if os.geteuid():
        return "not root"
    absent = [name for name in ("mkfs.btrfs", "btrfs", "mount") if shutil.which(name) is None]
    return f"no {absent[0]} (package btrfs-progs)" if absent else ""


class RealBtrfs:
    """A file system in a file, with a subvolume or a snapshot for each layer, as the driver makes them."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="labkit-btrfs-"))
        self.top = self.folder / "mounted"
        self.top.mkdir()
        self._mounted = False
        disk = self.folder / "disk"
        try:
            with disk.open("wb") as file:
                file.truncate(DISK)
            run("mkfs.btrfs", "-q", disk)
            run("mount", "-o", "loop", disk, self.top)
            self._mounted = True
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        if self._mounted:
            run("umount", self.top)
        shutil.rmtree(self.folder)

    def create(self, id: str, parent: str | None) -> str:
        if parent is None:
            run("btrfs", "subvolume", "create", self.top / id)
        else:
            run("btrfs", "subvolume", "snapshot", self.top / parent, self.top / id)
        return str(self.top / id)

    def clear(self) -> None:
        for path in self.top.iterdir():
            run("btrfs", "subvolume", "delete", path)

    def own_bytes(self, id: str) -> int:
        """Bytes of a subvolume's files that no other one has."""
        os.sync()
        lines = run("btrfs", "filesystem", "du", "-s", "--raw", self.top / id).splitlines()
        return int(lines[1].split()[1])


@pytest.fixture(scope="module")
def real() -> Iterator[RealBtrfs]:
    reason = missing()
    old = os.umask(0o022)
    try:
        found = RealBtrfs() if not reason else None
    except OSError as error:
        found, reason = None, str(error)
    if found is None:
        os.umask(old)
        pytest.skip(f"LEFT OUT: no btrfs of a kernel to compare with ({reason})")
    yield found
    found.close()
    os.umask(old)


@pytest.fixture
def disk(real: RealBtrfs) -> Iterator[RealBtrfs]:
    """The same, empty again after the test."""
    yield real
    real.clear()


def lay(files: Files, root: str) -> None:
    """Copy a simulated layer into a real subvolume."""
    for path, (mode, _, _, detail, _) in tree(files).items():
        target = Path(root + path)
        if isinstance(detail, bytes):
            target.write_bytes(detail)
        else:
            target.mkdir()
        target.chmod(int(mode, 8) & 0o7777)  # type: ignore[call-overload]


def test_random_operations_leave_the_same_trees(disk: RealBtrfs) -> None:
    """In a subvolume, in a snapshot of it and in a snapshot of that; and the parents stay what they were."""
    for number in range(SEQUENCES):
        chance = random.Random(SEED + number)
        host, driver = stacked("btrfs")
        parent = f"{number}-image"
        lay(seen_in(host, driver, "1"), disk.create(parent, None))
        simulated_parent = "1"
        for depth in range(2):
            name = f"{number}-{depth}"
            root = disk.create(name, parent)
            driver.create(name, simulated_parent)
            files, played = seen_in(host, driver, name), []
            for step in sequence(chance, 25):
                played.append(step)
                assert play_simulated(files, step) == play_real(root, step), f"seed {SEED + number}: {played}"
            assert tree(files) == real_tree(root), f"seed {SEED + number}: {played}"
            assert tree(seen_in(host, driver, simulated_parent)) == real_tree(str(disk.top / parent))
            parent = simulated_parent = name


def test_a_snapshot_keeps_inode_numbers_and_has_a_device_of_its_own(disk: RealBtrfs) -> None:
    host, driver = stacked("btrfs")
    image = disk.create("image", None)
    lay(seen_in(host, driver, "1"), image)
    top = disk.create("top", "image")
    simulated, below = seen_in(host, driver, "top"), seen_in(host, driver, "1")
    for path in tree(simulated):
        assert os.lstat(top + path).st_ino == os.lstat(image + path).st_ino
        assert os.lstat(top + path).st_dev != os.lstat(image + path).st_dev
        assert simulated.lstat(path).st_ino == below.lstat(path).st_ino
        assert simulated.lstat(path).st_dev != below.lstat(path).st_dev


@pytest.mark.parametrize("seed", range(5))
def test_what_a_snapshot_costs_is_what_btrfs_counts(disk: RealBtrfs, seed: int) -> None:
    """Bytes that are a container's alone, after random writes into files of its image and new files."""
    chance = random.Random(seed)
    sizes = {f"/file{number}": chance.randrange(40, 600) * SECTOR - chance.randrange(SECTOR) for number in range(4)}
    contents = {path: chance.randbytes(size) for path, size in sizes.items()}
    bench = Bench(Btrfs)
    image = bench.image([lambda files: [files.write(path, Content(data)) for path, data in contents.items()]])
    root = disk.create("image", None)
    for path, data in contents.items():
        Path(root + path).write_bytes(data)
    os.sync()
    box, top = bench.start(image), disk.create("box", "image")
    for _ in range(12):
        path = chance.choice(list(sizes))
        offset, data = chance.randrange(sizes[path]), chance.randbytes(chance.randrange(1, 3 * SECTOR))
        change(bench.files(box), path, offset, data)
        _write_real(top + path, offset, data)
    fresh = chance.randbytes(10 * SECTOR + 5)
    bench.files(box).write("/fresh", fresh)
    Path(top, "fresh").write_bytes(fresh)
    assert bench.driver.cost(box).disk == disk.own_bytes("box")


def _write_real(path: str, offset: int, data: bytes) -> None:
    with open(path, "r+b") as file:
        file.seek(offset)
        file.write(data)
