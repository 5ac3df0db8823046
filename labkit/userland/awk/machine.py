"""What an awk program works on: its variables, the record and its fields, what it has written."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from labkit.userland.awk.values import Array, Cell, StrNum, Value, looks_numeric, number, split_text
from labkit.userland.tool import Tool


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
    opened: dict[str, Iterator[str]] = field(default_factory=dict)  # by getline <

    def get(self, name: str) -> Cell:
        if self.locals is not None and name in self.locals:
            return self.locals[name]
        if name == "NF":
            return float(len(self.split()))
        return self.globals.get(name)

    def set(self, name: str, value: Value) -> None:
        if self.locals is not None and name in self.locals:
            self.locals[name] = value
        elif name == "NF":
            fields = self.split()
            count = int(number(value))
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
        width = str(int(number(take()))) if width == "*" else width
        precision = str(int(number(take()))) if precision == "*" else precision
        value = take()
        shape = f"%{flags}{width}" + (f".{precision}" if precision is not None else "")
        if letter == "c":
            shown = chr(int(value)) if isinstance(value, float) else text(machine, value)[:1]
            return (f"%{flags}{width}s") % shown
        if letter == "s":
            return (shape + "s") % text(machine, value)
        if letter in "diouxX":
            return (shape + ("d" if letter in "iu" else letter)) % int(number(value))
        return (shape + letter) % number(value) if letter in "eEfFgG" else match[0]

    return _SPEC.sub(one, form)
