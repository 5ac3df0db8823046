"""expr."""

from __future__ import annotations

import re
from collections.abc import Callable

from labkit.userland.guarded import guarded
from labkit.userland.regex import BadPattern, compile_pattern
from labkit.userland.tool import Done, Say, Tool, Utility


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


UTILITIES = {"expr": Utility(expr, None, None, "EXPRESSION", "EXPRESSION", bad=2)}
