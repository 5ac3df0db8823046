"""A container's life: started, stopped, killed, restarted, renamed, removed; and what its process does meanwhile.

Messages and states: moby, daemon/start.go, stop.go, kill.go, restart.go, rename.go, delete.go.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from labkit.engine.containers import creation, devices, oci, users
from labkit.engine.containers.containers import Container, State, by_age, find
from labkit.engine.containers.logs import Log, Recorded, Streams
from labkit.engine.containers.sandbox import RuntimeFailed, make_readonly
from labkit.engine.core import filters as filtering
from labkit.engine.core import names
from labkit.engine.core.errors import EngineError, conflict, invalid, system
from labkit.engine.core.events import (
    ContainerRemoved,
    ContainerRenamed,
    ContainerStarted,
    ContainerStopped,
    MountpointCreated,
)
from labkit.engine.daemon import hostfolders
from labkit.engine.mounts import mounts, volumes
from labkit.files import User
from labkit.kernel.clock import SECOND
from labkit.kernel.limits import BACKGROUND_STEPS, RESUMES, Runaway
from labkit.kernel.process import Namespaces, Parked, Process, Unanswered
from labkit.kernel.programs import PROGRAM_MARK, ExecError
from labkit.kernel.signals import IGNORED, NAMES, NUMBERS
from labkit.kernel.streams import Input

if TYPE_CHECKING:
    from labkit.engine.api import Engine
    from labkit.files import Files, Namespace

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
STOP_SECONDS = 10
KILLED = 128 + 9
_HEAD = 64  # bytes of a file that tell what it is
_NOT_RUN = 255  # exit code where the kernel refuses the file


@dataclass(frozen=True)
class Running:
    """A container whose process waits. The process is never run itself: a copy of it goes on."""

    namespace: Namespace
    process: Process | None
    parked: Parked


# --- start


def start(engine: Engine, reference: str, attach: Streams | None = None) -> int | None:
    """POST /containers/NAME/start. With `attach` the process runs to its end, and its exit status is returned."""
    container = find(engine, reference)
    if container.state.status == "paused":
        raise conflict("cannot start a paused container, try unpause instead")
    if container.state.running:
        return None
    mounts.check(engine, container.host_config)
    try:
        namespace, process, path = _set_up(engine, container, attach)
    except EngineError as error:
        _failed(engine, container, str(error), _code_of(error))
        raise
    engine.events.append(ContainerStarted(container.id))
    return _run(engine, container.id, namespace, process, lambda: first_run(process, path))


def _code_of(error: EngineError) -> int:
    return getattr(error, "exit_code", oci.UNKNOWN)


def _failed(engine: Engine, container: Container, message: str, code: int) -> None:
    """The container did not start; it stays as it was, with the reason."""
    mounts.finish(engine, container)
    engine.driver.unmount(engine.tables.mounts[container.id].mount_id)
    state = replace(container.state, error=message, exit_code=code)
    engine.tables.containers.set(container.id, replace(container, state=state))
    if container.host("AutoRemove"):
        remove(engine, container.id, volumes_too=True, force=True)


def _runtime_error(reason: str) -> EngineError:
    message, code = oci.create_failed(reason)
    error = system(message)
    error.exit_code = code  # type: ignore[attr-defined]
    return error


_BEHIND_INIT = 7  # the number of the process that docker-init starts
_NETWORKS = ("bridge", "default", "none", "host")


def _set_up(engine: Engine, container: Container, attach: Streams | None) -> tuple[Namespace, Process, str]:
    """Everything up to the moment at which the process runs."""
    network = container.host("NetworkMode", "bridge") or "bridge"
    if network not in _NETWORKS and not network.startswith("container:"):  # moby, daemon/start.go; unverified
        raise system(f"failed to set up container networking: network {network} not found")
    on_bridge = network not in ("none", "host")
    container = replace(container, address=_free_address(engine) if on_bridge else "")
    hostfolders.write_network_files(engine, container)
    try:
        prepared = mounts.prepare(engine, container)
    except mounts.OpenFailed as error:
        raise _runtime_error(str(error)) from None
    nodes = devices.look_up(engine.host, dict(container.host_config))
    mount_id = engine.tables.mounts[container.id].mount_id
    root = engine.driver.mount(mount_id)
    targets = {mount.target for mount in prepared}
    namespace = engine.sandboxes.namespace(
        root, key=container.id, shm=container.host("ShmSize", 0), skip=targets, **engine.about_root(mount_id)
    )
    prepared += [mount for mount in hostfolders.network_mounts(engine, container) if mount.target not in targets]
    prepared.sort(key=lambda mount: mount.target.count("/"))
    try:
        made = engine.sandboxes.add(namespace, prepared, engine.root_path(mount_id))
    except RuntimeFailed as error:
        raise _runtime_error(str(error)) from None
    for path in made:
        engine.events.append(MountpointCreated(container.id, path))
    devices.make(namespace.files(), nodes)
    files = _enter(container, namespace)
    account = users.look_up(files, container.config.get("User") or "", container.host("GroupAdd", ()))
    if not container.host("Privileged"):
        engine.sandboxes.mask(namespace)
    if container.host("ReadonlyRootfs"):
        make_readonly(namespace, "/")
    process, path = _process(engine, container, namespace, account, attach)
    engine.tables.containers.set(container.id, container)
    state = replace(container.state, status="running", pid=_pid(engine), exit_code=0, error="", started=engine.now())
    _change(engine, container.id, state=state, stopped_by_hand=False)
    return namespace, process, path


def _enter(container: Container, namespace: Namespace) -> Files:
    """The working directory, which runc makes where it is missing."""
    files = namespace.files()
    workdir = container.config.get("WorkingDir") or "/"
    try:
        files.makedirs(workdir)
        files.chdir(workdir)
    except OSError as error:
        reason = (error.strerror or "").lower()
        raise _runtime_error(f'chdir to cwd ("{workdir}") set in config.json failed: {reason}') from None
    return files


def _process(
    engine: Engine, container: Container, namespace: Namespace, account: users.Account, attach: Streams | None
) -> tuple[Process, str]:
    """The process, and the file that it runs."""
    files = namespace.files(account.user, cwd=container.config.get("WorkingDir") or "/")
    env = environment(container, account.home)
    argv = container.command
    try:
        path = oci.find(files, argv, env.get("PATH", ""))
    except oci.NotStarted as error:
        raise _runtime_error(str(error)) from None
    log = Log(engine.now)
    tty = bool(container.config.get("Tty"))
    stdout = Recorded(log, "stdout", attach.stdout if attach else None, isatty=tty)
    stderr = stdout if tty else Recorded(log, "stderr", attach.stderr if attach else None)
    stdin = Unanswered(isatty=True) if tty and attach is None else Input()
    if container.config.get("OpenStdin"):
        stdin = attach.stdin or stdin if attach else Unanswered(isatty=tty)
    process = Process(
        argv, env, files, stdin, stdout, stderr, engine.kernel, hostname=container.hostname, detached=attach is None,
        tty=tty, namespaces=namespaces_of(container), pid=_BEHIND_INIT if container.host("Init") else 1,
    )  # fmt: skip
    return process, path


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


def _free_address(engine: Engine) -> str:
    containers = engine.tables.containers
    taken = {containers[key].address for key in engine.tables.running if key in containers}
    addresses = (f"172.17.{number >> 8}.{number & 255}" for number in range(2, (1 << 16) - 1))
    return next(address for address in addresses if address not in taken)


def _pid(engine: Engine) -> int:
    return 2000 + 37 * engine.ids.number("process")


# --- running


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


def _run(engine: Engine, identifier: str, namespace: Namespace, process: Process, go: Callable[[], int]) -> int | None:
    """Let a process run until it ends or waits; its exit status, or None where it waits."""
    kernel = engine.kernel
    budget = kernel.budget
    if process.detached:
        kernel.budget = BACKGROUND_STEPS
    engine.tables.running.set(identifier, Running(namespace, process, Parked(None)))
    try:
        status = go()
    except Parked as parked:
        _flush(engine, identifier, process)
        if not process.detached:  # it waits for what is typed; the terminal goes on with it
            raise parked.then(lambda given, status: _ended_at_terminal(engine, identifier, process, status)) from None
        engine.tables.running.set(identifier, Running(namespace, process, parked))
        return None
    except (Runaway, RecursionError):
        if not process.detached:
            _end(engine, identifier, process, KILLED)
            raise
        engine.tables.running.set(identifier, Running(namespace, process, Parked(None)))
        _flush(engine, identifier, process)
        return None
    finally:
        if process.detached:
            kernel.budget = budget
    if identifier in engine.tables.running:
        _end(engine, identifier, process, status & 0xFF)
    return status & 0xFF


def _ended_at_terminal(engine: Engine, identifier: str, process: Process, status: int) -> int:
    if identifier in engine.tables.running:
        _end(engine, identifier, process, status & 0xFF)
    return status & 0xFF


def _flush(engine: Engine, identifier: str, process: Process) -> None:
    container = engine.tables.containers.get(identifier)
    if container is not None and isinstance(process.stdout, Recorded):
        process.stdout.log.flush(engine, container)


def _end(engine: Engine, identifier: str, process: Process | None, code: int) -> None:
    """The process is gone; what its container is then follows from the restart policy."""
    if process is not None:
        _flush(engine, identifier, process)
    container: Container = engine.tables.containers[identifier]
    running = engine.tables.running.get(identifier)
    if running is not None:
        running.namespace.discard()
        for key in [key for key in engine.tables.running if key == identifier or key.startswith(f"{identifier}/")]:
            engine.tables.running.delete(key)
    mounts.finish(engine, container)
    engine.driver.unmount(engine.tables.mounts[identifier].mount_id)
    again = _restarts(container, code)
    state = replace(
        container.state, status="restarting" if again else "exited", pid=0, exit_code=code, finished=engine.now()
    )
    engine.tables.containers.set(identifier, replace(container, state=state, execs=(), address=""))
    engine.events.append(ContainerStopped(identifier, code))
    if again:
        _wait_for_restart(engine, container)
    elif container.host("AutoRemove"):
        remove(engine, identifier, volumes_too=True, force=True)


def _restarts(container: Container, code: int) -> bool:
    policy = container.host("RestartPolicy", {}) or {}
    if container.stopped_by_hand:
        return False
    if policy.get("Name") == "on-failure":
        limit = policy.get("MaximumRetryCount") or 0
        return code != 0 and (not limit or container.restarts < limit)
    return policy.get("Name") in ("always", "unless-stopped")


def _wait_for_restart(engine: Engine, container: Container) -> None:
    """100 ms before the first restart, twice as long before each further one, at most a minute."""
    wait = min(SECOND // 10 << min(container.restarts, 12), 60 * SECOND)
    _change(engine, container.id, restarts=container.restarts + 1)
    namespace = engine.sandboxes.nothing()
    engine.tables.running.set(container.id, Running(namespace, None, Parked(engine.now() + wait)))


def _change(engine: Engine, identifier: str, **changes: Any) -> Container:
    container: Container = replace(engine.tables.containers[identifier], **changes)
    engine.tables.containers.set(identifier, container)
    return container


# --- time


def advance(engine: Engine) -> None:
    """Resume the processes whose time has come, each at its own time, in order."""
    clock = engine.kernel.clock
    target = clock.now
    counts: dict[str, int] = {}
    while due := _next_due(engine, target):
        identifier, until = due
        counts[identifier] = counts.get(identifier, 0) + 1
        clock.now = target if counts[identifier] > RESUMES else max(until, 0)
        _resume(engine, identifier)
    clock.now = target


def _next_due(engine: Engine, target: int) -> tuple[str, int] | None:
    found = [
        (running.parked.until, identifier)
        for identifier, running in engine.tables.running.items()
        if running.parked.until is not None
        and running.parked.until <= target
        and engine.tables.containers[identifier.partition("/")[0]].state.status != "paused"
    ]
    if not found:
        return None
    until, identifier = min(found)
    return identifier, until


def _resume(engine: Engine, identifier: str) -> None:
    running: Running = engine.tables.running[identifier]
    if "/" in identifier:
        assert running.process is not None
        beside = copy_of(engine, running.process)
        run_exec(engine, identifier, running.namespace, beside, lambda: running.parked.resume(beside))
        return
    if running.process is None:
        engine.tables.running.delete(identifier)
        _change(engine, identifier, state=replace(engine.tables.containers[identifier].state, status="exited"))
        try:
            start(engine, identifier)
        except EngineError:
            return
        return
    process = copy_of(engine, running.process)
    _run(engine, identifier, running.namespace, process, lambda: running.parked.resume(process))


def run_exec(engine: Engine, key: str, namespace: Namespace, process: Process, go: Callable[[], int]) -> int:
    """A detached process beside the container's own; it is kept while it waits."""
    try:
        status = go()
    except Parked as parked:
        engine.tables.running.set(key, Running(namespace, process, parked))
        return 0
    if key in engine.tables.running:
        engine.tables.running.delete(key)
    return status & 0xFF


