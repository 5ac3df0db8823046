"""What the widgets of the course have in common. The state is in Python, as traits; JavaScript only draws it.

What a person does comes as a small message ({"do": "run", "line": "docker ps"}) to `handle`, which calls the method of
that name (`do_run`) with those of the message's values that its parameters have a place for; the traits that changed
go back. So all of it can be tested without a browser. A widget's script and style are in static/, bundled from
widgets/src.

What widgets remember is the learner's progress in its file, and a copy of it in the browser's own storage. A widget
shows the trait `kept`, a progress document with what it knows; widgets/src/kept writes that into the browser. Where the
file knows nothing yet (Binder gives a bare machine each time) the page is asked what the browser has, and offers to
bring it back. What comes from there is checked as hostile input, and merged, so that nothing is lost.
"""

from __future__ import annotations

import html
import inspect
import itertools
import pathlib
import re
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import ClassVar

import anywidget
import traitlets

from labkit.course import Attempt, CourseError, Judgement, Progress, ProgressError, load_exercise, open_progress
from labkit.course.progress import COURSE, AnswerEntry, DraftEntry, ProgressDocument, empty, merged, parse, whose
from labkit.course.session import Moment, RecordedInput, Timeline, typed_file
from labkit.engine.core.core import CopiedUp, Event
from labkit.jupyter.picture import SHOWN_TEXT, DrawingError, Picture, draw, svg_address, svg_width
from labkit.jupyter.view import MachineView, count, cut, short
from labkit.kernel.golang import Json, JsonObject, text
from labkit.machine import END, INTERRUPT, WAITING

STATIC = pathlib.Path(__file__).parent / "static"
PROMPT = "# "  # root's shell
EDIT = re.compile(r"(?:nano|vi|vim|edit)\s+([^\s'\"$;|&<>*?]+)")  # an editor and one plain path: opens the text pane
KEPT_ROWS = 200  # inputs with their output that a terminal shows
KEPT_CHARACTERS = 100_000  # of all of them
KEPT_OUTPUT = 20_000  # characters of one output
MOST_CHOICES = 80  # words that Tab lists
CLEARS = re.compile(r"(?:\x1b\[[0-9;]*[HJ])+")  # the screen, and the cursor to its top


def bundle(name: str) -> tuple[str, str]:
    """A widget's script and style sheet, as `make js` bundles them from widgets/src."""
    script, sheet = ((STATIC / f"{name}.{ending}").read_text(encoding="utf-8") for ending in ("js", "css"))
    return script, sheet


class NotebookPage(anywidget.AnyWidget):
    """What the course does on a notebook's page beside its widgets; it is never shown."""

    _esm, _css = bundle("notebook_page")


class Panel(anywidget.AnyWidget):
    """A widget that is told what to do by messages."""

    says: ClassVar[str] = "said"  # the trait that tells what went wrong
    own_id = traitlets.Unicode().tag(sync=True)  # so that the page can ask whether the kernel has it still

    def __init__(self, **traits: object) -> None:
        super().__init__(**traits)
        self.own_id = self.model_id
        self.on_msg(lambda widget, content, buffers: self.handle(content))

    def handle(self, message: Json) -> None:
        """Do what a message from the page asks for; whatever is no such message is passed over."""
        name = text(message, "do")
        action = getattr(self, f"do_{name.replace(' ', '_')}", None) if name else None
        if not isinstance(message, dict) or action is None:
            return
        try:
            places = inspect.signature(action).parameters
            action(**{name: message[name] for name, each in places.items() if fits(message.get(name), each.default)})
        except Exception as error:  # at this border a learner would otherwise see nothing at all
            self.failed(f"That could not be done: {error}")

    def failed(self, sentence: str) -> None:
        """Show that an action failed."""
        self.set_trait(self.says, sentence)

    def still(self) -> str:
        """What stands in place of the widget where no kernel runs: HTML, everything from outside escaped."""
        raise NotImplementedError

    def _repr_mimebundle_(self, **kwargs: object) -> tuple[JsonObject, JsonObject] | None:
        """The live widget; where no kernel runs, a still picture or text of it."""
        found = super()._repr_mimebundle_(**kwargs)  # type: ignore[arg-type]  # it says that each is a dict
        if found is not None:
            found[0].update({"text/plain": repr(self), "text/html": self.still()})
        return found


