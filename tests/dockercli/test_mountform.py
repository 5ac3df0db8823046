"""One mount as a form, as -v and as --mount: each way round it stays the same mount."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from labkit.dockercli.flags import ValueInvalid
from labkit.dockercli.mountflags import parse_mount, resolve_in, split_volumes
from labkit.dockercli.mountform import (
    FIELD,
    FIELDS,
    MountForm,
    read_mount,
    read_volume,
    tmpfs_text,
    write_mount,
    write_volume,
)
from labkit.engine.core.errors import EngineError
from labkit.engine.core.mountkeys import CONSISTENCIES, PROPAGATIONS, TYPES, MountPoint
from labkit.engine.mounts.mountspec import parse_record, parse_text

RESOLVE = resolve_in("/home/learner")
NAMES = (
    "notes",
    "data_volume",
    "x",
    "/data/mysql",
    "./src",
    "..",
    "~/src",
    "/a,b",
    'say "yes"',
    "/a:b",
    "C:\\x",
    "é<b>",
)
TARGETS = ("/data", "/var/lib/mysql", "/", "data", "/a,b", "/a:ro", "/data/../x", "/é")
LINES = st.lists(
    st.sampled_from(("owner=ada", "flag", "o=size=1m,uid=1000", "type=tmpfs", 'say="hi"', "a==b")), max_size=3
)
WORDS = ("ro", "rw", "z", "Z", "nocopy", *PROPAGATIONS, *CONSISTENCIES)

free = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=12)
sources, targets = st.sampled_from(NAMES) | free, st.sampled_from(TARGETS) | free
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "type": st.sampled_from((*TYPES, "Bind", "npipe")),
    "source": sources,
    "target": targets,
    "propagation": st.sampled_from((*PROPAGATIONS, "RSLAVE")),
    "recursive": st.sampled_from(("enabled", "disabled", "writable", "readonly")),
    "idmap": st.sampled_from(("userns", "match-user", "match-user:ada")),
    "subpath": st.sampled_from(("a", "a/b", "../x", "/x", "a,b")),
    "driver": st.sampled_from(("local", "nfs")),
    "size": st.sampled_from(("1m", "64k", "1073741824", "0", "1.5g", "10 m")),
    "mode": st.sampled_from(("1777", "0700", "0")),
    "consistency": st.sampled_from(CONSISTENCIES),
}
SWITCH = ("", "=true", "=1", "=false", "=0")
ALIASES = {
    "source": ("source", "src", "SRC"),
    "target": ("target", "dst", "destination"),
    "readonly": ("readonly", "ro"),
    "subpath": ("volume-subpath", "image-subpath"),
}


def csv(field: str) -> str:
    return '"' + field.replace('"', '""') + '"' if set(field) & set(',"') else field


@st.composite
def mount_texts(draw: st.DrawFn, whole: bool = False) -> str:
    """--mount values, most of which the client takes; `whole`: with a source and a target."""
    kind = draw(VALUES["type"])
    fits = [
        field
        for field in FIELDS
        if field.key and (field.applies(MountForm(kind.lower())) or draw(st.integers(0, 20)) == 0)
    ]
    names = [field.name for field in fits if field.name != "type"]
    chosen = draw(st.lists(st.sampled_from(names), unique=True, max_size=7))
    fields = [f"type={kind}"] if kind != "volume" or draw(st.booleans()) else []
    fields += [f"source={draw(sources)}", f"target={draw(targets)}"] if whole else []
    for name in chosen:
        key = draw(st.sampled_from(ALIASES.get(name, (FIELD[name].key,))))
        if FIELD[name].kind == "switch":
            fields.append(key + draw(st.sampled_from(SWITCH)))
        elif FIELD[name].kind == "lines":
            fields += [f"{key}={line}" for line in draw(LINES)]
        else:
            fields += [
                f"{key}={draw(VALUES[name])}"
                for _ in range(draw(st.integers(1, 1 if name in ("recursive", "idmap") else 2)))
            ]
    return ",".join(csv(field) for field in draw(st.permutations(fields)))


@st.composite
def volume_texts(draw: st.DrawFn) -> str:
    """-v values, most of which Docker takes."""
    words = draw(st.lists(st.sampled_from(WORDS), unique=True, max_size=3))
    parts = [draw(sources), draw(targets), ",".join(words)]
    return (
        ":".join(parts[: draw(st.integers(1, 3))])
        if draw(st.booleans())
        else f"{parts[0]}:/data:{parts[2]}".rstrip(":")
    )


def meaning(mount: dict[str, Any]) -> dict[str, Any]:
    """A mount of the API without options that hold nothing."""
    whole = {key: meaning(value) if isinstance(value, dict) else value for key, value in mount.items()}
    return {key: value for key, value in whole.items() if value != {}}


def mounted(text: str) -> MountPoint | tuple[str, ...] | None:
    """What a -v asks the daemon for; None where it is refused."""
    try:
        binds, volumes = split_volumes([text], RESOLVE)
        return parse_text(binds[0]) if binds else tuple(volumes)
    except (ValueInvalid, EngineError):
        return None


def asked(point: MountPoint, *but: str) -> dict[str, Any]:
    """A mount point as a table, its mode's words in any order and without rw, which goes without saying."""
    row = vars(point) | {"mode": sorted(set(point.mode.split(",")) - {"", "rw"}), "spec": ""}
    return {key: value for key, value in row.items() if key not in but}


