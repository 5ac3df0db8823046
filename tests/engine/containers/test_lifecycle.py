from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest

from labkit.engine.containers import lifecycle
from labkit.engine.core.core import ContainerRenamed, find
from labkit.engine.core.errors import EngineError
from tests.engine.conftest import Lab

CREATE_FAILED = (
    "failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: "
    "unable to start container process: error during container init: "
)


def test_run_and_log(lab: Lab) -> None:
    done = lab.run("c1", "echo", "hello")
    assert (done.status, done.out) == (0, "hello\n")
    assert [(stream, line) for stream, _, line in lab.engine.logs("c1")] == [("stdout", b"hello\n")]
    lab.start("c1")
    assert len(lab.engine.logs("c1")) == 2
    state = lab.engine.inspect_container("c1")["State"]
    assert (state["Status"], state["ExitCode"]) == ("exited", 0)


def test_exit_status(lab: Lab) -> None:
    assert lab.run("c1", "sh", "-c", "42").status == 42
    assert lab.engine.containers(all=True)[0]["Status"] == "Exited (42) Less than a second ago"


def test_what_cannot_be_started(lab: Lab) -> None:
    rows = [
        ("nosuch", 'exec: "nosuch": executable file not found in $PATH: unknown', 127),
        ("/etc", 'exec: "/etc": is a directory: unknown: permission denied', 126),
        ("/etc/passwd", 'exec: "/etc/passwd": permission denied: unknown', 126),
        ("/x/y", 'exec: "/x/y": stat /x/y: no such file or directory: unknown', 127),
    ]
    for number, (command, message, code) in enumerate(rows):
        lab.create(f"c{number}", command)
        assert lab.refused(lab.start, f"c{number}") == CREATE_FAILED + message
        state = lab.engine.inspect_container(f"c{number}")["State"]
        assert (state["Status"], state["ExitCode"], state["Error"]) == ("created", code, CREATE_FAILED + message)


def test_states_in_which_commands_do_not_fit(lab: Lab) -> None:
    identifier = lab.create("c1", "sleep")
    lab.engine.stop("c1")
    assert lab.refused(lab.engine.kill, "c1") == f"cannot kill container: c1: container {identifier} is not running"
    assert lab.refused(lab.engine.kill, "x") == "cannot kill container: x: No such container: x"
    lab.engine.start_container("c1")
    lab.engine.start_container("c1")
    running = 'cannot remove container "c1": container is running: stop the container before removing or force remove'
    assert lab.refused(lab.engine.remove_container, "c1") == running
    lab.engine.pause("c1")
    assert lab.engine.containers()[0]["Status"].endswith("(Paused)")
    lab.engine.unpause("c1")
    lab.engine.kill("c1")
    assert lab.engine.inspect_container("c1")["State"]["ExitCode"] == 137


def test_stop_waits_ten_seconds_for_one_that_does_not_listen(lab: Lab) -> None:
    lab.up("c1")
    before = lab.clock.now
    lab.engine.stop("c1")
    assert lab.clock.now - before == 10 * 10**9
    assert lab.engine.inspect_container("c1")["State"]["ExitCode"] == 137


def test_a_server_that_listens_ends_at_once(lab: Lab) -> None:
    lab.up("c1", "httpd", "3")
    before = lab.clock.now
    lab.engine.stop("c1")
    assert lab.clock.now == before
    assert lab.engine.inspect_container("c1")["State"]["ExitCode"] == 3


def test_time_ends_a_sleep(lab: Lab) -> None:
    lab.up("c1", "sleep", "5")
    assert len(lab.engine.containers()) == 1
    lab.clock.advance(6 * 10**9)
    lab.engine.advance()
    assert lab.engine.containers() == []
    assert lab.engine.containers(all=True)[0]["Status"] == "Exited (0) 1 second ago"


def test_wait(lab: Lab) -> None:
    lab.up("c1", "sleep", "5")
    assert lab.engine.wait("c1") == 0
    lab.up("c2", "httpd", "0")
    assert lab.engine.wait("c2") is None


