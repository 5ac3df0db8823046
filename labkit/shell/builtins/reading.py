"""read: a line of the input, split over variables."""

from __future__ import annotations

import re

from labkit.kernel.process import Input
from labkit.shell import messages
from labkit.shell.builtins.saying import NAME
from labkit.shell.messages import DASH
from labkit.shell.running import Shell


def read(shell: Shell, args: list[str]) -> int:
    options, names = _read_options(shell, args)
    if not names and shell.dialect is DASH:
        shell.complain("arg count", args[0])
        return 2
    for name in names:
        if not NAME.match(name):
            shell.complain(messages.text(shell.dialect, "bad read name", name), args[0])
            return 1 if shell.dialect is not DASH else 2
    if "p" in options and getattr(shell.env.fds.get(0), "isatty", False):
        shell.err(options["p"])
    line, complete = _read_line(shell, options)
    _assign_fields(shell, names or ["REPLY"], line, raw="r" in options)
    return 0 if complete else 1


def _read_options(shell: Shell, args: list[str]) -> tuple[dict[str, str], list[str]]:
    with_value = "p" if shell.dialect is DASH else "pntdu"
    options: dict[str, str] = {}
    place = 1
    while place < len(args) and args[place].startswith("-") and len(args[place]) > 1:
        letters = args[place][1:]
        place += 1
        while letters:
            letter, letters = letters[0], letters[1:]
            options[letter] = ""
            if letter in with_value:
                options[letter] = letters or (args[place] if place < len(args) else "")
                place += not letters
                letters = ""
    return options, args[place:]


def _read_line(shell: Shell, options: dict[str, str]) -> tuple[str, bool]:
    """A line without its newline, backslash-newlines taken out but for -r; whether it was complete."""
    stream = shell.env.fds.get(int(options["u"]) if options.get("u", "").isdigit() else 0)
    if not isinstance(stream, Input):
        return "", False
    if "n" in options and options["n"].isdigit():
        data = stream.read(int(options["n"]))
        return data.decode("utf-8", "surrogateescape"), bool(data)
    line = ""
    while True:
        raw = shell.typed_line(stream).decode("utf-8", "surrogateescape")
        shell.process.tick()
        line += raw
        if not raw.endswith("\n"):
            return line, False
        if "r" in options or not re.search(r"(?<!\\)(?:\\\\)*\\\n\Z", line):
            return line[:-1], True
        line = line[:-2]


def _assign_fields(shell: Shell, names: list[str], line: str, *, raw: bool) -> None:
    """Split a line over variables: the last one gets all that is left."""
    separators = shell.separators()
    white = "".join(char for char in separators if char in " \t\n")
    chars = _characters(line, raw)
    place = 0
    while place < len(chars) and chars[place][0] in white and not chars[place][1]:
        place += 1
    for index, name in enumerate(names):
        if index == len(names) - 1:
            shell.assign(name, _last_field(chars[place:], separators, white))
            return
        start = place
        while place < len(chars) and (chars[place][1] or chars[place][0] not in separators):
            place += 1
        shell.assign(name, "".join(char for char, _ in chars[start:place]))
        place = _after_separator(chars, place, separators, white)


def _characters(line: str, raw: bool) -> list[tuple[str, bool]]:
    """Each character with whether a backslash stood before it."""
    if raw or "\\" not in line:
        return [(char, False) for char in line]
    return [(found[-1], len(found) == 2) for found in re.findall(r"\\.|[^\\]|\\\Z", line, re.S)]


def _after_separator(chars: list[tuple[str, bool]], place: int, separators: str, white: str) -> int:
    seen = False
    while place < len(chars) and not chars[place][1] and chars[place][0] in separators:
        if chars[place][0] not in white:
            if seen:
                break
            seen = True
        place += 1
    return place


def _last_field(chars: list[tuple[str, bool]], separators: str, white: str) -> str:
    end = len(chars)
    while end and chars[end - 1][0] in white and not chars[end - 1][1]:
        end -= 1
    rest = chars[:end]
    # one separator at the very end belongs to the field before it, if that is the only one
    if rest and rest[-1][0] in separators and not rest[-1][1]:
        inner = rest[:-1]
        if not any(char in separators and not escaped for char, escaped in inner):
            rest = inner
    return "".join(char for char, _ in rest)
