"""The driver that the daemon picks, on each engine and machine, and its refusals."""

from __future__ import annotations

import pytest

from labkit import Machine
from labkit.drivers import DRIVERS
from labkit.drivers.choice import DISTRIBUTIONS, DriverRefused, Setting, choose, machine
from labkit.engine.engine import KERNEL_VERSION

STARTING = "failed to start daemon: error initializing graphdriver: "

PICKED = [  # engine, distribution, backing, the driver
    ("17.06", "ubuntu-16.04", "ext4", "aufs"),
    ("17.06", "ubuntu-16.04", "btrfs", "btrfs"),
    ("17.06", "centos-7", "xfs", "overlay2"),
    ("17.09", "ubuntu-16.04", "ext4", "overlay2"),
    ("19.03", "ubuntu-16.04", "btrfs", "btrfs"),
    ("19.03", "ubuntu-16.04", "zfs", "zfs"),
    ("19.03", "ubuntu-14.04", "ext4", "aufs"),
    ("20.10", "debian-11", "btrfs", "btrfs"),
    ("20.10", "ubuntu-20.04", "overlay", "aufs"),
    ("20.10", "debian-11", "overlay", "devicemapper"),
    ("23", "debian-12", "btrfs", "overlay2"),
    ("24", "debian-12", "ext4", "overlay2"),
    ("25", "debian-12", "overlay", "vfs"),
    ("29", "debian-12", "zfs", "overlay2"),
]


def setting(engine: str, distribution: str, backing: str) -> Setting:
    return Setting(engine, distribution, DISTRIBUTIONS[distribution].kernel, backing)


@pytest.mark.parametrize(("engine", "distribution", "backing", "driver"), PICKED)
def test_what_is_picked(engine: str, distribution: str, backing: str, driver: str) -> None:
    assert choose(setting(engine, distribution, backing)) == driver


def test_the_driver_that_was_used_stays() -> None:
    here = setting("28", "debian-12", "btrfs")
    assert choose(here, used=["btrfs"]) == "btrfs"
    assert choose(here, used=["vfs", "aufs"]) == "overlay2"
    with pytest.raises(DriverRefused, match="contains several valid graphdrivers: btrfs, overlay2; cleanup"):
        choose(here, used=["overlay2", "btrfs"])


REFUSED = [
    ({"storage_driver": "nosuch"}, 'configured driver "nosuch" not available: unavailable'),
    ({"storage_driver": "aufs", "engine": "29"}, 'configured driver "aufs" not available: unavailable'),
    (
        {"storage_driver": "aufs", "engine": "24"},
        "[graphdriver] ERROR: the aufs storage-driver has been deprecated and removed",
    ),
    ({"storage_driver": "fuse-overlayfs", "engine": "19.03"}, "driver not supported: fuse-overlayfs"),
    ({"storage_driver": "overlay2", "kernel": "3.13.0", "distribution": "debian-9"}, "driver not supported: overlay2"),
    ({"storage_driver": "btrfs", "backing": "ext4"}, "prerequisites for driver not satisfied (wrong filesystem?)"),
    (
        {"storage_driver": "overlay2", "engine": "19.03", "backing": "zfs"},
        "backing file system is unsupported for this graph driver",
    ),
]


@pytest.mark.parametrize(("asked", "said"), REFUSED)
def test_refusals(asked: dict[str, str], said: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011  (the whole text is compared)
        Machine(**asked)
    assert str(caught.value).partition(" (storage_driver")[0] == STARTING + said


def test_what_is_no_machine() -> None:
    for wrong in ({"engine": "1.0"}, {"engine": "new"}, {"distribution": "plan9"}, {"backing": "fat"}):
        with pytest.raises(ValueError, match="|".join(wrong.values())):
            Machine(**wrong)


NEWEST = {
    "overlay2": ("29", "debian-12", "ext4"),
    "overlay": ("23", "debian-12", "ext4"),
    "aufs": ("23", "ubuntu-20.04", "ext4"),
    "fuse-overlayfs": ("29", "debian-12", "ext4"),
    "btrfs": ("29", "debian-12", "btrfs"),
    "zfs": ("29", "debian-12", "zfs"),
    "devicemapper": ("24", "debian-12", "ext4"),
    "vfs": ("29", "debian-12", "ext4"),
    "overlayfs": ("29", "debian-12", "ext4"),
}


@pytest.mark.parametrize("name", DRIVERS)
def test_the_newest_machine_on_which_a_driver_works(name: str) -> None:
    driver, here = machine(name)
    assert (driver, (here.engine, here.distribution, here.backing)) == (name, NEWEST[name])


def test_info_and_version_say_it() -> None:
    old = Machine(engine="19.03", distribution="ubuntu-18.04", backing="xfs")
    said = old.run("docker info").stdout
    for line in ("Storage Driver: overlay2", "Backing Filesystem: xfs", "Server Version: 19.03"):
        assert line in said
    assert "Kernel Version: 4.15.0-20-generic" in said
    assert "Operating System: Ubuntu 18.04 LTS" in said
    assert old.run("docker version --format '{{.Server.Version}}'").stdout == "19.03\n"


def test_the_default_machine_is_the_engine_s() -> None:
    assert DISTRIBUTIONS["debian-12"].kernel == KERNEL_VERSION
    assert Machine().driver.name == "overlay2"
