"""The little SQL that lessons need, and a connection that does it on files of JSON, which lie where a server says."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from labkit.files import Content
from labkit.kernel.process import Process

_NAME = r"[`\"]?([A-Za-z_][\w$]*)[`\"]?"
_TABLE = rf"(?:{_NAME}\.)?{_NAME}"


@dataclass
class Table:
    columns: list[str]
    rows: list[list[str | None]] = field(default_factory=list)


Cells = Sequence[str | None]


class SqlError(Exception):
    """A statement that cannot be done; `code` is what the server calls it."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True)
class Statement:
    """One statement: its kind, names in it, and what else belongs to it."""

    kind: str
    database: str = ""
    table: str = ""
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str | None, ...], ...] = ()
    lenient: bool = False  # IF [NOT] EXISTS
    text: str = ""


_PATTERNS = (
    ("create database", rf"create\s+(?:database|schema)\s+(?P<lenient>if\s+not\s+exists\s+)?{_NAME}.*"),
    ("drop database", rf"drop\s+(?:database|schema)\s+(?P<lenient>if\s+exists\s+)?{_NAME}"),
    ("show databases", r"show\s+(?:databases|schemas)"),
    ("show tables", rf"show\s+tables(?:\s+(?:from|in)\s+{_NAME})?"),
    ("use", rf"use\s+{_NAME}"),
    ("create table", rf"create\s+table\s+(?P<lenient>if\s+not\s+exists\s+)?{_TABLE}\s*\((?P<body>.*)\).*"),
    ("drop table", rf"drop\s+table\s+(?P<lenient>if\s+exists\s+)?{_TABLE}"),
    ("insert", rf"insert\s+into\s+{_TABLE}\s*(?:\((?P<body>[^)]*)\))?\s*values\s*(?P<values>.*)"),
    ("delete", rf"(?:delete\s+from|truncate(?:\s+table)?)\s+{_TABLE}"),
    ("count", rf"select\s+count\(\s*\*\s*\)\s+from\s+{_TABLE}"),
    ("select", rf"select\s+(?P<body>[^;]*?)\s+from\s+{_TABLE}"),
    ("value", r"select\s+(?P<body>(?:(?!\sfrom\s).)+)"),
)  # fmt: skip


def split(text: str) -> Iterator[str]:
    """The statements of a text, at semicolons outside quotes."""
    for part in re.findall(r"(?:'(?:[^'\\]|\\.|'')*'|\"[^\"]*\"|[^;'\"])+", re.sub(r"--[^\n]*", "", text)):
        if part.strip():
            yield part.strip()


def parse(text: str) -> Statement | None:
    """One statement, or None where it is none of those known here."""
    for kind, pattern in _PATTERNS:
        match = re.fullmatch(pattern, text.strip(), re.IGNORECASE | re.DOTALL)
        if match:
            return _statement(kind, match)
    return None


def _statement(kind: str, match: re.Match[str]) -> Statement:
    groups = match.groupdict()
    names = [value for index, value in enumerate(match.groups(), 1) if index not in set(match.re.groupindex.values())]
    lenient = bool(groups.get("lenient"))
    body = groups.get("body") or ""
    if kind.endswith("database") or kind in ("use", "show tables"):
        return Statement(kind, database=names[0] or "" if names else "", lenient=lenient)
    database, table = (names[0] or "", names[1] or "") if len(names) > 1 else ("", "")
    columns = tuple(_first_words(body)) if kind == "create table" else tuple(_list(body))
    rows = tuple(_rows(groups["values"])) if kind == "insert" else ()
    return Statement(kind, database, table, columns, rows, lenient, body)


def _first_words(body: str) -> Iterator[str]:
    """The columns of a table's definition."""
    for part in re.split(r",(?![^()]*\))", body):
        word = part.strip().split()[0].strip('`"') if part.strip() else ""
        if word and word.lower() not in ("primary", "key", "unique", "constraint", "foreign", "index"):
            yield word


def _list(body: str) -> list[str]:
    return [part.strip().strip('`"') for part in body.split(",")] if body.strip() else []


def _rows(text: str) -> Iterator[tuple[str | None, ...]]:
    for group in re.findall(r"\(((?:'(?:[^'\\]|\\.|'')*'|[^()'])*)\)", text):
        yield tuple(literal(part) for part in re.findall(r"'(?:[^'\\]|\\.|'')*'|[^,]+", group))


