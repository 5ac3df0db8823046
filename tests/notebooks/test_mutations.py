"""The lessons' checks bite: a machine with one broken rule gives another output in a cell of the claim about it."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from labkit.course.selfcheck import read_notebook, the_plan
from labkit.course.selfcheck.course import Cell
from labkit.jupyter.running import Shown, as_demo, as_saved, playing

from .mutations import MUTATIONS, Mutation

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
WIDGETS = ("exercise(", "progress(")  # cells that show one have nothing to do with the lesson's machine
ENOUGH = 30  # of the 39 claims


def lesson_of(claim: str) -> Path:
    return NOTEBOOKS / f"{the_plan().lesson_of('claim', claim)}.ipynb"


def is_written(claim: str) -> bool:
    return lesson_of(claim).exists() and any(cell.outputs for cell in read_notebook(lesson_of(claim)).code)


WRITTEN = [each for each in MUTATIONS if is_written(each.claim)]


def played(path: Path) -> Iterator[tuple[Cell, Shown]]:
    """The cells of a lesson, run one after the other, each with what it gives."""
    with as_demo(path.parent), playing() as player:
        for cell in read_notebook(path).code:
            if not cell.source.startswith(WIDGETS):
                yield cell, player.play(cell.source)


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


@pytest.mark.parametrize("mutation", WRITTEN, ids=lambda each: f"{each.claim}-{each.fault.__name__}")
def test_a_broken_rule_is_seen_in_a_cell_of_its_claim(mutation: Mutation, monkeypatch: pytest.MonkeyPatch) -> None:
    break_rule(monkeypatch, mutation)
    seen = [
        (cell.id, shown)
        for cell, shown in played(lesson_of(mutation.claim))
        if mutation.claim in cell.tagged("claim") and shown != as_saved(cell.outputs)
    ]
    assert seen, f"{mutation.claim}: nobody would notice that: {mutation.rule}"
    assert [shown.error for _, shown in seen if shown.error] == [], "it is the machine that must be wrong, not broken"


@pytest.mark.parametrize("path", sorted({lesson_of(each.claim) for each in WRITTEN}), ids=lambda path: path.stem)
def test_unbroken_the_cells_give_what_is_saved(path: Path) -> None:
    """After all the mutations: none of them is left in a cache."""
    for cell, shown in played(path):
        if cell.tagged("claim"):
            assert shown == as_saved(cell.outputs), cell.id


def test_each_mutation_breaks_one_rule_of_a_claim_that_is_there() -> None:
    assert len({(each.claim, each.target, each.fault) for each in MUTATIONS}) == len(MUTATIONS)
    assert [each.claim for each in MUTATIONS if not the_plan().lesson_of("claim", each.claim)] == []
    assert all(each.rule.endswith(".") for each in MUTATIONS)
    assert len({each.claim for each in MUTATIONS}) >= ENOUGH
