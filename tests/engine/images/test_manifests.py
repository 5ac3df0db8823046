"""Images in the containerd store: sizes, ids, inspect, removal (conformance/examples/containerd-images.txt)."""

import json
import re

import pytest

from labkit.catalog.images import base_archive, busybox_listing
from labkit.conformance.replay import conformance_machine
from labkit.engine.images.contentstore import gzip

_LONG = re.compile(r"[0-9a-f]{64}")
_SHORT = re.compile(r"\b(?=[0-9a-f]*[a-f])[0-9a-f]{12}\b")
_BUILD = (
    r"mkdir ctx; printf 'FROM busybox\nRUN mkdir /app && echo hello > /app/f\nCOPY note /app/\n"
    r'CMD ["sleep","1d"]\n'
    "' > ctx/Dockerfile; echo note > ctx/note; "
)


@pytest.fixture
def machine():
    return conformance_machine("containerd", base_archive(busybox_listing()))


def said(machine, script):
    """Both streams of a script, ids as # (long) and @ (short)."""
    done = machine.run(script)
    return _SHORT.sub("@", _LONG.sub("#", done.stdout + done.stderr))


def squeezed(text):
    return [" ".join(line.split()) for line in text.splitlines()]


SIZES = [  # a command, and what a recorded engine says to it
    ("docker images", ["IMAGE ID DISK USAGE CONTENT SIZE EXTRA", "busybox:latest @ 3.1MB 1.08MB"]),
    ("docker images --format '{{.Size}}'", ["3.1MB"]),
    (
        "docker image ls --tree",
        [
            "IMAGE ID DISK USAGE CONTENT SIZE EXTRA",
            "busybox:latest @ 3.1MB 1.08MB",
            "└─ linux/amd64 @ 3.1MB 1.08MB",
            "",
        ],
    ),
    ("docker system df --format '{{.Size}} {{.Reclaimable}}' | head -1", ["3.099MB 3.099MB (100%)"]),
    ("docker history --format '{{.Size}}' busybox", ["2.02MB"]),
    (
        _BUILD + "docker build -q -t one ctx > /dev/null; docker images | sort",
        ["IMAGE ID DISK USAGE CONTENT SIZE EXTRA", "busybox:latest @ 3.1MB 1.08MB", "one:latest @ 3.14MB 1.09MB"],
    ),
    # the snapshot between image and container counts in what ps calls virtual
    ("docker create --name k1 busybox > /dev/null; docker ps -as --format '{{.Size}}'", ["4.1kB (virtual 2.05MB)"]),
    (
        "docker run --name k1 -v /var/log busybox true; docker ps -as --format '{{.Size}}'",
        ["12.3kB (virtual 2.06MB)"],
    ),
]


@pytest.mark.parametrize(("script", "expected"), SIZES)
def test_sizes_are_those_of_the_content_and_of_what_is_unpacked(machine, script, expected):
    assert squeezed(said(machine, script)) == expected


def test_what_is_packed_unpacks_to_what_it_was():
    import gzip as python

    assert python.decompress(gzip(b"a layer" * 100)) == b"a layer" * 100


def test_an_inspect_tells_the_descriptor_and_no_storage_driver(machine):
    (image,) = json.loads(machine.run("docker image inspect busybox").stdout)
    assert "GraphDriver" not in image
    assert image["RepoDigests"] == [f"busybox@{image['Id']}"]
    assert image["Descriptor"] == {
        "mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": image["Id"], "size": 405,
    }  # fmt: skip


def test_a_build_tells_where_it_comes_from_and_has_an_id_of_its_own(machine):
    first, second = (machine.run(f"{_BUILD} docker build -q -t one ctx").stdout for _ in range(2))
    assert first != second
    (image,) = json.loads(machine.run("docker image inspect one").stdout)
    assert image["Id"] == second.strip()
    assert image["Descriptor"]["mediaType"] == "application/vnd.oci.image.index.v1+json"
    assert list(image["Identity"]["Build"][0]) == ["Ref", "CreatedAt"]


