"""Commands that would not end: endless loops, endless output, endless recursion."""

from __future__ import annotations

import pytest
from real import run

from labkit.kernel.limits import Runaway
from labkit.machine import Machine

pytestmark = pytest.mark.long

RUNAWAYS = {
    "while :; do :; done": "the command does not end",
    "for i in 1; do while true; do i=$i; done; done": "the command does not end",
    "yes > /dev/null": "the command does not end",
    "f() { f; echo; }; f": "the command calls itself too often",
    "f() { echo $(f); }; f": "the command calls itself too often",
    'eval "$x"; x=\'eval "$x"; :\'; eval "$x"': "the command calls itself too often",
    "echo '. ./s; :' > s; . ./s": "the command calls itself too often",
    "echo 'sh s; :' > s; sh s": "the command calls itself too often",
    "yes | cat > /dev/null": "the output is longer than 16 MiB",
    "while :; do echo y; done | cat": "the command does not end",
}


@pytest.mark.parametrize(("script", "message"), RUNAWAYS.items(), ids=RUNAWAYS)
def test_runaway(script: str, message: str) -> None:
    with pytest.raises(Runaway) as ended:
        run(script)
    assert str(ended.value) == message


ENDS = {
    "yes | head": (0, b"y\n"),
    "while :; do echo y; done | head; echo $?": (0, b"y\n0\n"),
    "while :; do echo y; done | while :; do echo z; done | head": (0, b"z\n"),
    "set -o pipefail; yes | head; echo $?": (0, b"y\n141\n"),
    "{ yes; echo $? >&2; } | head": (0, b"y\n"),
    "(trap 'echo never' EXIT; while :; do echo y; done) | head": (0, b"y\n"),
    "x=$(yes | head); echo $x": (0, b"y\n"),
    "f() { [ $1 = 0 ] || f $(($1 - 1)); }; f 1000; echo end": (0, b"end\n"),
    "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; echo $i": (0, b"20000\n"),
}


@pytest.mark.parametrize(("script", "expected"), ENDS.items(), ids=ENDS)
def test_what_a_reader_does_not_want_is_not_written(script: str, expected: tuple[int, bytes]) -> None:
    ended = run(script)
    assert (ended.status, ended.stdout) == expected


MACHINE = {
    "while true; do echo y; done | head -1": "y\n",
    "yes | head -2": "y\ny\n",
    "yes | sed 1q": "y\n",
    "yes no | grep -m1 n": "no\n",
    "yes | cat | head -1": "y\n",
}


@pytest.mark.parametrize(("script", "expected"), MACHINE.items(), ids=MACHINE)
def test_machine_pipes(script: str, expected: str) -> None:
    done = Machine().run(script)
    assert (done.stdout, done.returncode) == (expected, 0)
