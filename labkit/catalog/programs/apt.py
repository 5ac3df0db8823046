"""apt-get, apt, apt-cache, apt-mark, dpkg, dpkg-query: what they print and leave behind. Messages: apt 2.6."""

from __future__ import annotations

import os
import re

from labkit.catalog import debian
from labkit.catalog import entries as e
from labkit.catalog.programs.support import append, complain, lay, options, read_text, say, size_apt, timestamp
from labkit.files.errno import EACCES
from labkit.kernel.process import Process

_READING = ("Reading package lists...", "Building dependency tree...", "Reading state information...")
_WARNING = ("", "WARNING: apt does not have a stable CLI interface. Use with caution in scripts.", "")
_FAILED = 100
_VALUES = ("-o", "-t", "-c", "--option", "--target-release")


def apt_get(process: Process) -> int:
    flags, words = options(process.argv[1:], _VALUES)
    tool = os.path.basename(process.argv[0])
    if "--version" in flags or "-v" in flags:
        say(process, "apt 2.6.1 (amd64)")
        return 0
    if tool == "apt" and not process.tty:
        complain(process, *_WARNING)
    command, names = (words[0], words[1:]) if words else ("help", [])
    run = _COMMANDS.get(command)
    if run is None:
        complain(process, f"E: Invalid operation {command}")
        return _FAILED
    return run(process, flags, names)


def _quiet(flags: dict[str, str]) -> int:
    """How quiet: 2 prints errors only."""
    return 2 if "-qq" in flags or ("-q" in flags and flags["-q"] == "2") else int("-q" in flags or "--quiet" in flags)


def _locked(process: Process, folder: str) -> bool:
    """Whether someone else than root asks."""
    if process.files.user.uid == 0:
        return False
    lock = f"{folder}/lock" if folder == debian.LISTS else "/var/lib/dpkg/lock-frontend"
    complain(process, f"E: Could not open lock file {lock} - open ({EACCES}: Permission denied)")
    if folder == debian.LISTS:
        complain(process, f"E: Unable to lock directory {folder}/")
    else:
        complain(process, f"E: Unable to acquire the dpkg frontend lock ({lock}), are you root?")
    return True


def _update(process: Process, flags: dict[str, str], names: list[str]) -> int:
    if _locked(process, debian.LISTS):
        return _FAILED
    total = sum(fetched for _, fetched, _, _ in debian.INDEXES)
    files = process.files
    files.makedirs(f"{debian.LISTS}/partial")
    files.write(f"{debian.LISTS}/lock", b"")
    files.chmod(f"{debian.LISTS}/lock", 0o640)
    lay(process, [e.filler(f"{debian.LISTS}/{name}", kept) for _, _, kept, name in debian.INDEXES])
    if "-qq" not in flags and _quiet(flags) < 2:
        for number, (what, fetched, _, _) in enumerate(debian.INDEXES, 1):
            say(process, f"Get:{number} {debian.MIRROR} {what} [{size_apt(fetched)}B]")
        say(process, f"Fetched {size_apt(total)}B in 1s ({size_apt(total)}B/s)", _READING[0])
        if os.path.basename(process.argv[0]) == "apt":
            say(process, *_READING[1:], "All packages are up to date.")
    return 0


def has_lists(process: Process) -> bool:
    """Whether apt-get update has left lists behind."""
    return any(name.endswith("Packages.lz4") for name in _listdir(process, debian.LISTS))


def _listdir(process: Process, path: str) -> list[str]:
    try:
        return process.files.listdir(path)
    except OSError:
        return []


def _installed(process: Process) -> list[str]:
    return debian.installed(read_text(process.files, debian.STATUS))


