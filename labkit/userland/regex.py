"""POSIX regular expressions, basic and extended with GNU's additions, as Python ones.

Python takes the first alternative that fits where POSIX takes the longest: the one known difference.
"""

from __future__ import annotations

import re
from functools import lru_cache

from labkit.userland.patterns import CLASSES

_AFTER_BACKSLASH = {
    "<": r"\b(?=\w)",
    ">": r"\b(?<=\w)",
    "b": r"\b",
    "B": r"\B",
    "w": r"\w",
    "W": r"\W",
    "s": r"\s",
    "S": r"\S",
    "`": r"\A",
    "'": r"\Z",
}
_CONTROL = {"n": r"\n", "t": r"\t", "f": r"\f", "v": r"\v", "r": r"\r", "a": r"\a"}


class BadPattern(ValueError):
    """Not a regular expression; str() says why, as GNU's regcomp does."""


class _Translator:
    """One pattern; `out` holds a list of atoms for each open group."""

    def __init__(self, pattern: str, extended: bool, controls: bool) -> None:
        self.pattern = pattern
        self.extended = extended
        self.controls = controls  # \n and \t stand for characters, as in sed
        self.place = 0
        self.groups = 0
        self.out: list[list[str]] = [[]]

    def run(self) -> str:
        while self.place < len(self.pattern):
            char = self.pattern[self.place]
            self.place += 1
            if char == "\\":
                self.backslash()
            elif char == "[":
                self.out[-1].append(self.bracket())
            elif self.extended and char in "()|{+?":
                self.special(char)
            elif char == "*":
                self.star()
            else:
                self.plain(char)
        if len(self.out) > 1:
            raise BadPattern("Unmatched ( or \\(")
        return "".join(self.out[0])

    def at_start(self) -> bool:
        atoms = self.out[-1]
        return not atoms or atoms[-1] in ("|", "^")

    def star(self) -> None:
        if self.at_start():
            if not self.extended:
                self.out[-1].append(r"\*")
            return
        self.repeat("*")

    def plain(self, char: str) -> None:
        if char == "^" and (self.extended or self.at_start()):
            self.out[-1].append("^")
        elif char == "$" and (self.extended or self.at_end()):
            self.out[-1].append(r"\Z")
        elif char == ".":
            self.out[-1].append(".")
        elif char == ")" and self.extended:
            self.close()
        else:
            self.out[-1].append(re.escape(char))

    def at_end(self) -> bool:
        rest = self.pattern[self.place :]
        return not rest or rest.startswith((r"\)", r"\|", "\n"))

    def special(self, char: str) -> None:
        if char == "(":
            self.open()
        elif char == ")":
            if len(self.out) == 1:
                self.out[-1].append(r"\)")
            else:
                self.close()
        elif char == "|":
            self.out[-1].append("|")
        elif char == "{":
            self.interval("}")
        elif not self.at_start():
            self.repeat(char)

    def backslash(self) -> None:
        if self.place >= len(self.pattern):
            raise BadPattern("Trailing backslash")
        char = self.pattern[self.place]
        self.place += 1
        if not self.extended and char in "()|{+?":
            if char in "+?" and self.at_start():
                self.out[-1].append(re.escape(char))
            elif char == ")" and len(self.out) == 1:
                raise BadPattern("Unmatched ) or \\)")
            else:
                self.close() if char == ")" else self.special(char) if char != "{" else self.interval(r"\}")
        elif char in "123456789":
            if int(char) > self.groups:
                raise BadPattern("Invalid back reference")
            self.out[-1].append(f"(?:\\{char})")
        elif char in _AFTER_BACKSLASH:
            self.out[-1].append(_AFTER_BACKSLASH[char])
        elif char == "n" or (self.controls and char in _CONTROL):
            self.out[-1].append(_CONTROL[char])
        else:
            self.out[-1].append(re.escape(char))

    def open(self) -> None:
        self.groups += 1
        self.out.append([])

    def close(self) -> None:
        inside = "".join(self.out.pop())
        self.out[-1].append(f"({inside})")

    def repeat(self, how: str) -> None:
        atom = self.out[-1].pop()
        simple = len(atom) == 1 or re.fullmatch(r"\\.|\[[^\[\]]*\]|\(\?:[^()]*\)", atom)
        self.out[-1].append((atom if simple else f"(?:{atom})") + how)

    def interval(self, end: str) -> None:
        stop = self.pattern.find(end, self.place)
        body = self.pattern[self.place : stop] if stop >= 0 else ""
        match = re.fullmatch(r"(\d*)(,?)(\d*)", body)
        if stop < 0 or not match or body == "":
            if self.extended:
                self.out[-1].append(r"\{")
                return
            raise BadPattern("Unmatched \\{" if stop < 0 else "Invalid content of \\{\\}")
        if self.at_start():
            if not self.extended:
                raise BadPattern("Invalid preceding regular expression")
            self.out[-1].append(r"\{")
            return
        self.place = stop + len(end)
        low, comma, high = match.groups()
        if high and int(high) < int(low or 0):
            raise BadPattern("Invalid content of \\{\\}")
        self.repeat(f"{{{low or '0'}{comma}{high}}}")

    def bracket(self) -> str:
        text, place = self.pattern, self.place
        out = "["
        if text[place : place + 1] == "^":
            out += "^"
            place += 1
        first = True
        while True:
            if place >= len(text):
                raise BadPattern("Unmatched [, [^, [:, [., or [=")
            char = text[place]
            if char == "]" and not first:
                break
            first = False
            if char == "[" and text[place + 1 : place + 2] in tuple(":.="):
                piece, place = self.named(place)
                out += piece
                continue
            place += 1
            if char == "\\" and self.controls and text[place : place + 1] in tuple(_CONTROL):
                out += _CONTROL[text[place]]
                place += 1
            elif (
                text[place : place + 1] == "-"
                and text[place + 1 : place + 2] not in ("", "]", "[", "\\")
                and text[place + 1] < char
            ):
                raise BadPattern("Invalid range end")
            else:
                out += "\\" + char if char in r"\[]^&~|" or (char == "-" and text[place : place + 1] == "]") else char
        self.place = place + 1
        if out == "[":
            return "(?!)"
        return out + "]"

    def named(self, place: int) -> tuple[str, int]:
        """[:alpha:], [=a=], [.-.]: what it is in Python, and where it ends."""
        kind = self.pattern[place + 1]
        stop = self.pattern.find(kind + "]", place + 2)
        if stop < 0:
            raise BadPattern("Unmatched [, [^, [:, [., or [=")
        name = self.pattern[place + 2 : stop]
        if kind == ":":
            if name not in CLASSES:
                raise BadPattern("Invalid character class name")
            return CLASSES[name], stop + 2
        return re.escape(name), stop + 2


def translated(pattern: str, *, extended: bool, controls: bool = False) -> str:
    """The pattern in Python's syntax. Raises BadPattern."""
    return _Translator(pattern, extended, controls).run()


@lru_cache(maxsize=256)
def compile_pattern(
    pattern: str, *, extended: bool, ignore_case: bool = False, multiline: bool = False, controls: bool = False
) -> re.Pattern[str]:
    """Raises BadPattern."""
    text = translated(pattern, extended=extended, controls=controls)
    flags = (re.I if ignore_case else 0) | (0 if multiline else re.S)
    if multiline:
        text = text.replace(r"\Z", "(?=\\n|\\Z)")
        flags |= re.M
    try:
        return re.compile(text, flags)
    except (re.error, OverflowError) as error:
        said = str(error)
        raise BadPattern(
            "Invalid range end" if "bad character range" in said else "Invalid regular expression"
        ) from None
