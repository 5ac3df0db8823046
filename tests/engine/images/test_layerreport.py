"""What is said of a stack of layers, on every storage driver, against what a naive reading of the archives says."""

from __future__ import annotations

import io
import random
import tarfile

import pytest

from labkit import Machine
from labkit.drivers import DRIVERS
from labkit.engine.core.errors import EngineError
from labkit.engine.images.layerreport import Stack, files_of, stack_of

DOCKERFILE = """FROM busybox
RUN dd if=/dev/zero of=/archive.tar bs=1M count=50 && mkdir -p /d/e && echo one >/d/e/f
RUN rm -r /archive.tar /d
COPY a /a
RUN chmod 700 /a
RUN mkdir -p /d && echo two >/d/g
RUN mv /a /b
"""
MIB50 = 50 << 20
MACHINES = [{"storage_driver": name} for name in sorted(DRIVERS) if name != "overlayfs"] + [
    {"image_store": "containerd"}
]


def built(dockerfile: str = DOCKERFILE, **options: str) -> Machine:
    machine = Machine(**options)  # type: ignore[arg-type]
    machine.run(f"mkdir app; echo hello > app/a; cat > app/Dockerfile <<'EOF'\n{dockerfile}EOF")
    done = machine.run("docker build -t app app")
    assert done.returncode == 0, done.stderr
    return machine


@pytest.fixture(scope="module")
def stack() -> Stack:
    return stack_of(built().engine.core, "app")


@pytest.mark.parametrize("options", MACHINES, ids=lambda options: next(iter(options.values())))
def test_every_driver_and_store_tells_the_same(options: dict[str, str]) -> None:
    machine = built(**options)
    machine.run("docker run -d --name web app sleep 1000")
    machine.run("docker exec web sh -c 'echo new >/new; rm /b; echo more >>/d/g'")
    found = stack_of(machine.engine.core, "web")
    assert [layer.kind for layer in found.layers] == ["image"] * 7 + ["init", "container"]
    assert [(each.path, each.by, each.how, each.size) for each in found.hidden if each.size] == [
        ("/archive.tar", 3, "whiteout", MIB50),
        ("/d", 3, "whiteout", 4),
        ("/a", 5, "replaced", 6),
        ("/a", 7, "whiteout", 6),
        ("/b", 9, "whiteout", 6),
        ("/d/g", 9, "replaced", 4),
    ]
    assert {number: size for number, size in found.hidden_in.items() if size} == {2: MIB50 + 4, 4: 6, 5: 6, 6: 4, 7: 6}
    assert found.counts(9) == {"added": 1, "changed": 1, "deleted": 1, "": 1}
    assert [(row.number, row.what, row.seen, row.hidden_by) for row in found.trace("/d/g") if row.what == "file"] == [
        (9, "file", True, None),
        (6, "file", False, 9),
    ]


def test_where_a_file_comes_from(stack: Stack) -> None:
    rows = [(row.number, row.what, row.at, row.seen, row.hidden_by) for row in stack.trace("/archive.tar")]
    assert rows[4:] == [
        (3, "whiteout", "/archive.tar", False, None),
        (2, "file", "/archive.tar", False, 3),
        (1, "nothing", "/archive.tar", False, None),
    ]
    assert {row[1] for row in rows[:4]} == {"nothing"}
    gone = {row.number: row for row in stack.trace("/d/e/f")}
    assert (gone[3].what, gone[3].at, gone[2].hidden_by) == ("whiteout", "/d", 3)
    assert gone[6].what == "nothing", "a new folder needs no mark where a whiteout further down hides the old one"
    assert [row.number for row in stack.trace("/etc") if row.seen] == [
        row.number for row in stack.trace("/etc") if row.what == "folder"
    ]
    below_a_file = {row.number: row for row in stack.trace("/b/x")}
    assert (below_a_file[7].what, below_a_file[7].at, below_a_file[7].seen) == ("file", "/b", False)


