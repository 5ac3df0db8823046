"""The layer explorer as a learner meets it: by mouse, by keyboard alone, in both themes, narrow and wide."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from .conftest import Lab
from .control import open_cells, set_theme, tab_into, take_pictures, violations
from .notebook import bring_into_view, cell_count

MARKUP = "<img src=x onerror=alert(1)>"
SETUP = f"""from labkit.jupyter import layers, lesson
%fresh
machine = lesson().machine
machine.run("mkdir app; echo 'print(1)' > app/app.py; dd if=/dev/zero of=app/archive.tar bs=1M count=50")
machine.files.write("/home/learner/app/{MARKUP}", "{MARKUP}")
machine.files.write("/home/learner/app/Dockerfile", '''FROM busybox
COPY archive.tar /
RUN rm /archive.tar
WORKDIR /opt
COPY . .
RUN chmod 600 /opt/app.py
''')
done = machine.run("docker build -t app app && docker run -d --name web app sleep 1000")
machine.run("docker exec web sh -c 'echo more >> app.py; rm archive.tar'")
assert done.returncode == 0, done.stderr"""


@pytest.fixture
def explorer(page: Page, lab: Lab) -> Locator:
    """The layers of a container, shown in a notebook of its own."""
    open_cells(page, lab, "layers", SETUP, 'layers("web")')
    set_theme(page, "Light")
    bring_into_view(page, 'layers("web")')
    found = page.get_by_role("region", name="Layers of container web")
    found.wait_for()
    return found


def row(explorer: Locator, name: str) -> Locator:
    """The row whose name ends so; of a layer, its instruction."""
    named = explorer.page.locator(".lk-name").filter(has_text=re.compile(rf"(^|: ){re.escape(name)}\s*$"))
    return explorer.get_by_role("treeitem").filter(has=named)


def test_by_mouse(page: Page, explorer: Locator) -> None:
    row(explorer, "RUN rm /archive.tar").click()
    expect(row(explorer, "archive.tar")).to_contain_text("whiteout: hides 52.4MB of layer 2")
    row(explorer, "archive.tar").click()
    details = explorer.locator(".lk-details")
    expect(details).to_contain_text("/archive.tar in layer 3")
    row(explorer, "COPY . .").click()
    row(explorer, "opt/").click()
    expect(row(explorer, MARKUP)).to_be_visible()
    row(explorer, MARKUP).click()
    expect(details.locator(".lk-content")).to_have_text(MARKUP)
    explorer.get_by_label("Where does this path come from?").fill("/opt/app.py")
    explorer.get_by_role("button", name="Trace").click()
    expect(details).to_contain_text("The file of layer 8 is seen.")
    expect(details.locator(".lk-trace li")).to_have_count(8)
    expect(details.locator(".lk-seen")).to_contain_text("Layer 8")
    row(explorer, "RUN rm /archive.tar").click()
    expect(row(explorer, "archive.tar")).to_have_count(1)
    pictures(page, explorer)


def pictures(page: Page, explorer: Locator) -> None:
    """The widget in both themes, wide and narrow, for whoever wants to look."""
    for theme in ("Dark", "Light"):
        set_theme(page, theme)
        take_pictures(page, explorer, f"layers-{theme.lower()}")


def test_by_keyboard_alone(page: Page, explorer: Locator) -> None:
    before = cell_count(page)
    page.keyboard.press("Escape")
    tab_into(page, explorer.get_by_role("tree"))
    focused = page.locator(":focus")
    expect(focused).to_contain_text("What a container sees")
    page.keyboard.press("End")
    expect(focused).to_contain_text("Layer 1")
    page.keyboard.press("Home")
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    expect(focused).to_contain_text("RUN chmod 600")
    page.keyboard.press("ArrowRight")
    expect(focused).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("o")
    expect(focused).to_contain_text("opt/")
    page.keyboard.press("ArrowRight")
    expect(focused).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("a")  # by its first letter; in a notebook this key would insert a cell
    expect(focused).to_contain_text("app.py")
    page.keyboard.press("Enter")
    expect(explorer.locator(".lk-details")).to_contain_text("/opt/app.py in layer 6")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(focused).to_contain_text("opt/")
    expect(focused).to_have_attribute("aria-expanded", "false")
    for key in ("b", "x", "m", "z"):
        page.keyboard.press(key)
    tab_into(page, explorer.get_by_label("Where does this path come from?"))
    page.keyboard.type("/archive.tar")
    page.keyboard.press("Enter")
    expect(explorer.locator(".lk-details")).to_contain_text("Nothing is seen at this path.")
    expect(explorer.locator(".lk-details")).to_contain_text("whiteout: nothing below counts")
    assert cell_count(page) == before


def test_is_accessible(page: Page, explorer: Locator) -> None:
    row(explorer, "COPY . .").click()
    row(explorer, "opt/").click()
    row(explorer, "app.py").click()
    expect(explorer.locator(".lk-content")).to_be_visible()
    for theme in ("Dark", "Light"):
        set_theme(page, theme)
        assert violations(page, ".labkit-layers") == []
