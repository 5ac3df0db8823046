"""Builds the course as a web page: python site/build.py FOLDER. All of it comes from PyPI and npm; nothing is fetched.

JupyterLite makes the lab and the single-document view; archive.py the Python that runs in them; page/ is what is ours.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

from archive import HERE, PYODIDE, ROOT, build_archives

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
        "apps": ["lab", "notebooks"],
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
    for name in ("doc", "rspack.config.js", "rspack.config.analyze.js", "rspack.config.watch.js", "package.json"):
        target = out / name
        shutil.rmtree(target) if target.is_dir() else target.unlink()


def _write_json(path: Path, document: object) -> None:
    path.write_text(json.dumps(document, indent=1), encoding="utf-8")


def main(out: Path) -> None:
    shutil.rmtree(out, ignore_errors=True)
    with tempfile.TemporaryDirectory() as work:
        lite = Path(work) / "lite"
        stage(lite, Path(work) / "python")
        build_lite(lite, out)
    finish(out)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
