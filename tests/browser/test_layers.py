"""The layer explorer as a learner meets it: by mouse, by keyboard alone, in both themes, narrow and wide."""

from __future__ import annotations

import os
import re
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Locator, Page, expect

from .conftest import SHOTS, Lab
from .notebook import bring_into_view, cell_count, errors, open_notebook, run_all

AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
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
    cells = [nbformat.v4.new_code_cell(SETUP), nbformat.v4.new_code_cell('layers("web")')]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), lab.folder / "layers.ipynb")
    open_notebook(page, lab.address("layers.ipynb"))
    assert errors(run_all(page)) == []
    page.evaluate("() => window.jupyterapp.commands.execute('application:toggle-left-area')")
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
    SHOTS.mkdir(exist_ok=True)
    for theme in ("JupyterLab Light", "JupyterLab Dark"):
        page.evaluate("theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})", theme)
        for width in (1280, 800):
            page.set_viewport_size({"width": width, "height": 1100})
            page.wait_for_timeout(700)
            explorer.evaluate("element => element.scrollIntoView({block: 'start'})")
            assert explorer.evaluate("element => element.scrollWidth <= element.clientWidth"), "nothing sticks out"
            page.screenshot(path=SHOTS / f"layers-{theme.split()[1].lower()}-{width}.png")
    page.evaluate("() => window.jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Light'})")


def tab_to(page: Page, wanted: Locator, most: int = 60) -> None:
    """Press Tab until this element, or one in it, has the focus."""
    for _ in range(most):
        if wanted.evaluate("element => element.contains(document.activeElement)"):
            return
        page.keyboard.press("Tab")
    raise AssertionError("Tab does not get there")


def test_by_keyboard_alone(page: Page, explorer: Locator) -> None:
    before = cell_count(page)
    page.keyboard.press("Escape")
    tab_to(page, explorer.get_by_role("tree"))
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
    tab_to(page, explorer.get_by_label("Where does this path come from?"))
    page.keyboard.type("/archive.tar")
    page.keyboard.press("Enter")
    expect(explorer.locator(".lk-details")).to_contain_text("Nothing is seen at this path.")
    expect(explorer.locator(".lk-details")).to_contain_text("whiteout: nothing below counts")
    assert cell_count(page) == before


def test_is_accessible(page: Page, explorer: Locator) -> None:
    if not AXE.exists():
        assert not os.environ.get("LABKIT_REQUIRE_BROWSER"), "axe-core is missing: npm ci in tests/browser"
        pytest.skip("axe-core is not installed (npm ci in tests/browser)")
    row(explorer, "COPY . .").click()
    row(explorer, "opt/").click()
    row(explorer, "app.py").click()
    expect(explorer.locator(".lk-content")).to_be_visible()
    page.add_script_tag(content=AXE.read_text(encoding="utf-8"))
    for theme in ("JupyterLab Light", "JupyterLab Dark"):
        page.evaluate("theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})", theme)
        page.wait_for_timeout(700)
        report = page.evaluate("() => axe.run({include: [['.labkit-layers']]}, {resultTypes: ['violations']})")
        found = [f"{theme}: {rule['id']}: {rule['nodes'][0]['html'][:200]}" for rule in report["violations"]]
        assert found == []
    page.evaluate("() => window.jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Light'})")
