"""Machine: what a command gives, terminals, snapshots, and that all of it is the same every time."""

from __future__ import annotations

import pytest

from labkit import Machine
from labkit.kernel.process import Parked, Process

STORY = [
    "docker pull busybox",
    "printf 'FROM busybox\\nRUN echo one > /one\\nCOPY note /note\\n' > Dockerfile; echo hi > note",
    "docker build -t app .",
    "docker run -d --name web -v data:/data app sh -c 'while true; do date >> /data/log; sleep 10; done'",
    "sleep 35; docker exec web wc -l /data/log",
    "docker exec web sh -c 'rm /one; echo more >> /note'",
    "docker diff web; docker ps; docker image ls; docker inspect web; docker system df -v",
    "find /var/lib/docker | sort | sha256sum",
    "head -c 8 /dev/urandom | od -An -tx1; cat /proc/mounts",
]


def told(machine: Machine) -> list[object]:
    return [machine.run(line) for line in STORY]


def test_a_command_gives_status_and_both_streams() -> None:
    done = Machine().run("echo out; echo err >&2; exit 3")
    assert (done.returncode, done.stdout, done.stderr) == (3, "out\n", "err\n")


def test_each_run_is_a_fresh_shell_in_the_learners_folder() -> None:
    machine = Machine()
    machine.run("cd /tmp; x=1")
    assert machine.run('echo "$PWD$x"').stdout == "/home/learner\n"


def test_the_same_commands_give_the_same_output_on_every_machine() -> None:
    assert told(Machine()) == told(Machine())


def test_a_detached_loop_goes_on_while_time_passes() -> None:
    machine = Machine()
    results = [machine.run(line) for line in STORY[:5]]
    assert results[-1].stdout == "4 /data/log\n"


def test_uname_tells_of_the_kernel_that_docker_info_tells_of() -> None:
    for options in ({}, {"distribution": "debian-11"}, {"kernel": "5.4.0"}):
        machine = Machine(**options)
        release = machine.run("uname -r").stdout
        assert machine.run("docker info --format '{{.KernelVersion}}'").stdout == release
        assert machine.run("docker pull -q alpine; docker run --rm alpine uname -r").stdout.endswith(f"\n{release}")
        assert f"Linux version {release.strip()} " in machine.run("docker run --rm alpine cat /proc/version").stdout


def test_a_mac_runs_another_kernel_than_its_virtual_machine() -> None:
    machine = Machine(system="mac")
    assert machine.run("uname; uname -r").stdout == "Darwin\n24.6.0\n"
    release = machine.run("docker info --format '{{.KernelVersion}}'").stdout
    inside = "docker run --rm --privileged --pid=host alpine nsenter -t 1 -m -u -n -i uname -r"
    assert machine.run(f"docker pull -q alpine; {inside}").stdout.endswith(f"\n{release}")


def test_a_job_outlives_its_shell() -> None:
    machine = Machine()
    assert machine.run(
        "(sleep 5; date +%T; date +%T >>/tmp/late; sleep 5; date +%T >>/tmp/late) & date +%T"
    ).stdout == ("09:00:01\n")
    assert machine.run("cat /tmp/late").returncode == 1
    saved = machine.snapshot()
    for _ in range(2):
        assert machine.run("sleep 20; cat /tmp/late; date +%T").stdout == "09:00:06\n09:00:11\n09:00:23\n"
        machine.restore(saved)
    assert machine.run("sleep 5; cat /tmp/late").stdout == "09:00:06\n"


def test_a_job_that_writes_to_a_file_of_its_shell_is_gone_on_with_from_each_snapshot() -> None:
    machine = Machine()
    machine.run("sh -c '(sleep 5; echo one; sleep 5; echo two) &' >/tmp/out")
    machine.run("sleep 5")
    saved = machine.snapshot()
    for _ in range(2):
        assert machine.run("sleep 5; cat /tmp/out").stdout == "one\ntwo\n"
        machine.restore(saved)


def test_a_job_that_never_ends_does_not_stop_the_machine() -> None:
    machine = Machine()
    machine.run("while true; do sleep 1; echo x >>/tmp/ticks; done &")
    machine.run("(sleep 3; while true; do :; done; echo never >/tmp/never) &")
    assert machine.run("sleep 100; wc -l </tmp/ticks; ls /tmp/never").stdout == "101\n"
    assert machine.run("sleep 1000000; echo on").stdout == "on\n"


def test_a_job_goes_on_beside_its_container_and_ends_with_it() -> None:
    machine = Machine()
    machine.run("docker pull -q alpine; docker run -d --name web -v /tmp:/t alpine sleep 60")
    machine.run("docker exec web sh -c '(sleep 5; echo one >>/t/late; sleep 60; echo two >>/t/late) &'")
    machine.run("docker run -v /tmp:/t alpine sh -c '(sleep 5; echo gone >>/t/late) &'")
    assert machine.run("sleep 100; docker ps -q; cat /tmp/late").stdout == "one\n"


