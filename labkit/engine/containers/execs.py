"""docker exec: one more process in a running container. Messages: moby, daemon/exec.go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from labkit.engine.containers import oci, users
from labkit.engine.containers.processes import environment, first_run, namespaces_of, run_exec
from labkit.engine.core.core import Core, find
from labkit.engine.core.errors import EngineError, conflict, invalid
from labkit.engine.core.records import Container
from labkit.kernel.process import Input, Null, Process

if TYPE_CHECKING:
    from labkit.engine.containers.logs import Streams


def run(
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
    try:
        account = users.look_up(namespace.files(), user or container.config.get("User") or "")
    except EngineError as error:
        return _refuse(detach, streams, str(error), oci.NOT_EXECUTABLE)
    cwd = workdir or container.config.get("WorkingDir") or "/"
    if not cwd.startswith("/"):  # runc, exec.go and utils_linux.go validateProcessSpec; unverified
        return _refuse(
            detach, streams, "OCI runtime exec failed: exec failed: Cwd must be an absolute path: unknown", oci.UNKNOWN
        )
    files = namespace.files(account.user)
    try:
        files.chdir(cwd)
    except OSError as error:
        reason = f'chdir to cwd ("{cwd}") set in config.json failed: {(error.strerror or "").lower()}'
        return _refuse(detach, streams, *oci.exec_failed(reason))
    variables = environment(container, account.home, list(env))
    if tty:
        variables.setdefault("TERM", "xterm")
    try:
        path = oci.find(files, list(argv), variables.get("PATH", ""))
    except oci.NotStarted as error:
        return _refuse(detach, streams, *oci.exec_failed(str(error)))
    stdin = streams.stdin if streams and streams.stdin else Input()
    number = core.ids.number("exec")
    process = Process(
        list(argv), variables, files, stdin, stdout, stderr, core.kernel, hostname=container.hostname,
        pid=number + 6, detached=detach, tty=tty, namespaces=namespaces_of(container),
    )  # fmt: skip
    if detach:
        key = f"{container.id}/{number}"
        return run_exec(core, key, namespace, process, lambda: first_run(process, path))
    return first_run(process, path) & 0xFF


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
