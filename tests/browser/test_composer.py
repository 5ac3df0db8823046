"""The mount composer as a learner meets it: by mouse, by keyboard alone, in both themes, narrow and wide."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from .conftest import Lab
from .control import open_cells, set_theme, tab_into, take_pictures, violations
from .notebook import bring_into_view, cell_count


@pytest.fixture
def composer(page: Page, lab: Lab) -> Locator:
    """The composer in a notebook of its own."""
    open_cells(page, lab, "composer", "from labkit.jupyter import mount_composer\n%fresh", "mount_composer()")
    bring_into_view(page, "mount_composer()")
    found = page.get_by_role("region", name="Mount composer")
    found.wait_for()
    return found


def flag(composer: Locator, name: str) -> Locator:
    return composer.get_by_role("region", name=f"The flag {name}")


def typed(composer: Locator, name: str) -> Locator:
    return flag(composer, name).get_by_role("textbox")


def test_by_mouse(page: Page, composer: Locator) -> None:
    composer.get_by_label("Type", exact=True).select_option("bind")
    expect(typed(composer, "-v")).to_have_value("/data/mysql:/var/lib/mysql")
    composer.get_by_label("Read-only").check()
    expect(typed(composer, "-v")).to_have_value("/data/mysql:/var/lib/mysql:ro")
    expect(typed(composer, "--mount")).to_have_value("type=bind,source=/data/mysql,target=/var/lib/mysql,readonly")
    expect(flag(composer, "--mount")).to_contain_text("bind source path does not exist: /data/mysql")
    expect(flag(composer, "--mount").locator(".lk-wrong")).to_have_text("✗\u00a0source=/data/mysql2")
    expect(flag(composer, "-v")).to_contain_text("Docker takes it.")
    expect(composer.locator(".lk-differences")).to_contain_text("-v makes it, an empty folder that belongs to root")
    composer.get_by_role("button", name="Try it with -v").click()
    expect(composer.locator(".lk-tried")).to_contain_text("made the missing folder /data/mysql on the host")
    expect(composer.locator(".lk-tried")).to_contain_text("/var/lib/mysql ext4 ro")
    composer.get_by_label("keep what it does to the machine").check()
    composer.get_by_role("button", name="Try it with -v").click()
    expect(composer.locator(".lk-tried")).to_contain_text("the machine is now so")
    expect(flag(composer, "--mount")).to_contain_text("Docker takes it.")
    typed(composer, "--mount").fill("type=bind,source=/data/mysql,target=/data,readonly,volume-nocopy")
    expect(flag(composer, "--mount").locator(".lk-wrong")).to_have_count(1)
    expect(typed(composer, "-v")).to_have_value("/data/mysql:/var/lib/mysql:ro")
    composer.get_by_label("Type", exact=True).select_option("tmpfs")
    expect(flag(composer, "-v")).to_contain_text("--tmpfs /var/lib/mysql:ro")
    expect(composer.get_by_role("button", name="Try it with -v")).to_have_attribute("aria-disabled", "true")


def test_by_keyboard_alone(page: Page, composer: Locator) -> None:
    before = cell_count(page)
    page.keyboard.press("Escape")
    tab_into(page, composer.get_by_label("Type", exact=True))
    page.keyboard.press("ArrowUp")
    expect(typed(composer, "--mount")).to_have_value("type=bind,source=/data/mysql,target=/var/lib/mysql")
    tab_into(page, composer.get_by_label("Target", exact=True))
    page.keyboard.press("Control+a")
    page.keyboard.type("/data")
    expect(typed(composer, "-v")).to_have_value("/data/mysql:/data")
    expect(composer.get_by_label("Make a missing source")).to_be_hidden()
    tab_into(page, composer.get_by_text("More fields"))
    page.keyboard.press("Enter")
    tab_into(page, composer.get_by_label("Make a missing source"))
    page.keyboard.press("Space")
    expect(typed(composer, "--mount")).to_have_value("type=bind,source=/data/mysql,target=/data,bind-create-src")
    tab_into(page, typed(composer, "-v"))
    page.keyboard.press("End")
    page.keyboard.type(":rob")
    expect(flag(composer, "-v")).to_contain_text("invalid mode: rob")
    expect(flag(composer, "-v").locator(".lk-wrong")).to_have_text("✗\u00a0rob")
    page.keyboard.press("Backspace")
    page.keyboard.press("Enter")
    expect(composer.get_by_label("Read-only")).to_be_checked()
    expect(typed(composer, "-v")).to_have_value("/data/mysql:/data:ro")
    tab_into(page, composer.get_by_role("button", name="Try it with --mount"))
    page.keyboard.press("Enter")
    expect(composer.locator(".lk-tried")).to_contain_text("that was on a copy: the machine is as it was")
    for key in ("b", "x", "d", "d", "m", "ArrowDown"):
        page.keyboard.press(key)
    assert cell_count(page) == before


def test_what_is_typed_fast_is_kept(page: Page, composer: Locator) -> None:
    area = typed(composer, "--mount")
    area.click()
    page.keyboard.press("Control+a")
    text = "type=volume,source=notes,target=/data,volume-nocopy,volume-label=owner=ada"
    page.keyboard.type(text, delay=25)
    expect(typed(composer, "-v")).to_have_value("notes:/data:nocopy")
    expect(area).to_have_value(text)
    expect(composer.get_by_label("Labels")).to_have_value("owner=ada")
    area.fill("--mount type=tmpfs,target=/t,tmpfs-size=1m")
    expect(area).to_have_value("type=tmpfs,target=/t,tmpfs-size=1m")
    expect(composer.get_by_label("Size")).to_have_value("1m")


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_it_is_accessible_and_fits(page: Page, composer: Locator, theme: str) -> None:
    """axe-core, and screenshots for whoever wants to look."""
    set_theme(page, theme)
    typed(composer, "--mount").fill(
        "type=bind,source=/nosuch,target=/data,readonly,bind-propagation=rslave,bind-recursive=disabled,bind-idmap=userns"
    )
    expect(flag(composer, "--mount").locator(".lk-wrong")).to_have_count(1)
    composer.get_by_role("button", name="Try it with -v").click()
    expect(composer.locator(".lk-tried")).to_contain_text("on a copy")
    take_pictures(page, composer, f"composer-{theme.lower()}")
    assert violations(page, ".labkit-composer") == []
    set_theme(page, "Light")
