"""A program that runs is not written to: execve(2) and open(2), ETXTBSY; for union mounts what kernel 6.18 does.

The kernel counts at the inode in memory. A union mount has its own, not the lower file's, and with index=off one for
each name of a lower file that has several (Documentation/filesystems/overlayfs.rst, fs/overlayfs/inode.c).
"""

from __future__ import annotations

import pytest

from labkit.machine import Machine

BUSY = "can't create {}: Text file busy"
HOST_BUSY = "cannot create {}: Text file busy"
_RUNS = "docker run -d --name c1 busybox sleep 1d; "
_LOWER = "$(docker inspect -f '{{.GraphDriver.Data.LowerDir}}' c1 | sed s/.*://)"


def said(machine: Machine, line: str) -> str:
    done = machine.run(line)
    return f"{done.stdout}{done.stderr}"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("docker run --rm busybox sh -c 'echo > /bin/sh'", BUSY.format("/bin/sh")),
        (_RUNS + "docker exec c1 sh -c 'echo >> /bin/sleep'", BUSY.format("/bin/sleep")),
        (_RUNS + "docker exec c1 sh -c 'chmod 600 /bin/busybox; echo >> /bin/sleep'", BUSY.format("/bin/sleep")),
        (_RUNS + "docker exec c1 cp /etc/passwd /bin/busybox", "cp: can't create '/bin/busybox': Text file busy"),
        (_RUNS + "docker exec c1 dd if=/dev/null of=/bin/busybox", "can't open '/bin/busybox': Text file busy"),
        ("docker run --rm busybox sh -c 'mkdir d; cp /bin/sleep /d; ln /d/sleep /y; /d/sleep 9 & echo > /y'", BUSY.format("/y")),
        ("docker run --rm -v v1:/v busybox sh -c 'cp /bin/sleep /v; ln -s sleep /v/y; /v/sleep 9 & >/v/y'", BUSY.format("/v/y")),
        ("docker run --rm busybox sh -c 'cp /bin/sh /x; chmod +x /x; exec 3>>/x; /x'", "sh: /x: Text file busy"),
        ("docker run --rm debian sh -c 'sleep 5 & echo > /usr/bin/sleep'", HOST_BUSY.format("/usr/bin/sleep")),
        ("docker run -d --name c1 debian sh -c 'sleep 9; true'; docker exec c1 sh -c '>/usr/bin/sleep'", "busy"),
        ("echo > /bin/sh", HOST_BUSY.format("/bin/sh")),
        ("cp /bin/sleep s; ./s 9 & ls >> s", HOST_BUSY.format("s")),
    ],
)  # fmt: skip
def test_busy(line: str, says: str) -> None:
    assert says in said(Machine(), line)


@pytest.mark.parametrize(
    "line",
    [
        "docker run --rm busybox sh -c 'rm /bin/busybox; echo > /bin/busybox'",  # another file under the name
        "docker run --rm busybox sh -c 'cp /bin/sh /x; echo > /x'",
        "docker run --rm busybox sh -c 'mkdir d; cp /bin/sleep /d; /d/sleep 0; echo > /d/sleep'",  # it has ended
        "docker run --rm busybox sh -c 'mkdir d; cp /bin/sleep /d; /d/sleep 9 & mv /d/sleep /y; echo > /d/sleep'",
        "docker run --rm busybox sh -c 'printf \"true\\nsed -i s/t/u/ \\$0; echo >> \\$0\" > /s; sh /s'",  # a script
        _RUNS + "docker run --rm debian sh -c 'echo > /usr/bin/sleep'",
        _RUNS + "docker run --rm busybox sh -c 'rm /bin/sleep; echo > /bin/sleep'",
        _RUNS + f"echo >> {_LOWER}/bin/busybox",  # the lower file is none of the mount's
        _RUNS + "docker rm -f c1; docker run --rm busybox true",
        "echo > f; docker run --rm -v ./f:/bin/busybox2 busybox sh -c 'cp /bin/sh /bin/busybox2'",
        _RUNS + "docker cp /etc/passwd c1:/bin/busybox",  # moby unlinks what it replaces (go-archive, UnpackLayer)
    ],
)
def test_not_busy(line: str) -> None:
    assert "busy\n" not in said(Machine(), line).replace("busybox", "")


@pytest.mark.parametrize("driver", ["overlay2", "vfs", "btrfs", "devicemapper", "fuse-overlayfs"])
def test_each_container_has_its_own(driver: str) -> None:
    """Two containers of one image; the program of the one may be written in the other, which does not run it."""
    machine = Machine(storage_driver=driver)
    machine.run("docker run -d --name c1 debian sleep 1d")
    assert "busy" in said(machine, "docker exec c1 sh -c 'echo > /usr/bin/sleep'")
    assert said(machine, "docker run --rm debian sh -c 'echo > /usr/bin/sleep && echo yes'") == "yes\n"


def test_what_runs_is_undone_with_the_machine() -> None:
    machine = Machine()
    machine.run("docker create --name c1 -v v1:/v busybox sleep 1d; docker pull -q debian")
    before = machine.snapshot()
    machine.run("docker start c1")
    busy = machine.snapshot()
    write = "docker exec c1 sh -c 'echo > /bin/busybox'"
    assert "busy" in said(machine, write)
    machine.restore(before)
    assert machine.kernel.running == []
    assert list(machine.store.running()) == []
    machine.restore(busy)
    assert "busy" in said(machine, write)
    machine.run("docker stop -t 0 c1")
    assert list(machine.store.running()) == []