def adopt(engine: Engine, process: Process, parked: Parked) -> None:
    """Keep a job that outlives its shell beside the container's own process, with which it ends."""
    for key, running in list(engine.tables.running.items()):
        if running.namespace is process.files.namespace and "/" not in key:
            own = f"{key}/{engine.ids.number('exec')}"
            engine.tables.running.set(own, Running(running.namespace, process, parked))


def copy_of(engine: Engine, process: Process, attach: Streams | None = None) -> Process:
    """The same process with state of its own, so that the first one can be gone on from again."""
    log = Log(engine.now)
    stdout = Recorded(log, "stdout", attach.stdout if attach else None, isatty=process.tty)
    stderr = stdout if process.tty else Recorded(log, "stderr", attach.stderr if attach else None)
    return replace(
        process, argv=list(process.argv), env=dict(process.env), files=process.files.copy(), stdin=process.stdin,
        stdout=stdout, stderr=stderr, handles=dict(process.handles), traps=dict(process.traps),
    )  # fmt: skip


def wait(engine: Engine, reference: str) -> int | None:
    """POST /containers/NAME/wait: the clock goes on until the process ends. None where it never does."""
    container = find(engine, reference)
    for _ in range(RESUMES * 10):
        current = engine.tables.containers.get(container.id)
        if current is None or not current.state.running:
            return current.state.exit_code if current else 0
        until = engine.tables.running[container.id].parked.until
        if until is None:
            return None
        engine.kernel.clock.now = max(engine.kernel.clock.now, until)
        advance(engine)
    return None


