"""What a learner has done: a small versioned JSON file that saves itself; two copies of it merge in either order.

    {"labkit-progress": 1, "learner": {"name": "ann", "seed": "2026", "at": 12},
     "answers": {"ann": {"first-image@1": {"answer": [...], "passed": true, "points": 2, "tries": 3, "at": 99}}}}

An entry merges with its twin field by field: the answer (with passed, points, at) is the one that passed, then the
later one; tries is the larger. What is read from elsewhere is checked as hostile input. A file of a version that this
labkit does not know, or that cannot be read, is put aside under another name and never written over.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from labkit.course import settings
from labkit.course.jsonfile import BadJsonError, read_json

if TYPE_CHECKING:
    from labkit.course.judge import Judgement
    from labkit.course.session import Attempt

VERSION = 1
FORMAT = "labkit-progress"
LARGEST = 8 << 20  # bytes
MOST_ENTRIES = 2000
KEY = re.compile(r"[a-z][a-z0-9-]{0,80}@[1-9][0-9]{0,5}")
ANSWER_FIELDS = ("answer", "passed", "points", "at")


class ProgressError(Exception):
    """What was to be read as progress is none; str() is one line that says why."""


def _canonical(data: object) -> str:
    return json.dumps(data, sort_keys=True, separators=(",", ":"))


# Merging: each rule is a maximum, so the order and the number of times do not matter


def _rank(entry: dict) -> tuple:
    return entry["passed"], entry["at"], entry["points"], _canonical(entry["answer"])


def _merged_entry(one: dict, other: dict) -> dict:
    best = max(one, other, key=_rank)
    return {**{name: best[name] for name in ANSWER_FIELDS}, "tries": max(one["tries"], other["tries"])}


def _merged_learner(one: dict, other: dict) -> dict:
    return max(one, other, key=lambda each: (each["at"], _canonical(each)))


def merged(one: dict, other: dict) -> dict:
    """Two progress documents (checked ones) as one."""
    answers: dict[str, dict] = {}
    for learner in sorted({*one["answers"], *other["answers"]}):
        mine, theirs = one["answers"].get(learner, {}), other["answers"].get(learner, {})
        both = {key: _merged_entry(mine[key], theirs[key]) for key in mine.keys() & theirs.keys()}
        answers[learner] = dict(sorted({**mine, **theirs, **both}.items()))
    return {FORMAT: VERSION, "learner": _merged_learner(one["learner"], other["learner"]), "answers": answers}


def empty() -> dict:
    return {FORMAT: VERSION, "learner": {"name": "", "seed": "", "at": 0}, "answers": {}}


# Reading: nothing is believed


def parse(data: bytes) -> dict:
    """A progress document from bytes of unknown origin. Raises ProgressError."""
    try:
        document = read_json(data, LARGEST)
    except BadJsonError as error:
        raise ProgressError(str(error)) from None
    if not isinstance(document, dict) or FORMAT not in document:
        raise ProgressError("it is not a progress file of labkit")
    if type(document[FORMAT]) is not int or document[FORMAT] != VERSION:
        raise ProgressError(f"it has version {str(document[FORMAT])[:20]}; this labkit reads version {VERSION}")
    return {
        FORMAT: VERSION,
        "learner": _learner(document.get("learner")),
        "answers": _answers(document.get("answers", {})),
    }


def _learner(value: object) -> dict:
    if not isinstance(value, dict) or not all(isinstance(value.get(name), str) for name in ("name", "seed")):
        raise ProgressError("its learner is not a name and a seed")
    return {
        "name": value["name"][:200],
        "seed": value["seed"][:200],
        "at": _whole(value.get("at"), "the learner's time"),
    }


def _whole(value: object, what: str) -> int:
    if type(value) is not int or not 0 <= value < 1 << 53:
        raise ProgressError(f"{what} is not a whole number")
    return value


def _answers(value: object) -> dict:
    if not isinstance(value, dict):
        raise ProgressError("its answers are not a table")
    if sum(len(each) for each in value.values() if isinstance(each, dict)) + len(value) > MOST_ENTRIES:
        raise ProgressError(f"it has more than {MOST_ENTRIES} answers")
    return {
        learner: {key: _entry(key, each) for key, each in _entries(learner, table)} for learner, table in value.items()
    }


def _entries(learner: str, table: object) -> list[tuple[str, object]]:
    if not isinstance(table, dict):
        raise ProgressError(f"the answers of {learner[:40]!r} are not a table")
    return list(table.items())


def _entry(key: str, value: object) -> dict:
    if not KEY.fullmatch(key):
        raise ProgressError(f"{key[:40]!r} is not an exercise with its revision")
    if not isinstance(value, dict) or not isinstance(value.get("answer"), str | list | dict):
        raise ProgressError(f"the entry of {key} has no answer")
    if not isinstance(value.get("passed"), bool):
        raise ProgressError(f"the entry of {key} does not say whether it passed")
    numbers = {name: _whole(value.get(name), f"{name} of {key}") for name in ("points", "at", "tries")}
    return {"answer": value["answer"], "passed": value["passed"], **numbers}


def _of(key: str, slug: str) -> bool:
    return key.partition("@")[0] == slug


# The file


class Progress:
    """The progress in one file."""

    def __init__(self, path: Path, document: dict, clock: Callable[[], float] = time.time) -> None:
        self.path = path
        self.document = document
        self._clock = clock

    @property
    def learner(self) -> str:
        return self.document["learner"]["name"]

    @property
    def seed(self) -> str:
        return self.document["learner"]["seed"]

    def set_learner(self, name: str, seed: str) -> None:
        """Whose variants are drawn from now on."""
        self.document["learner"] = {"name": name, "seed": seed, "at": int(self._clock())}
        self.save()

    def entries(self, learner: str | None = None) -> dict[str, dict]:
        """SLUG@REVISION -> entry, of this learner or of the one whose course this is."""
        return self.document["answers"].get(settings.current().learner if learner is None else learner, {})

    def entry(self, slug: str, learner: str | None = None) -> dict | None:
        """The entry of the newest revision that was answered, with its revision."""
        revisions = {int(key.partition("@")[2]): each for key, each in self.entries(learner).items() if _of(key, slug)}
        newest = max(revisions, default=0)
        return {**revisions[newest], "revision": newest} if newest else None

    def record(self, attempt: Attempt, judgement: Judgement) -> None:
        """Remember the attempt's answer, and save; what could not be read as an answer is not remembered."""
        if judgement.error:
            return
        key = f"{attempt.exercise.slug}@{attempt.exercise.revision}"
        table = self.document["answers"].setdefault(attempt.learner, {})
        tries = table[key]["tries"] + 1 if key in table else 1
        new = {
            "answer": _writable(attempt.answer),
            "passed": judgement.passed,
            "points": judgement.points,
            "at": int(self._clock()),
            "tries": tries,
        }
        table[key] = _merged_entry(table[key], new) if key in table else new
        self.save()

    def export(self) -> str:
        """The small file to take along."""
        return json.dumps(self.document, indent=1, ensure_ascii=False)

    def merge(self, text: str | bytes) -> None:
        """Add what another copy knows, and save. Raises ProgressError."""
        self.document = merged(self.document, parse(text.encode("utf-8", "replace") if isinstance(text, str) else text))
        self.save()

    def save(self) -> None:
        """Write the file whole, with what another session saved meanwhile; nobody ever reads half a file."""
        there = _read(self.path)
        self.document = merged(self.document, there) if there else self.document
        write_whole(self.path, self.export())


def _writable(answer: object) -> object:
    """An answer without half characters, which no file in UTF-8 can hold."""
    return json.loads(json.dumps(answer, ensure_ascii=False).encode("utf-8", "replace"))


def write_whole(path: Path, text: str) -> None:
    """Write to a temporary file beside it, then rename."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _read(path: Path) -> dict | None:
    """What is in the file; None where there is none. One that cannot be read is put aside."""
    try:
        data = path.read_bytes() if path.stat().st_size <= LARGEST else b""
    except OSError:
        return None
    try:
        return parse(data)
    except ProgressError:
        _put_aside(path)
        return None


def _put_aside(path: Path) -> None:
    number = 1
    while (kept := path.with_name(f"{path.stem}.kept-{number}{path.suffix}")).exists():
        number += 1
    path.rename(kept)


def open_progress(path: Path | None = None) -> Progress:
    """The progress where the rules of settings.home() say; reading it changes nothing on disk if it is sound."""
    path = path or settings.home() / "progress.json"
    return Progress(path, _read(path) or empty())
