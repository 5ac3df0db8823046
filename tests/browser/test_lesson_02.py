"""Lesson 02 as a learner meets it: run every cell, solve exercises with keyboard and mouse, come back later."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Locator, Page, expect

from labkit.course import Attempt, load_exercise

from .conftest import SHOTS, Lab
from .control import violations
from .notebook import bring_into_view, cell_count, errors, open_notebook, run_all

NOTEBOOK = "02-layered-images.ipynb"


@pytest.fixture
def lesson(page: Page, lab: Lab) -> Page:
    """The lesson with every cell run, none of them with an error."""
    open_notebook(page, lab.address(NOTEBOOK))
    assert errors(run_all(page)) == []
    return page


def exercise(page: Page, slug: str) -> Locator:
    """The widget of an exercise, in view."""
    bring_into_view(page, f'exercise("{slug}")')
    found = page.get_by_role("region", name=f"Exercise: {load_exercise(slug).title}")
    found.wait_for()
    found.scroll_into_view_if_needed()
    return found


def attempt(slug: str) -> Attempt:
    return Attempt(load_exercise(slug), learner="demo", seed="")


def test_every_cell_runs_and_an_exercise_is_solved_at_the_keyboard(lesson: Page, lab: Lab) -> None:
    widget = exercise(lesson, "three-layers")
    widget.get_by_role("button", name="Check").click()
    expect(widget.locator(".lk-checks .lk-open").first).to_be_visible()

    terminal = widget.get_by_role("textbox", name="Command")
    terminal.click()
    _, commands = attempt("three-layers").solutions[1]
    for line in commands.strip().splitlines():
        lesson.keyboard.type(line)
        lesson.keyboard.press("Enter")
        expect(widget.locator(".lk-typed").last).to_contain_text(line)
    widget.get_by_role("button", name="Check").click()
    expect(widget.locator(".lk-checks .lk-ok").first).to_be_visible()
    expect(widget.locator(".lk-checks .lk-open")).to_have_count(0)
    take_picture(lesson, widget)

    saved = json.loads((lab.home / "progress.json").read_text())
    assert "three-layers" in json.dumps(saved)


def take_picture(page: Page, widget: Locator) -> None:
    """The exercise as it is now, for whoever wants to look: docs/lesson-02.png is such a one."""
    page.evaluate("() => window.jupyterapp.commands.execute('application:toggle-left-area')")
    page.set_viewport_size({"width": 1400, "height": 1120})
    widget.evaluate("element => element.scrollIntoView({block: 'start'})")
    page.wait_for_timeout(500)
    SHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SHOTS / "solved.png")


def test_a_wrong_choice_gets_its_own_answer_and_the_right_one_passes(lesson: Page) -> None:
    slug = "a-tag-moves"
    widget = exercise(lesson, slug)
    mine = attempt(slug)
    judged = {option["value"]: mine.check(option["value"]) for option in mine.form["options"]}
    wrong = next(value for value, judgement in judged.items() if not judgement.passed)
    right = next(value for value, judgement in judged.items() if judgement.passed)

    widget.get_by_role("radio").nth(index_of(mine, wrong)).check()
    widget.get_by_role("button", name="Check").click()
    expect(widget.locator(".lk-feedback .lk-prose")).not_to_be_empty()
    widget.get_by_role("radio").nth(index_of(mine, right)).check()
    widget.get_by_role("button", name="Check").click()
    expect(widget.locator(".lk-checks .lk-ok").first).to_be_visible()


def index_of(attempt: Attempt, value: str) -> int:
    return [option["value"] for option in attempt.form["options"]].index(value)


def test_keys_pressed_in_an_exercise_stay_there(lesson: Page) -> None:
    before = cell_count(lesson)
    widget = exercise(lesson, "a-tag-moves")
    for target in (widget.get_by_role("radio").first, widget.get_by_role("button", name="Hint")):
        target.focus()
        for key in ("b", "a", "x", "d", "d", "ArrowDown", "m"):
            lesson.keyboard.press(key)
    assert cell_count(lesson) == before


def test_pictures_are_drawn_and_have_a_text(lesson: Page) -> None:
    bring_into_view(lesson, 'show("app")')
    picture = lesson.locator(".jp-OutputArea-output img[alt]").first
    picture.wait_for()
    assert picture.evaluate("image => image.naturalWidth") > 100
    assert len(picture.get_attribute("alt") or "") >= 20


def test_outputs_are_accessible(lesson: Page) -> None:
    """axe-core on what the course draws; JupyterLab around it breaks rules of its own."""
    found = []
    for slug in ("three-layers", "a-tag-moves", "layer-or-metadata", "the-upper-one-wins", "price-of-a-chmod"):
        exercise(lesson, slug)
        found += [f"{slug}: {each}" for each in violations(lesson, ".labkit-exercise")]
    assert found == []
