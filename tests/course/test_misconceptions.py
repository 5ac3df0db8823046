"""The table of beliefs: all numbers, short texts, nothing said twice."""

from __future__ import annotations

from labkit.course.record import misconceptions


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
