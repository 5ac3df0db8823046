"""A container's life: started, stopped, killed, restarted, renamed, removed; and what its process does meanwhile.

Messages and states: moby, daemon/start.go, stop.go, kill.go, restart.go, rename.go, delete.go. When the machine's time
passes, the processes that wait go on, each at its own moment, and containers are started again; the daemon's own end
and start take them along.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from labkit.engine.containers import creation, networks, oci
from labkit.engine.containers.creation import discard
from labkit.engine.containers.processes import (
    Log,
    Recorded,
    Streams,
    copy_of,
    deliver,
    environment,
    first_run,
    namespaces_of,
    restarts_after,
    run_exec,
    run_process,
    signal_name,
)
from labkit.engine.containers.sandbox import RuntimeFailed, Sandboxes, make_readonly
from labkit.engine.core import names
from labkit.engine.core.core import ContainerRenamed, ContainerStarted, Core, MountpointCreated, by_age, change, find
from labkit.engine.core.errors import (
    EngineError,
    Filters,
    check_filters,
    conflict,
    earliest,
    invalid,
    labels_match,
    no_name,
    system,
)
from labkit.engine.core.happened import tell
from labkit.engine.core.records import Container, ContainerState, Running
from labkit.engine.mounts import mounts
from labkit.files.inodes import MountAbout
from labkit.kernel.golang import members, number, text, texts
from labkit.kernel.process import RESUMES, SECOND, Input, Process, Unanswered

if TYPE_CHECKING:
    from labkit.files import Files, Namespace


def start(core: Core, reference: str, attach: Streams | None = None) -> int | None:
    """POST /containers/NAME/start. With `attach` the process runs to its end, and its exit status is returned."""
    container = find(core, reference)
    if container.state.status == "paused":
        raise conflict("cannot start a paused container, try unpause instead")
    if container.state.running:
        return None
    mounts.check(core, container.host_config)
    if attach:
        tell(core, "container", "attach", container.id)
    try:
        namespace, process, path = _set_up(core, container, attach)
    except EngineError as error:
        _failed(core, container, str(error), _code_of(error))
        raise
    core.events.append(ContainerStarted(container.id))
    if address := core.tables.containers[container.id].address:
        core.tables.running.hold(container.id, address)
    return run_process(core, container.id, namespace, process, lambda: first_run(process, path))


def _code_of(error: EngineError) -> int:
    return getattr(error, "exit_code", oci.UNKNOWN)


def _failed(core: Core, container: Container, message: str, code: int) -> None:
    """The container did not start; it stays as it was, with the reason."""
    if not message.startswith("failed to set up container networking"):
        networks.leave(core, container)
    mounts.finish(core, container)
    core.driver.unmount(core.tables.mounts[container.id].mount_id)
    state = replace(container.state, error=message, exit_code=code)
    core.tables.containers.set(container.id, replace(container, state=state))
    if container.host("AutoRemove"):
        discard(core, container, volumes_too=True)


def _runtime_error(reason: str) -> EngineError:
    message, code = oci.create_failed(reason)
    error = system(message)
    error.exit_code = code  # type: ignore[attr-defined]
    return error


_BEHIND_INIT = 7  # the number of the process that docker-init starts


def _set_up(core: Core, container: Container, attach: Streams | None) -> tuple[Namespace, Process, str]:
    """Everything up to the moment at which the process runs."""
    network = container.network_mode
    if network.startswith("container:"):
        networks.check_joined(core, container)
    elif not networks.exists(core, network):  # moby, daemon/start.go; unverified
        raise system(f"failed to set up container networking: network {network} not found")
    on_bridge = network not in ("none", "host")
    container = replace(container, address=core.tables.running.free_address() if on_bridge else "")
    networks.join(core, container)
    creation.write_network_files(core, container)
    try:
        prepared = mounts.prepare(core, container)
    except mounts.OpenFailed as error:
        raise _runtime_error(str(error)) from None
    mount_id = core.tables.mounts[container.id].mount_id
    root = core.driver.mount(mount_id)
    targets = {mount.target for mount in prepared}
    shared = text(container.host_config, "PidMode")
    if shared.startswith("container:"):  # moby, daemon/container_operations_unix.go getPIDContainer
        other = find(core, shared.partition(":")[2])
        if not other.state.running:
            raise conflict(f"container {other.id} is not running")
    user = oci.look_up_user(core.view(root), text(container.config, "User"), texts(container.host_config, "GroupAdd"))
    nodes = oci.look_up_device(core.host, dict(container.host_config))
    namespace = Sandboxes(core).namespace(
        root,
        key=container.id,
        shm=number(container.host_config, "ShmSize"),
        skip=targets,
        **_about_root(core, mount_id),
    )
    prepared += [mount for mount in creation.network_mounts(core, container) if mount.target not in targets]
    prepared.sort(key=lambda mount: mount.target.count("/"))
    try:
        made = Sandboxes(core).add(namespace, prepared, core.driver.merged_at(mount_id))
    except RuntimeFailed as error:
        raise _runtime_error(str(error)) from None
    for path in made:
        core.events.append(MountpointCreated(container.id, path))
    oci.make_devices(namespace.files(), nodes)
    files = _enter(container, namespace)
    if not container.host("Privileged"):
        Sandboxes(core).mask(namespace)
    if container.host("ReadonlyRootfs"):
        make_readonly(namespace, "/")
    process, path = _process(core, container, files.as_user(user), attach)
    core.tables.containers.set(container.id, container)
    state = replace(container.state, status="running", pid=_pid(core), exit_code=0, error="", started=core.now())
    change(core, container.id, state=state, stopped_by_hand=False)
    return namespace, process, path


def _about_root(core: Core, mount_id: str) -> MountAbout:
    """How /proc/mounts shows a container's root."""
    if core.driver.mount_options(mount_id):
        options = lambda: core.driver.mount_options(mount_id)  # noqa: E731  (long, and seldom looked at)
        device, fstype = core.driver.device(mount_id)
        return {"device": device, "fstype": fstype, "options": options}
    return {}


