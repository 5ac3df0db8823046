"""An exercise as a place to work in: wide enough for Docker's tables, and no key of it reaches the notebook."""

from __future__ import annotations

import nbformat
from playwright.sync_api import Locator, Page, expect

from labkit.jupyter.running import run_notebook

from .conftest import SHOTS, Lab
from .control import open_cells
from .notebook import bring_into_view, cell_count, errors, open_notebook, run_all

SLUG = "nothing-but-one-file"
SETUP = "from labkit.jupyter import exercise, playground"
THREE = (
    "docker pull -q busybox",
    "docker run -d --name web_server busybox sleep 100000",
    "docker run -d --name another-one busybox sh -c 'sleep 1000; echo it is done'",
    "docker run --name the_last busybox echo a word",
    "docker ps -a",
)
MODEL = """() => [...window.jupyterapp.shell.currentWidget.content.model.cells]
  .map(cell => [cell.type, cell.sharedModel.getSource()])"""
ACTIVE = "() => window.jupyterapp.shell.currentWidget.content.activeCellIndex"
LINES = """pre => {
  const range = document.createRange();
  const text = pre.firstChild;
  return text.data.trimEnd().split('\\n').map((line, index, lines) => {
    const start = lines.slice(0, index).reduce((sum, each) => sum + each.length + 1, 0);
    range.setStart(text, start);
    range.setEnd(text, start + line.length);
    const box = range.getBoundingClientRect();
    const frame = pre.parentElement.getBoundingClientRect();
    const tall = parseFloat(getComputedStyle(pre).lineHeight);
    return {left: box.left >= frame.left, right: box.right <= frame.right, rows: Math.round(box.height / tall)};
  });
}"""


def typed(page: Page, widget: Locator, *lines: str) -> None:
    prompt = widget.get_by_role("textbox", name="Command")
    prompt.click()
    for line in lines:
        page.keyboard.type(line)
        page.keyboard.press("Enter")
        expect(widget.locator(".lk-typed").last).to_contain_text(line)


def exercise_of(page: Page) -> Locator:
    bring_into_view(page, "exercise(")
    found = page.locator(".labkit-exercise").first
    found.wait_for()
    return found


def test_a_table_of_docker_is_read_in_full(page: Page, lab: Lab) -> None:
    """Each line of `docker ps -a` is one line of the screen, within it, from 1280 on; narrower and larger it wraps."""
    open_cells(page, lab, "wide", SETUP, f'exercise("{SLUG}")')
    widget = exercise_of(page)
    typed(page, widget, *THREE)
    table = widget.locator(".lk-log pre").last
    SHOTS.mkdir(exist_ok=True)
    for width in (1280, 1440, 1920):
        page.set_viewport_size({"width": width, "height": 1000})
        page.wait_for_timeout(300)
        widget.evaluate("element => element.scrollIntoView({block: 'start'})")
        page.screenshot(path=SHOTS / f"workplace-{width}.png")
        found = table.evaluate(LINES)
        assert len(found) == 4
        assert found == [{"left": True, "right": True, "rows": 1}] * 4, width
        beside = widget.evaluate(
            """element => element.querySelector('.lk-image').getBoundingClientRect().left
              > element.querySelector('.lk-terminal').getBoundingClientRect().right"""
        )
        assert beside == (width >= 1700)
    for width, height in ((640, 400), (390, 844)):  # 1280 wide at 200 %; a phone
        page.set_viewport_size({"width": width, "height": height})
        page.evaluate("() => window.jupyterapp.shell.collapseLeft()")
        page.wait_for_timeout(300)
        page.screenshot(path=SHOTS / f"workplace-{width}.png")
        for part in (widget, widget.locator(".lk-log")):
            assert part.evaluate("element => element.scrollWidth <= element.clientWidth"), width
    page.set_viewport_size({"width": 1280, "height": 1000})
    widget.get_by_role("button", name="Wrap lines").click()
    assert widget.locator(".lk-log").evaluate("element => getComputedStyle(element.lastChild).whiteSpace") == "pre"
    page.evaluate("() => localStorage.removeItem('labkit/terminal/wraps')")
    widget.get_by_role("button", name="Full size").nth(1).click()
    window = page.locator("dialog.lk-window")
    box = window.bounding_box()
    assert box
    assert (box["width"], box["height"]) == (1280, 1000)
    page.keyboard.press("Escape")
    expect(window).to_have_count(0)
    picture = widget.locator(".lk-picture").nth(1)
    picture.locator("summary").first.click()
    expect(picture.locator(".lk-image")).to_be_hidden()


