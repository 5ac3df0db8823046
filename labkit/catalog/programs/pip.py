"""pip: install, list, freeze, show, uninstall, download's cache. Messages: pip 24 and 25. Packages: data/pypi.json."""

from __future__ import annotations

import re
from typing import TypedDict

from labkit.catalog import entries as e
from labkit.catalog.debian import ROOT_HOME
from labkit.catalog.entries import load
from labkit.catalog.programs.support import complain, lay, options, read_text, say, size_pip
from labkit.files import Entry
from labkit.kernel.process import Process


class Wheel(TypedDict, total=False):
    """A package as data/pypi.json tells it."""

    name: str
    version: str
    wheel: str  # the file's name
    size: int
    requires: list[str]
    scripts: list[str]
    unpacked: dict[str, int]  # name at the top -> bytes


class PypiRecords(TypedDict):
    packages: dict[str, Wheel]


_VERSION = "25.0.1"
_ROOT_WARNING = (
    "WARNING: Running pip as the 'root' user can result in broken permissions and conflicting behaviour with the "
    "system package manager, possibly rendering your system unusable. It is recommended to use a virtual environment "
    "instead: https://pip.pypa.io/warnings/venv. Use the --root-user-action option if you know what you are doing and "
    "want to suppress this warning."
)
_MANAGED = """\
error: externally-managed-environment

× This environment is externally managed
╰─> To install Python packages system-wide, try apt install
    python3-xyz, where xyz is the package you are trying to
    install.

note: If you believe this is a mistake, please contact your Python installation or OS distribution provider. \
You can override this, at the risk of breaking your Python installation or OS, by passing --break-system-packages.
hint: See PEP 668 for the detailed specification."""
_VALUES = (
    "-r",
    "--requirement",
    "-t",
    "--target",
    "-i",
    "--index-url",
    "--root-user-action",
    "-c",
    "--constraint",
    "--prefix",
)


def pip(process: Process) -> int:
    flags, words = options(process.argv[1:], _VALUES)
    if "--version" in flags or "-V" in flags:
        site = site_packages(process)
        say(process, f"pip {_VERSION} from {site}/pip (python {_python(site)})")
        return 0
    command, names = (words[0], words[1:]) if words else ("help", [])
    run = _COMMANDS.get(command)
    if run is None:
        complain(process, f'ERROR: unknown command "{command}"')
        return 1
    return run(process, flags, names)


def _python(site: str) -> str:
    found = re.search(r"python(3\.\d+)", site)
    return found[1] if found else "3"


def site_packages(process: Process) -> str:
    """Where this interpreter's packages are: beside the first python3 of PATH."""
    for home in (process.env.get("VIRTUAL_ENV", ""), "/usr/local"):
        if home and process.files.exists(f"{home}/bin/python3.12"):
            return f"{home}/lib/python3.12/site-packages"
    if process.files.exists("/usr/bin/python3.12"):
        return "/usr/lib/python3.12/site-packages"
    return "/usr/local/lib/python3.11/dist-packages"


def packages() -> dict[str, Wheel]:
    """The packages by their normalised names (PEP 503)."""
    known = load("pypi.json", PypiRecords)["packages"]
    return {normal(name): {**record, "name": name} for name, record in known.items()}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def installed(process: Process) -> dict[str, str]:
    """Normalised name -> version, by the .dist-info folders."""
    found = {}
    try:
        names = process.files.listdir(site_packages(process))
    except OSError:
        return {}
    for name in names:
        if name.endswith(".dist-info"):
            project, _, version = name.removesuffix(".dist-info").rpartition("-")
            found[normal(project)] = version
    return found


def _wanted(process: Process, flags: dict[str, str], names: list[str]) -> list[str] | None:
    """What is asked for, requirement files read; None where one is missing."""
    wanted = list(names)
    for flag in ("-r", "--requirement"):
        if flag not in flags:
            continue
        if not process.files.exists(flags[flag]):
            complain(
                process,
                f"ERROR: Could not open requirements file: [Errno 2] No such file or directory: '{flags[flag]}'",
            )
            return None
        lines = (line.partition("#")[0].strip() for line in read_text(process.files, flags[flag]).splitlines())
        wanted += [line for line in lines if line and not line.startswith("-")]
    return wanted


