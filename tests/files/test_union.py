"""The two file systems, without a kernel to compare with: what a union mount hides, copies and tells; a disk's room."""

from __future__ import annotations

import errno
import stat
from collections.abc import Callable
from contextlib import nullcontext

import pytest

from labkit.files import O_RDWR, O_WRONLY, Entry, Files, Layer, Namespace, Store, makedev, tmpfs
from labkit.files.contents import PAGE
from labkit.files.union import OPAQUE, Merged, merge, stack
from tests.drivers.stacked import seen_in, stacked
from tests.files.machines import Ticking, layer

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


# What the lowers are together (kernel, Documentation/filesystems/overlayfs.rst: "Merging", "whiteouts and opaque
# directories"): the layers from the bottom up, and in which of them each file that is seen lies.
MERGED: list[tuple[str, list[dict[str, str | None]], dict[str, int]]] = [
    ("one layer", [{"a": "", "d/b": ""}], {"/": 0, "/a": 0, "/d": 0, "/d/b": 0}),
    ("the upper one's file", [{"a": "", "b": ""}, {"a": ""}], {"/": 1, "/a": 1, "/b": 0}),
    ("a folder in both", [{"d/a": "", "d/b": ""}, {"d/b": "", "d/c": ""}], {"/": 1, "/d": 1, "/d/a": 0, "/d/b": 1, "/d/c": 1}),
    ("folders in folders", [{"d/e/a": ""}, {"d/e/b": ""}], {"/": 1, "/d": 1, "/d/e": 1, "/d/e/a": 0, "/d/e/b": 1}),
    ("a whiteout", [{"a": "", "b": ""}, {"-a": None}], {"/": 1, "/b": 0}),
    ("a whiteout in a folder", [{"d/a": "", "d/b": ""}, {"-d/a": None, "d/c": ""}], {"/": 1, "/d": 1, "/d/b": 0, "/d/c": 1}),
    ("a whiteout of nothing", [{"a": ""}, {"-b": None, "c": ""}], {"/": 1, "/a": 0, "/c": 1}),
    ("a whiteout at the bottom", [{"-a": None, "b": ""}], {"/": 0, "/b": 0}),
    ("made again after a whiteout", [{"d/a": ""}, {"-d": None}, {"d/b": ""}], {"/": 2, "/d": 2, "/d/b": 2}),
    ("a file on a folder", [{"d/a": ""}, {"d": ""}], {"/": 1, "/d": 1}),
    ("a folder on a file", [{"d": ""}, {"d/a": ""}], {"/": 1, "/d": 1, "/d/a": 1}),
    ("a folder on a file on a folder", [{"d/a": ""}, {"d": ""}, {"d/b": ""}], {"/": 2, "/d": 2, "/d/b": 2}),
    ("an opaque folder", [{"d/a": "", "e": ""}, {"!d": None, "d/b": ""}], {"/": 1, "/d": 1, "/d/b": 1, "/e": 0}),
    ("on an opaque folder", [{"d/a": ""}, {"!d": None, "d/b": ""}, {"d/c": ""}], {"/": 2, "/d": 2, "/d/b": 1, "/d/c": 2}),
]  # fmt: skip


def seen_layers(merged: Merged, path: str = "/") -> dict[str, int]:
    """In which layer each file lies, by path."""
    found = {path: merged.layer}
    for name, child in (merged.names or {}).items():
        found |= seen_layers(child, f"{path.rstrip('/')}/{name}")
    return found


def marked(files: dict[str, str | None]) -> Layer:
    """A layer in which `!` before a folder says that it is opaque."""
    plain = layer({path: text for path, text in files.items() if not path.startswith("!")})
    opaque = [Entry(path[1:], stat.S_IFDIR | 0o755, xattrs=((OPAQUE, b"y"),)) for path in files if path[0] == "!"]
    marks = {entry.path for entry in opaque}
    return Layer.of([*opaque, *(entry for entry in plain.entries() if entry.path not in marks)])


