"""Redirections: from operators and words to open files. POSIX, Shell Command Language, 2.7."""

from __future__ import annotations

import re

from labkit.files import O_APPEND, O_CREAT, O_EXCL, O_RDONLY, O_RDWR, O_TRUNC, O_WRONLY
from labkit.kernel.process import Null
from labkit.shell import messages
from labkit.shell.running import Shell
from labkit.shell.streams import FileStream, Stream, Text

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


def opened(shell: Shell, redirects: list[Opened]) -> dict[int, Stream]:
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