def _install(process: Process, flags: dict[str, str], names: list[str]) -> int:
    if _locked(process, ""):
        return _FAILED
    quiet = _quiet(flags) >= 2
    have = _installed(process)
    if not quiet:
        say(process, *_READING)
    known = debian.packages() if has_lists(process) else {}
    unknown = [name for name in names if _plain(name) not in known and _plain(name) not in have]
    if unknown:
        complain(process, *(f"E: Unable to locate package {name}" for name in unknown))
        return _FAILED
    for name in map(_plain, names):
        if name in have and not quiet:
            say(process, f"{name} is already the newest version ({(debian.describe(name) or {})['version']}).")
    wanted = [name for name in map(_plain, names) if name not in have]
    recommends = "--no-install-recommends" not in flags and not _is_false(flags)
    order = debian.needs(wanted, recommends=recommends, installed=have)
    if not quiet:
        _say_plan(process, wanted, order)
    if not order:
        return 0
    if len(order) > len(wanted) and not _agreed(process, flags):
        say(process, "Abort.")
        return 1
    _unpack(process, order, have, quiet)
    return 0


def _plain(name: str) -> str:
    """A package's name without the version or the release that was asked for."""
    return name.split("=")[0].split("/")[0].split(":")[0]


def _is_false(flags: dict[str, str]) -> bool:
    chosen = flags.get("-o", "") + flags.get("--option", "")
    return "Install-Recommends" in chosen and chosen.rpartition("=")[2].lower() in ("0", "false", "no")


def _agreed(process: Process, flags: dict[str, str]) -> bool:
    if {"-y", "--yes", "--assume-yes"} & flags.keys():
        return True
    process.stdout.write("Do you want to continue? [Y/n] ")
    answer = process.stdin.readline().decode("utf-8", "replace")
    return bool(answer) and answer.strip().lower() in ("", "y", "yes")


def _wrapped(names: list[str], width: int = 80) -> list[str]:
    """Names in lines that begin with two blanks."""
    lines, line = [], " "
    for name in names:
        if len(line) + 1 + len(name) > width and line.strip():
            lines.append(line)
            line = " "
        line += f" {name}"
    return [*lines, line] if line.strip() else lines


def _say_plan(process: Process, wanted: list[str], order: list[str]) -> None:
    extra = sorted(set(order) - set(wanted))
    if extra:
        say(process, "The following additional packages will be installed:", *_wrapped(extra))
    if order:
        say(process, "The following NEW packages will be installed:", *_wrapped(sorted(order)))
    say(process, f"0 upgraded, {len(order)} newly installed, 0 to remove and 0 not upgraded.")
    if order:
        records = [debian.packages()[name] for name in order]
        say(process, f"Need to get {size_apt(sum(record['size'] for record in records))}B of archives.")
        used = sum(record["installed"] for record in records) * debian.KIB
        say(process, f"After this operation, {size_apt(used)}B of additional disk space will be used.")


def _unpack(process: Process, order: list[str], have: list[str], quiet: bool) -> None:
    records = debian.packages()
    fetched = sum(records[name]["size"] for name in order)
    if not quiet:
        for number, name in enumerate(order, 1):
            about = records[name]
            what = f"{name} {about['arch']} {about['version']} [{size_apt(about['size'])}B]"
            say(process, f"Get:{number} {debian.MIRROR} bookworm/main amd64 {what}")
        say(process, f"Fetched {size_apt(fetched)}B in 1s ({size_apt(fetched)}B/s)")
    if "perl" not in have and _non_interactive(process):
        complain(process, "debconf: delaying package configuration, since apt-utils is not installed")
    if not quiet:
        count = sum(len(debian.package_entries(name)) for name in have)
        for number, name in enumerate(order):
            version = records[name]["version"]
            say(process, f"Selecting previously unselected package {name}.")
            if number == 0:
                say(process, f"(Reading database ... {count} files and directories currently installed.)")
            archive = f"{name}_{version.replace(':', '%3a')}_{records[name]['arch']}.deb"
            say(process, f"Preparing to unpack .../{archive} ...", f"Unpacking {name} ({version}) ...")
        say(process, *(f"Setting up {name} ({records[name]['version']}) ..." for name in order))
        if any(name.startswith("lib") for name in order):
            say(process, f"Processing triggers for libc-bin ({debian.base_packages()['libc-bin']['version']}) ...")
    entries = debian.install_entries(order, have)
    if 'VERSION_ID="22.04"' in read_text(process.files, "/etc/os-release"):  # Python 3.10 there is not managed so
        entries = tuple(entry for entry in entries if not entry.path.endswith("EXTERNALLY-MANAGED"))
    lay(process, entries)
    stamp = timestamp(process, "%Y-%m-%d %H:%M:%S")
    logged = (f"{stamp} status installed {name}:{records[name]['arch']} {records[name]['version']}\n" for name in order)
    append(process.files, "/var/log/dpkg.log", "".join(logged))
    append(
        process.files,
        "/var/log/apt/history.log",
        f"\nStart-Date: {stamp}\nCommandline: {' '.join(process.argv)}\nEnd-Date: {stamp}\n",
    )


