"""An engine on an empty host, with a base image and a handful of programs: the engine needs no shell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from alone import kernel_alone

from labkit.catalog.images import base_archive, busybox_listing
from labkit.drivers import DRIVERS
from labkit.engine.api import Engine
from labkit.engine.containers.processes import Streams
from labkit.engine.core.errors import EngineError
from labkit.files import Files, Namespace, Store, tmpfs
from labkit.kernel.process import Clock, Input, Output, Process, find_program

START = 1_795_510_800 * 1_000_000_000  # ns


def execute(process: Process) -> int:
    """Runs the few commands that these tests use."""
    process.kernel.clock.advance(1_000_000)
    find_program(process.files, process.argv[0], process.env.get("PATH", ""))
    return COMMANDS[process.argv[0].rpartition("/")[2]](process, *process.argv[1:])


def _sleep(process: Process, seconds: str = "86400") -> int:
    process.sleep(float(seconds))
    return 0


def _echo(process: Process, *words: str) -> int:
    process.stdout.write(" ".join(words) + "\n")
    return 0


def _ls(process: Process, path: str) -> int:
    process.stdout.write("".join(name + "\n" for name in process.files.listdir(path)))
    return 0


def _cat(process: Process, path: str) -> int:
    process.stdout.write(process.files.read(path))
    return 0


def _tee(process: Process, path: str, text: str) -> int:
    process.files.write(path, text)
    return 0


def _rm(process: Process, path: str) -> int:
    process.files.unlink(path)
    return 0


def _id(process: Process) -> int:
    user = process.files.user
    process.stdout.write(f"{user.uid}:{user.gid}\n")
    return 0


def _sh(process: Process, option: str, status: str) -> int:
    return int(status)


def _env(process: Process) -> int:
    process.stdout.write("".join(f"{key}={value}\n" for key, value in process.env.items()))
    return 0


def _trap(process: Process, status: str) -> int:
    """A server: it waits for ever, and ends with this status when it is asked to."""
    process.traps["TERM"] = f"exit {status}"
    return process.wait_forever("TERM")


def _setsid(process: Process, *words: str) -> int:
    """An entrypoint: it becomes what it is given."""
    return process.exec(list(words))


COMMANDS: dict[str, Any] = {
    "sleep": _sleep, "echo": _echo, "ls": _ls, "cat": _cat, "tee": _tee, "rm": _rm, "id": _id, "sh": _sh, "env": _env,
    "setsid": _setsid, "true": lambda process: 0, "httpd": _trap,
    "pwd": lambda process: _echo(process, process.files.cwd),
}  # fmt: skip


@dataclass
class Done:
    status: int | None
    out: str
    err: str


class Lab:
    """The engine, and short ways to use it."""

    def __init__(self, driver: str = "overlay2", registry: Any = None) -> None:
        self.clock = Clock(START)
        self.store = Store(self.clock)
        self.host: Files = Namespace(self.store, tmpfs(self.store, mode=0o755)).files()
        for folder in ("/home/learner", "/etc", "/var/lib"):
            self.host.makedirs(folder)
        self.driver = DRIVERS[driver](self.host, "/var/lib/docker")
        kernel = kernel_alone(self.clock, {}, execute)
        self.engine = Engine(self.host, self.driver, kernel, registry)
        self.engine.import_image(base_archive(busybox_listing()), "busybox", ['CMD ["sh"]'])

    def create(self, name: str, *command: str, image: str = "busybox", **about: Any) -> str:
        config = {key: about.pop(key) for key in list(about) if key in CONFIG_KEYS}
        body = {"Image": image, "Cmd": list(command), **config, "HostConfig": about}
        return self.engine.create_container(body, name)[0]

    def run(self, name: str, *command: str, **about: Any) -> Done:
        identifier = self.create(name, *command, **about)
        return self.start(identifier)

    def start(self, name: str) -> Done:
        stdout, stderr = Output(), Output()
        status = self.engine.start_container(name, Streams(stdout, stderr, Input()))
        return Done(status, stdout.getvalue().decode(), stderr.getvalue().decode())

    def up(self, name: str, *command: str, **about: Any) -> str:
        """A container that runs in the background."""
        identifier = self.create(name, *(command or ("sleep", "86400")), **about)
        self.engine.start_container(identifier)
        return identifier

    def exec(self, name: str, *command: str, **about: Any) -> Done:
        stdout, stderr = Output(), Output()
        status = self.engine.exec(name, command, streams=Streams(stdout, stderr), **about)
        return Done(status, stdout.getvalue().decode(), stderr.getvalue().decode())

    def refused(self, call: Any, *args: Any, **kwargs: Any) -> str:
        """The message of the EngineError that a call raises."""
        with pytest.raises(EngineError) as caught:
            call(*args, **kwargs)
        return str(caught.value)


CONFIG_KEYS = ("Entrypoint", "Env", "Labels", "User", "Volumes", "WorkingDir", "Hostname", "Tty", "StopSignal")


@pytest.fixture
def lab() -> Lab:
    return Lab()


@pytest.fixture
def make_lab() -> type[Lab]:
    return Lab
