"""`labkit compare` and `labkit record`: scenarios, or sequences drawn at random, on the reader's own Docker Engine.

Both need the extra "compare". Exit status of compare: 0 all equal, 1 some differ, 2 it can't be done.
"""

from __future__ import annotations

import json
import re
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from importlib.resources import files as data_of
from pathlib import Path
from typing import Protocol

from labkit.catalog.images import base_archive
from labkit.conformance.basearchive import NoBaseError, listing, make_base
from labkit.conformance.ownengine import Described, EngineError, OwnEngine, Wanted
from labkit.conformance.replay import Difference, RecordedStep, Simulated, Transcript, UnusableError, lines_of
from labkit.conformance.scenarios import Scenario, read_scenarios
from labkit.conformance.sequences import sequences, smallest_that_differs
from labkit.drivers.choice import numbers

SIMULATED = "29"


class Side(Protocol):
    """What plays a scenario: an engine, or labkit."""

    def play(self, files: dict[str, str], runs: tuple[str, ...]) -> Iterator[RecordedStep]: ...


@dataclass(frozen=True)
class Asked:
    """What the command was given."""

    scenarios: list[str]
    random: int = 0
    seed: int = 0
    base: Path | None = None
    wanted: Wanted = field(default_factory=Wanted)
    verbose: bool = False
    going_on: bool = False  # after the first difference


class Rewording:
    """What an engine of another version says otherwise, as versions.toml has it."""

    def __init__(self, client: str, server: str) -> None:
        """Raises EngineError."""
        try:
            versions = {"client": numbers(client), "server": numbers(server)}
        except ValueError as error:
            raise EngineError(str(error)) from None
        rows = tomllib.loads(data_of(__package__).joinpath("versions.toml").read_text()).get("difference", [])
        self._rows = [
            (re.compile(row["then"], re.MULTILINE), row.get("now", ""))
            for row in rows
            if versions[row["of"]] < numbers(row["before"])
        ]

    def reworded(self, lines: list[str]) -> list[str]:
        text = "\n".join(lines)
        for pattern, now in self._rows:
            text = pattern.sub(now, text)
        return text.split("\n")


@dataclass
class Comparison:
    """Plays on both sides, and counts."""

    engine: Side
    simulated: Side
    rewording: Rewording
    steps: int = 0
    equal: int = 0
    known: int = 0  # equal but for what the version words otherwise
    scenarios: int = 0
    differing: int = 0

    def add(self, other: Comparison) -> None:
        self.steps += other.steps
        self.equal += other.equal
        self.known += other.known
        self.scenarios += other.scenarios

    def first_difference(self, scenario: Scenario) -> Difference | None:
        """As an older engine's words are now, where the difference is another one than its version's."""
        self.scenarios += 1
        ours = self.simulated.play(scenario.files, scenario.runs)
        played = self.engine.play(scenario.files, scenario.runs)
        with closing(played), closing(ours):  # type: ignore[type-var]
            for number, (there, here) in enumerate(zip(played, ours, strict=False), 1):
                self.steps += 1
                expected, actual = lines_of(there), lines_of(here)
                if expected == actual:
                    self.equal += 1
                    continue
                expected, actual = self.rewording.reworded(expected), self.rewording.reworded(actual)
                if expected != actual:
                    self.differing += 1
                    return Difference(number, expected, actual)
                self.known += 1
        return None


@contextmanager
def _both(asked: Asked) -> Iterator[tuple[OwnEngine, Path]]:
    """The engine, found empty, and the base image's tar file."""
    with tempfile.TemporaryDirectory() as folder:
        base = asked.base or Path(folder) / "base.tar"
        if not asked.base:
            make_base(base)
        yield OwnEngine(asked.wanted, base), base


def compare(asked: Asked, say: Callable[[str], None] = print) -> int:
    """The command. Returns the exit status."""
    try:
        with _both(asked) as (engine, base):
            told = engine.described
            say(f"engine {told.server}, client {told.client}, {told.name}; labkit simulates {SIMULATED}")
            simulated = Simulated(told.name, base_archive(listing(base)))
            comparison = Comparison(engine, simulated, Rewording(told.client, told.server))
            if asked.random:
                compare_random(comparison, asked, say)
            else:
                for scenario in read_scenarios(asked.scenarios, told.name):
                    compare_one(comparison, _cut(engine, scenario, say), asked, say)
                    if comparison.differing and not asked.going_on:
                        break
    except (EngineError, NoBaseError, UnusableError) as error:
        say(f"labkit compare: {error}")
        return 2
    return summary(comparison, say)