@pytest.mark.parametrize(("layers", "seen"), [row[1:] for row in MERGED], ids=[row[0] for row in MERGED])
def test_layers_merge(layers: list[dict[str, str | None]], seen: dict[str, int]) -> None:
    store, roots = Store(Ticking()), [marked(files).root for files in layers]
    merged = stack(store, roots)
    assert merged is not None
    assert seen_layers(merged) == seen
    below = stack(store, roots[:-1])
    before = seen_layers(below) if below else {}
    again = merge(store, below, roots[-1], len(roots) - 1)
    assert seen_layers(again) == seen
    assert (seen_layers(below) if below else {}) == before, "what lies below serves other layers too"


def test_a_file_that_is_merged_is_the_topmost_one() -> None:
    one, two = layer({"a": "1", "d/b": "2"}), layer({"a": "3"})
    merged = stack(Store(Ticking()), [one.root, two.root])
    assert merged is not None
    assert merged.names is not None
    assert (merged.inode, merged.names["a"].inode) == (two.root, two.root.names["a"])
    assert merged.names["a"].names is None
    assert merged.names["d"].inode is one.root.names["d"]
    assert stack(Store(Ticking()), []) is None


class Heard:
    """What a union mount tells."""

    def __init__(self) -> None:
        self.told: list[tuple[object, ...]] = []

    def copied_up(self, label: str, path: str, size: int, layer: int) -> None:
        self.told.append(("copied up", label, path, size, layer))

    def hidden(self, label: str, path: str) -> None:
        self.told.append(("hidden", label, path))


COPY = "copied up", "top"
HIDDEN = "hidden", "top"
TOLD = [
    ("a file", lambda seen: seen.append("/a/b", "x"), [(*COPY, "/a/b", 2, 0)]),
    ("of the upper one of the lowers", lambda seen: seen.chmod("/c/a", 0o600), [(*COPY, "/c/a", 2, 1)]),
    ("without its bytes", lambda seen: seen.write("/a/c/a", ""), [(*COPY, "/a/c/a", 0, 0)]),
    ("once", lambda seen: (seen.append("/b", "x"), seen.append("/b", "x")), [(*COPY, "/b", 2, 0)]),
    ("a folder", lambda seen: seen.chmod("/a", 0o700), []),
    ("a new file", lambda seen: seen.write("/a/new", ""), []),
    ("a file removed", lambda seen: seen.unlink("/a/b"), [(*HIDDEN, "/a/b")]),
    ("a name of the root", lambda seen: seen.unlink("/b"), [(*HIDDEN, "/b")]),
    ("a new one removed", lambda seen: (seen.write("/n", ""), seen.unlink("/n")), []),
    ("a file renamed", lambda seen: seen.rename("/b", "/z"), [(*COPY, "/b", 2, 0), (*HIDDEN, "/b")]),
]  # fmt: skip


@pytest.mark.parametrize(("change", "told"), [row[1:] for row in TOLD], ids=[row[0] for row in TOLD])
def test_what_a_mount_tells(
    mounted: tuple[Files, Files], change: Callable[[Files], object], told: list[tuple[object, ...]]
) -> None:
    host, seen = mounted
    host.store.watcher = heard = Heard()
    change(seen)
    assert heard.told == told


def test_a_copy_has_the_attributes_but_the_marks(mounted: tuple[Files, Files]) -> None:
    """ovl_copy_xattr; times and owner: ovl_set_attr."""
    host, seen = mounted
    lower = "/docker/overlay2/0/diff/b"
    host.setxattr(lower, "trusted.note", b"n")
    host.setxattr(lower, "trusted.overlay.metacopy", b"")
    host.chown(lower, 7, 8)
    host.utime(lower, 11, 22)
    seen.open("/b", O_RDWR).close()
    assert host.listxattr(UPPER + "/b") == ["trusted.note"]
    found = host.stat(UPPER + "/b")
    assert (found.st_uid, found.st_gid, found.st_atime_ns, found.st_mtime_ns) == (7, 8, 11, 22)
    assert host.read(UPPER + "/b") == b"4\n"


