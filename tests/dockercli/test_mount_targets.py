"""Where nothing can be mounted, and sources that cannot be made: runc mount_entry.go and rootfs_linux.go (unverified)."""

from __future__ import annotations

import re

import pytest

from labkit.machine import Machine


@pytest.fixture(scope="module")
def machine():
    made = Machine()
    assert made.run("docker pull -q busybox; mkdir d; echo f > f; ln -s nowhere dangling").returncode == 0
    return made


def point(source: str, target: str, why: str) -> str:
    return f'error mounting "{source}" to rootfs at "{target}": create mountpoint for {target} mount: {why}: unknown'


SAFE = 'check proc-safety of {0} mount: "ROOT{0}" cannot be mounted because it is '
MADE = "error while creating mount source path '/home/learner/{}': mkdir /home/learner/dangling: file exists"
REFUSED = [
    ("-v ~/d:/proc", point("/home/learner/d", "/proc", SAFE.format("/proc") + "not of type proc")),
    ("-v ~/f:/proc/version", point("/home/learner/f", "/proc/version", SAFE.format("/proc/version") + "inside /proc")),
    ("--tmpfs /proc/net", point("tmpfs", "/proc/net", SAFE.format("/proc/net") + "inside /proc")),
    ("-v /", point("VOLUME", "/", 'mountpoint "ROOT" is on the top of rootfs "ROOT"')),
    (
        "-v ~/d:/etc/passwd/x",
        point(
            "/home/learner/d", "/etc/passwd/x", "lookup mountpoint target: openat2 ROOT/etc/passwd/x: not a directory"
        ),
    ),
    ("-v ~/dangling:/x", MADE.format("dangling")),
    ("-v ~/dangling/y:/x", MADE.format("dangling/y")),
]


@pytest.mark.parametrize(("words", "message"), REFUSED, ids=[row[0] for row in REFUSED])
def test_refused(machine, words, message):
    done = machine.run(f"docker run --rm {words} busybox true")
    text = re.sub(r"/var/lib/docker/overlay2/[0-9a-f]{64}/merged", "ROOT", done.stderr)
    text = re.sub(r"/var/lib/docker/volumes/[0-9a-f]{64}/_data", "VOLUME", text)
    assert message in text
    assert done.returncode == 125


def test_some_files_of_proc_may_be_covered(machine):
    assert machine.run("docker run --rm -v ~/f:/proc/uptime busybox cat /proc/uptime").stdout == "f\n"


def test_a_file_that_is_made_to_mount_on(machine):
    machine.run("docker run --rm -v ~/d:/d -v ~/f:/d/point busybox true")
    assert machine.run("stat -c '%a %s' d/point").stdout == "644 0\n"


def test_exec_in_a_relative_folder(machine):
    machine.run("docker run -d --name c1 busybox sleep 1d")
    done = machine.run("docker exec -w etc c1 pwd")
    assert done.stdout == "OCI runtime exec failed: exec failed: Cwd must be an absolute path: unknown\r\n"
    assert done.returncode == 128
