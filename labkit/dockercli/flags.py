"""Flags and help of docker's commands: --long, --long=value, -s, grouped -it, -svalue, -s=value, and -- to end them.

help.txt holds what `docker COMMAND --help` prints, to the letter; a command's flags are read from there, so that each
is named once. A section starts with `$ docker COMMAND`; commands that differ from another only by their place (docker
container rm, docker rm) share one. Flags are read as spf13/pflag does, their values as docker/go-units and time do.
"""

from __future__ import annotations

import copy
import pkgutil
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from functools import cached_property, lru_cache
from typing import TypeAlias

from labkit.kernel.golang import SECOND, Json, JsonObject, SizeInvalid, duration, human_duration, quote, ram_in_bytes


class StatusError(Exception):
    """The command ends with this exit status; the message, unless it is empty, goes to standard error."""

    def __init__(self, message: str = "", status: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.status = status


class ValueInvalid(Exception):
    """A flag's value cannot be used; str() says why."""


def ago(now: int, then: int) -> str:
    return human_duration(now - then) + " ago"


def parse_time(text: str) -> int:
    """Nanoseconds since 1970 of an RFC 3339 time as the API writes it."""
    match = re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?(Z|[+-]\d\d:\d\d)", text)
    if not match:
        raise ValueInvalid(f"parsing time {quote(text)}")
    whole = datetime.fromisoformat(match[1] + ("+00:00" if match[3] == "Z" else match[3]))
    since = whole - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86400 + since.seconds) * SECOND + int((match[2] or "0").ljust(9, "0"))


def go_time(seconds: int) -> str:
    """2026-11-24 03:17:36 +0000 UTC (Go's Time.String)."""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    return moment.strftime("%Y-%m-%d %H:%M:%S +0000 UTC")


def parse_duration(text: str) -> int:
    """Nanoseconds of 1h30m, for a flag. Raises ValueInvalid."""
    try:
        return duration(text)
    except ValueError as error:
        raise ValueInvalid(str(error)) from None


def parse_bytes(text: str) -> int:
    """128m -> 134217728, for a flag. Raises ValueInvalid."""
    try:
        return ram_in_bytes(text)
    except SizeInvalid as error:
        raise ValueInvalid(str(error)) from None


def ellipsis(text: str, width: int) -> str:
    """At most `width` characters, the last one … where some are left out."""
    if len(text) <= width:
        return text
    return text[: max(0, width - 1)] + "…" if width > 1 else text[:width]


def short_id(identifier: str) -> str:
    """sha256:0123456789abcdef… -> 0123456789ab."""
    return identifier.partition(":")[2][:12] if ":" in identifier else identifier[:12]


class FlagError(Exception):
    """The arguments cannot be read; str() is pflag's message."""


@dataclass(frozen=True)
class Flag:
    """One flag. `kind` is what the help prints after the name; "bool" where it prints nothing."""

    name: str
    short: str = ""
    kind: str = "bool"
    default: str = ""
    deprecated: str = ""  # what to use instead

    @property
    def shown(self) -> str:
        return f"-{self.short}, --{self.name}" if self.short else f"--{self.name}"

    @cached_property
    def unset(self) -> str | bool | int:
        """Its value where it is not given; a list's is a new empty one."""
        if self.kind in ("int", "uint16", "bytes", "decimal", "duration"):
            return int(self.default) if re.fullmatch(r"-?\d+", self.default) else 0
        return self.default == "true" if self.kind == "bool" else self.default


FlagValue: TypeAlias = str | bool | int | list[Json]


@dataclass
class Options:
    """The values of a command's flags: what was given, else the default."""

    flags: dict[str, Flag]
    values: dict[str, FlagValue] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)  # about deprecated flags

    def __getitem__(self, name: str) -> FlagValue:
        if name in self.values:
            return self.values[name]
        flag = self.flags[name]
        return [] if flag.kind in LISTS else flag.unset

    def text(self, name: str) -> str:
        value = self[name]
        assert isinstance(value, str)
        return value

    def on(self, name: str) -> bool:
        value = self[name]
        assert isinstance(value, bool)
        return value

    def number(self, name: str) -> int:
        value = self[name]
        assert isinstance(value, int)
        return value

    def several(self, name: str) -> list[Json]:
        value = self.values.get(name)
        if value is None:
            return []
        assert isinstance(value, list)
        return value

    def texts(self, name: str) -> list[str]:
        return [each for each in self.several(name) if isinstance(each, str)] if name in self.values else []

    def filters(self) -> dict[str, list[str]]:
        """--filter values by key."""
        found: dict[str, list[str]] = {}
        for each in self.texts("filter"):
            name, _, value = each.partition("=")
            found.setdefault(name, []).append(value)
        return found

    def changed(self, name: str) -> bool:
        return name in self.values


