"""A running shell as plain state: variables, files, jobs, and a stack of frames, which say what it has still to do.

A frame's `step` does a little and either pushes frames above itself or pops itself. A jump (exit, return, break, an
error) takes frames off until one catches it. Nothing of a shell that waits lies on Python's own stack, so parking is
to keep the stack, and going on is to step a copy of it. The environment is POSIX's, Shell Command Language, 2.12; a
command in the background is a process of its own, which ran at once and may wait.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from labkit.files import Files, Place
from labkit.kernel.limits import Runaway
from labkit.kernel.process import SIGNALS, Input, Kernel, Killed, Parked, Process
from labkit.shell import messages
from labkit.shell.lexer import Aliases, ProgramError
from labkit.shell.messages import BASH, DASH, Dialect
from labkit.shell.terminal import Keyboard, Stream, Twins, readable, writable
from labkit.shell.tree import Node

Former = dict[str, tuple[str | None, bool]]  # variables as they were: value, and whether exported


class Environment:
    """What a subshell gets a copy of."""

    __slots__ = (
        "aliases", "arguments", "exported", "fds", "files", "functions", "limits", "options", "readonly", "traps",
        "variables",
    )  # fmt: skip

    def __init__(self, files: Files, fds: dict[int, Stream]) -> None:
        self.variables: dict[str, str] = {}
        self.exported: set[str] = set()
        self.readonly: set[str] = set()
        self.functions: dict[str, Node] = {}
        self.aliases: Aliases = ()
        self.limits: dict[str, tuple[str, str]] = {}  # of ulimit, by letter: soft and hard
        self.arguments: list[str] = []
        self.options: set[str] = set()
        self.traps: dict[str, str] = {}
        self.files = files
        self.fds = fds

    def copy(self) -> Environment:
        """For a subshell: traps but the ignored ones are reset."""
        other = Environment.__new__(Environment)
        other.variables = dict(self.variables)
        other.exported = set(self.exported)
        other.readonly = set(self.readonly)
        other.functions = dict(self.functions)
        other.aliases = self.aliases
        other.limits = self.limits
        other.arguments = self.arguments
        other.options = set(self.options)
        other.traps = {name: action for name, action in self.traps.items() if not action} if self.traps else {}
        other.files = self.files.copy()
        other.fds = dict(self.fds)
        return other

    def twin(self, twins: Twins) -> Environment:
        other = self.copy()
        other.traps = dict(self.traps)
        other.fds = {number: twins.of(stream) for number, stream in self.fds.items()}
        return other

    def remembered(self, names: list[str]) -> Former:
        """What these variables are, for `restore`."""
        return {name: (self.variables.get(name), name in self.exported) for name in names}

    def restore(self, former: Former) -> None:
        for name, (value, exported) in former.items():
            if value is None:
                self.variables.pop(name, None)
            else:
                self.variables[name] = value
            (self.exported.add if exported else self.exported.discard)(name)

    def child(self) -> dict[str, str]:
        """The environment of a program that it starts, in the order of the shell's own table."""
        variables = self.variables
        names = [name for name in variables if name in self.exported]
        return {name: variables[name] for name in sorted(names, key=bucket)}


@lru_cache(maxsize=1024)
def bucket(name: str) -> int:
    """Where ash and dash keep a variable: a table of 39 lists (hashvar in their var.c)."""
    return ((ord(name[0]) << 4) + sum(map(ord, name))) % 39


@dataclass(frozen=True)
class Job:
    """A command in the background: its status, or how it waits."""

    pid: int
    process: Process
    status: int | None = None
    parked: Parked | None = None
    signal: str = ""  # that has ended it

    @property
    def until(self) -> int | None:
        """When it goes on; None: never by itself, or it has ended."""
        return self.parked.until if self.parked else None


def resumed(job: Job) -> Job:
    """The job after its next piece of work."""
    assert job.parked is not None
    try:
        return replace(job, status=job.parked.resume(job.process), parked=None)
    except Parked as parked:
        return replace(job, parked=parked)
    except Killed as killed:
        return replace(job, status=killed.status, parked=None)


class Jobs(dict[int, Job]):
    """By process id, in the order in which they were started."""

    def end(self, job: Job, signal: str) -> None:
        """A signal ends it."""
        self[job.pid] = replace(job, status=128 + SIGNALS.index(signal), parked=None, signal=signal)

    def times(self) -> list[int]:
        """When those go on that wait for a time."""
        return [time for job in self.values() if (time := job.until) is not None]

    def go_on(self, kernel: Kernel) -> None:
        """Let those go on whose time has come, each at its time."""
        clock = kernel.clock
        kernel.tick(len(self))
        now = clock.now
        while due := [(until, job.pid) for job in self.values() if (until := job.until) is not None and until <= now]:
            until, pid = min(due)
            clock.now = until
            self[pid] = resumed(self[pid])
        clock.now = max(clock.now, now)

    def wait_for(self, job: Job, waiter: Process) -> int:
        """The status of a job when it has ended."""
        while job.status is None:
            assert job.parked is not None
            if waiter.detached:
                raise Parked(job.parked.until)
            if job.parked.until is None:
                return 130
            clock = waiter.kernel.clock
            clock.now = max(clock.now, job.parked.until)
            job = self[job.pid] = resumed(job)
        return job.status

    def leave(self, kernel: Kernel) -> None:
        """Those that still wait outlive the shell: the machine takes them on."""
        for job in self.values():
            if job.parked:
                kernel.services.adopt(job.process, job.parked)


DEFAULT_PATHS = {
    "ash": "/sbin:/usr/sbin:/bin:/usr/bin",
    "dash": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "bash": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
}
EXIT, RETURN, BREAK, CONTINUE, ABORT = "exit", "return", "break", "continue", "abort"
FIRST_OPTION = (1, -1)  # getopts: the next argument, and where the letters go on in the one before
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

    @property
    def programs(self) -> tuple[Place, ...]:
        """The files that children run, where it is them that the shell waits for."""
        return ()

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
        self.pid = process.pid  # what `$$` says, in subshells too
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
        self.next_option = FIRST_OPTION
        self.trap_error: Callable[[Shell], bool] = lambda shell: False  # starts the trap of a failure
        self.function = ""  # the name of the one that runs
        fds: dict[int, Stream] = {0: process.stdin, 1: process.stdout, 2: process.stderr, **process.handles}
        self.env = Environment(process.files, fds)

    @property
    def files(self) -> Files:
        return self.env.files

    @property
    def arguments(self) -> list[str]:
        return self.env.arguments

    @property
    def aliases(self) -> Aliases:
        """Those that count where a command is read; in bash only at a prompt or when it was told so."""
        env = self.env
        counts = self.dialect is not BASH or self.interactive or "expand_aliases" in env.options
        return env.aliases if counts else ()

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
            self.next_option = (max(1, int(value)) if re.fullmatch("[0-9]{1,9}", value) else 1, -1)
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
        if not self.status or self.tested:
            return
        if "ERR" in self.env.traps and self.trap_error(self):
            return
        if "e" in self.env.options:
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
        children = self.process.kernel.children
        children.append(self._programs)
        try:
            self.run()
        except Suspend as suspend:
            raise self._parked(suspend.until) from None
        except RecursionError:
            raise Runaway("the command calls itself too often") from None
        finally:
            children.pop()
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

        return Parked(min(times) if times else None, resume, self._programs())

    def _programs(self) -> tuple[Place, ...]:
        """The files that its children run."""
        waiting = [job.parked.programs for job in self.jobs.values() if job.parked]
        return tuple(place for programs in (*waiting, *(frame.programs for frame in self.stack)) for place in programs)

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
