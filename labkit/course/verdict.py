"""What is found out about an answer: the verdict that each kind of exercise gives, and what all kinds share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from labkit.course.checks import CheckResult, evaluate
from labkit.course.machines import LONGEST, AnswerError, Facts, Played, fresh_machine
from labkit.course.record import Assertion, Exercise
from labkit.machine import Machine


@dataclass(frozen=True)
class Verdict:
    """What a kind found out about an answer."""

    results: tuple[CheckResult, ...]
    text: str  # the answer as text, for mistakes that are seen in it
    facts: Facts | None = None  # of what the answer led to; where machines are used again, until the next is made
    played: tuple[Played, ...] = ()
    printed: str = ""  # predict: what the simulator says

    @property
    def machine(self) -> Machine | None:
        return self.facts.machine if self.facts else None


def check_all(facts: Facts, checks: Sequence[Assertion]) -> tuple[CheckResult, ...]:
    return tuple(evaluate(facts, each) for each in checks)


def facts_of(exercise: Exercise) -> Facts:
    """A fresh machine, not yet answered on, with what checks compare it with: how it began, and what is shown."""
    machine = fresh_machine(exercise)
    start, shown = machine.snapshot(), None
    if exercise.own.cause:
        for command in exercise.own.cause:
            machine.run(command)
        shown = machine.snapshot()
        machine.restore(start)
    return Facts(machine, start, shown)


def answer_word(answer: object) -> str:
    if answer is None or (isinstance(answer, str) and not answer.strip()):
        raise AnswerError("nothing is chosen or written yet")
    if not isinstance(answer, str):
        raise AnswerError("the answer must be a text")
    if len(answer) > LONGEST:
        raise AnswerError(f"the answer is longer than {LONGEST >> 10} KiB")
    return answer.strip()


def answer_lines(answer: object) -> list[str]:
    lines = answer.splitlines() if isinstance(answer, str) else answer
    if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
        raise AnswerError("the answer must be a list of lines")
    return [line.strip() for line in lines if line.strip()]
