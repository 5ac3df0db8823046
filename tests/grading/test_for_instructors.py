"""docs/for-instructors.md, each command tried: a class of 300 from Monday to the marks."""

from __future__ import annotations

import csv
import json
import re
import shlex
import shutil
import tomllib
import zipfile
from collections import Counter
from pathlib import Path

import pytest
from classroom import letter, notebook, solution

from labkit.cli import main
from labkit.course.exercises import load_exercise
from labkit.grading.filework import start_worker
from labkit.grading.grade import recalled
from labkit.grading.marking import MarkingDesk
from labkit.grading.store import Store
from labkit.grading.submission import code_of

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "for-instructors.md").read_text(encoding="utf-8")
COMMANDS = [
    line for block in re.findall(r"^```sh\n(.*?)^```$", PAGE, re.M | re.S) for line in block.splitlines() if line
]
EXAM = re.search(r"^```toml\n(.*?)^```$", PAGE, re.M | re.S)
SEED = "autumn"
TAG, LAYER = "a-tag-moves", "which-layer-is-it-from"
OF = {slug: load_exercise(slug).points for slug in (TAG, LAYER)}
DAYS = ("30", "29", "28")


def hand_in(learner: str, tag: str, layer: object = None, **changes: object) -> str:
    rows = [{"exercise": TAG, "revision": load_exercise(TAG).revision, "answer": tag}]
    if layer is not None:
        rows.append({"exercise": LAYER, "revision": load_exercise(LAYER).revision, "answer": layer})
    document: dict = {"labkit-submission": 1, "learner": learner, "course": SEED, "answers": rows}
    return json.dumps({**document, "code": code_of(document), **changes})


class ClassOf300:
    """What each of them hands in and how, and the points that they must get."""

    def __init__(self, folder: Path) -> None:
        self.points: dict[str, float] = {}
        self.roster = [["learner", "name", "id", "section", "email", "handed in", "extension"]]
        self.folder = folder
        self.inbound = folder / "inbound"
        folder.mkdir()
        with (
            zipfile.ZipFile(folder / "moodle.zip", "w") as moodle,
            zipfile.ZipFile(folder / "canvas.zip", "w") as canvas,
        ):
            for number in range(300):
                self._one(number, f"s{number:03}", moodle, canvas)

    def _one(self, number: int, name: str, moodle: zipfile.ZipFile, canvas: zipfile.ZipFile) -> None:
        right, wrong = letter(name, SEED), next(each for each in "abc" if each != letter(name, SEED))
        full = OF[TAG] + OF[LAYER]
        text = hand_in(name, right, solution(LAYER, name, SEED))
        when, extension, points = "2026-11-30 17:00", "", float(full)
        match number % 10:
            case 0:  # nothing
                text, points = "", 0.0
            case 1:  # wrong
                text, points = hand_in(name, wrong), 0.0
            case 2:  # half of it
                text, points = hand_in(name, right), float(OF[TAG])
            case 3:  # a day late
                when, points = "2026-12-01 17:00", full * 0.9
            case 4:  # a day late, by an extension
                when, extension = "2026-12-01 17:00", "2026-12-02"
            case 5:  # broken
                text, points = text[:-9], 0.0
            case 6:  # changed by hand
                text, points = hand_in(name, right, code="0000-0000-0000-0000"), 0.0
            case 7:  # a classmate's file
                text, points = hand_in(f"s{number - 1:03}", right), 0.0
        self.points[name] = round(points, 2)
        self.roster.append(
            [name, f"Ann {name.upper()}", str(10_000 + number), "A", f"{name}@uni.example", when, extension]
        )
        if number % 3 == 0 and text:
            moodle.writestr(f"Ann {name.upper()}_{number}_assignsubmission_file/{name}.labkit.json", text)
        elif number % 3 == 1 and text:
            canvas.writestr(f"{name}ann_{10_000 + number}_{number}_{name}.labkit.json", text)
        elif number % 10 == 8:  # several, of which the second is right, as notebooks
            self.roster[-1][5] = ""
            self.points[name] = float(OF[TAG])
            for day, answer in zip(DAYS, (right, wrong, wrong), strict=True):
                place = self.inbound / f"{name}+02-layered-images+2026-11-{day} 10:00:00.000000 UTC"
                place.mkdir(parents=True)
                (place / "02.ipynb").write_text(notebook(f"%%answer {TAG}\n{answer}"))
        elif text:
            (self.folder / f"{name}.labkit.json").write_text(text)


