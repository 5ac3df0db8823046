"""Grading: who takes the course, what each hands in, each answer judged on a fresh machine, and the report of it.

A submission is one JSON file that `labkit submit` writes, or a notebook with `%%answer` cells:

    {"labkit-submission": 1, "learner": "ann", "course": "autumn",
     "answers": [{"exercise": "first-image", "revision": 1, "answer": …}]}

Both are read as hostile input: limits first, and every fault is one line. `learner` and `course` (its seed; older files
have none) are what the learner says; the grader takes them from the roster or the file's name, and from --seed.

The roster is a CSV file with a column `learner`, and perhaps `name`, `file` and `variant`. `learner` is the name that
draws the variant and that the file is called by (ann.labkit.json, ann.ipynb, or any file in a folder ann/). `file` is
another name to find it by; `variant` another name to draw by (demo: everybody has the same).

The report is grades.csv, and report.md and report.html that say of each answer what was missed.
"""

from __future__ import annotations

import csv
import html
import io
import json
import re
import signal
import stat
import threading
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from labkit.course.exercises import CourseError, load_all, load_exercise
from labkit.course.judge import Judgement, judge
from labkit.course.lessons import LARGEST_NOTEBOOK, lines
from labkit.course.progress import Progress, write_whole
from labkit.course.record import Exercise, for_learner
from labkit.kernel.golang import BadJsonError, Json, at, items, read_json, text

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


def write_submission(progress: Progress, learner: str, seed: str = "") -> str:
    """What this learner's progress has, as a submission."""
    entries = ((key.partition("@"), entry) for key, entry in sorted(progress.entries(learner).items()))
    answers = [{"exercise": key[0], "revision": int(key[2]), "answer": entry["answer"]} for key, entry in entries]
    document = {FORMAT: VERSION, "learner": learner, "course": seed, "answers": answers}
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def is_submission(path: Path) -> bool:
    return path.name.endswith((SUFFIX, ".ipynb", ".zip"))


def read_submission(path: Path) -> Submission:
    """The answers in a file. Raises SubmissionError."""
    notebook = path.suffix == ".ipynb"
    try:
        document = read_json(_bytes(path, LARGEST_NOTEBOOK if notebook else LARGEST), LARGEST_NOTEBOOK)
    except BadJsonError as error:
        raise SubmissionError(str(error)) from None
    submission = _from_notebook(document) if notebook else _from_document(document)
    if len(submission.answers) > MOST_ANSWERS:
        raise SubmissionError(f"it has more than {MOST_ANSWERS} answers")
    return submission


def _bytes(path: Path, largest: int) -> bytes:
    try:
        found = path.lstat()
        if not stat.S_ISREG(found.st_mode):
            raise SubmissionError("it is not a regular file")
        if found.st_size > largest:
            raise SubmissionError(f"it has {found.st_size / 1e6:.0f} MB; {largest >> 20} MiB is the most that is read")
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
    given = tuple(_given(each) for each in items(document, "answers"))
    return Submission(text(document, "learner")[:200], given, _said(document.get("course")))


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


