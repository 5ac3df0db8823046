"""test, [, expr, true, false."""

from __future__ import annotations

import re
import stat
from collections.abc import Callable

from labkit.files import Stat
from labkit.userland.guarded import guarded
from labkit.userland.regex import BadPattern, compile_pattern
from labkit.userland.tool import Done, Say, Tool, Utility


class BadTest(Exception):
    """Not an expression; its argument is what test says."""


def _mode(check: Callable[[int], bool]) -> Callable[[Tool, str], bool]:
    def test(tool: Tool, path: str) -> bool:
        about = _stat(tool, path)
        return about is not None and check(about.st_mode)

    return test


def _stat(tool: Tool, path: str) -> Stat | None:
    try:
        return tool.files.stat(path)
    except OSError:
        return None


def _is_link(tool: Tool, path: str) -> bool:
    try:
        return stat.S_ISLNK(tool.files.lstat(path).st_mode)
    except OSError:
        return False


def _size(tool: Tool, path: str) -> bool:
    about = _stat(tool, path)
    return about is not None and about.st_size > 0


def _access(mode: int) -> Callable[[Tool, str], bool]:
    return lambda tool, path: tool.files.access(path, mode)


def _terminal(tool: Tool, number: str) -> bool:
    streams = {"0": tool.process.stdin, "1": tool.process.stdout, "2": tool.process.stderr}
    return bool(getattr(streams.get(number), "isatty", False))


_UNARY: dict[str, Callable[[Tool, str], bool]] = {
    "-e": lambda tool, path: _stat(tool, path) is not None,
    "-f": _mode(stat.S_ISREG),
    "-d": _mode(stat.S_ISDIR),
    "-b": _mode(stat.S_ISBLK),
    "-c": _mode(stat.S_ISCHR),
    "-p": _mode(stat.S_ISFIFO),
    "-S": _mode(stat.S_ISSOCK),
    "-u": _mode(lambda mode: bool(mode & 0o4000)),
    "-g": _mode(lambda mode: bool(mode & 0o2000)),
    "-k": _mode(lambda mode: bool(mode & 0o1000)),
    "-h": _is_link,
    "-L": _is_link,
    "-s": _size,
    "-r": _access(4),
    "-w": _access(2),
    "-x": _access(1),
    "-z": lambda tool, text: text == "",
    "-n": lambda tool, text: text != "",
    "-t": _terminal,
    "-O": lambda tool, path: (about := _stat(tool, path)) is not None and about.st_uid == tool.files.user.uid,
    "-G": lambda tool, path: (about := _stat(tool, path)) is not None and about.st_gid == tool.files.user.gid,
    "-N": lambda tool, path: (about := _stat(tool, path)) is not None and about.st_mtime_ns > about.st_atime_ns,
}


def _number(tool: Tool, text: str) -> int:
    if not re.fullmatch(r"\s*[+-]?\d+\s*", text):
        raise BadTest(tool.text(Say("{0}: bad number", "invalid integer {0:l}"), text))
    return int(text)


def _numbers(compare: Callable[[int, int], bool]) -> Callable[[Tool, str, str], bool]:
    def test(tool: Tool, left: str, right: str) -> bool:
        first = _number(tool, left)
        return compare(first, _number(tool, right))

    return test


def _newer(tool: Tool, left: str, right: str) -> bool:
    one, other = _stat(tool, left), _stat(tool, right)
    return one is not None and (other is None or one.st_mtime_ns > other.st_mtime_ns)


def _same(tool: Tool, left: str, right: str) -> bool:
    one, other = _stat(tool, left), _stat(tool, right)
    return one is not None and other is not None and (one.st_ino, one.st_dev) == (other.st_ino, other.st_dev)


_BINARY: dict[str, Callable[[Tool, str, str], bool]] = {
    "=": lambda tool, left, right: left == right,
    "==": lambda tool, left, right: left == right,
    "!=": lambda tool, left, right: left != right,
    "<": lambda tool, left, right: left < right,
    ">": lambda tool, left, right: left > right,
    "-eq": _numbers(lambda a, b: a == b),
    "-ne": _numbers(lambda a, b: a != b),
    "-lt": _numbers(lambda a, b: a < b),
    "-le": _numbers(lambda a, b: a <= b),
    "-gt": _numbers(lambda a, b: a > b),
    "-ge": _numbers(lambda a, b: a >= b),
    "-nt": _newer,
    "-ot": lambda tool, left, right: _newer(tool, right, left),
    "-ef": _same,
}


