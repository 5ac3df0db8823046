"""Random inputs to sort, cut, tr, sed, grep, test, expr and printf, by labkit and by the real utilities."""

from __future__ import annotations

import oracle
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_oracle import need

pytestmark = pytest.mark.long

SETTINGS = settings(
    max_examples=25,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
WORD = st.text(st.sampled_from("abcXYZ019 .:-_/"), max_size=8)
LINES = st.lists(WORD, max_size=8).map(lambda lines: "".join(f"{line}\n" for line in lines).encode())
both_flavours = pytest.mark.parametrize("flavour", ["busybox", "gnu"])


def same(flavour: str, argv: list[str], stdin: bytes = b"") -> None:
    need(flavour)
    with oracle.place() as root:
        files = oracle.new_files(root)
        ours, real = oracle.run_ours(flavour, argv, stdin, files), oracle.run_real(flavour, argv, stdin, root)
    assert oracle.shown(ours) == oracle.shown(real), argv


@both_flavours
@SETTINGS
@given(
    LINES,
    st.lists(
        st.sampled_from(["-n", "-r", "-u", "-f", "-b", "-s", "-k2", "-k1,1", "-k2n", "-t:", "-k1.2,1.3", "-d"]),
        max_size=3,
        unique=True,
    ),
)
def test_sort(flavour: str, lines: bytes, options: list[str]) -> None:
    same(flavour, ["sort", *options], lines)


LIST = st.lists(st.sampled_from(["1", "2", "3", "1-2", "2-", "-2", "3-5"]), min_size=1, max_size=3).map(",".join)


@both_flavours
@SETTINGS
@given(LINES, st.sampled_from(["-c", "-b", "-f"]), LIST, st.sampled_from([":", " ", "."]))
def test_cut(flavour: str, lines: bytes, kind: str, which: str, mark: str) -> None:
    if flavour == "busybox":
        which = which.partition(",")[0]  # it prints fields once for each range that has them
    same(flavour, ["cut", *(["-d", mark] if kind == "-f" else []), kind, which], lines)


SET = st.lists(
    st.sampled_from(["a", "b", "a-c", "X-Z", "0-9", "[:upper:]", "[:digit:]", "\\n", "."]), min_size=1, max_size=3
).map("".join)


@both_flavours
@SETTINGS
@given(LINES, st.sampled_from([[], ["-d"], ["-s"], ["-cd"]]), SET, SET)
def test_tr(flavour: str, lines: bytes, options: list[str], one: str, other: str) -> None:
    if not options and ("[:" in one or "[:" in other):  # classes in a translation have rules of their own
        other = "x"
    if not options and "[:" in one:
        one = "a-c"
    same(flavour, ["tr", *options, one, *([other] if not options else [])], lines)


ATOM = st.sampled_from(["a", "b", "c", ".", "[abc]", "[^a]", "[0-9]", "X", "\\.", "[[:upper:]]"])
PIECE = st.tuples(ATOM, st.sampled_from(["", "", "*", "\\{1,2\\}", "\\+", "\\?"])).map("".join)
BASIC = st.tuples(
    st.sampled_from(["", "^"]), st.lists(PIECE, min_size=1, max_size=3).map("".join), st.sampled_from(["", "$"])
).map("".join)


@both_flavours
@SETTINGS
@given(LINES, st.lists(st.sampled_from(["-v", "-c", "-n", "-i", "-o", "-x", "-w"]), max_size=2, unique=True), BASIC)
def test_grep(flavour: str, lines: bytes, options: list[str], pattern: str) -> None:
    if "-o" in options and ("-v" in options or "-w" in options):
        options = ["-o"]
    if flavour == "busybox" and "-w" in options:  # it looks at the longest match only
        options.remove("-w")
    same(flavour, ["grep", *options, "-e", pattern], lines)


@both_flavours
@SETTINGS
@given(LINES, BASIC, st.sampled_from(["X", "[&]", "", "a/b", "&&"]), st.sampled_from(["", "g", "2", "p", "gI"]))
def test_sed(flavour: str, lines: bytes, pattern: str, by: str, flags: str) -> None:
    if flavour == "busybox":
        flags = flags.replace("2", "")  # it counts empty matches in its own way
    same(flavour, ["sed", f"s,{pattern},{by},{flags}"], lines)


ADDRESS = st.sampled_from(["1", "2", "$", "/a/", "2,3", "1,/X/", "/b/,$", "2,1", "/a/,/a/"])


@both_flavours
@SETTINGS
@given(
    LINES,
    st.lists(
        st.tuples(
            ADDRESS,
            st.sampled_from(["", "!"]),
            st.sampled_from(["d", "p", "=", "s/a/Q/", "G", "x", "q", "N", "h", "D", "n"]),
        ).map("".join),
        min_size=1,
        max_size=2,
    ),
)
def test_sed_addresses(flavour: str, lines: bytes, commands: list[str]) -> None:
    if flavour == "busybox" and any(command.endswith(("D", "N", "n", "q")) for command in commands):
        commands = ["1d"]  # busybox has its own idea of what these do at the end of the input
    same(flavour, ["sed", "; ".join(commands)], lines)


OPERAND = st.sampled_from(["", "a", "b", "1", "2", "10", "=", "-n", "-z", "-eq", "-lt", "-f", "-d"])


@both_flavours
@SETTINGS
@given(st.lists(OPERAND, max_size=3))
def test_test(flavour: str, words: list[str]) -> None:
    need(flavour)
    with oracle.place() as root:
        files = oracle.new_files(root)
        ours = oracle.run_ours(flavour, ["test", *words], b"", files)
        real = oracle.run_real(flavour, ["test", *words], b"", root)
    assert ours.status == real.status, words


NUMBER = st.integers(-50, 50).map(str)
OPERATOR = st.sampled_from(["+", "-", "*", "/", "%", "<", "=", ">=", "|", "&"])
PAIR = st.tuples(NUMBER, OPERATOR, NUMBER).map(list)
FORMULA = st.tuples(PAIR, OPERATOR, PAIR).map(lambda parts: ["(", *parts[0], ")", parts[1], "(", *parts[2], ")"]) | PAIR


@both_flavours
@SETTINGS
@given(FORMULA)
def test_expr(flavour: str, words: list[str]) -> None:
    same(flavour, ["expr", *words])


@both_flavours
@SETTINGS
@given(
    st.sampled_from(["%s|", "%5s|", "%-5s|", "%d|", "%05d|", "%x|", "%+d|", "%.3s|", "%5.1f|", "%c|", "%b|", "%o|"]),
    st.lists(st.sampled_from(["0", "1", "42", "-7", "010", "0x1f", "3"]), max_size=3),
)
def test_printf(flavour: str, form: str, arguments: list[str]) -> None:
    same(flavour, ["printf", form, *arguments])
