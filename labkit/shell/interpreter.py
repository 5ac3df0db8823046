"""The shell itself: from nodes of the syntax tree to what happens.

A Shell is plain state: variables, files, a stack of frames (frames.py). Simple commands run at once; all that has
parts pushes a frame. When something has to wait, the shell parks: Parked holds it as it is, and resuming steps a copy.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from labkit.files import Files
from labkit.kernel.limits import Runaway
from labkit.kernel.process import Killed, Parked, Process
from labkit.kernel.programs import ExecError
from labkit.shell import arithmetic, expand, messages, redirect
from labkit.shell.builtins import BUILTINS, EXTENSIONS, SPECIAL_BUILTINS
from labkit.shell.conditions import condition_status
from labkit.shell.frames import (
    ABORT,
    EXIT,
    AndOrFrame,
    Boundary,
    CaptureFrame,
    ChildFrame,
    Env,
    ExpandFrame,
    ForFrame,
    Frame,
    FunctionFrame,
    IfFrame,
    Jump,
    Memo,
    NegatedFrame,
    PipelineFrame,
    ProgramFrame,
    RestoreFrame,
    RetryFrame,
    SequenceFrame,
    SubshellFrame,
    Suspend,
    WhileFrame,
)
from labkit.shell.lexer import ProgramError
from labkit.shell.messages import Dialect
from labkit.shell.parser import parse
from labkit.shell.redirect import Opened, RedirectError
from labkit.shell.streams import Closed, Pipe, Text, Twins
from labkit.shell.tree import (
    AndOr,
    Background,
    Calculation,
    Case,
    Condition,
    For,
    Function,
    If,
    Negated,
    Node,
    Pipeline,
    Redirect,
    Redirected,
    Sequence,
    Simple,
    Subshell,
    While,
)
from labkit.userland.patterns import matches

Builtin = Callable[["Shell", list[str]], int]
_JOB_STEPS = 250  # that starting a command in the background takes
DEEPEST = 20_000  # frames
DEFAULT_PATH = {
    "ash": "/sbin:/usr/sbin:/bin:/usr/bin",
    "dash": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "bash": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
}
_CLOSED = Closed()
_NO_WORDS: tuple[list[str], list[tuple[str, str]], list[Opened]] = ([], [], [])


@dataclass(frozen=True)
class Job:
    """A command in the background: its status, or how it waits."""

    pid: int
    process: Process
    status: int | None = None
    parked: Parked | None = None

    @property
    def until(self) -> int | None:
        """When it goes on; None: never by itself, or it has ended."""
        return self.parked.until if self.parked else None


class Shell:
    """One running shell."""

    process: Process
    arg0: str

    def __init__(self, process: Process, dialect: Dialect, arg0: str) -> None:
        self.process = process
        self.dialect = dialect
        self.arg0 = arg0
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
        self.jobs: dict[int, Job] = {}
        self.last_job = 0
        self.children = 0
        self.random = 1
        self.option_place = 1  # getopts: where in a group of letters
        fds: dict[int, Any] = {0: process.stdin, 1: process.stdout, 2: process.stderr, **process.handles}
        self.env = Env(process.files, fds)
        self._set_up_variables()

    def _set_up_variables(self) -> None:
        env, given = self.env, self.process.env
        for name, value in given.items():
            if name.isidentifier() and name.isascii():
                env.variables[name] = value
                env.exported.add(name)
        variables = env.variables
        variables["IFS"] = " \t\n"
        variables["OPTIND"] = "1"
        variables.setdefault("PATH", DEFAULT_PATH[self.dialect.name])
        variables.setdefault("PS4", "+ ")
        variables["PWD"] = self.process.files.cwd
        _SHELL_VARIABLES[self.dialect.name](self)

    # -- variables

    @property
    def files(self) -> Files:
        return self.env.files

    @property
    def arguments(self) -> list[str]:
        return self.env.arguments

    @property
    def noglob(self) -> bool:
        return "f" in self.env.options

    @property
    def nounset(self) -> bool:
        return "u" in self.env.options

    def get(self, name: str) -> str | None:
        return self.env.variables.get(name)

    def separators(self) -> str:
        return self.env.variables.get("IFS", " \t\n")

    def parameter(self, name: str) -> str | None:
        """A variable, a positional parameter or a special one; None if unset."""
        value = self.env.variables.get(name)
        if value is not None:
            return value
        special = _SPECIAL.get(name)
        if special:
            return special(self)
        if name.isdigit():
            number = int(name)
            if number == 0:
                return self.arg0
            return self.env.arguments[number - 1] if number <= len(self.env.arguments) else None
        return None

    def assign(self, name: str, value: str) -> None:
        env = self.env
        if name in env.readonly:
            raise self.error("read only", name)
        if len(value) > 1024:
            self.process.tick(len(value) >> 10)
            if len(value) > expand.LONGEST:
                raise expand.too_long()
        env.variables[name] = value
        if "a" in env.options:
            env.exported.add(name)
        if name == "OPTIND":
            self.option_place = 1

    def number(self, name: str) -> int:
        """A variable in arithmetic."""
        value = self.parameter(name)
        if value is None and self.nounset:
            raise self.error("unset", name)
        if not value:
            return 0
        number = arithmetic.number_of(value.strip())
        if number is None:
            if self.dialect.level:
                return arithmetic.evaluate(value, _Deeper(self, name), steps=True)
            raise self.error("number", value)
        return number

    def remembered(self, names: list[str]) -> dict[str, tuple[str | None, bool]]:
        """What these variables are, for `restore`."""
        env = self.env
        return {name: (env.variables.get(name), name in env.exported) for name in names}

    def restore(self, former: dict[str, tuple[str | None, bool]]) -> None:
        env = self.env
        for name, (value, exported) in former.items():
            if value is None:
                env.variables.pop(name, None)
            else:
                env.variables[name] = value
            (env.exported.add if exported else env.exported.discard)(name)

    def exported(self) -> dict[str, str]:
        """The environment of a child, in the order of the shell's own table."""
        variables = self.env.variables
        names = [name for name in variables if name in self.env.exported]
        return {name: variables[name] for name in sorted(names, key=_bucket)}

    # -- what it says

    def out(self, text: str | bytes) -> None:
        self.env.fds.get(1, _CLOSED).write(text)

    def err(self, text: str) -> None:
        try:
            self.env.fds.get(2, _CLOSED).write(text)
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
        """Run a node: at once, or by pushing what is to do."""
        _START[type(node)](self, node)

    def run_text(self, text: str, script: str | None = None, *, returns: bool = False) -> None:
        """Push a program given as text; `script`: who its messages come from, `returns`: `return` ends it."""
        self._push(ProgramFrame(self, parse(text, self.dialect.level), text, script, returns=returns))

    def _push(self, frame: Frame) -> None:
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
            if isinstance(frame, PipelineFrame) and frame.cut(self, why):
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
        self._leave_jobs()
        return self.status & 0xFF

    def capture(self, body: Sequence) -> str:
        """What the commands write, without the newlines at its end."""
        memo = self.memo
        if self.place < len(memo):  # it has run already; its command is expanded again
            text, self.substituted = memo[self.place]
            self.place += 1
            return text
        base = len(self.stack)
        outer = self.env
        env = outer.copy()
        frame = CaptureFrame(self, outer, Pipe())
        env.fds[1] = frame.pipe
        self._push(frame)
        self.env = env
        self.tested = 0
        if self.dialect.level:
            env.options.discard("e")
        self.start(body)
        self.run(base)
        self.place = len(memo)
        text, self.substituted = memo[-1]
        return text

    def read_line(self) -> bytes:
        """A line from the standard input; waits where there is none yet."""
        try:
            return self.typed_line(self.env.fds.get(0, _CLOSED))
        except Parked as parked:
            raise Suspend(parked.until) from None

    def ask(self, prompt: str) -> None:
        """Show a prompt, where nobody has answered it in advance."""
        stream = self.env.fds.get(0)
        if getattr(stream, "typed", b""):
            stream.echo(prompt.encode("utf-8", "surrogateescape"), self.process.stderr)  # type: ignore[union-attr]
        else:
            self.err(prompt)

    def typed_line(self, stream: Any) -> bytes:
        """A line of any input, shown where a terminal shows it."""
        line: bytes = stream.readline()
        if line and self.process.tty and (echo := getattr(stream, "echo", None)):
            echo(line, self.process.stderr)
        return line

    # -- waiting

    def end_job(self, job: Job, status: int) -> None:
        """A signal ends it."""
        self.jobs[job.pid] = replace(job, status=status, parked=None)

    def _parked(self, until: int | None) -> Parked:
        times = [time for job in self.jobs.values() if (time := job.until) is not None]
        if until is not None:
            times.append(until)
        frozen = self

        def resume(process: Process) -> int:
            shell = frozen._twin(process)
            shell.run_jobs()
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
        for name in ("stdin", "stdout", "stderr"):
            twins.put(getattr(old, name), getattr(process, name))
        shell = copy.copy(self)
        shell.process = process
        shell.env = twins.of(self.env)
        shell.memo = twins.of(self.memo)
        shell.stack = [frame.twin(twins) for frame in self.stack]
        shell.jobs = dict(self.jobs)
        return shell

    def run_jobs(self) -> None:
        """Let the jobs go on whose time has come, each at its time."""
        clock = self.process.kernel.clock
        self.process.tick(len(self.jobs))
        now = clock.now
        while due := [
            (until, job.pid) for job in self.jobs.values() if (until := job.until) is not None and until <= now
        ]:
            until, pid = min(due)
            clock.now = until
            self.jobs[pid] = resumed(self.jobs[pid])
        clock.now = max(clock.now, now)

    def _leave_jobs(self) -> None:
        """Jobs that still wait outlive the shell: the machine takes them on."""
        for job in self.jobs.values():
            if job.parked:
                self.process.kernel.services.adopt(job.process, job.parked)

    # -- commands

    def call(self, builtin: Builtin, args: list[str]) -> None:
        """Run a builtin and see to its status. It may push frames, whose status then counts."""
        height = len(self.stack)
        try:
            status = builtin(self, args)
        except Parked as parked:
            self._push(RetryFrame(builtin, args))
            raise Suspend(parked.until) from None
        except OSError as error:
            self._write_error(args[0], error)
            status = 1
        if len(self.stack) > height:
            return
        self.status = status
        if status:
            self.check()

    def _write_error(self, name: str, error: OSError) -> None:
        said = f"write error: {messages.reason(error)}"
        if self.dialect is messages.DASH:
            said = f"{name}: I/O error"
        self.complain(said, "" if self.dialect is messages.ASH else name)

    def spawn(self, args: list[str], fds: dict[int, Any], env: dict[str, str], *, instead: bool = False) -> None:
        """Run another program; its status is the shell's when it has ended. `instead`: it is the shell's process."""
        process = self.process
        self.children += not instead
        child = Process(
            argv=args,
            env=env,
            files=self.env.files.copy(),
            stdin=_as_read(args, fds.get(0, _CLOSED)),
            stdout=fds.get(1, _CLOSED),
            stderr=fds.get(2, _CLOSED),
            kernel=process.kernel,
            hostname=process.hostname,
            pid=process.pid + (0 if instead else self.children),
            detached=process.detached,
            tty=process.tty,
            traps=process.traps if instead else {},
            namespaces=process.namespaces,
            handles={number: stream for number, stream in fds.items() if number > 2} if len(fds) > 3 else {},
        )
        try:
            self.status = process.kernel.execute(child)
        except ExecError as error:
            self.status = self._not_started(error, args[0], fds)
        except Parked as parked:
            self._push(ChildFrame(child, parked))
            raise Suspend(parked.until) from None
        if self.jobs and not process.detached:
            self.run_jobs()
        if self.status:
            self.check()

    def _not_started(self, error: ExecError, name: str, fds: dict[int, Any], builtin: str = "") -> int:
        key, status = _EXEC_ERRORS.get(error.errno, ("denied", 126))
        if not name and self.dialect.level < 2:
            key = "denied"
        elif key == "not found" and (builtin or not error.searched):
            key = "no such file" if not error.searched else "exec not found"
        outer, self.env.fds = self.env.fds, fds
        self.complain(messages.text(self.dialect, key, name), builtin)
        self.env.fds = outer
        return status

    def background(self, node: Node) -> Job:
        """Run a command as a detached process of its own, at once; it may wait, the shell does not."""
        self.process.tick(_JOB_STEPS + len(self.jobs))
        self.children += 1
        pid = self.process.pid + self.children
        process = replace(self.process, pid=pid, detached=True, stdin=Text(b""), traps={}, files=self.env.files.copy())
        shell = copy.copy(self)
        shell.process = process
        shell.env = self.env.copy()
        shell.env.files = process.files
        shell.env.fds[0] = process.stdin
        shell.env.options.discard("m")
        shell.stack = []
        shell.jobs = {}
        shell.tested = 0
        shell.interactive = False
        shell._push(Boundary(shell, None))
        shell._push(SequenceFrame((node,)))
        job = resumed(Job(pid, process, None, Parked(0, lambda _: shell.go())))
        self.jobs[pid] = job
        self.last_job = pid
        return job

    def wait_for(self, job: Job) -> int:
        """The status of a job when it has ended."""
        while job.status is None:
            assert job.parked is not None
            if self.process.detached:
                raise Parked(job.parked.until)
            if job.parked.until is None:
                return 130
            clock = self.process.kernel.clock
            clock.now = max(clock.now, job.parked.until)
            job = self.jobs[job.pid] = resumed(job)
        return job.status


