"""-v, --mount, --tmpfs: what they become in the API (what is refused: test_wrong_input)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from labkit.dockercli.mountflags import is_path, parse_mount, read_csv, resolve_in, split_tmpfs, split_volumes
from labkit.engine.core import mountkeys

ROOT = Path(mountkeys.__file__).parents[2]
RESOLVE = resolve_in("/home/learner")

MOUNTS = [
    # transcripts v-versus-mount-aliases, -type
    ("type=volume,src=notes,dst=/data", {"Type": "volume", "Source": "notes", "Target": "/data"}),
    ("source=notes,destination=/data", {"Type": "volume", "Source": "notes", "Target": "/data"}),
    ("target=/data,source=notes", {"Type": "volume", "Source": "notes", "Target": "/data"}),
    ("TYPE=VOLUME,Source=notes,Target=/data", {"Type": "volume", "Source": "notes", "Target": "/data"}),
    ("type=volume,src=one,source=two,dst=/data", {"Type": "volume", "Source": "two", "Target": "/data"}),
    ("type=Bind,src=/a,dst=/data", {"Type": "bind", "Source": "/a", "Target": "/data"}),
    ("type=nosuch,src=notes,dst=/data", {"Type": "nosuch", "Source": "notes", "Target": "/data"}),
    ("dst=/data", {"Type": "volume", "Target": "/data"}),
    ("type=volume,src=notes", {"Type": "volume", "Source": "notes"}),
    # -readonly-spellings
    ("src=n,dst=/d,readonly", {"Type": "volume", "Source": "n", "Target": "/d", "ReadOnly": True}),
    ("src=n,dst=/d,ro", {"Type": "volume", "Source": "n", "Target": "/d", "ReadOnly": True}),
    ("src=n,dst=/d,ro=1", {"Type": "volume", "Source": "n", "Target": "/d", "ReadOnly": True}),
    ("src=n,dst=/d,readonly=false", {"Type": "volume", "Source": "n", "Target": "/d"}),
    # bind-mounts-relative-paths
    ("type=bind,src=./x,dst=/d", {"Type": "bind", "Source": "/home/learner/x", "Target": "/d"}),
    ("type=bind,src=.,dst=/d", {"Type": "bind", "Source": "/home/learner", "Target": "/d"}),
    ("type=bind,src=../x,dst=/d", {"Type": "bind", "Source": "/home/x", "Target": "/d"}),
    ("type=bind,src=x,dst=/d", {"Type": "bind", "Source": "x", "Target": "/d"}),
    # bind-mounts-propagation-and-recursive
    (
        "type=bind,src=/d,dst=/d,bind-propagation=RSLAVE",
        {"Type": "bind", "Source": "/d", "Target": "/d", "BindOptions": {"Propagation": "rslave"}},
    ),
    (
        "type=bind,src=/d,dst=/d,bind-recursive=disabled",
        {"Type": "bind", "Source": "/d", "Target": "/d", "BindOptions": {"NonRecursive": True}},
    ),
    ("type=bind,src=/d,dst=/d,bind-recursive=enabled", {"Type": "bind", "Source": "/d", "Target": "/d"}),
    (
        "type=bind,src=/d,dst=/d,ro,bind-recursive=writable",
        {
            "Type": "bind",
            "Source": "/d",
            "Target": "/d",
            "ReadOnly": True,
            "BindOptions": {"ReadOnlyNonRecursive": True},
        },
    ),
    (
        "type=bind,src=/d,dst=/d,bind-create-src",
        {"Type": "bind", "Source": "/d", "Target": "/d", "BindOptions": {"CreateMountpoint": True}},
    ),
    (
        "type=bind,src=/d,dst=/d,ro=true,bind-propagation=rprivate,bind-recursive=readonly",
        {
            "Type": "bind",
            "Source": "/d",
            "Target": "/d",
            "ReadOnly": True,
            "BindOptions": {"Propagation": "rprivate", "ReadOnlyForceRecursive": True},
        },
    ),
    ("type=bind,src=/d,dst=/d,ro=0", {"Type": "bind", "Source": "/d", "Target": "/d"}),
    (
        "type=bind,src=/d,dst=/d,bind-idmap=match-user:a:b",
        {
            "Type": "bind",
            "Source": "/d",
            "Target": "/d",
            "BindOptions": {"IDMapping": {"Source": "match-user", "User": "a:b"}},
        },
    ),
    (
        "type=bind,src=/d,dst=/d,bind-idmap=userns",
        {"Type": "bind", "Source": "/d", "Target": "/d", "BindOptions": {"IDMapping": {"Source": "userns"}}},
    ),
    # -volume-options
    (
        "src=one,dst=/d,volume-label=owner=ada,volume-label=flag",
        {"Type": "volume", "Source": "one", "Target": "/d", "VolumeOptions": {"Labels": {"flag": "", "owner": "ada"}}},
    ),
    (
        "src=two,dst=/d,volume-driver=local,volume-nocopy=true",
        {
            "Type": "volume",
            "Source": "two",
            "Target": "/d",
            "VolumeOptions": {"NoCopy": True, "DriverConfig": {"Name": "local"}},
        },
    ),
    (
        "src=three,dst=/d,volume-nocopy=false",
        {"Type": "volume", "Source": "three", "Target": "/d", "VolumeOptions": {}},
    ),
    (
        "src=four,dst=/d,volume-subpath=a/b",
        {"Type": "volume", "Source": "four", "Target": "/d", "VolumeOptions": {"Subpath": "a/b"}},
    ),
    (
        'src=n,dst=/d,volume-opt=type=tmpfs,"volume-opt=o=size=1m,uid=1000"',
        {
            "Type": "volume",
            "Source": "n",
            "Target": "/d",
            "VolumeOptions": {"DriverConfig": {"Options": {"o": "size=1m,uid=1000", "type": "tmpfs"}}},
        },
    ),
    # -tmpfs-options
    (
        "type=tmpfs,dst=/t,tmpfs-mode=1770,tmpfs-size=1m",
        {"Type": "tmpfs", "Target": "/t", "TmpfsOptions": {"SizeBytes": 1048576, "Mode": 1016}},
    ),
    # -unknown-keys
    ("src=n,dst=/d,consistency=Cached", {"Type": "volume", "Source": "n", "Target": "/d", "Consistency": "cached"}),
    ("src=n,dst=/d=x", {"Type": "volume", "Source": "n", "Target": "/d=x"}),
    ('type=bind,"src=/a,b",dst=/d', {"Type": "bind", "Source": "/a,b", "Target": "/d"}),
]


@pytest.mark.parametrize(("text", "mount"), MOUNTS, ids=[text for text, _ in MOUNTS])
def test_mount(text, mount):
    parsed = parse_mount(text, RESOLVE)
    assert parsed == mount
    assert list(parsed) == list(mount), "the order of the API's fields"


OTHERS_TOO = {"volume-driver"}  # docker run has a flag of the same name


def test_a_key_stands_in_one_file():
    """All else follows from the table there."""
    names = {name for key in mountkeys.KEYS for name in key.names if "-" in name} - OTHERS_TOO
    names |= {'"NoCopy"', '"CreateMountpoint"', '"ReadOnlyForceRecursive"', '"SizeBytes"'}  # of the API
    code = {
        str(file.relative_to(ROOT)): file.read_text()
        for file in ROOT.rglob("*.py")
        if not {"catalog", "conformance", "course"} & {*file.parts}
    }
    found = {
        name: [file for file, text in code.items() if re.search(rf"(?<![\w-]){name}(?![\w-])", text)] for name in names
    }
    assert found == {key: ["engine/core/mountkeys.py"] for key in names}


@pytest.mark.parametrize(
    ("line", "fields"),
    [
        ("a,b", ["a", "b"]),
        ('"a,b",c', ["a,b", "c"]),
        ('"a ""b""",c', ['a "b"', "c"]),
        ("a,", ["a", ""]),
        (",a", ["", "a"]),
        ('"",a', ["", "a"]),
        ('"a""",b', ['a"', "b"]),
        ("", [""]),
        ('""', [""]),
    ],
)
def test_csv(line, fields):
    """Go encoding/csv."""
    assert read_csv(line) == fields


