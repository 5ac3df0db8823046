"""The processes of a container: what they are started with, and how they run until they end or wait."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from labkit.engine.containers import ending
from labkit.engine.containers.ending import KILLED, flush
from labkit.engine.containers.logs import Log, Recorded, Streams
from labkit.engine.core.core import Core
from labkit.engine.core.records import Container, Running
from labkit.files import User
from labkit.kernel.process import BACKGROUND_STEPS, PROGRAM_MARK, ExecError, Namespaces, Parked, Process, Runaway

if TYPE_CHECKING:
    from labkit.files import Namespace

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

_HEAD = 64  # bytes of a file that tell what it is
_NOT_RUN = 255  # exit code where the kernel refuses the file


def namespaces_of(container: Container) -> Namespaces:
    """Its own, but for those that --network, --ipc and --pid share with the host."""
    network, ipc, pid = (
        "" if container.host(mode) == "host" else container.id for mode in ("NetworkMode", "IpcMode", "PidMode")
    )
    return Namespaces(network, ipc, pid, privileged=bool(container.host("Privileged")))


def environment(container: Container, home: str, more: list[str] | None = None) -> dict[str, str]:
    """The variables of a process in a container, in the order of docker exec CONTAINER env."""
    env = {"PATH": PATH, "HOSTNAME": container.hostname}
    if container.config.get("Tty"):
        env["TERM"] = "xterm"
    for text in [*(container.config.get("Env") or ()), *(more or ())]:
        key, equals, value = text.partition("=")
        if equals:
            env[key] = value
    env.setdefault("HOME", home)
    return env


def first_run(process: Process, path: str) -> int:
    """The first time on the processor. A file that is neither program nor script, or whose interpreter is missing, ends
    the process at once."""
    with process.files.as_user(User()).open(path) as handle:
        head = handle.read(_HEAD)
    if not head.startswith((PROGRAM_MARK, b"#!")):
        process.stderr.write(f"exec {path}: exec format error\n")
        return _NOT_RUN
    try:
        return process.kernel.execute(process)
    except ExecError:
        process.stderr.write(f"exec {path}: no such file or directory\n")
        return _NOT_RUN


def run_process(
    core: Core, identifier: str, namespace: Namespace, process: Process, go: Callable[[], int]
) -> int | None:
    """Let a process run until it ends or waits; its exit status, or None where it waits."""
    kernel = core.kernel
    budget = kernel.budget
    if process.detached:
        kernel.budget = BACKGROUND_STEPS
    core.tables.running.set(identifier, Running(namespace, process, Parked(None)))
    try:
        status = go()
    except Parked as parked:
        flush(core, identifier, process)
        if not process.detached:  # it waits for what is typed; the terminal goes on with it
            raise parked.then(lambda given, status: _ended_at_terminal(core, identifier, process, status)) from None
        core.tables.running.set(identifier, Running(namespace, process, parked))
        return None
    except (Runaway, RecursionError):
        if not process.detached:
            ending.end(core, identifier, process, KILLED)
            raise
        core.tables.running.set(identifier, Running(namespace, process, Parked(None)))
        flush(core, identifier, process)
        return None
    finally:
        if process.detached:
            kernel.budget = budget
    if identifier in core.tables.running:
        ending.end(core, identifier, process, status & 0xFF)
    return status & 0xFF


def _ended_at_terminal(core: Core, identifier: str, process: Process, status: int) -> int:
    if identifier in core.tables.running:
        ending.end(core, identifier, process, status & 0xFF)
    return status & 0xFF


def run_exec(core: Core, key: str, namespace: Namespace, process: Process, go: Callable[[], int]) -> int:
    """A detached process beside the container's own; it is kept while it waits."""
    try:
        status = go()
    except Parked as parked:
        core.tables.running.set(key, Running(namespace, process, parked))
        return 0
    if key in core.tables.running:
        core.tables.running.delete(key)
    return status & 0xFF


def adopt(core: Core, process: Process, parked: Parked) -> None:
    """Keep a job that outlives its shell beside the container's own process, with which it ends."""
    for key, running in list(core.tables.running.items()):
        if running.namespace is process.files.namespace and "/" not in key:
            own = f"{key}/{core.ids.number('exec')}"
            core.tables.running.set(own, Running(running.namespace, process, parked))


def copy_of(core: Core, process: Process, attach: Streams | None = None) -> Process:
    """The same process with state of its own, so that the first one can be gone on from again."""
    log = Log(core.now)
    stdout = Recorded(log, "stdout", attach.stdout if attach else None, isatty=process.tty)
    stderr = stdout if process.tty else Recorded(log, "stderr", attach.stderr if attach else None)
    return replace(
        process, argv=list(process.argv), env=dict(process.env), files=process.files.copy(), stdin=process.stdin,
        stdout=stdout, stderr=stderr, handles=dict(process.handles), traps=dict(process.traps),
    )  # fmt: skip
