"""The roster: who takes the course, as a CSV file of one's own, or as Moodle, Canvas or a spreadsheet writes it.

One of one's own has a column `learner`, and perhaps `name`, `file`, `variant`, `extension` and `handed in`. `learner`
is the name that draws the variant and that the file is called by (ann.labkit.json, ann.ipynb, or any file in a folder
ann/). `file` is another name to find it by; `variant` another name to draw by (demo: everybody has the same);
`extension` a deadline of this learner's own; `handed in` when, where the files do not tell it.

Canvas' gradebook (Student, ID, SIS User ID, SIS Login ID, Section, then a row of points possible), Moodle's list of
participants and its grading worksheet (Identifier, Full name, Email address, …, Last modified (submission)) are read by
their own columns; there the login, the student's number or the e-mail address is the learner. Commas, semicolons and
tabs separate; UTF-8, UTF-16 and Windows' Latin are understood, and a first line `sep=;` of Excel's.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from labkit.grading.submission import SUFFIX

LARGEST = 16 << 20  # bytes of a roster
# A field and the names of its column, in the order in which they are looked for; in lower case.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "learner": ("learner",),
    "name": ("name", "full name", "student", "student name", "vollständiger name", "nom complet", "nombre completo"),
    "first": ("first name", "firstname", "given name", "vorname", "prénom", "nombre"),
    "last": ("last name", "lastname", "surname", "family name", "nachname", "nom", "apellido(s)"),
    "file": ("file",),
    "variant": ("variant",),
    "login": ("sis login id", "username", "user name", "login", "login id", "anmeldename", "benutzername"),
    "number": ("id number", "idnumber", "sis user id", "student id", "student number", "matrikelnummer"),
    "email": ("email address", "email", "e-mail", "e-mail address", "mail", "e-mail-adresse", "adresse de courriel"),
    "canvas": ("id",),
    "participant": ("identifier", "id der bewertung"),
    "section": ("section",),
    "extension": ("extension", "extended deadline"),
    "handed_in": ("handed in", "hand-in time", "submitted", "submitted at", "last modified (submission)"),
}
NOBODY = ("points possible", "student, test")  # rows of Canvas' that are no student's


class RosterError(Exception):
    """A roster that cannot be used; str() is one line that says why."""


@dataclass(frozen=True)
class Learner:
    """A row. Beside `learner`, whatever else the same person is called by; the last three are Canvas' and Moodle's."""

    learner: str
    name: str = ""
    file: str = ""
    variant: str = ""
    extension: str = ""
    handed_in: str = ""
    login: str = ""
    number: str = ""
    email: str = ""
    canvas: str = ""
    participant: str = ""
    section: str = ""

    @property
    def drawn_by(self) -> str:
        return self.variant or self.learner

    @property
    def names(self) -> set[str]:
        """What a file of this learner's may say that it is from."""
        said = (self.learner, self.variant, self.login, self.number, self.email)
        return {same(each) for each in said if each}


@dataclass(frozen=True)
class Roster:
    """All rows, and how to find them."""

    learners: tuple[Learner, ...]
    _found_by: dict[str, list[Learner]] = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        for learner in self.learners:
            keys = {*learner.names, same(stem(learner.file)), same(learner.name), canvas_key(learner.name)}
            keys |= {same(stem(learner.learner)), f"canvas {learner.canvas}", f"participant {learner.participant}"}
            for key in keys - {"", "canvas ", "participant "}:
                self._found_by.setdefault(key, []).append(learner)

    def called(self, name: str) -> tuple[Learner, ...]:
        """Everybody whom a file or a folder of this name may belong to."""
        return tuple(self._found_by.get(same(name), ()))


def same(name: str) -> str:
    """One spelling of a name: no file system's or keyboard's own, no case."""
    return " ".join(unicodedata.normalize("NFC", name).casefold().split())


