"""The course as a web page: built once, served by a host of its own, every other address refused by the browser's flags.

With LABKIT_SITE set to a folder with a built site that one is looked at, and nothing is built.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page

from labkit.course.exercises import load_all
from labkit.course.lessons import exercises_by_lesson
from labkit.course.progress import DEMO
from labkit.course.record import for_learner

from .conftest import ROOT, SHOTS
from .notebook import CELLS, errors
from .webhost import Host, hosted

pytestmark = pytest.mark.long

NOTEBOOKS = sorted(path.name for path in (ROOT / "notebooks").glob("*.ipynb"))
SITE = ROOT / "site"
FIRST_VISIT = 12_000_000  # bytes, packed
OPEN = """() => {
  const panel = window.jupyterapp?.shell?.currentWidget;
  return !!panel?.content?.model?.cells && panel.context.isReady && !!panel.sessionContext.session?.kernel;
}"""
RAN = """() => [...window.jupyterapp.shell.currentWidget.content.model.cells]
  .filter(cell => cell.type === "code" && cell.sharedModel.getSource().trim())
  .every(cell => cell.executionCount && cell.executionState !== "running")
  && window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.status === "idle" """
COUNT = sum(map(len, exercises_by_lesson().values()))
SOLVED = for_learner(next(each for each in load_all() if each.slug == "whose-file-is-it"), DEMO, "")
ANSWER = f"%%answer {SOLVED.slug}\n{SOLVED.solutions[0].answer}"
NIGHTLY = pytest.mark.skipif("LABKIT_NIGHTLY" not in os.environ, reason="takes minutes; LABKIT_NIGHTLY=1 runs it")
WIDGET = "application/vnd.jupyter.widget-view+json"


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory, browser_path: str) -> Path:
    if ready := os.environ.get("LABKIT_SITE"):
        return Path(ready)
    if not (shutil.which("node") and (SITE / "node_modules" / "pyodide").is_dir()):
        if os.environ.get("LABKIT_REQUIRE_NODE"):
            pytest.fail("LABKIT_REQUIRE_NODE is set, and Node or site/node_modules is missing")
        pytest.skip("Node or site/node_modules is missing: the site was not built")
    out = tmp_path_factory.mktemp("site") / "site"
    done = subprocess.run(
        [sys.executable, SITE / "build.py", out],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return out


@pytest.fixture(scope="module")
def host(built: Path) -> Iterator[Host]:
    with hosted(built) as host:
        yield host


@pytest.fixture(scope="module")
def visitor(browser, host: Host) -> Iterator[BrowserContext]:
    """A browser that keeps what it has seen, from test to test."""
    context = browser.new_context(viewport={"width": 1300, "height": 900})
    yield context
    context.close()


@pytest.fixture
def page(visitor: BrowserContext, host: Host) -> Iterator[Page]:
    with looked_at(visitor, host) as page:
        yield page


class looked_at:  # noqa: N801
    """A page whose console must stay free of errors, and which asks nobody but the host."""

    def __init__(self, context: BrowserContext, host: Host) -> None:
        self.page, self.host = context.new_page(), host
        self.wrong: list[str] = []
        self.page.set_default_timeout(60_000)
        self.page.on("console", lambda message: message.type == "error" and self.wrong.append(message.text))
        self.page.on("pageerror", lambda error: self.wrong.append(f"uncaught: {error}"))
        self.page.on("request", lambda request: self._asked(request.url))

    def _asked(self, address: str) -> None:
        heartbeat = address.endswith("/api/service-worker-heartbeat")  # JupyterLite's; its worker answers
        if not heartbeat and not address.startswith((self.host.address, "data:", "blob:")):
            self.wrong.append(f"asked for {address}")

    def __enter__(self) -> Page:
        return self.page

    def __exit__(self, kind: object, *rest: object) -> None:
        self.page.close()
        if kind is None:
            assert self.wrong == []


def open_lesson(page: Page, host: Host, name: str, app: str = "notebooks") -> None:
    page.goto(f"{host.address}{app}/index.html?path=notebooks/{name}")
    page.wait_for_function(OPEN)


def run_all(page: Page) -> list[dict]:
    page.evaluate("() => { void window.jupyterapp.commands.execute('notebook:run-all-cells'); }")
    page.wait_for_function(RAN, timeout=180_000)
    return page.evaluate(CELLS)


def run_here(page: Page, *sources: str) -> list[dict]:
    """Put these into the first code cells, and run them."""
    page.evaluate(
        """sources => {
          const notebook = window.jupyterapp.shell.currentWidget.content;
          const model = notebook.model.sharedModel;
          const before = model.cells.length;
          model.insertCells(0, sources.map(source => ({cell_type: "code", source})));
          model.deleteCellRange(sources.length, before + sources.length);
        }""",
        list(sources),
    )
    cells = run_all(page)
    assert errors(cells) == []
    return cells


def told(outputs: list[dict]) -> list[dict]:
    """Outputs as they are seen: pieces of one stream as one, without the numbers of widgets and executions."""
    found: list[dict] = []
    for output in outputs:
        data = {kind: "".join(each) for kind, each in output.get("data", {}).items() if kind != WIDGET}
        text, name = "".join(output.get("text", "")), output.get("name", "")
        if found and name and found[-1]["name"] == name:
            found[-1]["text"] += text
        else:
            found.append({"name": name, "text": text, "data": data, "error": output.get("evalue")})
    return found


def printed(cell: dict) -> str:
    return "".join(each["text"] for each in told(cell["outputs"]))


LESSONS = NOTEBOOKS if "LABKIT_NIGHTLY" in os.environ else [NOTEBOOKS[number] for number in (0, 5, 9)]  # 20 s each


@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_runs_whole_and_prints_what_is_saved(page: Page, host: Host, name: str) -> None:
    open_lesson(page, host, name)
    cells = run_all(page)
    saved = json.loads((ROOT / "notebooks" / name).read_text(encoding="utf-8"))["cells"]
    expected = [told(cell["outputs"]) for cell in saved if cell["cell_type"] == "code"]
    assert [told(cell["outputs"]) for cell in cells] == expected
    if name == NOTEBOOKS[0]:
        packed = sum(host.sent.values())
        print(f"\nfirst visit, until lesson 00 has run: {packed / 1e6:.1f} MB packed in {len(host.sent)} files")
        assert packed < FIRST_VISIT


def test_what_was_solved_is_there_after_a_reload(browser, host: Host) -> None:
    context = browser.new_context(accept_downloads=True)
    with looked_at(context, host) as page:
        open_lesson(page, host, NOTEBOOKS[0])
        assert "Solved: 1 of 1" in printed(run_here(page, "import labkit.jupyter", ANSWER)[1])
        open_lesson(page, host, NOTEBOOKS[2], "lab")
        _, submitted = run_here(page, "from labkit.jupyter import progress\nprogress()", "%labkit submit")
        page.locator(".labkit-map .lk-summary", has_text=f"1 of {COUNT} exercises solved").wait_for()
        assert "1 answer of demo" in printed(submitted)
        with page.expect_download() as saved:
            page.get_by_role("link", name="Save demo.labkit.json on this computer").click()
        assert json.loads(Path(saved.value.path()).read_text())["learner"] == "demo"
        page.goto(host.address)
        page.get_by_text(f"Learner demo: 1 of {COUNT} exercises solved.").wait_for()
        with page.expect_download() as file:
            page.get_by_role("button", name="Save my progress as a file").click()
        kept = Path(file.value.path()).read_bytes()
        page.once("dialog", lambda dialog: dialog.accept())
        page.get_by_role("button", name="Erase all my data").click()
        page.get_by_text("Erased.").wait_for()
        assert page.evaluate("() => Object.keys(localStorage).filter(name => name.startsWith('labkit/'))") == []
        page.locator("#import").set_input_files({"name": "p.json", "mimeType": "application/json", "buffer": kept})
        page.get_by_text(f"Learner demo: 1 of {COUNT} exercises solved.").wait_for()
    context.close()


def newer(built: Path, target: Path) -> None:
    """The site as it is when a lesson has got another first sentence."""
    shutil.copytree(built, target, copy_function=os.link)
    for path in (
        target / "files" / "notebooks" / NOTEBOOKS[1],
        target / "page" / "course.mjs",
        target / "service-worker.js",
        target / "jupyter-lite.json",
        target / "version.json",
    ):
        text = path.read_text(encoding="utf-8")
        path.unlink()  # it is one file with the older site's
        if path.suffix == ".ipynb":
            text = text.replace("# 01 Where Docker keeps its files", "# 01 Written anew", 1)
        version = json.loads((built / "version.json").read_text())["version"]
        lessons = re.search(r'LESSONS = "(\w+)"', (built / "page" / "course.mjs").read_text())[1]
        path.write_text(text.replace(version, "newer0000000").replace(lessons, "lessons00000"), encoding="utf-8")


@NIGHTLY
def test_a_saved_copy_hides_no_newer_lesson(browser, built: Path, tmp_path: Path) -> None:
    context = browser.new_context()
    with hosted(built) as host, looked_at(context, host) as page:
        open_lesson(page, host, NOTEBOOKS[1])
        run_here(page, "import labkit.jupyter", ANSWER, "'my own note'")
        page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
        open_lesson(page, host, NOTEBOOKS[1])
        assert "my own note" in str(page.evaluate(CELLS))
        newer(built, tmp_path / "newer")
        host.folder = tmp_path / "newer"
        open_lesson(page, host, NOTEBOOKS[1])
        page.get_by_text("The lessons are of a new version. Your answers are kept.").wait_for()
        first = "window.jupyterapp.shell.currentWidget.content.model.cells.get(0).sharedModel.getSource()"
        assert "Written anew" in page.evaluate(f"() => {first}")
        assert "my own note" not in str(page.evaluate(CELLS))
        (cell,) = run_here(
            page,
            "import json, pathlib\nprint(json.loads(pathlib.Path('/drive/.labkit/progress.json').read_text())['answers']['demo'] != {})\nprint('my own note' in pathlib.Path('/drive/earlier/"
            + NOTEBOOKS[1]
            + "').read_text())",
        )
        assert printed(cell) == "True\nTrue\n"
    context.close()


@NIGHTLY
def test_after_the_first_visit_it_works_without_a_network(browser, built: Path) -> None:
    context = browser.new_context()
    with hosted(built) as host:
        with looked_at(context, host) as page:
            page.goto(host.address)
            page.get_by_role("button", name="Keep the course for offline use").click()
            page.get_by_text(re.compile(r"All \d+ files are kept")).wait_for()
        host.folder = built / "nothing-there"
        asked = host.asked
        page = context.new_page()
        open_lesson(page, host, NOTEBOOKS[6])
        (cell,) = run_here(page, "from labkit.jupyter import show\n%docker run --rm busybox echo offline\nshow()")
        assert cell["outputs"][-1]["data"]["text/html"].startswith("<figure")
        page.goto(f"{host.address}lessons/{NOTEBOOKS[6].removesuffix('ipynb')}html")
        page.get_by_role("heading", name="06 Volumes").first.wait_for()
        page.goto(f"{host.address}playground/")
        page.locator("#playground[data-ready]").wait_for()
        assert set(host.missing) <= {"/course/version.json", "/course/service-worker.js"}  # is there a newer one?
        assert host.asked - asked == len(host.missing)
    context.close()


@NIGHTLY
def test_the_playground_opens_what_its_address_holds(page: Page, host: Host) -> None:
    page.goto(f"{host.address}playground/")
    page.locator("#playground[data-ready]").wait_for()
    widget = page.get_by_role("region", name="Playground")
    widget.get_by_role("textbox", name="Command").click()
    page.keyboard.type("docker run -d --name web -v data:/data busybox sleep 100")
    page.keyboard.press("Enter")
    page.locator(".lk-image img[alt*='(web)']").wait_for()
    page.get_by_text("Share, open, export").click()
    page.get_by_text("The address of this page now opens this machine").wait_for()
    address = page.url
    assert "#labkit:1:" in address
    SHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SHOTS / "site-playground.png")
    page.goto("about:blank")
    page.goto(address)
    page.locator("#playground[data-ready]").wait_for()
    page.locator(".lk-image img[alt*='(web)']").wait_for()


@pytest.mark.parametrize(
    "path",
    [
        "",
        "lessons/",
        "lessons/02-layered-images.html",
        "teachers/",
        "teachers/exercises.html",
        "authors/",
        "playground/",
    ],
)
@NIGHTLY
def test_pages_for_people(browser, host: Host, path: str) -> None:
    """At the width of a phone nothing is cut off; the rules of accessibility hold."""
    axe = ROOT / "tests" / "browser" / "node_modules" / "axe-core" / "axe.min.js"
    context = browser.new_context(viewport={"width": 390, "height": 800}, reduced_motion="reduce")
    with looked_at(context, host) as page:
        page.goto(host.address + path)
        page.wait_for_load_state("networkidle")
        assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
        letters = "() => [...document.querySelectorAll('figure img')].map(image => image.width / image.naturalWidth)"
        assert all(scale >= 0.8 for scale in page.evaluate(letters))
        if axe.is_file():
            page.add_script_tag(path=axe)
            found = page.evaluate(
                "async () => (await axe.run()).violations.map(each => [each.id, each.nodes.map(node => node.html).slice(0, 3)])"
            )
            assert found == []
        SHOTS.mkdir(exist_ok=True)
        page.screenshot(path=SHOTS / f"site-{path.replace('/', '-') or 'front'}.png")
    context.close()


@NIGHTLY
def test_every_link_of_a_page_leads_somewhere(built: Path) -> None:
    pages = [path for path in built.rglob("*.html") if path.parent.name not in ("lab", "notebooks")]
    assert len(pages) > 14
    wrong, scripts = [], []
    for path in pages:
        text = path.read_text(encoding="utf-8")
        scripts += re.findall(r"<(?:script|link|img)[^>]*(?:src|href)=\"(https?:[^\"]*)", text)
        for target in re.findall(r"(?:href|src)=\"([^\"]*)\"", text):
            file = (path.parent / target.partition("#")[0].partition("?")[0]).resolve()
            file = (
                file / "index.html" if target.endswith("/") or (not target.partition("#")[0] and target == "") else file
            )
            if not re.match(r"(https?|data|mailto):|#", target) and not file.exists():
                wrong.append(f"{path.relative_to(built)}: {target}")
            query = re.search(r"path=([^\"&]+)", target)
            if query and not (built / "files" / query[1]).is_file():
                wrong.append(f"{path.relative_to(built)}: {target}")
    assert wrong == []
    assert scripts == []
