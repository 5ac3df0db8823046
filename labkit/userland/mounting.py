"""mount, umount, mountpoint, findmnt: the mounts of the namespace, and how full each is.

The machine's disk has one size for all; what lies on it counts to the byte.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from labkit.files import Files, Mount, Source, tmpfs
from labkit.files.inodes import FileNode, FileSystem, Inode
from labkit.files.union import Node, used
from labkit.userland.quantities import size
from labkit.userland.tool import Say, Tool, Utility

_TYPES = {  # what a mount calls its type: its magic number, stat -f's name of it (statfs(2))
    "ext4": ("ef53", "ext2/ext3"),
    "xfs": ("58465342", "xfs"),
    "btrfs": ("9123683e", "btrfs"),
    "zfs": ("2fc12fc1", "zfs"),
    "tmpfs": ("1021994", "tmpfs"),
    "overlay": ("794c7630", "overlayfs"),
    "aufs": ("61756673", "aufs"),
    "proc": ("9fa0", "proc"),
    "sysfs": ("62656572", "sysfs"),
    "devpts": ("1cd1", "devpts"),
    "cgroup2": ("63677270", "cgroup2fs"),
    "mqueue": ("19800202", "mqueue"),
    "devtmpfs": ("1021994", "tmpfs"),
    "fuse.fuse-overlayfs": ("65735546", "fuseblk"),
}
_EMPTY = {"proc", "sysfs", "devpts", "cgroup", "cgroup2", "mqueue", "securityfs", "bpf", "debugfs"}
DISK = 62_671_097_856  # bytes of the machine's disk
_RESERVED = 3_221_225_472  # of them for root (ext4)
_SYSTEM = 1_610_612_736  # taken by what the machine's file tree does not show
_MEMORY = 4_116_324_352  # half of it is what a tmpfs without a size may hold
_INODES = 3_907_584


@dataclass(frozen=True)
class Usage:
    """Sizes in bytes."""

    total: int
    used: int
    available: int
    inodes: int
    inodes_used: int
    type_name: str
    magic: str
    identity: str
    block: int = 4096


def usage_of(files: Files, mount: Mount) -> Usage:
    magic, type_name = _TYPES.get(mount.fstype, ("0", f"UNKNOWN (0x{0:x})"))
    identity = f"{mount.source.system.device * 0x9E3779B97F4A7C15 & (1 << 64) - 1:x}"
    if mount.fstype in _EMPTY:
        return Usage(0, 0, 0, 0, 0, type_name, magic, identity)
    system, root = _tree(files, mount)
    taken, count = used(files.store, root), _count(files, root)
    if mount.fstype in ("tmpfs", "devtmpfs"):
        total = system.limit if system.limit is not None else _said(mount) or _MEMORY // 2
        return Usage(total, taken, total - taken, _MEMORY // 4096, count, type_name, magic, identity)
    taken += _SYSTEM
    return Usage(DISK, taken, DISK - _RESERVED - taken, _INODES, count, type_name, magic, identity)


def _said(mount: Mount) -> int | None:
    """The size among the options of a mount."""
    text = next((option[5:] for option in mount.options if option.startswith("size=")), None)
    return size(text) if text else None


def _tree(files: Files, mount: Mount) -> tuple[FileSystem[FileNode], Inode]:
    """The file system that takes what is written, and the topmost inode of it: for a union mount, its upper's."""
    system = mount.source.system
    root = system.root
    inode = root.upper if isinstance(root, Node) else root
    assert isinstance(inode, Inode)
    while system.overlay and (parent := files.store.get(inode).parent) is not None:
        inode = parent
    return system, inode


def _count(files: Files, top: Inode) -> int:
    waiting, count = [top], 0
    while waiting:
        inode = files.store.get(waiting.pop())
        count += 1
        if inode.is_dir:
            waiting.extend(inode.names.values())
    return count


def shown_mounts(tool: Tool) -> list[Mount]:
    return [mount for mount in tool.files.namespace.mounts if not mount.hidden]


def _listing(tool: Tool) -> None:
    kinds = (tool.value("t") or "").split(",") if tool.has("t") else None
    for mount in shown_mounts(tool):
        if kinds is None or mount.fstype in kinds:
            tool.out(f"{mount.device} on {mount.target} type {mount.fstype} ({','.join(mount.options)})\n")


