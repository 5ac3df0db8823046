"""A full file system: what fits is written, the utility says so, and what comes after it goes on.

Observed on a tmpfs of 64 KiB and on /dev/full with BusyBox v1.35.0, dash 0.5.12 and GNU coreutils 9.1 (Debian 12).
"""

from __future__ import annotations

import pytest

from labkit.machine import Machine

FULL = "No space left on device"
BUSYBOX = [  # a command in a container with 64 KiB at /t, what it says, its status, and the file's size after it
    ("head -c 100000 /dev/zero > /t/f", "head: standard output: I/O error", 1, 65536),
    ("seq 1 20000 > /t/f", "", 255, 65536),
    ("ls -lR /bin /bin /bin /bin /bin > /t/f", "", 0, None),
    ("cat /bin/busybox > /t/f", f"cat: write error: {FULL}", 1, 65536),
    ("tail -c 100000 /bin/busybox > /t/f", f"tail: write error: {FULL}", 1, 65536),
    ("cp /bin/busybox /t/f", f"cp: write error: {FULL}", 1, 65536),
    ("tee /t/f < /bin/busybox > /dev/null", "tee: /t/f: I/O error", 1, 65536),
    ("tar cf - /bin/busybox 2> /dev/null > /t/f", "", 1, 65536),
    ("dd if=/bin/busybox of=/t/f bs=100k count=1 2> /dev/null", "", 1, 65536),
    ("head -c 65536 /dev/zero > /t/f; echo hi > /t/g", f"sh: write error: {FULL}", 1, 65536),
    ("head -c 65536 /dev/zero > /t/f; touch /t/g; mkdir /t/d; ln -s a /t/l", "", 0, 65536),
]


@pytest.fixture(scope="module")
def machine() -> Machine:
    machine = Machine()
    machine.run("docker pull -q busybox")
    return machine


@pytest.mark.parametrize(("command", "said", "status", "size"), BUSYBOX)
def test_busybox(machine: Machine, command: str, said: str, status: int, size: int | None) -> None:
    line = f"docker run --rm --tmpfs /t:size=64k busybox sh -c '{command}; echo $? $(stat -c %s /t/f)'"
    done = machine.run(line)
    assert done.stderr == (f"{said}\n" if said else "")
    assert done.stdout.split()[0] == str(status)
    assert size is None or done.stdout.split()[1] == str(size)
    assert machine.run("docker ps -aq").stdout == ""


GNU = [
    ("seq 1 3", f"seq: write error: {FULL}", 1),
    ("ls /", f"ls: write error: {FULL}", 2),
    ("sort /etc/passwd", f"sort: fflush failed: 'standard output': {FULL}\nsort: write error", 2),
    ("sed p /etc/passwd", f"sed: couldn't flush stdout: {FULL}", 4),
    ("grep root /etc/passwd", f"grep: write error: {FULL}", 2),
    ("wc /etc/passwd", "wc: write error", 1),
    ("env", f"env: write error: {FULL}", 125),
    ("echo hi", "sh: 1: echo: echo: I/O error", 1),
]


@pytest.mark.parametrize(("command", "said", "status"), GNU)
def test_gnu(machine: Machine, command: str, said: str, status: int) -> None:
    done = machine.run(f"{command} > /dev/full")
    assert (done.stderr, done.returncode) == (f"{said}\n", status)


def test_shm_size(machine: Machine) -> None:
    line = "docker run --rm --shm-size 64k busybox sh -c 'seq 1 20000 > /dev/shm/f; stat -c %s /dev/shm/f; echo on'"
    assert machine.run(line).stdout == "65536\non\n"
