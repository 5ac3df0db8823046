"""Every line of rows.txt by labkit and by the real utilities of this machine: output, status and resulting files.

A line is run in a fresh copy of oracle.LAYOUT; ` ; ` separates commands, `busybox:` or `gnu:` in front limits the
flavour. What a build of busybox leaves out (find -delete, sort -h …) labkit has, so no line asks for it.
"""

from __future__ import annotations

import shutil
import subprocess
from functools import cache
from pathlib import Path

import oracle
import pytest

pytestmark = pytest.mark.long

STDIN = b"stdin one\nstdin two\n"
UNORDERED = (
    "find",
    "du ",
    "grep -r",
    "-R",
    "-v",
    "rm -r",
)  # lines whose output follows the order of the disk's directories
FLAVOURS = ("busybox", "gnu")
BY_INODE = {"gnu": {"cp -r d d": "d/d"}}  # by inode numbers, up to the copy itself
TRIES = {"time -p true": 5, "ls -c": 5}  # lines that tell of the real clock: a busy machine gets another try


def rows() -> list[tuple[str, str]]:
    found = []
    for line in (Path(__file__).parent / "rows.txt").read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        only = next((flavour for flavour in FLAVOURS if line.startswith(f"{flavour}: ")), None)
        text = line.removeprefix(f"{only}: ")
        found += [(flavour, text) for flavour in ([only] if only else FLAVOURS)]
    return found


@cache
def oracle_version(flavour: str) -> str:
    command = ["busybox"] if flavour == "busybox" else ["ls", "--version"]
    if shutil.which(command[0]) is None:
        return ""
    return subprocess.run(command, capture_output=True, text=True).stdout.splitlines()[0]


WANTED = {"busybox": "BusyBox v1.35", "gnu": "ls (GNU coreutils) 9.1"}


def need(flavour: str) -> None:
    """Skip, and say why, where the utilities here are not the ones whose messages labkit has."""
    version = oracle_version(flavour)
    if not version.startswith(WANTED[flavour]):
        pytest.skip(f"NO ORACLE for {flavour}: {WANTED[flavour]} is wanted, {version or 'nothing'} is here")


@pytest.mark.parametrize(("flavour", "line"), rows())
def test_line(flavour: str, line: str) -> None:
    need(flavour)
    for command in oracle.split(line):
        if not oracle.have(flavour, command[0]):
            pytest.skip(f"NO ORACLE for {flavour}'s {command[0]}")
    unordered = any(word in line for word in UNORDERED)
    for _ in range(TRIES.get(line, 1)):
        left_out = BY_INODE.get(flavour, {}).get(line)
        ours, real = (
            oracle.shown(each, unordered=unordered, left_out=left_out) for each in oracle.both(flavour, line, STDIN)
        )
        if ours == real:
            break
    assert ours == real


def test_there_are_hundreds_of_rows() -> None:
    assert len(rows()) > 800