class Expression:
    """POSIX's rules for up to four arguments, and beyond them -o, -a, ! and parentheses by precedence."""

    def __init__(self, tool: Tool, words: list[str]) -> None:
        self.tool = tool
        self.words = words
        self.place = 0

    def value(self) -> bool:
        words = self.words
        short = {
            0: lambda: False,
            1: lambda: words[0] != "",
            2: lambda: self.two(words),
            3: lambda: self.three(words),
            4: lambda: self.four(words),
        }.get(len(words))
        if short:
            return short()
        return self.long()

    def two(self, words: list[str]) -> bool:
        if words[0] == "!":
            return words[1] == ""
        if words[0] in _UNARY:
            return _UNARY[words[0]](self.tool, words[1])
        raise BadTest(self.missing(words[0], words[1]))

    def missing(self, first: str, last: str) -> str:
        if not self.tool.gnu:
            return "closing paren expected" if first == "(" else f"{last}: unknown operand"
        if re.fullmatch(r"-[a-zA-Z]", first):
            return self.tool.text(Say("", "{0:l}: unary operator expected"), first)
        return self.tool.text(Say("", "missing argument after {0:l}"), last)

    def three(self, words: list[str]) -> bool:
        if words[1] in _BINARY and not (self.tool.gnu and words[1] in "<>"):
            return _BINARY[words[1]](self.tool, words[0], words[2])
        if words[1] in ("-a", "-o"):
            return self.long()
        if words[0] == "!":
            return not self.two(words[1:])
        if words[0] == "(" and words[2] == ")":
            return words[1] != ""
        raise BadTest(
            self.tool.text(Say("{1}: unknown operand", "{1:l}: binary operator expected"), words[0], words[1])
        )

    def four(self, words: list[str]) -> bool:
        if words[0] == "!":
            return not self.three(words[1:])
        if words[0] == "(" and words[3] == ")":
            return self.two(words[1:3])
        return self.long()

    def long(self) -> bool:
        value = self.either()
        if self.place < len(self.words):
            extra = self.words[self.place]
            raise BadTest(self.tool.text(Say("{0}: unknown operand", "extra argument {0:l}"), extra))
        return value

    def peek(self) -> str | None:
        return self.words[self.place] if self.place < len(self.words) else None

    def either(self) -> bool:
        value = self.both()
        while self.peek() == "-o":
            self.place += 1
            value = self.both() or value
        return value

    def both(self) -> bool:
        value = self.negation()
        while self.peek() == "-a":
            self.place += 1
            value = self.negation() and value
        return value

    def negation(self) -> bool:
        if self.peek() == "!":
            self.place += 1
            return not self.negation()
        return self.primary()

    def primary(self) -> bool:
        words, place = self.words, self.place
        if place >= len(words):
            raise BadTest(self.tool.text(Say("argument expected", "missing argument after {0:l}"), words[-1]))
        if place + 2 < len(words) and words[place + 1] in _BINARY:
            self.place += 3
            return _BINARY[words[place + 1]](self.tool, words[place], words[place + 2])
        if words[place] == "(":
            self.place += 1
            value = self.either()
            if self.peek() != ")":
                raise BadTest(self.tool.text(Say("closing paren expected", "{0:l} expected"), ")"))
            self.place += 1
            return value
        if words[place] in _UNARY and place + 1 < len(words):
            self.place += 2
            return _UNARY[words[place]](self.tool, words[place + 1])
        if self.tool.gnu and re.fullmatch("-.", words[place]):
            known = words[place] in _UNARY
            raise BadTest(
                self.tool.text(
                    Say("", "missing argument after {0:l}" if known else "{0:l}: unary operator expected"), words[place]
                )
            )
        self.place += 1
        return words[place] != ""


def test(tool: Tool) -> int:
    words = list(tool.args)
    if tool.name in ("[", "[["):
        closing = "]" * len(tool.name)
        if words[-1:] != [closing]:
            tool.err(f"missing {closing}" if not tool.gnu else tool.text(Say("", "missing {0:l}"), closing))
            return 2
        words.pop()
    try:
        return 0 if Expression(tool, words).value() else 1
    except BadTest as bad:
        tool.err(str(bad))
        return 2


# expr


