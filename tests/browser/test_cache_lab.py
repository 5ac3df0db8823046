"""The build-cache lab as a learner meets it: by mouse, by keyboard alone, in both themes, narrow and wide."""

from __future__ import annotations

import os
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Locator, Page, expect

from .conftest import SHOTS, Lab
from .notebook import bring_into_view, cell_count, errors, open_notebook, run_all

AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
MARKUP = "<img src=x onerror=alert(1)>"
SETUP = f"""from labkit.jupyter import cache_lab
%fresh
files = {{
    "Dockerfile": '''FROM busybox
ARG VERSION=1
WORKDIR /app
COPY requirements.txt .
RUN sleep 2; cp requirements.txt installed
COPY . .
RUN echo $VERSION
''',
    "requirements.txt": "flask",
    "src/app.py": "print(1)",
    "{MARKUP}": "{MARKUP}",
    "notes.log": "noise",
    ".dockerignore": "*.log",
}}"""
CALL = 'cache_lab("app", files)'
THEME = "theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})"


@pytest.fixture
def cache(page: Page, lab: Lab) -> Locator:
    """The lab, shown in a notebook of its own."""
    cells = [nbformat.v4.new_code_cell(SETUP), nbformat.v4.new_code_cell(CALL)]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), lab.folder / "cache.ipynb")
    open_notebook(page, lab.address("cache.ipynb"))
    assert errors(run_all(page)) == []
    page.evaluate("() => window.jupyterapp.commands.execute('application:toggle-left-area')")
    bring_into_view(page, CALL)
    found = page.get_by_role("region", name="Build cache of app")
    found.wait_for()
    return found


def step(cache: Locator, text: str) -> Locator:
    return cache.locator(".lk-step").filter(has_text=text).first


def test_by_mouse(page: Page, cache: Locator) -> None:
    build = cache.get_by_role("button", name="Build", exact=True)
    build.click()
    expect(step(cache, "COPY . .").locator(".lk-cachestate")).to_have_text("↻ made anew")
    cache.get_by_role("button", name="src/app.py").click()
    text = cache.get_by_label("src/app.py (mode 644)")
    expect(text).to_have_value("print(1)")
    text.fill("print(2)")
    cache.get_by_role("button", name="Save").click()
    expect(step(cache, "COPY . .").locator(".lk-cachestate")).to_be_empty()
    for name, value in (("COPY requirements.txt .", "cached"), ("RUN sleep 2", "made"), ("COPY . .", "made")):
        step(cache, name).get_by_role("combobox").select_option(value)
    build.click()
    expect(step(cache, "COPY . .")).to_contain_text("The checksum of src/app.py changed: its content")
    expect(step(cache, "COPY . .")).to_contain_text("you said so")
    expect(step(cache, "RUN sleep 2")).to_contain_text("✓ cached")
    expect(step(cache, "RUN sleep 2")).to_contain_text("you said otherwise")
    expect(cache.locator(".lk-verdicts")).to_contain_text("You said it rightly of 2 of 3 steps.")
    expect(cache.locator(".lk-files")).to_contain_text(MARKUP)
    assert step(cache, "RUN sleep 2").evaluate("element => getComputedStyle(element).borderTopStyle") == "solid"
    pictures(page, cache)


def pictures(page: Page, cache: Locator) -> None:
    """The widget in both themes, wide and narrow, for whoever wants to look."""
    SHOTS.mkdir(exist_ok=True)
    for theme in ("JupyterLab Light", "JupyterLab Dark"):
        page.evaluate(THEME, theme)
        for width in (1280, 800):
            page.set_viewport_size({"width": width, "height": 1100})
            page.wait_for_timeout(700)
            cache.evaluate("element => element.scrollIntoView({block: 'start'})")
            assert cache.evaluate("element => element.scrollWidth <= element.clientWidth"), "nothing sticks out"
            page.screenshot(path=SHOTS / f"cache-lab-{theme.split()[1].lower()}-{width}.png")
    page.evaluate(THEME, "JupyterLab Light")


def tab_to(page: Page, wanted: Locator, most: int = 80) -> None:
    """Press Tab until this element has the focus."""
    for _ in range(most):
        if wanted.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError("Tab does not get there")


def test_by_keyboard_alone(page: Page, cache: Locator) -> None:
    cells = cell_count(page)
    page.keyboard.press("Escape")
    tab_to(page, cache.get_by_role("button", name="Build", exact=True))
    page.keyboard.press("Enter")
    expect(step(cache, "COPY . .").locator(".lk-cachestate")).to_have_text("↻ made anew")
    for _ in range(60):  # back to the Dockerfile, which is open
        page.keyboard.press("Shift+Tab")
        if page.locator(":focus").evaluate("element => element.tagName") == "TEXTAREA":
            break
    page.keyboard.press("Control+Home")
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("End")
    page.keyboard.type("\nENV A=dd")
    page.keyboard.press("Control+s")
    expect(step(cache, "COPY . .").locator(".lk-cachestate")).to_be_empty()
    tab_to(page, step(cache, "RUN sleep 2").get_by_role("combobox"))
    page.keyboard.type("made")
    expect(page.locator(":focus")).to_have_value("made")
    tab_to(page, cache.get_by_label("Options"))
    page.keyboard.type("--build-arg VERSION=2")
    page.keyboard.press("Enter")
    expect(cache.locator(".lk-command")).to_contain_text("--build-arg VERSION=2")
    tab_to(page, cache.get_by_role("button", name="Build", exact=True))
    page.keyboard.press("Space")
    expect(step(cache, "RUN sleep 2")).to_contain_text("The variable A is new")
    expect(step(cache, "RUN sleep 2")).to_contain_text("The ARG VERSION changed: 1 → 2")
    expect(step(cache, "RUN sleep 2")).to_contain_text("you said so")
    expect(step(cache, "COPY requirements.txt .")).to_contain_text("✓ cached")
    tab_to(page, cache.get_by_label("New file"))
    page.keyboard.type("bad.md")
    page.keyboard.press("Enter")
    expect(cache.locator(".lk-files")).to_contain_text("bad.md")
    assert cell_count(page) == cells


def test_is_accessible(page: Page, cache: Locator) -> None:
    if not AXE.exists():
        assert not os.environ.get("LABKIT_REQUIRE_BROWSER"), "axe-core is missing: npm ci in tests/browser"
        pytest.skip("axe-core is not installed (npm ci in tests/browser)")
    cache.get_by_role("button", name="Build", exact=True).click()
    expect(step(cache, "COPY . .").locator(".lk-cachestate")).to_have_text("↻ made anew")
    cache.get_by_text("What docker build printed").click()
    page.add_script_tag(content=AXE.read_text(encoding="utf-8"))
    for theme in ("JupyterLab Light", "JupyterLab Dark"):
        page.evaluate(THEME, theme)
        page.wait_for_timeout(700)
        report = page.evaluate("() => axe.run({include: [['.labkit-cache_lab']]}, {resultTypes: ['violations']})")
        found = [f"{theme}: {rule['id']}: {rule['nodes'][0]['html'][:200]}" for rule in report["violations"]]
        assert found == []
    page.evaluate(THEME, "JupyterLab Light")
