"""Alpine 3.20: busybox with its links, musl, apk and its memory of what is installed.

No index of Alpine's is at hand; the sizes are Debian's Installed-Size of the same parts (data/alpine.toml).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import TypedDict

from labkit.catalog import debian
from labkit.catalog import entries as e
from labkit.catalog.entries import BusyboxRecord, load
from labkit.files import Entry


class ApkPackage(TypedDict, total=False):
    """A package as data/alpine.toml tells it."""

    version: str
    depends: list[str]
    parts: list[str]  # the Debian packages whose sizes it has
    programs: dict[str, str]  # path -> program
    links: dict[str, str]


class AlpineRecords(TypedDict):
    base: list[str]
    package: dict[str, ApkPackage]


INSTALLED = "/lib/apk/db/installed"
OS_RELEASE = """\
NAME="Alpine Linux"
ID=alpine
VERSION_ID=3.20.0
PRETTY_NAME="Alpine Linux v3.20"
HOME_URL="https://alpinelinux.org/"
BUG_REPORT_URL="https://gitlab.alpinelinux.org/alpine/aports/-/issues"
"""
MIRROR = "http://mirror.catalog/alpine/v3.20"
_FOLDERS = [
    "bin",
    "dev",
    "etc",
    "etc/apk",
    "home",
    "lib",
    "lib/apk",
    "lib/apk/db",
    "media",
    "mnt",
    "opt",
    "proc",
    "root",
    "run",
    "sbin",
    "srv",
    "sys",
    "tmp",
    "usr",
    "usr/bin",
    "usr/lib",
    "usr/local",
    "usr/local/bin",
    "usr/sbin",
    "usr/share",
    "var",
    "var/cache",
    "var/cache/apk",
    "var/lib",
    "var/local",
    "var/log",
    "var/mail",
    "var/opt",
    "var/spool",
    "var/tmp",
]
_PASSWD = """\
root:x:0:0:root:/root:/bin/sh
bin:x:1:1:bin:/bin:/sbin/nologin
daemon:x:2:2:daemon:/sbin:/sbin/nologin
lp:x:4:7:lp:/var/spool/lpd:/sbin/nologin
sync:x:5:0:sync:/sbin:/bin/sync
mail:x:8:12:mail:/var/mail:/sbin/nologin
ftp:x:21:21::/var/lib/ftp:/sbin/nologin
guest:x:405:100:guest:/dev/null:/sbin/nologin
nobody:x:65534:65534:nobody:/:/sbin/nologin
"""
_GROUPS = (
    "root:0 bin:1 daemon:2 sys:3 adm:4 tty:5 disk:6 lp:7 kmem:9 wheel:10 mail:12 dialout:20 ftp:21 audio:18 video:27 "
    "shadow:42 www-data:82 users:100 nogroup:65533 nobody:65534"
)
# Where busybox's applets are linked; what is in none of these lists is in /usr/bin.
_BIN = [
    "arch",
    "ash",
    "base64",
    "bbconfig",
    "cat",
    "chattr",
    "chgrp",
    "chmod",
    "chown",
    "cp",
    "date",
    "dd",
    "df",
    "dmesg",
    "dnsdomainname",
    "dumpkmap",
    "echo",
    "ed",
    "egrep",
    "false",
    "fatattr",
    "fdflush",
    "fgrep",
    "fsync",
    "getopt",
    "grep",
    "gunzip",
    "gzip",
    "hostname",
    "ionice",
    "iostat",
    "ipcalc",
    "kbd_mode",
    "kill",
    "link",
    "linux32",
    "linux64",
    "ln",
    "login",
    "ls",
    "lsattr",
    "lzop",
    "makemime",
    "mkdir",
    "mknod",
    "mktemp",
    "more",
    "mount",
    "mountpoint",
    "mpstat",
    "mv",
    "netstat",
    "nice",
    "pidof",
    "ping",
    "ping6",
    "pipe_progress",
    "printenv",
    "ps",
    "pwd",
    "reformime",
    "rev",
    "rm",
    "rmdir",
    "run-parts",
    "sed",
    "setpriv",
    "setserial",
    "sh",
    "sleep",
    "stat",
    "stty",
    "su",
    "sync",
    "tar",
    "touch",
    "true",
    "umount",
    "uname",
    "usleep",
    "watch",
    "zcat",
]
_SBIN = [
    "acpid",
    "adjtimex",
    "arp",
    "blkid",
    "blockdev",
    "depmod",
    "fbsplash",
    "fdisk",
    "findfs",
    "freeramdisk",
    "fsck",
    "fstrim",
    "getty",
    "halt",
    "hwclock",
    "ifconfig",
    "ifdown",
    "ifenslave",
    "ifup",
    "init",
    "inotifyd",
    "insmod",
    "ip",
    "ipaddr",
    "iplink",
    "ipneigh",
    "iproute",
    "iprule",
    "iptunnel",
    "klogd",
    "loadkmap",
    "logread",
    "losetup",
    "lsmod",
    "mdev",
    "mkdosfs",
    "mkfs.vfat",
    "mkswap",
    "modinfo",
    "modprobe",
    "nameif",
    "nologin",
    "pivot_root",
    "poweroff",
    "raidautorun",
    "reboot",
    "rmmod",
    "route",
    "setconsole",
    "slattach",
    "swapoff",
    "swapon",
    "switch_root",
    "sysctl",
    "syslogd",
    "tunctl",
    "udhcpc",
    "vconfig",
    "watchdog",
    "zcip",
]


def packages() -> dict[str, ApkPackage]:
    """Every apk package: version and the Debian packages whose sizes it has."""
    return load("alpine.toml", AlpineRecords)["package"]


def size_of(name: str) -> int:
    """Bytes of an installed package."""
    known = (debian.describe(other) or {} for other in packages()[name].get("parts", ()))
    return sum(record.get("installed", 0) for record in known) * debian.KIB


def needs(names: Iterable[str], installed: Iterable[str] = ()) -> list[str]:
    """These packages and what they need, what is needed first."""
    have = set(installed)
    order: dict[str, None] = {}

    def visit(name: str) -> None:
        if name in have or name in order:
            return
        for other in packages()[name].get("depends", ()):
            visit(other)
        order[name] = None

    for name in names:
        visit(name)
    return list(order)


def package_entries(name: str) -> list[Entry]:
    record = packages()[name]
    files = [e.program(path, program, 0) for path, program in record.get("programs", {}).items()]
    files += [e.link(path, target) for path, target in record.get("links", {}).items()]
    left = size_of(name) - e.size(files)
    if left > 0:
        files.append(e.filler(f"/usr/lib/{name}.data", left))
    return files


def stanza(name: str) -> str:
    """A package's paragraph of apk's database."""
    return f"P:{name}\nV:{packages()[name]['version']}\nA:x86_64\nI:{size_of(name)}\n\n"


def installed(database: str) -> list[str]:
    """The packages of a database."""
    return re.findall(r"^P:(.+)$", database, re.MULTILINE)


def install_entries(names: Iterable[str], before: Iterable[str] = ()) -> tuple[Entry, ...]:
    names = list(names)
    files = [entry for name in names for entry in package_entries(name)]
    return e.once([*files, e.text(INSTALLED, "".join(map(stanza, [*before, *names])))])


def base_names() -> list[str]:
    return list(load("alpine.toml", AlpineRecords)["base"])


@cache
def base_entries() -> tuple[Entry, ...]:
    """The root that the image consists of."""
    return e.once([
        *(e.folder(path, {"tmp": 0o1777, "var/tmp": 0o1777, "root": 0o700}.get(path, 0o755)) for path in _FOLDERS),
        *_busybox(),
        *install_entries(base_names()),
        *debian.account_files(_PASSWD, _GROUPS),
        e.text("/etc/alpine-release", "3.20.0\n"),
        e.text("/etc/os-release", OS_RELEASE),
        e.text("/etc/hostname", "localhost\n"),
        e.text("/etc/issue", "Welcome to Alpine Linux 3.20\nKernel \\r on an \\m (\\l)\n\n"),
        e.text("/etc/shells", "# valid login shells\n/bin/sh\n/bin/ash\n"),
        e.text("/etc/apk/repositories", f"{MIRROR}/main\n{MIRROR}/community\n"),
        e.text("/etc/apk/world", "alpine-baselayout\nbusybox\n"),
        e.program("/sbin/apk", "apk", 0),
        e.link("/var/run", "/run"),
    ])  # fmt: skip


def _busybox() -> list[Entry]:
    size = (debian.describe("busybox") or {})["installed"] * debian.KIB
    applets = load("busybox.json", BusyboxRecord)["applets"]
    links = [e.link(f"{_folder_of(name)}/{name}", "/bin/busybox") for name in applets]
    return [e.program("/bin/busybox", "busybox", size), *links]


def _folder_of(applet: str) -> str:
    if applet in _BIN:
        return "/bin"
    return "/sbin" if applet in _SBIN else "/usr/bin"
