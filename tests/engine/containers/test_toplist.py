"""docker top: ps's columns on the host (moby, daemon/top_unix.go; examples more-commands.txt)."""

from __future__ import annotations

import pytest

from tests.engine.conftest import Lab

COLUMNS = [
    ([], ["UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"]),
    (["-ef"], ["UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"]),
    (["-o", "pid,args"], ["PID", "COMMAND"]),
    (["-eo", "user,pid"], ["USER", "PID"]),
]


@pytest.mark.parametrize(("options", "titles"), COLUMNS)
def test_columns(lab: Lab, options: list[str], titles: list[str]) -> None:
    lab.up("c1")
    lab.engine.exec("c1", ["sleep", "50"], detach=True)
    found = lab.engine.top("c1", options)
    assert found["Titles"] == titles
    assert [len(row) for row in found["Processes"]] == [len(titles)] * 2


def test_what_it_refuses(lab: Lab) -> None:
    identifier = lab.create("c1", "sleep")
    assert lab.refused(lab.engine.top, "c1") == f"container {identifier} is not running"
    lab.engine.start_container("c1")
    assert lab.refused(lab.engine.top, "c1", ["-o", "args"]) == "Couldn't find PID field in ps output"