def literal(text: str) -> str | None:
    text = text.strip()
    if text.lower() == "null":
        return None
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        return text[1:-1].replace("''", "'").replace("\\'", "'")
    return text


class Connection:
    """A connection to a server: the database in use, and statements against its data directory.

    A server says where its tables lie, how it words what goes wrong (`messages`: code and text) and how its client
    prints. A method `do_KIND` does the statements of a kind; one without is no statement of this server's.
    """

    messages: ClassVar[Mapping[str, tuple[str, str]]]
    count_title: str

    def __init__(self, process: Process, database: str = "") -> None:
        self.process = process
        self.database = database

    def path(self, statement: Statement) -> str:
        raise NotImplementedError

    def write(self, path: str, content: Content) -> None:
        """A file of the server's own."""
        raise NotImplementedError

    def show(self, columns: list[str], rows: Sequence[Cells]) -> None:
        raise NotImplementedError

    def done(self, tag: str, rows: int = 0) -> None:
        """A statement that shows nothing has changed so many rows."""

    def check_row(self, table: Table, columns: list[str], row: Cells, number: int) -> None:
        """Raises SqlError where a row does not fit."""

    def do(self, text: str) -> Statement:
        """One statement; raises SqlError."""
        statement = parse(text)
        method = f"do_{statement.kind.replace(' ', '_')}" if statement else ""
        if statement is None or not hasattr(self, method):
            raise self.error("syntax", text=text[:80], word=text.split()[0])
        getattr(self, method)(statement)
        return statement

    def error(self, kind: str, statement: Statement | None = None, **more: str) -> SqlError:
        code, text = self.messages[kind]
        if statement is not None:
            more |= {"database": statement.database or self.database, "table": statement.table}
        return SqlError(code, text.format(**more))

    def has(self, statement: Statement) -> bool:
        return self.process.files.exists(self.path(statement))

    def load(self, statement: Statement) -> Table:
        path = self.path(statement)
        if not self.process.files.exists(path):
            raise self.error("no table", statement)
        return Table(*json.loads(self.process.files.read(path).rstrip(b"\0")))

    def save(self, statement: Statement, table: Table) -> None:
        self.write(self.path(statement), Content(json.dumps([table.columns, table.rows])))

    def do_create_table(self, statement: Statement) -> None:
        if not self.has(statement):
            self.save(statement, Table(list(statement.columns)))
        elif not statement.lenient:
            raise self.error("table exists", statement)
        self.done("CREATE TABLE")

    def do_drop_table(self, statement: Statement) -> None:
        if self.has(statement):
            self.process.files.unlink(self.path(statement))
            self.done("DROP TABLE")
        elif not statement.lenient:
            raise self.error("no table to drop", statement)

    def do_insert(self, statement: Statement) -> None:
        table = self.load(statement)
        columns = list(statement.columns) or table.columns
        for number, row in enumerate(statement.rows, 1):
            self.check_row(table, columns, row, number)
            values = dict(zip(columns, row, strict=False))
            table.rows.append([values.get(name) for name in table.columns])
        self.save(statement, table)
        self.done(f"INSERT 0 {len(statement.rows)}", len(statement.rows))

    def do_delete(self, statement: Statement) -> None:
        table = self.load(statement)
        self.save(statement, Table(table.columns))
        self.done(f"DELETE {len(table.rows)}", len(table.rows))

    def do_count(self, statement: Statement) -> None:
        self.show([self.count_title], [[str(len(self.load(statement).rows))]])

    def do_select(self, statement: Statement) -> None:
        table = self.load(statement)
        columns = table.columns if statement.columns == ("*",) else list(statement.columns)
        if unknown := [name for name in columns if name not in table.columns]:
            raise self.error("unknown column", column=unknown[0])
        places = [table.columns.index(name) for name in columns]
        self.show(columns, [[row[place] for place in places] for row in table.rows])


def cells(columns: Sequence[str], rows: Sequence[Sequence[str]], align: str = "<") -> tuple[list[int], list[str]]:
    """The widths of a table's columns, and each row's cells beside each other, the titles' aligned."""
    widths = [max(len(row[place]) for row in [columns, *rows]) for place in range(len(columns))]
    lines = [
        "|".join(f" {text:{align if number == 0 else '<'}{width}} " for text, width in zip(row, widths, strict=True))
        for number, row in enumerate([columns, *rows])
    ]
    return widths, lines
