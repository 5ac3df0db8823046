"""`--change` of commit and import (moby, daemon/builder/dockerfile/dispatchers.go)."""

from __future__ import annotations

import pytest

from labkit.engine.core.errors import EngineError
from labkit.engine.dockerfile.changes import apply

EXPOSED = [
    ("80", ["80/tcp"]),
    ("80/UDP 90", ["80/udp", "90/tcp"]),
    ("80-82", ["80/tcp", "81/tcp", "82/tcp"]),
]


@pytest.mark.parametrize(("ports", "exposed"), EXPOSED)
def test_expose(ports: str, exposed: list[str]) -> None:
    assert apply([f"EXPOSE {ports}"]) == {"ExposedPorts": {port: {} for port in exposed}}


REFUSED = [
    ("EXPOSE x", "invalid containerPort: x"),
    ("EXPOSE 80-x", "invalid containerPort: 80-x"),
    ("EXPOSE 70000", "invalid containerPort: 70000"),
    ("EXPOSE 80/foo", "invalid proto: foo"),
    ("STOPSIGNAL FOO", "invalid signal: FOO"),
    ("RUN x", "RUN is not a valid change command"),
]


@pytest.mark.parametrize(("change", "said"), REFUSED)
def test_refused(change: str, said: str) -> None:
    with pytest.raises(EngineError, match=f"^{said}$"):
        apply([change])
