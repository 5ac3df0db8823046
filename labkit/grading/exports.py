"""The files that an LMS takes: Canvas' gradebook, Moodle's gradebook, and Moodle's grading worksheet.

Canvas (lib/gradebook_importer.rb): the first columns are Student, ID, SIS User ID, SIS Login ID, Section; then one for
each assignment. A row whose first cell has "Points Possible" says what there is to get. A student is found by ID, else
by SIS ids, else by the name.

Moodle's gradebook (docs.moodle.org, "Grade import"): any columns; the teacher says which identifies the user (e-mail
address, ID number or username) and which is the grade; feedback goes along. Its worksheet
(mod/assign/feedback/offline/importgradeslib.php) needs Identifier, Grade and Last modified (grade), between commas.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TextIO

from labkit.grading.cells import cell, points
from labkit.grading.counting import Result

CANVAS = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]
MOODLE = ["Email address", "ID number", "Username", "Full name"]
WORKSHEET = "Identifier,Full name,Email address,Grade,Maximum Grade,Last modified (grade),Feedback comments".split(",")


class LmsFiles:
    """The three, row by row; each has those learners of whom the roster knows what the LMS calls them."""

    def __init__(self, stack: ExitStack, folder: Path, title: str, of: float) -> None:
        self._canvas = _LmsFile(
            stack, folder / "canvas.csv", [[*CANVAS, title], ["    Points Possible", *[""] * 4, points(of)]]
        )
        self._moodle = _LmsFile(stack, folder / "moodle.csv", [[*MOODLE, title, f"{title} (feedback)"]])
        self._worksheet = _LmsFile(stack, folder / "moodle-worksheet.csv", [WORKSHEET])
        self._of = points(of)

    def add(self, result: Result) -> None:
        """Who handed nothing in has an empty cell, which both leave as it is; so has who waits for a person."""
        who = result.learner
        waits = any(each.waits for each in result.counted.values())
        got = points(result.points) if result.files and not waits else ""
        said = f"{got} of {self._of} points" if got else ""
        if who.canvas or who.section:
            self._canvas.add(
                [cell(_sorted_name(who.name)), who.canvas, cell(who.number), cell(who.login), cell(who.section), got]
            )
        if who.email or who.number or who.login:
            self._moodle.add([cell(who.email), cell(who.number), cell(who.login), cell(who.name), got, said])
        if who.participant:
            self._worksheet.add(
                [f"Participant {who.participant}", cell(who.name), cell(who.email), got, self._of, "-", said]
            )


class _LmsFile:
    """A CSV file that is there only if it has rows; one of an earlier run goes."""

    def __init__(self, stack: ExitStack, path: Path, head: Sequence[Sequence[str]]) -> None:
        path.unlink(missing_ok=True)
        self._stack, self._path, self._head = stack, path, head
        self._file: TextIO | None = None

    def add(self, row: Sequence[str]) -> None:
        new = self._file is None
        self._file = self._file or self._stack.enter_context(self._path.open("w", encoding="utf-8", newline=""))
        csv.writer(self._file, lineterminator="\n").writerows([*(self._head if new else ()), row])


def _sorted_name(name: str) -> str:
    first, _, last = name.rpartition(" ")
    return f"{last}, {first}" if first else name
