"""What docker says of an empty name: mostly before the daemon is asked (moby, client/utils.go, trimID)."""

from __future__ import annotations

import pytest

from labkit.machine import Machine

NO_CONTAINER = "invalid container name or ID: value is empty"
NO_VOLUME = "invalid volume name or ID: value is empty"
CONTAINERS = (
    "stop", "kill", "logs", "diff", "export", "commit", "wait", "pause", "unpause", "restart", "top", "port", "inspect",
    "container inspect",
)  # fmt: skip
EMPTY = [  # a command on '', what it says; where no source stands the rule is trimID's
    *((f"docker {name} ''", NO_CONTAINER) for name in CONTAINERS),
    ("docker exec '' ls", NO_CONTAINER),
    ("docker start ''", f"{NO_CONTAINER}\nfailed to start containers: "),
    ("docker rm ''", "container name cannot be empty"),  # docker/cli, container/rm.go
    ("docker rm -f /", "container name cannot be empty"),
    ("docker rename '' x", f"failed to rename container: {NO_CONTAINER}"),
    ("docker rename x ''", "new name cannot be blank"),
    ("docker volume rm ''", NO_VOLUME),
    ("docker volume rm -f ''", NO_VOLUME),
    ("docker volume inspect ''", NO_VOLUME),
    ("docker image rm ''", "Error response from daemon: page not found"),  # recorded
    ("docker history ''", "Error response from daemon: page not found"),  # path.Join in client/request.go; unverified
    ("docker image inspect ''", "Error: No such image: "),  # moby, client/image_inspect.go
    ("docker inspect --type image ''", "Error: No such image: "),
]
machine = Machine()


@pytest.mark.parametrize(("line", "message"), EMPTY)
def test_an_empty_name(line: str, message: str) -> None:
    done = machine.run(line)
    assert (done.returncode, done.stderr) == (1, message + "\n")


def test_a_signal_is_read_before_the_container_is_looked_up() -> None:
    """moby, daemon/kill.go."""
    said = "Error response from daemon: cannot kill container: nosuch: invalid signal: FOO\n"
    assert machine.run("docker kill -s FOO nosuch").stderr == said
