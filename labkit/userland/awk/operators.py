"""awk's operators as code."""

from __future__ import annotations

import math
from collections.abc import Callable

from labkit.userland.awk.lvalues import Key, Lvalue, pattern_of
from labkit.userland.awk.machine import AwkMachine, Code, compared, text
from labkit.userland.awk.values import Value, number, truth


def assignment(place: Lvalue, operator: str, value: Code) -> Code:
    def run(machine: AwkMachine) -> Value:
        new = value(machine)
        if operator:
            new = _calculated(machine, number(place(machine)), operator.replace("**", "^"), number(new))
        place.put(machine, new)
        return new

    return run


def _calculated(machine: AwkMachine, left: float, operator: str, right: float) -> float:
    if operator in ("/", "%") and right == 0:
        machine.tool.fail(
            "division by zero" + (" in %" if operator == "%" else "")
            if machine.tool.gnu
            else "cmd. line:1: Division by zero",
            2 if machine.tool.gnu else 1,
        )
    try:
        return _ARITHMETIC[operator](left, right)
    except OverflowError:
        return math.inf


_ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "/": lambda left, right: left / right,
    "%": math.fmod,
    "^": math.pow,
}


def arithmetic(left: Code, operator: str, right: Code) -> Code:
    return lambda machine: _calculated(machine, number(left(machine)), operator, number(right(machine)))


def increment(place: Lvalue, by: float, *, before: bool) -> Code:
    def run(machine: AwkMachine) -> float:
        old = number(place(machine))
        place.put(machine, old + by)
        return old + by if before else old

    return run


def disjunction(left: Code, right: Code) -> Code:
    return lambda machine: float(truth(left(machine)) or truth(right(machine)))


def conjunction(left: Code, right: Code) -> Code:
    return lambda machine: float(truth(left(machine)) and truth(right(machine)))


def membership(key: Key, name: str) -> Code:
    return lambda machine: float(key(machine) in machine.array(name))


def matching(left: Code, right: Code, negated: bool) -> Code:
    def run(machine: AwkMachine) -> float:
        subject = text(machine, left(machine))
        return float((pattern_of(machine, right).search(subject) is not None) != negated)

    return run


_ORDER: dict[str, Callable[[int], bool]] = {
    "<": lambda sign: sign < 0,
    "<=": lambda sign: sign <= 0,
    "==": lambda sign: sign == 0,
    "!=": lambda sign: sign != 0,
    ">": lambda sign: sign > 0,
    ">=": lambda sign: sign >= 0,
}


def ordering(left: Code, word: str, right: Code) -> Code:
    return lambda machine: float(_ORDER[word](compared(machine, left(machine), right(machine))))


def joining(left: Code, right: Code) -> Code:
    def run(machine: AwkMachine) -> str:
        joined = text(machine, left(machine)) + text(machine, right(machine))
        if len(joined) > 1024:
            machine.tool.hold(len(joined))
        return joined

    return run
