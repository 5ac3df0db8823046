"""What is read off an engine's answers, and what counts as a change."""

from __future__ import annotations

import pytest

from labkit.engine.images.images import ImageStep
from labkit.jupyter.view import (
    UNMARKED,
    MachineView,
    SeenContainer,
    SeenImage,
    added,
    compare,
    gone_lines,
    look,
    only,
    rows,
    size_text,
    stacks,
)

from .machines import APP_STEPS, BASE_STEPS, machine_after, small_machine

A, B, C, D = (ImageStep(letter, 1, f"sha256:{letter}") for letter in "abcd")


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0B"), (229, "229B"), (1000, "1kB"), (1983900, "1.98MB"), (78_100_000, "78.1MB"), (306_000_000, "306MB")],
)
def test_sizes_are_written_as_docker_history_does(size: int, text: str) -> None:
    assert size_text(size) == text


def test_images_share_the_steps_that_they_share_from_the_bottom() -> None:
    base, one, two = (
        SeenImage(name, (name,), steps, 0) for name, steps in (("b", (A,)), ("1", (A, B, C)), ("2", (A, B, D)))
    )
    (bottom,) = stacks([base, one, two])
    assert (bottom.steps, bottom.images) == ([A], [base])
    (middle,) = bottom.above
    assert (middle.steps, middle.images) == ([B], [])
    assert [(stack.steps, stack.images) for stack in middle.above] == [([C], [one]), ([D], [two])]


def test_every_step_is_in_one_stack_only() -> None:
    (bottom,) = stacks(look(small_machine()).images)
    assert len(bottom.steps) == BASE_STEPS
    assert len(bottom.steps) + sum(len(stack.steps) for stack in bottom.above) == APP_STEPS


def test_many_settings_in_a_row_are_one_row() -> None:
    settings = tuple(ImageStep(f"ENV A={number}", 0, None) for number in range(4))
    (stack,) = stacks([SeenImage("i", ("i",), (A, *settings, B, settings[0]), 0)])
    assert [(row.number, row.text, row.digest) for row in rows(stack, UNMARKED)] == [
        ("1", "a", "sha256:a"),
        ("2 to 5", "settings: ENV, ENV, ENV, ENV", None),
        ("6", "b", "sha256:b"),
        ("7", "ENV A=0", None),
    ]


def test_a_machine_is_read() -> None:
    view = look(small_machine())
    assert [image.names for image in view.images] == [("app:1",), ("busybox:latest",)]
    (web,) = view.containers
    changes = (("A", "/data"), ("A", "/src"), ("C", "/tmp"), ("A", "/tmp/x"))
    assert (web.name, web.state, web.changes) == ("web", "running", changes)
    assert [(mount.kind, mount.source, mount.target, mount.writable) for mount in web.mounts] == [
        ("volume", "data", "/data", True),
        ("bind", "/home/learner/src", "/src", False),
    ]
    assert view.volumes == ("data",)


def test_a_part_of_a_view() -> None:
    view = look(small_machine())
    assert [image.names for image in only(view, ["busybox"]).images] == [("busybox:latest",)]
    web = only(view, ["web"])
    assert ([image.names for image in web.images], web.volumes) == ([("app:1",), ("busybox:latest",)], ("data",))
    with pytest.raises(ValueError, match="there is no image, container or volume 'wbe' to show"):
        only(view, ["wbe"])


def test_what_was_added() -> None:
    before = look(small_machine())
    assert added(before, before) == before
    after = small_machine("printf 'FROM busybox\\nCOPY app.py /\\n' | docker build -q -t new:1 -f - app")
    assert [image.names for image in added(before, look(after)).images] == [("busybox:latest",), ("new:1",)]
    assert added(before, look(after)).containers == ()
    after.run("docker volume create more")
    assert added(MachineView(), look(after)) == look(after)
    assert added(before, look(after)).volumes == ("more",)


def test_what_changed_is_marked() -> None:
    machine = small_machine()
    before = look(machine)
    assert compare(None, before).new == compare(before, before).new == frozenset()
    machine.run("docker volume create more; docker rm -f web")
    marks = compare(before, look(machine))
    assert marks.new == {("volume", "more")}
    assert ("container", "web") in [part[:2] for part in marks.gone]
    assert marks.word("volume", "more") == "new"
    assert marks.word("volume", "data") == ""


def test_a_container_that_stopped_has_changed() -> None:
    up = MachineView((), (SeenContainer("1", "web", "i", "running", (), 0, ()),))
    down = MachineView((), (SeenContainer("1", "web", "i", "exited", (), 0, ()),))
    assert compare(up, down).word("container", "web") == "changed"


def test_an_empty_machine() -> None:
    assert look(machine_after()) == MachineView()


def test_an_image_that_lost_its_name_has_changed_and_its_heir_is_new() -> None:
    old, heir = SeenImage("1", ("app:1",), (A,), 0), SeenImage("2", ("app:1",), (B,), 0)
    marks = compare(MachineView((old,)), MachineView((heir, SeenImage("1", (), (A,), 0))))
    assert (marks.word("image", "1"), marks.word("image", "2")) == ("changed", "new")


def test_what_went_is_told() -> None:
    before = look(small_machine())
    marks = compare(before, MachineView())
    assert gone_lines(marks)[-3:] == ["image busybox:latest", "container web", "volume data"]
    assert "step COPY app.py /opt/app.py" in gone_lines(marks)
