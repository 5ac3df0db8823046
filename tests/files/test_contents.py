"""Contents against plain bytes."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.files import Content
from labkit.files.contents import TooLarge

pieces = st.one_of(
    st.binary(max_size=300).map(lambda data: (Content(data), data)),
    st.integers(0, 300_000).map(lambda size: (Content.zeros(size), bytes(size))),
    st.integers(0, 300).map(lambda size: (Content.hole(size), bytes(size))),
    st.tuples(st.sampled_from("xy"), st.integers(0, 200_000)).map(lambda it: (Content.filler(*it), filler(*it))),
)
values = st.lists(pieces, max_size=5).map(
    lambda parts: (Content.join(c for c, _ in parts), b"".join(p for _, p in parts))
)


def filler(seed: str, size: int) -> bytes:
    block = hashlib.shake_128(seed.encode()).digest(1 << 16)
    return (block * (size // len(block) + 1))[:size]


@given(values, values, st.integers(0, 700_000), st.integers(0, 700_000))
def test_a_content_is_the_bytes_it_stands_for(
    one: tuple[Content, bytes], other: tuple[Content, bytes], start: int, size: int
) -> None:
    content, plain = one
    more, more_plain = other
    assert len(content) == len(plain)
    assert bytes(content) == plain
    assert bytes(content[start : start + size]) == plain[start : start + size]
    assert content.read(start, size) == plain[start : start + size]
    assert bytes(content + more) == plain + more_plain
    assert content.sha256() == hashlib.sha256(plain).hexdigest()
    assert b"".join(content.blocks()) == plain
    padded = plain.ljust(start, b"\0")
    if more_plain:
        assert bytes(content.write(start, more)) == padded[:start] + more_plain + padded[start + len(more_plain) :]
    assert bytes(content.truncate(size)) == plain[:size].ljust(size, b"\0")
    assert (content == more) == (plain == more_plain)


def test_ten_gibibytes_cost_a_few_bytes_and_are_not_made_into_bytes() -> None:
    content = Content.zeros(10 << 30) + b"end"
    assert len(content) == (10 << 30) + 3
    assert len(content.pieces) == 2
    assert content.read((10 << 30) - 2, 5) == b"\0\0end"
    with pytest.raises(TooLarge):
        bytes(content)


def test_holes_take_no_blocks_and_written_zeros_do() -> None:
    assert Content.hole(1 << 20).allocated == 0
    assert Content.zeros(1 << 20).allocated == 1 << 20
    assert Content(b"x").truncate(1 << 20).allocated == 4096
    assert Content(b"x" * 4097).allocated == 8192


def test_many_small_appends_stay_few_pieces() -> None:
    content = Content()
    for number in range(20_000):
        content = content + b"line %d\n" % number
    assert len(content.pieces) < 40
    assert content.sha256() == hashlib.sha256(b"".join(b"line %d\n" % n for n in range(20_000))).hexdigest()