def _install(process: Process, flags: dict[str, str], names: list[str]) -> int:
    if "--target" not in flags and "-t" not in flags and _managed(process) and "--break-system-packages" not in flags:
        complain(process, *_MANAGED.split("\n"))
        return 1
    wanted = _wanted(process, flags, names)
    if wanted is None:
        return 1
    if not wanted:
        complain(process, 'ERROR: You must give at least one requirement to install (see "pip help install")')
        return 1
    have = installed(process)
    quiet = "-q" in flags or "--quiet" in flags
    order: list[str] = []
    asked = [(text, "") for text in wanted]
    for text, origin in asked:
        found = _collect(process, flags, text, origin, have, order, quiet)
        if found is None:
            return 1
        asked += found
    if order:
        backwards = list(reversed(order))
        if not quiet:
            say(process, f"Installing collected packages: {', '.join(backwards)}")
        target = flags.get("-t") or flags.get("--target") or site_packages(process)
        for name in backwards:
            lay(process, _entries(process, name, target))
        if not quiet:
            done = " ".join(f"{name}-{packages()[normal(name)]['version']}" for name in sorted(order, key=str.lower))
            say(process, f"Successfully installed {done}")
    if (
        process.files.user.uid == 0
        and flags.get("--root-user-action") != "ignore"
        and not process.env.get("PIP_ROOT_USER_ACTION")
    ):
        complain(process, _ROOT_WARNING)
    return 0


def _managed(process: Process) -> bool:
    if process.env.get("PIP_BREAK_SYSTEM_PACKAGES") or process.env.get("VIRTUAL_ENV"):
        return False
    return "dist-packages" in site_packages(process) and process.files.exists("/usr/lib/python3.11/EXTERNALLY-MANAGED")


def _collect(
    process: Process, flags: dict[str, str], text: str, origin: str, have: dict[str, str], order: list[str], quiet: bool
) -> list[tuple[str, str]] | None:
    """Fetch one requirement; what it needs in turn, or None where there is no such package."""
    match = re.match(r"([A-Za-z0-9][A-Za-z0-9._-]*)(\[[^\]]*\])?\s*(.*)", text)
    name, version = (match[1], match[3].replace(" ", "")) if match else (text, "")
    record = packages().get(normal(name))
    if record is None or not _fits(record["version"], version):
        versions = record["version"] if record else "none"
        complain(
            process,
            f"ERROR: Could not find a version that satisfies the requirement {text} (from versions: {versions})",
            f"ERROR: No matching distribution found for {text}",
        )
        return None
    if normal(name) in map(normal, order):
        return []
    if normal(name) in have:
        if not quiet:
            say(process, f"Requirement already satisfied: {text} in {site_packages(process)} ({have[normal(name)]})")
        return []
    if not quiet:
        say(process, f"Collecting {text}{f' (from {origin})' if origin else ''}")
        verb = "Using cached" if _cached(process, flags, record) else "Downloading"
        say(process, f"  {verb} {record['wheel']} ({size_pip(record['size'])})")
    _keep(process, flags, record)
    order.append(name)
    return [(other, name) for other in record["requires"]]


def _fits(have: str, wanted: str) -> bool:
    """Whether a version satisfies `==1,<2` and the like; `~=` and `>=` by their numbers."""
    for clause in filter(None, wanted.partition(";")[0].split(",")):
        match = re.match(r"(===?|~=|>=|<=|!=|>|<)(.+)", clause)
        if match and not _compare(match[1], _numbers(have), _numbers(match[2].rstrip(".*"))):
            return False
    return True


def _compare(sign: str, have: list[int], want: list[int]) -> bool:
    short = have[: len(want)]
    return {
        "==": short == want, "===": have == want, "!=": short != want, ">=": have >= want, "<=": short <= want,
        ">": have > want, "<": have < want, "~=": have >= want and have[: len(want) - 1] == want[:-1],
    }[sign]  # fmt: skip


def _numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)]


def _cache_path(process: Process, record: Wheel) -> str:
    return f"{process.env.get('HOME', ROOT_HOME)}/.cache/pip/http-v2/{record['wheel']}.body"


def _no_cache(process: Process, flags: dict[str, str]) -> bool:
    return "--no-cache-dir" in flags or bool(process.env.get("PIP_NO_CACHE_DIR"))


def _cached(process: Process, flags: dict[str, str], record: Wheel) -> bool:
    return not _no_cache(process, flags) and process.files.exists(_cache_path(process, record))


def _keep(process: Process, flags: dict[str, str], record: Wheel) -> None:
    if not _no_cache(process, flags) and not _cached(process, flags, record):
        lay(process, [e.filler(_cache_path(process, record), record["size"])])


