"""What is handed in: one JSON file that `labkit submit` writes, or a notebook with `%%answer` cells.

    {"labkit-submission": 1, "learner": "ann", "course": "autumn", "lesson": "02-layered-images",
     "answers": [{"exercise": "first-image", "revision": 1, "answer": …}], "code": "3f2a-91bc-77aa-0d1e"}

Both are read as hostile input: limits first, and every fault is one line. `learner` and `course` (its seed; older files
have none) are what the learner says; the grader takes them from the roster or the file's name, and from --seed.

The code is a digest of all the rest. It binds the answers to learner, course and lesson: a file that was renamed is
still seen to be the same, one that was changed or cut off is refused, and whoever hands in can note it as a receipt. It
is no secret: somebody who knows how can make another, so it proves nothing about who did the work.
"""

from __future__ import annotations

import hashlib
import json
import re
import stat
from dataclasses import dataclass
from pathlib import Path

from labkit.course.exercises import load_all
from labkit.course.lessons import LARGEST_NOTEBOOK, lines
from labkit.course.progress import Progress
from labkit.kernel.golang import BadJsonError, Json, JsonObject, at, items, read_json, text

VERSION = 1
FORMAT = "labkit-submission"
SUFFIX = ".labkit.json"
LARGEST = 4 << 20  # bytes of a submission
MOST_ANSWERS = 500
CELL = re.compile(r"\s*%%answer[ \t]+(\S+)[^\n]*\n?(.*)", re.DOTALL)


class SubmissionError(Exception):
    """A file that cannot be graded; str() is one line that says why."""


@dataclass(frozen=True)
class Given:
    """One answer as it was handed in."""

    slug: str
    revision: int | None  # None: a notebook's cell does not say; the newest
    answer: Json

    @property
    def exercise(self) -> str:
        return self.slug if self.revision is None else f"{self.slug}@{self.revision}"


@dataclass(frozen=True)
class Submission:
    claimed: str  # the learner that it names
    answers: tuple[Given, ...]
    course: str | None = None  # the seed that its exercises were drawn by, where it says so
    lesson: str = ""  # the lesson that it is for, where it is for one
    code: str = ""


def write_submission(progress: Progress, learner: str, seed: str = "", lesson: str = "") -> str:
    """What this learner's progress has, as a submission; of one lesson, what answers its exercises."""
    asked = load_all()
    wanted = {each.slug for each in asked if each.lesson == lesson} if lesson else None
    left_out = {each.slug for each in asked if each.self_test}
    entries = ((key.partition("@"), entry) for key, entry in sorted(progress.entries(learner).items()))
    answers: list[Json] = [
        {"exercise": key[0], "revision": int(key[2]), "answer": entry["answer"]}
        for key, entry in entries
        if key[0] not in left_out and (wanted is None or key[0] in wanted)
    ]
    document: JsonObject = {FORMAT: VERSION, "learner": learner, "course": seed, "lesson": lesson, "answers": answers}
    return json.dumps({**document, "code": code_of(document)}, indent=1, ensure_ascii=False) + "\n"


def code_of(document: JsonObject) -> str:
    """Sixteen hexadecimal digits of the SHA-256 of what the file says, its own code apart."""
    said = {key: value for key, value in document.items() if key != "code"}
    digest = hashlib.sha256(json.dumps(said, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
    return "-".join(digest[start : start + 4] for start in range(0, 16, 4))


def is_submission(path: Path) -> bool:
    return path.name.endswith((SUFFIX, ".ipynb", ".zip"))


def read_submission(path: Path) -> Submission:
    """The answers in a file. Raises SubmissionError."""
    return parse_submission(path.name, bytes_of(path))


def largest(name: str) -> int:
    """How many bytes of a file of this name are read."""
    return LARGEST_NOTEBOOK if name.endswith(".ipynb") else LARGEST


def parse_submission(name: str, data: bytes) -> Submission:
    """The answers in a file of this name. Raises SubmissionError."""
    notebook = name.endswith(".ipynb")
    try:
        document = read_json(data, LARGEST_NOTEBOOK)
    except BadJsonError as error:
        raise SubmissionError(str(error)) from None
    submission = _from_notebook(document) if notebook else _from_document(document)
    if len(submission.answers) > MOST_ANSWERS:
        raise SubmissionError(f"it has more than {MOST_ANSWERS} answers")
    return submission


def bytes_of(path: Path) -> bytes:
    """A file that may be anything. Raises SubmissionError."""
    most = largest(path.name)
    try:
        found = path.lstat()
        if not stat.S_ISREG(found.st_mode):
            raise SubmissionError("it is not a regular file")
        if found.st_size > most:
            raise SubmissionError(f"it has {found.st_size / 1e6:.0f} MB; {most >> 20} MiB is the most that is read")
        return path.read_bytes()
    except OSError as error:
        raise SubmissionError(f"it cannot be read: {error.strerror}") from None


def _from_document(document: Json) -> Submission:
    if not isinstance(document, dict) or FORMAT not in document:
        raise SubmissionError("it is not a submission of labkit")
    if type(document[FORMAT]) is not int or document[FORMAT] != VERSION:
        raise SubmissionError(f"it has version {str(document[FORMAT])[:20]}; this labkit reads version {VERSION}")
    if not isinstance(document.get("answers"), list):
        raise SubmissionError("its answers are not a list")
    code = text(document, "code")
    if code and code != code_of(document):
        raise SubmissionError("its code does not fit what it says: it is not as `labkit submit` wrote it")
    given = tuple(_given(each) for each in items(document, "answers"))
    who, lesson = text(document, "learner")[:200], text(document, "lesson")[:200]
    return Submission(who, given, _said(document.get("course")), lesson, code)


def _said(value: Json) -> str | None:
    return value[:200] if isinstance(value, str) else None


def _given(value: Json) -> Given:
    slug, revision, answer = at(value, "exercise"), at(value, "revision"), at(value, "answer")
    if not isinstance(slug, str):
        raise SubmissionError("one of its answers does not name an exercise")
    if not isinstance(answer, str | list | dict):
        raise SubmissionError(f"its answer to {slug[:80]!r} is neither text nor JSON")
    if type(revision) is not int or not 1 <= revision < 10**6:
        raise SubmissionError(f"its answer to {slug[:80]!r} does not say which revision it answers")
    return Given(slug, revision, answer)


def _from_notebook(document: Json) -> Submission:
    if not isinstance(at(document, "cells"), list):
        raise SubmissionError("it is not a notebook of format 4")
    sources = (lines(cell, "source") for cell in items(document, "cells") if text(cell, "cell_type") == "code")
    found = (CELL.fullmatch(source) for source in sources)
    return Submission("", tuple(_cell_answer(cell[1], cell[2]) for cell in found if cell))


def _cell_answer(name: str, answer: str) -> Given:
    """`%%answer SLUG`, or SLUG@REVISION."""
    slug, _, revision = name.partition("@")
    return Given(slug, int(revision) if re.fullmatch(r"[1-9]\d{0,5}", revision) else None, answer)
