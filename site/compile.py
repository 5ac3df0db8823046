"""Run by compile.mjs in Pyodide. From /source/course and /source/library (Python's own) it makes what the page loads:

/source/boot: what Python imports before anything else runs, compiled, to be packed as its zip of the library.
/source/course.tar.zst: all else. What a lesson imports is compiled; the others stay sources, which are smaller.
"""

import importlib
import importlib._bootstrap_external as external
import io
import os
import sys
import tarfile

from compression import zstd

ZIP, LIBRARY = "/lib/python314.zip/", "lib/python3.14"
FIRST_CELL = ("labkit.jupyter", "labkit.cli")  # what is imported before it has run
MINE = {"tarfile"}  # imported above, and not by Python as it starts


def files_of_modules() -> dict[str, str]:
    return {name: str(getattr(module, "__file__", "")) for name, module in list(sys.modules.items())}


def imported() -> set[str]:
    """The sources of all modules that a lesson's first cell imports."""
    sys.path.insert(0, "/source/course")
    kernel = importlib.import_module("pyodide_kernel")
    kernel.ipython_shell.send_comm = lambda *message: None  # no page is there to hear of widgets
    for name in FIRST_CELL:
        importlib.import_module(name)
    sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__  # the kernel has put its own there
    used = {path.replace(ZIP, "/source/library/") for path in files_of_modules().values()}
    left_out = [path for path in used if path.startswith("/source/library/") and not os.path.exists(path)]
    assert not left_out, f"needed, and not in the archive: {left_out}"
    return used


def compiled(path: str, data: bytes) -> bytes:
    shown = path.removeprefix("/source/course/").replace("/source/library", f"/{LIBRARY}")
    return external._code_to_hash_pyc(compile(data, shown, "exec", dont_inherit=True), bytes(8), False)


def write(path: str, data: bytes) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)


def pack(archive: tarfile.TarFile, booted: set[str], used: set[str]) -> None:
    walks = (walk for top in ("course", "library") for walk in os.walk(f"/source/{top}"))
    for path in sorted(os.path.join(folder, name) for folder, _, names in walks for name in names):
        top, _, inner = path.removeprefix("/source/").partition("/")
        with open(path, "rb") as file:
            data = file.read()
        if path in used or (path.endswith(".py") and inner.startswith("labkit/")):
            data, inner = compiled(path, data), f"{inner}c"
        if top == "library" and inner.partition("/")[0].partition(".")[0] in booted:
            write(f"/source/boot/{inner}", data)
            continue
        entry = tarfile.TarInfo(f"{LIBRARY}/{inner}" if top == "library" else f"{LIBRARY}/site-packages/{inner}")
        entry.size = len(data)
        archive.addfile(entry, io.BytesIO(data))


booted = {name.partition(".")[0] for name, path in files_of_modules().items() if ZIP in path} - MINE
memory = io.BytesIO()
with tarfile.open(fileobj=memory, mode="w", format=tarfile.USTAR_FORMAT) as archive:
    pack(archive, booted, imported())
write("/source/course.tar.zst", zstd.compress(memory.getvalue(), 19))
