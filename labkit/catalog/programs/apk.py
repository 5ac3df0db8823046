"""apk: add, update, del, info. Messages: apk-tools 2.14."""

from __future__ import annotations

from labkit.catalog import alpine
from labkit.catalog import entries as e
from labkit.catalog.programs.support import complain, lay, options, read_text, say
from labkit.kernel.process import Process

_CACHE = "/var/cache/apk"
_MIB = 1 << 20


def apk(process: Process) -> int:
    flags, words = options(process.argv[1:], ("-t", "--virtual", "-X", "--repository"))
    if "--version" in flags or "-V" in flags:
        say(process, "apk-tools 2.14.4, compiled for x86_64.")
        return 0
    command, names = (words[0], words[1:]) if words else ("", [])
    run = {"add": _add, "update": _update, "del": _delete, "info": _info, "upgrade": _upgrade, "list": _info}.get(
        command
    )
    if run is None:
        say(process, "apk-tools 2.14.4, compiled for x86_64.", "", "usage: apk [<OPTIONS>...] COMMAND [<ARGUMENTS>...]")
        return 1
    if command not in ("info", "list") and process.files.user.uid != 0:
        complain(
            process,
            "ERROR: Unable to lock database: Permission denied",
            "ERROR: Failed to open apk database: Permission denied",
        )
        return 99
    return run(process, flags, names)


def _installed(process: Process) -> list[str]:
    return alpine.installed(read_text(process.files, alpine.INSTALLED))


def _fetch(process: Process, flags: dict[str, str]) -> None:
    """Read the two indexes; they stay in the cache unless --no-cache is given."""
    quiet = "-q" in flags or "--quiet" in flags
    for name in ("main", "community"):
        if not quiet:
            say(process, f"fetch {alpine.MIRROR}/{name}/x86_64/APKINDEX.tar.gz")
        if "--no-cache" not in flags:
            text = "".join(alpine.stanza(package) for package in alpine.packages())
            lay(process, [e.text(f"{_CACHE}/APKINDEX.{name}.tar.gz", text)])


def _has_index(process: Process) -> bool:
    return process.files.exists(f"{_CACHE}/APKINDEX.main.tar.gz")


def _update(process: Process, flags: dict[str, str], names: list[str]) -> int:
    _fetch(process, flags)
    say(process, f"v3.20.0 [{alpine.MIRROR}/main]", f"v3.20.0 [{alpine.MIRROR}/community]")
    say(process, f"OK: {len(alpine.packages())} distinct packages available")
    return 0


def _total(process: Process, names: list[str]) -> None:
    mebibytes = round(sum(map(alpine.size_of, names)) / _MIB)
    say(process, f"OK: {mebibytes} MiB in {len(names)} packages")


def _add(process: Process, flags: dict[str, str], names: list[str]) -> int:
    if "--no-cache" in flags or "-U" in flags or "--update" in flags or not _has_index(process):
        _fetch(process, flags)
    plain = [name.split("=")[0].split("~")[0].split("<")[0].split(">")[0] for name in names]
    unknown = [name for name in plain if name not in alpine.packages()]
    if unknown:
        complain(process, "ERROR: unable to select packages:")
        for name in unknown:
            complain(process, f"  {name} (no such package):", f"    required by: world[{name}]")
        return len(unknown)
    have = _installed(process)
    order = alpine.needs(plain, have)
    lay(process, alpine.install_entries(order, have))
    world = read_text(process.files, "/etc/apk/world").split()
    process.files.write("/etc/apk/world", "".join(f"{name}\n" for name in sorted({*world, *plain})).encode())
    if not ("-q" in flags or "--quiet" in flags):
        for number, name in enumerate(order, 1):
            say(process, f"({number}/{len(order)}) Installing {name} ({alpine.packages()[name]['version']})")
        if order:
            say(process, f"Executing busybox-{alpine.packages()['busybox']['version']}.trigger")
        _total(process, [*have, *order])
    return 0


def _delete(process: Process, flags: dict[str, str], names: list[str]) -> int:
    have = _installed(process)
    world = [name for name in read_text(process.files, "/etc/apk/world").split() if name not in names]
    kept = set(alpine.needs([*alpine.base_names(), *world]))
    gone = [name for name in have if name not in kept]
    for number, name in enumerate(reversed(gone), 1):
        say(process, f"({number}/{len(gone)}) Purging {name} ({alpine.packages()[name]['version']})")
        for entry in alpine.package_entries(name):
            try:
                process.files.unlink(f"/{entry.path}")
            except OSError:
                continue
    rest = [name for name in have if name in kept]
    process.files.write(alpine.INSTALLED, "".join(map(alpine.stanza, rest)).encode())
    process.files.write("/etc/apk/world", "".join(f"{name}\n" for name in world).encode())
    if gone:
        say(process, f"Executing busybox-{alpine.packages()['busybox']['version']}.trigger")
    _total(process, rest)
    return 0


def _info(process: Process, flags: dict[str, str], names: list[str]) -> int:
    have = _installed(process)
    versions = "-v" in flags or "-vv" in flags
    for name in sorted(have):
        if not names or name in names:
            say(process, f"{name}-{alpine.packages()[name]['version']}" if versions else name)
    return 0 if not names or set(names) <= set(have) else 1


def _upgrade(process: Process, flags: dict[str, str], names: list[str]) -> int:
    _fetch(process, flags)
    _total(process, _installed(process))
    return 0
