"""Events in plain words."""

from __future__ import annotations

import pytest

from labkit import Machine
from labkit.engine.core import core
from labkit.engine.core.core import Event
from labkit.jupyter.view import _SENTENCES, compare, look, told, written


@pytest.fixture(scope="module")
def machine() -> Machine:
    made = Machine()
    made.run("docker pull -q busybox; docker run -d --name web busybox sleep 1000")
    return made


def after(machine: Machine, line: str) -> list[str]:
    start = len(machine.events)
    machine.run(line)
    return told(machine.events[start:], machine.engine)


def test_every_event_has_a_sentence() -> None:
    kinds = {name for name, found in vars(core).items() if isinstance(found, type) and issubclass(found, Event)}
    assert kinds - {"Event"} == set(_SENTENCES)


def test_a_copy_up_says_how_much_from_where(machine: Machine) -> None:
    assert after(machine, "docker exec web sh -c 'echo x >> /etc/passwd'") == [
        "copied /etc/passwd, 30B, from layer 1 into web's layer"
    ]
    assert after(machine, "docker exec web rm /etc/passwd") == [
        "hid the image's /etc/passwd by a whiteout in web's layer"
    ]


def test_what_is_gone_is_told_by_its_name(machine: Machine) -> None:
    assert after(machine, "docker run --rm --name brief -v notes:/n busybox true") == [
        "made the volume notes",
        "made the container brief on the image busybox:latest, with an empty layer of its own",
        "made /n in brief's layer, to mount on it",
        "started brief",
        "brief stopped with status 0; its layer stays",
        "removed brief, and its own layer with it",
    ]
    assert after(machine, "docker tag busybox other:1; docker rmi other:1; docker volume rm notes") == [
        "named the image 8bcd5f8a103a other:1",
        "took the name other:1 off the image 8bcd5f8a103a",
        "removed the volume notes and what was in it",
    ]


def test_a_bind_mount_makes_the_hosts_folder(machine: Machine) -> None:
    assert "made the missing folder /home/learner/src on the host" in after(
        machine, "docker run --rm --name b2 -v ./src:/src busybox true"
    )


def test_an_event_that_nobody_knows_is_told_by_its_name(machine: Machine) -> None:
    class SomethingElse(Event):
        path: str

    assert told([SomethingElse("<b>")], machine.engine) == ["something else"]


def test_names_stay_on_one_line_and_have_no_end(machine: Machine) -> None:
    (sentence,) = told([core.HostFolderCreated(f"/a\n\x1b[31m{'x' * 500}", "")], machine.engine)
    assert sentence.startswith(r"made the missing folder /a \x1b[31mxxx")
    assert len(sentence) < 120


def test_what_no_event_tells_of(machine: Machine) -> None:
    before, start = look(machine), len(machine.events)
    machine.run("docker exec web sh -c 'touch /made; rm -f /bin/yes'; docker rm -f brief")
    seen = written(machine.events[start:], compare(before, look(machine)))
    assert "/made is new in web's layer" in seen
    assert not [sentence for sentence in seen if "/bin" in sentence], "a whiteout is told of as an event"
    before = look(machine)
    machine.run("docker rm -f web")
    assert written([], compare(before, look(machine))) == [], "the container's end says it all"
