"""Notebooks run from top to bottom without a browser: in this process, to compare; in a kernel, to save what they give.

Both run as learner demo, with an empty home, in the notebook's own folder: so that what is saved is the same for
everyone. A `NotebookPlayer` is a shell without a kernel: a cell takes as long as what it does.
"""

from __future__ import annotations

import os
import re
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from IPython.core.display_trap import DisplayTrap
from IPython.core.displayhook import CapturingDisplayHook
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import RichOutput, capture_output
from traitlets.config import Config

from labkit.course.lessons import read_notebook
from labkit.kernel.golang import Json, JsonObject, at, members, text, texts

if TYPE_CHECKING:
    from nbformat import NotebookNode

VIEW = "application/vnd.jupyter.widget-view+json"
STAYS_OPEN = re.compile(r"\b(exercise|progress)\(")  # calls whose output is a task, no answer
COMPARED = ("text/plain", "text/html")  # of what a cell shows; a live widget has an id of its own each time
LONGEST = 300  # seconds that a kernel may take for one cell


@dataclass(frozen=True)
class Shown:
    """What a cell gave: the two streams, and what it showed, each as {type: text}."""

    stdout: str = ""
    stderr: str = ""
    displays: tuple[tuple[tuple[str, str], ...], ...] = ()
    error: str = ""


def as_saved(outputs: Iterable[Json]) -> Shown:
    """The outputs of a cell in a notebook file."""
    streams = {"stdout": "", "stderr": ""}
    displays, error = [], ""
    for each in outputs:
        kind = text(each, "output_type")
        if kind == "stream":
            streams[text(each, "name")] += _joined(at(each, "text"))
        elif kind == "error":
            error = f"{text(each, 'ename')}: {text(each, 'evalue')}"
        else:
            displays.append(_compared(members(each, "data")))
    return Shown(**streams, displays=tuple(displays), error=error)


def _joined(lines: Json) -> str:
    """A text of a notebook file, which may be there as a list of its lines."""
    return lines if isinstance(lines, str) else "".join(texts(lines))


def _compared(data: JsonObject) -> tuple[tuple[str, str], ...]:
    return tuple((kind, _joined(data[kind])) for kind in COMPARED if kind in data)


@contextmanager
def as_demo(folder: Path) -> Iterator[None]:
    """In this folder, learner demo, whose home is empty."""
    before, here = dict(os.environ), Path.cwd()
    with tempfile.TemporaryDirectory() as home:
        for name in ("LABKIT_SEED", "JUPYTERHUB_USER"):
            os.environ.pop(name, None)
        os.environ |= {"LABKIT_HOME": home, "LABKIT_LEARNER": "demo"}
        os.chdir(folder)
        try:
            yield
        finally:
            os.chdir(here)
            os.environ.clear()
            os.environ.update(before)


class NotebookPlayer:
    """A shell of its own in which cells run as in a kernel; `with playing() as player`."""

    def __init__(self, shell: InteractiveShell) -> None:
        self._shell = shell

    def play(self, source: str) -> Shown:
        values: list[dict[str, JsonObject]] = []  # what the cell's last line gave
        self._shell.display_trap = DisplayTrap(hook=CapturingDisplayHook(self._shell, values))
        with capture_output() as caught:
            result = self._shell.run_cell(source, store_history=False)
        error = result.error_before_exec or result.error_in_exec
        stdout = "" if error else caught.stdout  # where there is one, its traceback
        shown: list[RichOutput] = [*caught.outputs, *(RichOutput(**each) for each in values)]
        displays = tuple(_compared(each.data) for each in shown)
        return Shown(stdout, caught.stderr, displays, f"{type(error).__name__}: {error}" if error else "")


@contextmanager
def playing() -> Iterator[NotebookPlayer]:
    """A new shell that get_ipython() gives in here, whatever shell there was before."""
    settings = Config({"HistoryManager": {"enabled": False}})
    before = InteractiveShell._instance
    shell = InteractiveShell(config=settings, user_module=ModuleType("lesson"))
    InteractiveShell._instance = shell  # type: ignore[assignment]  # traitlets types it as None
    try:
        shell.run_line_magic("load_ext", "labkit.jupyter")
        yield NotebookPlayer(shell)
    finally:
        InteractiveShell._instance = before


