from __future__ import annotations

import pytest

from labkit.engine.core.core import ContainerCreated, ContainerRenamed, CopiedUp, Event, MountpointCreated, Whiteout
from labkit.engine.core.happened import Happened
from tests.engine.conftest import Lab


def since(lab: Lab, start: int) -> list[Event]:
    """But for what is told by docker events alone."""
    return [event for event in lab.engine.events[start:] if not isinstance(event, Happened)]  # type: ignore[union-attr]


def test_copies_up_and_whiteouts(lab: Lab) -> None:
    identifier = lab.up("c1")
    start = len(lab.engine.events)
    lab.exec("c1", "cat", "/etc/passwd")
    assert since(lab, start) == []
    lab.exec("c1", "tee", "/etc/passwd", "new")
    lab.exec("c1", "tee", "/etc/passwd", "newer")
    lab.exec("c1", "rm", "/etc/passwd")
    assert since(lab, start) == [CopiedUp(identifier, "/etc/passwd", 0, 1), Whiteout(identifier, "/etc/passwd")]


def test_what_a_container_makes(lab: Lab) -> None:
    start = len(lab.engine.events)
    identifier = lab.create("c1", "true", Binds=["notes:/data"])
    lab.start("c1")
    events = since(lab, start)
    assert ContainerCreated(identifier, "c1", lab.engine.find_image("busybox").id, "busybox") in events
    assert MountpointCreated(identifier, "/data") in events


def test_a_copy_up_names_the_layer_that_the_file_came_from(lab: Lab) -> None:
    lab.up("c1")
    lab.exec("c1", "tee", "/etc/passwd", "mine")
    lab.engine.commit("c1", "two:1")
    start = len(lab.engine.events)
    identifier = lab.up("c2", image="two:1")
    lab.exec("c2", "tee", "/etc/passwd", "new")
    assert [event for event in since(lab, start) if isinstance(event, CopiedUp)] == [
        CopiedUp(identifier, "/etc/passwd", 0, 2)  # opened with O_TRUNC
    ]


def test_a_container_gets_another_name(lab: Lab) -> None:
    identifier = lab.create("c1", "true")
    lab.engine.rename("c1", "c2")
    assert lab.engine.events[-1] == ContainerRenamed(identifier, "c1", "c2")


def test_events_are_frozen_and_compare() -> None:
    event = Whiteout("c", path="/x")
    assert event == Whiteout("c", "/x")
    assert len({event, Whiteout("c", "/x")}) == 1
    assert repr(event) == "Whiteout(container='c', path='/x')"
    with pytest.raises(AttributeError):
        event.path = "/y"  # type: ignore[misc]
    with pytest.raises(TypeError):
        Whiteout("c")  # type: ignore[call-arg]
