"""Whose a hand-in is: its place and the roster say who it may be, the file says who of them. A doubt is no grade."""

from __future__ import annotations

from dataclasses import dataclass

from labkit.grading.collect import Collected, Place
from labkit.grading.roster import Learner, Roster, same


class DoubtError(Exception):
    """It cannot be said whose a file is; str() is one line that says why."""


@dataclass(frozen=True)
class Whom:
    """Who may have handed a file in. `open`: nobody is known, so that the file alone says it."""

    said: str  # by its place
    candidates: tuple[Learner, ...] = ()
    open: bool = False

    def decide(self, claimed: str) -> tuple[str, str]:
        """The learner, and the name that draws their variant. Raises DoubtError."""
        if self.open:
            if not claimed:
                raise DoubtError(f"it does not say whose it is, and without a roster nobody knows who {self.said!r} is")
            return claimed, claimed
        found = [each for each in self.candidates if not claimed or same(claimed) in each.names]
        if not found and claimed:
            raise DoubtError(f"it says that it is from {claimed!r}, but was handed in as {self.said!r}")
        if len(found) != 1:
            raise DoubtError(f"{len(found)} learners of the roster may be {self.said!r}; a column `file` can tell")
        return found[0].learner, found[0].variant or claimed or found[0].learner


def whom(collected: Collected, roster: Roster | None, variant: str = "") -> Whom:
    """`variant`: what all without a roster draw by."""
    place = collected.place
    if place.system in ("Moodle", "Canvas"):
        if roster is None:
            return Whom(_spelt(place), open=True)
        return Whom(_spelt(place), _of_lms(place, roster), open=not _of_lms(place, roster))
    found = roster.called(place.name) if roster else ()
    if roster and not found:  # a file of a zip or a folder that is nobody's may bear its learner's name
        found = roster.called(collected.file.removesuffix(".ipynb").removesuffix(".labkit.json"))
    return Whom(place.name, found or (Learner(place.name, variant=variant),))


def _spelt(place: Place) -> str:
    return f"{place.name} {place.number}".strip()


def _of_lms(place: Place, roster: Roster) -> tuple[Learner, ...]:
    """By the LMS' own number where the roster has it, else by the name."""
    kind = "canvas" if place.system == "Canvas" else "participant"
    return roster.called(f"{kind} {place.number}") or roster.called(place.name)
