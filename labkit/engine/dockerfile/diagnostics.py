"""What is said of a Dockerfile: errors with excerpts, the word that was meant, the warnings of the build checks.

Rules of the excerpt: moby/buildkit solver/errdefs/source.go; texts: transcripts build-cache-unknown-instruction,
examples/build.txt. Names and texts of the checks: moby/buildkit frontend/dockerfile/linter/ruleset.go; shape of
their summary: transcript build-cache-comments-and-whitespace.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from labkit.kernel.golang import quote


@dataclass(frozen=True)
class Lines:
    """Lines of the Dockerfile, from 1, both ends included."""

    start: int
    end: int


NOWHERE = Lines(0, 0)


class DockerfileError(Exception):
    """A Dockerfile that cannot be built. Each of `places` gives an excerpt; none gives none."""

    def __init__(self, message: str, *places: Lines) -> None:
        super().__init__(message)
        self.message = message
        self.places = list(places)

    def at(self, place: Lines) -> DockerfileError:
        """The same error, at this place too."""
        self.places.append(place)
        return self


class BuildError(Exception):
    """A build that failed: str() is what `docker build` prints last, with its newline; it exits with 1."""


def failed(message: str) -> BuildError:
    """A failure before anything was sent to the builder."""
    return BuildError(f"ERROR: failed to build: {message}\n")


def unsolved(message: str, excerpts: str = "") -> BuildError:
    """A failure of the builder itself."""
    return BuildError(f"{excerpts}ERROR: failed to build: failed to solve: {message}\n")


def excerpt(name: str, text: str, place: Lines) -> str:
    """The lines around a place, its own marked with >>>; "" where the file has no such line."""
    lines = text.split("\n")
    first = place.start
    last = max(first, place.end)
    if not 1 <= first <= len(lines):
        return ""
    top, bottom = _margins(first, min(last, len(lines)), len(lines))
    shown = [
        f" {number:3d} | {'>>>' if first <= number <= last else '   '} {lines[number - 1]}\n"
        for number in range(top, bottom + 1)
    ]
    rule = "-" * 20 + "\n"
    return f"{name}:{first}\n{rule}{''.join(shown)}{rule}"


def _margins(top: int, bottom: int, count: int) -> tuple[int, int]:
    """Two lines around several, four around a single one, nearer ones first on both sides."""
    wanted = 4 if top == bottom else 2
    added = 0
    while added < wanted:
        if top > 1:
            top -= 1
            added += 1
        if bottom != count:
            bottom += 1
            added += 1
        added += 1
    return top, bottom


_CLOSE = 3  # an edit distance below this counts as a slip of the pen


def suggestion(word: str, options: Iterable[str], *, case_sensitive: bool = True) -> str:
    """The nearest option, or "" where none is near or the word is one of them."""
    wanted = word if case_sensitive else word.lower()
    best, nearest = "", _CLOSE
    for option in options:
        option = option if case_sensitive else option.lower()
        if option == wanted:
            return ""
        distance = _distance(wanted, option)
        if distance < nearest:
            best, nearest = option, distance
    return best if case_sensitive else _as_cased(best, word)


def did_you_mean(message: str, word: str, options: Iterable[str], *, case_sensitive: bool = True) -> str:
    """The message with the suggestion that fits, if there is one."""
    match = suggestion(word, options, case_sensitive=case_sensitive)
    return f"{message} (did you mean {match}?)" if match else message


def _as_cased(match: str, like: str) -> str:
    if like == like.lower():
        return match.lower()
    return match.upper() if like == like.upper() else match


def _distance(one: str, other: str) -> int:
    """Levenshtein's; far words are given up at once."""
    if abs(len(one) - len(other)) >= _CLOSE:
        return _CLOSE
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        previous, row[0] = row[0], i
        for j, b in enumerate(other, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (a != b))
    return row[-1]


_TRUE = ("1", "t", "T", "true", "TRUE", "True")
_FALSE = ("0", "f", "F", "false", "FALSE", "False")
_YELLOW, _PLAIN = "\x1b[33m", "\x1b[0m"

