"""What the drivers cost: one workload on each of them, counted on its simulated disk.

    results = measure_all()                       # one Result for each part of the workload and each driver
    chart = {one.driver: one.copied for one in results if one.part == "first-write"}
    PARTS["first-write"].title                    # what the part does, to stand over the chart
    table(results)                                # the same as text, as `labkit drivers` prints it
    results = run("mine", my_work)                # any other workload: a function of a Bench

A Result is a plain dataclass of numbers. Nothing is a constant: each number is a sum over the inodes and blocks that
lie on the disk after the work (`cost` of each driver), and tests hold it against a walk that reads every file.

Units. `copied` and `disk` are bytes of data: of whole files and in blocks of 4 KiB where layers are folders; in sectors
of 4 KiB on btrfs, records of 128 KiB on zfs, blocks of 64 KiB in a thin pool of loop files. `copied` is what was taken
from the layers below to be changed, by all of the work; vfs copies when a container is made, twice, as it does for its
init layer too. `disk` is what all layers take together. `inodes` are those that no other layer has as well; folders
count. `looked_through` is the number of folders that a name may have to be looked up in. `page_cache`: whether
containers read one copy in memory of a file of their image.

Sources: kernel, overlayfs.rst (whole files are copied up) and device-mapper/thin-provisioning.rst; docker/docs, storage
drivers (the pages on each driver, and "Select a storage driver"); btrfs documentation (sector size); OpenZFS,
zfsprops(7) (recordsize). Not modelled: time, the drivers' own metadata, compression, reflinks, what the disk does with
blocks that are given back, and that a file that is opened only to be emptied is not copied by the kernel.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from labkit.drivers import DRIVERS
from labkit.drivers.base import Cost, Driver
from labkit.files import O_WRONLY, Content, Files, Layer, Namespace, Source, Store, Tree
from labkit.files.inodes import DIRECTORY

_ROOT = "/var/lib/docker"
_BIG = 1 << 30  # bytes of the big file
_SMALL = 50  # small files in the image
_CONTAINERS = 100
_DEPTH = 40  # layers of the deep image
_CHANGED = b"!\n"
_CACHE = 100 * 10**6  # bytes that the deleting build adds first


Step = Callable[[Files], object]  # what one layer of an image has written in it


class _Clock:
    now = 1


class Bench:
    """A driver on an empty disk, and the layers made on it."""

    def __init__(self, driver: Callable[[Files, str], Driver]) -> None:
        store = Store(_Clock())
        self.host = Namespace(store, Source(Tree(store, store.new(DIRECTORY | 0o755), 1), None)).files()
        self.driver = driver(self.host, _ROOT)
        self.top = ""  # the layer that was begun last
        self._copied = 0  # bytes, by layers that are finished
        self._finished: set[str] = set()
        self._made = 0

    def start(self, parent: str | None) -> str:
        """A new layer to be written."""
        self._made += 1
        return self._begin(str(self._made), parent)

    def _begin(self, id: str, parent: str | None) -> str:
        self.host.store.clock.now += 1
        self.driver.create(id, parent)
        self.top = id
        return id

    def finish(self, id: str, end: Callable[[str], object]) -> None:
        self._copied += self.driver.cost(id).copied
        end(id)
        self._finished.add(id)

    def container(self, image: str) -> str:
        """A container's own layer, on the init layer that every container has."""
        self._made += 1
        init = self._begin(f"{self._made}-init", image)
        self.finish(init, lambda id: self.driver.apply(id, Layer.of([])))
        return self._begin(str(self._made), init)

    def files(self, id: str) -> Files:
        return Namespace(self.host.store, self.driver.mount(id)).files()

    def pulled(self, steps: Iterable[Step]) -> str:
        """An image of a layer a step, each unpacked from elsewhere."""
        top: str | None = None
        for step in steps:
            scratch = self.start(top)
            step(self.files(scratch))
            layer = self.driver.diff(scratch)
            self.driver.remove(scratch)
            top = self.start(top)
            self.finish(top, partial(self.driver.apply, layer=layer))
        assert top is not None
        return top

    def image(self, steps: Iterable[Step]) -> str:
        """An image of a layer a step, built here."""
        top: str | None = None
        for step in steps:
            top = self.start(top)
            step(self.files(top))
            self.finish(top, self.driver.commit)
        assert top is not None
        return top

    def total(self) -> Cost:
        """All layers together; copied is what the whole of the work copied."""
        costs = {id: self.driver.cost(id) for id in self.driver.ids()}
        copied = sum(cost.copied for id, cost in costs.items() if id not in self._finished)
        disk, inodes = (sum(cost[place] for cost in costs.values()) for place in (1, 2))
        return Cost(self._copied + copied, disk, inodes)


Work = Callable[[Bench], object]


@dataclass(frozen=True)
class Result:
    """What one part of a workload costs on one driver; the module says in which units."""

    part: str
    driver: str
    copied: int
    disk: int
    inodes: int
    looked_through: int
    page_cache: bool


