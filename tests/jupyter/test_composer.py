"""The mount composer, without a browser: messages in, traits out, on a real simulated machine."""

from __future__ import annotations

import re
from typing import Any

import pytest

from labkit.jupyter.composer import MountComposer, look_command, spelt
from labkit.jupyter.magics import LessonMachine

BIND = "--mount type=bind,source=/data/mysql,target=/var/lib/mysql"
HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "</code><script>alert(1)</script>",
    "&amp;",
    '"><b>',
    "\u202egnp.exe",
    "x" * 1999,
)


@pytest.fixture
def lesson() -> LessonMachine:
    return LessonMachine()


def text(widget: MountComposer, flag: str) -> str:
    return str(widget.flags[flag]["text"])


def wrong(widget: MountComposer, flag: str) -> list[str]:
    return [piece["text"] for piece in widget.flags[flag]["pieces"] if piece["wrong"]]


def write(widget: MountComposer, flag: str, value: str) -> None:
    widget.handle({"do": "write", "flag": flag, "text": value})


def fill(widget: MountComposer, name: str, value: Any) -> None:
    widget.handle({"do": "fill", "name": name, "value": value})


def test_it_says_what_it_is(lesson: LessonMachine) -> None:
    widget = MountComposer(lesson, "-v notes:/data")
    assert repr(widget) == "mount_composer: -v notes:/data   --mount type=volume,source=notes,target=/data"


def test_what_is_typed_into_one_flag_is_in_the_other_and_in_the_form(lesson: LessonMachine) -> None:
    widget = MountComposer(lesson)
    write(widget, "-v", "/srv/app:/app:ro,rslave")
    assert text(widget, "--mount") == "type=bind,source=/srv/app,target=/app,readonly,bind-propagation=rslave"
    assert (widget.form["type"], widget.form["readonly"], widget.form["propagation"]) == ("bind", True, "rslave")
    write(widget, "--mount", "target=/d,src=notes,volume-nocopy")
    assert text(widget, "-v") == "notes:/d:nocopy"
    assert text(widget, "--mount") == "target=/d,src=notes,volume-nocopy", "what was typed stays as it was typed"
    fill(widget, "readonly", True)
    assert (text(widget, "-v"), text(widget, "--mount")) == (
        "notes:/d:ro,nocopy",
        "type=volume,source=notes,target=/d,readonly,volume-nocopy",
    )


def test_a_part_has_the_same_number_in_both(lesson: LessonMachine) -> None:
    widget = MountComposer(lesson, "-v notes:/data:ro")
    numbered = {
        flag: {piece["number"]: piece["text"] for piece in widget.flags[flag]["pieces"] if piece["number"]}
        for flag in ("-v", "--mount")
    }
    assert numbered["-v"] == {2: "notes", 3: "/data", 4: "ro"}
    assert numbered["--mount"] == {1: "type=volume", 2: "source=notes", 3: "target=/data", 4: "readonly"}
    rows = {row["title"]: row for row in widget.legend}
    assert [rows[title]["number"] for title in ("Type", "Source", "Target", "Read-only")] == [1, 2, 3, 4]
    assert rows["Type"]["-v none"] == "by the look of the source"
    for flag in ("-v", "--mount"):
        assert "".join(piece["text"] for piece in widget.flags[flag]["pieces"]) == text(widget, flag)


def test_what_one_cannot_say_is_said_in_words(lesson: LessonMachine) -> None:
    widget = MountComposer(lesson, "--mount type=tmpfs,target=/t,tmpfs-size=1m")
    assert widget.flags["-v"]["notes"] == [
        "-v has no way to say type=tmpfs. The short form is another flag: --tmpfs /t:size=1m"
    ]
    assert (widget.flags["-v"]["tone"], widget.flags["--mount"]["tone"]) == ("none", "right")
    write(widget, "-v", "notes:/data:z")
    assert widget.flags["--mount"]["notes"] == ["--mount has no word for z, an SELinux label."]
    fill(widget, "subpath", "a")
    assert widget.flags["-v"]["notes"] == ["-v has no way to say volume-subpath."]
    assert next(row for row in widget.legend if row["title"] == "Folder in the source")["-v none"] == "no word for it"