def test_a_copy_of_a_device_is_the_same_device(mounted: tuple[Files, Files]) -> None:
    host, seen = mounted
    host.mknod("/docker/overlay2/0/diff/null", stat.S_IFCHR | 0o666, makedev(1, 3))
    host.symlink("where", "/docker/overlay2/0/diff/link")
    host.store.watcher = heard = Heard()
    seen.chmod("/null", 0o600)
    seen.chown("/link", 1, 1, follow=False)
    found = host.stat(UPPER + "/null")
    assert (found.st_mode, found.st_rdev) == (stat.S_IFCHR | 0o600, makedev(1, 3))
    assert host.readlink(UPPER + "/link") == "where"
    assert heard.told == [(*COPY, "/null", 0, 0), (*COPY, "/link", 0, 0)]


def test_an_open_file_reads_the_copy_once_there_is_one(mounted: tuple[Files, Files]) -> None:
    """Since Linux 4.19 (ovl_real_fdget)."""
    host, seen = mounted
    with seen.open("/b") as reads, seen.open("/b", O_WRONLY) as writes, seen.open("/b", O_WRONLY) as other:
        assert (writes.write(b"new\n"), other.write(b"N")) == (4, 1)
        assert reads.read() == b"New\n"
        assert len({each.stat().st_ino for each in (reads, writes, other)}) == 1
    assert host.read("/docker/overlay2/0/diff/b") == b"4\n"


def test_handles_on_a_file_share_its_one_copy(mounted: tuple[Files, Files]) -> None:
    host, seen = mounted
    reads = [seen.open("/a/b") for _ in range(2)]
    seen.append("/a/b", "more")
    assert [each.read() for each in reads] == [b"2\nmore"] * 2
    assert host.listdir(UPPER + "/a") == ["b"]


def test_a_whiteout_cannot_be_made_through_the_mount(mounted: tuple[Files, Files]) -> None:
    """ovl_mknod: a device 0/0 is the mark."""
    host, seen = mounted
    with pytest.raises(PermissionError):
        seen.mknod("/mark", stat.S_IFCHR | 0o600, 0)
    assert not host.exists(UPPER + "/mark")
    seen.mknod("/tty", stat.S_IFCHR | 0o600, makedev(5, 0))
    seen.mknod("/disk", stat.S_IFBLK | 0o600, 0)
    assert seen.stat("/tty").st_rdev == host.stat(UPPER + "/tty").st_rdev == makedev(5, 0)
    assert stat.S_ISBLK(seen.stat("/disk").st_mode)


def test_what_is_removed_is_a_whiteout_only_where_the_lowers_have_it(mounted: tuple[Files, Files]) -> None:
    host, seen = mounted
    seen.write("/own", "")
    seen.append("/b", "x")
    seen.unlink("/own")
    seen.unlink("/b")
    found = host.lstat(UPPER + "/b")
    assert (stat.S_ISCHR(found.st_mode), found.st_rdev) == (True, 0)
    assert not host.exists(UPPER + "/own")
    assert (seen.exists("/b"), seen.exists("/own")) == (False, False)
    seen.write("/b", "again")
    assert host.read(UPPER + "/b") == seen.read("/b") == b"again"


def test_one_who_looked_before_sees_what_became_of_it(mounted: tuple[Files, Files]) -> None:
    """A second user of the mount, whose lookups are as old as they are."""
    _, seen = mounted
    other = seen.copy()
    assert other.read("/b") == b"4\n"
    seen.unlink("/b")
    assert not other.exists("/b")
    assert other.read("/a/c/d") == b"8\n"
    seen.rmtree("/a/c")
    seen.mkdir("/a/c")
    assert other.listdir("/a/c") == []


