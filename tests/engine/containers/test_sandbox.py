from __future__ import annotations

from pathlib import Path

import pytest

from labkit.engine.mounts.mountspec import size_of
from tests.engine.conftest import Lab

EXAMPLES = Path(__file__).parents[2] / "conformance" / "examples" / "tables-and-json.txt"


def recorded() -> list[tuple[str, str, str]]:
    """What `docker exec web mount` printed on a real engine: target, type and the first option of each mount."""
    text = EXAMPLES.read_text().split("$ docker exec web mount\n")[1].split("\n\n")[0]
    found = []
    for line in text.splitlines():
        words = line.split()
        found.append((words[2], words[4], words[5].strip("()").split(",")[0]))
    return found


def test_the_mounts_of_a_container_are_those_of_a_real_one(lab: Lab) -> None:
    lab.host.makedirs("/home/learner/app")
    lab.up("web", Binds=["/home/learner/app:/src:ro", "data:/data"], Tmpfs={"/scratch": ""})
    mounts = lab.engine.container("web").files.read("/proc/mounts").decode().splitlines()
    shown = [(words[1], words[2], words[3].split(",")[0]) for words in (line.split() for line in mounts)]
    assert shown == recorded()


def test_what_a_privileged_container_may_change(lab: Lab) -> None:
    lab.up("c1", Privileged=True)
    targets = [mount.target for mount in lab.engine.container("c1").files.namespace.mounts]
    assert "/proc/keys" not in targets


def test_devices(lab: Lab) -> None:
    lab.up("c1")
    files = lab.engine.container("c1").files
    files.write("/dev/null", b"gone")
    assert files.read("/dev/null") == b""
    files.write("/dev/shm/f", b"x")
    lab.up("c2")
    assert lab.engine.container("c2").files.listdir("/dev/shm") == []


@pytest.mark.parametrize(("text", "size"), [("1m", 1 << 20), ("64K", 64 << 10), ("100", 100), ("1g", 1 << 30)])
def test_sizes(text: str, size: int) -> None:
    assert size_of(text) == size
