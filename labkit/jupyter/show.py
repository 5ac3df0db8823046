"""show(): the machine as it is now, as a picture with its text beside it.

In a notebook nobody has trusted yet JupyterLab's sanitiser drops an inline <svg>, and role and aria-label too; an <img>
with the drawing inside its address and an alt text stays. So that is how the picture goes in.
"""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Sequence
from typing import Any

from labkit.jupyter.diagram import dot
from labkit.jupyter.draw import DrawingError, draw
from labkit.jupyter.view import UNMARKED, MachineView, Marks, compare, look, only
from labkit.jupyter.view_text import in_words


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
    def address(self) -> str:
        """The drawing as a data: address for an <img>; "" where nothing can draw."""
        try:
            return svg_address(draw(self.dot))
        except DrawingError:
            return ""

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


def picture(machine: Any, names: Sequence[str] = (), before: MachineView | None = None) -> Picture:
    """The picture of a machine, or of the named images, containers and volumes with what belongs to them."""
    view = look(machine)
    return Picture(only(view, names) if names else view, compare(before, view))
