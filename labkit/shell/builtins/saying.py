"""How builtins complain, and how they read a number."""

from __future__ import annotations

import re

from labkit.shell import messages
from labkit.shell.messages import ASH, BASH
from labkit.shell.running import ABORT, Jump, Shell

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


def say(shell: Shell, args: list[str], key: str, *values: object, status: int | None = None) -> int:
    """Complain as this builtin; the status of a special one that fails is that of the shell's errors."""
    shell.complain(messages.text(shell.dialect, key, *values), args[0])
    return shell.dialect.error_status if status is None else status


def fail(shell: Shell, args: list[str], key: str, *values: object) -> int:
    """As say; a special builtin's failure ends the shell, but not bash."""
    status = say(shell, args, key, *values)
    if shell.dialect is not BASH:
        raise Jump(ABORT, status)
    return status


def applet_says(shell: Shell, args: list[str], said: str) -> None:
    """Complain as a builtin that is also a program: in busybox it knows the program's name only."""
    if shell.dialect is ASH:
        shell.err(f"{applet(shell)}: {said}\n")
    else:
        shell.complain(said, args[0])


def applet(shell: Shell) -> str:
    return shell.process.argv[0].rpartition("/")[2].lstrip("-")


def count(shell: Shell, args: list[str], default: int) -> int:
    """The argument as a number; what is none ends the shell."""
    if len(args) < 2:
        return default
    if not args[1].isdigit():
        status = say(shell, args, "illegal number", args[1], status=2)
        raise Jump(ABORT, status)
    return int(args[1])


def single_quoted(value: str) -> str:
    return "'" + value.replace("'", "'\"'\"'") + "'"
