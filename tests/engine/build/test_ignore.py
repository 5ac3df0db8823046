""".dockerignore."""

from __future__ import annotations

import pytest

from labkit.engine.build.context import PatternError, matcher, read_ignore_file

TABLE = [  # patterns, what they name, what they do not (moby/patternmatcher)
    ("*.log", "debug.log", "d/debug.log"),
    ("**/*.log", "a/b/debug.log", "debug.logs"),
    ("**/*.log", "debug.log", "log"),
    ("tmp", "tmp/a/b", "tmp2"),
    ("/tmp", "tmp", "a/tmp"),
    ("a/**/b", "a/b", "a/bc"),
    ("a/**/b", "a/x/y/b", "b"),
    ("a/**", "a/x", "b"),
    ("?.c", "a.c", "ab.c"),
    ("[ab].c", "b.c", "c.c"),
    ("*", "a/b", ""),
    ("# a comment\n\nx", "x", "# a comment"),
    ("*\n!keep", "drop", "keep"),
    ("*\n!keep", "drop/x", "keep/x"),
    ("*.md\n!README*.md\nREADME-secret.md", "README-secret.md", "README-a.md"),
    ("./a/../b", "b", "a"),
]


@pytest.mark.parametrize(("patterns", "named", "other"), TABLE)
def test_names(patterns: str, named: str, other: str) -> None:
    found = matcher(read_ignore_file(patterns))
    assert found.matches(named)
    assert not other or not found.matches(other)


WRONG = [
    ("!", 'illegal exclusion pattern: "!"', "moby/patternmatcher New"),
    ("[a", "syntax error in pattern: [a", "unverified"),
]


@pytest.mark.parametrize(("pattern", "message", "source"), WRONG)
def test_refuses(pattern: str, message: str, source: str) -> None:
    with pytest.raises(PatternError) as refused:
        matcher([pattern])
    assert str(refused.value) == message