def mount(tool: Tool) -> int:
    options = [option for value in tool.values("o") for option in value.split(",")]
    if tool.has("bind", "B", "rbind", "R"):
        options.append("rbind" if tool.has("rbind", "R") else "bind")
    if tool.has("r"):
        options.append("ro")
    if not tool.operands and not options:
        _listing(tool)
        return 0
    if tool.files.user.uid or not tool.process.namespaces.privileged:
        return _not_allowed(tool)
    if len(tool.operands) < 2:
        if "remount" in options and tool.operands:
            return _remount(tool, tool.operands[0], options)
        where = tool.operands[0] if tool.operands else ""
        tool.fail(f"{where}: can't find in /etc/fstab." if tool.gnu else f"can't find {where} in /etc/fstab")
    what, where = tool.operands[:2]
    if not tool.files.exists(where):
        return _failed(tool, what, where, "mount point does not exist.", "No such file or directory")
    if {"bind", "rbind"} & set(options):
        return _bind(tool, what, where, options)
    if tool.value("t") in ("tmpfs", "ramfs"):
        return _tmpfs(tool, what, where, options)
    kind = tool.value("t")
    if not tool.files.exists(what):
        return _failed(tool, what, where, f"special device {what} does not exist.", "No such file or directory")
    reason = f"unknown filesystem type '{kind}'." if kind else f"{what} is not a block device."
    return _failed(tool, what, where, reason, "No such device" if kind else "Block device required")


def _failed(tool: Tool, what: str, where: str, gnu: str, busybox: str) -> int:
    if tool.gnu:
        tool.err(f"{where}: {gnu}", 32)
        return 32
    tool.err(f"mounting {what} on {where} failed: {busybox}", 255)
    return 255


def _not_allowed(tool: Tool) -> int:
    """Another user, or root without the right to mount (CAP_SYS_ADMIN), as in a container that is not privileged."""
    where = tool.operands[-1] if tool.operands else ""
    said = "must be superuser to use mount." if tool.files.user.uid else "permission denied."
    tool.err(f"{where}: {said}" if tool.gnu else "permission denied (are you root?)")
    return 32 if tool.gnu and not tool.files.user.uid else 1


def _flags(options: list[str]) -> tuple[str, ...]:
    keep = [
        option
        for option in options
        if option not in ("bind", "rbind", "ro", "rw", "remount", "defaults", "private", "rprivate")
    ]
    atime = () if {"noatime", "relatime", "strictatime"} & set(keep) else ("relatime",)
    return ("ro" if "ro" in options else "rw", *dict.fromkeys(keep), *atime)


def _bind(tool: Tool, what: str, where: str, options: list[str]) -> int:
    files = tool.files
    if not files.exists(what):
        return _failed(tool, what, where, f"special device {what} does not exist.", "No such file or directory")
    if files.is_dir(what) != files.is_dir(where):
        return _failed(tool, what, where, "mount(2) system call failed: Not a directory.", "Not a directory")
    under = files.find(what).mount
    files.namespace.mount(
        files.realpath(where), files.source(what), device=under.device, fstype=under.fstype, readonly="ro" in options,
        options=_flags([*options, *under.options[1:]]),
    )  # fmt: skip
    return 0


def _tmpfs(tool: Tool, what: str, where: str, options: list[str]) -> int:
    limit, mode = None, 0o1777
    for option in options:
        name, _, value = option.partition("=")
        if name == "size" and re.fullmatch(r"\d+[kKmMgG]?", value):
            limit = size(value)
        elif name == "mode":
            mode = int(value, 8)
    shown = [
        f"size={limit // 1024}k" if option.startswith("size=") and limit is not None else option for option in options
    ]
    target = tool.files.realpath(where)
    tool.files.namespace.mount(
        target,
        tmpfs(tool.files.store, limit, mode),
        device=what,
        fstype="tmpfs",
        options=_flags(shown),
        readonly="ro" in options,
    )
    return 0


