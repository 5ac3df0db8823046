"""What a person does at the keyboard, and what the tests of a widget need: a notebook of a few cells, axe-core."""

from __future__ import annotations

import os
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Locator, Page

from .conftest import SHOTS, Lab
from .notebook import errors, open_notebook, run_all

AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
NAME = """() => {
  const now = document.activeElement;
  return now.getAttribute('aria-label') ?? now.labels?.[0]?.textContent ?? now.textContent;
}"""


def write_notebook(lab: Lab, name: str, *cells: str) -> None:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, lab.folder / f"{name}.ipynb")


def open_cells(page: Page, lab: Lab, name: str, *cells: str) -> None:
    """A notebook of these cells, opened and run."""
    write_notebook(lab, name, *cells)
    open_notebook(page, lab.address(f"{name}.ipynb"))
    assert errors(run_all(page)) == []


def tab_to(page: Page, name: str, key: str = "Tab", most: int = 60) -> None:
    """Press Tab until the control of this name has the focus."""
    for _ in range(most):
        if page.evaluate(NAME).startswith(name):
            return
        page.keyboard.press(key)
    raise AssertionError(f"{name} is not reached by {key}: {page.evaluate(NAME)[:80]}")


def tab_into(page: Page, wanted: Locator, most: int = 80) -> None:
    """Press Tab until this element, or one in it, has the focus."""
    for _ in range(most):
        if wanted.evaluate("element => element.contains(document.activeElement)"):
            return
        page.keyboard.press("Tab")
    raise AssertionError("Tab does not get there")


def press(page: Page, name: str, key: str = "Tab") -> None:
    """Go to the button of this name and press it."""
    tab_to(page, name, key)
    page.keyboard.press("Enter")


def violations(page: Page, within: str) -> list[str]:
    """What axe-core finds there."""
    if not AXE.exists():
        assert not os.environ.get("LABKIT_REQUIRE_BROWSER"), "axe-core is missing: npm ci in tests/browser"
        pytest.skip("axe-core is not installed (npm ci in tests/browser)")
    page.evaluate(AXE.read_text(encoding="utf-8"))  # no script tag: a page's own policy may forbid it
    report = page.evaluate("within => axe.run({include: [[within]]}, {resultTypes: ['violations']})", within)
    return [f"{rule['id']}: {rule['nodes'][0]['html'][:200]}" for rule in report["violations"]]


def set_theme(page: Page, theme: str) -> None:
    """Light or Dark; the side bar is closed too."""
    page.evaluate(f"() => window.jupyterapp.commands.execute('apputils:change-theme', {{theme: 'JupyterLab {theme}'}})")
    page.evaluate("() => window.jupyterapp.shell.collapseLeft()")
    page.wait_for_timeout(300)


def take_pictures(page: Page, widget: Locator, name: str) -> None:
    """Of a widget, 1280 and 800 wide; and nothing of it lies outside."""
    SHOTS.mkdir(exist_ok=True)
    for width in (1280, 800):
        page.set_viewport_size({"width": width, "height": 1100})
        page.wait_for_timeout(300)
        widget.evaluate("element => element.scrollIntoView({block: 'start'})")
        page.wait_for_timeout(200)
        widget.screenshot(path=SHOTS / f"{name}-{width}.png")
        assert widget.evaluate("element => element.scrollWidth <= element.clientWidth"), "nothing sticks out"
