"""The process model: processes with their streams and signals, programs, jobs, and the clock of the machine.

A *program* is a Python function that takes a Process and returns an exit status; its file holds PROGRAM_MARK, its name,
and as many bytes as the real one has. A process either runs to its end at once or, when it is detached and has to wait,
*parks*: it raises Parked, which carries what is needed to go on. Nothing runs between two commands; the machine resumes
a parked process when its clock has passed the time it waits for. What would never end is ended by counts of steps and
bytes, never of seconds. Signals are signal(7)'s, without SIG.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Protocol, TypedDict, Unpack

from labkit.files import Content, Files, Place
from labkit.files.errno import EACCES, EISDIR, ENOENT, ENOTDIR
from labkit.kernel import limits
from labkit.kernel.limits import Runaway

SECOND = 1_000_000_000  # nanoseconds


class Clock:
    """The machine's own time, in nanoseconds since 1970 (UTC); it moves only when it is told to."""

    def __init__(self, now: int) -> None:
        self.now = now

    def advance(self, nanoseconds: int) -> None:
        self.now += nanoseconds


BACKGROUND_STEPS = 100_000  # that a detached process may take before it counts as one that never ends
RESUMES = 400  # how often one that waits is resumed at its own times within one advance of the clock


SIGNALS = (  # by number; in the place of 0 stands the shell's trap at its exit
    "EXIT", "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM",
    "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH",
    "POLL", "PWR", "SYS",
)  # fmt: skip
_RTMIN, _RTMAX = 34, 64  # as glibc and musl leave them to programs
NAMES = dict(enumerate(SIGNALS[1:], 1)) | {
    **{_RTMIN + step: f"RTMIN+{step}" if step else "RTMIN" for step in range(16)},
    **{_RTMAX - step: f"RTMAX-{step}" if step else "RTMAX" for step in range(15)},
}
NUMBERS = {name: number for number, name in NAMES.items()} | {"CLD": 17, "IO": 29, "IOT": 6}
IGNORED = frozenset(("CHLD", "CONT", "URG", "WINCH"))  # without a handler nothing happens at these


def signal_named(text: str) -> str | None:
    """TERM for TERM, term, SIGTERM and 15, EXIT for 0, as a shell reads it; None where there is no such signal."""
    if text.isdigit():
        return SIGNALS[int(text)] if int(text) < len(SIGNALS) else None
    name = text.upper().removeprefix("SIG")
    return name if name in SIGNALS else None


def signal_list() -> str:
    """What `kill -l` prints in busybox and dash."""
    return "".join(f"{number:2}) {name}\n" for number, name in enumerate(SIGNALS) if number)


class Output:
    """A stream to write to; this one keeps what is written, in order."""

    def __init__(self, limit: int = 8 << 20) -> None:
        self.pieces: list[Content | bytes] = []
        self.size = 0
        self.limit = limit  # bytes

    def write(self, data: bytes | str) -> int:
        piece = data.encode("utf-8", "surrogateescape") if isinstance(data, str) else bytes(data)
        self._add(piece, len(piece))
        return len(piece)

    def write_last(self, text: str) -> None:
        """A last word, limit or not."""
        self.pieces.append(text.encode())

    def write_content(self, content: Content) -> int:
        """Sparse bytes, kept as such."""
        self._add(content, content.size)
        return content.size

    def _add(self, piece: Content | bytes, cost: int) -> None:
        self.size += cost
        if self.size > self.limit:
            raise Runaway(f"the output is longer than {self.limit >> 20} MiB")
        self.pieces.append(piece)

    def content(self) -> Content:
        return Content.join(self.pieces)

    def getvalue(self) -> bytes:
        return bytes(self.content())

    isatty = False


class Null(Output):
    """/dev/null."""

    def _add(self, piece: Content | bytes, cost: int) -> None:
        pass


class Input:
    """A stream to read from: bytes that are there from the start, then the end of file."""

    def __init__(self, content: Content | bytes = b"", *, isatty: bool = False) -> None:
        self._content = content
        self._place = 0
        self.isatty = isatty

    def read(self, size: int = -1) -> bytes:
        return bytes(self.read_content(size))

    def read_content(self, size: int = -1) -> Content:
        if isinstance(self._content, bytes):
            self._content = Content(self._content)
        end = self._content.size if size < 0 else min(self._content.size, self._place + size)
        piece: Content = self._content[self._place : end]  # type: ignore[assignment]
        self._place = end
        return piece

    def readline(self) -> bytes:
        """One line with its newline; b"" at the end."""
        line = bytearray()
        while byte := self.read(1):
            line += byte
            if byte == b"\n":
                break
        return bytes(line)


