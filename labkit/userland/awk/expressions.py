"""The expressions of an awk program, read into code."""

from __future__ import annotations

from typing import NoReturn

from labkit.userland.awk.calls import function_call, reading
from labkit.userland.awk.functions import BUILTINS, builtin_call
from labkit.userland.awk.lexer import AwkSyntaxError, lexed
from labkit.userland.awk.lvalues import ArrayElement, AwkVariable, FieldReference, Key, Lvalue, RegexLiteral, key_of
from labkit.userland.awk.machine import Code
from labkit.userland.awk.operators import (
    arithmetic,
    assignment,
    conjunction,
    disjunction,
    increment,
    joining,
    matching,
    membership,
    ordering,
)
from labkit.userland.awk.values import ere, number, truth
from labkit.userland.guarded import Searchable, guarded
from labkit.userland.regex import BadPattern
from labkit.userland.tool import Tool


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
