"""What a shell calls: its builtins, and other programs, which may have to wait."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from labkit.kernel.process import ExecError, Input, Parked, Process
from labkit.shell import messages
from labkit.shell.running import Frame, Shell, Suspend
from labkit.shell.streams import Stream, Text, Twins, readable, writable

Builtin = Callable[[Shell, list[str]], int]
_EXEC_ERRORS = {2: ("not found", 127), 20: ("denied", 126), 21: ("is folder", 126), 13: ("denied", 126)}


class ChildFrame(Frame):
    """Another program, which waits."""

    __slots__ = ("child", "parked")

    def __init__(self, child: Process, parked: Parked) -> None:
        self.child = child
        self.parked = parked

    def step(self, shell: Shell) -> None:
        try:
            status = self.parked.resume(self.child)
        except Parked as parked:
            self.parked = parked
            raise Suspend(parked.until) from None
        shell.stack.pop()
        shell.status = status
        shell.check()

    def twin(self, twins: Twins) -> Frame:
        return ChildFrame(process_twin(self.child, twins), self.parked)


def process_twin(process: Process, twins: Twins | None = None) -> Process:
    """The process with copies of its streams."""
    twins = twins or Twins()
    return replace(
        process,
        files=process.files.copy(),
        stdin=twins.of(process.stdin),
        stdout=twins.of(process.stdout),
        stderr=twins.of(process.stderr),
        handles={number: twins.of(stream) for number, stream in process.handles.items()},
    )


class RetryFrame(Frame):
    """A builtin that has to wait: it is called again."""

    __slots__ = ("args", "builtin")

    def __init__(self, builtin: Builtin, args: list[str]) -> None:
        self.builtin = builtin
        self.args = args

    def step(self, shell: Shell) -> None:
        shell.stack.pop()
        call(shell, self.builtin, self.args)


def call(shell: Shell, builtin: Builtin, args: list[str]) -> None:
    """Run a builtin and see to its status. It may push frames, whose status then counts."""
    height = len(shell.stack)
    try:
        status = builtin(shell, args)
    except Parked as parked:
        shell.push(RetryFrame(builtin, args))
        raise Suspend(parked.until) from None
    except OSError as error:
        _write_error(shell, args[0], error)
        status = 1
    if len(shell.stack) > height:
        return
    shell.status = status
    if status:
        shell.check()


def _write_error(shell: Shell, name: str, error: OSError) -> None:
    said = f"write error: {messages.reason(error)}"
    if shell.dialect is messages.DASH:
        said = f"{name}: I/O error"
    shell.complain(said, "" if shell.dialect is messages.ASH else name)


def spawn(shell: Shell, args: list[str], fds: dict[int, Stream], env: dict[str, str], *, instead: bool = False) -> None:
    """Run another program; its status is the shell's when it has ended. `instead`: it is the shell's process."""
    process = shell.process
    shell.children += not instead
    child = Process(
        argv=args,
        env=env,
        files=shell.env.files.copy(),
        stdin=_as_read(args, readable(fds.get(0))),
        stdout=writable(fds.get(1)),
        stderr=writable(fds.get(2)),
        kernel=process.kernel,
        hostname=process.hostname,
        pid=process.pid + (0 if instead else shell.children),
        detached=process.detached,
        tty=process.tty,
        traps=process.traps if instead else {},
        namespaces=process.namespaces,
        handles={number: stream for number, stream in fds.items() if number > 2} if len(fds) > 3 else {},
    )
    try:
        shell.status = process.kernel.execute(child)
    except ExecError as error:
        shell.status = not_started(shell, error, args[0], fds)
    except Parked as parked:
        shell.push(ChildFrame(child, parked))
        raise Suspend(parked.until) from None
    if shell.jobs and not process.detached:
        shell.jobs.go_on(process.kernel)
    if shell.status:
        shell.check()


def not_started(shell: Shell, error: ExecError, name: str, fds: dict[int, Stream], builtin: str = "") -> int:
    key, status = _EXEC_ERRORS.get(error.errno, ("denied", 126))
    if not name and shell.dialect.level < 2:
        key = "denied"
    elif key == "not found" and (builtin or not error.searched):
        key = "no such file" if not error.searched else "exec not found"
    outer, shell.env.fds = shell.env.fds, fds
    shell.complain(messages.text(shell.dialect, key, name), builtin)
    shell.env.fds = outer
    return status


_STOPS: dict[str, Callable[[list[str]], bool]] = {
    "head": lambda args: True,
    "sed": lambda args: any("q" in arg for arg in args),
    "grep": lambda args: any(re.match(r"-[a-zA-Z]*[mqlL]|--max|--quiet", arg) for arg in args),
    "awk": lambda args: any("exit" in arg for arg in args),
}


def _as_read(args: list[str], stream: Input) -> Input:
    """The input of a program. One that stops early does not miss what a stage that was cut off had still to say."""
    if not isinstance(stream, Text) or not stream.more:
        return stream
    stops = _STOPS.get(args[0].rpartition("/")[2])
    return stream.cut_off() if stops and stops(args[1:]) else stream
