from __future__ import annotations

import stat
from collections.abc import Callable
from dataclasses import replace

import pytest

from labkit.engine.core.core import HostFolderCreated, VolumePopulated, find
from labkit.engine.core.errors import EngineError
from labkit.engine.mounts import mounts
from labkit.files import User, makedev, tmpfs
from tests.engine.conftest import Lab
from tests.files.machines import tree


def image_with_data(lab: Lab) -> None:
    """`app`: /data is 750 and 1000's, with a file, a folder and a link in it."""
    lab.up("maker")
    files = lab.engine.container("maker").files
    files.mkdir("/data", 0o750)
    files.write("/data/a", b"image")
    files.chmod("/data/a", 0o600)
    files.makedirs("/data/sub")
    files.symlink("a", "/data/link")
    for path in ("/data", "/data/a", "/data/sub"):
        files.chown(path, 1000, 2000)
    lab.engine.commit("maker", "app")
    lab.engine.remove_container("maker", force=True)


def test_an_empty_volume_is_filled_at_creation(lab: Lab) -> None:
    image_with_data(lab)
    lab.create("c1", "true", image="app", Binds=["v1:/data:ro"])
    folder = "/var/lib/docker/volumes/v1/_data"
    assert lab.host.listdir(folder) == ["a", "link", "sub"]
    about = lab.host.stat(folder)
    assert (oct(about.st_mode), about.st_uid, about.st_gid) == ("0o40750", 1000, 2000)
    assert oct(lab.host.stat(f"{folder}/a").st_mode) == "0o100600"
    assert lab.host.readlink(f"{folder}/link") == "a"
    assert [event.name for event in lab.engine.events if isinstance(event, VolumePopulated)] == ["v1"]


def test_nocopy_and_what_is_there_keep_the_image_out(lab: Lab) -> None:
    image_with_data(lab)
    lab.create("c1", "true", image="app", Binds=["v1:/data:nocopy"])
    assert lab.host.listdir("/var/lib/docker/volumes/v1/_data") == []
    lab.host.write("/var/lib/docker/volumes/v1/_data/mine", b"")
    assert lab.run("c2", "ls", "/data", image="app", Binds=["v1:/data"]).out == "mine\n"


def test_the_images_volumes_are_anonymous_ones(lab: Lab) -> None:
    image_with_data(lab)
    lab.create("c0", "true", image="app")
    lab.engine.commit("c0", "app2", changes=["VOLUME /data /logs"])
    lab.create("c1", "true", image="app2", Binds=["named:/data"], Tmpfs={"/logs": ""})
    assert [mount["Name"] for mount in lab.engine.inspect_container("c1")["Mounts"]] == ["named"]
    assert lab.run("c2", "ls", "/data", image="app2").out == "a\nlink\nsub\n"
    mounts = lab.engine.inspect_container("c2")["Mounts"]
    assert [(mount["Destination"], mount["Mode"]) for mount in mounts] == [("/data", ""), ("/logs", "")]


def test_what_inspect_shows(lab: Lab) -> None:
    lab.host.makedirs("/home/learner/d")
    lab.create(
        "c1", "true", Binds=["notes:/a", "/home/learner/d:/b:ro"], Mounts=[{"Type": "tmpfs", "Target": "/c"}]
    )  # fmt: skip
    assert lab.engine.inspect_container("c1")["Mounts"] == [
        {
            "Type": "volume", "Name": "notes", "Source": "/var/lib/docker/volumes/notes/_data", "Destination": "/a",
            "Driver": "local", "Mode": "z", "RW": True, "Propagation": "",
        },
        {
            "Type": "bind", "Source": "/home/learner/d", "Destination": "/b", "Mode": "ro", "RW": False,
            "Propagation": "rprivate",
        },
        {"Type": "tmpfs", "Source": "", "Destination": "/c", "Mode": "", "RW": True, "Propagation": ""},
    ]  # fmt: skip


DUPLICATES = [
    {"Binds": ["one:/data", "two:/data"]},
    {"Binds": ["one:/data/", "two:/data"]},
    {"Binds": ["one:/data"], "Tmpfs": {"/data": ""}},
    {"Binds": ["one:/data"], "Mounts": [{"Type": "volume", "Source": "two", "Target": "/data"}]},
    {"Mounts": [{"Type": "volume", "Source": name, "Target": "/data"} for name in ("one", "two")]},
]


