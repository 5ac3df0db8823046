"""mv.

ln and link.
"""

from __future__ import annotations

import errno
import stat
from posixpath import dirname, relpath

from labkit.files import Stat
from labkit.userland.copying import STAT, CopyOptions, copy_file, destination_of, inside, look_at, not_a_folder
from labkit.userland.tool import Say, Tool, Utility


def mv(tool: Tool) -> None:
    sources, destination, into = destination_of(tool)
    keep = frozenset({"mode", "ownership", "timestamps", "links", "xattr"})
    way = CopyOptions(recursive=True, keep=keep, follow=False, follow_operands=False, hard_links=True)
    for source in sources:
        _move(tool, source, inside(destination, source) if into else destination, way)


def _move(tool: Tool, source: str, target: str, way: CopyOptions) -> None:
    about = look_at(tool, source, follow=False)
    if about is None and tool.gnu:
        try:
            tool.files.lstat(source)
        except OSError as error:
            tool.complain(STAT, source, error=error)
        return
    there = look_at(tool, target, follow=False)
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
    same = (there.st_ino, there.st_dev) == (about.st_ino, about.st_dev)
    if same and tool.gnu:
        tool.complain(Say("'{0}' and '{1}' are the same file", "{0:q} and {1:q} are the same file"), source, target)
        return False
    last = tool.last("n", "i", "f")
    if last == "n" or (tool.has("u") and there.st_mtime_ns >= about.st_mtime_ns):
        return False
    if last == "i":
        tool.process.stderr.write(f"{tool.name}: " + tool.text(Say("overwrite '{0}'? ", "overwrite {0:q}? "), target))
        return tool.process.stdin.readline()[:1] in (b"y", b"Y")
    return True


def _say_not_moved(
    tool: Tool, source: str, target: str, about: Stat | None, there: Stat | None, error: OSError
) -> None:
    if about and there and tool.gnu:
        folder, over = stat.S_ISDIR(about.st_mode), stat.S_ISDIR(there.st_mode)
        if over and not folder:
            tool.complain(Say("", "cannot overwrite directory {1:q} with non-directory"), source, target)
            return
        if folder and not over:
            tool.complain(Say("", "cannot overwrite non-directory {1:q} with directory {0:q}"), source, target)
            return
    if error.errno == errno.EINVAL and tool.gnu:
        tool.complain(Say("", "cannot move {0:q} to a subdirectory of itself, {1:q}"), source, target)
        return
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
    "mv": Utility(
        mv,
        "f=force i=interactive n=no-clobber T u v=verbose t:=target-directory",
        "b f=force i=interactive n=no-clobber S: t:=target-directory T=no-target-directory u=update "
        "v=verbose Z =strip-trailing-slashes =backup?",
        "[-finT] SOURCE DEST\n[-fin] SOURCE... { -t DIRECTORY | DIRECTORY }",
    ),
    "ln": Utility(
        ln,
        "s=symbolic f=force n=no-dereference b t:=target-directory v=verbose S: T",
        "b d F f=force i L=logical n=no-dereference P=physical r=relative s=symbolic S: "
        "t:=target-directory T=no-target-directory v=verbose",
        "[-sfnbtv] [-S SUF] TARGET... LINK|DIR",
    ),
    "link": Utility(link, "", "", "FILE LINK"),
}
