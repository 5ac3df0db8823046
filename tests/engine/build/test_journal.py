"""What the journal of a build says: which steps were cached, and which part of a key made one be made anew."""

from __future__ import annotations

import random
import re
from typing import Any

import pytest

from labkit import Machine
from labkit.engine.build.journal import Reason, before, reasons
from labkit.engine.core.records import Journal

DOCKERFILE = """FROM busybox
ARG VERSION=1
ENV MODE=fast
WORKDIR /app
COPY requirements.txt .
RUN cat requirements.txt > installed
COPY src src
RUN echo $VERSION
"""
FOLDER = "/home/learner/app"
PLAIN = "docker build -t app app"


def machine_with(dockerfile: str = DOCKERFILE) -> Machine:
    machine = Machine()
    for path, text in {
        "Dockerfile": dockerfile,
        "requirements.txt": "flask\n",
        "src/app.py": "print(1)\n",
        "src/util.py": "",
    }.items():
        machine.files.makedirs(f"{FOLDER}/{path}".rpartition("/")[0])
        machine.files.write(f"{FOLDER}/{path}", text)
    return machine


def built(machine: Machine, command: str = PLAIN) -> Journal:
    machine.run(command)
    journal = machine.engine.build_cache.journal
    assert journal is not None
    return journal


def why(journal: Journal) -> dict[str, list[Reason]]:
    """The reasons of each step that was made, by its instruction."""
    found = [(each, reasons(each, journal)) for each in journal.outcomes if each.state != "cached"]
    return {re.sub(r"^\[.*?\] ", "", each.name): reason for each, reason in found}


LAST, INSTALL = "RUN echo $VERSION", "RUN cat requirements.txt > installed"
SRC = "[stage-0 5/6] COPY src src"
ROWS: list[tuple[str, str, dict[str, list[Any]]]] = [
    ("nothing", "", {}),
    ("a new time", "touch app/src/app.py app/requirements.txt", {}),
    ("a comment", "sed -i 's/^ENV/# why\\nENV/' app/Dockerfile", {}),
    ("a file's content", "echo 2 > app/src/app.py", {"COPY src src": [("file", "app.py", "content")], "last": []}),
    ("a file's mode", "chmod 755 app/src/app.py", {"COPY src src": [("file", "app.py", "mode", "644", "755")]}),
    ("a file's owner", "chown 1000:1000 app/src/app.py", {}),
    ("a new file", "touch app/src/new", {"COPY src src": [("file", "new", "new")]}),
    ("a file is gone", "rm app/src/util.py", {"COPY src src": [("file", "util.py", "gone")]}),
    ("a file becomes a folder", "rm app/src/util.py; mkdir app/src/util.py", {"COPY src src": [("file", "util.py", "kind")]}),
    ("a file that nothing copies", "touch app/notes", {}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "edit", "expected"), ROWS, ids=[row[0] for row in ROWS])
def test_an_edit_of_the_context(name: str, edit: str, expected: dict[str, list[Any]]) -> None:
    machine = machine_with()
    built(machine)
    machine.run(edit or "true")
    found = why(built(machine))
    if not expected:
        assert found == {}
        return
    assert list(found) == ["COPY src src", "RUN echo 1"]
    assert found["COPY src src"] == [Reason(*row) for row in expected["COPY src src"]]
    assert found["RUN echo 1"] == [Reason("below", "[5/6] COPY src src")]


def test_the_text_of_an_instruction_and_what_stands_on_it() -> None:
    machine = machine_with()
    built(machine)
    machine.run("sed -i 's/> installed/> other/' app/Dockerfile")
    found = why(built(machine))
    assert [each.what for each in found["RUN cat requirements.txt > other"]] == ["command"]
    assert found["COPY src src"] == [Reason("below", "[4/6] RUN cat requirements.txt > other")]


def test_two_edits_at_once_are_both_reasons() -> None:
    machine = machine_with()
    built(machine)
    machine.run("sed -i 's/echo $VERSION/echo v$VERSION/' app/Dockerfile; echo 2 > app/src/app.py")
    found = why(built(machine))
    assert [each.what for each in found["RUN echo v1"]] == ["below", "command"]


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("docker build -t app --build-arg VERSION=2 app", Reason("argument", "VERSION", "value", "1", "2")),
        ("docker build -t app --no-cache app", Reason("forced", "--no-cache")),
    ],
)
def test_options(command: str, reason: Reason) -> None:
    """An ARG is in the environment of every RUN below it, whether the RUN names it or not."""
    machine = machine_with()
    built(machine)
    found = why(built(machine, command))
    assert found[INSTALL] == [reason]
    if reason.what == "argument":
        assert list(found) == [INSTALL, "COPY src src", "RUN echo 2"]


