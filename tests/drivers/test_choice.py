"""The driver that the daemon picks, on each engine and machine, and its refusals."""

from __future__ import annotations

import pytest

from labkit import Machine
from labkit.drivers import DRIVERS
from labkit.drivers.choice import CONTAINERD, DISTRIBUTIONS, DriverRefused, Setting, choose, machine
from labkit.engine.core.core import KERNEL_VERSION

NO_DAEMON = "failed to start daemon: "
STARTING = f"{NO_DAEMON}error initializing graphdriver: "

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
    ("28", "debian-12", "zfs", "overlay2"),
    ("29", "debian-12", "zfs", "overlayfs"),
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


REMOVED = "deprecated and removed; visit https://docs.docker.com/go/storage-driver/ for more information"
REFUSED = [
    # An Engine 29 (storage-driver notes)
    ({"storage_driver": "nosuch"}, f'{NO_DAEMON}configured driver "nosuch" not available: unavailable'),
    ({"storage_driver": "aufs", "engine": "29"}, f'{NO_DAEMON}configured driver "aufs" not available: unavailable'),
    # what people's logs show of Engines 24 and later
    (
        {"storage_driver": "aufs", "engine": "24"},
        f"{STARTING}[graphdriver] ERROR: the aufs storage-driver has been {REMOVED}: aufs",
    ),
    (
        {"storage_driver": "devicemapper", "engine": "25"},
        f"{STARTING}[graphdriver] ERROR: the devicemapper storage-driver has been {REMOVED}: devicemapper",
    ),
    # moby's sources
    (
        {"image_store": "containerd", "backing": "overlay", "engine": "29"},
        f'{NO_DAEMON}configured driver "overlayfs" not available: unavailable',
    ),
    # unverified
    ({"storage_driver": "fuse-overlayfs", "engine": "19.03"}, f"{STARTING}driver not supported: fuse-overlayfs"),
    (
        {"storage_driver": "overlay2", "kernel": "3.13.0", "distribution": "debian-9"},
        f"{STARTING}driver not supported: overlay2",
    ),
    (
        {"storage_driver": "btrfs", "backing": "ext4"},
        f"{STARTING}prerequisites for driver not satisfied (wrong filesystem?)",
    ),
    (
        {"storage_driver": "overlay2", "engine": "19.03", "backing": "zfs"},
        f"{STARTING}backing file system is unsupported for this graph driver",
    ),
]


@pytest.mark.parametrize(("asked", "said"), REFUSED)
def test_refusals(asked: dict[str, str], said: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011  (the whole text is compared)
        Machine(**asked)
    assert str(caught.value).partition(" (storage_driver")[0] == said


FRESH_29 = setting("29", "debian-12", "ext4")
STORES = [  # what is asked for, whose folders are not empty, the feature; the driver (moby, daemon/image_store_choice.go)
    (None, [], None, "overlayfs"),
    (None, ["overlay2"], None, "overlay2"),
    (None, ["vfs", "aufs"], None, "overlayfs"),
    (None, ["overlay2"], True, "overlayfs"),
    (None, [], False, "overlay2"),
    ("vfs", [], None, "vfs"),
    ("overlay2", [], None, "overlay2"),
    ("overlayfs", [], None, "overlayfs"),
    ("overlayfs", [], True, "overlayfs"),
]
STORES_REFUSED = [
    ("overlay2", [], True, f'{NO_DAEMON}configured driver "overlay2" not available: unavailable'),
    ("overlayfs", ["overlay2"], None, f"{STARTING}driver not supported: overlayfs"),
    (
        "aufs",
        [],
        False,
        f'{NO_DAEMON}graphdriver is explicitly enabled but "aufs" is not registered, '
        "map[containerd-snapshotter:false] ",
    ),
    ("aufs", ["overlay2"], None, f"{STARTING}[graphdriver] ERROR: the aufs storage-driver has been {REMOVED}: aufs"),
]


@pytest.mark.parametrize(("asked", "used", "feature", "driver"), STORES)
def test_the_store_that_engine_29_picks(asked: str | None, used: list[str], feature: bool | None, driver: str) -> None:
    features = {} if feature is None else {CONTAINERD: feature}
    assert choose(FRESH_29, asked, used, features) == driver


@pytest.mark.parametrize(("asked", "used", "feature", "said"), STORES_REFUSED)
def test_the_stores_that_engine_29_does_not_have(asked: str, used: list[str], feature: bool | None, said: str) -> None:
    features = {} if feature is None else {CONTAINERD: feature}
    with pytest.raises(DriverRefused) as caught:
        choose(FRESH_29, asked, used, features)
    assert str(caught.value) == said


def test_older_engines_have_the_containerd_store_where_they_are_told() -> None:
    assert choose(setting("24", "debian-12", "ext4"), None, [], {CONTAINERD: True}) == "overlayfs"
    assert choose(setting("24", "debian-12", "ext4"), None, [], {}) == "overlay2"
    assert choose(setting("20.10", "debian-11", "ext4"), None, [], {CONTAINERD: True}) == "overlay2"


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


API_VERSIONS = [  # docker/docs, Engine API: the version of each engine
    ("17.06", "1.30"), ("17.09", "1.32"), ("17.12", "1.35"), ("18.06", "1.38"), ("18.09", "1.39"), ("19.03", "1.40"),
    ("20.10", "1.41"), ("23", "1.42"), ("24", "1.43"), ("25", "1.44"), ("26", "1.45"), ("27", "1.46"), ("28", "1.48"),
]  # fmt: skip


@pytest.mark.parametrize(("engine", "api"), API_VERSIONS)
def test_the_api_of_an_old_engine(engine: str, api: str) -> None:
    form = "{{.Client.Version}} {{.Client.ApiVersion}} {{.Server.Version}} {{.Server.ApiVersion}} {{.Server.MinAPIVersion}}"
    shown = Machine(engine=engine).run(f"docker version --format '{form}'").stdout
    assert shown == f"{engine} {api} {engine} {api} {'1.12' if float(engine) < 25 else '1.24'}\n"


def test_the_default_machine_is_the_engine_s() -> None:
    assert DISTRIBUTIONS["debian-12"].kernel == KERNEL_VERSION
    assert Machine().driver.name == "overlay2"