def _remount(tool: Tool, where: str, options: list[str]) -> int:
    namespace = tool.files.namespace
    target = tool.files.realpath(where)
    old = namespace.top(target)
    if old is None:
        return _failed(tool, where, where, "mount point not mounted or bad option.", "Invalid argument")
    if target == "/":
        return _failed(tool, where, where, "mount point is busy.", "Device or resource busy")
    namespace.umount(target)
    namespace.mount(
        target, Source(old.source.system, old.source.node), device=old.device, fstype=old.fstype,
        readonly="ro" in options,
        options=("ro" if "ro" in options else "rw", *old.options[1:]), propagation=old.propagation,
    )  # fmt: skip
    return 0


def umount(tool: Tool) -> int:
    if not tool.operands:
        tool.usage("bad usage")
    for path in tool.operands:
        _umount_one(tool, path)
    return tool.status


def _umount_one(tool: Tool, path: str) -> None:
    namespace = tool.files.namespace
    try:
        target = tool.files.realpath(path)
        why = _kept(tool, target)
    except OSError as error:
        why = tool.reason(error), "no mount point specified."
    if why:
        said = Say(f"can't unmount {{0}}: {why[0]}", f"{{0}}: {why[1]}")
        tool.complain(said, path, status=32 if tool.gnu else 1)
    else:
        namespace.umount(target)


def _kept(tool: Tool, target: str) -> tuple[str, str] | None:
    """Why it cannot be unmounted, as busybox and GNU say it; None where it can."""
    namespace, cwd, front = tool.files.namespace, tool.files.cwd, target.rstrip("/") + "/"
    if namespace.top(target) is None:
        return "Invalid argument", "not mounted."
    if tool.files.user.uid:
        return "Operation not permitted", "must be superuser to unmount."
    used = target in ("/", cwd) or any(path.startswith(front) for path in (cwd, *(m.target for m in namespace.mounts)))
    return ("Device or resource busy", "target is busy.") if used and not tool.has("l") else None


def mountpoint(tool: Tool) -> int:
    if not tool.operands:
        tool.usage("bad usage")
    path = tool.operands[0]
    try:
        found = tool.files.namespace.top(tool.files.realpath(path)) is not None
    except OSError as error:
        if not tool.has("q"):
            tool.complain(Say("{0}", "{0}"), path, error=error)
        return 1
    if not tool.has("q"):
        tool.out(f"{path} is {'' if found else 'not '}a mountpoint\n")
    return 0 if found else 32 if tool.gnu else 1


def findmnt(tool: Tool) -> int:
    rows = [["TARGET", "SOURCE", "FSTYPE", "OPTIONS"]]
    wanted = tool.operands[0] if tool.operands else tool.value("T")
    if wanted and tool.has("T"):
        wanted = tool.files.find(wanted).mount.target
    for one in shown_mounts(tool):
        if wanted is None or one.target == wanted.rstrip("/") or one.target == wanted or one.device == wanted:
            rows.append([one.target, one.device, one.fstype, ",".join(one.options)])
    if len(rows) == 1:
        return 1
    rows = rows[1:] if tool.has("n") else rows
    widths = [max(len(row[index]) for row in rows) for index in range(4)]
    for row in rows:
        tool.out(" ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() + "\n")
    return 0


UTILITIES = {
    "mount": Utility(
        mount,
        "o: t: r w v a n f B =bind =rbind",
        "o:=options t:=types r=read-only w=rw v=verbose a=all n B=bind R=rbind M=move l "
        "=make-private =make-shared =make-rprivate",
        "[OPTIONS] [-o OPT] DEVICE NODE",
        package="util-linux 2.38.1)",
    ),
    "umount": Utility(
        umount,
        "r l f d a t: n",
        "r l=lazy f=force d a=all t:=types v n R=recursive q",
        "[-rlfda] [-t FSTYPE] FILESYSTEM|DIRECTORY",
        package="util-linux 2.38.1)",
    ),
    "mountpoint": Utility(
        mountpoint,
        "q d x n",
        "q=quiet d=fs-devno x=devno nofollow",
        "[-q] { [-dn] DIR | -x DEVICE }",
        package="util-linux 2.38.1)",
    ),
    "findmnt": Utility(
        findmnt, "", "T:=target n=noheadings o:=output l=list R A r J D t:", package="util-linux 2.38.1)"
    ),
}
