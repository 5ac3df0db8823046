"""playground(): a terminal, the live picture beside it, and a way back and forth through time.

The history is the Timeline's; this draws the moment that it is in. widgets/src/playground.js shows it.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping
from itertools import groupby
from typing import Any, ClassVar

import traitlets

from labkit.course.timeline import WAITING, Moment, RecordedInput, Timeline, typed_file
from labkit.jupyter.event_sentences import told, written
from labkit.jupyter.exercise import EDIT, completion_trait, picture_trait, shortened, text_of
from labkit.jupyter.magics import LessonMachine, choices
from labkit.jupyter.panel import Panel, bundle
from labkit.jupyter.picture import Picture
from labkit.jupyter.share import ShareError, play, read_shared, script, shared_text
from labkit.jupyter.view import UNMARKED, MachineView, Marks, compare, cut, look, only

KEPT_ROWS = 100  # inputs with their output that the terminal shows
KEPT_CHARACTERS = 100_000  # of all of them
MOST_FOLLOWERS = 3  # playgrounds that follow one lesson; the older ones are drawn when they are used
PROMPT = "# "  # root's shell


class PlaygroundWidget(Panel):
    """A machine to try things on."""

    _esm, _css = bundle("playground")

    log: traitlets.List[dict[str, Any]] = traitlets.List().tag(sync=True)  # rows of prompt, line, pieces, status
    prompt = traitlets.Unicode(PROMPT).tag(sync=True)
    editor = traitlets.Dict().tag(sync=True)  # {"path": …, "text": …} while a file is open in the text pane
    completion = traitlets.Dict().tag(sync=True)  # {"asked": …, "line": …, "choices": […], "more": …}
    picture = traitlets.Dict().tag(sync=True)  # {"src": …, "alt": …, "text": …, "width": …}
    events: traitlets.List[str] = traitlets.List().tag(sync=True)  # what the engine did at the last input
    titles: traitlets.List[str] = traitlets.List().tag(sync=True)  # the inputs of the line that is looked at
    place = traitlets.Int().tag(sync=True)  # after how many of them the machine is
    others: traitlets.List[dict[str, Any]] = traitlets.List().tag(sync=True)  # other futures: number, text
    names: traitlets.List[str] = traitlets.List().tag(sync=True)  # what can be looked at alone
    focus = traitlets.Unicode().tag(sync=True)  # the one that is; "": everything
    note = traitlets.Unicode().tag(sync=True)  # what there is to say about the last action
    shared = traitlets.Dict().tag(sync=True)  # {"text": …, "script": …} once it was asked for
    former = traitlets.Bool().tag(sync=True)  # is there a machine that an opened one took the place of?

    def __init__(self, lesson: LessonMachine) -> None:
        self._lesson = lesson
        self._former: Timeline | None = None
        self._drawn: tuple[Any, ...] = ()
        self._followed: Timeline | None = None
        super().__init__()
        lesson.watchers = [*lesson.watchers, self._follow][-MOST_FOLLOWERS:]
        self._follow()

    @property
    def timeline(self) -> Timeline:
        return self._lesson.timeline

    @property
    def view(self) -> MachineView:
        """What there is on the machine at this moment."""
        noted = self.timeline.now.notes.get("view")
        if isinstance(noted, MachineView):
            return noted
        view = look(self.timeline.machine)
        self.timeline.note(view=view)
        return view

    @property
    def marks(self) -> Marks:
        """What the last input changed."""
        now = self.timeline.now
        before = self.timeline.moments[now.parent].notes.get("view") if now.parent >= 0 else None
        return compare(before, self.view) if isinstance(before, MachineView) else UNMARKED

    def __repr__(self) -> str:
        return f"playground():\n{Picture(self.view).text}"

    def still(self) -> str:
        """The picture and the inputs so far."""
        lines = "\n".join(f"{moment.prompt or PROMPT}{_line(moment)}" for moment in self.timeline.past)
        typed = f"<pre>{html.escape(lines)}</pre>\n" if lines else ""
        return f"<p><strong>Playground</strong></p>\n{typed}{Picture(self.view).html()}"

    def failed(self, sentence: str) -> None:
        self.note = sentence

    def handle(self, message: object) -> None:
        """As every panel's; what changed goes to the page as one message."""
        with self.hold_sync():
            super().handle(message)
            self._draw()

    # --- what the page asks for

    def _run(self, message: Mapping[str, Any]) -> None:
        line = str(message.get("line", ""))
        if not line.strip() and self.prompt not in WAITING:
            return
        if opened := EDIT.fullmatch(line.strip()):
            self.editor = {"path": opened[1], "text": self._read(opened[1])}
        else:
            self._do(RecordedInput("typed", line))

    def _do(self, given: RecordedInput) -> None:
        ahead = len(self.timeline.line) - 1 - self.place
        self.note = ""
        self.timeline.do(given)
        if ahead > 0:
            self.note = f"A new future starts here. The former one, {inputs(ahead)} long, is kept under Other futures."

    def _read(self, path: str) -> str:
        """A file as text, to edit it; a file that is not there yet is empty."""
        whole = path if not path.startswith("~/") else self.timeline.machine.environment["HOME"] + path[1:]
        return text_of(self.timeline.terminal.files, whole, path)

    def _save_file(self, message: Mapping[str, Any]) -> None:
        path, self.editor = str(self.editor.get("path", "")), {}
        if path:
            self._do(typed_file(path, str(message.get("text", ""))))

    def _close_file(self, message: Mapping[str, Any]) -> None:
        self.editor = {}

    def _complete(self, message: Mapping[str, Any]) -> None:
        self.completion = completion_trait(self.timeline.terminal, message)

    def _undo(self, message: Mapping[str, Any]) -> None:
        taken = self.timeline.undo()
        self.note = f"Taken back: {cut(taken.title)}" if taken else "There is nothing to take back."

    def _redo(self, message: Mapping[str, Any]) -> None:
        done = self.timeline.redo()
        self.note = f"Done again: {cut(done.title)}" if done else "There is nothing to do again."

    def _go(self, message: Mapping[str, Any]) -> None:
        """Along the line that is looked at."""
        place, line = message.get("place"), self.timeline.line
        if isinstance(place, int) and 0 <= place < len(line):
            self.timeline.go(line[place].number)
            self.note = ""

    def _branch(self, message: Mapping[str, Any]) -> None:
        """To the end of another line."""
        number = message.get("number")
        if isinstance(number, int) and number in {moment.number for moment in self.timeline.others}:
            self.timeline.go(number)
            self.note = "This is the other future. The one you come from is kept under Other futures."

    def _reset(self, message: Mapping[str, Any]) -> None:
        count = len(self.timeline.line) - 1
        self.timeline.go(0)
        self.note = f"Back at the start. The slider and Redo bring your {inputs(count)} back." if count else ""

    def _focus(self, message: Mapping[str, Any]) -> None:
        self.focus = str(message.get("name", ""))

    def _share(self, message: Mapping[str, Any]) -> None:
        timeline = self.timeline
        self.shared = {
            "text": shared_text(timeline.options, timeline.inputs),
            "script": script(timeline.options, timeline.past),
        }

    def _open(self, message: Mapping[str, Any]) -> None:
        try:
            found = play(read_shared(str(message.get("text", ""))))
        except ShareError as error:
            self.note = f"That was not opened: {error}."
            return
        self._former, self._lesson.timeline = self.timeline, found
        self.former = True
        self.note = f"Opened: a machine with {inputs(len(found.inputs))}. Yours is put aside, not lost."

    def _bring_back(self, message: Mapping[str, Any]) -> None:
        """The machine that an opened one took the place of, and that one aside."""
        if self._former is not None:
            self._former, self._lesson.timeline = self.timeline, self._former
            self.note = "The two machines have changed places."

    actions: ClassVar[Mapping[str, Callable[[Any, Mapping[str, Any]], None]]] = {
        "run": _run,
        "save": _save_file,
        "close": _close_file,
        "complete": _complete,
        "undo": _undo,
        "redo": _redo,
        "go": _go,
        "branch": _branch,
        "reset": _reset,
        "focus": _focus,
        "share": _share,
        "open": _open,
        "bring back": _bring_back,
    }

    # --- what the page shows

    def _follow(self) -> None:
        """The lesson has another timeline: look at that one."""
        if self._followed is not None and self._changed in self._followed.watchers:
            self._followed.watchers.remove(self._changed)
        self._followed = self.timeline
        self.timeline.watchers = [*self.timeline.watchers, self._changed][-MOST_FOLLOWERS:]
        self._draw()

    def _changed(self) -> None:
        """An input was run, here or in a cell."""
        with self.hold_sync():
            self._draw()

    def _draw(self) -> None:
        """Show the moment that the machine is in; whatever a learner did to it, a cell must not end in a traceback."""
        try:
            self._show()
        except Exception as error:
            self.note = f"The machine cannot be drawn any more: {error}. Undo takes you back."

    def _show(self) -> None:
        timeline = self.timeline
        drawn = (timeline, timeline.at, timeline.tip, len(timeline.moments), self.focus)
        if drawn == self._drawn:
            return
        self._drawn = drawn
        line, past = timeline.line, timeline.past
        self.log = _log(past)
        self.prompt = timeline.terminal.prompt
        self.titles = [cut(moment.input.title) for moment in line if moment.input]
        self.place = len(past)
        self.events = self._told()
        self.others = [_other(timeline, tip) for tip in timeline.others]
        self.shared = {}
        self._draw_picture()

    def _draw_picture(self) -> None:
        view = self.view
        images = [name for image in view.images for name in image.names]
        self.names = [*(container.name for container in view.containers), *images, *view.volumes]
        shown = view
        if self.focus:
            try:
                shown = only(view, [self.focus])
            except ValueError:
                self.focus = ""
        self.picture = picture_trait(Picture(shown, self.marks))

    def _told(self) -> list[str]:
        now = self.timeline.now
        noted = now.notes.get("told")
        if isinstance(noted, list):
            return noted
        sentences = [*told(now.events, self.timeline.machine.engine), *written(now.events, self.marks)]
        self.timeline.note(told=sentences)
        return sentences


