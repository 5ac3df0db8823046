"""A view as a picture: layers in stacks, containers on them, what covers what; written in Graphviz's language, DOT.

The light boxes carry their own ground and dark text, and lines are of a middle grey, so that the picture can be read on
a light and on a dark page. What is new or changed has a thick border *and* the word, for whom colours tell nothing.

`draw`, DOT to SVG, is the one place that may start a program. Natively the pip package graphviz-pure draws, through the
Python binding of Graphviz; where it is not installed, a `dot` of the system. In the browser no program can be started:
there the page has a drawing function, made from a WebAssembly build of Graphviz.

A `Picture` is what a cell shows: the drawing with its text beside it. In a notebook nobody has trusted yet JupyterLab's
sanitiser drops an inline <svg>, and role and aria-label too; an <img> with the drawing inside its address and an alt
text stays. So that is how the picture goes in.
"""

from __future__ import annotations

import base64
import functools
import html
import importlib
import pathlib
import re
import shutil
import sys
import sysconfig
from collections.abc import Callable, Iterable, Iterator, Sequence

from labkit.jupyter.view import (
    UNMARKED,
    MachineView,
    Marks,
    SeenContainer,
    StackRow,
    StepStack,
    compare,
    count,
    cut,
    image_title,
    in_words,
    look,
    mount_source,
    only,
    rows,
    short,
    size_text,
    stacks,
)
from labkit.machine import Machine

SHOWN_CHANGES = 6
SHOWN_TEXT = 46
MANY = 8  # containers that each have a box of their own
FONT = "Courier New"  # of one width for all signs: so the boxes fit in whatever such font a reader's system has
INK, LINE, QUIET = "#1f2933", "#7b8794", "#52606d"
CHANGED = "#c2410c"  # the border of what changed: seen on light and on dark
PAPER = {  # the ground of each kind of box
    "layer": "#dbeafe",
    "settings": "#f8fafc",
    "title": "#bfdbfe",
    "container": "#fde68a",
    "upper": "#fef3c7",
    "volume": "#bbf7d0",
    "bind": "#e5e7eb",
    "tmpfs": "#ede9fe",
    "image": "#bfdbfe",
    "mark": "#ffffff",
}
GRAPH = f"""digraph machine {{
  graph [rankdir=TB, bgcolor="transparent", nodesep=0.35, ranksep=0.45, pad=0.15]
  node [shape=plain, fontname="{FONT}", fontsize=11, fontcolor="{INK}", color="{LINE}"]
  edge [color="{LINE}", penwidth=1.6, fontname="{FONT}", fontsize=11, fontcolor="{INK}"]"""


def dot(view: MachineView, marks: Marks = UNMARKED) -> str:
    """The view in DOT; the same view and marks give the same text."""
    lines = [GRAPH]
    tops: dict[str, str] = {}
    lines += _stack_lines(stacks(view.images), marks, tops)
    alone, crowds = parted(view, marks)
    for position, container in enumerate(view.containers):
        if container in alone:
            lines += _container_lines(f"c{position}", container, view, marks, tops)
    for position, crowd in enumerate(crowds):
        lines += _crowd_lines(f"w{position}", crowd, marks, tops)
    mounted = {mount.source for container in alone for mount in container.mounts if mount.kind == "volume"}
    for volume in view.volumes:
        if volume not in mounted:
            lines.append(_node(_volume_id(view, volume), [_cell(_source_text("volume", volume, marks), "volume")]))
    if len(lines) == 1:
        lines.append(_node("empty", [_cell(_inked("no images, no containers, no volumes"), "settings")]))
    return "\n".join([*lines, "}", ""])


def parted(view: MachineView, marks: Marks) -> tuple[list[SeenContainer], list[list[SeenContainer]]]:
    """Which containers have a box of their own, and which share one with the others on their image.

    Where there are many, only those that changed stand alone, so that they are seen, and that all fit on a page.
    """
    if len(view.containers) <= MANY:
        return list(view.containers), []
    changed = [container for container in view.containers if _container_word(container, marks)]
    alone = changed if len(changed) <= MANY else []
    crowds: dict[str, list[SeenContainer]] = {}
    for container in view.containers:
        if container not in alone:
            crowds.setdefault(container.image, []).append(container)
    return alone, list(crowds.values())


def _container_word(container: SeenContainer, marks: Marks) -> str:
    """The mark of a container, or of anything in it."""
    parts = [
        ("container", container.name),
        *(("file", container.name, path) for _, path in container.changes),
        *(("mount", container.name, mount.target) for mount in container.mounts),
    ]
    gone = any(part[0] in ("file", "mount") and part[1] == container.name for part in marks.gone)
    words = [marks.word(*part) for part in parts]
    return words[0] or ("changed" if gone or any(words) else "")


