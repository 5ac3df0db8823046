"""Debian 12: the files of its packages, its base system, and what dpkg knows of what is installed.

data/debian.json has each package's version, Installed-Size and archive size as `apt-cache show` gives them, the
executables of base packages with their real sizes, and what a package needs. Of the rest of a package's files only the
sum is known (Installed-Size), so it is one file of that size.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import TypedDict

from labkit.catalog import entries as e
from labkit.catalog.entries import load
from labkit.files import Entry


class Package(TypedDict, total=False):
    """A package as data/debian.json tells it. A size is in bytes, `installed` in KiB."""

    version: str
    arch: str
    size: int
    installed: int
    depends: list[str]
    recommends: list[str]
    files: dict[str, int | str | tuple[int, str]]  # an executable's size, size and mode, or "-> target"
    links: dict[str, str]
    programs: list[str]  # executables of unknown sizes


class DebianRecords(TypedDict):
    base: dict[str, Package]
    packages: dict[str, Package]


KIB = 1024
STATUS, INFO, LISTS = "/var/lib/dpkg/status", "/var/lib/dpkg/info", "/var/lib/apt/lists"
SHELLS = {"/usr/bin/bash": "bash", "/usr/bin/dash": "dash"}

# Programs that are known by another name than their file's, in whatever package they come.
PROGRAM_NAMES = {
    "/usr/bin/python3.11": "python", "/usr/bin/pip": "pip", "/usr/bin/pip3": "pip", "/usr/bin/node": "node",
    "/usr/sbin/nginx": "nginx", "/usr/sbin/mariadbd": "mysqld", "/usr/bin/mariadb": "mysql", "/usr/bin/psql": "psql",
    "/usr/bin/postgres": "postgres", "/usr/bin/redis-server": "redis-server", "/usr/bin/redis-cli": "redis-cli",
    "/usr/bin/apt-get": "apt-get", "/usr/bin/apt": "apt-get", "/usr/bin/apt-cache": "apt-cache",
    "/usr/bin/apt-mark": "apt-mark", "/usr/bin/dpkg": "dpkg", "/usr/bin/dpkg-query": "dpkg-query",
    "/usr/bin/which.debianutils": "gnu:which", "/usr/bin/curl": "curl", "/usr/bin/docker": "docker",
    "/usr/bin/busybox": "busybox",
}  # fmt: skip

# What base packages hold besides executables and that people look at.
ROOT_HOME = "/root"
_PASSWD = """\
root:x:0:0:root:/root:/bin/bash
daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
bin:x:2:2:bin:/bin:/usr/sbin/nologin
sys:x:3:3:sys:/dev:/usr/sbin/nologin
sync:x:4:65534:sync:/bin:/bin/sync
games:x:5:60:games:/usr/games:/usr/sbin/nologin
man:x:6:12:man:/var/cache/man:/usr/sbin/nologin
lp:x:7:7:lp:/var/spool/lpd:/usr/sbin/nologin
mail:x:8:8:mail:/var/mail:/usr/sbin/nologin
news:x:9:9:news:/var/spool/news:/usr/sbin/nologin
uucp:x:10:10:uucp:/var/spool/uucp:/usr/sbin/nologin
proxy:x:13:13:proxy:/bin:/usr/sbin/nologin
www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin
backup:x:34:34:backup:/var/backups:/usr/sbin/nologin
list:x:38:38:Mailing List Manager:/var/list:/usr/sbin/nologin
irc:x:39:39:ircd:/run/ircd:/usr/sbin/nologin
_apt:x:42:65534::/nonexistent:/usr/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
"""
_GROUPS = (
    "root:0 daemon:1 bin:2 sys:3 adm:4 tty:5 disk:6 lp:7 mail:8 news:9 uucp:10 man:12 proxy:13 kmem:15 dialout:20 "
    "fax:21 voice:22 cdrom:24 floppy:25 tape:26 sudo:27 audio:29 dip:30 www-data:33 backup:34 operator:37 list:38 "
    "irc:39 src:40 shadow:42 utmp:43 video:44 sasl:45 plugdev:46 staff:50 games:60 users:100 nogroup:65534"
)
OS_RELEASE = """\
PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
NAME="Debian GNU/Linux"
VERSION_ID="12"
VERSION="12 (bookworm)"
VERSION_CODENAME=bookworm
ID=debian
HOME_URL="https://www.debian.org/"
SUPPORT_URL="https://www.debian.org/support"
BUG_REPORT_URL="https://bugs.debian.org/"
"""
_FOLDERS = [
    "boot",
    "dev",
    "etc",
    "etc/apt",
    "etc/apt/apt.conf.d",
    "etc/apt/sources.list.d",
    "etc/default",
    "etc/init.d",
    "etc/skel",
    "home",
    "media",
    "mnt",
    "opt",
    "proc",
    "root",
    "run",
    "srv",
    "sys",
    "tmp",
    "usr",
    "usr/bin",
    "usr/games",
    "usr/include",
    "usr/lib",
    "usr/lib64",
    "usr/lib/x86_64-linux-gnu",
    "usr/local",
    "usr/local/bin",
    "usr/local/etc",
    "usr/local/games",
    "usr/local/include",
    "usr/local/lib",
    "usr/local/sbin",
    "usr/local/share",
    "usr/sbin",
    "usr/share",
    "usr/src",
    "var",
    "var/backups",
    "var/cache",
    "var/cache/apt",
    "var/cache/apt/archives",
    "var/cache/apt/archives/partial",
    "var/lib",
    "var/lib/apt",
    "var/lib/apt/lists",
    "var/lib/apt/lists/partial",
    "var/lib/dpkg",
    "var/lib/dpkg/info",
    "var/lib/dpkg/updates",
    "var/local",
    "var/log",
    "var/log/apt",
    "var/mail",
    "var/opt",
    "var/spool",
    "var/tmp",
]
_MODES = {"tmp": 0o1777, "var/tmp": 0o1777, "root": 0o700, "var/local": 0o2775, "var/mail": 0o2775}


def packages() -> dict[str, Package]:
    """Every package that can be installed, by name."""
    return load("debian.json", DebianRecords)["packages"]


def base_packages() -> dict[str, Package]:
    """What a minimal system has: packages that are essential or required, and apt."""
    return load("debian.json", DebianRecords)["base"]


def describe(name: str) -> Package | None:
    return packages().get(name) or base_packages().get(name)


def needs(names: Iterable[str], *, recommends: bool = True, installed: Iterable[str] = ()) -> list[str]:
    """These packages and all that they need and (as apt does by default) recommend, what is needed first."""
    known, have = packages(), set(installed)
    order: dict[str, None] = {}
    begun: set[str] = set()

    def visit(name: str) -> None:
        if name in begun or name in have or name not in known:
            return
        begun.add(name)
        record = known[name]
        for other in record.get("depends", ()):
            visit(other)
        order[name] = None
        for other in record.get("recommends", ()) if recommends else ():
            visit(other)

    for name in names:
        visit(name)
    return list(order)


@cache
def package_entries(name: str) -> tuple[Entry, ...]:
    """The files of one package; their bytes are its Installed-Size."""
    record = describe(name) or {}
    total = record["installed"] * KIB
    files = [_executable(path, about) for path, about in record.get("files", {}).items()]
    files += [e.link(path, target.removeprefix("-> ")) for path, target in record.get("links", {}).items()]
    files += _extra_files(name, record)
    unsized = record.get("programs", ())
    rest = max(0, total - e.size(files))
    share = rest // (len(unsized) or 1)
    files += [e.program(path, _program_name(path), max(share, 64)) for path in unsized]
    left = total - e.size(files)
    if left > 0:
        files.append(e.filler(_rest_path(name), left))
    return tuple(files)


def _executable(path: str, about: int | str | tuple[int, str]) -> Entry:
    if isinstance(about, str):
        return e.link(path, about.removeprefix("-> "))
    size, mode = (about, 0o755) if isinstance(about, int) else (about[0], int(about[1], 8))
    return e.program(path, _program_name(path), size, mode)


def _program_name(path: str) -> str:
    return PROGRAM_NAMES.get(path) or SHELLS.get(path) or f"gnu:{path.rpartition('/')[2]}"


def _rest_path(name: str) -> str:
    """Where the one file stands that is all of a package but its executables."""
    if name.endswith("-dev"):
        return f"/usr/include/{name}.h"
    if re.match(r"(lib)?python3(\.11)?($|-)", name):
        return f"/usr/lib/python3/{name}"
    if name.startswith("lib"):
        return f"/usr/lib/x86_64-linux-gnu/{name}.so"
    return f"/usr/share/{name}/{name}.data"


def _extra_files(name: str, record: Package) -> list[Entry]:
    """Small files of some packages that lessons look at."""
    if name == "libpython3.11-stdlib":
        return [
            e.text(
                "/usr/lib/python3.11/EXTERNALLY-MANAGED", "[externally-managed]\nError=Use apt to install packages.\n"
            )
        ]
    if name == "nginx-common":
        page = "<!DOCTYPE html>\n<html>\n<body>\n<h1>Welcome to nginx!</h1>\n</body>\n</html>\n"
        return [
            e.text("/var/www/html/index.nginx-debian.html", page),
            e.text("/etc/nginx/nginx.conf", "user www-data;\nworker_processes auto;\n"),
            e.folder("/var/log/nginx"),
        ]
    return []


def stanza(name: str) -> str:
    """A package's paragraph of dpkg's status file."""
    record = describe(name) or {}
    return (
        f"Package: {name}\nStatus: install ok installed\nInstalled-Size: {record['installed']}\n"
        f"Architecture: {record['arch']}\nVersion: {record['version']}\n\n"
    )


def info_list(name: str) -> str:
    """Which files are a package's: /var/lib/dpkg/info/NAME.list."""
    return "".join(f"/{entry.path}\n" for entry in package_entries(name))