def test_a_restored_machine_goes_on_again(lab: Lab) -> None:
    lab.up("c1", "sleep", "5")
    saved = lab.store.snapshot(), lab.engine.snapshot(), lab.driver.snapshot(), lab.clock.now
    for _ in range(2):
        lab.clock.advance(6 * 10**9)
        lab.engine.advance()
        assert lab.engine.containers() == []
        lab.store.restore(saved[0])
        lab.engine.restore(saved[1])
        lab.driver.restore(saved[2])
        lab.clock.now = saved[3]
        assert len(lab.engine.containers()) == 1
        assert lab.exec("c1", "echo", "x").out == "x\n"


def test_restart_policies(lab: Lab) -> None:
    lab.up("c1", "sleep", "5", RestartPolicy={"Name": "always"})
    lab.clock.advance(6 * 10**9)
    lab.engine.advance()
    about = lab.engine.inspect_container("c1")
    assert (about["State"]["Status"], about["RestartCount"]) == ("running", 1)
    lab.engine.stop("c1", 0)
    lab.clock.advance(60 * 10**9)
    lab.engine.advance()
    assert lab.engine.inspect_container("c1")["State"]["Status"] == "exited"


def test_before_each_restart_it_waits_twice_as_long_up_to_a_minute(lab: Lab) -> None:
    """moby, restartmanager: 100 ms, doubled, at most a minute."""
    lab.up("c1", "echo", "hi", RestartPolicy={"Name": "always"})
    lab.clock.advance(300 * 10**9)
    lab.engine.advance()
    times = [time for _, time, _ in lab.engine.logs("c1")]
    waits = [round((after - before) / 10**9, 1) for before, after in pairwise(times)]
    assert waits == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 51.2, 60.0, 60.0, 60.0][: len(waits)]
    assert len(waits) >= 12


def test_names(lab: Lab) -> None:
    identifier = lab.create("web", "true")
    taken = (
        f'Conflict. The container name "/web" is already in use by container "{identifier}". You have to remove (or '
        "rename) that container to be able to reuse that name."
    )
    assert lab.refused(lab.create, "web", "true") == taken
    only = "only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed"
    assert lab.refused(lab.create, "a", "true") == f"Invalid container name (a), {only}"
    lab.create("/slash", "true")
    assert lab.refused(lab.engine.rename, "slash", "web") == f"Error when allocating new name: {taken}"
    assert lab.refused(lab.engine.rename, "web", "web") == "Renaming a container with the same name as its current name"
    bad = f"Error when allocating new name: Invalid container name (/bad name), {only}"
    assert lab.refused(lab.engine.rename, "web", "bad name") == bad
    lab.engine.rename("web", "shop")
    assert lab.engine.inspect_container("shop")["Id"] == identifier
    assert lab.refused(lab.engine.inspect_container, "web") == "No such container: web"
    name = lab.engine.inspect_container(lab.create("", "true"))["Name"]
    assert name.count("_") == 1


def test_auto_remove(lab: Lab) -> None:
    lab.run("c1", "true", AutoRemove=True, Volumes={"/data": {}})
    assert lab.engine.containers(all=True) == []
    assert lab.engine.volumes() == []


def test_a_failed_start_is_removed_too_where_that_is_asked_for(lab: Lab) -> None:
    lab.create("c1", "nosuch", AutoRemove=True)
    lab.refused(lab.start, "c1")
    assert lab.engine.containers(all=True) == []


def test_users(lab: Lab) -> None:
    assert lab.run("c1", "id", User="1000").out == "1000:0\n"
    assert lab.run("c2", "id", User="1000:2000").out == "1000:2000\n"
    assert lab.run("c3", "id", User="root").out == "0:0\n"
    lab.create("c4", "id", User="ada")
    assert lab.refused(lab.start, "c4") == "unable to find user ada: no matching entries in passwd file"


def test_working_directory_and_environment(lab: Lab) -> None:
    assert lab.run("c1", "pwd", WorkingDir="/new/dir").out == "/new/dir\n"
    assert lab.engine.diff("c1") == [("A", "/new"), ("A", "/new/dir")]
    out = lab.run("c2", "env", Env=["A=1"], Hostname="box").out
    assert "A=1\n" in out
    assert "HOSTNAME=box\n" in out
    assert "HOME=/root\n" in out


