"""awk: POSIX's language without its rarer corners (no getline from commands, no pipes). Parsed into closures."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NoReturn

from labkit.userland.guarded import guarded
from labkit.userland.regex import BadPattern, compile_pattern
from labkit.userland.tool import Say, Tool, Utility, bytes_of, text_of

Value = str | float
Code = Callable[["Machine"], Any]


class StrNum(str):
    """A text from the input: a number where it looks like one."""

    __slots__ = ()


class Jump(Exception):
    """next, exit, break, continue, return: how a statement ends early."""

    def __init__(self, kind: str, value: Any = None) -> None:
        super().__init__(kind)
        self.kind = kind
        self.value = value


@dataclass
class Machine:
    """What a program works on: variables, the current record, functions, what is written where."""

    tool: Tool
    globals: dict[str, Any] = field(default_factory=dict)
    locals: dict[str, Any] | None = None
    record: str = ""
    fields: list[str] | None = None
    functions: dict[str, tuple[list[str], Code]] = field(default_factory=dict)
    written: dict[str, list[bytes]] = field(default_factory=dict)
    ranges: dict[int, bool] = field(default_factory=dict)
    seed: int = 0
    reader: Iterator[str] = field(default_factory=lambda: iter(()))

    def get(self, name: str) -> Any:
        if self.locals is not None and name in self.locals:
            return self.locals[name]
        if name == "NF":
            return float(len(self.split()))
        return self.globals.get(name)

    def set(self, name: str, value: Any) -> None:
        if self.locals is not None and name in self.locals:
            self.locals[name] = value
        elif name == "NF":
            fields = self.split()
            count = int(number(value))
            self.fields = [*fields, *[""] * (count - len(fields))][:count]
            self.rebuild()
        else:
            self.globals[name] = value

    def array(self, name: str) -> dict[str, Any]:
        where = self.locals if self.locals is not None and name in self.locals else self.globals
        found = where.get(name)
        if not isinstance(found, dict):
            found = where[name] = {}
        return found

    def set_record(self, text: str) -> None:
        self.record, self.fields = text, None

    def split(self) -> list[str]:
        if self.fields is None:
            self.fields = split_text(self.record, text(self, self.globals["FS"]))
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
        self.record = text(self, self.globals["OFS"]).join(self.fields or [])


def split_text(record: str, separator: str) -> list[str]:
    if separator == " ":
        return record.split()
    if record == "":
        return []
    if separator == "":
        return list(record)
    if len(separator) == 1 and separator != "\\":
        return record.split(separator) if separator != "\t" else record.split("\t")
    return _split_pattern(ere(separator), record)


def _split_pattern(pattern: re.Pattern[str], record: str) -> list[str]:
    out, place = [], 0
    for match in pattern.finditer(record):
        if match.end() > match.start():
            out.append(record[place : match.start()])
            place = match.end()
    return [*out, record[place:]]


def ere(pattern: str) -> re.Pattern[str]:
    return compile_pattern(pattern, extended=True, controls=True)


# values

_NUMBER = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)")


_HEX = re.compile(r"\s*([+-]?0[xX][0-9a-fA-F]+)")


def number(value: Any) -> float:
    if isinstance(value, float):
        return value
    match = _NUMBER.match(value) if value else None
    if match and (hexadecimal := _HEX.match(value)):
        return float(int(hexadecimal[1], 16))
    return float(match[1]) if match else 0.0


def looks_numeric(value: Any) -> bool:
    if value is None or isinstance(value, float):
        return True
    if not isinstance(value, StrNum):
        return False
    match = _NUMBER.match(value)
    return match is not None and value[match.end() :].strip() == ""


def text(machine: Machine, value: Any, form: str = "CONVFMT") -> str:
    if isinstance(value, str):
        return str(value)
    if value is None:
        return ""
    if value == int(value) if math.isfinite(value) else False:
        return str(int(value))
    return formatted(machine, machine.globals[form], [value])


def truth(value: Any) -> bool:
    if value is None:
        return False
    if isinstance(value, float):
        return value != 0
    return number(value) != 0 if looks_numeric(value) else value != ""


def compared(machine: Machine, left: Any, right: Any) -> int:
    if looks_numeric(left) and looks_numeric(right):
        one, other = number(left), number(right)
        return (one > other) - (one < other)
    first, second = text(machine, left), text(machine, right)
    return (first > second) - (first < second)


_SPEC = re.compile(r"%([-+ #0]*)(\*|\d*)(?:\.(\*|\d*))?([a-zA-Z%])")


def formatted(machine: Machine, form: str, values: list[Any]) -> str:
    left = list(values)

    def take() -> Any:
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


# words

_KEYWORDS = {
    "BEGIN",
    "END",
    "function",
    "func",
    "if",
    "else",
    "while",
    "for",
    "do",
    "break",
    "continue",
    "next",
    "exit",
    "return",
    "delete",
    "in",
    "print",
    "printf",
    "getline",
}
_WORD = re.compile(
    r"(?P<blank>[ \t\r]+|\\\n|#[^\n]*)|(?P<newline>\n)"
    r"|(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|0[xX][0-9a-fA-F]+)"
    r'|(?P<string>"(?:[^"\\\n]|\\.)*")|(?P<name>[A-Za-z_]\w*)'
    r"|(?P<op>\*\*=|\|\||&&|\+\+|--|\+=|-=|\*=|/=|%=|\^=|\*\*|==|<=|>=|!=|>>|!~|[-{}()\[\];,+*/%^!><|?:~$=])",
    re.S,
)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", '"': '"', "/": "/", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}


def unescaped(body: str) -> str:
    def one(match: re.Match[str]) -> str:
        return chr(int(match[1], 8)) if match[1] else _ESCAPES.get(match[2], "\\" + match[2])

    return re.sub(r"\\(?:([0-7]{1,3})|(.))", one, body, flags=re.S)


class Parser:
    """The program, word by word. A slash is a division or begins a pattern, as what stands before it says."""

    def __init__(self, tool: Tool, source: str) -> None:
        self.tool = tool
        self.source = source
        self.words = self.lex()
        self.place = 0
        self.functions: dict[str, tuple[list[str], Code]] = {}
        self.begin: list[Code] = []
        self.end: list[Code] = []
        self.rules: list[tuple[Code | None, Code | None, Code | None]] = []
        self.in_group = 0  # parentheses: in them > compares even in a print
        self.printing = False

    def fail(self, near: str = "") -> NoReturn:
        line = self.source.count("\n", 0, self.source.find(near) if near in self.source else 0) + 1
        shown = near if near.strip() else "end of file"
        self.tool.fail(
            f"line {line}: syntax error at or near {shown}" if self.tool.gnu else f"cmd. line:{line}: Syntax error",
            2 if self.tool.gnu else 1,
        )

    def lex(self) -> list[tuple[str, str]]:
        words: list[tuple[str, str]] = []
        place, source = 0, self.source
        while place < len(source):
            if source[place] == "/" and self.starts_pattern(words):
                match = re.compile(r"/((?:[^/\\\[\n]|\\.|\[\^?\]?(?:[^\]\\]|\\.)*\])*)/").match(source, place)
                if not match:
                    self.fail(source[place : place + 10])
                words.append(("regex", match[1].replace("\\/", "/")))
                place = match.end()
                continue
            match = _WORD.match(source, place)
            if not match:
                self.fail(source[place])
            place = match.end()
            kind = match.lastgroup or ""
            if kind == "newline":
                words.append(("newline", "\n"))
            elif kind == "string":
                words.append(("string", unescaped(match[0][1:-1])))
            elif kind == "name":
                words.append(self.name(match[0], source[place : place + 1]))
            elif kind != "blank":
                words.append((kind, match[0]))
        return [*words, ("end", "")]

    def name(self, word: str, following: str) -> tuple[str, str]:
        if word in _KEYWORDS:
            return "keyword", word
        if word in _BUILTINS:
            return "builtin", word
        return ("call", word) if following == "(" else ("name", word)

    @staticmethod
    def starts_pattern(words: list[tuple[str, str]]) -> bool:
        if not words:
            return True
        kind, word = words[-1]
        if kind in ("number", "string", "name", "regex"):
            return False
        return not (kind == "builtin" or word in (")", "]", "++", "--", "$"))

    # steps

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

    # program

    def program(self) -> None:
        self.newlines()
        while self.kind() != "end":
            self.item()
            self.newlines()

    def item(self) -> None:
        if self.accept("function", "func"):
            name = self.next()
            self.need("(")
            parameters = []
            while self.peek() != ")":
                parameters.append(self.next())
                self.accept(",")
                self.skip()
            self.next()
            self.skip()
            self.functions[name] = (parameters, self.block())
        elif self.accept("BEGIN"):
            self.skip()
            self.begin.append(self.block())
        elif self.accept("END"):
            self.skip()
            self.end.append(self.block())
        else:
            self.rule()

    def rule(self) -> None:
        first = last = body = None
        if self.peek() != "{":
            first = self.expression()
            if self.accept(","):
                self.skip()
                last = self.expression()
        if self.peek() == "{":
            body = self.block()
        self.rules.append((first, last, body))

    def block(self) -> Code:
        self.need("{")
        statements = []
        self.newlines()
        while self.peek() != "}":
            if self.kind() == "end":
                self.fail()
            statements.append(self.statement())
            self.newlines()
        self.next()
        return _sequence(statements)

    def body(self) -> Code:
        self.skip()
        if self.accept(";"):
            return _sequence([])
        return self.statement()

    def statement(self) -> Code:
        word = self.peek()
        if word == "{":
            return self.block()
        reader = {"if": self.if_, "while": self.while_, "do": self.do, "for": self.for_}.get(word)
        if reader:
            self.next()
            return reader()
        made = self.simple()
        if self.peek() in (";", "\n"):
            self.next()
        elif self.peek() != "}" and self.kind() != "end":
            self.fail(self.words[self.place][1])
        return made

    def simple(self) -> Code:
        word = self.peek()
        if word in ("print", "printf"):
            return self.print(self.next())
        if word in ("next", "break", "continue"):
            self.next()
            return _jump(word, None)
        if word in ("exit", "return"):
            self.next()
            value = None if self.peek() in (";", "\n", "}") or self.kind() == "end" else self.expression()
            return _jump(word, value)
        if word == "delete":
            self.next()
            name = self.next()
            if self.accept("["):
                return _delete(name, self.subscript())
            return _delete(name, None)
        return self.expression()

    def condition(self) -> Code:
        self.need("(")
        made = self.grouped()
        self.need(")")
        return made

    def grouped(self) -> Code:
        self.in_group += 1
        made = self.expression()
        self.in_group -= 1
        return made

    def if_(self) -> Code:
        test = self.condition()
        then = self.body()
        place = self.place
        self.newlines()
        if self.accept("else"):
            return _if(test, then, self.body())
        self.place = place
        return _if(test, then, None)

    def while_(self) -> Code:
        test = self.condition()
        return _loop(test, self.body(), None, first=True)

    def do(self) -> Code:
        body = self.body()
        self.newlines()
        self.need("while")
        return _loop(self.condition(), body, None, first=False)

    def for_(self) -> Code:
        self.need("(")
        kinds = [self.words[self.place + index] for index in range(4)] if self.place + 4 < len(self.words) else []
        if kinds and kinds[0][0] == "name" and kinds[1] == ("keyword", "in") and kinds[3] == ("op", ")"):
            name = self.next()
            self.next()
            array = self.next()
            self.next()
            return _for_in(name, array, self.body())
        start = None if self.peek() == ";" else self.simple()
        self.need(";")
        self.skip()
        test = None if self.peek() == ";" else self.grouped()
        self.need(";")
        self.skip()
        step = None if self.peek() == ")" else self.simple()
        self.need(")")
        loop = _loop(test, self.body(), step, first=True)
        return _sequence([start, loop]) if start else loop

    def print(self, word: str) -> Code:
        arguments: list[Code] = []
        self.printing = True
        if self.peek() not in (";", "\n", "}", ">", ">>", "|") and self.kind() != "end":
            if self.peek() == "(" and self.closes_at_end():
                self.next()
                self.in_group += 1
                arguments = self.list(")")
                self.in_group -= 1
                self.need(")")
            else:
                arguments = self.list("")
        target, how = None, self.accept(">", ">>", "|")
        if how:
            target = self.redirection()
        self.printing = False
        return _print(word, arguments, how, target)

    def redirection(self) -> Code:
        target = self.concatenation()
        if not self.accept("?"):
            return target
        yes = self.expression()
        self.need(":")
        no = self.expression()
        return lambda machine: yes(machine) if truth(target(machine)) else no(machine)

    def closes_at_end(self) -> bool:
        """Whether the parenthesis here closes where the statement, or its redirection, begins."""
        depth = 0
        for index in range(self.place, len(self.words)):
            kind, word = self.words[index]
            if kind == "op" and word == "(":
                depth += 1
            elif kind == "op" and word == ")":
                depth -= 1
                if depth == 0:
                    after = self.words[index + 1]
                    return after[0] == "end" or after[1] in (";", "\n", "}", ">", ">>", "|")
        return False

    def list(self, end: str) -> list[Code]:
        found: list[Code] = []
        while self.peek() != end or not end:
            found.append(self.expression())
            if not self.accept(","):
                break
            self.skip()
        return found

    def subscript(self) -> Code:
        self.in_group += 1
        keys = self.list("]")
        self.in_group -= 1
        self.need("]")
        return _key(keys)

    # expressions, from the loosest to the tightest

    def expression(self) -> Code:
        left = self.ternary()
        operator = self.accept("=", "+=", "-=", "*=", "/=", "%=", "^=", "**=")
        if not operator:
            return left
        if not isinstance(left, Place):
            self.fail(operator)
        self.skip()
        value = self.expression()
        return _assign(left, operator[:-1], value)

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
            left = _or(left, self.both())
        return left

    def both(self) -> Code:
        left = self.member()
        while self.accept("&&"):
            self.skip()
            left = _and(left, self.member())
        return left

    def member(self) -> Code:
        left = self.match()
        while self.accept("in"):
            left = _in(left, self.next())
        return left

    def match(self) -> Code:
        left = self.comparison()
        while word := self.accept("~", "!~"):
            left = _matches(left, self.comparison(), word == "!~")
        return left

    def comparison(self) -> Code:
        left = self.concatenation()
        words = (
            ("<", "<=", "==", "!=", ">", ">=") if self.in_group or not self.printing else ("<", "<=", "==", "!=", ">=")
        )
        if word := self.accept(*words):
            return _compare(left, word, self.concatenation())
        return left

    def concatenation(self) -> Code:
        left = self.additive()
        while self.starts_value():
            left = _concatenate(left, self.additive())
        return left

    def starts_value(self) -> bool:
        kind = self.kind()
        if kind in ("number", "string", "name", "call", "builtin", "regex"):
            return True
        return kind == "op" and self.peek() in ("$", "!", "(", "-", "+", "++", "--") and self.peek() not in ("+", "-")

    def additive(self) -> Code:
        left = self.product()
        while word := self.accept("+", "-"):
            left = _arithmetic(left, word, self.product())
        return left

    def product(self) -> Code:
        left = self.unary()
        while word := self.accept("*", "/", "%"):
            left = _arithmetic(left, word, self.unary())
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
            return _arithmetic(base, "^", exponent)
        return base

    def postfix(self) -> Code:
        if word := self.accept("++", "--"):
            place = self.postfix()
            if not isinstance(place, Place):
                self.fail(word)
            return _step(place, 1.0 if word == "++" else -1.0, before=True)
        made = self.primary()
        if isinstance(made, Place) and (word := self.accept("++", "--")):
            return _step(made, 1.0 if word == "++" else -1.0, before=False)
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
            return Pattern(self.regex(word))
        if kind == "name":
            return Element(word, self.subscript()) if self.accept("[") else Variable(word)
        if kind == "call":
            return self.call(word)
        if kind == "builtin":
            return self.builtin(word)
        if word == "$":
            return Field(self.postfix())
        if word == "(":
            return self.parenthesis()
        if word != "getline":
            self.fail(word)
        return self.getline()

    def regex(self, word: str) -> re.Pattern[str]:
        try:
            return guarded(ere(word), self.tool.tick)  # type: ignore[no-any-return]
        except BadPattern as bad:
            self.tool.fail(f"regular expression compile failed ({bad})\n{word}", 2)

    def parenthesis(self) -> Code:
        self.in_group += 1
        keys = self.list(")")
        self.in_group -= 1
        self.need(")")
        if len(keys) > 1:
            self.need("in")
            return _in(_key(keys), self.next())
        inner = keys[0]
        return lambda machine: inner(machine)

    def call(self, name: str) -> Code:
        self.need("(")
        self.in_group += 1
        arguments = self.list(")")
        self.in_group -= 1
        self.need(")")
        return _call(name, arguments)

    def builtin(self, name: str) -> Code:
        arguments: list[Code] = []
        if self.accept("("):
            self.in_group += 1
            arguments = self.list(")")
            self.in_group -= 1
            self.need(")")
        return _builtin(name, arguments)

    def getline(self) -> Code:
        place = self.postfix() if self.kind() == "name" or self.peek() == "$" else None
        source = self.concatenation() if self.accept("<") else None
        return _getline(place if isinstance(place, Place) else None, source)


# places: what can be assigned to


class Place:
    """Something with a value that can be set."""

    def __call__(self, machine: Machine) -> Any:
        raise NotImplementedError

    def put(self, machine: Machine, value: Any) -> None:
        raise NotImplementedError


class Variable(Place):
    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, machine: Machine) -> Any:
        return machine.get(self.name)

    def put(self, machine: Machine, value: Any) -> None:
        machine.set(self.name, value)


class Element(Place):
    def __init__(self, name: str, key: Code) -> None:
        self.name = name
        self.key = key

    def __call__(self, machine: Machine) -> Any:
        return machine.array(self.name).setdefault(self.key(machine), None)

    def put(self, machine: Machine, value: Any) -> None:
        machine.array(self.name)[self.key(machine)] = value


class Field(Place):
    def __init__(self, index: Code) -> None:
        self.index = index

    def __call__(self, machine: Machine) -> Any:
        return machine.field(int(number(self.index(machine))))

    def put(self, machine: Machine, value: Any) -> None:
        machine.set_field(int(number(self.index(machine))), text(machine, value))


class Pattern:
    """A pattern between slashes: by itself it is matched against the record."""

    def __init__(self, pattern: re.Pattern[str]) -> None:
        self.pattern = pattern

    def __call__(self, machine: Machine) -> Any:
        return float(self.pattern.search(machine.record) is not None)


def _pattern_of(machine: Machine, code: Code) -> re.Pattern[str]:
    if isinstance(code, Pattern):
        return code.pattern
    return guarded(ere(text(machine, code(machine))), machine.tool.tick)  # type: ignore[no-any-return]


# closures


def _sequence(statements: list[Code]) -> Code:
    def run(machine: Machine) -> None:
        for statement in statements:
            machine.tool.tick()
            statement(machine)

    return run


def _if(test: Code, then: Code, other: Code | None) -> Code:
    def run(machine: Machine) -> None:
        if truth(test(machine)):
            then(machine)
        elif other:
            other(machine)

    return run


def _loop(test: Code | None, body: Code, step: Code | None, *, first: bool) -> Code:
    def run(machine: Machine) -> None:
        ask = first
        while not ask or test is None or truth(test(machine)):
            ask = True
            machine.tool.tick()
            try:
                body(machine)
            except Jump as jump:
                if jump.kind == "break":
                    return
                if jump.kind != "continue":
                    raise
            if step:
                step(machine)

    return run


def _for_in(name: str, array: str, body: Code) -> Code:
    def run(machine: Machine) -> None:
        for key in list(machine.array(array)):
            machine.set(name, StrNum(key))
            try:
                body(machine)
            except Jump as jump:
                if jump.kind == "break":
                    return
                if jump.kind != "continue":
                    raise

    return run


def _jump(kind: str, value: Code | None) -> Code:
    def run(machine: Machine) -> None:
        raise Jump(kind, value(machine) if value else None)

    return run


def _delete(name: str, key: Code | None) -> Code:
    def run(machine: Machine) -> None:
        if key is None:
            machine.array(name).clear()
        else:
            machine.array(name).pop(key(machine), None)

    return run


def _key(keys: list[Code]) -> Code:
    if len(keys) == 1:
        only = keys[0]
        return lambda machine: text(machine, only(machine))
    return lambda machine: text(machine, machine.globals["SUBSEP"]).join(text(machine, key(machine)) for key in keys)


def _assign(place: Place, operator: str, value: Code) -> Code:
    def run(machine: Machine) -> Any:
        new = value(machine)
        if operator:
            new = _calculated(machine, number(place(machine)), operator.replace("**", "^"), number(new))
        place.put(machine, new)
        return new

    return run


def _calculated(machine: Machine, left: float, operator: str, right: float) -> float:
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


def _arithmetic(left: Code, operator: str, right: Code) -> Code:
    return lambda machine: _calculated(machine, number(left(machine)), operator, number(right(machine)))


def _step(place: Place, by: float, *, before: bool) -> Code:
    def run(machine: Machine) -> float:
        old = number(place(machine))
        place.put(machine, old + by)
        return old + by if before else old

    return run


def _or(left: Code, right: Code) -> Code:
    return lambda machine: float(truth(left(machine)) or truth(right(machine)))


def _and(left: Code, right: Code) -> Code:
    return lambda machine: float(truth(left(machine)) and truth(right(machine)))


def _in(key: Code, name: str) -> Code:
    return lambda machine: float(text(machine, key(machine)) in machine.array(name))


def _matches(left: Code, right: Code, negated: bool) -> Code:
    def run(machine: Machine) -> float:
        subject = text(machine, left(machine))
        return float((_pattern_of(machine, right).search(subject) is not None) != negated)

    return run


_ORDER: dict[str, Callable[[int], bool]] = {
    "<": lambda sign: sign < 0,
    "<=": lambda sign: sign <= 0,
    "==": lambda sign: sign == 0,
    "!=": lambda sign: sign != 0,
    ">": lambda sign: sign > 0,
    ">=": lambda sign: sign >= 0,
}


def _compare(left: Code, word: str, right: Code) -> Code:
    return lambda machine: float(_ORDER[word](compared(machine, left(machine), right(machine))))


def _concatenate(left: Code, right: Code) -> Code:
    def run(machine: Machine) -> str:
        joined = text(machine, left(machine)) + text(machine, right(machine))
        if len(joined) > 1024:
            machine.tool.hold(len(joined))
        return joined

    return run


def _print(word: str, arguments: list[Code], how: str, target: Code | None) -> Code:
    def run(machine: Machine) -> None:
        if word == "printf":
            values = [argument(machine) for argument in arguments]
            line = formatted(machine, text(machine, values[0]) if values else "", values[1:])
        else:
            shown = (
                [text(machine, argument(machine), "OFMT") for argument in arguments] if arguments else [machine.record]
            )
            line = text(machine, machine.globals["OFS"]).join(shown) + text(machine, machine.globals["ORS"])
        _write(machine, bytes_of(line), how, text(machine, target(machine)) if target else "")

    return run


def _write(machine: Machine, data: bytes, how: str, target: str) -> None:
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


def _call(name: str, arguments: list[Code]) -> Code:
    def run(machine: Machine) -> Any:
        if name not in machine.functions:
            machine.tool.fail(f"function {name} never defined", 2)
        parameters, body = machine.functions[name]
        values: dict[str, Any] = dict.fromkeys(parameters)
        for parameter, argument in zip(parameters, arguments, strict=False):
            values[parameter] = _passed(machine, argument)
        saved, machine.locals = machine.locals, values
        try:
            machine.tool.tick()
            body(machine)
        except Jump as jump:
            if jump.kind != "return":
                raise
            return jump.value
        finally:
            machine.locals = saved
        return None

    return run


def _passed(machine: Machine, argument: Code) -> Any:
    """An array goes by reference; so does a name that has no value yet, for it may become one."""
    value = argument(machine)
    if value is None and isinstance(argument, Variable) and machine.locals is None:
        return machine.globals.get(argument.name)
    return value


def _getline(place: Place | None, source: Code | None) -> Code:
    def run(machine: Machine) -> float:
        if source is not None:
            name = text(machine, source(machine))
            key = f"<{name}"
            if key not in machine.globals:
                try:
                    machine.globals[key] = _records(machine, name)
                except OSError:
                    return -1.0
            line = next(machine.globals[key], None)
        else:
            line = next(machine.reader, None)
        if line is None:
            return 0.0
        if source is None:
            machine.globals["NR"] = machine.globals["NR"] + 1.0
        if place is None:
            machine.set_record(line)
        else:
            place.put(machine, StrNum(line))
        return 1.0

    return run


# functions


def _do_substitute(machine: Machine, arguments: list[Code], everywhere: bool) -> float:
    pattern = _pattern_of(machine, arguments[0])
    by = text(machine, arguments[1](machine))
    place = arguments[2] if len(arguments) > 2 else Field(lambda machine: 0.0)
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
    if count and isinstance(place, Place):
        place.put(machine, out + subject[at:])
    return float(count)


def _do_split(machine: Machine, arguments: list[Code]) -> float:
    subject = text(machine, arguments[0](machine))
    name = arguments[1].name if isinstance(arguments[1], Variable) else ""
    if len(arguments) > 2 and isinstance(arguments[2], Pattern):
        pieces = _split_pattern(arguments[2].pattern, subject) if subject else []
    else:
        separator = text(machine, arguments[2](machine) if len(arguments) > 2 else machine.globals["FS"])
        pieces = split_text(subject, separator)
    array = machine.array(name)
    array.clear()
    array.update({str(index): StrNum(piece) for index, piece in enumerate(pieces, 1)})
    return float(len(pieces))


def _do_match(machine: Machine, arguments: list[Code]) -> float:
    match = _pattern_of(machine, arguments[1]).search(text(machine, arguments[0](machine)))
    machine.globals["RSTART"] = float(match.start() + 1 if match else 0)
    machine.globals["RLENGTH"] = float(len(match[0]) if match else -1)
    return float(machine.globals["RSTART"])


def _do_substring(machine: Machine, values: list[Any]) -> str:
    subject = text(machine, values[0])
    start = round(number(values[1]))
    stop = len(subject) + 1 if len(values) < 3 else start + round(number(values[2]))
    return subject[max(start, 1) - 1 : max(stop, 1) - 1]


def _do_length(machine: Machine, arguments: list[Code]) -> float:
    if not arguments:
        return float(len(machine.record))
    argument = arguments[0]
    if isinstance(argument, Variable) and isinstance(machine.get(argument.name), dict):
        return float(len(machine.get(argument.name)))
    return float(len(text(machine, argument(machine))))


def _do_random(machine: Machine, values: list[Any]) -> float:
    machine.seed = (machine.seed * 1103515245 + 12345) % (1 << 31)
    return machine.seed / (1 << 31)


def _do_seed(machine: Machine, values: list[Any]) -> float:
    old = machine.seed
    machine.seed = int(number(values[0])) if values else machine.tool.process.kernel.clock.now // 10**9
    return float(old)


def _do_system(machine: Machine, values: list[Any]) -> float:
    return float(machine.tool.run(["sh", "-c", text(machine, values[0])], Say("{0}", "{0}")))


def _do_close(machine: Machine, values: list[Any]) -> float:
    name = text(machine, values[0])
    machine.globals.pop(f"<{name}", None)
    _flush_pipe(machine, name)
    return float(0 if machine.written.pop(name, None) is not None else -1)


def _flush_pipe(machine: Machine, command: str) -> None:
    from labkit.kernel.streams import Input

    data = machine.written.pop("|" + command, None)
    if data is not None:
        machine.tool.run(["sh", "-c", command], Say("{0}", "{0}"), stdin=Input(b"".join(data)))


_RAW: dict[str, Callable[[Machine, list[Code]], Any]] = {
    "sub": lambda machine, arguments: _do_substitute(machine, arguments, False),
    "gsub": lambda machine, arguments: _do_substitute(machine, arguments, True),
    "split": _do_split,
    "match": _do_match,
    "length": _do_length,
}
_VALUES: dict[str, Callable[[Machine, list[Any]], Any]] = {
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
_BUILTINS = {*_RAW, *_VALUES}


def _builtin(name: str, arguments: list[Code]) -> Code:
    if name in _RAW:
        raw = _RAW[name]
        return lambda machine: raw(machine, arguments)
    function = _VALUES[name]
    return lambda machine: function(machine, [argument(machine) for argument in arguments])


# running


def _records(machine: Machine, path: str) -> Iterator[str]:
    tool = machine.tool
    content = tool.content(path)
    separator = text(machine, machine.globals["RS"])
    if separator == "\n":
        return (text_of(line.removesuffix(b"\n")) for line in tool.lines(content))
    whole = text_of(tool.whole(content))
    if separator == "":
        return iter([part for part in re.split(r"\n\n+", whole.strip("\n")) if part])
    parts = whole.split(separator) if len(separator) == 1 else _split_pattern(ere(separator), whole)
    return iter(parts[:-1] if parts and parts[-1] in ("", "\n") else parts)


def _all_records(machine: Machine, operands: list[str]) -> Iterator[str]:
    seen = False
    for operand in operands:
        if match := re.fullmatch(r"([A-Za-z_]\w*)=(.*)", operand, re.S):
            machine.globals[match[1]] = StrNum(unescaped(match[2]))
            continue
        seen = True
        yield from _file_records(machine, operand)
    if not seen:
        yield from _file_records(machine, "-")


def _file_records(machine: Machine, path: str) -> Iterator[str]:
    tool = machine.tool
    machine.globals["FILENAME"] = "" if path == "-" else path
    machine.globals["FNR"] = 0.0
    try:
        records = _records(machine, path)
    except OSError as error:
        said = Say("{0}", "cannot open {0} (" + tool.reason(error) + ")")
        tool.refuse(said, path, error=None if tool.gnu else error, status=2 if tool.gnu else 1)
    for record in records:
        machine.globals["FNR"] += 1.0
        yield record


def _rule_applies(machine: Machine, index: int, first: Code | None, last: Code | None) -> bool:
    if first is None:
        return True
    if last is None:
        return truth(first(machine))
    if not machine.ranges.get(index) and not truth(first(machine)):
        return False
    machine.ranges[index] = not truth(last(machine))
    return True


def _main(machine: Machine, parser: Parser) -> None:
    for record in machine.reader:
        machine.tool.tick()
        machine.globals["NR"] += 1.0
        machine.set_record(record)
        try:
            for index, (first, last, body) in enumerate(parser.rules):
                if _rule_applies(machine, index, first, last):
                    if body is None:
                        _write(machine, bytes_of(machine.record + text(machine, machine.globals["ORS"])), "", "")
                    else:
                        body(machine)
        except Jump as jump:
            if jump.kind != "next":
                raise


def awk(tool: Tool) -> int:
    operands = list(tool.operands)
    try:
        source = "\n".join(text_of(tool.data(path)) for path in tool.values("f"))
    except OSError as error:
        tool.refuse(Say("{0}", "{0}"), str(error.filename), error=error, status=2)
    if not tool.has("f"):
        if not operands:
            if tool.gnu:
                tool.process.stderr.write("Usage: mawk [Options] [Program] [file ...]\n")
                return 2
            tool.usage()
        source = operands.pop(0)
    parser = Parser(tool, source)
    parser.program()
    machine = _machine(tool, parser, operands)
    machine.reader = _all_records(machine, operands)
    status = _run(machine, parser)
    for target in [key for key in machine.written if key.startswith("|")]:
        _flush_pipe(machine, target[1:])
    return status or tool.status


def _machine(tool: Tool, parser: Parser, operands: list[str]) -> Machine:
    given = tool.value("F")
    separator = " " if given is None else "\t" if given == "t" else unescaped(given)
    machine = Machine(tool, functions=parser.functions)
    machine.globals.update(
        {
            "FS": separator,
            "OFS": " ",
            "ORS": "\n",
            "RS": "\n",
            "NR": 0.0,
            "FNR": 0.0,
            "FILENAME": "",
            "SUBSEP": "\x1c",
            "CONVFMT": "%.6g",
            "OFMT": "%.6g",
            "RSTART": 0.0,
            "RLENGTH": -1.0,
            "ARGC": float(len(operands) + 1),
            "ENVIRON": {name: StrNum(value) for name, value in tool.env.items()},
            "ARGV": {str(index): StrNum(word) for index, word in enumerate([tool.name, *operands])},
        }
    )
    for assignment in tool.values("v"):
        name, _, value = assignment.partition("=")
        machine.globals[name] = StrNum(unescaped(value))
    return machine


def _run(machine: Machine, parser: Parser) -> int:
    status = 0
    try:
        for block in parser.begin:
            block(machine)
        if parser.rules or parser.end:
            _main(machine, parser)
    except Jump as jump:
        if jump.kind != "exit":
            raise
        status = int(number(jump.value)) if jump.value is not None else 0
    try:
        for block in parser.end:
            block(machine)
    except Jump as jump:
        if jump.kind == "exit" and jump.value is not None:
            status = int(number(jump.value))
    return status


UTILITIES = {
    name: Utility(
        awk,
        "F: v: f: e:",
        "F: v: f: W:",
        "[OPTIONS] [AWK_PROGRAM] [FILE]...",
        permute=False,
        bad=2,
        package="mawk 1.3.4)",
    )
    for name in ("awk", "mawk", "gawk")
}
