"""The service `docker` of a machine, as systemd knows it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class LogLine:
    """One line of the journal."""

    time: int  # ns
    who: str  # "dockerd" or "systemd"
    text: str


@dataclass(frozen=True)
class Service:
    driver: str  # with which the engine runs, or ran last
    since: int  # ns
    status: str = "active"  # or "inactive", "failed"
    listens: bool = True  # whether systemd has the socket open
    log: tuple[LogLine, ...] = ()
