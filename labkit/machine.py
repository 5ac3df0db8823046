"""Machine: a simulated computer with a Docker Engine on it, all in memory, the same on every run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from labkit.catalog.host import HOSTNAME, host_entries
from labkit.catalog.programs import PROGRAMS as CATALOG_PROGRAMS
from labkit.catalog.registry import Registry
from labkit.dockercli.main import docker
from labkit.drivers import DRIVERS
from labkit.engine.engine import Engine
from labkit.engine.events import Event
from labkit.engine.process import Clock, Input, Kernel, Output, Process, Program, Runaway
from labkit.files import Files, Inode, Namespace, Source, Store, Tree, tmpfs
from labkit.files.layers import grow
from labkit.shell import APPLETS as SHELL_APPLETS
from labkit.shell import PROGRAMS as SHELLS
from labkit.shell import Session, execute
from labkit.shell.utilities import PROGRAMS as UTILITIES

HOME = "/home/learner"
DOCKER_ROOT = "/var/lib/docker"
_START = 1_795_510_800 * 1_000_000_000  # ns: 2026-11-24 09:00:00 UTC
_STEP = 1_000_000_000  # ns that each command takes
_EXEC = 1_000_000  # ns that starting a program takes
_BUDGET = 300_000  # steps of one command
_DISK = 0xFE01  # st_dev of the host's disk: 254, 1
_ENVIRONMENT = {
    "HOME": HOME,
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "USER": "root",
    "LOGNAME": "root",
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


@dataclass(frozen=True)
class Snapshot:
    """A whole machine at one moment."""

    store: Any
    engine: Any
    driver: Any
    now: int


class Machine:
    """A computer with a Docker Engine. `run` takes what a person would type in its root shell."""

    def __init__(self, *, storage_driver: str = "overlay2", image_store: str = "graphdriver") -> None:
        if image_store == "containerd":
            storage_driver = "overlayfs"
        self.environment = dict(_ENVIRONMENT)
        self._clock = Clock(_START)
        self.store = Store(self._clock)
        self._namespace = Namespace(self.store, Source(Tree(self.store, _host_tree(), _DISK), None))
        self.files: Files = self._namespace.files()
        self.kernel = Kernel(self._clock, _programs(), self._execute)
        self._mount_proc()
        self.driver = DRIVERS[storage_driver](self.files, DOCKER_ROOT)
        self.engine = Engine(self.files, self.driver, self.kernel, Registry())
        self.kernel.services["engine"] = self.engine
        self.kernel.passed = self.engine.advance

    def _mount_proc(self) -> None:
        about: dict[str, Any] = {"device": "proc", "fstype": "proc"}
        self._namespace.mount("/proc", tmpfs(self.store, mode=0o555), **about)
        self.store.generators["mounts"] = self._proc_mounts
        self.files.mkdir("/proc/self")
        for path in ("/proc/mounts", "/proc/self/mounts"):
            self.files.write_generated(path, "mounts", mode=0o444)

    def _proc_mounts(self) -> bytes:
        lines = [
            f"{mount.device} {mount.target} {mount.fstype} {','.join(mount.options)} 0 0\n"
            for mount in self._namespace.mounts
            if not mount.hidden
        ]
        return "".join(lines).encode()

    def _execute(self, process: Process) -> int:
        self._clock.advance(_EXEC)
        return execute(process)

    @property
    def events(self) -> list[Event]:
        """What the engine did, in order."""
        return list(self.engine.events)

    def run(self, line: str, stdin: bytes = b"") -> Completed:
        """Run a line as a fresh `sh -c` in the learner's folder."""
        stdout, stderr = Output(), Output()
        process = self._process(["sh", "-c", line], Input(stdin), stdout, stderr)
        status = self.limited(lambda: self.kernel.execute(process), stderr.write)
        return Completed(line, status, _text(stdout), _text(stderr))

    def session(self) -> Terminal:
        """A terminal with root's shell in it."""
        return Terminal(self, self._process(["sh"], Input(), Output(), Output()))

    def _process(self, argv: list[str], stdin: Input, stdout: Output, stderr: Output) -> Process:
        files = self._namespace.files(cwd=HOME)
        return Process(argv, dict(self.environment), files, stdin, stdout, stderr, self.kernel, hostname=HOSTNAME)

    def limited(self, command: Callable[[], int], complain: Callable[[str], object]) -> int:
        """Let a command have its time and its budget; one that uses up more ends with 137 and a line that says so."""
        self._clock.advance(_STEP)
        self.engine.advance()
        self.kernel.budget = _BUDGET
        try:
            return command()
        except (Runaway, RecursionError) as error:
            complain(f"labkit: stopped: {error if isinstance(error, Runaway) else 'nested too deeply'}\n")
            return 137

    def container(self, ref: str) -> Any:
        """A container, with `.files`: what it sees."""
        return self.engine.container(ref)

    def snapshot(self) -> Snapshot:
        """The whole machine; costs almost nothing, whatever its size."""
        return Snapshot(self.store.snapshot(), self.engine.snapshot(), self.driver.snapshot(), self._clock.now)

    def restore(self, saved: Snapshot) -> None:
        """Back to a snapshot of this machine."""
        self.store.restore(saved.store)
        self.engine.restore(saved.engine)
        self.driver.restore(saved.driver)
        self._clock.now = saved.now


class Terminal:
    """A shell at a terminal: it keeps its folder and variables, and other shells may run in it, until `exit`."""

    def __init__(self, machine: Machine, process: Process) -> None:
        self._machine = machine
        self._session = Session(process)

    @property
    def prompt(self) -> str:
        """What the innermost shell shows before the cursor."""
        return self._session.prompt

    @property
    def ended(self) -> bool:
        return self._session.ended

    def run(self, line: str) -> Completed:
        """Type a line. Its status is the shell's once that has ended, else 0; both streams show on the one screen."""
        shown: list[bytes] = []
        failed: list[str] = []

        def feed() -> int:
            shown.extend(written.text for written in self._session.feed(line))
            return self._session.status or 0

        status = self._machine.limited(feed, failed.append)
        screen = b"".join(shown).decode("utf-8", "replace") + "".join(failed)
        return Completed(line, status, screen, "")


def _text(output: Output) -> str:
    return output.getvalue().decode("utf-8", "replace")


@lru_cache(maxsize=1)
def _host_tree() -> Inode:
    return grow(host_entries(), sealed=False)


@lru_cache(maxsize=1)
def _programs() -> dict[str, Program]:
    return {**UTILITIES, **SHELLS, **SHELL_APPLETS, **CATALOG_PROGRAMS, "docker": docker}
