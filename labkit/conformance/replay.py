"""`labkit replay`: play transcripts and say which match.

The format is told in tests/conformance/README.md. Both sides go through one normaliser; what a machine prints is never
taken from a transcript. Exit status: 0 all match, 1 some differ, 2 a file can't be used.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path
from typing import NotRequired, TypedDict

from labkit.catalog.images import base_archive
from labkit.conformance.normalise import Normaliser
from labkit.files import Content
from labkit.machine import Machine

BASE_IMAGE = "busybox:latest"
ENGINES: dict[str, dict[str, str]] = {
    "overlay2": {"storage_driver": "overlay2"},
    "containerd": {"image_store": "containerd"},
    "vfs": {"storage_driver": "vfs"},
}


class RecordedStep(TypedDict):
    """What a real engine's machine said to a line."""

    run: str
    exit: int
    stdout: list[str]
    stderr: list[str]


class Transcript(TypedDict):
    name: str
    engine: str
    steps: list[RecordedStep]
    topic: NotRequired[str]
    shows: NotRequired[str]
    files: NotRequired[dict[str, str]]


class UnusableError(Exception):
    """A file that can't be played; str() names it and says why."""


@dataclass(frozen=True)
class Difference:
    """The first step that differs, from 1, and what it should be and is, as lines."""

    step: int
    expected: list[str]
    actual: list[str]

    def unified(self, name: str, by: str = "recorded") -> str:
        lines = unified_diff(self.expected, self.actual, f"{name} {by}", f"{name} simulated", lineterm="")
        return "\n".join(lines)


class Simulated:
    """A machine that plays scenario after scenario, each as it is right after its set-up."""

    def __init__(self, engine: str, base: Content) -> None:
        self._machine = conformance_machine(engine, base)
        self._fresh = self._machine.snapshot()

    def play(self, files: dict[str, str], runs: Iterable[str]) -> Iterator[RecordedStep]:
        """What it says to each line. A fault of ours shows as its answer, so that the others are played."""
        self._machine.restore(self._fresh)
        put_files(self._machine, files)
        normaliser = Normaliser()
        for run in runs:
            try:
                done = self._machine.run(run)
            except Exception as error:
                yield {"run": run, "exit": -1, "stdout": [], "stderr": [repr(error)]}
                return
            stdout, stderr = normaliser.lines(done.stdout), normaliser.lines(done.stderr)
            yield {"run": run, "exit": done.returncode, "stdout": stdout, "stderr": stderr}


class Player:
    """Plays transcripts."""

    def __init__(self) -> None:
        self._sides: dict[tuple[str, Path], Simulated] = {}

    def play(self, transcript: Transcript, base: Path) -> Difference | None:
        """The first difference, or None."""
        key = (transcript["engine"], base)
        if key not in self._sides:
            self._sides[key] = Simulated(transcript["engine"], read_base(base))
        runs = [step["run"] for step in transcript["steps"]]
        played = self._sides[key].play(transcript.get("files", {}), runs)
        for number, (recorded, step) in enumerate(zip(transcript["steps"], played, strict=False), 1):
            if lines_of(step) != lines_of(recorded):
                return Difference(number, lines_of(recorded), lines_of(step))
        return None


def conformance_machine(engine: str, base: Content) -> Machine:
    """A machine as the recordings start on: with the base image alone, from which its builder has built before."""
    machine = Machine(**ENGINES[engine])
    machine.engine.import_image(base, BASE_IMAGE, ['CMD ["sh"]'], "Imported from -")
    for chain, _ in list(machine.engine.tables.layers.items()):
        machine.engine.layerstore.keep(chain)
    machine.environment["COLUMNS"] = "200"
    machine.environment["BUILDKIT_PROGRESS"] = "plain"
    return machine


def put_files(machine: Machine, files: dict[str, str]) -> None:
    """Lay a transcript's files in the learner's folder."""
    for name, text in files.items():
        path = f"/home/learner/{name}"
        machine.files.makedirs(path.rpartition("/")[0])
        machine.files.write(path, text)


def lines_of(step: RecordedStep) -> list[str]:
    """A step as lines to compare and to show."""
    return [f"$ {step['run']}", *step["stdout"], "-- stderr", *step["stderr"], f"-- exit {step['exit']}"]


def read_base(path: Path) -> Content:
    """The archive that the base image is imported from, made of its list of files. Raises UnusableError."""
    try:
        return base_archive(json.loads(path.read_text()))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UnusableError(f"{path}: not a base image's list of files: {error}") from None


def read_transcript(path: Path) -> Transcript:
    """One transcript, its shape checked. Raises UnusableError."""
    try:
        transcript: Transcript = json.loads(path.read_text())
        if transcript["engine"] not in ENGINES:
            raise UnusableError(f"{path}: unknown engine {transcript['engine']!r}; one of {', '.join(ENGINES)}")
        for step in transcript["steps"]:
            _ = step["run"], step["exit"], step["stdout"], step["stderr"]
        _ = transcript["name"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UnusableError(f"{path}: not a transcript: {error!r}") from None
    return transcript


def find(paths: list[str]) -> Iterator[Path]:
    """The transcripts that these files and folders stand for, sorted within a folder. Raises UnusableError."""
    for name in paths:
        path = Path(name)
        found = sorted(path.rglob("*.json")) if path.is_dir() else [path]
        found = [file for file in found if path.is_file() or file.name != "base.json"]
        if not found or not path.exists():
            raise UnusableError(f"{name}: no transcript there")
        yield from found


def nearest_base(path: Path) -> Path:
    """The base.json in the nearest folder above. Raises UnusableError."""
    for folder in path.resolve().parents:
        if (folder / "base.json").is_file():
            return folder / "base.json"
    raise UnusableError(f"{path}: no base.json in a folder above; name one with --base")


def main(paths: list[str], base: str | None = None, verbose: bool = False, say: Callable[[str], None] = print) -> int:
    """The command. Returns the exit status."""
    player, total, matching = Player(), 0, 0
    try:
        for path in list(find(paths)):
            transcript = read_transcript(path)
            difference = player.play(transcript, Path(base) if base else nearest_base(path))
            total += 1
            matching += difference is None
            say(
                f"ok {transcript['name']}"
                if difference is None
                else f"differs {transcript['name']} step {difference.step}"
            )
            if difference is not None and verbose:
                say(difference.unified(transcript["name"]))
    except UnusableError as error:
        say(f"labkit replay: {error}")
        return 2
    say(f"{matching} of {total} transcripts match")
    return 0 if matching == total else 1