VOLUMES = [
    # transcripts bind-mounts-relative-paths, v-versus-mount-v-invalid, -v-targets, volumes-one-letter-name
    ("./x:/data", ["/home/learner/x:/data"], {}),
    (".:/data", ["/home/learner:/data"], {}),
    ("..:/data", ["/home:/data"], {}),
    (".data:/d", ["/home/learner/.data:/d"], {}),
    ("x1:/data", ["x1:/data"], {}),
    ("/a/./x/..:/data", ["/a/./x/..:/data"], {}),
    ("notes:/data/../other:ro", ["notes:/data/../other:ro"], {}),
    ("~/x:/data", ["~/x:/data"], {}),
    ("/data", [], {"/data": {}}),
    ("notes", [], {"notes": {}}),
    ("./notes", [], {"./notes": {}}),
    (":", [], {":": {}}),
    ("x:/data", [], {"x:/data": {}}),
    ("a1:/b:/c", ["a1:/b:/c"], {}),
]


@pytest.mark.parametrize(("spec", "binds", "volumes"), VOLUMES, ids=[row[0] for row in VOLUMES])
def test_volume(spec, binds, volumes):
    assert split_volumes([spec], RESOLVE) == (binds, volumes)


def test_the_same_volume_twice_counts_once():
    assert split_volumes(["one:/data", "one:/data", "/x", "/x"], RESOLVE) == (["one:/data"], {"/x": {}})


def test_tmpfs():
    assert split_tmpfs(["/t", "/s:size=1m,mode=700"]) == {"/t": "", "/s": "size=1m,mode=700"}


PATHS = {"/a": True, ".": True, "./a": True, "~": True, "~/a": True, "\\\\host\\a": True, "C:": True, "c:\\a": True}
NO_PATHS = {"a": False, "notes": False, "X": False, "1:/a": False, "\\a": False, "ab:": False, "-a": False}


@pytest.mark.parametrize(("source", "path"), (PATHS | NO_PATHS).items())
def test_which_source_is_a_path(source, path):
    """docker/cli internal/volumespec, isFilePath."""
    assert is_path(source) is path