def test_an_environment_variable() -> None:
    machine = machine_with()
    built(machine)
    machine.run("sed -i 's/MODE=fast/MODE=slow/' app/Dockerfile")
    assert why(built(machine))[INSTALL] == [Reason("variable", "MODE", "value", "fast", "slow")]


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        ("s/COPY src/COPY --chmod=700 src/", Reason("option", "--chmod", "value", "", "700")),
        ("s/COPY src src/COPY src other/", Reason("option", "target", "value", "/app/src", "/app/other")),
    ],
)
def test_options_of_copy(edit: str, reason: Reason) -> None:
    machine = machine_with()
    built(machine)
    machine.run(f"sed -i '{edit}' app/Dockerfile")
    assert [reason] in why(built(machine)).values()


def test_a_record_that_was_pruned() -> None:
    machine = machine_with()
    built(machine)
    machine.run("docker builder prune -af")
    assert set(map(tuple, why(built(machine)).values())) == {(Reason("pruned"),)}


def test_what_was_never_built_is_new() -> None:
    assert set(map(tuple, why(built(machine_with())).values())) == {(Reason("new"),)}


def test_another_base() -> None:
    machine = machine_with()
    built(machine)
    machine.run("sed -i 's/busybox/alpine/' app/Dockerfile")
    found = why(built(machine))
    assert [each.what for each in found["WORKDIR /app"]] == ["below"]
    assert found["WORKDIR /app"][0].name.startswith("[1/6] FROM docker.io/library/alpine")


def test_what_dockerignore_names_is_in_no_key() -> None:
    machine = machine_with("FROM busybox\nCOPY . /all\n")
    machine.run("echo '**/*.log' > app/.dockerignore")
    built(machine)
    machine.run("echo noise > app/src/x.log")
    journal = built(machine)
    assert why(journal) == {}
    assert journal.context is not None
    assert "src/x.log" not in journal.context
    machine.run("echo > app/.dockerignore")
    assert why(built(machine))["COPY . /all"] == [
        Reason("file", ".dockerignore", "content"),
        Reason("file", "src/x.log", "new"),
    ]


def test_a_stage_that_gives_the_same_files_leaves_what_copies_them_cached() -> None:
    machine = machine_with(
        "FROM busybox AS make\nCOPY src src\nRUN mkdir /out && echo fixed > /out/file\n"
        "FROM busybox\nCOPY --from=make /out /out\nRUN ls /out\n"
    )
    built(machine)
    machine.run("echo 2 > app/src/app.py")
    journal = built(machine)
    assert {each.name.partition("] ")[2]: each.state for each in journal.outcomes} == {
        "COPY src src": "made",
        "RUN mkdir /out && echo fixed > /out/file": "made",
        "COPY --from=make /out /out": "cached",
        "RUN ls /out": "cached",
    }
    machine.run("sed -i 's/fixed/other/' app/Dockerfile")
    assert why(built(machine))["COPY --from=make /out /out"] == [Reason("file", "file", "content")]


def test_seconds_and_bytes_are_those_of_the_step_that_was_made() -> None:
    machine = machine_with("FROM busybox\nRUN sleep 3 && dd if=/dev/zero of=/big bs=1M count=2\n")
    first, again = built(machine).outcomes[0], built(machine).outcomes[0]
    assert (first.state, again.state) == ("made", "cached")
    assert first.seconds == again.seconds
    assert first.seconds > 3
    assert first.size == again.size == 2 << 20


def test_a_new_time_is_sent_again_and_changes_no_key() -> None:
    machine = machine_with()
    built(machine)
    assert built(machine).again == frozenset()
    machine.run("touch app/src/app.py app/new")
    journal = built(machine)
    assert journal.again == {"src/app.py"}
    assert why(journal) == {}


def test_a_broken_build_says_how_far_it_came() -> None:
    machine = machine_with("FROM busybox\nRUN true\nRUN false\nRUN ls\n")
    assert [each.state for each in built(machine).outcomes] == ["made", "failed"]
    machine.run("echo 'NONSENSE' > app/Dockerfile")
    assert built(machine) == Journal()


# --- random edits: the journal, a try on a snapshot, and the progress that Docker prints must say the same

