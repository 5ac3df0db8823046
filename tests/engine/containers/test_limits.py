"""What a container's host configuration must not say (moby, daemon/container.go, daemon_unix.go, runtime_unix.go)."""

from __future__ import annotations

import pytest

from tests.engine.conftest import Lab

MB = 1 << 20
REFUSED = [
    ({"Isolation": "x"}, "invalid isolation (x): linux only supports 'default'"),
    ({"CapAdd": ["x"]}, 'invalid CapAdd: unknown capability: "CAP_X"'),
    ({"CapDrop": ["CAP_FOO"]}, 'invalid CapDrop: unknown capability: "CAP_FOO"'),
    ({"Memory": 1}, "Minimum memory limit allowed is 6MB"),
    (
        {"Memory": 10 * MB, "MemorySwap": 8 * MB},
        "Minimum memoryswap limit should be larger than memory limit, see usage",
    ),
    ({"MemorySwap": 8 * MB}, "You should always set the Memory limit when using Memoryswap limit, see usage"),
    ({"NanoCpus": 100 * 10**9}, "range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available"),
    ({"IpcMode": "x"}, "invalid IPC mode: x"),
    ({"OomScoreAdj": 2000}, "Invalid value 2000, range for oom score adj is [-1000, 1000]"),
    ({"Runtime": "x"}, "unknown or invalid runtime name: x"),
    ({"LogConfig": {"Type": "x"}}, 'error looking up logging plugin x: plugin "x" not found'),
    ({"LogConfig": {"Type": "", "Config": {"x": "y"}}}, "unknown log opt 'x' for json-file log driver"),
]


@pytest.mark.parametrize(("host", "said"), REFUSED)
def test_refused(lab: Lab, host: dict, said: str) -> None:
    assert lab.refused(lab.create, "c1", "true", **host) == said
    assert lab.engine.containers(all=True) == []


TAKEN = [
    {"Isolation": "default"},
    {"CapAdd": ["ALL", "cap_net_admin"], "CapDrop": ["MKNOD"]},
    {"Memory": 6 * MB, "MemorySwap": -1},
    {"NanoCpus": 2 * 10**9},
    {"IpcMode": "host", "Runtime": "runc"},
    {"LogConfig": {"Type": "none", "Config": {"x": "y"}}},
]


@pytest.mark.parametrize("host", TAKEN)
def test_taken(lab: Lab, host: dict) -> None:
    assert lab.create("c1", "true", **host)
