"""Calls of an awk program's own functions, and getline."""

from __future__ import annotations

import re
from collections.abc import Iterator

from labkit.userland.awk.lvalues import AwkVariable, Lvalue
from labkit.userland.awk.machine import AwkJump, AwkMachine, Code, text
from labkit.userland.awk.values import Cell, StrNum, Value, ere, split_by
from labkit.userland.tool import text_of


def function_call(name: str, arguments: list[Code]) -> Code:
    def run(machine: AwkMachine) -> Value:
        if name not in machine.functions:
            machine.tool.fail(f"function {name} never defined", 2)
        parameters, body = machine.functions[name]
        values: dict[str, Cell] = dict.fromkeys(parameters)
        for parameter, argument in zip(parameters, arguments, strict=False):
            values[parameter] = _passed(machine, argument)
        saved, machine.locals = machine.locals, values
        try:
            machine.tool.tick()
            body(machine)
        except AwkJump as jump:
            if jump.kind != "return":
                raise
            return jump.value
        finally:
            machine.locals = saved
        return None

    return run


def _passed(machine: AwkMachine, argument: Code) -> Cell:
    """An array goes by reference."""
    return machine.get(argument.name) if isinstance(argument, AwkVariable) else argument(machine)


def reading(place: Lvalue | None, source: Code | None) -> Code:
    def run(machine: AwkMachine) -> float:
        if source is not None:
            name = text(machine, source(machine))
            if name not in machine.opened:
                try:
                    machine.opened[name] = records(machine, name)
                except OSError:
                    return -1.0
            line = next(machine.opened[name], None)
        else:
            line = next(machine.reader, None)
        if line is None:
            return 0.0
        if source is None:
            machine.count("NR")
        if place is None:
            machine.set_record(line)
        else:
            place.put(machine, StrNum(line))
        return 1.0

    return run


def records(machine: AwkMachine, path: str) -> Iterator[str]:
    tool = machine.tool
    content = tool.content(path)
    separator = machine.setting("RS")
    if separator == "\n":
        return (text_of(line.removesuffix(b"\n")) for line in tool.lines(content))
    whole = text_of(tool.whole(content))
    if separator == "":
        return iter([part for part in re.split(r"\n\n+", whole.strip("\n")) if part])
    parts = whole.split(separator) if len(separator) == 1 else split_by(ere(separator), whole)
    return iter(parts[:-1] if parts and parts[-1] in ("", "\n") else parts)
