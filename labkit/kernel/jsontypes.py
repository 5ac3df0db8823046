"""What a JSON document may hold."""

from __future__ import annotations

from typing import TypeAlias

Json: TypeAlias = dict[str, "Json"] | list["Json"] | str | int | float | bool | None
JsonObject: TypeAlias = dict[str, Json]


def at(document: Json, *path: str) -> Json:
    """What lies there; None where nothing does."""
    for name in path:
        document = document.get(name) if isinstance(document, dict) else None
    return document


def text(document: Json, *path: str) -> str:
    found = at(document, *path)
    return found if isinstance(found, str) else ""


def number(document: Json, *path: str) -> int:
    found = at(document, *path)
    return found if isinstance(found, int) else 0


def members(document: Json, *path: str) -> JsonObject:
    found = at(document, *path)
    return found if isinstance(found, dict) else {}


def items(document: Json, *path: str) -> list[Json]:
    found = at(document, *path)
    return found if isinstance(found, list) else []


def texts(document: Json, *path: str) -> list[str]:
    return [each for each in items(document, *path) if isinstance(each, str)]
