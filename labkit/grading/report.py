"""The report: grades.csv, a page for the class, a page for each student to send out, and the files an LMS imports.

Pages are made by Jinja2 with everything escaped; what a learner wrote stays text, and no script but ours runs.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import re
import statistics
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain
from pathlib import Path

import jinja2
from markupsafe import Markup

from labkit.course.progress import write_whole
from labkit.course.record import Exercise, misconceptions
from labkit.grading.cells import cell, line, points
from labkit.grading.counting import Counted, Result
from labkit.grading.exports import LmsFiles

SORT = """
const table = document.getElementById("all");
const heads = [...table.tHead.rows[0].cells].filter((each) => each.querySelector("button"));
const value = (row, at) => row.cells[at].textContent.trim();
for (const [at, head] of heads.entries()) head.querySelector("button").addEventListener("click", () => {
  const up = head.getAttribute("aria-sort") !== "ascending";
  for (const each of heads) each.setAttribute("aria-sort", "none");
  head.setAttribute("aria-sort", up ? "ascending" : "descending");
  const rows = [...table.tBodies[0].rows];
  const numbers = head.classList.contains("n");
  const order = (a, b) => numbers ? value(a, at) - value(b, at) : value(a, at).localeCompare(value(b, at));
  rows.sort((a, b) => up ? order(a, b) : order(b, a));
  table.tBodies[0].append(...rows);
});
"""
COLUMNS = [("Learner", False), ("Name", False), ("Points", True), ("Solved", True), ("Answered", True), ("Files", True)]
BINS = 10


@lru_cache(maxsize=1)
def templates() -> jinja2.Environment:
    found = jinja2.Environment(
        loader=jinja2.PackageLoader("labkit.grading"), autoescape=True, undefined=jinja2.StrictUndefined
    )
    found.filters["points"] = points
    script = base64.b64encode(hashlib.sha256(SORT.encode()).digest()).decode()
    found.globals.update(script_source=f"'sha256-{script}'", script=Markup(SORT))
    return found


@dataclass
class Row:
    """A learner in the class' table."""

    learner: str
    name: str
    points: float
    solved: int
    answered: int
    files: int
    notes: str
    page: str


@dataclass
class HardExercise:
    """How an exercise went."""

    title: str
    answered: int = 0
    solved: int = 0
    misses: Counter[int] = field(default_factory=Counter)  # by the check's number: each learner has other words in it
    texts: dict[int, str] = field(default_factory=dict)

    @property
    def missed(self) -> str:
        """As one learner has it."""
        return self.texts[self.misses.most_common(1)[0][0]] if self.misses else ""

    @property
    def times(self) -> int:
        return self.misses.most_common(1)[0][1] if self.misses else 0


class ClassFigures:
    """What the class' page says, put together learner by learner; of no learner more than a row is kept."""

    def __init__(self, exercises: Sequence[Exercise]) -> None:
        self.of = sum(each.points for each in exercises)
        self.rows: list[Row] = []
        self.unknown: list[str] = []
        self.stopped: list[str] = []
        self.flagged: list[str] = []
        self.hard = {each.slug: HardExercise(each.title) for each in exercises}
        self.beliefs: Counter[tuple[str, str]] = Counter()

    def add(self, result: Result, page: str) -> None:
        if not result.learner.learner:
            self.unknown += [line(each) for each in result.faults]
            return
        name = result.learner.learner
        self.stopped += [f"{line(name)}: {line(each)}" for each in result.faults if "not graded" in each]
        solved = sum(each.judgement.passed for each in result.counted.values())
        said = line("; ".join(notes(result)))
        counts = (result.points, solved, len(result.counted), len(result.files))
        self.rows.append(Row(line(name), line(result.learner.name), *counts, said[:500], page))
        for counted in result.counted.values():
            self._add(counted)
        self.beliefs.update({belief for each in result.counted.values() if (belief := belief_of(each))})

    def _add(self, counted: Counted) -> None:
        hard = self.hard[counted.exercise.slug]
        hard.answered += 1
        hard.solved += counted.judgement.passed
        for number, each in enumerate(counted.judgement.results):
            if not each.ok:
                hard.misses[number] += 1
                hard.texts.setdefault(number, line(each.text)[:200])

    def page(self, title: str) -> str:
        got = [each.points for each in self.rows if each.files]
        share = [min(BINS - 1, int(BINS * each / self.of)) for each in got] if self.of else []
        most = max((share.count(number) for number in range(BINS)), default=1) or 1
        bins = [
            {
                "name": f"{10 * number}-{10 * number + 10} %",
                "count": share.count(number),
                "height": round(120 * share.count(number) / most),
            }
            for number in range(BINS)
        ]
        hardest = sorted(self.hard.values(), key=lambda each: each.solved / each.answered if each.answered else 2)
        beliefs = [
            {"belief": belief, "fact": fact, "learners": count}
            for (belief, fact), count in self.beliefs.most_common(20)
        ]
        return templates().get_template("class.html.jinja").render(
            title=title, rows=self.rows, of=self.of, handed_in=len(got), bins=bins, columns=COLUMNS,
            median=statistics.median(got) if got else 0, mean=statistics.fmean(got) if got else 0,
            absent=[each.name or each.learner for each in self.rows if not each.files],
            unknown=self.unknown, stopped=self.stopped, flagged=self.flagged, hardest=hardest, beliefs=beliefs,
        )  # fmt: skip