# --- the daemon's own end and start


def shut_down(engine: Engine) -> None:
    """Stop all containers at once, as a daemon that ends does; that a person stopped them is not noted.

    Facts: moby, daemon/daemon.go, Shutdown.
    """
    before = {found.id: found.stopped_by_hand for found in by_age(engine) if found.state.running}
    left = [found for found in before if not _is_gone(engine, found)]
    seconds = [engine.tables.containers[found].config.get("StopTimeout") for found in left]
    longest = max((STOP_SECONDS if each is None else max(0, each) for each in seconds), default=0)
    engine.kernel.clock.advance(longest * SECOND)
    advance(engine)
    for found in left:
        if found in engine.tables.running:
            _deliver(engine, engine.tables.containers[found], "KILL")
    for found, by_hand in before.items():
        if found in engine.tables.containers:
            _change(engine, found, stopped_by_hand=by_hand)


def _is_gone(engine: Engine, identifier: str) -> bool:
    """Send the stop signal; whether that was the end of the container's process."""
    container = _change(engine, identifier, stopped_by_hand=True)
    if container.state.status == "restarting":
        engine.tables.running.delete(identifier)
        _change(engine, identifier, state=replace(container.state, status="exited"))
        return True
    return _deliver(engine, container, signal_name(container.config.get("StopSignal") or "TERM"))


