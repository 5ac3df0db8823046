"""BuildKit's build checks: what it warns of although the build goes on.

Names and texts: moby/buildkit frontend/dockerfile/linter/ruleset.go; shape of the summary: transcript
build-cache-comments-and-whitespace.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from labkit.engine.dockerfile.errors import DockerfileError, Lines
from labkit.engine.dockerfile.expand import go_quote

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
                raise DockerfileError(f"failed to parse check options: invalid check option {go_quote(part)}")
            if key == "skip":
                self.skip_all = value == "all"
                self.skipped = frozenset(rule.strip() for rule in value.split(","))
            elif key == "error":
                self.as_errors = _bool(value, part)
            else:
                raise DockerfileError(f"failed to parse check options: invalid check option {go_quote(key)}")

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
        quoted[index] = go_quote(quoted[index])
    return pattern.format(*quoted)


def _bool(value: str, part: str) -> bool:
    if value not in _TRUE + _FALSE:
        raise DockerfileError(
            f"failed to parse check options: failed to parse check option {go_quote(part)}: "
            f"strconv.ParseBool: parsing {go_quote(value)}: invalid syntax"
        )
    return value in _TRUE


_SECRET = re.compile(
    r"(?:_|^)(?:apikey|auth|credential|credentials|key|password|pword|passwd|secret|token)(?:_|$)", re.I
)
_PUBLIC = re.compile(r"(?:_|^)(?:public|file|version)(?:_|$)", re.I)


def is_secret(name: str) -> bool:
    """Whether a variable's name says that its value should not be in an image."""
    return bool(_SECRET.search(name)) and not _PUBLIC.search(name)
