"""Programs as files: how one is found along PATH, and the mark by which the kernel knows it.

A program is a Python function; its file holds PROGRAM_MARK, its name, and as many bytes as the real one has.
"""

from __future__ import annotations

import stat
from errno import EACCES, EISDIR, ENOENT, ENOTDIR

from labkit.files import Content, Files

PROGRAM_MARK = (
    b"\x7fELF labkit-program "  # the first bytes of a file that is a program; its name follows, to the line's end
)


class ExecError(Exception):
    """A program could not be started. `errno` is ENOENT, EACCES, EISDIR or ENOTDIR; `path` is what was tried."""

    def __init__(self, errno: int, path: str, *, searched: bool) -> None:
        super().__init__(errno, path)
        self.errno = errno
        self.path = path
        self.searched = searched  # looked for in PATH


def find_program(files: Files, name: str, path: str) -> str:
    """The file that running `name` with this PATH starts, as execvp finds it. Raises ExecError."""
    if "/" in name:
        if error := _not_executable(files, name):
            raise ExecError(error, name, searched=False)
        return name
    denied = False
    for folder in path.split(":"):
        if not files.may_have(folder or ".", name):
            continue
        candidate = f"{folder or '.'}/{name}"
        error = _not_executable(files, candidate)
        if not error:
            return candidate
        denied |= error == EACCES
    raise ExecError(EACCES if denied else ENOENT, name, searched=True)


def _not_executable(files: Files, path: str) -> int:
    """0 where this file can be executed, else the errno of execve."""
    try:
        mode = files.stat(path).st_mode
    except OSError as error:
        return error.errno if error.errno in (EACCES, ENOTDIR) else ENOENT
    if stat.S_ISDIR(mode):
        return EISDIR
    return 0 if mode & 0o111 and (files.user.uid == 0 or files.access(path, 1)) else EACCES


def program_name(content: Content) -> str | None:
    """Which program a file with this content is; None where it is none."""
    if not content.startswith(PROGRAM_MARK):
        return None
    head = content.read(len(PROGRAM_MARK), 200)
    return head.split(b"\n", 1)[0].decode()


def program_file(name: str, size: int) -> Content:
    """The content of an executable of `size` bytes that is this program."""
    head = PROGRAM_MARK + name.encode() + b"\n"
    return Content(head) + Content.filler(f"program {name}", max(0, size - len(head)))
