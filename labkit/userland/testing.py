"""test and [, of busybox, GNU, dash and bash; true and false; expr.

A shell's builtin is the same function with the words of that shell (POSIX, test(1)).
"""

from __future__ import annotations

import re
import stat
from collections.abc import Callable
from typing import NoReturn, TypeVar

from labkit.files import Files, Stat
from labkit.kernel.guarded import guarded
from labkit.userland.patterns import BadPattern, compile_pattern, matches
from labkit.userland.tool import SPEAKERS, Say, Tool, Utility, is_same, look

_WORDS = {  # kind: what busybox, dash, bash and GNU say
    "number": (
        "{0}: bad number",
        "Illegal number: {0}",
        "{0}: integer expression expected",
        "invalid integer {0:l}",
    ),
    "extra": ("{0}: unknown operand", "{1}: unexpected operator", "too many arguments", "extra argument {0:l}"),
    "option": ("", "", "syntax error: `{0}' unexpected", "extra argument {0:l}"),
    "half": ("{0}: argument expected", "{0}: argument expected", "{0}: argument expected", ""),
    "nothing": ("argument expected", "argument expected", "argument expected", "missing argument after {0:l}"),
    "lone": ("", "", "{0}: unary operator expected", "missing argument after {1:l}"),
    "unary": ("", "", "{0}: unary operator expected", "{0:l}: unary operator expected"),
    "binary": ("", "", "{0}: binary operator expected", "{0:l}: binary operator expected"),
    "paren": ("closing paren expected", "closing paren expected", "`{0}' expected", "{0:l} expected"),
    "found": (
        "closing paren expected",
        "closing paren expected",
        "`{0}' expected, found {1}",
        "{0:l} expected, found {1:l}",
    ),
    "pattern": ("", "", "", ""),
    "bracket": ("missing {0}", "missing {0}", "missing `{0}'", "missing {0:l}"),
}
_LACKS = {  # operators
    "busybox": ("-a", "-o", "-N"),
    "dash": ("-a", "-o", "-N", "=="),
    "bash": (),
    "gnu": ("-a", "-o", "<", ">"),
}


class BadTest(Exception):
    """Not an expression. `kind`: what is wrong, of _WORDS; `texts`: with what."""

    def __init__(self, kind: str, *texts: str) -> None:
        super().__init__(kind, *texts)
        self.kind = kind
        self.texts = texts

    def form(self, speaker: str) -> str:
        """What busybox, dash, bash or gnu says of it, to be filled with the texts."""
        form = _WORDS[self.kind][SPEAKERS.index(speaker)]
        nameless = ("dash", "extra"), ("busybox", "number")
        return form.partition(": ")[2] if (speaker, self.kind) in nameless and not self.texts[-1] else form


def _about(check: Callable[[Files, Stat], bool]) -> Callable[[Files, str], bool]:
    return lambda files, path: (about := look(files, path, follow=True)) is not None and check(files, about)


def _mode(check: Callable[[int], bool]) -> Callable[[Files, str], bool]:
    return _about(lambda files, about: check(about.st_mode))


def _is_link(files: Files, path: str) -> bool:
    about = look(files, path)
    return about is not None and stat.S_ISLNK(about.st_mode)


def _access(mode: int) -> Callable[[Files, str], bool]:
    return lambda files, path: bool(path) and files.access(path, mode)


UNARY: dict[str, Callable[[Files, str], bool]] = {
    "-e": _about(lambda files, about: True),
    "-a": _about(lambda files, about: True),
    "-o": lambda files, text: False,  # an option of the shell that is set
    "-f": _mode(stat.S_ISREG),
    "-d": _mode(stat.S_ISDIR),
    "-b": _mode(stat.S_ISBLK),
    "-c": _mode(stat.S_ISCHR),
    "-p": _mode(stat.S_ISFIFO),
    "-S": _mode(stat.S_ISSOCK),
    "-u": _mode(lambda mode: bool(mode & stat.S_ISUID)),
    "-g": _mode(lambda mode: bool(mode & stat.S_ISGID)),
    "-k": _mode(lambda mode: bool(mode & stat.S_ISVTX)),
    "-h": _is_link,
    "-L": _is_link,
    "-s": _about(lambda files, about: about.st_size > 0),
    "-r": _access(4),
    "-w": _access(2),
    "-x": _access(1),
    "-z": lambda files, text: text == "",
    "-n": lambda files, text: text != "",
    "-O": _about(lambda files, about: about.st_uid == files.user.uid),
    "-G": _about(lambda files, about: about.st_gid == files.user.gid),
    "-N": _about(lambda files, about: about.st_mtime_ns > about.st_atime_ns),
}


_is_number = re.compile(r"\s*[+-]?\d+\s*").fullmatch


def _number(text: str) -> int:
    if not _is_number(text):
        raise BadTest("number", text)
    return int(text)


