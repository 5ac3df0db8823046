"""Grading: each answer on a fresh machine, as the variant that the roster says, at the revision it was given to.

What comes of it: grades.csv, and report.md and report.html that say of each answer what was missed.
"""

from __future__ import annotations

import csv
import html
import io
import re
import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from labkit.course.exercises import CourseError, load_all, load_exercise
from labkit.course.judge import Judgement, judge
from labkit.course.progress import write_whole
from labkit.course.record import Exercise, for_learner
from labkit.grading.submission import Given, Learner, SubmissionError, is_submission, read_submission, stem


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
    for at, given in enumerate(submission.answers):
        try:
            if given.exercise in {each.exercise for each in submission.answers[:at]}:  # it is judged once
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
