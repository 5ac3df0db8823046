"""The map of the lessons as a learner meets it: by mouse, by keyboard alone, light and dark."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from .conftest import Lab
from .control import open_cells, press, set_theme, tab_to, take_pictures, violations
from .notebook import bring_into_view
from .test_exercise import attempt, fill_by_mouse, region, right_answer

SETUP = "from labkit.jupyter import exercise, progress"
SLUG = "a-tag-moves"
PATH = "() => window.jupyterapp.shell.currentWidget.context.path"


def map_of(page: Page, cell: str = "progress()") -> Locator:
    bring_into_view(page, cell)
    found = page.locator(".labkit-map").last
    found.wait_for()
    found.scroll_into_view_if_needed()
    return found


def row(widget: Locator, name: str) -> Locator:
    return widget.get_by_role("row").filter(has_text=name)


@pytest.fixture(autouse=True)
def nothing_done(lab: Lab) -> None:
    for file in lab.home.glob("progress*"):
        file.unlink()


def test_by_mouse(page: Page, lab: Lab, tmp_path: Path) -> None:
    open_cells(page, lab, "map", SETUP, f'exercise("{SLUG}")', "progress()")
    widget = map_of(page)
    expect(widget.locator(".lk-onward")).to_contain_text("Begin with 00 Start here.")
    expect(row(widget, "02 Layered images")).to_contain_text("not begun")
    one = attempt(SLUG)
    fill_by_mouse(page, region(page, SLUG), one, right_answer(attempt(SLUG)))
    region(page, SLUG).get_by_role("button", name="Check", exact=True).click()
    widget = map_of(page)
    expect(row(widget, "02 Layered images")).to_contain_text("begun")
    expect(widget.locator(".lk-onward")).to_contain_text("Go on with 02 Layered images: 1 of ")
    with page.expect_download() as download:
        widget.get_by_role("button", name="Save my progress as a file").click()
    assert download.value.suggested_filename == "progress-demo.json"
    saved = Path(download.value.path()).read_text()
    assert json.loads(saved)["answers"]["demo"][f"{SLUG}@2"]["passed"] is True
    for file in lab.home.glob("progress*"):
        file.unlink()
    page.evaluate("() => localStorage.clear()")
    open_cells(page, lab, "map-empty", SETUP, "progress()")
    widget = map_of(page)
    expect(row(widget, "02 Layered images")).to_contain_text("not begun")
    chooser = widget.locator("input[type=file]")
    chooser.set_input_files({"name": "x.json", "mimeType": "application/json", "buffer": b"<b>no</b>"})
    expect(widget.locator(".lk-map-note")).to_have_text("That file cannot be read as progress: it is not JSON.")
    chooser.set_input_files({"name": "x.json", "mimeType": "application/json", "buffer": saved.encode()})
    expect(widget.locator(".lk-map-note")).to_have_text("Added: 1 solved exercise of demo.")
    expect(row(widget, "02 Layered images")).to_contain_text("begun")
    widget.get_by_role("link", name="02 Layered images").last.click()
    page.wait_for_function(f"() => ({PATH})() === '02-layered-images.ipynb'")


def test_by_keyboard_alone(page: Page, lab: Lab) -> None:
    empty = json.dumps({"labkit-progress": 1, "learner": {"name": "", "seed": "", "at": 0}}).encode()
    file = {"name": "p.json", "mimeType": "application/json", "buffer": empty}
    page.on("filechooser", lambda chooser: chooser.set_files(file))
    open_cells(page, lab, "map-keys", SETUP, "progress()")
    widget = map_of(page)
    page.keyboard.press("Escape")
    tab_to(page, "Save my progress as a file")
    with page.expect_download():
        page.keyboard.press("Enter")
    expect(widget.locator(".lk-map-note")).to_contain_text("Saved as progress-demo.json")
    tab_to(page, "Add progress from a file")
    page.keyboard.press("Enter")
    expect(widget.locator(".lk-map-note")).to_have_text("Nothing in it is new.")
    press(page, "01 Where Docker keeps its files", "Shift+Tab")
    page.wait_for_function(f"() => ({PATH})() === '01-where-docker-keeps-its-files.ipynb'")


def test_what_the_browser_has_is_offered_by_the_map_too(page: Page, lab: Lab) -> None:
    open_cells(page, lab, "map-before", SETUP)
    entry = {"answer": "x", "passed": True, "points": 1, "at": 5, "tries": 1}
    page.evaluate(
        "entry => localStorage.setItem('labkit/docker-storage/1/answers/demo/a-tag-moves@2', JSON.stringify(entry))",
        entry,
    )
    open_cells(page, lab, "map-offer", SETUP, "progress()")
    widget = map_of(page)
    page.keyboard.press("Escape")
    press(page, "Bring them back")
    expect(widget.locator(".lk-offer")).to_have_text("Brought back: 1 solved exercise of demo.")
    expect(row(widget, "02 Layered images")).to_contain_text("begun")


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_it_is_accessible_and_fits(page: Page, lab: Lab, theme: str) -> None:
    open_cells(page, lab, f"map-{theme}", SETUP, f'exercise("{SLUG}")', "progress()", 'progress("02-layered-images")')
    fill_by_mouse(page, region(page, SLUG), attempt(SLUG), right_answer(attempt(SLUG)))
    region(page, SLUG).get_by_role("button", name="Check", exact=True).click()
    set_theme(page, theme)
    for name, cell in (("map", "progress()"), ("map-lesson", 'progress("02')):
        page.set_viewport_size({"width": 1280, "height": 1100})
        bring_into_view(page, cell)
        label = "Progress: The lessons" if name == "map" else "Progress: Your progress in 02 Layered images"
        widget = page.get_by_role("region", name=label)
        widget.wait_for()
        assert violations(page, ".labkit-map") == []
        take_pictures(page, widget, f"{name}-{theme.lower()}")
