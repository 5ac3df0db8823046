"""docker network: what is asked of addresses, who is in which network. Messages: docker/cli cli/command/network,
moby daemon/network.go, daemon/container_operations.go, daemon/libnetwork; documents as 20.10 gave them too."""

from __future__ import annotations

import json

import pytest

from labkit.machine import Machine

DAEMON = "Error response from daemon: "
CREATE = [  # flags of `network create`, and what is said
    ("--subnet foo", "netip.ParsePrefix(\"foo\"): no '/'"),
    ("--subnet 10.0.0.0/99", 'netip.ParsePrefix("10.0.0.0/99"): prefix length out of range'),
    ("--subnet 10.9.0.0/16 --gateway 1.2.3.4", "no matching subnet for gateway 1.2.3.4"),
    ("--gateway 1.2.3.4", "every ip-range or gateway must have a corresponding subnet"),
    ("--ip-range 10.0.0.0/24", "every ip-range or gateway must have a corresponding subnet"),
    ("--subnet 10.9.0.0/16 --subnet 10.9.1.0/24", "multiple overlapping subnet configuration is not supported"),
    ("--subnet 10.9.0.0/16 --ip-range 10.8.0.0/24", "no matching subnet for range 10.8.0.0/24"),
    ("--subnet 10.9.0.0/16 --aux-address a=1.1.1.1", "no matching subnet for aux-address 1.1.1.1"),
    ("--subnet 10.9.0.7/16", f"{DAEMON}invalid network config:\ninvalid subnet 10.9.0.7/16: it should be 10.9.0.0/16"),
    (
        "--subnet 10.9.0.0/24 --ip-range 10.9.0.0/16",
        "invalid ip-range 10.9.0.0/16: CIDR block is bigger than its parent subnet 10.9.0.0/24",
    ),
    ("--subnet 10.1.2.0/24", f"{DAEMON}invalid pool request: Pool overlaps with other one on this address space"),
    ("--scope swarm", f"{DAEMON}cannot create a swarm scoped network when swarm is not active"),
    ("--ingress", f"{DAEMON}Ingress network can only be global scope network"),
    ("--config-from nosuch", f'{DAEMON}configuration network "nosuch" does not exist'),
    ("--config-from cfg --label a=b", f"{DAEMON}user-specified configurations are not supported if the network "),
    ("--config-from cfg -o a=b", f"{DAEMON}network driver options are not supported if the network depends on a "),
    ("--config-only --internal", f"{DAEMON}configuration network can only contain network specific fields."),
]


@pytest.fixture(scope="module")
def machine() -> Machine:
    machine = Machine()
    machine.run("docker network create --subnet 10.1.0.0/16 --ip-range 10.1.2.0/24 --aux-address h=10.1.2.1 n1")
    machine.run("docker network create --config-only --subnet 10.2.0.0/16 --label x=y cfg; docker network create n2")
    machine.run("docker run -d --name c1 --network n1 --network-alias web busybox sleep 1d")
    return machine


@pytest.mark.parametrize(("flags", "said"), CREATE)
def test_create_refuses(machine: Machine, flags: str, said: str) -> None:
    done = machine.run(f"docker network create {flags} new")
    assert (done.stdout, done.returncode) == ("", 1)
    assert said in done.stderr


@pytest.mark.parametrize(
    ("flags", "config"),
    [
        ("", '[{"Subnet":"172.19.0.0/16","Gateway":"172.19.0.1"}]'),
        ("--subnet 10.9.0.0/16", '[{"Subnet":"10.9.0.0/16","Gateway":"10.9.0.1"}]'),
        ("--subnet 10.9.0.0/16 --gateway 10.9.0.9", '[{"Subnet":"10.9.0.0/16","Gateway":"10.9.0.9"}]'),
        ("--config-from cfg", '[{"Subnet":"10.2.0.0/16","Gateway":"10.2.0.1"}]'),
        ("--config-only", "null"),
        ("--subnet fd01::/64 --ipv6 --ipv4=false", '[{"Subnet":"fd01::/64","Gateway":"fd01::1"}]'),
    ],
)
def test_addresses(machine: Machine, flags: str, config: str) -> None:
    before = machine.snapshot()
    machine.run(f"docker network create {flags} new")
    assert machine.run("docker network inspect -f '{{json .IPAM.Config}}' new").stdout == f"{config}\n"
    machine.restore(before)