def _non_interactive(process: Process) -> bool:
    return process.env.get("DEBIAN_FRONTEND") == "noninteractive" or not process.tty


def _remove(process: Process, flags: dict[str, str], names: list[str]) -> int:
    if _locked(process, ""):
        return _FAILED
    have = _installed(process)
    say(process, *_READING)
    unknown = [name for name in names if name not in have and name not in debian.packages()]
    if unknown:
        complain(process, *(f"E: Unable to locate package {name}" for name in unknown))
        return _FAILED
    for name in names:
        if name not in have:
            say(process, f"Package '{name}' is not installed, so not removed")
    gone = [name for name in have if name in names or _needs_any(name, names)]
    if gone:
        star = "*" if "--purge" in flags else ""
        say(process, "The following packages will be REMOVED:", *_wrapped([name + star for name in sorted(gone)]))
    say(process, f"0 upgraded, 0 newly installed, {len(gone)} to remove and 0 not upgraded.")
    if not gone:
        return 0
    freed = sum((debian.describe(name) or {})["installed"] for name in gone) * debian.KIB
    say(process, f"After this operation, {size_apt(freed)}B disk space will be freed.")
    if not _agreed(process, flags):
        say(process, "Abort.")
        return 1
    for name in gone:
        say(process, f"Removing {name} ({(debian.describe(name) or {})['version']}) ...")
        _erase(process, name)
    process.files.write(debian.STATUS, "".join(debian.stanza(name) for name in have if name not in gone).encode())
    return 0


def _needs_any(name: str, others: list[str]) -> bool:
    return any(other in debian.needs([name], recommends=False) for other in others)


def _erase(process: Process, name: str) -> None:
    for path in [*read_text(process.files, f"{debian.INFO}/{name}.list").splitlines(), f"{debian.INFO}/{name}.list"]:
        try:
            process.files.unlink(path)
        except OSError:
            continue


def _purge(process: Process, flags: dict[str, str], names: list[str]) -> int:
    return _remove(process, {**flags, "--purge": ""}, names)


def _nothing_to_do(process: Process, flags: dict[str, str], names: list[str]) -> int:
    if _locked(process, ""):
        return _FAILED
    if "-qq" not in flags:
        say(process, *_READING)
        if os.path.basename(process.argv[0]) != "apt":
            say(process, "Calculating upgrade...") if process.argv[1:2] != ["autoremove"] else None
        say(process, "0 upgraded, 0 newly installed, 0 to remove and 0 not upgraded.")
    return 0


def _clean(process: Process, flags: dict[str, str], names: list[str]) -> int:
    folder = "/var/cache/apt/archives"
    for name in _listdir(process, folder):
        if name.endswith(".deb"):
            process.files.unlink(f"{folder}/{name}")
    return 0


def _list(process: Process, flags: dict[str, str], names: list[str]) -> int:
    say(process, "Listing...")
    have = set(_installed(process))
    for name in sorted(have if "--installed" in flags else have | set(debian.packages() if has_lists(process) else ())):
        if names and name not in names:
            continue
        about = debian.describe(name) or {}
        mark = " [installed]" if name in have else ""
        say(process, f"{name}/stable{',now' if mark else ''} {about['version']} {about['arch']}{mark}")
    return 0