_STOPS: dict[str, Callable[[list[str]], bool]] = {
    "head": lambda args: True,
    "sed": lambda args: any("q" in arg for arg in args),
    "grep": lambda args: any(re.match(r"-[a-zA-Z]*[mqlL]|--max|--quiet", arg) for arg in args),
    "awk": lambda args: any("exit" in arg for arg in args),
}


def _as_read(args: list[str], stream: Any) -> Any:
    """The input of a program. One that stops early does not miss what a stage that was cut off had still to say."""
    if getattr(stream, "more", "") and _STOPS.get(args[0].rpartition("/")[2], lambda _: False)(args[1:]):
        return stream.cut_off()
    return stream


def resumed(job: Job) -> Job:
    """The job after its next piece of work."""
    assert job.parked is not None
    try:
        return replace(job, status=job.parked.resume(job.process), parked=None)
    except Parked as parked:
        return replace(job, parked=parked)
    except Killed as killed:
        return replace(job, status=killed.status, parked=None)


@lru_cache(maxsize=1024)
def _bucket(name: str) -> int:
    """Where ash and dash keep a variable: a table of 39 lists (hashvar in their var.c)."""
    return ((ord(name[0]) << 4) + sum(map(ord, name))) % 39


class _Deeper:
    """Variables for an expression that is a variable's value; a variable that leads back to itself is an error."""

    def __init__(self, shell: Shell, name: str, names: frozenset[str] = frozenset()) -> None:
        self.shell = shell
        self.names = names | {name}

    def number(self, name: str) -> int:
        if name in self.names or len(self.names) > 50:
            raise self.shell.error("syntax", name, name)
        value = self.shell.parameter(name)
        if not value:
            return 0
        number = arithmetic.number_of(value.strip())
        if number is not None:
            return number
        return arithmetic.evaluate(value, _Deeper(self.shell, name, self.names), steps=True)

    def assign(self, name: str, value: str) -> None:
        self.shell.assign(name, value)


