"""A terminal keeps its folder and variables; what it was stopped in does not end it."""

from __future__ import annotations

from labkit import Machine
from labkit.machine import Terminal


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