def installed(status: str) -> list[str]:
    """The packages of a status file."""
    return re.findall(r"^Package: (.+)$", status, re.MULTILINE)


def install_entries(names: Iterable[str], before: Iterable[str] = ()) -> tuple[Entry, ...]:
    """All files of these packages, and dpkg's memory of them and of those that were there before."""
    names = list(names)
    return e.once([*_files_of(names), e.text(STATUS, "".join(map(stanza, sorted({*before, *names}))))])


def _files_of(names: Iterable[str]) -> Iterator[Entry]:
    for name in names:
        yield from package_entries(name)
        yield e.text(f"{INFO}/{name}.list", info_list(name))


def account_files(passwd: str = _PASSWD, groups: str = _GROUPS) -> list[Entry]:
    lines = [f"{name}:x:{gid}:\n" for name, gid in (group.split(":") for group in groups.split())]
    shadow = "".join(f"{line.split(':')[0]}:*:20454:0:99999:7:::\n" for line in passwd.splitlines())
    return [
        e.text("/etc/passwd", passwd),
        e.text("/etc/group", "".join(lines)),
        e.text("/etc/shadow", shadow, 0o640, gid=42),
    ]


@cache
def base_entries(os_release: str = OS_RELEASE, version: str = "12.15", host: str = "debian") -> tuple[Entry, ...]:
    """The root of a minimal system: what an image of Debian consists of."""
    return e.once([
        *(e.folder(path, _MODES.get(path, 0o755)) for path in _FOLDERS),
        *(e.link(name, f"usr/{name}") for name in ("bin", "lib", "lib64", "sbin")),
        *account_files(),
        e.text("/etc/debian_version", f"{version}\n"),
        e.text("/usr/lib/os-release", os_release),
        e.link("/etc/os-release", "../usr/lib/os-release"),
        e.text("/etc/hostname", f"{host}\n"),
        e.text("/etc/issue", f"{_name_of(os_release)} \\n \\l\n\n"),
        e.text("/etc/shells", "/bin/sh\n/usr/bin/sh\n/bin/bash\n/usr/bin/bash\n/bin/dash\n/usr/bin/dash\n"),
        e.text("/etc/nsswitch.conf", "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n"),
        e.text("/etc/ld.so.conf", "include /etc/ld.so.conf.d/*.conf\n"),
        e.text("/etc/apt/sources.list.d/debian.sources", SOURCES),
        e.text("/etc/apt/apt.conf.d/docker-clean", DOCKER_CLEAN),
        e.text(f"{ROOT_HOME}/.bashrc", "# ~/.bashrc: executed by bash(1) for non-login shells.\n"),
        e.text(f"{ROOT_HOME}/.profile", "# ~/.profile: executed by Bourne-compatible login shells.\n"),
        e.link("/var/run", "/run"),
        e.link("/var/lock", "/run/lock"),
        e.folder("/run/lock", 0o1777),
        *install_entries(base_packages()),
    ])  # fmt: skip


