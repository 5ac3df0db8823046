"""ps and kill see what there is in their PID namespace."""

from __future__ import annotations

import pytest

from labkit import Machine


@pytest.fixture
def machine() -> Machine:
    machine = Machine()
    machine.run("docker run -q -d --name web busybox sleep 1d")
    return machine


def test_a_container_sees_its_own_and_the_host_all(machine: Machine) -> None:
    inside = machine.run("docker exec web ps").stdout
    assert "1 root     sleep 1d" in inside
    assert "dockerd" not in inside
    outside = machine.run("ps aux").stdout
    assert "sleep 1d" in outside
    assert "dockerd" in outside
    assert "dockerd" in machine.run("docker run -q --rm --pid=host busybox ps").stdout


def test_the_host_can_kill_what_ignores_signals_within(machine: Machine) -> None:
    status = "docker ps -a --format '{{.Names}} {{.State}}'"
    machine.run("docker exec web kill 1")  # process 1 has no handler for TERM
    machine.run("docker exec web kill -9 1")
    assert machine.run(status).stdout == "web running\n"
    machine.run("kill -9 $(docker inspect --format '{{.State.Pid}}' web)")
    assert machine.run(status).stdout == "web exited\n"
    assert machine.run("kill 99").stderr == "sh: 1: kill: No such process\n\n"