@given(mount_texts())
def test_a_mount_through_the_form_is_the_same_mount(text: str) -> None:
    form = read_mount(text)
    try:
        parsed = parse_mount(text, RESOLVE)
    except ValueInvalid:
        assert form is None
        return
    assert form is not None
    written = write_mount(form)
    assert meaning(parse_mount(written.text, RESOLVE)) == meaning(parsed)
    assert read_mount(written.text) == form


@given(volume_texts())
def test_a_v_through_the_form_is_the_same_mount(text: str) -> None:
    form, point = read_volume(text), mounted(text)
    if point is None:
        assert form is None
        return
    assert form is not None
    again = mounted(write_volume(form).text)
    if isinstance(point, MountPoint):
        assert isinstance(again, MountPoint)
        assert asked(again) == asked(point)
    else:
        assert again == point
    assert write_volume(form).unsaid == ()


@given(volume_texts())
def test_what_v_says_mount_says_too_or_it_is_named(text: str) -> None:
    """The two differ only in who makes a missing source, and in what is said to be unsaid."""
    form, point = read_volume(text), mounted(text)
    assume(form is not None and isinstance(point, MountPoint))
    assert form is not None and isinstance(point, MountPoint)  # noqa: PT018 (for the type checker)
    written = write_mount(form)
    if blank := [name for name in ("source", "target") if form.text(name) != form.text(name).strip()]:
        assert (written.text, [name for name, _ in written.unsaid]) == ("", blank)
        return
    record = parse_record(parse_mount(written.text, RESOLVE), lambda path: True)
    but = ("mode", "create_source", "propagation")  # a record has no mode, nor its words
    assert asked(record, *but) == asked(point, *but)
    assert [name for name, _ in written.unsaid] == [name for name in ("label",) if form["label"]]


@settings(suppress_health_check=[HealthCheck.filter_too_much])  # half of these mix options that do not go together
@given(mount_texts(whole=True))
def test_what_mount_says_v_says_too_or_it_is_named(text: str) -> None:
    form = read_mount(text)
    assume(form is not None)
    assert form is not None
    written = write_volume(form)
    unsaid = {name for name, _ in written.unsaid}
    back = read_volume(written.text) if written.text else None
    if back is None:  # it has no words for the mount at all, or the daemon refuses the mount in either
        assert unsaid or mounted(written.text) is None
        return
    for field in FIELDS:
        if field.name not in unsaid | {"create_source"} and field.applies(form):
            assert back[field.name] == form[field.name]