_EXEC_ERRORS = {2: ("not found", 127), 20: ("denied", 126), 21: ("is folder", 126), 13: ("denied", 126)}


def _process_flags(shell: Shell) -> str:
    shown = "".join(sorted(option for option in shell.env.options if len(option) == 1))
    return shown + ("i" if shell.interactive else "")


def _random(shell: Shell) -> str | None:
    """Numbers that look random but are the same in every run; dash has none."""
    if not shell.dialect.level:
        return None
    shell.random = (shell.random * 1103515245 + 12345) & 0x7FFFFFFF
    return str(shell.random >> 8 & 0x7FFF)


def _line(shell: Shell) -> str | None:
    if shell.dialect is messages.DASH:
        return None
    return str(shell.line - (shell.command_text if shell.dialect is messages.ASH else 0))


def _joined(shell: Shell) -> str | None:
    return shell.separators()[:1].join(shell.arguments) if shell.arguments else None


_SPECIAL: dict[str, Callable[[Shell], str | None]] = {
    "?": lambda shell: str(shell.status),
    "#": lambda shell: str(len(shell.env.arguments)),
    "$": lambda shell: str(shell.process.pid),
    "!": lambda shell: str(shell.last_job) if shell.last_job else None,
    "-": _process_flags,
    "@": _joined,
    "*": _joined,
    "RANDOM": _random,
    "LINENO": _line,
}


