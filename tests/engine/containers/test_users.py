"""Who -u and --group-add mean, by the files of the container's root: moby/sys/user GetExecUser (as 20.10 answers too).

docker exec asks containerd with its store (containerd, pkg/oci/spec_opts.go, WithUser).
"""

from __future__ import annotations

import pytest

from labkit.machine import Machine

NO_USER = "unable to find user nosuch: no matching entries in passwd file"
NO_GROUP = "unable to find group nosuch: no matching entries in group file"
RANGE = "uids and gids must be in range 0-2147483647"
ROWS = [  # flags, what `id` or the engine says, and what exec with the containerd store says instead
    ("-u 1:2:3", "uid=1 gid=2 groups=2", "invalid USER value 1:2:3"),
    ("-u :1", "uid=0(root) gid=1 groups=1", ""),
    ("-u 7:", "uid=7 gid=0 groups=0", ""),
    ("-u root:5", "uid=0(root) gid=5 groups=5", ""),
    ("-u +3", "uid=3 gid=0 groups=0", ""),
    ("-u nosuch", NO_USER, "no users found"),
    ("-u nosuch:nosuch", NO_USER, "no users found"),
    ("-u 1:nosuch", NO_GROUP, "no groups found"),
    ("-u -1", RANGE, ""),
    ("-u 2147483648", RANGE, ""),
    ("-u 1:2147483648", RANGE, ""),
]


@pytest.fixture(scope="module")
def machines() -> dict[str, Machine]:
    made = {"graphdriver": Machine(), "containerd": Machine(image_store="containerd")}
    for machine in made.values():
        machine.run("docker run -d --name c1 busybox sleep 1d")
    return made


@pytest.mark.parametrize("store", ["graphdriver", "containerd"])
@pytest.mark.parametrize(("flags", "says", "otherwise"), ROWS)
def test_who(machines: dict[str, Machine], store: str, flags: str, says: str, otherwise: str) -> None:
    machine = machines[store]
    run, execed = machine.run(f"docker run --rm {flags} busybox id"), machine.run(f"docker exec {flags} c1 id")
    assert says in run.stdout + run.stderr
    assert ((store == "containerd" and otherwise) or says) in execed.stdout + execed.stderr
    assert (run.returncode, execed.returncode) in ((0, 0), (125, 1), (0, 1))


@pytest.mark.parametrize(
    ("group", "says"),
    [("20", "groups=0,20"), ("nosuch", NO_GROUP), ("-1", RANGE), ("2147483648", RANGE)],
)
def test_more_groups(machines: dict[str, Machine], group: str, says: str) -> None:
    done = machines["graphdriver"].run(f"docker run --rm --group-add {group} busybox id")
    assert says in done.stdout + done.stderr


@pytest.mark.parametrize(
    "place", ["--mount type=volume,src=v1,dst=/new/log", "-v v1:/new/log", "--device /dev/null:/d/x"]
)
def test_an_unknown_user_is_noticed_before_anything_is_mounted(place: str) -> None:
    machine = Machine()
    machine.run(f"docker run --name c1 {place} -u nosuch busybox")
    assert machine.run("docker diff c1").stdout == ""


def test_the_root_s_own_files_say_who_it_is_and_the_mounts_where_home_is() -> None:
    machine = Machine()
    machine.run("mkdir p; echo 'who:x:7:8::/there:/bin/sh' > p/passwd; echo 'root:x:0:0::/home0:/bin/sh' >> p/passwd")
    assert (
        NO_USER.replace("nosuch", "who")
        in machine.run("docker run --rm -v ./p/passwd:/etc/passwd -u who busybox").stderr
    )
    assert (
        machine.run("docker run --rm -v ./p/passwd:/etc/passwd -u 7 busybox sh -c 'id -g; echo $HOME'").stdout
        == "0\n/there\n"
    )
    machine.run("docker run -d --name c1 -v ./p/passwd:/etc/passwd busybox sleep 1d")
    assert NO_USER.replace("nosuch", "who") in machine.run("docker exec -u who c1 id").stderr
    assert machine.run("docker exec c1 sh -c 'echo $HOME'").stdout == "/home0\n"
