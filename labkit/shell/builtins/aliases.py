"""alias and unalias. POSIX, Shell Command Language, 2.3.1: they count from the next command that is read."""

from __future__ import annotations

from labkit.shell.builtins.saying import alias_quoted, say
from labkit.shell.messages import BASH
from labkit.shell.running import Shell, bucket


def alias(shell: Shell, args: list[str]) -> int:
    bash = shell.dialect is BASH
    operands = [arg for arg in args[1:] if not bash or arg not in ("-p", "--")]
    table = dict(shell.env.aliases)
    if not operands:
        names = sorted(table, key=None if bash else bucket)
        shell.out("".join(_shown(shell, name, table[name]) for name in names))
    status = 0
    for operand in operands:
        place = operand.find("=", 1)
        if place > 0:
            table[operand[:place]] = operand[place + 1 :]
        elif operand in table:
            shell.out(_shown(shell, operand, table[operand]))
        else:
            status = _unknown(shell, args, operand)
    _keep(shell, table)
    return status


def _shown(shell: Shell, name: str, value: str) -> str:
    said = f"{name}={alias_quoted(shell, value)}\n"
    return f"alias {said}" if shell.dialect is BASH else said


def _unknown(shell: Shell, args: list[str], name: str) -> int:
    if shell.dialect is BASH:
        shell.complain(f"{name}: not found", args[0])
    else:
        shell.err(f"{args[0]}: {name} not found\n")
    return 1


def _keep(shell: Shell, table: dict[str, str]) -> None:
    new = tuple(table.items())
    if new != shell.env.aliases:
        shell.env.aliases = new


def unalias(shell: Shell, args: list[str]) -> int:
    operands = args[1:]
    while operands and operands[0].startswith("-") and len(operands[0]) > 1:
        option = operands.pop(0)
        if option == "--":
            break
        if option != "-a":
            return say(shell, args, "illegal option", option[:2], status=2)
        _keep(shell, {})
        return 0
    table = dict(shell.env.aliases)
    status = 0
    for operand in operands:
        if table.pop(operand, None) is None:
            status = _unknown(shell, args, operand)
    _keep(shell, table)
    if not operands and shell.dialect is BASH:
        shell.err("unalias: usage: unalias [-a] name [name ...]\n")
        return 2
    return status
