"""docker, the program. What it needs is loaded when it first runs, so that a machine starts at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from labkit.kernel.process import Process

_STEPS = 400  # that each docker command takes at least


def docker(process: Process) -> int:
    """The program docker."""
    from .dispatch import run_docker

    process.tick(_STEPS)
    return run_docker(process)
