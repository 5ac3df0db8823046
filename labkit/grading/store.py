"""What was found out, kept in a SQLite file as it is found: a run that was killed goes on where it was.

`submission` and `answer` are by content: the same file of the same learner is judged once, whatever it is called. An
answer says by which definition of its exercise it was judged. `handin` and `doubt` are of the last run alone. `marked`
is what a person gave; no run ever changes it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass
from pathlib import Path
from types import TracebackType

VERSION = 1
TABLES = """
CREATE TABLE IF NOT EXISTS submission(
    key TEXT PRIMARY KEY, learner TEXT, drawn_by TEXT, lesson TEXT, code TEXT, faults TEXT, doubt TEXT
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS answer(
    submission TEXT, place INTEGER, slug TEXT, asked TEXT, exercise TEXT, state TEXT, credit REAL, answer TEXT,
    judgement TEXT, PRIMARY KEY(submission, place)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS handin(
    number INTEGER PRIMARY KEY, name TEXT, learner TEXT, system TEXT, place TEXT, time REAL, late INTEGER,
    submission TEXT, fault TEXT
);
CREATE INDEX IF NOT EXISTS handin_learner ON handin(learner);
CREATE TABLE IF NOT EXISTS marked(
    learner TEXT, slug TEXT, points REAL, comment TEXT, criteria TEXT, PRIMARY KEY(learner, slug)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS asked(said TEXT);
"""


class StoreError(Exception):
    """The file cannot be used; str() is one line that says why."""


@dataclass(frozen=True)
class JudgedAnswer:
    """One answer and what came of it. `state`: judged, refused, stopped (with the reason), or skipped."""

    place: int
    slug: str
    asked: str  # SLUG, or SLUG@REVISION
    exercise: str  # a digest of the definition that it was judged by
    state: str
    credit: float  # the part of the exercise's points that it earns
    answer: str  # as JSON
    judgement: str  # as JSON; the reason where it was refused


@dataclass(frozen=True)
class JudgedFile:
    """All that was found out about one file."""

    key: str
    learner: str = ""
    drawn_by: str = ""
    lesson: str = ""
    code: str = ""
    faults: tuple[str, ...] = ()
    doubt: str = ""  # why it cannot be said whose it is
    answers: tuple[JudgedAnswer, ...] = ()


@dataclass(frozen=True)
class HandIn:
    """One file of this run, and where it lay."""

    number: int
    name: str
    learner: str
    system: str
    place: str
    time: float | None
    late: bool | None
    submission: str
    fault: str = ""


@dataclass(frozen=True)
class Marked:
    """What a person gave for an answer; an empty `criteria` where the exercise has no rubric."""

    learner: str
    slug: str
    points: float
    comment: str
    criteria: tuple[float, ...] = ()


class Store:
    """The file. One process at a time writes it."""

    def __init__(self, path: Path) -> None:
        try:
            self._db = sqlite3.connect(path, timeout=5, isolation_level=None)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            version = int(self._db.execute("PRAGMA user_version").fetchone()[0])
            if version not in (0, VERSION):
                raise StoreError(f"{path} is of another version of labkit ({version}); --out takes another folder")
            self._db.executescript(TABLES)
            self._db.execute(f"PRAGMA user_version={VERSION}")
        except sqlite3.Error as error:
            raise StoreError(f"{path} cannot be used: {error}") from None

    def __enter__(self) -> Store:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._db.close()

    def begin(self, fresh: bool, asked: str) -> None:
        """A new run, and what it was asked for; with `fresh`, nothing that was judged before counts."""
        self._db.execute("BEGIN IMMEDIATE")
        self._db.execute("DELETE FROM handin")
        self._db.execute("DELETE FROM asked")
        self._db.execute("INSERT INTO asked VALUES(?)", (asked,))
        if fresh:
            self._db.execute("DELETE FROM submission")
            self._db.execute("DELETE FROM answer")
        self._db.execute("COMMIT")

    def add_hand_ins(self, hand_ins: Iterable[HandIn]) -> None:
        rows = [astuple(each) for each in hand_ins]
        self._db.execute("BEGIN IMMEDIATE")
        self._db.executemany("INSERT INTO handin VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
        self._db.execute("COMMIT")

    def keep(self, file: JudgedFile) -> None:
        """All of a file's answers at once, or those that were judged anew."""
        faults = json.dumps(file.faults)
        row = (file.key, file.learner, file.drawn_by, file.lesson, file.code, faults, file.doubt)
        answers = [(file.key, *astuple(each)) for each in file.answers]
        self._db.execute("BEGIN IMMEDIATE")
        self._db.execute("INSERT OR REPLACE INTO submission VALUES(?, ?, ?, ?, ?, ?, ?)", row)
        self._db.executemany("INSERT OR REPLACE INTO answer VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)", answers)
        self._db.execute("COMMIT")

    def judged(self, key: str) -> list[tuple[str, str, str]] | None:
        """Of each answer of this file: as which exercise it was asked, by which definition it was judged, its state."""
        if self._db.execute("SELECT 1 FROM submission WHERE key = ?", (key,)).fetchone() is None:
            return None
        query = "SELECT asked, exercise, state FROM answer WHERE submission = ?"
        return [(str(row[0]), str(row[1]), str(row[2])) for row in self._db.execute(query, (key,))]

    def files(self) -> Iterator[tuple[HandIn, JudgedFile | None]]:
        """Each file of this run with what was found out about it, without its answers; learner by learner."""
        query = """SELECT handin.*, submission.* FROM handin LEFT JOIN submission ON submission.key = handin.submission
                   ORDER BY COALESCE(NULLIF(submission.learner, ''), handin.learner), handin.number"""
        for row in self._db.execute(query):
            late = None if row[6] is None else bool(row[6])
            hand_in = HandIn(row[0], row[1], row[2], row[3], row[4], row[5], late, row[7], row[8])
            faults = tuple(json.loads(row[14])) if row[14] else ()
            yield (
                hand_in,
                None if row[9] is None else JudgedFile(row[9], row[10], row[11], row[12], row[13], faults, row[15]),
            )

    def answers(self, key: str) -> list[JudgedAnswer]:
        rows = self._db.execute("SELECT * FROM answer WHERE submission = ? ORDER BY place", (key,))
        return [JudgedAnswer(*row[1:]) for row in rows]

    def asked(self) -> str:
        """What the last run was asked for; "" where there was none."""
        row = self._db.execute("SELECT said FROM asked").fetchone()
        return str(row[0]) if row else ""

    def mark(self, marked: Marked) -> None:
        row = (marked.learner, marked.slug, marked.points, marked.comment, json.dumps(marked.criteria))
        self._db.execute("INSERT OR REPLACE INTO marked VALUES(?, ?, ?, ?, ?)", row)

    def marks(self, learner: str | None = None) -> dict[tuple[str, str], Marked]:
        """By learner and slug."""
        where, values = ("", ()) if learner is None else (" WHERE learner = ?", (learner,))
        rows = self._db.execute(f"SELECT * FROM marked{where}", values)
        return {(row[0], row[1]): Marked(row[0], row[1], row[2], row[3], tuple(json.loads(row[4]))) for row in rows}
