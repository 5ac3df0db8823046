"""The build-cache lab: what is said, what a build comes to, and why; nothing is markup, nothing is invented."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from labkit.engine.build.journal import Reason
from labkit.jupyter.cache_lab import WORDS, CacheLab, open_lab, sentence
from labkit.jupyter.magics import LessonMachine

MARKUP = "<img src=x onerror=alert(1)>"
FILES = {
    "Dockerfile": "FROM busybox\nARG VERSION=1\nWORKDIR /app\nCOPY requirements.txt .\n"
    "RUN sleep 2; cp requirements.txt installed\nCOPY . .\nRUN echo $VERSION\n",
    "requirements.txt": "flask\n",
    "src/app.py": "print(1)\n",
    "notes.log": "noise\n",
    ".dockerignore": "*.log\n",
}


@pytest.fixture
def lesson() -> LessonMachine:
    return LessonMachine()


@pytest.fixture
def lab(lesson: LessonMachine) -> CacheLab:
    return open_lab(lesson, "app", FILES, "", "app")


def do(lab: CacheLab, action: str, /, **about: Any) -> None:
    lab.handle({"do": action, **about})


def states(lab: CacheLab) -> dict[str, str]:
    return {re.sub(r"^\[.*?\] ", "", row["title"]): row["state"] for row in lab.steps}


def test_before_a_build_the_steps_are_there_and_nothing_is_said_of_them(lab: CacheLab, lesson: LessonMachine) -> None:
    assert states(lab) == {
        "WORKDIR /app": "",
        "COPY requirements.txt .": "",
        "RUN sleep 2; cp requirements.txt installed": "",
        "COPY . .": "",
        "RUN echo 1": "",
    }
    assert not any(row["reasons"] or row["key"] for row in lab.steps)
    assert lesson.machine.engine.images() == [], "what was tried was taken back"
    assert repr(lab) == "cache_lab('app'): 5 steps"
    assert {row["shown"]: row["note"] for row in lab.files} == {
        ".dockerignore": "in the context",
        "Dockerfile": "in the context",
        "notes.log": "left out by .dockerignore",
        "requirements.txt": "in the context",
        "src/app.py": "in the context",
    }


def test_say_build_compare(lab: CacheLab) -> None:
    do(lab, "build")
    assert set(states(lab).values()) == {"made"}
    do(lab, "save", path="src/app.py", text="print(2)\n")
    for number, value in enumerate(("cached", "cached", "made", "made", "")):
        do(lab, "say", number=number, value=value)
    assert [row["guess"] for row in lab.steps] == ["cached", "cached", "made", "made", ""]
    do(lab, "build")
    assert list(states(lab).values()) == ["cached", "cached", "cached", "made", "made"]
    assert [row["right"] for row in lab.steps] == ["yes", "yes", "no", "yes", ""]
    assert lab.steps[3]["reasons"] == ["The checksum of `src/app.py` changed: its content"]
    assert lab.steps[4]["reasons"] == ["It stands on another step than before: `[5/6] COPY . .`"]
    assert lab.steps[3]["key"] != lab.steps[3]["former"]
    assert lab.steps[2]["key"] == lab.steps[2]["former"]
    assert lab.verdict[0] == "You said it rightly of 3 of 4 steps."
    assert lab.verdict[1] == "3 cached, 2 made anew."
    assert lab.verdict[2].startswith("Saved by the cache: 2.")
    assert "#9 [5/6] COPY . ." in lab.output
    do(lab, "say", number=0, value="made")
    assert lab.steps[0]["guess"] == "cached", "after the build it is too late"


def test_the_seconds_are_those_that_docker_printed(lab: CacheLab) -> None:
    do(lab, "build")
    printed = re.search(r"RUN sleep 2; cp.*?DONE (\d+\.\d)s", lab.output, re.S)
    assert printed
    do(lab, "build")
    assert lab.steps[2]["cost"].startswith(f"{printed[1]}s")


def test_a_new_time_changes_no_key_and_a_new_mode_does(lab: CacheLab) -> None:
    do(lab, "build")
    do(lab, "file", what="touch", path="src/app.py")
    do(lab, "build")
    assert set(states(lab).values()) == {"cached"}
    assert lab.verdict[-1] == "Sent again, with the same checksum: `src/app.py`. A new time is in no key."
    do(lab, "file", what="executable", path="src/app.py")
    assert lab.editor["mode"] == "755"
    do(lab, "build")
    assert lab.steps[3]["reasons"] == ["The checksum of `src/app.py` changed: its mode, 644 → 755"]


def test_a_file_that_dockerignore_names_changes_nothing(lab: CacheLab) -> None:
    do(lab, "build")
    do(lab, "save", path="notes.log", text="more\n")
    do(lab, "build")
    assert set(states(lab).values()) == {"cached"}


def test_build_arguments(lab: CacheLab) -> None:
    do(lab, "build")
    do(lab, "options", text="--build-arg VERSION=2")
    assert lab.command == "docker build -t app --build-arg VERSION=2 app"
    do(lab, "forecast")
    assert lab.shown == "forecast"
    assert lab.steps[2]["reasons"] == ["The ARG `VERSION` changed: `1` → `2`"]
    foreseen = states(lab)
    do(lab, "build")
    assert states(lab) == foreseen
    do(lab, "options", text="--no-cache")
    do(lab, "build")
    assert lab.steps[0]["state"] == "cached", "a WORKDIR is no --no-cache's business"
    assert lab.steps[1]["reasons"] == ["`--no-cache` has it made anew"]
    assert lab.steps[1]["key"] == lab.steps[1]["former"]


def test_an_emptied_cache(lab: CacheLab) -> None:
    do(lab, "build")
    do(lab, "prune")
    do(lab, "build")
    assert lab.steps[0]["reasons"] == ["It was made before with this very key, but its record is gone: pruned"]


def test_a_forecast_says_what_a_build_then_does_and_changes_nothing(lab: CacheLab, lesson: LessonMachine) -> None:
    do(lab, "build")
    do(lab, "save", path="requirements.txt", text="django\n")
    now, events = lesson.machine.engine.now(), len(lesson.machine.events)
    do(lab, "forecast")
    assert (lesson.machine.engine.now(), len(lesson.machine.events)) == (now, events)
    foreseen = lab.steps
    do(lab, "build")
    assert [row["state"] for row in foreseen] == [row["state"] for row in lab.steps]
    assert [row["key"] for row in foreseen] == [row["key"] for row in lab.steps]


def test_files_are_made_and_deleted(lab: CacheLab, lesson: LessonMachine) -> None:
    do(lab, "new", path="deep/er/file.txt")
    assert lab.editor["path"] == "deep/er/file.txt"
    assert lesson.machine.files.exists("/home/learner/app/deep/er/file.txt")
    do(lab, "file", what="delete", path="deep/er/file.txt")
    assert "deep/er/file.txt" not in [row["path"] for row in lab.files]
    assert lab.editor["path"] == "Dockerfile"
    for wrong in ("../out", "/etc/passwd", "", "."):
        do(lab, "new", path=wrong)
        assert "inside the folder" in lab.said
    do(lab, "file", what="delete", path="../../etc/passwd")
    assert lesson.machine.files.exists("/etc/passwd")


def test_what_is_done_here_can_be_taken_back(lab: CacheLab, lesson: LessonMachine) -> None:
    do(lab, "build")
    assert lesson.undo() == "docker build -t app app"
    assert lesson.machine.engine.images() == []


@pytest.mark.parametrize(
    ("dockerfile", "words"),
    [
        ("FROM busybox\nRUNN ls\n", "unknown instruction: RUNN"),
        ("FROM busybox\nCOPY nothing /\n", '"/nothing": not found'),
        ("FROM busybox\nRUN false\n", "exit code: 1"),
        ("", "the Dockerfile cannot be empty"),
    ],
)
def test_a_dockerfile_that_does_not_build_gives_dockers_message(lab: CacheLab, dockerfile: str, words: str) -> None:
    do(lab, "save", path="Dockerfile", text=dockerfile)
    assert words in lab.said
    assert lab.said.startswith("ERROR: failed to build")
    do(lab, "build")
    assert lab.said.startswith("ERROR: failed to build")


def test_options_are_words_and_never_a_script(lab: CacheLab, lesson: LessonMachine) -> None:
    do(lab, "options", text="; rm -rf /home/learner/app; echo")
    assert lesson.machine.files.exists("/home/learner/app/Dockerfile")
    do(lab, "build")
    assert lesson.machine.files.exists("/home/learner/app/Dockerfile")
    do(lab, "options", text="--build-arg 'open")
    assert "cannot be read" in lab.said
    do(lab, "build")
    assert "could not be done" in lab.said


def test_a_removed_folder_is_said(lab: CacheLab, lesson: LessonMachine) -> None:
    lesson.machine.run("rm -r app")
    do(lab, "forecast")
    assert lab.said
    do(lab, "build")
    assert "not found" in lab.said


def test_nothing_is_markup(lesson: LessonMachine) -> None:
    odd = b"\xff".decode("utf-8", "surrogateescape")
    files = {"Dockerfile": f"FROM busybox\nCOPY . /x\nRUN echo '{MARKUP}'\n", MARKUP: MARKUP, f"a\n{odd}": MARKUP}
    lab = open_lab(lesson, "app", files, "", "app")
    do(lab, "build")
    assert states(lab) == {"COPY . /x": "made", f"RUN echo '{MARKUP}'": "made"}
    assert set(re.findall(r"<(\w+)", lab.still())) <= {
        "p", "strong", "code", "pre", "table", "thead", "tbody", "tr", "th", "td",
    }  # fmt: skip
    json.dumps(lab.get_state(["files", "steps", "editor"]), ensure_ascii=False).encode()
    do(lab, "open", path=next(row["path"] for row in lab.files if row["path"].startswith("a")))
    assert lab.editor["text"] == MARKUP
    do(lab, "save", path=lab.editor["path"], text="changed")
    do(lab, "build")
    assert "changed: its content" in lab.steps[0]["reasons"][0]


def test_messages_that_mean_nothing_change_nothing(lab: CacheLab) -> None:
    before = lab.steps
    for message in (
        {"do": "say", "number": 99, "value": "made"},
        {"do": "say", "number": "0", "value": "made"},
        {"do": "say", "number": 0, "value": "x"},
        {"do": "file", "what": "rm", "path": "Dockerfile"},
    ):
        lab.handle(message)
    assert lab.steps == before
    do(lab, "open", path="nothing")
    assert lab.editor["why"] == "There is no such file."


def test_large_and_binary_files_are_not_edited(lesson: LessonMachine) -> None:
    lab = open_lab(lesson, "app", FILES, "", "app")
    lesson.machine.run("dd if=/dev/zero of=app/big bs=1M count=50; printf '\\377' > app/odd")
    for name in ("big", "odd"):
        do(lab, "open", path=name)
        assert lab.editor["why"] == "It is too large, or no text."


@pytest.mark.parametrize(
    ("folder", "files", "words"),
    [
        ("", None, "which folder"),
        (3, None, "which folder"),
        ("nowhere", None, "there is no folder"),
        ("app", {"x": 3}, "files are texts"),
    ],
)
def test_a_wrong_call_says_what_is_wrong(lesson: LessonMachine, folder: Any, files: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        open_lab(lesson, folder, files, "", "app")


@pytest.mark.parametrize("what", sorted({*WORDS, "network", "image"}))
def test_every_reason_has_a_sentence(what: str) -> None:
    ways = {"file": ("new", "gone", "content", "mode", "owner", "kind")}.get(what, ("new", "gone", "value"))
    for how in ways:
        old, new = ("('/bin/sh', '-c', 'ls')", "('id',)") if what == "command" else ("1", "2")
        assert len(sentence(Reason(what, f"`{MARKUP}`", how, old, new))) > 10
