"""The service `docker` of one machine: it starts, ends and fails, and each start picks the storage driver anew.

What an engine knows of images and containers belongs to one storage driver. When the daemon starts with another one,
that is out of sight and comes back with the old driver; the folders of both stay on the disk. Volumes belong to none.
All of it lies in the engine's tables, so that a snapshot of these has it.

Facts: moby, daemon/daemon.go (a container is loaded where its driver is the one in use; Shutdown), cmd/dockerd;
systemd's socket activation: a connection to /run/docker.sock starts a daemon that was stopped, not one that failed.
Not modelled: that systemd tries a failed start three times, live-restore, the time that a start takes.

Which processes there are: what `ps` shows and `kill` reaches, on the host and in a container.

Only a container's first process is a process here between two commands; what `exec` started has ended, or is parked
without a number of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from labkit.drivers import DRIVERS, choice
from labkit.drivers.base import OptionRefused, options_of
from labkit.engine.api import Engine
from labkit.engine.containers import lifecycle
from labkit.engine.core.core import Core, ParkedDriver, by_age
from labkit.engine.core.records import Container, LogLine, Service
from labkit.engine.daemon import daemoninfo
from labkit.engine.images.imagestore import install_images
from labkit.kernel.golang import text
from labkit.kernel.process import Listed

if TYPE_CHECKING:
    from labkit.drivers import Driver
    from labkit.files import Place
    from labkit.kernel.process import LeftJob, Process


SOCKET = "/run/docker.sock"
_SERVICE = "daemon"  # where the tables keep it
_LINES = 200  # of the log that are kept
_NO_GRAPHDRIVER = "failed to start daemon: error initializing graphdriver: "


class StartFailed(Exception):
    """The daemon ended at once; str() is what it said."""


class Daemon:
    def __init__(self, engine: Engine, setting: choice.Setting, root: str, *, socket: str | None = SOCKET) -> None:
        self.engine = engine
        self.core = core = engine.core
        self.setting = setting
        self.root = root
        self.socket = socket  # its file on the host; None where nobody can take it away
        self._made: dict[str, Driver] = {core.driver.name: core.driver}
        self._set(Service(core.driver.name, core.now()))
        self._log("systemd", "Started Docker Application Container Engine.")

    # --- state

    @property
    def service(self) -> Service:
        return self.core.tables.service[_SERVICE]

    def _set(self, service: Service) -> None:
        self.core.tables.service.set(_SERVICE, service)

    def _turn(self, status: str) -> None:
        self._set(replace(self.service, status=status, since=self.core.now()))

    def _log(self, who: str, *texts: str) -> None:
        lines = tuple(LogLine(self.core.now(), who, text) for text in texts)
        self._set(replace(self.service, log=(*self.service.log, *lines)[-_LINES:]))

    def restored(self) -> None:
        """The engine's tables were replaced: the drivers are what these say."""
        self.core.use(self._made[self.service.driver])
        for name, driver in self._made.items():
            parked = self.core.tables.parked.get(name)
            if parked is not None and name != self.service.driver:
                driver.restore(parked.driver)

    # --- what a person can do to it

    def start(self) -> None:
        """Raises NotStarted."""
        if self.service.status == "active":
            return
        self._set(replace(self.service, listens=True))
        self._log("systemd", "Starting Docker Application Container Engine...")
        self._log("dockerd", 'level=info msg="Starting up"')
        try:
            driver = self._driver()
        except (daemoninfo.ConfigError, choice.DriverRefused) as error:
            self._fail(str(error))
            raise StartFailed(str(error)) from None
        self._switch(driver)
        self.core.epoch = self.core.now()
        self._turn("active")
        self._log("dockerd", 'level=info msg="Daemon has completed initialization"')
        self._log("systemd", "Started Docker Application Container Engine.")
        lifecycle.start_up(self.core)

    def stop(self, *, socket: bool = False) -> None:
        """`socket`: systemd closes the socket too, so that no connection starts the daemon again."""
        if self.service.status == "active":
            self._log("systemd", "Stopping Docker Application Container Engine...")
            self._log("dockerd", "level=info msg=\"Processing signal 'terminated'\"")
            lifecycle.shut_down(self.core)
            self._log("dockerd", 'level=info msg="Daemon shutdown complete"')
            self._log("systemd", "docker.service: Deactivated successfully.")
            self._log("systemd", "Stopped Docker Application Container Engine.")
        if self.service.status != "inactive":
            self._turn("inactive")
        self._set(replace(self.service, listens=self.service.listens and not socket))

    def restart(self) -> None:
        """Raises NotStarted; the containers have ended then."""
        self.stop()
        self.start()

    def listen(self) -> None:
        """Open the socket, whose file may be gone."""
        if self.socket is not None and not self.core.host.exists(self.socket):
            self.core.host.mknod(self.socket, 0o140660)
            self.core.host.chown(self.socket, 0, 999)
        self._set(replace(self.service, listens=True))

    def unreachable(self) -> str:
        """What a client is told that connects; empty where it is answered. A daemon that was stopped is started."""
        if self.socket is not None and not self.core.host.exists(self.socket):
            at = f"unix:///var{self.socket}"
            return (
                f"failed to connect to the docker API at {at}; check if the path is correct and if the daemon is "
                f"running: dial unix {at.removeprefix('unix://')}: connect: no such file or directory"
            )
        if self.service.status == "inactive" and self.service.listens:
            with suppress(StartFailed):
                self.start()
        if self.service.status == "active":
            return ""
        return f"Cannot connect to the Docker daemon at unix:///var{SOCKET}. Is the docker daemon running?"

    # --- the storage driver

    def _fail(self, said: str) -> None:
        self._log("dockerd", said)
        self._log("systemd", "docker.service: Main process exited, code=exited, status=1/FAILURE")
        self._log("systemd", "docker.service: Failed with result 'exit-code'.")
        self._log("systemd", "Failed to start Docker Application Container Engine.")
        self._turn("failed")

    def _driver(self) -> Driver:
        """The one that the configuration and the disk ask for. Raises ConfigError and DriverRefused."""
        config = daemoninfo.read_config(self.core.host)
        name = choice.choose(self.setting, config.storage_driver, self._used(), config.features)
        try:
            options = options_of(DRIVERS[name], config.storage_options)
            if name == self.core.driver.name or name in self.core.tables.parked:
                self._made[name].configure(options)
            else:
                self._made[name] = DRIVERS[name](self.core.host, self.root, options)
                self._made[name].backing = self.setting.backing_name
        except OptionRefused as error:
            raise choice.DriverRefused(f"{_NO_GRAPHDRIVER}{error}") from None
        return self._made[name]

    def _used(self) -> list[str]:
        """The drivers whose folders are not empty."""
        host = self.core.host
        folders = {name: f"{self.root}/{name}" for name in DRIVERS}
        return [name for name, path in folders.items() if host.is_dir(path) and host.listdir(path)]

    def _switch(self, driver: Driver) -> None:
        core = self.core
        if driver is core.driver:
            return
        others = core.tables.parked
        others.set(core.driver.name, ParkedDriver(core.tables.park(), core.driver.snapshot()))
        core.use(driver)
        if driver.name in others:
            core.tables.unpark(others[driver.name].tables)
            others.delete(driver.name)
        install_images(core)
        self._set(replace(self.service, driver=driver.name))


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