@pytest.mark.parametrize(
    ("flag", "value", "message", "cause", "marked"),
    [
        ("-v", "notes:/d:foo", "docker: Error response from daemon: invalid mode: foo", "The cause: foo.", ["foo"]),
        ("-v", "notes::ro", "docker: invalid spec: notes::ro: empty section between colons", "The cause: part 3, target, (nothing).", ["(nothing)"]),
        ("--mount", "type=bind,src=/nosuch,dst=/d", 'docker: Error response from daemon: invalid mount config for type "bind": bind source path does not exist: /nosuch', "The cause: part 2, source, src=/nosuch.", ["src=/nosuch"]),
        ("--mount", "src=notes", 'docker: Error response from daemon: invalid mount config for type "volume": field Target must not be empty', "What is missing: the target.", []),
        ("--mount", "src=notes,foo", 'invalid argument "src=notes,foo" for "--mount" flag: invalid field \'foo\' must be a key=value pair', "The cause: foo.", ["foo"]),
        ("--mount", "", 'invalid argument "" for "--mount" flag: value is empty', "It is about the flag as a whole.", []),
    ],
)  # fmt: skip
def test_what_docker_refuses(
    lesson: LessonMachine, flag: str, value: str, message: str, cause: str, marked: list[str]
) -> None:
    widget = MountComposer(lesson)
    write(widget, flag, value)
    said = widget.flags[flag]
    assert (text(widget, flag), said["tone"]) == (value, "wrong")
    assert said["message"].splitlines()[0] == message
    assert lesson.run(f"docker run --rm {flag} '{value}' busybox").stderr.endswith(said["message"] + "\n")
    assert said["cause"] == cause
    assert wrong(widget, flag) == marked


def test_what_is_wrong_leaves_the_rest_as_it_was(lesson: LessonMachine) -> None:
    widget = MountComposer(lesson, "-v notes:/data")
    form = dict(widget.form)
    write(widget, "-v", "notes:/data:r")
    assert text(widget, "-v") == "notes:/data:r"
    assert text(widget, "--mount") == "type=volume,source=notes,target=/data"
    assert widget.flags["--mount"]["notes"] == ["This follows the last -v that could be read."]
    assert widget.form == form
    write(widget, "-v", "notes:/data:ro")
    assert text(widget, "--mount") == "type=volume,source=notes,target=/data,readonly"
    assert widget.flags["--mount"]["notes"] == []


def test_what_was_filled_in_for_another_type_comes_back(lesson: LessonMachine) -> None:
    widget = MountComposer(lesson, "--mount type=volume,source=notes,target=/d,volume-subpath=a,volume-label=owner=ada")
    fill(widget, "type", "tmpfs")
    fill(widget, "size", "1m")
    assert text(widget, "--mount") == "type=tmpfs,target=/d,tmpfs-size=1m"
    fill(widget, "type", "volume")
    assert text(widget, "--mount") == "type=volume,source=notes,target=/d,volume-subpath=a,volume-label=owner=ada"
    fill(widget, "labels", "owner=ada\nage=3\n")
    assert text(widget, "--mount").endswith("volume-label=owner=ada,volume-label=age=3")
    fill(widget, "type", "tmpfs")
    assert text(widget, "--mount") == "type=tmpfs,target=/d,tmpfs-size=1m"


def test_who_writes_the_flags_name_too_means_its_value(lesson: LessonMachine) -> None:
    widget = MountComposer(lesson)
    write(widget, "-v", "-v '/a b:/c'")
    assert (text(widget, "-v"), widget.flags["-v"]["replaced"]) == ("/a b:/c", 1)
    assert widget.flags["-v"]["shell"] == "-v '/a b:/c'"
    write(widget, "-v", "--mount type=tmpfs,dst=/t")
    assert (text(widget, "--mount"), widget.form["type"]) == ("type=tmpfs,dst=/t", "tmpfs")
    write(widget, "-v", "-v 'open")
    assert text(widget, "-v") == "-v 'open"


def test_a_missing_source_goes_differently(lesson: LessonMachine) -> None:
    widget = MountComposer(lesson, BIND)
    assert widget.differences[0] == (
        "There is no /data/mysql on the host. -v makes it, an empty folder that belongs to root; --mount refuses, "
        "unless it says bind-create-src."
    )
    fill(widget, "create_source", True)
    assert widget.differences[0].endswith("Both make it: an empty folder that belongs to root.")
    assert widget.flags["--mount"]["tone"] == "right"
    assert not lesson.machine.files.exists("/data/mysql"), "only looked at"
    lesson.run("mkdir -p /data/mysql")
    fill(widget, "create_source", False)
    assert widget.differences[0] == (
        "If /data/mysql were missing on the host, -v would make it, as an empty folder of root's; --mount would refuse."
    )


def test_a_volume_is_made_and_filled(lesson: LessonMachine) -> None:
    widget = MountComposer(lesson, "-v notes:/etc")
    assert widget.differences == [
        "With both, Docker makes the volume notes, which is not there yet.",
        "With both, the empty volume is filled with what the image has at /etc.",
    ]
    fill(widget, "nocopy", True)
    assert widget.differences == ["With both, Docker makes the volume notes, which is not there yet."]
    fill(widget, "source", "")
    assert widget.differences == [
        "With both, each new container gets a volume of its own.",
        "With -v, and not with --mount, the empty volume is filled with what the image has at /etc.",
    ]
    assert lesson.run("docker volume ls -q").stdout == ""


