"""Users and groups made and taken away: adduser, addgroup, useradd, groupadd and their opposites; getent."""

from __future__ import annotations

from labkit.userland.owning import Account, Group, Names
from labkit.userland.tool import Say, Tool, Utility

_PASSWD, _GROUP, _SHADOW = "/etc/passwd", "/etc/group", "/etc/shadow"


def _line(account: Account) -> str:
    return f"{account.name}:x:{account.uid}:{account.gid}:{account.comment}:{account.home}:{account.shell}\n"


def _append(tool: Tool, path: str, line: str) -> None:
    with tool.refusing(Say("{0}", "cannot open {0}"), path):
        old = tool.files.read(path) if tool.files.exists(path) else b""
        tool.files.append(path, ("\n" if old and not old.endswith(b"\n") else "") + line)


def _asked(tool: Tool, said: str = "") -> tuple[Names, str]:
    """What names there are, and the one that is given. Only root may ask."""
    if tool.files.user.uid:
        tool.fail(
            "Only root may add a user or group to the system." if tool.gnu else "permission denied (are you root?)"
        )
    if not tool.operands:
        tool.usage(said)
    return Names(tool.files), tool.operands[0]


def _next(taken: set[int], first: int, *, down: bool = False) -> int:
    while first in taken:
        first += -1 if down else 1
    return first


def _after(taken: set[int]) -> int:
    """useradd goes on behind the highest number that is in use."""
    return max((number for number in taken if 1000 <= number < 60000), default=999) + 1


def _free(tool: Tool, taken: set[int], asked: str | None, system: bool) -> int:
    """The number of a new user or group."""
    if asked:
        return int(asked)
    if tool.name in ("useradd", "groupadd") and not system:
        return _after(taken)
    return _next(taken, 999, down=True) if system and tool.gnu else _next(taken, 100 if system else 1000)


def _add_group(tool: Tool, names: Names, name: str, asked: str | None, system: bool) -> int:
    gid = _free(tool, {group.gid for group in names.groups}, asked, system)
    _append(tool, _GROUP, f"{name}:x:{gid}:\n")
    return gid


def _add_user(tool: Tool, account: Account, ages: str = "0:99999:7") -> None:
    _append(tool, _PASSWD, _line(account))
    today = tool.process.kernel.clock.now // 10**9 // 86400
    _append(tool, _SHADOW, f"{account.name}:!:{today}:{ages}:::\n")


def _rewrite_group(tool: Tool, change: dict[str, Group]) -> None:
    groups = [change.get(group.name, group) for group in Names(tool.files).groups]
    lines = [f"{group.name}:x:{group.gid}:{','.join(group.members)}\n" for group in groups]
    tool.files.write(_GROUP, "".join(lines))


def _join(tool: Tool, user: str, group_name: str) -> None:
    group = Names(tool.files).named_group(group_name)
    if group is None:
        tool.fail(
            f"group '{group_name}' does not exist" if tool.gnu else f"unknown group {group_name}", 6 if tool.gnu else 1
        )
    if user not in group.members:
        _rewrite_group(tool, {group_name: group._replace(members=(*group.members, user))})


def _make_home(tool: Tool, account: Account) -> None:
    if not tool.files.exists(account.home):
        tool.files.makedirs(account.home)
        tool.files.chmod(account.home, 0o2755 if not tool.gnu else 0o700)
        tool.files.chown(account.home, account.uid, account.gid)


def adduser(tool: Tool) -> None:
    """busybox's, and Debian's (which asks nothing with --disabled-password --gecos '')."""
    names, name = _asked(tool, "Only one or two names allowed.")
    if len(tool.operands) > 1:
        if names.account(name) is None:
            tool.fail(f"The user `{name}' does not exist." if tool.gnu else f"unknown user {name}")
        _join(tool, name, tool.operands[1])
        return
    if names.account(name) is not None:
        tool.fail(f"The user `{name}' already exists." if tool.gnu else f"user '{name}' in use")
    system = tool.has("S", "system")
    uid = _free(tool, {account.uid for account in names.accounts}, tool.value("u", "uid"), system)
    gid = _own_group(tool, names, name, uid, system)
    home = tool.value("h", "home") or (f"/home/{name}" if not (system and tool.gnu) else "/nonexistent")
    comment = tool.value("g", "gecos")
    shell = tool.value("s", "shell") or ("/bin/bash" if tool.gnu else "/bin/sh" if not system else "/bin/false")
    account = Account(
        name, uid, gid, ("Linux User" + ",,," if not tool.gnu else "") if comment is None else comment, home, shell
    )
    _add_user(tool, account)
    if not tool.has("H", "no-create-home") and not (system and tool.gnu):
        _make_home(tool, account)


def _own_group(tool: Tool, names: Names, name: str, uid: int, system: bool) -> int:
    """The group of a new user: the one that is given, else a new one with the user's number."""
    by_useradd = tool.name == "useradd"
    given = tool.value("g") if by_useradd else tool.value("G", "ingroup", "gid")
    if given:
        gid = names.gid(given)
        if gid is None:
            said = f"group '{given}' does not exist" if by_useradd else f"The group `{given}' does not exist."
            tool.fail(said if tool.gnu else f"unknown group {given}", 6 if by_useradd else 1)
        return gid
    if by_useradd and tool.has("N"):
        return 100
    if by_useradd and names.named_group(name):
        tool.fail(f"group {name} exists - if you want to add this user to that group, use -g.", 9)
    return _add_group(tool, names, name, str(uid) if all(group.gid != uid for group in names.groups) else None, system)


