"""Panel: what every widget of the course has in common. The state is in Python, as traits; JavaScript only draws it.

What a person does comes as a small message ({"do": "run", "line": "docker ps"}) to `handle`; a row of the widget's
`actions` does it, and the traits that changed go back. So all of it can be tested without a browser. A widget's script
and style are in static/, bundled from widgets/src.

What widgets remember is the learner's progress in its file, and a copy of it in the browser's own storage. A widget
shows the trait `kept`, a progress document with what it knows; widgets/src/kept writes that into the browser. Where the
file knows nothing yet (Binder gives a bare machine each time) the page is asked what the browser has, and offers to
bring it back. What comes from there is checked as hostile input, and merged, so that nothing is lost.

`prose` is a task's Markdown as HTML for where no kernel runs: paragraphs, lists, blocks, `code`, **bold**. The same
little of Markdown that widgets/src/shared/prose.js draws in the live widget.
"""

from __future__ import annotations

import html
import pathlib
import re
import weakref
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar

import anywidget
import traitlets

from labkit.course import Attempt, Judgement, Progress, ProgressError, load_exercise, open_progress
from labkit.course.progress import COURSE, empty, merged, parse, whose

STATIC = pathlib.Path(__file__).parent / "static"


def bundle(name: str) -> tuple[str, str]:
    """A widget's script and style sheet, as `make js` bundles them from widgets/src."""
    script, sheet = ((STATIC / f"{name}.{ending}").read_text(encoding="utf-8") for ending in ("js", "css"))
    return script, sheet


class Panel(anywidget.AnyWidget):
    """A widget that is told what to do by messages."""

    actions: ClassVar[Mapping[str, Callable[[Any, Mapping[str, Any]], None]]] = {}

    def __init__(self, **traits: Any) -> None:
        super().__init__(**traits)
        self.on_msg(lambda widget, content, buffers: self.handle(content))

    def handle(self, message: object) -> None:
        """Do what a message from the page asks for; whatever is no such message is passed over."""
        if not isinstance(message, Mapping) or str(message.get("do")) not in self.actions:
            return
        try:
            self.actions[str(message["do"])](self, message)
        except Exception as error:  # at this border a learner would otherwise see nothing at all
            self.failed(f"That could not be done: {error}")

    def failed(self, sentence: str) -> None:
        """Show that an action failed."""
        raise NotImplementedError

    def still(self) -> str:
        """What stands in place of the widget where no kernel runs: HTML, everything from outside escaped."""
        raise NotImplementedError

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        """The live widget; where no kernel runs, a still picture or text of it."""
        bundle = super()._repr_mimebundle_(**kwargs)
        data = bundle[0] if isinstance(bundle, tuple) else bundle
        if data is not None:
            data["text/plain"] = repr(self)
            data["text/html"] = self.still()
        return bundle


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


SPAN = re.compile(r"`([^`]+)`|\*\*([^*]+)\*\*")


def prose(text: str) -> str:
    """The text as HTML; nothing in it is taken as markup but the signs above."""
    return "\n".join(_block(name, lines) for name, lines in _blocks(text))


def _blocks(text: str) -> Iterator[tuple[str, list[str]]]:
    """Each run of lines that belong together, under the name of its element."""
    name, lines, fenced = "", list[str](), False
    for line in [*text.splitlines(), ""]:
        if line.startswith("```"):
            kind, fenced, line = "", not fenced, ""
        else:
            kind, line = ("pre", line) if fenced else _line_kind(line, name)
        if kind != name and lines:
            yield name, lines
            lines = []
        name = kind
        lines += [line] if kind else []


def _line_kind(line: str, before: str) -> tuple[str, str]:
    if not line.strip():
        return "", ""
    if line.startswith("    ") and before in ("", "pre"):
        return "pre", line[4:]
    if line.startswith(("- ", "* ")) or (before == "ul" and line[0].isspace()):
        return "ul", line
    return "p", line.strip()


def _block(name: str, lines: list[str]) -> str:
    if name == "pre":
        return f"<pre>{html.escape(chr(10).join(lines))}</pre>"
    if name == "ul":
        items = [" ".join(item.split()) for item in re.split(r"^[-*] ", "\n".join(lines), flags=re.MULTILINE)[1:]]
        return f"<ul>{''.join(f'<li>{spans(item)}</li>' for item in items)}</ul>"
    return f"<p>{spans(' '.join(lines))}</p>"


def spans(text: str) -> str:
    """`code` and **bold** in a line."""
    made, place = "", 0
    for found in SPAN.finditer(text):
        made += html.escape(text[place : found.start()])
        made += f"<code>{html.escape(found[1])}</code>" if found[1] else f"<strong>{html.escape(found[2])}</strong>"
        place = found.end()
    return made + html.escape(text[place:])
