"""The real nbgrader makes, validates, grades and collects what labkit writes, and comes to labkit's own points."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from classroom import grade_here, letter, notebook

from labkit.cli import main
from labkit.course.record import for_learner
from labkit.course.session import Attempt
from labkit.grading.grade import exercises_of
from labkit.jupyter.nbgrader import student

pytestmark = [pytest.mark.long, pytest.mark.filterwarnings("ignore")]  # of nbgrader's and SQLAlchemy's own

LESSON = "00-start-here"
SEED = "autumn"
NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


def nbgrader(course: Path, *words: str) -> str:
    """A command of nbgrader's, as a person types it in the course's folder."""
    bin_folder = str(Path(sys.executable).parent)
    env = {
        **os.environ, "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}", "HOME": str(course),
        "PYTHONPATH": str(NOTEBOOKS.parent), "JUPYTER_PLATFORM_DIRS": "1", "IPYTHONDIR": str(course / ".ipython"),
    }  # fmt: skip
    env.pop("LABKIT_HOME", None)
    done = subprocess.run(
        [f"{bin_folder}/nbgrader", *words], cwd=course, env=env, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def answers(learner: str, right: bool) -> dict[str, str]:
    """By slug, as a person types them; wrong: what the first mistake of each is."""
    found = {}
    for exercise in exercises_of(("00",)):
        attempt = Attempt(exercise, learner, SEED)
        wrong = for_learner(exercise, learner, SEED).mistakes[0].example
        text = attempt.solution if right else "\n".join(wrong) if isinstance(wrong, list) else str(wrong)
        found[exercise.slug] = text
    return found


def submit(course: Path, learner: str, given: dict[str, str]) -> None:
    """The released notebook with these answers filled in."""
    document = json.loads((course / "release" / LESSON / f"{LESSON}.ipynb").read_text())
    for cell in document["cells"]:
        slug = cell["metadata"].get("nbgrader", {}).get("grade_id", "").removesuffix("-answer")
        if slug in given:
            cell["source"] = f"%%answer {slug}\n{given[slug]}\n"
    folder = course / "submitted" / learner / LESSON
    folder.mkdir(parents=True)
    (folder / f"{LESSON}.ipynb").write_text(json.dumps(document))
    (folder / "timestamp.txt").write_text("2026-11-30 12:00:00.000000 UTC")


def test_the_same_points(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(NOTEBOOKS.parent)
    assert main(["nbgrader", str(tmp_path), "--lesson", "00", "--seed", SEED]) == 0
    monkeypatch.chdir(tmp_path)
    assert "passes all the tests" in nbgrader(tmp_path, "validate", f"source/{LESSON}/{LESSON}.ipynb")
    nbgrader(tmp_path, "generate_assignment", LESSON)
    released = (tmp_path / "release" / LESSON / f"{LESSON}.ipynb").read_text()
    assert "BEGIN SOLUTION" not in released
    submit(tmp_path, "ann", answers("ann", True))
    submit(tmp_path, "bob", answers("bob", False))
    submit(tmp_path, "eve", answers("ann", True))
    submit(tmp_path, "joe", {})
    nbgrader(tmp_path, "autograde", LESSON)
    nbgrader(tmp_path, "generate_feedback", LESSON)
    nbgrader(tmp_path, "export", "--to", "grades.csv")
    rows = [row.split(",") for row in (tmp_path / "grades.csv").read_text().splitlines()]
    who, score = rows[0].index("student_id"), rows[0].index("score")
    theirs = {row[who]: float(row[score]) for row in rows[1:]}
    ours = {each.learner.learner: each.points for each in grade_here(tmp_path, seed=SEED, lessons=("00",))}
    assert theirs == ours
    assert ours["ann"] == sum(each.points for each in exercises_of(("00",)))
    assert ours["joe"] == 0
    assert ours["bob"] < ours["ann"]
    assert (tmp_path / "feedback" / "ann" / LESSON / f"{LESSON}.html").is_file()


def test_what_nbgrader_collects_is_what_labkit_reads_in_the_exchange(tmp_path: Path) -> None:
    """The folders that students' servers write; one of two hand-ins of each is collected, all are read."""
    exchange, course = tmp_path / "exchange", tmp_path / "course"
    for each in ("inbound", "outbound", "feedback"):
        (exchange / "autumn" / each).mkdir(parents=True)
    course.mkdir()
    config = f"c = get_config()\nc.Exchange.root = {str(exchange)!r}\nc.CourseDirectory.course_id = 'autumn'\n"
    (course / "nbgrader_config.py").write_text(config)
    (course / "source" / LESSON).mkdir(parents=True)
    text = notebook(f"%%answer a-tag-moves\n{letter('ann')}")
    for day in ("29", "30"):
        place = exchange / "autumn" / "inbound" / f"ann+{LESSON}+2026-11-{day} 12:00:00.000000 UTC"
        place.mkdir()
        (place / f"{LESSON}.ipynb").write_text(text)
        (place / "timestamp.txt").write_text(f"2026-11-{day} 12:00:00.000000 UTC")
    nbgrader(course, "collect", LESSON)
    (theirs,), (ours,) = grade_here(course), grade_here(exchange)
    assert (theirs.learner, theirs.points, len(theirs.files)) == (ours.learner, 1, 1)
    assert (ours.points, len(ours.files)) == (1, 2)


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("course/submitted/ann/02", "ann"),
        ("course/autograded/ann/02", "ann"),
        ("course/source/02", "demo"),
        ("home/ann/02", ""),
    ],
)
def test_whose_notebook_runs_in_a_folder(folder: str, name: str) -> None:
    assert student(Path("/srv") / folder) == name
