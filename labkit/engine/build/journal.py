"""Why a build did not find a step in the cache.

The reasons come from the cache keys themselves: the step's key is compared with the key of the nearest step that was
made before, and every part that differs is a reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from labkit.engine.core.records import CACHED, CANCELED, COPY, CacheKey, Journal, Listing, MadeStep, StepOutcome


@dataclass(frozen=True)
class Reason:
    """Why a key is not that of an earlier step: Reason("file", "app.py", "content")."""

    what: str  # forced, pruned, new, below, order, file, or a KeyPart's `what`
    name: str = ""
    how: str = ""  # of a file or variable: new, gone, content, mode, owner, kind, value
    old: str = ""
    new: str = ""


def before(outcome: StepOutcome, journal: Journal) -> MadeStep | None:
    """The earlier step whose key differs least from that of this one; the latest of several.

    Looked at are those that stand on the same, or do the same, or have this one's place: they stand on what is in the
    same way the nearest to the step below. None: nothing is like it.
    """
    new = outcome.key
    if new is None:
        return None
    beneath = next((each for each in journal.outcomes if each.digest == new.below), None)
    place = before(beneath, journal) if beneath else None
    belows = {new.below, place.key.digest if place else new.below}
    alike = [
        made
        for made in journal.earlier
        if made.key.kind == new.kind and (made.key.below in belows or _action(made.key) == _action(new))
    ]
    return min(alike, key=lambda made: (_distance(new, made.key), -made.number), default=None)


def _action(key: CacheKey) -> list[tuple[str, str, str]]:
    """What a step does, without what it does it with."""
    if key.kind == COPY:
        return [(each.what, each.name, each.value if each.name == "target" else "") for each in key.parts]
    return [(each.what, "", each.value) for each in key.parts if each.what in ("command", "folder", "image")]


def _distance(new: CacheKey, old: CacheKey) -> int:
    parts = set(new.parts) ^ set(old.parts)
    return len({(each.what, each.name) for each in parts}) + (new.below != old.below)


def reasons(outcome: StepOutcome, journal: Journal) -> list[Reason]:
    """Why a step was made and not taken from the cache; empty for one that was taken."""
    if outcome.state in (CACHED, CANCELED) or outcome.key is None:
        return []
    if outcome.forced:
        return [Reason("forced", outcome.forced)]
    if any(made.key.digest == outcome.digest for made in journal.earlier):
        return [Reason("pruned")]
    former = before(outcome, journal)
    return list(differences(outcome.key, former.key, outcome.below)) if former else [Reason("new")]


def differences(new: CacheKey, old: CacheKey, below: str = "") -> Iterator[Reason]:
    """All that differs between two keys of one kind."""
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
