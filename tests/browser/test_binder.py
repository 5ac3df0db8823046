"""The server as Binder starts it: behind a prefix, with a home of its own, on a course folder that nobody may write."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import sys
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from .conftest import ROOT, Lab, free_port, started, watched
from .notebook import errors, open_notebook, run_all
from .test_site import ANSWER, printed

pytestmark = pytest.mark.long

PREFIX = "/user/course-labkit-4xk2p9ab/"
READ_ONLY = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"'  # for root, too


@pytest.fixture(scope="module")
def binder(browser_path: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    base = tmp_path_factory.mktemp("binder")
    course, home, port = base / "course", base / "jovyan", free_port()
    for name in ("notebooks", "binder"):
        shutil.copytree(ROOT / name, course / name, ignore=shutil.ignore_patterns(".ipynb_checkpoints", ".labkit"))
    home.mkdir()
    settings = base / "share" / "jupyter" / "lab" / "settings"
    settings.mkdir(parents=True)
    shutil.copy(ROOT / "binder" / "overrides.json", settings)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LABKIT", "XDG", "JUPYTER"))}
    environment = kept | {"HOME": str(home), "PYTHONPATH": str(ROOT), "JUPYTERLAB_SETTINGS_DIR": str(base / "settings")}
    inside = [sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1", f"--port={port}", "--allow-root"]
    inside += [
        f"--ServerApp.base_url={PREFIX}",
        "--IdentityProvider.token=binder",
        "--LabApp.expose_app_in_browser=True",
    ]
    inside += [f"--ServerApp.root_dir={course}"]
    command = ["unshare", "--mount", "sh", "-c", READ_ONLY, str(course), *inside] if os.geteuid() == 0 else inside
    if os.geteuid():
        for path in [course, *course.rglob("*")]:
            path.chmod(path.stat().st_mode & ~0o222)
    url = f"http://127.0.0.1:{port}{PREFIX.rstrip('/')}"
    with started(command, environment, course, f"{url}/api", base / "log"):
        yield Lab(url, "binder", course, home)


@pytest.fixture
def page(browser, binder: Lab) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    with watched(context) as page:
        yield page
    context.close()


def test_lesson_02_runs_and_answers_are_handed_in(page: Page, binder: Lab) -> None:
    open_notebook(page, binder.address("notebooks/02-layered-images.ipynb"))
    assert errors(run_all(page)) == []
    page.evaluate(
        """source => {
          const notebook = window.jupyterapp.shell.currentWidget.content;
          notebook.model.sharedModel.insertCells(0, source.map(each => ({cell_type: "code", source: each})));
        }""",
        [ANSWER, "%labkit submit"],
    )
    handed = run_all(page)[1]
    written = binder.home / ".local" / "share" / "labkit" / "demo.labkit.json"
    assert f"{written}: 1 answer of demo." in printed(handed)
    (link,) = [output["data"]["text/html"] for output in handed["outputs"] if "data" in output]
    found = re.search(r'href="data:application/json;base64,([^"]+)"', "".join(link))
    assert found
    assert base64.b64decode(found[1]) == written.read_bytes()
    assert json.loads(written.read_text())["learner"] == "demo"
    assert list(binder.folder.rglob("*.labkit.json")) == []
