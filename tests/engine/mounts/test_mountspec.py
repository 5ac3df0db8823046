from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from labkit.engine.core.errors import EngineError
from labkit.engine.core.mountkeys import Mount, MountPoint
from labkit.engine.mounts import mountspec
from labkit.engine.mounts.mountspec import (
    clean,
    is_local,
    merge_tmpfs_words,
    parse_record,
    parse_text,
    parse_volumes_from,
)
from labkit.files import Namespace, Store
from labkit.kernel.process import Clock

TEXTS: list[tuple[str, dict[str, Any]]] = [
    ("notes:/data", {"type": "volume", "name": "notes", "destination": "/data", "rw": True, "copy_data": True}),
    ("notes:/data:ro", {"type": "volume", "mode": "ro", "rw": False}),
    ("notes:/data:nocopy,ro", {"copy_data": False, "rw": False, "mode": "nocopy,ro"}),
    ("notes:/data/../other/", {"destination": "/other"}),
    ("notes://data//x", {"destination": "/data/x"}),
    ("/a/./b/..:/c", {"type": "bind", "source": "/a", "destination": "/c", "propagation": "rprivate"}),
    ("/a:/c:rslave,ro", {"propagation": "rslave", "rw": False, "mode": "rslave,ro", "create_source": True}),
    ("/a:/c:z", {"mode": "z", "rw": True}),
    ("/a:/c:cached", {"mode": "cached"}),
]


@pytest.mark.parametrize(("text", "expected"), TEXTS)
def test_texts(text: str, expected: dict[str, Any]) -> None:
    point = parse_text(text)
    assert {key: getattr(point, key) for key in expected} == expected


WRONG_TEXTS = [
    ("a1:/b:/c", "invalid mode: /c"),
    ("/d:/data:ro,rw", "invalid mode: ro,rw"),
    ("/d:/data:rslave,rshared", "invalid mode: rslave,rshared"),
    ("/d:/data:nosuch", "invalid mode: nosuch"),
    ("notes:/data:RO", "invalid mode: RO"),
    ("notes:/data:z,Z", "invalid mode: z,Z"),
    (":/data", "invalid volume specification: ':/data'"),
    ("/data:ro", "invalid volume specification: '/data:ro'"),
    ("a:/b:ro:x", "invalid volume specification: 'a:/b:ro:x'"),
    ("a:/b:ro:x:y", "invalid volume specification: 'a:/b:ro:x:y'"),
    (
        "notes:data",
        "invalid volume specification: 'notes:data': invalid mount config for type \"volume\": invalid mount path: "
        "'data' mount path must be absolute",
    ),
    (
        "/home:/",
        "invalid volume specification: '/home:/': invalid mount config for type \"bind\": invalid specification: "
        "destination can't be '/'",
    ),
    (
        "notes:/data:rshared",
        "invalid volume specification: 'notes:/data:rshared': invalid mount config for type \"volume\": field "
        "BindOptions must not be specified",
    ),
    (
        "/d:/data:nocopy",
        "invalid volume specification: '/d:/data:nocopy': invalid mount config for type \"bind\": field VolumeOptions "
        "must not be specified",
    ),
]


@pytest.mark.parametrize(("text", "message"), WRONG_TEXTS)
def test_wrong_texts(text: str, message: str) -> None:
    with pytest.raises(EngineError) as caught:
        parse_text(text)
    assert str(caught.value) == message


