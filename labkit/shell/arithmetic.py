"""`$((…))`: integers of 64 bits, C's operators. POSIX, Shell Command Language, 2.6.4.

An expression is read once, into a function of the variables. Numbers wrap around as C's do in practice.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Protocol

_TOKEN = re.compile(
    r"\s*(?:(0[xX][0-9a-fA-F]+|[0-9]+(?:#[0-9a-zA-Z@_]+)?)|([A-Za-z_][A-Za-z0-9_]*)"
    r"|(<<=|>>=|\*\*|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|[-+*/%<>=!~&|^?:(),]))"
)
_POSIX_TOKEN = re.compile(_TOKEN.pattern.replace("(?:#[0-9a-zA-Z@_]+)?", ""))
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ@_"  # of bases up to 64
_LEVELS = (
    ("||",),
    ("&&",),
    ("|",),
    ("^",),
    ("&",),
    ("==", "!="),
    ("<", "<=", ">", ">="),
    ("<<", ">>"),
    ("+", "-"),
    ("*", "/", "%"),
)
_ASSIGNING = frozenset(("=", "+=", "-=", "*=", "/=", "%=", "<<=", ">>=", "&=", "|=", "^="))


class CalculationError(Exception):
    """`kind` is syntax, primary, zero, exponent or number; `text` what it is about."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(kind, text)
        self.kind = kind
        self.text = text


class Variables(Protocol):
    """Where names are looked up."""

    def number(self, name: str) -> int: ...

    def assign(self, name: str, value: str) -> None: ...


def wrap(number: int) -> int:
    """The number as a signed one of 64 bits."""
    return (number + (1 << 63) & (1 << 64) - 1) - (1 << 63)


def number_of(text: str) -> int | None:
    """A constant: decimal, 0x hexadecimal, 0 octal, base#digits; None where it is none."""
    sign = -1 if text.startswith("-") else 1
    digits = text.lstrip("+-") if text[:1] in "+-" else text
    try:
        if "#" in digits:
            base, _, rest = digits.partition("#")
            return wrap(sign * _in_base(rest, int(base)))
        if digits[:2] in ("0x", "0X"):
            return wrap(sign * int(digits, 16))
        if len(digits) > 1 and digits[0] == "0":
            return wrap(sign * int(digits, 8))
        return wrap(sign * int(digits)) if digits.isascii() and digits.isdigit() else None
    except ValueError:
        return None


def _in_base(digits: str, base: int) -> int:
    """Raises ValueError. Up to base 36 a capital letter is as good as a small one."""
    number = 0
    for char in digits.lower() if base <= 36 else digits:
        digit = _DIGITS.index(char)
        if digit >= base:
            raise ValueError(digits)
        number = number * base + digit
    return number


Calculation = Callable[[Variables], int]


@lru_cache(maxsize=512)
def parse(text: str, steps: bool) -> Calculation:
    """What the expression calculates; `steps`: `++`, `--`, `**` and `,` are known (not in dash)."""
    return _Calculations(text, steps).whole()


def evaluate(text: str, variables: Variables, *, steps: bool) -> int:
    return wrap(parse(text, steps)(variables))