class OvertimeError(BaseException):
    """The time is up. Not an Exception, so that nothing on the way takes it for a fault of its own."""


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Raise OvertimeError in here when it takes longer; without effect where there is no alarm (on Windows).

    A last resort: the machine counts steps, so that what it stops does not depend on the computer; but one step may be
    made long, by a path of thousands of folders.
    """
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGALRM, _ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _ring(number: int, frame: object) -> None:
    raise OvertimeError


LONGEST = 10  # seconds for one answer; usual ones take hundredths
_load = lru_cache(maxsize=1024)(load_exercise)  # hundreds of learners answer the same few


class UngradedError(Exception):
    """An answer that could not be judged at all; str() is one line that says why."""


@dataclass(frozen=True)
class Graded:
    """One answer with what came of it."""

    given: Given
    judgement: Judgement
    title: str


@dataclass
class Result:
    """All that came from one learner."""

    learner: Learner
    files: list[str] = field(default_factory=list)
    graded: dict[str, Graded] = field(default_factory=dict)  # by slug: the best answer to each exercise
    faults: list[str] = field(default_factory=list)  # one line each
    on_roster: bool = True

    @property
    def points(self) -> int:
        return sum(each.judgement.points for each in self.graded.values())


def grade_folder(
    folder: Path, seed: str = "", roster: Mapping[str, Learner] | None = None, variant: str = ""
) -> tuple[list[Result], list[Exercise]]:
    """Grade all submissions in a folder; learners of the roster who sent none have a result without files."""
    results = {key: Result(learner) for key, learner in (roster or {}).items()}
    for path, key in submissions_in(folder):
        if key not in results:
            results[key] = Result(Learner(key, variant=variant), on_roster=roster is None)
        grade_file(results[key], path, str(path.relative_to(folder)), seed)
    return [results[key] for key in sorted(results)], load_all()


def submissions_in(folder: Path) -> Iterator[tuple[Path, str]]:
    """Files to grade with the name of their learner: ann.labkit.json, ann.ipynb, or anything in the folder ann/."""
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        hidden = any(part.startswith(".") for part in inside.parts)
        if is_submission(path) and not hidden:
            yield path, stem(path.name) if len(inside.parts) == 1 else stem(inside.parts[0])


def grade_file(result: Result, path: Path, name: str, seed: str) -> None:
    """Add what one file has; a fault of the file is one line of the result."""
    result.files.append(name)
    try:
        submission = read_submission(path)
    except SubmissionError as error:
        result.faults.append(f"{name}: {error}")
        return
    if not submission.answers:
        result.faults.append(f"{name}: it has no answers")
    if submission.claimed not in ("", result.learner.learner, result.learner.drawn_by):
        result.faults.append(
            f"{name}: it says that it is from {submission.claimed!r}; graded as {result.learner.drawn_by!r}"
        )
    if submission.course not in (None, seed):
        result.faults.append(f"{name}: it says that its course's seed is {submission.course!r}; graded with {seed!r}")
    for place, given in enumerate(submission.answers):
        try:
            if given.exercise in {each.exercise for each in submission.answers[:place]}:  # it is judged once
                raise UngradedError(f"a second answer to '{_short(given.exercise)}' is not graded")
            _keep_best(result.graded, grade_answer(given, result.learner.drawn_by, seed))
        except UngradedError as error:
            result.faults.append(f"{name}: {error}")


def _keep_best(kept: dict[str, Graded], graded: Graded) -> None:
    """Of several answers to one exercise (revisions, files) the best counts; among equals the first."""
    before = kept.get(graded.given.slug, graded)
    kept[graded.given.slug] = max(before, graded, key=lambda each: each.judgement.points)


def grade_answer(given: Given, learner: str, seed: str) -> Graded:
    """Raises UngradedError."""
    try:
        exercise = _load(given.exercise)
        with deadline(LONGEST):
            return Graded(given, judge(for_learner(exercise, learner, seed), given.answer), exercise.title)
    except CourseError:
        fault = f"there is no exercise '{_short(given.exercise)}'"
    except OvertimeError:
        fault = f"'{given.exercise}' was stopped: it takes longer than {LONGEST} seconds"
    except Exception as error:  # a fault of labkit's own must not keep everyone else from being graded
        fault = f"'{given.exercise}' could not be judged: {type(error).__name__}: {_short(str(error))}"
    raise UngradedError(fault)


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 80 else text[:80] + "…"


FORMULA = tuple("=+-@＝＋－＠")  # a spreadsheet takes a cell that begins with one as a formula
CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def write_report(results: Sequence[Result], exercises: Sequence[Exercise], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / "grades.csv", grades_csv(results, exercises))
    write_whole(folder / "report.md", "\n".join(markdown(results, exercises)) + "\n")
    write_whole(folder / "report.html", page(results, exercises))


def grades_csv(results: Sequence[Result], exercises: Sequence[Exercise]) -> str:
    """A row a learner: points for each exercise (empty: no answer), their sum, and what was wrong with the files."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["learner", "name", "points", "of", *(each.slug for each in exercises), "notes"])
    of = sum(each.points for each in exercises)
    for result in results:
        points = {slug: graded.judgement.points for slug, graded in result.graded.items()}
        cells = [points.get(each.slug, "") for each in exercises]
        who = [_cell(result.learner.learner), _cell(result.learner.name)]
        writer.writerow([*who, result.points, of, *cells, _cell("; ".join(notes(result)))])
    return out.getvalue()


