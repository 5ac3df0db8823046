"""Who a process runs as: `USER[:GROUP]`, by the container's own /etc/passwd and /etc/group (moby/sys, user)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from labkit.engine.core.errors import invalid
from labkit.files import Files, User


@dataclass(frozen=True)
class Account:
    user: User
    home: str


def look_up(files: Files, text: str, more_groups: Sequence[str] = ()) -> Account:
    """Raises EngineError where a name is in neither file; a number may be in none."""
    name, _, group = text.partition(":")
    passwd = _rows(files, "/etc/passwd")
    entry = next((row for row in passwd if name and row[0] == name), None) or next(
        (row for row in passwd if len(row) > 2 and row[2] == (name or "0")), None
    )
    if entry is None and name and not name.isdigit():
        raise invalid(f"unable to find user {name}: no matching entries in passwd file")
    uid = int(entry[2]) if entry else int(name or 0)
    gid = int(entry[3]) if entry and len(entry) > 3 and entry[3].isdigit() else 0
    home = entry[5] if entry and len(entry) > 5 and entry[5] else "/"
    groups = _rows(files, "/etc/group")
    others: tuple[int, ...] = ()
    if group:
        gid = _gid(groups, group)
    elif entry:
        others = tuple(int(row[2]) for row in groups if len(row) > 3 and entry[0] in row[3].split(","))
    others += tuple(_gid(groups, more) for more in more_groups)
    return Account(User(uid, gid, others), home)


def _gid(groups: list[list[str]], text: str) -> int:
    for row in groups:
        if row[0] == text or (len(row) > 2 and row[2] == text):
            return int(row[2])
    if text.isdigit():
        return int(text)
    raise invalid(f"unable to find group {text}: no matching entries in group file")


def _rows(files: Files, path: str) -> list[list[str]]:
    try:
        text = files.read(path).decode("utf-8", "replace")
    except OSError:
        return []
    rows = (line.split(":") for line in text.splitlines() if line.strip())
    return [row for row in rows if len(row) < 3 or row[2].isdigit()]
