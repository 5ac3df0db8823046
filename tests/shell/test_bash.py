"""What bash and busybox's ash know beyond POSIX, as far as scripts in images use it."""

from __future__ import annotations

import pytest
from real import run

BOTH = [
    ("x=abcdef; echo ${x:1:2} ${x: -2} ${x:2}", "bc ef cdef\n"),
    ("x=abcdef; echo ${x/b/Z} ${x//[bc]/-} ${x/#a/S} ${x/%f/E}", "aZcdef a--def Sbcdef abcdeE\n"),
    ("echo $'a\\tb\\x41\\101'", "a\tbAA\n"),
    ("function f { echo q; }; f", "q\n"),
    ("{ echo out; echo err >&2; } &> f; cat f", "out\nerr\n"),
    ("{ echo out; echo err >&2; } >& f; cat f", "out\nerr\n"),
    ("i=1; echo $((i++)) $((++i)) $((2**3)) $((i,5))", "1 3 8 5\n"),
    ("a=3; b=a; echo $((b+1))", "4\n"),
    ("[[ abc == a* && ! x = y ]] && echo yes", "yes\n"),
    ("set -o pipefail; false | true; echo $?", "1\n"),
    ("let x=3+4; echo $x", "7\n"),
    ("echo -e 'a\\tb'; echo -n x; echo -ne '\\ty\\n'", "a\tb\nx\ty\n"),
    ("source /dev/null; echo $?", "0\n"),
    ("read -n 2 x <<E\nabc\nE\necho $x", "ab\n"),
    ("read <<E\nabc\nE\necho $REPLY", "abc\n"),
]  # fmt: skip
ONLY_BASH = [
    ("x='a b'; [[ -n $x && $x == 'a b' ]] && echo yes", "yes\n"),
    ("case a in a) echo 1;& b) echo 2;; c) echo 3;; esac", "1\n2\n"),
    ("echo a{1,2}b {1..3} {c..a} x{,y}", "a1b a2b 1 2 3 c b a x xy\n"),
    ("echo {a,b{c,d}}{,e} {} {a} a{b 01{8..10} {01..3}", "a ae bc bce bd bde {} {a} a{b 018 019 0110 01 02 03\n"),
    ('x=a; echo "{1,2}" {$x,b}', "{1,2} a b\n"),
    ("cat <<< 'a b'", "a b\n"),
    ("x=5; (( x++ )); echo $x; (( x > 5 )) && echo more", "6\nmore\n"),
    ("[[ a1b =~ [0-9] ]] && echo digit", "digit\n"),
    ("x=a; x+=b; echo $x", "ab\n"),
]


@pytest.mark.parametrize(("script", "expected"), BOTH)
@pytest.mark.parametrize("shell", ["ash", "bash"])
def test_extension(script: str, expected: str, shell: str) -> None:
    assert run(script, shell).stdout.decode() == expected


@pytest.mark.parametrize(("script", "expected"), ONLY_BASH)
def test_bash(script: str, expected: str) -> None:
    assert run(script, "bash").stdout.decode() == expected
