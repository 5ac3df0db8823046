"""The programs of the catalog's images and packages: a row each, its file loaded when it first runs."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from labkit.catalog import computers
from labkit.kernel.process import Process, Program

if TYPE_CHECKING:
    from collections.abc import Callable

    from labkit.engine.daemon.daemon import Daemon

# program -> file in this folder and function in it
_TABLE = {
    "apt-get": "apt.apt_get",
    "apt-cache": "apt.apt_cache",
    "apt-mark": "apt.apt_mark",
    "dpkg": "apt.dpkg",
    "dpkg-query": "apt.dpkg",
    "apk": "apk.apk",
    "pip": "pip.pip",
    "python": "python.python",
    "flask": "web.flask",
    "gunicorn": "web.gunicorn",
    "npm": "node.npm",
    "npx": "node.npx",
    "node": "node.node",
    "mysql-entrypoint": "mysql.entrypoint",
    "mysqld": "mysql.mysqld",
    "mysql": "mysql.client",
    "nginx-entrypoint": "web.entrypoint",
    "nginx": "web.nginx",
    "postgres-entrypoint": "postgres.entrypoint",
    "postgres": "postgres.postgres",
    "psql": "postgres.psql",
    "redis-server": "redis.server",
    "redis-cli": "redis.cli",
    "exec-entrypoint": "simple.entrypoint",
    "hello": "simple.hello",
    "gnu:ipcs": "namespaces.ipcs",
    "busybox:ipcs": "namespaces.ipcs",
    "gnu:service": "systemctl.service",
    "gnu:git": "simple.version",
    "gnu:gcc": "simple.version",
    "gnu:gcc-12": "simple.version",
    "gnu:g++": "simple.version",
    "gnu:make": "simple.version",
    "gnu:vim.basic": "simple.version",
    "gnu:vim.tiny": "simple.version",
    "gnu:openssl": "simple.version",
    "gnu:sqlite3": "simple.version",
    "gnu:cmake": "simple.version",
    "gnu:figlet": "simple.version",
}
# those that ask the docker daemon; their functions take it as well
_CLIENTS = {
    "curl": "web.curl",
    "gnu:nsenter": "namespaces.nsenter",
    "busybox:nsenter": "namespaces.nsenter",
    "gnu:ip": "namespaces.ip",
    "busybox:ip": "namespaces.ip",
    "gnu:ifconfig": "namespaces.ifconfig",
    "busybox:ifconfig": "namespaces.ifconfig",
    "gnu:systemctl": "systemctl.systemctl",
    "gnu:journalctl": "systemctl.journalctl",
}


def _program(place: str) -> Program:
    module, _, function = place.partition(".")

    def run(process: Process) -> int:
        found: Program = getattr(import_module(f"{__name__}.{module}"), function)
        return found(process)

    return run


def _client(place: str, daemon: Daemon) -> Program:
    module, _, function = place.partition(".")

    def run(process: Process) -> int:
        found: Callable[[Process, Daemon], int] = getattr(import_module(f"{__name__}.{module}"), function)
        return found(process, daemon)

    return run


def clients(daemon: Daemon) -> dict[str, Program]:
    """The programs that ask this daemon."""
    return {name: _client(place, daemon) for name, place in _CLIENTS.items()}


PROGRAMS: dict[str, Program] = {name: _program(place) for name, place in _TABLE.items()}
PROGRAMS |= {f"bsd:{name}": _program("simple.bsd") for name in computers.MAC_TOOLS}
