"""The Python of the page: what it starts with, as a zip; and in one archive labkit and what it needs, and the rest.

The modules are those that are installed here. What a lesson imports is compiled under Node by the very Pyodide that the
page will run (compile.py), so that the page need not do it at each visit. What no lesson needs is left out.
"""

from __future__ import annotations

import fnmatch
import importlib.metadata
import re
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent
PYODIDE = HERE / "node_modules" / "pyodide"
NEEDED = [
    "anywidget", "asttokens", "comm", "executing", "ipython", "ipython_pygments_lexers", "ipywidgets",
    "matplotlib_inline", "psygnal", "pure_eval", "pygments", "stack_data", "traitlets", "typing_extensions",
]  # fmt: skip
LEFT_OUT = [  # of these and of labkit, by their paths in the archive
    "*/tests/*", "*/nbextension/*", "*/labextension/*", "IPython/sphinxext/*",
    "pygments/styles/[!_d]*", "psygnal/qt.py", "labkit/course/selfcheck/*",
]  # fmt: skip
LEXERS = {"__init__", "_mapping", "python", "special"}  # of Pygments: what a traceback is coloured with
NOT_IN_A_PAGE = (  # of Python's own library: other processes, servers and windows
    "_pyrepl", "ensurepip", "idlelib", "multiprocessing", "pydoc_data", "tkinter", "turtledemo", "venv", "wsgiref",
    "xmlrpc", "imaplib.py", "smtplib.py", "ftplib.py", "poplib.py",
)  # fmt: skip
RARE = re.compile(  # the codecs of old computers
    r"encodings/(?!__init__|aliases|ascii|latin_1|utf_|cp437|cp1252|iso8859_1\b|iso8859_15|idna|punycode|.*_codec)"
)
DATA = {".toml", ".json", ".js", ".mjs", ".css", ".txt"}  # what is read as they run
REPLACED = {"pyodide_kernel/interpreter.py": (b"use_jedi = True", b"use_jedi = False")}  # Jedi is not there: 1.5 MB

Files = Iterator[tuple[str, bytes]]  # each with its path in the archive


def build_archives(static: Path, kernel: Path, work: Path) -> None:
    """Write course.tar.zst and python_stdlib.zip into `static`; `kernel` is the folder of the kernel's own wheels."""
    for files, folder in ((_course(kernel), work / "course"), (_library(), work / "library")):
        for path, data in files:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(data)
    subprocess.run(["node", HERE / "compile.mjs", work], check=True, cwd=HERE)
    shutil.copy(work / "course.tar.zst", static)
    _pack(work / "boot", static / "python_stdlib.zip")


def _pack(folder: Path, target: Path) -> None:
    """All files with one date, so that the same files make the same archive."""
    with zipfile.ZipFile(target, "w") as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            information = zipfile.ZipInfo(path.relative_to(folder).as_posix())
            archive.writestr(information, path.read_bytes(), zipfile.ZIP_DEFLATED, 9)


def _course(kernel: Path) -> Files:
    for path, data in (*_packages(), *_shims(kernel), *_labkit()):
        if any(fnmatch.fnmatch(path, pattern) for pattern in LEFT_OUT):
            continue
        if path.startswith("pygments/lexers/") and Path(path).stem not in LEXERS:
            continue
        if path in REPLACED:
            before, after = REPLACED[path]
            assert data.count(before) == 1, path
            data = data.replace(before, after)
        yield path, data


def _packages() -> Files:
    for name in NEEDED:
        for path in importlib.metadata.distribution(name).files or ():
            if path.parts[0] != ".." and (path.suffix in {".py", *DATA} or path.name == "METADATA"):
                yield str(path), path.locate().read_bytes()


def _shims(kernel: Path) -> Files:
    """What stands for ipykernel in a page; of piplite, which installs packages, only the names (page/piplite)."""
    for wheel in sorted(kernel.glob("*.whl")):
        if wheel.name.startswith(("pyodide_kernel-", "ipykernel-")):
            with zipfile.ZipFile(wheel) as archive:
                yield from (
                    (name, archive.read(name)) for name in archive.namelist() if name.endswith((".py", "METADATA"))
                )
    for path in (HERE / "piplite").glob("*.py"):
        yield f"piplite/{path.name}", path.read_bytes()


def _labkit() -> Files:
    for path in sorted((ROOT / "labkit").rglob("*")):
        if path.suffix == ".py" or path.suffix in DATA:
            yield str(path.relative_to(ROOT)), path.read_bytes()


def _library() -> Files:
    with zipfile.ZipFile(PYODIDE / "python_stdlib.zip") as archive:
        for name in archive.namelist():
            if not name.endswith("/") and not name.startswith(NOT_IN_A_PAGE) and not RARE.match(name):
                yield name, archive.read(name)
