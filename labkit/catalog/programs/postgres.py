"""PostgreSQL: its image's entrypoint, the server's data directory, psql. Messages: PostgreSQL 15, its image's script.

A database is a folder of base/, a table a file in it; a segment of the write-ahead log is 16 MiB, the server's default.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import ClassVar

from labkit.catalog.programs import sql
from labkit.catalog.programs.support import complain, converse, options, read_text, say, timestamp
from labkit.files import Content
from labkit.kernel.process import Process

SOCKET = "/var/run/postgresql/.s.PGSQL.5432"
_VERSION = "15.14 (Debian 15.14-0+deb12u1)"
_USER = 999
_WAL_SEGMENT = 16 << 20
_REFUSAL = """\
Error: Database is uninitialized and superuser password is not specified.
       You must specify POSTGRES_PASSWORD to a non-empty value for the
       superuser. For example, "-e POSTGRES_PASSWORD=password" on "docker run".

       You may also use "POSTGRES_HOST_AUTH_METHOD=trust" to allow all
       connections without a password. This is *not* recommended.

       See PostgreSQL documentation about "trust":
       https://www.postgresql.org/docs/current/auth-trust.html"""


def _data(process: Process) -> str:
    return process.env.get("PGDATA", "/var/lib/postgresql/data")


def entrypoint(process: Process) -> int:
    words = process.argv[1:] or ["postgres"]
    if words[0].startswith("-"):
        words = ["postgres", *words]
    if words[0] != "postgres" or {"--help", "--version", "-V"} & set(words):
        return process.exec(words)
    data = _data(process)
    if process.files.exists(f"{data}/PG_VERSION"):
        say(process, "", "PostgreSQL Database directory appears to contain a database; Skipping initialization", "")
        return process.exec(words)
    if not process.env.get("POSTGRES_PASSWORD") and process.env.get("POSTGRES_HOST_AUTH_METHOD") != "trust":
        complain(process, *_REFUSAL.split("\n"))
        return 1
    _fill(process, data)
    say(process, "PostgreSQL init process complete; ready for start up.", "")
    return process.exec(words)


def _fill(process: Process, data: str) -> None:
    files = process.files
    files.makedirs(data)
    files.chmod(data, 0o700)
    for name in (
        "base",
        "base/1",
        "base/4",
        "base/5",
        "global",
        "pg_wal",
        "pg_xact",
        "pg_stat",
        "pg_tblspc",
        "pg_logical",
    ):
        files.mkdir(f"{data}/{name}", 0o700)
        files.chown(f"{data}/{name}", _USER, _USER)
    user = process.env.get("POSTGRES_USER", "postgres")
    names = {"postgres": "5", "template0": "4", "template1": "1"}
    own = process.env.get("POSTGRES_DB", user)
    if own not in names:
        names[own] = "16384"
        files.mkdir(f"{data}/base/16384", 0o700)
    texts = {
        "PG_VERSION": "15\n",
        "postgresql.conf": "listen_addresses = '*'\n",
        "pg_hba.conf": "local   all   all   trust\n",
        "global/pg_database": json.dumps(names),
        "global/pg_authid": json.dumps([user]),
    }
    for name, text in texts.items():
        _write(process, f"{data}/{name}", Content(text))
    _write(process, f"{data}/pg_wal/000000010000000000000001", Content.zeros(_WAL_SEGMENT))
    files.chown(data, _USER, _USER)


def _write(process: Process, path: str, content: Content) -> None:
    process.files.write(path, content)
    process.files.chmod(path, 0o600)
    process.files.chown(path, _USER, _USER)


def postgres(process: Process) -> int:
    data = _data(process)
    if {"--version", "-V"} & set(process.argv):
        say(process, f"postgres (PostgreSQL) {_VERSION}")
        return 0
    if not process.files.exists(f"{data}/PG_VERSION"):
        complain(
            process,
            f'postgres: could not access the server configuration file "{data}/postgresql.conf": '
            "No such file or directory",
        )
        return 2
    process.files.makedirs(SOCKET.rpartition("/")[0])
    process.files.write(SOCKET, b"")
    process.files.write(f"{data}/postmaster.pid", f"{process.pid}\n{data}\n".encode())
    stamp = timestamp(process, "%Y-%m-%d %H:%M:%S.000 UTC")
    for text in (
        f"starting PostgreSQL {_VERSION} on x86_64-pc-linux-gnu",
        'listening on IPv4 address "0.0.0.0", port 5432',
        "database system is ready to accept connections",
    ):
        complain(process, f"{stamp} [{process.pid}] LOG:  {text}")
    return process.wait_forever("TERM", "INT", "QUIT")


def psql(process: Process) -> int:
    flags, words = options(
        process.argv[1:], ("-U", "--username", "-d", "--dbname", "-c", "--command", "-h", "-p", "-f")
    )
    if "--version" in flags or "-V" in flags:
        say(process, f"psql (PostgreSQL) {_VERSION}")
        return 0
    data = _data(process)
    if not process.files.exists(SOCKET):
        complain(
            process,
            f'psql: error: connection to server on socket "{SOCKET}" failed: No such file or directory',
            "\tIs the server running locally and accepting connections on that socket?",
        )
        return 2
    users = json.loads(read_text(process.files, f"{data}/global/pg_authid") or "[]")
    user = flags.get("-U") or flags.get("--username") or process.env.get("PGUSER") or "root"
    failed = f'psql: error: connection to server on socket "{SOCKET}" failed: FATAL:  '
    if user not in users:
        complain(process, f'{failed}role "{user}" does not exist')
        return 2
    database = flags.get("-d") or flags.get("--dbname") or (words[0] if words else user)
    session = PostgresConnection(process, data, database, "-t" in flags or "--tuples-only" in flags, "-A" in flags)
    if database not in session.names():
        complain(process, f'{failed}database "{database}" does not exist')
        return 2
    text = flags.get("-c") or flags.get("--command")
    if text is None and "-f" not in flags and process.stdin.isatty:
        say(process, f"psql ({_VERSION})", 'Type "help" for help.', "")
        return converse(process, _talk, (data, database, ""), f"{database}=# ")
    if text is None:
        text = (
            read_text(process.files, flags["-f"]) if "-f" in flags else process.stdin.read().decode("utf-8", "replace")
        )
    return session.run(text)


