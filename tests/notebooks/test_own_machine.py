"""What the lessons say for a reader's own machine is what is seen: each block of commands is played, with the stores it is for.

A block is for `both` stores, for `overlay2` (the classic one) or for `overlayfs` (containerd's); one that was only
`read` in documentation must say so before it. In what is seen, … stands for anything, alone on a line for any lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from labkit import Machine
from labkit.course.lessons import LESSONS, read_notebook

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
BLOCK = re.compile(r"^```console (\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
STORES: dict[str, dict[str, object]] = {"overlay2": {}, "overlayfs": {"image_store": "containerd"}}


def section(stem: str) -> str:
    """The text of a lesson under its heading "On your own machine"."""
    cells = read_notebook(NOTEBOOKS / f"{stem}.ipynb").prose
    (found,) = [cell.source for cell in cells if cell.source.startswith("## On your own machine")]
    return found


def steps(block: str) -> Iterator[tuple[str, str]]:
    """Each command with what is seen of it."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, _, seen = part.partition("\n")
        yield command, seen


def pattern(seen: str) -> str:
    lines = (r"(?:.*\n)*" if line == "…" else re.escape(line).replace("…", ".*") + r"\n" for line in seen.splitlines())
    return "".join(lines)


every_lesson = pytest.mark.parametrize("stem", [lesson.stem for lesson in LESSONS])


@every_lesson
@pytest.mark.parametrize("store", STORES)
def test_what_is_said_is_seen(stem: str, store: str) -> None:
    machine = Machine(**STORES[store])  # type: ignore[arg-type]
    machine.run("docker pull -q busybox")
    for kind, block in BLOCK.findall(section(stem)):
        for command, seen in steps(block) if kind in ("both", store) else ():
            done = machine.run(command)
            assert re.fullmatch(pattern(seen), done.stdout + done.stderr), (command, done.stdout + done.stderr)


@every_lesson
def test_there_are_enough_and_what_was_only_read_says_so(stem: str) -> None:
    text = section(stem)
    blocks = BLOCK.findall(text)
    assert len(blocks) == text.count("```") / 2
    assert {kind for kind, _ in blocks} <= {"both", "read", *STORES}
    assert sum(len(list(steps(block))) for _, block in blocks) >= 5
    for before, *_ in (
        text[: found.start()].rpartition("\n```\n")[2:] for found in BLOCK.finditer(text) if found[1] == "read"
    ):
        assert "read in" in before


def test_anything_is_not_everything() -> None:
    assert re.fullmatch(pattern("a …\n…\nz\n"), "a b\nc\nd\nz\n")
    assert not re.fullmatch(pattern("a …\n"), "b\n")
    assert not re.fullmatch(pattern("own\n"), "own\nown\n")