class _Calculations:
    """The words of one expression, and what they calculate, from the loosest operator to the tightest."""

    def __init__(self, text: str, steps: bool) -> None:
        self.text = text
        self.steps = steps
        self.tokens: list[tuple[str, str]] = []
        place = 0
        stripped = text.rstrip()
        while place < len(stripped):
            found = (_TOKEN if self.steps else _POSIX_TOKEN).match(stripped, place)
            if not found:
                raise CalculationError("syntax", text)
            place = found.end()
            number, name, operator = found.groups()
            self.tokens.append(("number", number) if number else ("name", name) if name else ("", operator))
        self.tokens.append(("", ""))
        self.place = 0

    def whole(self) -> Calculation:
        if len(self.tokens) == 1:
            return lambda variables: 0
        made = self.comma()
        self.expect(self.tokens[self.place] == ("", ""))
        return made

    def expect(self, holds: bool, kind: str = "syntax") -> None:
        if not holds:
            raise CalculationError(kind, self.text)

    def accept(self, *operators: str) -> str:
        kind, value = self.tokens[self.place]
        if kind or value not in operators or not value:
            return ""
        self.place += 1
        return value

    def comma(self) -> Calculation:
        made = self.assignment()
        while self.steps and self.accept(","):
            made = _in_turn(made, self.assignment())
        return made

    def assignment(self) -> Calculation:
        kind, name = self.tokens[self.place]
        operator = self.tokens[self.place + 1][1] if kind == "name" else ""
        if operator not in _ASSIGNING:
            return self.condition()
        self.place += 2
        return self.assigning(operator[:-1], name, self.assignment())

    def assigning(self, operator: str, name: str, value: Calculation) -> Calculation:
        def run(variables: Variables) -> int:
            left = variables.number(name) if operator else 0
            result = self.apply(operator, left, value(variables))
            variables.assign(name, str(result))
            return result

        return run

    def condition(self) -> Calculation:
        test = self.binary(0)
        if not self.accept("?"):
            return test
        yes = self.comma()
        self.expect(self.accept(":") != "")
        no = self.condition()
        return lambda variables: yes(variables) if test(variables) else no(variables)

    def binary(self, level: int) -> Calculation:
        if level == len(_LEVELS):
            return self.power()
        left = self.binary(level + 1)
        while operator := self.accept(*_LEVELS[level]):
            left = self.operated(operator, left, self.binary(level + 1))
        return left

    def operated(self, operator: str, left: Calculation, right: Calculation) -> Calculation:
        if operator == "&&":
            return lambda variables: int(bool(left(variables) and right(variables)))
        if operator == "||":
            return lambda variables: int(bool(left(variables) or right(variables)))
        return lambda variables: self.apply(operator, left(variables), right(variables))

    def apply(self, operator: str, left: int, right: int) -> int:
        self.expect(operator not in ("/", "%") or right != 0, "zero")
        self.expect(operator != "**" or right >= 0, "exponent")
        return wrap(_BINARY[operator](left, right))

    def power(self) -> Calculation:
        base = self.unary()
        return self.operated("**", base, self.power()) if self.steps and self.accept("**") else base

    def unary(self) -> Calculation:
        if operator := self.accept("++", "--"):
            kind, name = self.tokens[self.place]
            if self.steps and kind == "name":
                self.place += 1
                return _step(operator, name, before=True)
            return _signed(operator[0], _signed(operator[0], self.unary()))
        if operator := self.accept("-", "+", "!", "~"):
            return _signed(operator, self.unary())
        return self.primary()

    def primary(self) -> Calculation:
        if self.accept("("):
            made = self.comma()
            self.expect(self.accept(")") != "")
            return made
        kind, value = self.tokens[self.place]
        self.expect(kind != "", "primary")
        self.place += 1
        if kind == "number":
            return self.constant(number_of(value))
        if self.tokens[self.place][1] in ("++", "--") and self.tokens[self.place + 1][0] == "":
            self.expect(self.steps, "primary")
            return _step(self.accept("++", "--"), value, before=False)
        return lambda variables: variables.number(value)

    def constant(self, number: int | None) -> Calculation:
        if number is None:
            raise CalculationError("syntax", self.text)
        return lambda variables: number


def _in_turn(first: Calculation, last: Calculation) -> Calculation:
    return lambda variables: (first(variables), last(variables))[1]


def _signed(operator: str, value: Calculation) -> Calculation:
    return lambda variables: wrap(_UNARY[operator](value(variables)))


def _step(operator: str, name: str, *, before: bool) -> Calculation:
    def run(variables: Variables) -> int:
        old = variables.number(name)
        new = wrap(old + (1 if operator == "++" else -1))
        variables.assign(name, str(new))
        return new if before else old

    return run


def _divide(left: int, right: int) -> int:
    quotient = abs(left) // abs(right)
    return quotient if (left < 0) == (right < 0) else -quotient


_BINARY: dict[str, Callable[[int, int], int]] = {
    "|": lambda a, b: a | b,
    "^": lambda a, b: a ^ b,
    "&": lambda a, b: a & b,
    "==": lambda a, b: int(a == b),
    "!=": lambda a, b: int(a != b),
    "<": lambda a, b: int(a < b),
    "<=": lambda a, b: int(a <= b),
    ">": lambda a, b: int(a > b),
    ">=": lambda a, b: int(a >= b),
    "<<": lambda a, b: a << (b & 63),
    ">>": lambda a, b: a >> (b & 63),
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": _divide,
    "%": lambda a, b: a - _divide(a, b) * b,
    "**": lambda a, b: pow(a, b, 1 << 64),
    "": lambda a, b: b,
}
_UNARY: dict[str, Callable[[int], int]] = {
    "-": lambda a: -a,
    "+": lambda a: a,
    "!": lambda a: int(not a),
    "~": lambda a: ~a,
}
