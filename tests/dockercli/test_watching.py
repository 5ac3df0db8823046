"""attach, stats, update, events, networks, contexts and the builder, as an engine answered (more-commands.txt)."""

from __future__ import annotations

import pytest

from labkit.machine import Machine

DAEMON = "Error response from daemon: "
NO_TIME = 'failed to parse value as time or duration: invalid seconds "x": invalid syntax\n'
MISSING = "Error response from daemon: No such container: c9\n"
ROWS = [  # a command, its status, standard output, standard error; in order, on one machine
    ("docker run -d --name c1 busybox sh -c 'echo hi; sleep 4; echo bye' > id", 0, "", ""),
    ("docker attach c1", 0, "bye\n", ""),
    ("docker attach c1", 1, "", "cannot attach to a stopped container, start it first\n"),
    ("docker attach c9", 1, "", MISSING),
    ("docker run -d --name c2 busybox sleep 1d > id", 0, "", ""),
    ("docker stats --no-stream --format '{{.Name}} {{.PIDs}} {{.CPUPerc}}' c2", 0, "c2 1 0.00%\n", ""),
    ("docker stats --no-stream c9", 1, "", MISSING),
    ("docker update --memory 64m --memory-swap 64m c2", 0, "c2\n", ""),
    ("docker inspect -f '{{.HostConfig.Memory}}' c2", 0, "67108864\n", ""),
    ("docker update --restart unless-stopped c2", 0, "c2\n", ""),
    ("docker inspect -f '{{.HostConfig.RestartPolicy.Name}}' c2", 0, "unless-stopped\n", ""),
    ("docker update c2", 1, "", "you must provide one or more flags when using this command\n"),
    ("docker update --cpus 1 c9", 1, "", MISSING),
    ("docker network create n1 > id", 0, "", ""),
    (
        "docker network ls --format '{{.Name}} {{.Driver}} {{.Scope}}'",
        0,
        "bridge bridge local\nhost host local\nn1 bridge local\nnone null local\n",
        "",
    ),
    ("docker network rm n1", 0, "n1\n", ""),
    ("docker network inspect -f '{{.Name}}' nosuch", 1, "\n", "Error response from daemon: network nosuch not found\n"),
    ("docker network prune -f", 0, "", ""),
    (
        "docker network rm bridge",  # docker/cli, network/remove.go; moby, daemon/network.go
        1,
        "",
        "Error response from daemon: bridge is a pre-defined network and cannot be removed\nexit status 1\n",
    ),
    (
        "docker network create host",
        1,
        "",
        "Error response from daemon: operation is not permitted on predefined host network\n",
    ),
    ("docker network create n2 > id; docker run -d --name c3 --network n2 busybox sleep 1d > id", 0, "", ""),
    ("docker network inspect -f '{{range .Containers}}{{.Name}}{{end}}' n2", 0, "c3\n", ""),
    ("docker network prune -f; docker rm -f c3; docker network prune -f", 0, "c3\nDeleted Networks:\nn2\n\n", ""),
    (
        "docker events --since 1m --until 0s --format '{{.Type}} {{.Action}} {{.Actor.Attributes.name}}' | tail -4",
        0,
        "network disconnect n2\ncontainer destroy c3\nnetwork destroy n2\nnetwork prune <no value>\n",
        "",
    ),
    ("docker events --since 1h --until 0s -f type=volume", 0, "", ""),
    ("docker events --since x --until y", 1, "", 'failed to parse value as time or duration: "x"\n'),
    ("docker events --until 2026-13-01", 1, "", 'parsing time "2026-13-01": month out of range\n'),
    ("docker logs --until x c2", 1, "", 'invalid value for "until": failed to parse value as time or duration: "x"\n'),
    # moby, daemon/{images,containerd}/image_{list,prune}.go, daemon/prune.go, daemon/network/filter.go
    ("docker image prune -f --filter until=x", 1, "", f"{DAEMON}invalid value for 'until' filter: {NO_TIME}"),
    ("docker images --filter until=x", 1, "", f"{DAEMON}invalid value for 'until' filter: {NO_TIME}"),
    ("docker container prune -f --filter until=x", 1, "", DAEMON + NO_TIME),
    ("docker network prune -f --filter until=x", 1, "", DAEMON + NO_TIME),
    ("docker system prune -f --filter until=x", 1, "", DAEMON + NO_TIME),
    (
        "docker container prune -f --filter until=1h --filter until=2h",
        1,
        "",
        f"{DAEMON}more than one until filter specified\n",
    ),
    ("docker volume prune -f --filter until=x", 1, "", f"{DAEMON}invalid filter 'until'\n"),
    (
        "docker context ls",
        0,
        "NAME        DESCRIPTION                               DOCKER ENDPOINT               ERROR\n"
        "default *   Current DOCKER_HOST based configuration   unix:///var/run/docker.sock   \n",
        "",
    ),
    ("docker buildx du | tail -2", 0, "Reclaimable:\t0B\nTotal:\t\t0B\n", ""),
]


def test_in_order() -> None:
    machine = Machine()
    machine.run("docker pull -q busybox")
    for line, status, out, err in ROWS:
        done = machine.run(line)
        assert (done.returncode, done.stdout, done.stderr) == (status, out, err), line


REFUSED = [  # a container's flags, those of an update, and why not (moby, daemon/container/container_unix.go)
    (
        "--cpu-quota 1000",
        "--cpus 1",
        "Conflicting options: Nano CPUs cannot be updated as CPU Quota has already been set",
    ),
    ("--rm", "--restart always", "Restart policy cannot be updated because AutoRemove is enabled for the container"),
]


@pytest.mark.parametrize(("flags", "asked", "said"), REFUSED)
def test_what_an_update_must_not_change(flags: str, asked: str, said: str) -> None:
    machine = Machine()
    identifier = machine.run(f"docker run -q -d --name c1 {flags} busybox sleep 1d").stdout.strip()
    expected = f"Error response from daemon: Cannot update container {identifier}: {said}\n"
    assert machine.run(f"docker update {asked} c1").stderr == expected


ABSENT = [
    ("docker compose up -d", "docker: unknown command: docker compose\n\nRun 'docker --help' for more information\n"),
    ("docker login -u x", "docker: this simulated Docker has no 'docker login'\n\nRun 'docker --help' for more information\n"),
    ("docker swarm init --x", "docker: this simulated Docker has no 'docker swarm'\n\nRun 'docker --help' for more information\n"),
    (
        "docker context create --x",
        "docker: this simulated Docker has no 'docker context create'\n\nUsage:  docker context COMMAND\n\n"
        "Run 'docker context --help' for more information\n",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("line", "said"), ABSENT)
def test_a_command_that_is_missing_says_so_whatever_its_flags(line: str, said: str) -> None:
    assert Machine().run(line).stderr == said