def _talk(process: Process, line: str, state: tuple[str, str, str]) -> tuple[tuple[str, str, str], str | None]:
    data, database, begun = state
    text = f"{begun}\n{line}".strip()
    if text.rstrip("; ") in ("\\q", "exit", "quit"):
        return state, None
    if found := re.fullmatch(r"\\c(?:onnect)?\s+(\w+)", text):
        session = PostgresConnection(process, data, database)
        if found[1] in session.names():
            say(process, f'You are now connected to database "{found[1]}" as user "postgres".')
            return (data, found[1], ""), f"{found[1]}=# "
    if text and not text.startswith("\\") and not text.endswith(";"):
        return (data, database, text), f"{database}-# "
    PostgresConnection(process, data, database).run(text)
    return (data, database, ""), f"{database}=# "


class PostgresConnection(sql.Connection):
    """One connection, and how psql prints what comes of it."""

    messages: ClassVar = {
        "syntax": ("", 'syntax error at or near "{word}"'),
        "database exists": ("", 'database "{database}" already exists'),
        "no database": ("", 'database "{database}" does not exist'),
        "no table": ("", 'relation "{table}" does not exist'),
        "no table to drop": ("", 'table "{table}" does not exist'),
        "table exists": ("", 'relation "{table}" already exists'),
        "unknown column": ("", 'column "{column}" does not exist'),
        "row": ("", "INSERT has more expressions than target columns"),
    }
    count_title = "count"

    def __init__(self, process: Process, data: str, database: str, bare: bool = False, unaligned: bool = False) -> None:
        super().__init__(process, database)
        self.data = data
        self.bare = bare
        self.unaligned = unaligned

    def names(self) -> dict[str, str]:
        """Database -> its folder of base/."""
        names: dict[str, str] = json.loads(read_text(self.process.files, f"{self.data}/global/pg_database"))
        return names

    def run(self, text: str) -> int:
        status = 0
        for line in sql.split(text):
            self.process.tick()
            try:
                if line in ("\\l", "\\list"):
                    self.show(["Name"], [[name] for name in sorted(self.names())])
                elif line in ("\\dt", "\\d"):
                    self.show(["Name"], [[name] for name in sorted(self.process.files.listdir(self._folder()))])
                else:
                    self.do(line)
            except sql.SqlError as error:
                complain(self.process, f"ERROR:  {error}")
                status = 1
        return status

    def _folder(self) -> str:
        return f"{self.data}/base/{self.names()[self.database]}"

    def path(self, statement: sql.Statement) -> str:
        return f"{self._folder()}/{statement.table}"

    def write(self, path: str, content: Content) -> None:
        _write(self.process, path, content)

    def done(self, tag: str, rows: int = 0) -> None:
        say(self.process, tag)

    def check_row(self, table: sql.Table, columns: list[str], row: sql.Cells, number: int) -> None:
        if len(row) > len(columns):
            raise self.error("row")

    def _write_names(self, names: dict[str, str]) -> None:
        self.write(f"{self.data}/global/pg_database", Content(json.dumps(names)))

    def do_create_database(self, statement: sql.Statement) -> None:
        names = self.names()
        if statement.database in names:
            raise self.error("database exists", statement)
        number = str(max(16383, *map(int, names.values())) + 1)
        folder = f"{self.data}/base/{number}"
        self.process.files.mkdir(folder, 0o700)
        self.process.files.chown(folder, _USER, _USER)
        self._write_names({**names, statement.database: number})
        self.done("CREATE DATABASE")

    def do_drop_database(self, statement: sql.Statement) -> None:
        names = self.names()
        if statement.database not in names:
            raise self.error("no database", statement)
        self.process.files.rmtree(f"{self.data}/base/{names.pop(statement.database)}")
        self._write_names(names)
        self.done("DROP DATABASE")

    def do_value(self, statement: sql.Statement) -> None:
        values = [sql.literal(name) or "" for name in statement.columns]
        self.show(["?column?"] * len(values), [values])

    def show(self, columns: list[str], rows: Sequence[sql.Cells]) -> None:
        """psql's aligned table; with -A and -t plain lines."""
        texts = [["" if value is None else str(value) for value in row] for row in rows]
        if self.unaligned:
            say(self.process, *("|".join(row) for row in (texts if self.bare else [columns, *texts])))
            return
        widths, (head, *body) = sql.cells(columns, texts, align="^")
        rule = "+".join("-" * (width + 2) for width in widths)
        foot = f"({len(rows)} row{'s' * (len(rows) != 1)})"
        lines = [line.rstrip() for line in body]
        say(self.process, *([*lines, ""] if self.bare else [head, rule, *lines, foot, ""]))