def test_prune(lab: Lab) -> None:
    lab.up("c1")
    second = lab.create("c2", "true")
    lab.run("c3", "tee", "/f", "12345")
    third = lab.engine.inspect_container("c3")["Id"]
    assert lab.engine.prune_containers() == ([third, second], 5)
    assert [row["Names"] for row in lab.engine.containers(all=True)] == [["/c1"]]


def test_files_of_the_container_on_the_host(lab: Lab) -> None:
    identifier = lab.create("c1", "echo", "out", Hostname="box")
    folder = f"/var/lib/docker/containers/{identifier}"
    assert lab.host.listdir(folder) == ["checkpoints", "config.v2.json", "hostconfig.json"]
    lab.start("c1")
    assert lab.host.read(f"{folder}/hostname") == b"box\n"
    assert b'{"log":"out\\n","stream":"stdout","time":"' in lab.host.read(f"{folder}/{identifier}-json.log")
    lab.engine.remove_container("c1")
    assert lab.host.listdir("/var/lib/docker/containers") == []
    assert lab.host.listdir("/var/lib/docker/image/overlay2/layerdb/mounts") == []


def test_filters(lab: Lab) -> None:
    lab.up("web", Labels={"tier": "front"})
    lab.run("job", "sh", "-c", "3")

    def names(**filters: list[str]) -> list[str]:
        return [row["Names"][0] for row in lab.engine.containers(True, filters)]

    assert names(status=["running"]) == ["/web"]
    assert names(exited=["3"]) == ["/job"]
    assert names(name=["we"]) == ["/web"]
    assert names(label=["tier=front"]) == ["/web"]
    assert names(ancestor=["busybox"]) == ["/job", "/web"]
    assert names(ancestor=["nosuch"]) == []
    assert names(since=["web"]) == ["/job"]
    assert lab.refused(lab.engine.containers, True, {"nosuch": ["1"]}) == "invalid filter 'nosuch'"


def test_what_becomes_another_program_keeps_its_process(lab: Lab) -> None:
    lab.up("c1", "setsid", "httpd", "0")
    lab.engine.stop("c1", 0)
    assert lab.engine.inspect_container("c1")["State"]["ExitCode"] == 0


def test_signals(lab: Lab) -> None:
    lab.up("c1")
    for known in ("SIGHUP", "SEGV", "RTMIN+3", "SIGCLD", "31"):
        lab.engine.kill("c1", known)
    assert lab.refused(lab.engine.kill, "c1", "EXIT") == "cannot kill container: c1: invalid signal: EXIT"
    assert lab.engine.inspect_container("c1")["State"]["Running"]
    assert lab.refused(lab.engine.kill, "c1", "NOSUCH") == "cannot kill container: c1: invalid signal: NOSUCH"
    assert lab.refused(lab.engine.stop, "c1", signal="x") == "cannot stop container: c1: invalid signal: x"
    lab.engine.kill("c1", "9")
    assert lab.engine.inspect_container("c1")["State"]["ExitCode"] == 137


def test_pausing(lab: Lab) -> None:  # unverified: no recording shows these messages
    identifier = lab.up("c1")
    assert lab.refused(lab.engine.unpause, "c1") == f"Container {identifier} is not paused"
    lab.engine.pause("c1")
    assert lab.refused(lab.engine.pause, "c1") == f"Container {identifier} is already paused"
    assert lab.refused(lab.exec, "c1", "true") == "Container c1 is paused, unpause the container before exec"
    message = 'cannot remove container "c1": container is paused and must be unpaused first'
    assert lab.refused(lab.engine.remove_container, "c1") == message


def test_what_no_kernel_runs(lab: Lab) -> None:
    lab.host.makedirs("/srv")
    lab.host.write("/srv/plain", "echo hi\n")
    lab.host.chmod("/srv/plain", 0o755)
    done = lab.run("c1", "/s/plain", Binds=["/srv:/s"])
    assert (done.status, done.err) == (255, "exec /s/plain: exec format error\n")


