"""awk's builtin functions, calls of a program's own ones, and getline."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Unpack

from labkit.files import Content
from labkit.kernel import limits
from labkit.kernel.guarded import GuardedMatch
from labkit.kernel.process import Changes, Input, Output
from labkit.userland.awk.machine import (
    AwkJump,
    AwkMachine,
    AwkVariable,
    Cell,
    Code,
    FieldReference,
    Lvalue,
    RegexLiteral,
    StrNum,
    Value,
    ere,
    formatted,
    number,
    pattern_of,
    split_by,
    split_text,
    text,
    whole,
)
from labkit.userland.quantities import formatted as dated
from labkit.userland.tool import Say, text_of
from labkit.userland.zones import GREENWICH

_PIECE = 160  # bytes that an element of an array takes


def _do_substitute(machine: AwkMachine, arguments: list[Code], everywhere: bool) -> float:
    pattern = pattern_of(machine, arguments[0])
    by = text(machine, arguments[1](machine))
    place = arguments[2] if len(arguments) > 2 else FieldReference(lambda machine: 0.0)
    subject = text(machine, place(machine))
    parts = re.findall(r"\\\\(?=&)|\\&|&|\\|[^\\&]+", by)
    count, out, at, end = 0, list[str](), 0, -1
    size = len(subject)
    machine.tool.hold(size)
    for match in pattern.finditer(subject):
        if match.start() == match.end() == end:
            continue
        end = match.end()
        count += 1
        by = "".join(match[0] if part == "&" else {"\\&": "&", "\\\\": "\\"}.get(part, part) for part in parts)
        out += [subject[at : match.start()], by]
        size += len(by)
        machine.tool.hold(size if size > limits.HELD else len(by))
        if not count % 8:
            machine.tool.tick()
        at = match.end()
        if not everywhere:
            break
    if count and isinstance(place, Lvalue):
        place.put(machine, "".join([*out, subject[at:]]))
    return float(count)


def _do_gensub(machine: AwkMachine, arguments: list[Code]) -> str:
    """busybox' and gawk's: `how` is g or which match; \\1 in the text stands for a group."""
    pattern = pattern_of(machine, arguments[0])
    by, how = text(machine, arguments[1](machine)), arguments[2](machine)
    subject = text(machine, arguments[3](machine)) if len(arguments) > 3 else machine.record
    machine.tool.hold(len(subject) * (1 + len(by)))
    which = 0 if text(machine, how)[:1] in ("g", "G") else max(1, whole(number(how)))
    parts = re.findall(r"\\\\|\\[0-9&]|&|[^\\&]+|\\", by)
    out, at, end, count = list[str](), 0, -1, 0
    for match in pattern.finditer(subject):
        if match.start() == match.end() == end:
            continue
        end, count = match.end(), count + 1
        machine.tool.tick()
        if which in (0, count):
            out += [subject[at : match.start()], *(_taken(match, part) for part in parts)]
            at = match.end()
    return "".join([*out, subject[at:]])


def _taken(match: re.Match[str] | GuardedMatch, part: str) -> str:
    if part == "&":
        return match[0]
    if re.fullmatch(r"\\[0-9]", part):
        try:
            return match[int(part[1])] or ""
        except IndexError:
            return ""
    return part[1] if part in ("\\&", "\\\\") else part


def _do_time_text(machine: AwkMachine, values: list[Value]) -> str:
    tool = machine.tool
    form = text(machine, values[0]) if values else ("%c" if tool.gnu else "%a %b %e %H:%M:%S %Z %Y")
    seconds = whole(number(values[1])) if len(values) > 1 else tool.process.kernel.clock.now // 10**9
    if not -(10**11) < seconds < 10**11:
        return ""
    return dated(form, seconds * 10**9, GREENWICH if len(values) > 2 and number(values[2]) else tool.zone)


def _do_make_time(machine: AwkMachine, values: list[Value]) -> float:
    parts = [int(part) for part in re.findall(r"-?\d{1,9}", text(machine, values[0]))]
    if len(parts) < 6:
        return -1.0
    year, month, day, hour, minute, second = parts[:6]
    try:
        first = datetime(year + (month - 1) // 12, (month - 1) % 12 + 1, 1, tzinfo=UTC)
        when = first + timedelta(days=day - 1, hours=hour, minutes=minute, seconds=second)
    except (ValueError, OverflowError):
        return -1.0
    return float(machine.tool.zone.universal(int(when.timestamp())))


def _bits(machine: AwkMachine, values: list[Value]) -> tuple[int, int]:
    """Two numbers as unsigned ones of 64 bits."""
    first, second = (whole(number(value)) & _ALL for value in values[:2])
    return first, second


_ALL = (1 << 64) - 1


def _do_split(machine: AwkMachine, arguments: list[Code]) -> float:
    subject = text(machine, arguments[0](machine))
    machine.tool.hold(len(subject))
    name = arguments[1].name if isinstance(arguments[1], AwkVariable) else ""
    if len(arguments) > 2 and isinstance(arguments[2], RegexLiteral):
        pieces = split_by(arguments[2].pattern, subject) if subject else []
    else:
        separator = text(machine, arguments[2](machine) if len(arguments) > 2 else machine.scalar("FS"))
        pieces = split_text(subject, separator)
    machine.tool.hold(_PIECE * len(pieces))
    array = machine.array(name)
    array.clear()
    array.update({str(index): StrNum(piece) for index, piece in enumerate(pieces, 1)})
    return float(len(pieces))


def _do_match(machine: AwkMachine, arguments: list[Code]) -> float:
    subject = text(machine, arguments[0](machine))
    machine.tool.hold(len(subject))
    match = pattern_of(machine, arguments[1]).search(subject)
    start = float(match.start() + 1 if match else 0)
    machine.globals["RSTART"] = start
    machine.globals["RLENGTH"] = float(len(match[0]) if match else -1)
    return start


def _do_substring(machine: AwkMachine, values: list[Value]) -> str:
    subject = text(machine, values[0])
    start = whole(number(values[1]), round)
    stop = len(subject) + 1 if len(values) < 3 else start + whole(number(values[2]), round)
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
    machine.seed = whole(number(values[0])) if values else machine.tool.process.kernel.clock.now // 10**9
    return float(old)


def _command(machine: AwkMachine, command: str, **changes: Unpack[Changes]) -> int:
    """mawk names the shell's file, busybox' popen has it found."""
    shell = "/bin/sh" if machine.tool.gnu else "sh"
    return machine.tool.run([shell, "-c", command], Say("{0}", "{0}"), **changes)


def _do_system(machine: AwkMachine, values: list[Value]) -> float:
    return float(_command(machine, text(machine, values[0])))


def _do_close(machine: AwkMachine, values: list[Value]) -> float:
    name = text(machine, values[0])
    known = machine.opened.pop(name, None) is not None or f"|{name}" in machine.written
    flush_pipe(machine, name)
    known |= machine.written.pop(name, None) is not None
    return machine.statuses.pop(name, 0.0 if known or not machine.tool.gnu else -1.0)


def flush_pipe(machine: AwkMachine, command: str) -> None:
    data = machine.written.pop("|" + command, None)
    if data is not None:
        _command(machine, command, stdin=Input(b"".join(data)))


def _calculated(function: Callable[[float], float]) -> Callable[[AwkMachine, list[Value]], Value]:
    """As C's mathematics: what is too large is endless, what has no value is no number."""

    def run(machine: AwkMachine, values: list[Value]) -> float:
        value = number(values[0])
        try:
            return function(value)
        except OverflowError:
            return value if math.isinf(value) else math.inf
        except ValueError:
            return math.nan

    return run