def fits(value: Json, default: object) -> bool:
    """May this value of a message go to a parameter: of its default's type, or, where that is None, of any?"""
    return value is not None and (default is None or type(value) is type(default))


# --- HTML for where no kernel runs


def cells(texts: Iterable[str], tag: str = "td") -> str:
    """A row of a table."""
    return "<tr>" + "".join(f"<{tag}>{html.escape(each)}</{tag}>" for each in texts) + "</tr>"


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    return f"<table><thead>{cells(head, 'th')}</thead><tbody>{''.join(map(cells, rows))}</tbody></table>"


def listed(texts: Iterable[str]) -> str:
    return f"<ul>{''.join(f'<li>{html.escape(each)}</li>' for each in texts)}</ul>"


SPAN = re.compile(r"`([^`]+)`|\*\*([^*]+)\*\*")


def prose(text: str) -> str:
    """A task's Markdown as HTML: paragraphs, lists, blocks, `code`, **bold**; as widgets/src/shared has it."""
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


# --- the terminal


class TerminalPanel(Panel):
    """A terminal on a machine that has a history, and the picture of the machine; widgets/src/terminal shows it."""

    log: traitlets.List[JsonObject] = traitlets.List().tag(sync=True)  # rows of prompt, line, pieces, status, clears
    prompt = traitlets.Unicode(PROMPT).tag(sync=True)  # what stands before the cursor
    waits = traitlets.Unicode().tag(sync=True)  # what the terminal waits for, where that is no command
    editor = traitlets.Dict().tag(sync=True)  # {"path": …, "text": …} while a file is open in the text pane
    completion = traitlets.Dict().tag(sync=True)  # {"asked": …, "line": …, "choices": […], "more": …}
    picture = traitlets.Dict().tag(sync=True)  # see picture_trait

    @property
    def timeline(self) -> Timeline:
        """The machine, and what was typed on it."""
        raise NotImplementedError

    def give(self, given: RecordedInput) -> None:
        """Do this on the machine, and show what it gave."""
        raise NotImplementedError

    def show_terminal(self) -> None:
        self.log = log_rows(self.timeline.past)
        self.prompt = self.timeline.terminal.prompt
        self.waits = waiting_text(self.timeline)

    def do_run(self, line: str = "") -> None:
        if not line.strip() and self.prompt not in WAITING:
            return
        if opened := EDIT.fullmatch(line.strip()):
            self.editor = {"path": opened[1], "text": self._read(opened[1])}
        else:
            self.give(RecordedInput("typed", line))

    def _read(self, path: str) -> str:
        """A file as text, to edit it; a file that is not there yet is empty."""
        files = self.timeline.terminal.files
        whole = path if not path.startswith("~/") else self.timeline.machine.environment["HOME"] + path[1:]
        try:
            return files.read(whole).decode("utf-8", "replace") if files.exists(whole) else ""
        except OSError as error:
            raise ValueError(f"{path}: {error.strerror}") from None

    def do_save(self, text: str = "") -> None:
        path, self.editor = self.editor.get("path"), {}
        if path:
            self.give(typed_file(path, text))

    def do_close(self) -> None:
        self.editor = {}

    def do_complete(self, line: str = "", asked: int = 0) -> None:
        """What Tab offers at the end of the line."""
        found = self.timeline.terminal.complete(line)
        choices, more = list(found.choices[:MOST_CHOICES]), len(found.choices[MOST_CHOICES:])
        self.completion = {"asked": asked, "line": found.line, "choices": choices, "more": more}


def waiting_text(timeline: Timeline) -> str:
    """What the terminal waits for; "" at a prompt."""
    prompt, held = timeline.terminal.prompt, timeline.terminal.held
    if prompt not in WAITING:
        return ""
    if prompt:
        return "The command goes on: type its next line. Ctrl-C gives it up."
    typed = [moment for moment in timeline.past if moment.input and moment.prompt not in WAITING]
    which = f"`{typed[-1].input.title}`" if typed and typed[-1].input else "The command"
    if not held:
        return f"{which} reads what you type. Ctrl-D is the end of that; Ctrl-C ends the command."
    now = timeline.now.input
    if now is not None and now.text == INTERRUPT:
        return (
            "The first process of a container gets a signal only where it has a handler for it, and this one has none. "
            "At the third Ctrl-C `docker` ends, and the container goes on."
        )
    return f"{which} keeps the terminal, as it would yours, until Ctrl-C. What is typed before that is lost."


