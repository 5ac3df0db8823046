"""A shell execution environment. POSIX, Shell Command Language, 2.12."""

from __future__ import annotations

from functools import lru_cache

from labkit.files import Files
from labkit.shell.streams import Stream, Twins
from labkit.shell.tree import Node

Former = dict[str, tuple[str | None, bool]]  # variables as they were: value, and whether exported


class Environment:
    """What a subshell gets a copy of."""

    __slots__ = (
        "arguments", "exported", "fds", "files", "functions", "options", "readonly", "traps", "variables",
    )  # fmt: skip

    def __init__(self, files: Files, fds: dict[int, Stream]) -> None:
        self.variables: dict[str, str] = {}
        self.exported: set[str] = set()
        self.readonly: set[str] = set()
        self.functions: dict[str, Node] = {}
        self.arguments: list[str] = []
        self.options: set[str] = set()
        self.traps: dict[str, str] = {}
        self.files = files
        self.fds = fds

    def copy(self) -> Environment:
        """For a subshell: traps but the ignored ones are reset."""
        other = Environment.__new__(Environment)
        other.variables = dict(self.variables)
        other.exported = set(self.exported)
        other.readonly = set(self.readonly)
        other.functions = dict(self.functions)
        other.arguments = self.arguments
        other.options = set(self.options)
        other.traps = {name: action for name, action in self.traps.items() if not action} if self.traps else {}
        other.files = self.files.copy()
        other.fds = dict(self.fds)
        return other

    def twin(self, twins: Twins) -> Environment:
        other = self.copy()
        other.traps = dict(self.traps)
        other.fds = {number: twins.of(stream) for number, stream in self.fds.items()}
        return other

    def remembered(self, names: list[str]) -> Former:
        """What these variables are, for `restore`."""
        return {name: (self.variables.get(name), name in self.exported) for name in names}

    def restore(self, former: Former) -> None:
        for name, (value, exported) in former.items():
            if value is None:
                self.variables.pop(name, None)
            else:
                self.variables[name] = value
            (self.exported.add if exported else self.exported.discard)(name)

    def child(self) -> dict[str, str]:
        """The environment of a program that it starts, in the order of the shell's own table."""
        variables = self.variables
        names = [name for name in variables if name in self.exported]
        return {name: variables[name] for name in sorted(names, key=_bucket)}


@lru_cache(maxsize=1024)
def _bucket(name: str) -> int:
    """Where ash and dash keep a variable: a table of 39 lists (hashvar in their var.c)."""
    return ((ord(name[0]) << 4) + sum(map(ord, name))) % 39
