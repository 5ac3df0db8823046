"""Lesson 01: what its record says about the disk is what the machine's disk says."""

from __future__ import annotations

from labkit.course import load_exercise
from labkit.course.machines import fresh_machine
from labkit.course.record import for_learner


def test_the_marked_folders_are_those_in_which_things_lie() -> None:
    variant = for_learner(load_exercise("which-folder-has-it"), "demo", "")
    machine = fresh_machine(variant)

    def folders(command: str) -> set[str]:
        paths = machine.run(command).stdout.splitlines()
        return {path.removeprefix("/var/lib/docker/").partition("/")[0] for path in paths}

    box = machine.run("docker ps -a --format '{{.Names}}'").stdout.strip()
    image = machine.run("docker ps -a --format '{{.Image}}'").stdout.strip()
    word = machine.run(f"docker logs {box}").stdout.strip()
    paths = [item.split(",")[0] for item in variant.own.items]
    looked = [
        f'grep -l \'"log":"{word}\' $(find /var/lib/docker -type f -size -9)',
        f"find /var/lib/docker -path '*{paths[1]}'",
        f"find /var/lib/docker -name '{paths[2].rpartition('/')[2]}'",
        f"grep -lx {box}-host $(find /var/lib/docker -type f -size -9)",
        "find /var/lib/docker -path '*/bin/busybox'",
        f"grep -l WORD={word} $(find /var/lib/docker/image -type f)",
        f"grep -l '\"{image}\"' $(find /var/lib/docker/image -type f)",
    ]
    assert [folders(command) for command in looked] == [{mark} for mark in variant.own.right]
