"""The computers' own files: a host with Debian 12, Docker and the learner's home; a Mac with Docker Desktop, and the
virtual machine in which its engine runs.

Facts: Docker's documentation, "Docker Desktop for Mac" (the folders that are shared, the virtual machine); macOS's
hier(7). Sizes of the programs are not the real ones: nothing of this tree is ever counted in a lesson.
"""

from __future__ import annotations

from functools import cache

from labkit.catalog import debian
from labkit.catalog import entries as e
from labkit.catalog.images import base_entries, busybox_listing
from labkit.files import Entry
from labkit.kernel.process import Uname

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


MAC_HOME = "/Users/learner"
MAC_HOSTNAME = "mac"
VM_HOSTNAME = "docker-desktop"
MAC_SHARED = ("/Users", "/Volumes", "/private")  # folders of the Mac that the virtual machine sees under the same paths
MAC_KERNEL = Uname(  # macOS 15.6; unverified
    "Darwin", "24.6.0",
    "Darwin Kernel Version 24.6.0: Mon Jul 14 11:30:34 PDT 2025; root:xnu-11417.140.69~1/RELEASE_X86_64",
    "x86_64", "Darwin",
)  # fmt: skip
_TOOL_SIZE = 100_000
_BIN = (
    "cat", "chmod", "cp", "date", "dd", "df", "echo", "expr", "hostname", "kill", "ln", "ls", "mkdir", "mv",
    "ps", "pwd", "rm", "rmdir", "sleep", "stty", "sync", "test",
)  # fmt: skip
_USR_BIN = (
    "awk", "basename", "cut", "diff", "dirname", "du", "env", "file", "find", "grep", "gzip", "head", "id",
    "less", "mktemp", "nl", "od", "paste", "printf", "readlink", "sed", "seq", "sort", "split", "stat", "tail",
    "tar", "tee", "touch", "tr", "true", "false", "tty", "uname", "uniq", "uptime", "wc", "which", "whoami",
    "xargs", "yes", "shasum",
)  # fmt: skip
_USR_SBIN = ("chown",)
MAC_TOOLS = (*_BIN, *_USR_BIN, *_USR_SBIN)


@cache
def mac_entries() -> tuple[Entry, ...]:
    """Every file of the Mac."""
    tools = [(f"/bin/{name}", name) for name in _BIN] + [(f"/usr/bin/{name}", name) for name in _USR_BIN]
    tools += [(f"/usr/sbin/{name}", name) for name in _USR_SBIN]
    return e.once([
        *(e.program(path, f"bsd:{name}", _TOOL_SIZE) for path, name in tools),
        *(e.program(f"/bin/{name}", "bash", _TOOL_SIZE) for name in ("sh", "bash", "zsh")),
        e.program("/usr/local/bin/docker", "docker", _TOOL_SIZE),
        e.folder("/Applications/Docker.app"), e.folder("/Library"), e.folder("/System"), e.folder("/Volumes"),
        e.folder("/Users/Shared", 0o1777), e.folder(MAC_HOME, 0o750, 501, 20), e.folder("/private/tmp", 0o1777),
        e.folder("/private/var/tmp", 0o1777), e.folder("/private/var/log"), e.folder("/dev"),
        e.device("/dev/null", 3, 2), e.device("/dev/zero", 3, 3),
        e.link("/tmp", "private/tmp"), e.link("/var", "private/var"), e.link("/etc", "private/etc"),
        e.text("/private/etc/passwd", f"root:*:0:0::/var/root:/bin/sh\nlearner:*:501:20::{MAC_HOME}:/bin/zsh\n"),
        e.text("/private/etc/group", "wheel:*:0:root\nstaff:*:20:root\n"),
        e.text("/private/etc/hosts", "127.0.0.1\tlocalhost\n::1\tlocalhost\n"),
    ])  # fmt: skip


@cache
def vm_entries() -> tuple[Entry, ...]:
    """Every file of the virtual machine: a small Linux with busybox."""
    return e.once([
        *base_entries(busybox_listing()),
        e.text("/etc/os-release", 'PRETTY_NAME="Docker Desktop"\n'),
        e.text("/etc/hostname", f"{VM_HOSTNAME}\n"),
        e.text("/etc/hosts", f"127.0.0.1\tlocalhost {VM_HOSTNAME}\n"),
        e.text("/etc/resolv.conf", "nameserver 192.168.65.7\n"),
        e.folder("/dev"), e.device("/dev/null", 1, 3), e.device("/dev/zero", 1, 5), e.device("/dev/urandom", 1, 9),
        e.folder("/containers"), e.folder("/proc"), e.folder("/run"), e.folder("/sys"), e.folder("/var/lib"),
        *(e.folder(path) for path in MAC_SHARED),
    ])  # fmt: skip
