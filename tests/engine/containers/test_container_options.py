"""--storage-opt and --device: what the daemon says of them, and what a container gets."""

from __future__ import annotations

import json

import pytest

from labkit import Machine
from labkit.machine import Machine as AnyMachine

QUOTA = "--storage-opt is supported only for overlay over xfs with 'pquota' mount option"
REFUSED = [
    ("overlay2", "size=1g", QUOTA),
    ("overlay2", "foo=1", "Unknown option foo"),
    ("overlay", "size=1g", "--storage-opt is not supported for overlay"),
    ("aufs", "size=1g", "--storage-opt is not supported for aufs"),
    ("fuse-overlayfs", "foo=1", "--storage-opt is not supported"),
    ("vfs", "size=1g", "Filesystem does not support, or has not enabled quotas"),
    ("vfs", "foo=1", "Storage opt foo not supported"),
    ("btrfs", "size=0", "btrfs: invalid storage size: 0B"),
    ("btrfs", "size=abc", "invalid size: 'abc'"),
    ("btrfs", "size=1g", "this simulated btrfs has no quotas"),
    ("zfs", "foo=1", "Unknown option foo"),
    ("devicemapper", "size=1g", "devmapper: Container size cannot be smaller than 10.74GB"),
    ("devicemapper", "foo=1", "Unknown option foo"),
]


def with_busybox(driver: str) -> AnyMachine:
    machine = Machine(storage_driver=driver)
    machine.run("docker pull -q busybox")
    return machine


@pytest.mark.parametrize(("driver", "option", "message"), REFUSED)
def test_a_driver_refuses_an_option(driver: str, option: str, message: str) -> None:
    machine = with_busybox(driver)
    done = machine.run(f"docker create --name c1 --storage-opt {option} busybox")
    assert (done.returncode, done.stderr) == (1, f"Error response from daemon: {message}\n")
    assert machine.run("docker create --name c1 busybox").returncode == 0


def test_a_thin_device_grows() -> None:
    machine = with_busybox("devicemapper")
    done = machine.run(
        "docker run --name c1 --storage-opt size=20g busybox sh -c 'dd if=/dev/zero of=/x bs=1M count=12000 && ls -l /x'"
    )
    assert done.returncode == 0, done.stderr
    inspected = json.loads(machine.run("docker inspect c1").stdout)[0]
    assert inspected["GraphDriver"]["Data"]["DeviceSize"] == str(20 << 30)
    assert inspected["HostConfig"]["StorageOpt"] == {"size": "20g"}
    plain = machine.run("docker run busybox dd if=/dev/zero of=/x bs=1M count=12000")
    assert "No space left on device" in plain.stderr


@pytest.fixture(scope="module")
def machine() -> AnyMachine:
    return with_busybox("overlay2")


MAPPINGS = [
    ("/dev/null", ("/dev/null", "/dev/null", "rwm")),
    ("/dev/null:/dev/x", ("/dev/null", "/dev/x", "rwm")),
    ("/dev/null:r", ("/dev/null", "/dev/null", "r")),
    ("/dev/null:/dev/x:rw", ("/dev/null", "/dev/x", "rw")),
]


@pytest.mark.parametrize(("text", "mapping"), MAPPINGS)
def test_a_device_in_an_inspect(machine: AnyMachine, text: str, mapping: tuple[str, str, str]) -> None:
    identifier = machine.run(f"docker create --device {text} busybox").stdout.strip()
    shown = machine.run(f"docker inspect --format '{{{{json .HostConfig.Devices}}}}' {identifier}").stdout
    assert json.loads(shown) == [
        dict(zip(("PathOnHost", "PathInContainer", "CgroupPermissions"), mapping, strict=True))
    ]


def test_a_device_is_a_node_in_the_container(machine: AnyMachine) -> None:
    done = machine.run(
        "docker run --rm --device /dev/null:/dev/one --device /dev/full:/dev/a/b busybox ls -l /dev/one /dev/a/b"
    )
    assert [line.split()[0:6] for line in done.stdout.splitlines()] == [
        ["crw-rw-rw-", "1", "root", "0", "1,", "7"],
        ["crw-rw-rw-", "1", "root", "0", "1,", "3"],
    ]
    assert "/dev/pts/" not in machine.run("docker run --rm --device /dev/pts:/dev/p busybox ls /dev/p").stdout


WRONG = [
    ("--device /dev/nosuch", 127, 'error gathering device information while adding custom device "/dev/nosuch": no such file or directory'),
    ("--device /etc/passwd", 125, 'error gathering device information while adding custom device "/etc/passwd": not a device node'),
    ("--device-read-bps /dev/nosuch:1mb", 127, "stat /dev/nosuch: no such file or directory"),
    ("--gpus driver=nvidia", 125, 'could not select device driver "nvidia" with capabilities: [[gpu]]'),
]  # fmt: skip


@pytest.mark.parametrize(("flags", "status", "message"), WRONG)
def test_a_device_that_the_daemon_refuses(machine: AnyMachine, flags: str, status: int, message: str) -> None:
    done = machine.run(f"docker run --rm {flags} busybox true")
    first = done.stderr.splitlines()[0]
    assert (done.returncode, first) == (status, f"docker: Error response from daemon: {message}")


CLIENT = [
    ("--device :/dev/x", "docker: bad format for path: :/dev/x"),
    ("--device a:b:c:d", "docker: bad format for path: a:b:c:d"),
    ("--device null", "docker: null is not an absolute path"),
    ("--device /dev/null:x", "docker: x is not an absolute path"),
    ("--device /dev/null:/dev/x:rr", "docker: bad mode specified: rr"),
    ("--device-read-bps sda:1mb", 'invalid argument "sda:1mb" for "--device-read-bps" flag: bad format for device path: sda:1mb'),
    ("--device-write-iops /dev/sda", 'invalid argument "/dev/sda" for "--device-write-iops" flag: bad format: /dev/sda'),
    ("--blkio-weight-device /dev/sda:5", 'invalid argument "/dev/sda:5" for "--blkio-weight-device" flag: invalid weight for device: /dev/sda:5'),
    ("--gpus foo=1", "invalid argument \"foo=1\" for \"--gpus\" flag: unexpected key 'foo' in 'foo=1'"),
    ("--gpus 1,count=2", "invalid argument \"1,count=2\" for \"--gpus\" flag: gpu request key 'count' can be specified only once"),
]  # fmt: skip


@pytest.mark.parametrize(("flags", "message"), CLIENT)
def test_a_device_that_the_client_refuses(machine: AnyMachine, flags: str, message: str) -> None:
    done = machine.run(f"docker run --rm {flags} busybox true")
    assert (done.returncode, done.stderr.splitlines()[0]) == (125, message)
