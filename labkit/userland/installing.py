"""install."""

from __future__ import annotations

from posixpath import dirname

from labkit.userland import modes
from labkit.userland.copying import CopyOptions, copy_file, look_at
from labkit.userland.destination import destination_of, inside
from labkit.userland.tool import Say, Tool, Utility
from labkit.userland.users import Names


def install(tool: Tool) -> None:
    mode = modes.changed(tool.value("m") or "755", 0, 0)
    if mode is None:
        tool.refuse(Say("invalid mode '{0}'", "invalid mode {0:l}"), tool.value("m") or "")
    if tool.has("d"):
        for path in tool.operands:
            tool.files.makedirs(path)
            _installed(tool, path, mode)
        return
    sources, destination, into = destination_of(tool)
    for source in sources:
        target = inside(destination, source) if into else destination
        if tool.has("D"):
            tool.files.makedirs(dirname(target) or ".")
        if look_at(tool, target, follow=False):
            tool.files.unlink(target)
        if copy_file(
            tool, source, target, CopyOptions(keep=frozenset({"timestamps"} if tool.has("p") else ())), top=True
        ):
            _installed(tool, target, mode)


def _installed(tool: Tool, path: str, mode: int) -> None:
    names = Names(tool.files)
    tool.files.chmod(path, mode)
    uid = names.uid(tool.value("o") or "") if tool.has("o") else -1
    gid = names.gid(tool.value("g") or "") if tool.has("g") else -1
    if tool.has("o", "g"):
        tool.files.chown(path, -1 if uid is None else uid, -1 if gid is None else gid)


UTILITIES = {
    "install": Utility(
        install,
        "c d D p s m: o: g: t: v",
        "c d=directory D p=preserve-timestamps s m:=mode o:=owner g:=group t:=target-directory T v=verbose",
        "[-cdDsp] [-o USER] [-g GRP] [-m MODE] [-t DIR] [SOURCE]... DEST",
    ),
}
