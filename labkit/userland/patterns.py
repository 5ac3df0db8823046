"""Patterns of text: `*`, `?`, `[…]` with pathname expansion, and POSIX' regular expressions, as Python's.

A shell's pattern (POSIX, Shell Command Language, 2.13) is a string in which a backslash takes the meaning from the
character after it. Regular expressions are basic or extended, with GNU's additions; Python takes the first alternative
that fits where POSIX takes the longest: the one known difference.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from labkit.files import Files
from labkit.kernel import limits
from labkit.userland.tool import look

CLASSES = {  # as Python's re has them
    "alpha": "a-zA-Z",
    "digit": "0-9",
    "alnum": "a-zA-Z0-9",
    "upper": "A-Z",
    "lower": "a-z",
    "space": r"\s",
    "blank": r" \t",
    "punct": r"!-/:-@\[-`{-~",
    "print": r" -~",
    "graph": r"!-~",
    "cntrl": r"\x00-\x1f\x7f",
    "xdigit": "0-9A-Fa-f",
}
_ANY = "*"
_MAGIC = re.compile(r"(?:[^\\]|\\.)*?[*?\[]", re.S)
_TO_ESCAPE = re.compile(r"([*?\[\]\\!^-])")
_ESCAPED = re.compile(r"\\(.)", re.S)


def escape(text: str) -> str:
    """A pattern that only this text matches."""
    return _TO_ESCAPE.sub(r"\\\1", text)


def unescape(pattern: str) -> str:
    return _ESCAPED.sub(r"\1", pattern)


def by_bytes(text: str) -> str:
    """A character for each byte."""
    return text.encode("utf-8", "surrogateescape").decode("latin-1")


def is_magic(pattern: str) -> bool:
    return bool(_MAGIC.match(pattern))


@lru_cache(maxsize=512)
def compiled(pattern: str) -> re.Pattern[str]:
    """The regular expression, to be used with fullmatch."""
    return re.compile(_expression(_atoms(pattern), longest=True), re.S)


@lru_cache(maxsize=512)
def _compiled_prefix(pattern: str, longest: bool, backwards: bool) -> re.Pattern[str]:
    """For the shortest or longest beginning that matches; `backwards`: of the text read from its end."""
    atoms = _atoms(pattern)
    return re.compile(_expression(atoms[::-1] if backwards else atoms, longest=longest), re.S)


def _atoms(pattern: str) -> list[str]:
    """The pattern as `*` and as regular expressions for one character each."""
    out: list[str] = []
    place = 0
    while place < len(pattern):
        char = pattern[place]
        place += 1
        if char == "*":
            out.append(_ANY)
        elif char == "?":
            out.append(".")
        elif char == "\\" and place < len(pattern):
            out.append(re.escape(pattern[place]))
            place += 1
        elif char == "[" and (bracket := _bracket(pattern, place)):
            out.append(bracket[0])
            place = bracket[1]
        else:
            out.append(re.escape(char))
    return out


def _expression(atoms: list[str], *, longest: bool) -> str:
    """What stands between two stars is best found where it first occurs, for good: so it takes no backtracking."""
    first, *others = _between_stars(atoms)
    if not others:
        return first
    *middle, last = others
    found = first + "".join(f"(?>.*?{part})" for part in middle if part)
    if longest:
        return f"{found}.*{last}"
    return f"{found}(?>.*?{last})" if last else found


def _between_stars(atoms: list[str]) -> list[str]:
    parts = [""]
    for atom in atoms:
        if atom == _ANY:
            parts.append("")
        else:
            parts[-1] += atom
    return parts


def _bracket(pattern: str, place: int) -> tuple[str, int] | None:
    """A bracket expression as a regular one, and where it ends; None where it does not end."""
    out = "["
    if pattern[place : place + 1] in ("!", "^"):
        out += "^"
        place += 1
    first = True
    while place < len(pattern):
        char = pattern[place]
        if char == "]" and not first:
            return _valid(out + "]"), place + 1
        first = False
        if char == "[" and (found := re.compile(r"\[:(\w+):\]").match(pattern, place)):
            out += CLASSES.get(found.group(1), "")
            place = found.end()
            continue
        if char == "\\" and place + 1 < len(pattern):
            place += 1
            char = "\\" + pattern[place]
        elif char in "[]\\^&~|":
            char = "\\" + char
        out += char
        place += 1
    return None


def _valid(expression: str) -> str:
    try:
        re.compile(expression)
    except re.error:  # a range that runs backwards: it matches nothing
        return "(?!)"
    return expression


def _cost(text: str) -> None:
    """What looking through a long text costs."""
    if len(text) > 256:
        limits.tick(len(text) >> 8)


def matches(pattern: str, text: str) -> bool:
    _cost(text)
    return compiled(pattern).fullmatch(text) is not None


def without_prefix(text: str, pattern: str, *, longest: bool) -> str:
    """`${text#pattern}`, or `##`."""
    _cost(text)
    found = _compiled_prefix(pattern, longest, False).match(text)
    return text[found.end() :] if found else text


def without_suffix(text: str, pattern: str, *, longest: bool) -> str:
    """`${text%pattern}`, or `%%`."""
    _cost(text)
    found = _compiled_prefix(pattern, longest, True).match(text[::-1])
    return text[: len(text) - found.end()] if found else text


def replaced(text: str, pattern: str, by: str, *, everywhere: bool) -> str:
    """`${text/pattern/by}`, or `//`; a leading `#` or `%` ties the pattern to an end."""
    anchor = pattern[:1]
    if anchor in ("#", "%") and not everywhere:
        expression = compiled(pattern[1:]).pattern
        expression = rf"\A(?:{expression})" if anchor == "#" else rf"(?:{expression})\Z"
    else:
        expression = compiled(pattern).pattern
    if not pattern:
        return text
    made = re.compile(expression, re.S)
    limits.tick(len(text) * (len(text) if _ANY in pattern else 64) >> 14)
    out, size, end = list[str](), len(text), 0
    for found in made.finditer(text):
        size += len(by)
        limits.hold(size if size > limits.HELD else len(by), "a variable")
        if not len(out) % 32:
            limits.tick()
        out += [text[end : found.start()], by]
        end = found.end()
        if not everywhere:
            break
    return "".join([*out, text[end:]])


def paths(files: Files, pattern: str, tick: Callable[[int], object] = lambda steps: None) -> list[str]:
    """The paths that a pattern matches, sorted; none where nothing matches. `tick` is told of its steps."""
    head = "/" if pattern.startswith("/") else ""
    found = [head + "/" * (len(pattern) - len(pattern.lstrip("/")) - 1) if head else ""]
    names = pattern.strip("/").split("/")
    tail = len(pattern) - len(pattern.rstrip("/"))
    for index, name in enumerate(names):
        last = index == len(names) - 1
        separator = "/" * tail if last else "/"
        before, found = found, []
        for folder in before:
            found += [path + separator for path in _inside(files, folder, name, bool(separator))]
            tick(1 + len(folder) // 64)
        tick(20 * len(found))
    return found


def _inside(files: Files, folder: str, name: str, is_folder: bool) -> list[str]:
    """The paths in one folder that one name's pattern matches."""
    if not is_magic(name):
        plain = folder + unescape(name)
        there = files.is_dir(plain) if is_folder else look(files, plain) is not None
        return [plain] if there else []
    try:
        names = files.listdir(folder or ".")
    except OSError:
        return []
    match = compiled(name).fullmatch
    hidden = name.startswith((".", "\\."))
    if hidden:
        names = sorted([".", "..", *names])
    matching = [folder + entry for entry in names if (hidden or entry[0] != ".") and match(entry)]
    return [path for path in matching if files.is_dir(path)] if is_folder else matching


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
