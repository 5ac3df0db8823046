"""Signals to a container's process."""

from __future__ import annotations

from labkit.engine.containers import ending
from labkit.engine.containers.ending import KILLED, flush
from labkit.engine.containers.processes import copy_of
from labkit.engine.core.core import Core
from labkit.engine.core.errors import invalid
from labkit.engine.core.records import Container, Running
from labkit.kernel.process import IGNORED, NAMES, NUMBERS


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
    if signal == "KILL":
        ending.end(core, container.id, None, KILLED)
        return True
    process = running.process
    handler = process.traps.get(signal) if process else None
    if handler is None:
        if container.host("Init") and signal not in IGNORED:
            ending.end(core, container.id, None, 128 + NUMBERS[signal])
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
        status = core.kernel.execute(process)
    if "exit" not in words:
        flush(core, container.id, process)
        return False
    ending.end(core, container.id, process, status & 0xFF)
    return True
