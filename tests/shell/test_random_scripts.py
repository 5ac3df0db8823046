"""Random scripts on the real shells and on ours: same output, same status, same files.

LABKIT_EXAMPLES says how many; a failure prints the script, and the blob and seed that make it again.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from real import needs, run, run_real

pytestmark = pytest.mark.long

EXAMPLES = int(os.environ.get("LABKIT_EXAMPLES", "150"))
NAMES = st.sampled_from("abc")
TEXTS = st.sampled_from(["", "x", "y z", " p  q ", "*", "a:b", "k=v", "[ab]", "f1", "1", "7", "-n", "\\", "a/b.c"])
NUMBERS = st.integers(0, 9).map(str)
PATTERNS = st.sampled_from(["*", "?", "x*", "[a-f]", "*:*", "*b", "'*'", "\\*", "[!x]*", "y z", '"$b"', "$a"])
FILES = st.sampled_from(["f1", "f2", "g"])


def quoted(text: str) -> str:
    return "'" + text + "'"


OPERATIONS = st.sampled_from([":-", "-", ":+", "+", "#", "##", "%", "%%", ":=", "="])


@st.composite
def parameters(draw: st.DrawFn) -> str:
    name = draw(NAMES)
    kind = draw(st.integers(0, 5))
    if kind < 3:
        return f"${name}" if kind else f"${{{name}}}"
    if kind == 3:
        return f"${{#{name}}}"
    operator = draw(OPERATIONS)
    word = draw(PATTERNS if operator[0] in "#%" else st.sampled_from(["d", "'d e'", '"$c"', "d  e", "$b", "", "*"]))
    return f"${{{name}{operator}{word}}}"


@st.composite
def calculations(draw: st.DrawFn, depth: int = 2) -> str:
    if depth == 0 or draw(st.booleans()):
        return draw(st.one_of(NUMBERS, st.sampled_from(["n", "$n", "(n)"])))
    operator = draw(st.sampled_from(["+", "-", "*", "<", ">", "==", "!=", "&", "|", "^", "&&", "||", "<<", "<=", ">="]))
    left, right = draw(calculations(depth - 1)), draw(calculations(depth - 1))
    return draw(st.sampled_from([f"{left} {operator} {right}", f"({left}{operator}{right})"]))


SPECIALS = st.sampled_from(['"$@"', "$@", "$*", '"$*"', "$#", "$1", '"$2"', "$?", "${1-u}", '"${2:-w}"', '"x$@y"'])


@st.composite
def words(draw: st.DrawFn, depth: int = 1) -> str:
    pieces = []
    for _ in range(draw(st.integers(1, 3))):
        kind = draw(st.integers(0, 7))
        if kind == 0:
            pieces.append(draw(st.sampled_from(["w", "u.v", "7", "f*", "\\ ", "~x", "[fg]1", "x=y"])))
        elif kind == 1:
            pieces.append(quoted(draw(TEXTS)))
        elif kind == 2:
            pieces.append(draw(parameters()))
        elif kind == 3:
            pieces.append('"' + draw(parameters()) + draw(st.sampled_from(["", " t", "*", "\\$"])) + '"')
        elif kind == 4:
            pieces.append(f"$(({draw(calculations())}))")
        elif kind == 5 and depth:
            inner = draw(simple_commands(depth - 1))
            pieces.append(draw(st.sampled_from([f"$( {inner})", f'"$( {inner})"'])))
        else:
            pieces.append(draw(SPECIALS))
    return "".join(pieces)


@st.composite
def simple_commands(draw: st.DrawFn, depth: int = 1) -> str:
    kind = draw(st.integers(0, 13))
    word = draw(words(depth))
    if kind < 3:
        return f"printf '<%s>' {word} {draw(words(depth))}; echo"
    made = {
        3: f"{draw(NAMES)}={word}",
        4: f"set -- {word} {draw(words(depth))}",
        5: f"[ {quoted(draw(TEXTS))} = {quoted(draw(TEXTS))} ]",
        6: draw(st.sampled_from(["true", "false", ":", "(exit 3)", "f", "f x", "g", "! true", "shift 2>/dev/null"])),
        7: f"echo t{draw(NUMBERS)} {draw(st.sampled_from(['>', '>>']))} {draw(FILES)}",
        8: f"cat {draw(FILES)} 2>/dev/null",
        9: f"n=$(({draw(calculations())}))",
        10: f"read {draw(NAMES)} {draw(NAMES)} <<E\n{draw(st.sampled_from(['1 2', ' a  b c ', '$a', 'p:q r']))}\nE\n",
        11: f"IFS={quoted(draw(st.sampled_from([' ', ':', '', ' :', 'x'])))}",
        12: f"unset {draw(NAMES)}",
        13: f'{draw(NAMES)}={word} eval \'printf "<%s>" "$a" "$b"\'',
    }
    return made[kind]


@st.composite
def commands(draw: st.DrawFn, depth: int = 2) -> str:
    if depth == 0 or draw(st.integers(0, 2)) == 0:
        return draw(simple_commands())
    one, two = draw(commands(depth - 1)), draw(commands(depth - 1))
    word, pattern = draw(words()), draw(PATTERNS)
    forms = [
        f"if {one}\nthen {two}\nfi",
        f"if {one}\nthen {two}\nelse echo else\nfi",
        f"for c in {word} z; do {one}\ndone",
        f"case {word} in {pattern}) {one}\n;; *) {two}\n;; esac",
        f"({one}\n{two})",
        f"{{ {one}\n{two}\n}}",
        f"{{ {one}\n}} | {{ {two}\ncat; }}",
        f"{{ {one}\n}} && {{ {two}\n}}",
        f"{{ {one}\n}} || {{ {two}\n}}",
        f"! {{ {one}\n}}",
        f"i=0; while [ $i -lt 2 ]; do i=$((i+1)); {one}\n{draw(st.sampled_from(['', 'continue', 'break']))}\ndone",
        f"{{ {one}\n}} > out",
        f"x=$( {one}\n); printf '{{%s}}' \"$x\"",
        f"{one}\n{two}",
        f"g() {{ {one}\n}}",
    ]
    return draw(st.sampled_from(forms))


SETTINGS = settings(
    max_examples=EXAMPLES,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
START = "f() { echo \"f:$1:$#\"; return ${1:+2}; }; g() { :; }; a='p q'; b='x*'; n=3\n"


@pytest.mark.parametrize("shell", ["ash", "dash"])
@SETTINGS
@given(
    parts=st.lists(commands(), min_size=1, max_size=5),
    options=st.sampled_from(["", "set -e\n", "set -f\n", "set -u\n"]),
)
def test_random_script(shell: str, parts: list[str], options: str) -> None:
    needs(shell)
    script = options + START + "\n".join(parts) + "\necho end $?"
    real, ours = run_real(script, shell), run(script, shell)
    assert (ours.stdout, ours.status, ours.files) == (real.stdout, real.status, real.files), script
