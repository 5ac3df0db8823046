from __future__ import annotations

from typing import Any

import pytest

from labkit.engine.core.errors import EngineError
from labkit.engine.mounts import mountspec
from labkit.engine.mounts.mountspec import (
    clean,
    is_local,
    merge_tmpfs_words,
    parse_record,
    parse_text,
    parse_volumes_from,
)

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
