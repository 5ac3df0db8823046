"""Machine: a simulated computer with a Docker Engine on it, all in memory, the same on every run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, TypeVar

from labkit.catalog import computers
from labkit.catalog.computers import HOSTNAME, host_entries
from labkit.catalog.images import Registry
from labkit.catalog.programs import PROGRAMS as CATALOG_PROGRAMS
from labkit.catalog.programs import clients
from labkit.dockercli.dispatch import docker
from labkit.drivers import DRIVERS, Driver, choice
from labkit.drivers.base import Saved as DriverSaved
from labkit.drivers.base import options_of
from labkit.engine.api import ContainerView, Engine
from labkit.engine.containers import processes
from labkit.engine.containers.sandbox import KERNEL_BUILD, mounts_text
from labkit.engine.core.core import About, Event, Frozen
from labkit.engine.core.happened import Happened
from labkit.engine.daemon import daemon, daemoninfo
from labkit.engine.daemon.daemon import SOCKET, Daemon
from labkit.files import Entry, Files, Inode, Namespace, Source, Store, Tree, tmpfs
from labkit.files.contents import failure
from labkit.files.inodes import Saved
from labkit.files.layers import grow
from labkit.kernel import limits
from labkit.kernel.process import (
    AtPrompt,
    Clock,
    ExecError,
    Input,
    Kernel,
    Killed,
    LeftJob,
    LeftJobs,
    Output,
    Parked,
    Process,
    Program,
    Services,
    Uname,
)
from labkit.shell import APPLETS as SHELL_APPLETS
from labkit.shell import PROGRAMS as SHELLS
from labkit.shell import SavedSession, Session, Written, execute
from labkit.shell.boundaries import process_twin
from labkit.shell.completion import Completion
from labkit.userland import PROGRAMS as UTILITIES

DOCKER_ROOT = "/var/lib/docker"
DATA = ("/home", "/srv", "/Users")  # folders in which are no programs
Row = TypeVar("Row")
_START = 1_795_510_800 * 1_000_000_000  # ns: 2026-11-24 09:00:00 UTC
_STEP = 1_000_000_000  # ns that each command takes
_EXEC = 1_000_000  # ns that starting a program takes
_BUDGET = 160_000  # steps of one command
_START_STEPS = 10  # that starting a program takes
INTERRUPT, END = "\x03", "\x04"  # what the keys ^C and ^D type
WAITING = ("> ", "")  # prompts of a terminal that waits for the rest of a command, or for what a program reads
_DISK = 0xFE01  # st_dev of the host's disk: 254, 1
_ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
    "TERM": "xterm",
}


@dataclass(frozen=True)
class Completed:
    """What a command did, as subprocess.CompletedProcess has it."""

    args: str
    returncode: int
    stdout: str
    stderr: str


class Snapshot(NamedTuple):
    """A whole machine at one moment."""

    store: Saved
    engine: Frozen
    driver: DriverSaved
    jobs: tuple[LeftJob, ...]
    now: int


@dataclass(frozen=True)
class _System:
    """What kind of computer it is."""

    home: str
    hostname: str
    user: str
    tree: Callable[[], tuple[Entry, ...]]
    kernel: Uname | None = None  # where it is not the one that the engine runs on


_LINUX = _System("/home/learner", HOSTNAME, "root", host_entries)
_SYSTEMS = {
    "linux": _LINUX,
    "mac": _System(computers.MAC_HOME, computers.MAC_HOSTNAME, "learner", computers.mac_entries, computers.MAC_KERNEL),
}
_VM = _System("/root", computers.VM_HOSTNAME, "root", computers.vm_entries)
_VM_ADDRESS = "192.168.65.3"


def _row(table: Mapping[str, Row], option: str, name: str) -> Row:
    """A row of a table by the name that an option gives; ValueError names the rows that there are."""
    if name not in table:
        raise ValueError(f"{option} is one of {', '.join(sorted(table))}, not {name!r}")
    return table[name]


class Machine:
    """A computer with a Docker Engine. `run` takes what a person would type in its root shell.

    system: "linux", or "mac", whose engine is in a virtual machine. storage_driver: one of labkit.drivers.DRIVERS,
    else the daemon picks. image_store: "graphdriver" (the classic one, with a storage driver) or "containerd".
    engine, distribution, kernel, backing (file system): decide what the daemon picks and says of itself, nothing else;
    where they are not given, the newest on which the asked driver works. storage_options: KEY=VALUE for the driver, as
    in daemon.json. Raises choice.DriverRefused and base.OptionRefused, both a ValueError. What the daemon would not
    pick again by itself is written into /etc/docker/daemon.json.
    """

    def __init__(
        self,
        *,
        system: str = "linux",
        storage_driver: str | None = None,
        image_store: str = "graphdriver",
        engine: str | None = None,
        distribution: str | None = None,
        kernel: str | None = None,
        backing: str | None = None,
        storage_options: Sequence[str] = (),
    ) -> None:
        stores = {"graphdriver": storage_driver, "containerd": choice.snapshotter()}
        given = {"engine": engine, "distribution": distribution, "kernel": kernel, "backing": backing}
        driver, setting = choice.machine(_row(stores, "image_store", image_store), **given)
        self._system = _row(_SYSTEMS, "system", system)
        home, user = self._system.home, self._system.user
        self.environment = {"HOME": home, "USER": user, "LOGNAME": user, **_ENVIRONMENT}
        self.spent = 0  # steps of all commands so far
        self.at_prompt: AtPrompt | None = None  # the shell that asked last
        self._clock = Clock(_START)
        self.store = Store(self._clock)
        programs = dict(_programs())
        self.kernel = Kernel(self._clock, programs, self._execute, self._services())
        self.store.meter = self.kernel.tick
        self._namespace = self._disk(self._system)
        self.files: Files = self._namespace.files()
        host, about = self._engine_host()
        self._mount_proc(host)
        made = DRIVERS[driver](host, DOCKER_ROOT, options_of(DRIVERS[driver], storage_options))
        made.backing = setting.backing_name
        if self._system is _LINUX:
            about |= {"kernel_version": setting.kernel, "operating_system": setting.title}
        if setting.engine != choice.ENGINES[0]:
            about["server_version"] = setting.engine
        self.engine = Engine(host, made, self.kernel, Registry(), About(**about))
        config = choice.configuration(driver, setting)
        config |= {"storage-opts": list(storage_options)} if storage_options else {}
        if config:
            daemoninfo.write(host, config)
        socket = SOCKET if self._system is _LINUX else None
        self.daemon = Daemon(self.engine, setting, DOCKER_ROOT, socket=socket)
        self._jobs = LeftJobs(self.kernel, process_twin, self.engine.advance)
        self.store.running = lambda: daemon.running_programs(self.daemon, self._jobs.waiting)
        programs |= {"docker": docker(self.daemon), **clients(self.daemon)}

    def _services(self) -> Services:
        """What processes ask of this machine; the daemon is there before the first of them runs."""
        return Services(
            processes=lambda process: daemon.list_processes(self.daemon, process),
            kill=lambda process, pid, signal: daemon.kill_process(self.daemon, process, pid, signal),
            uname=self._uname,
            adopt=self._adopt,
            at_prompt=self._note_prompt,
            passed=lambda: self._jobs.advance(),
        )

    def _uname(self, process: Process) -> Uname:
        """What the kernel that this process runs on says of itself: the engine's, but for the Mac's own."""
        if self._system.kernel and process.files.namespace is self._namespace:
            return self._system.kernel
        return Uname("Linux", self.engine.core.about.kernel_version, KERNEL_BUILD, "x86_64", "GNU/Linux")

    def _adopt(self, process: Process, parked: Parked) -> None:
        """A job that outlives its shell: the container that it is in keeps it, else the machine."""
        if process.files.namespace in (self._namespace, self.engine.host.namespace):
            self._jobs.add(process, parked)
        else:
            processes.adopt(self.engine.core, process, parked)

    def _note_prompt(self, at: AtPrompt) -> None:
        self.at_prompt = at

    def _disk(self, system: _System) -> Namespace:
        return Namespace(self.store, Source(Tree(self.store, _tree(system.tree), _DISK), None))

    def _engine_host(self) -> tuple[Files, dict[str, str]]:
        """Where the engine runs: here, or in a virtual machine that sees some folders of the computer."""
        if self._system is _LINUX:
            return self.files, {"hostname": HOSTNAME}
        inside = self._disk(_VM)
        for path in computers.MAC_SHARED:
            inside.mount(path, self.files.source(path), device=f"/run/host_mark{path}", fstype="fakeowner")
        return inside.files(), {"hostname": _VM.hostname, "address": _VM_ADDRESS, "operating_system": "Docker Desktop"}

    def _mount_proc(self, host: Files) -> None:
        """/proc of the computer that the engine runs on, with its mounts alone."""
        host.namespace.mount("/proc", tmpfs(self.store, mode=0o555), device="proc", fstype="proc")
        self.store.generators["mounts"] = lambda args: mounts_text(host.namespace.mounts).encode()
        host.mkdir("/proc/self")
        for path in ("/proc/mounts", "/proc/self/mounts"):
            host.write_generated(path, "mounts", mode=0o444)

    def _execute(self, process: Process) -> int:
        self._clock.advance(_EXEC)
        self.kernel.tick(_START_STEPS)
        return execute(process)

    @property
    def driver(self) -> Driver:
        """The storage driver that the engine runs with."""
        return self.engine.driver

    def restart_engine(
        self,
        storage_driver: str | None = None,
        *,
        containerd_store: bool | None = None,
        storage_options: Sequence[str] | None = None,
    ) -> None:
        """Write what is given into daemon.json, and restart the daemon.

        Images and containers belong to a driver: those of the old one are out of sight until it is used again. Raises
        daemon.NotStarted where the daemon does not start; docker can't reach it then.
        """
        changes: dict[str, object] = {} if storage_driver is None else {"storage-driver": storage_driver}
        if containerd_store is not None:
            changes["features"] = {choice.CONTAINERD: containerd_store}
        if storage_options is not None:
            changes["storage-opts"] = list(storage_options)
        if changes:
            daemoninfo.write(self.engine.host, daemoninfo.current(self.engine.host) | changes)
        self.daemon.restart()

    @property
    def events(self) -> list[Event]:
        """What the engine did, in order; what only docker events tells is left out."""
        return [event for event in self.engine.events if not isinstance(event, Happened)]

    def run(self, line: str, stdin: bytes = b"") -> Completed:
        """Run a line as a fresh `sh -c` in the learner's folder."""
        stdout, stderr = Output(), Output()
        line = _typed(line)
        process = self.process(["sh", "-c", line], Input(stdin), stdout, stderr)
        status = self.limited(lambda: self.kernel.execute(process), stderr.write_last)
        return Completed(line, status, _text(stdout), _text(stderr))

    def run_clean(self, line: str) -> Completed:
        """Run a line as `run` does, with the programs and settings of a fresh computer: it sees no more than DATA."""
        namespace, stdout, stderr = self._disk(self._system), Output(), Output()
        for path in filter(self.files.is_dir, DATA):
            namespace.mount(path, self.files.source(path))
        process = self.process(["sh", "-c", line], Input(b""), stdout, stderr, namespace)
        process.env["HOME"] = "/"  # docker's own settings are the learner's too
        status = self.limited(lambda: self.kernel.execute(process), stderr.write_last)
        return Completed(line, status, _text(stdout), _text(stderr))

    def session(self) -> Terminal:
        """A terminal with root's shell in it."""
        return Terminal(self)

    def process(
        self, argv: list[str], stdin: Input, stdout: Output, stderr: Output, namespace: Namespace | None = None
    ) -> Process:
        """A process in the learner's folder, not yet run."""
        files = (namespace or self._namespace).files(cwd=self._system.home)
        hostname = self._system.hostname
        return Process(argv, dict(self.environment), files, stdin, stdout, stderr, self.kernel, hostname=hostname)

    def limited(
        self, command: Callable[[], int], complain: Callable[[str], object], undo: Callable[[], object] = lambda: None
    ) -> int:
        """Let a command have its time and its budget; one that uses up more ends with 137 and a line that says so.

        A fault of labkit's own ends it with 70 (EX_SOFTWARE): the machine, and what `undo` undoes, are as they were.
        """
        before = self.snapshot()
        self._clock.advance(_STEP)
        self.kernel.budget = _BUDGET
        try:
            self._jobs.advance()
            self.kernel.budget = _BUDGET
            with limits.metered(self.kernel.tick):
                return command()
        except limits.STOPPED as error:
            complain(f"labkit: stopped: {limits.reason(error)}\n")
        except ExecError as error:  # the shell itself is gone
            complain(f"{error.path}: {failure(error.errno).strerror}\n")
            return 127
        except OSError as error:  # a file that the machine itself needs was taken away
            complain(f"labkit: stopped: {error.filename}: {error.strerror}\n")
        except (Exception, Parked, Killed) as fault:
            self.restore(before)
            complain(f"labkit has a fault: {fault!r}; the machine is as it was before this command\n")
            undo()
            return 70
        finally:
            self.spent += _BUDGET - self.kernel.budget
            limits.count(_BUDGET - self.kernel.budget)
            self.kernel.budget = _BUDGET  # of what is asked between two commands, a new shell's prompt among it
        return 137

    def container(self, ref: str) -> ContainerView:
        """A container, with `.files`: what it sees."""
        return self.engine.container(ref)

    def snapshot(self) -> Snapshot:
        """The whole machine; costs almost nothing, whatever its size."""
        return Snapshot(
            self.store.snapshot(),
            self.engine.snapshot(),
            self.driver.snapshot(),
            self._jobs.waiting,
            self._clock.now,
        )

    def restore(self, saved: Snapshot) -> None:
        """Back to a snapshot of this machine."""
        self.store.restore(saved.store)
        self.engine.restore(saved.engine)
        self.daemon.restored()
        self.driver.restore(saved.driver)
        self._jobs.waiting = saved.jobs
        self._clock.now = saved.now


