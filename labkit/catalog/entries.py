"""The records under data/, and short ways to write down the files of an image.

A record is read when it is first needed, and never changed. A file's bytes are filler, except where someone reads them.
"""

from __future__ import annotations

import json
import stat
from collections.abc import Iterable
from functools import cache
from os.path import dirname, join
from typing import TypedDict, TypeVar, cast

from labkit.files import Content, Entry
from labkit.files.contents import length
from labkit.kernel.process import program_file

SECOND = 1_000_000_000
MADE = 1_767_225_600 * SECOND  # 2026-01-01T00:00:00Z: the time stamp of everything in the catalog


def folder(path: str, mode: int = 0o755, uid: int = 0, gid: int = 0) -> Entry:
    return Entry(path.strip("/"), stat.S_IFDIR | mode, uid, gid, MADE)


def text(path: str, content: str, mode: int = 0o644, uid: int = 0, gid: int = 0) -> Entry:
    return Entry(path.strip("/"), stat.S_IFREG | mode, uid, gid, MADE, Content(content))


def filler(path: str, size: int, mode: int = 0o644, uid: int = 0, gid: int = 0) -> Entry:
    """A file whose bytes nobody reads."""
    return Entry(path.strip("/"), stat.S_IFREG | mode, uid, gid, MADE, Content.filler(path, size))


def program(path: str, name: str, size: int, mode: int = 0o755) -> Entry:
    """An executable of `size` bytes that runs the program `name`."""
    return Entry(path.strip("/"), stat.S_IFREG | mode, 0, 0, MADE, program_file(name, size))


def link(path: str, target: str) -> Entry:
    return Entry(path.strip("/"), stat.S_IFLNK | 0o777, 0, 0, MADE, target)


def device(path: str, major: int, minor: int, mode: int = 0o666) -> Entry:
    return Entry(path.strip("/"), stat.S_IFCHR | mode, 0, 0, MADE, None, major << 8 | minor)


def socket(path: str, mode: int = 0o666, gid: int = 0) -> Entry:
    return Entry(path.strip("/"), stat.S_IFSOCK | mode, 0, gid, MADE)


def size(entries: Iterable[Entry]) -> int:
    """Bytes of files and links, as a layer counts them."""
    return sum(length(entry.data) for entry in entries if entry.data is not None)


def once(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """One entry a path, the last that was given."""
    return tuple({entry.path: entry for entry in entries}.values())


class BusyboxRecord(TypedDict):
    """data/busybox.json: Debian's busybox-static."""

    size: int
    applets: list[str]
    folders: dict[str, str]  # path -> mode
    files: dict[str, str]  # path -> text


Record = TypeVar("Record")


def load(name: str, kind: type[Record]) -> Record:
    """data/NAME, TOML or JSON, as a record of this kind. Shared by all: nobody changes it."""
    return cast("Record", _read(name))  # the files are the catalog's own, and not looked over again


@cache
def _read(name: str) -> object:
    with open(join(dirname(__file__), "data", name), encoding="utf-8") as file:
        text = file.read()
    if name.endswith(".json"):
        return json.loads(text)
    import tomllib

    return tomllib.loads(text)
