"""From the nodes of the syntax tree to what happens; with what `[[ … ]]` evaluates, as in bash.

Simple commands run at once; all that has parts pushes a frame.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar, cast

from labkit.kernel.guarded import guarded
from labkit.shell import expand
from labkit.shell.boundaries import PipelineFrame, SubshellFrame, background
from labkit.shell.frames import (
    AndOrFrame,
    ExpandFrame,
    ForFrame,
    IfFrame,
    NegatedFrame,
    RestoreFrame,
    SequenceFrame,
    WhileFrame,
)
from labkit.shell.messages import BASH
from labkit.shell.running import Shell, Starter
from labkit.shell.simple import Opened, opened, start_simple, targets
from labkit.shell.tree import (
    AndOr,
    Background,
    Calculation,
    Case,
    Condition,
    For,
    Function,
    If,
    Negated,
    Node,
    Pipeline,
    Redirected,
    Sequence,
    Simple,
    Subshell,
    While,
    Word,
)
from labkit.userland import patterns
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


N = TypeVar("N", bound=Node)


def _sequence(shell: Shell, node: Sequence) -> None:
    if len(node.items) == 1:
        shell.start(node.items[0])
    elif node.items:
        shell.push(SequenceFrame(node.items))
    else:
        shell.status = 0


def _pipeline(shell: Shell, node: Pipeline) -> None:
    shell.line = node.line
    shell.push(PipelineFrame(shell, node))


def _negated(shell: Shell, node: Negated) -> None:
    shell.push(NegatedFrame(shell))
    shell.tested += 1
    shell.start(node.body)


def _and_or(shell: Shell, node: AndOr) -> None:
    shell.push(AndOrFrame(shell, node))
    shell.tested += 1
    shell.start(node.first)


def _background(shell: Shell, node: Background) -> None:
    job = background(shell, node.body)
    if shell.interactive and shell.dialect is BASH:
        shell.err(f"[{len(shell.jobs)}] {job.pid}\n")
    shell.status = 0


def _if(shell: Shell, node: If) -> None:
    shell.push(IfFrame(shell, node))


def _while(shell: Shell, node: While) -> None:
    shell.push(WhileFrame(shell, node))


def _for(shell: Shell, node: For) -> None:
    shell.line = node.line
    if node.words is not None and any(word.substitutes for word in node.words):
        shell.push(ExpandFrame(shell, node, _for_items, _for_each))
    else:
        _for_each(shell, node, _for_items(shell, node))


def _for_items(shell: Shell, node: For) -> list[str]:
    return list(shell.arguments) if node.words is None else expand.fields(shell, node.words)


def _for_each(shell: Shell, node: For, items: list[str]) -> None:
    if items:
        shell.push(ForFrame(shell, node.name, items, node.body))
    else:
        shell.status = 0


def _case(shell: Shell, node: Case) -> None:
    shell.line = node.line
    if node.word.substitutes or any(pattern.substitutes for arm in node.arms for pattern in arm.patterns):
        shell.push(ExpandFrame(shell, node, _case_arm, _case_body))
    else:
        _case_body(shell, node, _case_arm(shell, node))


def _case_arm(shell: Shell, node: Case) -> int:
    """Which arm matches; -1 for none."""
    shell.process.kernel.tick()
    text = expand.text(shell, node.word)
    for index, arm in enumerate(node.arms):
        if any(expand.matches(shell, pattern, text) for pattern in arm.patterns):
            return index
    return -1


def _case_body(shell: Shell, node: Case, index: int) -> None:
    items: tuple[Node, ...] = ()
    while 0 <= index < len(node.arms):
        arm = node.arms[index]
        items += arm.body.items
        index = index + 1 if arm.through else -1
    _sequence(shell, Sequence(items))


def _function(shell: Shell, node: Function) -> None:
    shell.env.functions[node.name] = node.body
    shell.status = 0


def _subshell(shell: Shell, node: Subshell) -> None:
    shell.push(SubshellFrame(shell, shell.env))
    shell.env = shell.env.copy()
    shell.start(node.body)


def _redirected(shell: Shell, node: Redirected) -> None:
    shell.line = node.line
    if any(item.document or (item.target and item.target.substitutes) for item in node.redirects):
        shell.push(ExpandFrame(shell, node, _redirected_targets, _redirected_body))
    else:
        _redirected_body(shell, node, _redirected_targets(shell, node))


def _redirected_targets(shell: Shell, node: Redirected) -> list[Opened]:
    return targets(shell, node.redirects)


def _redirected_body(shell: Shell, node: Redirected, redirects: list[Opened]) -> None:
    files = opened(shell, redirects, compound=True)
    if files is not None:
        shell.push(RestoreFrame(shell.env.fds, None))
        shell.env.fds = files
        shell.start(node.body)


def _condition(shell: Shell, node: Condition) -> None:
    shell.line = node.line
    shell.push(ExpandFrame(shell, node, condition_status, _set_status))


def _calculation(shell: Shell, node: Calculation) -> None:
    shell.line = node.line
    shell.push(ExpandFrame(shell, node, _calculated, _set_status))


def _calculated(shell: Shell, node: Calculation) -> int:
    return int(expand.calculate(shell, node.word) == 0)


def _set_status(shell: Shell, node: Node, status: int) -> None:
    shell.status = status
    shell.check()


def _row(kind: type[N], start: Callable[[Shell, N], None]) -> tuple[type[N], Starter]:
    return kind, cast("Starter", start)  # it is called for nodes of this kind alone


STARTERS: dict[type, Starter] = dict(
    [
        _row(Simple, start_simple),
        _row(Sequence, _sequence),
        _row(Pipeline, _pipeline),
        _row(Negated, _negated),
        _row(AndOr, _and_or),
        _row(Background, _background),
        _row(If, _if),
        _row(While, _while),
        _row(For, _for),
        _row(Case, _case),
        _row(Function, _function),
        _row(Subshell, _subshell),
        _row(Redirected, _redirected),
        _row(Condition, _condition),
        _row(Calculation, _calculation),
    ]
)
