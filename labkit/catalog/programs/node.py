"""node: its version, console.log of texts, and servers that wait. It runs no JavaScript, and says so."""

from __future__ import annotations

import re

from labkit.catalog.programs.support import complain, read_text, say
from labkit.kernel.process import Process

_LOG = re.compile(r"""^\s*console\.log\(\s*(?:(['"`])(.*?)\1|([\d+\-*/ ().]+))\s*\)\s*;?\s*$""", re.MULTILINE)
_REQUIRE = re.compile(r"""(?:require\(|from )\s*['"]([^'"./][^'"]*)['"]""")
_BUILT_IN = {
    "assert",
    "child_process",
    "crypto",
    "fs",
    "http",
    "https",
    "net",
    "os",
    "path",
    "process",
    "stream",
    "url",
    "util",
}


def node(process: Process) -> int:
    words = process.argv[1:]
    if words[:1] in (["--version"], ["-v"]):
        say(process, "v20.20.2")
        return 0
    if words[:1] in (["-e"], ["--eval"], ["-p"], ["--print"]):
        return _run(process, words[1] if len(words) > 1 else "")
    if not words:
        return _run(process, process.stdin.read().decode("utf-8", "replace"))
    path = words[0] if process.files.exists(words[0]) else f"{words[0]}.js"
    if not process.files.exists(path):
        complain(process, "node:internal/modules/cjs/loader:1228", "  throw err;", "  ^", "")
        where = words[0] if words[0].startswith("/") else f"{process.files.cwd.rstrip('/')}/{words[0]}"
        complain(process, f"Error: Cannot find module '{where}'", "", "Node.js v20.20.2")
        return 1
    return _run(process, read_text(process.files, path))


def _run(process: Process, source: str) -> int:
    for module in _REQUIRE.findall(source):
        name = module.removeprefix("node:")
        if name not in _BUILT_IN and not _found(process, name):
            complain(process, f"Error: Cannot find module '{name}'", "", "Node.js v20.20.2")
            return 1
    found = _LOG.findall(source)
    for _, text, number in found:
        say(process, text or number.strip())
    if ".listen(" in source:
        return process.wait_forever()
    if source.strip() and not found:
        complain(
            process,
            "node: this simulated program runs no JavaScript; it prints console.log of a text, and waits for a server",
        )
    return 0


def _found(process: Process, name: str) -> bool:
    folder = process.files.cwd
    while True:
        if process.files.exists(f"{folder.rstrip('/')}/node_modules/{name}"):
            return True
        if folder in ("/", ""):
            return False
        folder = folder.rpartition("/")[0] or "/"
