"""One machine, one storage driver after another: what is out of sight, what comes back, what a daemon that fails says."""

from __future__ import annotations

import json

import pytest

from labkit import Machine
from labkit.drivers import DRIVERS
from labkit.engine.daemon.daemon import StartFailed

CONFIG = "/etc/docker/daemon.json"
JOB_FAILED = (
    "Job for docker.service failed because the control process exited with error code.\n"
    'See "systemctl status docker.service" and "journalctl -xeu docker.service" for details.\n'
)
NO_DAEMON = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?\n"
STARTING = "failed to start daemon: "


def used() -> Machine:
    """A machine with an image, a container that runs, one that ended, and a volume with a file."""
    machine = Machine()
    for line in (
        "docker pull -q busybox",
        "docker run -d --name first busybox sleep 1000",
        "docker run --name second -v shared:/data busybox sh -c 'echo kept > /data/file; echo own > /own'",
    ):
        assert machine.run(line).returncode == 0
    return machine


def configure(machine: Machine, config: object) -> str:
    """Write daemon.json and restart the daemon; what systemctl complains of."""
    machine.files.write(CONFIG, config if isinstance(config, str) else json.dumps(config))
    return machine.run("systemctl restart docker").stderr


def out(machine: Machine, line: str) -> str:
    return machine.run(line).stdout


def last_words(machine: Machine) -> str:
    """What the daemon said last."""
    said = [line.text for line in machine.daemon.service.log if line.who == "dockerd"]
    return said[-1]


def test_what_belongs_to_a_driver_goes_out_of_sight_and_comes_back() -> None:
    machine = used()
    folders = out(machine, "ls /var/lib/docker/overlay2")
    images, containers = out(machine, "docker images"), out(machine, "docker ps -aq")
    assert configure(machine, {"storage-driver": "vfs"}) == ""
    assert " Storage Driver: vfs\n" in out(machine, "docker info")
    assert out(machine, "docker ps -aq") == out(machine, "docker images -q") == ""
    assert out(machine, "ls /var/lib/docker/overlay2") == folders
    assert out(machine, "docker run --rm -v shared:/data busybox cat /data/file") == "kept\n"
    assert out(machine, "docker volume ls -q") == "shared\n"
    machine.run(f"rm {CONFIG}; systemctl restart docker")
    assert " Storage Driver: overlay2\n" in out(machine, "docker info")
    assert out(machine, "docker images") == images
    assert out(machine, "docker ps -aq") == containers
    assert out(machine, "docker start -a second; docker cp second:/own - | tar xO") == "own\n"
    assert out(machine, "ls /var/lib/docker/vfs/dir") != ""


def test_the_files_of_the_driver_that_is_not_used_say_what_they_said() -> None:
    machine = used()
    look = (
        "cat /var/lib/docker/image/overlay2/repositories.json /var/lib/docker/image/overlay2/layerdb/*/*/* "
        "/var/lib/docker/image/overlay2/imagedb/content/sha256/* /var/lib/docker/overlay2/*/lower"
    )
    machine.run("docker stop -t 0 first")
    before = out(machine, look)
    configure(machine, {"storage-driver": "vfs"})
    machine.run("docker pull -q busybox; docker run --name first busybox")
    assert out(machine, look) == before


def test_the_same_name_can_be_used_with_each_driver() -> None:
    machine = used()
    configure(machine, {"storage-driver": "vfs"})
    assert machine.run("docker run --name second busybox echo again").stdout == "again\n"
    configure(machine, {})
    assert out(machine, "docker logs second") == ""


def test_containers_end_with_the_daemon_and_start_with_it_as_their_policy_says() -> None:
    machine = Machine()
    for name, policy in (("no-one", "no"), ("always", "always"), ("unless", "unless-stopped")):
        machine.run(f"docker run -d --name {name} --restart {policy} busybox sleep 1000")
        machine.run(f"docker run -d --name {name}-by-hand --restart {policy} busybox sleep 1000")
        machine.run(f"docker stop -t 0 {name}-by-hand")
    machine.run("docker run -d --name failing --restart on-failure busybox sleep 1000")
    machine.run("docker run -d --rm --name passing busybox sleep 1000")
    machine.run("systemctl restart docker")
    running = set(out(machine, "docker ps --format '{{.Names}}'").split())
    assert running == {"always", "always-by-hand", "unless", "failing"}
    assert "passing" not in out(machine, "docker ps -a")
    assert "Exited (137)" in out(machine, "docker ps -a --filter name=no-one$")


def test_no_policy_is_looked_at_while_another_driver_is_used() -> None:
    machine = Machine()
    machine.run("docker run -d --name always --restart always busybox sleep 1000")
    configure(machine, {"storage-driver": "vfs"})
    machine.run("sleep 5")
    assert out(machine, "docker ps -q") == ""
    configure(machine, {})
    assert out(machine, "docker ps --format '{{.Names}}'") == "always\n"


