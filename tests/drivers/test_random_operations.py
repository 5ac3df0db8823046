"""Whatever is done to files, all drivers leave the same tree, but for what the table of deviations says."""

from __future__ import annotations

import stat
from typing import Any

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from labkit.drivers import DRIVERS
from labkit.files import O_APPEND, O_TRUNC, Files
from tests.drivers.deviations import COUNTS_OTHER_LAYERS, CROSS_DEVICE, ORACLE, UNIONS
from tests.drivers.stacked import seen_in, stacked
from tests.files.machines import tree
from tests.files.operations import NAMES, Step, play_simulated

pytestmark = pytest.mark.long

PATHS = st.lists(st.sampled_from(NAMES), min_size=1, max_size=2).map(lambda parts: "/" + "/".join(parts))
TEXTS = st.integers(0, 99).map(lambda number: b"%d\n" % number)
OWNERS = st.integers(0, 3)


def step(name: str, *arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[Step]:
    return st.tuples(st.just(name), *arguments)


STEPS = st.one_of(
    step("put", PATHS, st.sampled_from((0, O_TRUNC, O_APPEND)), TEXTS),
    step("mkdir", PATHS, st.sampled_from((0o755, 0o700))),
    step("unlink", PATHS),
    step("rmdir", PATHS),
    step("rmtree", PATHS),
    step("rename", PATHS, PATHS),
    step("link", PATHS, PATHS),
    step("symlink", st.sampled_from(NAMES), PATHS),
    step("chmod", PATHS, st.sampled_from((0o644, 0o600, 0o755))),
    step("chown", PATHS, OWNERS, OWNERS),
    step("truncate", PATHS, st.integers(0, 5)),
    step("links", PATHS),
)
STAGES = st.lists(st.lists(STEPS, min_size=8, max_size=20), min_size=1, max_size=3)  # each but the last becomes a layer


class Played:
    """One driver, and the layer that is being written on it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.host, self.driver = stacked(name)
        self.top = "top"

    @property
    def files(self) -> Files:
        return seen_in(self.host, self.driver, self.top)

    def play(self, step: Step) -> Any:
        self._before = self.host.store.snapshot(), self.driver.snapshot()
        return play_simulated(self.files, step)

    def undo(self) -> None:
        self.host.store.restore(self._before[0])
        self.driver.restore(self._before[1])

    def next_layer(self) -> None:
        """What was written becomes a layer, and a new one begins."""
        self.host.store.clock.now += 1  # type: ignore[misc]
        self.driver.commit(self.top)
        self.driver.create(f"{self.top}+", self.top)
        self.top += "+"


def linked_inodes(one: Played) -> set[int]:
    """The files that have several names now; those of a finished layer lose that when they are copied up."""
    files = one.files
    found = [files.lstat(path) for path in tree(files)]
    return {each.st_ino for each in found if each.st_nlink > 1 and not stat.S_ISDIR(each.st_mode)}


def meets(files: Files, step: Step, inodes: set[int]) -> bool:
    """Whether a step changes, links or counts one of these files."""
    if step[0] in ("mkdir", "unlink", "rmdir", "rmtree", "symlink", "rename"):
        return False
    try:
        return files.stat(step[1]).st_ino in inodes or files.lstat(step[1]).st_ino in inodes
    except OSError:
        return False


def play_everywhere(played: list[Played], step: Step) -> None:
    """One step on all drivers: the answers are the same, or the table of deviations has them."""
    answers = {one.name: one.play(step) for one in played}
    if step[0] == "links":
        answers = {name: answer for name, answer in answers.items() if name not in COUNTS_OTHER_LAYERS}
    refused = {name for name, answer in answers.items() if answer == CROSS_DEVICE}
    if refused:
        event("a folder of an image was renamed")
        assert step[0] == "rename"
        assert refused <= set(UNIONS)
        for one in played:
            one.undo()
        return
    assert len({repr(answer) for answer in answers.values()}) == 1, (step, answers)


@given(STAGES)
def test_all_drivers_leave_the_same_tree(stages: list[list[Step]]) -> None:
    played = [Played(name) for name in DRIVERS]
    oracle = next(one for one in played if one.name == ORACLE)
    for number, steps in enumerate(stages):
        linked = linked_inodes(oracle)
        for each in steps:
            if meets(oracle.files, each, linked):
                event("a hard link of an image was changed")
            else:
                play_everywhere(played, each)
        trees = {one.name: tree(one.files) for one in played}
        for name, seen in trees.items():
            assert seen == trees[ORACLE], name
        if number + 1 < len(stages):
            for one in played:
                one.next_layer()


@given(STAGES)
def test_all_drivers_tell_of_the_same_changes(stages: list[list[Step]]) -> None:
    """docker diff, where no folder of an image was renamed and nothing was copied up in vain."""
    played = [Played(name) for name in DRIVERS]
    for each in stages[-1]:
        play_everywhere(played, each)
    told = {one.name: list(one.driver.changes(one.top)) for one in played}
    for name, changes in told.items():
        assert changes == told[ORACLE], name