WRONG_RECORDS: list[tuple[dict[str, Any], str]] = [
    ({"Type": "volume", "Source": "v"}, 'type "volume": field Target must not be empty'),
    ({"Type": "bind", "Target": "/d"}, 'type "bind": field Source must not be empty'),
    ({"Type": "bind", "Source": "x", "Target": "/"}, "type \"bind\": invalid specification: destination can't be '/'"),
    (
        {"Type": "bind", "Source": "x", "Target": "/d"},
        "type \"bind\": invalid mount path: 'x' mount path must be absolute",
    ),
    ({"Type": "bind", "Source": "/x", "Target": "/d"}, 'type "bind": bind source path does not exist: /x'),
    (
        {"Type": "bind", "Source": "/x", "Target": "/d", "BindOptions": {"Propagation": "p"}},
        'type "bind": invalid propagation mode: p',
    ),
    ({"Type": "tmpfs", "Source": "v", "Target": "/d"}, 'type "tmpfs": field Source must not be specified'),
    ({"Type": "nosuch", "Target": "/d"}, 'type "nosuch": mount type unknown'),
    (
        {"Type": "volume", "Source": "v", "Target": "/d", "VolumeOptions": {"Subpath": "../x"}},
        'type "volume": subpath must be a relative path within the volume',
    ),
    (
        {"Type": "volume", "Target": "/d", "VolumeOptions": {"Subpath": "x"}},
        'type "volume": must not set Subpath when using anonymous volumes',
    ),
    ({"Type": "image", "Target": "/d"}, 'type "image": field Source must not be empty'),
]  # fmt: skip


@pytest.mark.parametrize(("record", "message"), WRONG_RECORDS)
def test_wrong_records(record: dict[str, Any], message: str) -> None:
    with pytest.raises(EngineError) as caught:
        parse_record(record, lambda path: False)
    assert str(caught.value) == f"invalid mount config for {message}"


def test_a_missing_source_is_made_where_that_is_asked_for() -> None:
    record = {"Type": "bind", "Source": "/x", "Target": "/d", "BindOptions": {"CreateMountpoint": True}}
    assert parse_record(record, lambda path: False).create_source


def test_volumes_from() -> None:
    assert parse_volumes_from("web") == ("web", "rw")
    assert parse_volumes_from("web:ro,z") == ("web", "ro,z")
    for wrong in ("web:nocopy", "web:rslave", "web:maybe"):
        with pytest.raises(EngineError, match="invalid mode"):
            parse_volumes_from(wrong)


def test_later_tmpfs_words_win() -> None:
    assert merge_tmpfs_words(["noexec", "nosuid", "exec", "size=1m", "size=2m"]) == ["nosuid", "exec", "size=2m"]
    with pytest.raises(EngineError, match='invalid tmpfs option "nosuch"'):
        merge_tmpfs_words(["nosuch"])


@pytest.mark.parametrize(
    ("path", "cleaned"), [("//a//b/", "/a/b"), ("/..", "/"), ("a/../b", "b"), ("/", "/"), ("", ".")]
)
def test_clean(path: str, cleaned: str) -> None:
    assert clean(path) == cleaned


@pytest.mark.parametrize(
    ("path", "local"), [("a/b", True), ("../a", False), ("/a", False), ("a/../..", False), ("", False)]
)
def test_is_local(path: str, local: bool) -> None:
    assert is_local(path) is local


SHOWN = [
    (["size=1k"], ["size=4k"]),
    (["size=1048577"], ["size=1028k"]),
    (["gid=6", "uid=5", "mode=0700", "size=10m"], ["size=10240k", "mode=700", "uid=5", "gid=6"]),
    (["mode=1777", "uid=0"], []),
    (["mode=0755", "mode=700"], ["mode=700"]),
    (["size=0"], []),
]


@pytest.mark.parametrize(("words", "shown"), SHOWN, ids=[",".join(row[0]) for row in SHOWN])
def test_what_mounts_shows_of_a_tmpfs(words: list[str], shown: list[str]) -> None:
    """Linux, mm/shmem.c shmem_show_options."""
    assert mountspec.tmpfs_shown(words) == shown


def kind_and_text(call: Callable[[], object]) -> tuple[str, str]:
    """What an EngineError says, and of which kind it is."""
    with pytest.raises(EngineError) as caught:
        call()
    return caught.value.kind, str(caught.value)


def test_a_text_names_a_driver_for_volumes_alone() -> None:
    assert parse_text("notes:/data", "nfs").driver == "nfs"
    assert (parse_text("notes:/data").driver, parse_text("/a:/data", "nfs").driver) == ("", "")
    assert parse_text("/a:/data", "nfs").spec.record.keys() == {"Type", "Source", "Target"}


