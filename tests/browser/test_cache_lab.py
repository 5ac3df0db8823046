"""The build-cache lab as a learner meets it: by mouse, by keyboard alone, in both themes, narrow and wide."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from .conftest import Lab
from .control import open_cells, set_theme, tab_into, take_pictures, violations
from .notebook import bring_into_view, cell_count

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


@pytest.fixture
def cache(page: Page, lab: Lab) -> Locator:
    """The lab, shown in a notebook of its own."""
    open_cells(page, lab, "cache", SETUP, CALL)
    set_theme(page, "Light")
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
    for theme in ("Dark", "Light"):
        set_theme(page, theme)
        take_pictures(page, cache, f"cache-lab-{theme.lower()}")


def test_by_keyboard_alone(page: Page, cache: Locator) -> None:
    cells = cell_count(page)
    page.keyboard.press("Escape")
    tab_into(page, cache.get_by_role("button", name="Build", exact=True))
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
    tab_into(page, step(cache, "RUN sleep 2").get_by_role("combobox"))
    page.keyboard.type("made")
    expect(page.locator(":focus")).to_have_value("made")
    tab_into(page, cache.get_by_label("Options"))
    page.keyboard.type("--build-arg VERSION=2")
    page.keyboard.press("Enter")
    expect(cache.locator(".lk-command")).to_contain_text("--build-arg VERSION=2")
    tab_into(page, cache.get_by_role("button", name="Build", exact=True))
    page.keyboard.press("Space")
    expect(step(cache, "RUN sleep 2")).to_contain_text("The variable A is new")
    expect(step(cache, "RUN sleep 2")).to_contain_text("The ARG VERSION changed: 1 → 2")
    expect(step(cache, "RUN sleep 2")).to_contain_text("you said so")
    expect(step(cache, "COPY requirements.txt .")).to_contain_text("✓ cached")
    tab_into(page, cache.get_by_label("New file"))
    page.keyboard.type("bad.md")
    page.keyboard.press("Enter")
    expect(cache.locator(".lk-files")).to_contain_text("bad.md")
    assert cell_count(page) == cells


def test_is_accessible(page: Page, cache: Locator) -> None:
    cache.get_by_role("button", name="Build", exact=True).click()
    expect(step(cache, "COPY . .").locator(".lk-cachestate")).to_have_text("↻ made anew")
    cache.get_by_text("What docker build printed").click()
    for theme in ("Dark", "Light"):
        set_theme(page, theme)
        assert violations(page, ".labkit-cache_lab") == []