def _entries(process: Process, name: str, site: str) -> list[Entry]:
    """The files of a package: of each top-level name only the sum is known, so it is one file."""
    record = packages()[normal(name)]
    scripts = [
        e.program(f"{_bin(site)}/{script}", script if script in ("flask", "gunicorn") else "gnu:pip-script", 0)
        for script in record.get("scripts", ())
    ]
    files = []
    for top, size in record["unpacked"].items():
        if top.endswith(".dist-info"):
            folder = f"{site}/{record['name'].replace('-', '_').lower()}-{record['version']}.dist-info"
            head = f"Metadata-Version: 2.4\nName: {record['name']}\nVersion: {record['version']}\n"
            files += [e.text(f"{folder}/METADATA", head), e.filler(f"{folder}/RECORD", max(0, size - len(head)))]
        elif "." in top and not top.endswith(".libs"):
            files.append(e.filler(f"{site}/{top}", size))
        else:
            files.append(e.filler(f"{site}/{top}/__init__.py", size))
    return [*files, *scripts]


def _bin(site: str) -> str:
    found = re.match(r"(.*)/lib/python3", site)
    return f"{found[1]}/bin" if found else "/usr/local/bin"


def _list(process: Process, flags: dict[str, str], names: list[str]) -> int:
    have = {_name(name): version for name, version in installed(process).items()} | {"pip": _VERSION}
    width = max(7, *(len(name) for name in have))
    say(process, f"{'Package':{width}} Version", f"{'-' * width} {'-' * max(7, *map(len, have.values()))}")
    say(process, *(f"{name:{width}} {have[name]}" for name in sorted(have, key=str.lower)))
    return 0


def _name(normalised: str) -> str:
    return str(packages().get(normalised, {"name": normalised})["name"])


def _freeze(process: Process, flags: dict[str, str], names: list[str]) -> int:
    have = installed(process)
    say(process, *(f"{_name(name)}=={have[name]}" for name in sorted(have)))
    return 0


def _show(process: Process, flags: dict[str, str], names: list[str]) -> int:
    have = installed(process)
    for name in names:
        if normal(name) not in have:
            complain(process, f"WARNING: Package(s) not found: {name}")
            return 1
        needs = ", ".join(packages()[normal(name)]["requires"])
        say(
            process,
            f"Name: {_name(normal(name))}",
            f"Version: {have[normal(name)]}",
            f"Location: {site_packages(process)}",
            f"Requires: {needs}",
        )
    return 0


def _uninstall(process: Process, flags: dict[str, str], names: list[str]) -> int:
    have, site = installed(process), site_packages(process)
    for name in names:
        if normal(name) not in have:
            complain(process, f"WARNING: Skipping {name} as it is not installed.")
            continue
        version = have[normal(name)]
        say(
            process,
            f"Found existing installation: {_name(normal(name))} {version}",
            f"Uninstalling {_name(normal(name))}-{version}:",
        )
        for entry in _entries(process, name, site):
            process.files.unlink(f"/{entry.path}") if process.files.exists(f"/{entry.path}") else None
        for folder in {f"/{entry.path.rpartition('/')[0]}" for entry in _entries(process, name, site)}:
            if (
                folder != site
                and folder.startswith(site)
                and process.files.is_dir(folder)
                and not process.files.listdir(folder)
            ):
                process.files.rmdir(folder)
        say(process, f"  Successfully uninstalled {_name(normal(name))}-{version}")
    return 0


def _cache(process: Process, flags: dict[str, str], names: list[str]) -> int:
    folder = f"{process.env.get('HOME', ROOT_HOME)}/.cache/pip"
    if names[:1] == ["dir"]:
        say(process, folder)
    elif names[:1] == ["purge"]:
        count = len(process.files.listdir(f"{folder}/http-v2")) if process.files.is_dir(f"{folder}/http-v2") else 0
        if count:
            process.files.rmtree(f"{folder}/http-v2")
        say(process, f"Files removed: {count}")
    return 0


def _check(process: Process, flags: dict[str, str], names: list[str]) -> int:
    say(process, "No broken requirements found.")
    return 0


def _help(process: Process, flags: dict[str, str], names: list[str]) -> int:
    say(process, "", "Usage:   ", "  pip <command> [options]")
    return 0


_COMMANDS = {
    "install": _install, "list": _list, "freeze": _freeze, "show": _show, "uninstall": _uninstall, "cache": _cache,
    "check": _check, "help": _help,
}  # fmt: skip
