"""What runs until it is stopped: top, and a build's shell whose complaint comes in two pieces."""

from __future__ import annotations

from labkit.machine import Machine

BUILD = "mkdir ctx; printf 'FROM busybox\\nRUN {}\\n' > ctx/Dockerfile; docker build --progress plain ctx"


def test_top_stays_up_and_ends_by_its_signals() -> None:
    """busybox, procps/top.c, sig_catcher: 128 and the signal."""
    machine = Machine()
    machine.run("docker run -q -d --name c1 busybox top")
    assert machine.run("docker ps --format '{{.Names}}'").stdout == "c1\n"
    assert "PID  PPID USER" in machine.run("docker logs c1").stdout
    assert machine.run("docker exec c1 top -b -n 1").stdout.count("top -b -n 1") == 1
    assert machine.run("docker stop c1; docker inspect -f '{{.State.ExitCode}}' c1").stdout == "c1\n143\n"


def test_a_complaint_of_busyboxs_shell_is_printed_again_without_its_start() -> None:
    """It writes its name first (shell/ash.c, ash_vmsg); recorded."""
    said = Machine().run(BUILD.format("echo x > /new/f")).stderr
    assert "/bin/sh: can't create /new/f: nonexistent directory\n" in said
    assert "------\n > [2/2] RUN echo x > /new/f:\ncan't create /new/f: nonexistent directory\n------\n" in said


def test_other_complaints_are_printed_again_whole() -> None:
    said = Machine().run(BUILD.format("cat /nosuch")).stderr
    again = said.partition("------\n")[2]
    assert " cat: can't open '/nosuch': No such file or directory\n------\n" in again