def test_no_key_reaches_the_notebook(page: Page, lab: Lab) -> None:
    """Typed after a click on blank space, on output, on a button, in a folded text: the cells stay as they are."""
    open_cells(
        page, lab, "keys-stay", SETUP, f'exercise("{SLUG}")', "playground(fresh=True)", 'exercise("a-tag-moves")'
    )
    before = page.evaluate(MODEL)
    widget = exercise_of(page)
    prompt = widget.get_by_role("textbox", name="Command")
    for place in (".lk-heading", ".lk-prose p", ".lk-log", ".lk-help"):
        page.evaluate("() => document.activeElement.blur()")
        widget.locator(place).first.click()
        expect(prompt).to_be_focused()
        page.keyboard.type("ybdd")
        expect(prompt).to_have_value("ybdd")
        prompt.fill("")
    typed(page, widget, "docker volume create x")
    for name in ("Undo", "Hint", "Check"):
        widget.get_by_role("button", name=name).click()
        expect(prompt).to_be_focused()
    widget.get_by_text("The same in words").first.click()
    for key in ("b", "d", "d", "y", "m", "x", "ArrowDown", "Control+s"):
        page.keyboard.press(key)
    prompt.click()
    page.keyboard.type("docker im")
    page.keyboard.press("Escape")
    expect(widget.locator(".lk-offers")).to_contain_text("Tab or Shift+Tab leaves the terminal")
    page.keyboard.press("Shift+Tab")
    expect(prompt).not_to_be_focused()
    choice = page.get_by_role("region", name="Exercise: ").last
    choice.scroll_into_view_if_needed()
    choice.locator(".lk-heading").click()
    page.keyboard.type("ybdd")
    assert page.evaluate(MODEL) == before
    assert cell_count(page) == len(before)


def test_the_editor_takes_the_keys_of_nano_and_vi(page: Page, lab: Lab) -> None:
    """And Shift+Enter goes on to the next cell, as Next does to the next exercise."""
    open_cells(page, lab, "editor-keys", SETUP, f'exercise("{SLUG}")', "1 + 1", 'exercise("a-tag-moves")')
    widget = exercise_of(page)
    for number, key in enumerate(("Control+s", "Control+o", "Control+x", "Enter")):
        widget.get_by_role("textbox", name="Command").click()
        page.keyboard.type(f"nano f{number}")
        page.keyboard.press("Enter")
        expect(widget.get_by_role("textbox", name=f"File f{number}")).to_be_focused()
        page.keyboard.type("words" if key != "Enter" else "words\n:wq")
        page.keyboard.press(key)
        expect(widget.locator(".lk-typed").last).to_contain_text(f"nano f{number}")
    typed(page, widget, "grep -c words f0 f1 f2 f3")
    expect(widget.locator(".lk-log pre").last).to_have_text("f0:1\nf1:1\nf2:1\nf3:1\n")
    page.keyboard.type("clear")
    page.keyboard.press("Enter")
    expect(widget.locator(".lk-typed")).to_have_count(0)
    page.keyboard.press("Shift+Enter")
    page.wait_for_function(f"({ACTIVE})() === 2")
    widget.get_by_role("button", name="Next").click()
    page.wait_for_function(f"({ACTIVE})() === 3")
    expect(page.get_by_role("region", name="Exercise: ").last.locator(".lk-heading")).to_be_in_viewport()


def test_a_saved_output_is_folded_until_its_cell_runs(page: Page, lab: Lab) -> None:
    """As `labkit run-notebooks` saves it; the widget of an exercise, which no kernel has, is its text."""
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source) for source in (SETUP, "1 + 1", f'exercise("{SLUG}")')]
    )
    path = lab.folder / "folded.ipynb"
    nbformat.write(notebook, path)
    assert run_notebook(path).fault == ""
    open_notebook(page, lab.address("folded.ipynb"))
    expect(page.locator(".jp-OutputArea", has_text="Answered in a terminal")).to_be_visible()
    expect(page.locator(".jp-OutputPlaceholder, .jp-Placeholder").first).to_be_visible()
    hidden = "() => window.jupyterapp.shell.currentWidget.content.widgets.map(cell => cell.outputHidden)"
    assert page.evaluate(hidden) == [False, True, False]
    assert errors(run_all(page)) == []
    assert page.evaluate(hidden) == [False, False, False]


def test_a_widget_whose_kernel_is_gone_starts_again(page: Page, lab: Lab) -> None:
    """The notebook is saved, its kernel shut down, and the page opened anew: the widget is there, as it was."""
    open_cells(page, lab, "again", SETUP, f'exercise("{SLUG}")')
    typed(page, exercise_of(page), "docker volume create kept")
    page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
    page.wait_for_function("() => !window.jupyterapp.shell.currentWidget.context.model.dirty")
    page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.shutdown()")
    open_notebook(page, lab.address("again.ipynb"))
    widget = exercise_of(page)
    expect(widget.locator(".lk-typed").first).to_contain_text("docker volume create kept")
    page.get_by_role("button", name="Start it again").click()
    expect(page.locator(".lk-lost")).to_be_hidden()
    expect(widget.locator(".lk-typed")).to_have_count(0)
    typed(page, widget, "docker volume ls")