def list_processes(daemon: Daemon, process: Process) -> list[Listed]:
    """The processes in the process' own PID namespace."""
    host = () if process.namespaces.pid else _host(daemon)
    users = ((number, text(found.config, "User") or "root", found) for number, found in _seen(daemon.core, process))
    return [*host, *(Listed(number, user.partition(":")[0], " ".join(found.command)) for number, user, found in users)]


def kill_process(daemon: Daemon, process: Process, pid: int, signal: str) -> bool:
    """Send a signal to a process that this one can see; False where there is none of that number."""
    for number, found in _seen(daemon.core, process):
        if number == pid:
            if not (process.namespaces.pid and signal in ("KILL", "STOP")):  # from within, process 1 is safe from these
                lifecycle.kill(daemon.core, found.id, signal)
            return True
    return not process.namespaces.pid and any(pid == row.pid for row in _host(daemon))


def running_programs(daemon: Daemon, jobs: Iterable[LeftJob]) -> Iterator[Place]:
    """The files of the programs that run on the machine, those that wait among them."""
    kernel = daemon.core.kernel
    yield from kernel.running
    for programs in kernel.children:
        yield from programs()
    for job in jobs:
        yield from job.parked.programs
    for container in daemon.core.tables.running.values():
        yield from container.parked.programs
