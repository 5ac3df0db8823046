"""`labkit replay`: play transcripts and say which match.

The format is told in tests/conformance/README.md. Both sides go through one normaliser; what a machine prints is never
taken from a transcript. Exit status: 0 all match, 1 some differ, 2 a file can't be used.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path
from typing import NotRequired, TypedDict

from labkit.catalog.images import base_archive
from labkit.conformance.normalise import Normaliser
from labkit.files import Content
from labkit.machine import Machine, Snapshot

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
    files: NotRequired[dict[str, str]]


class UnusableError(Exception):
    """A file that can't be played; str() names it and says why."""


@dataclass(frozen=True)
class Difference:
    """The first step that differs, from 1, and what it should be and is, as lines."""

    step: int
    expected: list[str]
    actual: list[str]

    def unified(self, name: str) -> str:
        lines = unified_diff(self.expected, self.actual, f"{name} recorded", f"{name} simulated", lineterm="")
        return "\n".join(lines)


class Player:
    """Plays transcripts, each on a machine as it is right after its set-up."""

    def __init__(self) -> None:
        self._fresh: dict[tuple[str, Path], tuple[Machine, Snapshot]] = {}

    def play(self, transcript: Transcript, base: Path) -> Difference | None:
        """The first difference, or None."""
        machine = self._machine(transcript["engine"], base)
        put_files(machine, transcript.get("files", {}))
        normaliser = Normaliser()
        for number, step in enumerate(transcript["steps"], 1):
            try:
                done = machine.run(step["run"])
            except Exception as error:  # a fault of ours: it is shown as a difference, and the others are played
                return Difference(number, _recorded(step), [f"$ {step['run']}", f"-- {error!r}"])
            actual = _lines(step["run"], done.returncode, normaliser.lines(done.stdout), normaliser.lines(done.stderr))
            if actual != _recorded(step):
                return Difference(number, _recorded(step), actual)
        return None

    def _machine(self, engine: str, base: Path) -> Machine:
        key = (engine, base)
        if key not in self._fresh:
            machine = conformance_machine(engine, read_base(base))
            self._fresh[key] = (machine, machine.snapshot())
        machine, saved = self._fresh[key]
        machine.restore(saved)
        return machine


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


def _recorded(step: RecordedStep) -> list[str]:
    return _lines(step["run"], step["exit"], step["stdout"], step["stderr"])


def _lines(run: str, status: int, stdout: list[str], stderr: list[str]) -> list[str]:
    return [f"$ {run}", *stdout, "-- stderr", *stderr, f"-- exit {status}"]


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
