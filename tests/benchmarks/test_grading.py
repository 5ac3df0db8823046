"""How fast a class is graded, and how fast beside nbgrader: the same class through both, in one run.

A variant each, no two files equal, several routes, a third wrong; stores and caches empty at the start, feedback and
report included. MANY=10 makes the class smaller.
"""

from __future__ import annotations

import json
import os
import random
import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest

from labkit.cli import main
from labkit.course.record import for_learner
from labkit.course.session import Attempt
from labkit.grading.grade import exercises_of

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
LESSON = "02-layered-images"
SEED = "autumn"


def spent(command: list[str], folder: Path) -> tuple[float, float]:
    """Seconds by the clock and of the processor, children's too."""
    env = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT), "HOME": str(folder)}
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - start, processor


def answers(learner: str, chance: random.Random) -> dict[str, str]:
    """By slug, as they are typed."""
    found = {}
    for exercise in exercises_of(("02",)):
        variant = for_learner(exercise, learner, SEED)
        routes = Attempt(exercise, learner, SEED).solutions
        wrong = chance.choice(variant.mistakes).example
        text = "\n".join(map(str, wrong)) if isinstance(wrong, list) else str(wrong)
        if chance.random() > 1 / 3 or isinstance(wrong, dict):
            text = chance.choice(routes)[1]
        found[exercise.slug] = text
    return found


def write_class(folder: Path, many: int) -> None:
    """As `labkit submit` writes them."""
    folder.mkdir()
    chance, revisions = random.Random(1), {each.slug: each.revision for each in exercises_of(("02",))}
    for number in range(many):
        name = f"s{number:04}"
        rows = [
            {"exercise": slug, "revision": revisions[slug], "answer": text}
            for slug, text in answers(name, chance).items()
        ]
        document = {"labkit-submission": 1, "learner": name, "course": SEED, "answers": rows}
        (folder / f"{name}.labkit.json").write_text(json.dumps(document))


def grade(folder: Path, executor: str) -> list[str]:
    """`here`: in one process, whose time of the processor is known; of the workers' it is not."""
    words = ["grade", str(folder), "--out", f"report-{executor}", "--seed", SEED, "--lesson", "02"]
    return [sys.executable, "-m", "labkit", *words, "--executor", executor]


def test_three_hundred_of_one_lesson(tmp_path: Path) -> None:
    """Wanted: less than ten seconds on two processors, twenty of one. Printed, so that the way there can be seen."""
    many = int(os.environ.get("MANY", "300"))
    write_class(tmp_path / "in", many)
    clock, _ = spent(grade(tmp_path / "in", "processes"), tmp_path)
    _, processor = spent(grade(tmp_path / "in", "here"), tmp_path)
    print(f"\n{many} submissions of {LESSON}: {clock:.1f} s, {processor:.1f} s of the processor, report included")


def test_beside_nbgrader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Submissions a second of the processor: nbgrader runs the notebooks and writes feedback, labkit grades the same."""
    many = int(os.environ.get("MANY", "100"))
    course = tmp_path / "course"
    monkeypatch.chdir(ROOT)
    assert main(["nbgrader", str(course), "--lesson", "02", "--seed", SEED]) == 0
    spent([str(BIN / "nbgrader"), "generate_assignment", LESSON], course)
    released = json.loads((course / "release" / LESSON / f"{LESSON}.ipynb").read_text())
    released["cells"] = [each for each in released["cells"] if "nbgrader" in each["metadata"]]  # the exercises alone
    chance = random.Random(1)
    for number in range(many):
        given = answers(f"s{number:04}", chance)
        for cell in released["cells"]:
            slug = cell["metadata"]["nbgrader"]["grade_id"].removesuffix("-answer")
            if slug in given:
                cell["source"] = f"%%answer {slug}\n{given[slug]}\n"
        there = course / "submitted" / f"s{number:04}" / LESSON
        there.mkdir(parents=True)
        (there / f"{LESSON}.ipynb").write_text(json.dumps(released))
    theirs = spent([str(BIN / "nbgrader"), "autograde", LESSON], course)[1]
    theirs += spent([str(BIN / "nbgrader"), "generate_feedback", LESSON], course)[1]
    ours = spent(grade(course / "submitted", "here"), tmp_path)[1]
    print(
        f"\n{many} submissions: nbgrader {theirs:.1f} s, labkit {ours:.1f} s of the processor: {theirs / ours:.1f} times"
    )
    assert ours < theirs
