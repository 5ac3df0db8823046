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


IN_SIGHT = """image => {
  const [frame, box] = [image.parentElement.getBoundingClientRect(), image.getBoundingClientRect()];
  return {scrolled: image.parentElement.scrollLeft, wide: box.width / frame.width};
}"""


OUTSIDE = """widget => {
  const { right } = widget.getBoundingClientRect();
  return [...widget.querySelectorAll(":not(.lk-image *)")].filter(each => each.getBoundingClientRect().right > right + 1)
    .map(each => `${each.tagName} ${each.className} ${each.textContent.slice(0, 40)}`);
}"""


def test_a_picture_of_many_images_keeps_its_size_and_scrolls_to_what_changed(page: Page, lab: Lab) -> None:
    open_cells(page, lab, "many", "from labkit.jupyter import playground", "playground(fresh=True)")
    bring_into_view(page, "playground(fresh")
    page.evaluate(WATCH)
    widget = page.locator(".labkit-playground")
    image = widget.locator(".lk-image img")
    widget.get_by_role("textbox", name="Command").click()
    pulled = [f"docker pull -q {name}" for name in ("busybox", "debian", "nginx", "postgres", "redis")]
    moved(page, widget, "; ".join(pulled), 1)
    for inputs, (width, height) in enumerate(((1440, 900), (640, 450), (390, 844)), 2):  # 640: 1280 at 200 %
        page.set_viewport_size({"width": width, "height": height})
        page.evaluate("() => window.jupyterapp.shell.collapseLeft()")
        image.evaluate("image => image.parentElement.scrollTo(0, 0)")
        assert image.evaluate(IN_SIGHT)["wide"] > 1
        widget.get_by_role("textbox", name="Command").click()
        moved(page, widget, f"docker run -d --name web{inputs} redis", inputs)
        page.wait_for_function("() => document.querySelector('.labkit-playground .lk-image').scrollLeft > 0")
        assert "; ".join(widget.evaluate(OUTSIDE)) == "", width
