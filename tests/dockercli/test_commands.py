"""What commands print and ask, on a machine: lists of what was done, prompts, inspect."""

from __future__ import annotations

import json

import pytest

from labkit.machine import Machine


@pytest.fixture
def machine():
    made = Machine()
    assert made.run("docker pull -q busybox").returncode == 0
    return made


def test_inspect_finds_what_has_the_name(machine):
    machine.run("docker create --name thing busybox; docker volume create vol")
    assert machine.run("docker inspect -f '{{.Name}}' thing vol").stdout == "/thing\nvol\n"
    assert machine.run("docker inspect -f '{{.Os}}' busybox").stdout == "linux\n"
    assert [row["Name"] for row in json.loads(machine.run("docker inspect thing vol").stdout)] == ["/thing", "vol"]


def test_inspect_goes_on_after_an_error(machine):
    machine.run("docker volume create vol")
    done = machine.run("docker inspect -f '{{.Name}}' nosuch vol")
    assert (done.returncode, done.stdout, done.stderr) == (1, "vol\n", "error: no such object: nosuch\n")


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("{{.State.Status}} {{.State}}", "created {created false false false false false 0 0  "),
        ("{{.HostConfig.Binds}} {{.HostConfig.Tmpfs}} {{.SizeRw}}", "[] map[] <nil>\n"),
        ("{{json .HostConfig.Binds}} {{json .HostConfig.Mounts}} {{json .Storage}}", "null null null\n"),
        ("{{len .HostConfig.Binds}} {{range .HostConfig.Mounts}}x{{end}}", "0 \n"),
        ("{{.HostConfig.RestartPolicy}} {{.HostConfig.LogConfig}}", "{no 0} {json-file map[]}\n"),
        ("{{if .State.Running}}up{{else}}down{{end}}", "down\n"),
        ("{{.ID | len}} {{.HostConfig.CPUShares}} {{.HostConfig.DNS}} {{.HostConfig.LogConfig}}", "64 0 [] {json-file"),
        ("{{.Id | len}} {{.HostConfig.CpuShares}} {{.HostConfig.LogConfig}}", "64 0 map[Config:map[] Type:json-file]"),
        ('{{index .Config.Cmd 0}} {{join .Config.Cmd ","}}', "sh sh\n"),
        ("{{range $name, $net := .NetworkSettings.Networks}}{{$name}}{{end}}", "bridge\n"),
    ],
)
def test_inspect_of_go_values(machine, form, text):
    """Source: Go types of the API; transcripts writable-layer-ps-size, v-versus-mount-equivalent-…"""
    machine.run("docker create --name c1 busybox")
    assert machine.run(f"docker inspect -f '{form}' c1").stdout.startswith(text)


def test_inspect_size(machine):
    machine.run("docker create --name c1 busybox")
    assert machine.run("docker inspect -s -f '{{.SizeRw}}' c1").stdout == "0\n"
    assert machine.run("docker inspect -s -f x busybox").stderr == "WARNING: --size ignored for image\n"


PROMPTS = [
    ("docker container prune", "WARNING! This will remove all stopped containers.\n"),
    ("docker image prune", "WARNING! This will remove all dangling images.\n"),
    (
        "docker image prune -a",
        "WARNING! This will remove all images without at least one container associated to them.\n",
    ),
    (
        "docker volume prune",
        "WARNING! This will remove anonymous local volumes not used by at least one container.\n",
    ),
    ("docker volume prune -a", "WARNING! This will remove all local volumes not used by at least one container.\n"),
]


@pytest.mark.parametrize(("line", "warning"), PROMPTS, ids=[line for line, _ in PROMPTS])
def test_prune_asks(machine, line, warning):
    """Source: docker/cli cli/command/…/prune.go."""
    machine.run("docker create --name c1 busybox; docker volume create; docker volume create named")
    question = warning + "Are you sure you want to continue? [y/N] "
    for answer in (b"", b"n\n", b"yes\n"):
        done = machine.run(line, stdin=answer)
        assert (done.returncode, done.stdout) == (0, question)
    assert machine.run(line, stdin=b"y\n").stdout.startswith(question)