def _newer(files: Files, left: str, right: str) -> bool:
    one, other = look(files, left, follow=True), look(files, right, follow=True)
    return one is not None and (other is None or one.st_mtime_ns > other.st_mtime_ns)


BINARY: dict[str, Callable[[Files, str, str], bool]] = {
    "=": lambda files, left, right: left == right,
    "==": lambda files, left, right: left == right,
    "!=": lambda files, left, right: left != right,
    "<": lambda files, left, right: left < right,
    ">": lambda files, left, right: left > right,
    "-eq": lambda files, left, right: _number(left) == _number(right),
    "-ne": lambda files, left, right: _number(left) != _number(right),
    "-lt": lambda files, left, right: _number(left) < _number(right),
    "-le": lambda files, left, right: _number(left) <= _number(right),
    "-gt": lambda files, left, right: _number(left) > _number(right),
    "-ge": lambda files, left, right: _number(left) >= _number(right),
    "-nt": _newer,
    "-ot": lambda files, left, right: _newer(files, right, left),
    "-ef": lambda files, left, right: is_same(look(files, left, follow=True), look(files, right, follow=True)),
}


class Condition:
    """What test is asked, in the way of busybox, dash, bash or gnu.

    The first two read it by precedence; the others go by the number of words, as POSIX says it, up to four.
    """

    tick: Callable[[int], object] | None = None  # `[[` of busybox: right of = stands a pattern, and =~ is known

    def __init__(self, files: Files, words: list[str], speaker: str, is_terminal: Callable[[int], bool]) -> None:
        self.files = files
        self.words = words
        self.by_count = speaker in ("bash", "gnu")
        self.speaker = speaker
        self.is_terminal = is_terminal
        self.place = 0

    def value(self) -> bool:
        words = self.words
        if len(words) < 2:
            return words not in ([], [""])
        if self.by_count and len(words) < 5:
            return {2: self.two, 3: self.three, 4: self.four}[len(words)](words)
        if len(words) == 3 and self.is_binary(words[1]):
            return self.binary(*words)
        if self.speaker == "busybox" and len(words) == 4 and words[0] == "!" and self.is_binary(words[2]):
            return not self.binary(*words[1:])
        if self.speaker == "dash" and len(words) in (3, 4):
            if words[0] == "(" and words[-1] == ")":
                self.words = words[1:-1]
            elif words[0] == "!":
                return not Condition(self.files, words[1:], self.speaker, self.is_terminal).value()
        return self.long()

    def two(self, words: list[str]) -> bool:
        if words[0] == "!":
            return words[1] == ""
        if self.is_unary(words[0]):
            return self.unary(words[0], words[1])
        raise BadTest("unary" if re.fullmatch(r"-[a-zA-Z]", words[0]) else "lone", words[0], self.words[-1])

    def three(self, words: list[str]) -> bool:
        if self.is_binary(words[1]):
            return self.binary(*words)
        if words[1] in ("-a", "-o"):
            if self.speaker == "gnu":
                return self.long()
            return (all if words[1] == "-a" else any)((words[0], words[2]))
        if words[0] == "!":
            return not self.two(words[1:])
        if words[0] == "(" and words[2] == ")":
            return words[1] != ""
        raise BadTest("binary", words[1])

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
            option = self.speaker == "bash" and extra.startswith("-")
            raise BadTest("option" if option else "extra", extra, self.words[self.place - 1])
        return value

    def peek(self, ahead: int = 0) -> str | None:
        place = self.place + ahead
        return self.words[place] if place < len(self.words) else None

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
        if self.peek() == "!" and (self.by_count or self.peek(1) is not None):
            self.place += 1
            return not self.negation()
        return self.primary()

    def primary(self) -> bool:
        first, second = self.peek(), self.peek(1)
        if first is None:
            if self.speaker == "dash":
                return False
            raise BadTest("nothing", self.words[-1])
        self.place += 1
        if first == "(" and (self.speaker != "dash" or second is not None):
            value = not (self.speaker == "dash" and second == ")") and self.either()
            if (end := self.peek()) != ")":
                raise BadTest("paren", ")") if end is None else BadTest("found", ")", end)
            self.place += 1
            return value
        if self.is_binary(second) and second is not None and (third := self.peek(1)) is not None:
            self.place += 2
            return self.binary(first, second, third)
        if second is not None and self.is_unary(first):
            self.place += 1
            return self.unary(first, second)
        if not self.by_count and second is not None and self.is_binary(second):
            raise BadTest("half", second)
        if self.speaker == "gnu" and re.fullmatch("-.", first):
            raise BadTest("nothing" if self.is_unary(first) else "unary", first)
        return first != ""

    def is_unary(self, word: str) -> bool:
        return (word in UNARY or word == "-t") and word not in _LACKS[self.speaker]

    def is_binary(self, word: str | None) -> bool:
        return (word in BINARY and word not in _LACKS[self.speaker]) or (word == "=~" and self.tick is not None)

    def binary(self, left: str, operator: str, right: str) -> bool:
        times = operator in ("-nt", "-ot") and not self.by_count
        if times and None in (look(self.files, path, follow=True) for path in (left, right)):
            return False
        if self.tick:
            if operator == "=~":
                return guarded(compile_pattern(right, extended=True), self.tick).search(left) is not None
            if operator in ("=", "==", "!="):
                return matches(right, left) is (operator != "!=")
        return BINARY[operator](self.files, left, right)

    def unary(self, operator: str, operand: str) -> bool:
        if operator != "-t":
            return UNARY[operator](self.files, operand)
        if self.speaker == "bash" and not operand.isdigit():
            return False
        return self.is_terminal(_number(operand))


