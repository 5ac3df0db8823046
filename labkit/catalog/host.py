"""The root of the simulated host: Debian 12 with Docker installed, and the learner's home."""

from __future__ import annotations

from functools import cache

from labkit.catalog import debian
from labkit.catalog import entries as e
from labkit.files import Entry

HOSTNAME = "lab"
# What is installed beside the minimal system.
PACKAGES = (
    "attr", "bsdextrautils", "docker.io", "ca-certificates", "curl", "file", "git", "iproute2",
    "iputils-ping", "jq", "less", "lsof", "nano", "net-tools", "procps", "psmisc", "rsync",
    "tree", "vim-tiny", "wget", "xz-utils",
)  # fmt: skip
# systemd is the host's own; of its programs, those that start and end the daemon, and their bytes in Debian 12.
_SYSTEMD = {"systemctl": 1_226_504, "journalctl": 161_248}
_LEARNER = "learner:x:1000:1000:learner:/home/learner:/bin/bash\n"


@cache
def host_entries() -> tuple[Entry, ...]:
    """Every file of a fresh host; what is under /var/lib/docker is the engine's own work."""
    have = list(debian.base_packages())
    more = debian.needs(PACKAGES, recommends=False, installed=have)
    return e.once([
        *debian.base_entries(),
        *debian.install_entries(more, have),
        *debian.account_files(debian._PASSWD + _LEARNER, f"{debian._GROUPS} learner:1000 docker:999"),
        e.folder("/home/learner", uid=0),
        e.text("/etc/hostname", f"{HOSTNAME}\n"),
        e.text("/etc/hosts", f"127.0.0.1\tlocalhost\n127.0.1.1\t{HOSTNAME}\n::1\tlocalhost ip6-localhost\n"),
        e.text("/etc/resolv.conf", "nameserver 192.0.2.53\n"),
        e.text("/etc/fstab", "/dev/vda1 / ext4 rw,relatime 0 1\n"),
        e.link("/etc/mtab", "../proc/self/mounts"),
        e.text("/etc/subuid", "learner:100000:65536\n"),
        e.text("/etc/subgid", "learner:100000:65536\n"),
        e.folder("/etc/docker"),
        *(e.program(f"/usr/bin/{name}", f"gnu:{name}", size) for name, size in _SYSTEMD.items()),
        e.folder("/lost+found", 0o700),
        e.folder("/var/lib/docker", 0o710),
        e.folder("/run/docker"),
        e.socket("/run/docker.sock", 0o660, gid=999),
        *_devices(),
        e.text("/var/log/dpkg.log", ""),
    ])  # fmt: skip


def _devices() -> list[Entry]:
    """The devices that commands name; major and minor numbers as in Linux's devices.txt."""
    numbers = {"null": (1, 3), "zero": (1, 5), "full": (1, 7), "random": (1, 8), "urandom": (1, 9), "tty": (5, 0)}
    return [e.device(f"/dev/{name}", major, minor) for name, (major, minor) in numbers.items()] + [
        e.link("/dev/stdin", "/proc/self/fd/0"),
        e.link("/dev/stdout", "/proc/self/fd/1"),
        e.link("/dev/stderr", "/proc/self/fd/2"),
        e.link("/dev/fd", "/proc/self/fd"),
        e.folder("/dev/shm", 0o1777),
        e.folder("/dev/pts"),
    ]
