"""What is handed out: the notebooks of the lessons that are set, a page that says what counts and how to hand in.

index.html        what to do, for a course's web page or an LMS
release.json      which exercises count and for how many points, for programs
NN-name.ipynb     each lesson's notebook; its first cell says who it is for, its last hands in
learners.csv      with a roster: the line that each learner runs once
lab.zip           all of it for an LMS, or for a JupyterHub's folder
labkit-….whl      with --no-solutions: the course without what gives answers away
"""

from __future__ import annotations

import csv
import io
import json
import shlex
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from labkit import __version__
from labkit.course.exercises import CourseError, CourseFiles
from labkit.course.lessons import LARGEST_NOTEBOOK
from labkit.course.record import Exercise
from labkit.grading.cells import cell
from labkit.grading.report import templates
from labkit.grading.roster import Roster
from labkit.grading.sealed import EPOCH, write_wheel
from labkit.kernel.golang import Json, JsonObject, items, read_json


@dataclass(frozen=True)
class Release:
    """What `labkit release` is asked for."""

    title: str
    exercises: Sequence[Exercise]
    notebooks: Path | None  # the folder of the lessons
    seed: str = ""
    roster: Roster | None = None
    deadline: str = ""
    no_solutions: bool = False
    course: CourseFiles = ()

    @property
    def lessons(self) -> list[str]:
        return list(dict.fromkeys(each.lesson for each in self.exercises))


def write_release(release: Release, folder: Path) -> list[str]:
    """The names of the files. Raises CourseError."""
    folder.mkdir(parents=True, exist_ok=True)
    wheel = write_wheel(folder, release.exercises, release.course).name if release.no_solutions else ""
    texts = {f"{lesson}.ipynb": _notebook(release, lesson) for lesson in release.lessons}
    page = templates().get_template("release.html.jinja")
    texts["index.html"] = page.render(
        release=release, line=learner_line("NAME", release.seed), wheel=wheel, title=release.title,
        of=sum(each.points for each in release.exercises), submit=submit_line(release),
    )  # fmt: skip
    texts["release.json"] = json.dumps(_said(release), indent=1, ensure_ascii=False) + "\n"
    if release.roster:
        texts["learners.csv"] = _learners(release.roster, release.seed)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    handed_out = [name for name in texts if name != "learners.csv"] + ([wheel] if wheel else [])
    with zipfile.ZipFile(folder / "lab.zip", "w") as out:
        for name in handed_out:
            out.writestr(zipfile.ZipInfo(name, EPOCH), (folder / name).read_bytes(), zipfile.ZIP_DEFLATED)
    return [*texts, *([wheel] if wheel else []), "lab.zip"]


def learner_line(name: str, seed: str) -> str:
    return f"%labkit learner {shlex.quote(name)}" + (f" --seed {shlex.quote(seed)}" if seed else "")


def submit_line(release: Release) -> str:
    return f"%labkit submit --lesson {release.lessons[0]}" if len(release.lessons) == 1 else "%labkit submit"


def _said(release: Release) -> JsonObject:
    exercises: list[Json] = [
        {"exercise": each.slug, "revision": each.revision, "lesson": each.lesson, "points": each.points}
        for each in release.exercises
    ]
    lessons: list[Json] = [*release.lessons]
    return {
        "labkit-release": 1, "labkit": __version__, "lessons": lessons, "seed": release.seed,
        "deadline": release.deadline, "points": sum(each.points for each in release.exercises), "exercises": exercises,
    }  # fmt: skip


def _learners(roster: Roster, seed: str) -> str:
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(["learner", "name", "email", "run this once"])
    rows.writerows(
        # a % begins no formula; the name in the line is the learner's, and read by shlex
        [cell(each.learner), cell(each.name), cell(each.email), cell(learner_line(each.learner, seed))]
        for each in roster.learners
    )
    return out.getvalue()


def _notebook(release: Release, lesson: str) -> str:
    """The lesson's notebook with two cells more; for exercises that no notebook has, one with a cell for each."""
    path = release.notebooks / f"{lesson}.ipynb" if release.notebooks else None
    if path and path.is_file():
        found = read_json(path.read_bytes(), LARGEST_NOTEBOOK)
        document: JsonObject = found if isinstance(found, dict) else {}
        cells = items(document, "cells")
    elif any(each.lesson == lesson and each.slug in _own_slugs(release.course) for each in release.exercises):
        document, cells = dict(_EMPTY), _cells_of([each for each in release.exercises if each.lesson == lesson])
    else:
        raise CourseError([f"there is no notebook '{lesson}.ipynb' in a folder notebooks/ here or above"])
    until = f" Hand in until {release.deadline}." if release.deadline else ""
    told = f"**{release.title}**, {lesson}.{until} Put your name in place of NAME and run this once:"
    first = [_cell("labkit-whose", told), _cell("labkit-learner", learner_line("NAME", release.seed), code=True)]
    last = [
        _cell("labkit-how", "Done? Run this, and hand in the file that it writes. It prints a code: your receipt."),
        _cell("labkit-submit", f"%labkit submit --lesson {lesson}", code=True),
    ]
    return json.dumps({**document, "cells": [*first, *cells, *last]}, indent=1, ensure_ascii=False) + "\n"


def _own_slugs(course: CourseFiles) -> str:
    return "\n".join(text for _, text in course)


_EMPTY: JsonObject = {
    "nbformat": 4,
    "nbformat_minor": 5,
    "metadata": {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}},
}


def _cells_of(exercises: Sequence[Exercise]) -> list[Json]:
    cells = [_cell("labkit-load", "%load_ext labkit.jupyter", code=True)]
    return cells + [_cell(f"exercise-{each.slug}"[:64], f'exercise("{each.slug}")', code=True) for each in exercises]


def _cell(name: str, source: str, code: bool = False) -> Json:
    if not code:
        return {"cell_type": "markdown", "id": name, "metadata": {}, "source": source}
    return {"cell_type": "code", "id": name, "metadata": {}, "source": source, "outputs": [], "execution_count": None}
