"""Which records of the build cache a filter means (docker/buildx commands/prune.go, containerd pkg/filters)."""

from __future__ import annotations

import pytest

from labkit.engine.build.cache import all_match

ROW = {"id": "abc123", "type": "regular", "description": "local source for context", "parents": ""}
FILTERS = [
    ({}, True),
    ({"type": ["regular"]}, True),
    ({"type": ["reg"]}, False),
    ({"type!": ["regular"]}, False),
    ({"type!": ["exec.cachemount"]}, True),
    ({"id": ["c12"]}, True),
    ({"id": ["^c12"]}, False),
    ({"description~": ["^local .* context$"]}, True),
    ({"description": ["local"]}, False),
    ({"parents": [""]}, False),
    ({"shared": ["true"]}, False),
    ({"nosuch": ["1"]}, False),
    ({"nosuch!": ["1"]}, True),
    ({"until": ["24h"]}, True),
]


@pytest.mark.parametrize(("filters", "expected"), FILTERS)
def test_filters(filters: dict[str, list[str]], expected: bool) -> None:
    assert all_match(ROW, filters) is expected