Program = Callable[["Process"], int]


class Parked(BaseException):
    """A detached process waits. `until`: nanoseconds of the machine's clock, or None for ever.

    `resume(process)` goes on from there and returns the exit status; each interpreter that the exception passes wraps
    it in what it has still to do. It must not change what it was made from: a machine may be restored and resume again.
    """

    def __init__(
        self, until: int | None, resume: Program = lambda process: 0, programs: tuple[Place, ...] = ()
    ) -> None:
        super().__init__(until)
        self.until = until
        self.resume = resume
        self.programs = programs  # the files that the process and its children run

    def kept(self) -> Parked:
        """The same wait without the frames that the exception has passed."""
        return Parked(self.until, self.resume, self.programs)

    def then(self, resume: Callable[[Process, int], int]) -> Parked:
        """The same wait, after which `resume(process, exit status so far)` goes on."""
        inner = self.resume

        def both(process: Process) -> int:
            try:
                status = inner(process)
            except Parked as parked:
                raise parked.then(resume) from None
            return resume(process, status)

        return Parked(self.until, both, self.programs)


class Killed(BaseException):
    """A signal ends the process that runs; `status` is what the shell sees of it."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Unanswered(Input):
    """A stream that is open and on which nothing ever comes: who reads it waits."""

    def read_content(self, size: int = -1) -> Content:
        raise Parked(None)

    def readline(self) -> bytes:
        raise Parked(None)


class Listed(NamedTuple):
    """A process as `ps` shows it."""

    pid: int
    user: str
    command: str


class Uname(NamedTuple):
    """What uname(2) says, but for the host's name."""

    system: str
    release: str
    version: str
    machine: str
    name: str  # of the operating system


class AtPrompt(NamedTuple):
    """A shell that waits for a person: status of its last command, its folder, the files that it sees, its PATH."""

    status: int
    folder: str
    files: Files
    path: str


@dataclass(frozen=True)
class Services:
    """What the shell and the utilities ask of the machine that they run on."""

    processes: Callable[[Process], Iterable[Listed]]  # those that this one can see
    kill: Callable[[Process, int, str], bool]  # send a signal to one of them; False where there is none of that number
    uname: Callable[[Process], Uname]
    adopt: Callable[[Process, Parked], None]  # a job that outlives its shell
    at_prompt: Callable[[AtPrompt], None]
    passed: Callable[[], None]  # time has passed in which waiting processes may go on


class Keys(Protocol):
    """The keys of a terminal at which somebody sits."""

    held: bool  # a command has the terminal until ^C

    def take_interrupt(self) -> bool:
        """Was ^C pressed? What was typed before it is lost then."""
        ...


_INTERRUPTED = 130  # exit status after SIGINT
FORSAKEN = -1  # what a container's process "returns" that goes on after the third ^C, when docker ends
_PATIENCE = 3  # docker/cli, cmd/docker/docker.go forceExitAfter3TerminationSignals


@dataclass
class Kernel:
    """What all processes of one machine share."""

    clock: Clock
    programs: Mapping[str, Program]
    execute: Program  # finds argv[0] and runs it; the shell part provides it
    services: Services
    budget: int = 2_000_000  # steps that are left to the command that runs
    signals: list[tuple[str, int, str]] = field(default_factory=list)  # PID namespace, process and name: sent to
    # processes that wait for what runs now
    running: list[Place] = field(default_factory=list)  # the programs that run now, each started by the one before it
    children: list[Callable[[], Iterable[Place]]] = field(
        default_factory=list
    )  # those that they left in the background
    keys: Keys | None = None  # of the terminal that the foreground has; None: nobody can press ^C

    @contextmanager
    def unattended(self) -> Iterator[None]:
        """What never ends gets its ^C at once in here."""
        keys, self.keys = self.keys, None
        try:
            yield
        finally:
            self.keys = keys

    def tick(self, steps: int = 1) -> None:
        self.budget -= steps
        if self.budget < 0:
            raise Runaway("the command does not end")


@dataclass(frozen=True)
class Namespaces:
    """Whose namespaces a process is in, beside the mount and the UTS namespace, which are its files and hostname.

    "" stands for the host's own, else a container's id. privileged: may it enter others.
    """

    network: str = ""
    ipc: str = ""
    pid: str = ""
    privileged: bool = True


class Changes(TypedDict, total=False):
    """In what a child differs from its parent."""

    env: dict[str, str]
    files: Files
    stdin: Input
    stdout: Output
    stderr: Output
    hostname: str
    pid: int
    detached: bool
    namespaces: Namespaces


