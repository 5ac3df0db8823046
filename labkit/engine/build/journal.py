"""What a build found in the cache and what it made, step by step, and why a step was not found.

The reasons come from the keys themselves: the recipe of the step's key is compared with the recipe of the nearest step
that was made before, and every part that differs is a reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from labkit.engine.build.context import Listing

from .recipe import COPY, MadeStep, Recipe

CACHED, MADE, FAILED, CANCELED = "cached", "made", "failed", "canceled"


@dataclass(frozen=True)
class StepOutcome:
    """One step of a build."""

    name: str  # as the progress shows it
    state: str
    key: str | None
    recipe: Recipe | None
    below: str = ""  # name of the step that it stands on
    line: int = 0  # of the Dockerfile, from 1
    forced: str = ""  # the option that keeps it from the cache
    unneeded: bool = False  # not found, and not made: a later step was found
    seconds: float = 0.0  # as simulated: what it took now, or what it took when it was made
    size: int = 0  # bytes of its layer


@dataclass(frozen=True)
class Journal:
    """One build."""

    outcomes: tuple[StepOutcome, ...] = ()
    earlier: tuple[MadeStep, ...] = field(default=(), repr=False)  # made before this build
    sent: int = 0  # bytes of context that were transferred
    context: frozenset[str] | None = None  # the paths that were taken from the context; None: nothing needs it
    size: int = 0  # bytes of their files
    again: frozenset[str] = frozenset()  # files sent before whose mode, size or time is not as it was then


@dataclass(frozen=True)
class Reason:
    """Why a key is not that of an earlier step: Reason("file", "app.py", "content")."""

    what: str  # forced, pruned, new, below, order, file, or a Part's `what`
    name: str = ""
    how: str = ""  # of a file or variable: new, gone, content, mode, owner, kind, value
    old: str = ""
    new: str = ""


def before(outcome: StepOutcome, journal: Journal) -> MadeStep | None:
    """The earlier step whose recipe differs least from that of this one; the latest of several.

    Looked at are those that stand on the same, or do the same, or have this one's place: they stand on what is in the
    same way the nearest to the step below. None: nothing is like it.
    """
    new = outcome.recipe
    if new is None:
        return None
    beneath = next((each for each in journal.outcomes if each.key == new.below), None)
    place = before(beneath, journal) if beneath else None
    belows = {new.below, place.recipe.key if place else new.below}
    alike = [
        made
        for made in journal.earlier
        if made.recipe.kind == new.kind and (made.recipe.below in belows or _action(made.recipe) == _action(new))
    ]
    return min(alike, key=lambda made: (_distance(new, made.recipe), -made.number), default=None)


def _action(recipe: Recipe) -> list[tuple[str, str, str]]:
    """What a step does, without what it does it with."""
    if recipe.kind == COPY:
        return [(each.what, each.name, each.value if each.name == "target" else "") for each in recipe.parts]
    return [(each.what, "", each.value) for each in recipe.parts if each.what in ("command", "folder", "image")]


def _distance(new: Recipe, old: Recipe) -> int:
    parts = set(new.parts) ^ set(old.parts)
    return len({(each.what, each.name) for each in parts}) + (new.below != old.below)


def reasons(outcome: StepOutcome, journal: Journal) -> list[Reason]:
    """Why a step was made and not taken from the cache; empty for one that was taken."""
    if outcome.state in (CACHED, CANCELED) or outcome.recipe is None:
        return []
    if outcome.forced:
        return [Reason("forced", outcome.forced)]
    if any(made.recipe.key == outcome.key for made in journal.earlier):
        return [Reason("pruned")]
    former = before(outcome, journal)
    return list(differences(outcome.recipe, former.recipe, outcome.below)) if former else [Reason("new")]


def differences(new: Recipe, old: Recipe, below: str = "") -> Iterator[Reason]:
    """All that differs between two recipes of one kind."""
    if new.below != old.below:
        yield Reason("below", below)
    after = {(each.what, each.name): each.value for each in new.parts}
    before = {(each.what, each.name): each.value for each in old.parts}
    for what, name in [*after, *(each for each in before if each not in after)]:
        value, former = after.get((what, name)), before.get((what, name))
        if value == former:
            continue
        if what == "content" and name in new.files and name in old.files:
            yield from _file_changes(name, new.files[name], old.files[name])
            continue
        if what == "variable" and name in new.arguments | old.arguments:
            what = "argument"
        how = "new" if former is None else "gone" if value is None else "value"
        yield Reason(what, name, how, former or "", value or "")
    same = set(new.parts) == set(old.parts) and len(new.parts) == len(old.parts)
    if same and new.parts != old.parts:
        yield Reason("order")


def _file_changes(source: str, new: Listing, old: Listing) -> Iterator[Reason]:
    for path in sorted({*new, *old}):
        if new.get(path) != old.get(path):
            yield Reason("file", path or source, *_file_change(old.get(path), new.get(path)))


def _file_change(old: str | None, new: str | None) -> tuple[str, str, str]:
    """How a file differs, as the key knows it (context.py: mode, owner, size, content)."""
    if old is None or new is None:
        return ("new" if old is None else "gone"), "", ""
    (mode, owner, rest), (new_mode, new_owner, new_rest) = old.split(" ", 2), new.split(" ", 2)
    if _kind(mode) != _kind(new_mode):
        return "kind", "", ""
    if rest != new_rest:
        return "content", "", ""
    if owner != new_owner:
        return "owner", owner, new_owner
    return "mode", mode[-4:].lstrip("0"), new_mode[-4:].lstrip("0")


def _kind(mode: str) -> str:
    return mode if mode == "link" else re.sub(r".{4}$", "", mode)