def inputs(count: int) -> str:
    return "1 input" if count == 1 else f"{count} inputs"


def _line(moment: Moment) -> str:
    """An input as the terminal shows it."""
    if moment.input is None:
        return ""
    return moment.input.title if moment.input.kind in ("file", "session") else moment.input.text


def _log(past: list[Moment]) -> list[dict[str, Any]]:
    """The newest rows of the terminal, as far as they fit."""
    rows: list[dict[str, Any]] = []
    size = 0
    for moment in reversed(past[-KEPT_ROWS:]):
        rows.append(_row(moment))
        size += sum(len(piece["text"]) for piece in rows[-1]["pieces"])
        if size > KEPT_CHARACTERS:
            break
    return rows[::-1]


def _row(moment: Moment) -> dict[str, Any]:
    groups = groupby(moment.outcome.written, lambda piece: piece[0] == 2)
    pieces = [(message, "".join(text for _, text in group)) for message, group in groups]
    return {
        "prompt": moment.prompt if moment.input and moment.input.kind == "typed" else PROMPT,
        "line": _line(moment).replace("\x03", "^C").replace("\x04", "^D"),
        "pieces": [{"message": message, "text": shortened(text)} for message, text in pieces if text],
        "status": moment.outcome.returncode,
    }


def _other(timeline: Timeline, tip: Moment) -> dict[str, Any]:
    """An end of another line, and how it differs from the one that is looked at."""
    own = timeline.branching(tip)
    first = own[0].input
    more = f" and {len(own) - 1} more" if len(own) > 1 else ""
    after = len([moment for moment in timeline.line if 0 < moment.number <= own[0].parent])
    return {"number": tip.number, "text": f"after input {after}: {cut(first.title if first else '')}{more}"}


def open_playground(
    lines: tuple[str, ...], lesson: Callable[[], LessonMachine], fresh: bool, options: Any
) -> PlaygroundWidget:
    """The widget that playground() shows; ValueError says what is wrong with the arguments."""
    for line in lines:
        if not isinstance(line, str):
            raise ValueError(f"{line!r:.60} is no line to type: write it in quotes")
    if lines and lines[0].strip().startswith("labkit:"):
        found = LessonMachine()
        found.timeline = play(read_shared(lines[0]))
        lines = lines[1:]
    elif fresh or options:
        found = LessonMachine()
        try:
            found.fresh(**options)
        except TypeError:  # Machine has no such option
            raise ValueError(f"what can be chosen is {choices()}") from None
    else:
        found = lesson()
    for line in lines:
        found.timeline.do(RecordedInput("typed", line))
    return PlaygroundWidget(found)
