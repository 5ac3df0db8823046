from __future__ import annotations

from tests.engine.conftest import Lab

FAILED = "OCI runtime exec failed: exec failed: unable to start container process: "


def test_exec(lab: Lab) -> None:
    lab.up("c1")
    assert lab.exec("c1", "echo", "x").out == "x\n"
    assert lab.exec("c1", "sh", "-c", "3").status == 3
    assert lab.exec("c1", "pwd", workdir="/etc").out == "/etc\n"
    assert lab.exec("c1", "id", user="7:8").out == "7:8\n"
    assert "COLOUR=blue\n" in lab.exec("c1", "env", env=["COLOUR=blue"]).out
    assert lab.engine.logs("c1") == []


def test_what_does_not_start_is_told_on_its_own_output(lab: Lab) -> None:
    lab.up("c1")
    done = lab.exec("c1", "nosuch")
    assert (done.status, done.out) == (127, f'{FAILED}exec: "nosuch": executable file not found in $PATH: unknown\r\n')
    done = lab.exec("c1", "/etc")
    assert (done.status, done.out) == (126, f'{FAILED}exec: "/etc": is a directory: unknown: permission denied\r\n')
    # moby, daemon/exec.go, ContainerExecCreate: looked up before there is an output
    said = "unable to find user ada: no matching entries in passwd file"
    assert lab.refused(lambda: lab.exec("c1", "true", user="ada")) == said


def test_it_needs_a_running_container(lab: Lab) -> None:
    identifier = lab.create("c1", "sleep")
    assert lab.refused(lab.exec, "c1", "true") == f"container {identifier} is not running"
    assert lab.refused(lab.exec, "x", "true") == "No such container: x"


def test_a_detached_one_goes_on_beside_the_main_process(lab: Lab) -> None:
    lab.up("c1")
    assert lab.engine.exec("c1", ["sleep", "5"], detach=True) == 0
    assert len(lab.engine.tables.running) == 2
    lab.clock.advance(6 * 10**9)
    lab.engine.advance()
    assert len(lab.engine.tables.running) == 1
