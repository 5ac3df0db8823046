"""dpkg and dpkg-query: what is installed, which files it has."""

from __future__ import annotations

import re

from labkit.catalog import debian
from labkit.catalog.programs.support import complain, options, read_text, say
from labkit.kernel.process import Process

_HEAD = (
    "Desired=Unknown/Install/Remove/Purge/Hold",
    "| Status=Not/Inst/Conf-files/Unpacked/halF-conf/Half-inst/trig-aWait/Trig-pend",
    "|/ Err?=(none)/Reinst-required (Status,Err: uppercase=bad)",
)


def dpkg(process: Process) -> int:
    flags, names = options(process.argv[1:], ("-f", "--showformat"))
    if "--print-architecture" in flags:
        say(process, "amd64")
        return 0
    if "--version" in flags:
        say(process, "Debian 'dpkg' package management program version 1.21.22 (amd64).")
        return 0
    for known, run in _QUERIES.items():
        if flags.keys() & set(known):
            return run(process, names, flags)
    complain(process, "dpkg: error: need an action option")
    return 2


def dpkg_query(process: Process) -> int:
    return dpkg(process)


def _installed(process: Process) -> list[str]:
    return sorted(debian.installed(read_text(process.files, debian.STATUS)))


def _list(process: Process, names: list[str], flags: dict[str, str]) -> int:
    have = [name for name in _installed(process) if not names or name in names]
    if not have:
        complain(process, *(f"dpkg-query: no packages found matching {name}" for name in names))
        return 1
    rows = [(name, (debian.describe(name) or {})["version"], (debian.describe(name) or {})["arch"]) for name in have]
    widths = [max(len(row[column]) for row in [*rows, ("Name", "Version", "Architecture")]) for column in range(3)]
    say(process, *_HEAD)
    say(process, f"||/ {'Name':{widths[0]}} {'Version':{widths[1]}} {'Architecture':{widths[2]}} Description")
    say(process, f"+++-{'=' * widths[0]}-{'=' * widths[1]}-{'=' * widths[2]}-===========")
    say(process, *(f"ii  {a:{widths[0]}} {b:{widths[1]}} {c:{widths[2]}} {a}" for a, b, c in rows))
    return 0


def _files(process: Process, names: list[str], flags: dict[str, str]) -> int:
    status = 0
    for name in names:
        found = read_text(process.files, f"{debian.INFO}/{name}.list")
        if found:
            process.stdout.write(found)
        else:
            complain(process, f"dpkg-query: package '{name}' is not installed")
            status = 1
    return status


def _status(process: Process, names: list[str], flags: dict[str, str]) -> int:
    have = _installed(process)
    for name in names:
        if name not in have:
            complain(process, f"dpkg-query: package '{name}' is not installed and no information is available")
            return 1
        process.stdout.write(debian.stanza(name))
    return 0


def _owner(process: Process, paths: list[str], flags: dict[str, str]) -> int:
    status = 0
    for path in paths:
        owners = [name for name in _installed(process) if f"{path}\n" in debian.info_list(name)]
        if owners:
            say(process, f"{', '.join(owners)}: {path}")
        else:
            complain(process, f"dpkg-query: no path found matching pattern {path}")
            status = 1
    return status


def _show(process: Process, names: list[str], flags: dict[str, str]) -> int:
    pattern = flags.get("-f") or flags.get("--showformat") or "${Package}\\t${Version}\\n"
    have = _installed(process)
    for name in names or have:
        if name not in have:
            complain(process, f"dpkg-query: no packages found matching {name}")
            return 1
        about = debian.describe(name) or {}
        fields = {
            "Package": name,
            "Version": about["version"],
            "Installed-Size": str(about["installed"]),
            "Architecture": about["arch"],
        }
        line = pattern.replace("\\n", "\n").replace("\\t", "\t")
        for field in re.findall(r"\$\{[^}]+\}", line):
            line = line.replace(field, fields.get(field[2:-1].partition(";")[0], ""))
        process.stdout.write(line)
    return 0


_QUERIES = {
    ("-l", "--list"): _list, ("-L", "--listfiles"): _files, ("-s", "--status"): _status, ("-S", "--search"): _owner,
    ("-W", "--show"): _show,
}  # fmt: skip
