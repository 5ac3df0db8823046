"""Which rows lists show, in which order, and what --format raw stands for."""

from __future__ import annotations

import pytest

from labkit.machine import Machine


@pytest.fixture(scope="module")
def machine():
    made = Machine()
    for line in (
        "docker pull -q busybox",
        "docker run -d --name web -p 8080:80 --expose 90/udp busybox sleep 1d",
        "docker create --name idle --network none busybox",
        "for name in v10 v9 notes; do docker volume create $name; done",
        "docker volume create --name hidden",
    ):
        assert made.run(line).returncode == 0
    return made


BAD = "Error response from daemon: "
CONVERT = "moby daemon/volume/service/convert.go"
ROWS = [
    # after docker, output, source
    ("volume ls -q", "hidden\nnotes\nv9\nv10\n", "docker/cli volume/list.go: numbers count as such"),
    ("volume ls -q -f name=^v", "v9\nv10\n", f"{CONVERT}: a regular expression"),
    ("volume ls -q -f name=no -f name=9", "notes\nv9\n", CONVERT),
    ("volume ls -f name=notes --format raw", "name: notes\ndriver: local\n\n", "docker/cli formatter/volume.go"),
    ("volume ls -q -f name=notes --format raw", "name: notes\n", "docker/cli formatter/volume.go"),
    ("volume ls -f dangling=true -f dangling=false", f"{BAD}invalid filter 'dangling=[true false]'\n",
     "moby api/types/filters GetBoolOrDefault"),
    ("volume prune -f --filter all=x", f'{BAD}invalid filter \'all\': strconv.ParseBool: parsing "x": invalid syntax\n',
     CONVERT),
    ("volume prune -f --filter all=1 --filter all=0",
     f"{BAD}invalid filter 'all=[1 0]': only one value is expected\n", CONVERT),
    ("volume create --name a1 a2",
     "conflicting options: cannot specify a volume-name through both --name and as a positional arg\n",
     "docker/cli volume/create.go"),
    ("ps -a --format {{.Names}} -f publish=8080", "web\n", "moby daemon/list.go"),
    ("ps -a --format {{.Names}} -f publish=8000-9000/tcp", "web\n", "moby daemon/list.go"),
    ("ps -a --format {{.Names}} -f publish=80", "", "moby daemon/list.go"),
    ("ps -a --format {{.Names}} -f expose=80", "web\n", "moby daemon/list.go"),
    ("ps -a --format {{.Names}} -f expose=90/udp", "web\n", "moby daemon/list.go"),
    ("ps -a --format {{.Names}} -f network=bridge", "web\n", "moby daemon/list.go"),
    ("ps -a --format {{.Names}} -f network=none", "idle\n", "moby daemon/list.go"),
    ("ps -a --format {{.Names}} -f health=healthy", "", "moby daemon/list.go"),
    ("ps -a -f exited=x", f'{BAD}strconv.Atoi: parsing "x": invalid syntax\n', "moby daemon/list.go"),
    ("kill -s 99 web", f"{BAD}cannot kill container: web: the linux daemon does not support signal 99\n",
     "moby daemon/kill.go"),
    ("kill -s 0 web", f"{BAD}cannot kill container: web: invalid signal: 0\n", "moby/sys signal.go"),
]  # fmt: skip


@pytest.mark.parametrize(("words", "output", "source"), ROWS, ids=[row[0] for row in ROWS])
def test_rows(machine, words, output, source):
    done = machine.run(f"docker {words}")
    assert done.stdout + done.stderr == output


def test_raw_containers(machine):
    """docker/cli formatter/container.go."""
    lines = machine.run("docker ps --format raw").stdout.split("\n")
    names = ["container_id", "image", "command", "created_at", "state", "status", "names", "labels", "ports"]
    assert [line.partition(":")[0] for line in lines] == [*names, "", ""]
