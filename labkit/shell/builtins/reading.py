"""read: a line of the input, split over variables."""

from __future__ import annotations

import re
from collections.abc import Iterator

from labkit.kernel.process import Input
from labkit.shell import messages
from labkit.shell.builtins.saying import NAME, say
from labkit.shell.messages import ASH, DASH
from labkit.shell.running import Shell


def read(shell: Shell, args: list[str]) -> int:
    options, names = _read_options(shell, args)
    if wrong := next((letter for letter in options if letter not in _LETTERS[shell.dialect.name]), ""):
        return say(shell, args, "option", f"-{wrong}", status=2)
    if not names and shell.dialect is DASH:
        shell.complain("arg count", args[0])
        return 2
    if said := _bad_value(options):
        shell.complain(messages.text(shell.dialect, *said), args[0])
        return 2 if shell.dialect is ASH else 1
    for name in names:
        if not NAME.match(name):
            shell.complain(messages.text(shell.dialect, "bad read name", name), args[0])
            return 1 if shell.dialect is not DASH else 2
    if "p" in options and getattr(shell.env.fds.get(0), "isatty", False):
        shell.err(options["p"])
    if options.get("t", "").strip("0.") == "" and options.get("t"):
        return 0  # there is always something to read, if only the end
    record, complete = _read_record(shell, options)
    if not names:
        shell.assign("REPLY", "".join(char for char, _ in record))
    elif shell.dialect is ASH:
        _assign_in_turn(shell, names, record)
    else:
        _assign_fields(shell, names, record)
    return 0 if complete else 1


_LETTERS = {"dash": "pr", "ash": "dnprstu", "bash": "NadeinprstuE"}


def _read_options(shell: Shell, args: list[str]) -> tuple[dict[str, str], list[str]]:
    with_value = "p" if shell.dialect is DASH else "pntduNai"
    options: dict[str, str] = {}
    place = 1
    while place < len(args) and args[place].startswith("-") and len(args[place]) > 1:
        letters = args[place][1:]
        place += 1
        if letters == "-":
            break
        while letters:
            letter, letters = letters[0], letters[1:]
            options[letter] = ""
            if letter in with_value:
                options[letter] = letters or (args[place] if place < len(args) else "")
                place += not letters
                letters = ""
    return options, args[place:]


def _bad_value(options: dict[str, str]) -> tuple[str, str] | None:
    """The message, and what it is about, of an option's value that is none."""
    for letter, key, form in (
        ("n", "count", r"\d{1,9}"),
        ("u", "descriptor", r"\d{1,4}"),
        ("t", "timeout", r"\d*\.?\d*"),
    ):
        if letter in options and not re.fullmatch(form, options[letter]):
            return key, options[letter]
    return None


Record = list[tuple[str, bool]]  # characters, each with whether a backslash stood before it


def _read_record(shell: Shell, options: dict[str, str]) -> tuple[Record, bool]:
    """What stands before the delimiter, and whether that was there; a backslash goes but for -r."""
    stream = shell.env.fds.get(int(options.get("u") or 0))
    if not isinstance(stream, Input):
        return [], False
    most = int(options.get("N") or options.get("n") or 0) or -1
    end = (options["d"][:1] or "\0") if "d" in options else "\n"
    record: Record = []
    escaped = False
    for char in _typed(shell, stream, by_line=end == "\n" and most < 0):
        most -= 1
        if escaped:
            escaped = False
            if char != "\n":
                record.append((char, True))
        elif char == "\\" and "r" not in options:
            escaped = True
        elif char == end and "N" not in options:
            return record, True
        elif char != "\0":
            record.append((char, False))
        if most == 0:
            return record, True
    return record, False


def _typed(shell: Shell, stream: Input, *, by_line: bool) -> Iterator[str]:
    """The characters of the input, no more of it read than is asked for."""
    while piece := shell.typed_line(stream) if by_line else stream.read(1):
        shell.process.tick()
        if not by_line and piece[0] >= 0xC0:
            piece += stream.read(1 + (piece[0] >= 0xE0) + (piece[0] >= 0xF0))
        yield from piece.decode("utf-8", "surrogateescape")


def _assign_in_turn(shell: Shell, names: list[str], record: Record) -> None:
    """As busybox does it while it reads (shell_builtin_read): an escaped character does not begin the first word."""
    separators = shell.separators()
    left, value, start = list(names), "", 1
    for char, escaped in record:
        if not escaped:
            separates = char in separators
            if start and separates:
                if char.isspace():
                    continue
                start -= 1
                if start == 1:
                    continue
            start = 0
            if len(left) > 1 and separates:
                shell.assign(left.pop(0), value)
                value, start = "", 2 if char.isspace() else 1
                continue
        value += char
    shell.assign(left.pop(0), _remainder(value, separators))
    for name in left:
        shell.assign(name, "")


def _remainder(value: str, separators: str) -> str:
    """The last variable gets all that is left, but the separator at the end where that is the only one."""
    white = "".join(char for char in separators if char.isspace())
    value = value.rstrip(white) if white else value
    if value and value[-1] in separators:
        field = value[:-1].rstrip(white) if white else value[:-1]
        if not any(char in separators for char in field):
            return field
    return value


def _assign_fields(shell: Shell, names: list[str], chars: Record) -> None:
    """Split a line over variables: the last one gets all that is left."""
    separators = shell.separators()
    white = "".join(char for char in separators if char in " \t\n")
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
