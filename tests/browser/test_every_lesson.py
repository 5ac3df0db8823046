"""Every lesson in a browser: all cells run without an error, each picture is drawn and each widget is there."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from .conftest import ROOT, SHOTS, Lab
from .notebook import bring_into_view, errors, open_notebook, run_all

NOTEBOOKS = sorted(path.name for path in (ROOT / "notebooks").glob("*.ipynb"))
WIDGETS = {  # what a cell calls, and what it then shows
    "exercise(": ".labkit-exercise",
    "playground(": ".labkit-playground",
    "layers(": ".labkit-layers",
    "cache_lab(": ".labkit-cache_lab",
    "mount_composer(": ".labkit-composer",
    "compare_drivers(": ".labkit-compare",
    "progress(": ".labkit-map",
    "show(": "figure img[alt]",
}


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_it_runs_and_shows_what_it_has(page: Page, lab: Lab, name: str) -> None:
    open_notebook(page, lab.address(name))
    cells = run_all(page)
    assert errors(cells) == []
    shown = {call: cell["source"] for cell in cells for call in WIDGETS if cell["source"].startswith(call)}
    assert shown
    SHOTS.mkdir(exist_ok=True)
    for call, source in shown.items():
        bring_into_view(page, source)
        found = page.locator(WIDGETS[call]).first
        found.wait_for()
        assert (found.bounding_box() or {"height": 0})["height"] > 20
        if call == "show(":
            assert found.evaluate("image => image.naturalWidth") > 100
        page.screenshot(path=SHOTS / f"{name[:2]}-{call.rstrip('(')}.png")
