"""What the kernel makes of a file that is executed, and what each shell says where it cannot be."""

from __future__ import annotations

import errno

import pytest
from real import FOLDER, left, machine, process, run

from labkit.files import User
from labkit.kernel.process import ExecError, Input, Output, Process, program_file
from labkit.shell import execute

FILES = {  # name: content, mode
    "script": (b"#!/bin/sh\necho $0 $1 $#\nexit 3\n", 0o755),
    "option": (b"#!/bin/sh -e\nfalse\necho not reached\n", 0o755),
    "with-env": (b"#!/bin/args\n", 0o755),
    "two-options": (b"#!/bin/args -a  b c \n", 0o755),
    "plain": (b"echo plain $0 $1\n", 0o755),
    "not-executable": (b"echo no\n", 0o644),
    "no-interpreter": (b"#!/nope/sh\necho no\n", 0o755),
    "of-script": (b"#!/work/script\n", 0o755),
    "empty": (b"", 0o755),
}


def args(process: Process) -> int:
    process.stdout.write(" ".join(process.argv) + "\n")
    return 0


def started(argv: list[str], user: User | None = None) -> tuple[int, bytes]:
    kernel, files = machine("ash", {"args": args})
    for name, (content, mode) in FILES.items():
        files.write(f"{FOLDER}/{name}", content)
        files.chmod(f"{FOLDER}/{name}", mode)
    output = Output()
    view = files.as_user(user) if user else files
    status = execute(Process(argv, {"PATH": "/bin"}, view, Input(b""), output, output, kernel))
    return status, output.getvalue()


STARTS = [
    (["args", "x"], (0, b"args x\n")),
    (["/bin/args"], (0, b"/bin/args\n")),
    (["./script", "a"], (3, b"./script a 1\n")),
    (["/work/script"], (3, b"/work/script 0\n")),
    (["./option"], (1, b"")),
    (["./with-env", "x", "y"], (0, b"/bin/args ./with-env x y\n")),
    (["./two-options"], (0, b"/bin/args -a  b c ./two-options\n")),
    (["./plain", "x"], (0, b"plain ./plain x\n")),
    (["./of-script"], (3, b"/work/script ./of-script 1\n")),
    (["./empty"], (0, b"")),
]


@pytest.mark.parametrize(("argv", "expected"), STARTS, ids=[" ".join(argv) for argv, _ in STARTS])
def test_starts(argv: list[str], expected: tuple[int, bytes]) -> None:
    assert started(argv) == expected


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("nosuch", errno.ENOENT),
        ("./nosuch", errno.ENOENT),
        ("./not-executable", errno.EACCES),
        ("/work", errno.EISDIR),
        ("./no-interpreter", errno.ENOENT),
        ("./script/x", errno.ENOTDIR),
    ],
)
def test_does_not_start(name: str, code: int) -> None:
    with pytest.raises(ExecError) as refused:
        started([name])
    assert refused.value.errno == code


def test_a_copied_program_is_the_program() -> None:
    kernel, files = machine("ash", {"args": args})
    files.write("/work/copy", files.content("/bin/args"))
    files.chmod("/work/copy", 0o755)
    output = Output()
    assert execute(Process(["./copy", "x"], {}, files, Input(b""), output, output, kernel)) == 0
    assert output.getvalue() == b"./copy x\n"


def test_a_program_that_nobody_knows() -> None:
    kernel, files = machine()
    files.write("/work/odd", program_file("odd", 100))
    files.chmod("/work/odd", 0o755)
    said = Output()
    assert execute(Process(["./odd"], {}, files, Input(b""), Output(), said, kernel)) == 127
    assert said.getvalue() == b"odd: this program is not simulated\n"


