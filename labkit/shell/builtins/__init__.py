"""The commands that are part of the shell: a table of functions that take the shell and the arguments.

POSIX, Shell Command Language, 2.14 (special builtins) and the utilities that only a shell can provide.
"""

from __future__ import annotations

from labkit.kernel.process import ExecError, find_program
from labkit.shell.boundaries import Builtin, spawn
from labkit.shell.builtins import aliases, control, folders, limits, options, processes, reading, saying, variables
from labkit.shell.builtins.saying import say
from labkit.shell.messages import ASH, BASH, DASH
from labkit.shell.parser import RESERVED
from labkit.shell.running import ABORT, DEFAULT_PATHS, Jump, Shell


def _true(shell: Shell, args: list[str]) -> int:
    return 0


def _false(shell: Shell, args: list[str]) -> int:
    return 1


def _command(shell: Shell, args: list[str]) -> int:
    words = args[1:]
    show, path = "", shell.get("PATH") or ""
    while words and words[0].startswith("-") and len(words[0]) > 1:
        option = words.pop(0)
        if option == "--":
            break
        if set(option[1:]) - set("pvV"):
            return say(shell, args, "option", option[:2], status=2)
        show = option[-1] if option[-1] in "vV" else show
        path = DEFAULT_PATHS[shell.dialect.name] if "p" in option else path
    if not words:
        return 0
    if show:
        return _describe(shell, args, words if shell.dialect is BASH else words[:1], plain=show == "v")
    name = words[0]
    builtin = SPECIAL_BUILTINS.get(name) or BUILTINS.get(name)
    if builtin is not None:
        try:
            return builtin(shell, words)
        except Jump as jump:
            if jump.kind != ABORT:
                raise
            return jump.status
    try:
        words[0] = find_program(shell.files, name, path) if path != shell.get("PATH") else name
    except ExecError:
        return say(shell, [""], "not found", name, status=127)
    spawn(shell, words, shell.env.fds, shell.env.child())
    return shell.status


def _type(shell: Shell, args: list[str]) -> int:
    if shell.dialect is ASH and args[1:2] and args[1].startswith("-"):  # whichever it is
        return _describe(shell, args, args[2:], plain=True)
    return _describe(shell, args, args[1:], plain=False)


def _describe(shell: Shell, args: list[str], names: list[str], *, plain: bool) -> int:
    """command -v, command -V and type."""
    status = 0
    for name in names:
        said = _kind_of(shell, name, plain)
        if said is None:
            status = 127 if shell.dialect is not BASH else 1
            if plain:
                continue
            if shell.dialect is BASH:
                shell.complain(f"{name}: not found", args[0])
            else:
                shell.out(f"{name}: not found\n")
        else:
            shell.out(f"{said}\n")
    return status


def _kind_of(shell: Shell, name: str, plain: bool) -> str | None:
    if name in RESERVED:
        return name if plain else f"{name} is a shell keyword"
    if (value := dict(shell.env.aliases).get(name)) is not None:
        return _alias_kind(shell, name, value, plain)
    if name in shell.env.functions:
        return name if plain else f"{name} is a {'shell ' if shell.dialect is DASH else ''}function"
    if name in SPECIAL_BUILTINS:
        special = "special " if shell.dialect is not BASH and name in _POSIX_SPECIAL else ""
        return name if plain else f"{name} is a {special}shell builtin"
    if name in BUILTINS and shell.dialect.level >= EXTENSIONS.get(name, 0):
        return name if plain else f"{name} is a shell builtin"
    try:
        path = find_program(shell.files, name, shell.get("PATH") or "")
    except ExecError:
        return None
    return path if plain else f"{name} is {path}"


def _alias_kind(shell: Shell, name: str, value: str, plain: bool) -> str:
    if plain:
        return f"alias {name}={saying.alias_quoted(shell, value)}"
    return f"{name} is aliased to `{value}'" if shell.dialect is BASH else f"{name} is an alias for {value}"


def _hash(shell: Shell, args: list[str]) -> int:
    status = 0
    for name in args[1:]:
        if not name.startswith("-") and _kind_of(shell, name, True) is None:
            shell.complain(f"{name}: not found", args[0])
            status = 1
    return status


SPECIAL_BUILTINS: dict[str, Builtin] = {
    ":": _true,
    ".": control.dot,
    "break": control.break_,
    "continue": control.break_,
    "eval": control.eval_,
    "exec": control.exec_,
    "exit": control.exit_,
    "export": variables.export,
    "local": variables.local,
    "readonly": variables.readonly,
    "return": control.return_,
    "set": options.set_,
    "shift": variables.shift,
    "times": processes.times,
    "trap": processes.trap,
    "unset": variables.unset,
}


_POSIX_SPECIAL = frozenset(SPECIAL_BUILTINS)


BUILTINS: dict[str, Builtin] = {
    "[": saying.test,
    "[[": saying.test,
    "alias": aliases.alias,
    "cd": folders.cd,
    "chdir": folders.cd,
    "command": _command,
    "declare": variables.local,
    "echo": saying.echo,
    "false": _false,
    "getopts": options.getopts,
    "hash": _hash,
    "history": _true,
    "jobs": processes.jobs,
    "kill": processes.kill,
    "let": variables.let,
    "printf": saying.printf,
    "pwd": folders.pwd,
    "read": reading.read,
    "shopt": options.shopt,
    "source": control.dot,
    "test": saying.test,
    "true": _true,
    "type": _type,
    "ulimit": limits.ulimit,
    "umask": folders.umask,
    "unalias": aliases.unalias,
    "wait": processes.wait,
}


EXTENSIONS = {
    "[[": 1,
    "history": 1,
    "let": 1,
    "source": 1,
    "declare": 2,
    "shopt": 2,
}  # and the level of the dialect that has them
