"""How a utility is run, and how it ends; also where its output cannot be written: a full file system, a closed stream.

busybox's utilities that copy say "write error"; those that print through stdio say "standard output", and end with the
status that they had, or flush at their end without looking. Observed on BusyBox v1.35.0, GNU coreutils 9.1 and the
tools beside it (Debian 12), with /dev/full as the output.
"""

from __future__ import annotations

from labkit.files import errno
from labkit.kernel.process import Process
from labkit.userland.quantities import NoSizeError
from labkit.userland.tool import Done, Tool, Utility

UNWRITTEN = (errno.ENOSPC, errno.EBADF, errno.EFBIG)
_COPYING = frozenset("cat tail tr echo tar gzip gunzip zcat tac shred truncate".split())
_PRINTING = frozenset(
    "sort cut wc uniq env id rev nl base64 base32 du expr fold paste uname cmp comm shuf split tee".split()
)
_BUSYBOX_STATUS = {"seq": 255, "pwd": 255, "whoami": 255, "basename": 1, "cmp": 1, "diff": 1}
_ERROR = "write error: {0}"
_GNU: dict[str, tuple[str, int]] = {  # what is said after the name, and the status
    "sort": ("fflush failed: 'standard output': {0}\nsort: write error", 2),
    "sed": ("couldn't flush stdout: {0}", 4),
    "awk": ("close failed on file /dev/stdout ({0})", 2),
    "mawk": ("close failed on file /dev/stdout ({0})", 2),
    "grep": (_ERROR, 2),
    "ls": (_ERROR, 2),
    "env": (_ERROR, 125),
    "wc": ("write error", 1),
    "md5sum": ("write error", 1),
    "du": ("write error", 1),
    "tar": ("-: Cannot write: {0}\ntar: Error is not recoverable: exiting now", 2),
    "find": ("‘standard output’: {0}\nfind: write error", 1),
    "tee": ("'standard output': {0}", 1),
    "gzip": ("stdout: {0}", 1),
    "yes": ("standard output: {0}", 1),
    "cmp": ("standard output: {0}", 2),
    "diff": ("standard output: {0}", 2),
}


def _unwritten(tool: Tool, error: OSError) -> int:
    """The complaint; the status."""
    status = _BUSYBOX_STATUS.get(tool.name)
    if tool.gnu:
        said, status = _GNU.get(tool.name, (_ERROR, 1))
    elif tool.name == "head":  # of more than a buffer's bytes
        said, status = "standard output: I/O error", 1
    elif tool.name in _PRINTING or (tool.name == "cat" and tool.options):
        said, status = "standard output: {0}", status or 0
    elif tool.name in _COPYING:
        said, status = _ERROR, 1
    else:
        return tool.status if status is None else status
    tool.process.stderr.write(f"{tool.name}: {said.format(tool.reason(error))}\n")
    return status


def run(process: Process, utility: Utility, name: str, flavour: str) -> int:
    """Run one utility of one flavour (busybox, alpine, gnu)."""
    tool = Tool(process, utility, name, flavour)
    try:
        tool.parse()
        if utility.needs and not tool.operands:
            tool.missing(utility.needs)
        status = utility.run(tool)
    except Done as done:
        return done.status
    except ValueError as error:
        return _no_number(tool, error)
    except OSError as error:
        if error.filename is not None or error.errno not in UNWRITTEN:
            raise
        return _unwritten(tool, error)
    return tool.status if status is None else status


def _no_number(tool: Tool, error: ValueError) -> int:
    """An operand or an option's value that had to be a number, in busybox's words."""
    _, found, literal = str(error).partition("invalid literal for int() with base 10: ")
    if not found and not isinstance(error, NoSizeError):
        raise error
    tool.err(f"invalid number {literal if found else repr(str(error))}")
    return tool.utility.bad
