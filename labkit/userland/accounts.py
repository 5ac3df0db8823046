"""Users and groups made and taken away: adduser, addgroup, useradd, groupadd and their opposites; getent."""

from __future__ import annotations

from labkit.userland.owning import Account, Group, Names
from labkit.userland.tool import Say, Tool, Utility

_PASSWD, _GROUP, _SHADOW = "/etc/passwd", "/etc/group", "/etc/shadow"


def _line(account: Account) -> str:
    return f"{account.name}:x:{account.uid}:{account.gid}:{account.comment}:{account.home}:{account.shell}\n"


def _append(tool: Tool, path: str, line: str) -> None:
    try:
        old = tool.files.read(path) if tool.files.exists(path) else b""
        tool.files.append(path, ("\n" if old and not old.endswith(b"\n") else "") + line)
    except OSError as error:
        tool.refuse(Say("{0}", "cannot open {0}"), path, error=error)


def _need_root(tool: Tool) -> None:
    if tool.files.user.uid:
        tool.fail(
            "Only root may add a user or group to the system." if tool.gnu else "permission denied (are you root?)"
        )


def _next(taken: set[int], first: int, *, down: bool = False) -> int:
    while first in taken:
        first += -1 if down else 1
    return first


def _after(taken: set[int]) -> int:
    """useradd goes on behind the highest number that is in use."""
    return max((number for number in taken if 1000 <= number < 60000), default=999) + 1


def _free_uid(tool: Tool, names: Names, asked: str | None, system: bool) -> int:
    if asked:
        return int(asked)
    taken = {account.uid for account in names.accounts}
    if tool.name == "useradd" and not system:
        return _after(taken)
    return _next(taken, 999, down=True) if system and tool.gnu else _next(taken, 100 if system else 1000)


def _free_gid(tool: Tool, names: Names, asked: str | None, system: bool) -> int:
    if asked:
        return int(asked)
    taken = {group.gid for group in names.groups}
    if tool.name in ("useradd", "groupadd") and not system:
        return _after(taken)
    return _next(taken, 999, down=True) if system and tool.gnu else _next(taken, 100 if system else 1000)


def _add_group(tool: Tool, name: str, gid: int) -> None:
    _append(tool, _GROUP, f"{name}:x:{gid}:\n")


def _rewrite_group(tool: Tool, change: dict[str, Group]) -> None:
    lines = []
    for group in Names(tool.files).groups:
        one = change.get(group.name, group)
        lines.append(f"{one.name}:x:{one.gid}:{','.join(one.members)}\n")
    tool.files.write(_GROUP, "".join(lines))


def _join(tool: Tool, user: str, group_name: str) -> None:
    group = next((one for one in Names(tool.files).groups if one.name == group_name), None)
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
    _need_root(tool)
    if not tool.operands:
        tool.usage("Only one or two names allowed.")
    names = Names(tool.files)
    name = tool.operands[0]
    if len(tool.operands) > 1:
        if names.account(name) is None:
            tool.fail(f"The user `{name}' does not exist." if tool.gnu else f"unknown user {name}")
        _join(tool, name, tool.operands[1])
        return
    if names.account(name) is not None:
        tool.fail(f"The user `{name}' already exists." if tool.gnu else f"user '{name}' in use")
    system = tool.has("S", "system")
    uid = _free_uid(tool, names, tool.value("u", "uid"), system)
    gid = _own_group(tool, names, name, uid, system)
    home = tool.value("h", "home") or (f"/home/{name}" if not (system and tool.gnu) else "/nonexistent")
    comment = tool.value("g", "gecos")
    shell = tool.value("s", "shell") or ("/bin/bash" if tool.gnu else "/bin/sh" if not system else "/bin/false")
    account = Account(
        name, uid, gid, ("Linux User" + ",,," if not tool.gnu else "") if comment is None else comment, home, shell
    )
    _append(tool, _PASSWD, _line(account))
    _append(tool, _SHADOW, f"{name}:!:{tool.process.kernel.clock.now // 10**9 // 86400}:0:99999:7:::\n")
    if not tool.has("H", "no-create-home") and not (system and tool.gnu):
        _make_home(tool, account)


def _own_group(tool: Tool, names: Names, name: str, uid: int, system: bool) -> int:
    given = tool.value("G", "ingroup", "gid")
    if given:
        gid = names.gid(given)
        if gid is None:
            tool.fail(f"The group `{given}' does not exist." if tool.gnu else f"unknown group {given}")
        return gid
    gid = _free_gid(tool, names, str(uid) if all(group.gid != uid for group in names.groups) else None, system)
    _add_group(tool, name, gid)
    return gid


