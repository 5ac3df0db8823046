"""Random file operations, played alike on the simulated file system and on a real one, call by call."""

from __future__ import annotations

import os
import random
import stat
from collections.abc import Callable
from typing import Any

from labkit.files import O_APPEND, O_CREAT, O_TRUNC, O_WRONLY, Files

NAMES = ("a", "b", "c", "d")
NOTE = "trusted.note"
KEPT = (NOTE, "trusted.overlay.opaque")  # the attributes that are compared; a kernel has further marks of its own
Step = tuple[Any, ...]


def sequence(chance: random.Random, length: int) -> list[Step]:
    """Some operations on a small set of paths, so that they meet."""

    def path() -> str:
        return "/" + "/".join(chance.choice(NAMES) for _ in range(chance.randint(1, 3)))

    steps: list[Step] = []
    makers: list[Callable[[], Step]] = [
        lambda: ("put", path(), chance.choice((O_TRUNC, O_APPEND)), b"%d\n" % chance.randint(0, 99)),
        lambda: ("put", path(), 0, b"%d\n" % chance.randint(0, 99)),
        lambda: ("mkdir", path(), chance.choice((0o755, 0o700))),
        lambda: ("unlink", path()),
        lambda: ("rmdir", path()),
        lambda: ("rename", path(), path()),
        lambda: ("rename", path(), path()),
        lambda: ("link", path(), path()),
        lambda: ("symlink", chance.choice(NAMES), path()),
        lambda: ("chmod", path(), chance.choice((0o644, 0o600, 0o755))),
        lambda: ("chown", path(), chance.randint(0, 3), chance.randint(0, 3)),
        lambda: ("truncate", path(), chance.randint(0, 5)),
        lambda: ("listdir", path()),
        lambda: ("read", path()),
        lambda: ("links", path()),
        lambda: ("rmtree", path()),
        lambda: ("setxattr", path(), NOTE, b"%d" % chance.randint(0, 9)),
        lambda: ("getxattr", path(), NOTE),
        lambda: ("removexattr", path(), NOTE),
    ]
    for _ in range(length):
        steps.append(chance.choice(makers)())
    return steps


def outcome(call: Callable[[], Any]) -> Any:
    """What a call returns, or the name of its failure."""
    try:
        return call()
    except OSError as error:
        return f"errno {error.errno}"


def play_simulated(files: Files, step: Step) -> Any:
    name, path, *rest = step
    if name == "put":
        return outcome(lambda: _put(files, path, *rest))
    if name == "links":
        return outcome(lambda: files.lstat(path).st_nlink if not stat.S_ISDIR(files.lstat(path).st_mode) else 0)
    if name == "symlink":
        return outcome(lambda: files.symlink(path, rest[0]))
    if name == "rmtree":
        return outcome(lambda: _remove(files, path))
    return outcome(lambda: getattr(files, name)(path, *rest))


def _put(files: Files, path: str, flags: int, data: bytes) -> int:
    with files.open(path, O_WRONLY | O_CREAT | flags, 0o644) as handle:
        return handle.write(data)


def _remove(files: Files, path: str) -> None:
    """What is in a folder, and it, as `rm -r` does; what is no folder stays."""
    for name in files.listdir(path):
        inside = f"{path}/{name}"
        if stat.S_ISDIR(files.lstat(inside).st_mode):
            _remove(files, inside)
        else:
            files.unlink(inside)
    files.rmdir(path)


def play_real(root: str, step: Step) -> Any:
    """The same below a real folder; symbolic links in the sequences are relative, so none leads out of it."""
    name, path, *rest = step
    if name == "put":
        return outcome(lambda: _put_real(root + path, *rest))
    if name == "links":
        return outcome(lambda: _links_real(root + path))
    if name == "symlink":
        return outcome(lambda: os.symlink(path, root + rest[0]))
    if name == "listdir":
        return outcome(lambda: sorted(os.listdir(root + path)))
    if name == "read":
        return outcome(lambda: _read_real(root + path))
    if name == "rmtree":
        return outcome(lambda: _remove_real(root + path))
    if name == "rename":
        return outcome(lambda: os.rename(root + path, root + rest[0]))
    if name == "link":
        return outcome(lambda: os.link(root + path, root + rest[0], follow_symlinks=False))
    return outcome(lambda: getattr(os, name)(root + path, *rest))


def _remove_real(path: str) -> None:
    for name in sorted(os.listdir(path)):
        inside = f"{path}/{name}"
        if stat.S_ISDIR(os.lstat(inside).st_mode):
            _remove_real(inside)
        else:
            os.unlink(inside)
    os.rmdir(path)


def _put_real(path: str, flags: int, data: bytes) -> int:
    handle = os.open(path, O_WRONLY | O_CREAT | flags, 0o644)
    try:
        return os.write(handle, data)
    finally:
        os.close(handle)


def _links_real(path: str) -> int:
    found = os.lstat(path)
    return 0 if stat.S_ISDIR(found.st_mode) else found.st_nlink


def _read_real(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def real_tree(root: str) -> dict[str, tuple[object, ...]]:
    """As machines.tree, below a real folder."""
    seen: dict[str, tuple[object, ...]] = {}
    for folder, folders, others in os.walk(root):
        for name in folders + others:
            path = os.path.join(folder, name)
            found = os.lstat(path)
            kind = stat.S_IFMT(found.st_mode)
            detail: object = found.st_rdev if kind == stat.S_IFCHR else None
            if kind == stat.S_IFREG:
                detail = _read_real(path)
            elif kind == stat.S_IFLNK:
                detail = os.readlink(path)
            present = os.listxattr(path, follow_symlinks=False)
            kept = tuple((key, os.getxattr(path, key, follow_symlinks=False)) for key in KEPT if key in present)
            seen[path[len(root) :]] = (oct(found.st_mode), found.st_uid, found.st_gid, detail, kept)
    return seen