def faults_of_a_run(path: Path, times: int = 2) -> list[str]:
    """What is wrong when a notebook runs so many times in one kernel: an error, or another output than is saved."""
    cells = read_notebook(path).code
    with as_demo(path.parent), playing() as player:
        for turn in range(times):
            for cell in cells:
                if difference := _difference(player.play(cell.source), as_saved(cell.outputs)):
                    when = "" if not turn else " when it runs again"
                    return [f"{path.name}: cell {cell.id}: {difference}{when}"]
    return []


def _difference(now: Shown, saved: Shown) -> str:
    if now == saved:
        return ""
    if now.error:
        return f"it ends with {now.error}"
    names = [name for name in ("stdout", "stderr", "displays") if getattr(now, name) != getattr(saved, name)]
    texts = (_first_difference(str(getattr(now, name)), str(getattr(saved, name))) for name in names)
    return f"it gives {next(texts, 'no error')}"


def _first_difference(now: str, saved: str) -> str:
    """The first line that is another, shortened."""
    lines = zip([*now.splitlines(), ""], [*saved.splitlines(), ""], strict=False)
    mine, theirs = next(((a, b) for a, b in lines if a != b), ("", ""))
    same = next((at for at, (a, b) in enumerate(zip(mine, theirs, strict=False)) if a != b), 0)
    at = max(0, same - 20)
    return f"{mine[at : at + 60]!r}, saved is {theirs[at : at + 60]!r}"


# In a kernel


@dataclass(frozen=True)
class Ran:
    """What came of one notebook."""

    seconds: float
    fault: str = ""  # the first cell that fails, or (checking) that gives something else than what is saved


def run_notebook(path: Path, check: bool = False) -> Ran:
    """Run a notebook in a new kernel and save its outputs; `check`: only compare them with the saved ones."""
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    start = time.monotonic()
    notebook = nbformat.read(path, as_version=4)
    outputs = [cell.get("outputs", ()) for cell in notebook.cells]
    before = [as_saved(each) for each in outputs]
    client = NotebookClient(
        notebook,
        timeout=LONGEST,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
        store_widget_state=False,
        record_timing=False,
        extra_arguments=["--log-level=ERROR"],
    )
    try:
        with as_demo(path.parent):
            client.execute()
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        return Ran(time.monotonic() - start, _where_it_failed(notebook, error))
    if check:
        fault = _first_changed(notebook, before)
        return Ran(time.monotonic() - start, fault)
    notebook.metadata.pop("widgets", None)  # their state would show another learner's as one's own
    for cell, kept, saved in zip(notebook.cells, outputs, before, strict=True):
        if kept and as_saved(cell.outputs) == saved:
            cell.outputs = kept  # else only ids of widgets would change
        _fold(cell)
    nbformat.write(notebook, path)
    return Ran(time.monotonic() - start)


def _fold(cell: NotebookNode) -> None:
    """Saved outputs stay closed until the cell is run, and name no widget, which no kernel has any more."""
    if cell.cell_type != "code":
        return
    for output in cell.outputs:
        output.get("data", {}).pop(VIEW, None)
    marks = cell.metadata.pop("jupyter", {})
    marks.pop("outputs_hidden", None)
    if cell.outputs and not STAYS_OPEN.search(cell.source):
        marks["outputs_hidden"] = True
    if marks:
        cell.metadata["jupyter"] = marks


def _where_it_failed(notebook: NotebookNode, error: Exception) -> str:
    for cell in notebook.cells:
        if failure := as_saved(cell.get("outputs", ())).error:
            return f"cell {cell.id}: {failure}"
    return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"


def _first_changed(notebook: NotebookNode, before: Sequence[Shown]) -> str:
    for cell, saved in zip(notebook.cells, before, strict=True):
        if difference := _difference(as_saved(cell.get("outputs", ())), saved):
            return f"cell {cell.id}: {difference}"
    return ""


def run_notebooks(paths: Sequence[Path], check: bool, say: Callable[[str], None]) -> int:
    """Run each and say one line about it; how many have a fault."""
    faults = 0
    for path in paths:
        ran = run_notebook(path, check)
        say(f"{path.name}: {ran.fault or ('as saved' if check else 'saved')} ({ran.seconds:.1f} s)")
        faults += bool(ran.fault)
    return faults
