"""Reports: no cell is a formula, no page runs anything, each miss is said."""

from __future__ import annotations

import csv
import io
import re

import pytest

from labkit.course import CheckResult, Judgement
from labkit.course.exercises import load_exercise
from labkit.grading.grade import Graded, Result, grades_csv, markdown, page
from labkit.grading.submission import Given, Learner

EXERCISES = [load_exercise("three-layers"), load_exercise("a-tag-moves")]
EVIL = "<script>alert(1)</script> [x](javascript:y) `z`"


def result(learner: str, *notes: str) -> Result:
    missed = CheckResult(False, "the image a is there", EVIL)
    judgement = Judgement(False, 0, 2, (CheckResult(True, "it has 3 layers"), missed), "no tag", "There is `latest`.")
    graded = {"three-layers": Graded(Given("three-layers", 1, "x"), judgement, "Three layers")}
    return Result(Learner(learner), ["a.ipynb"], graded, list(notes))


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@x", "\t=x", "\r\n=x", " =x", "＝x", "=cmd|' /C calc'!A0"])
def test_no_cell_is_a_formula(name: str) -> None:
    rows = list(csv.reader(io.StringIO(grades_csv([result(name, name)], EXERCISES))))
    assert rows[0] == ["learner", "name", "points", "of", "three-layers", "a-tag-moves", "notes"]
    assert rows[1][0] == rows[1][-1] == "'" + re.sub(r"[\t\r\n]", " ", name)


def test_grades() -> None:
    empty = Result(Learner("bob", "Bob"))
    rows = list(csv.reader(io.StringIO(grades_csv([result("ann"), empty], EXERCISES))))
    assert rows[1:] == [["ann", "", "0", "3", "0", "", ""], ["bob", "Bob", "0", "3", "", "", "nothing was handed in"]]


def test_page_is_inert() -> None:
    text = page([result(EVIL, EVIL)], EXERCISES)
    assert "<script" not in text
    assert "missed: the image a is there (&lt;script&gt;" in text
    assert "mistake &#x27;no tag&#x27;: There is `latest`." in text


def test_markdown_is_inert() -> None:
    text = "\n".join(markdown([result(EVIL, EVIL)], EXERCISES))
    assert "<script" not in text
    assert "[x](" not in text.replace("\\[", "")
    assert "- Three layers (three-layers@1): 0 of 2" in text