def label_text(text: str, length: int = SHOWN_TEXT) -> str:
    """Any text as part of a DOT label: one line, cut, markup as characters, what is beyond ASCII as numbers."""
    plain = cut(text, length).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
    return "".join(char if char.isascii() else f"&#{ord(char)};" for char in plain) or " "


def _inked(text: str, *, bold: bool = False, quiet: bool = False, length: int = SHOWN_TEXT) -> str:
    inner = label_text(text, length)
    if bold:
        inner = f"<B>{inner}</B>"
    return f'<FONT COLOR="{QUIET}">{inner}</FONT>' if quiet else inner


def _mark(word: str) -> str:
    return f" <B>&#91;{word.upper()}&#93;</B>" if word else ""


def _cell(content: str, paper: str, word: str = "", *, thick: bool = False, span: int = 1, align: str = "LEFT") -> str:
    border = f' BORDER="3" COLOR="{CHANGED}"' if word or thick else ""
    columns = f' COLSPAN="{span}"' if span > 1 else ""
    return f'<TD{columns} ALIGN="{align}" BGCOLOR="{PAPER[paper]}"{border}>{content}{_mark(word)}</TD>'


def _node(identifier: str, rows: Iterable[str]) -> str:
    body = "".join(f"<TR>{row}</TR>" for row in rows)
    return f'  {identifier} [label=<<TABLE BORDER="0" CELLBORDER="1" CELLSPACING="0" CELLPADDING="5">{body}</TABLE>>]'


def _stack_lines(found: list[StepStack], marks: Marks, tops: dict[str, str], below: str = "") -> Iterator[str]:
    """The stacks as nodes, each above the one that it stands on; `tops` learns on which node each image ends."""
    for position, stack in enumerate(found):
        identifier = f"{below}s{position}"
        yield _node(identifier, _stack_rows(stack, marks))
        if below:
            yield f"  {identifier} -> {below} [arrowhead=none, penwidth=3]"
        tops.update({image.id: identifier for image in stack.images})
        yield from _stack_lines(stack.above, marks, tops, identifier)


def _stack_rows(stack: StepStack, marks: Marks) -> Iterator[str]:
    for image in stack.images:
        title = f"{_inked(image_title(image), bold=True)} {_inked(f'image {short(image.id)}, {size_text(image.size)}')}"
        yield _cell(title, "title", marks.word("image", image.id), span=3)
    if not stack.images:
        yield _cell(_inked("shared by several images", quiet=True), "title", span=3)
    yield from (_row(row) for row in reversed(rows(stack, marks)))


def _row(row: StackRow) -> str:
    paper = "layer" if row.digest else "settings"
    place = _inked(short(row.digest)) if row.digest else _inked("no layer", quiet=True)
    thick = bool(row.word)
    size = _cell(_inked(size_text(row.size)), paper, thick=thick, align="RIGHT")
    return _cell(_inked(row.text), paper, row.word) + size + _cell(place, paper, thick=thick)


def _container_lines(
    node: str, container: SeenContainer, view: MachineView, marks: Marks, tops: dict[str, str]
) -> Iterator[str]:
    word = marks.word("container", container.name)
    about = f"container {short(container.id)}, {container.state}"
    title = f"{_inked(container.name, bold=True, length=32)} {_inked(about)}"
    more = len(container.changes) - SHOWN_CHANGES
    paths = count(len(container.changes), "changed path")
    own = f"{_inked('own layer, writable:')} {_inked(size_text(container.size))}, {paths}"
    rows = [_cell(title, "container", word), _cell(own, "upper")]
    for kind, path in container.changes[:SHOWN_CHANGES]:
        rows.append(_cell(_inked(f"{kind} {path}"), "upper", marks.word("file", container.name, path)))
    if more > 0:
        rows.append(_cell(_inked(f"and {more} more", quiet=True), "upper"))
    yield _node(node, rows)
    if container.image in tops:
        yield f"  {node} -> {tops[container.image]} [arrowhead=none, penwidth=3]"
    for position, mount in enumerate(container.mounts):
        source = _volume_id(view, mount.source) if mount.kind == "volume" else f"{node}m{position}"
        kind = mount.kind if mount.kind in PAPER else "bind"
        name = mount.source if mount.kind == "volume" else mount_source(mount)
        yield _node(source, [_cell(_source_text(mount.kind, name, marks), kind)])
        word = marks.word("mount", container.name, mount.target)
        covers = f"covers {mount.target}" + ("" if mount.writable else " (read-only)")
        label = _edge_label(covers, word)
        yield f"  {source} -> {node} [dir=forward, style={'bold' if word else 'dashed'}, label=<{label}>]"


