"""Reports: no cell is a formula, no page runs anything, each miss is said."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest

from labkit.course import CheckResult, Judgement
from labkit.course.exercises import load_exercise
from labkit.grading.grade import Result
from labkit.grading.judging import Graded
from labkit.grading.report import grades_csv, markdown, page, write_report
from labkit.grading.roster import Learner
from labkit.grading.submission import Given

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


def test_a_report_of_two_learners(tmp_path: Path) -> None:
    """All of it, as it stands in the files; written again over what is there."""
    done = Graded(Given("a-tag-moves", 1, "b"), Judgement(True, 1, 1, notes=("`ls` ended with: *",)), "A tag")
    ann, bob = result("ann", 'it has "2" `parts`'), Result(Learner("bob", "Bob"), on_roster=False)
    ann.graded["a-tag-moves"] = done
    for _ in range(2):
        write_report([ann, bob], EXERCISES, tmp_path / "new" / "report")
    assert (tmp_path / "new" / "report" / "grades.csv").read_bytes().decode() == (
        "learner,name,points,of,three-layers,a-tag-moves,notes\n"
        'ann,,1,3,0,1,"it has ""2"" `parts`"\n'
        "bob,Bob,0,3,,,nothing was handed in; not on the roster\n"
    )
    assert (tmp_path / "new" / "report" / "report.md").read_text() == (
        "# Results\n"
        "\n## ann: 1 of 3 points\n\n"
        "- note: it has \"2\" 'parts'\n"
        "- Three layers (three-layers@1): 0 of 2\n"
        "    - ok: it has 3 layers\n"
        "    - missed: the image a is there (&lt;script&gt;alert(1)&lt;/script&gt; \\[x](javascript:y) 'z')\n"
        "    - mistake 'no tag': There is 'latest'.\n"
        "- A tag (a-tag-moves@1): 1 of 1\n"
        "    - 'ls' ended with: \\*\n"
        "\n## bob: 0 of 3 points\n\n"
        "- note: nothing was handed in\n"
        "- note: not on the roster\n"
    )
    body = (tmp_path / "new" / "report" / "report.html").read_text().partition("<h1>Results</h1>\n")[2]
    assert body == (
        "<h2>ann: 1 of 3 points</h2>\n"
        "<p class=note>it has &quot;2&quot; `parts`</p>\n"
        "<details open><summary>Three layers (three-layers@1): 0 of 2</summary><ul><li>ok: it has 3 layers</li>"
        "<li>missed: the image a is there (&lt;script&gt;alert(1)&lt;/script&gt; [x](javascript:y) `z`)</li>"
        "<li>mistake &#x27;no tag&#x27;: There is `latest`.</li></ul></details>\n"
        "<details class=done><summary>A tag (a-tag-moves@1): 1 of 1</summary><ul><li>`ls` ended with: *</li></ul>"
        "</details>\n"
        "<h2>bob: 0 of 3 points</h2>\n"
        "<p class=note>nothing was handed in</p>\n"
        "<p class=note>not on the roster</p>\n"
        "</body></html>\n"
    )