def _ash_variables(shell: Shell) -> None:
    env = shell.env
    env.variables["SHLVL"] = str(_level(env.variables.get("SHLVL")))
    env.exported |= {"SHLVL", "PWD"}
    env.variables.setdefault("PS1", "\\w # " if shell.process.files.user.uid == 0 else "\\w $ ")
    env.variables.setdefault("PS2", "> ")
    env.variables["PPID"] = str(max(0, shell.process.pid - 1))


def _dash_variables(shell: Shell) -> None:
    env = shell.env
    env.exported.add("PWD")
    env.variables.setdefault("PS1", "# " if shell.process.files.user.uid == 0 else "$ ")
    env.variables.setdefault("PS2", "> ")
    env.variables["PPID"] = str(max(0, shell.process.pid - 1))


def _bash_variables(shell: Shell) -> None:
    env = shell.env
    env.variables["SHLVL"] = str(_level(env.variables.get("SHLVL")))
    env.variables.setdefault("_", shell.arg0)
    env.exported |= {"SHLVL", "PWD", "_"}
    env.variables.setdefault("PS1", "\\s-\\v\\$ ")
    env.variables.setdefault("PS2", "> ")
    env.variables["PPID"] = str(max(0, shell.process.pid - 1))
    env.variables.update(BASH="/bin/bash", BASH_VERSION="5.2.15(1)-release", HOSTNAME=shell.process.hostname)
    env.variables.update(EUID=str(shell.process.files.user.uid), UID=str(shell.process.files.user.uid))


