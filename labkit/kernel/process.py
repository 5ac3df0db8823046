"""What is executed: a process with its arguments, files and streams, as plain state, and what all share.

A *program* is a Python function that takes a Process and returns an exit status. A process either runs to its end at
once or, when it is detached and has to wait, *parks*: it raises Parked, which carries what is needed to go on. Nothing
runs between two commands; the machine resumes a parked process when its clock has passed the time it waits for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple, TypedDict, Unpack

from labkit.files import Content, Files
from labkit.kernel.clock import SECOND, Clock
from labkit.kernel.limits import Runaway
from labkit.kernel.streams import Input, Output

Program = Callable[["Process"], int]


class Parked(BaseException):
    """A detached process waits. `until`: nanoseconds of the machine's clock, or None for ever.

    `resume(process)` goes on from there and returns the exit status; each interpreter that the exception passes wraps
    it in what it has still to do. It must not change what it was made from: a machine may be restored and resume again.
    """

    def __init__(self, until: int | None, resume: Program = lambda process: 0) -> None:
        super().__init__(until)
        self.until = until
        self.resume = resume

    def then(self, resume: Callable[[Process, int], int]) -> Parked:
        """The same wait, after which `resume(process, exit status so far)` goes on."""
        inner = self.resume

        def both(process: Process) -> int:
            try:
                status = inner(process)
            except Parked as parked:
                raise parked.then(resume) from None
            return resume(process, status)

        return Parked(self.until, both)


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


@dataclass
class Kernel:
    """What all processes of one machine share."""

    clock: Clock
    programs: Mapping[str, Program]
    execute: Program  # finds argv[0] and runs it; the shell part provides it
    services: Services
    budget: int = 2_000_000  # steps that are left to the command that runs

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
        """Wait for something that never comes, as a server does for a request. In the foreground: interrupted (130).

        `signals`: the names (TERM) of those that the program has a handler for, which ends it in good order.
        """
        for name in signals:
            self.traps.setdefault(name, "exit 0")
        if self.detached:
            raise Parked(None)
        return 130

    def tick(self, steps: int = 1) -> None:
        self.kernel.tick(steps)

    def spawn(self, argv: list[str], **changes: Unpack[Changes]) -> int:
        """Run another program as a child."""
        changes.setdefault("files", self.files.copy())
        changes.setdefault("env", dict(self.env))
        return self.kernel.execute(replace(self, argv=list(argv), traps={}, **changes))

    def exec(self, argv: list[str]) -> int:
        """Become another program, as execve does: the same process, its traps gone."""
        self.traps.clear()
        return self.kernel.execute(replace(self, argv=list(argv)))
