from __future__ import annotations

from collections.abc import Callable

import pytest

from labkit.engine.core.core import VolumeCreated, VolumeRemoved
from labkit.engine.core.errors import EngineError
from labkit.engine.mounts import volumes
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


def told(lab: Lab, call: Callable[..., object], *args: object, **kwargs: object) -> tuple[str, str]:
    """What a refusal says, and of which kind it is."""
    with pytest.raises(EngineError) as caught:
        call(*args, **kwargs)
    return caught.value.kind, str(caught.value)


def test_kinds_of_refusals(lab: Lab) -> None:
    engine = lab.engine
    lab.create("c1", "true", Binds=["used:/data"])
    assert told(lab, engine.remove_volume, "nosuch") == ("not-found", "get nosuch: no such volume")
    assert told(lab, engine.inspect_volume, "nosuch") == ("not-found", "get nosuch: no such volume")
    for call in (engine.remove_volume, engine.inspect_volume):
        assert told(lab, call, "") == ("client", "invalid volume name or ID: value is empty")
    assert told(lab, engine.remove_volume, "", force=True)[0] == "client"
    assert told(lab, engine.remove_volume, "used")[0] == "conflict"
    assert told(lab, engine.create_volume, "a")[0] == "invalid"
    assert told(lab, engine.create_volume, "b/c")[0] == "invalid"
    assert told(lab, engine.create_volume, "vol", opts={"x": "y"})[0] == "invalid"
    assert told(lab, engine.create_volume, "vol", driver="x")[0] == "not-found"
    assert told(lab, engine.create_volume, "used", driver="x")[0] == "not-found"


@pytest.mark.parametrize("name", ["ab", "a.", "A-b_c.9", "0x"])
def test_good_names(lab: Lab, name: str) -> None:
    assert lab.engine.create_volume(name).name == name


@pytest.mark.parametrize(
    ("options", "missing"),
    [
        ({"type": "tmpfs", "device": "tmpfs"}, ""),
        ({"type": "none", "device": "/srv", "o": "bind"}, ""),
        ({"size": ""}, ""),
        ({"device": "/x", "o": "bind"}, "type"),
        ({"type": "none", "o": "bind"}, "device"),
    ],
)
def test_options_need_each_other(lab: Lab, options: dict[str, str], missing: str) -> None:
    if missing:
        message = f'create vol: missing required option: "{missing}"'
        assert told(lab, lab.engine.create_volume, "vol", opts=options) == ("invalid", message)
    else:
        lab.engine.create_volume("vol", opts=options)
        assert lab.engine.inspect_volume("vol")["Options"] == options
        assert list(lab.engine.inspect_volume("vol")["Options"]) == sorted(options)
        found = lab.host.stat("/var/lib/docker/volumes/vol/opts.json")
        assert found.st_mode & 0o777 == 0o600


def test_what_happens_is_told(lab: Lab) -> None:
    lab.engine.create_volume("notes")
    anonymous = lab.engine.create_volume()
    lab.engine.create_volume("notes")
    lab.engine.remove_volume("notes")
    kinds = (VolumeCreated, VolumeRemoved)
    assert [event for event in lab.engine.events if isinstance(event, kinds)] == [
        VolumeCreated("notes", False),
        VolumeCreated(anonymous.name, True),
        VolumeRemoved("notes"),
    ]
    assert not lab.host.exists("/var/lib/docker/volumes/notes")
    assert not lab.host.exists(f"{anonymous.folder}/opts.json")


def test_a_folder_that_cannot_be_made(lab: Lab) -> None:
    folder = "/var/lib/docker/volumes/notes"
    lab.host.makedirs("/var/lib/docker/volumes")
    lab.host.write(folder, b"in the way")
    kind, text = told(lab, lab.engine.create_volume, "notes")
    start = f"create notes: error while creating volume root path '{folder}': mkdir {folder}: "
    assert (kind, text[: len(start)], text[len(start) :].islower()) == ("system", start, True)
    assert lab.engine.volumes() == []


def test_a_volume_whose_folder_is_gone_can_be_removed(lab: Lab) -> None:
    volume = lab.engine.create_volume("notes")
    lab.host.rmtree(volume.folder)
    assert volumes.size(lab.engine.core, volume) == 0
    lab.engine.remove_volume("notes")
    assert lab.engine.volumes() == []


def test_sizes_count_a_file_once(lab: Lab) -> None:
    volume = lab.engine.create_volume("notes")
    lab.host.makedirs(f"{volume.mountpoint}/d/e")
    lab.host.write(f"{volume.mountpoint}/d/e/a", b"12345")
    lab.host.link(f"{volume.mountpoint}/d/e/a", f"{volume.mountpoint}/b")
    lab.host.write(f"{volume.mountpoint}/c", b"123")
    lab.host.write(f"{volume.mountpoint}/z", b"1")
    assert volumes.size(lab.engine.core, volume) == 9


ALL = [
    (["1"], True), (["t"], True), (["true"], True), (["TRUE"], True), (["True"], True), (["T"], True),
    (["0"], False), (["f"], False), (["false"], False), (["F"], False), ([], False),
    (["yes"], "invalid filter 'all': strconv.ParseBool: parsing \"yes\": invalid syntax"),
    (["tRUE"], "invalid filter 'all': strconv.ParseBool: parsing \"tRUE\": invalid syntax"),
    (["1", "0"], "invalid filter 'all=[1 0]': only one value is expected"),
]  # fmt: skip


