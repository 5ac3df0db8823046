"""Columns: Go's text/tabwriter, which docker's tables are written with.

A cell is what ends in a tab; a column is a run of adjacent lines that have that cell; what follows a line's last tab
belongs to no column and is never padded.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass


@dataclass(frozen=True)
class Layout:
    """How columns are padded: the four numbers that tabwriter.NewWriter takes."""

    minimum: int
    tab: int
    padding: int
    character: str = " "


ROWS = Layout(10, 1, 3)  # ps, image ls --format table…: docker/cli formatter
PAIRS = Layout(20, 1, 1)  # version: docker/cli system/version.go
TABS = Layout(1, 8, 1, "\t")  # builder prune: docker/buildx commands/prune.go


def width(text: str) -> int:
    """Columns of a terminal that the text takes."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def align(text: str, layout: Layout = ROWS) -> str:
    """The text with its tabs replaced by padding."""
    lines = [line.split("\t") for line in text.split("\n")]
    widths: list[list[int]] = [[] for _ in lines]
    _measure(lines, widths, 0, len(lines), 0, layout)
    return "\n".join(_line(cells, sizes, layout) for cells, sizes in zip(lines, widths, strict=True))


def _measure(
    lines: list[list[str]], widths: list[list[int]], start: int, end: int, column: int, layout: Layout
) -> None:
    place = start
    while place < end:
        if column >= len(lines[place]) - 1:
            place += 1
            continue
        stop = place
        size = layout.minimum
        while stop < end and column < len(lines[stop]) - 1:
            size = max(size, width(lines[stop][column]) + layout.padding)
            stop += 1
        for row in range(place, stop):
            widths[row].append(size)
        _measure(lines, widths, place, stop, column + 1, layout)
        place = stop


def _line(cells: list[str], sizes: list[int], layout: Layout) -> str:
    return "".join(cell + _pad(width(cell), size, layout) for cell, size in zip(cells, sizes, strict=False)) + cells[-1]


def _pad(used: int, size: int, layout: Layout) -> str:
    if layout.character != "\t":
        return layout.character * (size - used)
    size = -(-size // layout.tab) * layout.tab
    return "\t" * -(-(size - used) // layout.tab)
