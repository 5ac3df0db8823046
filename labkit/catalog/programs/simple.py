"""Programs of a few lines: the Mac's tools, those that only tell their version, hello-world, an entrypoint."""

from __future__ import annotations

import os
import re
from dataclasses import replace

from labkit.catalog import debian
from labkit.catalog.programs.support import complain, say
from labkit.kernel.process import Output, Process

_NAMED = re.compile(r"^(\w+): (?:[a-z ]+?) ['‘](.*?)['’](?: for (?:reading|writing))?: ", re.MULTILINE)
_TRY = re.compile(r"^Try '.*' for more information\.\n", re.MULTILINE)


def bsd(process: Process) -> int:
    """A tool of the Mac: GNU's, its messages worded as BSD words them (`ls: /x: No such file or directory`)."""
    name = process.argv[0].rpartition("/")[2]
    stderr = Output()
    status = process.kernel.programs[f"gnu:{name}"](replace(process, stderr=stderr))
    text = stderr.getvalue().decode("utf-8", "surrogateescape")
    process.stderr.write(_TRY.sub("", _NAMED.sub(r"\1: \2: ", text)))
    return min(status, 1)


# What the first line of --version says; {0} is the version of the package.
_LINES = {
    "git": ("git", "git version {0}"), "gcc": ("gcc-12", "gcc (Debian 12.2.0-14) 12.2.0"),
    "g++": ("g++-12", "g++ (Debian 12.2.0-14) 12.2.0"),
    "gcc-12": ("gcc-12", "gcc-12 (Debian 12.2.0-14) 12.2.0"), "make": ("make", "GNU Make 4.3"), "jq": ("jq", "jq-1.6"),
    "openssl": ("openssl", "OpenSSL {0}"), "sqlite3": ("sqlite3", "{0}"), "cmake": ("cmake", "cmake version {0}"),
    "vim": ("vim", "VIM - Vi IMproved 9.0"), "vim.basic": ("vim", "VIM - Vi IMproved 9.0"),
    "vim.tiny": ("vim-tiny", "VIM - Vi IMproved 9.0"),
}  # fmt: skip


def version(process: Process) -> int:
    """A program that is installed for its size and does nothing here: it tells its version, and says so otherwise."""
    name = os.path.basename(process.argv[0])
    package, line = _LINES.get(name, (name, f"{name} {{0}}"))
    if process.argv[1:2] in (["--version"], ["-V"], ["-v"], ["version"]):
        version = (debian.describe(package) or {"version": "0"})["version"]
        say(process, line.format(version.split(":")[-1].split("-")[0].split("+")[0]))
        return 0
    complain(process, f"{name}: this simulated program only has --version")
    return 1


_OWN = {"NODE_VERSION": "node", "REDIS_VERSION": "redis-server"}


def entrypoint(process: Process) -> int:
    """docker-entrypoint.sh of node and redis: options are for the image's own program, the rest is run as it is."""
    words = process.argv[1:]
    own = next((program for variable, program in _OWN.items() if variable in process.env), "sh")
    if not words or words[0].startswith("-") or words[0].endswith((".js", ".conf")):
        words = [own, *words]
    return process.exec(words)


def hello(process: Process) -> int:
    """The program of hello-world."""
    say(
        process,
        "",
        "Hello from Docker!",
        "This message shows that your installation appears to be working correctly.",
        "",
    )
    return 0
