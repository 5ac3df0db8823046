"""Which characters of a flag are which part of the mount, and which of them Docker's refusal is about."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit import Machine
from labkit.dockercli.mountparts import PARTS, culprits, missing

SHAPES = [
    ("-v", "notes:/data:ro,z", ["source notes", "target /data", "readonly ro", "label z"]),
    ("-v", "/a:/b", ["source /a", "target /b"]),
    ("-v", "/data", ["target /data"]),
    ("-v", "x:/data", ["target x:/data"]),
    ("-v", "notes:/d:foo,", ["source notes", "target /d", " foo", " "]),
    ("-v", "aa:/b:ro:rw", ["source aa", "target /b", "readonly ro", " rw"]),
    ("-v", "", []),
    ("--mount", "type=bind,src=/a,DST=/b,ro", ["type type=bind", "source src=/a", "target DST=/b", "readonly ro"]),
    ("--mount", '  "src=/a,b",foo', ['source "src=/a,b"', " foo"]),
    ("--mount", 'src=n,"dst=/d', ["source src=n", 'target "dst=/d']),
    ("--mount", "src=n,,", ["source src=n", " ", " "]),
    ("--mount", "  ", []),
]


@pytest.mark.parametrize(("flag", "text", "parts"), SHAPES)
def test_parts(flag: str, text: str, parts: list[str]) -> None:
    assert [f"{part.name} {text[part.start : part.end]}" for part in PARTS[flag](text)] == parts


def test_values_are_without_key_and_quotes() -> None:
    (part,) = PARTS["--mount"]('"source=/a ""b"",c"')
    assert (part.key, part.value) == ("source", '/a "b",c')


@given(st.sampled_from(sorted(PARTS)), st.text(max_size=30) | st.text(':,="ro/v', max_size=12))
def test_any_text_has_parts_that_follow_each_other(flag: str, text: str) -> None:
    place = 0
    for part in PARTS[flag](text):
        assert place <= part.start <= part.end <= len(text)
        place = part.end


@pytest.fixture(scope="module")
def machine() -> Machine:
    machine = Machine()
    machine.run("docker pull busybox; docker volume create plain")
    return machine


BLAMED = [
    ("-v", ":/data", [""]),
    ("-v", "notes::ro", [""]),
    ("-v", "a1:/b:ro:rw", ["rw"]),
    ("-v", "a1:/b:ro,z:rw", ["rw"]),
    ("-v", "notes:/d:foo", ["foo"]),
    ("-v", "notes:/d:nocopy,bar", ["bar"]),
    ("-v", "notes:/d:ro,rw", ["ro", "rw"]),
    ("-v", "/a:/b:z,Z", ["z", "Z"]),
    ("-v", "notes:ro", ["ro"]),
    ("-v", "notes:data", ["data"]),
    ("-v", "x/y:/d", ["x/y"]),
    ("-v", "!!:/d", ["!!"]),
    ("-v", "/:/", ["/"]),
    ("-v", "/a:/b:nocopy", ["nocopy"]),
    ("-v", "notes:/d:rslave", ["rslave"]),
    ("-v", "/etc/passwd:/etc", ["/etc/passwd", "/etc"]),
    ("--mount", 'type=bind,src="/a,b",dst=/data', ['src="/a']),
    ("--mount", 'type=bind,"src=/é,b,dst=/data', ['"src=/é,b,dst=/data']),
    ("--mount", "type=volume,,src=notes,dst=/data", [""]),
    ("--mount", "type=volume,src=notes,dst=/data,", [""]),
    ("--mount", "type=volume, src=notes", [" src=notes"]),
    ("--mount", "src=notes,dst=/data,rw", ["rw"]),
    ("--mount", "type=volume,name=notes,dst=/data", ["name=notes"]),
    ("--mount", "type=tmpfs,dst=/t,tmpfs-size=big", ["tmpfs-size=big"]),
    ("--mount", "type=tmpfs,dst=/t,tmpfs-mode=rwx", ["tmpfs-mode=rwx"]),
    ("--mount", "src=notes,dst=/data,readonly=maybe", ["readonly=maybe"]),
    ("--mount", "type=bind,src=/a,dst=/b,volume-nocopy,volume-label=x", ["volume-nocopy", "volume-label=x"]),
    ("--mount", "type=bind,src=/a,dst=/b,bind-recursive=writable", ["bind-recursive=writable"]),
    ("--mount", "type=bind,src=x,dst=/d", ["src=x"]),
    ("--mount", "type=bind,src=/d,dst=d", ["dst=d"]),
    ("--mount", "type=bind,src=/nosuch,dst=/d", ["src=/nosuch"]),
    ("--mount", "type=bind,src=/etc,dst=/d,bind-propagation=x", ["bind-propagation=x"]),
    ("--mount", "type=tmpfs,src=a,dst=/d", ["src=a"]),
    ("--mount", "type=npipe,src=a,dst=/d", ["type=npipe"]),
    ("--mount", "src=notes,dst=/d,volume-subpath=a", ["volume-subpath=a"]),
    ("--mount", "dst=/d,volume-subpath=a", ["volume-subpath=a"]),
    ("--mount", "src=plain,dst=/d,volume-driver=other", ["volume-driver=other"]),
    ("--mount", "src=notes,dst=/d,volume-opt=foo=bar", ["volume-opt=foo=bar"]),
    ("--mount", "type=image,src=nosuch,dst=/d", ["src=nosuch"]),
    ("--mount", "type=image,src=UPPER,dst=/d", ["src=UPPER"]),
    ("--mount", "type=image,src=busybox,dst=/d,image-subpath=nosuch", ["image-subpath=nosuch"]),
]


@pytest.mark.parametrize(("flag", "text", "blamed"), BLAMED, ids=[f"{flag} {text}" for flag, text, _ in BLAMED])
def test_what_a_refusal_is_about(machine: Machine, flag: str, text: str, blamed: list[str]) -> None:
    saved = machine.snapshot()
    done = machine.run(f"docker run {flag} {shlex.quote(text)} busybox true")
    machine.restore(saved)
    assert done.returncode == 125 or done.returncode == 127
    assert [text[part.start : part.end] for part in culprits(flag, text, done.stderr)] == blamed
    assert missing(done.stderr) == ""


@pytest.mark.parametrize(
    ("text", "part"),
    [("type=volume,src=notes", "target"), ("type=bind,dst=/d", "source"), ("type=image,dst=/d", "source")],
)
def test_what_a_refusal_misses(machine: Machine, text: str, part: str) -> None:
    done = machine.run(f"docker create --mount {text} busybox")
    assert missing(done.stderr) == part
    assert culprits("--mount", text, done.stderr) == ()
