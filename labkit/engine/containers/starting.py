"""docker start: a container's mounts and its process, up to the moment at which that runs (moby, daemon/start.go)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from labkit.engine.containers import devices, folder, oci, users
from labkit.engine.containers.logs import Log, Recorded, Streams
from labkit.engine.containers.processes import environment, first_run, namespaces_of, run_process
from labkit.engine.containers.removal import discard
from labkit.engine.containers.sandbox import RuntimeFailed, Sandboxes, make_readonly
from labkit.engine.core.core import ContainerStarted, Core, MountpointCreated, change, find
from labkit.engine.core.errors import EngineError, conflict, system
from labkit.engine.core.records import Container
from labkit.engine.mounts import mounts
from labkit.kernel.process import Input, Process, Unanswered

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
    try:
        namespace, process, path = _set_up(core, container, attach)
    except EngineError as error:
        _failed(core, container, str(error), _code_of(error))
        raise
    core.events.append(ContainerStarted(container.id))
    return run_process(core, container.id, namespace, process, lambda: first_run(process, path))


def _code_of(error: EngineError) -> int:
    return getattr(error, "exit_code", oci.UNKNOWN)


def _failed(core: Core, container: Container, message: str, code: int) -> None:
    """The container did not start; it stays as it was, with the reason."""
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


_NETWORKS = ("bridge", "default", "none", "host")


def _set_up(core: Core, container: Container, attach: Streams | None) -> tuple[Namespace, Process, str]:
    """Everything up to the moment at which the process runs."""
    network = container.host("NetworkMode", "bridge") or "bridge"
    if network not in _NETWORKS and not network.startswith("container:"):  # moby, daemon/start.go; unverified
        raise system(f"failed to set up container networking: network {network} not found")
    on_bridge = network not in ("none", "host")
    container = replace(container, address=_free_address(core) if on_bridge else "")
    folder.write_network_files(core, container)
    try:
        prepared = mounts.prepare(core, container)
    except mounts.OpenFailed as error:
        raise _runtime_error(str(error)) from None
    nodes = devices.look_up(core.host, dict(container.host_config))
    mount_id = core.tables.mounts[container.id].mount_id
    root = core.driver.mount(mount_id)
    targets = {mount.target for mount in prepared}
    namespace = Sandboxes(core).namespace(
        root, key=container.id, shm=container.host("ShmSize", 0), skip=targets, **_about_root(core, mount_id)
    )
    prepared += [mount for mount in folder.network_mounts(core, container) if mount.target not in targets]
    prepared.sort(key=lambda mount: mount.target.count("/"))
    try:
        made = Sandboxes(core).add(namespace, prepared, core.driver.merged_at(mount_id))
    except RuntimeFailed as error:
        raise _runtime_error(str(error)) from None
    for path in made:
        core.events.append(MountpointCreated(container.id, path))
    devices.make(namespace.files(), nodes)
    files = _enter(container, namespace)
    account = users.look_up(files, container.config.get("User") or "", container.host("GroupAdd", ()))
    if not container.host("Privileged"):
        Sandboxes(core).mask(namespace)
    if container.host("ReadonlyRootfs"):
        make_readonly(namespace, "/")
    process, path = _process(core, container, namespace, account, attach)
    core.tables.containers.set(container.id, container)
    state = replace(container.state, status="running", pid=_pid(core), exit_code=0, error="", started=core.now())
    change(core, container.id, state=state, stopped_by_hand=False)
    return namespace, process, path


def _about_root(core: Core, mount_id: str) -> dict[str, Any]:
    """How /proc/mounts shows a container's root."""
    if core.driver.mount_options(mount_id):
        options = lambda: core.driver.mount_options(mount_id)  # noqa: E731  (long, and seldom looked at)
        device, fstype = core.driver.device(mount_id)
        return {"device": device, "fstype": fstype, "options": options}
    return {}


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
    core: Core, container: Container, namespace: Namespace, account: users.Account, attach: Streams | None
) -> tuple[Process, str]:
    """The process, and the file that it runs."""
    files = namespace.files(account.user, cwd=container.config.get("WorkingDir") or "/")
    env = environment(container, account.home)
    argv = container.command
    try:
        path = oci.find(files, argv, env.get("PATH", ""))
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


def _free_address(core: Core) -> str:
    containers = core.tables.containers
    taken = {containers[key].address for key in core.tables.running if key in containers}
    addresses = (f"172.17.{number >> 8}.{number & 255}" for number in range(2, (1 << 16) - 1))
    return next(address for address in addresses if address not in taken)


def _pid(core: Core) -> int:
    return 2000 + 37 * core.ids.number("process")