RULES: dict[str, str] = {  # {} is text as it is, {q} text as Go quotes it
    "ConsistentInstructionCasing": "Command '{}' should match the case of the command majority ({})",
    "DuplicateStageName": "Duplicate stage name {q}, stage names should be unique",
    "ExposeInvalidFormat": "EXPOSE instruction should not define an IP address or host-port mapping, found '{}'",
    "ExposeProtoCasing": "Defined protocol '{}' in EXPOSE instruction should be lowercase",
    "FromAsCasing": "'{}' and '{}' keywords' casing do not match",
    "FromPlatformFlagConstDisallowed": "FROM --platform flag should not use constant value {q}",
    "InvalidDefaultArgInFrom": "Default value for ARG {} results in empty or invalid base image name",
    "JSONArgsRecommended": "JSON arguments recommended for {} to prevent unintended behavior related to OS signals",
    "LegacyKeyValueFormat": '"{0} key=value" should be used instead of legacy "{0} key value" format',
    "MaintainerDeprecated": "Maintainer instruction is deprecated in favor of using label",
    "MultipleInstructionsDisallowed": "Multiple {} instructions should not be used in the same stage because only the"
    " last one will be used",
    "NoEmptyContinuation": "Empty continuation line",
    "RedundantTargetPlatform": "Setting platform to predefined {} in FROM is redundant as this is the default behavior",
    "ReservedStageName": "Stage name should not use the same name as reserved stage {q}",
    "SecretsUsedInArgOrEnv": "Do not use ARG or ENV instructions for sensitive data ({} {q})",
    "StageNameCasing": "Stage name '{}' should be lowercase",
    "UndefinedArgInFrom": "FROM argument '{}' is not declared{}",
    "UndefinedVar": "Usage of undefined variable '${}'{}",
    "WorkdirRelativePath": "Relative workdir {q} can have unexpected results if the base image changes",
}


@dataclass(frozen=True)
class LintWarning:
    text: str  # "Rule: what it says (line 3)"
    place: Lines


@dataclass
class Linter:
    """Collects warnings."""

    skipped: frozenset[str] = frozenset()
    skip_all: bool = False
    as_errors: bool = False
    warnings: list[LintWarning] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)  # rules, in the order of their first warning

    def heed(self, check: str) -> None:
        """Do as the value of the Dockerfile's check directive says. Raises DockerfileError."""
        for part in check.strip().split(";", 1) if check.strip() else ():
            key, equals, value = part.partition("=")
            key, value = key.strip(), value.strip()
            if not equals:
                raise DockerfileError(f"failed to parse check options: invalid check option {quote(part)}")
            if key == "skip":
                self.skip_all = value == "all"
                self.skipped = frozenset(rule.strip() for rule in value.split(","))
            elif key == "error":
                self.as_errors = _parsed_bool(value, part)
            else:
                raise DockerfileError(f"failed to parse check options: invalid check option {quote(key)}")

    def warn(self, rule: str, place: Lines, *words: str) -> None:
        if self.skip_all or rule in self.skipped:
            return
        if rule not in self.broken:
            self.broken.append(rule)
        found = LintWarning(f"{rule}: {_filled(RULES[rule], words)} (line {place.start})", place)
        if found not in self.warnings:
            self.warnings.append(found)

    def refuse(self) -> None:
        """With `check=error=true` a warning ends the build."""
        if self.as_errors and self.broken:
            raise DockerfileError(f"lint violation found for rules: {', '.join(self.broken)}")

    def summary(self) -> str:
        """What is printed below the progress."""
        count = len(self.warnings)
        if not count:
            return ""
        found = "1 warning found" if count == 1 else f"{count} warnings found"
        listed = "".join(f" - {warning.text}\n" for warning in self.warnings)
        return f"\n {_YELLOW}{found} (use docker --debug to expand):\n{_PLAIN}{listed}"


def _filled(pattern: str, words: tuple[str, ...]) -> str:
    quoted = list(words)
    if "{q}" in pattern:
        index = len(re.findall(r"\{\}", pattern.split("{q}")[0]))
        pattern = pattern.replace("{q}", "{}")
        quoted[index] = quote(quoted[index])
    return pattern.format(*quoted)


def _parsed_bool(value: str, part: str) -> bool:
    if value not in _TRUE + _FALSE:
        raise DockerfileError(
            f"failed to parse check options: failed to parse check option {quote(part)}: "
            f"strconv.ParseBool: parsing {quote(value)}: invalid syntax"
        )
    return value in _TRUE


_SECRET = re.compile(
    r"(?:_|^)(?:apikey|auth|credential|credentials|key|password|pword|passwd|secret|token)(?:_|$)", re.I
)
_PUBLIC = re.compile(r"(?:_|^)(?:public|file|version)(?:_|$)", re.I)


def is_secret(name: str) -> bool:
    """Whether a variable's name says that its value should not be in an image."""
    return bool(_SECRET.search(name)) and not _PUBLIC.search(name)