def _parse_bool(text: str) -> bool:
    if text in ("1", "t", "T", "true", "TRUE", "True"):
        return True
    if text in ("0", "f", "F", "false", "FALSE", "False"):
        return False
    raise ValueInvalid(f"strconv.ParseBool: parsing {quote(text)}: invalid syntax")


def _parse_int(text: str, function: str = "ParseInt", low: int = -(1 << 63), high: int = (1 << 63) - 1) -> int:
    try:
        number = (
            int(text, 0) if re.fullmatch(r"[+-]?(0[xX][0-9a-fA-F]+|0[oO]?[0-7]*|0[bB][01]+|[1-9]\d*)", text) else None
        )
    except ValueError:
        number = int(text, 8)
    if number is None:
        raise ValueInvalid(f"strconv.{function}: parsing {quote(text)}: invalid syntax")
    if not low <= number <= high:
        raise ValueInvalid(f"strconv.{function}: parsing {quote(text)}: value out of range")
    return number


def _parse_cpus(text: str) -> int:
    try:
        nano = Fraction(text) * 10**9
    except (ValueError, ZeroDivisionError):
        raise ValueInvalid(f"failed to parse {text} as a rational number") from None
    if nano.denominator != 1:
        raise ValueInvalid("value is too precise")
    return int(nano)


def _parse_filter(text: str) -> str | None:
    if not text:
        return None
    if "=" not in text:
        raise ValueInvalid("bad format of filter (expected name=value)")
    name, _, value = text.partition("=")
    return f"{name.strip().lower()}={value.strip()}"


def _parse_ulimit(text: str) -> str:
    name, equals, limits = text.partition("=")
    if not equals:
        raise ValueInvalid(f"invalid ulimit argument: {text}")
    if name not in _ULIMITS:
        raise ValueInvalid(f"invalid ulimit type: {name}")
    parts = limits.split(":")
    if len(parts) > 2:
        raise ValueInvalid(f"too many limit value arguments - {limits}, can only have up to two, `soft[:hard]`")
    hard, soft = (_parse_limit(part) for part in (parts[-1], parts[0]))
    wrong = "ulimit soft limit must be less than or equal to hard limit:"
    if hard != -1 and soft == -1:
        raise ValueInvalid(f"{wrong} soft: -1 (unlimited), hard: {hard}")
    if hard != -1 and soft > hard:
        raise ValueInvalid(f"{wrong} {soft} > {hard}")
    return text


def _parse_limit(text: str) -> int:
    if text == "infinity":
        return -1
    if not re.fullmatch(r"[+-]?[0-9]+", text):
        raise ValueInvalid(f"strconv.ParseInt: parsing {quote(text)}: invalid syntax")
    number = int(text)
    if not -(1 << 63) <= number < 1 << 63:
        raise ValueInvalid(f"strconv.ParseInt: parsing {quote(text)}: value out of range")
    return number


_ULIMITS = frozenset(
    [
        "core",
        "cpu",
        "data",
        "fsize",
        "locks",
        "memlock",
        "msgqueue",
        "nice",
        "nofile",
        "nproc",
        "rss",
        "rtprio",
        "rttime",
        "sigpending",
        "stack",
    ]
)

Validator = Callable[[str], str | bool | int | JsonObject | None]  # None: the flag was as good as not given
PARSERS: dict[str, Validator] = {
    "bool": _parse_bool,
    "int": _parse_int,
    "uint16": lambda text: _parse_int(text, "ParseUint", 0, 65535),
    "bytes": parse_bytes,
    "decimal": _parse_cpus,
    "duration": parse_duration,
    "filter": _parse_filter,
    "ulimit": _parse_ulimit,
}
LISTS = frozenset(
    {
        "list",
        "stringArray",
        "strings",
        "filter",
        "mount",
        "ulimit",
        "map",
        "network",
        "gpu-request",
        "ipSlice",
        "ipNetSlice",
    }
)


