"""draw(dot) -> svg: the one place that may start a program.

Natively the pip package graphviz-pure draws, through the Python binding of Graphviz; where it is not installed, a `dot`
of the system. In the browser no program can be started: there whoever sets the page up hands in a drawing function,
made from a WebAssembly build of Graphviz, with `use()`.
"""

from __future__ import annotations

import functools
import importlib
import pathlib
import re
import shutil
import sys
import sysconfig
from collections.abc import Callable

IN_BROWSER = str(sys.platform) == "emscripten"
Drawing = Callable[[str], str]
FONTS = '"DejaVu Sans Mono", Menlo, "Liberation Mono", Cousine, "Courier New", monospace'  # all as wide as Courier New


class DrawingError(Exception):
    """There is nothing that draws; str() says what to install."""


class _Drawer:
    """The drawing function that was handed in, if any."""

    function: Drawing | None = None


def use(function: Drawing | None) -> None:
    """From now on draw with this function (in the browser), or again with a program (None)."""
    _Drawer.function = function
    draw.cache_clear()


@functools.lru_cache(maxsize=256)
def draw(dot: str) -> str:
    """The picture as SVG; DrawingError where nothing draws."""
    svg = (_Drawer.function or _browser_drawing() or _program_drawing)(dot)
    return _tidy(svg)


def _browser_drawing() -> Drawing | None:
    """In Pyodide, the function `labkitDraw(dot)` of the worker's global scope, if the page has put one there."""
    if not IN_BROWSER:
        return None
    found = getattr(importlib.import_module("js"), "labkitDraw", None)
    if found is None:
        raise DrawingError("no picture: this page has not loaded Graphviz")
    return lambda dot: str(found(dot))


def _program() -> str | None:
    """graphviz-pure beside this Python, else on PATH, else a system's dot."""
    beside = pathlib.Path(sysconfig.get_path("scripts"))
    return shutil.which("graphviz-pure", path=str(beside)) or shutil.which("graphviz-pure") or shutil.which("dot")


def _program_drawing(dot: str) -> str:
    program = _program()
    try:
        import graphviz
        from graphviz.backend import dot_command
    except ImportError:
        program = None
    if program is None:
        raise DrawingError("no picture: install graphviz and graphviz-pure (pip install graphviz graphviz-pure)")
    before, dot_command.DOT_BINARY = dot_command.DOT_BINARY, pathlib.Path(program)
    try:
        return str(graphviz.pipe("dot", "svg", dot.encode(), quiet=True).decode())
    except graphviz.CalledProcessError as error:
        raise DrawingError(f"no picture: {program} failed with status {error.returncode}") from None
    finally:
        dot_command.DOT_BINARY = before


def _tidy(svg: str) -> str:
    """Only the <svg> element, without comments and titles (they would name our node ids), in fonts that are at hand."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<!--.*?-->\n?", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<title>.*?</title>\n?", "", svg, flags=re.DOTALL)
    return re.sub(r'font-family="[^"]*"', f"font-family='{FONTS}'", svg)
