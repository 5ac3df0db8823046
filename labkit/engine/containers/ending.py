"""What follows when a container's process is gone: its mounts go, and its restart policy says whether it starts again.

Facts: moby, daemon/monitor.go, daemon/internal/restartmanager.
"""

from __future__ import annotations

from dataclasses import replace

from labkit.engine.containers.logs import Recorded
from labkit.engine.containers.removal import discard
from labkit.engine.containers.sandbox import Sandboxes
from labkit.engine.core.core import ContainerStopped, Core, change
from labkit.engine.core.records import Container, Running
from labkit.engine.mounts import mounts
from labkit.kernel.process import SECOND, Parked, Process

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
    mounts.finish(core, container)
    core.driver.unmount(core.tables.mounts[identifier].mount_id)
    again = restarts_after(container, code)
    state = replace(
        container.state, status="restarting" if again else "exited", pid=0, exit_code=code, finished=core.now()
    )
    core.tables.containers.set(identifier, replace(container, state=state, execs=(), address=""))
    core.events.append(ContainerStopped(identifier, code))
    if again:
        _wait_for_restart(core, container)
    elif container.host("AutoRemove"):
        discard(core, container, volumes_too=True)


def restarts_after(container: Container, code: int) -> bool:
    policy = container.host("RestartPolicy", {}) or {}
    if container.stopped_by_hand:
        return False
    if policy.get("Name") == "on-failure":
        limit = policy.get("MaximumRetryCount") or 0
        return code != 0 and (not limit or container.restarts < limit)
    return policy.get("Name") in ("always", "unless-stopped")


def _wait_for_restart(core: Core, container: Container) -> None:
    """100 ms before the first restart, twice as long before each further one, at most a minute."""
    wait = min(SECOND // 10 << min(container.restarts, 12), 60 * SECOND)
    change(core, container.id, restarts=container.restarts + 1)
    namespace = Sandboxes(core).nothing()
    core.tables.running.set(container.id, Running(namespace, None, Parked(core.now() + wait)))