@pytest.mark.parametrize("asked", DUPLICATES)
def test_one_target_gets_one_mount(lab: Lab, asked: dict[str, object]) -> None:
    assert lab.refused(lab.create, "c1", "true", **asked) == "Duplicate mount point: /data"
    assert lab.engine.containers(all=True) == []
    lab.create("c1", "true", Mounts=[{"Type": "tmpfs", "Target": "/data"}], Tmpfs={"/data": ""})


def test_a_missing_source_is_made_at_the_start(lab: Lab) -> None:
    lab.create("c1", "true", Binds=["/srv/shared/later:/data"])
    assert not lab.host.exists("/srv")
    lab.start("c1")
    assert oct(lab.host.stat("/srv/shared/later").st_mode) == "0o40755"
    assert [event.path for event in lab.engine.events if isinstance(event, HostFolderCreated)] == ["/srv/shared/later"]
    wrong = 'invalid mount config for type "bind": bind source path does not exist: /nosuch'
    mounts = [{"Type": "bind", "Source": "/nosuch", "Target": "/data"}]
    assert lab.refused(lab.create, "c2", "true", Mounts=mounts) == wrong


def test_a_source_that_goes_before_the_start(lab: Lab) -> None:
    lab.host.makedirs("/srv/a")
    lab.create("c1", "true", Mounts=[{"Type": "bind", "Source": "/srv/a", "Target": "/data"}])
    lab.host.rmdir("/srv/a")
    assert "bind source path does not exist: /srv/a" in lab.refused(lab.start, "c1")
    lab.create("c2", "true", Binds=["notes:/data"])
    folder = "/var/lib/docker/volumes/notes/_data"
    lab.host.rmdir(folder)
    message = f'error evaluating symlinks from mount source "{folder}": lstat {folder}: no such file or directory'
    assert lab.refused(lab.start, "c2") == message


def test_files_and_folders_do_not_mix(lab: Lab) -> None:
    lab.host.write("/home/learner/file", b"text")
    hint = (
        ": not a directory: unknown: Are you trying to mount a directory onto a file (or vice-versa)? Check if the "
        "specified host path exists and is the expected type"
    )
    for number, bind in enumerate(("/home/learner:/etc/passwd", "/home/learner/file:/etc", "notes:/etc/passwd")):
        lab.create(f"c{number}", "true", Binds=[bind])
        assert lab.refused(lab.start, f"c{number}").endswith(hint)
    lab.create("c4", "true", Binds=["/home/learner/file/x:/y"])
    assert "failed to fulfil mount request: open /home/learner/file/x: not a directory" in lab.refused(lab.start, "c4")
    assert lab.run("c5", "cat", "/new/file", Binds=["/home/learner/file:/new/file"]).out == "text"
    assert lab.engine.diff("c5") == [("A", "/new"), ("A", "/new/file")]


def test_nested_mounts_in_any_order(lab: Lab) -> None:
    lab.host.makedirs("/srv/inner")
    lab.host.makedirs("/srv/outer")
    lab.host.write("/srv/inner/i", b"i")
    assert lab.run("c1", "cat", "/d/sub/in/i", Binds=["/srv/inner:/d/sub/in", "/srv/outer:/d"]).out == "i"
    assert lab.host.listdir("/srv/outer/sub/in") == []
    lab.host.makedirs("/srv/plain")
    lab.create("c2", "true", Binds=["/srv/plain:/d:ro", "vol:/d/vol"])
    message = lab.refused(lab.start, "c2")
    assert 'to rootfs at "/d/vol": create mountpoint for /d/vol mount: make mountpoint "/d/vol": mkdirat' in message
    assert message.endswith("/merged/d/vol: read-only file system: unknown")


def test_a_bind_takes_along_what_is_mounted_below(lab: Lab) -> None:
    lab.host.makedirs("/srv/top/below")
    lab.host.namespace.mount("/srv/top/below", tmpfs(lab.store))
    lab.host.write("/srv/top/below/f", b"x")
    assert lab.run("c1", "cat", "/d/below/f", Binds=["/srv/top:/d"]).out == "x"


