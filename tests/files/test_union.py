"""What a union mount hides, without a kernel to compare with."""

from __future__ import annotations

import pytest

from labkit.files import Files
from labkit.files.union import OPAQUE
from tests.drivers.stacked import seen_in, stacked

UPPER = "/docker/overlay2/top/diff"


@pytest.fixture
def mounted() -> tuple[Files, Files]:
    """The host, and a union mount on it."""
    host, driver = stacked("overlay2")
    return host, seen_in(host, driver, "top")


def lower_folder(seen: Files) -> str:
    """A folder of the lowers that is not empty."""
    return next(f"/{name}" for name in seen.listdir("/") if seen.is_dir(f"/{name}") and seen.listdir(f"/{name}"))


def test_a_folder_made_where_one_was_removed_is_empty(mounted: tuple[Files, Files]) -> None:
    host, seen = mounted
    path = lower_folder(seen)
    seen.rmtree(path)
    seen.mkdir(path)
    assert seen.listdir(path) == []
    assert host.getxattr(UPPER + path, OPAQUE) == b"y"
    assert OPAQUE not in seen.listxattr(path)


def test_a_folder_moved_to_where_one_was_removed_shows_its_own_names_alone(mounted: tuple[Files, Files]) -> None:
    host, seen = mounted
    path = lower_folder(seen)
    seen.mkdir("/new")
    seen.write("/new/own", "")
    seen.rmtree(path)
    seen.rename("/new", path)
    assert seen.listdir(path) == ["own"]
    assert host.getxattr(UPPER + path, OPAQUE) == b"y"


def test_a_folder_in_place_of_a_file_is_empty(mounted: tuple[Files, Files]) -> None:
    host, seen = mounted
    folder = lower_folder(seen)
    name = next(name for name in seen.listdir(folder) if not seen.is_dir(f"{folder}/{name}"))
    seen.unlink(f"{folder}/{name}")
    seen.mkdir(f"{folder}/{name}")
    assert seen.listdir(f"{folder}/{name}") == []
    assert host.getxattr(f"{UPPER}{folder}/{name}", OPAQUE) == b"y"


def test_a_folder_below_which_nothing_lies_needs_no_mark(mounted: tuple[Files, Files]) -> None:
    host, seen = mounted
    seen.makedirs("/new/inner")
    assert OPAQUE not in host.listxattr(f"{UPPER}/new/inner")
    assert OPAQUE not in host.listxattr(f"{UPPER}/new")


def test_a_folder_that_is_moved_into_a_merged_one_is_marked_whatever_lies_there(mounted: tuple[Files, Files]) -> None:
    host, seen = mounted
    seen.mkdir("/new")
    seen.rename("/new", "/newer")
    assert host.getxattr(f"{UPPER}/newer", OPAQUE) == b"y"


def test_a_copy_is_the_file_with_all_that_it_was(mounted: tuple[Files, Files]) -> None:
    host, seen = mounted
    folder = lower_folder(seen)
    name = next(name for name in seen.listdir(folder) if not seen.is_dir(f"{folder}/{name}"))
    path, names = f"{folder}/{name}", seen.listdir(folder)
    before, content = seen.stat(path), seen.content(path)
    seen.chmod(path, 0o640)
    after = seen.stat(path)
    assert after.st_mode & 0o7777 == host.stat(UPPER + path).st_mode & 0o7777 == 0o640
    same = ("st_ino", "st_uid", "st_gid", "st_size", "st_mtime_ns", "st_nlink", "st_dev")
    assert [getattr(after, each) for each in same] == [getattr(before, each) for each in same]
    assert seen.content(path) == host.content(UPPER + path) == content
    assert sorted(seen.listdir(folder)) == sorted(names)