@pytest.fixture
def monday(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ClassOf300:
    shutil.copytree(ROOT / "notebooks", tmp_path / "notebooks", ignore=shutil.ignore_patterns(".*"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "exam-course").mkdir()
    assert EXAM is not None
    (tmp_path / "exam-course" / "exam.toml").write_text(EXAM[1])
    found = ClassOf300(tmp_path / "handed-in")
    with (tmp_path / "roster.csv").open("w", newline="") as file:
        csv.writer(file, delimiter=";").writerows(found.roster)
    return found


def test_the_page_names_every_command() -> None:
    assert Counter(shlex.split(line)[1] for line in COMMANDS) == {"release": 2, "grade": 1, "mark": 1, "nbgrader": 1}
    assert EXAM is not None
    tomllib.loads(EXAM[1])


def test_from_monday_to_the_marks(monday: ClassOf300, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for line in COMMANDS:
        words = shlex.split(line)[1:]
        if words[0] != "mark":  # a page that stays until it is ended
            assert main(words) == 0, line
        start_worker(())
    capsys.readouterr()
    rows = list(csv.DictReader((tmp_path / "report" / "grades.csv").read_text().splitlines()))
    assert {row["learner"]: float(row["points"]) for row in rows} == monday.points
    said = {row["learner"]: row["notes"] for row in rows}
    kinds = {number: [said[f"s{each:03}"] for each in range(number, 300, 10)] for number in (0, 3, 5, 6, 7)}
    for number, words in {0: "nothing was handed in", 3: "10% is taken off", 5: "it is not JSON", 6: "its code", 7: "but was handed in as"}.items():  # fmt: skip
        assert [each for each in kinds[number] if words not in each] == []
    canvas = list(csv.reader((tmp_path / "report" / "canvas.csv").read_text().splitlines()))
    assert canvas[0] == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "02-layered-images"]
    assert canvas[1] == ["    Points Possible", "", "", "", "", "21"]
    assert [row[5] for row in canvas[2:5]] == ["", "0", str(OF[TAG])]
    assert canvas[3][:2] == ["S001, Ann", "10001"]
    moodle = list(csv.DictReader((tmp_path / "report" / "moodle.csv").read_text().splitlines()))
    assert moodle[2]["Email address"] == "s002@uni.example"
    assert moodle[2]["02-layered-images"] == str(OF[TAG])
    assert len(list((tmp_path / "report" / "students").iterdir())) == 300
    assert (tmp_path / "course" / "source" / "02-layered-images" / "02-layered-images.ipynb").is_file()
    with Store(tmp_path / "report" / "results.sqlite") as store:
        desk = MarkingDesk(recalled(store.asked()), store, TAG)
        number = next(number for number, each in enumerate(desk.answers) if each.learner == "s001")
        desk.give(number, ["1"], "you meant the other")
    grade = next(shlex.split(line)[1:] for line in COMMANDS if " grade " in line)
    for again in (grade, [*grade, "--fresh"]):
        assert main(again) == 0
        rows = list(csv.DictReader((tmp_path / "report" / "grades.csv").read_text().splitlines()))
        assert {row["learner"]: float(row["points"]) for row in rows} == {**monday.points, "s001": 1.0}
    assert "you meant the other" in (tmp_path / "report" / "students" / "s001.html").read_text()