def test_a_process_is_asked_to_end_first() -> None:
    machine = Machine()
    machine.run(
        "docker run -d --name polite -v told:/told busybox sh -c \"trap 'date > /told/it; exit 3' TERM; sleep 99\""
    )
    before = machine.run("date +%s").stdout
    machine.run("systemctl stop docker")
    assert int(machine.run("date +%s").stdout) - int(before) < 5
    assert machine.run("test -s /var/lib/docker/volumes/told/_data/it").returncode == 0
    assert "Exited (3)" in out(machine, "docker ps -a")


def test_restoring_a_machine_goes_back_over_switches() -> None:
    machine = used()
    first = machine.snapshot()
    shown = out(machine, "docker ps -a; docker images; find /var/lib/docker /etc/docker | sort")
    configure(machine, {"storage-driver": "vfs"})
    machine.run("docker run -d --name other busybox sleep 1000")
    second = machine.snapshot()
    other = out(machine, "docker ps -a; find /var/lib/docker | sort")
    configure(machine, "{")
    assert machine.run("docker ps").stderr == NO_DAEMON
    machine.restore(second)
    assert out(machine, "docker ps -a; find /var/lib/docker | sort") == other
    machine.restore(first)
    assert out(machine, "docker ps -a; docker images; find /var/lib/docker /etc/docker | sort") == shown
    assert out(machine, "docker exec first echo in") == "in\n"
    configure(machine, {"storage-driver": "vfs"})  # made anew, as it was not there at that time
    assert out(machine, "docker run --rm busybox echo up") == "up\n"
    machine.restore(second)
    assert out(machine, "docker ps -a; find /var/lib/docker | sort") == other
    assert out(machine, "docker exec other echo in") == "in\n"
    configure(machine, {})
    assert set(out(machine, "docker ps -a --format '{{.Names}}'").split()) == {"first", "second"}


@pytest.mark.parametrize("name", DRIVERS)
def test_every_driver_comes_back_with_what_it_had(name: str) -> None:
    machine = Machine(storage_driver=name) if name != "overlayfs" else Machine(image_store="containerd")
    machine.run("docker run --name one busybox sh -c 'echo mine > /file'")
    look = "docker ps -aq --no-trunc; docker images --no-trunc"
    files = out(machine, look)
    machine.restart_engine("vfs" if name != "vfs" else "overlay2", containerd_store=False)
    assert out(machine, "docker ps -aq") == ""
    assert out(machine, "docker run --rm busybox echo up") == "up\n"
    machine.restart_engine(name, containerd_store=name == "overlayfs")
    assert out(machine, look) == files
    assert out(machine, "docker cp one:/file - | tar xO") == "mine\n"


def test_restart_engine_is_the_same_from_python() -> None:
    machine = used()
    machine.restart_engine("vfs")
    assert json.loads(machine.files.read(CONFIG)) == {"storage-driver": "vfs"}
    assert machine.driver.name == machine.engine.driver.name == "vfs"
    machine.restart_engine("overlay2")
    assert out(machine, "docker ps -aq") != ""
    machine.restart_engine(containerd_store=True, storage_driver="overlayfs")
    assert " Storage Driver: overlayfs\n" in out(machine, "docker info")
    with pytest.raises(StartFailed, match='configured driver "overlay2" not available: unavailable'):
        machine.restart_engine("overlay2")
    machine.restart_engine("overlay2", containerd_store=False)
    assert out(machine, "docker ps -aq") != ""


@pytest.mark.parametrize("name", DRIVERS)
def test_a_machine_restarts_with_the_driver_that_it_was_made_with(name: str) -> None:
    machine = Machine(storage_driver=name)
    machine.run("docker run --name one busybox true")
    assert machine.run("systemctl restart docker").stderr == ""
    assert machine.driver.name == name
    assert out(machine, "docker ps -a --format '{{.Names}}'") == "one\n"


def test_a_new_installation_has_no_daemon_json() -> None:
    assert not Machine().files.exists(CONFIG)
    assert not Machine(image_store="containerd").files.exists(CONFIG)
    assert Machine(storage_driver="vfs").files.exists(CONFIG)


FAILING = [  # daemon.json, what the daemon says
    # An Engine 29 (storage-driver notes), the last two with what moby's sources have after it.
    (
        {"storage-driver": "aufs"},
        f"{STARTING}error initializing graphdriver: [graphdriver] ERROR: the aufs storage-driver has been deprecated "
        "and removed; visit https://docs.docker.com/go/storage-driver/ for more information: aufs",
    ),
    (
        {"storage-driver": "aufs", "features": {"containerd-snapshotter": False}},
        f'{STARTING}graphdriver is explicitly enabled but "aufs" is not registered, map[containerd-snapshotter:false] ',
    ),
    (
        {"storage-driver": "aufs", "features": {"containerd-snapshotter": True}},
        f'{STARTING}configured driver "aufs" not available: unavailable',
    ),
    # moby's sources
    (
        {"storage-driver": "btrfs"},
        f"{STARTING}error initializing graphdriver: prerequisites for driver not satisfied (wrong filesystem?)",
    ),
    ({"storage-driver": "nosuch"}, f"{STARTING}error initializing graphdriver: driver not supported: nosuch"),
    # unverified
    (
        {"storage-driver": "vfs", "storage-opts": ["a=b"]},
        f"{STARTING}error initializing graphdriver: unknown option a for vfs",
    ),
    (
        {"storage-opts": ["a"]},
        f"{STARTING}error initializing graphdriver: unable to parse key/value option: a",
    ),
    # moby's sources, daemon/config/config.go
    (
        {"storage-drive": "vfs"},
        f"unable to configure the Docker daemon with file {CONFIG}: the following directives don't match any "
        "configuration option: storage-drive",
    ),
    # Go, encoding/json
    (
        '{"storage-driver": "vfs",}',
        f"unable to configure the Docker daemon with file {CONFIG}: invalid character '}}' looking for beginning of "
        "object key string",
    ),
]


