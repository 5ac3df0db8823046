"""Names of users and groups: /etc/passwd and /etc/group of the file system that a utility sees."""

from __future__ import annotations

from typing import NamedTuple

from labkit.files import Files


class Account(NamedTuple):
    """One line of /etc/passwd."""

    name: str
    uid: int
    gid: int
    comment: str = ""
    home: str = "/"
    shell: str = "/bin/sh"


class Group(NamedTuple):
    """One line of /etc/group."""

    name: str
    gid: int
    members: tuple[str, ...] = ()


def _rows(files: Files, path: str, least: int) -> list[list[str]]:
    try:
        text = files.read(path).decode("utf-8", "surrogateescape")
    except OSError:
        return []
    rows = [line.split(":") for line in text.splitlines()]
    return [row for row in rows if len(row) >= least and row[2].isdigit()]


def accounts(files: Files) -> list[Account]:
    found = []
    for row in _rows(files, "/etc/passwd", 4):
        if row[3].isdigit():
            rest = [*row[4:7], "", "", ""][:3]
            found.append(Account(row[0], int(row[2]), int(row[3]), rest[0], rest[1] or "/", rest[2] or "/bin/sh"))
    return found


def groups(files: Files) -> list[Group]:
    return [
        Group(row[0], int(row[2]), tuple(filter(None, row[3].split(","))) if len(row) > 3 else ())
        for row in _rows(files, "/etc/group", 3)
    ]


class Names:
    """Numbers to names and back; a number without a name stays a number."""

    def __init__(self, files: Files) -> None:
        self.accounts = accounts(files)
        self.groups = groups(files)
        self._users = {account.uid: account.name for account in reversed(self.accounts)}
        self._groups = {group.gid: group.name for group in reversed(self.groups)}

    def user(self, uid: int, default: str | None = None) -> str:
        return self._users.get(uid, str(uid) if default is None else default)

    def group(self, gid: int, default: str | None = None) -> str:
        return self._groups.get(gid, str(gid) if default is None else default)

    def account(self, name: str) -> Account | None:
        return next((account for account in self.accounts if account.name == name), None)

    def uid(self, name: str) -> int | None:
        account = self.account(name)
        return account.uid if account else int(name) if name.isdigit() else None

    def gid(self, name: str) -> int | None:
        found = next((group.gid for group in self.groups if group.name == name), None)
        return found if found is not None else int(name) if name.isdigit() else None

    def member_of(self, name: str) -> list[int]:
        return [group.gid for group in self.groups if name in group.members]
