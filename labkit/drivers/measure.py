"""What the drivers cost: one workload on each of them, counted on its simulated disk.

Nothing is a constant: each number is a sum over the inodes and blocks that lie there after the work (`cost` of each
driver). Units are bytes, of data in blocks: 4 KiB of ext4 where layers are folders (kernel, overlayfs.rst: copy-up is
of whole files), 4 KiB sectors of btrfs, 128 KiB records of zfs, 64 KiB blocks of the thin pool; each driver's file says
more. `copied` is what was taken from the layers below to be changed, or with full copies all of them; a file that is
opened only to be emptied counts as copied, which the kernel does not do. Not modelled: time, the drivers' own metadata,
compression, what the disk does with blocks that are given back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from labkit.drivers import DRIVERS
from labkit.drivers.base import Cost, Driver
from labkit.files import O_WRONLY, Content, Files, Namespace, Source, Store, Tree
from labkit.files.tree import DIRECTORY

_ROOT = "/var/lib/docker"
_BIG = 1 << 30  # bytes of the big file
_SMALL = 400  # small files in the image
_CONTAINERS = 100
_DEPTH = 40  # layers of the deep image


class _Clock:
    now = 1


class Bench:
    """A driver on an empty disk, and the layers made on it."""

    def __init__(self, driver: Callable[[Files, str], Driver]) -> None:
        store = Store(_Clock())
        self.host = Namespace(store, Source(Tree(store, store.new(DIRECTORY | 0o755), 1), None)).files()
        self.driver = driver(self.host, _ROOT)
        self.copied = 0  # bytes, by layers that are finished
        self._made = 0

    def start(self, parent: str | None) -> str:
        """A new layer to be written."""
        self._made += 1
        self.host.store.clock.now += 1
        self.driver.create(str(self._made), parent)
        return str(self._made)

    def files(self, id: str) -> Files:
        return Namespace(self.host.store, self.driver.mount(id)).files()

    def image(self, steps: Iterable[Callable[[Files], object]]) -> str:
        """An image of a layer a step."""
        top: str | None = None
        for step in steps:
            top = self.start(top)
            step(self.files(top))
            self.copied += self.driver.cost(top).copied
            self.driver.commit(top)
        assert top is not None
        return top

    def total(self) -> Cost:
        costs = [self.driver.cost(id) for id in self.driver.ids()]
        return Cost(*(sum(column) for column in zip(*costs, strict=True)))


class Measure(NamedTuple):
    """What a driver's row of the table says; numbers of bytes where nothing else stands."""

    driver: str
    first_write: int  # copied for one byte in a file of 1 GiB
    small_writes: int  # copied for a byte at the end of each small file
    containers: int  # on the disk, for 100 containers of the image that write one file each
    inodes: int  # for the same
    deep: int  # inodes of an image of 40 layers
    looked_through: int  # folders that a name of that image may have to be looked up in
    deleting: int  # on the disk after a build that adds 100 MB and deletes it in another step
    page_cache: bool  # containers share one copy in memory


def base_image(files: Files) -> None:
    """Small files in folders."""
    for number in range(_SMALL):
        files.makedirs(f"/usr/{number // 20}")
        files.write(f"/usr/{number // 20}/{number}", Content.filler(f"small {number}", 1500 + 37 * number))


def change(files: Files, path: str, offset: int, data: bytes) -> None:
    """Write into a file that is there."""
    with files.open(path, O_WRONLY) as handle:
        handle.seek(offset)
        handle.write(data)


def _small_paths() -> list[str]:
    return [f"/usr/{number // 20}/{number}" for number in range(_SMALL)]


def _first_write(bench: Bench) -> int:
    box = bench.start(bench.image([lambda files: files.write("/big", Content.filler("big", _BIG))]))
    change(bench.files(box), "/big", _BIG // 2, b"!")
    return bench.driver.cost(box).copied


def _small_writes(bench: Bench) -> int:
    box = bench.start(bench.image([base_image]))
    files = bench.files(box)
    for path in _small_paths():
        change(files, path, files.stat(path).st_size - 1, b"!")
    return bench.driver.cost(box).copied


def _many_containers(bench: Bench) -> Cost:
    top = bench.image([base_image])
    for _ in range(_CONTAINERS):
        bench.files(bench.start(top)).write("/log", "started\n")
    return bench.total()


def _deep_image(bench: Bench) -> tuple[int, int]:
    steps = [lambda files, number=number: files.write(f"/usr/new{number}", "x") for number in range(_DEPTH - 1)]
    top = bench.image([base_image, *steps])
    return bench.total().inodes, bench.driver.looked_through(top)


def _deleting_build(bench: Bench) -> int:
    def add(files: Files) -> None:
        files.write("/cache", Content.filler("cache", 100 * 10**6))

    bench.image([base_image, add, lambda files: files.unlink("/cache")])
    return bench.total().disk


def measure(name: str, driver: Callable[[Files, str], Driver]) -> Measure:
    """One driver's row; each part of the workload begins on an empty disk."""
    containers, deep = _many_containers(Bench(driver)), _deep_image(Bench(driver))
    return Measure(
        name,
        _first_write(Bench(driver)),
        _small_writes(Bench(driver)),
        containers.disk,
        containers.inodes,
        *deep,
        _deleting_build(Bench(driver)),
        Bench(driver).driver.shares_page_cache,
    )


def measure_all() -> list[Measure]:
    return [measure(name, driver) for name, driver in DRIVERS.items()]


_HEADINGS = (
    "DRIVER", "FIRST WRITE", "SMALL WRITES", "100 CONTAINERS", "INODES", "INODES OF 40 LAYERS", "LOOKED THROUGH",
    "DELETING BUILD", "PAGE CACHE",
)  # fmt: skip
_BYTES = {"first_write", "small_writes", "containers", "deleting"}


def table(rows: Iterable[Measure]) -> str:
    """The rows as text, in columns."""
    cells = [_HEADINGS, *(tuple(_cell(*pair) for pair in row._asdict().items()) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ("   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in cells)
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _cell(name: str, value: object) -> str:
    if isinstance(value, bool):
        return "shared" if value else "not shared"
    return _size(value) if name in _BYTES and isinstance(value, int) else str(value)


def _size(count: int) -> str:
    """In powers of 1000, as docker prints sizes."""
    value, unit = float(count), 0
    while value >= 1000 and unit < 3:
        value, unit = value / 1000, unit + 1
    return f"{value:.4g}{('B', 'kB', 'MB', 'GB')[unit]}"
