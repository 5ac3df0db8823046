"""Variables, quotes and escapes."""

from __future__ import annotations

import pytest

from labkit.engine.dockerfile.expand import ExpandError, Lexer
from labkit.kernel.golang import quote

ENV = {"x": "val", "p": "/a/b/c", "empty": ""}
RULES = "moby/buildkit frontend/dockerfile/shell/lex.go"

EXPANDED = [
    ("plain", "plain", ["plain"]),
    ("$x", "val", ["val"]),
    ("${x}y", "valy", ["valy"]),
    ("$nosuch", "", []),
    ("$1a", "a", ["a"]),
    ("${nosuch:-d$x}", "dval", ["dval"]),
    ("${empty:-d}", "d", ["d"]),
    ("${empty-d}", "", []),
    ("${x:+z}", "z", ["z"]),
    ("${empty:+z}", "", []),
    ("${empty+z}", "z", ["z"]),
    ("${x:?no}", "val", ["val"]),
    ('"a b $x"', "a b val", ["a b val"]),
    ("'a $x'", "a $x", ["a $x"]),
    ("a\\ b $x", "a b val", ["a b", "val"]),
    ("\\$x", "$x", ["$x"]),
    ('"\\n"', "\\n", ["\\n"]),
    ("${x#v*}", "al", ["al"]),
    ("${p##*/}", "c", ["c"]),
    ("${p%/*}", "/a/b", ["/a/b"]),
    ("${p%%/*}", "", []),
    ("${p//\\//-}", "-a-b-c", ["-a-b-c"]),
    ("${p/b/X}", "/a/X/c", ["/a/X/c"]),
]


@pytest.mark.parametrize(("text", "whole", "words"), EXPANDED)
def test_expands(text: str, whole: str, words: list[str]) -> None:
    found = Lexer().expand(text, ENV)
    assert (found.text, found.words) == (whole, words)


WRONG = [  # text, message, source of the message
    ("${", "syntax error: missing '}'", RULES),
    ("${x", "unsupported modifier (\ufffd) in substitution", RULES),
    ("${x:-y", "syntax error: missing '}'", RULES),
    ("${}", "syntax error: bad substitution", RULES),
    ("${:x}", "syntax error: bad substitution", RULES),
    ("${nosuch?}", "nosuch: is not allowed to be unset", RULES),
    ("${empty:?}", "empty: is not allowed to be empty", RULES),
    ("${nosuch:?give it}", "nosuch: give it", RULES),
    ("${x@y}", "unsupported modifier (@) in substitution", RULES),
    ("${x:=y}", "unsupported modifier (:=) in substitution", RULES),
    ('"a', "unexpected end of statement while looking for matching double-quote", RULES),
    ("'a", "unexpected end of statement while looking for matching single-quote", RULES),
    ("${x#\\q}", "invalid pattern (\\q) in substitution: invalid escape '\\q'", RULES),
    ("${x/y}", "syntax error: missing '/' in ${}", RULES),
]


@pytest.mark.parametrize(("text", "message", "source"), WRONG)
def test_refuses(text: str, message: str, source: str) -> None:
    with pytest.raises(ExpandError) as refused:
        Lexer().expand(text, ENV)
    assert str(refused.value) == f"failed to process {quote(text)}: {message}"


def test_a_step_is_named_with_its_quotes_and_unknown_variables() -> None:
    lexer = Lexer(keep_quotes=True, keep_unset=True)
    assert lexer.expand("RUN echo \"<$x>\" '$x' ${nosuch:-1} $n", ENV).text == "RUN echo \"<val>\" '$x' ${nosuch:-1} $n"


def test_tells_which_variables_it_looked_at() -> None:
    found = Lexer().expand("$x $y ${z:-1}", ENV)
    assert (list(found.matched), list(found.unmatched)) == (["x"], ["y", "z"])


@pytest.mark.parametrize(
    ("text", "quoted"), [("a", '"a"'), ('a"b\\', '"a\\"b\\\\"'), ("\n\t\x00", '"\\n\\t\\x00"'), ("é", '"é"')]
)
def test_quotes_as_go(text: str, quoted: str) -> None:
    assert quote(text) == quoted
