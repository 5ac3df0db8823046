"""node: its version, console.log of texts, and servers that wait. It runs no JavaScript, and says so.

npm: init, install, ci, start, run, list. Messages: npm 10. Packages: data/npm.json.
"""

from __future__ import annotations

import json
import re
from typing import TypedDict

from labkit.catalog import entries as e
from labkit.catalog.entries import load
from labkit.catalog.programs.support import complain, lay, options, read_text, say
from labkit.kernel.golang import Json, JsonObject
from labkit.kernel.process import Process


class NpmPackage(TypedDict, total=False):
    """A package as data/npm.json tells it."""

    version: str
    unpacked: int  # bytes
    requires: list[str]


class NpmRecords(TypedDict):
    packages: dict[str, NpmPackage]


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
        return _evaluate(process, words[1] if len(words) > 1 else "")
    if not words:
        return _evaluate(process, process.stdin.read().decode("utf-8", "replace"))
    path = words[0] if process.files.exists(words[0]) else f"{words[0]}.js"
    if not process.files.exists(path):
        complain(process, "node:internal/modules/cjs/loader:1228", "  throw err;", "  ^", "")
        where = words[0] if words[0].startswith("/") else f"{process.files.cwd.rstrip('/')}/{words[0]}"
        complain(process, f"Error: Cannot find module '{where}'", "", "Node.js v20.20.2")
        return 1
    return _evaluate(process, read_text(process.files, path))


def _evaluate(process: Process, source: str) -> int:
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


_VERSION = "10.8.2"


def npm(process: Process) -> int:
    flags, words = options(process.argv[1:], ("--prefix", "--registry"))
    if "--version" in flags or "-v" in flags:
        say(process, _VERSION)
        return 0
    command, names = (words[0], words[1:]) if words else ("help", [])
    run = _COMMANDS.get(command)
    if run is None:
        complain(
            process, f'Unknown command: "{command}"', "", "To see a list of supported npm commands, run:", "  npm help"
        )
        return 1
    return run(process, flags, names)


def npx(process: Process) -> int:
    complain(process, "npm error could not determine executable to run")
    return 1


def _manifest(process: Process) -> JsonObject | None:
    text = read_text(process.files, "package.json")
    if not text:
        return None
    try:
        manifest: Json = json.loads(text)
    except ValueError:
        return None
    return manifest if isinstance(manifest, dict) else None


def _section(manifest: JsonObject, name: str) -> dict[str, Json]:
    """The scripts or the dependencies of a package.json."""
    section = manifest.get(name)
    return section if isinstance(section, dict) else {}


def _missing(process: Process) -> int:
    path = f"{process.files.cwd.rstrip('/')}/package.json"
    complain(
        process,
        "npm error code ENOENT",
        "npm error syscall open",
        f"npm error path {path}",
        "npm error errno -2",
        f"npm error enoent Could not read package.json: Error: ENOENT: no such file or directory, open '{path}'",
        "npm error enoent This is related to npm not being able to find a file.",
        "npm error enoent",
    )
    return 254


def _init(process: Process, flags: dict[str, str], names: list[str]) -> int:
    folder = process.files.cwd.rpartition("/")[2] or "app"
    manifest = {"name": folder, "version": "1.0.0", "main": "index.js", "scripts": {}, "license": "ISC"}
    process.files.write("package.json", json.dumps(manifest, indent=2).encode() + b"\n")
    return 0


def _closure(names: list[str]) -> list[str]:
    known = load("npm.json", NpmRecords)["packages"]
    found: dict[str, None] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop(0)
        if name in found or name not in known:
            continue
        found[name] = None
        waiting += known[name].get("requires", ())
    return list(found)


