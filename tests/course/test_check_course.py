"""`labkit check-course`: a copy of the course with one fault of each sort makes it say that fault, and no other."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from labkit.cli import main
from labkit.course.exercises import exercises_folder
from labkit.course.lessons import LESSONS
from labkit.course.selfcheck import check_course, faults_of_the_whole, faults_of_what_is_there, read_course
from labkit.course.selfcheck.exercise import commands

pytestmark = pytest.mark.long

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
KEPT = ("three-layers", "layer-or-metadata", "a-tag-moves")  # of lesson 02: enough for every rule, and quick
LESSON, RECORDS = "02-layered-images.ipynb", "02-layered-images.toml"
LAST = """## What you can say now

## On your own machine

[back](01-where-docker-keeps-its-files.ipynb) and [forward](03-the-build-cache.ipynb).

![A stack](picture.png)"""


class Copy:
    """A small copy of the course that can be edited."""

    def __init__(self, folder: Path) -> None:
        self.notebooks, self.records = folder / "notebooks", folder / "exercises"
        for made in (self.notebooks, self.records):
            made.mkdir()
        text = (exercises_folder() / RECORDS).read_text(encoding="utf-8")
        head, *parts = text.split("[[exercise]]\n")
        kept = [part for part in parts if part.split('"')[1] in KEPT]
        (self.records / RECORDS).write_text("[[exercise]]\n".join([head, *kept]), encoding="utf-8")
        for name in (LESSON, "01-where-docker-keeps-its-files.ipynb", "03-the-build-cache.ipynb"):
            self.write(name, self.cells_of_a_lesson() if name == LESSON else [])
        (self.notebooks / "picture.png").write_bytes(b"")

    def cells_of_a_lesson(self) -> list[dict[str, Any]]:
        first = "# A lesson\n\nAfter it you can\n\n- say so.\n\nIt takes about 10 minutes."
        shown = {"text/html": '<img src="x" alt="three layers">', "text/plain": "three layers"}
        tags = ["claim:B1", "claim:B2", "claim:B6", "claim:B7", "picture:1", "picture:2", "misconception:18"]
        return [
            cell("opening", first),
            cell("start", "from labkit.jupyter import exercise, show\n\n%fresh", code=True),
            cell("claims", "show()", code=True, tags=tags, shown=shown),
            *(cell(slug, f'exercise("{slug}")', code=True) for slug in KEPT),
            cell("state", "progress()", code=True),
            cell("last", LAST),
        ]

    def write(self, name: str, cells: list[dict[str, Any]]) -> None:
        (self.notebooks / name).write_text(json.dumps({"cells": cells}))

    def edit_record(self, old: str, new: str) -> None:
        path = self.records / RECORDS
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    def edit_cell(self, name: str, **changes: Any) -> None:
        path = self.notebooks / LESSON
        cells = json.loads(path.read_text())["cells"]
        (found,) = [each for each in cells if each["id"] == name]
        found |= changes
        self.write(LESSON, cells)

    def faults(self) -> set[str]:
        course = read_course(self.notebooks, self.records)
        return {*faults_of_what_is_there(course, 1), *faults_of_the_whole(course)}


def cell(name: str, source: str, *, code: bool = False, tags: Any = (), shown: Any = None) -> dict[str, Any]:
    outputs = [{"output_type": "execute_result", "data": shown}] if shown else []
    kind = "code" if code else "markdown"
    return {"id": name, "cell_type": kind, "source": source, "metadata": {"tags": list(tags)}, "outputs": outputs}


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """What the copy lacks for being a whole course."""
    return Copy(tmp_path_factory.mktemp("sound")).faults()


def test_the_copy_is_sound_but_not_complete(expected: set[str]) -> None:
    incomplete = (
        r"lessons\.toml: |checks\.py: no record uses|[\w-]+\.toml: (there are \d+ exercises|its self-test has 0)"
    )
    elsewhere = r"(01-where-docker-keeps-its-files|03-the-build-cache)\.ipynb: "  # which are empty
    assert [fault for fault in expected if not re.match(f"{incomplete}|{elsewhere}", fault)] == []


RECORD_FAULTS = [  # (old, new, what is said)
    ("schema = 1", "schema = 2", "02-layered-images.toml: 'schema' must be 1"),
    ('kind = "do"', 'kind = "dance"', "02-layered-images.toml: exercise 'three-layers': 'kind' must be one of "),
    ('lesson = "02-layered-images"', 'lesson = "02-layers"', "02-layers.toml: there is no such lesson in labkit/course/lessons.toml"),
    ('slug = "a-tag-moves"', 'slug = "three-layers"', "02-layered-images.toml: the slug 'three-layers' is there twice"),
    ('is = "image_based_on"', 'not = "image_based_on"', "02-layered-images.toml: exercise 'three-layers': the solution 'COPY, then RUN' does not pass: "),
    ('"docker build -t @app@:1 @app@",', '"docker build -t @app@:1 @app@", "cat none",', "02-layered-images.toml: exercise 'three-layers': a command of the solution 'COPY, then RUN' fails: "),
    ('at_least = 4', 'at_least = 5', "02-layered-images.toml: exercise 'three-layers': the example of the mistake 'a line for each command' is taken for None"),
    ('commands = ["docker pull -q busybox"]', 'commands = ["docker pull -q busybox", "ls"]', "02-layered-images.toml: exercise 'three-layers': the command `ls` of the setup changes nothing"),
    ('hints = [', 'hints = ["",', "02-layered-images.toml: exercise 'layer-or-metadata': 'hints' must be two or three texts, none of them empty"),
    ('app = {', 'spare = ["x"]\napp = {', "02-layered-images.toml: exercise 'three-layers': the value @spare@ is used nowhere"),
    ('misconceptions = [18]', 'misconceptions = [81]', "02-layered-images.toml: exercise 'layer-or-metadata': 'misconceptions': there is no misconception 81 (1 to 55)"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "fault"), RECORD_FAULTS)
def test_a_fault_of_a_record(old: str, new: str, fault: str, expected: set[str], tmp_path: Path) -> None:
    copy = Copy(tmp_path)
    copy.edit_record(old, new)
    assert [each for each in copy.faults() - expected if each.startswith(fault)]


CELL_FAULTS = [  # (cell, what is other, all that is said)
    ("opening", {"source": "A lesson. After it you can\n\n- say so, in about 10 minutes."}, ["its first cell is no title: '# …'"]),
    ("opening", {"source": "# A lesson of about 10 minutes"}, ["its first cell does not say what the learner will be able to do: '… you can', and a list"]),
    ("opening", {"source": "# A lesson\n\nAfter it you can\n\n- say so."}, ["its first cell does not say how long the lesson takes: 'about 40 minutes'"]),
    ("opening", {"source": "# A lesson\n\nAfter it you can\n\n- say so.\n\nIt takes about 2 minutes."}, ["it says that it takes 2 minutes; to read and run it takes 4"]),
    ("start", {"source": "%fresh"}, ["its first code cell does not import from labkit.jupyter and run %fresh"]),
    ("claims", {"metadata": {"tags": ["claim:B1", "claim:B2", "claim:B6", "picture:1", "picture:2"]}}, ["no code cell is tagged claim:B7"]),
    ("claims", {"metadata": {"tags": ["claim:B1", "claim:B2", "claim:B6", "claim:B7", "picture:1"]}}, ["no code cell is tagged picture:2"]),
    ("claims", {"outputs": []}, ["cell claims: it is tagged claim:B1 and has no saved output", "cell claims: it is tagged picture:1 and has no saved picture"]),
    ("state", {"metadata": {"tags": ["claim:Z9"]}, "outputs": [{"output_type": "stream", "text": "x"}]}, ["cell state: there is no claim Z9"]),
    ("state", {"metadata": {"tags": ["claim:B3"]}, "outputs": [{"output_type": "stream", "text": "x"}]}, ["cell state: the claim B3 belongs to 03-the-build-cache.ipynb"]),
    ("state", {"metadata": {"tags": ["misconception:56"]}}, ["cell state: there is no misconception 56 (1 to 55)"]),
    ("state", {"metadata": {"tags": ["misconception:x"]}}, ["cell state: there is no misconception x (1 to 55)"]),
    ("state", {"outputs": [{"output_type": "error", "ename": "NameError", "evalue": "x"}]}, ["cell state: it ends with NameError"]),
    ("state", {"outputs": [{"output_type": "display_data", "data": {"text/html": "<img src='x'>"}}]}, ["cell state: a picture of its output has no alt text"]),
    ("state", {"source": "1"}, ["no cell shows the exercises' state: progress()"]),
    ("state", {"id": "start"}, ["2 cells have the id 'start'"]),
    ("state", {"id": ""}, ["cell 7 has no id"]),
    ("three-layers", {"source": "1"}, ["it does not use the exercise 'three-layers'"]),
    ("three-layers", {"source": "%%answer no-such\nls"}, ["it does not use the exercise 'three-layers'", "there is no exercise 'no-such'"]),
    ("state", {"source": "progress(); exercise('three-layers')"}, ["the exercise 'three-layers' is there 2 times"]),
    ("last", {"source": LAST.replace("![A stack]", "![ ]")}, ["cell last: 1 picture has no alt text"]),
    ("last", {"source": LAST + '\n<img src="picture.png">\n![](picture.png)'}, ["cell last: 2 pictures have no alt text"]),
    ("last", {"source": LAST + "\n[x](no%20such.ipynb#there) [y](#x) [z](https://example.org) `[q](none)`"}, ["cell last: the link to 'no%20such.ipynb#there' leads nowhere"]),
    ("last", {"source": LAST.replace("03-the", "../notebooks/03-the")}, ["no link leads forward to 03-the-build-cache.ipynb"]),
    ("last", {"source": LAST.replace("01-where", "../notebooks/01-where")}, ["no link leads back to 01-where-docker-keeps-its-files.ipynb"]),
    ("last", {"source": LAST.replace("What you can say now", "The end")}, ["it has no summary: a heading such as 'What you can say now'"]),
    ("last", {"source": LAST.replace("your own", "another")}, ["it has no section 'On your own machine'"]),
    ("last", {"source": LAST + "\n> **The notes say:** so."}, ["it speaks of the notes, which lesson 00 names: 'Often said', 'What happens'"]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "changes", "faults"), CELL_FAULTS)
def test_a_fault_of_a_notebook(
    name: str, changes: dict[str, Any], faults: list[str], expected: set[str], tmp_path: Path
) -> None:
    copy = Copy(tmp_path)
    copy.edit_cell(name, **changes)
    assert copy.faults() - expected == {f"{LESSON}: {fault}" for fault in faults}


def move_an_exercise(copy: Copy) -> str:
    copy.edit_cell("three-layers", source="1")
    copy.write("03-the-build-cache.ipynb", [cell("there", 'exercise("three-layers")', code=True)])
    return "03-the-build-cache.ipynb: the exercise 'three-layers' belongs to 02-layered-images.ipynb"


def rename_an_exercise(copy: Copy) -> str:
    text = (copy.records / RECORDS).read_text(encoding="utf-8").split("[[exercise]]\n")
    again = next(part for part in text if part.startswith('slug = "three-layers"'))
    other = again.replace("three-layers", "two-and-one").replace("/@dir@", "/opt/@dir@").replace("made.txt", "done.txt")
    (copy.records / "03-the-build-cache.toml").write_text(
        'schema = 1\nlesson = "03-the-build-cache"\n[[exercise]]\n' + other, encoding="utf-8"
    )
    return "03-the-build-cache.toml: exercise 'two-and-one' is 'three-layers' under another name"


def same_slug_in_two_files(copy: Copy) -> str:
    text = (copy.records / RECORDS).read_text(encoding="utf-8")
    (copy.records / "03-the-build-cache.toml").write_text(text.replace("02-layered-images", "03-the-build-cache"))
    return "the slug 'three-layers' is in the course 2 times"


def no_notebook(copy: Copy) -> str:
    (copy.notebooks / LESSON).unlink()
    return "lessons.toml: there is no 02-layered-images.ipynb"


def no_json(copy: Copy) -> str:
    (copy.notebooks / LESSON).write_text("{")
    return "02-layered-images.ipynb: it is not JSON"


def no_cells(copy: Copy) -> str:
    (copy.notebooks / LESSON).write_text('{"cells": [3]}')
    return "02-layered-images.ipynb: this is no notebook"


def no_lesson(copy: Copy) -> str:
    copy.write("12-more.ipynb", [cell("one", "# More")])
    return "12-more.ipynb: there is no such lesson in labkit/course/lessons.toml"


def too_many_choices(copy: Copy) -> str:
    path = copy.records / RECORDS
    path.write_text("[[exercise]]\n".join(path.read_text(encoding="utf-8").split("[[exercise]]\n")[::3]))
    return "lessons.toml: 1 of 1 exercises are of kind choose; 20% may be"


COURSE_FAULTS = [
    move_an_exercise,
    rename_an_exercise,
    same_slug_in_two_files,
    no_notebook,
    no_json,
    no_cells,
    no_lesson,
    too_many_choices,
]


@pytest.mark.parametrize("spoil", COURSE_FAULTS)
def test_a_fault_of_the_course(spoil: Callable[[Copy], str], expected: set[str], tmp_path: Path) -> None:
    copy = Copy(tmp_path)
    fault = spoil(copy)
    assert [each for each in copy.faults() - expected if each.startswith(fault)]


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("three-layers.toml", "its name must be SLUG@REVISION.toml"),
        ("four-layers@1.toml", "there is no exercise 'four-layers' any more"),
        ("three-layers@2.toml", "the exercise 'three-layers' is at revision 2"),
    ],
)
def test_a_fault_of_an_old_record(name: str, fault: str, expected: set[str], tmp_path: Path) -> None:
    copy = Copy(tmp_path)
    (copy.records / "old").mkdir()
    (copy.records / "old" / name).write_text("")
    assert copy.faults() - expected == {f"old/{name}: {fault}"}


@pytest.mark.parametrize(
    "fault",
    [
        "lessons.toml: there is no 10-capstone.ipynb",
        "10-capstone.toml: there are 0 exercises, of 10 at least",
        "lessons.toml: no exercise is of kind compose",
        "lessons.toml: the course has 3 exercises, of 75 at least",
        "lessons.toml: 1 of 3 exercises are of kind choose; 20% may be",
        "lessons.toml: 3 misconceptions are covered, of 45 at least; not: 1, 2, 4, 5, ",
        "checks.py: no record uses the check 'volume_exists'",
    ],
)
def test_what_is_missing_is_said(fault: str, expected: set[str]) -> None:
    assert [each for each in expected if each.startswith(fault)]


def test_the_plan_has_every_claim_and_picture_once() -> None:
    claims = [claim for lesson in LESSONS for claim in lesson.claims]
    numbers = {"A": 9, "B": 7, "C": 8, "D": 6, "E": 3, "F": 2, "G": 4}
    assert sorted(claims) == [f"{letter}{number}" for letter, last in numbers.items() for number in range(1, last + 1)]
    assert sorted(number for lesson in LESSONS for number in lesson.pictures) == list(range(1, 10))


def test_what_remains_of_commands() -> None:
    one = commands("docker run -d --name web -v data:/srv/run busybox sh -c 'echo 3 > /srv/x'")
    assert one == commands("docker run -d --name db -v @volume@:/var/lib nginx sh -c 'echo hello > /y/@file@'")
    assert one == ["docker", "run", "-d", "--name", "-v", "sh", "-c", "echo", ">"]
    assert commands("--mount type=bind,source=/a,target=/b,readonly") == commands(
        "--mount=type=bind,source=./c,target=/d,readonly"
    )
    assert commands("--mount type=bind,src=/a,dst=/b") != commands("--mount type=volume,src=/a,dst=/b")


def test_there_is_nothing_to_say_of_the_course() -> None:
    """Each exercise, in 20 variants, is a test of its own (test_selfcheck.py)."""
    course = read_course(NOTEBOOKS)
    assert [*faults_of_what_is_there(course, variants=0), *faults_of_the_whole(course)] == []


@pytest.mark.nightly  # the whole course three times; its parts are looked at above, and in test_selfcheck.py
@pytest.mark.skipif("LABKIT_NIGHTLY" not in os.environ, reason="takes minutes; LABKIT_NIGHTLY=1 runs it")
def test_the_command(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = Copy(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("labkit.course.selfcheck.exercises_folder", lambda: copy.records)
    assert main(["check-course", "--fast", "--variants", "1"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert set(lines[:-1]) == copy.faults() == set(check_course(1, copy.notebooks, copy.records))
    assert lines[-1] == f"{len(lines) - 1} faults"