def test_volumes_from(lab: Lab) -> None:
    lab.create("source", "true", Binds=["named:/named", "/home/learner:/bind"], Volumes={"/anon": {}})
    lab.run("c1", "tee", "/anon/f", "x", VolumesFrom=["source"])
    assert lab.run("c2", "cat", "/anon/f", VolumesFrom=["source:ro"]).out == "x"
    assert [mount["RW"] for mount in lab.engine.inspect_container("c2")["Mounts"]] == [False, False, False]
    assert lab.refused(lab.create, "c3", "true", VolumesFrom=["nosuch"]) == "No such container: nosuch"
    assert lab.refused(lab.create, "c4", "true", VolumesFrom=["source:maybe"]) == "invalid mode: maybe"
    lab.create("c5", "true", VolumesFrom=["source"], Binds=["other:/named"])
    names = {mount["Destination"]: mount.get("Name") for mount in lab.engine.inspect_container("c5")["Mounts"]}
    assert names["/named"] == "other"
    lab.engine.remove_container("source", volumes=True)
    assert len(lab.engine.volumes()) == 3


def test_rm_takes_anonymous_volumes_where_that_is_asked_for(lab: Lab) -> None:
    lab.create("c1", "true", Volumes={"/a": {}}, Binds=["named:/n"])
    lab.engine.remove_container("c1", volumes=True)
    assert [row["Name"] for row in lab.engine.volumes()] == ["named"]
    lab.create("c2", "true", Volumes={"/a": {}})
    lab.engine.remove_container("c2")
    assert len(lab.engine.volumes()) == 2


def test_subpaths(lab: Lab) -> None:
    lab.run("c1", "tee", "/n/top", "x", Binds=["notes:/n"])
    spec = {"Type": "volume", "Source": "notes", "Target": "/m/file", "VolumeOptions": {"Subpath": "top"}}
    assert lab.run("c2", "cat", "/m/file", Mounts=[spec]).out == "x"
    lab.create("c3", "true", Mounts=[{**spec, "VolumeOptions": {"Subpath": "nosuch"}}])
    path = "/var/lib/docker/volumes/notes/_data/nosuch"
    assert lab.refused(lab.start, "c3") == f"cannot access path {path}: lstat {path}: no such file or directory"


def test_tmpfs(lab: Lab) -> None:
    def mode(name: str) -> str:
        return oct(lab.engine.container(name).files.stat("/t").st_mode & 0o7777)

    lab.up("c1", Tmpfs={"/t": ""})
    assert mode("c1") == "0o1777"
    lab.engine.restart("c1", 0)
    assert mode("c1") == "0o755"
    lab.up("c2", Mounts=[{"Type": "tmpfs", "Target": "/t", "TmpfsOptions": {"SizeBytes": 1 << 20, "Mode": 0o1770}}])
    assert mode("c2") == "0o1770"
    with pytest.raises(OSError, match="No space left"):
        lab.engine.container("c2").files.write("/t/f", bytes(2 << 20))
    lab.create("c3", "true", Tmpfs={"/t": "nosuch"})
    assert lab.refused(lab.start, "c3") == 'invalid tmpfs option "nosuch"'
    lab.create("c4", "true", Tmpfs={"/t": "size=big"})
    assert lab.refused(lab.start, "c4").endswith(
        "flags=MS_NOSUID|MS_NODEV|MS_NOEXEC, data=size=big: invalid argument: unknown"
    )
    for target, message in (
        ("/", "invalid specification: destination can't be '/'"),
        ("t", "invalid mount path: 't' mount path must be absolute"),
    ):
        assert lab.refused(lab.create, "c5", "true", Tmpfs={target: ""}) == message


def test_rights_count_by_number(lab: Lab) -> None:
    lab.host.makedirs("/srv/roots")
    lab.up("c1", User="1000", Binds=["/srv/roots:/r"])
    files = lab.engine.container("c1").files.as_user(User(1000, 0))
    with pytest.raises(PermissionError):
        files.write("/r/f", b"")


def test_a_read_only_root(lab: Lab) -> None:
    lab.up("c1", ReadonlyRootfs=True, Binds=["data:/data"], Tmpfs={"/scratch": ""})
    files = lab.engine.container("c1").files
    for path in ("/f", "/tmp/f"):
        with pytest.raises(OSError, match="Read-only file system"):
            files.write(path, b"")
    for path in ("/data/f", "/scratch/f", "/dev/shm/f"):
        files.write(path, b"x")


