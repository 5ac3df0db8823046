"""Patterns: `*`, `?`, `[…]`, and pathname expansion. POSIX, Shell Command Language, 2.13.

A pattern is a string in which a backslash takes the meaning from the character after it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

from labkit.kernel.process import Runaway

if TYPE_CHECKING:
    from labkit.files import Files

_LONGEST = 16 << 20  # characters

CLASSES = {  # as Python's re has them; utilities/regex.py uses them too
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


def matches(pattern: str, text: str) -> bool:
    return compiled(pattern).fullmatch(text) is not None


def without_prefix(text: str, pattern: str, *, longest: bool) -> str:
    """`${text#pattern}`, or `##`."""
    found = _compiled_prefix(pattern, longest, False).match(text)
    return text[found.end() :] if found else text


def without_suffix(text: str, pattern: str, *, longest: bool) -> str:
    """`${text%pattern}`, or `%%`."""
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
    if everywhere and len(by) * len(text) > _LONGEST and sum(len(by) for _ in made.finditer(text)) > _LONGEST:
        raise Runaway("a variable becomes too long")
    return made.sub(lambda found: by, text, count=0 if everywhere else 1)


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
        return [plain] if _is_there(files, plain, is_folder) else []
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


def _is_there(files: Files, path: str, is_folder: bool) -> bool:
    if is_folder:
        return files.is_dir(path)
    try:
        files.lstat(path)
    except OSError:
        return False
    return True
