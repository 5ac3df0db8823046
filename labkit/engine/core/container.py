"""A container as a record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from labkit.engine.core import times
from labkit.engine.core.mountpoint import MountPoint

ROOT = "/var/lib/docker/containers"


@dataclass(frozen=True, slots=True)
class ContainerState:
    """Where a container is in its life."""

    status: str = "created"
    pid: int = 0
    exit_code: int = 0
    error: str = ""
    started: int | None = None  # ns
    finished: int | None = None  # ns

    @property
    def running(self) -> bool:
        """Its process exists; so it does while it is paused or waits to be restarted."""
        return self.status in ("running", "paused", "restarting")

    def row(self) -> dict[str, Any]:
        return {
            "Status": self.status,
            "Running": self.running,
            "Paused": self.status == "paused",
            "Restarting": self.status == "restarting",
            "OOMKilled": False,
            "Dead": self.status == "dead",
            "Pid": self.pid,
            "ExitCode": self.exit_code,
            "Error": self.error,
            "StartedAt": times.rfc3339(self.started),
            "FinishedAt": times.rfc3339(self.finished),
        }


@dataclass(frozen=True, slots=True)
class Container:
    id: str
    name: str  # without the slash that the API puts before it
    number: int  # in the order of creation
    created: int  # ns
    image: str  # id
    config: Mapping[str, Any]  # as Config of an inspect, image and command line put together; nobody changes it
    host_config: Mapping[str, Any]  # what was asked for; hostconfig.py has the rest
    mounts: tuple[MountPoint, ...] = ()
    state: ContainerState = ContainerState()
    restarts: int = 0
    stopped_by_hand: bool = False
    address: str = ""  # 172.17.0.N while it runs
    execs: tuple[str, ...] = ()

    @property
    def command(self) -> list[str]:
        """What its process is started with."""
        return [*(self.config.get("Entrypoint") or ()), *(self.config.get("Cmd") or ())]

    @property
    def folder(self) -> str:
        return f"{ROOT}/{self.id}"

    @property
    def log_path(self) -> str:
        return f"{self.folder}/{self.id}-json.log"

    @property
    def hostname(self) -> str:
        return self.config.get("Hostname") or self.id[:12]

    def host(self, key: str, default: Any = None) -> Any:
        """A value of HostConfig that was asked for."""
        value = self.host_config.get(key)
        return default if value is None else value

    def mount_at(self, destination: str) -> MountPoint | None:
        return next((mount for mount in self.mounts if mount.destination == destination), None)