def _enter(container: Container, namespace: Namespace) -> Files:
    """The working directory, which runc makes where it is missing."""
    files = namespace.files()
    workdir = text(container.config, "WorkingDir") or "/"
    try:
        files.makedirs(workdir)
        files.chdir(workdir)
    except OSError as error:
        reason = (error.strerror or "").lower()
        raise _runtime_error(f'chdir to cwd ("{workdir}") set in config.json failed: {reason}') from None
    return files


def _process(core: Core, container: Container, files: Files, attach: Streams | None) -> tuple[Process, str]:
    """The process, and the file that it runs."""
    env = environment(container, oci.home_of(files.namespace.files(), files.user.uid))
    argv = container.command
    try:
        path = oci.program_in(files, argv, env.get("PATH", ""))
    except oci.NotStarted as error:
        raise _runtime_error(str(error)) from None
    log = Log(core.now)
    tty = bool(container.config.get("Tty"))
    stdout = Recorded(log, "stdout", attach.stdout if attach else None, isatty=tty)
    stderr = stdout if tty else Recorded(log, "stderr", attach.stderr if attach else None)
    stdin = Unanswered(isatty=True) if tty and attach is None else Input()
    if container.config.get("OpenStdin"):
        stdin = attach.stdin or stdin if attach else Unanswered(isatty=tty)
    process = Process(
        argv, env, files, stdin, stdout, stderr, core.kernel, hostname=container.hostname, detached=attach is None,
        tty=tty, namespaces=namespaces_of(container), pid=_BEHIND_INIT if container.host("Init") else 1,
    )  # fmt: skip
    return process, path


def _pid(core: Core) -> int:
    return 2000 + 37 * core.ids.number("process")


def advance(core: Core) -> None:
    """Resume the processes whose time has come, each at its own time, in order."""
    clock = core.kernel.clock
    target = clock.now
    counts: dict[str, int] = {}

    def is_paused(key: str) -> bool:
        return core.tables.containers[key.partition("/")[0]].state.status == "paused"

    while due := core.tables.running.first_due(target, is_paused):
        until, identifier = due
        counts[identifier] = counts.get(identifier, 0) + 1
        clock.now = target if counts[identifier] > RESUMES else max(until, 0)
        _resume(core, identifier)
    clock.now = target


