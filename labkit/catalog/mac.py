"""A Mac with Docker Desktop: its own files, and those of the virtual machine in which the engine runs.

Facts: Docker's documentation, "Docker Desktop for Mac" (the folders that are shared, the virtual machine); macOS's
hier(7). Sizes of the programs are not the real ones: nothing of this tree is ever counted in a lesson.
"""

from __future__ import annotations

from functools import cache

from labkit.catalog import entries as e
from labkit.catalog.base import base_entries, busybox_listing
from labkit.files import Entry
from labkit.kernel.process import Uname

HOME = "/Users/learner"
HOSTNAME = "mac"
VM_HOSTNAME = "docker-desktop"
SHARED = ("/Users", "/Volumes", "/private")  # folders of the Mac that the virtual machine sees under the same paths
KERNEL = Uname(  # macOS 15.6; unverified
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
TOOLS = (*_BIN, *_USR_BIN, *_USR_SBIN)


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
        e.folder("/Users/Shared", 0o1777), e.folder(HOME, 0o750, 501, 20), e.folder("/private/tmp", 0o1777),
        e.folder("/private/var/tmp", 0o1777), e.folder("/private/var/log"), e.folder("/dev"),
        e.device("/dev/null", 3, 2), e.device("/dev/zero", 3, 3),
        e.link("/tmp", "private/tmp"), e.link("/var", "private/var"), e.link("/etc", "private/etc"),
        e.text("/private/etc/passwd", f"root:*:0:0::/var/root:/bin/sh\nlearner:*:501:20::{HOME}:/bin/zsh\n"),
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
        *(e.folder(path) for path in SHARED),
    ])  # fmt: skip
