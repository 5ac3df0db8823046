"""The same command line on a real disk by the real utility, and on labkit's files by labkit's; and how the two differ."""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from errno import ENOENT
from functools import cache
from pathlib import Path
from posixpath import basename

from alone import kernel_alone

from labkit.files import Files, Namespace, Source, Store, Tree, User
from labkit.kernel.process import Clock, ExecError, Input, Output, Process
from labkit.shell import APPLETS as SHELLS
from labkit.shell import dash
from labkit.userland import BUSYBOX_APPLETS
from labkit.userland import PROGRAMS as UTILITIES

NOW = 1_790_000_000_000_000_000  # ns; where the clock shows in an output, the real one is not compared
OLD = 1_700_000_000  # s: modification time of all files of a layout
ENV = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LC_ALL": "C.UTF-8",
    "HOME": "/root",
    "TZ": "UTC0",
}
BUSYBOX = shutil.which("busybox")
PROGRAMS = UTILITIES | {"ash": SHELLS["sh"], "gnu:sh": dash}
APPLETS = set(subprocess.run([BUSYBOX, "--list"], capture_output=True, text=True).stdout.split()) if BUSYBOX else set()

LAYOUT = {
    "a": "alpha\nbeta\ngamma\n", "b": "one two  three\n\n\nfour\n", "empty": "", "noeol": "x\ny", "d/": "", "d/f": "hi\n",
    "d/sub/": "", "d/sub/g": "deep\n", "l": "-> a", "ld": "-> d", "broken": "-> nowhere", "exe": "#!/bin/sh\n", ".hidden": "h\n",
    "n": "10\n9\n2\n33\n1\n9\n", "t": "b:2:x\na:10:y\nc:1:z\n", "big": "0123456789" * 1000, "sp ace": "s\n",
}  # fmt: skip
ARCHIVES = (".tar", ".tgz")
MODES = {"exe": 0o755, "b": 0o640, "d/sub": 0o700}


@dataclass(frozen=True)
class Result:
    """What one run left."""

    status: int
    stdout: bytes
    stderr: bytes
    tree: dict[str, tuple[object, ...]]


def have(flavour: str, name: str) -> bool:
    """Whether the real utility is here."""
    if flavour == "gnu":
        return shutil.which(name) is not None
    return name in APPLETS


def lay(real: Path, files: Files, layout: dict[str, str]) -> None:
    """Put a layout on the real disk and in labkit."""
    for name, text in layout.items():
        path = real / name.rstrip("/")
        if name.endswith("/"):
            path.mkdir()
            files.mkdir(str(path))
        elif text.startswith("-> "):
            path.symlink_to(text[3:])
            files.symlink(text[3:], str(path))
        else:
            data = text.encode("utf-8", "surrogateescape")
            path.write_bytes(data)
            files.write(str(path), data)
        if not text.startswith("-> "):
            mode = MODES.get(name.rstrip("/"), 0o755 if name.endswith("/") else 0o644)
            path.chmod(mode)
            files.chmod(str(path), mode)
    for name in [*reversed(layout), ""]:
        os.utime(real / name.rstrip("/"), (OLD, OLD), follow_symlinks=False)
        files.utime(str(real / name.rstrip("/")), OLD * 10**9, OLD * 10**9, False)


def new_files(root: Path) -> Files:
    """A file system with an empty folder at `root` as the current one, and this machine's names of users."""
    store = Store(Clock(NOW))
    top = store.new(stat.S_IFDIR | 0o755, 0, 0)
    disk = root.stat().st_dev if root.exists() else 0xFE00
    files = Namespace(store, Source(Tree(store, top, disk), None)).files(User())
    files.makedirs("/etc")
    files.makedirs("/tmp")
    files.makedirs("/dev")
    files.mknod("/dev/null", stat.S_IFCHR | 0o666, 0x103)
    files.mknod("/dev/zero", stat.S_IFCHR | 0o666, 0x105)
    for path in ("/etc/passwd", "/etc/group"):
        files.write(path, Path(path).read_bytes())
    files.makedirs(str(root))
    files.chdir(str(root))
    return files


def execute(process: Process) -> int:
    """A kernel that knows the programs by name."""
    name = basename(process.argv[0])
    gnu = process.env.get("FLAVOUR") != "busybox"
    known = f"gnu:{name}" in PROGRAMS if gnu else name in BUSYBOX_APPLETS
    if not known:
        raise ExecError(ENOENT, process.argv[0], searched=True)
    return PROGRAMS[f"gnu:{name}" if gnu else "busybox"](process)


def run_ours(flavour: str, argv: list[str], stdin: bytes, files: Files, env: dict[str, str] | None = None) -> Result:
    stdout, stderr = Output(), Output()
    kernel = kernel_alone(Clock(NOW), PROGRAMS, execute)
    process = Process(argv, {**ENV, **(env or {}), "FLAVOUR": flavour}, files, Input(stdin), stdout, stderr, kernel)
    process = replace(process, argv=argv if flavour == "gnu" else ["busybox", *argv])
    status = PROGRAMS[f"gnu:{argv[0]}" if flavour == "gnu" else "busybox"](process)
    return Result(status, stdout.getvalue(), stderr.getvalue(), {})


