"""The script of sed: its commands, with their addresses and arguments."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NoReturn

from labkit.kernel.guarded import Searchable, guarded
from labkit.userland.patterns import BadPattern, compile_pattern
from labkit.userland.tool import Tool

LAST = -1  # the address $


@dataclass(frozen=True)
class SedAddress:
    """Which lines: a number, the last one, a step, or a pattern; `plus` and `multiple` belong to the second of two."""

    line: int | None = None
    pattern: Searchable | None = None
    repeat: bool = False  # the pattern is empty: the last one that was used
    step: int = 0
    kind: str = ""  # "+" or "~"


@dataclass
class SedCommand:
    """One command; `jump` is where a branch, or a block that is passed over, goes on."""

    name: str
    first: SedAddress | None = None
    second: SedAddress | None = None
    negated: bool = False
    text: str = ""
    pattern: Searchable | None = None
    repeat: bool = False
    replacement: list[str | int | tuple[str]] = field(default_factory=list)
    flags: str = ""
    count: int = 1
    table: dict[int, int] = field(default_factory=dict)
    jump: int = 0
    begun: bool = False  # a range that starts at a line has started
    active_until: int = 0  # 0: not in its range; the line where the range ends, or OPEN


OPEN = 1 << 60


class SedParser:
    """The script, and where in it the parser stands."""

    def __init__(self, tool: Tool, script: str, extended: bool) -> None:
        self.tool = tool
        self.script = script
        self.extended = extended
        self.place = 0
        self.commands: list[SedCommand] = []

    def fail(self, gnu: str, busybox: str) -> NoReturn:
        self.tool.fail(f"-e expression #1, char {self.place}: {gnu}" if self.tool.gnu else busybox)

    def peek(self) -> str:
        return self.script[self.place : self.place + 1]

    def next(self) -> str:
        self.place += 1
        return self.script[self.place - 1 : self.place]

    def blanks(self, chars: str = " \t") -> None:
        while self.peek() and self.peek() in chars:
            self.place += 1

    def parse(self) -> list[SedCommand]:
        self.blanks(" \t\n;")
        while self.peek():
            self.rest_of_line() if self.peek() == "#" else self.command()
            self.blanks(" \t\n;")
        self.link()
        return self.commands

    def command(self) -> None:
        first = self.address()
        second = None
        if first is not None:
            self.blanks()
            if self.peek() == ",":
                self.next()
                self.blanks()
                second = self.address(second=True)
                if second is None:
                    self.place += 1
                    self.fail("unexpected `,'", "no address after comma")
        self.blanks()
        negated = False
        while self.peek() == "!":
            self.next()
            negated = True
            self.blanks()
        name = self.next()
        if not name:
            self.place -= 1
            self.fail("missing command", "missing command")
        made = SedCommand(name, first, second, negated)
        reader = _READERS.get(name)
        if reader is None:
            self.fail(f"unknown command: `{name}'", f"unsupported command {name}")
        if second is not None and name in "qQ" and self.tool.gnu:
            self.fail("command only uses one address", "")
        reader(self, made)
        self.commands.append(made)

    def address(self, second: bool = False) -> SedAddress | None:
        char = self.peek()
        if char.isdigit():
            number = self.number()
            if self.peek() == "~" and not second and self.tool.gnu:
                self.next()
                return SedAddress(line=number, step=self.number())
            return SedAddress(line=number)
        if char == "$":
            self.next()
            return SedAddress(line=LAST)
        if second and char and char in "+~":
            self.next()
            return SedAddress(line=self.number(), kind=char)
        if char in ("/", "\\") and char:
            self.next()
            mark = self.next() if char == "\\" else char
            text = self.until(mark, "unterminated address regex")
            flags = ""
            while self.peek() and self.peek() in "IM":
                flags += self.next()
            if text == "":
                return SedAddress(repeat=True)
            return SedAddress(pattern=self.regex(text, flags))
        return None

    def number(self) -> int:
        start = self.place
        while self.peek().isdigit():
            self.place += 1
        return int(self.script[start : self.place] or 0)

    def regex(self, text: str, flags: str) -> Searchable:
        try:
            ignore_case = "I" in flags or "i" in flags
            pattern = compile_pattern(
                text, extended=self.extended, ignore_case=ignore_case, multiline="M" in flags, controls=True
            )
            return guarded(pattern, self.tool.tick)
        except BadPattern as bad:
            self.fail(str(bad), f"bad regex '{text}': {bad}")

    def until(self, mark: str, unterminated: str) -> str:
        """Text up to a mark that is not escaped and not in brackets (in a pattern)."""
        out, bracket = "", 0
        pattern = unterminated != "replacement"
        while True:
            char = self.next()
            if not char or (char == "\n" and pattern and unterminated.startswith("unterminated address")):
                self.place = len(self.script)
                said = "unterminated `s' command" if unterminated in ("pattern", "replacement") else unterminated
                self.fail(said, f"unmatched '{mark}'")
            if char == "\\":
                following = self.next()
                if following == mark:
                    out += following
                elif following == "\n" and not pattern:
                    out += "\\\n"
                else:
                    out += "\\" + following
                continue
            if char == mark and not bracket:
                return out
            if pattern:
                bracket = self.in_bracket(char, bracket, out)
            out += char

    def in_bracket(self, char: str, bracket: int, out: str) -> int:
        """0 outside brackets; inside, 1 at their start, 2 later, 3 within [: :]."""
        if not bracket:
            return 1 if char == "[" and "]" in self.script[self.place :] else 0
        if bracket == 1:
            return 1 if char == "^" and out.endswith("[") else 2
        if bracket == 2 and char == "[" and self.peek() in (":", ".", "="):
            return 3
        if bracket == 3:
            return 2 if char == "]" else 3
        return 0 if char == "]" else 2

    def rest_of_line(self) -> str:
        stop = self.script.find("\n", self.place)
        stop = len(self.script) if stop < 0 else stop
        start, self.place = self.place, stop
        return self.script[start:stop]

    def end_of_command(self) -> None:
        self.blanks()
        char = self.peek()
        if char and char not in ";\n}#":
            self.place += 1
            self.fail("extra characters after command", "extra characters after command")

    def link(self) -> None:
        """Where blocks end and branches lead."""
        labels = {command.text: index for index, command in enumerate(self.commands) if command.name == ":"}
        open_blocks: list[int] = []
        for index, command in enumerate(self.commands):
            if command.name == "{":
                open_blocks.append(index)
            elif command.name == "}":
                if not open_blocks:
                    self.fail("unexpected `}'", "unexpected }")
                self.commands[open_blocks.pop()].jump = index
            elif command.name in ("b", "t", "T"):
                if command.text and command.text not in labels:
                    self.tool.fail(
                        f"can't find label for jump to `{command.text}'"
                        if self.tool.gnu
                        else f"can't find label for jump to '{command.text}'",
                        4 if self.tool.gnu else 1,
                    )
                command.jump = labels.get(command.text, len(self.commands))
        for block in open_blocks if not self.tool.gnu else ():
            self.commands[block].jump = len(self.commands)
        if open_blocks and self.tool.gnu:
            self.tool.fail("-e expression #1, char 0: unmatched `{'")


def _plain(parser: SedParser, command: SedCommand) -> None:
    parser.end_of_command()


def _label(parser: SedParser, command: SedCommand) -> None:
    parser.blanks()
    match = re.compile(r"[^;\n}]*" if command.name != ":" else r"[^;\n]*").match(parser.script, parser.place)
    command.text = match[0].strip() if match else ""
    parser.place += len(match[0]) if match else 0
    if command.name == ":" and not command.text:
        parser.fail('":" lacks a label', '":" lacks a label')


def _text(parser: SedParser, command: SedCommand) -> None:
    """a, i, c: the rest of the line, or the lines after a backslash."""
    parser.blanks()
    if parser.peek() == "\\":
        parser.next()
        after = re.compile(r"[ \t]*\n").match(parser.script, parser.place)
        if after:
            parser.place = after.end()
    elif not parser.peek():
        parser.fail("expected \\ after `a', `c' or `i'", "too few arguments")
    out = ""
    while True:
        char = parser.next()
        if char == "\\":
            out += parser.next()
        elif char in ("\n", ""):
            break
        else:
            out += char
    command.text = out + "\n"


def _file(parser: SedParser, command: SedCommand) -> None:
    parser.blanks()
    command.text = parser.rest_of_line()
    if not command.text:
        parser.fail("missing filename in r/R/w/W commands", "empty filename")


def _status(parser: SedParser, command: SedCommand) -> None:
    parser.blanks()
    command.count = parser.number()
    parser.end_of_command()


def _substitute(parser: SedParser, command: SedCommand) -> None:
    mark = parser.next()
    if not mark or mark in "\n\\":
        parser.fail("unterminated `s' command", "unmatched '/'")
    text = parser.until(mark, "pattern")
    by = parser.until(mark, "replacement")
    flags = ""
    while (char := parser.peek()) and char not in " \t\n;}#":
        parser.next()
        if char.isdigit():
            parser.place -= 1
            command.count = parser.number()
            if command.count == 0:
                parser.fail("number option to `s' command may not be zero", "bad option in substitution expression")
        elif char in "gpiIemM":
            flags += char
        elif char == "w":
            parser.blanks()
            command.text = parser.rest_of_line()
            break
        else:
            parser.fail("unknown option to `s'", "bad option in substitution expression")
    command.flags = flags
    command.repeat = text == ""
    command.pattern = parser.regex(text, flags) if text else None
    command.replacement = _replacement(by, cases=parser.tool.gnu)
    groups = command.pattern.groups if command.pattern else 9
    for part in command.replacement:
        if isinstance(part, int) and part > groups:
            parser.fail(
                f"invalid reference \\{part} on `s' command's RHS", f"invalid reference \\{part} on 's' command's RHS"
            )
    parser.end_of_command()


def _replacement(text: str, *, cases: bool) -> list[str | int | tuple[str]]:
    """Literal text, group numbers, and (in a tuple) the letters of \\U and its like."""
    parts: list[str | int | tuple[str]] = []
    controls = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v", "a": "\a"}
    for match in re.finditer(r"\\(\d)|\\([ULulE])|\\(.)|(&)|([^\\&]+)|(\\)$", text, re.S):
        if match[1]:
            parts.append(int(match[1]))
        elif match[2]:
            parts.append((match[2],) if cases else match[2])
        elif match[4]:
            parts.append(0)
        else:
            parts.append(controls.get(match[3], match[3]) if match[3] else match[5] or "\\")
    return parts


def _translate(parser: SedParser, command: SedCommand) -> None:
    mark = parser.next()
    sides = []
    for _ in range(2):
        raw = parser.until(mark, "unterminated `y' command")
        sides.append(re.sub(r"\\(.)", lambda match: {"n": "\n", "t": "\t"}.get(match[1], match[1]), raw))
    if len(sides[0]) != len(sides[1]):
        parser.fail("strings for `y' command are different lengths", "strings for 'y' command are different lengths")
    command.table = {ord(one): ord(other) for one, other in reversed(list(zip(*sides, strict=True)))}
    parser.end_of_command()


_READERS: dict[str, Callable[[SedParser, SedCommand], None]] = {
    **dict.fromkeys("=dDgGhHlnNpPxFz}", _plain),
    "{": lambda parser, command: None,
    **dict.fromkeys(":btT", _label),
    **dict.fromkeys("aic", _text),
    **dict.fromkeys("rwRW", _file),
    **dict.fromkeys("qQ", _status),
    "s": _substitute,
    "y": _translate,
}
