"""labkit compare and labkit record: what they find, what they refuse, and what they leave behind.

The pure parts are tried against a second machine, sound or broken, and the refusals with a program `docker` that says
what an engine would. What needs a dockerd starts one with a data root of its own; where it can't start, it is left out.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

import pytest

from labkit.cli import main as labkit
from labkit.conformance import ownengine
from labkit.conformance.basearchive import NoBaseError, listing, make_base
from labkit.conformance.compare import (
    Asked,
    Comparison,
    Rewording,
    compare,
    compare_one,
    compare_random,
    record,
    recording,
    summary,
)
from labkit.conformance.ownengine import OwnEngine, Wanted
from labkit.conformance.replay import Player, RecordedStep, Simulated, UnusableError, read_base, read_transcript
from labkit.conformance.scenarios import Scenario, read_scenarios
from labkit.conformance.sequences import LONGEST, SHORTEST, sequences, smallest_that_differs

pytestmark = pytest.mark.long

HERE = Path(__file__).parent
NEWEST = Rewording("29.0", "29.0")


@pytest.fixture(scope="module")
def sound() -> Simulated:
    return Simulated("overlay2", read_base(HERE / "base.json"))


@dataclass
class Broken:
    """An engine on which docker diff forgets what was added."""

    inner: Simulated

    def play(self, files: dict[str, str], runs: tuple[str, ...]) -> Iterator[RecordedStep]:
        with closing(self.inner.play(files, runs)) as played:  # type: ignore[type-var]
            for step in played:
                if step["run"].startswith("docker diff"):
                    step["stdout"] = [line for line in step["stdout"] if not line.startswith("A ")]
                yield step


def broken() -> Broken:
    return Broken(Simulated("overlay2", read_base(HERE / "base.json")))


SCENARIO = Scenario(
    "diff",
    (
        "docker volume create v1",
        "docker run --name c1 busybox touch /f",
        "docker ps -aq",
        "docker diff c1",
        "docker rm c1",
    ),
)


def test_the_same_seed_draws_the_same_sequences() -> None:
    drawn = sequences(20, 7)
    assert drawn == sequences(20, 7)
    assert drawn[:10] == sequences(10, 7)
    assert drawn != sequences(20, 8)
    assert len({scenario.runs for scenario in drawn}) == 20
    assert {len(scenario.runs) for scenario in drawn} <= set(range(SHORTEST, LONGEST + 1))


def test_sequences_hold_every_kind_of_command() -> None:
    words = {" ".join(run.split()[:2]) for scenario in sequences(150, 1) for run in scenario.runs}
    wanted = "run create start stop rm exec cp commit build tag rmi save load export volume inspect ps diff system logs"
    assert {f"docker {word}" for word in wanted.split()} <= words


def test_a_sequence_is_shrunk_to_what_differs() -> None:
    def play(scenario: Scenario) -> bool:
        made = [run for run in scenario.runs if run.startswith("docker volume create")]
        return not made or not any(run.startswith("docker diff") for run in scenario.runs)

    found = [smallest for number in range(1, 20) if (smallest := smallest_that_differs(3, number, play))]
    lengths = sorted(len(one.runs) for one in found)
    assert lengths[len(lengths) // 2] == 2  # most are a volume and a diff, and nothing else
    assert lengths[-1] <= 4
    assert not any(map(play, found))


def test_equal_engines_are_equal(sound: Simulated) -> None:
    said: list[str] = []
    comparison = Comparison(Simulated("overlay2", read_base(HERE / "base.json")), sound, NEWEST)
    compare_random(comparison, Asked([], random=5, seed=2), said.append)
    assert summary(comparison, said.append) == 0
    assert said[-1] == "5 of 5 scenarios are equal"
    assert comparison.equal == comparison.steps >= 5 * SHORTEST


def test_the_first_difference_is_shown_as_a_diff(sound: Simulated) -> None:
    said: list[str] = []
    comparison = Comparison(broken(), sound, NEWEST)
    assert not compare_one(comparison, SCENARIO, Asked([]), said.append)
    assert said[0] == "differs diff step 4"
    assert said[1].splitlines()[:2] == ["--- diff on the engine", "+++ diff simulated"]
    assert "+A /f" in said[1].splitlines()
    assert summary(comparison, said.append) == 1
    assert said[-2:] == ["3 of 4 steps are equal", "0 of 1 scenarios are equal"]


def test_a_random_difference_is_shown_at_its_smallest(sound: Simulated) -> None:
    said: list[str] = []
    comparison = Comparison(broken(), sound, NEWEST)
    compare_random(comparison, Asked([], random=60, seed=4), said.append)
    assert comparison.differing == 1
    first = next(n for n, line in enumerate(said) if "the smallest such sequence" in line)
    shown = [line for line in said[first + 1 :] if line.startswith("docker")]
    assert len(shown) <= 4  # a container, what it writes, and its diff; perhaps one more
    assert shown[-1].startswith("docker diff")


def test_what_an_older_version_words_otherwise_is_counted_as_known(sound: Simulated) -> None:
    class Older:
        def play(self, files: dict[str, str], runs: tuple[str, ...]) -> Iterator[RecordedStep]:
            yield {"run": runs[0], "exit": 1, "stdout": [], "stderr": ["Error: No such volume: v1"]}

    one = Scenario("volume", ("docker volume rm v1",))
    said: list[str] = []
    older = Comparison(Older(), sound, Rewording("20.10.24+dfsg1", "20.10.24+dfsg1"))
    assert older.first_difference(one) is None
    assert summary(older, said.append) == 0
    assert said[0] == "1 of 1 steps are equal, 1 of them but for what the version words otherwise"
    assert Comparison(Older(), sound, NEWEST).first_difference(one) is not None


def test_a_recording_is_in_the_format_that_replay_plays(sound: Simulated, tmp_path: Path) -> None:
    path = tmp_path / "diff.json"
    path.write_text(json.dumps(recording(sound, SCENARIO, "overlay2")))
    assert Player().play(read_transcript(path), HERE / "base.json") is None
    (again,) = read_scenarios([str(path)], "overlay2")
    assert again.runs == SCENARIO.runs
    assert list(read_scenarios([str(path)], "vfs")) == []


def test_the_scenarios_that_were_recorded_are_read() -> None:
    found = {scenario.name for scenario in read_scenarios([str(HERE / "scenarios")], "overlay2")}
    assert found == {path.stem for path in (HERE / "transcripts/overlay2").glob("*.json")}


def test_what_is_no_scenario_is_named(tmp_path: Path) -> None:
    (tmp_path / "odd.yaml").write_text("- name: [")
    for name in (tmp_path / "odd.yaml", tmp_path / "nosuch.yaml"):
        with pytest.raises(UnusableError, match=name.name):
            list(read_scenarios([str(name)], "overlay2"))


DOCKER = """\
#!/bin/sh
echo "$*" >>"$HOLDS/asked"
case "$1 $2" in
    "info "*) echo '{"ServerVersion": "29.0", "Driver": "overlay2", "DriverStatus": [], "DockerRootDir": "/elsewhere"}' ;;
    "version "*) echo 29.0 ;;
    "ps "*) cat "$HOLDS/containers" ;;
    "image ls") cat "$HOLDS/images" ;;
    "volume ls") cat "$HOLDS/volumes" ;;
    "volume create") echo probe ;;
    "volume inspect") echo /elsewhere/volumes/probe ;;
    "system df") printf 'Images\\t0\\nBuild Cache\\t%s\\n' "$(cat "$HOLDS/cache")" ;;
    "context inspect") [ "$3" = lab ] && echo unix:///lab.sock || exit 1 ;;