def run_real(flavour: str, argv: list[str], stdin: bytes, root: Path) -> Result:
    command = argv if flavour == "gnu" else [str(BUSYBOX), *argv]
    if flavour == "gnu":
        command = [shutil.which(argv[0]) or argv[0], *argv[1:]]
    done = subprocess.run(
        command if flavour != "gnu" else argv, executable=command[0] if flavour == "gnu" else None, input=stdin,
        capture_output=True, cwd=root, env=ENV, timeout=20, check=False,
    )  # fmt: skip
    return Result(done.returncode, done.stdout, done.stderr, {})


def real_tree(root: Path) -> dict[str, tuple[object, ...]]:
    """Path to type and mode, owner, content or target, whether the modification time is the layout's."""
    tree = {}
    for path in sorted(root.rglob("*")):
        about = path.lstat()
        tree[str(path.relative_to(root))] = _row(about, path.read_bytes() if path.is_file() else b"", path, os.readlink)
    return tree


def our_tree(files: Files, root: Path) -> dict[str, tuple[object, ...]]:
    tree = {}
    for folder, folders, others in files.walk(str(root)):
        for name in [*folders, *others]:
            path = f"{folder}/{name}"
            about = files.lstat(path)
            regular = stat.S_ISREG(about.st_mode) or (
                stat.S_ISLNK(about.st_mode) and files.exists(path) and not files.is_dir(path)
            )
            tree[path.removeprefix(f"{root}/")] = _row(
                about, files.read(path) if regular else b"", path, files.readlink
            )
    return tree


def _row(about, data: bytes, path, readlink) -> tuple[object, ...]:  # type: ignore[no-untyped-def]
    link = readlink(path) if stat.S_ISLNK(about.st_mode) else ""
    mtime = about.st_mtime_ns // 10**9
    return (
        oct(about.st_mode),
        about.st_uid,
        about.st_gid,
        about.st_nlink,
        hashlib.sha256(data).hexdigest() if len(data) > 200 else data,
        str(link),
        "now" if mtime >= NOW // 10**9 else mtime,
    )


@contextmanager
def place() -> Iterator[Path]:
    root = Path(tempfile.mkdtemp(prefix="labkit-oracle-"))
    root.chmod(0o755)
    try:
        yield root
    finally:
        shutil.rmtree(root, ignore_errors=True)


def both(flavour: str, line: str, stdin: bytes = b"", layout: dict[str, str] | None = None) -> tuple[Result, Result]:
    """A line of commands, separated by ` ; `, by labkit and by the real utilities, in a fresh layout each."""
    old = os.umask(0o022)
    try:
        with place() as root:
            files = new_files(root)
            lay(root, files, LAYOUT if layout is None else layout)
            ours, real = Result(0, b"", b"", {}), Result(0, b"", b"", {})
            for command in split(line):
                ours = _joined(ours, run_ours(flavour, command, stdin, files))
                real = _joined(real, run_real(flavour, command, stdin, root))
            return replace(ours, tree=our_tree(files, root)), replace(real, tree=real_tree(root))
    finally:
        os.umask(old)


def split(line: str) -> Iterable[list[str]]:
    return [shlex.split(command) for command in line.split(" ; ")]


def _joined(one: Result, other: Result) -> Result:
    return Result(other.status, one.stdout + other.stdout, one.stderr + other.stderr, {})


_VARIES = [  # what no two machines agree on: inode numbers, the time of the change, the order of find
    (re.compile(rb"(?<=Inode: )\d+ *"), b"N "),
    (
        re.compile(rb"(?m)^(Change|Modify|Access|[ ]Birth): (\d{4}-.*|-)$"),
        lambda match: match[0] if b"2023-11-14" in match[0] else match[1],
    ),
    (re.compile(rb"(?m)(?<=^real|^user)( +)[\dms.]+$|(?<=^sys)( +)[\dms.]+$"), rb" N"),
    (re.compile(rb"labkit-oracle-\w+"), b"PLACE"),
    (re.compile(rb"/proc/self/fd/\d+"), b"/proc/self/fd/N"),
]


@cache
def measures_as_ext4() -> bool:
    """Whether a folder has 4096 bytes here, and a file of one byte a block of as many."""
    with place() as root:
        (root / "file").write_bytes(b"x")
        return root.stat().st_size == 4096 and (root / "file").stat().st_blocks == 8


def shown(result: Result, *, unordered: bool = False, left_out: str | None = None) -> dict[str, object]:
    """A result to be compared: busybox's usage up to its first line, the tree but for what is below left_out.

    Unordered are words, and so the bytes of an archive.
    """
    stderr = result.stderr.split(b"BusyBox v1", 1)[0]
    stdout = result.stdout
    if unordered:
        stdout, stderr = (b" ".join(sorted(re.split(rb"[\s\0]+", text))) for text in (stdout, stderr))
    for pattern, by in _VARIES:
        stdout, stderr = pattern.sub(by, stdout), pattern.sub(by, stderr)
    tree = {path: entry for path, entry in result.tree.items() if left_out is None or not path.startswith(left_out)}
    if unordered:
        tree = {path: entry[:4] if path.endswith(ARCHIVES) else entry for path, entry in tree.items()}
    return {"status": result.status, "stdout": stdout, "stderr": stderr, "tree": tree}