FULL = MountForm("bind", "/a", "/b", label="z", propagation="rslave", size="1m", subpath="x", labels=("a=b",))


def test_what_a_syntax_cannot_say_stays_in_the_form() -> None:
    read = read_mount("type=bind,source=/c,target=/b", FULL)
    assert read == FULL.changed({"source": "/c", "propagation": ""})
    read = read_volume("/c:/b", FULL)
    assert read == FULL.changed({"source": "/c", "label": "", "propagation": ""})
    volume = MountForm("volume", "notes", "/d", subpath="x", labels=("a=b",), size="1m")
    assert read_volume("other:/d", volume) == volume.changed({"source": "other"})
    assert read_mount("source=other,target=/d", volume) == volume.changed(
        {"source": "other", "subpath": "", "labels": ()}
    )


@pytest.mark.parametrize(
    ("form", "volume", "mount", "unsaid"),
    [
        (MountForm("bind", "/a", "/b"), "/a:/b", "type=bind,source=/a,target=/b", []),
        (MountForm("bind", "/a", "/b", readonly=True, label="Z"), "/a:/b:ro,Z", "type=bind,source=/a,target=/b,readonly", ["--mount has no word for Z, an SELinux label."]),
        (MountForm("bind", "/a,b", "/b"), "/a,b:/b", 'type=bind,"source=/a,b",target=/b', []),
        (MountForm("bind", "/a", "/b", create_source=True), "/a:/b", "type=bind,source=/a,target=/b,bind-create-src", []),
        (MountForm("volume", "", "/b"), "/b", "type=volume,target=/b", []),
        (MountForm("volume", "notes", "/b", nocopy=True), "notes:/b:nocopy", "type=volume,source=notes,target=/b,volume-nocopy", []),
        (MountForm("volume", "notes", "/b", subpath="a"), "notes:/b", "type=volume,source=notes,target=/b,volume-subpath=a", ["-v has no way to say volume-subpath."]),
        (MountForm("volume", "notes", ""), "notes:", "type=volume,source=notes", []),
        (MountForm("bind", "", "/b"), ":/b", "type=bind,target=/b", []),
        (MountForm("volume", "", "/b", readonly=True), "/b", "type=volume,target=/b,readonly", ["-v takes words like ro only after a source and a target."]),
        (MountForm("bind", "data", "/b"), "", "type=bind,source=data,target=/b", ["-v takes data for the name of a volume: to it only what begins with / or . is a folder."]),
        (MountForm("volume", "/data", "/b"), "", "type=volume,source=/data,target=/b", ["-v takes /data for a folder of the host: to it what begins with / or . is no volume's name."]),
        (MountForm("volume", "x", "/b"), "", "type=volume,source=x,target=/b", ["-v takes x before a colon for a Windows drive, and so the whole for a path in the container."]),
        (MountForm("bind", "/a:b", "/b"), "", "type=bind,source=/a:b,target=/b", ["-v separates its parts with colons, so it has no way to say a path with a colon in it."]),
        (MountForm("tmpfs", "", "/t", size="1m", mode="700", readonly=True), "", "type=tmpfs,target=/t,readonly,tmpfs-size=1m,tmpfs-mode=700", ["-v has no way to say type=tmpfs. The short form is another flag: --tmpfs /t:size=1m,mode=700,ro"]),
        (MountForm("image", "busybox", "/b", subpath="etc"), "", "type=image,source=busybox,target=/b,image-subpath=etc", ["-v has no way to say type=image."]),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)  # fmt: skip
def test_both_syntaxes(form: MountForm, volume: str, mount: str, unsaid: list[str]) -> None:
    one, other = write_volume(form), write_mount(form)
    assert (one.text, other.text) == (volume, mount)
    assert [reason for _, reason in (*one.unsaid, *other.unsaid)] == unsaid


def test_the_short_form_of_a_tmpfs() -> None:
    assert tmpfs_text(MountForm("tmpfs", "", "/t")) == "/t"
