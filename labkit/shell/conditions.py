"""What `[[ … ]]` evaluates, as in bash."""

from __future__ import annotations

import re

from labkit.shell import expand
from labkit.shell.running import Shell
from labkit.shell.tree import Condition, Word
from labkit.userland import patterns
from labkit.userland.guarded import guarded
from labkit.userland.testing import BINARY, UNARY, BadTest


def condition_status(shell: Shell, node: Condition) -> int:
    """The status of `[[ … ]]`."""
    double = _Double(shell, node.items)
    try:
        return int(not double.either())
    except BadTest as bad:
        shell.complain(f"[[: {bad.texts[0]}: {bad.kind}")
        return 2


class _Double:
    """`[[ … ]]`: words are neither split nor matched against paths; the right side of = is a pattern."""

    def __init__(self, shell: Shell, items: tuple[Word | str, ...]) -> None:
        self.shell = shell
        self.items = items
        self.place = 0

    def peek(self, ahead: int = 0) -> Word | str | None:
        place = self.place + ahead
        return self.items[place] if place < len(self.items) else None

    def either(self) -> bool:
        result = self.both()
        while self.peek() == "||":
            self.place += 1
            result = self.both() or result
        return result

    def both(self) -> bool:
        result = self.primary()
        while self.peek() == "&&":
            self.place += 1
            result = self.primary() and result
        return result

    def primary(self) -> bool:
        first = self.peek()
        self.place += 1
        if first == "!":
            return not self.primary()
        if first == "(":
            result = self.either()
            self.place += 1
            return result
        operator = self.peek()
        if isinstance(first, str) and first.startswith("-") and operator not in (None, "&&", "||", ")"):
            self.place += 1
            return UNARY[first](self.shell.files, self.text(operator))
        if isinstance(operator, str) and (operator in BINARY or operator == "=~"):
            right = self.peek(1)
            self.place += 2
            return self.binary(self.text(first), operator, right)
        return self.text(first) != ""

    def text(self, item: Word | str | None) -> str:
        return item if isinstance(item, str) else "" if item is None else expand.text(self.shell, item)

    def binary(self, left: str, operator: str, right: Word | str | None) -> bool:
        if operator in ("=", "==", "!="):
            pattern = expand.pattern(self.shell, right) if isinstance(right, Word) else patterns.escape(right or "")
            return patterns.matches(pattern, left) is (operator != "!=")
        if operator == "=~":
            return guarded(re.compile(self.text(right)), self.shell.process.tick).search(left) is not None
        return BINARY[operator](self.shell.files, left, self.text(right))
