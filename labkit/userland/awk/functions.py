"""awk's builtin functions."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

from labkit.kernel.process import Input
from labkit.userland.awk.lvalues import AwkVariable, FieldReference, Lvalue, RegexLiteral, pattern_of
from labkit.userland.awk.machine import AwkMachine, Code, formatted, text
from labkit.userland.awk.values import StrNum, Value, number, split_by, split_text
from labkit.userland.tool import Say


def _do_substitute(machine: AwkMachine, arguments: list[Code], everywhere: bool) -> float:
    pattern = pattern_of(machine, arguments[0])
    by = text(machine, arguments[1](machine))
    place = arguments[2] if len(arguments) > 2 else FieldReference(lambda machine: 0.0)
    subject = text(machine, place(machine))
    parts = re.findall(r"\\\\(?=&)|\\&|&|\\|[^\\&]+", by)
    count, out, at, end = 0, "", 0, -1
    for match in pattern.finditer(subject):
        if match.start() == match.end() == end:
            continue
        end = match.end()
        count += 1
        out += subject[at : match.start()] + "".join(
            match[0] if part == "&" else {"\\&": "&", "\\\\": "\\"}.get(part, part) for part in parts
        )
        at = match.end()
        if not everywhere:
            break
    if count and isinstance(place, Lvalue):
        place.put(machine, out + subject[at:])
    return float(count)


def _do_split(machine: AwkMachine, arguments: list[Code]) -> float:
    subject = text(machine, arguments[0](machine))
    name = arguments[1].name if isinstance(arguments[1], AwkVariable) else ""
    if len(arguments) > 2 and isinstance(arguments[2], RegexLiteral):
        pieces = split_by(arguments[2].pattern, subject) if subject else []
    else:
        separator = text(machine, arguments[2](machine) if len(arguments) > 2 else machine.scalar("FS"))
        pieces = split_text(subject, separator)
    array = machine.array(name)
    array.clear()
    array.update({str(index): StrNum(piece) for index, piece in enumerate(pieces, 1)})
    return float(len(pieces))


def _do_match(machine: AwkMachine, arguments: list[Code]) -> float:
    match = pattern_of(machine, arguments[1]).search(text(machine, arguments[0](machine)))
    start = float(match.start() + 1 if match else 0)
    machine.globals["RSTART"] = start
    machine.globals["RLENGTH"] = float(len(match[0]) if match else -1)
    return start


def _do_substring(machine: AwkMachine, values: list[Value]) -> str:
    subject = text(machine, values[0])
    start = round(number(values[1]))
    stop = len(subject) + 1 if len(values) < 3 else start + round(number(values[2]))
    return subject[max(start, 1) - 1 : max(stop, 1) - 1]


def _do_length(machine: AwkMachine, arguments: list[Code]) -> float:
    if not arguments:
        return float(len(machine.record))
    argument = arguments[0]
    if isinstance(argument, AwkVariable) and isinstance(array := machine.get(argument.name), dict):
        return float(len(array))
    return float(len(text(machine, argument(machine))))


def _do_random(machine: AwkMachine, values: list[Value]) -> float:
    machine.seed = (machine.seed * 1103515245 + 12345) % (1 << 31)
    return machine.seed / (1 << 31)


def _do_seed(machine: AwkMachine, values: list[Value]) -> float:
    old = machine.seed
    machine.seed = int(number(values[0])) if values else machine.tool.process.kernel.clock.now // 10**9
    return float(old)


def _do_system(machine: AwkMachine, values: list[Value]) -> float:
    return float(machine.tool.run(["sh", "-c", text(machine, values[0])], Say("{0}", "{0}")))


def _do_close(machine: AwkMachine, values: list[Value]) -> float:
    name = text(machine, values[0])
    machine.opened.pop(name, None)
    flush_pipe(machine, name)
    return float(0 if machine.written.pop(name, None) is not None else -1)


def flush_pipe(machine: AwkMachine, command: str) -> None:
    data = machine.written.pop("|" + command, None)
    if data is not None:
        machine.tool.run(["sh", "-c", command], Say("{0}", "{0}"), stdin=Input(b"".join(data)))


_RAW: dict[str, Callable[[AwkMachine, list[Code]], Value]] = {
    "sub": lambda machine, arguments: _do_substitute(machine, arguments, False),
    "gsub": lambda machine, arguments: _do_substitute(machine, arguments, True),
    "split": _do_split,
    "match": _do_match,
    "length": _do_length,
}
_VALUES: dict[str, Callable[[AwkMachine, list[Value]], Value]] = {
    "substr": _do_substring,
    "index": lambda machine, values: float(text(machine, values[0]).find(text(machine, values[1])) + 1),
    "sprintf": lambda machine, values: formatted(machine, text(machine, values[0]), values[1:]),
    "toupper": lambda machine, values: text(machine, values[0]).upper(),
    "tolower": lambda machine, values: text(machine, values[0]).lower(),
    "int": lambda machine, values: float(math.trunc(number(values[0]))),
    "sqrt": lambda machine, values: math.sqrt(max(0.0, number(values[0]))),
    "exp": lambda machine, values: math.exp(number(values[0])),
    "log": lambda machine, values: math.log(number(values[0])) if number(values[0]) > 0 else -math.inf,
    "sin": lambda machine, values: math.sin(number(values[0])),
    "cos": lambda machine, values: math.cos(number(values[0])),
    "atan2": lambda machine, values: math.atan2(number(values[0]), number(values[1])),
    "rand": _do_random,
    "srand": _do_seed,
    "system": _do_system,
    "close": _do_close,
    "fflush": lambda machine, values: 0.0,
    "systime": lambda machine, values: float(machine.tool.process.kernel.clock.now // 10**9),
}
BUILTINS = {*_RAW, *_VALUES}


def builtin_call(name: str, arguments: list[Code]) -> Code:
    if name in _RAW:
        raw = _RAW[name]
        return lambda machine: raw(machine, arguments)
    function = _VALUES[name]
    return lambda machine: function(machine, [argument(machine) for argument in arguments])
