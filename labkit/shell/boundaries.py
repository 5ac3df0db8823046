"""Where a shell calls something else, or ends: other programs, which may have to wait, processes, and subshells.

A subshell is as good as a process: a frame that holds an environment to go back to.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from dataclasses import replace

from labkit.files import Place
from labkit.files.errno import EACCES, EISDIR, ENOENT, ENOTDIR, ETXTBSY
from labkit.kernel.limits import Runaway
from labkit.kernel.process import IGNORED, SIGNALS, ExecError, Input, Keys, Parked, Process
from labkit.shell import messages
from labkit.shell.frames import SequenceFrame, StatusFrame, run_text
from labkit.shell.running import EXIT, Environment, Frame, Job, Jobs, Jump, Shell, Suspend, resumed
from labkit.shell.terminal import BROKEN_PIPE, PIPE_LIMIT, Pipe, Stream, Text, Twins, readable, writable
from labkit.shell.tree import Node, Pipeline, Sequence

Builtin = Callable[[Shell, list[str]], int]
_EXEC_ERRORS = {
    ETXTBSY: ("busy", 126),
    ENOENT: ("not found", 127),
    ENOTDIR: ("denied", 126),
    EISDIR: ("is folder", 126),
    EACCES: ("denied", 126),
}


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

    @property
    def programs(self) -> tuple[Place, ...]:
        return self.parked.programs

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
        parents=(*process.parents, process.pid),
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
    if process.kernel.signals:
        deliver(shell)
    if shell.status:
        shell.check()


def deliver(shell: Shell) -> None:
    """See to the signals that what it waited for has sent to this shell."""
    kernel, process = shell.process.kernel, shell.process
    mine = [name for space, pid, name in kernel.signals if (space, pid) == (process.namespaces.pid, process.pid)]
    kernel.signals = [item for item in kernel.signals if item[:2] != (process.namespaces.pid, process.pid)]
    for name in mine:
        take_signal(shell, name)


def take_signal(shell: Shell, name: str) -> None:
    """The signal's trap runs, or the signal ends the shell."""
    action = shell.env.traps.get(name)
    if action is not None:
        shell.push(StatusFrame(shell.status))
        run_text(shell, action)
    elif name not in IGNORED and name != "EXIT" and shell.process.pid != 1:
        # the first process of a namespace gets no signal from inside that it has no handler for (signal(7))
        shell.env.traps.clear()
        raise Jump(EXIT, 128 + SIGNALS.index(name))


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


STAGE_STEPS = 300_000  # that a stage may take, or half of what is left, before the next one runs
_JOB_STEPS = 250  # that starting a command in the background takes


class Boundary(Frame):
    """Where a process ends, or a subshell, which is as good as one: its EXIT trap runs here."""

    __slots__ = ("ending", "env", "tested")
    own: tuple[str, ...] = ("env",)

    def __init__(self, shell: Shell, env: Environment | None) -> None:
        self.ending: int | None = None  # the exit status, while the trap runs
        self.env = env  # whose turn it is afterwards
        self.tested = shell.tested

    def step(self, shell: Shell) -> None:
        if self.ending is None:
            action = shell.env.traps.pop("EXIT", "")
            self.ending = shell.status
            if action:
                run_text(shell, action)
                return
        shell.status = self.ending
        shell.stack.pop()
        self.leave(shell)
        self.finish(shell)

    def finish(self, shell: Shell) -> None:
        """The process has ended with shell.status."""

    def leave(self, shell: Shell) -> None:
        shell.tested = self.tested
        if self.env is not None:
            shell.env = self.env

    def catch(self, shell: Shell, jump: Jump) -> bool:
        shell.status = jump.status
        if self.ending is not None:
            self.ending = jump.status
        return True


class SubshellFrame(Boundary):
    __slots__ = ()

    def finish(self, shell: Shell) -> None:
        shell.check()


class CaptureFrame(Boundary):
    """A command substitution. `memo` and `place` are those of the command that it belongs to."""

    __slots__ = ("before", "memo", "pipe", "place")
    own = ("env", "memo", "pipe")

    def __init__(self, shell: Shell, env: Environment, pipe: Pipe) -> None:
        super().__init__(shell, env)
        self.pipe = pipe
        self.before = shell.status  # what `$?` goes on to be
        self.memo, self.place = shell.memo, shell.place

    def finish(self, shell: Shell) -> None:
        if self.pipe.content().size > PIPE_LIMIT:
            raise Runaway(f"the output is longer than {PIPE_LIMIT >> 20} MiB")
        text = self.pipe.getvalue().replace(b"\0", b"").decode("utf-8", "surrogateescape").rstrip("\n")
        self.memo.append((text, shell.status))
        if shell.dialect.level < 2:
            shell.status = self.before

    def leave(self, shell: Shell) -> None:
        super().leave(shell)
        shell.memo, shell.place = self.memo, self.place


