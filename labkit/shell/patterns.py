"""Patterns: `*`, `?`, `[…]`, and pathname expansion. POSIX, Shell Command Language, 2.13.

A pattern is a string in which a backslash takes the meaning from the character after it.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from labkit.files import Files

_CLASSES = {
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
    out: list[str] = []
    place = 0
    while place < len(pattern):
        char = pattern[place]
        place += 1
        if char == "*":
            if out[-1:] != [".*"]:
                out.append(".*")
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
    try:
        return re.compile("".join(out), re.S)
    except re.error:  # such as a range that runs backwards: it matches nothing
        return re.compile(r"(?!)")


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
            return out + "]", place + 1
        first = False
        if char == "[" and (found := re.compile(r"\[:(\w+):\]").match(pattern, place)):
            out += _CLASSES.get(found.group(1), "")
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


def matches(pattern: str, text: str) -> bool:
    return compiled(pattern).fullmatch(text) is not None


def without_prefix(text: str, pattern: str, *, longest: bool) -> str:
    """`${text#pattern}`, or `##`."""
    match = compiled(pattern).fullmatch
    ends = range(len(text), -1, -1) if longest else range(len(text) + 1)
    return next((text[end:] for end in ends if match(text, 0, end)), text)


def without_suffix(text: str, pattern: str, *, longest: bool) -> str:
    """`${text%pattern}`, or `%%`."""
    match = compiled(pattern).fullmatch
    starts = range(len(text) + 1) if longest else range(len(text), -1, -1)
    return next((text[:start] for start in starts if match(text, start)), text)


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
    return re.compile(expression, re.S).sub(lambda found: by, text, count=0 if everywhere else 1)


def paths(files: Files, pattern: str) -> list[str]:
    """The paths that a pattern matches, sorted; none where nothing matches."""
    head = "/" if pattern.startswith("/") else ""
    found = [head + "/" * (len(pattern) - len(pattern.lstrip("/")) - 1) if head else ""]
    names = pattern.strip("/").split("/")
    tail = len(pattern) - len(pattern.rstrip("/"))
    for index, name in enumerate(names):
        last = index == len(names) - 1
        separator = "/" * tail if last else "/"
        found = [path + separator for folder in found for path in _inside(files, folder, name, bool(separator))]
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
