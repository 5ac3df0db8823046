"""Machines for exercises: made as the record says, and what a learner typed played on them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict, cast

from labkit.course.record import Answer, Exercise

if TYPE_CHECKING:
    from labkit.machine import Completed, Machine, Snapshot

HOME = "/home/learner"
MOST_INPUTS = 400  # of one answer
LONGEST = 64 << 10  # characters of one answer
MOST_STEPS = 3_000_000  # of one answer
ADVICE = re.compile(r"Run '.*' for more information$|Usage: ")  # what docker prints below its message
_made: dict[str, tuple[Machine, Snapshot]] | None = None  # see reusing_machines
HEREDOC = re.compile(r"<<-?\s*(['\"]?)([A-Za-z_][A-Za-z_0-9]*)\1")


class AnswerError(Exception):
    """An answer that cannot be read as one; str() is the sentence that its author gets."""


@dataclass(frozen=True)
class Played:
    """One input and how it ended."""

    line: str
    returncode: int
    error: str  # the last line that it wrote to stderr, apart from docker's advice; "" where it succeeded


@contextmanager
def reusing_machines() -> Iterator[None]:
    """In here a fresh machine may be one of before, put back as it was: for who is done with each before the next."""
    global _made
    _made, before = {}, _made
    try:
        yield
    finally:
        _made = before


def fresh_machine(exercise: Exercise, *, shown: bool = False) -> Machine:
    """A machine as the exercise starts from; `shown`: as the learner sees it, explain's cause included."""
    if _made is None:
        return _new_machine(exercise, shown)
    key = repr((exercise.setup, exercise.own.get("cause") if shown else None))
    if key not in _made:
        machine = _new_machine(exercise, shown)
        _made[key] = machine, machine.snapshot()
    machine, start = _made[key]
    machine.restore(start)
    return machine


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
    from labkit.machine import Machine

    return Machine(**cast(MachineOptions, dict(options)))  # names and values are looked at by Machine itself


def _new_machine(exercise: Exercise, shown: bool) -> Machine:
    machine = machine_with(exercise.setup.machine)
    for path, text in exercise.setup.files.items():
        whole = path if path.startswith("/") else f"{HOME}/{path}"
        machine.files.makedirs(whole.rpartition("/")[0])
        machine.files.write(whole, text)
    for command in exercise.setup.commands:
        machine.run(command)
    for command in exercise.own.get("cause", ()) if shown else ():
        machine.run(command)
    return machine


def play(machine: Machine, inputs: Sequence[str]) -> list[Played]:
    """All of an answer's inputs, in a terminal; after one that had to be stopped, or too many steps, no further one."""
    from labkit.machine import Terminal

    terminal = Terminal(machine)
    played = []
    for line in inputs:
        done = terminal.run(line)
        played.append(Played(line, done.returncode, _last_line(done)))
        if terminal.runaway or terminal.spent > MOST_STEPS:
            break
    return played


def _last_line(done: Completed) -> str:
    lines = [line for line in (done.stderr or "").splitlines() if line.strip() and not ADVICE.match(line)]
    return lines[-1] if lines and done.returncode else ""


def inputs_of(answer: object) -> list[str]:
    """The inputs of an answer by commands: a list of them, or a text with one a line (a here-document stays one)."""
    inputs = split_inputs(answer) if isinstance(answer, str) else answer
    if not isinstance(inputs, list) or not all(isinstance(line, str) for line in inputs):
        raise AnswerError("the answer must be commands: a text, or a list of texts")
    if len(inputs) > MOST_INPUTS or sum(map(len, inputs)) > LONGEST:
        raise AnswerError(f"the answer is longer than {MOST_INPUTS} commands or {LONGEST >> 10} KiB")
    if any("\0" in line for line in inputs):
        raise AnswerError("the answer has a NUL character in it")
    return inputs


def split_inputs(text: str) -> list[str]:
    """A script as the inputs that a person would type; here-documents, continued lines, open quotes stay whole."""
    inputs: list[str] = []
    open_input: list[str] = []
    until = ""
    for line in text.splitlines():
        open_input.append(line)
        if until:
            until = "" if line.lstrip("\t") == until else until
        elif found := HEREDOC.search(line):
            until = found[2]
        if until or _goes_on("\n".join(open_input)):
            continue
        inputs.append("\n".join(open_input))
        open_input = []
    inputs += ["\n".join(open_input)] if open_input else []
    return [line for line in inputs if line.strip() and not line.lstrip().startswith("#")]


def _goes_on(text: str) -> bool:
    """Does a shell wait for more after this? (a backslash at the end, an open quote; not inside a here-document)"""
    if HEREDOC.search(text):
        return False
    quote, escaped = "", False
    for character in text:
        if escaped:
            escaped = False
        elif character == "\\" and quote != "'":
            escaped = True
        elif quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
    return bool(quote) or escaped


def answer_text(answer: Answer) -> str:
    """An answer as a person would type it."""
    if isinstance(answer, str):
        return answer.strip()
    if isinstance(answer, list):
        return "\n".join(str(line) for line in answer)
    return "\n".join(f"{item}: {label}" for item, label in answer.items())
