"""`$((…))`: integers of 64 bits, C's operators. POSIX, Shell Command Language, 2.6.4.

An expression is parsed to nested tuples once; `evaluate` walks them. Numbers wrap around as C's do in practice.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Protocol

_TOKEN = re.compile(
    r"\s*(?:(0[xX][0-9a-fA-F]+|[0-9]+(?:#[0-9a-zA-Z]+)?)|([A-Za-z_][A-Za-z0-9_]*)"
    r"|(<<=|>>=|\*\*|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|[-+*/%<>=!~&|^?:(),]))"
)
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
_PRECEDENCE = {operator: level for level, operators in enumerate(_LEVELS) for operator in operators}
_ASSIGNING = frozenset(("=", "+=", "-=", "*=", "/=", "%=", "<<=", ">>=", "&=", "|=", "^="))


class CalculationError(Exception):
    """`kind` is syntax, primary, zero or number; `text` what it is about."""

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
            return sign * int(rest, int(base))
        if digits[:2] in ("0x", "0X"):
            return wrap(sign * int(digits, 16))
        if len(digits) > 1 and digits[0] == "0":
            return wrap(sign * int(digits, 8))
        return wrap(sign * int(digits)) if digits.isascii() and digits.isdigit() else None
    except ValueError:
        return None


@lru_cache(maxsize=512)
def parse(text: str, steps: bool) -> Any:
    """The expression's tree; `steps`: `++`, `--`, `**` and `,` are known (not in dash)."""
    return _Parser(text, steps).whole()


def evaluate(text: str, variables: Variables, *, steps: bool) -> int:
    tree = parse(text, steps)
    return wrap(_value(tree, variables, text))


class _Parser:
    def __init__(self, text: str, steps: bool) -> None:
        self.text = text
        self.steps = steps
        self.tokens: list[tuple[str, str]] = []
        place = 0
        stripped = text.rstrip()
        while place < len(stripped):
            found = _TOKEN.match(stripped, place)
            if not found:
                raise CalculationError("syntax", text)
            place = found.end()
            number, name, operator = found.groups()
            self.tokens.append(("number", number) if number else ("name", name) if name else ("", operator))
        self.tokens.append(("", ""))
        self.place = 0

    def whole(self) -> Any:
        if len(self.tokens) == 1:
            return ("number", 0)
        tree = self.comma()
        if self.tokens[self.place] != ("", ""):
            raise CalculationError("syntax", self.text)
        return tree

    def accept(self, *operators: str) -> str:
        kind, value = self.tokens[self.place]
        if kind or value not in operators or not value:
            return ""
        self.place += 1
        return value

    def comma(self) -> Any:
        tree = self.assignment()
        while self.steps and self.accept(","):
            tree = ("comma", tree, self.assignment())
        return tree

    def assignment(self) -> Any:
        kind, name = self.tokens[self.place]
        operator = self.tokens[self.place + 1] if kind == "name" else ("", "")
        if operator[1] in _ASSIGNING:
            self.place += 2
            return ("assign", operator[1][:-1], name, self.assignment())
        return self.condition()

    def condition(self) -> Any:
        test = self.binary(0)
        if not self.accept("?"):
            return test
        chosen = self.comma()
        if not self.accept(":"):
            raise CalculationError("syntax", self.text)
        return ("if", test, chosen, self.condition())

    def binary(self, level: int) -> Any:
        if level == len(_LEVELS):
            return self.power()
        left = self.binary(level + 1)
        while operator := self.accept(*_LEVELS[level]):
            left = (operator, left, self.binary(level + 1))
        return left

    def power(self) -> Any:
        base = self.unary()
        if self.steps and self.accept("**"):
            return ("**", base, self.power())
        return base

    def unary(self) -> Any:
        if self.tokens[self.place][1] in ("++", "--"):
            operator = self.accept("++", "--")
            kind, name = self.tokens[self.place]
            if self.steps and kind == "name":
                self.place += 1
                return ("step", operator[0], name, True)
            return ("unary", operator[0], ("unary", operator[0], self.unary()))
        if operator := self.accept("-", "+", "!", "~"):
            return ("unary", operator, self.unary())
        return self.primary()

    def primary(self) -> Any:
        if self.accept("("):
            tree = self.comma()
            if not self.accept(")"):
                raise CalculationError("syntax", self.text)
            return tree
        kind, value = self.tokens[self.place]
        if not kind:
            raise CalculationError("primary", self.text)
        self.place += 1
        if kind == "number":
            number = number_of(value)
            if number is None:
                raise CalculationError("syntax", self.text)
            return ("number", number)
        if self.tokens[self.place][1] in ("++", "--") and self.tokens[self.place + 1][0] == "":
            if not self.steps:
                raise CalculationError("primary", self.text)
            return ("step", self.accept("++", "--")[0], value, False)
        return ("name", value)


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
    "**": lambda a, b: pow(a, b, 1 << 64) if b >= 0 else 0,
    "": lambda a, b: b,
}
_UNARY: dict[str, Callable[[int], int]] = {
    "-": lambda a: -a,
    "+": lambda a: a,
    "!": lambda a: int(not a),
    "~": lambda a: ~a,
}


def _apply(operator: str, left: int, right: int, text: str) -> int:
    if operator in ("/", "%") and right == 0:
        raise CalculationError("zero", text)
    return wrap(_BINARY[operator](left, right))


def _value(tree: Any, variables: Variables, text: str) -> int:
    kind = tree[0]
    if kind == "number":
        return tree[1]  # type: ignore[no-any-return]
    if kind == "name":
        return variables.number(tree[1])
    if kind == "unary":
        return wrap(_UNARY[tree[1]](_value(tree[2], variables, text)))
    if kind == "assign":
        return _assign(tree, variables, text)
    if kind == "step":
        return _step(tree, variables)
    if kind == "if":
        return _value(tree[2] if _value(tree[1], variables, text) else tree[3], variables, text)
    left = _value(tree[1], variables, text)
    if kind == "&&":
        return int(bool(left and _value(tree[2], variables, text)))
    if kind == "||":
        return int(bool(left or _value(tree[2], variables, text)))
    right = _value(tree[2], variables, text)
    return right if kind == "comma" else _apply(kind, left, right, text)


def _assign(tree: Any, variables: Variables, text: str) -> int:
    _, operator, name, value = tree
    left = variables.number(name) if operator else 0
    result = _apply(operator, left, _value(value, variables, text), text)
    variables.assign(name, str(result))
    return result


def _step(tree: Any, variables: Variables) -> int:
    _, operator, name, before = tree
    old = variables.number(name)
    new = wrap(old + (1 if operator == "+" else -1))
    variables.assign(name, str(new))
    return new if before else old
