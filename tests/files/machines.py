"""Small stores, trees and union mounts for the tests of labkit.files and labkit.drivers."""

from __future__ import annotations

import stat

from labkit.files import Content, Entry, Files, Layer, Namespace, Source, Store, Tree
from tests.files.operations import KEPT


class Ticking:
    """A clock that tests move by hand."""

    def __init__(self) -> None:
        self.now = 1_000


def empty_host() -> Files:
    """Root's view of an empty ordinary file system."""
    store = Store(Ticking())
    return Namespace(store, Source(Tree(store, store.new(stat.S_IFDIR | 0o755), 1), None)).files()


def layer(files: dict[str, str | None]) -> Layer:
    """A layer of files by path; None is a folder, and a path that begins with `-` a whiteout."""
    entries = []
    for path, text in files.items():
        if path.startswith("-"):
            entries.append(Entry(path[1:], stat.S_IFCHR))
        elif text is None:
            entries.append(Entry(path, stat.S_IFDIR | 0o755))
        else:
            entries.append(Entry(path, stat.S_IFREG | 0o644, data=Content(text)))
    return Layer.of(entries)


def tree(files: Files, top: str = "/") -> dict[str, tuple[object, ...]]:
    """All that can be seen below a folder: type and mode, owner, bytes, target or device, and attributes, by path."""
    seen: dict[str, tuple[object, ...]] = {}
    for folder, _, _ in files.walk(top):
        for name in files.listdir(folder):
            path = f"{folder.rstrip('/')}/{name}"
            found = files.lstat(path)
            kind = stat.S_IFMT(found.st_mode)
            detail: object = found.st_rdev if kind == stat.S_IFCHR else None
            if kind == stat.S_IFREG:
                detail = files.read(path) if found.st_size < 1 << 20 else files.content(path).recipe()
            elif kind == stat.S_IFLNK:
                detail = files.readlink(path)
            present = files.listxattr(path, follow=False)
            kept = tuple((key, files.getxattr(path, key, follow=False)) for key in KEPT if key in present)
            seen[path] = (oct(found.st_mode), found.st_uid, found.st_gid, detail, kept)
    return seen
