"""What can be assigned to in awk, and patterns between slashes."""

from __future__ import annotations

from collections.abc import Callable

from labkit.userland.awk.machine import AwkMachine, Code, text
from labkit.userland.awk.values import Value, ere, number
from labkit.userland.guarded import Searchable, guarded

Key = Callable[[AwkMachine], str]  # of an element of an array


class Lvalue:
    """Something with a value that can be set."""

    def __call__(self, machine: AwkMachine) -> Value:
        raise NotImplementedError

    def put(self, machine: AwkMachine, value: Value) -> None:
        raise NotImplementedError


class AwkVariable(Lvalue):
    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, machine: AwkMachine) -> Value:
        return machine.scalar(self.name)

    def put(self, machine: AwkMachine, value: Value) -> None:
        machine.set(self.name, value)


class ArrayElement(Lvalue):
    def __init__(self, name: str, key: Key) -> None:
        self.name = name
        self.key = key

    def __call__(self, machine: AwkMachine) -> Value:
        return machine.array(self.name).setdefault(self.key(machine), None)

    def put(self, machine: AwkMachine, value: Value) -> None:
        machine.array(self.name)[self.key(machine)] = value


class FieldReference(Lvalue):
    def __init__(self, index: Code) -> None:
        self.index = index

    def __call__(self, machine: AwkMachine) -> Value:
        return machine.field(int(number(self.index(machine))))

    def put(self, machine: AwkMachine, value: Value) -> None:
        machine.set_field(int(number(self.index(machine))), text(machine, value))


class RegexLiteral:
    """A pattern between slashes: by itself it is matched against the record."""

    def __init__(self, pattern: Searchable) -> None:
        self.pattern = pattern

    def __call__(self, machine: AwkMachine) -> Value:
        return float(self.pattern.search(machine.record) is not None)


def pattern_of(machine: AwkMachine, code: Code) -> Searchable:
    if isinstance(code, RegexLiteral):
        return code.pattern
    return guarded(ere(text(machine, code(machine))), machine.tool.tick)


def key_of(keys: list[Code]) -> Key:
    if len(keys) == 1:
        only = keys[0]
        return lambda machine: text(machine, only(machine))
    return lambda machine: machine.setting("SUBSEP").join(text(machine, key(machine)) for key in keys)
