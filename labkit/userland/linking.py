"""ln and link."""

from __future__ import annotations

import errno
import stat
from posixpath import dirname, relpath

from labkit.userland.copying import look_at
from labkit.userland.destination import inside, not_a_folder
from labkit.userland.tool import Say, Tool, Utility


def ln(tool: Tool) -> None:
    operands = list(tool.operands)
    if not operands:
        tool.missing("file operand")
    folder = tool.value("t")
    if folder is None and len(operands) > 1 and not tool.has("T"):
        last = operands[-1]
        about = look_at(tool, last, follow=not tool.has("n"))
        if about and stat.S_ISDIR(about.st_mode):
            folder = operands.pop()
        elif len(operands) > 2 and tool.gnu:
            not_a_folder(tool, last)
        elif len(operands) > 2:
            for target in operands[:-1]:
                _make_link(tool, target, last)
            return
    elif folder is None and len(operands) == 1:
        folder = "."
    if folder is None:
        if len(operands) == 1:
            tool.missing("destination file operand", after=True)
        _make_link(tool, operands[0], operands[1])
        return
    for target in operands:
        name = inside(folder, target)
        _make_link(tool, target, name if tool.gnu else name.removeprefix("./"))


def _make_link(tool: Tool, target: str, name: str) -> None:
    files, symbolic = tool.files, tool.has("s")
    about = None
    if not symbolic:
        try:
            about = files.stat(target) if tool.has("L") else files.lstat(target)
        except OSError as error:
            tool.complain(Say("{0}", "failed to access {0:q}"), target, error=error)
            return
        if stat.S_ISDIR(about.st_mode):
            if tool.gnu:
                tool.complain(Say("", "{0}: hard link not allowed for directory"), target)
            else:
                tool.fail(f"{name}: Operation not permitted")
            return
    if tool.has("r") and symbolic:
        target = relpath(_absolute(tool, target), _absolute(tool, dirname(name) or "."))
    try:
        there = look_at(tool, name, follow=False)
        if there and tool.has("f") and not (about and (there.st_ino, there.st_dev) == (about.st_ino, about.st_dev)):
            files.unlink(name)
        elif there and tool.has("f") and about and tool.gnu:
            tool.complain(Say("", "{0:q} and {1:q} are the same file"), target, name)
            return
        files.symlink(target, name) if symbolic else files.link(target, name)
    except OSError as error:
        _say_not_linked(tool, target, name, symbolic, error)
        return
    if tool.has("v"):
        tool.out(
            tool.text(Say("'{1}' -> '{0}'", "{1:q} -> {0:q}" if symbolic else "{1:q} => {0:q}"), target, name) + "\n"
        )


def _absolute(tool: Tool, path: str) -> str:
    return path if path.startswith("/") else f"{tool.files.cwd.rstrip('/')}/{path}"


def _say_not_linked(tool: Tool, target: str, name: str, symbolic: bool, error: OSError) -> None:
    if symbolic:
        tool.complain(Say("{0}", "failed to create symbolic link {0:q}"), name, error=error)
    elif error.errno == errno.EEXIST:
        tool.complain(Say("{0}", "failed to create hard link {0:q}"), name, error=error)
    elif error.errno == errno.EXDEV or error.errno == errno.EPERM:
        tool.complain(Say("{0}", "failed to create hard link {0:q} => {1:q}"), name, target, error=error)
    else:
        tool.complain(Say("{0}", "failed to create hard link {0:q}"), name, error=error)


def link(tool: Tool) -> None:
    if len(tool.operands) < 2:
        tool.missing(after=True)
    try:
        tool.files.link(*tool.operands[:2])
    except OSError as error:
        source, name = tool.operands[:2]
        tool.complain(
            Say("can't create hardlink '{1}' to '{0}'", "cannot create link {1:q} to {0:q}"), source, name, error=error
        )


UTILITIES = {
    "ln": Utility(
        ln,
        "s=symbolic f=force n=no-dereference b t:=target-directory v=verbose S: T",
        "b d F f=force i L=logical n=no-dereference P=physical r=relative s=symbolic S: "
        "t:=target-directory T=no-target-directory v=verbose",
        "[-sfnbtv] [-S SUF] TARGET... LINK|DIR",
    ),
    "link": Utility(link, "", "", "FILE LINK"),
}