_RAW: dict[str, Callable[[AwkMachine, list[Code]], Value]] = {
    "sub": lambda machine, arguments: _do_substitute(machine, arguments, False),
    "gsub": lambda machine, arguments: _do_substitute(machine, arguments, True),
    "split": _do_split,
    "gensub": _do_gensub,
    "match": _do_match,
    "length": _do_length,
}
_VALUES: dict[str, Callable[[AwkMachine, list[Value]], Value]] = {
    "substr": _do_substring,
    "index": lambda machine, values: float(text(machine, values[0]).find(text(machine, values[1])) + 1),
    "sprintf": lambda machine, values: formatted(machine, text(machine, values[0]), values[1:]),
    "toupper": lambda machine, values: text(machine, values[0]).upper(),
    "tolower": lambda machine, values: text(machine, values[0]).lower(),
    "int": _calculated(lambda value: float(math.trunc(value))),
    "sqrt": _calculated(lambda value: math.sqrt(max(0.0, value))),
    "exp": _calculated(math.exp),
    "log": lambda machine, values: math.log(number(values[0])) if number(values[0]) > 0 else -math.inf,
    "sin": _calculated(math.sin),
    "cos": _calculated(math.cos),
    "atan2": lambda machine, values: math.atan2(number(values[0]), number(values[1])),
    "rand": _do_random,
    "srand": _do_seed,
    "system": _do_system,
    "close": _do_close,
    "fflush": lambda machine, values: 0.0,
    "systime": lambda machine, values: float(machine.tool.process.kernel.clock.now // 10**9),
}
_VALUES |= {
    "strftime": _do_time_text,
    "mktime": _do_make_time,
    "and": lambda machine, values: float((pair := _bits(machine, values))[0] & pair[1]),
    "or": lambda machine, values: float((pair := _bits(machine, values))[0] | pair[1]),
    "xor": lambda machine, values: float((pair := _bits(machine, values))[0] ^ pair[1]),
    "lshift": lambda machine, values: float((pair := _bits(machine, values))[0] << pair[1] % 64 & _ALL),
    "rshift": lambda machine, values: float((pair := _bits(machine, values))[0] >> pair[1] % 64),
    "compl": lambda machine, values: float(~whole(number(values[0])) & _ALL),
}
NOT_MAWK = frozenset(("and", "or", "xor", "lshift", "rshift", "compl", "gensub"))
BUILTINS = {*_RAW, *_VALUES}
LEAST = {  # arguments
    **dict.fromkeys(("sub", "gsub", "split", "match", "substr", "index", "atan2", *NOT_MAWK), 2), "gensub": 3,
    **dict.fromkeys(("toupper", "tolower", "int", "sqrt", "exp", "log", "sin", "cos", "system", "close"), 1),
    "mktime": 1, "compl": 1, "sprintf": 1,
}  # fmt: skip


def builtin_call(name: str, arguments: list[Code]) -> Code:
    if name in _RAW:
        raw = _RAW[name]
        return lambda machine: raw(machine, arguments)
    function = _VALUES[name]

    def run(machine: AwkMachine) -> Value:
        values = [argument(machine) for argument in arguments]
        machine.tool.hold(max((len(value) for value in values if isinstance(value, str)), default=0))
        return function(machine, values)

    return run


def function_call(name: str, arguments: list[Code]) -> Code:
    def run(machine: AwkMachine) -> Value:
        if name not in machine.functions:
            said = f"function {name} never defined" if machine.tool.gnu else "cmd. line:1: Call to undefined function"
            machine.tool.fail(said, 1 + machine.tool.gnu)
        parameters, body = machine.functions[name]
        values: dict[str, Cell] = dict.fromkeys(parameters)
        for parameter, argument in zip(parameters, arguments, strict=False):
            values[parameter] = _passed(machine, argument)
        for argument in arguments[len(parameters) :]:
            argument(machine)
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


def reading(place: Lvalue | None, source: Code | None, *, piped: bool = False) -> Code:
    """getline, from a file or (`piped`) from what a command writes, which runs once."""

    def run(machine: AwkMachine) -> float:
        if source is not None:
            name = text(machine, source(machine))
            if name not in machine.opened:
                try:
                    content = _said(machine, name) if piped else machine.tool.content(name)
                    machine.opened[name] = separated(machine, content)
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


def _said(machine: AwkMachine, command: str) -> Content:
    stdout = Output()
    status = _command(machine, command, stdout=stdout)
    machine.statuses[command] = float(status if machine.tool.gnu else status << 8)
    return stdout.content()


def separated(machine: AwkMachine, content: Content) -> Iterator[str]:
    """The records of a file."""
    tool = machine.tool
    separator = machine.setting("RS")
    if separator == "\n":
        return (text_of(line.removesuffix(b"\n")) for line in tool.lines(content))
    whole = text_of(tool.whole(content))
    if separator == "":
        return iter([part for part in re.split(r"\n\n+", whole.strip("\n")) if part])
    parts = whole.split(separator) if len(separator) == 1 else split_by(ere(separator), whole)
    return iter(parts[:-1] if parts and parts[-1] in ("", "\n") else parts)