def test_what_keeps_the_terminal_says_so_and_ends_by_a_key(page: Page, lab: Lab) -> None:
    """In the playground and in an exercise; a command goes on over lines, typed or pasted, and comes back as one."""
    open_cells(page, lab, "keeps", SETUP, "playground(fresh=True)", f'exercise("{SLUG}")')
    for place, kind in (("playground(", ".labkit-playground"), ("exercise(", ".labkit-exercise")):
        bring_into_view(page, place)
        widget = page.locator(kind).first
        prompt, waits, shown = (widget.locator(name) for name in (".lk-prompt", ".lk-waits", ".lk-log pre"))
        typed(page, widget, "docker run --rm busybox \\")
        expect(prompt).to_have_text("> ")
        expect(waits).to_contain_text("The command goes on")
        typed(page, widget, "  echo one \\", "  two")
        expect(shown.last).to_have_text("one two\n")
        page.keyboard.press("ArrowUp")
        expect(widget.get_by_role("textbox", name="Command")).to_have_value("docker run --rm busybox echo one two")
        page.keyboard.press("Control+c")
        widget.get_by_role("textbox", name="Command").evaluate(
            """(input, text) => {
              const clipboardData = new DataTransfer();
              clipboardData.setData("text", text);
              input.dispatchEvent(new ClipboardEvent("paste", {clipboardData, bubbles: true, cancelable: true}));
            }""",
            "docker run --rm \\\n  busybox \\\n  echo pasted\n",
        )
        expect(shown.last).to_have_text("pasted\n")
        typed(page, widget, "docker run --name web nginx")
        expect(waits).to_contain_text("docker run --name web nginx keeps the terminal")
        page.keyboard.press("Control+c")
        expect(waits).to_be_empty()
        typed(page, widget, "cat", "a word")
        expect(waits).to_contain_text("cat reads what you type")
        widget.get_by_role("button", name="Ctrl-D").click()
        expect(shown.last).to_have_text("a word\n")
        expect(waits).to_be_empty()
        page.keyboard.type("help")
        page.keyboard.press("Enter")
        expect(widget.locator(".lk-keys")).to_be_in_viewport()
        expect(widget.locator(".lk-typed").last).to_contain_text("^D")
        typed(page, widget, "docker events")
        widget.get_by_role("button", name="Ctrl-C").click()
        expect(waits).to_be_empty()
        page.keyboard.type("clear")
        page.keyboard.press("Enter")
        expect(widget.locator(".lk-typed")).to_have_count(0)


TOP = """element => {
  const frame = element.closest(".jp-WindowedPanel-outer, .jp-Notebook").getBoundingClientRect();
  return element.getBoundingClientRect().top - frame.top;
}"""


def test_shift_enter_brings_the_exercise_into_view_from_its_top(page: Page, lab: Lab) -> None:
    """From the cell before it, and from its own cell, which is run anew; something typed meanwhile stops that."""
    tall = r"print('\n' * 80)"
    open_cells(page, lab, "tops", SETUP, tall, f'exercise("{SLUG}")', tall)
    heading = exercise_of(page).locator(".lk-heading")
    for index in (1, 2):
        page.evaluate(
            """async index => {
              const notebook = window.jupyterapp.shell.currentWidget.content;
              notebook.activeCellIndex = index;
              await notebook.scrollToItem(index, "start");
              notebook.mode = "command";
              notebook.activate();
            }""",
            index,
        )
        page.keyboard.press("Shift+Enter")
        page.wait_for_function(f"({ACTIVE})() === {index + 1}")
        page.wait_for_timeout(1500)
        expect(heading).to_be_in_viewport()
        assert 0 <= heading.evaluate(TOP) < 120, index


def test_progress_does_not_look_like_an_error(page: Page, lab: Lab) -> None:
    """Both come on stderr, which JupyterLab gives a red ground."""
    build = "%%host\nprintf 'FROM busybox\\nRUN touch /a\\n' > Dockerfile\ndocker build -t a ."
    open_cells(page, lab, "grounds", SETUP, build, "%docker pull busybox", "%docker rnu", "%docker build nowhere")
    shown = '.jp-OutputArea-output[data-mime-type="application/vnd.jupyter.stderr"]'
    grounds = page.evaluate(
        "shown => [...document.querySelectorAll(shown)].map(each => getComputedStyle(each).backgroundColor)", shown
    )
    assert [ground == "rgba(0, 0, 0, 0)" for ground in grounds] == [True, False, False]
