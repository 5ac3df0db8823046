"""The everyday utilities, each in busybox's and GNU's flavour. A family is loaded when one of its members runs.

PROGRAMS is what the kernel runs: "busybox", which takes its applet from the name it was called by, and "gnu:NAME".
"""

from __future__ import annotations

from functools import partial
from importlib import import_module
from posixpath import basename

from labkit.kernel.process import Process, Program
from labkit.userland.ending import run
from labkit.userland.tool import BUSYBOX_BANNER, Utility

_FAMILIES = {  # module: its utilities
    "viewing": "cat head tail tee more less",
    "lines": "tac rev nl fold paste comm wc split strings shuf",
    "fields": "cut uniq tr column expand unexpand",
    "sorting": "sort",
    "listing": "ls dir vdir tree",
    "stating": "stat",
    "find": "find",
    "copying": "cp install",
    "moving": "mv ln link",
    "making": "mkdir rm rmdir unlink touch truncate fallocate mktemp mknod mkfifo shred",
    "owning": "chmod chown chgrp",
    "searching": "grep egrep fgrep",
    "sed": "sed",
    "awk.program": "awk mawk gawk",
    "printing": "echo printf seq yes",
    "paths": "basename dirname realpath readlink pwd which",
    "running": "env printenv xargs timeout time nohup sleep usleep nice su chroot setsid ionice",
    "measuring": "du df",
    "dd": "dd",
    "digests": "sha1sum sha256sum sha512sum sha224sum sha384sum md5sum cksum base64 base32",
    "dumping": "od hexdump xxd",
    "tar": "tar",
    "compressing": "gzip gunzip zcat",
    "comparing": "diff cmp",
    "testing": "test [ [[ true false expr",
    "system": "id whoami groups hostname uname arch uptime ps top kill free nproc date sync clear logger tty logname "
    "who",
    "mounting": "mount umount mountpoint findmnt",
    "attributes": "getfattr setfattr lsattr chattr file",
    "accounts": "adduser addgroup deluser delgroup useradd groupadd userdel groupdel getent",
    "network": "wget curl ping nslookup nc",
    "json_query": "jq",
}
_ONLY_GNU = set(
    "dir vdir column mawk gawk getfattr setfattr file useradd groupadd userdel groupdel curl jq findmnt base32".split()
)
_ONLY_BUSYBOX = {"[[", "usleep", "nc", "top"}
_FAMILY = {name: family for family, names in _FAMILIES.items() for name in names.split()}

GNU_TOOLS = tuple(sorted(_FAMILY.keys() - _ONLY_BUSYBOX))
BUSYBOX_APPLETS = tuple(sorted((_FAMILY.keys() - _ONLY_GNU) | {"ash", "busybox", "sh"}))
_SHELLS = {"sh": "ash", "ash": "ash"}  # applet: the program that it is


def utility(name: str) -> Utility:
    """The utility of this name. Raises KeyError."""
    table: dict[str, Utility] = import_module(f"{__name__}.{_FAMILY[name]}").UTILITIES
    return table[name]


def gnu(name: str, process: Process) -> int:
    return run(process, utility(name), name, "gnu")


def busybox(process: Process) -> int:
    """Run the applet that the program was called as, or that its first argument names."""
    name = basename(process.argv[0]).lstrip("-")
    if name.startswith("busybox"):
        if len(process.argv) < 2 or process.argv[1] in ("--help", "--list"):
            return _overview(process)
        process.argv = process.argv[1:]
        name = basename(process.argv[0])
    other = process.kernel.programs.get(_SHELLS.get(name, f"busybox:{name}"))
    if other is not None:
        return other(process)
    if name not in BUSYBOX_APPLETS or name not in _FAMILY:
        process.stderr.write(f"{name}: applet not found\n")
        return 127
    alpine = process.files.exists("/etc/alpine-release")
    return run(process, utility(name), name, "alpine" if alpine else "busybox")


def _overview(process: Process) -> int:
    if process.argv[1:] == ["--list"]:
        process.stdout.write("".join(f"{name}\n" for name in BUSYBOX_APPLETS))
    else:
        process.stdout.write(f"{BUSYBOX_BANNER}\n\nUsage: busybox [function [arguments]...]\n\n")
        process.stdout.write(f"Currently defined functions:\n\t{', '.join(BUSYBOX_APPLETS)}\n")
    return 0


_ALIASES = {"which.debianutils": "which"}  # a file in Debian's packages: the utility that it is

PROGRAMS: dict[str, Program] = {
    "busybox": busybox,
    **{f"gnu:{name}": partial(gnu, name) for name in GNU_TOOLS},
    **{f"gnu:{name}": partial(gnu, target) for name, target in _ALIASES.items()},
}
