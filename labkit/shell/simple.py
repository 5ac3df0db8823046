"""Simple commands: words and redirections expanded, then a builtin, a function or a program. POSIX, 2.9.1 and 2.7."""

from __future__ import annotations

import re
from collections.abc import Callable

from labkit.files import O_APPEND, O_CREAT, O_EXCL, O_RDONLY, O_RDWR, O_TRUNC, O_WRONLY
from labkit.kernel.process import Null
from labkit.shell import expand, messages
from labkit.shell.boundaries import Builtin, call, spawn
from labkit.shell.builtins import BUILTINS, EXTENSIONS, SPECIAL_BUILTINS
from labkit.shell.frames import ExpandFrame, FunctionFrame, RestoreFrame
from labkit.shell.running import ABORT, Jump, Shell
from labkit.shell.terminal import FileStream, Stream, Text
from labkit.shell.tree import Node, Redirect, Simple

Opened = tuple[int, str, str]  # number, operator, the expanded target or here-document
_FLAGS = {
    "<": O_RDONLY,
    "<>": O_RDWR | O_CREAT,
    ">": O_WRONLY | O_CREAT | O_TRUNC,
    ">|": O_WRONLY | O_CREAT | O_TRUNC,
    ">>": O_WRONLY | O_CREAT | O_APPEND,
}
_FD_PATH = re.compile(r"/dev/(?:fd/(\d+)|(stdin|stdout|stderr))\Z|/proc/self/fd/(\d+)\Z")
_STANDARD = {"stdin": 0, "stdout": 1, "stderr": 2}


class RedirectError(Exception):
    """A redirection that fails; str() is the message. `fatal`: it ends the shell."""

    def __init__(self, message: str, *, fatal: bool = False) -> None:
        super().__init__(message)
        self.fatal = fatal


def redirected(shell: Shell, redirects: list[Opened]) -> dict[int, Stream]:
    """The shell's files with these redirections; raises RedirectError."""
    fds = dict(shell.env.fds)
    for number, operator, target in redirects:
        _one(shell, fds, number, operator, target)
    return fds


def _one(shell: Shell, fds: dict[int, Stream], number: int, operator: str, target: str) -> None:
    if operator == "<<":
        fds[number] = Text(target.encode("utf-8", "surrogateescape"))
    elif operator in ("<&", ">&"):
        _duplicate(shell, fds, number, target)
    elif operator in ("&>", "&>>"):
        fds[1] = fds[2] = _open(shell, fds, operator[1:], target)
    else:
        fds[number] = _open(shell, fds, operator, target)


def _duplicate(shell: Shell, fds: dict[int, Stream], number: int, target: str) -> None:
    if target == "-":
        fds.pop(number, None)
    elif target.isdigit():
        if int(target) == number and shell.dialect is not messages.BASH:
            return
        if int(target) not in fds:
            raise RedirectError(messages.text(shell.dialect, "bad fd", target))
        fds[number] = fds[int(target)]
    elif shell.dialect.level and number == 1:
        fds[1] = fds[2] = _open(shell, fds, ">", target)
    else:
        raise RedirectError(messages.text(shell.dialect, "bad fd number", target), fatal=True)


def _open(shell: Shell, fds: dict[int, Stream], operator: str, target: str) -> Stream:
    if target == "/dev/null":
        return Text(b"") if operator == "<" else Null()
    if target == "/dev/tty" and shell.process.tty:
        return shell.process.stdin if operator == "<" else shell.process.stdout
    if found := _FD_PATH.match(target):
        number = _STANDARD[found.group(2)] if found.group(2) else int(found.group(1) or found.group(3))
        if number in fds:
            return fds[number]
    flags = _FLAGS[operator]
    if operator == ">" and "C" in shell.env.options and not _is_device(shell, target):
        flags |= O_EXCL
    try:
        return FileStream(shell.env.files.open(target, flags))
    except FileExistsError:
        raise RedirectError(messages.text(shell.dialect, "exists", target)) from None
    except OSError as error:
        key = "open" if operator in ("<", "<>") else "create"
        why = messages.file_reason(shell.dialect, key, error)
        raise RedirectError(messages.text(shell.dialect, key, target, why)) from None


