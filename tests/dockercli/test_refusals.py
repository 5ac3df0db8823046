"""What the daemon refuses when a container is made, started or asked for its log."""

from __future__ import annotations

import pytest

from labkit.machine import Machine


@pytest.fixture(scope="module")
def machine():
    made = Machine()
    lines = (
        "docker pull -q busybox",
        "docker run -d --name silent --log-driver none busybox echo x",
        "docker volume create -o type=tmpfs -o device=tmpfs -o o=size=big badsize",
        "docker volume create -o type=tmpfs -o device=tmpfs -o o=nosuch badword",
    )
    assert [made.run(line).returncode for line in lines] == [0, 0, 0, 0]
    return made


POLICY = "invalid restart policy: "
ONLY = "maximum retry count can only be used with 'on-failure'"
MOUNT = "error while mounting volume '/var/lib/docker/volumes/{0}/_data': failed to mount local volume: mount tmpfs:"
ROWS = [
    # after docker, message, source
    ("create --restart nosuch busybox", f"{POLICY}unknown policy 'nosuch'; use one of 'no', 'always', 'on-failure', or "
     "'unless-stopped'", "moby api/types/container ValidateRestartPolicy"),
    ("create --restart always:3 busybox", POLICY + ONLY, "moby api/types/container ValidateRestartPolicy"),
    ("run --network nosuch busybox true", "failed to set up container networking: network nosuch not found",
     "moby daemon/start.go; unverified"),
    ("logs silent", "configured logging driver does not support reading", "moby daemon/logger ErrReadLogsNotSupported"),
    ("run -v badsize:/d busybox true", MOUNT.format("badsize") +
     "/var/lib/docker/volumes/badsize/_data, data: size=big: invalid argument", "moby volume/local, mm/shmem.c"),
    ("run -v badword:/d busybox true", MOUNT.format("badword") +
     "/var/lib/docker/volumes/badword/_data, data: nosuch: invalid argument", "moby volume/local, mm/shmem.c"),
]  # fmt: skip


@pytest.mark.parametrize(("words", "message", "source"), ROWS, ids=[row[0] for row in ROWS])
def test_refused(machine, words, message, source):
    done = machine.run(f"docker {words}")
    assert f"Error response from daemon: {message}\n" in done.stderr
    assert done.returncode != 0


STARTS = [
    # after docker run -d, what the message tells, the status
    ("-u nosuch busybox true", "unable to find user nosuch", 125),
    ("--mount type=volume,src=v1,dst=/d,volume-subpath=no busybox true", "cannot access path", 127),
    ("-v /home/learner:/etc/passwd busybox true", "not a directory", 125),
    ("busybox nosuch", "executable file not found", 127),
    ("busybox /etc", "permission denied", 126),
]


@pytest.mark.parametrize(("words", "message", "status"), STARTS, ids=[row[0] for row in STARTS])
def test_a_detached_container_that_does_not_start_is_named(machine, words, message, status):
    """Source: docker/cli cli/command/container/run.go, waitDisplayID."""
    done = machine.run(f"docker run -d --name started {words}")
    assert done.returncode == status
    assert message in done.stderr
    assert done.stdout == machine.run("docker inspect -f '{{.Id}}' started; docker rm started >&2").stdout


def test_a_container_that_is_not_created_has_no_id(machine):
    done = machine.run("docker run -d --restart nosuch busybox true")
    assert (done.returncode, done.stdout) == (125, "")


def test_a_deprecated_flag_is_noted_on_stdout(machine):
    """Source: spf13/cobra command.go ParseFlags; docker/cli cmd/docker/docker.go SetOut."""
    machine.run("docker create --name c1 busybox true")
    done = machine.run("docker commit -p=false c1")
    assert done.stdout.startswith("Flag --pause has been deprecated, and enabled by default. ")
    assert done.stderr == ""


SIGNALS = [
    ("run --rm busybox sh -c 'kill -9 $$; echo alive'", 0, "alive\n"),
    ("run --rm busybox sh -c 'trap \"echo got\" TERM; kill $$; echo alive'", 0, "got\nalive\n"),
    ("run --rm --init busybox sh -c 'kill $$; echo alive'", 143, ""),
]


@pytest.mark.parametrize(("words", "status", "output"), SIGNALS, ids=[row[0] for row in SIGNALS])
def test_the_first_process_does_not_end_itself(machine, words, status, output):
    """Linux, signal(7) and pid_namespaces(7)."""
    done = machine.run(f"docker {words}")
    assert (done.returncode, done.stdout) == (status, output)