def _help(process: Process, flags: dict[str, str], names: list[str]) -> int:
    say(process, "apt 2.6.1 (amd64)", f"Usage: {os.path.basename(process.argv[0])} [options] command")
    return 0


_COMMANDS = {
    "update": _update, "install": _install, "remove": _remove, "purge": _purge, "upgrade": _nothing_to_do,
    "dist-upgrade": _nothing_to_do, "full-upgrade": _nothing_to_do, "autoremove": _nothing_to_do, "clean": _clean,
    "autoclean": _clean, "list": _list, "help": _help, "search": lambda p, f, n: _search(p, n),
    "show": lambda p, f, n: _show(p, n),
}  # fmt: skip


def apt_cache(process: Process) -> int:
    _, words = options(process.argv[1:], _VALUES)
    run = {"search": _search, "show": _show, "policy": _policy}.get(words[0] if words else "")
    if run is None:
        complain(process, f"E: Invalid operation {words[0] if words else ''}")
        return _FAILED
    return run(process, words[1:])


def _search(process: Process, words: list[str]) -> int:
    known = debian.packages() if has_lists(process) else {}
    say(process, *(name for name in sorted(known) if all(word in name for word in words)))
    return 0


def _show(process: Process, words: list[str]) -> int:
    known = debian.packages() if has_lists(process) else {}
    for name in words:
        about = known.get(name) or debian.base_packages().get(name)
        if about is None:
            complain(process, "E: No packages found")
            return _FAILED
        lines = [f"Package: {name}", f"Version: {about['version']}", f"Installed-Size: {about['installed']}"]
        needs = [f"Depends: {', '.join(about['depends'])}"] if "depends" in about else []
        size = [f"Size: {about['size']}"] if "size" in about else []
        say(process, *lines, *needs, f"Architecture: {about['arch']}", *size, "")
    return 0


def _policy(process: Process, words: list[str]) -> int:
    have = _installed(process)
    for name in words:
        about = debian.describe(name)
        if about:
            version = about["version"]
            say(process, f"{name}:", f"  Installed: {version if name in have else '(none)'}", f"  Candidate: {version}")
    return 0


def apt_mark(process: Process) -> int:
    _, words = options(process.argv[1:], _VALUES)
    if words[:1] == ["showmanual"]:
        say(process, *sorted(_installed(process)))
    elif words[:1] in (["hold"], ["manual"], ["auto"]):
        done = {
            "hold": "set on hold.",
            "manual": "set to manually installed.",
            "auto": "set to automatically installed.",
        }
        say(process, *(f"{name} {done[words[0]]}" for name in words[1:]))
    return 0


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


def _list_packages(process: Process, names: list[str], flags: dict[str, str]) -> int:
    have = [name for name in sorted(_installed(process)) if not names or name in names]
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
    have = sorted(_installed(process))
    for name in names:
        if name not in have:
            complain(process, f"dpkg-query: package '{name}' is not installed and no information is available")
            return 1
        process.stdout.write(debian.stanza(name))
    return 0


def _owner(process: Process, paths: list[str], flags: dict[str, str]) -> int:
    status = 0
    for path in paths:
        owners = [name for name in sorted(_installed(process)) if f"{path}\n" in debian.info_list(name)]
        if owners:
            say(process, f"{', '.join(owners)}: {path}")
        else:
            complain(process, f"dpkg-query: no path found matching pattern {path}")
            status = 1
    return status


def _show_fields(process: Process, names: list[str], flags: dict[str, str]) -> int:
    pattern = flags.get("-f") or flags.get("--showformat") or "${Package}\\t${Version}\\n"
    have = sorted(_installed(process))
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
    ("-l", "--list"): _list_packages, ("-L", "--listfiles"): _files, ("-s", "--status"): _status,
    ("-S", "--search"): _owner, ("-W", "--show"): _show_fields,
}  # fmt: skip
