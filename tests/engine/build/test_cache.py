"""Which records of the build cache a filter means (docker/buildx commands/prune.go, containerd pkg/filters)."""

from __future__ import annotations

import pytest

from labkit import Machine
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


def test_what_was_used_last_goes_last_and_a_step_goes_before_the_one_below_it() -> None:
    machine = Machine()
    machine.run("docker pull -q busybox")
    steps = {"a": "RUN echo 1\nRUN echo 2\n", "b": "RUN echo 3\n", "c": "RUN echo 4\n"}
    for name in ("a", "b", "c", "a"):
        machine.files.makedirs(f"/home/learner/{name}")
        machine.files.write(f"/home/learner/{name}/Dockerfile", f"FROM busybox\n{steps[name]}")
        assert machine.run(f"docker build -q -t {name} {name}").returncode == 0
    machine.run("docker rmi a b c")
    gone, _ = machine.engine.prune_build_cache(all=True)
    made = [str(row["Description"])[-1] for row in gone if "exec" in str(row["Description"])]
    assert made == ["3", "4", "2", "1"]


@pytest.mark.parametrize(("filters", "expected"), FILTERS)
def test_filters(filters: dict[str, list[str]], expected: bool) -> None:
    assert all_match(ROW, filters) is expected
