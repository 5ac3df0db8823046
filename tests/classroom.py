"""A class for the tests of grading: what learners hand in, and what comes of it."""

from __future__ import annotations

import json
from pathlib import Path

from labkit.course.exercises import load_all, load_exercise
from labkit.course.judge import options_of
from labkit.course.record import for_learner
from labkit.grading.grade import Asked, Result, judge_class, results
from labkit.grading.store import Store
from labkit.grading.submission import code_of

MARKED = "which-layer-is-it-from"


def solution(slug: str, learner: str, seed: str = "") -> object:
    return for_learner(load_exercise(slug), learner, seed).solutions[0].answer


def letter(learner: str, seed: str = "") -> str:
    """The right option of the exercise a-tag-moves in this learner's variant."""
    variant = for_learner(load_exercise("a-tag-moves"), learner, seed)
    return "abcd"[options_of(variant).index(str(variant.solutions[0].answer))]


def marks(learner: str) -> object:
    """The right marks of the exercise MARKED in this learner's variant."""
    return solution(MARKED, learner)


def submission(*answers: tuple[str, object], learner: str = "", coded: bool = False) -> str:
    """As older files are, which say nothing of the course and have no code; or with one."""
    known = {each.slug: each.revision for each in load_all()}
    rows = [
        {"exercise": slug, "revision": known.get(slug, 1), "answer": answer, "points": 100, "passed": True}
        for slug, answer in answers
    ]
    document: dict = {"labkit-submission": 1, "learner": learner, "points": 1000, "answers": rows}
    return json.dumps({**document, "code": code_of(document)} if coded else document)


def notebook(*cells: str) -> str:
    return json.dumps({"nbformat": 4, "cells": [{"cell_type": "code", "source": cell} for cell in cells]})


def grade_here(folder: Path, **asked: object) -> list[Result]:
    """All learners; judged in this process, the store thrown away."""
    how = Asked(folder, executor="here", **asked)  # type: ignore[arg-type]
    with Store(Path(":memory:")) as store:
        judge_class(how, store)
        return list(results(how, store))
