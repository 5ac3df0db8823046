"""The variables that each shell sets when it starts."""

from __future__ import annotations

from labkit.shell.running import Shell

DEFAULT_PATH = {
    "ash": "/sbin:/usr/sbin:/bin:/usr/bin",
    "dash": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "bash": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
}


def set_up_variables(shell: Shell) -> None:
    env, given = shell.env, shell.process.env
    for name, value in given.items():
        if name.isidentifier() and name.isascii():
            env.variables[name] = value
            env.exported.add(name)
    variables = env.variables
    variables["IFS"] = " \t\n"
    variables["OPTIND"] = "1"
    variables.setdefault("PATH", DEFAULT_PATH[shell.dialect.name])
    variables.setdefault("PS4", "+ ")
    variables["PWD"] = shell.process.files.cwd
    _SHELL_VARIABLES[shell.dialect.name](shell)


def _ash_variables(shell: Shell) -> None:
    env = shell.env
    env.variables["SHLVL"] = str(_level(env.variables.get("SHLVL")))
    env.exported |= {"SHLVL", "PWD"}
    env.variables.setdefault("PS1", "\\w # " if shell.process.files.user.uid == 0 else "\\w $ ")
    env.variables.setdefault("PS2", "> ")
    env.variables["PPID"] = str(max(0, shell.process.pid - 1))


def _dash_variables(shell: Shell) -> None:
    env = shell.env
    env.exported.add("PWD")
    env.variables.setdefault("PS1", "# " if shell.process.files.user.uid == 0 else "$ ")
    env.variables.setdefault("PS2", "> ")
    env.variables["PPID"] = str(max(0, shell.process.pid - 1))


def _bash_variables(shell: Shell) -> None:
    env = shell.env
    env.variables["SHLVL"] = str(_level(env.variables.get("SHLVL")))
    env.variables.setdefault("_", shell.arg0)
    env.exported |= {"SHLVL", "PWD", "_"}
    env.variables.setdefault("PS1", "\\s-\\v\\$ ")
    env.variables.setdefault("PS2", "> ")
    env.variables["PPID"] = str(max(0, shell.process.pid - 1))
    env.variables.update(BASH="/bin/bash", BASH_VERSION="5.2.15(1)-release", HOSTNAME=shell.process.hostname)
    env.variables.update(EUID=str(shell.process.files.user.uid), UID=str(shell.process.files.user.uid))


def _level(value: str | None) -> int:
    return int(value) + 1 if value and value.isdigit() else 1


_SHELL_VARIABLES = {"ash": _ash_variables, "dash": _dash_variables, "bash": _bash_variables}