SAID = {  # script: what ash, dash and bash say, and the status
    "nosuch": (
        ("sh: nosuch: not found\n", "dash: 1: nosuch: not found\n", "bash: line 1: nosuch: command not found\n"),
        (127, 127, 127),
    ),
    "./nosuch": (
        (
            "sh: ./nosuch: not found\n",
            "dash: 1: ./nosuch: not found\n",
            "bash: line 1: ./nosuch: No such file or directory\n",
        ),
        (127, 127, 127),
    ),
    "echo x > f; ./f": (
        ("sh: ./f: Permission denied\n", "dash: 1: ./f: Permission denied\n", "bash: line 1: ./f: Permission denied\n"),
        (126, 126, 126),
    ),
    "/work": (
        (
            "sh: /work: Permission denied\n",
            "dash: 1: /work: Permission denied\n",
            "bash: line 1: /work: Is a directory\n",
        ),
        (126, 126, 126),
    ),
    "echo x > /nope/y": (
        (
            "sh: can't create /nope/y: nonexistent directory\n",
            "dash: 1: cannot create /nope/y: Directory nonexistent\n",
            "bash: line 1: /nope/y: No such file or directory\n",
        ),
        (1, 2, 1),
    ),
    "fi": (
        (
            'sh: syntax error: unexpected "fi"\n',
            'dash: 1: Syntax error: "fi" unexpected\n',
            "bash: -c: line 1: syntax error near unexpected token `fi'\nbash: -c: line 1: `fi'\n",
        ),
        (2, 2, 2),
    ),
    "if true; then echo": (
        (
            'sh: syntax error: unexpected end of file (expecting "fi")\n',
            'dash: 1: Syntax error: end of file unexpected (expecting "fi")\n',
            "bash: -c: line 2: syntax error: unexpected end of file\n",
        ),
        (2, 2, 2),
    ),
    'echo "a': (
        (
            "sh: syntax error: unterminated quoted string\n",
            "dash: 1: Syntax error: Unterminated quoted string\n",
            "bash: -c: line 1: unexpected EOF while looking for matching `\"'\n",
        ),
        (2, 2, 2),
    ),
    "cd /nope": (
        (
            "sh: cd: line 0: can't cd to /nope: No such file or directory\n",
            "dash: 1: cd: can't cd to /nope\n",
            "bash: line 1: cd: /nope: No such file or directory\n",
        ),
        (2, 2, 1),
    ),
    "set -u; echo $nope": (
        (
            "sh: nope: parameter not set\n",
            "dash: 1: nope: parameter not set\n",
            "bash: line 1: nope: unbound variable\n",
        ),
        (2, 2, 127),
    ),
}


@pytest.mark.parametrize("script", SAID)
def test_what_the_shells_say(script: str) -> None:
    said, statuses = SAID[script]
    ended = [run(script, shell) for shell in ("ash", "dash", "bash")]
    assert tuple(one.stderr.decode() for one in ended) == said
    assert tuple(one.status for one in ended) == statuses


def test_the_name_it_was_called_by_is_in_front() -> None:
    made = process("nosuch")
    made.argv[0] = "/bin/sh"
    assert execute(made) == 127
    assert made.stderr.getvalue() == b"/bin/sh: nosuch: not found\n"


def test_a_read_only_folder() -> None:
    made = process("echo x > /bin/f; echo $?")
    made.files = made.files.as_user(User(1000, 1000))
    execute(made)
    assert made.stderr.getvalue() == b"sh: can't create /bin/f: Permission denied\n"
    assert left(made.files) == {}


INPUTS = [
    (["sh"], b"echo a\nx=1\necho $x\n", b"a\n1\n"),
    (["sh", "-s", "a", "b"], b"echo $# $2\n", b"2 b\n"),
    (["sh", "-e"], b"echo a\nfalse\necho b\n", b"a\n"),
    (["sh", "-ec", "false; echo b"], b"", b""),
    (["sh", "-c", "echo $0 $1", "n", "p"], b"", b"n p\n"),
    (["sh", "-o", "errexit", "-c", "false; echo b"], b"", b""),
    (["bash"], b"echo a\nread x\nthis is data\necho $x\n", b"a\nthis is data\n"),
    (["bash", "-lc", "echo a"], b"", b"a\n"),
]


@pytest.mark.parametrize(("argv", "text", "expected"), INPUTS, ids=[" ".join(argv) for argv, *_ in INPUTS])
def test_where_commands_come_from(argv: list[str], text: bytes, expected: bytes) -> None:
    made = process("", stdin=text)
    made.argv = argv
    execute(made)
    assert (made.stdout.getvalue(), made.stderr.getvalue()) == (expected, b"")