def test_volumes_from_itself(lab: Lab) -> None:
    """The name is taken while the container is made, but nobody finds it yet (moby, daemon/container.go)."""
    assert lab.refused(lab.create, "c1", "true", VolumesFrom=["c1"]) == "No such container: c1"
    assert lab.create("c1", "true")


def test_a_copied_folder_is_the_same_folder(lab: Lab) -> None:
    """Types, modes, owners, times, links: moby, daemon/graphdriver/copy (DirCopy)."""
    host = lab.host
    host.makedirs("/from/sub/deep")
    host.write("/from/a", b"text")
    host.link("/from/a", "/from/sub/b")
    host.symlink("nowhere", "/from/link")
    host.mknod("/from/null", stat.S_IFCHR | 0o666, makedev(1, 3))
    host.mkfifo("/from/sub/fifo", 0o640)
    host.write("/from/sub/deep/x", b"x")
    for number, path in enumerate(
        ("/from/sub/deep/x", "/from/sub/fifo", "/from/a", "/from/link", "/from/sub", "/from")
    ):
        host.chown(path, 10 + number, 20 + number, follow=False)
        host.utime(path, number, number, follow=False)
    host.chmod("/from/a", 0o4751)
    host.chmod("/from/sub", 0o1770)
    host.chmod("/from", 0o701)
    host.makedirs("/to")
    assert mounts.copy_folder(host, "/from", host, "/to") == 4
    assert tree(host, "/to") == {path.replace("/from", "/to"): row for path, row in tree(host, "/from").items()}

    def times(top: str) -> list[tuple[int, int]]:
        folders = [folder for folder, _, _ in host.walk(top)]
        paths = [f"{folder}/{name}" for folder in folders for name in host.listdir(folder)]
        return [(host.lstat(path).st_mtime_ns, host.lstat(path).st_nlink) for path in (top, *paths)]

    assert times("/to") == times("/from")
    assert host.stat("/to/a").st_ino == host.stat("/to/sub/b").st_ino != host.stat("/from/a").st_ino
    found = host.stat("/to")
    assert (found.st_mode & 0o7777, found.st_uid, found.st_gid) == (0o701, 15, 25)
    assert mounts.copy_folder(host, "/from/sub/deep", host, "/to/sub/deep/") == 1


def test_where_a_relative_target_lies() -> None:
    assert (mounts.absolute("data"), mounts.absolute("/data")) == ("/data", "/data")


def prepared(lab: Lab, name: str) -> list[mounts.Prepared]:
    """What is mounted into a container, in order, without the sources."""
    found = mounts.prepare(lab.engine.core, find(lab.engine.core, name))
    return [replace(each, source=None) for each in found]


def test_what_is_mounted_and_in_which_order(lab: Lab) -> None:
    lab.host.makedirs("/srv/d")
    lab.host.write("/srv/f", b"")
    lab.create(
        "c1", "true",
        Binds=["/srv/d:/x/y/z:ro,rslave", "notes:/b", "/srv/f:/a/file"],
        Mounts=[
            {"Type": "bind", "Source": "/srv/d", "Target": "/c", "BindOptions": {"NonRecursive": True}},
            {"Type": "tmpfs", "Target": "/d/e", "ReadOnly": True, "TmpfsOptions": {"Mode": 0o700, "SizeBytes": 1 << 20}},
            {"Type": "image", "Source": "busybox", "Target": "/i"},
            {"Type": "image", "Source": "busybox", "Target": "/j", "ImageOptions": {"Subpath": "etc/passwd"}},
        ],
        Tmpfs={"/t/": "size=1k,exec,uid=1", "/u": ""},
    )  # fmt: skip
    volume = "/var/lib/docker/volumes/notes/_data"
    row = mounts.Prepared
    assert prepared(lab, "c1") == [
        row("/t", "tmpfs", None, propagation="rprivate", options=("nosuid", "nodev"), data=("size=1k", "uid=1")),
        row("/u", "tmpfs", None, options=("nosuid", "nodev", "noexec")),
        row("/b", volume, None, path=volume),
        row("/c", "/srv/d", None, path="/srv/d", recursive=False),
        row("/i", "busybox", None, readonly=True),
        row("/j", "busybox", None, False, readonly=True),
        row("/a/file", "/srv/f", None, False, path="/srv/f"),
        row("/d/e", "tmpfs", None, readonly=True, options=("nosuid", "nodev", "noexec"), data=("mode=700", "size=1m")),
        row("/x/y/z", "/srv/d", None, readonly=True, propagation="rslave", path="/srv/d"),
    ]
    assert lab.run("c2", "cat", "/j", Mounts=[lab.engine.inspect_container("c1")["HostConfig"]["Mounts"][3]]).out


