"""find's expression: read into one predicate."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from labkit.files import Stat
from labkit.userland.tool import Tool


@dataclass
class Visited:
    """One file that the expression is asked of."""

    path: str
    about: Stat
    depth: int
    start: str
    pruned: bool = False


Predicate = Callable[[Visited], bool]


@dataclass
class FindRun:
    """One run of find: what the expression's options say, and the -exec … + that wait."""

    tool: Tool
    most: int = 1 << 30
    least: int = 0
    deep_first: bool = False
    same_device: bool = False
    follow: bool = False
    acts: bool = False
    ended: bool = False
    batches: list[tuple[list[str], list[str]]] = field(default_factory=list)


class FindParser:
    """The expression: `!` binds tighter than -a, -a tighter than -o, the comma least."""

    def __init__(self, search: FindRun, words: list[str], primaries: dict[str, Primary]) -> None:
        self.search = search
        self.primaries = primaries
        self.tool = search.tool
        self.words = words
        self.place = 0

    def peek(self) -> str:
        return self.words[self.place] if self.place < len(self.words) else ""

    def next(self, option: str) -> str:
        if self.place >= len(self.words):
            self.tool.fail(f"missing argument to `{option}'" if self.tool.gnu else f"{option} requires an argument")
        self.place += 1
        return self.words[self.place - 1]

    def whole(self) -> Predicate:
        test = self.either() if self.words else lambda found: True
        if self.place < len(self.words):
            word = self.peek()
            if word == ")":
                self.tool.fail(
                    "invalid expression; you have used a binary operator ')' with nothing before it."
                    if self.tool.gnu
                    else "bad -exec"
                )
            self.tool.fail(f"paths must precede expression: `{word}'" if self.tool.gnu else f"unrecognized: {word}")
        return test

    def either(self) -> Predicate:
        left = self.both()
        while self.peek() in ("-o", "-or", ","):
            comma = self.next("") == ","
            right = self.both()
            left = either_of(left, right, comma)
        return left

    def both(self) -> Predicate:
        left = self.one()
        while self.peek() and self.peek() not in ("-o", "-or", ")", ","):
            if self.peek() in ("-a", "-and"):
                self.next("")
            left = both_of(left, self.one())
        return left

    def one(self) -> Predicate:
        word = self.peek()
        if word in ("!", "-not"):
            self.next(word)
            test = self.one()
            return lambda found: not test(found)
        if word == "(":
            self.next(word)
            test = self.either()
            if self.peek() != ")":
                self.tool.fail(
                    "invalid expression; expected to find a ')' but didn't see one. "
                    "Perhaps you need an extra predicate after '('"
                    if self.tool.gnu
                    else "unmatched '('"
                )
            self.next(word)
            return test
        return self.primary()

    def primary(self) -> Predicate:
        word = self.next("expression")
        make = self.primaries.get(word)
        if make is None:
            if self.tool.gnu and not word.startswith("-"):
                self.tool.fail(f"paths must precede expression: `{word}'")
            if self.tool.gnu:
                self.tool.fail(f"unknown predicate `{word}'")
            self.tool.usage("", f"unrecognized: {word}")
        return make(self, word)

    def number(self, word: str) -> tuple[str, int]:
        text = self.next(word)
        match = re.fullmatch(r"([+-]?)(\d+)", text)
        if not match:
            self.tool.fail(
                f"invalid argument `{text}' to `{word}'" if self.tool.gnu else f"invalid number '{text.lstrip('+-')}'"
            )
        return match[1], int(match[2])


Primary = Callable[[FindParser, str], Predicate]


def either_of(left: Predicate, right: Predicate, comma: bool) -> Predicate:
    if comma:
        return lambda found: (left(found), right(found))[1]
    return lambda found: left(found) or right(found)


def both_of(left: Predicate, right: Predicate) -> Predicate:
    return lambda found: left(found) and right(found)
