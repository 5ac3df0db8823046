"""The lessons' checks bite: a machine with one broken rule gives another output in a cell of the claim about it."""

from __future__ import annotations

import importlib
from collections.abc import Generator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from labkit.course.lessons import PLAN, Cell, read_notebook
from labkit.drivers.measure import RESULTS
from labkit.jupyter.running import Shown, as_demo, as_saved, playing

from .mutations import MUTATIONS, Mutation

pytestmark = pytest.mark.long

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
WIDGETS = ("exercise(", "progress(")  # cells that show one have nothing to do with the lesson's machine
ENOUGH = 30  # of the 39 claims


def lesson_of(claim: str) -> Path:
    return NOTEBOOKS / f"{PLAN.lesson_of('claim', claim)}.ipynb"


def compared(path: Path, claim: str = "") -> Generator[tuple[Cell, Shown], None, None]:
    """Run a lesson; its cells that show this claim, or any, each with what it gives. To be read to the end, or closed."""
    with as_demo(path.parent), playing() as player:
        for cell in read_notebook(path).code:
            if not cell.source.startswith(WIDGETS):
                shown = player.play(cell.source)
                if claim in cell.tagged("claim") or (not claim and cell.tagged("claim")):
                    yield cell, shown


@pytest.fixture(autouse=True)
def nothing_is_measured_yet() -> Generator[None, None, None]:
    """What drivers cost is measured once a process: by a whole machine before each test, and after it again."""
    RESULTS.clear()
    yield
    RESULTS.clear()


def break_rule(monkeypatch: pytest.MonkeyPatch, mutation: Mutation) -> None:
    module, _, place = mutation.target.partition(":")
    owner: Any = importlib.import_module(module)
    if place.endswith("]"):
        table, key = place[:-1].split("[")
        rows = getattr(owner, table)
        (row,) = [each for each in rows if getattr(each, "__name__", each) == key]
        monkeypatch.setitem(rows, row, partial(mutation.fault, rows[row]))
        return
    *classes, name = place.split(".")
    for each in classes:
        owner = getattr(owner, each)
    monkeypatch.setattr(owner, name, faulty(mutation, vars(owner)[name]))


def faulty(mutation: Mutation, original: Any) -> Any:
    if isinstance(original, property):
        return property(lambda self: mutation.fault(original.fget, self))
    if not callable(original):
        return mutation.fault(original)
    return lambda *args, **options: mutation.fault(original, *args, **options)


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda each: f"{each.claim}-{each.fault.__name__}")
def test_a_broken_rule_is_seen_in_a_cell_of_its_claim(mutation: Mutation, monkeypatch: pytest.MonkeyPatch) -> None:
    break_rule(monkeypatch, mutation)
    with closing(compared(lesson_of(mutation.claim), mutation.claim)) as cells:
        seen = next((shown for cell, shown in cells if shown != as_saved(cell.outputs)), None)
    assert seen is not None, f"{mutation.claim}: nobody would notice that: {mutation.rule}"
    assert seen.error == "", "it is the machine that must be wrong, not broken"


@pytest.mark.parametrize("path", sorted({lesson_of(each.claim) for each in MUTATIONS}), ids=lambda path: path.stem)
def test_unbroken_the_cells_give_what_is_saved(path: Path) -> None:
    """After all the mutations: none of them is left in a cache."""
    assert [cell.id for cell, shown in compared(path) if shown != as_saved(cell.outputs)] == []


def test_each_mutation_breaks_one_rule_of_a_claim_that_is_there() -> None:
    assert len({(each.claim, each.target, each.fault) for each in MUTATIONS}) == len(MUTATIONS)
    assert [each.claim for each in MUTATIONS if not PLAN.lesson_of("claim", each.claim)] == []
    assert all(each.rule.endswith(".") for each in MUTATIONS)
    assert len({each.claim for each in MUTATIONS}) >= ENOUGH
