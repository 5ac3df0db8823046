"""echo, printf and test: builtins that are also programs."""

from __future__ import annotations

from functools import partial

from labkit.shell.builtins.saying import applet_says
from labkit.shell.messages import ASH, DASH
from labkit.shell.running import Shell
from labkit.userland.printing import Printf, echoed
from labkit.userland.testing import BadTest, evaluated


def echo(shell: Shell, args: list[str]) -> int:
    dash = shell.dialect is DASH
    shell.out(echoed(args[1:], "n" if dash else "neE", escapes=dash))
    return 0


def printf(shell: Shell, args: list[str]) -> int:
    if len(args) > 1 and args[1] == "--":
        args = [args[0], *args[2:]]
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
        return int(not evaluated(args[0], args[1:], shell.files, speaker, partial(_is_terminal, shell)))
    except BadTest as bad:
        applet_says(shell, args, bad.form(speaker).format(*bad.texts))
        return 2


def _is_terminal(shell: Shell, number: int) -> bool:
    return bool(getattr(shell.env.fds.get(number), "isatty", False))
