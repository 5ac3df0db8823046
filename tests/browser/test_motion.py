"""The picture moves from one state to the next, for a moment, and never in the way of who types."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

from .conftest import Lab
from .control import open_cells
from .notebook import bring_into_view

WATCH = """() => {
  window.moved = [];
  const animate = Element.prototype.animate;
  Element.prototype.animate = function (frames, options) {
    if (this.closest(".lk-moving")) window.moved.push({text: this.textContent, from: frames[0], lasts: options.duration});
    return animate.call(this, frames, options);
  };
}"""
SHIFT = "translate(0px, 0px)"


def moved(page: Page, widget: Locator, line: str, inputs: int) -> dict[str, dict]:
    """What moves when this is typed, by its text."""
    page.evaluate("() => { window.moved = []; }")
    page.keyboard.type(line)
    page.keyboard.press("Enter")
    page.keyboard.type("next")
    expect(widget.locator(".lk-where")).to_contain_text(f"after input {inputs} of {inputs}")
    expect(widget.get_by_role("textbox", name="Command")).to_have_value("next")
    page.keyboard.press("Control+u")
    expect(widget.locator(".lk-moving")).to_have_count(0)
    expect(widget.locator(".lk-image img")).to_be_visible()
    return {each["text"]: each for each in page.evaluate("() => window.moved") if len(each["text"]) < 80}


def row(found: dict[str, dict], beginning: str) -> dict:
    return next(each for text, each in found.items() if text.startswith(beginning))


def test_what_is_new_comes_from_where_it_comes_from(page: Page, lab: Lab) -> None:
    open_cells(page, lab, "moves", "from labkit.jupyter import playground", "playground(fresh=True)")
    bring_into_view(page, "playground(fresh")
    page.evaluate(WATCH)
    widget = page.locator(".labkit-playground")
    widget.get_by_role("textbox", name="Command").click()
    assert moved(page, widget, "docker pull -q busybox", 1)
    layers = moved(page, widget, "printf 'FROM busybox\\nRUN touch /a\\n' > Dockerfile; docker build -qt app:1 .", 2)
    assert row(layers, "app:1")["from"]["opacity"] == 0
    assert row(layers, "RUN touch /a")["from"]["transform"] != SHIFT
    mounts = moved(page, widget, "docker run -d --name web -v data:/data app:1 sleep 1000", 3)
    assert row(mounts, "volume data")["from"]["transform"] != SHIFT
    assert row(mounts, "covers /data")["from"]["transform"] != SHIFT
    assert row(mounts, "busybox:latest")["from"]["opacity"] == 1  # what stays only goes to its new place
    copied = moved(page, widget, "docker exec web sh -c 'echo x >> /etc/passwd'", 4)
    assert row(copied, "C /etc/passwd")["from"]["opacity"] == 1  # it comes from its layer, whole
    assert row(copied, "C /etc/passwd")["from"]["transform"] != SHIFT
    assert row(copied, "web container")["from"]["opacity"] == 1
    for each in (layers, mounts, copied):
        assert all(one["lasts"] < 400 for one in each.values())
    page.emulate_media(reduced_motion="reduce")
    assert moved(page, widget, "docker exec web touch /tmp/x", 5) == {}