def told(call: Callable[..., object], *args: object, **kwargs: object) -> tuple[str, str]:
    """What a refusal says, and of which kind it is."""
    with pytest.raises(EngineError) as caught:
        call(*args, **kwargs)
    return caught.value.kind, str(caught.value)


def test_refusals_and_their_kinds(lab: Lab) -> None:
    image = {"Type": "image", "Source": "busybox", "Target": "/i"}
    assert told(lab.create, "c1", "true", Binds=["one:/data", "two:/data"])[0] == "invalid"
    assert told(lab.create, "c1", "true", Mounts=[{**image, "Target": "/a/../i"}, image])[1] == (
        "Duplicate mount point: /i"
    )
    wrong = "invalid mount config for type \"bind\": invalid specification: destination can't be '/'"
    assert told(lab.create, "c1", "true", Mounts=[{"Type": "bind", "Source": "/srv", "Target": "/"}]) == (
        "invalid",
        wrong,
    )
    assert told(lab.create, "c1", "true", Mounts=[{**image, "Source": "nosuch"}]) == (
        "not-found",
        "No such image: nosuch:latest",
    )
    lab.create("c2", "true", Mounts=[{**image, "ImageOptions": {"Subpath": "nosuch"}}])
    assert told(lab.start, "c2") == ("system", "cannot access path /nosuch: no such file or directory")


def test_a_subpath_stays_in_its_volume(lab: Lab) -> None:
    top = lab.engine.create_volume("notes").mountpoint
    lab.host.symlink("/etc", f"{top}/out")
    lab.host.symlink("..", f"{top}/up")
    lab.host.makedirs(f"{top}/in")
    lab.host.makedirs(f"{top}-more/x")
    lab.host.symlink(f"{top}-more/x", f"{top}/beside")
    lab.host.symlink("in", f"{top}/link")
    lab.host.symlink(".", f"{top}/self")

    def start(number: int, subpath: str) -> None:
        spec = {"Type": "volume", "Source": "notes", "Target": "/m", "VolumeOptions": {"Subpath": subpath}}
        lab.create(f"c{number}", "true", Mounts=[spec])
        lab.start(f"c{number}")

    for number, subpath in enumerate(("out", "up", "beside")):
        path = f"{top}/{subpath}"
        assert told(start, number, subpath) == ("invalid", f"path {path} is outside of volume {top}")
    for number, subpath in enumerate(("in", "link", "self"), 10):
        start(number, subpath)


def test_a_volumes_subpath_is_filled_where_it_is_an_empty_folder(lab: Lab) -> None:
    image_with_data(lab)
    top = lab.engine.create_volume("notes").mountpoint
    lab.host.makedirs(f"{top}/in")
    spec = {"Type": "volume", "Source": "notes", "Target": "/data", "VolumeOptions": {"Subpath": "in"}}
    lab.create("c1", "true", image="app", Mounts=[spec])
    assert (lab.host.listdir(top), lab.host.listdir(f"{top}/in")) == (["in"], ["a", "link", "sub"])
    (event,) = [event for event in lab.engine.events if isinstance(event, VolumePopulated)]
    assert event == VolumePopulated("notes", find(lab.engine.core, "c1").id, "/data")
    lab.create("c2", "true", image="app", Binds=["first:/nosuch", "second:/data/a", "third:/data"])
    assert lab.host.listdir("/var/lib/docker/volumes/third/_data") == ["a", "link", "sub"]
    assert lab.host.listdir("/var/lib/docker/volumes/second/_data") == []