def addgroup(tool: Tool) -> None:
    _need_root(tool)
    if not tool.operands:
        tool.usage()
    if len(tool.operands) > 1:
        _join(tool, tool.operands[0], tool.operands[1])
        return
    names = Names(tool.files)
    name = tool.operands[0]
    if any(group.name == name for group in names.groups):
        tool.fail(f"The group `{name}' already exists." if tool.gnu else f"group '{name}' in use")
    _add_group(tool, name, _free_gid(tool, names, tool.value("g", "gid"), tool.has("S", "system")))


def useradd(tool: Tool) -> None:
    _need_root(tool)
    if not tool.operands:
        tool.usage()
    names, name = Names(tool.files), tool.operands[0]
    if names.account(name) is not None:
        tool.fail(f"user '{name}' already exists", 9)
    asked = tool.value("u")
    if asked and any(account.uid == int(asked) for account in names.accounts) and not tool.has("o"):
        tool.fail(f"UID {asked} is not unique", 4)
    system = tool.has("r")
    uid = _free_uid(tool, names, asked, system)
    gid = _useradd_group(tool, names, name, uid, system)
    account = Account(
        name, uid, gid, tool.value("c") or "", tool.value("d") or f"/home/{name}", tool.value("s") or "/bin/sh"
    )
    _append(tool, _PASSWD, _line(account))
    _append(
        tool,
        _SHADOW,
        f"{name}:!:{tool.process.kernel.clock.now // 10**9 // 86400}:{'' if system else '0:99999:7'}:::\n",
    )
    for group in filter(None, (tool.value("G") or "").split(",")):
        _join(tool, name, group)
    if tool.has("m"):
        _make_home(tool, account)


def _useradd_group(tool: Tool, names: Names, name: str, uid: int, system: bool) -> int:
    given = tool.value("g")
    if given:
        gid = names.gid(given)
        if gid is None:
            tool.fail(f"group '{given}' does not exist", 6)
        return gid
    if tool.has("N"):
        return 100
    if any(group.name == name for group in names.groups):
        tool.fail(f"group {name} exists - if you want to add this user to that group, use -g.", 9)
    gid = _free_gid(tool, names, str(uid) if all(group.gid != uid for group in names.groups) else None, system)
    _add_group(tool, name, gid)
    return gid


def groupadd(tool: Tool) -> None:
    _need_root(tool)
    if not tool.operands:
        tool.usage()
    names, name = Names(tool.files), tool.operands[0]
    if any(group.name == name for group in names.groups):
        if tool.has("f"):
            return
        tool.fail(f"group '{name}' already exists", 9)
    asked = tool.value("g")
    if asked and any(group.gid == int(asked) for group in names.groups) and not tool.has("o"):
        tool.fail(f"GID '{asked}' already exists", 4)
    _add_group(tool, name, _free_gid(tool, names, asked, tool.has("r")))


def _without(tool: Tool, path: str, name: str) -> None:
    if tool.files.exists(path):
        lines = tool.files.read(path).decode().splitlines(keepends=True)
        tool.files.write(path, "".join(line for line in lines if line.partition(":")[0] != name))


def deluser(tool: Tool) -> None:
    _need_root(tool)
    if not tool.operands:
        tool.usage()
    names, name = Names(tool.files), tool.operands[0]
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
    own = next((group for group in names.groups if group.name == name and group.gid == account.gid), None)
    if own is not None:
        _without(tool, _GROUP, name)
    if tool.has("r", "remove-home") and tool.files.exists(account.home):
        tool.files.rmtree(account.home)


def delgroup(tool: Tool) -> None:
    _need_root(tool)
    if not tool.operands:
        tool.usage()
    name = tool.operands[0]
    if all(group.name != name for group in Names(tool.files).groups):
        tool.fail(f"group '{name}' does not exist" if tool.gnu else f"unknown group {name}", 6 if tool.gnu else 1)
    _without(tool, _GROUP, name)


def getent(tool: Tool) -> int:
    if not tool.operands:
        tool.usage("wrong number of arguments")
    path = {"passwd": _PASSWD, "group": _GROUP, "hosts": "/etc/hosts", "shadow": _SHADOW}.get(tool.operands[0])
    if path is None:
        tool.process.stderr.write(f"Unknown database: {tool.operands[0]}\n")
        return 1
    lines = tool.files.read(path).decode().splitlines() if tool.files.exists(path) else []
    found = []
    for line in lines:
        cells = line.split() if path.endswith("hosts") else line.split(":")
        if not tool.operands[1:] or any(
            key in (cells if path.endswith("hosts") else [cells[0], *cells[2:3]]) for key in tool.operands[1:]
        ):
            found.append(line)
    tool.out("".join(f"{line}\n" for line in found))
    return 0 if found else 2


_ADD = "=system =uid: =gid: =ingroup: =home: =shell: =gecos: =disabled-password =disabled-login "
"=no-create-home =group =quiet q"
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
