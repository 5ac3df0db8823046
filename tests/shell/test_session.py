"""Terminals: prompts, unfinished commands, input for programs, shells within shells."""

from __future__ import annotations

import pytest
from real import machine

from labkit.kernel.limits import Runaway
from labkit.kernel.process import Input, Output, Parked, Process
from labkit.shell import Session


def session(shell: str = "ash", **programs: object) -> Session:
    kernel, files = machine(shell, programs)
    name = "sh" if shell == "ash" else shell
    env = {"PATH": "/bin", "HOME": "/root"}
    return Session(Process([name], env, files, Input(b""), Output(), Output(), kernel, hostname="box"))


def typed(terminal: Session, line: str | None) -> str:
    return b"".join(written.text for written in terminal.feed(line)).decode()


# shell: lines, what each prints, the prompt after it (busybox 1.35, dash 0.5.12, bash 5.2, at a pseudo-terminal)
DIALOGUES = {
    "ash": [
        ("nosuch", "sh: nosuch: not found\n", "/work # "),
        ("cd /nope", "sh: cd: can't cd to /nope: No such file or directory\n", "/work # "),
        ("cd /tmp", "", "/tmp # "),
        ("fi", 'sh: syntax error: unexpected "fi"\n', "/tmp # "),
        ("if true", "", "> "),
        ("then echo hi", "", "> "),
        ("fi", "hi\n", "/tmp # "),
        ('echo "a', "", "> "),
        ('b"', "a\nb\n", "/tmp # "),
        ("cat <<E", "", "> "),
        ("x", "", "> "),
        ("E", "x\n", "/tmp # "),
        ("echo a \\", "", "> "),
        ("  b\\", "", "> "),
        ("c", "a bc\n", "/tmp # "),
        ("echo d # \\", "d\n", "/tmp # "),
        ("echo \\\\", "\\\n", "/tmp # "),
        ("set -u; echo $q; echo after", "sh: q: parameter not set\n", "/tmp # "),
        ("echo x > /nope/y", "sh: can't create /nope/y: nonexistent directory\n", "/tmp # "),
        ("readonly a=1; a=2", "sh: a: is read only\n", "/tmp # "),
        ("./x", "sh: ./x: not found\n", "/tmp # "),
        ("x=5 y=6", "", "/tmp # "),
        ("echo $x$y", "56\n", "/tmp # "),
        ("", "", "/tmp # "),
        ("cd", "sh: cd: can't cd to /root: No such file or directory\n", "/tmp # "),
        ("PS1='$PWD> '", "", "/tmp> "),
    ],
    "dash": [
        ("nosuch", "dash: 1: nosuch: not found\n", "# "),
        ("cd /nope", "dash: 2: cd: can't cd to /nope\n", "# "),
        ("fi", 'dash: 3: Syntax error: "fi" unexpected\n', "# "),
        ("if true", "", "> "),
        ("then echo hi", "", "> "),
        ("fi", "hi\n", "# "),
        ("echo a\\", "", "> "),
        ("b", "ab\n", "# "),
        ("./x", "dash: 9: ./x: not found\n", "# "),
    ],
    "bash": [
        ("nosuch", "bash: nosuch: command not found\n", "bash-5.2# "),
        ("cd /nope", "bash: cd: /nope: No such file or directory\n", "bash-5.2# "),
        ("fi", "bash: syntax error near unexpected token `fi'\n", "bash-5.2# "),
        ("for i in {1..3}; do echo $i; done", "1\n2\n3\n", "bash-5.2# "),
        ("echo a \\", "", "> "),
        ("b", "a b\n", "bash-5.2# "),
        ("./x", "bash: ./x: No such file or directory\n", "bash-5.2# "),
        ("PS1='\\u@\\h:\\w\\$ '", "", "root@box:/work# "),
    ],
}


@pytest.mark.parametrize("shell", DIALOGUES)
def test_dialogue(shell: str) -> None:
    terminal = session(shell)
    for line, output, prompt in DIALOGUES[shell]:
        assert (typed(terminal, line), terminal.prompt) == (output, prompt), line
    assert not terminal.ended


