"""The comparison of storage drivers as a learner meets it: by mouse, by keyboard alone, in both themes."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from .conftest import Lab
from .control import open_cells, press, set_theme, tab_to, take_pictures, violations
from .notebook import bring_into_view, cell_count


@pytest.fixture
def comparison(page: Page, lab: Lab) -> Locator:
    open_cells(page, lab, "compare", "from labkit.jupyter import compare_drivers", "compare_drivers()")
    bring_into_view(page, "compare_drivers()")
    found = page.get_by_role("region", name="Comparison of storage drivers")
    found.wait_for()
    return found


def width(comparison: Locator, driver: str) -> float:
    return comparison.locator(".lk-bars li", has_text=driver).last.locator(".lk-bar").evaluate("bar => bar.offsetWidth")


def test_by_mouse(page: Page, comparison: Locator) -> None:
    expect(comparison.locator(".lk-bars li")).to_have_count(9)
    assert 0 < width(comparison, "btrfs") < width(comparison, "overlay2") < width(comparison, "vfs")
    comparison.get_by_label("Scale of the bars").select_option("linear")
    expect(comparison).to_contain_text("Small values are too short to be seen.")
    axis = comparison.locator(".lk-axis")
    expect(axis).to_have_text("0B500MB1GB1.5GB2GB")
    comparison.get_by_label("Scale of the bars").select_option("logarithmic")
    expect(axis).to_have_text("0B1kB1MB1GB")
    middles = comparison.locator(".lk-tick, .lk-bar").evaluate_all(
        "found => found.map(each => [each.textContent, each.getBoundingClientRect()[each.textContent ? 'left' : 'right']])"
    )
    gigabyte = next(at for text, at in middles if text == "1GB")
    dots = [at for text, at in middles if not text]
    assert min(abs(at - gigabyte) for at in dots) < 6  # 1.074GB stands beside 1GB
    comparison.get_by_role("button", name="Copied").click()
    expect(comparison.locator(".lk-bars li").first).to_contain_text("btrfs")
    expect(comparison.get_by_role("columnheader", name="Copied")).to_have_attribute("aria-sort", "ascending")
    comparison.get_by_label("What is compared").select_option("page cache")
    expect(comparison).to_contain_text("One copy for all containers:")
    comparison.get_by_label("Part of the workload").select_option(
        label="A build adds 100 MB in one step and deletes it in the next"
    )
    comparison.get_by_label("What is compared").select_option("bytes on disk")
    expect(comparison.locator(".lk-bars li")).to_have_count(9)
    expect(comparison).to_contain_text(re.compile(r"Most: 20\d(\.\d)?MB, on overlayfs"), timeout=60_000)


def test_by_keyboard_alone(page: Page, comparison: Locator) -> None:
    before = cell_count(page)
    page.keyboard.press("Escape")
    tab_to(page, "What is compared")
    page.keyboard.press("ArrowDown")
    expect(comparison.locator("h4")).to_contain_text("bytes on disk")
    press(page, "On disk")
    press_again = comparison.get_by_role("columnheader", name="On disk")
    expect(press_again).to_have_attribute("aria-sort", "ascending")
    page.keyboard.press("Space")
    expect(press_again).to_have_attribute("aria-sort", "descending")
    expect(comparison.locator("tbody tr").first).to_contain_text("vfs")
    for key in ("b", "x", "d", "d", "m"):
        page.keyboard.press(key)
    assert cell_count(page) == before


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_it_is_accessible_and_fits(page: Page, comparison: Locator, theme: str) -> None:
    """axe-core, and screenshots for whoever wants to look."""
    set_theme(page, theme)
    comparison.get_by_role("button", name="Copied").click()
    expect(comparison.locator(".lk-bars li").first).to_contain_text("btrfs")
    take_pictures(page, comparison, f"compare-{theme.lower()}")
    assert violations(page, ".labkit-compare") == []
    set_theme(page, "Light")