@pytest.mark.parametrize(("values", "outcome"), ALL, ids=[str(row[0]) for row in ALL])
def test_the_filter_all_of_prune(lab: Lab, values: list[str], outcome: bool | str) -> None:
    lab.engine.create_volume("named")
    if isinstance(outcome, str):
        assert told(lab, lab.engine.prune_volumes, filters={"all": values}) == ("invalid", outcome)
    else:
        assert lab.engine.prune_volumes(filters={"all": values}) == (["named"] if outcome else [], 0)


def test_prune_by_label_goes_on_after_what_stays(lab: Lab) -> None:
    for name, labels in (("aa", {}), ("bb", {"keep": "1"}), ("cc", {"x": ""}), ("dd", {"x": "", "keep": "1"})):
        volume = lab.engine.create_volume(name, labels=labels)
        lab.host.write(f"{volume.mountpoint}/f", b"12")
    lab.create("c1", "true", Binds=["a0:/data"])
    assert lab.engine.prune_volumes(all=True, filters={"label!": ["keep"], "label": ["x"]}) == (["cc"], 2)
    assert lab.engine.prune_volumes(all=True, filters={"label!": ["keep"]}) == (["aa"], 2)
    assert told(lab, lab.engine.prune_volumes, filters={"until": ["1"]}) == ("invalid", "invalid filter 'until'")
    assert lab.engine.prune_volumes(all=True) == (["bb", "dd"], 4)


def test_filters_go_on_after_what_does_not_fit(lab: Lab) -> None:
    for name in ("a1", "b1", "a2"):
        lab.engine.create_volume(name, labels={"of": name[0]})
    lab.create("c1", "true", Binds=["a1:/data"])

    def names(**filters: list[str]) -> list[str]:
        return [row["Name"] for row in lab.engine.volumes(filters)]

    assert names(name=["b", "2"]) == ["a2", "b1"]
    assert names(driver=["local"]) == ["a1", "a2", "b1"]
    assert names(label=["of=b"]) == ["b1"]
    assert names(dangling=["1"], label=["of=a"]) == ["a2"]


def test_who_uses_a_volume_the_oldest_first(lab: Lab) -> None:
    ids = [lab.create(name, "true", Binds=["notes:/data"]) for name in ("zz", "aa", "mm")]
    lab.create("other", "true", Binds=["others:/data"])
    assert [each.id for each in volumes.users(lab.engine.core, "notes")] == ids


def test_what_is_mounted_stays_until_the_last_container_ends(lab: Lab) -> None:
    lab.engine.create_volume("scratch", opts={"type": "tmpfs", "device": "tmpfs", "o": "size=1m,uid=1000"})
    folder = "/var/lib/docker/volumes/scratch/_data"
    for name in ("c1", "c2"):
        lab.up(name, Binds=["scratch:/s"])
    lab.exec("c1", "tee", "/s/f", "x")
    assert [(each.target, each.fstype, each.options, each.readonly) for each in lab.host.namespace.mounts if each.target == folder] == [
        (folder, "tmpfs", ("rw", "relatime", "size=1024k", "uid=1000"), False)
    ]  # fmt: skip
    lab.engine.stop("c1", 0)
    assert lab.exec("c2", "cat", "/s/f").out == "x"
    assert lab.host.listdir(folder) == ["f"]
    lab.engine.stop("c2", 0)
    assert lab.host.listdir(folder) == []
    lab.up("c3", Binds=["scratch:/s"])
    assert lab.exec("c3", "ls", "/s").out == ""


WRONG_DEVICES = [
    ({"type": "ext4", "device": "/dev/sdb"}, "/dev/sdb:{0}: no such device"),
    ({"type": "nfs", "device": ":/x", "o": "addr=1.2.3.4,rw,ro,noatime"}, ":/x:{0}, flags: 0x401, data: addr=1.2.3.4: no such device"),
    ({"type": "tmpfs", "device": "tmpfs", "o": "size=big,uid=1"}, "tmpfs:{0}, data: size=big,uid=1: invalid argument"),
    ({"type": "none", "device": "/nosuch", "o": "rbind,x"}, "/nosuch:{0}, flags: 0x5000, data: x: no such file or directory"),
]  # fmt: skip


@pytest.mark.parametrize(("options", "message"), WRONG_DEVICES)
def test_what_cannot_be_mounted(lab: Lab, options: dict[str, str], message: str) -> None:
    lab.engine.create_volume("broken", opts=options)
    lab.create("c1", "true", Binds=["broken:/x"])
    folder = "/var/lib/docker/volumes/broken/_data"
    expected = f"error while mounting volume '{folder}': failed to mount local volume: mount {message.format(folder)}"
    assert told(lab, lab.start, "c1") == ("system", expected)


def test_a_read_only_device(lab: Lab) -> None:
    lab.host.makedirs("/srv/v")
    lab.engine.create_volume("bound", opts={"type": "none", "o": "bind,ro", "device": "/srv/v"})
    lab.engine.create_volume("scratch", opts={"type": "tmpfs", "o": "ro", "device": "none"})
    lab.up("c1", Binds=["bound:/b", "scratch:/s"])
    found = {each.target.split("/")[-2]: each for each in lab.host.namespace.mounts if each.target.endswith("/_data")}
    assert {name: each.readonly for name, each in found.items()} == {"bound": True, "scratch": True}
    assert (found["scratch"].options, found["scratch"].device) == (("ro", "relatime"), "none")