def _level(value: str | None) -> int:
    return int(value) + 1 if value and value.isdigit() else 1


_SHELL_VARIABLES = {"ash": _ash_variables, "dash": _dash_variables, "bash": _bash_variables}


# -- simple commands


def _simple(shell: Shell, node: Simple) -> None:
    shell.process.kernel.tick()
    shell.line = node.line
    if node.substitutes:
        shell._push(ExpandFrame(shell, node, _expanded, _perform))
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
    redirects = _targets(shell, node.redirects) if node.redirects else _NO_WORDS[2]
    return args, _assignments(shell, node, args) if node.assignments else _NO_WORDS[1], redirects


def _assignments(shell: Shell, node: Simple, args: list[str]) -> list[tuple[str, str]]:
    """Names and values; each value sees the ones before it. They are put back where they are only for a command."""
    former = shell.remembered([item.name for item in node.assignments]) if args else {}
    made = []
    for item in node.assignments:
        value = expand.text(shell, item.value, value=True)
        if item.append:
            value = (shell.get(item.name) or "") + value
        shell.assign(item.name, value)
        made.append((item.name, value))
    shell.restore(former)
    return made


def _targets(shell: Shell, redirects: tuple[Redirect, ...]) -> list[Opened]:
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
        opened = _opened(shell, redirects, special=name in SPECIAL_BUILTINS)
        if opened is None:
            return
        fds = opened
    if builtin is not None:
        _call_builtin(shell, builtin, args, assignments, fds)
    elif function is not None:
        _call_function(shell, function, args, assignments, fds)
    else:
        env = shell.exported()
        env.update(assignments)
        shell.spawn(args, fds, env)


