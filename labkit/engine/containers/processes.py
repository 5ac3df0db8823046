"""The processes of a container: what they are started with, print and are told by signals; how they wait and end.

What one prints is shown to who is attached and kept in a json-file log, a line each. When the first is gone, the
mounts go, and the restart policy says whether it starts again (moby, daemon/monitor.go, internal/restartmanager).
docker exec is one more process in a running container (moby, daemon/exec.go).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from labkit.engine.containers import networks, oci
from labkit.engine.containers.creation import discard
from labkit.engine.containers.sandbox import Sandboxes
from labkit.engine.core.core import ContainerStopped, Core, change, find
from labkit.engine.core.errors import EngineError, conflict, invalid, system
from labkit.engine.core.happened import tell
from labkit.engine.core.records import Container, Running
from labkit.engine.mounts import mounts
from labkit.files import Content, Files, User
from labkit.files.contents import length
from labkit.kernel import golang, limits
from labkit.kernel.golang import members, number, parse_time, rfc3339, texts
from labkit.kernel.limits import Runaway
from labkit.kernel.process import (
    BACKGROUND_STEPS,
    FORSAKEN,
    IGNORED,
    NAMES,
    NUMBERS,
    PROGRAM_MARK,
    SECOND,
    ExecError,
    Input,
    Namespaces,
    Null,
    Output,
    Parked,
    Process,
)

if TYPE_CHECKING:
    from labkit.files import Namespace


_LIMIT = 8 << 20  # bytes of one write that a log keeps
_LINES = 30_000  # that a process may print before it waits or ends


@dataclass(frozen=True)
class Streams:
    """Where a process's output goes and its input comes from."""

    stdout: Output
    stderr: Output
    stdin: Input | None = None


class Log:
    """Lines that were printed since it was made, with their times; `flush` puts them into the container's log file."""

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self._rest = {"stdout": b"", "stderr": b""}
        self._lines: list[tuple[str, int, bytes]] = []

    def add(self, stream: str, data: bytes) -> None:
        *whole, rest = (self._rest[stream] + data).split(b"\n") if data else [self._rest[stream]]
        now = self._now()
        limits.tick(len(whole))
        self._lines += [(stream, now, line + b"\n") for line in whole]
        self._rest[stream] = rest
        if len(self._lines) > _LINES or len(rest) > _LIMIT:
            raise Runaway("the container prints too much")

    def flush(self, core: Core, container: Container) -> None:
        for stream, rest in self._rest.items():
            if rest:
                self._lines.append((stream, self._now(), rest))
        if self._lines:
            core.host.append(container.log_path, "".join(_record(*line) for line in self._lines))
        self._lines, self._rest = [], {"stdout": b"", "stderr": b""}


class Recorded(Output):
    """An output that is kept in a log and goes on to who is attached."""

    def __init__(self, log: Log, stream: str, attached: Output | None = None, *, isatty: bool = False) -> None:
        super().__init__()
        self.log = log
        self._stream = stream
        self._attached = attached
        self.isatty = isatty

    def _add(self, piece: Content | bytes, cost: int) -> None:
        self.size += cost
        if self._attached is not None:
            if isinstance(piece, Content):
                self._attached.write_content(piece)
            else:
                self._attached.write(piece)
        if length(piece) <= _LIMIT:
            self.log.add(self._stream, bytes(piece))


def _record(stream: str, now: int, line: bytes) -> str:
    text = line.decode("utf-8", "replace")
    return golang.dumps({"log": text, "stream": stream, "time": rfc3339(now)}) + "\n"


def read_logs(core: Core, container: Container) -> list[tuple[str, int, bytes]]:
    """Stream, time (ns) and bytes of each line of the log. Raises EngineError: there is none (moby, daemon/logger)."""
    if golang.text(container.host_config, "LogConfig", "Type") == "none":
        raise system("configured logging driver does not support reading")
    try:
        text = core.host.read(container.log_path).decode("utf-8", "replace")
    except OSError:
        return []
    lines = []
    for line in text.splitlines():
        try:
            record = json.loads(line)
        except ValueError:
            continue
        lines.append((record["stream"], parse_time(record["time"]), record["log"].encode()))
    return lines


KILLED = 128 + 9  # exit code of a process that SIGKILL ended


def flush(core: Core, identifier: str, process: Process) -> None:
    container = core.tables.containers.get(identifier)
    if container is not None and isinstance(process.stdout, Recorded):
        process.stdout.log.flush(core, container)


