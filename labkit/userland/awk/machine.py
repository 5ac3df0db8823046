"""What an awk program works on: its variables, the record and its fields, what it has written.

Values are texts, numbers, and texts from the input that may be numbers.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from labkit.kernel.guarded import Searchable, guarded
from labkit.userland.patterns import BadPattern, compile_pattern
from labkit.userland.tool import Tool

Value = str | float | None  # None: a variable that nobody has set
Array = dict[str, Value]
Cell = Value | Array


class StrNum(str):
    """A text from the input: a number where it looks like one."""

    __slots__ = ()


def split_text(record: str, separator: str) -> list[str]:
    if separator == " ":
        return record.split()
    if record == "":
        return []
    if separator == "":
        return list(record)
    if len(separator) == 1 and separator != "\\":
        return record.split(separator)
    return split_by(ere(separator), record)


def split_by(pattern: Searchable, record: str) -> list[str]:
    out, place = [], 0
    for match in pattern.finditer(record):
        if match.end() > match.start():
            out.append(record[place : match.start()])
            place = match.end()
    return [*out, record[place:]]


def ere(pattern: str) -> re.Pattern[str]:
    return compile_pattern(pattern, extended=True, controls=True)


_NUMBER = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)")
_HEX = re.compile(r"\s*([+-]?0[xX][0-9a-fA-F]+)")


def number(value: Value) -> float:
    if isinstance(value, float):
        return value
    match = _NUMBER.match(value) if value else None
    if value and match and (hexadecimal := _HEX.match(value)):
        return float(int(hexadecimal[1][:200], 16))
    return float(match[1]) if match else 0.0


def whole(value: float, made: Callable[[float], int] = int) -> int:
    """As C makes a long of a double; what is no number, or endless, is at the end of what there is."""
    if math.isnan(value):
        return -(1 << 63)
    return made(min(max(value, -float(1 << 63)), float(1 << 63)))


def looks_numeric(value: Value) -> bool:
    if value is None or isinstance(value, float):
        return True
    if not isinstance(value, StrNum):
        return False
    match = _NUMBER.match(value)
    return match is not None and value[match.end() :].strip() == ""


def truth(value: Value) -> bool:
    if value is None:
        return False
    if isinstance(value, float):
        return value != 0
    return number(value) != 0 if looks_numeric(value) else value != ""


class AwkJump(Exception):
    """next, exit, break, continue, return: how a statement ends early."""

    def __init__(self, kind: str, value: Value = None) -> None:
        super().__init__(kind)
        self.kind = kind
        self.value = value


@dataclass
class AwkMachine:
    """What a program works on: variables, the current record, functions, what is written where."""

    tool: Tool
    globals: dict[str, Cell] = field(default_factory=dict)
    locals: dict[str, Cell] | None = None
    record: str = ""
    fields: list[str] | None = None
    functions: dict[str, tuple[list[str], Code]] = field(default_factory=dict)
    written: dict[str, list[bytes]] = field(default_factory=dict)
    ranges: dict[int, bool] = field(default_factory=dict)
    seed: int = 0
    reader: Iterator[str] = field(default_factory=lambda: iter(()))
    opened: dict[str, Iterator[str]] = field(default_factory=dict)  # by getline
    statuses: dict[str, float] = field(default_factory=dict)  # of commands that getline has read, as close tells them

    def get(self, name: str) -> Cell:
        if self.locals is not None and name in self.locals:
            return self.locals[name]
        if name == "NF":
            return float(len(self.split()))
        return self.globals.get(name)

    def set(self, name: str, value: Value) -> None:
        if self.locals is not None and name in self.locals:
            self.locals[name] = value
        elif name == "FS":
            self.split()  # the record that is there is split as it was when it came
            self.globals[name] = value
        elif name == "NF":
            fields = self.split()
            count = whole(number(value))
            self.tool.hold(8 * count)
            self.fields = [*fields, *[""] * (count - len(fields))][:count]
            self.rebuild()
        else:
            self.globals[name] = value

    def scalar(self, name: str) -> Value:
        """The value of a variable that must be no array."""
        found = self.get(name)
        if isinstance(found, dict):
            self.tool.fail(f"type error: {name} is an array", 2)
        return found

    def setting(self, name: str) -> str:
        """One of FS, OFS and their like."""
        return text(self, self.scalar(name))

    def count(self, name: str) -> None:
        self.globals[name] = number(self.scalar(name)) + 1.0

    def array(self, name: str) -> Array:
        where = self.locals if self.locals is not None and name in self.locals else self.globals
        found = where.get(name)
        if isinstance(found, dict):
            return found
        made: Array = {}
        where[name] = made
        return made

    def set_record(self, text: str) -> None:
        self.record, self.fields = text, None

    def split(self) -> list[str]:
        if self.fields is None:
            self.tool.tick(len(self.record) >> 8)
            self.fields = split_text(self.record, self.setting("FS"))
        return self.fields

    def field(self, index: int) -> Value:
        if index == 0:
            return StrNum(self.record)
        fields = self.split()
        return StrNum(fields[index - 1]) if 0 < index <= len(fields) else StrNum("")

    def set_field(self, index: int, value: str) -> None:
        if index == 0:
            self.set_record(value)
            return
        fields = self.split()
        self.tool.hold(8 * (index - len(fields)))
        fields.extend([""] * (index - len(fields)))
        fields[index - 1] = value
        self.rebuild()

    def rebuild(self) -> None:
        self.record = self.setting("OFS").join(self.fields or [])


Code = Callable[[AwkMachine], Value]


def text(machine: AwkMachine, value: Value, form: str = "CONVFMT") -> str:
    if isinstance(value, str):
        return str(value)
    if value is None:
        return ""
    if value == int(value) if math.isfinite(value) else False:
        return str(int(value))
    return formatted(machine, str(machine.globals[form]), [value])


def compared(machine: AwkMachine, left: Value, right: Value) -> int:
    if looks_numeric(left) and looks_numeric(right):
        one, other = number(left), number(right)
        return (one > other) - (one < other)
    first, second = text(machine, left), text(machine, right)
    return (first > second) - (first < second)


_SPEC = re.compile(r"%([-+ #0]*)(\*|\d*)(?:\.(\*|\d*))?([a-zA-Z%])")


def formatted(machine: AwkMachine, form: str, values: list[Value]) -> str:
    left = list(values)

    def take() -> Value:
        return left.pop(0) if left else None

    def one(match: re.Match[str]) -> str:
        flags, width, precision, letter = match.groups()
        if letter == "%":
            return "%"
        width = str(whole(number(take()))) if width == "*" else width
        precision = str(whole(number(take()))) if precision == "*" else precision
        machine.tool.hold(abs(int(width[:20] or 0)) + int((precision or "")[:20] or 0))
        value = take()
        shape = f"%{flags}{width}" + (f".{precision}" if precision is not None else "")
        if letter == "c":
            shown = chr(whole(value) & 0xFF) if isinstance(value, float) else text(machine, value)[:1]
            return (f"%{flags}{width}s") % shown
        if letter == "s":
            return (shape + "s") % text(machine, value)
        if letter in "diouxX":
            return (shape + ("d" if letter in "iu" else letter)) % whole(number(value))
        return (shape + letter) % number(value) if letter in "eEfFgG" else match[0]

    return _SPEC.sub(one, form)


Key = Callable[[AwkMachine], str]  # of an element of an array


class Lvalue:
    """Something with a value that can be set."""

    def __call__(self, machine: AwkMachine) -> Value:
        raise NotImplementedError

    def put(self, machine: AwkMachine, value: Value) -> None:
        raise NotImplementedError


@dataclass(frozen=True)
class AwkVariable(Lvalue):
    name: str

    def __call__(self, machine: AwkMachine) -> Value:
        return machine.scalar(self.name)

    def put(self, machine: AwkMachine, value: Value) -> None:
        machine.set(self.name, value)


@dataclass(frozen=True)
class ArrayElement(Lvalue):
    name: str
    key: Key

    def __call__(self, machine: AwkMachine) -> Value:
        return machine.array(self.name).setdefault(self.key(machine), None)

    def put(self, machine: AwkMachine, value: Value) -> None:
        machine.array(self.name)[self.key(machine)] = value


@dataclass(frozen=True)
class FieldReference(Lvalue):
    index: Code

    def __call__(self, machine: AwkMachine) -> Value:
        return machine.field(self.place(machine))

    def put(self, machine: AwkMachine, value: Value) -> None:
        machine.set_field(self.place(machine), text(machine, value))

    def place(self, machine: AwkMachine) -> int:
        index = whole(number(self.index(machine)))
        if index < 0 and not machine.tool.gnu:
            machine.tool.fail("cmd. line:1: Access to negative field")
        return index


@dataclass(frozen=True)
class RegexLiteral:
    """A pattern between slashes: by itself it is matched against the record."""

    pattern: Searchable

    def __call__(self, machine: AwkMachine) -> Value:
        machine.tool.hold(len(machine.record))
        return float(self.pattern.search(machine.record) is not None)


def pattern_of(machine: AwkMachine, code: Code) -> Searchable:
    if isinstance(code, RegexLiteral):
        return code.pattern
    return guarded(dynamic(machine, text(machine, code(machine))), machine.tool.tick)


def dynamic(machine: AwkMachine, pattern: str) -> re.Pattern[str]:
    """A pattern that the running program has made."""
    try:
        return ere(pattern)
    except BadPattern as bad:
        said = f"regular expression compile failed ({bad})\n{pattern}"
        machine.tool.fail(said if machine.tool.gnu else f"bad regex '{pattern}': {bad}", 1 + machine.tool.gnu)


def key_of(keys: list[Code]) -> Key:
    if len(keys) == 1:
        only = keys[0]
        return lambda machine: text(machine, only(machine))
    return lambda machine: machine.setting("SUBSEP").join(text(machine, key(machine)) for key in keys)