def test_who_is_in_a_network(machine: Machine) -> None:
    shown = json.loads(machine.run("docker network inspect n1").stdout)[0]
    assert [each["IPv4Address"] for each in shown["Containers"].values()] == ["10.1.2.2/16"]
    assert shown["Status"]["IPAM"]["Subnets"] == {"10.1.0.0/16": {"IPsInUse": 5, "DynamicIPsAvailable": 251}}
    known = json.loads(machine.run("docker inspect -f '{{json .NetworkSettings.Networks}}' c1").stdout)["n1"]
    assert (known["Gateway"], known["Aliases"], known["DNSNames"][:2]) == ("10.1.2.0", ["web"], ["c1", "web"])


NETWORKS = "docker inspect -f '{{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}' c1"


def test_containers_go_in_and_out(machine: Machine) -> None:
    before = machine.snapshot()
    steps = [
        ("docker network connect n2 c1", 0, ""),
        (NETWORKS, 0, "n1 n2 \n"),
        ("docker network connect n2 c1", 1, f"{DAEMON}endpoint with name c1 already exists in network n2\n"),
        ("docker network connect --ip 10.7.0.1 n1 nosuch", 1, f"{DAEMON}No such container: nosuch\n"),
        ("docker network disconnect n1 c1", 0, ""),
        (NETWORKS, 0, "n2 \n"),
        ("docker network connect --ip 10.7.0.1 n1 c1", 1, "no configured subnet contains IP address 10.7.0.1\n"),
        (
            "docker network connect --ip 172.17.0.9 bridge c1",
            1,
            "IP address is supported on user-defined networks only\n",
        ),
        ("docker network connect --ip 10.1.2.9 n1 c1", 0, ""),
        ("docker inspect -f '{{.NetworkSettings.Networks.n1.IPAddress}}' c1", 0, "10.1.2.9\n"),
        ("docker stop -t 0 c1", 0, "c1\n"),
        ("docker network rm n2", 0, "n2\n"),
        ("docker rm c1; docker network rm n1", 0, "c1\nn1\n"),
    ]
    for line, status, said in steps:
        done = machine.run(line)
        assert (done.returncode, (done.stdout + done.stderr).endswith(said)) == (status, True), (line, done)
    machine.restore(before)


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ("--network container:nosuch", "joining network namespace of container: No such container: nosuch"),
        ("--network container:c1 -h x", "conflicting options: hostname and the network mode"),
        ("--network container:c1 -p 80:80", "conflicting options: port publishing and the container type network mode"),
        ("--network container:c1 --dns 1.1.1.1", "conflicting options: dns and the network mode"),
        ("--network n1 --ip 10.1.2.2", "Address already in use"),
        ("--network container:c1", ""),
    ],
)
def test_the_network_of_another(machine: Machine, flags: str, said: str) -> None:
    assert said in machine.run(f"docker run --rm {flags} busybox true").stderr


EVENTS = """\
container create c2
container attach c2
network connect bridge
volume mount v1
container start c2
container die c2
network disconnect bridge
volume unmount v1
container archive-path c2
container rename c3
container destroy c3
"""


def test_events_of_a_container(machine: Machine) -> None:
    """As 20.10 tells them."""
    machine.run("docker volume create v1; sleep 2; docker run --name c2 -v v1:/v busybox true")
    machine.run("docker cp c2:/etc/passwd - > out; docker rename c2 c3; docker rm c3")
    form = "{{.Type}} {{.Action}} {{or .Actor.Attributes.name .Actor.ID}}"
    told = machine.run(f"docker events --since 10s --until 0s --format '{form}'").stdout.split("\n")
    cp = ["volume mount v1", "volume unmount v1"]
    assert "\n".join(told).replace("\n".join([*cp, ""]), "").split("volume create v1\n")[-1] == EVENTS
    assert (
        machine.run("docker events --since 10s --until 0s -f container=c -f event=die | grep -c exitCode=0").stdout
        == "1\n"
    )
    machine.run("docker exec c1 sh -c 'exit 3'")
    told = machine.run("docker events --since 9s --until 0s -f event=exec_create --format '{{.Action}}'").stdout
    assert told == "exec_create: sh -c exit 3\n"
