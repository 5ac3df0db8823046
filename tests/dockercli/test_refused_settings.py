"""Settings that the daemon or the client refuses, and the order in which they are looked at.

moby daemon/{container,list,update,daemon_unix,container_operations_unix}.go, daemon/logger/jsonfilelog; docker/cli
opts/parse.go, container/create.go. Each was also asked of an engine 20.10, which words some otherwise.
"""

from __future__ import annotations

import pytest

from labkit.machine import Machine

ROWS = [
    ("update --memory 1m k2", "Minimum memory limit allowed is 6MB"),
    (
        "update --memory 6m --memory-swap 5m k2",
        "Minimum memoryswap limit should be larger than memory limit, see usage",
    ),
    ("update --cpus 99 k2", "range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available"),
    ("update --cpuset-cpus 7 k2", "Requested CPUs are not available - requested 7, available: 0-1"),
    ("update --restart foo k2", "invalid restart policy: unknown policy 'foo'; use one of "),
    ("update --restart always:3 k2", "invalid restart policy: maximum retry count can only be used with 'on-failure'"),
    ("update --restart on-failure:x k2", "invalid restart policy format: maximum retry count must be an integer"),
    ("update --memory 1m nosuch", "Minimum memory limit allowed is 6MB"),  # before the container is looked for
    ("run --link nosuch busybox", "could not get container for nosuch: No such container: nosuch"),
    ("run --pid container:nosuch busybox", "No such container: nosuch"),
    ("run --pid container:k2 busybox", "is not running"),
    ("run --log-opt foo=1 busybox", "unknown log opt 'foo' for json-file log driver"),
    ("run --health-interval 1us busybox", "Interval in Healthcheck cannot be less than 1ms"),
    ("run --health-start-period 1us busybox", "StartPeriod in Healthcheck cannot be less than 1ms"),
    ("run --cpuset-cpus 99 busybox", "Requested CPUs are not available - requested 99, available: 0-1"),
    ("run --cpuset-cpus x busybox", "Invalid value x for cpuset cpus: invalid format: x"),
    ("run --platform foo busybox", 'docker: error parsing specified platform: "foo": unknown operating system or '),
    ("create --platform a/b! busybox", 'error parsing specified platform: "b!" is an invalid component of "a/b!": '),
    ("pull --platform foo busybox", '"foo": unknown operating system or architecture: invalid argument'),
    ("ps -f health=x", "invalid filter 'health=x': invalid value for health (x): must be one of none, starting, "),
    ("ps -f is-task=x", "invalid filter 'is-task=[x]'"),
]


@pytest.fixture(scope="module")
def machine() -> Machine:
    machine = Machine()
    machine.run("docker create --name k2 busybox true; docker run -d --name k1 busybox sleep 1d")
    return machine


@pytest.mark.parametrize(("command", "said"), ROWS)
def test_refused(machine: Machine, command: str, said: str) -> None:
    done = machine.run(f"docker {command}")
    assert said in done.stderr
    assert done.returncode == (125 if command.startswith("run") else 1)


@pytest.mark.parametrize(
    "command",
    [
        "update --memory-swap 100m k2",
        "update --restart on-failure:3 k2",
        "run --rm --link k1:x busybox true",
        "run --rm --pid container:k1 busybox true",
        "run --rm --log-opt max-size=1m busybox true",
        "run --rm --cpuset-cpus 0-1 busybox true",
        "run --rm --health-interval 1ms busybox true",
        "run --rm --platform linux/amd64 busybox true",
    ],
)
def test_taken(machine: Machine, command: str) -> None:
    assert machine.run(f"docker {command}").returncode == 0


def test_no_container_is_a_task(machine: Machine) -> None:
    assert machine.run("docker ps -aq -f is-task=true").stdout == ""
    assert len(machine.run("docker ps -aq -f is-task=false").stdout.split()) >= 2


@pytest.mark.parametrize(
    ("flags", "pulls"),
    [
        ("--mount type=volume,src=v7,dst=/x,volume-driver=nosuch", True),
        ("--volume-driver nosuch -v v7:/x", True),
        ("--pull never --volume-driver nosuch -v v7:/x", False),
        ("--volumes-from nosuch", False),
        ("--link nosuch", False),
    ],
)
def test_what_is_not_found_is_taken_for_the_image(machine: Machine, flags: str, pulls: bool) -> None:
    """docker/cli cli/command/container/create.go, createContainer: it asks for the kind of error alone."""
    done = machine.run(f"docker run {flags} busybox true")
    assert done.stderr.startswith("Unable to find image 'busybox:latest' locally") == pulls
