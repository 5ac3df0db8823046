"""awk's statements as code."""

from __future__ import annotations

from labkit.userland.awk.lvalues import Key
from labkit.userland.awk.machine import AwkJump, AwkMachine, Code, formatted, text
from labkit.userland.awk.values import StrNum, truth
from labkit.userland.tool import bytes_of


def sequence(statements: list[Code]) -> Code:
    def run(machine: AwkMachine) -> None:
        for statement in statements:
            machine.tool.tick()
            statement(machine)

    return run


def branch(test: Code, then: Code, other: Code | None) -> Code:
    def run(machine: AwkMachine) -> None:
        if truth(test(machine)):
            then(machine)
        elif other:
            other(machine)

    return run


def looping(test: Code | None, body: Code, step: Code | None, *, first: bool) -> Code:
    def run(machine: AwkMachine) -> None:
        ask = first
        while not ask or test is None or truth(test(machine)):
            ask = True
            machine.tool.tick()
            try:
                body(machine)
            except AwkJump as jump:
                if jump.kind == "break":
                    return
                if jump.kind != "continue":
                    raise
            if step:
                step(machine)

    return run


def for_in(name: str, array: str, body: Code) -> Code:
    def run(machine: AwkMachine) -> None:
        for key in list(machine.array(array)):
            machine.set(name, StrNum(key))
            try:
                body(machine)
            except AwkJump as jump:
                if jump.kind == "break":
                    return
                if jump.kind != "continue":
                    raise

    return run


def leaving(kind: str, value: Code | None) -> Code:
    def run(machine: AwkMachine) -> None:
        raise AwkJump(kind, value(machine) if value else None)

    return run


def deletion(name: str, key: Key | None) -> Code:
    def run(machine: AwkMachine) -> None:
        if key is None:
            machine.array(name).clear()
        else:
            machine.array(name).pop(key(machine), None)

    return run


def output(word: str, arguments: list[Code], how: str, target: Code | None) -> Code:
    def run(machine: AwkMachine) -> None:
        if word == "printf":
            values = [argument(machine) for argument in arguments]
            line = formatted(machine, text(machine, values[0]) if values else "", values[1:])
        else:
            shown = (
                [text(machine, argument(machine), "OFMT") for argument in arguments] if arguments else [machine.record]
            )
            line = machine.setting("OFS").join(shown) + machine.setting("ORS")
        write_out(machine, bytes_of(line), how, text(machine, target(machine)) if target else "")

    return run


def write_out(machine: AwkMachine, data: bytes, how: str, target: str) -> None:
    tool = machine.tool
    if not how or target == "/dev/stdout":
        tool.out(data)
    elif target == "/dev/stderr":
        tool.process.stderr.write(data)
    elif how == "|":
        machine.written.setdefault("|" + target, []).append(data)
    else:
        if target not in machine.written:
            machine.written[target] = []
            if how == ">":
                tool.files.write(target, b"")
        tool.files.append(target, data)
