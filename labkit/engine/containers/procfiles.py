"""/proc of a container: a few files that tools look at, computed when they are read.

Each container has its own /proc, because what /proc/mounts holds depends on who reads it.
"""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from labkit.engine.core.core import Core
from labkit.files import Inode, Map, Mount, Namespace, Source, Tree
from labkit.files.inodes import Generated

if TYPE_CHECKING:
    from collections.abc import Iterable

    from labkit.files import Store

KERNEL_BUILD = "#1 SMP"
_FOLDERS = ("acpi", "bus", "driver", "fs", "irq", "sys", "tty")
_FILES = (
    "cmdline", "cpuinfo", "filesystems", "interrupts", "keys", "loadavg", "meminfo", "stat", "swaps", "timer_list",
    "uptime", "version",
)  # fmt: skip
_PROCESS_FILES = ("cgroup", "cmdline", "comm", "mountinfo", "mounts", "status")
MEMORY = 8 << 30  # bytes, of the simulated machine
CPUS = 2


def shared_names(store: Store) -> Map[str, Inode]:
    """What is the same in every container's /proc."""
    nobody = store.new(stat.S_IFDIR | 0o555)
    names = {name: _file(store, "proc-file", name) for name in _FILES}
    names |= {name: _folder(store, nobody) for name in (*_FOLDERS, "fd", "ns")}
    names |= {"self": _link(store, "1"), "thread-self": _link(store, "1"), "mounts": _link(store, "self/mounts")}
    return Map(names)


def source(store: Store, shared: Map[str, Inode], key: str) -> Source:
    """A /proc whose files ask for what belongs to `key`."""
    root = store.new(stat.S_IFDIR | 0o555)
    root.names = shared.copy()
    process = _folder(store, root)
    for name in ("fd", "ns"):
        process.names.set(name, shared[name])
        root.names.delete(name)
    for name in _PROCESS_FILES:
        process.names.set(name, _file(store, "proc-self", name, key))
    root.names.set("1", process)
    root.nlink += len(_FOLDERS) + 1
    return Source(Tree(store, root, store.new_device()), None)


def _file(store: Store, kind: str, *args: str) -> Inode:
    return store.new(stat.S_IFREG | 0o444, data=Generated(kind, args))


def _folder(store: Store, parent: Inode) -> Inode:
    node = store.new(stat.S_IFDIR | 0o555)
    node.parent = parent.born
    return node


def _link(store: Store, target: str) -> Inode:
    return store.new(stat.S_IFLNK | 0o777, data=target)


def mounts_text(mounts: Iterable[Mount]) -> str:
    """/proc/mounts."""
    return "".join(
        f"{_escaped(mount.device)} {_escaped(mount.target)} {mount.fstype} {','.join(mount.options)} 0 0\n"
        for mount in mounts
        if not mount.hidden
    )


def mountinfo_text(mounts: Iterable[Mount]) -> str:
    """/proc/self/mountinfo; roots within a file system are not told."""
    lines = []
    for number, mount in enumerate((mount for mount in mounts if not mount.hidden), 600):
        device = mount.source.system.device
        options = ",".join(mount.options[:2])
        lines.append(
            f"{number} {599 if mount.target == '/' else 600} {device >> 8}:{device & 0xFF} / {_escaped(mount.target)} "
            f"{options} - {mount.fstype} {_escaped(mount.device)} {','.join(mount.options)}\n"
        )
    return "".join(lines)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\134").replace(" ", "\\040").replace("\t", "\\011").replace("\n", "\\012")


def install(core: Core) -> None:
    """Tell the store how these files are computed."""
    generators = core.host.store.generators
    generators["proc-self"] = lambda args: _self_text(core, *args).encode()
    generators["proc-file"] = lambda args: _file_text(core, *args).encode()


def _self_text(core: Core, name: str, key: str) -> str:
    namespace: Namespace | None = core.namespace_of(key)
    mounts = namespace.mounts if namespace else []
    container = core.tables.containers.get(key)
    argv = container.command if container else ["sh"]
    texts = {
        "mounts": lambda: mounts_text(mounts),
        "mountinfo": lambda: mountinfo_text(mounts),
        "cmdline": lambda: "".join(f"{word}\0" for word in argv),
        "comm": lambda: argv[0].rpartition("/")[2][:15] + "\n",
        "cgroup": lambda: f"1:name=systemd:/docker/{key}\n0::/docker/{key}\n",
        "status": lambda: f"Name:\t{argv[0].rpartition('/')[2][:15]}\nState:\tS (sleeping)\nPid:\t1\nPPid:\t0\n",
    }
    return texts[name]()


def _file_text(core: Core, name: str) -> str:
    seconds = (core.now() - core.epoch) / 1e9 + 3600
    texts = {
        "cmdline": "BOOT_IMAGE=/vmlinuz root=/dev/vda1 ro quiet\n",
        "cpuinfo": "".join(
            f"processor\t: {number}\nvendor_id\t: GenuineIntel\nmodel name\t: Virtual CPU\ncpu cores\t: {CPUS}\n\n"
            for number in range(CPUS)
        ),
        "filesystems": "".join(f"nodev\t{name}\n" for name in ("proc", "tmpfs", "sysfs", "devpts", "overlay"))
        + "\text4\n",
        "loadavg": "0.00 0.00 0.00 1/100 1\n",
        "meminfo": "".join(
            f"{name + ':':<16}{size >> 10} kB\n"
            for name, size in (("MemTotal", MEMORY), ("MemFree", MEMORY // 2), ("MemAvailable", MEMORY // 2))
        ),
        "stat": "cpu  0 0 0 0 0 0 0 0 0 0\n",
        "swaps": "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n",
        "uptime": f"{seconds:.2f} {seconds:.2f}\n",
        "version": f"Linux version {core.about.kernel_version} (builder@build) (gcc 12.2.0) {KERNEL_BUILD}\n",
    }
    return texts.get(name, "")