esac
"""


@pytest.fixture
def holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What a program `docker` says that its engine holds, and what it was asked."""
    folder = tmp_path / "holds"
    folder.mkdir()
    for name, text in {"containers": "", "images": "", "volumes": "", "cache": "0", "asked": ""}.items():
        (folder / name).write_text(text)
    (tmp_path / "docker").write_text(DOCKER)
    (tmp_path / "docker").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setenv("DOCKER_HOST", "unix:///the-readers-own.sock")
    monkeypatch.setattr(ownengine, "_PASSED_ON", (*ownengine._PASSED_ON, "HOLDS"))
    monkeypatch.setenv("HOLDS", str(folder))
    monkeypatch.setattr(ownengine, "HOME", tmp_path / "home")
    monkeypatch.setattr(ownengine, "FOLDERS", (tmp_path / "home",))
    return folder


def asked_of(holds: Path) -> list[str]:
    return (holds / "asked").read_text().splitlines()


CHANGES = ("rm", "create", "import", "prune", "build", "run")


@pytest.mark.parametrize(
    ("kind", "text", "shown"),
    [
        ("containers", "web\ndb\n", "containers: web, db"),
        (
            "images",
            "".join(f"i{n}:latest\n" for n in range(7)),
            "images: i0:latest, i1:latest, i2:latest, i3:latest, i4:latest and 2 more",
        ),
        ("volumes", "notes\n", "volumes: notes"),
        ("cache", "6", "build cache: 6 entries"),
    ],
)
def test_an_engine_that_holds_something_is_left_alone(
    holds: Path, capsys: pytest.CaptureFixture[str], kind: str, text: str, shown: str
) -> None:
    (holds / kind).write_text(text)
    base = holds / "base.tar"
    base.touch()
    for command in (["compare"], ["record", "--out", str(holds / "out")]):
        assert labkit([*command, "--random", "1", "--base", str(base)]) == 2
        said = capsys.readouterr().out
        assert shown in said
        assert "nothing was touched" in said
        assert "--data-root" in said
        assert "--context" in said
    assert not [line for line in asked_of(holds) if set(line.split()) & set(CHANGES)]
    assert not (holds / "out").exists()


