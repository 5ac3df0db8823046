"""The images of the registry: their layers, histories and sizes."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from labkit.catalog import debian, images
from labkit.catalog import entries as e
from labkit.catalog.computers import host_entries
from labkit.catalog.entries import load
from labkit.catalog.images import CatalogImage, Registry, catalog_image, familiar, names
from labkit.catalog.programs import PROGRAMS
from labkit.kernel.process import program_name

RECORDS = load("images.toml", images.ImageRecords)["image"]
MB = 1_000_000


def size(name: str, tag: str = "latest") -> int:
    image = catalog_image(name, tag)
    assert image is not None
    return sum(layer.size for layer in image.layers)


@pytest.mark.parametrize(
    ("name", "tag", "least", "most"),
    [
        ("busybox", "latest", 1.9, 2.1),  # base.json: 1,982,256 bytes and a link an applet
        ("alpine", "latest", 7, 9),
        ("debian", "latest", 119.5, 121),  # Installed-Size of a minimal system
        ("debian", "bookworm-slim", 69.5, 70),  # measured
        ("ubuntu", "latest", 119.5, 121),  # the notes' picture 2: 120 MB
        ("python", "3.12-slim", 100, 130),
        ("python", "latest", 500, 700),
        ("nginx", "latest", 80, 110),
        ("mysql", "latest", 250, 400),
        ("node", "latest", 250, 300),
    ],
)
def test_sizes(name: str, tag: str, least: float, most: float) -> None:
    assert least * MB <= size(name, tag) <= most * MB


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: f"{record['name']}:{record['tags'][0]}")
def test_every_layer_says_where_its_size_comes_from(record: dict) -> None:
    assert [step["by"] for step in record["step"] if "contents" in step and not step.get("source")] == []


@pytest.mark.parametrize("name", ["debian.json", "pypi.json", "npm.json", "busybox.json", "alpine.toml"])
def test_every_table_of_sizes_says_where_they_come_from(name: str) -> None:
    assert len(load(name, dict)["source"]) > 20


@pytest.mark.parametrize(("name", "tag"), names())
def test_history_and_layers_agree(name: str, tag: str) -> None:
    image = catalog_image(name, tag)
    assert isinstance(image, CatalogImage)
    full = [line for line in image.config["history"] if not line.get("empty_layer")]
    assert len(full) == len(image.layers) == len(image.config["rootfs"]["diff_ids"])
    assert image.config["rootfs"]["diff_ids"] == [layer.diff_id for layer in image.layers]
    assert image.config["config"]["Cmd"]
    assert any(variable.startswith("PATH=") for variable in image.config["config"]["Env"])


def test_images_share_the_layers_of_their_base() -> None:
    slim, python, mysql = (
        catalog_image(*name) for name in (("debian", "bookworm-slim"), ("python", "3.12-slim"), ("mysql", "latest"))
    )
    assert slim is not None
    assert python is not None
    assert mysql is not None
    assert slim.layers[0] is python.layers[0] is mysql.layers[0]


def test_digests_differ_and_are_the_same_each_time() -> None:
    digests = {image.digest for record in RECORDS if (image := catalog_image(record["name"], record["tags"][0]))}
    assert len(digests) == len(RECORDS)
    image = catalog_image("busybox")
    assert image is not None
    assert image.digest == image.digest
    assert len(image.blobs) == len(image.layers)


def test_mysql_has_a_volume_an_entrypoint_and_ports() -> None:
    image = catalog_image("mysql")
    assert image is not None
    config = image.config["config"]
    assert config["Volumes"] == {"/var/lib/mysql": {}}
    assert (config["Entrypoint"], config["Cmd"]) == (["docker-entrypoint.sh"], ["mysqld"])
    assert set(config["ExposedPorts"]) == {"3306/tcp", "33060/tcp"}


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("busybox", "busybox"),
        ("library/busybox", "busybox"),
        ("docker.io/library/busybox", "busybox"),
        ("docker.io/course/app", "course/app"),
        ("127.0.0.1:5000/course/app", "127.0.0.1:5000/course/app"),
    ],
)
def test_short_names(name: str, short: str) -> None:
    assert familiar(name) == short


def test_the_registry_tells_a_missing_tag_from_a_missing_name() -> None:
    registry = Registry()
    assert registry.get("docker.io/library/busybox", "latest") is catalog_image("busybox")
    assert registry.get("busybox", "9.9") is None
    assert registry.has("busybox")
    assert not registry.has("nosuch")
    image = catalog_image("alpine")
    assert image is not None
    assert registry.get("alpine", image.digest) is image


def test_a_machine_may_add_images() -> None:
    image = catalog_image("busybox")
    assert image is not None
    mine = CatalogImage("course/app", "2", image.config, image.layers)
    assert Registry([mine]).get("docker.io/course/app", "2") is mine


def find_base() -> Path | None:
    found = Path(__file__).parents[1] / "conformance" / "base.json"
    return found if found.exists() else None


@pytest.mark.skipif(find_base() is None, reason="tests/conformance/base.json is not there")
def test_the_catalogs_busybox_is_the_base_image_of_the_recordings() -> None:
    listing = json.loads(find_base().read_text())  # type: ignore[union-attr]
    mine = {entry.path: entry for entry in images.base_entries(images.busybox_listing())}
    theirs = {entry.path: entry for entry in images.base_entries(listing)}
    assert mine == theirs
    assert {f"{kind}" for kind in map(stat.S_IFMT, (entry.mode for entry in mine.values()))} == {
        str(stat.S_IFDIR), str(stat.S_IFREG), str(stat.S_IFLNK),
    }  # fmt: skip


def test_an_image_of_a_base_has_its_files() -> None:
    listing = [
        {"path": "/bin", "mode": "0o755", "type": "directory"},
        {"path": "/bin/busybox", "mode": "0o755", "type": "file", "size": 5000},
        {"path": "/bin/sh", "type": "symlink", "target": "busybox"},
        {"path": "/note", "mode": "0o600", "type": "file", "size": 3, "content": "hi\n"},
    ]
    image = images.image_from_base(listing)
    files = {entry.path: entry for entry in image.layers[0].entries()}
    assert program_name(files["bin/busybox"].data) == "busybox"  # type: ignore[arg-type]
    assert (len(files["bin/busybox"].data), files["bin/sh"].data, bytes(files["note"].data)) == (
        5000,
        "busybox",
        b"hi\n",
    )  # type: ignore[arg-type]
    assert files["note"].mode == stat.S_IFREG | 0o600


@pytest.mark.parametrize("name", ["curl", "git", "python3", "nginx", "build-essential"])
def test_a_packages_files_are_its_installed_size(name: str) -> None:
    record = debian.packages()[name]
    assert e.size(debian.package_entries(name)) == record["installed"] * 1024


def test_what_a_package_needs_comes_first() -> None:
    order = debian.needs(["curl"], recommends=False, installed=debian.base_packages())
    assert order[-1] == "curl"
    assert order.index("libcurl4") < order.index("curl")
    assert len(order) == 16  # as apt-get -s install --no-install-recommends says on a minimal Debian 12
    assert len(debian.needs(["curl"], installed=debian.base_packages())) == 22  # and with what it recommends


def test_the_host_is_debian_with_docker() -> None:
    files = {entry.path: entry for entry in host_entries()}
    assert files["bin"].data == "usr/bin"
    assert program_name(files["usr/bin/docker"].data) == "docker"  # type: ignore[arg-type]
    assert program_name(files["usr/bin/dash"].data) == "dash"  # type: ignore[arg-type]
    assert files["usr/bin/sh"].data == "dash"
    assert program_name(files["usr/bin/ls"].data) == "gnu:ls"  # type: ignore[arg-type]
    assert stat.S_ISDIR(files["home/learner"].mode)
    assert files["tmp"].mode & 0o7777 == 0o1777
    assert b"learner:x:1000:" in bytes(files["etc/passwd"].data)  # type: ignore[arg-type]


def test_every_path_of_the_host_stands_once() -> None:
    paths = [entry.path for entry in host_entries()]
    assert len(paths) == len(set(paths))


def test_every_program_of_the_table_can_be_loaded() -> None:
    from importlib import import_module

    from labkit.catalog.programs import _TABLE

    for place in _TABLE.values():
        module, function = place.split(".")
        assert callable(getattr(import_module(f"labkit.catalog.programs.{module}"), function))
    assert set(PROGRAMS) >= set(_TABLE)
