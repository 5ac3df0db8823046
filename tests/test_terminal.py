"""A terminal keeps its folder and variables; what it was stopped in does not end it."""

from __future__ import annotations

import pytest

from labkit import Machine
from labkit.machine import END, INTERRUPT, Terminal


def typed(*lines: str) -> list[tuple[int, str, str]]:
    terminal = Terminal(Machine())
    return [(done.returncode, done.stdout, done.stderr) for done in map(terminal.run, lines)]


def test_folder_and_variables_stay() -> None:
    assert typed("cd /tmp; x=3", "pwd; echo $x", "false", "echo $?") == [
        (0, "", ""),
        (0, "/tmp\n3\n", ""),
        (1, "", ""),
        (0, "1\n", ""),
    ]


def test_inputs_of_several_lines() -> None:
    assert typed("cat > f <<'EOF'\na $x\nEOF", "cat f", "for i in 1 2", "do echo $i", "done") == [
        (0, "", ""),
        (0, "a $x\n", ""),
        (0, "", ""),
        (0, "", ""),
        (0, "1\n2\n", ""),
    ]


def test_after_exit_comes_a_new_shell() -> None:
    assert typed("cd /tmp", "exit 4", "pwd", "exit 1\necho new") == [
        (0, "", ""),
        (4, "", ""),
        (0, "/home/learner\n", ""),
        (0, "new\n", ""),
    ]


def test_a_runaway_is_stopped() -> None:
    terminal = Terminal(Machine())
    done = terminal.run("while :; do :; done")
    assert (done.returncode, done.stderr) == (137, "labkit: stopped: the command does not end\n")
    assert terminal.runaway
    assert terminal.run("echo on").stdout == "on\n"
    assert not terminal.runaway


def test_prompt_and_folder() -> None:
    terminal = Terminal(Machine())
    assert (terminal.prompt, terminal.folder) == ("# ", "/home/learner")
    terminal.run("cd /etc")
    assert (terminal.prompt, terminal.folder) == ("# ", "/etc")
    terminal.run("echo 'open")
    assert terminal.prompt == "> "


def test_two_machines_do_not_share_a_terminal() -> None:
    one, other = Terminal(Machine()), Terminal(Machine())
    one.run("cd /tmp")
    other.run("true")
    assert (one.folder, other.folder) == ("/tmp", "/home/learner")


def test_the_keys_that_interrupt_and_that_end() -> None:
    terminal = Terminal(Machine())
    for line in ("if true", INTERRUPT):
        terminal.run(line)
    assert terminal.prompt == "# "
    assert (terminal.run("cat").stdout, terminal.prompt) == ("", "")
    terminal.run("typed")
    assert terminal.run(END).stdout == "typed\n"
    terminal.run(END)
    assert terminal.ended


def test_after_a_runaway_there_is_a_prompt() -> None:
    terminal = Terminal(Machine())
    terminal.run("while true; do :; done")
    assert (terminal.prompt, terminal.folder) == ("# ", "/home/learner")


def test_two_terminals_are_each_where_they_are() -> None:
    machine = Machine()
    one, two = Terminal(machine), Terminal(machine)
    one.run("cd /tmp")
    two.run("cd /etc")
    assert (one.folder, two.folder) == ("/tmp", "/etc")


def test_back_to_an_earlier_moment() -> None:
    machine = Machine()
    terminal = Terminal(machine)
    terminal.run("x=1; cd /tmp")
    saved = machine.snapshot(), terminal.snapshot()
    for _ in range(2):
        assert terminal.run("echo $x; touch $x; ls").stdout == "1\n1\n"
        terminal.run("x=2; cd /; exit")
        machine.restore(saved[0])
        terminal.restore(saved[1])
        assert (terminal.folder, machine.files.listdir("/tmp")) == ("/tmp", [])


def test_who_asks_for_the_prompt_changes_nothing() -> None:
    asked, unasked = Machine(), Machine()
    terminal = Terminal(asked)
    assert terminal.prompt
    terminal.complete("docker ")
    line = "date +%N; docker pull -q busybox; printf 'FROM busybox\\nRUN touch x\\n' | docker build -q -"
    assert asked.run(line) == unasked.run(line)
    assert Terminal(asked).run("date +%N") == Terminal(unasked).run("date +%N")


# What keeps the terminal until ^C, with what it takes to have it; and the statuses: of the line, and after ^C.
HELD = {
    "docker run --name mine nginx": ("docker pull -q nginx", 0),  # nginx ends in good order on SIGINT
    "docker logs -f web": ("docker run -d --name web nginx", 130),
    "docker attach web": ("docker run -d --name web nginx", 130),
    "docker wait web": ("docker run -d --name web nginx", 130),
    "docker exec web sleep 1000": ("docker run -d --name web nginx", 130),
    "docker events": ("true", 130),
    "docker stats": ("true", 130),
    "tail -f /etc/hostname": ("true", 130),
    "sleep 1000": ("true", 130),
    "sleep 1000; false": ("true", 1),
    "docker run --rm -it busybox sh -c top": ("docker pull -q busybox", 130),
}


@pytest.mark.parametrize("line", HELD)
def test_what_never_ends_keeps_the_terminal_until_an_interrupt(line: str) -> None:
    """What is typed meanwhile is lost; without a terminal it is interrupted at once."""
    terminal = Terminal(Machine())
    before, status = HELD[line]
    terminal.run(before)
    assert terminal.run(line).returncode == 0
    assert (terminal.held, terminal.prompt) == (True, "")
    saved, machine = terminal.snapshot(), terminal.machine.snapshot()
    for typed in ("echo lost", END):
        assert terminal.run(typed).stdout == ""
        assert terminal.held
    for _ in range(2):  # the second time after going back to when it was held
        assert terminal.run(INTERRUPT).returncode == status
        assert (terminal.held, terminal.prompt) == (False, "# ")
        assert terminal.run("echo on").stdout == "on\n"
        terminal.machine.restore(machine)
        terminal.restore(saved)
        assert terminal.held


def test_what_ends_by_itself_keeps_no_terminal() -> None:
    terminal = Terminal(Machine())
    for line in ("sleep 60", "tail -f /etc/hostname | head -n 1", "timeout 5 sleep 1000", "sleep 1000 &"):
        terminal.run(line)
        assert not terminal.held, line
    assert Machine().run("sleep 1000; tail -f /etc/hostname").returncode == 130
    terminal.run("docker pull -q busybox; printf 'FROM busybox\\nRUN sleep inf\\n' > Dockerfile")
    assert "exit code: 130" in terminal.run("docker build .").stderr
    assert not terminal.held


def test_the_first_process_of_a_container_takes_no_notice_of_an_interrupt() -> None:
    """It has no handler; docker ends at the third ^C, and the container goes on."""
    terminal = Terminal(Machine())
    terminal.run("docker run --name box busybox sleep 1000")
    for _ in range(2):
        terminal.run(INTERRUPT)
        assert terminal.held
    done = terminal.run(INTERRUPT)
    assert (done.returncode, done.stderr) == (1, "\ngot 3 SIGTERM/SIGINTs, forcefully exiting\n")
    assert terminal.run("docker ps --format '{{.Names}}'").stdout == "box\n"
    assert terminal.run("docker stop -t 0 box").stdout == "box\n"
    assert terminal.run("docker ps -q").stdout == ""
