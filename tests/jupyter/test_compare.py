"""The comparison of storage drivers, without a browser. Only the quick parts of the workload run here."""

from __future__ import annotations

import base64
import re
import xml.etree.ElementTree as ElementTree

import pytest

from labkit.drivers import DRIVERS
from labkit.drivers.measure import PARTS, RESULTS, Result, measure
from labkit.jupyter.compare import DriverComparison, axis, in_words, is_logarithmic, scale_note, share

QUICK = "first-write"


@pytest.fixture
def widget() -> DriverComparison:
    return DriverComparison()


def column(widget: DriverComparison, name: str) -> dict[str, str]:
    return {row["driver"]: row["numbers"][name] for row in widget.rows}


def test_the_numbers_are_what_the_workload_costs(widget: DriverComparison) -> None:
    assert [row["driver"] for row in widget.rows] == list(DRIVERS)
    for row in widget.rows:
        result = measure(QUICK, PARTS[QUICK].work, row["driver"], DRIVERS[row["driver"]])
        assert row["exact"] == {"copied": str(result.copied), "disk": str(result.disk)}
        assert row["numbers"]["inodes"] == str(result.inodes)
    assert (column(widget, "copied")["overlay2"], column(widget, "copied")["btrfs"]) == ("1.074GB", "4.096kB")
    assert widget.waiting == 0


def test_it_says_what_it_is(widget: DriverComparison) -> None:
    assert repr(widget) == (
        "compare_drivers: A container writes one byte into a file of 1 GiB of its image: bytes copied. "
        "Least: 4.096kB, on btrfs. Most: 2.147GB, on vfs, 524,288 times as much."
    )


def test_another_quantity_has_other_bars(widget: DriverComparison) -> None:
    before = {row["driver"]: row["length"] for row in widget.rows}
    assert "logarithmic" in widget.scale_note
    widget.handle({"do": "choose", "what": "quantity", "value": "disk"})
    assert widget.scale_note == "The scale is linear."
    assert {row["driver"]: row["length"] for row in widget.rows} != before
    assert next(row for row in widget.rows if row["driver"] == "vfs")["length"] == 1
    widget.handle({"do": "choose", "what": "quantity", "value": "page_cache"})
    assert widget.said.startswith("One copy for all containers: overlay2, overlay, aufs, zfs, overlayfs.")
    assert widget.scale_note == ""


def test_the_scale_can_be_chosen(widget: DriverComparison) -> None:
    widget.handle({"do": "choose", "what": "scale", "value": "linear"})
    lengths = {row["driver"]: row["length"] for row in widget.rows}
    assert (lengths["vfs"], lengths["overlay2"], lengths["btrfs"]) == (1, 0.5, 0)
    assert widget.scale_note.endswith("Small values are too short to be seen.")
    widget.handle({"do": "choose", "what": "scale", "value": "logarithmic"})
    assert next(row for row in widget.rows if row["driver"] == "btrfs")["length"] > 0.3


def test_rows_are_sorted_by_a_column_both_ways(widget: DriverComparison) -> None:
    widget.handle({"do": "sort", "by": "copied"})
    assert [row["driver"] for row in widget.rows][:2] == ["btrfs", "devicemapper"]
    widget.handle({"do": "sort", "by": "copied"})
    assert widget.rows[0]["driver"] == "vfs"
    widget.handle({"do": "sort", "by": "driver"})
    assert [row["driver"] for row in widget.rows] == sorted(DRIVERS)
    widget.handle({"do": "sort", "by": "nosuch"})
    assert "column is one of driver, copied" in widget.trouble


