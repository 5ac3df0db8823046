"""Exercises of all eight kinds as a learner meets them: by mouse, by keyboard alone, after a restart, on a new server."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from labkit.course import Attempt, load_exercise
from labkit.course.judge import KINDS as JUDGED
from labkit.course.machines import inputs_of

from .conftest import Lab, free_port, serve, watched
from .control import open_cells, press, set_theme, tab_to, take_pictures, violations, write_notebook
from .notebook import bring_into_view, cell_count, errors, open_notebook, run_all

SETUP = "from labkit.jupyter import exercise, progress"
KINDS = {
    "do": "nothing-but-one-file",
    "repair": "deleted-but-not-gone",
    "predict": "price-of-a-chmod",
    "explain": "where-did-version-2-come-from",
    "mark": "layer-or-metadata",
    "order": "the-upper-one-wins",
    "compose": "the-same-with-mount",
    "choose": "a-tag-moves",
}


def attempt(slug: str, learner: str = "demo") -> Attempt:
    return Attempt(load_exercise(slug), learner, "")


def region(page: Page, slug: str, learner: str = "demo") -> Locator:
    bring_into_view(page, f'exercise("{slug}")')
    found = page.get_by_role("region", name=f"Exercise: {attempt(slug, learner).title}", exact=True)
    found.wait_for()
    found.scroll_into_view_if_needed()
    return found


def right_answer(one: Attempt) -> object:
    """The first solution, in the form that the widget gives it."""
    answer = one.exercise.solutions[0].answer
    if one.form["type"] == "choice":
        return next(each["value"] for each in one.form["options"] if one.check(each["value"]).passed)
    if one.form["type"] == "marks":
        return dict(line.rsplit(": ", 1) for line in one.solutions[0][1].splitlines())
    return answer if isinstance(answer, list) else str(answer).strip()


def wrong_answer(one: Attempt) -> object:
    """The example of the first mistake, in the form that the widget gives it."""
    example = one.exercise.mistakes[0].example
    if one.form["type"] == "choice":
        return next(each["value"] for each in one.form["options"] if not one.check(each["value"]).passed)
    if one.form["type"] == "marks":
        return JUDGED["mark"].parse(one.exercise, example)
    return example if isinstance(example, list) else str(example).strip()


# With the mouse


def type_commands(page: Page, widget: Locator, answer: object) -> None:
    widget.get_by_role("textbox", name="Command").click()
    for line in "\n".join(inputs_of(answer)).splitlines():
        page.keyboard.type(line)
        page.keyboard.press("Enter")
        expect(widget.locator(".lk-typed").last).to_contain_text(line)


def drag_into_order(page: Page, widget: Locator, wanted: list[str]) -> None:
    rows = widget.locator(".lk-order li")
    for place, line in enumerate(wanted):
        now = [each.strip() for each in rows.locator("code").all_text_contents()]
        at = now.index(line, place)
        if at == place:
            continue
        rows.nth(at).evaluate("element => element.parentElement.scrollIntoView({block: 'center'})")
        start, end = (rows.nth(number).bounding_box() for number in (at, place))
        assert start
        assert end
        page.mouse.move(start["x"] + start["width"] - 20, start["y"] + start["height"] / 2)
        page.mouse.down()
        page.mouse.move(end["x"] + end["width"] - 20, end["y"] + end["height"] / 2, steps=6)
        page.mouse.up()
    assert [each.strip() for each in rows.locator("code").all_text_contents()] == wanted


def fill_by_mouse(page: Page, widget: Locator, one: Attempt, answer: object) -> None:
    form = one.form["type"]
    if form == "terminal":
        type_commands(page, widget, answer)
    elif form == "choice":
        widget.get_by_role("radio").nth([each["value"] for each in one.form["options"]].index(str(answer))).click()
    elif form == "text":
        widget.locator(".lk-text textarea").click()
        page.keyboard.press("Control+a")
        page.keyboard.type(str(answer))
    elif form == "marks":
        assert isinstance(answer, dict)
        for item, label in answer.items():
            widget.get_by_role("radio", name=f"{item}: {label}", exact=True).click()
    else:
        assert isinstance(answer, list)
        drag_into_order(page, widget, answer)


def test_every_kind_by_mouse(page: Page, lab: Lab) -> None:
    """Checked too early, answered wrongly, answered rightly; hints and the solution on the way."""
    open_cells(page, lab, "kinds-mouse", SETUP, *(f'exercise("{slug}")' for slug in KINDS.values()))
    for kind, slug in KINDS.items():
        one = attempt(slug)
        widget = region(page, slug)
        solution = widget.get_by_role("button", name="Solution")
        expect(solution).to_have_text("Solution (after a try)")
        solution.click(force=True)
        expect(widget.locator(".lk-solutions")).to_be_empty()
        fill_by_mouse(page, widget, one, wrong_answer(one))
        widget.get_by_role("button", name="Check", exact=True).click()
        expect(widget.locator(".lk-verdict")).to_contain_text("Not yet")
        OUTCOMES.get(kind, lambda widget: None)(widget)
        widget.get_by_role("button", name="Hint").click()
        expect(widget.locator(".lk-hints > li")).to_have_count(1)
        expect(solution).to_have_text("Solution")
        solution.click()
        expect(widget.locator(".lk-solutions pre").first).to_contain_text(one.solutions[0][1].splitlines()[0])
        widget.get_by_role("button", name="Reset").click()
        expect(widget.locator(".lk-feedback")).to_be_empty()
        fill_by_mouse(page, widget, one, right_answer(attempt(slug)))
        widget.get_by_role("button", name="Check", exact=True).click()
        expect(widget.locator(".lk-standing")).to_have_text("✓ Solved")
        expect(widget.locator(".lk-checks .lk-open")).to_have_count(0)
        if one.by_commands:
            expect(widget.locator(".lk-best")).to_contain_text("Your best: ")


def predicted(widget: Locator) -> None:
    table = widget.locator(".lk-compared")
    expect(table.locator("thead")).to_contain_text("You said")
    expect(table.locator(".lk-differs th").first).to_contain_text("▶")
    expect(table.locator("mark").first).to_be_visible()


def explained(widget: Locator) -> None:
    expect(widget.get_by_role("heading", name="After your answer")).to_be_visible()
    expect(widget.locator(".lk-differences li").first).to_contain_text("there")


def composed(widget: Locator) -> None:
    expect(widget.locator(".lk-part").first).to_be_visible()


OUTCOMES = {"predict": predicted, "explain": explained, "compose": composed}


def progress_of(lab: Lab) -> dict:
    path = lab.home / "progress.json"
    return json.loads(path.read_text()) if path.exists() else {"answers": {}, "drafts": {}}


def test_what_is_done_shows_after_each_input(page: Page, lab: Lab) -> None:
    slug = "three-layers"
    one = attempt(slug)
    open_cells(page, lab, "goals", SETUP, f'exercise("{slug}")')
    widget = region(page, slug)
    number = len(one.exercise.checks)
    before = progress_of(lab)
    expect(widget.locator(".lk-goals-title")).to_contain_text(f"0 of {number} checks are done")
    first = inputs_of(one.solutions[0][1])
    type_commands(page, widget, first)
    expect(widget.locator(".lk-goals-title")).to_contain_text(f"{number} of {number} checks are done: press Check")
    widget.get_by_role("button", name="Undo").click()
    expect(widget.locator(".lk-goals-title")).to_contain_text(f"0 of {number} checks are done")
    saved = progress_of(lab)
    assert saved["answers"] == before["answers"], "what is not checked is no answer"
    assert saved["drafts"]["demo"][f"{slug}@2"]["answer"]


# By keyboard alone


def order_by_keys(page: Page, widget: Locator, wanted: list[str]) -> None:
    rows = widget.locator(".lk-order li code")
    for place, line in enumerate(wanted[:-1]):
        now = [each.strip() for each in rows.all_text_contents()]
        at = now.index(line, place)
        if at == place:
            continue
        tab_to(page, f"Move up: {line}", "Shift+Tab" if place else "Tab")
        for _ in range(at - place):
            page.keyboard.press("ArrowUp")
        tab_to(page, f"Move down: {wanted[-1]}" if wanted[-1] == now[-1] else "Check")


def fill_by_keys(page: Page, widget: Locator, one: Attempt, answer: object) -> None:
    form = one.form["type"]
    if form == "terminal":
        tab_to(page, "Command")
        for line in "\n".join(inputs_of(answer)).splitlines():
            page.keyboard.type(line)
            page.keyboard.press("Enter")
    elif form == "choice":
        options = [each["value"] for each in one.form["options"]]
        while (
            value := page.evaluate("() => document.activeElement.type === 'radio' ? document.activeElement.value : ''")
        ) == "":
            page.keyboard.press("Tab")
        page.keyboard.press("Space")
        for _ in range((options.index(str(answer)) - options.index(value)) % len(options)):
            page.keyboard.press("ArrowDown")
    elif form == "text":
        tab_to(page, one.form["label"])
        page.keyboard.type(str(answer))
    elif form == "marks":
        assert isinstance(answer, dict)
        labels = [each["value"] for each in one.form["options"]]
        for item, label in answer.items():
            tab_to(page, f"{item}: {labels[0]}")
            page.keyboard.press("Space")
            for _ in range(labels.index(label)):
                page.keyboard.press("ArrowRight")
    else:
        assert isinstance(answer, list)
        order_by_keys(page, widget, answer)


@pytest.mark.parametrize("kind", KINDS)
def test_by_keyboard_alone(page: Page, lab: Lab, kind: str) -> None:
    slug = KINDS[kind]
    one = attempt(slug)
    (lab.home / "progress.json").unlink(missing_ok=True)
    open_cells(page, lab, f"keys-{kind}", SETUP, f'exercise("{slug}")')
    widget = region(page, slug)
    cells = cell_count(page)
    page.keyboard.press("Escape")
    fill_by_keys(page, widget, one, right_answer(attempt(slug)))
    press(page, "Hint")
    expect(widget.locator(".lk-hints > li")).to_have_count(1)
    for key in ("b", "d", "d", "x", "ArrowDown"):
        page.keyboard.press(key)
    page.keyboard.press("Escape")  # out of the prompt, which has the focus again
    press(page, "Check")
    expect(widget.locator(".lk-standing")).to_have_text("✓ Solved")
    page.keyboard.press("Escape")
    press(page, "Solution")
    expect(widget.locator(".lk-solutions pre").first).to_be_visible()
    assert cell_count(page) == cells


# What is remembered

RESTART = "() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()"


def test_it_goes_through_a_restart_and_to_a_new_server(browser: object, browser_path: str, tmp_path: Path) -> None:
    """ann solves one exercise and begins another; the kernel restarts; then everything is gone but the browser."""
    port = free_port()
    context = browser.new_context(viewport={"width": 1400, "height": 1000})  # type: ignore[attr-defined]
    solved, begun = "a-tag-moves", "nothing-but-one-file"
    cells = (SETUP, f'exercise("{solved}")', f'exercise("{begun}")', "progress()")
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    with serve(tmp_path / "one", port, learner="") as lab, watched(context) as page:
        write_notebook(lab, "mine", "%load_ext labkit.jupyter\n%labkit learner ann", *cells)
        open_notebook(page, lab.address("mine.ipynb"))
        assert errors(run_all(page)) == []
        one = attempt(solved, "ann")
        fill_by_mouse(page, region(page, solved, "ann"), one, right_answer(attempt(solved, "ann")))
        widget = region(page, solved, "ann")
        widget.get_by_role("button", name="Check", exact=True).click()
        expect(widget.locator(".lk-standing")).to_have_text("✓ Solved")
        widget = region(page, begun, "ann")
        type_commands(page, widget, ["docker volume create mine"])
        widget.get_by_role("button", name="Hint").click()
        expect(widget.locator(".lk-hints > li")).to_have_count(1)
        page.evaluate(RESTART)
        assert errors(run_all(page)) == []
        expect(region(page, solved, "ann").locator(".lk-standing")).to_have_text("✓ Solved")
        expect(region(page, solved, "ann").locator("input:checked")).to_have_count(1)
        widget = region(page, begun, "ann")
        expect(widget.locator(".lk-hints > li")).to_have_count(1)
        widget.get_by_role("button", name="Bring back my 1 command").click()
        expect(widget.locator(".lk-typed")).to_contain_text("docker volume create mine")
        expect(widget.locator(".lk-image img:visible").last).to_have_attribute("alt", re.compile(r"1 volume \(mine\)"))
    with serve(tmp_path / "two", port, learner="") as lab, watched(context) as page:
        write_notebook(lab, "mine", *cells)
        open_notebook(page, lab.address("mine.ipynb"))
        assert errors(run_all(page)) == []
        widget = region(page, solved)
        offer = widget.locator(".lk-offer")
        expect(offer).to_contain_text("This browser remembers 1 solved exercise of ann.")
        expect(widget.locator(".lk-standing")).to_be_empty()
        offer.get_by_role("button", name="Bring them back").click()
        widget = page.get_by_role("region", name=f"Exercise: {attempt(solved, 'ann').title}", exact=True)
        expect(widget.locator(".lk-standing")).to_have_text("✓ Solved")
        expect(widget.locator(".lk-offer")).to_have_text("Brought back: 1 solved exercise of ann.")
        expect(region(page, begun, "ann").get_by_role("button", name="Bring back my 1 command")).to_be_visible()
        bring_into_view(page, "progress()")
        expect(page.locator(".labkit-map .lk-heading")).to_contain_text("learner: ann")
        assert json.loads((lab.home / "progress.json").read_text())["learner"]["name"] == "ann"
    context.close()


def test_what_is_declined_is_not_lost(page: Page, lab: Lab) -> None:
    """The browser has a solved exercise that the file has not: it is offered, declined, and still there."""
    entry = {"answer": "x", "passed": True, "points": 1, "at": 5, "tries": 1}
    (lab.home / "progress.json").unlink(missing_ok=True)
    open_cells(page, lab, "declined-before", SETUP)
    page.evaluate(
        """entry => {
          localStorage.setItem("labkit/docker-storage/1/answers/demo/a-tag-moves@2", JSON.stringify(entry));
          localStorage.setItem("labkit/docker-storage/1/answers/demo/price-of-a-chmod@1", "{<img src=x>");
          localStorage.setItem("labkit/docker-storage/1/learner", JSON.stringify({name: "<b>", seed: "", at: 1}));
        }""",
        entry,
    )
    open_cells(page, lab, "declined", SETUP, 'exercise("a-tag-moves")', "progress()")
    widget = region(page, "a-tag-moves")
    expect(widget.locator(".lk-offer")).to_contain_text("This browser remembers 1 solved exercise of demo.")
    widget.locator(".lk-offer").get_by_role("button", name="Not now").click()
    expect(widget.locator(".lk-offer")).to_be_empty()
    one = attempt("a-tag-moves")
    fill_by_mouse(page, widget, one, wrong_answer(one))
    widget.get_by_role("button", name="Check", exact=True).click()
    expect(widget.locator(".lk-verdict")).to_contain_text("Not yet")
    kept = page.evaluate("() => localStorage.getItem('labkit/docker-storage/1/answers/demo/a-tag-moves@2')")
    assert json.loads(kept)["passed"] is True
    assert json.loads((lab.home / "progress.json").read_text())["answers"]["demo"]["a-tag-moves@2"]["passed"] is False


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_every_kind_is_accessible_and_fits(page: Page, lab: Lab, theme: str) -> None:
    """After a wrong answer: axe-core, and screenshots for whoever wants to look."""
    (lab.home / "progress.json").unlink(missing_ok=True)
    open_cells(page, lab, f"look-{theme}", SETUP, *(f'exercise("{slug}")' for slug in KINDS.values()))
    set_theme(page, theme)
    found = []
    for kind, slug in KINDS.items():
        one = attempt(slug)
        page.set_viewport_size({"width": 1280, "height": 1100})
        widget = region(page, slug)
        fill_by_mouse(page, widget, one, wrong_answer(one))
        widget.get_by_role("button", name="Hint").click()
        widget.get_by_role("button", name="Check", exact=True).click()
        expect(widget.locator(".lk-verdict")).to_contain_text("Not yet")
        found += [f"{kind}: {each}" for each in violations(page, ".labkit-exercise")]
        take_pictures(page, widget, f"exercise-{kind}-{theme.lower()}")
    assert found == []
