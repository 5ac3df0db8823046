"""The thin pool: in loop files or of LVM's making, its blocks, what a device can hold, what a full pool does."""

from __future__ import annotations

import pytest

from labkit import Machine
from labkit.drivers import DRIVERS
from labkit.drivers.base import OptionRefused
from labkit.drivers.devicemapper import Devicemapper
from labkit.drivers.measure import Bench, change
from labkit.engine.daemon.daemon import StartFailed
from labkit.files import Content

LVM = {"dm.thinpooldev": "/dev/mapper/docker-thinpool"}
KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30


def bench(**options: str) -> Bench:
    words = {f"dm.{name}": value for name, value in options.items()}
    return Bench(lambda host, root: Devicemapper(host, root, {**words}))


def status(driver: Devicemapper) -> dict[str, str]:
    return dict(driver.status())


@pytest.mark.parametrize(
    ("options", "block"), [({}, 64 * KIB), (LVM, 512 * KIB), ({"dm.blocksize": "128k"}, 128 * KIB)]
)
def test_a_write_takes_a_block_of_the_pool(options: dict[str, str], block: int) -> None:
    """docker/docs: 64 KiB in loop-lvm, 512 KiB in a pool that was made as the manual way to direct-lvm says."""
    one = Bench(lambda host, root: Devicemapper(host, root, options))
    box = one.start(one.image([lambda files: files.write("/big", Content.filler("big", GIB))]))
    for offset in (0, 300 * MIB, 300 * MIB + 10, 800 * MIB):
        change(one.files(box), "/big", offset, b"!")
    assert one.driver.cost(box).copied == 3 * block


def test_loop_files_hold_what_the_layers_hold() -> None:
    one = bench()
    before = status(one.driver)
    one.image([lambda files: files.write("/big", Content.filler("big", 200 * MIB))])
    data = one.host.stat("/var/lib/docker/devicemapper/devicemapper/data")
    assert (data.st_size, data.st_blocks * 512) == (100 * GIB, 200 * MIB)
    assert before["Data Space Used"] == "0B"
    assert status(one.driver)["Data Space Used"] == "209.7MB"
    assert status(one.driver)["Data Space Available"] == "107.2GB"


LOOP_INFO = """\
 Storage Driver: devicemapper
  Pool Name: docker-254:1-131073-pool
  Pool Blocksize: 65.54kB
  Base Device Size: 10.74GB
  Backing Filesystem: xfs
  Data file: /dev/loop0
  Metadata file: /dev/loop1
  Data Space Used: 0B
  Data Space Total: 107.4GB
  Data Space Available: 107.4GB
  Thin Pool Minimum Free Space: 10.74GB
  Udev Sync Supported: true
  Deferred Removal Enabled: true
  Deferred Deletion Enabled: true
  Deferred Deleted Device Count: 0
  Data loop file: /var/lib/docker/devicemapper/devicemapper/data
  Metadata loop file: /var/lib/docker/devicemapper/devicemapper/metadata
"""
LVM_INFO = """\
 Storage Driver: devicemapper
  Pool Name: docker-thinpool
  Pool Blocksize: 524.3kB
  Base Device Size: 10.74GB
  Backing Filesystem: xfs
  Data file: 
  Metadata file: 
  Data Space Used: 0B
  Data Space Total: 102GB
  Data Space Available: 102GB
  Thin Pool Minimum Free Space: 10.2GB
  Udev Sync Supported: true
  Deferred Removal Enabled: true
  Deferred Deletion Enabled: true
  Deferred Deleted Device Count: 0
"""  # noqa: W291


@pytest.mark.parametrize(
    ("options", "shown"), [([], LOOP_INFO), (["dm.thinpooldev=/dev/mapper/docker-thinpool"], LVM_INFO)]
)
def test_docker_info(options: list[str], shown: str) -> None:
    """docker/docs, "Device Mapper storage driver", whose lines on the pool's metadata are not modelled."""
    machine = Machine(storage_driver="devicemapper", storage_options=options)
    assert shown in machine.run("docker info").stdout
    folders = machine.run("ls /var/lib/docker/devicemapper").stdout.split()
    assert folders == (["metadata", "mnt"] if options else ["devicemapper", "metadata", "mnt"])


def small_pool(size: str = "20m") -> Machine:
    options = [f"dm.loopdatasize={size}", "dm.min_free_space=0%"]
    return Machine(storage_driver="devicemapper", storage_options=options)