def test_system_prune_lists_what_it_would_remove(machine):
    """Source: docker/cli cli/command/system/prune.go."""
    done = machine.run("docker system prune -a --volumes --filter label=x")
    assert done.stdout == (
        "WARNING! This will remove:\n"
        "  - all stopped containers\n"
        "  - all networks not used by at least one container\n"
        "  - all anonymous volumes not used by at least one container\n"
        "  - all images without at least one container associated to them\n"
        "  - all build cache\n"
        "\n"
        "  Items to be pruned will be filtered with:\n"
        "  - label=x\n"
        "\n"
        "Are you sure you want to continue? [y/N] "
    )


def test_system_prune_removes_all_kinds(machine):
    machine.run("docker tag busybox other; docker rmi busybox; docker create --name c1 -v /data other")
    lines = machine.run("docker system prune -af --volumes").stdout.splitlines()
    titles = [line for line in lines if line.endswith(":")]
    assert titles == ["Deleted Containers:", "Deleted Volumes:", "Deleted Images:"]
    assert lines[-1] == "Total reclaimed space: 1.984MB"


def test_builder_prune_asks_in_one_line(machine):
    """Source: docker/buildx commands/prune.go; transcript cleanup-builder-prune."""
    warning = "WARNING! This will remove all dangling build cache. Are you sure you want to continue? [y/N] "
    assert machine.run("docker builder prune").stdout == warning
    assert machine.run("docker buildx prune -f").stdout == "Total:\t0B\n"


def test_several_names_are_handled_one_by_one(machine):
    """Source: transcripts volumes-in-use, writable-layer-rm-running."""
    machine.run("docker volume create one; docker volume create two; docker create --name c1 busybox")
    done = machine.run("docker volume rm one nosuch two")
    assert done.stdout == "one\ntwo\n"
    assert done.stderr == "Error response from daemon: get nosuch: no such volume\n"
    done = machine.run("docker rm -f nosuch c1")
    assert (done.returncode, done.stdout, done.stderr) == (0, "c1\n", "")


def test_rmi_of_several(machine):
    machine.run("docker tag busybox one")
    done = machine.run("docker rmi nosuch one")
    assert (done.returncode, done.stdout) == (1, "Untagged: one:latest\n")
    assert done.stderr == "Error response from daemon: No such image: nosuch:latest\n"
    assert machine.run("docker rmi -f nosuch").returncode == 0


def test_docker_images_ls_gets_a_hint(machine):
    """Source: docker/cli cli/command/image/list.go printAmbiguousHint."""
    hint = '\nNo images found matching "ls": did you mean "docker image ls"?\n'
    assert machine.run("docker images ls").stderr == hint
    assert machine.run("docker image ls ls").stderr == ""


def test_save_writes_a_file_that_only_the_owner_reads(machine):
    assert machine.run("docker save -o b.tar busybox").returncode == 0
    assert machine.files.stat("/home/learner/b.tar").st_mode & 0o777 == 0o600
    machine.run("docker create --name c1 busybox")
    for command, place, message in (  # moby/sys atomicwriter, validateDestination
        ("save busybox", "no/b.tar", "failed to save image: invalid output path: stat no: no such file or directory"),
        ("save busybox", "b.tar/x", "failed to save image: invalid output path: stat b.tar: not a directory"),
        ("save nosuch", "/tmp", "failed to save image: cannot write to a directory"),
        ("export c1", "/dev/null", "failed to export container: cannot write to a character device file"),
    ):
        assert machine.run(f"docker {command} -o {place}").stderr == message + "\n"
    assert machine.run("docker load -i /tmp").stderr == "read /tmp: is a directory\n"
    assert machine.run("docker save busybox | docker load").stdout == "Loaded image: busybox:latest\n"


def test_run_with_a_missing_image_pulls_it(machine):
    machine.run("docker rmi busybox")
    done = machine.run("docker create --name c1 busybox")
    assert done.stderr.startswith(
        "Unable to find image 'busybox:latest' locally\nlatest: Pulling from library/busybox\n"
    )
    assert len(done.stdout) == 65
    done = machine.run("docker run --pull never nosuch")
    assert (done.returncode, done.stderr.splitlines()[0]) == (
        125,
        "docker: Error response from daemon: No such image: nosuch:latest",
    )


