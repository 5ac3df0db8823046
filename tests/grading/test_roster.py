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
    assert roster == {
        "ann": Learner("ann", "Ann A."),
        "upload-7": Learner("bob", "Bob", "upload-7.labkit.json", "demo"),
    }
    assert [learner.drawn_by for learner in roster.values()] == ["ann", "demo"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "roster.csv: it has no learners"),
        ("learner\n", "roster.csv: it has no learners"),
        ("name\nAnn\n", "roster.csv, line 2: there is no learner"),
        ("learner\nann\nann\n", "roster.csv, line 3: ann is there twice"),
    ],
)
def test_unusable(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "roster.csv").write_text(text)
    with pytest.raises(RosterError) as caught:
        read_roster(tmp_path / "roster.csv")
    assert str(caught.value) == message


def test_no_csv(tmp_path: Path) -> None:
    (tmp_path / "roster.csv").write_bytes(b"\xff\xfe\0")
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