@dataclass(frozen=True)
class Part:
    title: str
    work: Work


def base_image(files: Files) -> None:
    """Small files in folders."""
    for number in range(_SMALL):
        files.makedirs(f"/usr/{number // 5}")
        files.write(f"/usr/{number // 5}/{number}", Content.filler(f"small {number}", 1500 + 670 * number))


def change(files: Files, path: str, offset: int, data: bytes) -> None:
    """Write into a file that is there."""
    with files.open(path, O_WRONLY) as handle:
        handle.seek(offset)
        handle.write(data)


def _first_write(bench: Bench) -> None:
    box = bench.container(bench.pulled([lambda files: files.write("/big", Content.filler("big", _BIG))]))
    change(bench.files(box), "/big", _BIG // 2, b"!")


def _small_writes(bench: Bench) -> None:
    files = bench.files(bench.container(bench.pulled([base_image])))
    for number in range(_SMALL):
        path = f"/usr/{number // 5}/{number}"
        change(files, path, files.stat(path).st_size - len(_CHANGED), _CHANGED)


def _many_containers(bench: Bench) -> None:
    image = bench.pulled([base_image])
    for _ in range(_CONTAINERS):
        bench.files(bench.container(image)).write("/log", "started\n")


def _deep_image(bench: Bench) -> None:
    steps = [lambda files, number=number: files.write(f"/usr/new{number}", "x") for number in range(_DEPTH - 1)]
    bench.pulled([base_image, *steps])


def _deleting_build(bench: Bench) -> None:
    def add(files: Files) -> None:
        files.write("/cache", Content.filler("cache", _CACHE))

    bench.image([base_image, add, lambda files: files.unlink("/cache")])


PARTS = {
    "first-write": Part("A container writes one byte into a file of 1 GiB of its image", _first_write),
    "small-writes": Part(f"A container writes into each of {_SMALL} small files of its image", _small_writes),
    "containers": Part(f"{_CONTAINERS} containers of one image write a file each", _many_containers),
    "deep-image": Part(f"An image of {_DEPTH} layers with a file each on the first", _deep_image),
    "deleting-build": Part("A build adds 100 MB in one step and deletes it in the next", _deleting_build),
}


def measure(part: str, work: Work, name: str, driver: Callable[[Files, str], Driver]) -> Result:
    """One workload on one driver, from an empty disk."""
    bench = Bench(driver)
    work(bench)
    cost, looked_through = bench.total(), bench.driver.looked_through(bench.top)
    return Result(part, name, cost.copied, cost.disk, cost.inodes, looked_through, bench.driver.shares_page_cache)


def run(part: str, work: Work) -> list[Result]:
    """One workload on all drivers."""
    return [measure(part, work, name, driver) for name, driver in DRIVERS.items()]


RESULTS: dict[tuple[str, str], Result] = {}  # of this process, by part and driver


def measured(part: str, driver: str) -> Result:
    """A part of the workload on one driver; done once a process."""
    if (part, driver) not in RESULTS:
        RESULTS[part, driver] = measure(part, PARTS[part].work, driver, DRIVERS[driver])
    return RESULTS[part, driver]


def measure_all() -> list[Result]:
    return [measured(part, driver) for part in PARTS for driver in DRIVERS]


# Of the table: a heading, the part of the workload, and which of its numbers.
COLUMNS = (
    ("FIRST WRITE COPIES", "first-write", "copied"),
    ("SMALL WRITES COPY", "small-writes", "copied"),
    ("100 CONTAINERS TAKE", "containers", "disk"),
    ("THEIR INODES", "containers", "inodes"),
    ("40 LAYERS' INODES", "deep-image", "inodes"),
    ("LOOKED THROUGH", "deep-image", "looked_through"),
    ("DELETING BUILD TAKES", "deleting-build", "disk"),
    ("PAGE CACHE", "containers", "page_cache"),
)


def table(results: Iterable[Result]) -> str:
    """A row a driver, in columns."""
    by_place = {(one.driver, one.part): one for one in results}
    names = list(dict.fromkeys(driver for driver, _ in by_place))
    rows = [[name, *(_cell(by_place[name, part], field) for _, part, field in COLUMNS)] for name in names]
    cells = [["DRIVER", *(heading for heading, _, _ in COLUMNS)], *rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ("   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in cells)
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _cell(result: Result, field: str) -> str:
    value = getattr(result, field)
    if isinstance(value, bool):
        return "shared" if value else "not shared"
    return size(value) if field in ("copied", "disk") else str(value)


def size(count: int) -> str:
    """Bytes in powers of 1000, as docker prints sizes."""
    value, unit = float(count), 0
    while value >= 1000 and unit < 3:
        value, unit = value / 1000, unit + 1
    return f"{value:.4g}{('B', 'kB', 'MB', 'GB')[unit]}"