def _cell(text: str) -> str:
    """A text that no spreadsheet runs."""
    text = CONTROL.sub(" ", text)
    return f"'{text}" if text.lstrip().startswith(FORMULA) else text


def notes(result: Result) -> list[str]:
    """One line for each thing that an instructor should know about this learner's files."""
    absent = [] if result.files else ["nothing was handed in"]
    return absent + ([] if result.on_roster else ["not on the roster"]) + result.faults


def _in_order(result: Result, exercises: Sequence[Exercise]) -> list[Graded]:
    """What was answered, in the order of the course."""
    return [result.graded[each.slug] for each in exercises if each.slug in result.graded]


def lines_of(graded: Graded) -> Iterator[str]:
    """What was checked and what was so instead, the mistake, and commands that failed."""
    judgement = graded.judgement
    if judgement.error:
        yield f"not an answer: {judgement.error}"
    for each in judgement.results:
        yield f"{'ok' if each.ok else 'missed'}: {each.text}" + (f" ({each.difference})" if each.difference else "")
    if judgement.mistake:
        yield f"mistake '{judgement.mistake}': {judgement.reply}"
    yield from judgement.notes


def markdown(results: Sequence[Result], exercises: Sequence[Exercise]) -> Iterator[str]:
    of = sum(each.points for each in exercises)
    yield "# Results"
    for result in results:
        yield f"\n## {_plain(result.learner.learner)}: {result.points} of {of} points\n"
        yield from (f"- note: {_plain(note)}" for note in notes(result))
        for graded in _in_order(result, exercises):
            yield f"- {_plain(_heading(graded))}"
            yield from (f"    - {_plain(line)}" for line in lines_of(graded))


def _heading(graded: Graded) -> str:
    return f"{graded.title} ({graded.given.exercise}): {graded.judgement.points} of {graded.judgement.of}"


def _plain(text: str) -> str:
    """One line in which Markdown finds no markup of a learner's."""
    return html.escape(" ".join(text.split()), quote=False).replace("[", "\\[").replace("`", "'").replace("*", "\\*")


def page(results: Sequence[Result], exercises: Sequence[Exercise]) -> str:
    """The same as a page of HTML; nothing in it runs."""
    of = sum(each.points for each in exercises)
    body = []
    for result in results:
        body.append(f"<h2>{html.escape(result.learner.learner)}: {result.points} of {of} points</h2>")
        body += [f"<p class=note>{html.escape(note)}</p>" for note in notes(result)]
        body += [_section(graded) for graded in _in_order(result, exercises)]
    return PAGE.replace("BODY", "\n".join(body))


def _section(graded: Graded) -> str:
    items = "".join(f"<li>{html.escape(line)}</li>" for line in lines_of(graded))
    done = " class=done" if graded.judgement.passed else " open"
    return f"<details{done}><summary>{html.escape(_heading(graded))}</summary><ul>{items}</ul></details>"


PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Results</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
h2 { margin-top: 2rem; border-top: 1px solid #ccc; padding-top: 1rem; }
.note { color: #8a4b00; } .done summary { color: #1a6b2f; } li { white-space: pre-wrap; }
</style></head><body><h1>Results</h1>
BODY
</body></html>
"""