class SavedTerminal(NamedTuple):
    """A terminal at one moment: its outer shell, how that was, and the innermost one at its prompt."""

    session: Session | None
    shell: SavedSession | None
    at: AtPrompt | None


class Terminal:
    """Lines typed one after the other into one shell, which keeps its folder and variables.

    It can be inside another shell (`docker run -it …`, `docker exec -it …`, the Mac's way into its virtual machine)
    until `exit`. A shell that has ended, or that had to be stopped, is followed by a new one. What a terminal did is
    the list of its lines: typed on another machine they give the same.
    """

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self._session: Session | None = None
        self._at: AtPrompt | None = None  # the innermost shell, as it is at its prompt
        self.ended = False  # the last line ended the shell
        self.runaway = False  # the last line had to be stopped
        self.spent = 0  # steps of all lines
        self.written: list[Written] = []  # what the last line wrote, both streams in their order

    @property
    def prompt(self) -> str:
        """What the innermost shell shows before the cursor."""
        return self._waiting().prompt

    @property
    def held(self) -> bool:
        """Whether a command has the terminal until ^C."""
        return self._waiting().held

    @property
    def inside(self) -> bool:
        """Whether the innermost shell sees other files than the host's: a container's."""
        return self._at is not None and self._at.files.namespace is not self.machine.files.namespace

    @property
    def folder(self) -> str:
        """Where the shell is."""
        return self._at.folder if self._at and self._session else self.machine.environment["HOME"]

    @property
    def files(self) -> Files:
        """What the innermost shell sees, from where it is."""
        self._waiting()
        return self._at.files if self._at else self.machine.files

    def complete(self, line: str) -> Completion:
        """What Tab offers at the end of this line."""
        from labkit.dockercli.completion import complete as docker_words
        from labkit.shell.completion import complete

        self._waiting()
        engine = self.machine.engine
        programs = {} if self.inside else {"docker": lambda before, word: docker_words(engine, before, word)}
        return complete(line, self._at, programs) if self._at else Completion("", ())

    def snapshot(self) -> SavedTerminal:
        """The terminal as it is; goes with a snapshot of its machine."""
        return SavedTerminal(self._session, self._session.snapshot() if self._session else None, self._at)

    def restore(self, saved: SavedTerminal) -> None:
        self._session, self._at = saved.session, saved.at
        if saved.session is not None and saved.shell is not None:
            saved.session.restore(saved.shell)

    def run(self, line: str) -> Completed:
        """One input, of one line or more; a line that is just ^C or ^D (INTERRUPT, END) is that key."""
        before = self.snapshot()
        self.written, self.ended, self.runaway = [], False, False
        status = self.machine.limited(
            lambda: self._type(_typed(line).split("\n")), self._stopped, lambda: self.restore(before)
        )
        return Completed(line, status, _written(self.written, 1), _written(self.written, 2))

    def _stopped(self, said: str) -> None:
        self._session, self.runaway = None, True
        self.written.append(Written(2, said.encode()))

    def _type(self, lines: list[str]) -> int:
        """Collect what is written, without the prompts in between; the exit status."""
        kernel = self.machine.kernel
        before, status = kernel.budget, 0
        try:
            for line in lines:
                session = self._waiting()
                if line == INTERRUPT:
                    self.written += session.interrupt()
                else:
                    self.written += session.feed(None if line == END else line)
                status = self._status(session)
            return status
        finally:
            self.spent += before - kernel.budget

    def _status(self, session: Session) -> int:
        if session.status is None:
            self._look()
            return self._at.status if self._at and session.prompt not in WAITING else 0
        self._session, self.ended = None, True
        return session.status

    def _waiting(self) -> Session:
        """The shell that waits for a line. A new one is made in no time: who only looks at it changes nothing."""
        if self._session is None:
            clock = self.machine._clock
            now = clock.now
            self._session = Session(self.machine.process(["sh"], Input(), Output(), Output()))
            clock.now = now
            self._look()
        return self._session

    def _look(self) -> None:
        self._at = self.machine.at_prompt


def _written(written: list[Written], stream: int) -> str:
    return b"".join(each.text for each in written if each.stream == stream).decode("utf-8", "replace")


def _typed(line: str) -> str:
    """The line as bytes reach the machine: half a surrogate pair becomes bytes that are no UTF-8."""
    try:
        line.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return line.encode("utf-8", "surrogatepass").decode("utf-8", "surrogateescape")
    return line


def _text(output: Output) -> str:
    return output.getvalue().decode("utf-8", "replace")


@lru_cache(maxsize=8)
def _tree(entries: Callable[[], tuple[Entry, ...]]) -> Inode:
    return grow(entries(), sealed=False)


@lru_cache(maxsize=1)
def _programs() -> dict[str, Program]:
    return {**UTILITIES, **SHELLS, **SHELL_APPLETS, **CATALOG_PROGRAMS}