def test_a_snapshot_brings_everything_back_and_the_story_goes_on_the_same() -> None:
    machine = Machine()
    for line in STORY[:4]:
        machine.run(line)
    saved = machine.snapshot()
    first = [machine.run(line) for line in STORY[4:]]
    events = len(machine.events)
    machine.run("docker rm -f web; docker image rm -f app; docker volume prune -af; rm -rf /home/learner/*")
    machine.restore(saved)
    assert [machine.run(line) for line in STORY[4:]] == first
    assert len(machine.events) == events
    machine.restore(saved)  # a snapshot can be gone back to again
    assert [machine.run(line) for line in STORY[4:]] == first


def test_a_terminal_keeps_folder_and_variables_and_can_be_inside_a_container() -> None:
    machine = Machine()
    terminal = machine.session()
    rows = [
        ("cd /tmp; x=5", ""),
        ('echo "$PWD $x"', "/tmp 5\n"),
        ("docker run -q -it --name term busybox", None),
        ("echo hi > /note; cd /etc", ""),
        ("pwd", "/etc\n"),
        ("nosuch", "sh: nosuch: not found\n"),
    ]
    for line, output in rows:
        done = terminal.run(line)
        if output is not None:
            assert done.stdout == output, line
    assert terminal.prompt == "/etc # "
    terminal.run("exit 3")
    assert terminal.prompt == "# "
    assert terminal.run("echo $?").stdout == "3\n"
    assert terminal.run("docker ps -a --format '{{.Names}} {{.State}}'").stdout == "term exited\n"
    terminal.run("exit 4")
    assert terminal.ended


def test_what_is_written_on_the_host_is_seen_in_the_container() -> None:
    machine = Machine()
    machine.run("docker run -d --name web -v data:/data busybox sleep 1d")
    machine.run("echo from the host > /var/lib/docker/volumes/data/_data/note")
    assert machine.run("docker exec web cat /data/note").stdout == "from the host\n"
    machine.run("echo by hand > $(docker inspect --format '{{.GraphDriver.Data.UpperDir}}' web)/hand")
    assert machine.run("docker exec web cat /hand").stdout == "by hand\n"
    assert machine.container("web").files.read("/hand") == b"by hand\n"


@pytest.mark.parametrize(
    ("line", "status", "stderr"),
    [
        ("nosuch", 127, "sh: 1: nosuch: not found\n"),
        ("docker nosuch", 1, "docker: unknown command: docker nosuch\n\nRun 'docker --help' for more information\n"),
        ("docker run --nosuch busybox", 125, None),
        ("while true; do :; done", 137, "labkit: stopped: the command does not end\n"),
    ],
)
def test_mistakes_get_a_message_and_a_status(line: str, status: int, stderr: str | None) -> None:
    done = Machine().run(line)
    assert done.returncode == status
    assert done.stderr == stderr if stderr is not None else "unknown flag: --nosuch" in done.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"system": "amiga"}, "system is one of linux, mac, not 'amiga'"),
        ({"image_store": "cellar"}, "image_store is one of containerd, graphdriver, not 'cellar'"),
    ],
)
def test_a_machine_that_there_is_not(options: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Machine(**options)


def test_a_driver_that_there_is_not() -> None:
    with pytest.raises(ValueError, match=r"storage_driver is one of .*overlay2.*vfs.*, not 'tape'"):
        Machine(storage_driver="tape")


def broken(process: Process) -> int:
    """A program with a fault: it has done something already when it raises."""
    process.files.write("/home/learner/half", "done")
    process.kernel.clock.advance(10**12)
    raise KeyError("nothing here") if process.argv[1:] != ["wait"] else Parked(None)


KEY = "KeyError('nothing here')"


@pytest.mark.parametrize(("line", "fault"), [("frob", KEY), ("frob wait", "Parked(None)")])
def test_a_fault_of_labkit_is_one_line_and_changes_nothing(line: str, fault: str) -> None:
    said = f"labkit has a fault: {fault}; the machine is as it was before this command\n"
    machine = Machine()
    machine.kernel.programs = {**machine.kernel.programs, "gnu:true": broken}
    machine.run("ln -s /bin/true /bin/frob; mkdir kept")
    terminal = machine.session()
    terminal.run("x=5; cd kept")
    before = machine.run("date; ls").stdout
    done = machine.run(f"echo one; touch two; {line}; touch three")
    assert (done.returncode, done.stdout, done.stderr) == (70, "one\n", said)
    done = terminal.run("x=6; cd /\nfrob")
    assert (done.returncode, done.stderr, terminal.runaway) == (70, said.replace("Parked(None)", KEY), True)
    assert terminal.run("echo $x $PWD").stdout == "5 /home/learner/kept\n"
    assert machine.run("ls; test -e two || echo none").stdout == before.partition("\n")[2] + "none\n"


@pytest.mark.parametrize("store", ["overlay2", "containerd"])
def test_a_containers_tree_is_seen_on_the_host_while_it_runs(store: str) -> None:
    machine = Machine(image_store="containerd") if store == "containerd" else Machine()
    machine.run("docker run -d busybox sleep 1d")
    at = machine.run("grep upperdir /proc/mounts | cut -d ' ' -f 2").stdout.strip()
    assert "bin\n" in machine.run(f"ls {at}").stdout
    machine.run("docker rm -f $(docker ps -q)")
    assert machine.run(f"ls {at}").stdout == ""
