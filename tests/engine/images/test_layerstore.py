from __future__ import annotations

import pytest

from labkit.engine.core.records import chain_ids
from labkit.files import Content, Entry, Layer
from tests.engine.conftest import Lab


def layer(name: str) -> Layer:
    return Layer.of([Entry(name, 0o100644, data=Content(name))])


def test_chain_ids() -> None:
    first, second = chain_ids(["sha256:a", "sha256:b"])
    assert first == "sha256:a"
    assert len(second) == len("sha256:") + 64


def test_a_layer_goes_with_its_last_reference(lab: Lab) -> None:
    store = lab.engine.layerstore
    base = store.register(layer("a"), None)
    top = store.register(layer("b"), base.chain_id)
    assert store.register(layer("b"), base.chain_id).chain_id == top.chain_id
    assert store.release(base.chain_id) == []
    assert store.release(top.chain_id) == []
    assert store.release(top.chain_id) == [top.chain_id, base.chain_id]
    assert store.get(base.chain_id) is None


def test_the_init_layer(lab: Lab) -> None:
    identifier = lab.create("c1", "true")
    writable = lab.engine.tables.mounts[identifier]
    assert writable.init_id == f"{writable.mount_id}-init"
    top = f"/var/lib/docker/overlay2/{writable.init_id}/diff"
    found = [
        f"{folder}/{name}"[len(top) :] for folder, folders, names in lab.host.walk(top) for name in folders + names
    ]
    assert sorted(found) == [
        "/.dockerenv", "/dev", "/dev/console", "/dev/pts", "/dev/shm", "/etc", "/etc/hostname", "/etc/hosts",
        "/etc/mtab", "/etc/resolv.conf", "/proc", "/sys",
    ]  # fmt: skip
    assert lab.engine.diff("c1") == []


@pytest.mark.parametrize("driver", ["overlay2", "vfs"])
def test_diff(make_lab: type[Lab], driver: str) -> None:
    lab = make_lab(driver)
    lab.up("c1")
    lab.exec("c1", "tee", "/new", "x")
    lab.exec("c1", "rm", "/etc/passwd")
    assert lab.engine.diff("c1") == [("C", "/etc"), ("D", "/etc/passwd"), ("A", "/new")]


def test_folders_on_the_host(lab: Lab) -> None:
    root = "/var/lib/docker/image/overlay2/layerdb/sha256"
    chain = lab.host.listdir(root)[0]
    assert lab.host.listdir(f"{root}/{chain}") == ["cache-id", "diff", "size", "tar-split.json.gz"]
    assert lab.host.read(f"{root}/{chain}/size") == b"1984162"
    image = lab.engine.find_image("busybox")
    assert lab.host.listdir("/var/lib/docker/image/overlay2/imagedb/content/sha256") == [image.id[7:]]
    assert lab.host.read(f"/var/lib/docker/image/overlay2/imagedb/content/sha256/{image.id[7:]}") == image.text.encode()
    assert lab.host.read("/var/lib/docker/image/overlay2/repositories.json").decode() == (
        f'{{"Repositories":{{"busybox":{{"busybox:latest":"{image.id}"}}}}}}'
    )