def start_up(engine: Engine) -> None:
    """Start the containers whose restart policy asks for it; those that go when they end go now.

    Facts: moby, daemon/daemon.go, restore, and daemon/internal/restartmanager: `always` counts after `docker stop` too.
    """
    for container in by_age(engine):
        if container.state.started is not None and _starts_with_daemon(container):
            _change(engine, container.id, restarts=0)
            try:
                start(engine, container.id)
            except EngineError:
                continue  # it is in the daemon's log alone
        elif container.host("AutoRemove"):
            remove(engine, container.id, volumes_too=True, force=True)


def _starts_with_daemon(container: Container) -> bool:
    policy = (container.host("RestartPolicy", {}) or {}).get("Name")
    return policy == "always" or _restarts(container, container.state.exit_code)


# --- signals


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


def _deliver(engine: Engine, container: Container, signal: str) -> bool:
    """Send a signal to the process; whether it is gone. As process 1 it ignores what it has no handler for."""
    running = engine.tables.running.get(container.id)
    if running is None:
        return True
    if signal == "KILL":
        _end(engine, container.id, None, KILLED)
        return True
    process = running.process
    handler = process.traps.get(signal) if process else None
    if handler is None:
        if container.host("Init") and signal not in IGNORED:
            _end(engine, container.id, None, 128 + NUMBERS[signal])
            return True
        return False
    if not handler:
        return False
    return _handle(engine, container, running, handler)


