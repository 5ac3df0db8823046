"""The daemon's own end and start, as its containers see them."""

from __future__ import annotations

from dataclasses import replace

from labkit.engine.containers.ending import restarts_after
from labkit.engine.containers.removal import discard
from labkit.engine.containers.resuming import advance
from labkit.engine.containers.signals import deliver, signal_name
from labkit.engine.containers.starting import start
from labkit.engine.core.core import Core, by_age, change
from labkit.engine.core.errors import EngineError
from labkit.engine.core.records import Container
from labkit.kernel.process import SECOND

STOP_SECONDS = 10


def shut_down(core: Core) -> None:
    """Stop all containers at once, as a daemon that ends does; that a person stopped them is not noted.

    Facts: moby, daemon/daemon.go, Shutdown.
    """
    before = {found.id: found.stopped_by_hand for found in by_age(core) if found.state.running}
    left = [found for found in before if not _is_gone(core, found)]
    seconds = [core.tables.containers[found].config.get("StopTimeout") for found in left]
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
    return deliver(core, container, signal_name(container.config.get("StopSignal") or "TERM"))


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
    policy = (container.host("RestartPolicy", {}) or {}).get("Name")
    return policy == "always" or restarts_after(container, container.state.exit_code)
