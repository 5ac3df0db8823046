"""docker, the program. What it needs is loaded when it first runs, so that a machine starts at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from labkit.engine.daemon.daemon import Daemon
    from labkit.kernel.process import Process, Program

_STEPS = 400  # that each docker command takes at least


def docker(daemon: Daemon) -> Program:
    """The program docker, as a client of this daemon."""

    def run(process: Process) -> int:
        from .dispatch import run_docker

        process.tick(_STEPS)
        return run_docker(process, daemon)

    return run