@dataclass
class Process:
    """One process. Streams may be shared between processes (2>&1 is one object in both places)."""

    argv: list[str]
    env: dict[str, str]
    files: Files
    stdin: Input
    stdout: Output
    stderr: Output
    kernel: Kernel
    hostname: str = "localhost"
    pid: int = 1
    detached: bool = False  # waits park it; else they move the clock on
    tty: bool = False
    namespaces: Namespaces = Namespaces()
    parents: tuple[int, ...] = ()  # the shells that wait for it, by pid
    handles: dict[int, Input | Output] = field(default_factory=dict)  # further open files, by number
    traps: dict[str, str] = field(default_factory=dict)  # signal name (TERM) -> shell command

    def sleep(self, seconds: float) -> None:
        """Wait. A detached process parks; any other moves the machine's clock."""
        wait = int(seconds * SECOND)
        if self.detached:
            raise Parked(self.kernel.clock.now + wait)
        self.kernel.clock.advance(wait)
        self.kernel.services.passed()

    def wait_forever(self, *signals: str) -> int:
        """Wait for something that never comes, as a server does for a request. In the foreground: until ^C.

        `signals`: the names (TERM) of those that the program has a handler for, which ends it in good order.
        """
        for name in signals:
            self.traps.setdefault(name, "exit 0")
        if self.detached:
            raise Parked(None)
        return self._hold(0)

    def _hold(self, ignored: int) -> int:
        """The exit status after ^C, which the first process of a container gets only where it has a handler for it."""
        keys = self.kernel.keys
        if keys is None:
            return _INTERRUPTED
        handler = re.fullmatch(r"exit (\d+)", self.traps.get("INT", ""))
        if keys.take_interrupt():
            if handler or not (self.namespaces.pid and self.pid == 1):
                return int(handler[1]) if handler else _INTERRUPTED
            ignored += 1
            if ignored == _PATIENCE:
                return FORSAKEN
        keys.held = True
        raise Parked(None, lambda process: process._hold(ignored))

    def tick(self, steps: int = 1) -> None:
        self.kernel.tick(steps)

    def signal_parent(self, pid: int, name: str) -> bool:
        """Leave a signal for a shell that waits for this process; False where there is none of that number."""
        if pid not in self.parents:
            return False
        self.kernel.signals.append((self.namespaces.pid, pid, name))
        return True

    def spawn(self, argv: list[str], **changes: Unpack[Changes]) -> int:
        """Run another program as a child."""
        changes.setdefault("files", self.files.copy())
        changes.setdefault("env", dict(self.env))
        return self.kernel.execute(replace(self, argv=list(argv), traps={}, **changes))

    def exec(self, argv: list[str]) -> int:
        """Become another program, as execve does: the same process, its traps gone."""
        self.traps.clear()
        return self.kernel.execute(replace(self, argv=list(argv)))


@dataclass(frozen=True)
class LeftJob:
    """A process that waits. It is never run itself: a copy of it goes on."""

    process: Process
    parked: Parked
    until: int  # ns


class LeftJobs:
    """Those of one machine. `copied`: a process with streams of its own. `others` lets all else that waits go on."""

    def __init__(self, kernel: Kernel, copied: Callable[[Process], Process], others: Callable[[], None]) -> None:
        self.waiting: tuple[LeftJob, ...] = ()
        self._kernel = kernel
        self._copied = copied
        self._others = others

    def add(self, process: Process, parked: Parked) -> None:
        """What waits for ever is as good as gone."""
        if parked.until is not None:
            self.waiting += (LeftJob(process, parked, parked.until),)

    def advance(self) -> None:
        """Let all go on to what the clock says now, each job at its own time, in order."""
        clock = self._kernel.clock
        now = clock.now
        resumes = 0
        while job := min((job for job in self.waiting if job.until <= now), key=lambda job: job.until, default=None):
            self.waiting = tuple(other for other in self.waiting if other is not job)
            resumes += 1
            clock.now = job.until if resumes <= RESUMES else now
            self._others()
            self._go_on(job)
        clock.now = now
        self._others()

    def _go_on(self, job: LeftJob) -> None:
        kernel = self._kernel
        budget, kernel.budget = kernel.budget, BACKGROUND_STEPS
        process = self._copied(job.process)
        try:
            job.parked.resume(process)
        except Parked as parked:
            self.add(process, parked)
        except (OSError, Killed, *limits.STOPPED) as error:
            if isinstance(error, MemoryError):
                limits.reason(error)
            return  # there is nobody to tell
        finally:
            kernel.budget = budget


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
        mode = files.mode(path)
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
