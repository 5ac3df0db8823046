"""What an LMS gives out is taken as it is; nobody's file passes for another's, and no zip does harm."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

import pytest
from classroom import grade_here, letter, notebook, submission

from labkit.grading import collect as module
from labkit.grading.collect import Place, collect, place_of
from labkit.grading.roster import Learner, Roster
from labkit.grading.submission import SubmissionError

NOON = 1_796_040_000.0  # 2026-11-30 12:00 UTC


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("Ann Adams_12345_assignsubmission_file/lab/02.ipynb", Place("Moodle", "Ann Adams", "12345")),
        ("Ann Adams_12345_assignsubmission_file_/ann.labkit.json", Place("Moodle", "Ann Adams", "12345")),
        ("Ann Adams_12345_assignsubmission_file_ann.labkit.json", Place("Moodle", "Ann Adams", "12345")),
        ("docker-Lab 2-99.zip/Ann Adams_12345_assignsubmission_file/a.zip/02.ipynb", Place("Moodle", "Ann Adams", "12345")),
        ("Participant_7_assignsubmission_file/02.ipynb", Place("Moodle", "Participant", "7")),
        ("adamsann_12345_67890_ann.labkit.json", Place("Canvas", "adamsann", "12345", late=False)),
        ("adamsann_LATE_12345_67890_02-layered-images-1.ipynb", Place("Canvas", "adamsann", "12345", late=True)),
        ("submissions.zip/adamsann_12345_67890_lab.zip/02.ipynb", Place("Canvas", "adamsann", "12345", late=False)),
        ("anon_xY3z_67890_02.ipynb", Place("Canvas", "", "anon_xY3z", late=False)),
        ("submitted/ann/02-layered-images/02.ipynb", Place("nbgrader", "ann")),
        ("inbound/ann+02+2026-11-30 12:00:00.000000 UTC/02.ipynb", Place("nbgrader", "ann", time=NOON)),
        ("inbound/ann+02+2026-11-30 12:00:00.000000 UTC+a_b-C/02.ipynb", Place("nbgrader", "ann", time=NOON)),
        ("ann.labkit.json", Place("", "ann")),
        ("ann/lab/02.ipynb", Place("", "ann")),
        ("ann.zip/02-layered-images.ipynb", Place("", "ann")),
        ("class.zip/ann.ipynb", Place("", "ann")),
        ("class.zip/ann/02.ipynb", Place("", "ann")),
    ],
)  # fmt: skip
def test_a_place_says_whose_a_file_is(path: str, place: Place) -> None:
    assert place_of(tuple(path.split("/"))) == place


def test_what_a_learner_packs_does_not_pass_for_anothers(tmp_path: Path) -> None:
    for name in ("Bob B_2_assignsubmission_file/02.ipynb", "bbob_2_3_02.ipynb", "submitted/bob/02/02.ipynb"):
        (tmp_path / "ann" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "ann" / name).write_text(notebook(f"%%answer a-tag-moves\n{letter('ann')}"))
    (result, bob) = grade_here(tmp_path, roster=Roster((Learner("ann"), Learner("bob", "Bob B", canvas="2"))))
    assert (result.learner.learner, len(result.files), result.points) == ("ann", 3, 1)
    assert bob.files == []


def test_moodle_and_canvas_draw_the_learners_own_variant(tmp_path: Path) -> None:
    """The roster says who Ann Adams is; the file says it too, and where it says another name it is a doubt."""
    right = {name: submission(("a-tag-moves", letter(name)), learner=name) for name in ("ann", "bob", "eve")}
    with zipfile.ZipFile(tmp_path / "moodle.zip", "w") as out:
        out.writestr("Ann Adams_11_assignsubmission_file/ann.labkit.json", right["ann"])
        out.writestr("Bob Bell_12_assignsubmission_file/eve.labkit.json", right["eve"])
        out.writestr("Zoe Zorn_15_assignsubmission_file/02.ipynb", notebook("%%answer a-tag-moves\na"))
    (tmp_path / "east_LATE_13_88_eve.labkit.json").write_text(right["eve"])
    roster = Roster(
        (
            Learner("ann", "Ann Adams"),
            Learner("bob", "Robert Bell", participant="12"),
            Learner("eve", "Eve East", canvas="13"),
        )
    )
    ann, bob, eve, nobody = grade_here(tmp_path, roster=roster)
    assert (ann.points, ann.faults, eve.points, eve.faults) == (1, [], 1, [])
    assert (bob.counted, bob.faults) == (
        {},
        ["moodle.zip/Bob Bell_12_assignsubmission_file/eve.labkit.json: not graded: it says that it is from 'eve', but was handed in as 'Bob Bell 12'"],
    )  # fmt: skip
    assert nobody.learner.learner == ""
    assert len(nobody.faults) == 1
    assert "it does not say whose it is" in nobody.faults[0]


def test_without_a_roster_the_file_says_who_it_is_unless_two_say_the_same(tmp_path: Path) -> None:
    for place, name in (("Ann Adams_1", "ann"), ("Bob Bell_2", "eve"), ("Eve East_3", "eve")):
        folder = tmp_path / f"{place}_assignsubmission_file"
        folder.mkdir()
        (folder / "x.labkit.json").write_text(submission(("a-tag-moves", letter(name)), learner=name))
    ann, nobody = grade_here(tmp_path)
    assert (ann.learner.learner, ann.points) == ("ann", 1)
    assert [each.split(": not graded: ")[1] for each in nobody.faults] == [
        "Bob Bell 2 and Eve East 3 handed in as the same learner"
    ] * 2


def test_nbgraders_tree_with_its_times(tmp_path: Path) -> None:
    for part in ("source/02", "release/02", "submitted/ann/02", "autograded/ann/02"):
        (tmp_path / part).mkdir(parents=True)
        (tmp_path / part / "02.ipynb").write_text(notebook(f"%%answer a-tag-moves\n{letter('ann')}"))
    (tmp_path / "submitted/ann/02/timestamp.txt").write_text("2026-11-30 12:00:00.000000 UTC")
    (found,) = collect(tmp_path)
    assert (found.name, found.place) == ("submitted/ann/02/02.ipynb", Place("nbgrader", "ann", time=NOON))
    (result,) = grade_here(tmp_path)
    assert (result.learner.learner, result.points) == ("ann", 1)


def faults_of(folder: Path) -> list[tuple[str, str]]:
    """Each file that cannot be read: whose it is, and why; read while it is at hand, as the grader does."""
    faults = []
    for each in collect(folder):
        try:
            each.read()
        except SubmissionError as error:
            faults.append((each.place.name, str(error)))
    return faults


def zipped(*files: tuple[str, bytes]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as out:
        for name, content in files:
            out.writestr(name, content)
    return data.getvalue()


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"PK\x03\x04", "it cannot be read as a zip: File is not a zip file"),
        (zipped(("../../ann.ipynb", b"{}")), "its name leads out of the zip; it is not read"),
        (zipped(("/etc/ann.ipynb", b"{}")), "its name leads out of the zip; it is not read"),
        (zipped(("C:\\ann.ipynb", b"{}")), "its name leads out of the zip; it is not read"),
        (zipped(("a/" * 50 + "ann.ipynb", b"{}")), "it lies more than 40 folders deep and is not read"),
        (zipped(("ann.labkit.json", b"0" * (5 << 20))), "it has more than 4 MiB, the most that is read"),
        (zipped(("a.zip", zipped(("b.zip", zipped(("c.zip", zipped(("x.ipynb", b""))))))))  , "it is a zip within zips, and is not read"),
    ],
)  # fmt: skip
def test_a_zip_does_no_harm(tmp_path: Path, data: bytes, fault: str) -> None:
    (tmp_path / "x.zip").write_bytes(data)
    before = sorted(tmp_path.parent.rglob("*"))
    assert [each[1] for each in faults_of(tmp_path)] == [fault]
    assert sorted(tmp_path.parent.rglob("*")) == before


def test_a_zip_that_lies_about_its_sizes_or_holds_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = zipped(("ann.labkit.json", b"0" * (5 << 20)))
    size = (5 << 20).to_bytes(4, "little")
    (tmp_path / "a.zip").write_bytes(honest.replace(size, (100).to_bytes(4, "little")))
    assert ["cannot be read from its zip" in each[1] for each in faults_of(tmp_path)] == [True]
    (tmp_path / "a.zip").write_bytes(zipped(("a.ipynb", b"{}"), ("b.ipynb", b"{}")))
    for limit, fault in (("MOST_MEMBERS", "more than 1 files"), ("LARGEST_TOTAL", "GiB when it is unpacked")):
        with monkeypatch.context() as patch:
            patch.setattr(module, limit, 1)
            assert [fault in each[1] for each in faults_of(tmp_path)] == [True]


def test_a_tree_is_one_line_where_it_is_too_deep_too_wide_or_closed(tmp_path: Path) -> None:
    deep = tmp_path / "ann"
    for _ in range(45):
        deep /= "d"
    deep.mkdir(parents=True)
    (tmp_path / "bob").mkdir()
    for number in range(205):
        (tmp_path / "bob" / f"{number}.ipynb").write_text("{}")
    (tmp_path / "loop").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "pipe.ipynb")
    assert faults_of(tmp_path) == [
        ("ann", "it lies more than 40 folders deep and is not read"),
        ("bob", "more than 200 files are from here; the rest is not read"),
        ("pipe", "it is not a regular file"),
    ]
    assert len(list(collect(tmp_path))) == 203
