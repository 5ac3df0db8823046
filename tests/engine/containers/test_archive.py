from __future__ import annotations

from labkit.files import Content, Entry, layers
from tests.engine.conftest import Lab


def names(archive: object) -> list[str]:
    return [entry.path for entry in layers.read(archive)]  # type: ignore[arg-type]


def test_get(lab: Lab) -> None:
    lab.run("c1", "tee", "/srv", "text")
    about, archive = lab.engine.archive_get("c1", "/srv")
    assert about.st_size == 4
    assert names(archive) == ["srv"]
    _, archive = lab.engine.archive_get("c1", "/etc")
    assert names(archive)[0] == "etc"
    missing = "Could not find the file /nosuch in container c1"
    assert lab.refused(lab.engine.archive_get, "c1", "/nosuch") == missing
    assert lab.refused(lab.engine.archive_get, "c1", "relative") == missing.replace("/nosuch", "relative")
    assert lab.refused(lab.engine.archive_get, "x", "/") == "No such container: x"


def test_put_goes_through_mounts(lab: Lab) -> None:
    lab.create("c1", "true", Binds=["data:/data"])
    lab.run("c2", "tee", "/a.txt", "a")
    _, archive = lab.engine.archive_get("c2", "/a.txt")
    lab.engine.archive_put("c1", "/data", archive)
    assert lab.host.read("/var/lib/docker/volumes/data/_data/a.txt") == b"a"
    assert lab.engine.diff("c1") == [("A", "/data")]
    missing = "Could not find the file /srv in container c1"
    assert lab.refused(lab.engine.archive_put, "c1", "/srv", archive) == missing


def test_read_only_roots_and_mounts_take_nothing(lab: Lab) -> None:
    lab.create("c1", "true", ReadonlyRootfs=True, Binds=["data:/data", "other:/other:ro"])
    lab.run("c2", "tee", "/a.txt", "a")
    _, archive = lab.engine.archive_get("c2", "/a.txt")
    assert lab.refused(lab.engine.archive_put, "c1", "/", archive) == "container rootfs is marked read-only"
    assert lab.refused(lab.engine.archive_put, "c1", "/other", archive) == "mounted volume is marked read-only"
    lab.engine.archive_put("c1", "/data", archive)


def test_what_is_in_a_tmpfs_is_not_seen(lab: Lab) -> None:
    lab.up("c1", Tmpfs={"/t": ""})
    lab.exec("c1", "tee", "/t/x", "x")
    assert lab.refused(lab.engine.archive_get, "c1", "/t/x") == "Could not find the file /t/x in container c1"


def test_export_is_image_and_layer_without_mounts(lab: Lab) -> None:
    lab.run("c1", "tee", "/data/f", "x", Binds=["data:/data"])
    found = [name for name in names(lab.engine.export("c1")) if not name.startswith("bin")]
    assert found == [
        ".dockerenv", "data", "dev", "dev/console", "dev/pts", "dev/shm", "etc", "etc/hostname", "etc/hosts",
        "etc/mtab", "etc/passwd", "etc/resolv.conf", "proc", "root", "sys", "tmp", "usr", "var",
    ]  # fmt: skip


def test_owners_go_by_number_unless_the_containers_user_is_to_have_all(lab: Lab) -> None:
    lab.up("c1", User="7:8")
    archive = layers.write([Entry("f", 0o100640, 1000, 2000, data=Content(b"x"))])
    lab.engine.archive_put("c1", "/tmp", archive)
    about = lab.engine.archive_stat("c1", "/tmp/f")
    assert (about.st_uid, about.st_gid, oct(about.st_mode)) == (1000, 2000, "0o100640")
    lab.engine.archive_put("c1", "/tmp", archive, copy_uid_gid=True)
    about = lab.engine.archive_stat("c1", "/tmp/f")
    assert (about.st_uid, about.st_gid) == (7, 8)


def test_looking_copies_up_what_files_are_mounted_on(lab: Lab) -> None:
    """moby, daemon/containerfs_linux.go, createIfNotExists: O_CREATE|O_WRONLY; not in diff, for nothing has changed."""
    lab.run("c1", "true")
    upper = lab.engine.inspect_container("c1")["GraphDriver"]["Data"]["UpperDir"]
    assert lab.host.listdir(upper) == []
    lab.refused(lab.engine.archive_get, "c1", "/nosuch")
    assert sorted(lab.host.listdir(f"{upper}/etc")) == ["hostname", "hosts", "resolv.conf"]
    assert lab.host.stat(f"{upper}/etc/hosts").st_mode & 0o777 == 0o755
    assert lab.engine.diff("c1") == []