def test_times_and_links_of_what_is_linked_and_moved(mounted: tuple[Files, Files]) -> None:
    host, seen = mounted
    clock = host.store.clock
    clock.now = 5_000
    seen.link("/b", "/c/other")
    assert [seen.stat(path).st_nlink for path in ("/b", "/c/other")] == [2, 2]
    assert (seen.stat("/b").st_ctime_ns, seen.stat("/c").st_mtime_ns) == (5_000, 5_000)
    assert seen.stat("/b").st_mtime_ns != 5_000
    clock.now = 6_000
    seen.rename("/c/other", "/moved")
    assert (seen.stat("/b").st_ctime_ns, seen.stat("/").st_mtime_ns) == (6_000, 6_000)
    seen.unlink("/b")
    assert seen.stat("/moved").st_nlink == 1


def test_links_of_folders(mounted: tuple[Files, Files]) -> None:
    """A merged folder has one, whatever is in it (ovl_getattr); another has its own two, and one a folder in it."""
    _, seen = mounted
    seen.makedirs("/new/in")
    assert [seen.stat(path).st_nlink for path in ("/a", "/new", "/new/in")] == [1, 3, 2]
    seen.chmod("/a", 0o700)
    assert seen.stat("/a").st_nlink == 1


def test_a_folder_of_the_lowers_cannot_be_moved(mounted: tuple[Files, Files]) -> None:
    """redirect_dir=off."""
    _, seen = mounted
    with pytest.raises(OSError, match=r"[Cc]ross-device") as raised:
        seen.rename("/a", "/z")
    assert raised.value.errno == errno.EXDEV
    seen.makedirs("/new/in")
    seen.rename("/new", "/newer")
    assert seen.listdir("/newer") == ["in"]


def test_lowers_that_are_changed_from_outside_are_looked_at_again(mounted: tuple[Files, Files]) -> None:
    host, seen = mounted
    assert seen.exists("/b")
    host.unlink("/docker/overlay2/0/diff/b")
    host.write("/docker/overlay2/1/diff/late", "1")
    assert (seen.exists("/b"), seen.read("/late")) == (False, b"1")
    host.setxattr(UPPER, OPAQUE, b"y")
    host.write(UPPER + "/x", "")
    host.unlink(UPPER + "/x")
    assert seen.listdir("/") == []


@pytest.fixture
def disk() -> Files:
    """A disk with room for four pages."""
    store = Store(Ticking())
    return Namespace(store, tmpfs(store, 4 * PAGE)).files()


def full(files: Files, path: str, size: int) -> bool:
    """Whether so much does not fit."""
    with pytest.raises(OSError, match=r"No space left|no space left") as raised:
        files.write(path, b"x" * size)
    return raised.value.errno == errno.ENOSPC


def test_a_disk_takes_what_fits_and_no_more(disk: Files) -> None:
    """A page that is begun counts whole."""
    disk.makedirs("/d/e")
    disk.write("/d/e/one", b"x" * PAGE)
    disk.write("/two", b"x")
    assert full(disk, "/three", 2 * PAGE + 1)
    disk.write("/three", b"x" * 2 * PAGE)
    assert full(disk, "/four", 1)
    disk.write("/four", b"")
    disk.write("/three", b"x" * PAGE)
    disk.write("/four", b"x" * PAGE)
    assert full(disk, "/four", PAGE + 1)


def test_a_file_with_several_names_takes_its_room_once(disk: Files) -> None:
    disk.write("/one", b"x" * 2 * PAGE)
    disk.mkdir("/d")
    disk.link("/one", "/d/other")
    disk.symlink("/one", "/link")
    disk.write("/two", b"x" * 2 * PAGE)
    assert full(disk, "/three", 1)


@pytest.mark.parametrize("kind", ["disk", "union"])
def test_no_folder_moves_into_itself(kind: str, disk: Files, mounted: tuple[Files, Files]) -> None:
    files = disk if kind == "disk" else mounted[1]
    files.makedirs("/new/in/deep")
    files.mkdir("/new2")
    for to in ("/new/x", "/new/in/x", "/new/in/deep/x"):
        with pytest.raises(OSError, match=r"[Ii]nvalid") as raised:
            files.rename("/new", to)
        assert raised.value.errno == errno.EINVAL
    files.rename("/new/in", "/new2/in")
    assert (files.listdir("/new"), files.listdir("/new2/in")) == ([], ["deep"])


