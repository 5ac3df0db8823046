"""Sequences of docker commands drawn at random: right and wrong ones over a small vocabulary, so that they often meet.

Each command is drawn by itself, so a shrunk sequence is a part of the one that it comes from, with simpler words.
"""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import HealthCheck, Phase, Verbosity, assume, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from labkit.conformance.scenarios import Scenario

SHORTEST, LONGEST = 6, 25
Words = SearchStrategy[str]


def _of(*words: str) -> Words:
    return st.sampled_from(words)


def _line(template: str, **parts: Words) -> Words:
    """A command: the template with its parts drawn, and what is empty left out."""
    return st.fixed_dictionaries(parts).map(lambda drawn: " ".join(template.format(**drawn).split(" ")).strip())


def _some(words: Words) -> Words:
    """None to two of them, each with a blank behind it."""
    return st.lists(words, max_size=2).map(lambda drawn: "".join(f"{word} " for word in drawn))


_container = _of(*["c1"] * 6, "c2", "c2", "nosuch")
_image = _of(*["busybox"] * 5, "app", "app", "snap", "app:v2", "flat", "nosuch:1")
_new_image = _of("app", "app", "snap", "snap", "app:v2", "app:v2", "App")
_volume = _of("v1", "v2", "v1", "v2", "v3", "bad/name")
_folder = _of("/data", "/etc", "/new/deep")
_file = _of("/data/f", "/f", "/etc/passwd", "/new/deep/f", "/data/sub/g")
_place = st.one_of(_file, _folder)
_right = st.one_of(
    _line("-v {v}:{d}{mode}", v=_of("v1", "v2"), d=_folder, mode=_of("", "", ":ro", ":nocopy")),
    _line("-v /home/learner/h1:{d}{mode}", d=_folder, mode=_of("", ":ro")),
    _line("--mount type=volume,src={v},dst={d}{r}", v=_of("v1", "v2"), d=_folder, r=_of("", ",readonly")),
    _line("--mount type=bind,src=/home/learner/h1,dst={d}", d=_folder),
    _of("-v /data", "--tmpfs /data", "--mount type=tmpfs,dst=/data", "-e X=1", "--label team=x", "-w /data"),
)
_wrong_or_rare = _of(
    "-v v1:/data:wrong",
    "-v bad/name:/data",
    "-v v1",
    "-v v1:data",
    "-v /home/learner/missing:/data",
    "-v h1:/data",
    "--mount src=v1",
    "--mount dst=/data",
    "--mount type=wrong,src=v1,dst=/data",
    "--mount type=bind,src=/home/learner/missing,dst=/data",
    "--mount type=bind,src=h1,dst=/data",
    "--mount type=volume,src=v1,dst=/data,volume-nocopy",
    "--tmpfs /etc",
    "--read-only",
    "-u 1000",
    "--volumes-from c2",
)
_flag = st.one_of(_right, _right, _right, _wrong_or_rare)
_act = st.one_of(
    _line("echo {w} > {f}", w=_of("one", "two"), f=_file),
    _line("cat {f}", f=_file),
    _line("rm -r {f}", f=_place),
    _line("mkdir -p {d}/sub", d=_folder),
    _line("ls -A {d}", d=_folder),
    _line("mv {f} {d}", f=_file, d=_folder),
    _line("chmod 600 {f}", f=_file),
    _line("ln {f} /data/link", f=_file),
    _of("dd if=/dev/zero of=/big bs=1k count=64 2>/dev/null", "id -u", "pwd", "exit 3"),
)
_script = st.lists(_act, min_size=1, max_size=2).map(lambda acts: "; ".join(acts))
_inspected = _of(
    "{{.State.Status}} {{.State.ExitCode}}",
    "{{json .Mounts}}",
    "{{.Config.Image}}",
    "{{.HostConfig.Binds}}",
    "{{.Nosuch}}",
)
_step = st.one_of(
    _line("RUN {s}", s=_script),
    _line("COPY {s} {d}/", s=_of("h1", "f.txt", "h1/f", "missing"), d=_folder),
    _of("ENV X=1", "LABEL a=b", "USER 1000", "VOLUME /data", 'CMD ["ls", "/data"]', "WORKDIR /new/deep", "NOSUCH"),
)
_dockerfile = st.lists(_step, min_size=1, max_size=3).map(lambda steps: "\n".join(["FROM busybox", *steps, ""]))
_running = [
    _line("docker run --pull never -d --name {c} {f}{i} sleep 1d", c=_container, f=_some(_flag), i=_image),
    _line("docker run --pull never --name {c} {f}{i} sh -c '{s}'", c=_container, f=_some(_flag), i=_image, s=_script),
    _line("docker run --pull never --rm {f}{i} sh -c '{s}'", f=_some(_flag), i=_image, s=_script),
    _line("docker create --pull never --name {c} {f}{i}", c=_container, f=_some(_flag), i=_image),
    _line("docker exec {c} sh -c '{s}'", c=_container, s=_script),
]
_on_containers = [
    _line("docker start {c}", c=_container),
    _line("docker stop -t 0 {c}", c=_container),
    _line("docker rm {f}{c}", f=_of("", "-f ", "-v ", "-fv "), c=_container),
    _line("docker diff {c} | sort", c=_container),
    _line("docker ps {f}", f=_of("-a", "", "-aq", "-a --format '{{.Names}} {{.Image}}'")),
    _line(
        "docker cp {a} {b}",
        a=_of("h1", "f.txt", "missing"),
        b=_line("{c}:{f}", c=_container, f=_place),
    ),
    _line("docker cp {c}:{f} out", c=_container, f=_place),
    _line("docker inspect -f '{f}' {c}", f=_inspected, c=_container),
    _line("docker logs {c}", c=_container),
]
_on_images = [
    _line("docker commit {c} {i}", c=_container, i=_new_image),
    _line("docker build -q -t {i} ctx{n}", i=_new_image, n=_of("1", "2")),
    _line("docker build -t {i} ctx{n}", i=_new_image, n=_of("1", "2")),
    _line("docker tag {i} {n}", i=_image, n=_new_image),
    _line("docker rmi {f}{i}", f=_of("", "-f "), i=_image),
    _line("docker image ls {i}", i=_of("", "-a", "app", "--format '{{.Repository}}:{{.Tag}} {{.Size}}'")),
    _line("docker history --format '{{{{.CreatedBy}}}} {{{{.Size}}}}' {i}", i=_image),
    _line("docker image inspect -f '{f}' {i}", f=_of("{{len .RootFS.Layers}}", "{{.Config.Cmd}}"), i=_image),
    _line("docker save -o saved.tar {i}", i=_image),
    _of("docker load -i saved.tar", "docker load -i missing.tar", "docker image prune -f", "docker builder prune -af"),
    _line("docker export {c} | docker import - flat", c=_container),
    _line("docker export {c} | tar t | grep -v bin/ | sort", c=_container),
]
_on_volumes = [
    _line("docker volume create {v}", v=_volume),
    _line("docker volume rm {v}", v=_volume),
    _line("docker volume inspect -f '{{{{.Name}}}} {{{{.Driver}}}} {{{{.Options}}}}' {v}", v=_volume),
    _of(
        "docker volume ls",
        "docker volume prune -f",
        "docker volume prune -af",
        "docker system df",
        "docker container prune -f",
    ),
    _line("ls -A /var/lib/docker/volumes/{v}/_data", v=_volume),
    _of("find h1 | sort", "cat h1/f", "echo more >> h1/f", "rm -rf h1/sub"),
]
_command = st.one_of([st.one_of(kind) for kind in (_running, _running, _on_containers, _on_images, _on_volumes)])
_files = st.fixed_dictionaries(
    {
        "h1/f": _of("one\n", "two\n"),
        "h1/sub/g": _of("g\n"),
        "f.txt": _of("hello\n"),
        **dict.fromkeys(("ctx1/Dockerfile", "ctx2/Dockerfile"), _dockerfile),
        **dict.fromkeys(("ctx1/h1/f", "ctx2/h1/f", "ctx1/f.txt"), _of("one\n")),
    }
)
_part = st.lists(_command, max_size=LONGEST // 5)  # five of these have more often a middling length than one long list
_parts: SearchStrategy[tuple[list[str], ...]] = st.tuples(st.lists(_running[0], max_size=1), *[_part] * 5)
_runs = _parts.map(lambda parts: [run for part in parts for run in part][:LONGEST])
_sequence = st.tuples(_files, _runs)


def smallest_that_differs(seed: int, number: int, play: Callable[[Scenario], bool]) -> Scenario | None:
    """Have the sequence of this seed and number played. Where play returns False: the smallest for which it does.

    The same seed and number give the same sequence with one version of Hypothesis. Each is drawn by itself, since in
    one run Hypothesis would try many that are much like those before.
    """
    smallest: list[Scenario] = []
    answers: dict[str, bool] = {}

    @seeded(seed * 1_000_003 + number)
    @settings(
        max_examples=1,
        phases=[Phase.generate, Phase.shrink],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
        print_blob=False,
        verbosity=Verbosity.quiet,
    )
    @given(_sequence)
    def holds(sequence: tuple[dict[str, str], list[str]]) -> None:
        files, runs = sequence
        assume(smallest or len(runs) >= SHORTEST)  # shorter ones are tried only once one differs
        drawn = repr(sequence)
        scenario = Scenario(f"random-{seed}-{number}", tuple(runs), files, "random", "Commands drawn at random.")
        if drawn not in answers:
            answers[drawn] = play(scenario)
        if not answers[drawn]:
            smallest[:] = [scenario]
            raise Differs

    try:
        holds()
    except Differs:
        return smallest[0]
    return None


class Differs(AssertionError):
    """A sequence has another effect on the one side than on the other."""


def sequences(count: int, seed: int) -> list[Scenario]:
    """So many sequences."""
    found: list[Scenario] = []

    def play(scenario: Scenario) -> bool:
        found.append(scenario)
        return True

    for number in range(1, count + 1):
        smallest_that_differs(seed, number, play)
    return found
