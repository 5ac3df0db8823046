"""What a container's process sees: its root with /proc, /dev, /sys and the mounts, as runc puts them together.

Mount points that are missing are made in the container's layer, or in the mount that covers their place; messages are
runc's. The list of the usual mounts: moby, daemon/pkg/oci/defaults.go. Each container has its own /proc, because what
/proc/mounts holds depends on who reads it; its files are computed when they are read.
"""

from __future__ import annotations

import os
import posixpath
import stat
from collections.abc import Container as Holder
from collections.abc import Iterable
from typing import TYPE_CHECKING, Unpack

from labkit.engine.containers import oci
from labkit.engine.core.core import Core
from labkit.engine.mounts.mounts import Prepared
from labkit.engine.mounts.mountspec import tmpfs_of, tmpfs_shown
from labkit.files import Files, Inode, Map, Mount, Namespace, Source, Tree, makedev, tmpfs
from labkit.files.inodes import Generated, MountAbout

if TYPE_CHECKING:
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


def proc_source(store: Store, shared: Map[str, Inode], key: str) -> Source:
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


def install_proc(core: Core) -> None:
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


_DEVICES = (("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9), ("tty", 5, 0))
_DEVICE_LINKS = (
    ("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"), ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"), ("core", "/proc/kcore"), ("ptmx", "pts/ptmx"),
)  # fmt: skip
_CGROUPS = ("cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "blkio", "pids")
_NO_EXEC = ("nosuid", "nodev", "noexec", "relatime")
_DEV_OPTIONS = ("rw", "nosuid", "size=65536k", "mode=755")
_READONLY = ("sys", "empty")
# Target, what is mounted there, and how /proc/mounts shows it.
_USUAL: tuple[tuple[str, str, str, str, tuple[str, ...]], ...] = (
    ("/proc", "proc", "proc", "proc", ("rw", *_NO_EXEC)),
    ("/dev", "dev", "tmpfs", "tmpfs", _DEV_OPTIONS),
    (
        "/dev/pts",
        "pts",
        "devpts",
        "devpts",
        ("rw", "nosuid", "noexec", "relatime", "gid=5", "mode=620", "ptmxmode=666"),
    ),
    ("/sys", "sys", "sysfs", "sysfs", ("ro", *_NO_EXEC)),
    ("/sys/fs/cgroup", "cgroup", "tmpfs", "tmpfs", ("rw", *_NO_EXEC, "mode=755")),
    *((f"/sys/fs/cgroup/{name}", "empty", "cgroup", "cgroup", ("ro", *_NO_EXEC, name)) for name in _CGROUPS),
    ("/sys/fs/cgroup/systemd", "empty", "cgroup", "cgroup", ("ro", *_NO_EXEC, "name=systemd")),
    ("/dev/mqueue", "new", "mqueue", "mqueue", ("rw", *_NO_EXEC)),
)


class RuntimeFailed(Exception):
    """runc could not set the container up; str() is its message without what its callers put around it."""


class Sandboxes:
    """Makes the namespaces of containers; what all of them share is made once (Core keeps it)."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def _shared(self) -> dict[str, Source]:
        if not self._core.shared_trees:
            self._core.shared_trees = _make_shared(self._core.host.store)
        return self._core.shared_trees

    def _proc_names(self) -> Map[str, Inode]:
        if self._core.shared_proc is None:
            self._core.shared_proc = shared_names(self._core.host.store)
        return self._core.shared_proc

    def namespace(
        self, root: Source, *, key: str, shm: int = 0, skip: Holder[str] = (), **about: Unpack[MountAbout]
    ) -> Namespace:
        """A namespace with the usual mounts but those on the targets `skip`.

        `key` is what /proc asks the engine for, `about` describes the mount of the root.
        """
        store = self._core.host.store
        shared = self._shared()
        size = shm or oci.SHM_SIZE
        namespace = Namespace(store, root, **about)
        for target, kind, fstype, device, options in _USUAL:
            if target in skip:
                continue
            if kind == "proc":
                source = proc_source(store, self._proc_names(), key)
            elif kind in ("dev", "pts"):
                source = _own(store, shared[kind], 0o755)
            elif kind == "new":
                source = tmpfs(store)
            else:
                source = shared[kind]
            namespace.mount(
                target,
                source,
                fstype=fstype,
                device=device,
                readonly=kind in _READONLY and "ro" in options,
                options=options,
            )
        if "/dev/shm" not in skip:
            options = ("rw", *_NO_EXEC, f"size={size >> 10}k")
            namespace.mount("/dev/shm", tmpfs(store, size), fstype="tmpfs", device="shm", options=options)
        return namespace

    def nothing(self) -> Namespace:
        """A namespace for a container that has no process."""
        return Namespace(self._core.host.store, self._shared()["empty"])

    def mask(self, namespace: Namespace) -> None:
        """Cover what an unprivileged container must not see or change in /proc."""
        shared = self._shared()
        for path in oci.READONLY_PATHS:
            if source := self._covered(namespace, path):
                namespace.mount(path, source, fstype="proc", device="proc", readonly=True, options=("ro", *_NO_EXEC))
        for path in oci.MASKED_PATHS:
            source = self._covered(namespace, path)
            if source is None:
                continue
            if source.node and source.system.get(source.node).is_dir:
                namespace.mount(path, shared["empty"], fstype="tmpfs", device="tmpfs", readonly=True,
                                options=("ro", "relatime", "size=4k", "nr_inodes=1"))  # fmt: skip
            else:
                namespace.mount(path, shared["null"], fstype="tmpfs", device="tmpfs", options=_DEV_OPTIONS)

    def _covered(self, namespace: Namespace, path: str) -> Source | None:
        """What lies at `/proc/NAME` or `/sys/NAME` of the usual mounts, if there is such a thing."""
        _, top, name = path.split("/", 2)
        mount = namespace.top(f"/{top}")
        node = mount.source.system.lookup(mount.root, name) if mount and "/" not in name else None
        return Source(mount.source.system, node) if mount and node is not None else None

    def add(self, namespace: Namespace, mounts: Iterable[Prepared], rootfs: str, *, runs: bool = True) -> list[str]:
        """Make a container's own mounts; the mount points that had to be made. `rootfs`: the root on the host.

        `runs`: by the runtime, which refuses some targets, and not just for the daemon to look at the files; the
        daemon's mounts lie over what it opened for writing.
        """
        files = namespace.files()
        made: list[str] = []
        for mount in mounts:
            new = _make_point(files, mount, rootfs)
            made += new
            if runs:
                _check_point(files, mount, rootfs)
            elif not mount.is_dir:
                _open_point(files, mount, rootfs)
            if mount.source is None:
                self._add_tmpfs(namespace, files, mount, existed=not new)
            else:
                self._add_bind(namespace, files, mount)
        return made

    def _add_bind(self, namespace: Namespace, files: Files, mount: Prepared) -> None:
        assert mount.source is not None
        if files.is_dir(mount.target) != mount.is_dir:
            raise RuntimeFailed(
                f'error mounting "{mount.source_text}" to rootfs at "{mount.target}": mount src={mount.source_text}, '
                f"dst={mount.target}, dstFd=/proc/thread-self/fd/11, flags=MS_BIND|MS_REC: not a directory"
            )
        host = self._core.host
        covering = host.find(mount.path).mount if mount.path else None
        namespace.mount(files.realpath(mount.target), mount.source, **_like(covering, mount))
        if mount.recursive and mount.is_dir and mount.path:
            _add_submounts(namespace, host, files.realpath(mount.target), mount)

    def _add_tmpfs(self, namespace: Namespace, files: Files, mount: Prepared, *, existed: bool) -> None:
        words = list(mount.data)
        if existed:
            words.insert(0, f"mode={stat.S_IMODE(files.stat(mount.target).st_mode):04o}")
        if not files.is_dir(mount.target):
            raise _tmpfs_failed(mount, words, "not a directory")
        try:
            source = tmpfs_of(self._core.host.store, ",".join(words))
        except ValueError:
            raise _tmpfs_failed(mount, words, "invalid argument") from None
        options = ("ro" if mount.readonly else "rw", *mount.options, "relatime", *tmpfs_shown(words))
        namespace.mount(files.realpath(mount.target), source, fstype="tmpfs", device="tmpfs", readonly=mount.readonly,
                        options=options)  # fmt: skip


def _tmpfs_failed(mount: Prepared, words: list[str], reason: str) -> RuntimeFailed:
    flags = "|".join(f"MS_{word.upper()}" for word in mount.options)
    return RuntimeFailed(
        f'error mounting "tmpfs" to rootfs at "{mount.target}": mount src=tmpfs, dst={mount.target}, '
        f"dstFd=/proc/thread-self/fd/11, flags={flags}, data={','.join(words)}: {reason}"
    )


def _like(covering: Mount | None, mount: Prepared) -> MountAbout:
    """A bind mount shows the device and options of the mount that it comes from."""
    about: MountAbout = {"readonly": mount.readonly, "propagation": mount.propagation}
    if covering is not None:
        rest = tuple(option for option in covering.options if option not in ("rw", "ro"))
        readonly = mount.readonly or covering.readonly
        about |= {"device": covering.device, "fstype": covering.fstype, "options": ("ro" if readonly else "rw", *rest)}
    return about


def _add_submounts(namespace: Namespace, host: Files, target: str, mount: Prepared) -> None:
    """A recursive bind takes along what is mounted below its source."""
    top = "" if mount.path == "/" else mount.path
    for below in host.namespace.mounts:
        if below.target != "/" and below.target.startswith(f"{top}/") and below.target != top:
            namespace.mount(
                f"{target}{below.target[len(top):]}", below.source, device=below.device, fstype=below.fstype,
                options=below.options, readonly=below.readonly, propagation=mount.propagation, hidden=below.hidden,
            )  # fmt: skip


def _make_point(files: Files, mount: Prepared, rootfs: str) -> list[str]:
    """Make a mount's target where it is missing, with the folders above it; what was made."""
    try:
        files.stat(mount.target)
        return []
    except FileNotFoundError:
        pass
    except OSError as error:
        raise _point_refused(
            mount, f"lookup mountpoint target: openat2 {rootfs}{mount.target}: {(error.strerror or '').lower()}"
        ) from None
    made: list[str] = []
    parts = mount.target.strip("/").split("/")
    for end in range(1, len(parts) + 1):
        path = "/" + "/".join(parts[:end])
        if files.exists(path):
            continue
        try:
            if end < len(parts) or mount.is_dir:
                files.mkdir(path, 0o755)
            else:
                files.write(path, b"", 0o644)
        except OSError as error:
            raise _point_failed(mount, rootfs, path, error) from None
        made.append(path)
    return made


def _open_point(files: Files, mount: Prepared, rootfs: str) -> None:
    """The daemon opens the target of a file for writing, which copies it up (moby, containerfs_linux.go)."""
    try:
        files.open(mount.target, os.O_WRONLY).close()
    except OSError as error:
        raise _point_failed(mount, rootfs, mount.target, error) from None


def _point_failed(mount: Prepared, rootfs: str, path: str, error: OSError) -> RuntimeFailed:
    reason = (error.strerror or "").lower()
    if mount.is_dir or path != mount.target:
        call = f"mkdirat {rootfs}{path}"
    else:  # the folder is open, and the file is named within it (runc, internal/linux, Openat)
        call = f"openat {posixpath.basename(path)}"
    return _point_refused(mount, f'make mountpoint "{mount.target}": {call}: {reason}')


def _point_refused(mount: Prepared, why: str) -> RuntimeFailed:
    text = f'error mounting "{mount.source_text}" to rootfs at "{mount.target}"'
    return RuntimeFailed(f"{text}: create mountpoint for {mount.target} mount: {why}")


# What may be mounted on in /proc (runc, rootfs_linux.go checkProcMount).
_PROC_TARGETS = frozenset(
    f"/proc/{name}"
    for name in (
        "cpuinfo", "diskstats", "meminfo", "stat", "swaps", "uptime", "loadavg", "slabinfo", "net/dev",
        "sys/kernel/ns_last_pid", "sys/crypto/fips_enabled",
    )
)  # fmt: skip


def _check_point(files: Files, mount: Prepared, rootfs: str) -> None:
    """The root and what is in /proc are no targets (runc, mount_entry.go createOpenMountpoint)."""
    target = files.realpath(mount.target)
    if target == "/":
        raise _point_refused(mount, f'mountpoint "{rootfs}" is on the top of rootfs "{rootfs}"')
    if target in _PROC_TARGETS:
        return
    if target == "/proc" and not (mount.path == "/proc" or mount.path.startswith("/proc/")):
        reason = "not of type proc"
    elif target.startswith("/proc/"):
        reason = "inside /proc"
    else:
        return
    text = f'"{rootfs}{target}" cannot be mounted because it is {reason}'
    raise _point_refused(mount, f"check proc-safety of {mount.target} mount: {text}")


def make_readonly(namespace: Namespace, target: str) -> None:
    """Remount read-only what is mounted last on a target."""
    mount = namespace.top(target)
    assert mount is not None
    options = tuple("ro" if option == "rw" else option for option in mount.options)
    namespace.remount(target, readonly=True, options=options)


# --- what all containers share


def _make_shared(store: Store) -> dict[str, Source]:
    dev, pts, sys_, cgroup = (tmpfs(store, mode=0o755) for _ in range(4))
    for name, major, minor in _DEVICES:
        dev.system.make(_root(dev), name, stat.S_IFCHR | 0o666, 0, 0, rdev=makedev(major, minor))
    for name, target in _DEVICE_LINKS:
        dev.system.make(_root(dev), name, stat.S_IFLNK | 0o777, 0, 0, data=target)
    for name in ("pts", "mqueue", "shm"):
        dev.system.make(_root(dev), name, stat.S_IFDIR | 0o755, 0, 0)
    dev.system.make(_root(dev), "console", stat.S_IFCHR | 0o620, 0, 5, rdev=makedev(5, 1))
    pts.system.make(_root(pts), "ptmx", stat.S_IFCHR | 0o666, 0, 0, rdev=makedev(5, 2))
    pts.system.make(_root(pts), "0", stat.S_IFCHR | 0o620, 0, 5, rdev=makedev(136, 0))
    files = Namespace(store, sys_).files()
    for path in (
        "/block",
        "/bus",
        "/class",
        "/dev",
        "/devices/virtual",
        "/firmware",
        "/fs/cgroup",
        "/kernel",
        "/module",
    ):
        files.makedirs(path)
    files = Namespace(store, cgroup).files()
    for name in (*_CGROUPS, "systemd"):
        files.mkdir(f"/{name}", 0o755)
    null = Source(dev.system, store.names(_root(dev))["null"])
    return {"dev": dev, "pts": pts, "sys": sys_, "cgroup": cgroup, "empty": tmpfs(store, mode=0o755), "null": null}


def _root(source: Source) -> Inode:
    root = source.system.root
    assert isinstance(root, Inode)
    return root


def _own(store: Store, shared: Source, mode: int) -> Source:
    """A file system of the container's own that starts with the same names."""
    root = store.new(stat.S_IFDIR | mode)
    root.names = store.names(_root(shared)).copy()
    return Source(Tree(store, root, store.new_device()), None)
