"""Paths: basename, dirname, realpath, readlink, pwd, which."""

from __future__ import annotations

import stat
from contextlib import suppress
from posixpath import relpath

from labkit.files import errno, failure
from labkit.kernel.process import ExecError, find_program
from labkit.userland.tool import SAME, Tool, Utility, below


def basename(tool: Tool) -> None:
    suffix = tool.value("s")
    names = tool.operands
    if not tool.has("a", "s"):
        if len(names) > 2:
            tool.extra(2)
        suffix = names[1] if len(names) > 1 else None
        names = names[:1]
    for name in names:
        last = name.rstrip("/").rpartition("/")[2] or ("/" if name else "")
        if suffix and last != suffix:
            last = last.removesuffix(suffix)
        tool.out(last + ("\0" if tool.has("z") else "\n"))


def dirname(tool: Tool) -> None:
    for name in tool.operands:
        folder = name.rstrip("/").rpartition("/")
        parent = folder[0].rstrip("/") or ("/" if folder[1] or name.startswith("/") else ".")
        tool.out(f"{parent}\n")


def resolved(tool: Tool, path: str, *, must: str = "parent") -> str:
    """The path without links, `.` and `..`. must: "all" of it exists, all but its last name ("parent"), or "none"."""
    files = tool.files
    if not path:
        raise failure(errno.ENOENT, path)
    names = [name for name in path.split("/") if name not in ("", ".")]
    done = "/" if path.startswith("/") else files.realpath(".")
    links = 0
    while names:
        name = names.pop(0)
        if name == "..":
            done = done.rpartition("/")[0] or "/"
            continue
        here = below(done, name)
        try:
            mode = files.lstat(here).st_mode
        except OSError as error:
            if must == "all" or (must == "parent" and (names or error.errno != errno.ENOENT)):
                raise failure(error.errno or errno.ENOENT, path) from None
            done = here
            continue
        if stat.S_ISLNK(mode):
            links += 1
            if links > 40:
                raise failure(errno.ELOOP, path)
            target = files.readlink(here)
            names = [part for part in target.split("/") if part not in ("", ".")] + names
            done = "/" if target.startswith("/") else done
            continue
        done = here
        if (names or path.endswith("/")) and not stat.S_ISDIR(mode) and must != "none":
            raise failure(errno.ENOTDIR, path)
    return done


def _must(tool: Tool, path: str) -> str:
    """What has to exist. busybox needs all of a bare name."""
    if tool.has("e"):
        return "all"
    if not tool.gnu and "/" not in path and tool.look(path) is None:
        return "all"
    return "none" if tool.has("m") else "parent"


def realpath(tool: Tool) -> None:
    for path in tool.operands:
        try:
            found = resolved(tool, path, must=_must(tool, path))
        except OSError as error:
            if not tool.has("q"):
                tool.complain(SAME, path, error=error)
            tool.status = 1
            continue
        if base := tool.value("relative-to"):
            found = relpath(found, resolved(tool, base))
        tool.out(found + ("\0" if tool.has("z") else "\n"))


def readlink(tool: Tool) -> None:
    end = "" if tool.has("n") else "\0" if tool.has("z") else "\n"
    for path in tool.operands if tool.gnu else tool.operands[:1]:
        try:
            if tool.has("f", "e", "m"):
                found = resolved(tool, path, must=_must(tool, path))
            else:
                found = tool.files.readlink(path)
        except OSError as error:
            tool.status = 1
            if tool.has("v"):
                tool.complain(SAME, path, error=error)
            continue
        tool.out(found + end)


def pwd(tool: Tool) -> None:
    logical = tool.env.get("PWD", "")
    here = tool.files.realpath(".")
    if (
        tool.has("L")
        and logical.startswith("/")
        and tool.files.exists(logical)
        and tool.files.realpath(logical) == here
    ):
        here = logical
    tool.out(f"{here}\n")


def which(tool: Tool) -> None:
    path = tool.env.get("PATH", "/sbin:/usr/sbin:/bin:/usr/bin")
    for name in tool.operands:
        found = []
        for folder in [None] if "/" in name else path.split(":"):
            with suppress(ExecError):
                found.append(find_program(tool.files, name, path if folder is None else folder))
        for one in found if tool.has("a") else found[:1]:
            tool.out(f"{one}\n")
        if not found:
            tool.status = 1


UTILITIES = {
    "basename": Utility(
        basename,
        "a s:",
        "a=multiple s:=suffix z=zero",
        "FILE [SUFFIX] | -a FILE... | -s SUFFIX FILE...",
        "NAME [SUFFIX]",
        needs="operand",
    ),
    "dirname": Utility(dirname, "", "z=zero", "FILENAME", "[OPTION] NAME...", needs="operand"),
    "realpath": Utility(
        realpath,
        "",
        "e=canonicalize-existing m=canonicalize-missing L P q=quiet s z=zero =relative-to: =relative-base:",
        "FILE...",
        needs="operand",
    ),
    "readlink": Utility(
        readlink,
        "f n v",
        "f=canonicalize e=canonicalize-existing m=canonicalize-missing n=no-newline q=quiet s v=verbose z=zero",
        "[-fnv] FILE",
        needs="operand",
    ),
    "pwd": Utility(pwd, "L P", "L=logical P=physical", "", "[OPTION]..."),
    "which": Utility(which, "a", "a s", "[-a] COMMAND...", package="debianutils) 5.7"),
}
