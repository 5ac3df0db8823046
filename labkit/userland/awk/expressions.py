"""The words of an awk program, and its expressions, read into code."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection
from typing import NoReturn

from labkit.kernel.guarded import Searchable, guarded
from labkit.userland.awk.functions import BUILTINS, LEAST, NOT_MAWK, builtin_call, function_call, reading
from labkit.userland.awk.machine import (
    ArrayElement,
    AwkMachine,
    AwkVariable,
    Code,
    FieldReference,
    Key,
    Lvalue,
    RegexLiteral,
    Value,
    compared,
    ere,
    key_of,
    number,
    pattern_of,
    text,
    truth,
)
from labkit.userland.patterns import BadPattern
from labkit.userland.tool import Tool

_KEYWORDS = set(
    "BEGIN END function func if else while for do break continue next exit return delete in print printf".split()
) | {"getline"}


_WORD = re.compile(
    r"(?P<blank>[ \t\r]+|\\\n|#[^\n]*)|(?P<newline>\n)"
    r"|(?P<number>0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
    r'|(?P<string>"(?:[^"\\\n]|\\.)*")|(?P<name>[A-Za-z_]\w*)'
    r"|(?P<op>\*\*=|\|\||&&|\+\+|--|\+=|-=|\*=|/=|%=|\^=|\*\*|==|<=|>=|!=|>>|!~|[-{}()\[\];,+*/%^!><|?:~$=])",
    re.S,
)


_REGEX = re.compile(r"/((?:[^/\\\[\n]|\\.|\[\^?\]?(?:[^\]\\]|\\.)*\])*)/")


_ESCAPES = {
    "n": "\n",
    "t": "\t",
    "r": "\r",
    "\\": "\\",
    '"': '"',
    "/": "/",
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "v": "\v",
} | {"\n": ""}


def unescaped(body: str) -> str:
    def one(match: re.Match[str]) -> str:
        return chr(int(match[1], 8)) if match[1] else _ESCAPES.get(match[2], "\\" + match[2])

    return re.sub(r"\\(?:([0-7]{1,3})|(.))", one, body, flags=re.S)


class AwkSyntaxError(Exception):
    """The program is wrong near this word."""

    def __init__(self, near: str = "") -> None:
        super().__init__(near)
        self.near = near


def lexed(source: str, builtins: Collection[str], *, hexadecimal: bool = True) -> list[tuple[str, str]]:
    """The words, each with its kind. A slash is a division or begins a pattern, as what stands before it says."""
    words: list[tuple[str, str]] = []
    place = 0
    while place < len(source):
        if source[place] == "/" and _starts_pattern(words):
            match = _REGEX.match(source, place)
            if not match:
                raise AwkSyntaxError(source[place : place + 10])
            words.append(("regex", match[1].replace("\\/", "/")))
            place = match.end()
            continue
        match = _WORD.match(source, place)
        if not match:
            raise AwkSyntaxError(source[place])
        if not hexadecimal and match[0][:2] in ("0x", "0X"):  # mawk: a zero, then a name
            match = _WORD.match(source[: place + 1], place) or match
        place = match.end()
        kind = match.lastgroup or ""
        if kind == "newline":
            words.append(("newline", "\n"))
        elif kind == "string":
            words.append(("string", unescaped(match[0][1:-1])))
        elif kind == "name":
            words.append((_kind_of(match[0], source[place : place + 1], builtins), match[0]))
        elif kind != "blank":
            words.append((kind, match[0]))
    return [*words, ("end", "")]


def _constant(word: str, *, octal: bool) -> float:
    """A number of the program."""
    if word[:2].lower() == "0x":
        return float(int(word[:200], 16))
    if octal and re.fullmatch("0[0-7]+", word):
        return float(int(word[:200], 8))
    return float(word)


def _kind_of(name: str, following: str, builtins: Collection[str]) -> str:
    if name in _KEYWORDS:
        return "keyword"
    if name in builtins:
        return "builtin"
    return "call" if following == "(" else "name"


def _starts_pattern(words: list[tuple[str, str]]) -> bool:
    if not words:
        return True
    kind, word = words[-1]
    if kind in ("number", "string", "name", "regex"):
        return False
    return not (kind == "builtin" or word in (")", "]", "++", "--", "$"))


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


def logical(left: Code, word: str, right: Code) -> Code:
    if word == "||":
        return lambda machine: float(truth(left(machine)) or truth(right(machine)))
    return lambda machine: float(truth(left(machine)) and truth(right(machine)))


def membership(key: Key, name: str) -> Code:
    return lambda machine: float(key(machine) in machine.array(name))


def matching(left: Code, word: str, right: Code) -> Code:
    def run(machine: AwkMachine) -> float:
        subject = text(machine, left(machine))
        machine.tool.hold(len(subject))
        return float((pattern_of(machine, right).search(subject) is not None) != (word == "!~"))

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
        self.words = lexed(source, BUILTINS - NOT_MAWK if tool.gnu else BUILTINS, hexadecimal=not tool.gnu)
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

    def listed(self, end: str) -> list[Code]:
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
        return key_of(self.enclosed("]"))

    def enclosed(self, end: str) -> list[Code]:
        """A list up to its closing bracket; in it > compares."""
        self.in_group += 1
        found = self.listed(end)
        self.in_group -= 1
        self.need(end)
        return found

    def chain(self, inner: Callable[[], Code], make: Callable[[Code, str, Code], Code], *words: str) -> Code:
        """Operators of one level, from the left."""
        left = inner()
        while word := self.accept(*words):
            if make is logical:
                self.skip()
            left = make(left, word, inner())
        return left

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
        yes = self.expression()
        self.skip()
        self.need(":")
        self.skip()
        no = self.expression()
        return lambda machine: yes(machine) if truth(test(machine)) else no(machine)

    def either(self) -> Code:
        return self.chain(self.both, logical, "||")

    def both(self) -> Code:
        return self.chain(self.member, logical, "&&")

    def member(self) -> Code:
        left = self.match()
        while self.accept("in"):
            left = membership(key_of([left]), self.next())
        return left

    def match(self) -> Code:
        return self.chain(self.comparison, matching, "~", "!~")

    def comparison(self) -> Code:
        left = self.piped(self.concatenation())
        words = (
            ("<", "<=", "==", "!=", ">", ">=") if self.in_group or not self.printing else ("<", "<=", "==", "!=", ">=")
        )
        if word := self.accept(*words):
            return ordering(left, word, self.concatenation())
        return left

    def piped(self, command: Code) -> Code:
        """`command | getline`, once or more."""
        while self.peek() == "|" and self.words[self.place + 1] == ("keyword", "getline"):
            self.place += 2
            command = reading(self.getline_place(), command, piped=True)
        return command

    def concatenation(self) -> Code:
        left = self.joined()
        while self.starts_value():
            left = joining(left, self.joined())
        return left

    def joined(self) -> Code:
        """What is joined to its neighbour; in mawk a pipe from it binds tighter, in busybox their joint text is run."""
        return self.piped(self.additive()) if self.tool.gnu else self.additive()

    def starts_value(self) -> bool:
        values = ("number", "string", "name", "call", "builtin", "regex")
        return self.kind() in values or self.peek() in ("$", "!", "(", "++", "--")

    def additive(self) -> Code:
        return self.chain(self.product, arithmetic, "+", "-")

    def product(self) -> Code:
        return self.chain(self.unary, arithmetic, "*", "/", "%")

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
        return arithmetic(base, "^", self.unary()) if self.accept("^", "**") else base

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
            value = _constant(word, octal=not self.tool.gnu)
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
        keys = self.enclosed(")")
        if len(keys) > 1:
            self.need("in")
            return membership(key_of(keys), self.next())
        inner = keys[0]
        return lambda machine: inner(machine)

    def call(self, name: str) -> Code:
        self.need("(")
        return function_call(name, self.enclosed(")"))

    def builtin(self, name: str) -> Code:
        arguments = self.enclosed(")") if self.accept("(") else []
        if len(arguments) < LEAST.get(name, 0):
            line = 1 + sum(kind == "newline" for kind, _ in self.words[: self.place])
            said = f"line {line}: wrong number of arguments in call to {name}"
            self.tool.fail(said if self.tool.gnu else f"cmd. line:{line}: Too few arguments", 1 + self.tool.gnu)
        return builtin_call(name, arguments)

    def getline_place(self) -> Lvalue | None:
        place = self.postfix() if self.kind() == "name" or self.peek() == "$" else None
        return place if isinstance(place, Lvalue) else None

    def getline(self) -> Code:
        place = self.getline_place()
        return reading(place, self.primary() if self.accept("<") else None)