def test_addresses(lab: Lab) -> None:
    lab.up("c1")
    lab.up("c2")
    lab.up("c3", NetworkMode="none")
    lab.engine.stop("c1", 0)
    lab.up("c4")

    def address(name: str) -> str:
        networks = lab.engine.inspect_container(name)["NetworkSettings"]["Networks"]
        return str(next(iter(networks.values()))["IPAddress"])

    assert [address(name) for name in ("c1", "c2", "c3", "c4")] == ["", "172.17.0.3", "", "172.17.0.2"]
    assert lab.exec("c4", "cat", "/etc/hosts").out.endswith(f"172.17.0.2\t{lab.engine.find_container('c4').id[:12]}\n")


def told(call: Callable[..., object], *args: object, **kwargs: object) -> tuple[str, str]:
    """What a refusal says, and of which kind it is."""
    with pytest.raises(EngineError) as caught:
        call(*args, **kwargs)
    return caught.value.kind, str(caught.value)


def state(lab: Lab, name: str) -> tuple[str, int]:
    found = lab.engine.inspect_container(name)["State"]
    return found["Status"], found["ExitCode"]


@pytest.mark.parametrize("call", ["kill", "stop", "restart", "pause", "unpause", "rename", "remove_container", "wait"])
def test_a_container_that_is_not_there(lab: Lab, call: str) -> None:
    more = ("new",) if call == "rename" else ()
    kind, message = told(getattr(lab.engine, call), "nosuch", *more)
    assert kind == "not-found"
    assert message.removeprefix("cannot kill container: nosuch: ") == "No such container: nosuch"
    assert told(lab.engine.start_container, "nosuch") == ("not-found", "No such container: nosuch")


def test_kinds_of_refusals(lab: Lab) -> None:
    identifier = lab.create("c1", "true")
    assert told(lab.engine.kill, "c1")[0] == "conflict"
    assert told(lab.engine.pause, "c1") == ("conflict", f"container {identifier} is not running")
    assert told(lab.engine.rename, "c1", "c1")[0] == "invalid"
    assert told(lab.engine.rename, "c1", "") == ("invalid", "Neither old nor new names may be empty")
    assert told(lab.engine.rename, "", "c2")[0] == "client"
    assert told(lab.engine.rename, " ", "") == told(lab.engine.rename, "", "x")
    lab.create("c2", "true")
    assert told(lab.engine.rename, "c1", "c2")[0] == "conflict"
    lab.up("c3")
    assert told(lab.engine.remove_container, "c3")[0] == "conflict"
    assert told(lab.engine.kill, "c3", "nosuch")[0] == "invalid"
    lab.engine.pause("c3")
    assert told(lab.engine.start_container, "c3") == (
        "conflict",
        "cannot start a paused container, try unpause instead",
    )
    assert told(lab.engine.pause, "c3")[0] == "conflict"


def test_a_renamed_container_frees_its_name(lab: Lab) -> None:
    identifier = lab.create("web", "true")
    lab.engine.rename("web", "/shop")
    lab.create("web", "true")
    events = [event for event in lab.engine.events if isinstance(event, ContainerRenamed)]
    assert events == [ContainerRenamed(identifier, "web", "shop")]
    assert lab.engine.inspect_container("shop")["Name"] == "/shop"


@pytest.mark.parametrize(
    ("timeout", "configured", "seconds"),
    [(None, None, 10), (3, None, 3), (None, 4, 4), (2, 4, 2), (-1, None, 0), (0, 4, 0)],
)
def test_how_long_stop_waits(lab: Lab, timeout: int | None, configured: int | None, seconds: int) -> None:
    body = {"Image": "busybox", "Cmd": ["sleep", "86400"], "StopTimeout": configured, "HostConfig": {}}
    lab.engine.start_container(lab.engine.create_container(body, "c1")[0])
    before = lab.clock.now
    lab.engine.stop("c1", timeout)
    assert (lab.clock.now - before, state(lab, "c1")) == (seconds * 10**9, ("exited", 137))
    lab.engine.stop("c1")
    assert lab.clock.now - before == seconds * 10**9, "one that does not run is left as it is"


