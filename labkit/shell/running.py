"""A running shell as plain state: variables, files, and a stack of frames, which say what it has still to do.

A frame's `step` does a little and either pushes frames above itself or pops itself. A jump (exit, return, break, an
error) takes frames off until one catches it. Nothing of a shell that waits lies on Python's own stack, so parking is
to keep the stack, and going on is to step a copy of it.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping

from labkit.files import Files
from labkit.kernel.process import Input, Killed, Parked, Process, Runaway
from labkit.shell import messages
from labkit.shell.environment import Environment
from labkit.shell.jobs import Jobs
from labkit.shell.keyboard import Keyboard
from labkit.shell.lexer import ProgramError
from labkit.shell.messages import DASH, Dialect
from labkit.shell.streams import Stream, Twins, readable, writable
from labkit.shell.tree import Node

EXIT, RETURN, BREAK, CONTINUE, ABORT = "exit", "return", "break", "continue", "abort"
DEEPEST = 20_000  # frames
LONGEST = 16 << 20  # characters of one command's words, or of a variable


def too_long() -> Runaway:
    return Runaway(f"a command's words are longer than {LONGEST >> 20} MiB")


class Jump(Exception):
    """Control leaves what runs. `levels`: of loops, for break and continue. ABORT: an error; a prompt survives it."""

    def __init__(self, kind: str, status: int = 0, levels: int = 1) -> None:
        super().__init__(kind, status)
        self.kind = kind
        self.status = status
        self.levels = levels


class Suspend(BaseException):
    """The shell has to wait; its stack says for what."""

    def __init__(self, until: int | None) -> None:
        super().__init__(until)
        self.until = until


class Memo(list[tuple[str, int]]):
    """What the command substitutions of one command gave: texts and statuses, in their order."""

    def twin(self, twins: Twins) -> Memo:
        return Memo(self)


class Frame:
    """One level of what is still to do."""

    __slots__: tuple[str, ...] = ()
    own: tuple[str, ...] = ()  # the fields that a copy needs copies of

    def step(self, shell: Shell) -> None:
        raise NotImplementedError

    def leave(self, shell: Shell) -> None:
        """A jump passes: put back what this frame has changed."""

    def catch(self, shell: Shell, jump: Jump) -> bool:
        """Whether the jump ends here. Frames above are gone; this one decides whether it stays."""
        return False

    def cut(self, shell: Shell, why: str) -> bool:
        """Something above is a runaway: whether this frame has ended it, so that the shell goes on."""
        return False

    def twin(self, twins: Twins) -> Frame:
        other = copy.copy(self)
        for name in self.own:
            setattr(other, name, twins.of(getattr(self, name)))
        return other


Starter = Callable[["Shell", Node], None]  # runs a node: at once, or by pushing what is to do


class Shell:
    """One running shell. `starters`: how each kind of node is run."""

    def __init__(self, process: Process, dialect: Dialect, starters: Mapping[type, Starter]) -> None:
        self.starters = starters
        self.process = process
        self.dialect = dialect
        self.arg0 = process.argv[0]
        self.script = ""  # the file that is read, where it is one
        self.command_text = 0  # 1: the commands are an argument (-c)
        self.interactive = False
        self.braces = dialect.level > 1
        self.line = 1
        self.status = 0
        self.substituted: int | None = None  # status of the last command substitution
        self.tested = 0  # above 0: a failure here does not end the shell (set -e)
        self.stack: list[Frame] = []
        self.memo, self.place = Memo(), 0
        self.jobs = Jobs()
        self.last_job = 0
        self.children = 0
        self.random = 1
        self.option_place = 1  # getopts: where in a group of letters
        fds: dict[int, Stream] = {0: process.stdin, 1: process.stdout, 2: process.stderr, **process.handles}
        self.env = Environment(process.files, fds)

    @property
    def files(self) -> Files:
        return self.env.files

    @property
    def arguments(self) -> list[str]:
        return self.env.arguments

    def get(self, name: str) -> str | None:
        return self.env.variables.get(name)

    def separators(self) -> str:
        return self.env.variables.get("IFS", " \t\n")

    def assign(self, name: str, value: str) -> None:
        env = self.env
        if name in env.readonly:
            raise self.error("read only", name)
        if len(value) > 1024:
            self.process.tick(len(value) >> 10)
            if len(value) > LONGEST:
                raise too_long()
        if name == "OPTIND":
            if self.dialect is DASH and not (re.fullmatch("[0-9]+", value) and int(value) < 1 << 31):
                raise self.error("illegal number", value)
            self.option_place = 1
        env.variables[name] = value
        if "a" in env.options:
            env.exported.add(name)

    # -- what it says

    def out(self, text: str | bytes) -> None:
        writable(self.env.fds.get(1)).write(text)

    def err(self, text: str) -> None:
        try:
            writable(self.env.fds.get(2)).write(text)
        except OSError:
            return  # nowhere to say it

    def complain(self, said: str, builtin: str = "") -> None:
        self.err(f"{messages.prefix(self, builtin)}{said}\n")

    def error(self, key: str, *values: object, status: int | None = None, builtin: str = "") -> Jump:
        """Say what is wrong; the jump that ends the command is returned, to be raised."""
        self.complain(messages.text(self.dialect, key, *values), builtin)
        return Jump(ABORT, self.dialect.error_status if status is None else status)

    def syntax_error(self, problem: ProgramError, source: str) -> Jump:
        self.err(messages.syntax_error(self, problem, source))
        return Jump(ABORT, 2)

    # -- running

    def start(self, node: Node) -> None:
        self.starters[type(node)](self, node)

    def push(self, frame: Frame) -> None:
        self.stack.append(frame)
        if len(self.stack) > DEEPEST:
            raise Runaway("the command calls itself too often")

    def check(self) -> None:
        """After a command: `set -e`."""
        if self.status and not self.tested and "e" in self.env.options:
            raise Jump(EXIT, self.status)

    def run(self, base: int = 0) -> None:
        """Step until the stack is as high as `base`."""
        stack = self.stack
        while len(stack) > base:
            try:
                while len(stack) > base:
                    stack[-1].step(self)
            except Jump as jump:
                self._unwind(jump, base)
            except Killed as killed:
                self.env.traps.clear()
                self._unwind(Jump(EXIT, killed.status), base)
            except Runaway as runaway:
                if not self._cut(str(runaway), base):
                    raise

    def _unwind(self, jump: Jump, base: int) -> None:
        stack = self.stack
        while len(stack) > base:
            frame = stack[-1]
            if frame.catch(self, jump):
                return
            stack.pop()
            frame.leave(self)
        raise jump

    def _cut(self, why: str, base: int) -> bool:
        """End the innermost stage of a pipeline that can be ended early."""
        stack = self.stack
        while len(stack) > base:
            frame = stack[-1]
            if frame.cut(self, why):
                return True
            stack.pop()
            frame.leave(self)
        return False

    def go(self) -> int:
        """Run what is on the stack to the end; the exit status. Parks where something has to wait."""
        try:
            self.run()
        except Suspend as suspend:
            raise self._parked(suspend.until) from None
        except RecursionError:
            raise Runaway("the command calls itself too often") from None
        self.jobs.leave(self.process.kernel)
        return self.status & 0xFF

    def read_line(self) -> bytes:
        """A line from the standard input; waits where there is none yet."""
        try:
            return self.typed_line(readable(self.env.fds.get(0)))
        except Parked as parked:
            raise Suspend(parked.until) from None

    def ask(self, prompt: str) -> None:
        """Show a prompt, where nobody has answered it in advance."""
        stream = self.env.fds.get(0)
        if isinstance(stream, Keyboard) and stream.typed:
            stream.echo(prompt.encode("utf-8", "surrogateescape"), self.process.stderr)
        else:
            self.err(prompt)

    def typed_line(self, stream: Input) -> bytes:
        """A line of any input, shown where a terminal shows it."""
        line = stream.readline()
        if line and self.process.tty and isinstance(stream, Keyboard):
            stream.echo(line, self.process.stderr)
        return line

    # -- waiting

    def _parked(self, until: int | None) -> Parked:
        times = self.jobs.times()
        if until is not None:
            times.append(until)
        frozen = self

        def resume(process: Process) -> int:
            shell = frozen._twin(process)
            shell.jobs.go_on(process.kernel)
            now = process.kernel.clock.now
            if shell.detached_jobs() and (until is None or until > now):
                raise shell._parked(until)
            return shell.go()

        return Parked(min(times) if times else None, resume)

    def detached_jobs(self) -> bool:
        """Whether it was only for a job that a detached shell was woken; one at a prompt is woken by its user."""
        return self.process.detached and bool(self.jobs)

    def _twin(self, process: Process) -> Shell:
        twins = Twins()
        old = self.process
        twins.put(old.stdin, process.stdin)
        twins.put(old.stdout, process.stdout)
        twins.put(old.stderr, process.stderr)
        shell = copy.copy(self)
        shell.process = process
        shell.env = twins.of(self.env)
        shell.memo = twins.of(self.memo)
        shell.stack = [frame.twin(twins) for frame in self.stack]
        shell.jobs = Jobs(self.jobs)
        return shell