def belief_of(counted: Counted) -> tuple[str, str] | None:
    """The belief that an answer's mistake comes from, and what is so; else the mistake by its name."""
    named = counted.judgement.mistake
    if named is None:
        return None
    number = next((each.misconception for each in counted.exercise.mistakes if each.name == named), 0)
    if number:
        belief = misconceptions()[number]
        return belief.belief, belief.fact
    return f"{counted.exercise.title}: {named}", ""


def notes(result: Result) -> list[str]:
    """One line for each thing that an instructor should know about this learner's files."""
    absent = [] if result.files or not result.learner.learner else ["nothing was handed in"]
    guest = [] if result.on_roster or not result.learner.learner else ["not on the roster"]
    late = [f"{each.exercise.slug}: {said}" for each in result.counted.values() for said in each.said]
    waits = [f"{each.exercise.slug}: to be marked by hand" for each in result.counted.values() if each.waits]
    return [*absent, *guest, *result.faults, *_once(late), *waits]


def _once(lines: list[str]) -> list[str]:
    """What is said of all exercises alike is said once."""
    said = Counter(each.partition(": ")[2] for each in lines)
    alike = [text for text, times in said.items() if times > 2]
    return [*alike, *(each for each in lines if each.partition(": ")[2] not in alike)]


def write_report(results: Iterator[Result], exercises: Sequence[Exercise], folder: Path, title: str) -> list[str]:
    """All files; the notes for the terminal come back."""
    (folder / "students").mkdir(parents=True, exist_ok=True)
    figures, said = ClassFigures(exercises), []
    of = sum(each.points for each in exercises)
    first = next(results, None)
    student = templates().get_template("student.html.jinja")
    with ExitStack() as stack:
        grades = _Grades(stack, folder / "grades.csv", exercises)
        lms = LmsFiles(stack, folder, title, of)
        for result in chain([first] if first else [], results):
            page = f"students/{page_name(result.learner.learner)}.html" if result.learner.learner else ""
            if page:
                text = student.render(title=title, result=result, exercises=exercises, of=of)
                write_whole(folder / page, text)
                lms.add(result)
            grades.add(result)
            figures.add(result, page)
            said += [f"{line(result.learner.learner)}: {line(each)}".removeprefix(": ") for each in notes(result)]
    write_whole(folder / "report.html", figures.page(title))
    return said


def page_name(learner: str) -> str:
    """A file name of one learner's own, on every system."""
    plain = re.sub(r"[^a-z0-9@.-]", "_", learner)[:60].strip(".")
    return (
        plain if plain == learner else f"{plain}-{hashlib.sha256(learner.encode('utf-8', 'replace')).hexdigest()[:8]}"
    )


class _Grades:
    """A row a learner: points for each exercise (empty: no answer), their sum, and what was wrong with the files."""

    def __init__(self, stack: ExitStack, path: Path, exercises: Sequence[Exercise]) -> None:
        self.exercises = exercises
        self.of = sum(each.points for each in exercises)
        self.rows = csv.writer(stack.enter_context(path.open("w", encoding="utf-8", newline="")), lineterminator="\n")
        self.rows.writerow(["learner", "name", "points", "of", *(each.slug for each in exercises), "notes"])

    def add(self, result: Result) -> None:
        mine = result.counted
        cells = [points(mine[each.slug].points) if each.slug in mine else "" for each in self.exercises]
        who, said = [cell(result.learner.learner), cell(result.learner.name)], cell("; ".join(notes(result)))
        got = points(result.points) if result.learner.learner else ""
        self.rows.writerow([*who, got, points(self.of), *cells, said])
