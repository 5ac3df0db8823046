"""`labkit nbgrader`: lessons as nbgrader's source assignments, one for each lesson.

Each exercise becomes three cells: its task; the answer (`%%answer SLUG`, the solution between nbgrader's marks, so that
`nbgrader generate_assignment` takes it out); and a locked cell whose value is the answer's points, as labkit counts
them. What is submitted can be graded by nbgrader and by `labkit grade COURSE_DIR` alike.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from labkit.course.exercises import CourseError
from labkit.course.lessons import LARGEST_NOTEBOOK, lines
from labkit.course.progress import DEMO
from labkit.course.record import Exercise
from labkit.course.session import Attempt
from labkit.kernel.golang import Json, JsonObject, items, read_json

CONFIG = """# Written by labkit: an answer is no Python, so that nothing stands in the place of a solution.
c = get_config()
c.ClearSolutions.code_stub = {"python": ""}
"""


def write_assignments(folder: Path, notebooks: Path | None, exercises: Sequence[Exercise], seed: str) -> list[str]:
    """The names of the assignments. A configuration that is there is left alone. Raises CourseError."""
    lessons = list(dict.fromkeys(each.lesson for each in exercises))
    for lesson in lessons:
        path = notebooks / f"{lesson}.ipynb" if notebooks else None
        if path is None or not path.is_file():
            raise CourseError([f"there is no notebook '{lesson}.ipynb' in a folder notebooks/ here or above"])
        there = folder / "source" / lesson
        there.mkdir(parents=True, exist_ok=True)
        mine = {each.slug: each for each in exercises if each.lesson == lesson}
        text = assignment(read_json(path.read_bytes(), LARGEST_NOTEBOOK), mine, seed)
        (there / f"{lesson}.ipynb").write_text(text, encoding="utf-8")
    if not (config := folder / "nbgrader_config.py").exists():
        config.write_text(CONFIG, encoding="utf-8")
    return lessons


def assignment(notebook: Json, exercises: dict[str, Exercise], seed: str) -> str:
    """The lesson with nbgrader's cells in place of its exercises."""
    begin = f"from labkit.jupyter import nbgrader\n\nnbgrader.begin({json.dumps(seed)})"
    cells: list[Json] = [_cell("labkit-begin", begin, locked=True)]
    for cell in items(notebook, "cells"):
        slug = _asked(lines(cell, "source"))
        cells += _cells(exercises[slug], seed) if slug in exercises else [cell]
    document: JsonObject = dict(notebook) if isinstance(notebook, dict) else {}
    return json.dumps({**document, "cells": cells}, indent=1, ensure_ascii=False) + "\n"


def _asked(source: str) -> str:
    """The exercise that a cell is for."""
    return source.strip().removeprefix('exercise("').removesuffix('")')


def _cells(exercise: Exercise, seed: str) -> Iterator[Json]:
    solution = Attempt(exercise, DEMO, seed).solution
    answer = f"%%answer {exercise.slug}\n### BEGIN SOLUTION\n{solution}\n### END SOLUTION\n"
    slug = json.dumps(exercise.slug)
    yield _cell(f"{exercise.slug}-task", f"nbgrader.task({slug})", locked=True)
    yield _cell(f"{exercise.slug}-answer", answer, solution=True)
    yield _cell(f"{exercise.slug}-points", f"nbgrader.points({slug})", locked=True, points=exercise.points)


def _cell(name: str, source: str, *, locked: bool = False, solution: bool = False, points: int = 0) -> Json:
    """By nbgrader's schema 3 (docs: "The nbgrader metadata")."""
    metadata: JsonObject = {
        "schema_version": 3, "grade_id": name, "locked": locked, "solution": solution, "grade": bool(points),
        "task": False,
    }  # fmt: skip
    if points:
        metadata["points"] = points
    return {
        "cell_type": "code", "id": name[:64], "metadata": {"nbgrader": metadata}, "source": source, "outputs": [],
        "execution_count": None,
    }  # fmt: skip