def _handle(engine: Engine, container: Container, running: Running, handler: str) -> bool:
    """Run a trap's commands; they end the process where they say `exit`."""
    assert running.process is not None
    process = copy_of(engine, running.process)
    words = handler.replace(";", " ").split()
    if words[:1] == ["exit"] and len(words) <= 2:
        status = int(words[1]) if len(words) > 1 and words[1].isdigit() else 0
    else:
        process.argv = ["sh", "-c", handler]
        process.detached = False
        status = engine.kernel.execute(process)
    if "exit" not in words:
        _flush(engine, container.id, process)
        return False
    _end(engine, container.id, process, status & 0xFF)
    return True


# --- the commands


def stop(engine: Engine, reference: str, timeout: int | None = None, signal: str | None = None) -> None:
    """POST /containers/NAME/stop: the stop signal, and after the timeout SIGKILL."""
    container = find(engine, reference)
    if not container.state.running:
        return
    try:
        _stop(engine, container, timeout, signal)
    except EngineError as error:
        raise EngineError(f"cannot stop container: {reference}: {error}", error.kind) from None


def _stop(engine: Engine, container: Container, timeout: int | None, signal: str | None) -> None:
    name = signal_name(signal or container.config.get("StopSignal") or "TERM")
    container = _change(engine, container.id, stopped_by_hand=True)
    if container.state.status == "restarting":
        engine.tables.running.delete(container.id)
        _change(engine, container.id, state=replace(container.state, status="exited"))
        return
    if timeout is None:
        timeout = container.config.get("StopTimeout")
    if _deliver(engine, container, name):
        return
    engine.kernel.clock.advance((STOP_SECONDS if timeout is None else max(0, timeout)) * SECOND)
    advance(engine)
    if container.id in engine.tables.running:
        _deliver(engine, container, "KILL")


def kill(engine: Engine, reference: str, signal: str | None = None) -> None:
    """POST /containers/NAME/kill."""
    try:
        container = find(engine, reference)
        if not container.state.running:
            raise conflict(f"container {container.id} is not running")
        name = signal_name(signal or "KILL")
    except EngineError as error:
        raise EngineError(f"cannot kill container: {reference}: {error}", error.kind) from None
    if name in ("KILL", "TERM", "INT", "QUIT"):
        container = _change(engine, container.id, stopped_by_hand=True)
    _deliver(engine, container, name)


def restart(engine: Engine, reference: str, timeout: int | None = None, signal: str | None = None) -> None:
    """POST /containers/NAME/restart."""
    container = find(engine, reference)
    try:
        if container.state.running:
            _stop(engine, container, timeout, signal)
        if container.id in engine.tables.containers:
            start(engine, container.id)
    except EngineError as error:
        raise EngineError(f"Cannot restart container {reference}: {error}", error.kind) from None


