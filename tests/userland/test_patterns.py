"""Patterns and pathname expansion; arithmetic."""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from real import machine

from labkit.shell import arithmetic
from labkit.userland.patterns import (
    escape,
    is_magic,
    matches,
    paths,
    replaced,
    unescape,
    without_prefix,
    without_suffix,
)

MATCHES = [
    ("*", "", True), ("?", "", False), ("a?c", "abc", True), ("[a-c]", "b", True), ("[!a-c]", "b", False),
    ("[^a]", "b", True), ("[]]", "]", True), ("[a", "[a", True), ("[[:digit:]]x", "5x", True), ("\\*", "*", True),
    ("\\*", "x", False), ("[\\]]", "]", True), ("[z-a]", "m", False), ("a.c", "abc", False), ("*\n*", "a\nb", True),
    ("[a-]", "-", True), ("(", "(", True), ("[[:nope:]]", "n", False), ("***", "abc", True),
]  # fmt: skip


@pytest.mark.parametrize(("pattern", "text", "expected"), MATCHES)
def test_matches(pattern: str, text: str, expected: bool) -> None:
    assert matches(pattern, text) is expected


def test_escape() -> None:
    text = "a*b?[c]\\d!-^"
    assert matches(escape(text), text)
    assert unescape(escape(text)) == text
    assert not is_magic(escape(text))


def test_trimming() -> None:
    path = "/a/b.tar.gz"
    assert without_prefix(path, "*/", longest=False) == "a/b.tar.gz"
    assert without_prefix(path, "*/", longest=True) == "b.tar.gz"
    assert without_suffix(path, ".*", longest=False) == "/a/b.tar"
    assert without_suffix(path, ".*", longest=True) == "/a/b"
    assert without_prefix(path, "x", longest=True) == path
    assert replaced("aXbX", "X", "\\1", everywhere=True) == "a\\1b\\1"


ATOMS = st.sampled_from(["a", "b", "*", "?", "[ab]", "[!a]", "\\*", "c"])


def slow(text: str, pattern: str, places: range, *, suffix: bool) -> int | None:
    """Where the first part that matches ends or begins, found by trying all."""
    return next((place for place in places if matches(pattern, text[place:] if suffix else text[:place])), None)


@settings(deadline=None)
@given(st.lists(ATOMS, max_size=6).map("".join), st.text(alphabet="abc*", max_size=8))
def test_trimming_is_what_trying_all_finds(pattern: str, text: str) -> None:
    up, down = range(len(text) + 1), range(len(text), -1, -1)
    for longest in (False, True):
        end = slow(text, pattern, down if longest else up, suffix=False)
        assert without_prefix(text, pattern, longest=longest) == (text if end is None else text[end:])
        start = slow(text, pattern, up if longest else down, suffix=True)
        assert without_suffix(text, pattern, longest=longest) == (text if start is None else text[:start])


@given(st.lists(ATOMS, max_size=6).map("".join), st.text(alphabet="abc*", max_size=8))
def test_matching_is_what_fnmatch_finds(pattern: str, text: str) -> None:
    assert matches(pattern, text) is fnmatchcase(text, pattern.replace("\\*", "[*]"))


def test_many_stars_take_no_time() -> None:
    text = "a" * 100_000
    assert not matches("*a" * 30 + "*b", text)
    assert without_prefix(text, "*a*b", longest=False) == text
    assert without_suffix(text, "b*a*", longest=True) == text


PATHS = [
    ("*", ["a", "b", "dir", "link"]),
    (".*", [".", "..", ".hidden"]),
    ("d*/*", ["dir/x1", "dir/x2"]),
    ("*/", ["dir/", "link/"]),
    ("*/x1", ["dir/x1", "link/x1"]),
    ("dir/x[!1]", ["dir/x2"]),
    ("./?", ["./a", "./b"]),
    ("/work/di?/x1", ["/work/dir/x1"]),
    ("/wor*//dir", ["/work//dir"]),
    ("nope*", []),
    ("a/*", []),
    ("\\*", []),
    ("//work/a*", ["//work/a"]),
]


@pytest.mark.parametrize(("pattern", "expected"), PATHS)
def test_paths(pattern: str, expected: list[str]) -> None:
    _, files = machine()
    files.makedirs("/work/dir")
    for name in ("a", "b", ".hidden", "dir/x1", "dir/x2"):
        files.write(f"/work/{name}", b"")
    files.symlink("dir", "/work/link")
    assert paths(files, pattern) == expected


class Names(dict):
    def number(self, name: str) -> int:
        return int(self.get(name, 0))

    def assign(self, name: str, value: str) -> None:
        self[name] = value


SUMS = [
    ("1+2*3", 7), ("(1+2)*3", 9), ("-7/2", -3), ("-7%3", -1), ("1<<3|1", 9), ("1?2:3", 2), ("0?2:1?3:4", 3),
    ("!0+1", 2), ("~0", -1), ("0x10+010", 24), ("1<2<3", 1), ("5>3&&2", 1), ("0||0", 0), ("2**3**2", 512),
    ("9223372036854775807+1", -(1 << 63)), ("x=5", 5), ("x+=2", 2), ("", 0), (" 1 ", 1), ("16#ff", 255), ("-(-3)", 3),
    ("1,2", 2), ("7^2", 5), ("10-3-2", 5), ("x++ + ++x", 2), ("1==1!=0", 1), ("6/4*2", 2),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), SUMS)
def test_arithmetic(text: str, expected: int) -> None:
    assert arithmetic.evaluate(text, Names(), steps=True) == expected


@pytest.mark.parametrize(
    ("text", "kind"),
    [("1+", "primary"), ("1/0", "zero"), ("1 2", "syntax"), ("(1", "syntax"), ("@", "syntax"), ("1%0", "zero")],
)  # fmt: skip
def test_no_arithmetic(text: str, kind: str) -> None:
    with pytest.raises(arithmetic.CalculationError) as wrong:
        arithmetic.evaluate(text, Names(), steps=True)
    assert wrong.value.kind == kind