POINTS: list[tuple[dict[str, Any], MountPoint]] = [
    (
        {"Type": "bind", "Source": "/a/../b/", "Target": "/d/", "ReadOnly": True},
        MountPoint("bind", "/d", "/b", rw=False, propagation="rprivate"),
    ),
    (
        {"Type": "bind", "Source": "/a", "Target": "/d", "BindOptions": {"Propagation": "rslave", "CreateMountpoint": True}},
        MountPoint("bind", "/d", "/a", propagation="rslave", create_source=True),
    ),
    (
        {"Type": "volume", "Source": "v", "Target": "/d", "VolumeOptions": {"DriverConfig": {"Name": "local"}}},
        MountPoint("volume", "/d", name="v", driver="local", copy_data=True),
    ),
    (
        {"Type": "volume", "Source": "v", "Target": "/d", "VolumeOptions": {"NoCopy": True, "Subpath": "a/b"}},
        MountPoint("volume", "/d", name="v"),
    ),
    ({"Type": "tmpfs", "Target": "/d//x", "ReadOnly": True}, MountPoint("tmpfs", "/d/x", rw=False)),
    (
        {"Type": "image", "Source": "app", "Target": "/d", "ImageOptions": {"Subpath": "etc"}},
        MountPoint("image", "/d", "app", propagation="rprivate"),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("record", "point"), POINTS)
def test_records(record: dict[str, Any], point: MountPoint) -> None:
    assert parse_record(record, lambda path: True) == replace(point, spec=Mount(record))


OPTIONS_OF = {
    "bind": {"BindOptions": {"Propagation": "rslave"}},
    "volume": {"VolumeOptions": {"NoCopy": True}},
    "tmpfs": {"TmpfsOptions": {"Mode": 7}},
    "image": {"ImageOptions": {"Subpath": "a"}},
}


@pytest.mark.parametrize("kind", OPTIONS_OF)
@pytest.mark.parametrize("other", OPTIONS_OF)
def test_options_belong_to_one_type(kind: str, other: str) -> None:
    record: dict[str, Any] = {"Type": kind, "Target": "/d", **OPTIONS_OF[other]}
    if kind != "tmpfs":
        record["Source"] = "/a"
    if kind == other:
        assert parse_record(record, lambda path: True).type == kind
        return
    (name,) = OPTIONS_OF[other]
    message = f'invalid mount config for type "{kind}": field {name} must not be specified'
    assert kind_and_text(lambda: parse_record(record, lambda path: True)) == ("invalid", message)


WRONG_OF_IMAGES_AND_TMPFS: list[tuple[dict[str, Any], str]] = [
    ({"Type": "image", "Source": "a", "Target": "/d", "ImageOptions": {"Subpath": "/x"}}, "subpath must be a relative path within the volume"),
    ({"Type": "tmpfs", "Target": "/d", "TmpfsOptions": {"Options": [["noexec"], ["suid"]]}}, "invalid option: suid"),
    ({"Type": "tmpfs", "Target": "d"}, "invalid mount path: 'd' mount path must be absolute"),
]  # fmt: skip


@pytest.mark.parametrize(("record", "message"), WRONG_OF_IMAGES_AND_TMPFS)
def test_what_is_refused_is_the_requests_fault(record: dict[str, Any], message: str) -> None:
    wrong = f'invalid mount config for type "{record["Type"]}": {message}'
    assert kind_and_text(lambda: parse_record(record, lambda path: True)) == ("invalid", wrong)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "volumes-from specification cannot be an empty string"),
        ("web:ro,rw", "invalid mode: ro,rw"),
        ("web:ro,", "invalid mode: ro,"),
        ("web:shared", "invalid mode: shared"),
    ],
)
def test_wrong_volumes_from(text: str, message: str) -> None:
    assert kind_and_text(lambda: parse_volumes_from(text)) == ("invalid", message)
    assert parse_volumes_from("web:") == ("web", "rw")


