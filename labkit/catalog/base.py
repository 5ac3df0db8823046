"""The base image that recordings of a real engine start from: base.json lists its files."""

from __future__ import annotations

import stat
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from labkit.catalog import entries as e
from labkit.catalog.records import load
from labkit.files import Content, Entry
from labkit.files import tar as archive

_KINDS = {"directory": stat.S_IFDIR, "file": stat.S_IFREG, "symlink": stat.S_IFLNK}
CONFIG = {"Cmd": ["sh"]}  # docker import -c 'CMD ["sh"]'


def base_entries(listing: Iterable[Mapping[str, Any]]) -> tuple[Entry, ...]:
    """The files of a base.json."""
    return tuple(_entry(row) for row in listing)


def _entry(row: Mapping[str, Any]) -> Entry:
    path, kind = row["path"], _KINDS[row["type"]]
    mode = kind | int(row.get("mode", "0o777"), 8)
    if kind == stat.S_IFLNK:
        return e.link(path, row["target"])
    if kind == stat.S_IFDIR:
        return Entry(path.strip("/"), mode, 0, 0, e.MADE)
    if "content" in row:
        return e.text(path, row["content"], mode & 0o7777)
    if mode & 0o111:
        return e.program(path, path.rpartition("/")[2], row["size"], mode & 0o7777)
    return e.filler(path, row["size"], mode & 0o7777)


def base_archive(listing: Iterable[Mapping[str, Any]]) -> Content:
    """The tar archive that `docker import` made the base image of."""
    root = Entry("", stat.S_IFDIR | 0o755, 0, 0, e.MADE)
    return archive.write([root, *base_entries(listing)])


@cache
def busybox_listing() -> tuple[dict[str, Any], ...]:
    """The catalog's own busybox: Debian's busybox-static with a link for each applet, as the recordings' base image."""
    record = load("busybox.json")
    rows = [{"path": path, "type": "directory", "mode": mode} for path, mode in record["folders"].items()]
    rows.append({"path": "/bin/busybox", "type": "file", "mode": "0o755", "size": record["size"]})
    rows += [{"path": f"/bin/{name}", "type": "symlink", "target": "busybox"} for name in record["applets"]]
    rows += [
        {"path": path, "type": "file", "mode": "0o644", "size": len(text), "content": text}
        for path, text in record["files"].items()
    ]
    return tuple(rows)


def image_from_base(listing: Iterable[Mapping[str, Any]], name: str = "busybox", tag: str = "latest") -> Any:
    """An image to pull that has just the files of a base.json."""
    from labkit.catalog.images import build

    step = {"by": "", "comment": "Imported from -", "entries": base_entries(listing)}
    return build(name, tag, CONFIG, [step])
