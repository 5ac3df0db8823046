"""The history of a machine: back, forth, and into other futures."""

from __future__ import annotations

import pytest

from labkit import Machine
from labkit.course.session import RecordedInput, Timeline, typed_file


def typed(timeline: Timeline, *lines: str) -> None:
    for line in lines:
        timeline.do(RecordedInput("typed", line))


def ls(timeline: Timeline) -> str:
    return timeline.machine.run("ls -x").stdout.strip()


@pytest.fixture
def timeline() -> Timeline:
    return Timeline(Machine())


def test_back_and_forth(timeline: Timeline) -> None:
    typed(timeline, "touch a", "touch b", "touch c")
    undone = [timeline.undo(), timeline.undo()]
    assert [each and each.text for each in undone] == ["touch c", "touch b"]
    assert ls(timeline) == "a"
    redone = timeline.redo()
    assert (redone and redone.text, ls(timeline), len(timeline.past)) == ("touch b", "a  b", 2)
    timeline.go(0)
    assert (ls(timeline), timeline.undo(), len(timeline.line)) == ("", None, 4)
    timeline.go(3)
    assert (ls(timeline), timeline.redo()) == ("a  b  c", None)


def test_typing_in_the_past_keeps_the_former_future(timeline: Timeline) -> None:
    typed(timeline, "touch a", "touch b", "touch c")
    timeline.go(1)
    typed(timeline, "touch other")
    assert [each.text for each in timeline.inputs] == ["touch a", "touch other"]
    (former,) = timeline.others
    assert [moment.input.text for moment in timeline.branching(former) if moment.input] == ["touch b", "touch c"]
    timeline.go(former.number)
    assert ls(timeline) == "a  b  c"
    assert [moment.input.text for tip in timeline.others for moment in timeline.branching(tip) if moment.input] == [
        "touch other"
    ]


def test_the_shell_goes_back_too(timeline: Timeline) -> None:
    typed(timeline, "docker pull -q busybox", "docker run -d --name web busybox sleep 1000", "x=1; cd /tmp")
    typed(timeline, "docker exec -it web sh", "cd /etc; y=2")
    inside = timeline.now
    assert (inside.inside, timeline.terminal.prompt) == (True, "/etc # ")
    typed(timeline, "exit", "exit")
    assert timeline.terminal.folder == "/home/learner"
    timeline.go(inside.number)
    typed(timeline, "echo $y; pwd; exit")
    assert timeline.now.outcome.stdout == "2\n/etc\n"
    assert (timeline.terminal.folder, timeline.terminal.prompt) == ("/tmp", "# ")
    typed(timeline, "echo $x")
    assert timeline.now.outcome.stdout == "1\n"


def test_a_command_half_typed(timeline: Timeline) -> None:
    typed(timeline, "for i in 1 2", "do echo $i")
    assert [moment.waits for moment in timeline.past] == [True, True]
    timeline.undo()
    typed(timeline, "do echo a$i", "done")
    assert (timeline.now.waits, timeline.now.outcome.stdout) == (False, "a1\na2\n")


def test_what_was_done_beside_it_is_kept_with_the_moment(timeline: Timeline) -> None:
    typed(timeline, "touch a")
    timeline.machine.run("touch beside")
    typed(timeline, "touch b")
    timeline.undo()
    assert ls(timeline) == "a  beside"


def test_every_kind_of_input(timeline: Timeline) -> None:
    timeline.do(RecordedInput("file", "text\n", "sub/f"))
    assert timeline.do(RecordedInput("run", "cat sub/f; cat none")).written == (
        (1, "text\n"),
        (2, "cat: none: No such file or directory\n"),
    )
    assert timeline.do(RecordedInput("session", "cd sub\npwd")).stdout == "# cd sub\n# pwd\n/home/learner/sub\n"
    assert timeline.do(typed_file("it's", "EOF")).returncode == 0
    assert timeline.machine.files.read("/home/learner/it's") == b"EOF\n"
    assert next(each.title for each in timeline.inputs) == "write sub/f"
    with pytest.raises(IsADirectoryError):
        timeline.do(RecordedInput("file", "", "/etc"))
    assert len(timeline.past) == 4


def test_a_runaway_is_an_input_as_any_other(timeline: Timeline) -> None:
    typed(timeline, "while true; do :; done")
    assert (timeline.now.outcome.returncode, timeline.terminal.prompt) == (137, "# ")


def test_watchers_hear_of_every_change(timeline: Timeline) -> None:
    heard: list[int] = []
    timeline.watchers.append(lambda: heard.append(timeline.at))
    typed(timeline, "true", "true")
    timeline.undo()
    timeline.redo()
    assert heard == [1, 2, 1, 2]
    with pytest.raises(ValueError, match="no moment 7"):
        timeline.go(7)