def test_a_disk_counts_names_and_times(disk: Files) -> None:
    clock = disk.store.clock
    disk.write("/a", "x")
    made = disk.stat("/a").st_ctime_ns
    clock.now += 10
    disk.link("/a", "/b")
    assert [(disk.stat(path).st_nlink, disk.stat(path).st_ctime_ns) for path in ("/a", "/b")] == [(2, made + 10)] * 2
    clock.now += 10
    disk.rename("/b", "/c")
    assert (disk.stat("/a").st_ctime_ns, disk.stat("/a").st_mtime_ns) == (made + 20, made)
    disk.write("/d", "y")
    disk.rename("/d", "/c")
    assert (disk.stat("/a").st_nlink, disk.read("/c")) == (1, b"y")
    disk.mknod("/null", stat.S_IFCHR | 0o666, makedev(1, 3))
    assert (disk.stat("/null").st_rdev, disk.stat("/c").st_rdev) == (makedev(1, 3), 0)
    assert disk.stat("/a").st_dev == disk.stat("/null").st_dev
    disk.unlink("/a")
    assert disk.listdir("/") == ["c", "null"]
    disk.makedirs("/f/in")
    with pytest.raises(OSError, match=r"not empty"):
        disk.rmdir("/f")


def test_a_copy_leaves_its_folders_times_and_a_whiteout_does_not(mounted: tuple[Files, Files]) -> None:
    """ovl_copy_up_one sets the parent's times again; ovl_do_remove leaves the new ones."""
    host, seen = mounted
    before = seen.stat("/a").st_mtime_ns
    host.store.clock.now = before + 9
    seen.append("/a/b", "x")
    assert seen.stat("/a").st_mtime_ns == host.stat(UPPER + "/a").st_mtime_ns == before
    seen.unlink("/a/a")
    assert seen.stat("/a").st_mtime_ns == before + 9
    seen.write("/plain", "")
    assert seen.stat("/plain").st_rdev == 0


def test_a_path_is_told_whole_after_names_have_gone(mounted: tuple[Files, Files]) -> None:
    host, seen = mounted
    seen.chmod("/a/c", 0o700)
    seen.unlink("/b")
    host.store.watcher = heard = Heard()
    seen.append("/a/c/a", "x")
    assert heard.told == [(*COPY, "/a/c/a", 2, 0)]


MOUNT_POINTS = [  # a call on what is a mount point by another path, and what it does (kernel, is_local_mountpoint)
    (lambda files: files.rmdir("/b/sub"), errno.EBUSY),
    (lambda files: files.unlink("/b/file"), errno.EBUSY),
    (lambda files: files.rename("/b/sub", "/b/other"), errno.EBUSY),
    (lambda files: files.rename("/b/x", "/b/sub"), errno.EBUSY),
    (lambda files: files.rename("/b/other file", "/b/file"), errno.EBUSY),
    (lambda files: files.rmdir("/b/x"), 0),
    (lambda files: files.rmdir("/c/sub"), 0),  # another folder of that name
]


@pytest.mark.parametrize(("call", "error"), MOUNT_POINTS, ids=range(len(MOUNT_POINTS)))
def test_a_mount_point_is_busy_by_any_path(call: Callable[[Files], None], error: int) -> None:
    store = Store(Ticking())
    files = Namespace(store, tmpfs(store)).files()
    for path in ("/a/sub", "/a/x", "/b", "/c/sub", "/v"):
        files.makedirs(path)
    for path in ("/a/file", "/a/other file", "/v/f"):
        files.write(path, b"")
    for target, source in (("/b", "/a"), ("/a/sub", "/v"), ("/a/file", "/v/f")):
        files.namespace.mount(target, files.source(source))
    with pytest.raises(OSError) if error else nullcontext() as raised:  # noqa: PT011
        call(files)
    assert not error or raised.value.errno == error
