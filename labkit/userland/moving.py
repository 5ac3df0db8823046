"""mv, ln and link: names that change or are added."""

from __future__ import annotations

import stat
from posixpath import dirname, relpath

from labkit.files import Stat, errno
from labkit.userland.copying import (
    BELOW,
    KEPT,
    OVERWRITE,
    SAME_FILE,
    STAT,
    CopyOptions,
    copy_file,
    destination_of,
    inside,
    is_below_a_file,
    not_a_folder,
)
from labkit.userland.tool import Say, Tool, Utility, below, is_same


def mv(tool: Tool) -> None:
    sources, destination, into = destination_of(tool)
    way = CopyOptions(recursive=True, keep=KEPT, follow=False, follow_operands=False, hard_links=True)
    for source in sources:
        _move(tool, source, inside(destination, source) if into else destination, way)


def _move(tool: Tool, source: str, target: str, way: CopyOptions) -> None:
    about = tool.look(source)
    if about is None and tool.gnu:
        with tool.complaining(STAT, source):
            tool.files.lstat(source)
        return
    there = tool.look(target)
    if there is None and is_below_a_file(tool, target, BELOW):
        return
    if about and there and not _may_move_over(tool, source, target, about, there):
        return
    try:
        tool.files.rename(source, target)
    except OSError as error:
        if error.errno == errno.EXDEV and about is not None:
            _move_between(tool, source, target, about, there, way)
        else:
            _say_not_moved(tool, source, target, about, there, error)
        return
    if tool.has("v"):
        tool.out(tool.text(Say("'{0}' -> '{1}'", "renamed {0:q} -> {1:q}"), source, target) + "\n")


def _may_move_over(tool: Tool, source: str, target: str, about: Stat, there: Stat) -> bool:
    if is_same(there, about) and tool.gnu:
        tool.complain(SAME_FILE, source, target)
        return False
    last = tool.last("n", "i", "f")
    if last == "n" or (tool.has("u") and there.st_mtime_ns >= about.st_mtime_ns):
        return False
    return tool.asks(OVERWRITE, target) if last == "i" else True


def _say_not_moved(
    tool: Tool, source: str, target: str, about: Stat | None, there: Stat | None, error: OSError
) -> None:
    if about and there and tool.gnu:
        folder, over = stat.S_ISDIR(about.st_mode), stat.S_ISDIR(there.st_mode)
        if over != folder:
            said = "non-directory {1:q} with directory {0:q}" if folder else "directory {1:q} with non-directory"
            tool.complain(Say("", f"cannot overwrite {said}"), source, target)
            return
    if error.errno == errno.EINVAL and tool.gnu:
        tool.complain(Say("", "cannot move {0:q} to a subdirectory of itself, {1:q}"), source, target)
    else:
        tool.complain(Say("can't rename '{0}'", "cannot move {0:q} to {1:q}"), source, target, error=error)


def _move_between(tool: Tool, source: str, target: str, about: Stat, there: Stat | None, way: CopyOptions) -> None:
    """Between two file systems: copy, then remove."""
    if there is not None:
        try:
            (tool.files.rmdir if stat.S_ISDIR(there.st_mode) else tool.files.unlink)(target)
        except OSError as error:
            said = "inter-device move failed: {0:q} to {1:q}; unable to remove target"
            tool.complain(Say("can't remove '{1}'", said), source, target, error=error)
            return
    if not copy_file(tool, source, target, way, top=True):
        return
    if tool.has("v"):
        tool.out(tool.text(Say("'{0}' -> '{1}'", "copied {0:q} -> {1:q}"), source, target) + "\n")
    try:
        tool.files.rmtree(source)
    except OSError as error:
        tool.complain(Say("can't remove '{0}'", "cannot remove {0:q}"), str(error.filename or source), error=error)
    else:
        if tool.has("v") and tool.gnu:
            tool.out(tool.text(Say("", "removed {0:q}"), source) + "\n")


def ln(tool: Tool) -> None:
    operands = list(tool.operands)
    folder = tool.value("t")
    if folder is None and len(operands) > 1 and not tool.has("T"):
        last = operands[-1]
        about = tool.look(last, follow=not tool.has("n"))
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
        look = files.stat if tool.has("L") else files.lstat
        about = tool.attempt(lambda: look(target), Say("{0}", "failed to access {0:q}"), target)
        if about is None:
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
        there = tool.look(name)
        if there and tool.has("f") and not is_same(there, about):
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
    return path if path.startswith("/") else below(tool.files.cwd, path)


def _say_not_linked(tool: Tool, target: str, name: str, symbolic: bool, error: OSError) -> None:
    arrow = " => {1:q}" if not (symbolic or error.errno in (errno.EEXIST, errno.ENOSPC, errno.EROFS)) else ""
    kind = "symbolic" if symbolic else "hard"
    tool.complain(Say("{0}", f"failed to create {kind} link {{0:q}}{arrow}"), name, target, error=error)


def link(tool: Tool) -> None:
    if len(tool.operands) < 2:
        tool.missing(after=True)
    source, name = tool.operands[:2]
    with tool.complaining(
        Say("can't create hardlink '{1}' to '{0}'", "cannot create link {1:q} to {0:q}"), source, name
    ):
        tool.files.link(source, name)


UTILITIES = {
    "mv": Utility(
        mv,
        "f=force i=interactive n=no-clobber T u v=verbose t:=target-directory",
        "b f=force i=interactive n=no-clobber S: t:=target-directory T=no-target-directory u=update "
        "v=verbose Z =strip-trailing-slashes =backup?",
        "[-finT] SOURCE DEST\n[-fin] SOURCE... { -t DIRECTORY | DIRECTORY }",
        needs="file operand",
    ),
    "ln": Utility(
        ln,
        "s=symbolic f=force n=no-dereference b t:=target-directory v=verbose S: T",
        "b d F f=force i L=logical n=no-dereference P=physical r=relative s=symbolic S: "
        "t:=target-directory T=no-target-directory v=verbose",
        "[-sfnbtv] [-S SUF] TARGET... LINK|DIR",
        needs="file operand",
    ),
    "link": Utility(link, "", "", "FILE LINK"),
}