class Expr:
    """expr's expression: | & comparisons + - * / % : and its words."""

    def __init__(self, tool: Tool, words: list[str]) -> None:
        self.tool = tool
        self.words = words
        self.place = 0

    def fail(self, gnu: str, busybox: str = "syntax error") -> None:
        self.tool.err(gnu if self.tool.gnu else busybox, 2)
        raise Done(2)

    def peek(self) -> str | None:
        return self.words[self.place] if self.place < len(self.words) else None

    def level(self, index: int) -> str:
        if index == len(_LEVELS):
            return self.term()
        value = self.level(index + 1)
        while (word := self.peek()) in _LEVELS[index] and word is not None:
            self.place += 1
            value = self.apply(word, value, self.level(index + 1))
        return value

    def whole(self, text: str) -> int:
        if not re.fullmatch(r"-?\d+", text):
            self.fail("non-integer argument", "non-numeric argument")
        return int(text)

    def apply(self, word: str, left: str, right: str) -> str:
        if word == "|":
            return left if _true(left) else right if _true(right) else "0"
        if word == "&":
            return left if _true(left) and _true(right) else "0"
        if word in _COMPARE:
            numbers = re.fullmatch(r"-?\d+", left) and re.fullmatch(r"-?\d+", right)
            pair = (int(left), int(right)) if numbers else (left, right)
            return str(int(_COMPARE[word](*pair)))
        if word == ":":
            return self.match(left, right)
        one, other = self.whole(left), self.whole(right)
        if word in "/%" and other == 0:
            self.fail("division by zero", "division by zero")
        return str(_ARITHMETIC[word](one, other))

    def match(self, text: str, pattern: str) -> str:
        try:
            compiled = guarded(compile_pattern(pattern, extended=False), self.tool.tick)
        except BadPattern as bad:
            self.fail(str(bad), str(bad))
            raise
        found = compiled.match(text)
        if compiled.groups:
            return (found[1] or "") if found else ""
        return str(found.end()) if found else "0"

    def term(self) -> str:
        word = self.peek()
        if word is None:
            last = self.words[self.place - 1]
            self.fail(self.tool.text(Say("", "syntax error: missing argument after {0:l}"), last))
        self.place += 1
        if word == "(":
            value = self.level(0)
            if self.peek() != ")":
                last = self.words[self.place - 1]
                self.fail(self.tool.text(Say("", "syntax error: expecting {1:l} after {0:l}"), last, ")"))
            self.place += 1
            return value
        if word == ")":
            self.fail(self.tool.text(Say("", "syntax error: unexpected {0:l}"), ")"))
        if word == "+" and self.tool.gnu and self.peek() is not None:
            self.place += 1
            return self.words[self.place - 1]
        if word in _WORDS:
            return self.word(word)
        return str(word)

    def word(self, word: str) -> str:
        arguments = [self.term() for _ in range(_WORDS[word])]
        if word == "length":
            return str(len(arguments[0]))
        if word == "match":
            return self.match(*arguments)
        if word == "index":
            places = [arguments[0].find(char) for char in arguments[1] if char in arguments[0]]
            return str(min(places) + 1 if places else 0)
        start, length = (int(text) if re.fullmatch(r"-?\d+", text) else 0 for text in arguments[1:])
        return arguments[0][start - 1 : start - 1 + length] if start > 0 and length > 0 else ""


_LEVELS = (("|",), ("&",), ("<", "<=", "=", "==", "!=", ">=", ">"), ("+", "-"), ("*", "/", "%"), (":",))
_COMPARE: dict[str, Callable[..., bool]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    "=": lambda a, b: a == b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    ">=": lambda a, b: a >= b,
    ">": lambda a, b: a > b,
}
_ARITHMETIC: dict[str, Callable[[int, int], int]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1),
    "%": lambda a, b: abs(a) % abs(b) * (-1 if a < 0 else 1),
}
_WORDS = {"length": 1, "match": 2, "index": 2, "substr": 3}


def _true(text: str) -> bool:
    return re.fullmatch(r"-?0*", text) is None


def expr(tool: Tool) -> int:
    words = list(tool.args)
    if tool.gnu and words[:1] == ["--"]:
        words.pop(0)
    if not words:
        if tool.gnu:
            tool.missing()
        tool.fail("too few arguments", 2)
    run = Expr(tool, words)
    value = run.level(0)
    if run.place < len(words):
        run.fail(tool.text(Say("", "syntax error: unexpected argument {0:l}"), words[run.place]))
    tool.out(f"{value}\n")
    return 0 if _true(value) else 1


def true(tool: Tool) -> int:
    return 0


def false(tool: Tool) -> int:
    return 1


UTILITIES = {
    "test": Utility(test, None, None),
    "[": Utility(test, None, None),
    "[[": Utility(test, None, None),
    "expr": Utility(expr, None, None, "EXPRESSION", "EXPRESSION", bad=2),
    "true": Utility(true, None, None),
    "false": Utility(false, None, None),
}
