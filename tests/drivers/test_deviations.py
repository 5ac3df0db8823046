"""Each row of the table of deviations, shown on every driver."""

from __future__ import annotations

import stat
from collections.abc import Callable

import pytest

from labkit.drivers import DRIVERS
from labkit.files import Content, Entry, Files, Layer
from tests.drivers.deviations import DEVIATIONS
from tests.drivers.stacked import seen_in, stacked
from tests.files.operations import outcome


@pytest.mark.parametrize("name", DRIVERS)
@pytest.mark.parametrize(("trial", "drivers", "theirs", "others"), DEVIATIONS)
def test_deviations(
    name: str, trial: Callable[[Files], object], drivers: tuple[str, ...], theirs: object, others: object
) -> None:
    host, driver = stacked(name)
    one = Entry("one", stat.S_IFREG | 0o644, data=Content("1"))
    driver.create("linked", "1")
    driver.apply("linked", Layer.of([one, one._replace(path="two", hardlink="one")]))
    driver.create("box", "linked")
    files = seen_in(host, driver, "box")
    assert outcome(lambda: trial(files)) == (theirs if name in drivers else others)
