"""Time passes: the processes that wait go on, each at its own moment, and containers are started again."""

from __future__ import annotations

from dataclasses import replace

from labkit.engine.containers.processes import copy_of, run_exec, run_process
from labkit.engine.containers.starting import start
from labkit.engine.core.core import Core, change, find
from labkit.engine.core.errors import EngineError
from labkit.engine.core.records import Running
from labkit.kernel.process import RESUMES


def advance(core: Core) -> None:
    """Resume the processes whose time has come, each at its own time, in order."""
    clock = core.kernel.clock
    target = clock.now
    counts: dict[str, int] = {}
    while due := _next_due(core, target):
        identifier, until = due
        counts[identifier] = counts.get(identifier, 0) + 1
        clock.now = target if counts[identifier] > RESUMES else max(until, 0)
        _resume(core, identifier)
    clock.now = target


def _next_due(core: Core, target: int) -> tuple[str, int] | None:
    found = [
        (running.parked.until, identifier)
        for identifier, running in core.tables.running.items()
        if running.parked.until is not None
        and running.parked.until <= target
        and core.tables.containers[identifier.partition("/")[0]].state.status != "paused"
    ]
    if not found:
        return None
    until, identifier = min(found)
    return identifier, until


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
