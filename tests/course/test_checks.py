"""The table of checks: its sentences, its arguments, sizes. test_checks_on_machines has what they find."""

from __future__ import annotations

import pytest

from labkit.course.checks import CHECKS, size_of
from labkit.kernel.golang import human_size


@pytest.mark.parametrize("name", CHECKS)
def test_every_check_has_a_sentence_for_its_arguments(name: str) -> None:
    row = CHECKS[name]
    given = {argument: f"<{argument}>" for argument in row.parameters}
    assert all(f"<{argument}>" in row.words(given) for argument in row.parameters if argument in row.says)
    needed = {name: "x" for name, each in row.parameters.items() if each.default is each.empty}
    assert row.faults(needed) == []
    assert row.words(needed)


def test_words() -> None:
    assert CHECKS["image_layer_count"].words({"image": "a", "count": 3}) == "a has 3 layers"
    assert CHECKS["image_layer_count"].words({"image": "a", "count": 1}) == "a has 1 layer"
    assert CHECKS["image_layer_count"].words({"image": "a", "at_least": 3}) == "a has at least 3 layers"
    assert CHECKS["image_layer_count"].words({"image": "a", "at_least": 3, "at_most": 5}) == "a has 3 to 5 layers"
    assert CHECKS["file_exists"].words({"path": "/a"}) == "/a exists on the host"
    assert CHECKS["file_exists"].words({"path": "/a", "container": "web"}) == "/a exists in the container web"


@pytest.mark.parametrize(
    ("text", "size"), [("0", 0), (12, 12), ("3 kB", 3000), ("1.5MB", 1_500_000), ("2MiB", 2 << 20), ("1 GB", 10**9)]
)
def test_size(text: str | int, size: int) -> None:
    assert size_of(text) == size


def test_no_size() -> None:
    with pytest.raises(ValueError, match="no size"):
        size_of("big")


@pytest.mark.parametrize(("size", "text"), [(0, "0B"), (999, "999B"), (1982256, "1.982MB"), (10**10, "10GB")])
def test_human_size(size: int, text: str) -> None:
    assert human_size(size) == text
