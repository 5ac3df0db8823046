"""echo, printf and test: builtins that are also programs."""

from __future__ import annotations

from functools import partial

from labkit.shell.builtins.saying import applet_says
from labkit.shell.messages import ASH, BASH, DASH
from labkit.shell.printing import Printf, echo_text
from labkit.shell.running import Shell
from labkit.userland.testing import BadTest, evaluated


def echo(shell: Shell, args: list[str]) -> int:
    dash = shell.dialect is DASH
    shell.out(echo_text(args[1:], options="n" if dash else "neE", always=dash))
    return 0


_PRINTF_SAID = {
    "ash": {"number": "invalid number '{}'", "partly": "invalid number '{}'", "format": "{}: invalid format"},
    "dash": {
        "number": "{}: expected numeric value",
        "partly": "{}: not completely converted",
        "format": "{}: invalid directive",
    },
    "bash": {
        "number": "{}: invalid number",
        "partly": "{}: invalid number",
        "format": "`{}': invalid format character",
    },
}


def printf(shell: Shell, args: list[str]) -> int:
    if len(args) > 1 and args[1] == "--":
        args = [args[0], *args[2:]]
    if len(args) < 2:
        usage = {"dash": "usage: printf format [arg ...]", "bash": "usage: printf [-v var] format [arguments]"}
        shell.complain(usage.get(shell.dialect.name, "usage: printf FORMAT [ARG]..."), args[0])
        return 2
    done = Printf(args[1:], strict=shell.dialect is ASH)
    status = 0
    for kind, about in done.complaints:
        about = about if kind != "format" or shell.dialect is ASH else about[shell.dialect is BASH : 2]
        applet_says(shell, args, _PRINTF_SAID[shell.dialect.name][kind].format(about))
        status = 2 if kind == "format" and shell.dialect is DASH else 1
    shell.out(done.text)
    return status


def test(shell: Shell, args: list[str]) -> int:
    speaker = "busybox" if shell.dialect is ASH else shell.dialect.name
    try:
        return int(not evaluated(args[0], args[1:], shell.files, speaker, partial(_is_terminal, shell)))
    except BadTest as bad:
        applet_says(shell, args, bad.form(speaker).format(*bad.texts))
        return 2


def _is_terminal(shell: Shell, number: int) -> bool:
    return bool(getattr(shell.env.fds.get(number), "isatty", False))