def end(core: Core, identifier: str, process: Process | None, code: int) -> None:
    """The process is gone; what its container is then follows from the restart policy."""
    if process is not None:
        flush(core, identifier, process)
    container: Container = core.tables.containers[identifier]
    running = core.tables.running.get(identifier)
    if running is not None:
        running.namespace.discard()
        for key in [key for key in core.tables.running if key == identifier or key.startswith(f"{identifier}/")]:
            core.tables.running.delete(key)
    core.driver.unmount(core.tables.mounts[identifier].mount_id)
    again = restarts_after(container, code)
    state = replace(
        container.state, status="restarting" if again else "exited", pid=0, exit_code=code, finished=core.now()
    )
    core.tables.containers.set(identifier, replace(container, state=state, execs=(), address=""))
    core.events.append(
        ContainerStopped(identifier, code, (core.now() - (container.state.started or core.now())) // SECOND)
    )
    networks.leave(core, container)
    mounts.finish(core, container)
    if again:
        _wait_for_restart(core, container)
    elif container.host("AutoRemove"):
        discard(core, container, volumes_too=True)


def restarts_after(container: Container, code: int) -> bool:
    policy = members(container.host_config, "RestartPolicy")
    if container.stopped_by_hand:
        return False
    if policy.get("Name") == "on-failure":
        limit = number(policy, "MaximumRetryCount")
        return code != 0 and (not limit or container.restarts < limit)
    return policy.get("Name") in ("always", "unless-stopped")


def _wait_for_restart(core: Core, container: Container) -> None:
    """100 ms before the first restart, twice as long before each further one, at most a minute."""
    wait = min(SECOND // 10 << min(container.restarts, 12), 60 * SECOND)
    change(core, container.id, restarts=container.restarts + 1)
    namespace = Sandboxes(core).nothing()
    core.tables.running.set(container.id, Running(namespace, None, Parked(core.now() + wait)))


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
    for pair in [*texts(container.config, "Env"), *(more or ())]:
        key, equals, value = pair.partition("=")
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
        core.tables.running.set(identifier, Running(namespace, process, parked.kept()))
        return None
    except (Runaway, RecursionError):
        if not process.detached:
            end(core, identifier, process, KILLED)
            raise
        core.tables.running.set(identifier, Running(namespace, process, Parked(None)))
        flush(core, identifier, process)
        return None
    finally:
        if process.detached:
            kernel.budget = budget
    if identifier in core.tables.running:
        end(core, identifier, process, status & 0xFF)
    return status & 0xFF


def _ended_at_terminal(core: Core, identifier: str, process: Process, status: int) -> int:
    if status == FORSAKEN:
        return status
    if identifier in core.tables.running:
        end(core, identifier, process, status & 0xFF)
    return status & 0xFF


def run_exec(core: Core, key: str, namespace: Namespace, process: Process, go: Callable[[], int]) -> int:
    """A detached process beside the container's own; it is kept while it waits."""
    try:
        status = go()
    except Parked as parked:
        core.tables.running.set(key, Running(namespace, process, parked.kept()))
        return 0
    if key in core.tables.running:
        core.tables.running.delete(key)
    return status & 0xFF


def adopt(core: Core, process: Process, parked: Parked) -> None:
    """Keep a job that outlives its shell beside the container's own process, with which it ends."""
    for key, running in list(core.tables.running.items()):
        if running.namespace is process.files.namespace and "/" not in key:
            own = f"{key}/{core.ids.number('exec')}"
            core.tables.running.set(own, Running(running.namespace, process, parked.kept()))


def copy_of(core: Core, process: Process, attach: Streams | None = None) -> Process:
    """The same process with state of its own, so that the first one can be gone on from again."""
    log = Log(core.now)
    stdout = Recorded(log, "stdout", attach.stdout if attach else None, isatty=process.tty)
    stderr = stdout if process.tty else Recorded(log, "stderr", attach.stderr if attach else None)
    return replace(
        process, argv=list(process.argv), env=dict(process.env), files=process.files.copy(), stdin=process.stdin,
        stdout=stdout, stderr=stderr, handles=dict(process.handles), traps=dict(process.traps),
    )  # fmt: skip


def exec_run(
    core: Core,
    reference: str,
    argv: Sequence[str],
    env: Sequence[str] = (),
    workdir: str = "",
    user: str = "",
    tty: bool = False,
    streams: Streams | None = None,
    detach: bool = False,
    privileged: bool = False,
) -> int:
    """The exit status. What keeps the process from starting is printed to its own output, as the daemon does."""
    container = find(core, reference)
    _check(container, reference)
    if not argv:
        raise invalid("no exec command specified")
    stdout, stderr = (Null(), Null()) if detach or streams is None else (streams.stdout, streams.stderr)
    namespace = core.tables.running[container.id].namespace
    look_up = oci.look_up_user_of_exec if core.keeps_manifests else oci.look_up_user
    as_who = look_up(_root_of(core, namespace), user or golang.text(container.config, "User"))
    cwd = workdir or golang.text(container.config, "WorkingDir") or "/"
    if not cwd.startswith("/"):  # runc, exec.go and utils_linux.go validateProcessSpec; unverified
        return _refuse(
            detach, streams, "OCI runtime exec failed: exec failed: Cwd must be an absolute path: unknown", oci.UNKNOWN
        )
    files = namespace.files(as_who)
    try:
        files.chdir(cwd)
    except OSError as error:
        reason = f'chdir to cwd ("{cwd}") set in config.json failed: {(error.strerror or "").lower()}'
        return _refuse(detach, streams, *oci.exec_failed(reason))
    variables = environment(container, oci.home_of(namespace.files(), as_who.uid), list(env))
    if tty:
        variables.setdefault("TERM", "xterm")
    try:
        path = oci.program_in(files, list(argv), variables.get("PATH", ""))
    except oci.NotStarted as error:
        return _refuse(detach, streams, *oci.exec_failed(str(error)))
    stdin = streams.stdin if streams and streams.stdin else Input()
    number = core.ids.number("exec")
    process = Process(
        list(argv), variables, files, stdin, stdout, stderr, core.kernel, hostname=container.hostname,
        pid=number + 6, detached=detach, tty=tty, namespaces=namespaces_of(container),
    )  # fmt: skip
    execution = core.digest("exec", f"{container.id} {number}")
    for action in ("exec_create", "exec_start"):
        tell(core, "container", f"{action}: {' '.join((argv[0], ' '.join(argv[1:])))}", container.id, execID=execution)

    def go() -> int:
        status = first_run(process, path) & 0xFF
        tell(core, "container", "exec_die", container.id, execID=execution, exitCode=str(status))
        return status

    return run_exec(core, f"{container.id}/{number}", namespace, process, go) if detach else go()


def _root_of(core: Core, namespace: Namespace) -> Files:
    """The container's root without what is mounted on it."""
    return core.view(core.host.store.mounts(namespace).stacks["/"][0].source)


def _check(container: Container, reference: str) -> None:
    if not container.state.running:
        raise conflict(f"container {container.id} is not running")
    if container.state.status == "paused":
        raise conflict(f"Container {reference} is paused, unpause the container before exec")
    if container.state.status == "restarting":
        raise conflict(f"Container {container.id} is restarting, wait until the container is running")


def _refuse(detach: bool, streams: Streams | None, message: str, code: int) -> int:
    if detach or streams is None:
        raise EngineError(message, "invalid")
    streams.stdout.write(f"{message}\r\n")
    return code


def signal_name(text: str) -> str:
    """`TERM` for TERM, SIGTERM or 15."""
    name = str(text).upper().removeprefix("SIG")
    if name.isdigit():
        known = NAMES.get(int(name))
        if not known:
            raise invalid(
                f"the linux daemon does not support signal {name}" if int(name) else f"invalid signal: {text}"
            )
        return known
    if name not in NUMBERS:
        raise invalid(f"invalid signal: {text}")
    return NAMES[NUMBERS[name]]


def deliver(core: Core, container: Container, signal: str) -> bool:
    """Send a signal to the process; whether it is gone. As process 1 it ignores what it has no handler for."""
    running = core.tables.running.get(container.id)
    if running is None:
        return True
    tell(core, "container", "kill", container.id, signal=str(NUMBERS[signal]))
    if signal == "KILL":
        end(core, container.id, None, KILLED)
        return True
    process = running.process
    handler = process.traps.get(signal) if process else None
    if handler is None:
        if container.host("Init") and signal not in IGNORED:
            end(core, container.id, None, 128 + NUMBERS[signal])
            return True
        return False
    if not handler:
        return False
    return _handle(core, container, running, handler)


def _handle(core: Core, container: Container, running: Running, handler: str) -> bool:
    """Run a trap's commands; they end the process where they say `exit`."""
    assert running.process is not None
    process = copy_of(core, running.process)
    words = handler.replace(";", " ").split()
    if words[:1] == ["exit"] and len(words) <= 2:
        status = int(words[1]) if len(words) > 1 and words[1].isdigit() else 0
    else:
        process.argv = ["sh", "-c", handler]
        process.detached = False
        with core.kernel.unattended():
            status = core.kernel.execute(process)
    if "exit" not in words:
        flush(core, container.id, process)
        return False
    end(core, container.id, process, status & 0xFF)
    return True
