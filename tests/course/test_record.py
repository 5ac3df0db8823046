"""Variants: fixed vectors (a change of one changes every learner's exercises), rules of draws; the table of beliefs."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.course.record import (
    Draw,
    Exercise,
    Setup,
    Solution,
    draw_values,
    fill,
    fill_all,
    for_learner,
    misconceptions,
    validate_values,
    variant_key,
)

KEY = variant_key("2026", "ann", "first-image", 1)


def test_key_is_fixed() -> None:
    assert KEY.hex() == "f3e1925ff863e5652d6c91b327cd24de6af89a4ef0c7fec61ca9665c34e38460"
    assert (
        variant_key("", "Zo\u00eb", "a", 1).hex() == "b9ef2a7092043790cadcec90f7d2286afd6f20fb2214c53c31237a651a0a2a4e"
    )


def test_a_name_has_one_key_however_it_is_spelt() -> None:
    assert variant_key("", " Zoe\u0308 ", "a", 1) == variant_key("", "Zo\u00eb", "a", 1)


@pytest.mark.parametrize(
    "other",
    [
        ("2027", "ann", "first-image", 1),
        ("2026", "bob", "first-image", 1),
        ("2026", "ann", "first-images", 1),
        ("2026", "ann", "first-image", 2),
        ("2026a", "nn", "first-image", 1),
    ],
)
def test_key_depends_on_each_part(other: tuple[str, str, str, int]) -> None:
    assert variant_key(*other) != KEY


def test_draws_are_fixed() -> None:
    draw = Draw(KEY, "x")
    assert [draw.below(10) for _ in range(12)] == [0, 8, 8, 2, 5, 7, 9, 0, 0, 1, 5, 8]
    assert Draw(KEY, "y").below(2**63 + 5) == 6965830708342816920
    assert Draw(KEY, "z").sample("abcdef", 3) == ["e", "d", "f"]
    assert Draw(KEY, "z").shuffle([1, 2, 3, 4, 5]) == [1, 5, 2, 3, 4]


def test_values_are_fixed() -> None:
    specs = {
        "app": ["shop", "blog", "news"],
        "one two": ["a", "b", "c"],
        "tool pkg": [["curl", "libcurl"], ["git", "git-core"]],
        "size": {"from": 2, "to": 20, "step": 3},
        "text": "@app@-@size@",
    }
    assert validate_values(specs) == []
    values = draw_values(specs, KEY)
    assert values == {
        "app": "news",
        "one": "c",
        "two": "b",
        "tool": "git",
        "pkg": "git-core",
        "size": "17",
        "text": "news-17",
    }
    del specs["one two"]
    assert draw_values(specs, KEY) == {name: value for name, value in values.items() if name not in ("one", "two")}


def test_a_range_may_have_one_number_and_a_row_the_values_above_it() -> None:
    specs = {"n": {"from": 3, "to": 3, "step": 1}, "a b": [["x", "@n@-@a@"]]}
    assert validate_values(specs) == []
    assert draw_values(specs, KEY) == {"n": "3", "a": "x", "b": "3-@a@"}


def test_a_variant_is_the_record_with_its_values_and_keeps_how_they_are_drawn() -> None:
    record = Exercise(
        slug="first-image",
        revision=2,
        lesson="02",
        title="@app@",
        points=1,
        kind="do",
        task="Build @app@.",
        setup=Setup({"system": "@app@"}, {"@app@/a": "@app@"}, ("mkdir @app@",)),
        specs={"app": ["shop", "blog"]},
        solutions=(Solution("one", ["docker build @app@"]),),
    )
    variant = for_learner(record, "ann", "2026")
    key = variant_key("2026", "ann", "first-image", 2)
    app = draw_values(record.specs, key)["app"]
    setup = Setup({"system": app}, {f"{app}/a": app}, (f"mkdir {app}",))
    solutions = (Solution("one", [f"docker build {app}"]),)
    assert variant == replace(record, title=app, task=f"Build {app}.", setup=setup, solutions=solutions, key=key)
    assert variant.draw("options").shuffle("abcdef") == Draw(key, "/options").shuffle("abcdef")


@given(st.text(max_size=20), st.integers(1, 1000))
def test_below_is_below(learner: str, count: int) -> None:
    assert 0 <= Draw(variant_key("", learner.encode("utf-8", "ignore").decode(), "s", 1), "v").below(count) < count


@pytest.mark.parametrize("count", [2**63 + 5, 3 * 2**62])
def test_words_beyond_the_last_full_multiple_are_thrown_away(count: int) -> None:
    """Of so many numbers there is one full multiple below 2**64: near half of all words must go, or a quarter."""
    blocks = (hashlib.sha256(KEY + b"x\0" + number.to_bytes(8, "big")).digest() for number in range(8))
    words = [int.from_bytes(block[at : at + 8], "big") for block in blocks for at in (0, 8, 16, 24)]
    kept = [word for word in words if word < count]
    assert 0 < len(kept) < len(words)
    draw = Draw(KEY, "x")
    assert [draw.below(count) for _ in kept] == kept


def test_all_options_come_up() -> None:
    drawn = {draw_values({"n": {"from": 1, "to": 4}}, variant_key("", f"l{n}", "s", 1))["n"] for n in range(100)}
    assert drawn == {"1", "2", "3", "4"}


def test_fill() -> None:
    assert fill("@a@ at @b@, a@c.d, @@a@@", {"a": "1"}) == "1 at @b@, a@c.d, @1@"
    assert fill_all({"@a@": ["x@a@", 3, {"k": "@a@"}]}, {"a": "1"}) == {"1": ["x1", 3, {"k": "1"}]}


@pytest.mark.parametrize(
    ("specs", "fault"),
    [
        ({"A": ["x"]}, "value 'A': 'A' is no name (a-z, 0-9, _)"),
        ({"a": []}, "value 'a': it must be a list of options, a table with from and to, or a text"),
        ({"a": 3}, "value 'a': it must be a list of options, a table with from and to, or a text"),
        ({"a": {"from": 1}}, "value 'a': a range has the whole numbers from, to and perhaps step"),
        ({"a": {"from": 3, "to": 1}}, "value 'a': its range is empty"),
        ({"a": {"from": 1, "to": 3, "step": 0}}, "value 'a': its range is empty"),
        (
            {"a": {"from": 1, "to": 3, "step": "2"}},
            "value 'a': a range has the whole numbers from, to and perhaps step",
        ),
        ({"a": {"from": 1, "to": 3, "by": 2}}, "value 'a': a range has the whole numbers from, to and perhaps step"),
        ({"a b": ["x"]}, "value 'a b': there are fewer than 2 options"),
        ({"a b": [["x"]]}, "value 'a b': the row ['x'] does not have 2 cells"),
        ({"a": ["x"], "a b": ["x", "y"]}, "value 'a b': the name 'a' is taken"),
        ({"a": "@b@"}, "value 'a': @b@ is not a value above it"),
        ({"a": [1.5]}, "value 'a': its options must be texts, whole numbers or rows"),
        ({"": ["x"]}, "value '': it has no name"),
    ],
)
def test_faults_of_values(specs: dict, fault: str) -> None:
    assert validate_values(specs) == [fault]


def test_the_faults_of_all_values_are_told() -> None:
    assert validate_values({"A": ["x"], "b": "text", "c": []}) == [
        "value 'A': 'A' is no name (a-z, 0-9, _)",
        "value 'c': it must be a list of options, a table with from and to, or a text",
    ]


def test_every_number_has_its_belief() -> None:
    assert list(misconceptions()) == list(range(1, 56))
    assert len({each.belief for each in misconceptions().values()}) == 55


def test_texts_are_short_and_plain() -> None:
    for each in misconceptions().values():
        assert 10 < len(each.belief) <= 100
        assert not each.belief.endswith(".")
        assert "\n" not in each.belief + each.fact
        assert each.fact.endswith(".")
        assert 10 < len(each.fact) <= 130