def test_what_a_folder_without_files_fills_is_no_event(lab: Lab) -> None:
    lab.create("c1", "true", Binds=["notes:/tmp"])
    assert not [event for event in lab.engine.events if isinstance(event, VolumePopulated)]
    folder = lab.host.stat("/var/lib/docker/volumes/notes/_data")
    assert oct(folder.st_mode & 0o7777) == "0o1777"


def points(lab: Lab, name: str) -> list[tuple[str, str, str, bool]]:
    """Target, source or name, mode, and whether it can be written, of each mount."""
    rows = lab.engine.inspect_container(name)["Mounts"]
    return [(row["Destination"], row.get("Name") or row["Source"], row["Mode"], row["RW"]) for row in rows]


def test_who_wins_at_a_target(lab: Lab) -> None:
    image_with_data(lab)
    lab.create("one", "true", image="app", Binds=["a1:/data:ro", "b1:/b:nocopy"])
    lab.create("two", "true", Binds=["a2:/data", "/srv:/c:ro"])
    lab.create("c1", "true", image="app", VolumesFrom=["one", "two:z"], Binds=["c1:/c"], Volumes={"/b": {}, "/n/": {}})
    found = points(lab, "c1")
    assert found[:3] == [("/data", "a2", "", True), ("/b", "b1", "", True), ("/c", "c1", "z", True)]
    assert [(target, mode, rw) for target, _, mode, rw in found[3:]] == [("/n", "", True)]
    assert points(lab, "one") == [("/data", "a1", "ro", False), ("/b", "b1", "nocopy", True)]
    lab.create("c2", "true", VolumesFrom=["one:rw", "two:ro,z"])
    assert points(lab, "c2") == [("/data", "a2", "", False), ("/b", "b1", "", True), ("/c", "/srv", "", False)]
    other = find(lab.engine.core, "c2").mounts
    assert not any(point.copy_data for point in other)


def test_a_driver_and_labels_are_the_volumes(lab: Lab) -> None:
    spec = {
        "Type": "volume", "Source": "notes", "Target": "/m", "VolumeOptions": {
            "Labels": {"a": "b"}, "DriverConfig": {"Name": "local", "Options": {"type": "tmpfs", "device": "tmpfs"}},
        },
    }  # fmt: skip
    lab.create("c1", "true", Mounts=[spec])
    row = lab.engine.inspect_volume("notes")
    assert (row["Labels"], row["Options"], row["Driver"]) == ({"a": "b"}, {"device": "tmpfs", "type": "tmpfs"}, "local")
    for about in ({"Binds": ["other:/m"]}, {"Volumes": {"/m": {}}}):
        kind, message = told(lab.create, "c2", "true", VolumeDriver="nfs", **about)
        assert (kind, message.partition(": ")[2]) == (
            "not-found",
            'error looking up volume plugin nfs: plugin "nfs" not found',
        )
    assert [row["Name"] for row in lab.engine.volumes()] == ["notes"]


def test_a_source_that_cannot_be_made(lab: Lab) -> None:
    lab.host.symlink("/nowhere/at/all", "/srv-link")
    lab.create("c1", "true", Binds=["/srv-link/x:/m"])
    message = "error while creating mount source path '/srv-link/x': mkdir /srv-link: file exists"
    assert told(lab.start, "c1") == ("system", message)
    assert not [event for event in lab.engine.events if isinstance(event, HostFolderCreated)]
    lab.create("c2", "true", Binds=["/later:/m"])
    lab.start("c2")
    events = [event for event in lab.engine.events if isinstance(event, HostFolderCreated)]
    assert events == [HostFolderCreated("/later", find(lab.engine.core, "c2").id)]


def test_a_volume_without_its_folder_starts_only_unlabelled(lab: Lab) -> None:
    """`z` is what a volume of -v has by itself: moby, daemon/volume/mounts/mounts.go Setup (relabelIfNeeded)."""
    folder = "/var/lib/docker/volumes/notes/_data"
    lab.create("c1", "true", Binds=["notes:/m:Z"])
    lab.create("c2", "true", Binds=["notes:/m:ro"])
    lab.host.rmdir(folder)
    message = f'error evaluating symlinks from mount source "{folder}": lstat {folder}: no such file or directory'
    assert told(lab.start, "c1") == ("system", message)
    assert f"failed to fulfil mount request: open {folder}: no such file or directory" in told(lab.start, "c2")[1]