def test_which_signal_stops(lab: Lab) -> None:
    for name, about, signal in (
        ("c1", {"StopSignal": "KILL"}, None),
        ("c2", {}, "9"),
        ("c3", {"StopSignal": "HUP"}, "TERM"),
    ):
        lab.up(name, "httpd", "3", **about)
        before = lab.clock.now
        lab.engine.stop(name, signal=signal)
        assert lab.clock.now == before
        assert state(lab, name)[1] == (3 if signal == "TERM" else 137)


def test_only_signals_that_end_a_process_count_as_a_stop_by_hand(lab: Lab) -> None:
    for name in ("TERM", "INT", "QUIT", "KILL", "HUP"):
        lab.up(f"c{name}", "httpd", "1", RestartPolicy={"Name": "unless-stopped"})
        lab.engine.kill(f"c{name}", name)
        assert find(lab.engine.core, f"c{name}").stopped_by_hand is (name != "HUP")


def test_restart_is_a_stop_and_a_start(lab: Lab) -> None:
    lab.up("c1", "httpd", "0")
    started = lab.engine.inspect_container("c1")["State"]["StartedAt"]
    lab.clock.advance(10**9)
    lab.engine.restart("c1")
    assert state(lab, "c1") == ("running", 0)
    assert lab.engine.inspect_container("c1")["State"]["StartedAt"] > started
    lab.create("c2", "nosuch")
    kind, message = told(lab.engine.restart, "c2")
    assert (kind, message[:30]) == ("system", "Cannot restart container c2: f")
    lab.up("c3")
    before = lab.clock.now
    lab.engine.restart("c3", 2)
    assert (lab.clock.now - before) // 10**9 == 2
    lab.up("c4", AutoRemove=True)
    lab.engine.restart("c4", 0)


def test_one_that_waits_for_its_restart_can_be_stopped_and_removed(lab: Lab) -> None:
    for name in ("c1", "c2", "c3"):
        lab.up(name, "sh", "-c", "1", RestartPolicy={"Name": "always"})
    assert state(lab, "c1")[0] == "restarting"
    message = (
        'cannot remove container "c2": container is restarting: stop the container before removing or force remove'
    )
    assert told(lab.engine.remove_container, "c2") == ("conflict", message)
    before = lab.clock.now
    lab.engine.stop("c1")
    lab.engine.remove_container("c2", force=True)
    assert (state(lab, "c1"), lab.clock.now) == (("exited", 1), before)
    lab.clock.advance(10**9)
    lab.engine.advance()
    assert state(lab, "c1") == ("exited", 1)
    assert lab.engine.inspect_container("c1")["RestartCount"] == 1
    assert lab.engine.inspect_container("c3")["RestartCount"] > 1


def test_a_paused_one_goes_on_where_it_was(lab: Lab) -> None:
    lab.up("c1", "sleep", "5")
    lab.engine.pause("c1")
    lab.clock.advance(60 * 10**9)
    lab.engine.advance()
    assert state(lab, "c1")[0] == "paused"
    lab.engine.unpause("c1")
    assert state(lab, "c1")[0] == "running"
    lab.engine.advance()
    assert state(lab, "c1") == ("exited", 0)


def test_processes_go_on_each_at_its_time(lab: Lab) -> None:
    for name, seconds in (("c1", "5"), ("c2", "3")):
        lab.up(name, "sleep", seconds)
    start = lab.clock.now
    lab.clock.advance(10 * 10**9)
    lab.engine.advance()
    assert lab.clock.now == start + 10 * 10**9
    rows = {name: lab.engine.inspect_container(name)["State"]["FinishedAt"][17:19] for name in ("c1", "c2")}
    assert rows == {"c1": "05", "c2": "03"}


def test_wait_moves_the_clock_to_the_end(lab: Lab) -> None:
    lab.up("c1", "sleep", "5")
    before = lab.clock.now
    assert lab.engine.wait("c1") == 0
    assert 4 * 10**9 < lab.clock.now - before <= 5 * 10**9
    lab.run("c2", "sh", "-c", "7")
    assert lab.engine.wait("c2") == 7
    lab.up("c3", "sleep", "5", AutoRemove=True)
    assert lab.engine.wait("c3") == 0
    assert [row["Names"] for row in lab.engine.containers(all=True)] == [["/c2"], ["/c1"]]


