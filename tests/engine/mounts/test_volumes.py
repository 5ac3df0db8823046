from __future__ import annotations

from tests.engine.conftest import Lab

ALLOWED = 'only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path'


def test_life(lab: Lab) -> None:
    lab.engine.create_volume("notes", labels={"b": "2", "a": "1"})
    assert lab.engine.inspect_volume("notes") == {
        "CreatedAt": "2026-11-24T09:00:00Z",
        "Driver": "local",
        "Labels": {"a": "1", "b": "2"},
        "Mountpoint": "/var/lib/docker/volumes/notes/_data",
        "Name": "notes",
        "Options": None,
        "Scope": "local",
    }
    lab.engine.create_volume("notes", labels={"a": "9"})
    assert lab.engine.inspect_volume("notes")["Labels"] == {"a": "1", "b": "2"}
    assert oct(lab.host.stat("/var/lib/docker/volumes/notes").st_mode) == "0o40701"
    assert oct(lab.host.stat("/var/lib/docker/volumes/notes/_data").st_mode) == "0o40755"
    lab.engine.remove_volume("notes")
    assert lab.refused(lab.engine.remove_volume, "notes") == "get notes: no such volume"
    assert lab.refused(lab.engine.inspect_volume, "notes") == "get notes: no such volume"
    lab.engine.remove_volume("notes", force=True)


def test_names(lab: Lab) -> None:
    short = "create a: volume name is too short, names should be at least two alphanumeric characters"
    assert lab.refused(lab.engine.create_volume, "a") == short
    for name in ("bad name", ".hidden", "a/b"):
        message = f'create {name}: "{name}" includes invalid characters for a local volume name, {ALLOWED}'
        assert lab.refused(lab.engine.create_volume, name) == message
    volume = lab.engine.create_volume()
    assert len(volume.name) == 64
    assert volume.labels == {"com.docker.volume.anonymous": ""}


def test_options(lab: Lab) -> None:
    rows = [
        ({"nosuch": "1"}, 'invalid option: "nosuch"'),
        ({"device": "/x"}, 'missing required option: "type"'),
        ({"type": "tmpfs"}, 'missing required option: "device"'),
        ({"o": "bind"}, 'missing required option: "device"'),
        ({"size": "1g"}, "quota size requested but no quota support"),
    ]
    for options, message in rows:
        assert lab.refused(lab.engine.create_volume, "vol", opts=options) == f"create vol: {message}"
    unknown = 'create vol: error looking up volume plugin nosuch: plugin "nosuch" not found'
    assert lab.refused(lab.engine.create_volume, "vol", driver="nosuch") == unknown
    assert lab.engine.volumes() == []


def test_in_use(lab: Lab) -> None:
    first = lab.create("c1", "true", Binds=["notes:/data"])
    second = lab.create("c2", "true", Binds=["notes:/data"])
    message = f"remove notes: volume is in use - [{first}, {second}]"
    assert lab.refused(lab.engine.remove_volume, "notes", force=True) == message
    assert lab.engine.prune_volumes(all=True) == ([], 0)


def test_filters(lab: Lab) -> None:
    lab.engine.create_volume("one", labels={"keep": "yes"})
    lab.engine.create_volume("two", labels={"keep": "no"})
    lab.create("c1", "true", Binds=["three:/data"])

    def names(**filters: list[str]) -> list[str]:
        return [row["Name"] for row in lab.engine.volumes(filters)]

    assert names() == ["one", "three", "two"]
    assert names(dangling=["true"]) == ["one", "two"]
    assert names(dangling=["0"]) == ["three"]
    assert names(label=["keep"]) == ["one", "two"]
    assert names(label=["keep=yes"]) == ["one"]
    assert names(name=["o"]) == ["one", "two"]
    assert names(driver=["x"]) == []
    assert lab.refused(lab.engine.volumes, {"nosuch": ["1"]}) == "invalid filter 'nosuch'"


def test_prune(lab: Lab) -> None:
    lab.engine.create_volume("named")
    anonymous = lab.engine.create_volume()
    lab.host.write(f"{anonymous.mountpoint}/f", b"12345")
    assert lab.engine.prune_volumes() == ([anonymous.name], 5)
    assert lab.engine.prune_volumes(filters={"all": ["true"]}) == (["named"], 0)


def test_a_bind_under_a_volumes_name(lab: Lab) -> None:
    lab.host.makedirs("/srv/v")
    lab.engine.create_volume("bound", opts={"type": "none", "o": "bind", "device": "/srv/v"})
    lab.run("c1", "tee", "/data/f", "x", Binds=["bound:/data"])
    assert lab.host.read("/srv/v/f") == b"x"
    assert lab.host.listdir("/var/lib/docker/volumes/bound/_data") == []
    lab.engine.create_volume("broken", opts={"type": "none", "o": "bind", "device": "/nosuch"})
    lab.create("c2", "true", Binds=["broken:/data"])
    folder = "/var/lib/docker/volumes/broken/_data"
    message = (
        f"error while mounting volume '{folder}': failed to mount local volume: mount /nosuch:{folder}, flags: 0x1000: "
        "no such file or directory"
    )
    assert lab.refused(lab.start, "c2") == message
    assert lab.refused(lab.create, "c3", "true", Binds=["broken:/etc"]) == f"failed to populate volume: {message}"


def test_a_tmpfs_under_a_volumes_name_is_empty_again(lab: Lab) -> None:
    lab.engine.create_volume("scratch", opts={"type": "tmpfs", "device": "tmpfs", "o": "size=1m,uid=1000"})
    lab.run("c1", "tee", "/s/f", "x", Binds=["scratch:/s"])
    assert lab.run("c2", "ls", "/s", Binds=["scratch:/s"]).out == ""


def test_volumes_with_driver_options_are_never_pruned(lab: Lab) -> None:
    """moby, daemon/volume/service/service.go, Prune."""
    lab.engine.create_volume("plain")
    lab.engine.create_volume("fast", opts={"type": "tmpfs", "device": "tmpfs"})
    assert lab.engine.prune_volumes(all=True) == (["plain"], 0)
