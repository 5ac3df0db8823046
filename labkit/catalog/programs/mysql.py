"""MySQL: its image's entrypoint, the server's data directory, the client. Messages: MySQL 8.4, its image's script.

A database is a folder of the data directory, a table a file in it, as with InnoDB's file-per-table; sizes of fresh
files are the server's documented defaults (ibdata1 12 MiB, undo tablespaces 16 MiB, 32 redo files that share 100 MiB,
112 KiB a table).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import sha256
from typing import ClassVar, NamedTuple

from labkit.catalog.programs import sql
from labkit.catalog.programs.support import complain, converse, options, read_text, say, timestamp
from labkit.files import Content
from labkit.kernel.process import SECOND, Process

DATA = "/var/lib/mysql"
SOCKET = "/var/run/mysqld/mysqld.sock"
_VERSION = "8.4.7"
_USER = 999
_MIB = 1 << 20
_TABLE_SIZE = 112 * 1024
_PROMPT, _MORE = "mysql> ", "    -> "
_WELCOME = (
    "Welcome to the MySQL monitor.  Commands end with ; or \\g.",
    f"Server version: {_VERSION} MySQL Community Server - GPL",
    "",
    "Type 'help;' or '\\h' for help. Type '\\c' to clear the current input statement.",
)
_PASSWORDS = ("MYSQL_ROOT_PASSWORD", "MYSQL_ALLOW_EMPTY_PASSWORD", "MYSQL_RANDOM_ROOT_PASSWORD")


def entrypoint(process: Process) -> int:
    """docker-entrypoint.sh: fills an empty data directory and starts the server; other commands are run as they are."""
    words = process.argv[1:] or ["mysqld"]
    if words[0].startswith("-"):
        words = ["mysqld", *words]
    if words[0] != "mysqld" or {"--help", "--version", "-V"} & set(words):
        return process.exec(words)
    started = f"Entrypoint script for MySQL Server {_VERSION}-1debian12 started."
    _note(process, started)
    if process.files.user.uid == 0:
        process.files.makedirs(DATA)
        process.files.chown(DATA, _USER, -1)
        _note(process, "Switching to dedicated user 'mysql'")
        _note(process, started)
    if not process.files.exists(f"{DATA}/mysql"):
        if not any(process.env.get(name) or process.env.get(f"{name}_FILE") for name in _PASSWORDS):
            _refuse(process)
            return 1
        _initialise(process)
    return process.exec(words)


def _note(process: Process, text: str) -> None:
    say(process, f"{timestamp(process, '%Y-%m-%d %H:%M:%S+00:00')} [Note] [Entrypoint]: {text}")


def _refuse(process: Process) -> None:
    stamp = timestamp(process, "%Y-%m-%d %H:%M:%S+00:00")
    complain(process, f"{stamp} [ERROR] [Entrypoint]: Database is uninitialized and password option is not specified")
    complain(
        process,
        "    You need to specify one of the following as an environment variable:",
        *(f"    - {name}" for name in _PASSWORDS),
    )


def _initialise(process: Process) -> None:
    _note(process, "Initializing database files")
    password = process.env.get("MYSQL_ROOT_PASSWORD", "")
    if path := process.env.get("MYSQL_ROOT_PASSWORD_FILE"):
        password = read_text(process.files, path).strip()
    fill(process, password)
    process.kernel.clock.advance(5 * SECOND)
    _note(process, "Database files initialized")
    _note(process, "Starting temporary server")
    _note(process, "Temporary server started.")
    if process.env.get("MYSQL_RANDOM_ROOT_PASSWORD") and not password:
        password = sha256(str(process.kernel.clock.now).encode()).hexdigest()[:32]
        _write(process, f"{DATA}/mysql.ibd", _seal(password).encode())
        _note(process, f"GENERATED ROOT PASSWORD: {password}")
    if name := process.env.get("MYSQL_DATABASE"):
        _note(process, f"Creating database {name}")
        _folder(process, f"{DATA}/{name}")
    for name in sorted(_scripts(process)):
        _note(process, f"/usr/local/bin/docker-entrypoint.sh: running /docker-entrypoint-initdb.d/{name}")
        MysqlConnection(process, process.env.get("MYSQL_DATABASE", "")).run(
            read_text(process.files, f"/docker-entrypoint-initdb.d/{name}")
        )
    _note(process, "Stopping temporary server")
    _note(process, "Temporary server stopped")
    say(process, "")
    _note(process, "MySQL init process done. Ready for start up.")
    say(process, "")


def _scripts(process: Process) -> list[str]:
    folder = "/docker-entrypoint-initdb.d"
    return (
        [name for name in process.files.listdir(folder) if name.endswith(".sql")]
        if process.files.is_dir(folder)
        else []
    )


def fill(process: Process, password: str) -> None:
    """The files of a new data directory."""
    process.files.makedirs(DATA)
    for name in ("mysql", "performance_schema", "sys", "#innodb_redo", "#innodb_temp"):
        _folder(process, f"{DATA}/{name}")
    _write(process, f"{DATA}/ibdata1", Content.zeros(12 * _MIB))
    for name in ("undo_001", "undo_002"):
        _write(process, f"{DATA}/{name}", Content.zeros(16 * _MIB))
    for number in range(32):
        _write(
            process, f"{DATA}/#innodb_redo/#ib_redo{number}{'_tmp' if number else ''}", Content.zeros(100 * _MIB // 32)
        )
    _write(process, f"{DATA}/mysql.ibd", _seal(password).encode())
    _write(process, f"{DATA}/auto.cnf", b"[auto]\nserver-uuid=5f1c0d6e-0000-11f1-8000-0242ac110002\n")
    _write(process, f"{DATA}/binlog.index", b"./binlog.000001\n")
    _write(process, f"{DATA}/binlog.000001", b"\xfebin")


def _seal(password: str) -> str:
    return sha256(f"root {password}".encode()).hexdigest() if password else "open"


def _folder(process: Process, path: str) -> None:
    process.files.mkdir(path, 0o750)
    _own(process, path)


def _write(process: Process, path: str, content: Content | bytes) -> None:
    process.files.write(path, content)
    process.files.chmod(path, 0o640)
    _own(process, path)


def _own(process: Process, path: str) -> None:
    if process.files.user.uid == 0:
        process.files.chown(path, _USER, _USER)


def mysqld(process: Process) -> int:
    """The server: it needs a filled data directory, then waits."""
    if {"--version", "-V"} & set(process.argv):
        say(process, f"/usr/sbin/mysqld  Ver {_VERSION} for Linux on x86_64 (MySQL Community Server - GPL)")
        return 0
    if "--initialize-insecure" in process.argv or "--initialize" in process.argv:
        fill(process, "")
        return 0
    if not process.files.exists(f"{DATA}/mysql"):
        complain(
            process,
            _line(
                process,
                "ERROR",
                "MY-010457",
                "--initialize specified but the data directory has files in it. Aborting.",
            ),
        )
        return 1
    process.files.makedirs(SOCKET.rpartition("/")[0])
    process.files.write(SOCKET, b"")
    process.files.write(SOCKET.replace(".sock", ".pid"), f"{process.pid}\n".encode())
    for kind, code, text in (
        ("System", "MY-015015", "MySQL Server - start."),
        ("System", "MY-010116", f"/usr/sbin/mysqld (mysqld {_VERSION}) starting as process {process.pid}"),
        ("System", "MY-013576", "InnoDB initialization has started."),
        ("System", "MY-013577", "InnoDB initialization has ended."),
        (
            "System", "MY-010931",
            f"/usr/sbin/mysqld: ready for connections. Version: '{_VERSION}'  socket: '{SOCKET}'  port: 3306  MySQL "
            "Community Server - GPL.",
        ),
    ):  # fmt: skip
        complain(process, _line(process, kind, code, text))
    return process.wait_forever("TERM", "INT", "QUIT")


def _line(process: Process, kind: str, code: str, text: str) -> str:
    return f"{timestamp(process, '%Y-%m-%dT%H:%M:%S.000000Z')} 0 [{kind}] [{code}] [Server] {text}"


def client(process: Process) -> int:
    """mysql: the command line client; mysqladmin and mysqldump are links to it."""
    tool = process.argv[0].rpartition("/")[2]
    values = (
        "-u",
        "--user",
        "-h",
        "--host",
        "-P",
        "--port",
        "-e",
        "--execute",
        "-D",
        "--database",
        "--password",
        "-S",
        "--socket",
    )
    arguments = [
        f"--password={word[2:]}" if word.startswith("-p") and len(word) > 2 else word for word in process.argv[1:]
    ]
    flags, words = options(
        [word for word in arguments if word != "--password"], [value for value in values if value != "--password"]
    )
    if "--version" in flags or "-V" in flags:
        say(process, f"{tool}  Ver {_VERSION} for Linux on x86_64 (MySQL Community Server - GPL)")
        return 0
    password = flags.get("--password")
    if password is None and {"-p", "--password"} & set(process.argv):
        process.stdout.write("Enter password: ")
        if process.stdin.isatty:
            return converse(process, _talk, ClientTalk(flags=tuple(flags.items()), words=tuple(words)), "")
        return _serve(process, tool, flags, words, process.stdin.readline().decode().rstrip("\n"))
    if password:
        complain(process, f"{tool}: [Warning] Using a password on the command line interface can be insecure.")
    return _serve(process, tool, flags, words, password or process.env.get("MYSQL_PWD", ""))


def _serve(process: Process, tool: str, flags: dict[str, str], words: list[str], password: str) -> int:
    status = _connect(process, flags, password)
    if status:
        return status
    if tool == "mysqladmin":
        say(process, "mysqld is alive") if words[:1] == ["ping"] else None
        return 0
    session = MysqlConnection(
        process, flags.get("-D") or flags.get("--database") or (words[0] if words else ""), "-N" in flags, "-t" in flags
    )
    if session.database and not process.files.is_dir(f"{DATA}/{session.database}"):
        complain(process, f"ERROR 1049 (42000): Unknown database '{session.database}'")
        return 1
    if tool == "mysqldump":
        return session.dump()
    text = flags.get("-e") or flags.get("--execute")
    if text is None and process.stdin.isatty:
        say(process, *_WELCOME, "")
        return converse(process, _talk, ClientTalk(True, session.database), _PROMPT)
    return session.run(text if text is not None else process.stdin.read().decode("utf-8", "replace"))


class ClientTalk(NamedTuple):
    """Where a talk at a terminal is: before the password, or with a database in use and a statement begun."""

    connected: bool = False
    database: str = ""
    begun: str = ""
    flags: tuple[tuple[str, str], ...] = ()
    words: tuple[str, ...] = ()


def _talk(process: Process, line: str, talk: ClientTalk) -> tuple[ClientTalk, str | None]:
    if not talk.connected:
        say(process, "")
        flags, words = dict(talk.flags), list(talk.words)
        if _connect(process, flags, line):
            return talk, None
        if "-e" in flags or "--execute" in flags:
            _serve(process, "mysql", flags, words, line)
            return talk, None
        say(process, *_WELCOME, "")
        return ClientTalk(True, flags.get("-D") or flags.get("--database") or (words[0] if words else "")), _PROMPT
    text = f"{talk.begun}\n{line}".strip()
    if text.rstrip("; ").lower() in ("exit", "quit", "\\q"):
        say(process, "Bye")
        return talk, None
    if text and not text.endswith((";", "\\g", "\\G")) and not re.match(r"use\s", text, re.IGNORECASE):
        return talk._replace(begun=text), _MORE
    session = MysqlConnection(process, talk.database, talking=True)
    session.run(re.sub(r"\\[gG]$", "", text))
    return ClientTalk(True, session.database), _PROMPT


def _connect(process: Process, flags: dict[str, str], password: str) -> int:
    host = flags.get("-h") or flags.get("--host") or "localhost"
    if host not in ("localhost", "127.0.0.1", process.hostname):
        complain(process, f"ERROR 2005 (HY000): Unknown MySQL server host '{host}' (-2)")
        return 1
    if not process.files.exists(SOCKET):
        complain(process, f"ERROR 2002 (HY000): Can't connect to local MySQL server through socket '{SOCKET}' (2)")
        return 1
    user = flags.get("-u") or flags.get("--user") or "root"
    seal = read_text(process.files, f"{DATA}/mysql.ibd")
    if user != "root" or seal != _seal(password):
        using = "YES" if password else "NO"
        complain(process, f"ERROR 1045 (28000): Access denied for user '{user}'@'localhost' (using password: {using})")
        return 1
    return 0


class MysqlConnection(sql.Connection):
    """One connection, and how the client prints what comes of it."""

    messages: ClassVar = {
        "syntax": (
            "1064 (42000)",
            "You have an error in your SQL syntax; check the manual that corresponds to your MySQL server version for "
            "the right syntax to use near '{text}' at line 1",
        ),
        "no database": ("1046 (3D000)", "No database selected"),
        "unknown database": ("1049 (42000)", "Unknown database '{database}'"),
        "database exists": ("1007 (HY000)", "Can't create database '{database}'; database exists"),
        "no database to drop": ("1008 (HY000)", "Can't drop database '{database}'; database doesn't exist"),
        "no table": ("1146 (42S02)", "Table '{database}.{table}' doesn't exist"),
        "no table to drop": ("1051 (42S02)", "Unknown table '{database}.{table}'"),
        "table exists": ("1050 (42S01)", "Table '{table}' already exists"),
        "unknown column": ("1054 (42S22)", "Unknown column '{column}' in 'field list'"),
        "row": ("1136 (21S01)", "Column count doesn't match value count at row {number}"),
    }
    count_title = "count(*)"

    def __init__(
        self, process: Process, database: str = "", bare: bool = False, boxed: bool = False, talking: bool = False
    ) -> None:
        super().__init__(process, database)
        self.bare = bare  # without the line of column names
        self.boxed = boxed or talking
        self.talking = talking  # at a terminal: each statement says what it did
        self.affected = 0  # rows, by the last statement

    def run(self, text: str) -> int:
        for number, statement in enumerate(sql.split(text), 1):
            self.process.tick()
            self.affected = 0
            try:
                done = self.do(statement)
            except sql.SqlError as error:
                where = "" if self.talking else f" at line {number}"
                complain(self.process, f"ERROR {error.code}{where}: {error}")
                return 1
            if self.talking:
                self._report(done.kind)
        return 0

    def _report(self, kind: str) -> None:
        rows = f"{self.affected} row{'s' * (self.affected != 1)}"
        if kind == "use":
            say(self.process, "Database changed", "")
        elif kind in ("show databases", "show tables", "select", "count", "value"):
            say(self.process, f"{f'{rows} in set' if self.affected else 'Empty set'} (0.00 sec)", "")
        else:
            say(self.process, f"Query OK, {rows} affected (0.01 sec)", "")

    def done(self, tag: str, rows: int = 0) -> None:
        self.affected = rows

    def path(self, statement: sql.Statement) -> str:
        database = statement.database or self.database
        if not database:
            raise self.error("no database")
        return f"{DATA}/{database}/{statement.table}.ibd"

    def write(self, path: str, content: Content) -> None:
        _write(self.process, path, content + Content.zeros(max(0, _TABLE_SIZE - content.size)))

    def check_row(self, table: sql.Table, columns: list[str], row: sql.Cells, number: int) -> None:
        if len(row) != len(columns):
            raise self.error("row", number=str(number))
        if unknown := [name for name in columns if name not in table.columns]:
            raise self.error("unknown column", column=unknown[0])

    def databases(self) -> list[str]:
        files = self.process.files
        names = [name for name in files.listdir(DATA) if files.is_dir(f"{DATA}/{name}") and not name.startswith("#")]
        return sorted([*names, "information_schema"])

    def _tables(self, database: str) -> list[str]:
        names = self.process.files.listdir(f"{DATA}/{database}")
        return sorted(name.removesuffix(".ibd") for name in names if name.endswith(".ibd"))

    def do_create_database(self, statement: sql.Statement) -> None:
        path = f"{DATA}/{statement.database}"
        if not self.process.files.exists(path):
            _folder(self.process, path)
            self.affected = 1
        elif not statement.lenient:
            raise self.error("database exists", statement)

    def do_drop_database(self, statement: sql.Statement) -> None:
        path = f"{DATA}/{statement.database}"
        if self.process.files.is_dir(path):
            self.process.files.rmtree(path)
        elif not statement.lenient:
            raise self.error("no database to drop", statement)

    def do_show_databases(self, statement: sql.Statement) -> None:
        self.show(["Database"], [[name] for name in self.databases()])

    def do_use(self, statement: sql.Statement) -> None:
        if statement.database not in self.databases():
            raise self.error("unknown database", statement)
        self.database = statement.database

    def do_show_tables(self, statement: sql.Statement) -> None:
        database = statement.database or self.database
        if not database:
            raise self.error("no database")
        self.show([f"Tables_in_{database}"], [[name] for name in self._tables(database)])

    def do_create_table(self, statement: sql.Statement) -> None:
        if not self.process.files.is_dir(self.path(statement).rpartition("/")[0]):
            raise self.error("unknown database", statement)
        super().do_create_table(statement)

    def do_value(self, statement: sql.Statement) -> None:
        values = {"version()": _VERSION, "database()": self.database or None}
        names = list(statement.columns)
        for name in names:
            if name.lower() not in values and not re.fullmatch(r"'.*'|\".*\"|[-+*/\d. ]+|null", name, re.IGNORECASE):
                raise self.error("unknown column", column=name)
        self.show(names, [[values.get(name.lower(), sql.literal(name)) for name in names]])

    def show(self, columns: list[str], rows: Sequence[sql.Cells]) -> None:
        """As the client prints to a pipe, or with -t or to a terminal as a box."""
        self.affected = len(rows)
        if not rows:
            return
        texts = [["NULL" if value is None else value for value in row] for row in rows]
        if self.boxed or self.process.tty:
            say(self.process, *box(columns, texts))
        else:
            say(self.process, *("\t".join(row) for row in (texts if self.bare else [columns, *texts])))

    def dump(self) -> int:
        say(self.process, f"-- MySQL dump {_VERSION}", "")
        for name in self._tables(self.database):
            table = self.load(sql.Statement("select", self.database, name))
            columns = ", ".join(f"`{column}` text" for column in table.columns)
            say(self.process, f"CREATE TABLE `{name}` ({columns});")
            for row in table.rows:
                quoted = ("NULL" if value is None else "'" + value.replace("'", "''") + "'" for value in row)
                say(self.process, f"INSERT INTO `{name}` VALUES ({','.join(quoted)});")
        return 0


def box(columns: list[str], rows: list[list[str]]) -> list[str]:
    """A table with lines around it."""
    widths, lines = sql.cells(columns, rows)
    line = "+" + "+".join("-" * (width + 2) for width in widths) + "+"
    head, *body = (f"|{cells}|" for cells in lines)
    return [line, head, line, *body, line]
