"""The roster: a CSV file with a column `learner`, and perhaps `name`, `file` and `variant`.

`learner` is the name that draws the variant and that the file is called by (ann.labkit.json, ann.ipynb, or any file in
a folder ann/). `file` is another name to find it by; `variant` another name to draw by (demo: everybody has the same).
"""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from labkit.grading.submission import SUFFIX

COLUMNS = ("learner", "name", "file", "variant")


class RosterError(Exception):
    """A roster that cannot be used; str() is one line that says why."""


@dataclass(frozen=True)
class Learner:
    learner: str
    name: str = ""
    file: str = ""
    variant: str = ""

    @property
    def drawn_by(self) -> str:
        return self.variant or self.learner


def read_roster(path: Path) -> dict[str, Learner]:
    """By the name of their files. Raises RosterError."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise RosterError(f"{path.name}: it cannot be read as CSV: {error}") from None
    return _by_file(path.name, rows)


def _by_file(name: str, rows: Iterable[dict[str, str]]) -> dict[str, Learner]:
    roster: dict[str, Learner] = {}
    for line, row in enumerate(rows, 2):
        cells = {column: (row.get(column) or "").strip() for column in COLUMNS}
        if not cells["learner"]:
            raise RosterError(f"{name}, line {line}: there is no learner")
        learner = Learner(**cells)
        key = stem(learner.file or learner.learner)
        if key in roster:
            raise RosterError(f"{name}, line {line}: {key} is there twice")
        roster[key] = learner
    if not roster:
        raise RosterError(f"{name}: it has no learners")
    return roster


def stem(file: str) -> str:
    """ann.labkit.json, ann.ipynb, ann: ann. A name with accents is one name, however a file system spells it."""
    file = unicodedata.normalize("NFC", file)
    for ending in (SUFFIX, ".ipynb", ".zip"):
        file = file.removesuffix(ending)
    return file