def test_a_full_pool_fails_writes() -> None:
    machine = small_pool()
    machine.run("docker run -d --name box busybox sleep 1000; docker run -d --name other busybox sleep 1000")
    full = machine.run("docker exec box dd if=/dev/urandom of=/big bs=1M count=50")
    assert full.returncode == 1
    assert "No space left on device" in full.stderr
    other = machine.run("docker exec other sh -c 'dd if=/dev/urandom of=/more bs=1M count=5'")
    assert "No space left on device" in other.stderr
    overwrite = machine.run("docker exec other sh -c 'echo x >> /etc/passwd'")
    assert "No space left on device" in overwrite.stderr
    machine.run("docker rm -f box")
    assert machine.run("docker exec other sh -c 'dd if=/dev/urandom of=/more bs=1M count=5'").returncode == 0


def test_deleting_makes_room_again() -> None:
    machine = small_pool()
    machine.run("docker run -d --name box busybox sleep 1000")
    for _ in range(8):  # together more than the pool
        done = machine.run("docker exec box sh -c 'dd if=/dev/urandom of=/big bs=1M count=5; rm /big'")
        assert done.returncode == 0


def test_a_pull_into_a_pool_that_is_too_small() -> None:
    failed = small_pool("1m").run("docker pull busybox")
    assert failed.returncode == 1
    reason = "write /bin/busybox: no space left on device"
    assert failed.stderr == f"Error response from daemon: failed to register layer: {reason}\n"


def test_below_a_tenth_of_free_blocks_no_layer_is_made() -> None:
    """moby, daemon/graphdriver/devmapper/deviceset.go."""
    machine = Machine(storage_driver="devicemapper", storage_options=["dm.loopdatasize=20m"])
    machine.run(
        "docker run -d --name box busybox sleep 1000; docker exec box dd if=/dev/urandom of=/big bs=1M count=17"
    )
    refused = machine.run("docker run busybox true")
    assert refused.returncode == 125
    assert "devmapper: Thin Pool has " in refused.stderr
    assert (
        " free data blocks which is less than minimum required 32 free data blocks. Create more free space in thin pool "
        "or use dm.min_free_space option to change behavior" in refused.stderr
    )
    assert machine.run("docker ps -aq").stdout.count("\n") == 1


def test_the_base_size_is_what_a_device_can_hold_and_only_grows() -> None:
    machine = Machine(storage_driver="devicemapper", storage_options=["dm.basesize=1g"])
    assert "Base Device Size: 1.074GB" in machine.run("docker info").stdout
    machine.run("docker run -d --name small busybox sleep 1000")
    assert "No space left" in machine.run("docker exec small dd if=/dev/zero of=/big bs=1M count=1100").stderr
    machine.restart_engine(storage_options=["dm.basesize=2g"])
    assert "Base Device Size: 2.147GB" in machine.run("docker info").stdout
    machine.run("docker run -d --name same-image busybox sleep 1000; docker pull -q alpine")
    assert "No space left" in machine.run("docker exec same-image dd if=/dev/zero of=/big bs=1M count=1100").stderr
    machine.run("docker run -d --name new-image alpine sleep 1000")
    assert machine.run("docker exec new-image dd if=/dev/zero of=/big bs=1M count=1100").returncode == 0
    with pytest.raises(StartFailed, match=r"devmapper: Base fs size cannot be smaller than 2\.147GB"):
        machine.restart_engine(storage_options=["dm.basesize=1g"])


def test_another_pool_has_none_of_the_layers() -> None:
    machine = Machine(storage_driver="devicemapper")
    with pytest.raises(
        StartFailed, match="devmapper: Base Device UUID and Filesystem verification failed"
    ):  # unverified
        machine.restart_engine(storage_options=["dm.thinpooldev=/dev/mapper/docker-thinpool"])


def test_the_pool_is_undone_with_the_machine() -> None:
    machine = small_pool()
    machine.run("docker run -d --name box busybox sleep 1000")
    saved, before = machine.snapshot(), machine.run("docker info").stdout
    machine.run("docker exec box dd if=/dev/urandom of=/big bs=1M count=50")
    assert "Data Space Available: 0B" not in before
    machine.restore(saved)
    assert machine.run("docker info").stdout == before
    assert machine.run("docker exec box dd if=/dev/urandom of=/ok bs=1M count=5").returncode == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["dm.nosuch=1"], "devmapper: Unknown option dm.nosuch"),
        (["dm.basesize"], "unable to parse key/value option: dm.basesize"),
        (["dm.basesize=much"], "invalid size: 'much'"),
        (["dm.min_free_space=100%"], "devmapper: Invalid value for min_free_space: 100"),
    ],
)
def test_options_that_it_does_not_take(words: list[str], said: str) -> None:
    """Unverified but for the first."""
    with pytest.raises(OptionRefused) as caught:
        Machine(storage_driver="devicemapper", storage_options=words)
    assert str(caught.value) == said


@pytest.mark.parametrize("name", [name for name in DRIVERS if not DRIVERS[name].options])
def test_the_other_drivers_take_no_options(name: str) -> None:
    with pytest.raises(OptionRefused):
        Machine(storage_driver=name, storage_options=["dm.basesize=20g"])