COMMANDS = ("docker build -t app app",) * 6 + (
    "docker build -t app --build-arg VERSION=2 app",
    "docker build -t app --build-arg VERSION=3 app",
    "docker build -t app --no-cache app",
    "docker build -t app --no-cache-filter make app",
    "docker build -t app --target make app",
)
STEPS = (
    "COPY src src", "COPY . /all", "COPY a.txt b.txt /", "RUN cat a.txt; echo $VERSION > out", "RUN ls",
    "RUN echo fixed > out", "WORKDIR /w", "WORKDIR /w/x", "ENV A=1", "ENV A=2", "ARG VERSION=1", "ARG VERSION=2",
    "COPY --chmod=700 a.txt /a", "USER 1000", "RUN --mount=type=bind,source=src,target=/src ls /src > /tmp/n",
)  # fmt: skip


def random_dockerfile(chance: random.Random) -> str:
    lines = ["FROM busybox AS make", *chance.sample(STEPS, 4), "RUN mkdir -p /out; echo done > /out/file"]
    lines += ["FROM busybox", *chance.sample(STEPS, 3), "COPY --from=make /out /out", *chance.sample(STEPS, 2)]
    return "\n".join(lines) + "\n"


def random_edit(chance: random.Random, machine: Machine, dockerfile: str) -> str:
    """One change of the Dockerfile or its context; the Dockerfile as it is then."""
    acts = (
        f"echo {chance.random()} > app/a.txt", "touch app/b.txt", f"chmod {chance.choice(('600', '644'))} app/src/app.py",
        f"echo x > app/src/new{chance.randrange(3)}", f"rm -f app/src/new{chance.randrange(3)}", "docker builder prune -f",
        "docker builder prune -af", f"echo '{chance.choice(('src', '*.txt', 'none'))}' > app/.dockerignore", "rm -f app/.dockerignore",
        f"echo {chance.randrange(2)} > app/a.txt", "docker rmi app", "true",
    )  # fmt: skip
    if chance.random() < 0.5:
        machine.run(chance.choice(acts))
        return dockerfile
    lines = dockerfile.splitlines()
    place = chance.randrange(1, len(lines))
    if not lines[place].startswith(("FROM", "COPY --from", "RUN mkdir")):
        lines[place] = chance.choice(STEPS)
    dockerfile = "\n".join(lines) + "\n"
    machine.files.write(f"{FOLDER}/Dockerfile", dockerfile)
    return dockerfile


def printed(progress: str) -> dict[str, str]:
    """What docker build's plain progress says of each step that is no [internal] one and no FROM."""
    names = dict(re.findall(r"^#(\d+) (\[.*)$", progress, re.M))
    ends = dict(re.findall(r"^#(\d+) (CACHED|CANCELED|DONE|ERROR)", progress, re.M))
    words = {"CACHED": "cached", "DONE": "made", "ERROR": "failed", "CANCELED": "canceled"}
    return {
        name: words[ends[number]]
        for number, name in names.items()
        if not name.startswith("[internal]") and not re.match(r"\[[^]]*\] FROM", name)
    }


@pytest.mark.parametrize("seed", range(25))
def test_over_random_edits_the_marks_are_those_of_the_progress(seed: int) -> None:
    chance = random.Random(seed)
    dockerfile = random_dockerfile(chance)
    machine = machine_with(dockerfile)
    machine.run("echo a > app/a.txt; echo b > app/b.txt")
    cached = 0
    for _ in range(12):
        dockerfile = random_edit(chance, machine, dockerfile)
        command = chance.choice(COMMANDS)
        saved = machine.snapshot()
        foreseen = {each.name: each.state for each in built(machine, command).outcomes}
        machine.restore(saved)
        done = machine.run(command)
        journal = machine.engine.build_cache.journal
        marks = {each.name: each.state for each in journal.outcomes}
        assert marks == printed(done.stderr)
        assert foreseen == marks
        cached += list(marks.values()).count("cached")
        keys = {made.key.digest for made in journal.earlier}
        for each in journal.outcomes:
            found = reasons(each, journal)
            assert bool(found) == (each.state in ("made", "failed") and each.key is not None)
            if each.state == "made" and not each.forced:
                assert (Reason("pruned") in found) == (each.digest in keys)
            former = before(each, journal)
            if found and former and each.digest not in keys and not each.forced:
                assert each.key is not None
                assert former.key.digest != each.digest
                assert ("below" in [row.what for row in found]) == (former.key.below != each.key.below)
    assert cached, "something was cached at all"
