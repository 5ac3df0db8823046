"""What holds for every widget: it says so when its kernel was restarted; names with markup in them are text, in the
widget and where no kernel runs; what is saved of it can be read in an HTML export, without scripts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Locator, Page, expect

from labkit.course import load_exercise

from .conftest import Lab
from .control import open_cells
from .notebook import IDLE, bring_into_view

MARKUP = "<img src=x onerror='window.hacked=1'>"
SCRIPT = "<script>window.hacked=1;"  # a name has no slash, so it cannot be closed
ENTITY = "&amp;<b>&lt;"
TURNED = "\u202etxt.exe"  # the override turns round what follows
LONG = "long-" + "x" * 240
NAMES = (MARKUP, SCRIPT, ENTITY, TURNED, LONG)
SHOWN = {"MARKUP": "<img src=x onerror=", "SCRIPT": "<script>window.hacked=1", "ENTITY": "&amp;<b>&lt;"}

SETUP = f"""import shlex
from labkit.jupyter import *
from labkit.jupyter import lesson
%fresh
names = {NAMES!r}
files = {{"Dockerfile": "FROM busybox\\nCOPY . /app\\nRUN echo " + repr(names[0]) + "\\n", **{{name: name for name in names}}}}
for name, text in files.items():
    lesson().write_file("app/" + name, text)
