"""Parameters and variables as an expansion sees them, the special ones among them. POSIX, 2.5."""

from __future__ import annotations

from collections.abc import Callable

from labkit.shell import arithmetic, messages
from labkit.shell.running import Shell


def parameter(shell: Shell, name: str) -> str | None:
    """A variable, a positional parameter or a special one; None if unset."""
    value = shell.env.variables.get(name)
    if value is not None:
        return value
    special = _SPECIAL.get(name)
    if special:
        return special(shell)
    if name.isdigit():
        number = int(name)
        if number == 0:
            return shell.arg0
        return shell.env.arguments[number - 1] if number <= len(shell.env.arguments) else None
    return None


class Numbers:
    """Variables in arithmetic. A value may be an expression (not in dash); one that leads back to itself is an error:
    `names` are those that have led here."""

    __slots__ = ("names", "shell")

    def __init__(self, shell: Shell, names: frozenset[str] = frozenset()) -> None:
        self.shell = shell
        self.names = names

    def number(self, name: str) -> int:
        shell = self.shell
        if name in self.names or len(self.names) > 50:
            raise shell.error("syntax", name, name)
        value = parameter(shell, name)
        if value is None and not self.names and "u" in shell.env.options and shell.dialect is messages.BASH:
            raise shell.error("unset", name)
        if not value or value.isspace():
            return 0
        number = arithmetic.number_of(value.strip())
        if number is not None and (shell.dialect.level or "#" not in value):
            return number
        if not shell.dialect.level:
            raise shell.error("number", value)
        return arithmetic.evaluate(value, Numbers(shell, self.names | {name}), steps=True)

    def assign(self, name: str, value: str) -> None:
        self.shell.assign(name, value)


def _process_flags(shell: Shell) -> str:
    shown = "".join(sorted(option for option in shell.env.options if len(option) == 1))
    return shown + ("i" if shell.interactive else "")


def _random(shell: Shell) -> str | None:
    """Numbers that look random but are the same in every run; dash has none."""
    if not shell.dialect.level:
        return None
    shell.random = (shell.random * 1103515245 + 12345) & 0x7FFFFFFF
    return str(shell.random >> 8 & 0x7FFF)


def _line(shell: Shell) -> str | None:
    if shell.dialect is messages.DASH:
        return None
    return str(shell.line - (shell.command_text if shell.dialect is messages.ASH else 0))


def _function(shell: Shell) -> str | None:
    if not shell.dialect.level:
        return None
    return shell.function or ("" if shell.dialect is messages.ASH else None)


def _joined(shell: Shell) -> str | None:
    return shell.separators()[:1].join(shell.arguments) if shell.arguments else None


_SPECIAL: dict[str, Callable[[Shell], str | None]] = {
    "?": lambda shell: str(shell.status),
    "#": lambda shell: str(len(shell.env.arguments)),
    "$": lambda shell: str(shell.pid),
    "!": lambda shell: str(shell.last_job) if shell.last_job else None,
    "-": _process_flags,
    "@": _joined,
    "*": _joined,
    "RANDOM": _random,
    "FUNCNAME": _function,
    "LINENO": _line,
}
