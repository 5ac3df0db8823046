"""How builtins complain, how they read a number; and echo, printf and test, which are also programs."""

from __future__ import annotations

import re
from functools import partial

from labkit.shell import messages
from labkit.shell.messages import ASH, BASH, DASH
from labkit.shell.running import ABORT, Jump, Shell
from labkit.userland.printing import Printf, echoed
from labkit.userland.testing import BadTest, evaluated

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
    """The value as ash and dash show it: its single quotes in double ones (single_quote in dash's mystring.c)."""
    runs = re.findall(r"([^']*)('*)", value)
    return "".join(f"'{text}'" + (f'"{quotes}"' if quotes else "") for text, quotes in runs[: -1 if value else None])


def alias_quoted(shell: Shell, value: str) -> str:
    return "'" + value.replace("'", "'\\''") + "'" if shell.dialect is BASH else single_quoted(value)


def echo(shell: Shell, args: list[str]) -> int:
    dash = shell.dialect is DASH
    shell.out(echoed(args[1:], "n" if dash else "neE", escapes=dash))
    return 0


def printf(shell: Shell, args: list[str]) -> int:
    if len(args) > 1 and args[1] == "--":
        args = [args[0], *args[2:]]
    elif shell.dialect is DASH and len(args) > 1 and len(args[1]) > 1 and args[1].startswith("-"):
        return say(shell, args, "option", args[1][:2])
    if len(args) < 2:
        usage = {"dash": "usage: printf format [arg ...]", "bash": "usage: printf [-v var] format [arguments]"}
        shell.complain(usage.get(shell.dialect.name, "usage: printf FORMAT [ARG]..."), args[0])
        return 2
    done = Printf(args[1], args[2:], _speaker(shell), shell.process)
    for form, texts in done.complaints:
        applet_says(shell, args, form.format(*texts))
    shell.out(bytes(done.out))
    return done.status


def _speaker(shell: Shell) -> str:
    return "busybox" if shell.dialect is ASH else shell.dialect.name


def test(shell: Shell, args: list[str]) -> int:
    speaker = _speaker(shell)
    try:
        return int(
            not evaluated(args[0], args[1:], shell.files, speaker, partial(_is_terminal, shell), shell.process.tick)
        )
    except BadTest as bad:
        applet_says(shell, args, bad.form(speaker).format(*bad.texts))
        return 2


def _is_terminal(shell: Shell, number: int) -> bool:
    return bool(getattr(shell.env.fds.get(number), "isatty", False))