def pause(engine: Engine, reference: str) -> None:
    container = find(engine, reference)
    if not container.state.running:
        raise conflict(f"container {container.id} is not running")
    if container.state.status == "paused":
        raise conflict(f"Container {container.id} is already paused")
    _change(engine, container.id, state=replace(container.state, status="paused"))


def unpause(engine: Engine, reference: str) -> None:
    container = find(engine, reference)
    if container.state.status != "paused":
        raise system(f"Container {container.id} is not paused")
    _change(engine, container.id, state=replace(container.state, status="running"))


def rename(engine: Engine, reference: str, name: str) -> None:
    """POST /containers/NAME/rename."""
    if not reference or not name:
        raise invalid("Neither old nor new names may be empty")
    container = find(engine, reference)
    bare = name.removeprefix("/")
    if bare == container.name:
        raise invalid("Renaming a container with the same name as its current name")
    try:
        names.check(f"/{bare}")
        creation.refuse_taken(engine, bare)
    except EngineError as error:
        raise EngineError(f"Error when allocating new name: {error}", error.kind) from None
    engine.tables.names.delete(container.name)
    engine.tables.names.set(bare, container.id)
    _change(engine, container.id, name=bare)
    engine.events.append(ContainerRenamed(container.id, container.name, bare))


def remove(engine: Engine, reference: str, volumes_too: bool = False, force: bool = False) -> None:
    """DELETE /containers/NAME; `volumes_too`: the anonymous volumes that nothing else uses go with it."""
    container = find(engine, reference)
    if container.state.running:
        if not force:
            raise conflict(f'cannot remove container "{container.name}": {_why_not(container.state)}')
        _change(engine, container.id, stopped_by_hand=True, host_config={**container.host_config, "AutoRemove": False})
        if container.state.status == "restarting":
            engine.tables.running.delete(container.id)
        else:
            _deliver(engine, container, "KILL")
    engine.tables.containers.delete(container.id)
    engine.tables.names.delete(container.name)
    engine.layerstore.remove_writable(container.id)
    hostfolders.remove_container_folder(engine, container)
    engine.events.append(ContainerRemoved(container.id, container.name))
    if volumes_too:
        _remove_volumes(engine, container)


def _why_not(state: State) -> str:
    return {
        "running": "container is running: stop the container before removing or force remove",
        "paused": "container is paused and must be unpaused first",
        "restarting": "container is restarting: stop the container before removing or force remove",
    }[state.status]


def _remove_volumes(engine: Engine, container: Container) -> None:
    for point in container.mounts:
        if point.type == "volume" and not point.named:
            try:
                volumes.remove(engine, point.name, force=True)
            except EngineError:
                continue  # another container uses it


def prune(engine: Engine, filters: filtering.Filters | None = None) -> tuple[list[str], int]:
    """POST /containers/prune: the containers that do not run, and the bytes of their layers."""
    wanted = filtering.check(filters, ("label", "label!", "until"))
    limit = min((engine.until(until) for until in wanted.get("until", ())), default=None)
    gone, space = [], 0
    for container in by_age(engine):
        if container.state.running or (limit and container.created >= limit):
            continue
        if not filtering.labels_match(container.config.get("Labels"), wanted):
            continue
        space += engine.driver.size(engine.tables.mounts[container.id].mount_id)
        remove(engine, container.id)
        gone.append(container.id)
    return gone, space


def top(engine: Engine, reference: str) -> dict[str, Any]:
    """GET /containers/NAME/top: the one process that a container is known to have."""
    container = find(engine, reference)
    if not container.state.running:
        raise conflict(f"container {container.id} is not running")
    command = " ".join(container.command)
    row = ["root", str(container.state.pid), str(container.state.pid - 20), "0", "09:00", "?", "00:00:00", command]
    return {"Titles": ["UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"], "Processes": [row]}
