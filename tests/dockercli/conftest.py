"""docker run on an engine that a test makes up, or on none where the mistake is the client's."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, NamedTuple, cast

import pytest
from alone import kernel_alone

from labkit.dockercli.dispatch import docker
from labkit.engine.daemon.daemon import Daemon
from labkit.files import Files, Namespace, Store, tmpfs
from labkit.kernel.process import Clock, Input, Output, Process

NOW = 1_795_510_800 * 1_000_000_000  # 2026-11-24 09:00:00 UTC


class Done(NamedTuple):
    status: int
    out: str
    err: str


Run = Callable[..., Done]


def _files() -> Files:
    store = Store(Clock(NOW))
    files = Namespace(store, tmpfs(store)).files()
    files.makedirs("/home/learner")
    files.chdir("/home/learner")
    return files


@pytest.fixture
def files() -> Files:
    """The client's files; its folder is /home/learner."""
    return _files()


@pytest.fixture
def run(files: Files) -> Run:
    def call(*words: str, engine: Any = None, stdin: bytes = b"", env: dict[str, str] | None = None) -> Done:
        kernel = kernel_alone(Clock(NOW), {}, lambda process: 0)
        daemon = cast(Daemon, SimpleNamespace(engine=engine, unreachable=str))
        stdout, stderr = Output(), Output()
        process = Process(["docker", *words], env or {}, files, Input(stdin), stdout, stderr, kernel)
        status = docker(daemon)(process)
        return Done(status, stdout.getvalue().decode(), stderr.getvalue().decode())

    return call
