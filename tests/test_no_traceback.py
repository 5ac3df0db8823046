"""Random command lines, right and wrong: none may raise, each ends with a status. LABKIT_FUZZ_MACHINES: for how many."""

from __future__ import annotations

import os
import random
from collections.abc import Callable

import pytest

from labkit.dockercli.commands import places
from labkit.dockercli.flags import flags_of, sections
from labkit.machine import Machine
from labkit.userland import PROGRAMS

pytestmark = pytest.mark.long

MACHINES = int(os.environ.get("LABKIT_FUZZ_MACHINES", "25"))  # of each kind of line
SEED = int(os.environ.get("LABKIT_FUZZ_SEED", "29"))
LINES = 40  # that one machine plays

VALUES = [
    "", "0", "1", "-1", "2", "10", "99999999999999999999", "1.5", "1e9", "x", "a=b", "a=", "=", "web", "db", "busybox",
    "busybox:latest", "nope", "busybox@sha256:12", "UPPER", "a/b/c:d", ":", "/", "//", ".", "..", "/data", "data:/data",
    "data:/data:ro", "/a:/b:rw,z", ":/x", "a:b:c:d", "type=bind,source=/etc,target=/x", "type=volume,dst=/x",
    "type=tmpfs,dst=/t,tmpfs-size=1k", "type=none", "type=volume,volume-opt=a", "{{.}}", "{{json .}}", "{{.ID",
    "{{range .}}{{end}}", "{{index . 0}}", "{{printf \"%d\" .}}", "table {{.Names}}", "json", "name=web", "label=a=b",
    "until=1h", "dangling=true", "status=running", "foo=bar", "1g", "5m", "-5m", "1kk", "tcp", "80:80", "80-90:80",
    "8080:80/udp", "127.0.0.1::80", "always", "on-failure:3", "no", "host", "none", "container:web", "root", "1000:1000",
    "nobody:x", "é", "\ud800", "\n", "a b", "*", "~", "$HOME", "-", "--", "-x", "--help", "true", "false", "maybe",
    "CMD echo hi", "ENV a=b", "FOO", "sh", "linux/amd64", "KILL", "TERM", "9", "SIGFOO", "0x10", "2020-01-01", "/etc/passwd",
]  # fmt: skip
COMMANDS = [[], ["true"], ["false"], ["sh", "-c", "echo hi"], ["cat"], ["nope"], ["sleep", "1"], ["ls", "/data"], ["/"]]
FILES = [
    "/etc/passwd",
    "f",
    "d",
    "nope",
    "d/g",
    "/",
    ".",
    "link",
    "empty",
    "/dev/null",
    "/dev/zero",
    "bin",
    "long",
    "-",
]
OPERANDS = [
    "s/a/b/", "/x/d", "1,2p", "{print $1}", "BEGIN{print 1/0}", "a*", "[a", "\\(", "a\\{1", "%s\\n", "%d", "%*d", "+%F", "u+x", "755",
    "999", "root:root", "1k", "if=f", "of=o", "bs=0", "count=1", "skip=-1", "bs=x", "a", "b", "-name", "-type", "f", "-exec",
    ";", "{}", "+", "(", ")", "!", "=", "-gt", "1", "0", "-1", "1.5", "x", "y", "", "a-z", "A-Z", "[:upper:]", "cf", "xf",
    "a.tar", "tf", "c", "x", "t", "-z", ".", ".a", "@json", "/tmp", "tmpfs", "99999999999999999999", "é", "1s", "0.001",
]  # fmt: skip
NAMES = sorted({name.partition(":")[2] or name for name in PROGRAMS})
OPTIONS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
GLUE = [" | ", " && ", " || ", "; ", " > o; ", " >> o; ", " < f; ", " 2>&1 | ", " & "]
SYNTAX = [
    "if", "then", "fi", "else", "for", "x", "in", "do", "done", "while", "case", "esac", "a)", ";;", "{", "}", "(", ")", "$(", "`",
    "'", '"', "$x", "${x:-y}", "${x#*a}", "${#x}", "$((1+", "))", "|", "&&", ";", "&", "<", ">", "<<E", "E", "\n", "echo", "x=1",
    "f()", "!", "[", "]", "[[", "]]", "${", "\\", "$@", "$?", "2>&1", "eval", "set", "-e", "trap", "exit", "return", "break", "1",
    "shift", "read", "local", "export", "unset", "cd", "exec", "wait", "test", ".", "source", "getopts", "printf", "%s", "umask",
]  # fmt: skip
SETUP = [
    "docker pull busybox", "docker run -d --name web -v data:/data busybox sleep 1000", "docker create --name db busybox",
    "echo 'a b c' > f; mkdir d; echo x > d/g; ln -s f link; : > empty; head -c 300 /bin/ls > bin; seq 1 500 > long",
    "printf 'FROM busybox\\nCOPY f /\\nRUN echo hi' > Dockerfile",
]  # fmt: skip


