"""Rosters: who is expected, and one line for a roster that cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from labkit.grading.roster import Learner, RosterError, read_roster, stem


def test_roster(tmp_path: Path) -> None:
    path = tmp_path / "roster.csv"
    path.write_text(
        "\ufefflearner,name,file,variant\nann,Ann A.,,\nbob,Bob,upload-7.labkit.json,demo\n", encoding="utf-8"
    )
    roster = read_roster(path)
    bob = Learner("bob", "Bob", "upload-7.labkit.json", "demo")
    assert roster.learners == (Learner("ann", "Ann A."), bob)
    assert [learner.drawn_by for learner in roster.learners] == ["ann", "demo"]
    assert [roster.called(name) for name in ("upload-7", "BOB", "eve")] == [(bob,), (bob,), ()]


CANVAS = """Student,ID,SIS User ID,SIS Login ID,Section,Lab 1 (4711)
    Points Possible,,,,,10
"Adams, Ann",12345,u1,aadams,A,
"Student, Test",9,,t,A,
"""
PARTICIPANTS = "First name;Last name;ID number;Email address\r\nAnn;Adäms;u1;ann@uni.example\r\n"
WORKSHEET = """Identifier,Full name,Email address,Status,Grade,Maximum Grade,Last modified (submission),Feedback comments
Participant 77,Ann Adams,ann@uni.example,Submitted,,10.00,"Monday, 30 November 2026, 6:05 PM",
"""


@pytest.mark.parametrize(
    ("data", "learner"),
    [
        (CANVAS.encode(), Learner("aadams", "Ann Adams", login="aadams", number="u1", canvas="12345", section="A")),
        (PARTICIPANTS.encode("utf-8-sig"), Learner("u1", "Ann Adäms", number="u1", email="ann@uni.example")),
        (PARTICIPANTS.encode("latin-1"), Learner("u1", "Ann Adäms", number="u1", email="ann@uni.example")),
        (PARTICIPANTS.replace(";", "\t").encode("utf-16"), Learner("u1", "Ann Adäms", number="u1", email="ann@uni.example")),
        (b"sep=;\r\n" + PARTICIPANTS.encode(), Learner("u1", "Ann Adäms", number="u1", email="ann@uni.example")),
        (WORKSHEET.encode(), Learner("ann@uni.example", "Ann Adams", email="ann@uni.example", participant="77", handed_in="Monday, 30 November 2026, 6:05 PM")),
        (b"Learner,Name,Extension\n ann ,Ann,2026-12-01\n,,\n", Learner("ann", "Ann", extension="2026-12-01")),
    ],
)  # fmt: skip
def test_as_others_write_it(tmp_path: Path, data: bytes, learner: Learner) -> None:
    (tmp_path / "roster.csv").write_bytes(data)
    assert read_roster(tmp_path / "roster.csv").learners == (learner,)


def test_two_of_one_name_are_both_called_by_it(tmp_path: Path) -> None:
    (tmp_path / "roster.csv").write_text("learner,name\na1,Ann Adams\na2,Ann Adams\n")
    roster = read_roster(tmp_path / "roster.csv")
    assert [each.learner for each in roster.called("ann  adams")] == ["a1", "a2"]
    assert [each.learner for each in roster.called("adamsann")] == ["a1", "a2"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "roster.csv: it has no learners"),
        ("learner\n", "roster.csv: it has no learners"),
        ("name\nAnn\n", "roster.csv, line 2: there is no learner"),
        ("learner\nann\nann\n", "roster.csv, line 3: ann is there twice"),
        ("learner,file\nann,a\nbob,a.ipynb\n", "roster.csv: the file a is there twice"),
        ("PK\x03\x04", "roster.csv: it cannot be read as CSV: it is a workbook; save it as CSV first"),
    ],
)
def test_unusable(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "roster.csv").write_text(text)
    with pytest.raises(RosterError) as caught:
        read_roster(tmp_path / "roster.csv")
    assert str(caught.value) == message


def test_no_csv(tmp_path: Path) -> None:
    (tmp_path / "roster.csv").write_bytes(b"\xff\xfe\0")  # half a character of UTF-16
    for name in ("roster.csv", "none.csv"):
        with pytest.raises(RosterError, match="it cannot be read as CSV"):
            read_roster(tmp_path / name)


def test_names_of_files() -> None:
    assert [stem(name) for name in ("ann", "ann.ipynb", "a.b.labkit.json", "Zoe\u0308.ipynb")] == [
        "ann",
        "ann",
        "a.b",
        "Zo\u00eb",
    ]
