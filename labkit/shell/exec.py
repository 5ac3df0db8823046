"""Starting a program: what the kernel's `execute` is.

argv[0] is looked for as execvp does it. Its file says what it is: a labkit program, a script that names its interpreter
in its first line, or else a script for sh (as execvp takes what the kernel calls ENOEXEC).
"""

from __future__ import annotations

from dataclasses import replace
from errno import ENOENT

from labkit.kernel.process import PROGRAM_MARK, ExecError, Killed, Parked, Process, Program, Runaway, find_program
from labkit.shell.keyboard import NeedsInput

_MOST_INTERPRETERS = 5  # the kernel's limit on scripts that name scripts
_HEAD = 256  # bytes of a file that are looked at (kernel, BINPRM_BUF_SIZE)


def execute(process: Process) -> int:
    """Find argv[0] and run it; the exit status. Raises ExecError where it cannot be started, Parked where it waits."""
    path = find_program(process.files, process.argv[0], process.env.get("PATH", "/usr/local/bin:/usr/bin:/bin"))
    program = _program(process, path, _MOST_INTERPRETERS)
    try:
        return program(process)
    except NeedsInput as waiting:
        raise _bound(Parked(waiting.until, _again(program)), process) from None
    except Parked as parked:
        raise _bound(parked, process) from None
    except Killed as killed:
        return killed.status
    except RecursionError:
        raise Runaway("the command calls itself too often") from None


def _program(process: Process, path: str, left: int) -> Program:
    """The program that this file is; a script's changes argv."""
    with process.files.open(path) as handle:
        head = handle.read(_HEAD)
    if head.startswith(PROGRAM_MARK):
        name = head[len(PROGRAM_MARK) :].split(b"\n", 1)[0].decode()
        return process.kernel.programs.get(name, _not_simulated)
    process.argv = [*_interpreter(head), path, *process.argv[1:]]
    try:
        interpreter = find_program(process.files, process.argv[0], "/bin:/usr/bin")
    except ExecError:
        raise ExecError(ENOENT, path, searched=False) from None
    if not left:
        raise ExecError(ENOENT, path, searched=False)
    return _program(process, interpreter, left - 1)


def _not_simulated(process: Process) -> int:
    """A program of the catalog that has a file, for its size, and does nothing here."""
    process.stderr.write(f"{process.argv[0].rpartition('/')[2]}: this program is not simulated\n")
    return 127


def _interpreter(head: bytes) -> list[str]:
    """What runs this script: a program and at most one argument."""
    if not head.startswith(b"#!"):
        return ["/bin/sh"]
    words = head[2:].split(b"\n", 1)[0].decode("utf-8", "surrogateescape").strip().split(None, 1)
    return words or ["/bin/sh"]


def _bound(parked: Parked, process: Process) -> Parked:
    """The same wait for exactly this process. Who resumes it may hand in a copy of it (the same argv), with streams of
    its own; what else is handed in belongs to a program around this one, which knew nothing of waiting."""
    argv = list(process.argv)

    def resume(given: Process) -> int:
        itself = given if given.argv == argv else replace(process, files=process.files.copy(), kernel=given.kernel)
        try:
            return parked.resume(itself)
        except NeedsInput as waiting:
            raise _bound(Parked(waiting.until, parked.resume), itself) from None
        except Parked as again:
            raise _bound(again, itself) from None
        except Killed as killed:
            return killed.status

    return Parked(parked.until, resume)


def _again(program: Program) -> Program:
    """A program that wanted input starts over when there is more: it has read nothing yet that is not still there."""

    def run(process: Process) -> int:
        try:
            return program(process)
        except NeedsInput as waiting:
            raise Parked(waiting.until, run) from None

    return run
