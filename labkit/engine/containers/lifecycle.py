"""A container's life: started, stopped, killed, restarted, renamed, removed; and what its process does meanwhile.

Messages and states: moby, daemon/start.go, stop.go, kill.go, restart.go, rename.go, delete.go.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from labkit.engine.containers import creation
from labkit.engine.containers.removal import discard
from labkit.engine.containers.resuming import advance
from labkit.engine.containers.service import STOP_SECONDS
from labkit.engine.containers.signals import deliver, signal_name
from labkit.engine.containers.starting import start
from labkit.engine.core import names
from labkit.engine.core.core import ContainerRenamed, Core, by_age, change, find
from labkit.engine.core.errors import EngineError, Filters, check_filters, conflict, invalid, labels_match, system
from labkit.engine.core.records import Container, ContainerState
from labkit.kernel.process import SECOND


def stop(core: Core, reference: str, timeout: int | None = None, signal: str | None = None) -> None:
    """POST /containers/NAME/stop: the stop signal, and after the timeout SIGKILL."""
    container = find(core, reference)
    if not container.state.running:
        return
    try:
        _stop(core, container, timeout, signal)
    except EngineError as error:
        raise EngineError(f"cannot stop container: {reference}: {error}", error.kind) from None


def _stop(core: Core, container: Container, timeout: int | None, signal: str | None) -> None:
    name = signal_name(signal or container.config.get("StopSignal") or "TERM")
    container = change(core, container.id, stopped_by_hand=True)
    if container.state.status == "restarting":
        core.tables.running.delete(container.id)
        change(core, container.id, state=replace(container.state, status="exited"))
        return
    if timeout is None:
        timeout = container.config.get("StopTimeout")
    if deliver(core, container, name):
        return
    core.kernel.clock.advance((STOP_SECONDS if timeout is None else max(0, timeout)) * SECOND)
    advance(core)
    if container.id in core.tables.running:
        deliver(core, container, "KILL")


def kill(core: Core, reference: str, signal: str | None = None) -> None:
    """POST /containers/NAME/kill."""
    try:
        container = find(core, reference)
        if not container.state.running:
            raise conflict(f"container {container.id} is not running")
        name = signal_name(signal or "KILL")
    except EngineError as error:
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
        if container.id in core.tables.containers:
            start(core, container.id)
    except EngineError as error:
        raise EngineError(f"Cannot restart container {reference}: {error}", error.kind) from None


def pause(core: Core, reference: str) -> None:
    container = find(core, reference)
    if not container.state.running:
        raise conflict(f"container {container.id} is not running")
    if container.state.status == "paused":
        raise conflict(f"Container {container.id} is already paused")
    change(core, container.id, state=replace(container.state, status="paused"))


def unpause(core: Core, reference: str) -> None:
    container = find(core, reference)
    if container.state.status != "paused":
        raise system(f"Container {container.id} is not paused")
    change(core, container.id, state=replace(container.state, status="running"))


def rename(core: Core, reference: str, name: str) -> None:
    """POST /containers/NAME/rename."""
    if not reference or not name:
        raise invalid("Neither old nor new names may be empty")
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
    limit = min((core.until(until) for until in wanted.get("until", ())), default=None)
    gone, space = [], 0
    for container in by_age(core):
        if container.state.running or (limit and container.created >= limit):
            continue
        if not labels_match(container.config.get("Labels"), wanted):
            continue
        space += core.driver.size(core.tables.mounts[container.id].mount_id)
        remove(core, container.id)
        gone.append(container.id)
    return gone, space


def top(core: Core, reference: str) -> dict[str, Any]:
    """GET /containers/NAME/top: the one process that a container is known to have."""
    container = find(core, reference)
    if not container.state.running:
        raise conflict(f"container {container.id} is not running")
    command = " ".join(container.command)
    row = ["root", str(container.state.pid), str(container.state.pid - 20), "0", "09:00", "?", "00:00:00", command]
    return {"Titles": ["UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"], "Processes": [row]}
