"""The expressions of an awk program, read into code.

awk's operators as code.

awk's statements as code.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NoReturn

from labkit.userland.awk.functions import BUILTINS, builtin_call, function_call, reading
from labkit.userland.awk.machine import (
    ArrayElement,
    AwkJump,
    AwkMachine,
    AwkVariable,
    Code,
    FieldReference,
    Key,
    Lvalue,
    RegexLiteral,
    StrNum,
    Value,
    compared,
    ere,
    formatted,
    key_of,
    number,
    pattern_of,
    text,
    truth,
)
from labkit.userland.awk.parser import AwkSyntaxError, lexed
from labkit.userland.guarded import Searchable, guarded
from labkit.userland.patterns import BadPattern
from labkit.userland.tool import Tool, bytes_of


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


class Expressions:
    """The words one by one, and the expressions that they make, as code."""

    def __init__(self, tool: Tool, source: str) -> None:
        self.tool = tool
        self.words = lexed(source, BUILTINS)
        self.place = 0
        self.in_group = 0  # parentheses: in them > compares even in a print
        self.printing = False

    def fail(self, near: str = "") -> NoReturn:
        raise AwkSyntaxError(near)

    def peek(self) -> str:
        kind, word = self.words[self.place]
        return word if kind in ("op", "keyword", "newline") else ""

    def kind(self) -> str:
        return self.words[self.place][0]

    def next(self) -> str:
        word = self.words[self.place][1]
        self.place += 1
        return word

    def accept(self, *words: str) -> str:
        return self.next() if self.peek() in words and self.peek() else ""

    def need(self, word: str) -> None:
        if self.peek() != word:
            self.fail(self.words[self.place][1])
        self.place += 1

    def newlines(self) -> None:
        while self.peek() == "\n" or (self.peek() == ";"):
            self.place += 1

    def skip(self) -> None:
        while self.peek() == "\n":
            self.place += 1

    def list(self, end: str) -> list[Code]:
        found: list[Code] = []
        while self.peek() != end or not end:
            found.append(self.expression())
            if not self.accept(","):
                break
            self.skip()
        return found

    def grouped(self) -> Code:
        self.in_group += 1
        made = self.expression()
        self.in_group -= 1
        return made

    def subscript(self) -> Key:
        self.in_group += 1
        keys = self.list("]")
        self.in_group -= 1
        self.need("]")
        return key_of(keys)

    # from the loosest to the tightest

    def expression(self) -> Code:
        left = self.ternary()
        operator = self.accept("=", "+=", "-=", "*=", "/=", "%=", "^=", "**=")
        if not operator:
            return left
        if not isinstance(left, Lvalue):
            self.fail(operator)
        self.skip()
        value = self.expression()
        return assignment(left, operator[:-1], value)

    def ternary(self) -> Code:
        test = self.either()
        if not self.accept("?"):
            return test
        self.skip()
        yes = self.ternary_branch()
        self.skip()
        self.need(":")
        self.skip()
        no = self.ternary_branch()
        return lambda machine: yes(machine) if truth(test(machine)) else no(machine)

    def ternary_branch(self) -> Code:
        return self.expression()

    def either(self) -> Code:
        left = self.both()
        while self.accept("||"):
            self.skip()
            left = disjunction(left, self.both())
        return left

    def both(self) -> Code:
        left = self.member()
        while self.accept("&&"):
            self.skip()
            left = conjunction(left, self.member())
        return left

    def member(self) -> Code:
        left = self.match()
        while self.accept("in"):
            left = membership(key_of([left]), self.next())
        return left

    def match(self) -> Code:
        left = self.comparison()
        while word := self.accept("~", "!~"):
            left = matching(left, self.comparison(), word == "!~")
        return left

    def comparison(self) -> Code:
        left = self.concatenation()
        words = (
            ("<", "<=", "==", "!=", ">", ">=") if self.in_group or not self.printing else ("<", "<=", "==", "!=", ">=")
        )
        if word := self.accept(*words):
            return ordering(left, word, self.concatenation())
        return left

    def concatenation(self) -> Code:
        left = self.additive()
        while self.starts_value():
            left = joining(left, self.additive())
        return left

    def starts_value(self) -> bool:
        kind = self.kind()
        if kind in ("number", "string", "name", "call", "builtin", "regex"):
            return True
        return kind == "op" and self.peek() in ("$", "!", "(", "-", "+", "++", "--") and self.peek() not in ("+", "-")

    def additive(self) -> Code:
        left = self.product()
        while word := self.accept("+", "-"):
            left = arithmetic(left, word, self.product())
        return left

    def product(self) -> Code:
        left = self.unary()
        while word := self.accept("*", "/", "%"):
            left = arithmetic(left, word, self.unary())
        return left

    def unary(self) -> Code:
        if self.accept("!"):
            inner = self.unary()
            return lambda machine: float(not truth(inner(machine)))
        if word := self.accept("-", "+"):
            inner = self.unary()
            sign = -1.0 if word == "-" else 1.0
            return lambda machine: sign * number(inner(machine))
        return self.power()

    def power(self) -> Code:
        base = self.postfix()
        if self.accept("^", "**"):
            exponent = self.unary()
            return arithmetic(base, "^", exponent)
        return base

    def postfix(self) -> Code:
        if word := self.accept("++", "--"):
            place = self.postfix()
            if not isinstance(place, Lvalue):
                self.fail(word)
            return increment(place, 1.0 if word == "++" else -1.0, before=True)
        made = self.primary()
        if isinstance(made, Lvalue) and (word := self.accept("++", "--")):
            return increment(made, 1.0 if word == "++" else -1.0, before=False)
        return made

    def primary(self) -> Code:
        kind, word = self.words[self.place]
        self.place += 1
        if kind == "number":
            value = float(int(word, 16)) if word[:2].lower() == "0x" else float(word)
            return lambda machine: value
        if kind == "string":
            return lambda machine: word
        if kind == "regex":
            return RegexLiteral(self.regex(word))
        if kind == "name":
            return ArrayElement(word, self.subscript()) if self.accept("[") else AwkVariable(word)
        if kind == "call":
            return self.call(word)
        if kind == "builtin":
            return self.builtin(word)
        if word == "$":
            return FieldReference(self.postfix())
        if word == "(":
            return self.parenthesis()
        if word != "getline":
            self.fail(word)
        return self.getline()

    def regex(self, word: str) -> Searchable:
        try:
            return guarded(ere(word), self.tool.tick)
        except BadPattern as bad:
            self.tool.fail(f"regular expression compile failed ({bad})\n{word}", 2)

    def parenthesis(self) -> Code:
        self.in_group += 1
        keys = self.list(")")
        self.in_group -= 1
        self.need(")")
        if len(keys) > 1:
            self.need("in")
            return membership(key_of(keys), self.next())
        inner = keys[0]
        return lambda machine: inner(machine)

    def call(self, name: str) -> Code:
        self.need("(")
        self.in_group += 1
        arguments = self.list(")")
        self.in_group -= 1
        self.need(")")
        return function_call(name, arguments)

    def builtin(self, name: str) -> Code:
        arguments: list[Code] = []
        if self.accept("("):
            self.in_group += 1
            arguments = self.list(")")
            self.in_group -= 1
            self.need(")")
        return builtin_call(name, arguments)

    def getline(self) -> Code:
        place = self.postfix() if self.kind() == "name" or self.peek() == "$" else None
        source = self.concatenation() if self.accept("<") else None
        return reading(place if isinstance(place, Lvalue) else None, source)


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