done = lesson().run("docker build -q -t app app && docker run -d --name web app sleep 1000")
assert done.returncode == 0, done.stderr"""


@dataclass(frozen=True)
class Widget:
    call: str
    region: str
    act: Callable[[Page, Locator], None]  # what asks the kernel for something
    shows: tuple[str, ...]  # what of the names and of the rest is read where no kernel runs


def press(name: str) -> Callable[[Page, Locator], None]:
    return lambda page, widget: widget.get_by_role("button", name=name, exact=True).first.click()


def command(page: Page, widget: Locator) -> None:
    widget.get_by_role("textbox", name="Command").click()
    page.keyboard.type("docker ps")
    page.keyboard.press("Enter")


WIDGETS = {
    "exercise": Widget('exercise("three-layers")', f"Exercise: {load_exercise('three-layers').title}", press("Check"), ("layers",)),
    "playground": Widget("playground('ls app')", "Playground", command, ("web", SHOWN["MARKUP"])),
    "layers": Widget('layers("web")', "Layers of container web", press("Look again"), ("COPY . /app", SHOWN["MARKUP"], ENTITY)),
    "cache_lab": Widget('cache_lab("app", files)', "Build cache of app", press("Build"), ("COPY . /app", SHOWN["MARKUP"])),
    "mount_composer": Widget(
        "mount_composer('--mount ' + shlex.quote('type=bind,target=/d,source=/' + names[0]))",
        "Mount composer",
        lambda page, widget: widget.get_by_role("textbox").first.fill("/other"),
        (f"source=/{MARKUP}", "bind source path does not exist"),
    ),
    "compare_drivers": Widget("compare_drivers()", "Comparison of storage drivers", press("Copied"), ("overlay2", "1.074GB")),
    "progress": Widget("progress()", "", press("Save my progress as a file"), ("Layered images",)),
}  # fmt: skip


@pytest.fixture
def notebook(page: Page, lab: Lab) -> Iterator[Page]:
    """A notebook with every widget, on a machine whose files have hostile names and contents; no script of them runs."""
    page.on("dialog", lambda dialog: pytest.fail(f"a script ran: {dialog.message}"))
    open_cells(page, lab, "all", SETUP, *(widget.call for widget in WIDGETS.values()))
    yield page
    assert page.evaluate("() => window.hacked") is None
    assert page.locator("img[src='x']").count() == 0


def in_view(page: Page, widget: Widget) -> Locator:
    bring_into_view(page, widget.call)
    found = page.locator(".labkit").and_(page.get_by_role("region", name=widget.region))
    if not widget.region:
        found = page.locator(".labkit-map, .labkit-progress").first
    found.wait_for()
    found.scroll_into_view_if_needed()
    return found


def test_after_a_restart_of_the_kernel_each_starts_again_by_one_press(notebook: Page) -> None:
    """In a kernel that has run no cell, not even the import."""
    notebook.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
    notebook.wait_for_function(IDLE)
    for name, widget in WIDGETS.items():
        found = in_view(notebook, widget)
        widget.act(notebook, found)
        lost = notebook.locator(".lk-place", has=found).locator(".lk-lost")
        expect(lost).to_contain_text("kernel was restarted")
        if name in ("layers", "cache_lab", "mount_composer"):
            continue  # what their cells name was in the kernel that is gone
        lost.get_by_role("button", name="Start it again").click()
        expect(lost).to_be_hidden()
        act_again = in_view(notebook, widget)
        widget.act(notebook, act_again)
        expect(lost).to_be_hidden()


def test_hostile_names_are_text_in_the_widgets(notebook: Page) -> None:
    for name, widget in WIDGETS.items():
        found = in_view(notebook, widget)
        assert found.evaluate("element => element.scrollWidth <= element.clientWidth + 1"), (
            f"{name}: nothing sticks out"
        )
    explorer = in_view(notebook, WIDGETS["layers"])
    explorer.get_by_role("treeitem").filter(has_text="COPY . /app").first.click()
    explorer.get_by_role("treeitem").filter(has_text="app/").first.click()
    for name in (*SHOWN.values(), LONG[:40]):
        expect(explorer.get_by_role("treeitem").filter(has_text=name).first).to_be_visible()
    lab = in_view(notebook, WIDGETS["cache_lab"])
    for name in SHOWN.values():
        expect(lab).to_contain_text(name)
    playground = in_view(notebook, WIDGETS["playground"])
    for name in SHOWN.values():
        expect(playground.locator("pre", has_text=name).first).to_be_attached()
    composer = in_view(notebook, WIDGETS["mount_composer"])
    mount = composer.get_by_role("region", name="The flag --mount")
    for name in (*NAMES, "y" * 1500):
        mount.get_by_role("textbox").fill(f"type=volume,source={name},target=/d")
        expect(mount.locator(".lk-flag-parts")).to_contain_text(name[:12])
        assert composer.evaluate("element => element.scrollWidth <= element.clientWidth + 1")
    exercise = in_view(notebook, WIDGETS["exercise"])
    exercise.get_by_role("textbox", name="Command").click()
    notebook.keyboard.type(f'mkdir "{MARKUP}"; ls; echo "{MARKUP}" >&2')
    notebook.keyboard.press("Enter")
    expect(exercise.locator("pre", has_text=MARKUP)).to_have_count(2)


@pytest.fixture(scope="module")
def export(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same notebook, run by nbconvert's machinery without saving the widgets' state, as HTML."""
    from nbclient import NotebookClient
    from nbconvert import HTMLExporter

    cells = [nbformat.v4.new_code_cell(cell) for cell in (SETUP, *(widget.call for widget in WIDGETS.values()))]
    notebook = nbformat.v4.new_notebook(cells=cells)
    NotebookClient(notebook, kernel_name="python3", store_widget_state=False).execute()
    body, _ = HTMLExporter().from_notebook_node(notebook)
    path = tmp_path_factory.mktemp("export") / "all.html"
    path.write_text(body, encoding="utf-8")
    return path


@pytest.mark.parametrize("scripts", [False, True], ids=["without scripts", "with scripts"])
def test_what_is_exported_can_be_read(browser: object, export: Path, scripts: bool) -> None:
    context = browser.new_context(java_script_enabled=scripts, viewport={"width": 1280, "height": 1000})
    page = context.new_page()
    page.on("dialog", lambda dialog: pytest.fail(f"a script ran: {dialog.message}"))
    page.goto(export.as_uri(), wait_until="domcontentloaded")
    outputs = page.locator(".jp-OutputArea-output")
    told = outputs.all_text_contents()  # what is folded up too
    assert len(told) == len(WIDGETS)
    for (name, widget), text in zip(WIDGETS.items(), told, strict=True):
        for shown in widget.shows:
            assert " ".join(shown.split()) in " ".join(text.split()), name
        assert "Loading widget" not in text
    assert page.locator("img[src='x']").count() == 0
    assert not scripts or page.evaluate("() => window.hacked") is None
    pictures = page.locator(".jp-OutputArea-output img")
    assert pictures.count() >= 2, "of the playground and of the comparison"
    for number in range(pictures.count()):
        assert len(pictures.nth(number).get_attribute("alt") or "") >= 20
    context.close()
