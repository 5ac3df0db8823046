"""What Tab offers in a shell."""

from __future__ import annotations

import pytest

from labkit import Machine
from labkit.machine import Terminal
from labkit.shell.completion import last_command


@pytest.fixture(scope="module")
def terminal() -> Terminal:
    made = Terminal(Machine())
    made.run("mkdir 'a b' ab; touch ab/x.txt ab/.hidden; docker pull -q nginx; docker run -d --name web nginx")
    return made


@pytest.mark.parametrize(
    ("line", "becomes", "choices"),
    [
        ("doc", "docker", ("docker", "dockerd")),
        ("unse", "unset ", ()),
        ("nosuch", "nosuch", ()),
        ("ls | gre", "ls | grep ", ()),
        ("cat a", "cat a", ("a b/", "ab/")),
        ("cat a\\ ", "cat a\\ b/", ()),
        ("cat 'a ", "cat 'a b/", ()),
        ('cat "a ', 'cat "a b/', ()),
        ("cat ab/", "cat ab/x.txt ", ()),
        ("cat ab/.", "cat ab/.hidden ", ()),
        ("cat 'ab/x", "cat 'ab/x.txt' ", ()),
        ("cat <ab/", "cat <ab/x.txt ", ()),
        ("echo 1 > ab/", "echo 1 > ab/x.txt ", ()),
        ("cat ab/x.txt ", "cat ab/x.txt a", ("a b/", "ab/")),
        ("cat nothing/", "cat nothing/", ()),
        ("/usr/bin/docker-p", "/usr/bin/docker-p", ()),
        ("ls /var/lib/do", "ls /var/lib/docker/", ()),
        ("X=1 Y='a b' unse", "X=1 Y='a b' unset ", ()),
        ("for i in 1; do unse", "for i in 1; do unset ", ()),
        ("echo $(unse", "echo $(unset ", ()),
        ("echo `unse", "echo `unset ", ()),
        ("echo 'a;' unse", "echo 'a;' unse", ()),
    ],
)
def test_words(terminal: Terminal, line: str, becomes: str, choices: tuple[str, ...]) -> None:
    found = terminal.complete(line)
    assert found.line == becomes
    assert found.choices == choices or set(choices) <= set(found.choices)
    assert bool(found.choices) == bool(choices)


def test_in_a_containers_shell_its_own_files_count(terminal: Terminal) -> None:
    terminal.run("docker exec -it web bash")
    assert terminal.inside
    assert terminal.complete("cat /etc/ngi").line == "cat /etc/nginx/"
    assert terminal.complete("docke").choices == ()
    terminal.run("cd /etc")
    assert terminal.complete("ls ngi").line == "ls nginx/"
    terminal.run("exit")
    assert not terminal.inside
    assert terminal.complete("cat ab/").line == "cat ab/x.txt "


@pytest.mark.parametrize(
    "line", ["'", '"', "\\", "$(", "`", ">", "a'b\"c", "\x00", "é☃ ", "((", "a" * 5000, "/" * 300, ";;", "\n"]
)
def test_no_line_is_too_odd(terminal: Terminal, line: str) -> None:
    found = terminal.complete(line)
    assert found.line.startswith(line) or found.choices == ()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", [""]),
        ("a", ["a"]),
        ("a ", ["a", ""]),
        ("a 'b c' d\\ e", ["a", "b c", "d e"]),
        ("a; b", ["b"]),
        ("a ;", [""]),
        ("A=1 b c", ["b", "c"]),
        ("a>f", ["a", ">", "f"]),
    ],
)
def test_the_command_that_the_line_ends_in(line: str, words: list[str]) -> None:
    before, word = last_command(line)
    assert [*before, word.text] == words