def line_of(moment: Moment) -> str:
    """An input as the terminal shows it: what an editor saved as the editor's command."""
    given = moment.input
    if given is None or given.kind in ("file", "session"):
        return given.title if given else ""
    shown = f"nano {given.path}" if given.path else given.text
    return shown.replace(INTERRUPT, "^C").replace(END, "^D")


def log_rows(past: Sequence[Moment]) -> list[JsonObject]:
    """The newest rows of the terminal, as far as they fit."""
    rows: list[JsonObject] = []
    size = 0
    for moment in reversed(past[-KEPT_ROWS:]):
        prompt = moment.prompt if moment.input and moment.input.kind == "typed" else PROMPT
        found, cleared = _on_screen(moment.outcome.written)
        row: JsonObject = {"prompt": prompt, "line": line_of(moment), "pieces": found}
        rows.append({**row, "status": moment.outcome.returncode, **({"clears": True} if cleared else {})})
        size += sum(len(text(piece, "text")) for piece in found)
        if size > KEPT_CHARACTERS:
            break
    return rows[::-1]


def _on_screen(written: Sequence[tuple[int, str]]) -> tuple[list[Json], bool]:
    """What an input leaves on the screen, and whether it cleared it (`clear`, `top`)."""
    last = max((place for place, (_, each) in enumerate(written) if CLEARS.search(each)), default=-1)
    if last < 0:
        return pieces(written), False
    stream, whole = written[last]
    return pieces([(stream, CLEARS.split(whole)[-1]), *written[last + 1 :]]), True


def pieces(written: Iterable[tuple[int, str]]) -> list[Json]:
    """Rows of {"message": on stderr, "text"} in their order; of what is too long for a page, the end."""
    groups = itertools.groupby(written, lambda piece: piece[0] == 2)
    texts = [(message, "".join(each for _, each in group)) for message, group in groups]
    return [{"message": message, "text": shortened(whole)} for message, whole in texts if whole]


def shortened(text: str) -> str:
    """An output's end, where it is too long for a page."""
    left_out = len(text) - KEPT_OUTPUT
    return text if left_out <= 0 else f"[{left_out} characters left out]\n{text[-KEPT_OUTPUT:]}"


def copied_up(view: MachineView, events: Sequence[Event]) -> list[Json]:
    """Which rows of the picture come from where: a copied-up file's text, and the digest that its layer is shown by."""
    steps = {image.id: image.steps for image in view.images}
    moves: list[Json] = []
    for container in view.containers:
        layers = [step.digest for step in steps.get(container.image, ()) if step.digest]
        copied = {
            each.path: each.layer for each in events if isinstance(each, CopiedUp) and each.container == container.id
        }
        for kind, path in container.changes:
            if 0 < (layer := copied.get(path, 0)) <= len(layers):
                moves.append([cut(f"{kind} {path}", SHOWN_TEXT), short(layers[layer - 1])])
    return moves


def picture_trait(picture: Picture, events: Sequence[Event] = ()) -> JsonObject:
    """A picture as the page needs it; without an address where nothing can draw, and then the text is all."""
    try:
        svg = draw(picture.dot)
    except DrawingError as error:
        return {"src": "", "alt": str(error), "text": picture.text, "width": 0}
    shown: JsonObject = {"src": svg_address(svg), "alt": picture.summary, "text": picture.text, "width": svg_width(svg)}
    moves = copied_up(picture.view, events)
    return {**shown, "moves": moves} if moves else shown


# --- what is remembered


