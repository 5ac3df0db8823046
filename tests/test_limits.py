"""Commands that would take for ever, or all memory: each ends soon, with one clear line and never a traceback.

Soon is counted in steps (Machine.spent), so that a slow computer changes nothing.
"""

from __future__ import annotations

import tracemalloc

import pytest

from labkit.machine import Machine

pytestmark = pytest.mark.long

ENDLESS = "the command does not end"
MOST_STEPS = 150_000  # of what ends by itself, or is stopped for its size
MOST_MEMORY = 160 << 20  # bytes
_A = "a" * 40 + "b"

# what is typed: what standard error ends with
STOPPED: dict[str, str] = {
    # variables and words
    "x=y; while true; do x=$x$x; done": "a command's words are longer than 16 MiB",
    'set -- a; while true; do set -- "$@" "$@"; done': "a command's words are longer than 16 MiB",
    "bash -c 'echo {1..1000000000}'": "a command's words are longer than 16 MiB",
    "bash -c 'echo {1..99}{1..99}{1..99}{1..99}'": "a command's words are longer than 16 MiB",
    'x=x; while true; do eval "x=\\"\\$x \\$x\\""; done': "a command's words are longer than 16 MiB",
    "x=$(cat /dev/zero)": "the output is longer than 16 MiB",
    "x=$(yes)": "the output is longer than 16 MiB",
    "truncate -s 1T x; read line < x": "a line is longer than 16 MiB",
    "printf %1000000000d 1": "printf holds more than 16 MiB",
    "awk 'BEGIN { x = \"y\"; while (1) x = x x }'": "mawk holds more than 16 MiB",
    "echo x | sed ':a;H;G;h;ba'": ENDLESS,
    "echo x | sed ':a;s/x/xx/g;ta'": ENDLESS,
    # loops and recursion
    "while true; do :; done": ENDLESS,
    "while true; do echo x >> /tmp/x; done": ENDLESS,
    "while true; do sleep 1 & done": ENDLESS,
    "f(){ f; }; f": "the command calls itself too often",
    "echo x | sed ':a;s/x/x/;ta'": ENDLESS,
    "awk 'BEGIN { while (1); }'": ENDLESS,
    "seq 1 100000000": ENDLESS,
    "echo /*/*/../*/../*/../*/../*/../*/../*": ENDLESS,
    "mkdir /tmp/d; cd /tmp/d; while true; do mkdir d; cd d; done": ENDLESS,
    # endless and huge files
    "cat /dev/zero": "the output is longer than 8 MiB",
    "yes": "the output is longer than 8 MiB",
    "cat /dev/zero | tr a b | wc -c": "the output is longer than 16 MiB",
    "dd if=/dev/zero bs=1M | gzip | wc -c": ENDLESS,
    "head -c 5G /dev/zero | sha256sum": ENDLESS,
    "truncate -s 1T x; wc -l x": ENDLESS,
    # regular expressions
    # docker
    "while true; do docker run -d busybox sleep 1000; done": ENDLESS,
    "i=0; while [ $i -lt 10000 ]; do docker run --rm busybox true; i=$((i+1)); done": ENDLESS,
    "while true; do docker volume create; done": ENDLESS,
    "docker run busybox yes": "the container prints too much",
    "docker run busybox cat /dev/zero": "the output is longer than 8 MiB",
    "docker run busybox sh -c 'x=y; while true; do x=$x$x; done'": "a command's words are longer than 16 MiB",
    "printf 'FROM busybox\\nRUN while true; do :; done' | docker build -": ENDLESS,
    "printf 'FROM busybox\\nRUN yes' | docker build -": "the output is longer than 8 MiB",
    "truncate -s 1T Dockerfile; docker build .": "so many bytes do not fit into memory",
}

# what is typed: status and standard output; these end by themselves
ENDS: dict[str, tuple[int, str]] = {
    "yes | head -2": (0, "y\ny\n"),
    "while true; do echo x; done | head -2": (0, "x\nx\n"),
    "cat /dev/zero | head -c 3 | wc -c": (0, "3\n"),
    "bash -c ':(){ :|:& };:'": (0, ""),
    "head -c 5G /dev/zero | wc -c": (0, "5368709120\n"),
    "dd if=/dev/zero of=/big bs=1M 2>&1 | head -1": (0, "dd: error writing '/big': No space left on device\n"),
    f"echo {_A} | grep -cE '^(a+)+$'": (1, "0\n"),
    f"echo {_A} | grep -cE '(a|a)*(a|a)*c'": (1, "0\n"),
    f"echo {_A} | sed -E 's/^(a+)+$/x/'": (0, f"{_A}\n"),
    f"expr {_A} : '\\(a*\\)*$'": (1, "\n"),
    f"case {_A} in {'*a' * 20}c) echo y;; *) echo n;; esac": (0, "n\n"),
    f"echo {'a' * 3000} | grep -c 'a*a*a*a*c'": (1, "0\n"),
    "i=0; while [ $i -lt 10000 ]; do i=$((i+1)); done; echo $i": (0, "10000\n"),
    "truncate -s 1T x; cp x y; ls -s y": (0, "0 y\n"),
    "truncate -s 1T x; . ./x": (2, ""),
    "docker run -v /:/host busybox rm -rf /host 2>/dev/null": (1, ""),
    "docker run -d busybox sleep 5 >/dev/null; rm -rf /var/lib/docker/* 2>/dev/null; sleep 10; docker ps | wc -l": (0, "1\n"),
    "docker run -d busybox sh -c 'while true; do :; done' >/dev/null; sleep 100000; docker ps -q | wc -l": (0, "1\n"),
    "docker run -d busybox sh -c 'while true; do echo x; sleep 1; done' >/dev/null; sleep 100000; docker ps -q | wc -l": (0, "1\n"),
    "docker run -d --restart always busybox false >/dev/null; sleep 100000; docker ps -q | wc -l": (0, "1\n"),
    "(i=0; while [ $i -lt 100 ]; do echo FROM busybox AS s$i; i=$((i+1)); done) | docker build -q - | cut -c -7": (0, "sha256:\n"),
}  # fmt: skip


@pytest.fixture
def machine() -> Machine:
    machine = Machine()
    machine.run("docker pull busybox")
    return machine


@pytest.mark.parametrize(("line", "reason"), STOPPED.items(), ids=range(len(STOPPED)))
def test_what_does_not_end_is_stopped(machine: Machine, line: str, reason: str) -> None:
    before = machine.spent
    done = machine.run(line)
    assert done.returncode == 137, done
    assert done.stderr.endswith(f"labkit: stopped: {reason}\n"), done.stderr[-300:]
    assert reason == ENDLESS or machine.spent - before <= MOST_STEPS
    assert machine.run("echo still here; docker ps >/dev/null").stdout == "still here\n"


@pytest.mark.parametrize(("line", "ended"), ENDS.items(), ids=range(len(ENDS)))
def test_what_ends_is_let(machine: Machine, line: str, ended: tuple[int, str]) -> None:
    before = machine.spent
    done = machine.run(line)
    assert (done.returncode, done.stdout) == ended, done.stderr[-300:]
    assert machine.spent - before <= MOST_STEPS


HUNGRY = ["x=y; while true; do x=$x$x; done", "yes", "x=$(yes)", "seq 1 100000000", "docker run busybox yes"]


@pytest.mark.parametrize("line", HUNGRY)
def test_memory_is_bounded(machine: Machine, line: str) -> None:
    tracemalloc.start()
    machine.run(line)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < MOST_MEMORY, f"{peak >> 20} MiB"