def test_busybox_says_who_it_is() -> None:
    terminal = session()
    assert b"".join(written.text for written in terminal.banner).decode() == (
        "\n\nBusyBox v1.35.0 (Debian 1:1.35.0-4+deb12u1+b1) built-in shell (ash)\n"
        "Enter 'help' for a list of built-in commands.\n\n"
    )
    assert terminal.prompt == "/work # "


@pytest.mark.parametrize(("line", "status"), [("exit 3", 3), ("false; exit", 1), (None, 0), ("exec sh -c 'exit 4'", 4)])
def test_the_end(line: str | None, status: int) -> None:
    terminal = session()
    typed(terminal, line)
    assert (terminal.ended, terminal.status, terminal.feed("echo more")) == (True, status, [])


def test_a_program_reads_what_is_typed() -> None:
    terminal = session()
    assert [typed(terminal, line) for line in ("cat > f", "one", "two", None, "cat f")] == [
        "",
        "",
        "",
        "",
        "one\ntwo\n",
    ]
    assert [typed(terminal, line) for line in ("read a b; echo $b", "1 2 3")] == ["", "2 3\n"]
    assert [typed(terminal, line) for line in ("while read x; do echo $x; done", "a", "b", None, "echo $?")] == [
        "", "a\n", "b\n", "", "0\n",
    ]  # fmt: skip


def test_several_lines_at_once() -> None:
    assert typed(session(), "echo a\nread x\nval\necho $x\nif true\nthen echo end\nfi") == "a\nval\nend\n"


def test_shells_within_shells() -> None:
    terminal = session("dash", **{"sh-in": lambda process: process.spawn(["ash"])})
    typed(terminal, "x=outer")
    typed(terminal, "sh-in")
    assert terminal.prompt == "/work # "
    typed(terminal, "x=inner; cd /tmp")
    assert terminal.prompt == "/tmp # "
    typed(terminal, "exit 7")
    assert terminal.prompt == "# "
    assert typed(terminal, "echo $? $x; pwd") == "7 outer\n/work\n"


def test_a_program_goes_on_after_the_shell_in_it() -> None:
    def around(process: Process) -> int:
        def after(given: Process, status: int) -> int:
            process.stdout.write(f"shell ended with {status}\n")
            return status + 1

        try:
            return after(process, process.spawn(["ash"]))
        except Parked as parked:
            raise parked.then(after) from None

    terminal = session("dash", around=around)
    typed(terminal, "around")
    assert typed(terminal, "exit 2") == "shell ended with 2\n"
    assert typed(terminal, "echo $?") == "3\n"


def test_a_runaway_leaves_the_shell_as_it_was() -> None:
    terminal = session()
    typed(terminal, "x=1")
    budget = terminal._process.kernel.budget
    with pytest.raises(Runaway):
        terminal.feed("x=2; while :; do :; done")
    terminal._process.kernel.budget = budget
    assert terminal.prompt == "/work # "
    assert typed(terminal, "echo $x") == "1\n"


def test_interrupt() -> None:
    terminal = session()
    typed(terminal, "if true")
    assert b"".join(written.text for written in terminal.interrupt()) == b"^C\n"
    assert terminal.prompt == "/work # "
    assert typed(terminal, "echo $?") == "130\n"
    typed(terminal, "cat")
    terminal.interrupt()
    assert typed(terminal, "echo $?") == "130\n"


def test_back_to_an_earlier_moment() -> None:
    terminal = session()
    typed(terminal, "x=1; cd /tmp")
    saved = terminal.snapshot()
    for _ in range(2):
        assert typed(terminal, "echo $x; x=2; cd /; exit") == "1\n"
        terminal.restore(saved)
        assert (terminal.ended, terminal.prompt) == (False, "/tmp # ")


def test_which_stream() -> None:
    written = session().feed("echo out; echo err >&2")
    assert [(item.stream, item.text) for item in written] == [(1, b"out\n"), (2, b"err\n")]
