"""What the Tab key offers: commands, paths, and what a program says of its own arguments.

A completer is handed the words before the one that is being typed, and that one; it returns the words that may stand
there, and whether a path of the host may stand there too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from os.path import commonprefix
from typing import NamedTuple

from labkit.files.namespace import paths
from labkit.kernel.process import AtPrompt, find_program
from labkit.shell.builtins import BUILTINS, SPECIAL_BUILTINS

Completer = Callable[[Sequence[str], str], tuple[list[str], bool]]
SPECIAL = set(" \t\n\"'\\$`&;|<>()*?[]#~{}!")
GOES_ON = "/:=,"  # after these the word goes on, after all else a blank follows


class Completion(NamedTuple):
    """The line as far as it is clear, and the words among which it is not; none where it is."""

    line: str
    choices: tuple[str, ...]


class Typed(NamedTuple):
    """A word of the line: where it starts, what it says, and the quote that is still open."""

    start: int
    text: str
    quote: str = ""


def complete(line: str, at: AtPrompt, programs: Mapping[str, Completer]) -> Completion:
    """What may follow at the end of this line."""
    before, word = last_command(line)
    found = sorted(set(_offers(before, word.text, at, programs)))
    if not found:
        return Completion(line, ())
    common = commonprefix(found)  # noqa: RUF071  (of words, which need be no paths)
    done = line[: word.start] + word.quote + quoted(common, word.quote)
    if len(found) > 1:
        return Completion(done if len(common) > len(word.text) else line, tuple(found))
    return Completion(done if common[-1] in GOES_ON else f"{done}{word.quote} ", ())


def last_command(line: str) -> tuple[list[str], Typed]:
    """The words of the command that the line ends in, and its last, which is being typed."""
    words: list[Typed] = []
    for word in _words(line):
        if word is None:
            words = []
        else:
            words.append(word)
    if not words or (line[-1:].isspace() and not words[-1].quote and words[-1].start < len(line) and _closed(line)):
        words.append(Typed(len(line), ""))
    before = [word.text for word in words[:-1]]
    while before and (_is_assignment(before[0]) or before[0] in ("sudo", "time", "!", "do", "then", "else", "if")):
        before.pop(0)
    return before, words[-1]


def _closed(line: str) -> bool:
    """Does the blank at the line's end end a word? (not one behind a backslash)"""
    stripped = line.rstrip()
    return (len(stripped) - len(stripped.rstrip("\\"))) % 2 == 0


def _is_assignment(word: str) -> bool:
    name, equals, _ = word.partition("=")
    return bool(equals) and name.isidentifier()


def _words(line: str) -> Iterator[Typed | None]:
    """The line's words without their quotes; None where a new command starts."""
    place = 0
    while place < len(line):
        if line[place].isspace():
            place += 1
        elif line[place] in ";|&(`\n":
            place += 1
            yield None
        elif line[place] in "<>":
            place += 1
            yield Typed(place - 1, line[place - 1])
        else:
            word, place = _word(line, place)
            yield word


def _word(line: str, place: int) -> tuple[Typed, int]:
    start, text, quote = place, "", ""
    while place < len(line):
        char = line[place]
        if char == "\\" and quote != "'" and place + 1 < len(line):
            place += 1
            text += line[place]
        elif quote:
            text, quote = (text, "") if char == quote else (text + char, quote)
        elif char in "'\"":
            quote = char
        elif char in " \t\n;|&(`<>" or line.startswith("$(", place):
            break
        else:
            text += char
        place += 1
    if line.startswith("$(", place) and not quote:
        place += 1
    return Typed(start, text, quote), place


def _offers(before: list[str], word: str, at: AtPrompt, programs: Mapping[str, Completer]) -> Iterator[str]:
    if before and before[-1] in ("<", ">"):
        yield from paths(at.files, word)
    elif not before:
        yield from paths(at.files, word) if "/" in word else commands(word, at)
    elif before[0] in programs and _is_there(before[0], at):
        words, also_paths = programs[before[0]](before[1:], word)
        yield from words
        if also_paths:
            yield from paths(at.files, word)
    else:
        yield from paths(at.files, word)


def _is_there(program: str, at: AtPrompt) -> bool:
    try:
        return bool(find_program(at.files, program, at.path))
    except Exception:  # ExecError, OSError: it cannot be run
        return False


def commands(begun: str, at: AtPrompt) -> list[str]:
    """The shell's own commands and the programs in PATH that begin so."""
    names = {*BUILTINS, *SPECIAL_BUILTINS}
    for folder in at.path.split(":"):
        try:
            names.update(at.files.listdir(folder or "."))
        except OSError:
            continue
    return sorted(name for name in names if name.startswith(begun) and name[:1].isalnum())


def quoted(text: str, quote: str) -> str:
    """Text as it must be typed, within the open quote if there is one."""
    if quote == "'":
        return text.replace("'", "'\\''")
    unsafe = set('"\\$`') if quote else SPECIAL
    return "".join(f"\\{char}" if char in unsafe else char for char in text)