def test_efficiency_and_waste_are_counted_as_dive_does(stack: Stack) -> None:
    """By hand: archive.tar 50 MiB and 0; /a 6, 6 and 0; /d/e/f 4; the whiteout of /d 4, which is all it hid."""
    base = sum(len(inode.data) for _, _, inode in files_of(stack.merged[1], ""))  # has no file under two names
    score, wasted = stack.efficiency
    assert wasted == MIB50 + 12
    smallest = base + 4 + 4 + 4 + 6  # d/e/f, whiteout of d, d/g, b
    assert score == pytest.approx(smallest / (smallest + MIB50 + 12))


def test_contents_that_are_there_before(stack: Stack) -> None:
    same = next(each for each in stack.copies if each.size == 6)
    assert same.places == ((4, "/a"), (5, "/a"), (7, "/b"))
    assert same.extra == 12


def test_a_second_name_of_a_file_costs_nothing() -> None:
    machine = built("FROM busybox\nRUN dd if=/dev/zero of=/one bs=1M count=1 && ln /one /two\nRUN rm /one\n")
    found = stack_of(machine.engine.core, "app")
    assert found.hidden_in[2] == 0, "the other name is still seen"
    assert found.layers[1].size == 1 << 20
    assert not [each for each in found.copies if each.size == 1 << 20]


def test_names_nothing_has() -> None:
    machine = Machine()
    with pytest.raises(EngineError):
        stack_of(machine.engine.core, "nothing")


def test_a_container_comes_before_an_image_of_its_name() -> None:
    machine = built()
    machine.run("docker create --name app busybox")
    assert stack_of(machine.engine.core, "app").kind == "container"


def naive(stack: Stack) -> tuple[dict[str, int], int]:
    """What is seen (path to layer) and the hidden bytes, from the layers' archives and nothing else."""
    seen: dict[str, tuple[int, int, bool]] = {}
    for layer in stack.layers:
        with tarfile.open(fileobj=io.BytesIO(bytes(layer.layer.tar()))) as archive:
            members = [(f"/{member.name.strip('/')}", member) for member in archive]
        for path, _ in members:
            folder, _, name = path.rpartition("/")
            if name == ".wh..wh..opq":
                seen = {each: at for each, at in seen.items() if not each.startswith(f"{folder}/")}
            elif name.startswith(".wh."):
                gone = f"{folder}/{name[4:]}"
                seen = {each: at for each, at in seen.items() if each != gone and not each.startswith(f"{gone}/")}
        for path, member in members:
            if not path.rpartition("/")[2].startswith(".wh.") and not member.isdir():
                seen = {each: at for each, at in seen.items() if not each.startswith(f"{path}/")}
                seen[path] = (layer.number, member.size, member.isreg() or member.islnk())
    stored = sum(layer.size for layer in stack.layers)
    links = sum(len(target) for target in _links(stack))
    return {path: number for path, (number, _, file) in seen.items() if file}, stored - links - sum(
        each[1] for each in seen.values()
    )


def _links(stack: Stack) -> list[str]:
    from labkit.engine.images.layerreport import walk

    return [inode.data for layer in stack.layers for _, inode in walk(layer.layer.root, "") if type(inode.data) is str]


@pytest.mark.parametrize("seed", range(12))
def test_random_stacks_against_the_archives(seed: int) -> None:
    chance = random.Random(seed)
    paths = [f"/t/{first}{second}" for first in ("a", "b", "c") for second in ("", "/x", "/y", "/x/z")]
    acts = (
        "rm -rf {0}",
        "rm -rf {0} && mkdir -p {0}",
        "mkdir -p $(dirname {0}) && test ! -d {0} && echo {1} > {0}",
        "mv {0} {2}",
        "chmod 700 {0}",
    )
    lines = ["FROM busybox", "RUN mkdir /t"]
    for number in range(7):
        act = chance.choice(acts).format(chance.choice(paths), f"text{number}", chance.choice(paths))
        lines.append(f"RUN {act}; true")
    found = stack_of(built("\n".join(lines) + "\n").engine.core, "app")
    seen, hidden = naive(found)
    assert {path: number for number, path, _ in files_of(found.top, "")} == seen
    assert sum(found.hidden_in.values()) == hidden
    for path in paths:
        rows = [row for row in found.trace(path) if row.seen]
        if path in seen:
            assert [row.number for row in rows] == [seen[path]]
        for row in found.trace(path):
            if row.inode is not None and not row.inode.is_dir and row.what != "whiteout":
                assert row.seen == (row.hidden_by is None)