class Memory:
    """The progress file; a fault in it is a sentence."""

    def attempt(self, slug: str) -> Attempt:
        """The exercise as it is for whoever's course this is now; ValueError where there is no such exercise."""
        try:
            return Attempt(load_exercise(slug))
        except CourseError as error:
            raise ValueError(str(error)) from None

    def entry(self, slug: str) -> AnswerEntry | None:
        """What the learner answered, and how it went; None where nothing was, or the file cannot be read."""
        try:
            return open_progress().entry(slug)
        except OSError:
            return None

    def draft(self, attempt: Attempt) -> DraftEntry | None:
        """What was done and perhaps not checked."""
        try:
            return open_progress().draft(attempt.exercise.slug, attempt.exercise.revision, attempt.learner)
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

    def document(self, attempt: Attempt | None = None) -> ProgressDocument:
        """All of the progress, or only what is about this attempt."""
        try:
            found = open_progress().document
        except OSError:
            return empty()
        if attempt is None:
            return found
        learner, key = attempt.learner, f"{attempt.exercise.slug}@{attempt.exercise.revision}"
        answers, drafts = found["answers"].get(learner, {}), found["drafts"].get(learner, {})
        return {
            "labkit-progress": found["labkit-progress"],
            "learner": found["learner"],
            "answers": {learner: {key: answers[key]}} if key in answers else {},
            "drafts": {learner: {key: drafts[key]}} if key in drafts else {},
        }

    def export(self) -> str:
        """The small file to take along."""
        return open_progress().export()

    def bare(self) -> bool:
        """Is nothing known yet?"""
        found = self.document()
        return not found["answers"] and not found["drafts"]

    def offer(self, text: str) -> str:
        """What this copy has that the file has not, in words: "12 solved exercises of ann"; "" for nothing."""
        try:
            return gain(self.document(), parse(text.encode("utf-8", "replace")))
        except ProgressError:
            return ""

    def merge(self, text: str) -> str:
        """Add what this copy knows, and say what came of it. Raises ProgressError and OSError."""
        came = self.offer(text)
        open_progress().merge(text)
        return came


def gain(have: ProgressDocument, other: ProgressDocument) -> str:
    """What `other` has more than `have`, for the learner whose course it would be with both of them."""
    both = merged(have, other)
    learner = whose(both["learner"]["name"], both["learner"]["seed"]).learner
    mine, all_of_it = (each["answers"].get(learner, {}) for each in (have, both))
    solved = [key for key, each in all_of_it.items() if each["passed"] and not (key in mine and mine[key]["passed"])]
    if solved:
        return f"{count(len(solved), 'solved exercise')} of {learner}"
    tried = {*all_of_it, *both["drafts"].get(learner, {})} - {*mine, *have["drafts"].get(learner, {})}
    return f"{count(len(tried), 'exercise')} that {learner} has begun" if tried else ""


SOLVED = "Solved"


def standing_of(entry: AnswerEntry | None) -> str:
    """What the learner's progress says: "Solved", "Tried 2 times", or "" for an exercise not yet tried."""
    if entry is None:
        return ""
    return SOLVED if entry["passed"] else f"Tried {count(entry['tries'], 'time')}"


class RememberingPanel(Panel):
    """A widget that shows the progress, and has the browser keep a copy of it."""

    course = traitlets.Unicode(COURSE).tag(sync=True)
    kept = traitlets.Dict().tag(sync=True)  # a progress document: what the browser is to keep
    asks = traitlets.Bool().tag(sync=True)  # is the page to say what the browser has?
    offer = traitlets.Unicode().tag(sync=True)  # what can be brought back from there, in words
    returned = traitlets.Unicode().tag(sync=True)  # what was brought back, in words
    memory = Memory()
    live: ClassVar[weakref.WeakSet[RememberingPanel]] = weakref.WeakSet()  # those of this kernel
    declined: ClassVar[bool] = False  # was an offer?

    def remember(self, brought: bool) -> None:
        """The progress is another than before; `brought`: more than one answer came into it from elsewhere."""
        raise NotImplementedError

    def tell(self, brought: bool = False) -> None:
        """Let every widget of this kernel know that the progress has changed."""
        for panel in list(self.live):
            panel.remember(brought)

    def do_stored(self, text: str = "") -> None:
        """The page says what the browser has: offer it, in one place of the notebook."""
        elsewhere = any(panel.offer for panel in self.live if repr(panel) != repr(self))
        if not (elsewhere or self.declined):
            self.offer = self.memory.offer(text)

    def do_bring_all_back(self, text: str = "") -> None:
        came = self.memory.merge(text)
        self._answered()
        self.tell(brought=True)
        self.returned = f"Brought back: {came}." if came else "All of it was here already."

    def do_not_now(self) -> None:
        RememberingPanel.declined = True
        self._answered()

    def _answered(self) -> None:
        for panel in list(self.live):
            panel.offer = ""