def test_prune_by_filter_goes_on_after_what_stays(lab: Lab) -> None:
    lab.up("aa")
    for name in ("bb", "cc", "dd"):
        lab.run(name, "tee", "/f", "123", Labels={"of": name})
        lab.clock.advance(60 * 10**9)
    ids = {name: find(lab.engine.core, name).id for name in ("bb", "cc", "dd")}
    assert told(lab.engine.prune_containers, {"nosuch": ["1"]}) == ("invalid", "invalid filter 'nosuch'")
    assert lab.engine.prune_containers({"label": ["of=cc"]}) == ([ids["cc"]], 3)
    assert lab.engine.prune_containers({"until": ["0"]}) == ([], 0), "nothing is older than 1970"
    assert lab.engine.prune_containers({"until": ["90s"]}) == ([ids["bb"]], 3)
    assert lab.engine.prune_containers({"label!": ["of=dd"]}) == ([], 0)
    assert lab.engine.prune_containers() == ([ids["dd"]], 3)


def test_top(lab: Lab) -> None:
    identifier = lab.up("c1", "sleep", "77")
    found = lab.engine.core.tables.containers[identifier].state.pid
    assert lab.engine.top("c1") == {
        "Titles": ["UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"],
        "Processes": [["root", str(found), str(found - 20), "0", "09:00", "?", "00:00:00", "sleep 77"]],
    }
    lab.engine.stop("c1", 0)
    assert told(lab.engine.top, "c1") == ("conflict", f"container {identifier} is not running")


def test_what_starting_sets_up(lab: Lab) -> None:
    lab.up("c1", WorkingDir="/w", Init=True, Tty=True, Hostname="box", Binds=["notes:/n"])
    lab.up("c2")
    processes = [lab.engine.core.tables.running[find(lab.engine.core, name).id].process for name in ("c1", "c2")]
    assert [(each.pid, each.tty, each.detached, each.files.cwd) for each in processes if each] == [
        (7, True, True, "/w"),
        (1, False, True, "/"),
    ]
    assert processes[0] is not None
    assert processes[0].hostname == "box"
    pids = [find(lab.engine.core, name).state.pid for name in ("c1", "c2")]
    assert pids[1] - pids[0] == 37
    assert (find(lab.engine.core, "c1").state.error, find(lab.engine.core, "c1").stopped_by_hand) == ("", False)
    mounted = {
        line.target: line for line in lab.engine.core.tables.running[find(lab.engine.core, "c1").id].namespace.mounts
    }
    assert mounted["/"].fstype == "overlay"
    assert mounted["/"].device == "overlay"
    assert mounted["/"].options[:2] == ("rw", "relatime")


def test_a_network_that_is_gone(lab: Lab) -> None:
    lab.create("c1", "true", NetworkMode="nosuch")
    wrong = "failed to set up container networking: network nosuch not found"
    assert told(lab.start, "c1") == ("system", wrong)
    found = lab.engine.inspect_container("c1")["State"]
    assert (found["Status"], found["Error"], found["ExitCode"]) == ("created", wrong, 128)


def test_the_daemons_end_and_start(lab: Lab) -> None:
    """moby, daemon/daemon.go, Shutdown and restore."""
    policies = {"c1": "always", "c2": "unless-stopped", "c3": "no", "c4": "always", "c5": "unless-stopped"}
    for name, policy in policies.items():
        lab.up(name, RestartPolicy={"Name": policy})
    lab.up("gone", AutoRemove=True)
    lab.engine.stop("c4", 0)
    lab.engine.stop("c5", 0)
    before = lab.clock.now
    lifecycle.shut_down(lab.engine.core)
    assert lab.clock.now - before == 10 * 10**9, "all at once"
    assert {state(lab, name) for name in policies} == {("exited", 137)}
    assert [find(lab.engine.core, name).stopped_by_hand for name in policies] == [False, False, False, True, True]
    lifecycle.start_up(lab.engine.core)
    assert [state(lab, name)[0] for name in policies] == ["running", "running", "exited", "running", "exited"]
    assert len(lab.engine.containers(all=True)) == 5
