"""A Mac: its engine runs in a virtual machine, and nsenter leads into it, one namespace a flag."""

from __future__ import annotations

import pytest

from labkit import Machine

INTO_VM = "docker run -q -it --rm --privileged --pid=host debian nsenter -t 1"


@pytest.fixture(scope="module")
def mac() -> Machine:
    machine = Machine(system="mac")
    machine.run("docker pull debian; docker volume create data")
    return machine


def test_the_mac_has_no_docker_folder(mac: Machine) -> None:
    done = mac.run("ls /var/lib/docker")
    assert (done.returncode, done.stderr) == (1, "ls: /var/lib/docker: No such file or directory\n")
    assert mac.run("docker info --format '{{.Name}} {{.OperatingSystem}}'").stdout == "docker-desktop Docker Desktop\n"


def test_the_folders_of_the_mac_can_be_mounted(mac: Machine) -> None:
    mac.run("echo hi > note")
    assert mac.run("docker run -q --rm -v $PWD:/u debian cat /u/note").stdout == "hi\n"


HOSTNAME, FOLDERS = "hostname", "ls /var/lib/docker"


@pytest.mark.parametrize(
    ("flags", "line", "there", "in_vm"),
    [
        ("-m", FOLDERS, "volumes", True),
        ("-u -n -i", FOLDERS, "volumes", False),
        ("-u", HOSTNAME, "docker-desktop", True),
        ("-m -n -i", HOSTNAME, "docker-desktop", False),
        ("-m -n", "ip addr", "192.168.65.3", True),
        ("-m -u -i", "ip addr", "192.168.65.3", False),
        ("-i", "ipcs -q", "0x6c61626b", True),
        ("-u -n", "ipcs -q", "0x6c61626b", False),
        ("-m -u -n -i", FOLDERS, "overlay2", True),
        ("--mount --uts", HOSTNAME, "docker-desktop", True),
    ],
)
def test_each_flag_makes_its_difference(mac: Machine, flags: str, line: str, there: str, in_vm: bool) -> None:
    terminal = mac.session()
    terminal.run(f"{INTO_VM} {flags} sh")
    assert (there in terminal.run(line).stdout) is in_vm


@pytest.mark.parametrize(
    ("options", "arguments", "message"),  # util-linux, sys-utils/nsenter.c; unverified on a Mac
    [
        ("--pid=host", "-t 1 -m ls", "nsenter: cannot open /proc/1/ns/mnt: Permission denied"),
        ("--privileged --pid=host", "-m ls", "nsenter: neither filename nor target pid supplied for ns/mnt"),
        (
            "--privileged --pid=host",
            "-t 9999 -m ls",
            "nsenter: cannot open /proc/9999/ns/mnt: No such file or directory",
        ),
        ("--privileged --pid=host", "-t x -m ls", "nsenter: failed to parse pid: 'x'"),
        ("--privileged --pid=host", "-t 1 -Q ls", "nsenter: invalid option -- 'Q'"),
        ("--privileged --pid=host", "-t 1 -u nosuch", "nsenter: failed to execute nosuch: No such file or directory"),
    ],
)
def test_what_can_go_wrong(mac: Machine, options: str, arguments: str, message: str) -> None:
    done = mac.run(f"docker run -q --rm {options} debian nsenter {arguments}")
    assert done.stderr.splitlines()[0] == message
    assert done.returncode in (1, 127)


def test_without_the_hosts_process_numbers_one_is_the_container_itself(mac: Machine) -> None:
    done = mac.run("docker run -q --rm --privileged debian nsenter -t 1 -m ls /var/lib/docker")
    assert "cannot access '/var/lib/docker'" in done.stderr
