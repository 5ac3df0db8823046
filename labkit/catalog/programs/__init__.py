"""The programs of the catalog's images and packages: a row each, its file loaded when it first runs."""

from __future__ import annotations

from importlib import import_module

from labkit.catalog import mac
from labkit.kernel.process import Process, Program

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
    "curl": "web.curl",
    "postgres-entrypoint": "postgres.entrypoint",
    "postgres": "postgres.postgres",
    "psql": "postgres.psql",
    "redis-server": "redis.server",
    "redis-cli": "redis.cli",
    "exec-entrypoint": "entrypoint.main",
    "hello": "hello.main",
    "gnu:nsenter": "namespaces.nsenter",
    "busybox:nsenter": "namespaces.nsenter",
    "gnu:ip": "namespaces.ip",
    "busybox:ip": "namespaces.ip",
    "gnu:ifconfig": "namespaces.ifconfig",
    "busybox:ifconfig": "namespaces.ifconfig",
    "gnu:ipcs": "namespaces.ipcs",
    "busybox:ipcs": "namespaces.ipcs",
    "gnu:systemctl": "systemctl.systemctl",
    "gnu:journalctl": "systemctl.journalctl",
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


def _program(place: str) -> Program:
    module, _, function = place.partition(".")

    def run(process: Process) -> int:
        found: Program = getattr(import_module(f"{__name__}.{module}"), function)
        return found(process)

    return run


PROGRAMS: dict[str, Program] = {name: _program(place) for name, place in _TABLE.items()}
PROGRAMS |= {f"bsd:{name}": _program("bsd.main") for name in mac.TOOLS}