WORDS_OF_TMPFS: list[tuple[dict[str, Any], bool, list[str]]] = [
    ({}, False, []),
    ({}, True, ["ro"]),
    ({"Mode": 0o1770, "SizeBytes": 1 << 30}, False, ["mode=1770", "size=1g"]),
    ({"SizeBytes": 3 << 20}, True, ["ro", "size=3m"]),
    ({"SizeBytes": 5 << 10}, False, ["size=5k"]),
    ({"SizeBytes": 1025}, False, ["size=1025"]),
    ({"SizeBytes": 1, "Options": [["exec"], ["noexec"]]}, False, ["size=1", "exec", "noexec"]),
    ({"Options": [["exec", "x"]]}, False, ["exec=x"]),
]


@pytest.mark.parametrize(("options", "readonly", "words"), WORDS_OF_TMPFS)
def test_words_of_a_tmpfs(options: dict[str, Any], readonly: bool, words: list[str]) -> None:
    spec = Mount({"Type": "tmpfs", "Target": "/t", "TmpfsOptions": options})
    assert mountspec.tmpfs_options(spec, readonly) == words


def test_each_flag_of_a_tmpfs_undoes_its_opposite() -> None:
    for word, other in mountspec.TMPFS_FLAGS.items():
        assert merge_tmpfs_words([other, "size=1", word] if other else [word, "size=1", word]) == ["size=1", word]
    keys = [f"{key}=1" for key in mountspec.TMPFS_KEYS]
    assert merge_tmpfs_words(["x".join(("uid=", "")), *keys]) == [keys[0], keys[1], *keys[2:]]
    for wrong in ("size", "sizes=1", "ro=1", "=1", ""):
        assert kind_and_text(lambda wrong=wrong: merge_tmpfs_words([wrong])) == (
            "invalid",
            f'invalid tmpfs option "{wrong}"',
        )


TAKEN = "size=1,size=5K,size=50%,size=1t,nr_blocks=1k,nr_inodes=2G,mode=0755,uid=0,gid=12,mpol=,mpol=bind:0"
NOT_TAKEN = "size,size=,size=-1,size=1x,size=1kk,nr_blocks=5%,nr_inodes=x,mode=8,mode=,uid=-1,uid=a,gid=,nosuch=1,x"


@pytest.mark.parametrize("word", TAKEN.split(","))
def test_what_the_kernel_takes(word: str) -> None:
    mountspec.tmpfs_check(f"{word},,uid=1")


@pytest.mark.parametrize("word", NOT_TAKEN.split(","))
def test_what_the_kernel_does_not_take(word: str) -> None:
    with pytest.raises(OSError, match=r"^\[Errno 22\] Invalid argument$"):
        mountspec.tmpfs_check(f"uid=1,{word}")


SIZES = [("0", 0), ("12", 12), ("2k", 2048), ("2K", 2048), ("3m", 3 << 20), ("1G", 1 << 30), ("2t", 2 << 40), ("50%", 4 << 30)]  # fmt: skip


@pytest.mark.parametrize(("text", "size"), SIZES)
def test_sizes(text: str, size: int) -> None:
    """A share is one of the machine's memory, of which it has 8 GiB."""
    assert mountspec.size_of(text) == size


def test_a_tmpfs_is_as_it_is_asked_for() -> None:
    store = Store(Clock(0))
    source = mountspec.tmpfs_of(store, "size=8k,mode=0750,uid=5,gid=6")
    seen = Namespace(store, source).files()
    found = seen.stat("/")
    assert (found.st_mode & 0o7777, found.st_uid, found.st_gid, source.system.limit) == (0o750, 5, 6, 8192)
    plain = mountspec.tmpfs_of(store, "size=0,nr_inodes=5")
    found = Namespace(store, plain).files().stat("/")
    assert (found.st_mode & 0o7777, found.st_uid, found.st_gid, plain.system.limit) == (0o1777, 0, 0, None)


def test_more_of_what_mounts_shows_of_a_tmpfs() -> None:
    words = ["gid=1", "uid=2", "mode=7", "nr_inodes=3", "size=4097", "mpol=x"]
    assert mountspec.tmpfs_shown(words) == ["size=8k", "nr_inodes=3", "mode=007", "uid=2", "gid=1"]
    assert mountspec.tmpfs_shown([]) == mountspec.tmpfs_shown([""]) == []