def test_a_folder_that_is_the_readers_is_left_alone(holds: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mine = holds.parent / "home" / "mine"
    mine.mkdir(parents=True)
    assert compare(Asked([], random=1, base=holds / "base.tar")) == 2
    assert str(mine.parent) in capsys.readouterr().out
    assert mine.is_dir()


def test_what_came_in_between_stops_it_and_stays(holds: Path) -> None:
    engine = OwnEngine(Wanted(), holds / "base.tar")
    (holds / "asked").write_text("")
    (holds / "containers").write_text("someone-elses\n")
    with pytest.raises(ownengine.EngineError, match="someone-elses"):
        list(engine.play({}, ["echo hello"]))
    assert not [line for line in asked_of(holds) if set(line.split()) & set(CHANGES)]


def test_it_removes_what_a_scenario_made_and_passes_on_what_the_engine_needs(holds: Path) -> None:
    engine = OwnEngine(Wanted(run_flags="--network none", build_flags="--network none"), holds / "base.tar")
    (holds / "asked").write_text("")
    runs = ["docker run -d busybox", "echo 'web' > $HOLDS/containers; touch file", "docker build -q ."]
    steps = list(engine.play({"sub/f": "text"}, runs))
    assert [step["run"] for step in steps] == runs
    asked = asked_of(holds)
    assert "run --network none -d busybox" in asked
    assert "build --network none -q ." in asked
    assert "rm --force --volumes web" in asked
    assert "builder prune --all --force" in asked
    assert not (holds.parent / "home").exists()


def test_an_engine_elsewhere_plays_what_needs_no_file_of_its_machine(holds: Path) -> None:
    engine = OwnEngine(Wanted(context="lab"), holds / "base.tar")
    assert not engine.here
    for run in (
        "ls /var/lib/docker/volumes",
        "docker run -v ./a:/b busybox",
        "docker run --mount type=bind,src=/a,dst=/b busybox",
    ):
        assert engine.playable(("docker run -v v1:/data busybox", run, "docker ps")) == (
            "docker run -v v1:/data busybox",
        )
    with pytest.raises(ownengine.EngineError, match="context inspect"):
        OwnEngine(Wanted(context="nosuch"), holds / "base.tar")


def test_without_the_extra_one_line_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "hypothesis.py").write_text("raise ModuleNotFoundError(name='hypothesis')")
    done = subprocess.run(
        [sys.executable, "-m", "labkit.cli", "compare", "--random", "1"],
        env=os.environ | {"PYTHONPATH": f"{tmp_path}:{HERE.parents[1]}"},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "labkit: hypothesis is missing: pip install 'docker-storage-labkit[compare]'\n"


def test_scenarios_or_random_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert labkit(["compare"]) == 2
    assert labkit(["compare", "x.yaml", "--random", "1"]) == 2
    assert "either scenarios or --random N" in capsys.readouterr().err


def test_a_base_image_is_made_of_this_computers_busybox(tmp_path: Path) -> None:
    program = shutil.which("busybox")
    try:
        make_base(tmp_path / "base.tar")
    except NoBaseError:
        pytest.skip("no static busybox")
    rows = {row["path"]: row for row in listing(tmp_path / "base.tar")}
    assert program
    assert rows["/bin/busybox"]["size"] == Path(program).stat().st_size
    assert rows["/bin/ls"]["target"] == "busybox"
    assert rows["/etc/passwd"]["content"].startswith("root:")
    with pytest.raises(NoBaseError, match="not a base image"):
        listing(HERE / "base.json")


@pytest.fixture
def own_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A dockerd of the test's own; its address."""
    if os.geteuid() or not all(map(shutil.which, ("dockerd", "docker", "busybox"))):
        pytest.skip("no dockerd that this user can start: labkit compare is not tried on an engine")
    if any(folder.exists() for folder in ownengine.FOLDERS):
        pytest.skip(f"{ownengine.HOME} or another folder of the scenarios is there: labkit compare is not tried")
    folder = tmp_path_factory.mktemp("engine")
    address = f"unix://{folder}/sock"
    places = [f"--{name}={folder}/{name}" for name in ("data-root", "exec-root", "pidfile")]
    started = ["dockerd", "--iptables=false", "--bridge=none", f"--host={address}", *places]
    with subprocess.Popen(started, stderr=subprocess.PIPE, text=True) as daemon:
        assert daemon.stderr
        last = ""
        for last in daemon.stderr:
            if "API listen on" in last:
                break
        else:
            pytest.skip(f"dockerd does not start, and labkit compare is not tried on an engine: {last.strip()}")
        Thread(target=daemon.stderr.read).start()
        try:
            yield address
        finally:
            daemon.terminate()


def test_on_an_engine_of_its_own(own_engine: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What any engine says of volumes and files; it is left as it was found, or not played on at all."""
    monkeypatch.setenv("DOCKER_HOST", own_engine)
    wanted = Wanted(run_flags="--network none", build_flags="--network none")
    path = tmp_path / "scenarios.yaml"
    path.write_text(
        """
- name: volume
  files: {h1/f: "hello\\n"}
  steps:
  - docker volume create v1
  - docker run --name c1 -v v1:/data -v /home/learner/h1:/h1 busybox sh -c 'cp /h1/f /data/g; echo new > /f; cat /data/g'
  - docker diff c1 | sort
  - cat /var/lib/docker/volumes/v1/_data/g
  - docker commit c1 app
  - docker run --rm app cat /f
"""
    )
    said: list[str] = []
    assert compare(Asked([str(path)], wanted=wanted), said.append) == 0, said
    assert said[-2:] == ["6 of 6 steps are equal", "1 of 1 scenarios are equal"]
    assert record(Asked([str(path)], wanted=wanted), tmp_path / "out", said.append) == 0, said
    transcript = read_transcript(tmp_path / "out" / "volume.json")
    assert Player().play(transcript, HERE / "base.json") is None
    assert not any(folder.exists() for folder in ownengine.FOLDERS)
    subprocess.run(["docker", "volume", "create", "mine"], check=True, stdout=subprocess.DEVNULL)
    assert compare(Asked([str(path)], wanted=wanted), said.append) == 2
    assert "volumes: mine" in said[-1]
    left = subprocess.run(["docker", "volume", "ls", "-q"], check=True, capture_output=True, text=True).stdout
    assert left == "mine\n"