class FlagParser:
    """Reads one command's arguments. `validators` read what is more than its kind, by flag."""

    def __init__(self, flags: list[Flag], validators: dict[str, Validator] | None = None) -> None:
        self.by_name = {flag.name: flag for flag in flags}
        self.by_short = {flag.short: flag for flag in flags if flag.short}
        self.validators = validators or {}

    def checking(self, validators: dict[str, Validator]) -> FlagParser:
        """The same flags with these validators."""
        other = copy.copy(self)
        other.validators = validators
        return other

    def parse(self, arguments: list[str], *, interspersed: bool = True) -> tuple[Options, list[str]]:
        """The options and what is no flag. Raises FlagError."""
        options = Options(self.by_name)
        rest = list(arguments)
        others: list[str] = []
        while rest:
            argument = rest.pop(0)
            if argument == "--":
                return options, others + rest
            if len(argument) < 2 or argument[0] != "-":
                others.append(argument)
                if not interspersed:
                    return options, others + rest
            elif argument.startswith("--"):
                self._long(options, argument, rest)
            else:
                self._shorts(options, argument[1:], rest)
        return options, others

    def _long(self, options: Options, argument: str, rest: list[str]) -> None:
        name, equals, value = argument[2:].partition("=")
        if not name or name[0] == "-":
            raise FlagError(f"bad flag syntax: {argument}")
        flag = self.by_name.get(name)
        if flag is None:
            raise FlagError(f"unknown flag: --{name}")
        if equals:
            self._set(options, flag, value)
        elif flag.kind == "bool":
            self._set(options, flag, "true")
        elif rest:
            self._set(options, flag, rest.pop(0))
        else:
            raise FlagError(f"flag needs an argument: --{name}")

    def _shorts(self, options: Options, letters: str, rest: list[str]) -> None:
        while letters:
            flag = self.by_short.get(letters[0])
            if flag is None:
                raise FlagError(f"unknown shorthand flag: '{letters[0]}' in -{letters}")
            if len(letters) > 2 and letters[1] == "=":
                value, letters_left = letters[2:], ""
            elif flag.kind == "bool":
                value, letters_left = "true", letters[1:]
            elif len(letters) > 1:
                value, letters_left = letters[1:], ""
            elif rest:
                value, letters_left = rest.pop(0), ""
            else:
                raise FlagError(f"flag needs an argument: '{letters[0]}' in -{letters}")
            if flag.name == "help":
                options.notes.append("Flag shorthand -h has been deprecated, use --help")
            self._set(options, flag, value)
            letters = letters_left

    def _set(self, options: Options, flag: Flag, text: str) -> None:
        try:
            read = self.validators.get(flag.name) or PARSERS.get(flag.kind, str)
            value = read(text)
        except ValueInvalid as error:
            shown = f"--{flag.name}" if flag.name == "help" else flag.shown
            raise FlagError(f"invalid argument {quote(text)} for {quote(shown)} flag: {error}") from None
        if flag.deprecated:
            options.notes.append(f"Flag --{flag.name} has been deprecated, {flag.deprecated}")
        if value is None:
            return
        if flag.kind not in LISTS:
            assert not isinstance(value, dict)
            options.values[flag.name] = value
        else:
            pieces: list[Json] = [*value.split(",")] if flag.kind == "strings" and isinstance(value, str) else [value]
            options.values[flag.name] = [*options.several(flag.name), *pieces]


_FLAG_LINE = re.compile(r" {2}(?:-(\S), | {4})--([a-z][\w-]*)(?: ([\w-]+))?(?: {2,}(.*))?$")


@lru_cache(maxsize=1)
def sections() -> dict[str, str]:
    """Command -> its help; the root command's key is "docker"."""
    text = (pkgutil.get_data("labkit.dockercli", "help.txt") or b"").decode().replace("\r\n", "\n")
    pieces = re.split(r"^\$ (.*)\n", text, flags=re.MULTILINE)
    return {name: body.rstrip("\n") for name, body in zip(pieces[1::2], pieces[2::2], strict=True)}


def help_of(path: str, like: str) -> str:
    """The help of `docker container rm`, made from that of `docker rm` where it has no section of its own."""
    if path in sections():
        return sections()[path]
    return sections()[like].replace(like, path, 1)


def usage_of(text: str) -> str:
    """What follows Usage:."""
    return text.split("\n\n", 1)[0].removeprefix("Usage:").strip()


@lru_cache(maxsize=256)
def flags_of(text: str) -> tuple[Flag, ...]:
    """The flags that a help text lists under Options."""
    found: list[Flag] = []
    about: list[str] = []
    for line in _option_lines(text):
        if match := _FLAG_LINE.match(line):
            about = [match[4] or ""]
            found.append(Flag(match[2], match[1] or "", match[3] or "bool"))
        elif found:
            about.append(line.strip())
        if found and (default := re.search(r"\(default ([^()]*)\)$", " ".join(about))):
            flag = found[-1]
            found[-1] = Flag(flag.name, flag.short, flag.kind, default[1].strip('"'))
    return tuple(found)


def _option_lines(text: str) -> list[str]:
    lines = text.split("\n")
    for title in ("Options:", "Global Options:"):
        if title in lines:
            start = lines.index(title) + 1
            end = lines.index("", start) if "" in lines[start:] else len(lines)
            return lines[start:end]
    return []