def _is_device(shell: Shell, path: str) -> bool:
    try:
        return shell.env.files.stat(path).st_mode & 0o170000 != 0o100000
    except OSError:
        return False


_NO_WORDS: tuple[list[str], list[tuple[str, str]], list[Opened]] = ([], [], [])


def start_simple(shell: Shell, node: Simple) -> None:
    shell.process.kernel.tick()
    shell.line = node.line
    if node.substitutes:
        shell.push(ExpandFrame(shell, node, _expanded, _perform))
    else:
        _perform(shell, node, _expanded(shell, node))


Expanded = tuple[list[str], list[tuple[str, str]], list[Opened]]


def _expanded(shell: Shell, node: Simple) -> Expanded:
    """The arguments, the assignments and the redirections of a command."""
    shell.line = node.line
    shell.substituted = None
    plain = node.plain
    if plain is not None and not shell.braces:
        args = list(plain)
    else:
        args = expand.fields(shell, node.words)
    redirects = targets(shell, node.redirects) if node.redirects else _NO_WORDS[2]
    if not node.assignments or (redirects and args[:1] != ["exec"]):
        return args, _NO_WORDS[1], redirects
    return args, _assignments(shell, node, args), redirects


def _assignments(shell: Shell, node: Simple, args: list[str]) -> list[tuple[str, str]]:
    """Names and values; each value sees the ones before it. They are put back where they are only for a command."""
    former = shell.env.remembered([item.name for item in node.assignments]) if args else {}
    made = []
    for item in node.assignments:
        value = expand.text(shell, item.value, value=True)
        if item.append:
            value = (shell.get(item.name) or "") + value
        shell.assign(item.name, value)
        made.append((item.name, value))
    shell.env.restore(former)
    return made


def targets(shell: Shell, redirects: tuple[Redirect, ...]) -> list[Opened]:
    made: list[Opened] = []
    for item in redirects:
        if item.document is not None:
            body = item.document.body
            made.append((item.fd, "<<", expand.text(shell, body) if body else ""))
        elif item.target is not None:
            text = expand.text(shell, item.target)
            made.append((item.fd, "<<", text + "\n") if item.operator == "<<<" else (item.fd, item.operator, text))
    return made


def _perform(shell: Shell, node: Simple, expanded: Expanded) -> None:
    args, assignments, redirects = expanded
    if node.assignments and not assignments:
        _redirect_first(shell, node, args, redirects)
        return
    if "x" in shell.env.options:
        _trace(shell, args, assignments)
    if not args:
        _without_command(shell, redirects)
        return
    name = args[0]
    builtin = SPECIAL_BUILTINS.get(name)
    function = None if builtin else shell.env.functions.get(name)
    if builtin is None and function is None:
        builtin = BUILTINS.get(name)
        if builtin is not None and name in EXTENSIONS and shell.dialect.level < EXTENSIONS[name]:
            builtin = None
    fds = shell.env.fds
    if redirects:
        files = opened(shell, redirects, special=name in SPECIAL_BUILTINS)
        if files is None:
            return
        fds = files
    if builtin is not None:
        _call_builtin(shell, builtin, args, assignments, fds)
    elif function is not None:
        _call_function(shell, function, args, assignments, fds)
    else:
        env = shell.env.child()
        env.update(assignments)
        spawn(shell, args, fds, env)


def _redirect_first(shell: Shell, node: Simple, args: list[str], redirects: list[Opened]) -> None:
    """The redirections come before the assignments, whose commands read and write by them."""
    files = opened(shell, redirects, special=bool(args) and args[0] in SPECIAL_BUILTINS)
    if files is None:
        return
    shell.push(RestoreFrame(shell.env.fds, None))
    shell.env.fds = files

    def assign(shell: Shell, node: Simple) -> list[tuple[str, str]]:
        return _assignments(shell, node, args)

    def go_on(shell: Shell, node: Simple, made: list[tuple[str, str]]) -> None:
        _perform(shell, node, (args, made, []))

    shell.push(ExpandFrame(shell, node, assign, go_on))


