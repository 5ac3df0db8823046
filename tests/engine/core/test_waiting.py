"""Which processes go on first, and which addresses containers have."""

from __future__ import annotations

from labkit import Machine

ADDRESS = "docker inspect -f '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' "


def test_the_lowest_free_address_is_given() -> None:
    machine = Machine()
    machine.run("docker pull busybox; for n in n1 n2 n3; do docker run -d --name $n busybox sleep 1000; done")
    machine.run("docker rm -f n2; docker stop n1")
    saved = machine.snapshot()
    for _ in range(2):
        machine.run("for n in n4 n5; do docker run -d --name $n busybox sleep 1000; done; docker start n1")
        shown = [machine.run(f"{ADDRESS}n{number}").stdout.strip() for number in (1, 3, 4, 5)]
        assert shown == ["172.17.0.5", "172.17.0.4", "172.17.0.2", "172.17.0.3"]
        machine.restore(saved)


def test_a_start_that_fails_holds_no_address() -> None:
    machine = Machine()
    machine.run(
        "docker pull busybox; docker run -d --name n1 busybox nothing; docker run -d --name n2 busybox sleep 1000"
    )
    assert machine.run(ADDRESS + "n2").stdout == "172.17.0.2\n"


def test_each_goes_on_at_its_time_and_a_paused_one_when_it_is_let() -> None:
    machine = Machine()
    machine.run("docker pull busybox")
    for name, seconds in (("late", 50), ("soon", 10), ("held", 5)):
        machine.run(f"docker run -d --name {name} -v vol:/v busybox sh -c 'sleep {seconds}; echo {name} >>/v/said'")
    machine.run("docker pause held; sleep 20")
    said = "cat /var/lib/docker/volumes/vol/_data/said"
    assert machine.run(said).stdout == "soon\n"
    saved = machine.snapshot()
    for _ in range(2):
        machine.run("docker unpause held; sleep 1")
        assert machine.run(said).stdout == "soon\nheld\n"
        machine.run("sleep 60")
        assert machine.run(said).stdout == "soon\nheld\nlate\n"
        machine.restore(saved)
