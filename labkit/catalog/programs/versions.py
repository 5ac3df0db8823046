"""Programs that are installed for their size and do nothing here: they tell their version, and say so otherwise."""

from __future__ import annotations

import os

from labkit.catalog import debian
from labkit.catalog.programs.support import complain, say
from labkit.kernel.process import Process

# What the first line of --version says; {0} is the version of the package.
_LINES = {
    "git": ("git", "git version {0}"), "gcc": ("gcc-12", "gcc (Debian 12.2.0-14) 12.2.0"),
    "g++": ("g++-12", "g++ (Debian 12.2.0-14) 12.2.0"),
    "gcc-12": ("gcc-12", "gcc-12 (Debian 12.2.0-14) 12.2.0"), "make": ("make", "GNU Make 4.3"), "jq": ("jq", "jq-1.6"),
    "openssl": ("openssl", "OpenSSL {0}"), "sqlite3": ("sqlite3", "{0}"), "cmake": ("cmake", "cmake version {0}"),
    "vim": ("vim", "VIM - Vi IMproved 9.0"), "vim.basic": ("vim", "VIM - Vi IMproved 9.0"),
    "vim.tiny": ("vim-tiny", "VIM - Vi IMproved 9.0"),
}  # fmt: skip


def main(process: Process) -> int:
    name = os.path.basename(process.argv[0])
    package, line = _LINES.get(name, (name, f"{name} {{0}}"))
    if process.argv[1:2] in (["--version"], ["-V"], ["-v"], ["version"]):
        version = (debian.describe(package) or {"version": "0"})["version"]
        say(process, line.format(version.split(":")[-1].split("-")[0].split("+")[0]))
        return 0
    complain(process, f"{name}: this simulated program only has --version")
    return 1