REMOVALS = [  # what is there, what is removed, what the engine says
    ("", "docker rmi busybox", "Untagged: busybox:latest\nDeleted: sha256:#\n"),
    ("docker tag busybox b", "docker rmi busybox", "Untagged: busybox:latest\n"),
    ("docker tag busybox busybox:2", "docker rmi busybox:2", "Untagged: busybox:2\n"),
    (
        "docker run -d --name web busybox sleep 1d",
        "docker rmi busybox",
        "Error response from daemon: conflict: unable to delete busybox:latest (must be forced) - container @ is using "
        "its referenced image @\n",
    ),
    ("docker run -d --name web busybox sleep 1d", "docker rmi -f busybox", "Untagged: busybox:latest\n"),
    (
        "docker run -d --name web busybox sleep 1d",
        "docker rmi -f $(docker images -q)",
        "Error response from daemon: conflict: unable to delete @ (cannot be forced) - image is being used by running "
        "container @\n",
    ),
    (
        "docker create --name web busybox",
        "docker rmi $(docker images -q)",
        "Error response from daemon: conflict: unable to delete @ (must be forced) - image is being used by stopped "
        "container @\n",
    ),
    (
        "docker tag busybox b",
        "docker rmi $(docker images -q | head -1)",
        "Error response from daemon: conflict: unable to delete @ (must be forced) - image is referenced in multiple "
        "repositories\n",
    ),
    (
        "docker tag busybox b",
        "docker rmi -f $(docker images -q | head -1)",
        "Untagged: b:latest\nUntagged: busybox:latest\nDeleted: sha256:#\n",
    ),
    # what was committed from it has what it needs of it
    (
        "docker run --name web busybox touch /f; docker commit web two; docker rm web",
        "docker rmi busybox",
        "Untagged: busybox:latest\nDeleted: sha256:#\n",
    ),
    (
        "docker run --name web busybox touch /f; docker commit web two; docker rm web; docker rmi busybox",
        "docker rmi two",
        "Untagged: two:latest\nDeleted: sha256:#\nDeleted: sha256:#\n",
    ),
    # a digest goes with any name of the image, and with no other; the start of an id has four digits at least
    ("", "docker rmi busybox@$(docker images -q --no-trunc)", "Untagged: busybox:latest\nDeleted: sha256:#\n"),
    (
        "",
        "docker rmi other@$(docker images -q --no-trunc)",
        "Error response from daemon: No such image: other@sha256:#\n",
    ),
    ("", "docker rmi $(docker images -q | head -c 3) > x 2>&1; grep -c 'No such image' x", "1\n"),
    ("", "docker rmi nosuch", "Error response from daemon: No such image: nosuch:latest\n"),
    ("docker tag busybox b; docker rmi busybox", "docker image prune -f", "Total reclaimed space: 0B\n"),
]


@pytest.mark.parametrize(("before", "script", "expected"), REMOVALS)
def test_removal_is_by_names(machine, before, script, expected):
    machine.run(before)
    assert said(machine, script) == expected


def test_pruning_counts_what_is_gone(machine):
    machine.run(f"{_BUILD} docker build -q -t one ctx")
    assert said(machine, "docker image prune -af; docker images -q | wc -l") == (
        "Deleted Images:\nuntagged: busybox:latest\ndeleted: sha256:#\nuntagged: one:latest\ndeleted: sha256:#\n"
        "deleted: sha256:#\ndeleted: sha256:#\n\nTotal reclaimed space: 42.12kB\n0\n"
    )


def test_a_build_leaves_no_image_without_a_name(machine):
    machine.run(f"{_BUILD} docker build -q -t one ctx; docker build -q -t one ctx")
    assert said(machine, "docker images -a --format '{{.Repository}}'") == "one\nbusybox\n"
    machine.run("docker tag busybox one")  # a name that is given does
    assert said(machine, "docker images -a --format '{{.Repository}}'") == "<none>\nbusybox\none\n"


