"""The command line of tar."""

from __future__ import annotations

from labkit.userland.tar.packing import create
from labkit.userland.tar.saying import fatal
from labkit.userland.tar.unpacking import read
from labkit.userland.tool import Done, Tool, Utility


def _old_style(args: list[str]) -> list[str]:
    """`cvf x.tar` is `-c -v -f x.tar`."""
    if not args or args[0].startswith("-"):
        return args
    out, rest = [], args[1:]
    for letter in args[0]:
        out.append(f"-{letter}")
        if letter in "fCTXbgHKLNV" and rest:
            out.append(rest.pop(0))
    return out + rest


def tar(tool: Tool) -> None:
    action = tool.last("c", "x", "t", "r")
    if action is None:
        if tool.gnu:
            tool.process.stderr.write(
                "tar: You must specify one of the '-Acdtrux', '--delete' or '--test-label' options\n"
                "Try 'tar --help' or 'tar --usage' for more information.\n"
            )
            raise Done(2)
        tool.usage()
    started = tool.files
    tool.files = tool.files.copy()
    for folder in tool.values("C"):
        try:
            tool.files.chdir(folder)
        except OSError as error:
            if tool.gnu:
                fatal(tool, f"{folder}: Cannot open: {tool.reason(error)}")
            tool.fail(f"can't change directory to '{folder}': {tool.reason(error)}")
    if action in ("c", "r"):
        create(tool, action, started)
    else:
        read(tool, action, started)


_GNU = (
    "c=create x=extract,get t=list r=append f:=file v=verbose z=gzip,gunzip,ungzip j=bzip2 J=xz "
    "a=auto-compress C:=directory O=to-stdout "
    "p=preserve-permissions h=dereference k=keep-old-files m=touch o P=absolute-names T:=files-from "
    "X:=exclude-from b: S=sparse "
    "=exclude: =strip-components: =numeric-owner =owner: =group: =mode: =no-same-owner =same-owner "
    "=same-permissions =wildcards "
    "=no-recursion =mtime: =sort: =format: =transform: =warning: =xattrs =acls =selinux"
)
UTILITIES = {
    "tar": Utility(
        tar,
        "c=create x=extract t=list f:=file v=verbose z=gzip j=bzip2 J=xz a=auto-compress "
        "C:=directory O=to-stdout p h=dereference k=keep-old m=touch o T:=files-from X:=exclude-from Z "
        "=exclude: =strip-components: =numeric-owner =no-recursion =overwrite",
        _GNU,
        "c|x|t [-ZzJjahmvokO] [-f TARFILE] [-C DIR] [FILE]...",
        bad=2,
        prepare=_old_style,
        package="GNU tar) 1.34",
    ),
}