def _resume(core: Core, identifier: str) -> None:
    running: Running = core.tables.running[identifier]
    if "/" in identifier:
        assert running.process is not None
        beside = copy_of(core, running.process)
        run_exec(core, identifier, running.namespace, beside, lambda: running.parked.resume(beside))
        return
    if running.process is None:
        core.tables.running.delete(identifier)
        change(core, identifier, state=replace(core.tables.containers[identifier].state, status="exited"))
        try:
            start(core, identifier)
        except EngineError:
            return
        return
    process = copy_of(core, running.process)
    run_process(core, identifier, running.namespace, process, lambda: running.parked.resume(process))


def wait(core: Core, reference: str) -> int | None:
    """POST /containers/NAME/wait: the clock goes on until the process ends. None where it never does."""
    container = find(core, reference)
    for _ in range(RESUMES * 10):
        current = core.tables.containers.get(container.id)
        if current is None or not current.state.running:
            return current.state.exit_code if current else 0
        until = core.tables.running[container.id].parked.until
        if until is None:
            return None
        core.kernel.clock.now = max(core.kernel.clock.now, until)
        advance(core)
    return None


STOP_SECONDS = 10


def _stop_timeout(container: Container) -> int | None:
    seconds = container.config.get("StopTimeout")
    return seconds if isinstance(seconds, int) else None


def shut_down(core: Core) -> None:
    """Stop all containers at once, as a daemon that ends does; that a person stopped them is not noted.

    Facts: moby, daemon/daemon.go, Shutdown.
    """
    before = {found.id: found.stopped_by_hand for found in by_age(core) if found.state.running}
    left = [found for found in before if not _is_gone(core, found)]
    seconds = [_stop_timeout(core.tables.containers[found]) for found in left]
    longest = max((STOP_SECONDS if each is None else max(0, each) for each in seconds), default=0)
    core.kernel.clock.advance(longest * SECOND)
    advance(core)
    for found in left:
        if found in core.tables.running:
            deliver(core, core.tables.containers[found], "KILL")
    for found, by_hand in before.items():
        if found in core.tables.containers:
            change(core, found, stopped_by_hand=by_hand)


def _is_gone(core: Core, identifier: str) -> bool:
    """Send the stop signal; whether that was the end of the container's process."""
    container = change(core, identifier, stopped_by_hand=True)
    if container.state.status == "restarting":
        core.tables.running.delete(identifier)
        change(core, identifier, state=replace(container.state, status="exited"))
        return True
    return deliver(core, container, signal_name(text(container.config, "StopSignal") or "TERM"))


def start_up(core: Core) -> None:
    """Start the containers whose restart policy asks for it; those that go when they end go now.

    Facts: moby, daemon/daemon.go, restore, and daemon/internal/restartmanager: `always` counts after `docker stop` too.
    """
    for container in by_age(core):
        if container.state.started is not None and _starts_with_daemon(container):
            change(core, container.id, restarts=0)
            try:
                start(core, container.id)
            except EngineError:
                continue  # it is in the daemon's log alone
        elif container.host("AutoRemove"):
            discard(core, container, volumes_too=True)


def _starts_with_daemon(container: Container) -> bool:
    policy = text(container.host_config, "RestartPolicy", "Name")
    return policy == "always" or restarts_after(container, container.state.exit_code)


def stop(core: Core, reference: str, timeout: int | None = None, signal: str | None = None) -> None:
    """POST /containers/NAME/stop: the stop signal, and after the timeout SIGKILL."""
    container = find(core, reference)
    if not container.state.running:
        return
    try:
        _stop(core, container, timeout, signal)
    except EngineError as error:
        raise EngineError(f"cannot stop container: {reference}: {error}", error.kind) from None
    tell(core, "container", "stop", container.id)


def _stop(core: Core, container: Container, timeout: int | None, signal: str | None) -> None:
    name = signal_name(signal or text(container.config, "StopSignal") or "TERM")
    container = change(core, container.id, stopped_by_hand=True)
    if container.state.status == "restarting":
        core.tables.running.delete(container.id)
        change(core, container.id, state=replace(container.state, status="exited"))
        return
    if timeout is None:
        timeout = _stop_timeout(container)
    if deliver(core, container, name):
        return
    core.kernel.clock.advance((STOP_SECONDS if timeout is None else max(0, timeout)) * SECOND)
    advance(core)
    if container.id in core.tables.running:
        deliver(core, container, "KILL")


