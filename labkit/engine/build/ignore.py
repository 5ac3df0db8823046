"""Patterns that name files: those of .dockerignore, and of COPY --exclude and --parents.

The rules are those of moby/patternmatcher: `*` stops at a slash, `**` does not, a leading `!` takes back in, the last
pattern that fits decides, and a folder stands for all that is in it.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache


class PatternError(ValueError):
    """A pattern that means nothing."""


@dataclass(frozen=True)
class _Pattern:
    regex: re.Pattern[str]
    exclusion: bool  # begins with !


@dataclass(frozen=True)
class Matcher:
    """A list of patterns, in order."""

    patterns: tuple[_Pattern, ...]

    @property
    def has_exclusions(self) -> bool:
        return any(pattern.exclusion for pattern in self.patterns)

    def matches(self, path: str) -> bool:
        """Whether the patterns name this path (without a leading slash), itself or by a folder above it."""
        above = list(_with_parents(path))
        matched = False
        for pattern in self.patterns:
            if pattern.exclusion == matched and any(pattern.regex.match(part) for part in above):
                matched = not pattern.exclusion
        return matched


def _with_parents(path: str) -> Iterable[str]:
    yield path
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path


def matcher(patterns: Iterable[str]) -> Matcher:
    """Compile patterns. Raises PatternError."""
    made = []
    for text in patterns:
        text = text.strip()
        if not text:
            continue
        exclusion = text.startswith("!")
        if exclusion:
            text = text[1:]
            if not text:
                raise PatternError('illegal exclusion pattern: "!"')
        made.append(_Pattern(_compiled(posixpath.normpath(text)), exclusion))
    return Matcher(tuple(made))


def read_ignore_file(text: str) -> list[str]:
    """The patterns of a .dockerignore."""
    patterns = []
    for line in text.removeprefix("\ufeff").splitlines():
        if line.startswith("#") or not (line := line.strip()):
            continue
        exclusion = "!" if line.startswith("!") else ""
        path = line[len(exclusion) :].strip()
        if path:
            path = posixpath.normpath(path)
            path = path.lstrip("/") if len(path) > 1 else path
        patterns.append(exclusion + path)
    return patterns


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(_regex(pattern) + r"\Z", re.S)
    except re.error:
        raise PatternError(f"syntax error in pattern: {pattern}") from None


def _regex(pattern: str) -> str:
    out = ""
    place = 0
    while place < len(pattern):
        character = pattern[place]
        place += 1
        if character == "*" and pattern.startswith("*", place):
            place += 1
            place += pattern.startswith("/", place)
            out += ".*" if place >= len(pattern) else "(.*/)?"
        elif character == "*":
            out += "[^/]*"
        elif character == "?":
            out += "[^/]"
        elif character == "[":
            end = pattern.find("]", place + 1)
            if end < 0:
                raise PatternError(f"syntax error in pattern: {pattern}")
            out += f"[{pattern[place:end]}]"
            place = end + 1
        elif character == "\\" and place < len(pattern):
            out += re.escape(pattern[place])
            place += 1
        else:
            out += re.escape(character)
    return out


def has_wildcards(path: str) -> bool:
    """Whether Go's filepath.Match would read something else than itself in it."""
    plain = re.sub(r"\\.", "", path)
    return any(character in plain for character in "*?[")


def glob_matches(pattern: str, path: str) -> bool:
    """Go's filepath.Match: `*`, `?`, `[…]` within one name each."""
    return bool(_glob(pattern).match(path))


@lru_cache(maxsize=256)
def _glob(pattern: str) -> re.Pattern[str]:
    return re.compile(_regex(re.sub(r"\*+", "*", pattern)) + r"\Z", re.S)
