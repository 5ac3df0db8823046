"""Machines as exercises start from them: setups that begin alike are played once.

A setup is a list of steps on a machine made with some options. What a machine becomes is a function of these alone, so
a machine that is put back to where it was after the same steps is as good as a new one. `SetupTree` keeps one machine
for each kind of options, and where it was after each step of each setup.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypedDict, TypeVar, cast

from labkit.kernel.golang import Json
from labkit.machine import Machine, Snapshot

HOME = "/home/learner"
MOST_MOMENTS = 1_000  # that a tree keeps; 10 to 100 kB each
MOST_FACTS = 20_000  # that a tree remembers
Fact = TypeVar("Fact")


class MachineOptions(TypedDict, total=False):
    """What a machine can be asked for."""

    system: str
    storage_driver: str | None
    image_store: str
    engine: str | None
    distribution: str | None
    kernel: str | None
    backing: str | None
    storage_options: list[str]


def machine_with(options: Mapping[str, object]) -> Machine:
    """A machine with these options, which may be anybody's: TypeError and ValueError where it has no such."""
    return Machine(**cast(MachineOptions, dict(options)))  # names and values are looked at by Machine itself


def write_file(machine: Machine, path: str, text: str) -> None:
    """A file of the host, its folder too where that is missing; a relative path starts in /home/learner."""
    whole = path if path.startswith("/") else f"{HOME}/{path}"
    folder = whole.rpartition("/")[0]
    if folder and not machine.files.is_dir(folder):
        machine.files.makedirs(folder)
    machine.files.write(whole, text)


class SetupStep(NamedTuple):
    """A file with its text, or, without a path, a command."""

    text: str
    path: str = ""

    def do(self, machine: Machine) -> None:
        if self.path:
            write_file(machine, self.path, self.text)
        else:
            machine.run(self.text)


def set_up(options: Mapping[str, Json], steps: Sequence[SetupStep]) -> Machine:
    """A machine of one's own, after these steps."""
    machine = machine_with(options)
    for step in steps:
        step.do(machine)
    return machine


@dataclass(eq=False, slots=True)
class _Moment:
    """The machine after a step, and what was done next."""

    saved: Snapshot
    following: dict[SetupStep, _Moment] = field(default_factory=dict)


class SetupTree:
    """What was set up before, restored: for who is done with each machine before asking for the next."""

    def __init__(self) -> None:
        self._machines: dict[str, tuple[Machine, _Moment]] = {}
        self._moments = 0
        self._facts: dict[str, object] = {}

    def set_up(self, options: Mapping[str, Json], steps: Sequence[SetupStep]) -> Machine:
        """As `set_up`: the machine is the same one each time."""
        if self._moments > MOST_MOMENTS:
            self._machines, self._moments = {}, 0  # what is needed again comes again
        key = repr(sorted(options.items()))
        if key not in self._machines:
            machine = machine_with(options)
            self._machines[key] = machine, _Moment(machine.snapshot())
        machine, moment = self._machines[key]
        done = 0
        while done < len(steps) and (after := moment.following.get(steps[done])):
            moment, done = after, done + 1
        machine.restore(moment.saved)
        for step in steps[done:]:
            step.do(machine)
            moment.following[step] = moment = _Moment(machine.snapshot())
            self._moments += 1
        return machine

    def known(self, key: tuple[object, ...], find: Callable[[], Fact]) -> Fact:
        """What `find` finds out; for the same key (which goes by its repr) it is found out once."""
        if len(self._facts) > MOST_FACTS:
            self._facts.clear()
        text = repr(key)
        if text not in self._facts:
            self._facts[text] = find()
        return cast("Fact", self._facts[text])  # as it was put there