def _without_command(shell: Shell, redirects: list[Opened]) -> None:
    if redirects and opened(shell, redirects) is None:
        return
    shell.status = shell.substituted or 0
    shell.check()


def opened(
    shell: Shell, redirects: list[Opened], *, special: bool = False, compound: bool = False
) -> dict[int, Stream] | None:
    """The files; None where the command cannot run for them, which has been said."""
    try:
        return redirected(shell, redirects)
    except RedirectError as failed:
        shell.complain(str(failed))
        status = shell.dialect.redirect_status
        if failed.fatal or (special and shell.dialect is not messages.BASH):
            raise Jump(ABORT, shell.dialect.error_status if failed.fatal else status) from None
        shell.status = status
        if not compound or shell.dialect is not messages.ASH:  # of which `set -e` does not hear in ash
            shell.check()
        return None


def _call_builtin(
    shell: Shell, builtin: Builtin, args: list[str], assignments: list[tuple[str, str]], fds: dict[int, Stream]
) -> None:
    former = None
    if assignments:
        if args[0] not in SPECIAL_BUILTINS or shell.dialect is messages.BASH:
            former = shell.env.remembered([name for name, _ in assignments])
        _set(shell, assignments, exported=former is not None)
    outer = shell.env.fds
    if fds is outer and former is None:
        call(shell, builtin, args)
        return
    if args[0] == "exec" and (len(args) == 1 or (args[1:] == ["--"] and shell.dialect is not messages.DASH)):
        shell.env.fds = fds
        shell.status = 0
        return
    frame = RestoreFrame(outer, former)
    shell.push(frame)
    shell.env.fds = fds
    call(shell, builtin, args)
    if shell.stack[-1] is frame:
        frame.step(shell)


def _call_function(
    shell: Shell, body: Node, args: list[str], assignments: list[tuple[str, str]], fds: dict[int, Stream]
) -> None:
    if assignments or fds is not shell.env.fds:
        shell.push(RestoreFrame(shell.env.fds, shell.env.remembered([name for name, _ in assignments])))
        _set(shell, assignments, exported=True)
        shell.env.fds = fds
    shell.push(FunctionFrame(shell, args[0]))
    shell.env.arguments = args[1:]
    shell.start(body)


def _set(shell: Shell, assignments: list[tuple[str, str]], *, exported: bool) -> None:
    for name, value in assignments:
        shell.assign(name, value)
        if exported:
            shell.env.exported.add(name)


def _trace(shell: Shell, args: list[str], assignments: list[tuple[str, str]]) -> None:
    quote = _QUOTING[shell.dialect.name]
    items = [f"{name}={quote(value)}" for name, value in assignments] + [quote(arg) for arg in args]
    lead = shell.get("PS4") or ""
    if shell.dialect is messages.BASH and args and assignments:
        shell.err("".join(f"{lead}{item}\n" for item in items[: len(assignments)]))
        items = items[len(assignments) :]
    shell.err(f"{lead}{' '.join(items)}\n")


def _ash_quoted(text: str) -> str:
    return text if _PLAIN_TO_ASH.match(text) else "'" + text.replace("'", "'\"'\"'") + "'"


def _bash_quoted(text: str) -> str:
    return text if _PLAIN_TO_BASH.match(text) else "'" + text.replace("'", "'\\''") + "'"


_PLAIN_TO_ASH = re.compile(r"[A-Za-z0-9_./:+,@%^\]-]*\Z")


_PLAIN_TO_BASH = re.compile(r"[^\s'\"\\`$&|;<>()*?\[\]{}!^#~]([^\s'\"\\`$&|;<>()*?\[\]{}!^])*\Z")


_QUOTING: dict[str, Callable[[str], str]] = {"ash": _ash_quoted, "dash": str, "bash": _bash_quoted}
