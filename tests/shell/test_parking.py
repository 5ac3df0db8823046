"""A detached process that has to wait parks, and goes on from what it was: once, or again after a restore."""

from __future__ import annotations

from dataclasses import replace

import pytest
from alone import SERVICES
from real import finish, process, run_detached

from labkit.kernel.process import Output, Parked, Process
from labkit.shell import execute

WAITS = {
    "loop": ("i=0; while [ $i -lt 3 ]; do date; sleep 1; i=$((i+1)); done; echo $i", "0\n1\n2\n3\n"),
    "first substitution": ("echo $(sleep 2; date) $(date)", "2 2\n"),
    "second substitution": ("echo $(date) $(sleep 2; date) $(date)", "0 2 2\n"),
    "nested substitution": ("x=$(echo $(sleep 1; date) $(sleep 1; date)); echo $x", "1 2\n"),
    "side effects before it": ("i=1; echo $((i=i+1)) $(sleep 1; date) $((i=i+1)); echo $i", "2 1 3\n3\n"),
    "default value": ('unset x; echo "${x:=a}" "${x:=b}" "$(sleep 1; echo c)" $x', "a a c a\n"),
    "pipeline, first stage": ("{ echo a; sleep 1; date; } | cat", "a\n1\n"),
    "pipeline, last stage": ("echo a | { read x; sleep 1; echo $x; date; }", "a\n1\n"),
    "subshell": ("x=1; (x=2; sleep 1; echo $x); echo $x", "2\n1\n"),
    "function": ("f() { local x=in; sleep 1; echo $x $1; }; x=out; f arg; echo $x", "in arg\nout\n"),
    "for": ("for i in 1 $(sleep 1; echo 2); do sleep 1; date; done", "2\n3\n"),
    "case": ("case $(sleep 1; date) in 1) echo one;; *) echo other;; esac", "one\n"),
    "redirection": ("{ date; sleep 1; date; } > f; cat f", "0\n1\n"),
    "here-document": ("cat <<E\n$(sleep 1; date)\nE\n", "1\n"),
    "and, or, not": ("sleep 1 && date; ! sleep 1 || date", "1\n2\n"),
    "trap": ("trap 'sleep 1; date' EXIT; sleep 1; date; exit 3", "1\n2\n"),
    "nested shell": ("sh -c 'sleep 1; date; exit 4'; echo $?", "1\n4\n"),
    "eval": ("eval 'sleep 1; x=$(date)'; echo $x", "1\n"),
    "exec": ("exec sleep 1", ""),
    "job before its shell": ("{ sleep 1; date; } & sleep 5; date", "1\n5\n"),
    "job after its shell": ("{ sleep 5; date; } & sleep 1; date; wait; echo end", "1\n5\nend\n"),
    "job in a loop": ("while :; do sleep 2; date; done & sleep 5; date", "2\n4\n5\n"),
    "status of a job": ("{ sleep 2; exit 7; } & wait $!; echo $?; date", "7\n2\n"),
    "killed job": ("sleep 100 & kill $!; wait $!; echo $?; date", "143\n0\n"),
}


@pytest.mark.parametrize(("script", "expected"), WAITS.values(), ids=WAITS)
@pytest.mark.parametrize("shell", ["ash", "dash", "bash"])
def test_parks_and_goes_on(script: str, expected: str, shell: str) -> None:
    made = process(script, shell, detached=True)
    run_detached(made)
    assert made.stderr.getvalue() in (b"", b"Terminated\n" if "kill" in script else b"")
    assert made.stdout.getvalue().decode() == expected


@pytest.mark.parametrize(("script", "expected"), WAITS.values(), ids=WAITS)
def test_in_the_foreground_the_clock_moves(script: str, expected: str) -> None:
    made = process(script)
    execute(made)
    assert made.stdout.getvalue().decode() == expected


@pytest.mark.parametrize(("script", "expected"), WAITS.values(), ids=WAITS)
def test_every_wait_can_be_resumed_twice(script: str, expected: str) -> None:
    """What a restored machine does: go on again from the same wait, with the same result."""
    made = process(script, detached=True)
    waits: list[tuple[Parked, int]] = []
    try:
        execute(made)
    except Parked as parked:
        waits.append((parked, len(made.stdout.getvalue())))
    while waits:
        parked, length = waits.pop()
        for _ in range(2):
            made.stdout.pieces[:] = [expected.encode()[:length]]
            finish(made, parked)
            assert made.stdout.getvalue().decode() == expected
        made.stdout.pieces[:] = [expected.encode()[:length]]
        made.kernel.clock.now = parked.until or 0
        try:
            parked.resume(made)
        except Parked as again:
            waits.append((again, len(made.stdout.getvalue())))


def test_streams_of_the_resuming_process_are_used() -> None:
    made = process("sleep 1; echo later", detached=True)
    with pytest.raises(Parked) as waiting:
        execute(made)
    output = Output()
    other = Process(made.argv, made.env, made.files, made.stdin, output, output, made.kernel, detached=True)
    made.kernel.clock.now = 10**9
    waiting.value.resume(other)
    assert (output.getvalue(), made.stdout.getvalue()) == (b"later\n", b"")


def test_a_program_around_it_need_not_know_of_waits() -> None:
    """The wait is for the process that waits, whoever resumes it."""

    def around(process: Process) -> int:
        return process.spawn(["sh", "-c", 'sleep 1; echo "$0 $X"', "inner"], env={**process.env, "X": "1"})

    made = process("around", detached=True, programs={"around": around})
    assert run_detached(made) == 0
    assert made.stdout.getvalue() == b"inner 1\n"


def test_waiting_for_ever() -> None:
    def server(process: Process) -> int:
        return process.wait_forever()

    made = process("echo up; server; echo down", detached=True, programs={"server": server})
    with pytest.raises(Parked) as waiting:
        execute(made)
    assert waiting.value.until is None
    assert made.stdout.getvalue() == b"up\n"


def test_jobs_that_outlive_the_shell_are_handed_over() -> None:
    made = process("{ sleep 5; date; } & echo end")
    adopted = []
    made.kernel.services = replace(SERVICES, adopt=lambda child, parked: adopted.append((child, parked)))
    assert execute(made) == 0
    ((child, parked),) = adopted
    finish(child, parked)
    assert made.stdout.getvalue() == b"end\n5\n"


def test_a_trap_is_known_to_the_process() -> None:
    made = process("trap 'echo bye; exit' TERM; sleep 100", detached=True)
    with pytest.raises(Parked):
        execute(made)
    assert made.traps == {"TERM": "echo bye; exit"}
