"""export, readonly, unset, local, shift, let: the shell's variables and positional parameters."""

from __future__ import annotations

import re

from labkit.shell import expand
from labkit.shell.boundaries import Boundary
from labkit.shell.builtins.saying import NAME, count, fail, single_quoted
from labkit.shell.frames import FunctionFrame
from labkit.shell.messages import BASH, DASH
from labkit.shell.running import Shell
from labkit.shell.tree import Literal, word


def export(shell: Shell, args: list[str]) -> int:
    return _mark(shell, args, shell.env.exported)


def readonly(shell: Shell, args: list[str]) -> int:
    return _mark(shell, args, shell.env.readonly)


def _mark(shell: Shell, args: list[str], marked: set[str]) -> int:
    """export and readonly."""
    command = args[0]
    wrong = next((arg for arg in args[1:2] if re.match("-[^-p]", arg)), "")
    if wrong and (shell.dialect is DASH or wrong[:2] != "-n" or command != "export"):
        return fail(shell, args, "option", wrong[:2])
    operands = [arg for arg in args[1:] if arg not in ("-p", "--")]
    take_away = operands[:1] == ["-n"] and command == "export"
    if not operands:
        shell.out("".join(_declared(shell, command, name) for name in sorted(marked)))
        return 0
    status = 0
    for operand in operands[1:] if take_away else operands:
        name, assigned, value = operand.partition("=")
        if not NAME.match(name):
            status = fail(shell, args, "bad name", operand if shell.dialect is BASH else name)
            continue
        if assigned:
            shell.assign(name, value)
        (marked.discard if take_away else marked.add)(name)
    return status


def _declared(shell: Shell, command: str, name: str) -> str:
    value = shell.get(name)
    if shell.dialect is BASH:
        letter = "x" if command == "export" else "r"
        return (
            f"declare -{letter} {name}\n"
            if value is None
            else f'declare -{letter} {name}="{_in_double_quotes(value)}"\n'
        )
    return f"{command} {name}\n" if value is None else f"{command} {name}={single_quoted(value)}\n"


def _in_double_quotes(value: str) -> str:
    return re.sub(r'(["\\$`])', r"\\\1", value)


def unset(shell: Shell, args: list[str]) -> int:
    functions = "-f" in args[1:]
    env = shell.env
    for name in args[1:]:
        if name in ("-v", "-f", "--"):
            continue
        if functions or (shell.dialect is BASH and name in env.functions and name not in env.variables):
            env.functions.pop(name, None)
        elif name in env.readonly:
            return fail(shell, args, "unset read only", name)
        elif not NAME.match(name):
            return fail(shell, args, "bad name", name)
        else:
            env.variables.pop(name, None)
            env.exported.discard(name)
    return 0


def local(shell: Shell, args: list[str]) -> int:
    frame, inside = _function_of(shell)
    if not inside:
        return fail(shell, args, "not in function")
    for operand in args[1:]:
        name, assigned, value = operand.partition("=")
        if not NAME.match(name):
            return fail(shell, args, "bad name", name)
        again = frame is not None and name in frame.saved
        if frame is not None:
            frame.saved.setdefault(name, shell.env.remembered([name])[name])
        if assigned:
            shell.assign(name, value)
        elif shell.dialect is not DASH and not again:
            shell.env.variables.pop(name, None)
    return 0


def _function_of(shell: Shell) -> tuple[FunctionFrame | None, bool]:
    """The call that is running, if its variables are this shell's to put back, and whether there is one at all."""
    own = True
    for frame in reversed(shell.stack):
        if isinstance(frame, FunctionFrame):
            return frame if own else None, True
        if isinstance(frame, Boundary):
            own = False
    return None, False


def shift(shell: Shell, args: list[str]) -> int:
    number = count(shell, args, 1)
    arguments = shell.env.arguments
    if number > len(arguments):
        if shell.dialect is DASH:
            return fail(shell, args, "shift")
        return 1
    shell.env.arguments = arguments[number:]
    return 0


def let(shell: Shell, args: list[str]) -> int:
    value = 0
    for arg in args[1:]:
        value = expand.calculate(shell, word([Literal(arg, True)]))
    return int(value == 0)
