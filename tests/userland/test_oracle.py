"""Every line of rows.txt by labkit and by the real utilities of this machine: output, status and resulting files.

A line is run in a fresh copy of oracle.LAYOUT; ` ; ` separates commands, `busybox:` or `gnu:` in front limits the
flavour. What a build of busybox leaves out (find -delete, sort -h …) labkit has, so no line asks for it.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import oracle
import pytest

pytestmark = pytest.mark.long

STDIN = b"stdin one\nstdin two\n"
# What reads folders without sorting prints and packs in an order that each disk has its own of: ext4's follows a hash,
# tmpfs' the age, and GNU's utilities go by the inodes' numbers; what the real clock orders is no surer.
WALKS = re.compile(
    r"(^| )(find|du|tar|ls -c)( |$)|(^| )(grep|rm|cp|mv|chmod|chown|chgrp) .*?(-[A-Za-z]*[Rrav]|--recursive|--parents)"
)
# What tells how much a disk needs for a folder or a block: as ext4 has it, and so the machine.
MEASURES = re.compile(r"(^| )(ls -[A-Za-z]*[lns]|stat|du|find .*(-size|-printf))")
FLAVOURS = ("busybox", "gnu")
LEFT_OUT = {"gnu": {"cp -r d d": "d/d"}}  # copied by inode numbers, up to the copy itself


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
    if MEASURES.search(line) and not oracle.measures_as_ext4():
        pytest.skip("NO ORACLE for sizes: this disk's folders and blocks are not of 4096 bytes")
    unordered, left_out = bool(WALKS.search(line)), LEFT_OUT.get(flavour, {}).get(line)
    ours, real = (
        oracle.shown(each, unordered=unordered, left_out=left_out) for each in oracle.both(flavour, line, STDIN)
    )
    assert ours == real


def test_there_are_hundreds_of_rows() -> None:
    assert len(rows()) > 800