def test_the_build_cache_counts_blocks_and_blobs(machine):
    """Folders and files take blocks of 4 KiB, an exported layer its blob too, the base its blob alone."""
    machine.run(f"{_BUILD} docker build -q -t one ctx; docker rmi one busybox")
    lines = said(machine, "docker builder prune -af").splitlines()
    sizes = [line.split()[2] for line in lines[1:-1]]
    assert sizes == ["4.096kB", "8.192kB", "8.192kB", "12.42kB", "28.85kB", "1.083MB"]
    assert lines[-1].split() == ["Total:", "1.145MB"]


OWN = [  # what a container did; the bytes of its own snapshot
    ("docker run --name c1 busybox touch /f", "4.1kB"),
    ("docker run --name c1 busybox sh -c 'echo x > /f'", "8.19kB"),
    # /etc is copied up and so is what is in it: its attributes take a block
    ("docker run --name c1 busybox sh -c 'echo x >> /etc/passwd'", "16.4kB"),
    ("docker run --name c1 busybox touch /etc/new", "8.19kB"),
    ("docker run --name c1 busybox true; docker cp c1:/etc/passwd - > out", "12.3kB"),
]


@pytest.mark.parametrize(("script", "size"), OWN)
def test_a_containers_own_snapshot_is_counted_in_blocks(machine, script, size):
    machine.run(script)
    assert said(machine, "docker ps -as --format '{{.Size}}'").split()[0] == size


def test_what_was_committed_stands_on_the_containers_init_snapshot(machine):
    """Its 28 KiB count with the image from then on."""
    machine.run("docker run --name c1 busybox sh -c 'echo x > /f'; docker commit c1 two")
    two, base = (
        json.loads(machine.run(f"docker image inspect {name}").stdout)[0]["Size"] for name in ("two", "busybox")
    )
    assert 8192 + 28672 < two - base < 8192 + 28672 + 2048


CONTENT = "/var/lib/docker/containerd/daemon/io.containerd.content.v1.content"


def blobs(machine):
    return machine.run(f"find {CONTENT}/blobs -type f -printf '%s\n' | sort -n").stdout.split()


def test_each_blob_is_a_file_on_the_host(machine):
    assert blobs(machine) == ["283", "405", "1083478"]
    machine.run(f"{_BUILD} docker build -q -t one ctx")
    assert len(blobs(machine)) == 3 + 2 + 6  # its layers; index, manifest, configuration and attestation's three
    manifest = machine.run("docker image inspect -f '{{.Id}}' busybox").stdout.strip()[7:]
    assert json.loads(machine.run(f"cat {CONTENT}/blobs/sha256/{manifest}").stdout)["schemaVersion"] == 2
    machine.run("docker rmi one busybox")
    assert len(blobs(machine)) == 3  # the layers, which the build cache has
    machine.run("docker builder prune -af")
    assert blobs(machine) == []


def test_a_blob_of_plain_files_is_what_gunzip_reads(machine):
    machine.run(f"{_BUILD} docker build -q -t one ctx; docker save one -o one.tar; mkdir out; tar xf one.tar -C out")
    layer = json.loads(machine.run("cat out/manifest.json").stdout)[0]["Layers"][-1]
    assert machine.run(f"tar tzf out/{layer}").stdout == "app/\napp/note\n"


def test_a_container_tells_the_manifest_that_it_was_made_from(machine):
    machine.run(f"{_BUILD} docker build -q -t one ctx; docker create --name c1 one")
    (container,) = json.loads(machine.run("docker inspect c1").stdout)
    assert "GraphDriver" not in container
    found = container["ImageManifestDescriptor"]
    assert (found["size"], found["platform"]) == (856, {"architecture": "amd64", "os": "linux"})
