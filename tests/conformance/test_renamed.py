"""Transcripts still match when every name, path, size and content in them is changed consistently.

The changed one is held against rules, not texts: each step ends as in the original, writes as many lines, and what was
equal there stays equal, what was different stays different. So nothing can be looked up.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from labkit.conformance.normalise import Normaliser
from labkit.conformance.replay import BASE_IMAGE, conformance_machine, put_files, read_base, read_transcript

HERE = Path(__file__).parent
NAMES = [
    "layers-shared-digests",
    "layers-delete-in-a-later-run",
    "layers-copy-directory",
    "layers-multi-stage",
    "layers-tag-moves",
    "layers-commit",
    "layers-save-and-load",
    "volumes-survive-containers",
    "copy-on-write-move-directory",
    "build-cache-source-edit",
    "bind-mounts-nested",
    "writable-layer-diff",
]
# Words that mean something to Docker, the shell or the base image; all others are changed.
CHANGES = {
    "app": "shopfront", "c1": "first7", "c2": "second8", "c3": "third9", "one": "uno11", "two": "duo22", "common": "shared5",
    "a.txt": "alpha.md", "b.txt": "beta.md", "c.txt": "gamma.md", "file.txt": "page.md", "note": "memo",
    "big": "large", "done": "ready", "kept": "stayed", "src": "sources", "sub": "inner", "flat": "level", "picked": "chosen",
    "added": "joined", "renamed": "other-name", "tools": "gear", "out": "output", "program": "binary", "new": "fresh",
    "snapshot": "moment", "Ada": "Grace", "v1": "r41", "notes": "papers", "outer": "around", "inner": "within",
    "vol": "store", "print": "show", "secret": "hidden", "blue": "green", "build": "make", "data": "records",
    "count=2": "count=3", "count=4": "count=5", "count=5": "count=6", "count=1": "count=7",
}  # fmt: skip
WORD = re.compile(r"count=\d|[A-Za-z0-9_.+-]+")
MASKED = re.compile(r"<(?:id|key)\d+|\b\d+(?:\.\d+)?[kM]?B\b|\b\d{3,}\b")  # ids and sizes
# Where a word is Docker's own, it stays.
KEEP = re.compile(
    r"docker (image |container )?(build|commit|tag|history|volume|save|load)\b|--(build-arg|target|from|volume|output)\b"
    r"|\bAS\b|{{.*?}}|/var/lib/docker/\w+|/home/learner|of=|bs=1M|/dev/zero|2>/dev/null|[|] sort|"
    r"\bCOPY\b|\bRUN\b|\bADD\b|\bENV [A-Z]+|\bX=1|CMD\b"
)


def changed(text: str) -> str:
    """The text with the words changed, but for those that are Docker's."""
    pieces, place = [], 0
    for kept in KEEP.finditer(text):
        pieces += [_words(text[place : kept.start()]), kept[0]]
        place = kept.end()
    return "".join([*pieces, _words(text[place:])])


def _words(text: str) -> str:
    return WORD.sub(lambda word: CHANGES.get(word[0], word[0]), text)


def test_the_changes_are_one_to_one() -> None:
    assert len(set(CHANGES.values())) == len(CHANGES)


def play(files: dict[str, str], runs: list[str]) -> list[tuple[int, list[str], list[str]]]:
    machine = conformance_machine("overlay2", read_base(HERE / "base.json"))
    assert machine.engine.find_image(BASE_IMAGE)
    put_files(machine, files)
    normaliser = Normaliser()
    results = []
    for run in runs:
        done = machine.run(run)
        results.append((done.returncode, normaliser.lines(done.stdout), normaliser.lines(done.stderr)))
    return results


@pytest.mark.parametrize("name", NAMES)
def test_a_changed_transcript_follows_the_same_rules(name: str) -> None:
    transcript: dict[str, Any] = read_transcript(HERE / "transcripts" / "overlay2" / f"{name}.json")
    files = {changed(path): changed(text) for path, text in transcript["files"].items()}
    files = {path.replace("Docker" + "file", "Dockerfile"): text for path, text in files.items()}
    runs = [changed(step["run"]) for step in transcript["steps"]]
    assert runs != [step["run"] for step in transcript["steps"]] or files != transcript["files"]
    results = play(files, runs)
    there: dict[str, str] = {}
    for step, (status, stdout, stderr) in zip(transcript["steps"], results, strict=True):
        assert status == step["exit"], step["run"]
        for recorded, lines in ((step["stdout"], stdout), (step["stderr"], stderr)):
            _compare(step["run"], [changed(line) for line in recorded], lines, there)
    ids = [(old, new) for old, new in there.items() if old.startswith("<")]
    assert len({new for _, new in ids}) == len(ids)  # what was different stays different


def _compare(run: str, expected: list[str], actual: list[str], there: dict[str, str]) -> None:
    """The same lines but for ids and sizes, in any order of names; equal ids and sizes stay equal."""
    expected, actual = sorted(expected, key=_shape), sorted(actual, key=_shape)
    assert [_shape(line) for line in expected] == [_shape(line) for line in actual], run
    for old, new in zip(expected, actual, strict=True):
        if "…" not in old + new:
            for before, after in zip(MASKED.findall(old), MASKED.findall(new), strict=True):
                assert there.setdefault(before, after) == after, (run, old, new)


def _shape(line: str) -> str:
    """A line without ids and sizes; of a command that is cut short, the beginning."""
    return MASKED.sub("#", line[:9] if "…" in line or "# buildkit" in line else line)
