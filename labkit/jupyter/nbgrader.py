"""What nbgrader's assignments of `labkit nbgrader` run: whose they are, an exercise's task, and an answer's points.

nbgrader gives a locked cell the value of its last expression as partial credit, and nothing where it writes to stderr.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from IPython import get_ipython

from labkit.course.exercises import load_exercise
from labkit.course.progress import DEMO, current
from labkit.course.record import for_learner
from labkit.grading.filework import credit
from labkit.grading.judging import UngradedError, grade_answer
from labkit.grading.submission import CELL, Given

MARKS = ("### BEGIN SOLUTION", "### END SOLUTION")  # of the solutions in a source notebook


def student(folder: Path) -> str:
    """Whose notebook runs in this folder of an nbgrader course; "" where it is none, but the learner's own."""
    if folder.parent.parent.name in ("submitted", "autograded"):
        return folder.parent.name
    return DEMO if "source" in (folder.parent.name, folder.parent.parent.name) else ""


def begin(seed: str) -> None:
    """The first cell: by which seed values are drawn; in nbgrader's folders by whose name too, and no trace is left."""
    os.environ["LABKIT_SEED"] = seed
    if name := student(Path.cwd()):
        os.environ["LABKIT_LEARNER"] = name
        os.environ["LABKIT_HOME"] = tempfile.mkdtemp(prefix="labkit-")
    shell = get_ipython()
    if shell is not None:
        shell.run_line_magic("load_ext", "labkit.jupyter")


def task(slug: str) -> None:
    """The exercise as this learner has it."""
    whose = current()
    exercise = for_learner(load_exercise(slug), whose.learner, whose.seed)
    given = [*exercise.own.options, *(f"{number}: {item}" for number, item in enumerate(exercise.own.items, 1))]
    print("\n".join([exercise.title, "", exercise.task, *(["", *given] if given else [])]))


def points(slug: str) -> float:
    """What the answer earns that was last given in this notebook; said as `labkit grade` says it."""
    answer = given(slug)
    if answer is None or not answer.strip():
        print("There is no answer yet.")
        return 0.0
    whose = current()
    try:
        judgement = grade_answer(Given(slug, None, answer), whose.learner, whose.seed).judgement
    except UngradedError as error:
        print(f"Not graded: {error}")
        return 0.0
    print(judgement.text)
    variant = for_learner(load_exercise(slug), whose.learner, whose.seed)
    return round(judgement.of * credit(variant, judgement), 2)


def given(slug: str) -> str | None:
    """The text of the cell `%%answer SLUG` that ran last; of a submission, the first, as `labkit grade` takes it."""
    shell = get_ipython()
    cells = list(shell.history_manager.input_hist_raw) if shell is not None else []
    found = [cell[2] for cell in map(CELL.fullmatch, cells) if cell and cell[1].partition("@")[0] == slug]
    if not found:
        return None
    answer: str = found[0] if student(Path.cwd()) else found[-1]
    return "\n".join(line for line in answer.splitlines() if line.strip() not in MARKS)
