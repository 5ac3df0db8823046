"""Which processes there are: what `ps` shows and `kill` reaches, on the host and in a container.

Only a container's first process is a process here between two commands; what `exec` started has ended, or is parked
without a number of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from labkit.engine.containers import lifecycle
from labkit.engine.core.core import Core, by_age
from labkit.engine.core.records import Container
from labkit.kernel.process import Listed

if TYPE_CHECKING:
    from labkit.engine.daemon.daemon import Daemon
    from labkit.kernel.process import Process

_INIT = Listed(1, "root", "/sbin/init")
DAEMON = Listed(411, "root", "/usr/bin/dockerd -H fd://")


def _host(daemon: Daemon) -> list[Listed]:
    """The host's own."""
    return [_INIT, DAEMON] if daemon.service.status == "active" else [_INIT]


def _seen(core: Core, process: Process) -> list[tuple[int, Container]]:
    """The containers whose first process this one can see, by the number that it has there."""
    running = [found for found in by_age(core) if found.state.running]
    own = process.namespaces.pid
    if own:
        return [(1, found) for found in running if found.id == own]
    return [(found.state.pid, found) for found in running]


def rows(daemon: Daemon, process: Process) -> list[Listed]:
    """The processes in the process' own PID namespace."""
    host = () if process.namespaces.pid else _host(daemon)
    users = ((number, found.config.get("User") or "root", found) for number, found in _seen(daemon.core, process))
    return [*host, *(Listed(number, user.partition(":")[0], " ".join(found.command)) for number, user, found in users)]


def kill(daemon: Daemon, process: Process, pid: int, signal: str) -> bool:
    """Send a signal to a process that this one can see; False where there is none of that number."""
    for number, found in _seen(daemon.core, process):
        if number == pid:
            if not (process.namespaces.pid and signal in ("KILL", "STOP")):  # from within, process 1 is safe from these
                lifecycle.kill(daemon.core, found.id, signal)
            return True
    return not process.namespaces.pid and any(pid == row.pid for row in _host(daemon))