@pytest.mark.parametrize(("config", "said"), FAILING, ids=str)
def test_a_daemon_that_cannot_start(config: object, said: str) -> None:
    machine = used()
    assert configure(machine, config) == JOB_FAILED
    assert last_words(machine) == said
    assert said in out(machine, "journalctl -u docker.service -n 5")
    failed = machine.run("docker ps -a")
    assert (failed.returncode, failed.stdout, failed.stderr) == (1, "", NO_DAEMON)
    assert "dockerd" not in out(machine, "ps aux")
    assert configure(machine, {}) == ""
    assert len(out(machine, "docker ps -aq").split()) == 2


def test_a_fresh_engine_29_has_no_aufs() -> None:
    """An Engine 29 (storage-driver notes)."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011  (the whole text is compared)
        Machine(storage_driver="aufs", engine="29")
    assert str(caught.value) == 'failed to start daemon: configured driver "aufs" not available: unavailable'


def test_what_docker_says_without_a_daemon() -> None:
    machine = Machine()
    configure(machine, "{")
    run = machine.run("docker run busybox")
    assert run.returncode == 125
    assert run.stderr == f"docker: {NO_DAEMON}\nRun 'docker run --help' for more information\n"
    assert machine.run("docker build .").stderr == f"ERROR: {NO_DAEMON}"
    for line in ("docker version", "docker info"):
        shown = machine.run(line)
        assert (shown.returncode, shown.stderr) == (1, NO_DAEMON)
        assert shown.stdout.startswith("Client:\n Version:")
    assert machine.run("docker --help").returncode == 0
    assert machine.run("docker run --nosuch").stderr != run.stderr


def test_the_socket_starts_a_daemon_that_was_stopped() -> None:
    machine = Machine()
    stopped = machine.run("systemctl stop docker")
    assert stopped.stderr == (
        "Warning: Stopping docker.service, but it can still be activated by:\n  docker.socket\n"  # unverified
    )
    assert out(machine, "systemctl is-active docker docker.socket") == "inactive\nactive\n"
    assert machine.run("docker ps").returncode == 0
    assert out(machine, "systemctl is-active docker") == "active\n"
    machine.run("systemctl stop docker.socket docker")
    assert machine.run("docker ps").stderr == NO_DAEMON
    machine.run("rm /run/docker.sock")
    assert machine.run("docker ps").stderr == (
        "failed to connect to the docker API at unix:///var/run/docker.sock; check if the path is correct and if the "
        "daemon is running: dial unix /var/run/docker.sock: connect: no such file or directory\n"
    )
    assert machine.run("systemctl start docker && docker ps -q").returncode == 0
    assert out(machine, "stat -c %F:%G /run/docker.sock") == "socket:docker\n"


SYSTEMCTL = [  # unverified but for systemctl's manual page
    ("restart nosuch", 5, "Failed to restart nosuch.service: Unit nosuch.service not found.\n"),
    ("status nosuch", 4, "Unit nosuch.service could not be found.\n"),
    ("frobnicate docker", 1, "Unknown command verb frobnicate.\n"),
    ("start", 1, "Too few arguments.\n"),
    ("daemon-reload", 0, ""),
    ("is-active docker", 0, ""),
]


@pytest.mark.parametrize(("words", "code", "said"), SYSTEMCTL)
def test_systemctl(words: str, code: int, said: str) -> None:
    done = Machine().run(f"systemctl {words}")
    assert (done.returncode, done.stderr) == (code, said)


def test_systemctl_status_tells_of_the_failure() -> None:
    machine = Machine()
    assert "     Active: active (running) since Tue 2026-11-24" in out(machine, "systemctl status docker")
    configure(machine, "[]")
    shown = machine.run("systemctl status docker")
    assert shown.returncode == 3
    assert "     Active: failed (Result: exit-code) since Tue 2026-11-24" in shown.stdout
    assert "json: cannot unmarshal array into Go value of type map[string]interface {}" in shown.stdout
    assert machine.run("service docker restart").returncode == 1
    machine.run(f"rm {CONFIG}")
    assert machine.run("service docker restart; docker ps").returncode == 0


def test_the_engine_of_a_mac_switches_too() -> None:
    machine = Machine(system="mac")
    machine.run("docker run --name one busybox true")
    machine.restart_engine("vfs")
    assert out(machine, "docker ps -aq") == ""
    machine.restart_engine("overlay2")
    assert out(machine, "docker ps -a --format '{{.Names}}'") == "one\n"