def _without_command(shell: Shell, redirects: list[Opened]) -> None:
    if redirects and _opened(shell, redirects) is None:
        return
    shell.status = shell.substituted or 0
    shell.check()


def _opened(shell: Shell, redirects: list[Opened], *, special: bool = False) -> dict[int, Any] | None:
    """The files; None where the command cannot run for them, which has been said."""
    try:
        return redirect.opened(shell, redirects)
    except RedirectError as failed:
        shell.complain(str(failed))
        status = shell.dialect.redirect_status
        if failed.fatal or (special and shell.dialect is not messages.BASH):
            raise Jump(ABORT, shell.dialect.error_status if failed.fatal else status) from None
        shell.status = status
        shell.check()
        return None


def _call_builtin(
    shell: Shell, builtin: Builtin, args: list[str], assignments: list[tuple[str, str]], fds: dict[int, Any]
) -> None:
    former = None
    if assignments:
        if args[0] not in SPECIAL_BUILTINS or shell.dialect is messages.BASH:
            former = shell.remembered([name for name, _ in assignments])
        _set(shell, assignments, exported=former is not None)
    outer = shell.env.fds
    if fds is outer and former is None:
        shell.call(builtin, args)
        return
    if args[0] == "exec" and len(args) == 1:
        shell.env.fds = fds
        shell.status = 0
        return
    frame = RestoreFrame(outer, former)
    shell._push(frame)
    shell.env.fds = fds
    shell.call(builtin, args)
    if shell.stack[-1] is frame:
        frame.step(shell)


def _call_function(
    shell: Shell, body: Node, args: list[str], assignments: list[tuple[str, str]], fds: dict[int, Any]
) -> None:
    if assignments or fds is not shell.env.fds:
        shell._push(RestoreFrame(shell.env.fds, shell.remembered([name for name, _ in assignments])))
        _set(shell, assignments, exported=True)
        shell.env.fds = fds
    shell._push(FunctionFrame(shell.env.arguments))
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


# -- the other nodes


def _sequence(shell: Shell, node: Sequence) -> None:
    if len(node.items) == 1:
        shell.start(node.items[0])
    elif node.items:
        shell._push(SequenceFrame(node.items))
    else:
        shell.status = 0


def _pipeline(shell: Shell, node: Pipeline) -> None:
    shell.line = node.line
    shell._push(PipelineFrame(shell, node))


def _negated(shell: Shell, node: Negated) -> None:
    shell._push(NegatedFrame(shell))
    shell.tested += 1
    shell.start(node.body)


def _and_or(shell: Shell, node: AndOr) -> None:
    shell._push(AndOrFrame(shell, node))
    shell.tested += 1
    shell.start(node.first)


def _background(shell: Shell, node: Background) -> None:
    job = shell.background(node.body)
    if shell.interactive and shell.dialect is messages.BASH:
        shell.err(f"[{len(shell.jobs)}] {job.pid}\n")
    shell.status = 0