def test_a_part_is_measured_driver_by_driver_and_once(
    monkeypatch: pytest.MonkeyPatch, widget: DriverComparison
) -> None:
    calls: list[str] = []

    def counted(part: str, work: object, name: str, driver: object) -> Result:
        calls.append(name)
        return Result(part, name, len(calls), 1, 1, 1, False)

    for key in [key for key in RESULTS if key[0] == "containers"]:
        monkeypatch.delitem(RESULTS, key)
    monkeypatch.setattr("labkit.drivers.measure.measure", counted)
    widget.handle({"do": "choose", "what": "part", "value": "containers"})
    assert (widget.waiting, calls, widget.rows, widget.said) == (len(DRIVERS), [], [], "Nothing is measured yet.")
    widget.handle({"do": "measure"})
    assert (widget.waiting, calls) == (len(DRIVERS) - 1, ["overlay2"])
    for _ in DRIVERS:
        widget.handle({"do": "measure"})
    assert (widget.waiting, calls) == (0, list(DRIVERS))
    DriverComparison("containers")
    assert calls == list(DRIVERS)
    for driver in DRIVERS:  # what was counted here is no result
        del RESULTS["containers", driver]


def test_what_became_of_a_driver_is_beside_its_name(widget: DriverComparison) -> None:
    notes = {row["driver"]: row["about"] for row in widget.rows}
    assert notes["aufs"] == "not in Engine 24 and later"
    assert notes["overlayfs"] == "containerd's snapshotter"
    assert notes["overlay2"] == ""


@pytest.mark.parametrize(
    ("values", "logarithmic"), [([1, 49], False), ([1, 50], True), ([0, 5, 249], False), ([0, 0], False)]
)
def test_bars_that_are_too_unlike_stand_on_a_logarithmic_scale(values: list[int], logarithmic: bool) -> None:
    assert is_logarithmic("fitting", values) is logarithmic
    assert all(0 <= share(value, values, logarithmic) <= 1 for value in values)
    assert bool(scale_note("disk", values, logarithmic)) is any(values)


def test_all_alike() -> None:
    results = [Result("p", name, 0, 1, 1, 1, False) for name in DRIVERS]
    assert in_words("copied", results) == "The same on all of them: 0B."
    assert in_words("page_cache", results) == "One copy for all containers: none. The others have one each."


def test_where_no_kernel_runs_there_are_a_picture_and_a_table(widget: DriverComparison) -> None:
    still = widget.still()
    assert set(re.findall(r"<(\w+)", still)) <= {"p", "strong", "img", "table", "thead", "tbody", "tr", "th", "td"}
    found = re.search(r'src="data:image/svg\+xml;base64,([^"]*)"', still)
    assert found
    svg = ElementTree.fromstring(base64.b64decode(found[1]))
    texts = [each.text for each in svg.iter() if each.text and each.get("class") != "tick"]
    assert [each.text for each in svg.iter() if each.get("class") == "tick"] == ["0B", "1kB", "1MB", "1GB"]
    assert [*DRIVERS] == texts[::2]
    assert texts[1::2] == list(column(widget, "copied").values())
    assert "Not modelled: time" in still


@pytest.mark.parametrize(("part", "quantity"), [("nosuch", "copied"), ("first-write", "speed"), (3, "copied")])
def test_what_is_no_part_or_quantity(part: str, quantity: str) -> None:
    with pytest.raises(ValueError, match=r"is one of .*, not"):
        DriverComparison(part, quantity)


@pytest.mark.parametrize(
    ("quantity", "values", "logarithmic", "ticks"),
    [
        ("copied", [2 << 30, 4096], True, "0B 1kB 1MB 1GB"),
        ("copied", [2 << 30, 1 << 30], False, "0B 500MB 1GB 1.5GB 2GB"),
        ("inodes", [600, 3], True, "0 1 10 100"),
        ("looked_through", [3, 1], False, "0 1 2 3"),
        ("copied", [0, 0], False, ""),
    ],
)
def test_the_axis_has_round_values_where_bars_of_them_end(
    quantity: str, values: list[int], logarithmic: bool, ticks: str
) -> None:
    found = axis(quantity, values, logarithmic)
    assert [each["text"] for each in found] == ticks.split()
    assert [each["at"] for each in found] == sorted(each["at"] for each in found)
    assert all(0 <= each["at"] <= 1 for each in found)
