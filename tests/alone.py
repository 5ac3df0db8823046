"""A kernel by itself: what runs on it is all that there is on its machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from labkit.kernel.process import Clock, Kernel, Program, Services, Uname

SERVICES = Services(
    processes=lambda process: (),
    kill=lambda process, pid, signal: False,
    uname=lambda process: Uname("Linux", "6.12.57", "#1 SMP", "x86_64", "GNU/Linux"),
    adopt=lambda process, parked: None,
    at_prompt=lambda at: None,
    passed=lambda: None,
)


def kernel_alone(clock: Clock, programs: Mapping[str, Program], execute: Program, **services: Any) -> Kernel:
    """`services`: those that do something."""
    return Kernel(clock, programs, execute, replace(SERVICES, **services))