def _if(shell: Shell, node: If) -> None:
    shell._push(IfFrame(shell, node))


def _while(shell: Shell, node: While) -> None:
    shell._push(WhileFrame(shell, node))


def _for(shell: Shell, node: For) -> None:
    shell.line = node.line
    if node.words is not None and any(word.substitutes for word in node.words):
        shell._push(ExpandFrame(shell, node, _for_items, _for_each))
    else:
        _for_each(shell, node, _for_items(shell, node))


def _for_items(shell: Shell, node: For) -> list[str]:
    return list(shell.arguments) if node.words is None else expand.fields(shell, node.words)


def _for_each(shell: Shell, node: For, items: list[str]) -> None:
    if items:
        shell._push(ForFrame(shell, node.name, items, node.body))
    else:
        shell.status = 0


def _case(shell: Shell, node: Case) -> None:
    shell.line = node.line
    if node.word.substitutes or any(pattern.substitutes for arm in node.arms for pattern in arm.patterns):
        shell._push(ExpandFrame(shell, node, _case_arm, _case_body))
    else:
        _case_body(shell, node, _case_arm(shell, node))


def _case_arm(shell: Shell, node: Case) -> int:
    """Which arm matches; -1 for none."""
    shell.process.kernel.tick()
    text = expand.text(shell, node.word)
    for index, arm in enumerate(node.arms):
        if any(matches(expand.pattern(shell, pattern), text) for pattern in arm.patterns):
            return index
    return -1


def _case_body(shell: Shell, node: Case, index: int) -> None:
    items: tuple[Node, ...] = ()
    while 0 <= index < len(node.arms):
        arm = node.arms[index]
        items += arm.body.items
        index = index + 1 if arm.through else -1
    _sequence(shell, Sequence(items))


def _function(shell: Shell, node: Function) -> None:
    shell.env.functions[node.name] = node.body
    shell.status = 0


def _subshell(shell: Shell, node: Subshell) -> None:
    shell._push(SubshellFrame(shell, shell.env))
    shell.env = shell.env.copy()
    shell.start(node.body)


def _redirected(shell: Shell, node: Redirected) -> None:
    shell.line = node.line
    if any(item.document or (item.target and item.target.substitutes) for item in node.redirects):
        shell._push(ExpandFrame(shell, node, _redirected_targets, _redirected_body))
    else:
        _redirected_body(shell, node, _redirected_targets(shell, node))


def _redirected_targets(shell: Shell, node: Redirected) -> list[Opened]:
    return _targets(shell, node.redirects)


def _redirected_body(shell: Shell, node: Redirected, redirects: list[Opened]) -> None:
    opened = _opened(shell, redirects)
    if opened is not None:
        shell._push(RestoreFrame(shell.env.fds, None))
        shell.env.fds = opened
        shell.start(node.body)


def _condition(shell: Shell, node: Condition) -> None:
    shell.line = node.line
    shell._push(ExpandFrame(shell, node, condition_status, _set_status))


def _calculation(shell: Shell, node: Calculation) -> None:
    shell.line = node.line
    shell._push(ExpandFrame(shell, node, _calculated, _set_status))


def _calculated(shell: Shell, node: Calculation) -> int:
    return int(expand.calculate(shell, node.word) == 0)


def _set_status(shell: Shell, node: Node, status: int) -> None:
    shell.status = status
    shell.check()


_START: dict[type, Callable[[Shell, Any], None]] = {
    Simple: _simple,
    Sequence: _sequence,
    Pipeline: _pipeline,
    Negated: _negated,
    AndOr: _and_or,
    Background: _background,
    If: _if,
    While: _while,
    For: _for,
    Case: _case,
    Function: _function,
    Subshell: _subshell,
    Redirected: _redirected,
    Condition: _condition,
    Calculation: _calculation,
}
