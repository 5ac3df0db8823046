"""The report: grades.csv, and report.md and report.html that say of each answer what was missed."""

from __future__ import annotations

import csv
import html
import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from labkit.course.progress import write_whole
from labkit.course.record import Exercise
from labkit.grading.grade import Result
from labkit.grading.judging import Graded

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
