"""Where cp, mv, ln and install put what."""

from __future__ import annotations

import errno
from posixpath import basename

from labkit.files import failure
from labkit.userland.tool import Say, Tool

STAT = Say("can't stat '{0}'", "cannot stat {0:q}")


def destination_of(tool: Tool) -> tuple[list[str], str, bool]:
    """The sources, the destination, and whether it is a folder that they go into."""
    operands = list(tool.operands)
    if folder := tool.value("t"):
        if not operands:
            tool.missing("file operand")
        if not tool.files.is_dir(folder):
            not_a_folder(tool, folder)
        return operands, folder, True
    if not operands:
        tool.missing("file operand")
    if len(operands) == 1:
        tool.missing("destination file operand", after=True)
    destination = operands.pop()
    if tool.has("T"):
        if len(operands) > 1:
            tool.extra(2)
        return operands, destination, False
    into = tool.files.is_dir(destination)
    if len(operands) > 1 and not into and tool.gnu:
        not_a_folder(tool, destination)
    return operands, destination, into or len(operands) > 1


def not_a_folder(tool: Tool, path: str) -> None:
    code = errno.ENOTDIR if tool.files.exists(path) else errno.ENOENT
    tool.refuse(Say("target '{0}'", "target {0:q}"), path, error=failure(code))


def inside(folder: str, path: str) -> str:
    """The path that a source has in the folder it is copied into."""
    name = basename(path.rstrip("/"))
    if name in ("..", "."):
        name = "" if name == "." or path == ".." else name
    return f"{folder.rstrip('/') if folder.strip('/') else ''}/{name}" if name else f"{folder}/."
