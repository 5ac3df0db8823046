"""Builds the course as a web page: python site/build.py FOLDER. All of it comes from PyPI and npm; nothing is fetched.

JupyterLite makes the lab and the single-document view; archive.py the Python that runs in them; page/ is what is ours.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import tomllib
from pathlib import Path

from archive import HERE, PYODIDE, ROOT, build_archives
from pages import Address, write_pages

EXTENSIONS = Path(sysconfig.get_path("data")) / "share" / "jupyter" / "labextensions"
USED = ["@jupyter-widgets/jupyterlab-manager", "anywidget", "@jupyterlite/pyodide-kernel-extension"]
KERNEL = "@jupyterlite/pyodide-kernel-extension"
PRELOADED = [
    "micropip",
    "piplite",
    "ipykernel",
    "comm",
    "pyodide-kernel",
    "jedi",
    "ipython",
]  # not to be installed again
APPS = ("lab", "notebooks")
UNUSED = ("doc", "rspack.config.js", "rspack.config.analyze.js", "rspack.config.watch.js", "package.json")
NOT_KEPT = {"service-worker.js", "jupyterlite-worker.js", "version.json"}  # the first two the browser keeps itself
READ = 'The lab needs JavaScript. <a href="../lessons/">The lessons can be read without.</a>'


def repository() -> str:
    """Where the course is written: pyproject.toml says it, once."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return project["urls"]["Repository"]


def stage(lite: Path, work: Path) -> None:
    """What JupyterLite is given: the lessons, the settings, and Pyodide with the course in it."""
    lessons = lite / "contents" / "notebooks"
    lessons.mkdir(parents=True)
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        notebook = json.loads(path.read_text(encoding="utf-8"))
        notebook["metadata"]["kernelspec"] = {"display_name": "Python", "language": "python", "name": "python"}
        (lessons / path.name).write_text(json.dumps(notebook, ensure_ascii=False, indent=1), encoding="utf-8")
    static = lite / "static" / "pyodide"
    static.mkdir(parents=True)
    for name in ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm"):
        shutil.copy(PYODIDE / name, static)
    lock = json.loads((PYODIDE / "pyodide-lock.json").read_text())
    (static / "pyodide-lock.json").write_text(json.dumps({"info": lock["info"], "packages": {}}))
    shutil.copy(HERE / "node_modules" / "@viz-js" / "viz" / "dist" / "viz.js", static)
    shutil.copy(HERE / "page" / "labkit.mjs", static)
    build_archives(static, EXTENSIONS / KERNEL / "static" / "pypi", work)
    kernel = {
        "disablePyPIFallback": True,
        "loadPyodideOptions": {"packages": PRELOADED},
    }
    settings = {
        "appName": "labkit",
        "contentsStorageName": "labkit",
        "settingsStorageName": "labkit settings",
        "workspacesStorageName": "labkit workspaces",
        "exposeAppInBrowser": True,
        "litePluginSettings": {f"{KERNEL}:kernel": kernel},
    }
    _write_json(lite / "jupyter-lite.json", {"jupyter-lite-schema-version": 0, "jupyter-config-data": settings})
    shutil.copy(ROOT / "binder" / "overrides.json", lite)


def build_lite(lite: Path, out: Path) -> None:
    """The lab and the single-document view, without what only other pages need."""
    options = {
        "contents": ["contents"],
        "ignore_sys_prefix": ["federated_extensions"],
        "federated_extensions": [str(EXTENSIONS / name) for name in USED],
        "apps": list(APPS),
        "no_sourcemaps": True,
        "no_unused_shared_packages": True,
        "output_dir": str(out),
    }
    _write_json(lite / "jupyter_lite_config.json", {"LiteBuildConfig": options})
    subprocess.run([sys.executable, "-m", "jupyterlite_core", "build"], cwd=lite, check=True, stdout=subprocess.DEVNULL)


def finish(out: Path) -> None:
    """What JupyterLite's build writes otherwise than it is needed, and files that no page asks for."""
    path = out / "jupyter-lite.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    kernel = document["jupyter-config-data"]["litePluginSettings"][f"{KERNEL}:kernel"]
    kernel["pyodideUrl"] = "./static/pyodide/labkit.mjs"  # the build names pyodide.mjs beside it
    kernel["pipliteUrls"] = []
    _write_json(path, document)
    for name in UNUSED:
        target = out / name
        shutil.rmtree(target) if target.is_dir() else target.unlink()
    for name in ("course.mjs", "front.mjs"):
        _copy(HERE / "page" / name, out / "page" / name)
    _copy(ROOT / "widgets" / "src" / "kept" / "store.js", out / "page" / "store.js")
    for name in ("playground.mjs", "playground-worker.mjs"):
        _copy(HERE / "page" / name, out / "playground" / name)
    _copy(HERE / "page" / "playground.html", out / "playground" / "index.html")
    (out / "service-worker.js").rename(out / "jupyterlite-worker.js")
    _copy(HERE / "page" / "service-worker.js", out / "service-worker.js")
    _copy(out / "lab" / "favicon.ico", out / "favicon.ico")
    for app in APPS:
        _prepare(out / app / "index.html")


def _prepare(page: Path) -> None:
    """The lab's page begins when course.mjs has done its part; it has a name, and a way for who has no JavaScript."""
    text = page.read_text(encoding="utf-8")
    for before, after in (
        (r"(?=await import\(\s*'\.\./config-utils)", "await (await import('../page/course.mjs')).prepare();\n        "),
        (r"<html>", '<html lang="en">'),
        (
            r"<title>[^<]*</title>",
            '<title>labkit: how Docker stores things</title>\n    <link rel="icon" href="../favicon.ico">',
        ),
        (r"JupyterLite requires JavaScript to be enabled in your browser\.", READ),
    ):
        text, found = re.subn(before, after, text)
        assert found == 1, f"{page} has {found} times {before}"
    page.write_text(text, encoding="utf-8")


def stamp(out: Path) -> None:
    """Write the version of the whole, and of the lessons, where they are asked for; and the list of all files."""
    lessons = _digest(sorted((out / "files" / "notebooks").glob("*.ipynb")), out)
    version = _digest(sorted(path for path in out.rglob("*") if path.is_file()), out)
    for name in ("service-worker.js", "page/course.mjs"):
        path = out / name
        text = (
            path.read_text(encoding="utf-8").replace('"VERSION"', f'"{version}"').replace('"LESSONS"', f'"{lessons}"')
        )
        path.write_text(text, encoding="utf-8")
    settings = out / "jupyter-lite.json"
    document = json.loads(settings.read_text(encoding="utf-8"))
    document["jupyter-config-data"]["appVersion"] = version
    _write_json(settings, document)
    _write_json(out / "version.json", {"version": version})
    kept = [path.relative_to(out).as_posix() for path in sorted(out.rglob("*")) if path.is_file()]
    _write_json(
        out / "files.json", [name for name in kept if name not in NOT_KEPT and not name.endswith("licenses.json")]
    )


def _digest(paths: list[Path], out: Path) -> str:
    whole = hashlib.sha256()
    for path in paths:
        whole.update(f"{path.relative_to(out).as_posix()}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()[:12]


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, target)


def _write_json(path: Path, document: object) -> None:
    path.write_text(json.dumps(document, indent=1), encoding="utf-8")


def main(out: Path) -> None:
    shutil.rmtree(out, ignore_errors=True)
    with tempfile.TemporaryDirectory() as work:
        lite = Path(work) / "lite"
        stage(lite, Path(work) / "python")
        build_lite(lite, out)
    finish(out)
    write_pages(out, Address(repository()))
    stamp(out)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
