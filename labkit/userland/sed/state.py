"""What sed works on: the pattern space, the hold space, the lines that come."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from labkit.userland.guarded import Searchable
from labkit.userland.sed.script import SedCommand
from labkit.userland.tool import Tool, bytes_of


@dataclass
class SedRun:
    """What sed remembers from line to line."""

    tool: Tool
    commands: list[SedCommand]
    lines: Iterator[tuple[str, bool]]
    out: list[bytes]
    quiet: bool
    number: int = 0
    space: str = ""
    newline: bool = True  # the line that is in the pattern space ended with one
    hold: str = ""
    after: list[bytes] = field(default_factory=list)  # what a and r print when the line is done
    replaced: bool = False
    pattern: Searchable | None = None
    ended: int | None = None
    kept: bool = False  # D: go on with what is left, without reading
    ahead: tuple[str, bool] | None = None
    written: dict[str, bytes] = field(default_factory=dict)
    name: str = "-"

    def read(self) -> tuple[str, bool] | None:
        found = self.ahead if self.ahead is not None else next(self.lines, None)
        self.ahead = next(self.lines, None) if found is not None else None
        return found

    def is_last(self) -> bool:
        return self.ahead is None

    def next_line(self) -> bool:
        found = self.read()
        if found is None:
            return False
        self.space, self.newline = found
        self.number += 1
        return True

    def print(self, text: str, newline: bool = True) -> None:
        self.out.append(bytes_of(text) + (b"\n" if newline else b""))

    def flush_after(self) -> None:
        for piece in self.after:
            self.out.append(piece)
            if not self.tool.gnu and piece and not piece.endswith(b"\n"):
                self.out.append(b"\n")
        self.after = []
