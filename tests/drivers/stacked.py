"""A driver with two layers, and one on them that is not finished."""

from __future__ import annotations

from labkit.drivers import DRIVERS, Driver
from labkit.files import Files, Namespace
from tests.files.machines import empty_host, layer

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
