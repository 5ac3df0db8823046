"""The flags of an instruction and the number of its arguments (buildkit, frontend/dockerfile/instructions/bflag.go)."""

from __future__ import annotations

from collections.abc import Mapping

from labkit.engine.dockerfile.lines import ParsedLine
from labkit.engine.dockerfile.suggest import did_you_mean

BOOL, TEXT, TEXTS = "bool", "text", "texts"
Flags = dict[str, list[str]]  # the values of each flag that is there; of one that is true or not, "true" or "false"


def parse_flags(node: ParsedLine, allowed: Mapping[str, str]) -> Flags:
    """The flags of an instruction by name; `allowed` tells each one's kind. Raises ValueError."""
    found: Flags = {}
    for flag in node.flags:
        name, equals, value = flag.removeprefix("--").partition("=")
        kind = allowed.get(name)
        if kind is None:
            raise ValueError(did_you_mean(f"unknown flag: --{name}", name, allowed))
        if name in found and kind != TEXTS:
            raise ValueError(f"duplicate flag specified: {name}")
        if (kind == BOOL and equals and not value) or (kind != BOOL and not equals):
            raise ValueError(f"missing a value on flag: {name}")
        if kind == BOOL and value.lower() not in ("", "true", "false"):
            raise ValueError(f"expecting boolean value for flag {name}, not: {value}")
        found.setdefault(name, []).append((value.lower() or "true") if kind == BOOL else value)
    return found


def last(flags: Flags, name: str, default: str = "") -> str:
    return flags.get(name, [default])[-1]


def no_flags(node: ParsedLine) -> None:
    parse_flags(node, {})


def at_least_one(node: ParsedLine) -> None:
    if not node.arguments:
        raise ValueError(f"{node.keyword.upper()} requires at least one argument")


def exactly_one(node: ParsedLine) -> str:
    if len(node.arguments) != 1:
        raise ValueError(f"{node.keyword.upper()} requires exactly one argument")
    return node.arguments[0]
