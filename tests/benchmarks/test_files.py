"""What the file system promises about time and memory. Times are the best of some runs; ratios are of one run."""

from __future__ import annotations

import stat
import time
import tracemalloc

from labkit.drivers.overlay2 import Overlay2
from labkit.files import Content, Entry, Files, Layer, Namespace
from tests.benchmarks.timing import best
from tests.files.machines import empty_host

LAYERS, FILES = 100, 10_000
INIT = Layer.of([Entry(".dockerenv", stat.S_IFREG | 0o755, data=Content())])


def image(layers: int, files: int) -> tuple[Files, Overlay2, str]:
    """A host with an image of that many layers, which have that many files between them; its topmost layer's id."""
    host = empty_host()
    driver = Overlay2(host, "/docker")
    parent = None
    each = files // layers
    for number in range(layers):
        entries = [
            Entry(f"srv/{index % 10}/file-{number}-{index}", stat.S_IFREG | 0o644, data=Content(b"x"))
            for index in range(each)
        ]
        driver.create(str(number), parent)
        driver.apply(str(number), Layer.of(entries))
        parent = str(number)
    return host, driver, str(layers - 1)


def add_container(host: Files, driver: Overlay2, top: str, id: str) -> Files:
    driver.create(f"{id}-init", top)
    driver.apply(f"{id}-init", INIT)
    driver.create(id, f"{id}-init")
    return Namespace(host.store, driver.mount(id)).files()


def test_a_container_of_a_deep_image_costs_less_than_a_millisecond_and_ten_kilobytes() -> None:
    host, driver, top = image(LAYERS, FILES)
    add_container(host, driver, top, "first")
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for number in range(1000):
        add_container(host, driver, top, f"m{number}")
    used = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert used < 10_000_000, f"{used} bytes"
    counter = iter(range(10_000))
    seconds = best(lambda: [add_container(host, driver, top, f"t{next(counter)}") for _ in range(100)]) / 100
    assert seconds < 0.001, f"{seconds * 1e6:.0f} us"


def test_a_first_lookup_does_not_slow_down_with_the_layers() -> None:
    def first_lookups(layers: int) -> float:
        host, driver, top = image(layers, 1000)
        paths = [f"/srv/{index % 10}/file-0-{index}" for index in range(10)]

        def look() -> None:
            files = add_container(host, driver, top, f"c{next(counter)}")
            start = time.perf_counter()
            for path in paths:
                files.stat(path)
            times.append(time.perf_counter() - start)

        counter = iter(range(1000))
        times: list[float] = []
        for _ in range(200):
            look()
        return min(times)

    ratio = first_lookups(100) / first_lookups(1)
    assert ratio <= 1.5, ratio


def test_a_snapshot_costs_the_same_however_large_the_machine() -> None:
    host, driver, top = image(LAYERS, FILES)
    for number in range(300):
        add_container(host, driver, top, f"c{number}").write("/own", "x")
    seconds = best(lambda: (host.store.snapshot(), driver.snapshot()), runs=50)
    assert seconds < 0.0001, f"{seconds * 1e6:.1f} us"


def test_a_write_in_a_large_folder_costs_about_what_one_in_a_small_folder_costs() -> None:
    def writes(names: int) -> float:
        host = empty_host()
        for number in range(names):
            host.write(f"/name-{number}", "x")
        counter = iter(range(100_000))

        def some() -> None:
            for _ in range(300):
                host.store.snapshot()  # so that nothing can be written in place
                host.write(f"/new-{next(counter) % 300}-{names}", "x")

        return best(some)

    ratio = writes(10_000) / writes(10)
    assert ratio <= 3, ratio