def test_try_it_on_a_copy_and_for_good(lesson: LessonMachine) -> None:
    widget = MountComposer(lesson, "-v /srv/new:/data")
    widget.handle({"do": "try", "flag": "-v", "image": "busybox", "command": widget.command, "keep": False})
    assert (
        widget.tried["line"]
        == """docker run --rm -v /srv/new:/data busybox sh -c 'ls -la /data; grep " /data " /proc/mounts'"""
    )
    assert " /data ext4 rw" in widget.tried["pieces"][0]["text"]
    assert (widget.tried["status"], widget.tried["kept"]) == (0, False)
    assert widget.tried["did"] == ["made the missing folder /srv/new on the host"]
    assert not lesson.machine.files.exists("/srv/new")
    widget.handle({"do": "try", "flag": "-v", "image": "busybox", "command": "touch /data/x", "keep": True})
    assert lesson.machine.files.exists("/srv/new/x")
    assert lesson.undo() == widget.tried["line"]
    widget.handle({"do": "try", "flag": "--mount", "command": "ls"})
    assert widget.tried["status"] == 125
    assert "bind source path does not exist: /srv/new" in widget.tried["pieces"][0]["text"]


def test_there_is_nothing_to_try_where_a_syntax_has_no_words(lesson: LessonMachine) -> None:
    widget = MountComposer(lesson, "--mount type=tmpfs,target=/t")
    widget.handle({"do": "try", "flag": "-v", "command": "ls"})
    assert widget.tried == {}


def test_messages_that_make_no_sense_change_nothing(lesson: LessonMachine) -> None:
    widget = MountComposer(lesson, "-v notes:/data")
    for message in (
        {"do": "write", "flag": "-x", "text": "a"},
        {"do": "write"},
        {"do": "try"},
        {"do": "try", "flag": "-x"},
    ):
        widget.handle(message)
    assert (text(widget, "-v"), widget.trouble) == ("notes:/data", "")
    fill(widget, "nosuch", "x")
    assert widget.trouble.startswith("That could not be done")


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_is_text(lesson: LessonMachine, name: str) -> None:
    widget = MountComposer(lesson, "-v notes:/data")
    for field in ("source", "target", "subpath", "labels", "type"):
        fill(widget, field, name)
        assert widget.trouble == ""
        tags = set(re.findall(r"<(\w+)", widget.still()))
        assert tags <= {"p", "strong", "code", "sup", "pre", "table", "thead", "tbody", "tr", "th", "td", "ul", "li"}
    write(widget, "-v", f"{name}:/data")
    assert text(widget, "-v") == f"{name}:/data"[:2000]
    assert widget.trouble == ""


@pytest.mark.parametrize("flag", ["", "notes:/data", "-v", "-v a b", "-v 'a", "--tmpfs /t", 3, None])
def test_a_flag_that_is_none(flag: Any) -> None:
    with pytest.raises(ValueError, match=r"mount_composer|quotation"):
        spelt(flag)


def test_the_command_that_looks() -> None:
    assert look_command("") == "cat /proc/mounts"
    assert look_command("/a b") == "ls -la '/a b'"


# What is typed one after the other into a flag; in the end all is as if only the last had been typed.
CORRECTED = {
    "swapped": ("-v", "/var/lib/mysql:data_volume", "data_volume:/var/lib/mysql"),
    "emptied": ("-v", "old:/data:ro,z", "", "notes:/data"),
    "another type": (
        "--mount",
        "type=bind,source=/a,target=/b,bind-propagation=rshared",
        "type=volume,source=x,target=/c",
    ),
    "another mount": ("--mount", "type=tmpfs,target=/b,tmpfs-size=1m", "", "type=volume,source=x,target=/b"),
    "misspelt": ("--mount", "type=vol,source=x,target=/b", "type=volume,source=x,target=/b"),
}


@pytest.mark.parametrize("case", CORRECTED)
def test_no_part_of_what_was_corrected_is_left(case: str) -> None:
    flag, *texts = CORRECTED[case]
    lesson = LessonMachine()
    corrected, fresh = MountComposer(lesson), MountComposer(lesson, f"{flag} {texts[-1]}")
    for text in texts:
        corrected.handle({"do": "write", "flag": flag, "text": text})
    assert corrected.form == fresh.form
    assert corrected.legend == fresh.legend
    assert [each["text"] for each in corrected.flags.values()] == [each["text"] for each in fresh.flags.values()]


def test_another_mount_has_no_option_of_the_one_before_and_nothing_is_no_mount() -> None:
    widget = MountComposer(LessonMachine(), "--mount type=volume,source=x,target=/b,volume-opt=a=b")
    widget.handle({"do": "write", "flag": "-v", "text": "notes:/b"})
    assert "volume-opt=a=b" in widget.flags["--mount"]["text"]  # still that mount, with another source
    widget.handle({"do": "write", "flag": "-v", "text": "other:/c"})
    assert widget.flags["--mount"]["text"] == "type=volume,source=other,target=/c"
    widget.handle({"do": "write", "flag": "-v", "text": ""})
    assert [each["text"] for each in widget.flags.values()] == ["", ""]
    assert (widget.form["source"], widget.form["target"]) == ("", "")