def _name_of(os_release: str) -> str:
    found = re.search(r'PRETTY_NAME="([^"]*)"', os_release)
    return found[1] if found else "Linux"


MIRROR = "http://mirror.catalog/debian"  # the simulated registry's; nothing is asked anywhere
SOURCES = f"""\
Types: deb
URIs: {MIRROR}
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
"""
DOCKER_CLEAN = """\
DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/*.bin || true"; };
APT::Update::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/*.bin || true"; };
Dir::Cache::pkgcache ""; Dir::Cache::srcpkgcache "";
"""

# What apt-get update fetches: its name in the output, bytes fetched, bytes on the disk, file below /var/lib/apt/lists.
# Measured: the index files of Debian 12 on 24 November 2026.
_DISTS = "mirror.catalog_debian_dists"
INDEXES = (
    ("bookworm InRelease", 151_075, 151_075, f"{_DISTS}_bookworm_InRelease"),
    ("bookworm-updates InRelease", 55_403, 55_403, f"{_DISTS}_bookworm-updates_InRelease"),
    ("bookworm/main amd64 Packages", 8_790_396, 18_840_233, f"{_DISTS}_bookworm_main_binary-amd64_Packages.lz4"),
    (
        "bookworm-updates/main amd64 Packages",
        6_924,
        11_648,
        f"{_DISTS}_bookworm-updates_main_binary-amd64_Packages.lz4",
    ),
)