def evaluated(
    name: str,
    words: list[str],
    files: Files,
    speaker: str,
    is_terminal: Callable[[int], bool],
    tick: Callable[[int], None],
) -> bool:
    """What `name words` is, where name is test, [ or [[. Raises BadTest."""
    if name in ("[", "[["):
        closing = "]" * len(name)
        if words[-1:] != [closing]:
            raise BadTest("bracket", closing)
        words = words[:-1]
    condition = Condition(files, words, speaker, is_terminal)
    condition.tick = tick if name == "[[" else None
    try:
        return condition.value()
    except BadPattern:
        raise BadTest("pattern", words[-1]) from None


def test(tool: Tool) -> int:
    process = tool.process
    terminals = (process.stdin.isatty, process.stdout.isatty, process.stderr.isatty)

    def is_terminal(number: int) -> bool:
        return 0 <= number < len(terminals) and terminals[number]

    speaker = "gnu" if tool.gnu else "busybox"
    try:
        return 0 if evaluated(tool.name, tool.args, tool.files, speaker, is_terminal, tool.tick) else 1
    except BadTest as bad:
        form = bad.form(speaker)
        tool.err(tool.text(Say(form, form), *bad.texts))
        return 2


class Expr:
    """expr's expression: | & comparisons + - * / % : and its words."""

    def __init__(self, tool: Tool, words: list[str]) -> None:
        self.tool = tool
        self.words = words
        self.place = 0

    def fail(self, gnu: str, busybox: str = "syntax error") -> NoReturn:
        self.tool.fail(gnu if self.tool.gnu else busybox, 2)

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
            order = _order(int(left), int(right)) if numbers else _order(left, right)
            return str(int(_COMPARE[word](order)))
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
        if word in _EXPR_WORDS:
            return self.word(word)
        return word

    def word(self, word: str) -> str:
        arguments = [self.term() for _ in range(_EXPR_WORDS[word])]
        if word == "length":
            return str(len(arguments[0]))
        if word == "match":
            return self.match(*arguments)
        if word == "index":
            places = [arguments[0].find(char) for char in arguments[1] if char in arguments[0]]
            return str(min(places) + 1 if places else 0)
        start, length = (int(text) if re.fullmatch(r"-?\d+", text) else 0 for text in arguments[1:])
        return arguments[0][start - 1 : start - 1 + length] if start > 0 and length > 0 else ""


Ordered = TypeVar("Ordered", int, str)


def _order(left: Ordered, right: Ordered) -> int:
    return (left > right) - (left < right)


_LEVELS = (("|",), ("&",), ("<", "<=", "=", "==", "!=", ">=", ">"), ("+", "-"), ("*", "/", "%"), (":",))
_COMPARE: dict[str, Callable[[int], bool]] = {  # of -1, 0 and 1: less, equal, more
    "<": lambda order: order < 0,
    "<=": lambda order: order <= 0,
    "=": lambda order: order == 0,
    "==": lambda order: order == 0,
    "!=": lambda order: order != 0,
    ">=": lambda order: order >= 0,
    ">": lambda order: order > 0,
}
_ARITHMETIC: dict[str, Callable[[int, int], int]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1),
    "%": lambda a, b: abs(a) % abs(b) * (-1 if a < 0 else 1),
}
_EXPR_WORDS = {"length": 1, "match": 2, "index": 2, "substr": 3}


def _true(text: str) -> bool:
    return re.fullmatch(r"-?0*", text) is None


def expr(tool: Tool) -> int:
    words = tool.args[1:] if tool.gnu and tool.args[:1] == ["--"] else tool.args
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


UTILITIES = {
    "test": Utility(test, None, None),
    "[": Utility(test, None, None),
    "[[": Utility(test, None, None),
    "true": Utility(lambda tool: 0, None, None),
    "false": Utility(lambda tool: 1, None, None),
    "expr": Utility(expr, None, None, "EXPRESSION", "EXPRESSION", bad=2),
}