def quoted(word: str) -> str:
    return "'" + word.replace("'", "'\\''") + "'"


def docker_line(draw: random.Random) -> str:
    command = draw.choice(sorted(places()))
    shown = places()[command][1]
    flags = flags_of(sections().get(f"docker {shown}") or sections().get(f"docker {command}") or "")
    words = ["docker", *command.split()]
    for flag in draw.sample(flags, min(len(flags), draw.choice([0, 0, 1, 1, 2, 4]))):
        value = draw.choice(VALUES)
        words += draw.choice(
            [
                [f"--{flag.name}={value}"],
                [f"--{flag.name}", value],
                [f"-{flag.short or 'q'}", value],
                [f"--{flag.name}"],
            ]
        )
    words += [draw.choice(VALUES) for _ in range(draw.choice([0, 1, 1, 2, 3]))]
    words += draw.choice(COMMANDS)
    return " ".join(map(quoted, words))


def utility(draw: random.Random) -> str:
    words = [draw.choice(NAMES)]
    for _ in range(draw.choice([0, 0, 1, 1, 2])):
        words.append("-" + "".join(draw.choice(OPTIONS) for _ in range(draw.choice([1, 1, 2]))))
    for _ in range(draw.choice([0, 1, 1, 2, 3])):
        words.append(draw.choice(draw.choice([FILES, OPERANDS])))
    return " ".join(map(quoted, words))


def utility_line(draw: random.Random) -> str:
    line = utility(draw)
    for _ in range(draw.choice([0, 0, 1, 2])):
        line += draw.choice(GLUE) + utility(draw)
    return draw.choice([line, line, "docker exec web " + line, "docker run --rm busybox sh -c " + quoted(line)])


def syntax_line(draw: random.Random) -> str:
    line = draw.choice([" ", ""]).join(draw.choice(SYNTAX) for _ in range(draw.randint(1, 12)))
    return draw.choice([line, f"bash -c {quoted(line)}", f"docker run --rm busybox sh -c {quoted(line)}"])


def prepared() -> Machine:
    machine = Machine()
    for line in SETUP:
        assert machine.run(line).returncode == 0, line
    return machine


@pytest.mark.parametrize("make", [docker_line, utility_line, syntax_line])
def test_no_command_line_raises(make: Callable[[random.Random], str]) -> None:
    draw = random.Random(f"{SEED} {make.__name__}")
    machine = prepared()
    start = machine.snapshot()
    failed: dict[str, str] = {}
    for _ in range(MACHINES):
        machine.restore(start)
        for line in (make(draw) for _ in range(LINES)):
            try:
                done = machine.run(line)
            except BaseException as error:  # whatever it is, it is a mistake
                place = error.__traceback__
                while place and place.tb_next:
                    place = place.tb_next
                where = f"{place.tb_frame.f_code.co_filename}:{place.tb_lineno}" if place else ""
                failed.setdefault(f"{type(error).__name__} {where}", f"{line!r}: {error}")
                machine = prepared()
                start = machine.snapshot()
                break
            if not 0 <= done.returncode <= 255 or "Traceback" in done.stderr:
                failed.setdefault(f"status {done.returncode}", line)
    assert not failed, "\n".join(f"{kind}\n    {line}" for kind, line in failed.items())