def test_pull_prints_its_progress(machine):
    """Source: examples/pull.txt."""
    machine.run("docker rmi busybox")
    lines = machine.run("docker pull busybox").stdout.splitlines()
    assert lines[:2] == ["Using default tag: latest", "latest: Pulling from library/busybox"]
    assert lines[-2:] == ["Status: Downloaded newer image for busybox:latest", "docker.io/library/busybox:latest"]
    assert machine.run("docker pull -q busybox").stdout == "docker.io/library/busybox:latest\n"


def test_version_and_info(machine):
    assert machine.run("docker --version").stdout == "Docker version 29-dev, build unknown-commit\n"
    assert machine.run("docker version -f '{{.Client.Version}} {{.Server.Os}}'").stdout.split() == ["29-dev", "linux"]
    lines = machine.run("docker info").stdout.splitlines()
    assert " Storage Driver: overlay2" in lines
    assert "  Supports d_type: true" in lines
    assert machine.run("docker system info -f '{{.DockerRootDir}}'").stdout == "/var/lib/docker\n"


def test_port_of_a_container_without_ports(machine):
    machine.run("docker create --name c1 busybox")
    assert machine.run("docker port c1").stdout == ""
    assert machine.run("docker port c1 80").stderr == "no public port '80' published for c1\n"


def test_build_checks_what_the_client_can(machine):
    """Source: transcript build-cache-no-dockerfile."""
    message = 'ERROR: failed to build: unable to prepare context: path "nosuch" not found\n'
    assert machine.run("docker build nosuch").stderr.endswith(message)
    message = 'ERROR: failed to build: invalid tag "Upper": repository name must be lowercase\n'
    assert machine.run("docker build -t Upper .").stderr.endswith(message)


def test_build_prints_the_id_with_quiet(machine):
    machine.files.write("/home/learner/Dockerfile", "FROM busybox\nLABEL a=1\n")
    done = machine.run("docker build -q --iidfile id -t app .")
    assert done.stdout.startswith("sha256:")
    assert done.stderr == ""
    assert machine.files.read("/home/learner/id").decode() == done.stdout.strip()
    assert machine.run("docker build --label b=2 .").stdout == ""


CHECKS = [
    # the Dockerfile, status, stdout, the end of stderr
    ("FROM busybox\nRUN true\n", 0, "Check complete, no warnings found.\n", ""),
    (
        "FROM busybox\nCMD ls\n",
        1,
        "Check complete, 1 warning has been found!\n\n"
        "WARNING: JSONArgsRecommended - https://docs.docker.com/go/dockerfile/rule/json-args-recommended/\n"
        "JSON arguments recommended for CMD to prevent unintended behavior related to OS signals\n"
        "ctx/Dockerfile:2\n--------------------\n   1 |     FROM busybox\n   2 | >>> CMD ls\n   3 |     \n"
        "--------------------\n",
        "",
    ),
    (
        "FROM busybox\nVOLUME\n",
        1,
        "",
        "ERROR: dockerfile parse error on line 2: VOLUME requires at least one argument\n"
        "ctx/Dockerfile:2\n--------------------\n   1 |     FROM busybox\n   2 | >>> VOLUME\n   3 |     \n"
        "--------------------\n\n",
    ),
]


@pytest.mark.parametrize("flag", ["--check", "--call=check"])
@pytest.mark.parametrize(("text", "status", "stdout", "stderr"), CHECKS)
def test_build_check_builds_nothing(machine, flag, text, status, stdout, stderr):
    """Source: docker/buildx commands/build.go printResult, tests/build.go; moby/buildkit subrequests/lint."""
    machine.files.makedirs("/home/learner/ctx")
    machine.files.write("/home/learner/ctx/Dockerfile", text)
    done = machine.run(f"docker build {flag} -t checked ctx")
    assert (done.returncode, done.stdout) == (status, stdout)
    assert done.stderr.endswith(stderr)
    assert machine.run("docker images -q checked").stdout == ""


def test_the_tree_shows_an_image_once_below_all_its_names(machine):
    """Source: docker/cli cli/command/image/tree.go, printNames."""
    machine.run("docker tag busybox two:v2 ; docker tag busybox two:v1")
    rows = [line.split() for line in machine.run("docker image ls --tree").stdout.splitlines()]
    assert [row[0] for row in rows[:4]] == ["IMAGE", "busybox:latest", "two:v1", "two:v2"]
    assert [len(row) > 1 for row in rows[1:4]] == [False, False, True]
    assert machine.run("docker image ls").stdout.count(rows[3][1]) == 3
