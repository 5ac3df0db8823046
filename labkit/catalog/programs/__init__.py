"""The programs of the catalog's images and packages: a row each, its file loaded when it first runs."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from labkit.catalog import mac
from labkit.kernel.process import Process, Program

if TYPE_CHECKING:
    from collections.abc import Callable

    from labkit.engine.daemon.daemon import Daemon

# program -> file in this folder and function in it
_TABLE = {
    "apt-get": "apt.apt_get",
    "apt-cache": "apt.apt_cache",
    "apt-mark": "apt.apt_mark",
    "dpkg": "dpkg.dpkg",
    "dpkg-query": "dpkg.dpkg_query",
    "apk": "apk.apk",
    "pip": "pip.pip",
    "python": "python.python",
    "flask": "flask.flask",
    "gunicorn": "flask.gunicorn",
    "npm": "npm.npm",
    "npx": "npm.npx",
    "node": "node.node",
    "mysql-entrypoint": "mysql.entrypoint",
    "mysqld": "mysql.mysqld",
    "mysql": "mysql.client",
    "nginx-entrypoint": "nginx.entrypoint",
    "nginx": "nginx.nginx",
    "postgres-entrypoint": "postgres.entrypoint",
    "postgres": "postgres.postgres",
    "psql": "postgres.psql",
    "redis-server": "redis.server",
    "redis-cli": "redis.cli",
    "exec-entrypoint": "entrypoint.main",
    "hello": "hello.main",
    "gnu:ipcs": "namespaces.ipcs",
    "busybox:ipcs": "namespaces.ipcs",
    "gnu:service": "systemctl.service",
    "gnu:git": "versions.main",
    "gnu:gcc": "versions.main",
    "gnu:gcc-12": "versions.main",
    "gnu:g++": "versions.main",
    "gnu:make": "versions.main",
    "gnu:vim.basic": "versions.main",
    "gnu:vim.tiny": "versions.main",
    "gnu:openssl": "versions.main",
    "gnu:sqlite3": "versions.main",
    "gnu:cmake": "versions.main",
    "gnu:figlet": "versions.main",
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
PROGRAMS |= {f"bsd:{name}": _program("bsd.main") for name in mac.TOOLS}
