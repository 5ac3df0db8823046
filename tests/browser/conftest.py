"""JupyterLab on loopback and a browser to look at it.

`lab` is a server on a copy of notebooks/, with a home of its own for labkit and for Jupyter. `page` is a fresh page
that must end without an error in its console. Where no browser is installed these tests are left out, loudly; with
LABKIT_REQUIRE_BROWSER set (CI) they fail instead.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHOTS = Path(__file__).parent / "screenshots"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--no-sandbox",  # CI runs as root
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # nothing but the server is there
]
NOT_OURS = (  # what JupyterLab's own page prints as an error, each with its reason
    re.compile(r"ERR_NAME_NOT_RESOLVED"),  # it looks for news and for fonts
    re.compile(r"Shared module @jupyterlite/"),  # JupyterLite's kernel, where it is installed, finds no place in it
)


def find_browser() -> str | None:
    """The browser that is installed, or None."""
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if find_browser() is None:
        text = "NO BROWSER IS INSTALLED: the tests of the course in a browser were left out (apt-get install chromium)"
        terminalreporter.write_sep("!", text, red=True, bold=True)


@pytest.fixture(scope="session")
def browser_path() -> str:
    path = find_browser()
    if path is None:
        message = f"no browser is installed ({', '.join(BROWSERS)}): the browser tests are left out"
        if os.environ.get("LABKIT_REQUIRE_BROWSER"):
            pytest.fail(f"LABKIT_REQUIRE_BROWSER is set, but {message}")
        pytest.skip(message)
    return path


@dataclass
class Lab:
    """A running JupyterLab: its address, its token, the folder that it serves and labkit's home."""

    url: str
    token: str
    folder: Path
    home: Path
    opened: list[str] = field(default_factory=list)

    def address(self, notebook: str) -> str:
        """Where a notebook opens, in a workspace of its own."""
        self.opened.append(notebook)
        return f"{self.url}/lab/workspaces/test{len(self.opened)}/tree/{notebook}?token={self.token}"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until_up(url: str, server: subprocess.Popen[bytes], log: Path, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if server.poll() is not None:
            break
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"JupyterLab did not start:\n{log.read_text()}")


@contextlib.contextmanager
def started(command: list[str], environment: dict[str, str], folder: Path, probe: str, log: Path) -> Iterator[None]:
    """A server that answers at `probe`, ended at the end."""
    with log.open("wb") as output:
        server = subprocess.Popen(command, env=environment, cwd=folder, stdout=output, stderr=output)
    try:
        wait_until_up(probe, server, log)
        yield
    finally:
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


@pytest.fixture(scope="session")
def lab(browser_path: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with serve(tmp_path_factory.mktemp("lab"), free_port()) as lab:
        yield lab


@contextlib.contextmanager
def serve(base: Path, port: int, learner: str = "demo") -> Iterator[Lab]:
    """JupyterLab on the copy of notebooks/ that it makes in this folder; learner "": whoever says so."""
    notebooks, home, settings = base / "notebooks", base / "home", base / "settings"
    shutil.copytree(ROOT / "notebooks", notebooks, ignore=shutil.ignore_patterns(".ipynb_checkpoints", ".labkit"))
    home.mkdir()
    news = settings / "@jupyterlab" / "apputils-extension" / "notification.jupyterlab-settings"
    news.parent.mkdir(parents=True)
    news.write_text(json.dumps({"fetchNews": "false", "checkForUpdates": False}))
    widgets = settings / "@jupyter-widgets" / "jupyterlab-manager" / "plugin.jupyterlab-settings"
    widgets.parent.mkdir(parents=True)
    widgets.write_text(json.dumps({"saveState": True}))  # as in binder/overrides.json
    token = "browser-test"
    environment = os.environ | {
        "LABKIT_HOME": str(home),
        "LABKIT_LEARNER": learner,
        "JUPYTERLAB_SETTINGS_DIR": str(settings),
        "JUPYTERLAB_WORKSPACES_DIR": str(base / "workspaces"),
        "JUPYTER_CONFIG_DIR": str(base / "config"),
        "JUPYTER_RUNTIME_DIR": str(base / "runtime"),
        "IPYTHONDIR": str(base / "ipython"),
    }
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1", f"--port={port}"]
    command += ["--ServerApp.port_retries=0", f"--IdentityProvider.token={token}", f"--ServerApp.root_dir={notebooks}"]
    command += ["--LabApp.expose_app_in_browser=True", "--allow-root"]
    url = f"http://127.0.0.1:{port}"
    with started(command, environment, base, f"{url}/api", base / "jupyterlab.log"):
        yield Lab(url, token, notebooks, home)


@pytest.fixture(scope="session")
def browser(browser_path: str) -> Iterator[object]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=FLAGS)
        yield browser
        browser.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Where a test fails, a screenshot of its page is left in screenshots/."""
    report = yield
    page = getattr(item, "funcargs", {}).get("page")
    if report.failed and page is not None and not page.is_closed():
        SHOTS.mkdir(exist_ok=True)
        page.screenshot(path=SHOTS / f"failed-{item.name}-{report.when}.png")
    return report


@pytest.fixture
def page(browser, lab: Lab) -> Iterator[object]:
    """A page that is 1,400 by 1,000; whatever its console calls an error fails the test."""
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    with watched(context) as page:
        yield page
    context.close()


@contextlib.contextmanager
def watched(context) -> Iterator[object]:
    """A page of this context; whatever its console calls an error fails the test."""
    page = context.new_page()
    errors: list[str] = []
    page.on("console", lambda message: message.type == "error" and errors.append(message.text))
    page.on("pageerror", lambda error: errors.append(f"uncaught: {error}"))
    page.set_default_timeout(30_000)
    yield page
    page.close()
    ours = [error for error in errors if not any(known.search(error) for known in NOT_OURS)]
    assert ours == [], "the browser's console has errors"