def kill(core: Core, reference: str, signal: str | None = None) -> None:
    """POST /containers/NAME/kill; the signal is read before the container is looked up."""
    try:
        name = signal_name(signal or "KILL")
        container = find(core, reference)
        if not container.state.running:
            raise conflict(f"container {container.id} is not running")
    except EngineError as error:
        if error.kind == "client":
            raise
        raise EngineError(f"cannot kill container: {reference}: {error}", error.kind) from None
    if name in ("KILL", "TERM", "INT", "QUIT"):
        container = change(core, container.id, stopped_by_hand=True)
    deliver(core, container, name)


def restart(core: Core, reference: str, timeout: int | None = None, signal: str | None = None) -> None:
    """POST /containers/NAME/restart."""
    container = find(core, reference)
    try:
        if container.state.running:
            _stop(core, container, timeout, signal)
            tell(core, "container", "stop", container.id)
        if container.id in core.tables.containers:
            start(core, container.id)
            tell(core, "container", "restart", container.id)
    except EngineError as error:
        raise EngineError(f"Cannot restart container {reference}: {error}", error.kind) from None


def pause(core: Core, reference: str) -> None:
    container = find(core, reference)
    if not container.state.running:
        raise conflict(f"container {container.id} is not running")
    if container.state.status == "paused":
        raise conflict(f"Container {container.id} is already paused")
    change(core, container.id, state=replace(container.state, status="paused"))
    tell(core, "container", "pause", container.id)


def unpause(core: Core, reference: str) -> None:
    container = find(core, reference)
    if container.state.status != "paused":
        raise system(f"Container {container.id} is not paused")
    change(core, container.id, state=replace(container.state, status="running"))
    tell(core, "container", "unpause", container.id)


def rename(core: Core, reference: str, name: str) -> None:
    """POST /containers/NAME/rename."""
    if not reference or not name:
        raise invalid("Neither old nor new names may be empty") if reference.strip() else no_name("container")
    container = find(core, reference)
    bare = name.removeprefix("/")
    if bare == container.name:
        raise invalid("Renaming a container with the same name as its current name")
    try:
        names.check(f"/{bare}")
        creation.refuse_taken(core, bare)
    except EngineError as error:
        raise EngineError(f"Error when allocating new name: {error}", error.kind) from None
    core.tables.names.delete(container.name)
    core.tables.names.set(bare, container.id)
    change(core, container.id, name=bare)
    core.events.append(ContainerRenamed(container.id, container.name, bare))


def remove(core: Core, reference: str, volumes_too: bool = False, force: bool = False) -> None:
    """DELETE /containers/NAME; `volumes_too`: the anonymous volumes that nothing else uses go with it."""
    container = find(core, reference)
    if container.state.running:
        if not force:
            raise conflict(f'cannot remove container "{container.name}": {_why_not(container.state)}')
        change(core, container.id, stopped_by_hand=True, host_config={**container.host_config, "AutoRemove": False})
        if container.state.status == "restarting":
            core.tables.running.delete(container.id)
        else:
            deliver(core, container, "KILL")
    discard(core, container, volumes_too=volumes_too)


def _why_not(state: ContainerState) -> str:
    return {
        "running": "container is running: stop the container before removing or force remove",
        "paused": "container is paused and must be unpaused first",
        "restarting": "container is restarting: stop the container before removing or force remove",
    }[state.status]


def prune(core: Core, filters: Filters | None = None) -> tuple[list[str], int]:
    """POST /containers/prune: the containers that do not run, and the bytes of their layers."""
    wanted = check_filters(filters, ("label", "label!", "until"))
    limit = earliest(wanted, core.now())
    gone, space = [], 0
    for container in by_age(core):
        if container.state.running or (limit is not None and container.created >= limit):
            continue
        if not labels_match(members(container.config, "Labels"), wanted):
            continue
        space += core.driver.size(core.tables.mounts[container.id].mount_id)
        remove(core, container.id)
        gone.append(container.id)
    tell(core, "container", "prune", "", reclaimed=str(space))
    return gone, space
