"""What widgets remember: the learner's progress in its file, and a copy of it in the browser's own storage.

A widget shows the trait `kept`, a progress document with what it knows; widgets/src/kept writes that into the browser.
Where the file knows nothing yet (Binder gives a bare machine each time) the page is asked what the browser has, and
offers to bring it back. What comes from there is checked as hostile input, and merged, so that nothing is lost.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import traitlets

from labkit.course import Attempt, Judgement, Progress, ProgressError, load_exercise, open_progress
from labkit.course.progress import empty, merged, parse
from labkit.course.settings import COURSE, whose


class Memory:
    """The progress file; a fault in it is a sentence."""

    def attempt(self, slug: str) -> Attempt:
        """The exercise as it is for whoever's course this is now."""
        return Attempt(load_exercise(slug))

    def entry(self, slug: str) -> Mapping[str, Any] | None:
        """What the learner answered, and how it went; None where nothing was, or the file cannot be read."""
        try:
            return open_progress().entry(slug)
        except OSError:
            return None

    def draft(self, attempt: Any) -> Mapping[str, Any] | None:
        """What was done and perhaps not checked: {"answer": …, "hints": …}."""
        try:
            return open_progress().draft(attempt.slug, attempt.revision, attempt.learner)
        except OSError:
            return None

    def record(self, attempt: Attempt, judgement: Judgement) -> str:
        """Save the answer; returns what went wrong, or ""."""
        return self._saved(lambda progress: progress.record(attempt, judgement))

    def keep(self, attempt: Attempt, answer: object, hints: int) -> str:
        """Save what is not yet checked; returns what went wrong, or ""."""
        return self._saved(lambda progress: progress.keep(attempt, answer, hints))

    def _saved(self, save: Callable[[Progress], None]) -> str:
        try:
            save(open_progress())
        except (ProgressError, OSError) as error:
            return f"Your progress could not be saved: {error}"
        return ""

    def document(self, attempt: Any = None) -> dict[str, Any]:
        """All of the progress, or only what is about this attempt."""
        try:
            found = open_progress().document
        except OSError:
            return empty()
        return found if attempt is None else _only(found, attempt.learner, f"{attempt.slug}@{attempt.revision}")

    def export(self) -> str:
        """The small file to take along."""
        return open_progress().export()

    def bare(self) -> bool:
        """Is nothing known yet?"""
        found = self.document()
        return not found["answers"] and not found["drafts"]

    def offer(self, text: object) -> str:
        """What this copy has that the file has not, in words: "12 solved exercises of ann"; "" for nothing."""
        try:
            return gain(self.document(), parse(str(text).encode("utf-8", "replace")))
        except ProgressError:
            return ""

    def merge(self, text: object) -> str:
        """Add what this copy knows, and say what came of it. Raises ProgressError and OSError."""
        came = self.offer(text)
        open_progress().merge(str(text))
        return came


def _only(document: Mapping[str, Any], learner: str, key: str) -> dict[str, Any]:
    tables = {
        what: {learner: {key: document[what][learner][key]}} if key in document[what].get(learner, {}) else {}
        for what in ("answers", "drafts")
    }
    return {**document, **tables}


def gain(have: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    """What `other` has more than `have`, for the learner whose course it would be with both of them."""
    both = merged(dict(have), dict(other))
    learner = whose(both["learner"]["name"], both["learner"]["seed"]).learner
    mine, all_of_it = (each["answers"].get(learner, {}) for each in (have, both))
    solved = [key for key, each in all_of_it.items() if each["passed"] and not mine.get(key, {}).get("passed")]
    if solved:
        return f"{count(len(solved), 'solved exercise')} of {learner}"
    tried = {*all_of_it, *both["drafts"].get(learner, {})} - {*mine, *have["drafts"].get(learner, {})}
    return f"{count(len(tried), 'exercise')} that {learner} has begun" if tried else ""


def count(number: int, word: str) -> str:
    """ "1 exercise", "2 exercises"."""
    return f"{number} {word}{'' if number == 1 else 's'}"


class _Live:
    """The widgets of this kernel that remember, and whether an offer was declined here."""

    panels: ClassVar[weakref.WeakSet[Any]] = weakref.WeakSet()
    declined: ClassVar[bool] = False


class Keeps(traitlets.HasTraits):
    """The part of a widget that has to do with the browser's storage; it is mixed into a Panel."""

    course = traitlets.Unicode(COURSE).tag(sync=True)
    kept = traitlets.Dict().tag(sync=True)  # a progress document: what the browser is to keep
    asks = traitlets.Bool().tag(sync=True)  # is the page to say what the browser has?
    offer = traitlets.Unicode().tag(sync=True)  # what can be brought back from there, in words
    returned = traitlets.Unicode().tag(sync=True)  # what was brought back, in words
    memory: Any

    def remember(self, brought: bool) -> None:
        """The progress is another than before; `brought`: more than one answer came into it from elsewhere."""
        raise NotImplementedError

    def joins(self) -> None:
        """From now on this widget is told of changes."""
        _Live.panels.add(self)

    def tell(self, brought: bool = False) -> None:
        """Let every widget of this kernel know that the progress has changed."""
        for panel in list(_Live.panels):
            panel.remember(brought)

    def stored(self, message: Mapping[str, Any]) -> None:
        """The page says what the browser has: offer it, in one place of the notebook."""
        elsewhere = any(panel.offer for panel in _Live.panels if repr(panel) != repr(self))
        if not (elsewhere or _Live.declined):
            self.offer = self.memory.offer(message.get("text"))

    def accept(self, message: Mapping[str, Any]) -> None:
        came = self.memory.merge(message.get("text"))
        self._answered()
        self.tell(brought=True)
        self.returned = f"Brought back: {came}." if came else "All of it was here already."

    def decline(self, message: Mapping[str, Any]) -> None:
        _Live.declined = True
        self._answered()

    def _answered(self) -> None:
        for panel in list(_Live.panels):
            panel.offer = ""


KEEPING: Mapping[str, Callable[[Any, Mapping[str, Any]], None]] = {
    "stored": Keeps.stored,
    "bring all back": Keeps.accept,
    "not now": Keeps.decline,
}