def capture(shell: Shell, body: Sequence) -> str:
    """What the commands write, without the newlines at its end."""
    memo = shell.memo
    if shell.place < len(memo):  # it has run already; its command is expanded again
        text, shell.substituted = memo[shell.place]
        shell.place += 1
        return text
    base = len(shell.stack)
    outer = shell.env
    env = outer.copy()
    frame = CaptureFrame(shell, outer, Pipe())
    env.fds[1] = frame.pipe
    shell.push(frame)
    shell.env = env
    shell.tested = 0
    if shell.dialect.level:
        env.options.discard("e")
    shell.start(body)
    shell.run(base)
    shell.place = len(memo)
    text, shell.substituted = memo[-1]
    return text


class PipelineFrame(Boundary):
    """The stages one after the other, each a subshell that reads what the one before it wrote."""

    __slots__ = ("before", "budget", "failed", "given", "index", "keys", "node", "pipe")
    own = ("env", "pipe")

    def __init__(self, shell: Shell, node: Pipeline) -> None:
        super().__init__(shell, shell.env)
        self.node = node
        self.index = -1
        self.before = shell.status  # what `$?` is in each stage
        self.failed = 0  # the last status that was not 0, for pipefail
        self.pipe: Pipe | None = None
        self.given = self.budget = 0
        self.keys: Keys | None = None

    @property
    def is_last(self) -> bool:
        return self.index == len(self.node.commands) - 1

    def step(self, shell: Shell) -> None:
        if self.index >= 0 and not self._stage_ended(shell):
            return
        if self.is_last:
            shell.stack.pop()
            if "pipefail" in shell.env.options and self.failed:
                shell.status = self.failed
            shell.check()
            return
        self._start_stage(shell)

    def _start_stage(self, shell: Shell) -> None:
        before, self.index = self.pipe, self.index + 1
        env = shell.env.copy()
        if before is not None:  # what was cut off is missed where the whole pipeline's output would come from it
            env.fds[0] = Text(before.content(), before.broken if self.is_last else "")
        kernel = shell.process.kernel
        self.pipe = None
        if not self.is_last:
            self.pipe = env.fds[1] = Pipe(PIPE_LIMIT)
            self.pipe.broken = before.broken if before else ""
            self.budget = kernel.budget
            kernel.budget = self.given = min(kernel.budget // 2, STAGE_STEPS)
            self.keys, kernel.keys = kernel.keys, None  # what it writes is read at once
        shell.env = env
        shell.status = self.before
        shell.start(self.node.commands[self.index])

    def _stage_ended(self, shell: Shell) -> bool:
        """The stage has come to its end; False while its EXIT trap runs."""
        if self.ending is None:
            action = shell.env.traps.pop("EXIT", "")
            self.ending = shell.status
            if action:
                run_text(shell, action)
                return False
        shell.status, self.ending = self.ending, None
        self.leave(shell)
        if shell.status:
            self.failed = shell.status
        return True

    def leave(self, shell: Shell) -> None:
        super().leave(shell)
        if self.given:
            kernel = shell.process.kernel
            kernel.budget = self.budget - (self.given - kernel.budget)
            kernel.keys = self.keys
            self.given = 0

    def cut(self, shell: Shell, why: str) -> bool:
        """A runaway stage: as the reader may not want more, it ends as if the pipe had broken."""
        if self.is_last or self.pipe is None or not self.pipe.pieces:
            return False
        self.pipe.broken = self.pipe.broken or why
        shell.env.traps.clear()
        shell.status = BROKEN_PIPE
        return True


def background(shell: Shell, node: Node) -> Job:
    """Run a command as a detached process of its own, at once; it may wait, the shell does not."""
    shell.process.tick(_JOB_STEPS + len(shell.jobs))
    shell.children += 1
    pid = shell.process.pid + shell.children
    process = replace(
        shell.process, pid=pid, detached=True, stdin=Text(b""), traps={}, files=shell.env.files.copy(),
        parents=(*shell.process.parents, shell.process.pid),
    )  # fmt: skip
    inner = copy.copy(shell)
    inner.process = process
    inner.env = shell.env.copy()
    inner.env.files = process.files
    inner.env.fds[0] = process.stdin
    inner.env.options.discard("m")
    inner.stack = []
    inner.jobs = Jobs()
    inner.tested = 0
    inner.interactive = False
    inner.push(Boundary(inner, None))
    inner.push(SequenceFrame((node,)))
    job = resumed(Job(pid, process, None, Parked(0, lambda _: inner.go())))
    shell.jobs[pid] = job
    shell.last_job = pid
    return job