def canvas_key(name: str) -> str:
    """A name as Canvas begins a file by it: "Ann Adams" is adamsann (lib/content_zipper.rb, sanitize_file_name)."""
    first, _, last = name.rpartition(" ")
    return re.sub(r"\W", "", same(f"{last}{first}"))


def stem(file: str) -> str:
    """ann.labkit.json, ann.ipynb, ann: ann. A name with accents is one name, however a file system spells it."""
    file = unicodedata.normalize("NFC", file)
    for ending in (SUFFIX, ".ipynb", ".zip"):
        file = file.removesuffix(ending)
    return file


def read_roster(path: Path) -> Roster:
    """Raises RosterError."""
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
        rows = list(csv.reader(_lines(_decoded(data)), delimiter=_separator(_decoded(data))))
    except (OSError, ValueError, csv.Error) as error:
        raise RosterError(f"{path.name}: it cannot be read as CSV: {error}") from None
    if len(data) > LARGEST or (any(b"\0" in each for each in (data[4:8], data[-8:-4])) and not _is_utf16(data)):
        raise RosterError(f"{path.name}: it cannot be read as CSV; save a workbook as CSV first")
    return _roster(path.name, rows)


def _is_utf16(data: bytes) -> bool:
    return data.startswith((b"\xff\xfe", b"\xfe\xff"))


def _decoded(data: bytes) -> str:
    if data.startswith(b"PK\x03\x04"):
        raise ValueError("it is a workbook; save it as CSV first")
    if _is_utf16(data):
        return data.decode("utf-16")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252")


def _lines(text: str) -> list[str]:
    """Without Excel's own first line, which says what separates."""
    lines = text.splitlines(keepends=True)
    return lines[1:] if lines and lines[0].lower().startswith("sep=") else lines


def _separator(text: str) -> str:
    """What the row of names is separated by."""
    if said := re.match(r"sep=(.)", text, re.IGNORECASE):
        return said[1]
    first = text.partition("\n")[0]
    return max(",;\t", key=first.count)


def _roster(name: str, rows: list[list[str]]) -> Roster:
    header = [same(cell) for cell in rows[0]] if rows else []
    places = {field: _place(header, names) for field, names in COLUMNS.items()}
    learners: dict[str, Learner] = {}
    for line, row in enumerate(rows[1:], 2):
        cells = {field: row[place].strip() for field, place in places.items() if place is not None and place < len(row)}
        if not any(row) or same(row[0]) in NOBODY:
            continue
        learner = _learner(cells)
        if not learner.learner:
            raise RosterError(f"{name}, line {line}: there is no learner")
        if learner.learner in learners:
            raise RosterError(f"{name}, line {line}: {learner.learner} is there twice")
        learners[learner.learner] = learner
    if not learners:
        raise RosterError(f"{name}: it has no learners")
    _no_file_twice(name, learners.values())
    return Roster(tuple(learners[key] for key in sorted(learners)))


def _no_file_twice(name: str, learners: Iterable[Learner]) -> None:
    files = [stem(each.file) for each in learners if each.file]
    if twice := sorted({each for each in files if files.count(each) > 1}):
        raise RosterError(f"{name}: the file {twice[0]} is there twice")


def _place(header: list[str], names: Iterable[str]) -> int | None:
    return next((header.index(each) for each in names if each in header), None)


def _learner(cells: Mapping[str, str]) -> Learner:
    found = dict(cells)
    first, last = found.pop("first", ""), found.pop("last", "")
    name = found.pop("name", "") or f"{first} {last}".strip()
    if "canvas" in found and ", " in name:  # Canvas sorts by last names
        name = " ".join(reversed(name.split(", ", 1)))
    participant = re.sub(r"\D+", "", found.pop("participant", ""))
    named = ("learner", "login", "number", "email", "canvas")
    learner = next((found[each] for each in named if found.get(each)), participant and f"participant {participant}")
    return Learner(**{**found, "learner": learner, "name": name, "participant": participant})


def by_learner(roster: Roster | None) -> Iterator[Learner]:
    yield from roster.learners if roster else ()
