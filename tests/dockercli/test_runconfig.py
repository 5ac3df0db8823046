"""The flags of run as the body of POST /containers/create."""

from __future__ import annotations

import pytest

from labkit.dockercli.runconfig import displayable, parse_specs


class Recorder:
    """An engine that keeps what it is asked to create."""

    def __init__(self):
        self.body, self.name = {}, ""

    def create_container(self, body, name):
        self.body, self.name = body, name
        return "1234", ["careful"]


@pytest.fixture
def created(run):
    def call(*words, **more):
        engine = Recorder()
        done = run("create", *words, engine=engine, **more)
        assert done == (0, "1234\n", "WARNING: careful\n")
        return engine

    return call


def test_flags_end_at_the_image(created):
    body = created("--name", "c1", "busybox", "ls", "-l", "--name", "x")
    assert (body.name, body.body["Image"], body.body["Cmd"]) == ("c1", "busybox", ["ls", "-l", "--name", "x"])


def test_two_dashes_end_the_flags(created):
    assert created("--", "busybox", "-x").body["Cmd"] == ["-x"]


def test_grouped_flags_and_values(created):
    body = created("-itw/w", "-eA=1", "-e", "B=2", "--user=1000", "-h", "box", "-m", "64m", "busybox").body
    assert (body["Tty"], body["OpenStdin"], body["StdinOnce"], body["AttachStdin"]) == (True, True, True, True)
    assert (body["WorkingDir"], body["Env"], body["User"], body["Hostname"]) == ("/w", ["A=1", "B=2"], "1000", "box")
    assert body["HostConfig"]["Memory"] == 64 << 20


def test_mounts(created):
    host = created(
        "-v", "/anon", "-v", "./d:/b", "--mount", "src=n,dst=/m", "--tmpfs", "/t", "--volumes-from", "o:ro", "busybox"
    )
    assert host.body["Volumes"] == {"/anon": {}}
    host = host.body["HostConfig"]
    assert host["Binds"] == ["/home/learner/d:/b"]
    assert host["Mounts"] == [{"Type": "volume", "Source": "n", "Target": "/m"}]
    assert host["Tmpfs"] == {"/t": ""}
    assert host["VolumesFrom"] == ["o:ro"]


def test_entrypoint_can_be_emptied(created):
    assert created("--entrypoint", "", "busybox").body["Entrypoint"] == [""]
    assert "Entrypoint" not in created("busybox").body


def test_env_takes_the_clients_value(created):
    assert created("-e", "A", "-e", "B", "busybox", env={"A": "1"}).body["Env"] == ["A=1", "B"]


def test_env_file(created, files):
    files.write("env", "# comment\n\n  A=1\nB\nC=x y\n")
    assert created("--env-file", "env", "-e", "D=4", "busybox", env={"B": "2"}).body["Env"] == [
        "A=1", "B=2", "C=x y", "D=4",
    ]  # fmt: skip


def test_host_config(created):
    host = created("--rm", "--read-only", "--privileged", "--pid", "host", "--network", "none", "busybox").body[
        "HostConfig"
    ]
    assert (host["AutoRemove"], host["ReadonlyRootfs"], host["Privileged"]) == (True, True, True)
    assert (host["PidMode"], host["NetworkMode"]) == ("host", "none")
    host = created("--restart", "on-failure:3", "-l", "a=b", "-l", "c", "busybox")
    assert host.body["Labels"] == {"a": "b", "c": ""}
    assert host.body["HostConfig"]["RestartPolicy"] == {"Name": "on-failure", "MaximumRetryCount": 3}


def test_cidfile(created, files, run):
    created("--cidfile", "cid", "busybox")
    assert files.read("cid") == b"1234"
    assert run("create", "--cidfile", "cid", "busybox").err == (
        "container ID file found, make sure the other container isn't running or delete cid\n"
    )


@pytest.mark.parametrize(
    ("spec", "bindings"),
    [
        ("80", {"80/tcp": [{"HostIp": "", "HostPort": ""}]}),
        ("8080:80", {"80/tcp": [{"HostIp": "", "HostPort": "8080"}]}),
        ("127.0.0.1:8080:80/udp", {"80/udp": [{"HostIp": "127.0.0.1", "HostPort": "8080"}]}),
        ("[::1]::80", {"80/tcp": [{"HostIp": "::1", "HostPort": ""}]}),
        ("1-2:3-4", {"3/tcp": [{"HostIp": "", "HostPort": "1"}], "4/tcp": [{"HostIp": "", "HostPort": "2"}]}),
        ("8000-8010:80", {"80/tcp": [{"HostIp": "", "HostPort": "8000-8010"}]}),
        ("published=8080,target=80", {"80/tcp": [{"HostIp": "", "HostPort": "8080"}]}),
    ],
)
def test_publish(spec, bindings):
    """docker/go-connections nat/nat.go."""
    assert parse_specs([spec]) == bindings


def port(private, public=0, ip="", kind="tcp"):
    return {"PrivatePort": private, "Type": kind} | ({"PublicPort": public, "IP": ip} if ip else {})


@pytest.mark.parametrize(
    ("ports", "text"),
    [
        ([], ""),
        ([port(9988)], "9988/tcp"),
        ([port(9988, kind="udp"), port(80)], "80/tcp, 9988/udp"),
        ([port(80, 8080, "0.0.0.0"), port(443)], "443/tcp, 0.0.0.0:8080->80/tcp"),
        ([port(80, 80, "::"), port(81, 81, "::")], "[::]:80-81->80-81/tcp"),
        ([port(1), port(2), port(3), port(5)], "1-3/tcp, 5/tcp"),
    ],
)
def test_ports_shown(ports, text):
    """docker/cli cli/command/formatter/container_test.go TestDisplayablePorts."""
    assert displayable(ports) == text


def test_memory_swap_may_be_unlimited(created):
    assert created("--memory-swap", "-1", "busybox").body["HostConfig"]["MemorySwap"] == -1


def test_security_options(created, files):
    files.write("profile.json", '{ "defaultAction": "SCMP_ACT_ALLOW" }')
    words = ["--security-opt=seccomp=profile.json", "--security-opt=systempaths=unconfined"]
    body = created(*words, "busybox").body
    assert body["HostConfig"]["SecurityOpt"] == ['seccomp={"defaultAction":"SCMP_ACT_ALLOW"}']


def test_label_file_names_alone_are_left_out(created, files):
    files.write("labels", "a=b\nc\n")
    assert created("--label-file", "labels", "busybox").body["Labels"] == {"a": "b"}


def test_long_network(created):
    assert created("--network", "name=net1,alias=x", "busybox").body["HostConfig"]["NetworkMode"] == "net1"
