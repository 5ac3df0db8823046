"""What the OCI runtime says when a process cannot be started, and what the daemon makes of that.

Messages: runc, libcontainer; moby, daemon/errors.go (translateContainerdStartErr).
"""

from __future__ import annotations

from errno import EACCES, EISDIR, ENOENT, ENOTDIR

from labkit.files import Files
from labkit.kernel.process import ExecError, find_program

_CREATE = (
    "failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: "
    "unable to start container process: error during container init: "
)
_EXEC = "OCI runtime exec failed: exec failed: unable to start container process: "
_REASONS = {ENOENT: "no such file or directory", ENOTDIR: "not a directory", EACCES: "permission denied"}
_MIXED = (
    ": Are you trying to mount a directory onto a file (or vice-versa)? Check if the specified host path exists and is "
    "the expected type"
)
NOT_FOUND, NOT_EXECUTABLE, UNKNOWN = 127, 126, 128  # exit codes of a process that did not start


def create_failed(reason: str) -> tuple[str, int]:
    """The daemon's message and the container's exit code when runc cannot create it."""
    return _translated(f"{_CREATE}{reason}: unknown")


def exec_failed(reason: str) -> tuple[str, int]:
    return _translated(f"{_EXEC}{reason}: unknown")


def _translated(text: str) -> tuple[str, int]:
    code = UNKNOWN
    if "executable file not found" in text or "no such file or directory" in text:
        code = NOT_FOUND
    if "permission denied" in text:
        code = NOT_EXECUTABLE
    if "is a directory" in text:
        return f"{text}: permission denied", NOT_EXECUTABLE
    if "not a directory" in text:
        return text + _MIXED, NOT_FOUND
    return text, code


class NotStarted(Exception):
    """argv[0] cannot be started; str() is why, as runc says it."""


def find(files: Files, argv: list[str], path: str) -> str:
    """The file that argv[0] is. Raises NotStarted."""
    try:
        return find_program(files, argv[0], path)
    except ExecError as error:
        raise NotStarted(reason(argv[0], error)) from None


def reason(name: str, error: ExecError) -> str:
    if error.searched or not name:
        return f'exec: "{name}": executable file not found in $PATH'
    if error.errno == EISDIR:
        return f'exec: "{name}": is a directory'
    if error.errno == EACCES:
        return f'exec: "{name}": permission denied'
    return f'exec: "{name}": stat {name}: {_REASONS.get(error.errno, "no such file or directory")}'