def addgroup(tool: Tool) -> None:
    names, name = _asked(tool)
    if len(tool.operands) > 1:
        _join(tool, name, tool.operands[1])
        return
    if names.named_group(name):
        tool.fail(f"The group `{name}' already exists." if tool.gnu else f"group '{name}' in use")
    _add_group(tool, names, name, tool.value("g", "gid"), tool.has("S", "system"))


def useradd(tool: Tool) -> None:
    names, name = _asked(tool)
    if names.account(name) is not None:
        tool.fail(f"user '{name}' already exists", 9)
    asked = tool.value("u")
    if asked and any(account.uid == int(asked) for account in names.accounts) and not tool.has("o"):
        tool.fail(f"UID {asked} is not unique", 4)
    system = tool.has("r")
    uid = _free(tool, {account.uid for account in names.accounts}, asked, system)
    gid = _own_group(tool, names, name, uid, system)
    account = Account(
        name, uid, gid, tool.value("c") or "", tool.value("d") or f"/home/{name}", tool.value("s") or "/bin/sh"
    )
    _add_user(tool, account, "" if system else "0:99999:7")
    for group in filter(None, (tool.value("G") or "").split(",")):
        _join(tool, name, group)
    if tool.has("m"):
        _make_home(tool, account)


def groupadd(tool: Tool) -> None:
    names, name = _asked(tool)
    if names.named_group(name):
        if tool.has("f"):
            return
        tool.fail(f"group '{name}' already exists", 9)
    asked = tool.value("g")
    if asked and any(group.gid == int(asked) for group in names.groups) and not tool.has("o"):
        tool.fail(f"GID '{asked}' already exists", 4)
    _add_group(tool, names, name, asked, tool.has("r"))


def _without(tool: Tool, path: str, name: str) -> None:
    if tool.files.exists(path):
        lines = tool.files.read(path).decode().splitlines(keepends=True)
        tool.files.write(path, "".join(line for line in lines if line.partition(":")[0] != name))


def deluser(tool: Tool) -> None:
    names, name = _asked(tool)
    account = names.account(name)
    if account is None:
        said = {"userdel": f"user '{name}' does not exist", "deluser": f"The user `{name}' does not exist."}[tool.name]
        tool.fail(said if tool.gnu else f"unknown user {name}", 6 if tool.name == "userdel" else 1)
    for path in (_PASSWD, _SHADOW):
        _without(tool, path, name)
    changes = {
        group.name: group._replace(members=tuple(one for one in group.members if one != name)) for group in names.groups
    }
    _rewrite_group(tool, changes)
    own = names.named_group(name)
    if own is not None and own.gid == account.gid:
        _without(tool, _GROUP, name)
    if tool.has("r", "remove-home") and tool.files.exists(account.home):
        tool.files.rmtree(account.home)


def delgroup(tool: Tool) -> None:
    names, name = _asked(tool)
    if names.named_group(name) is None:
        tool.fail(f"group '{name}' does not exist" if tool.gnu else f"unknown group {name}", 6 if tool.gnu else 1)
    _without(tool, _GROUP, name)


def _keys(path: str, line: str) -> set[str]:
    """What a line is found by: a host's address and names, a user's or group's name and number."""
    cells = line.split(":")
    return set(line.split()) if path.endswith("hosts") else {cells[0], *cells[2:3]}


def getent(tool: Tool) -> int:
    if not tool.operands:
        tool.usage("wrong number of arguments")
    path = {"passwd": _PASSWD, "group": _GROUP, "hosts": "/etc/hosts", "shadow": _SHADOW}.get(tool.operands[0])
    if path is None:
        tool.process.stderr.write(f"Unknown database: {tool.operands[0]}\n")
        return 1
    lines = tool.files.read(path).decode().splitlines() if tool.files.exists(path) else []
    wanted = set(tool.operands[1:])
    found = [line for line in lines if not wanted or wanted & _keys(path, line)]
    tool.out("".join(f"{line}\n" for line in found))
    return 0 if found else 2


_ADD = (
    "=system =uid: =gid: =ingroup: =home: =shell: =gecos: =disabled-password =disabled-login "
    "=no-create-home =group =quiet q"
)
UTILITIES = {
    "adduser": Utility(
        adduser,
        "h:=home g:=gecos s:=shell G:=ingroup S=system D=disabled-password H=no-create-home u:=uid k:",
        _ADD,
        "[OPTIONS] USER [GROUP]",
        package="adduser 3.134)",
    ),
    "addgroup": Utility(addgroup, "g:=gid S=system", _ADD, "[-g GID] [-S] [USER] GROUP", package="adduser 3.134)"),
    "deluser": Utility(
        deluser, "=remove-home", "=remove-home =quiet", "[--remove-home] USER", package="adduser 3.134)"
    ),
    "delgroup": Utility(delgroup, "", "=quiet =system", "[USER] GROUP", package="adduser 3.134)"),
    "useradd": Utility(
        useradd,
        "",
        "b: c:=comment d:=home-dir,home e: f: g:=gid G:=groups k: K: l=no-log-init m=create-home "
        "M=no-create-home N=no-user-group o=non-unique p: r=system R: s:=shell u:=uid U=user-group",
        bad=2,
        package="passwd 4.13)",
    ),
    "groupadd": Utility(groupadd, "", "f=force g:=gid o=non-unique p: r=system K:", bad=2, package="passwd 4.13)"),
    "userdel": Utility(deluser, "", "f=force r=remove", bad=2, package="passwd 4.13)"),
    "groupdel": Utility(delgroup, "", "f=force", bad=2, package="passwd 4.13)"),
    "getent": Utility(getent, "", "s: i", package="Debian GLIBC 2.36)"),
}