def _crowd_lines(node: str, crowd: list[SeenContainer], marks: Marks, tops: dict[str, str]) -> Iterator[str]:
    """Containers of one image, a row each."""
    rows = [_cell(_inked(f"{len(crowd)} containers, each with a layer of its own", bold=True), "container", span=3)]
    for container in crowd:
        word = _container_word(container, marks)
        covers = ", ".join(f"{mount.target} by {mount_source(mount)}" for mount in container.mounts)
        name = _cell(f"{_inked(container.name, bold=True, length=32)} {_inked(container.state)}", "upper", word)
        own = f"{size_text(container.size)}, {count(len(container.changes), 'changed path')}"
        rows.append(name + _cell(_inked(own), "upper") + _cell(_inked(covers, quiet=True), "upper"))
    yield _node(node, rows)
    if crowd[0].image in tops:
        yield f"  {node} -> {tops[crowd[0].image]} [arrowhead=none, penwidth=3]"


def _edge_label(text: str, word: str) -> str:
    """A line's label on a ground of its own, with a border where it stands out."""
    table = f'<TABLE BORDER="{1 if word else 0}" CELLBORDER="0" CELLSPACING="0" BGCOLOR="{PAPER["mark"]}">'
    return f"{table}<TR><TD>{label_text(text)}{_mark(word)}</TD></TR></TABLE>"


def _source_text(kind: str, name: str, marks: Marks) -> str:
    if kind != "volume":
        return _inked(name)
    return f"{_inked('volume')} {_inked(name, bold=True)}{_mark(marks.word('volume', name))}"


def _volume_id(view: MachineView, name: str) -> str:
    return f"v{view.volumes.index(name)}" if name in view.volumes else "v_other"


IN_BROWSER = str(sys.platform) == "emscripten"
Drawing = Callable[[str], str]
FONTS = '"DejaVu Sans Mono", Menlo, "Liberation Mono", Cousine, "Courier New", monospace'  # all as wide as Courier New


class DrawingError(Exception):
    """There is nothing that draws; str() says what to install."""


@functools.lru_cache(maxsize=256)
def draw(dot: str) -> str:
    """The picture as SVG; DrawingError where nothing draws."""
    return _tidy((_browser_drawing() or _program_drawing)(dot))


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


class Picture:
    """A view and what changed in it since the one before; drawn when it is displayed."""

    def __init__(self, view: MachineView, marks: Marks = UNMARKED) -> None:
        self.view = view
        self.marks = marks

    @property
    def dot(self) -> str:
        """The picture in Graphviz's language."""
        return dot(self.view, self.marks)

    @property
    def text(self) -> str:
        """The same facts in words."""
        return in_words(self.view, self.marks)

    @property
    def summary(self) -> str:
        """One line: what the picture shows, for who does not see it."""
        return f"Picture of the machine: {summary(self.view)}. The text after it says the same in words."

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"text/plain": self.text, "text/html": self.html()}

    def html(self) -> str:
        """The picture and its text; everything that comes from the machine is escaped."""
        alt = html.escape(self.summary, quote=True)
        try:
            svg = draw(self.dot)
        except DrawingError as error:
            return f"<p>{html.escape(str(error))}</p>\n<pre>{html.escape(self.text)}</pre>"
        return (
            f'<figure role="img" aria-label="{alt}" style="margin: 0.5em 0; overflow-x: auto">'
            f'<img src="{svg_address(svg)}" alt="{alt}" width="{svg_width(svg)}" style="max-width: 100%; height: auto">'
            f"</figure>\n<details><summary>The same in words</summary><pre>{html.escape(self.text)}</pre></details>"
        )


def svg_address(svg: str) -> str:
    """An SVG as a data: address."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode("ascii")


def svg_width(svg: str) -> int:
    """The width in pixels at which the picture's letters are as large as those of a code cell."""
    found = re.search(r'<svg width="([\d.]+)pt"', svg)
    return round(float(found[1]) * 1.15) if found else 600


def summary(view: MachineView) -> str:
    """How many images, containers and volumes, and their names."""
    groups = (
        ("image", [name for image in view.images for name in image.names or ("<none>",)]),
        ("container", [container.name for container in view.containers]),
        ("volume", list(view.volumes)),
    )
    told = [f"{len(names)} {word}{'s' * (len(names) != 1)} ({', '.join(names)})" for word, names in groups if names]
    return "; ".join(told) or "nothing on it yet"


def picture(machine: Machine, names: Sequence[str] = (), before: MachineView | None = None) -> Picture:
    """The picture of a machine, or of the named images, containers and volumes with what belongs to them."""
    view = look(machine)
    return Picture(only(view, names) if names else view, compare(before, view))
