"""The little SQL that lessons need: databases, tables and rows, kept by whoever calls."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_NAME = r"[`\"]?([A-Za-z_][\w$]*)[`\"]?"
_TABLE = rf"(?:{_NAME}\.)?{_NAME}"


@dataclass
class Table:
    columns: list[str]
    rows: list[list[str | None]] = field(default_factory=list)


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
