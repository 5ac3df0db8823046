"""Scripts on a real shell and on ours, with the same empty folder, for comparison."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from alone import kernel_alone

from labkit.files import Files, Namespace, Store, makedev, tmpfs
from labkit.kernel.process import Clock, Input, Kernel, Output, Parked, Process, program_file
from labkit.shell import APPLETS, PROGRAMS, execute

SHELLS = {"ash": ["busybox", "sh"], "dash": ["dash"], "bash": ["bash"]}
NAMES = {"ash": "sh", "dash": "dash", "bash": "bash"}
FOLDER = "/work"


@dataclass(frozen=True)
class Ended:
    """How a script ended, and the files that it left."""

    status: int
    stdout: bytes
    stderr: bytes
    files: dict[str, bytes]


def cat(process: Process) -> int:
    """As little of cat as the tests need."""
    status = 0
    for name in process.argv[1:] or ["-"]:
        try:
            content = process.stdin.read_content() if name == "-" else process.files.content(name)
        except OSError as error:
            process.stderr.write(f"cat: {name}: {error.strerror}\n")
            status = 1
        else:
            process.stdout.write_content(content)
    return status


def env(process: Process) -> int:
    process.stdout.write("".join(f"{name}={value}\n" for name, value in process.env.items()))
    return 0


def sleep(process: Process) -> int:
    process.sleep(float(process.argv[1]))
    return 0


def yes(process: Process) -> int:
    while True:
        process.stdout.write("y\n" * 4096)
        process.tick()


def head(process: Process) -> int:
    """The first line."""
    process.stdout.write(process.stdin.readline())
    return 0


def date(process: Process) -> int:
    """The seconds of the machine's clock."""
    process.stdout.write(f"{process.kernel.clock.now // 10**9}\n")
    return 0


PROGRAM_TABLE = {"cat": cat, "env": env, "sleep": sleep, "yes": yes, "head": head, "date": date} | PROGRAMS


def machine(shell: str = "ash", programs: dict | None = None) -> tuple[Kernel, Files]:
    """A kernel with a few programs and a file system in which /bin/sh is this shell."""
    clock = Clock(0)
    store = Store(clock)
    files = Namespace(store, tmpfs(store, mode=0o755)).files()
    table = PROGRAM_TABLE | {"ash": APPLETS["sh"]} | (programs or {})
    for folder in ("/bin", "/tmp", "/etc", "/dev", FOLDER):
        files.makedirs(folder)
    for name in table:
        files.write(f"/bin/{name}", program_file(name, 4096))
        files.chmod(f"/bin/{name}", 0o755)
    files.mknod("/dev/null", 0o020666, makedev(1, 3))
    files.symlink(shell, "/bin/sh")
    files.chdir(FOLDER)
    return kernel_alone(clock, table, execute), files


def process(script: str, shell: str = "ash", *args: str, stdin: bytes = b"", **fields: object) -> Process:
    """`sh -c script`, ready to run."""
    kernel, files = machine(shell, fields.pop("programs", None))  # type: ignore[arg-type]
    argv = [NAMES[shell] if shell != "ash" else "sh", "-c", script, *args]
    given = {"PATH": "/bin", "HOME": "/root"}
    fields.setdefault("pid", 2)  # the first process gets no signals
    return Process(argv, given, files, Input(stdin), Output(), Output(), kernel, **fields)  # type: ignore[arg-type]


def run(script: str, shell: str = "ash", *args: str, stdin: bytes = b"", **fields: object) -> Ended:
    """The script on our shell."""
    made = process(script, shell, *args, stdin=stdin, **fields)
    status = execute(made)
    return Ended(status, made.stdout.getvalue(), made.stderr.getvalue(), left(made.files))


def left(files: Files) -> dict[str, bytes]:
    found = {}
    for folder, _, names in files.walk(FOLDER):
        for name in names:
            path = f"{folder}/{name}"
            found[path.removeprefix(FOLDER + "/")] = files.read(path)
    return found


def run_detached(made: Process) -> int:
    """The process to its end, the clock moved on to each time that it waits for."""
    try:
        return execute(made)
    except Parked as waiting:
        return finish(made, waiting)


def finish(made: Process, waiting: Parked) -> int:
    while True:
        assert waiting.until is not None
        made.kernel.clock.now = waiting.until
        try:
            return waiting.resume(made)
        except Parked as again:
            waiting = again


def needs(shell: str) -> None:
    """Skip, and say so, where there is no such real shell."""
    program = SHELLS[shell][0]
    if shutil.which(program) is None:
        pytest.skip(f"NOT COMPARED: there is no {program} here (apt-get install busybox-static dash)")


def run_real(script: str, shell: str = "ash", *args: str, stdin: bytes = b"") -> Ended:
    """The script on the real shell."""
    with tempfile.TemporaryDirectory() as folder:
        tools = Path(folder, "bin")
        tools.mkdir()
        for name in ("cat", "env", "sleep", "yes"):
            os.symlink(shutil.which(name) or f"/bin/{name}", tools / name)
        (tools / "sh").symlink_to(shutil.which(SHELLS[shell][0]) or "/bin/sh")
        work = Path(folder, "work")
        work.mkdir()
        done = subprocess.run(
            [*SHELLS[shell], "-c", script, *args],
            cwd=work,
            env={"PATH": str(tools), "HOME": "/root"},
            input=stdin,
            capture_output=True,
            timeout=10,
            check=False,
            executable=shutil.which(SHELLS[shell][0]),
        )
        files = {str(path.relative_to(work)): path.read_bytes() for path in sorted(work.rglob("*")) if path.is_file()}
        out, err = (text.replace(str(work).encode(), FOLDER.encode()) for text in (done.stdout, done.stderr))
        return Ended(done.returncode & 0xFF if done.returncode >= 0 else 128 - done.returncode, out, err, files)