def summary(comparison: Comparison, say: Callable[[str], None]) -> int:
    """Say the counts. Returns the exit status."""
    known = f", {comparison.known} of them but for what the version words otherwise" if comparison.known else ""
    say(f"{comparison.equal + comparison.known} of {comparison.steps} steps are equal{known}")
    say(f"{comparison.scenarios - comparison.differing} of {comparison.scenarios} scenarios are equal")
    return 1 if comparison.differing else 0


def compare_one(comparison: Comparison, scenario: Scenario, asked: Asked, say: Callable[[str], None]) -> bool:
    """Whether both sides say the same; it says which, and how they differ."""
    difference = comparison.first_difference(scenario)
    if difference is None:
        if asked.verbose:
            say(f"ok {scenario.name}")
        return True
    say(f"differs {scenario.name} step {difference.step}")
    say(difference.unified(scenario.name, "on the engine"))
    return False


def compare_random(comparison: Comparison, asked: Asked, say: Callable[[str], None]) -> None:
    """Sequences until one differs, which is shrunk; or all, each with its first difference."""
    if asked.going_on:
        for scenario in sequences(asked.random, asked.seed):
            compare_one(comparison, scenario, asked, say)
        return
    for number in range(1, asked.random + 1):
        if smallest := _played(comparison, asked.seed, number, say):
            for name, text in smallest.files.items():
                if any(name.split("/")[0] in run for run in smallest.runs):
                    say(f"# {name}: {text!r}")
            for run in smallest.runs:
                say(run)
            compare_one(comparison, smallest, asked, say)
            return


def _played(comparison: Comparison, seed: int, number: int, say: Callable[[str], None]) -> Scenario | None:
    """A drawn sequence, counted if it is equal; else the smallest that differs."""
    tried = Comparison(comparison.engine, comparison.simulated, comparison.rewording)
    smallest = smallest_that_differs(seed, number, lambda one: tried.first_difference(one) is None)
    if smallest is None:
        comparison.add(tried)
    else:
        say(f"{smallest.name} differs; the smallest such sequence, after {tried.scenarios} plays:")
    return smallest


def _cut(engine: OwnEngine, scenario: Scenario, say: Callable[[str], None]) -> Scenario:
    """The scenario as far as the engine can play it."""
    runs = engine.playable(scenario.runs)
    if len(runs) == len(scenario.runs):
        return scenario
    say(f"{scenario.name}: {len(runs)} of {len(scenario.runs)} steps; the next needs files of the engine's machine")
    return Scenario(scenario.name, runs, scenario.files, scenario.topic, scenario.shows)


def record(asked: Asked, out: Path, say: Callable[[str], None] = print) -> int:
    """The command. Returns the exit status."""
    try:
        with _both(asked) as (engine, _):
            told: Described = engine.described
            drawn = sequences(asked.random, asked.seed) if asked.random else read_scenarios(asked.scenarios, told.name)
            out.mkdir(parents=True, exist_ok=True)
            for scenario in drawn:
                transcript = recording(engine, _cut(engine, scenario, say), told.name)
                target = out / f"{scenario.name}.json"
                target.write_text(json.dumps(transcript, indent=1, ensure_ascii=False) + "\n")
                say(f"{target} {' '.join(str(step['exit']) for step in transcript['steps'])}")
    except (EngineError, NoBaseError, UnusableError) as error:
        say(f"labkit record: {error}")
        return 2
    return 0


def recording(side: Side, scenario: Scenario, engine: str) -> Transcript:
    """A scenario as a side plays it, in the format of recordings."""
    return {
        "name": scenario.name,
        "topic": scenario.topic,
        "shows": scenario.shows,
        "engine": engine,
        "files": scenario.files,
        "steps": list(side.play(scenario.files, scenario.runs)),
    }