def _install(process: Process, flags: dict[str, str], names: list[str]) -> int:
    manifest = _manifest(process)
    if manifest is None and not names:
        return _missing(process)
    manifest = manifest or {}
    plain = [name if name.rfind("@") < 1 else name[: name.rfind("@")] for name in names]
    known = load("npm.json", NpmRecords)["packages"]
    wanted = [*_section(manifest, "dependencies"), *plain]
    for name in wanted:
        if name not in known:
            complain(
                process, "npm error code E404", f"npm error 404 Not Found - GET {name} - Not found", "npm error 404"
            )
            complain(process, f"npm error 404  '{name}@*' is not in this registry.")
            return 1
    order = [name for name in _closure(wanted) if not process.files.exists(f"node_modules/{name}/package.json")]
    base = process.files.cwd.rstrip("/")
    for name in order:
        head = json.dumps({"name": name, "version": known[name]["version"]}) + "\n"
        folder = f"{base}/node_modules/{name}"
        left = known[name]["unpacked"] - len(head)
        lay(
            process,
            [e.text(f"{folder}/package.json", head), *([e.filler(f"{folder}/index.js", left)] if left > 0 else [])],
        )
    if plain:
        versions = {name: f"^{known[name]['version']}" for name in plain}
        manifest["dependencies"] = {**_section(manifest, "dependencies"), **versions}
        process.files.write("package.json", json.dumps(manifest, indent=2).encode() + b"\n")
    everything = _closure(list(_section(manifest, "dependencies")))
    lock = {
        "lockfileVersion": 3,
        "packages": {f"node_modules/{name}": {"version": known[name]["version"]} for name in everything},
    }
    process.files.write("package-lock.json", json.dumps(lock, indent=2).encode() + b"\n")
    _report(process, len(order), len(everything) + 1)
    return 0


def _report(process: Process, added: int, audited: int) -> None:
    done = (
        f"added {added} package{'s' * (added != 1)}, and audited {audited} packages in 1s"
        if added
        else f"up to date, audited {audited} packages in 1s"
    )
    say(process, "", done, "", "found 0 vulnerabilities")


def _ci(process: Process, flags: dict[str, str], names: list[str]) -> int:
    if not process.files.exists("package-lock.json"):
        complain(
            process,
            "npm error code EUSAGE",
            "npm error",
            "npm error The `npm ci` command can only install with an existing package-lock.json or",
        )
        complain(process, "npm error npm-shrinkwrap.json with lockfileVersion >= 1. Run an install with npm@5 or")
        complain(process, "npm error later to generate a package-lock.json file, then try again.")
        return 1
    if process.files.is_dir("node_modules"):
        process.files.rmtree("node_modules")
    return _install(process, flags, [])


def _run(process: Process, flags: dict[str, str], names: list[str]) -> int:
    manifest = _manifest(process)
    if manifest is None:
        return _missing(process)
    name = names[0] if names else ""
    line = _section(manifest, "scripts").get(name)
    if not isinstance(line, str) or not line:
        complain(process, f'npm error Missing script: "{name}"')
        return 1
    say(process, "", f"> {manifest.get('name', '')}@{manifest.get('version', '')} {name}", f"> {line}", "")
    return process.spawn(["sh", "-c", line])


def _list(process: Process, flags: dict[str, str], names: list[str]) -> int:
    manifest = _manifest(process) or {}
    say(process, f"{manifest.get('name', '')}@{manifest.get('version', '')} {process.files.cwd}")
    wanted = list(_section(manifest, "dependencies"))
    known = load("npm.json", NpmRecords)["packages"]
    for name in wanted:
        say(process, f"{'└──' if name == wanted[-1] else '├──'} {name}@{known.get(name, {}).get('version', '?')}")
    return 0


def _help(process: Process, flags: dict[str, str], names: list[str]) -> int:
    say(process, "npm <command>")
    return 0


_COMMANDS = {
    "init": _init, "install": _install, "i": _install, "ci": _ci, "run": _run, "run-script": _run,
    "list": _list, "ls": _list,
    "start": lambda p, f, n: _run(p, f, ["start"]), "test": lambda p, f, n: _run(p, f, ["test"]),
    "help": _help,
}  # fmt: skip
