"""exercise("slug"): a whole exercise as a widget. The state is here, as traits; static/exercise.js draws it."""

from __future__ import annotations

import html
import itertools
import posixpath
import re
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import traitlets

from labkit.jupyter.answer import attempt_at, record
from labkit.jupyter.draw import DrawingError, draw
from labkit.jupyter.panel import Panel, module, style
from labkit.jupyter.show import Picture, svg_address, svg_width
from labkit.jupyter.state import as_text
from labkit.jupyter.view import View, added, compare, look

HOME = "/home/learner"
EDIT = re.compile(r"(?:nano|vi|vim|edit)\s+([^\s'\"$;|&<>*?]+)")  # an editor and one plain path: opens the text pane
DRAFTS: dict[str, type] = {"choice": str, "text": str, "order": list, "marks": dict}  # what an answer to each form is
KEPT_LINES = 200  # how many inputs with their output the terminal shows
PROMPT, GOES_ON = "# ", "> "  # root's shell, at a new command and within one
KEPT_OUTPUT = 20_000  # characters of one output


class ExerciseWidget(Panel):
    """One learner at one exercise."""

    _esm = module("terminal", "forms", "exercise")
    _css = style("terminal", "exercise")

    title = traitlets.Unicode().tag(sync=True)
    kind = traitlets.Unicode().tag(sync=True)
    points = traitlets.Int().tag(sync=True)
    task = traitlets.Unicode().tag(sync=True)
    form = traitlets.Dict().tag(sync=True)
    explore = traitlets.Bool().tag(sync=True)  # a terminal to look around in, beside a form
    draft = traitlets.Any().tag(sync=True)  # what is filled in, not yet checked
    log: traitlets.List[dict[str, Any]] = traitlets.List().tag(sync=True)  # rows of prompt, line, pieces, status
    prompt = traitlets.Unicode().tag(sync=True)  # what stands before the cursor
    picture = traitlets.Dict().tag(sync=True)  # {"src": …, "alt": …, "text": …, "width": …}
    goal = traitlets.Dict().tag(sync=True)
    hints: traitlets.List[str] = traitlets.List().tag(sync=True)  # those that are open
    hints_left = traitlets.Int().tag(sync=True)
    feedback = traitlets.Dict().tag(sync=True)  # see feedback_trait
    solutions: traitlets.List[dict[str, str]] = traitlets.List().tag(sync=True)  # rows of name, text
    may_see_solution = traitlets.Bool().tag(sync=True)
    can_undo = traitlets.Bool().tag(sync=True)
    editor = traitlets.Dict().tag(sync=True)  # {"path": …, "text": …} while a file is open in the text pane
    standing = traitlets.Unicode().tag(sync=True)  # what the learner's progress says of this exercise
    earlier = traitlets.Bool().tag(sync=True)  # are there commands of an earlier answer that can be run again?

    def __init__(
        self, attempt: Any, entry: Mapping[str, Any] | None = None, save: Callable[[Any, Any], str] = record
    ) -> None:
        self._attempt = attempt
        self._save = save
        answer: Any = entry.get("answer") if entry else None
        self._earlier: list[str] = []  # the commands of an earlier answer
        self._inputs = 0
        self._seen: View | None = None
        super().__init__(
            title=attempt.title,
            kind=attempt.kind,
            points=attempt.points,
            task=attempt.task,
            form=dict(attempt.form),
            hints_left=len(attempt.hints),
            standing=standing_of(entry),
            prompt=PROMPT,
        )
        self._draw()
        if attempt.form["type"] == "terminal":
            self._earlier = commands_of(answer)
            self.earlier = bool(self._earlier)
        elif isinstance(answer, DRAFTS[attempt.form["type"]]):
            self.draft = answer
        self.explore = attempt.form["type"] != "terminal" and bool(self.picture)
        if attempt.form["type"] == "terminal" and attempt.goal is not None:
            self.goal = picture_trait(Picture(added(self._seen or View(), look(attempt.goal))))

    def __repr__(self) -> str:
        return f"exercise({self._attempt.slug!r}): {self.title}"

    def still(self) -> str:
        """The exercise's task as a text."""
        title, task = html.escape(self.title), html.escape(self.task)
        return f"<p><strong>Exercise: {title}</strong></p><pre>{task}</pre>"

    def failed(self, sentence: str) -> None:
        self.feedback = {"tone": "error", "title": sentence, "items": [], "reply": ""}

    def _run(self, message: Mapping[str, Any]) -> None:
        line = str(message.get("line", ""))
        if not line.strip() and self.prompt != GOES_ON:
            return
        if opened := EDIT.fullmatch(line.strip()):
            self.editor = {"path": opened[1], "text": self._read(opened[1])}
            return
        self._ran(line, self._attempt.run(line))

    def _ran(self, line: str, done: Any) -> None:
        """What an input gave, in the log and in the picture."""
        entry = {
            "prompt": self.prompt,
            "line": line,
            "pieces": screen_pieces(self._attempt, done),
            "status": int(done.returncode),
        }
        self.log = [*self.log, entry][-KEPT_LINES:]
        self._moved(self._inputs + 1)

    def _read(self, path: str) -> str:
        """A file of the host as text, to edit it; a file that is not there yet is empty."""
        folder = getattr(self._attempt, "folder", HOME)
        whole = HOME + path[1:] if path.startswith("~/") else posixpath.join(folder, path)
        files = self._attempt.machine.files
        try:
            return files.read(whole).decode("utf-8", "replace") if files.exists(whole) else ""
        except OSError as error:
            raise ValueError(f"{path}: {error.strerror}") from None

    def _save_file(self, message: Mapping[str, Any]) -> None:
        path, self.editor = str(self.editor.get("path", "")), {}
        if path:
            self._ran(f"nano {path}", self._attempt.write_file(path, str(message.get("text", ""))))

    def _close_file(self, message: Mapping[str, Any]) -> None:
        self.editor = {}

    def _undo(self, message: Mapping[str, Any]) -> None:
        if not self._inputs:
            return
        self._attempt.undo()
        self.log = self.log[:-1]
        self._moved(self._inputs - 1)

    def _reset(self, message: Mapping[str, Any]) -> None:
        self._attempt.reset()
        self.log = []
        self.editor = {}
        self.draft = None
        self._seen = None
        self._moved(0)

    def _bring_back(self, message: Mapping[str, Any]) -> None:
        """Run the commands of the earlier answer on a machine as it was at the start."""
        if not self.earlier:
            return
        self._reset(message)
        self.earlier = False
        for line in self._earlier:
            self._ran(line, self._attempt.run(line))

    def _check(self, message: Mapping[str, Any]) -> None:
        terminal = self.form["type"] == "terminal"
        judgement = self._attempt.check() if terminal else self._attempt.check(message.get("answer"))
        trouble = self._save(self._attempt, judgement)
        self.feedback = feedback_trait(judgement, trouble)
        if judgement.passed:
            self.standing = "Solved"
        self.may_see_solution = self.may_see_solution or not judgement.error

    def _hint(self, message: Mapping[str, Any]) -> None:
        self.hints = list(self._attempt.hints[: len(self.hints) + 1])
        self.hints_left = len(self._attempt.hints) - len(self.hints)

    def _solution(self, message: Mapping[str, Any]) -> None:
        if self.may_see_solution:
            self.solutions = [{"name": name, "text": text} for name, text in self._attempt.solutions]

    def _moved(self, inputs: int) -> None:
        """The machine is another than before: draw it, and drop what was said about the one before."""
        self._inputs = inputs
        self.prompt = prompt_of(self._attempt)
        self.can_undo = inputs > 0
        self.feedback = {}
        self._draw()

    def _draw(self) -> None:
        machine = self._attempt.machine
        if machine is None:
            return
        view = look(machine)
        if view == View() and self.form["type"] != "terminal":
            return
        self.picture = picture_trait(Picture(view, compare(self._seen, view)))
        self._seen = view

    actions: ClassVar[Mapping[str, Callable[[Any, Mapping[str, Any]], None]]] = {
        "run": _run,
        "save": _save_file,
        "close": _close_file,
        "undo": _undo,
        "reset": _reset,
        "bring back": _bring_back,
        "check": _check,
        "hint": _hint,
        "solution": _solution,
    }


def prompt_of(attempt: Any) -> str:
    """What the attempt's terminal shows before the cursor; a full terminal's own prompt is kept."""
    return str(getattr(attempt, "prompt", "")) or PROMPT


def screen_pieces(attempt: Any, done: Any) -> list[dict[str, Any]]:
    """What an input wrote, in order: pieces of text, each with whether it was a message (stderr)."""
    written = [(each.stream, each.text) for each in getattr(getattr(attempt, "terminal", None), "written", ())]
    written = written or [(1, done.stdout), (2, done.stderr)]
    groups = itertools.groupby(written, lambda piece: piece[0] == 2)
    pieces = [(message, "".join(as_text(text) for _, text in group)) for message, group in groups]
    return [{"message": message, "text": shortened(text)} for message, text in pieces if text]


def shortened(text: str) -> str:
    """An output's end, where it is too long for a page."""
    left_out = len(text) - KEPT_OUTPUT
    return text if left_out <= 0 else f"[{left_out} characters left out]\n{text[-KEPT_OUTPUT:]}"


def picture_trait(picture: Picture) -> dict[str, Any]:
    """A picture as the page needs it; without an address where nothing can draw, and then the text is all."""
    try:
        svg = draw(picture.dot)
    except DrawingError as error:
        return {"src": "", "alt": str(error), "text": picture.text, "width": 0}
    return {"src": svg_address(svg), "alt": picture.summary, "text": picture.text, "width": svg_width(svg)}


def feedback_trait(judgement: Any, trouble: str = "") -> dict[str, Any]:
    """A judgement as the page needs it: {"tone", "title", "items": [{"ok", "text", "note"}], "reply"}."""
    points = f"{judgement.points:g} of {judgement.of:g} point{'' if judgement.of == 1 else 's'}"
    if judgement.error:
        return {"tone": "error", "title": judgement.text, "items": [], "reply": trouble}
    notes = [each.difference or "" for each in judgement.results]
    items = [
        {"ok": each.ok, "text": each.text, "note": note if note not in notes[:number] else ""}  # the same only once
        for number, (each, note) in enumerate(zip(judgement.results, notes, strict=True))
    ]
    title = f"Right: {points}." if judgement.passed else f"Not yet: {points}."
    slips = () if judgement.passed else judgement.notes  # who is right need not hear of a slip on the way
    reply = "\n\n".join(filter(None, [judgement.reply, *slips, trouble]))
    return {"tone": "right" if judgement.passed else "not yet", "title": title, "items": items, "reply": reply}


def widget(slug: str) -> ExerciseWidget:
    """The widget for an exercise, with what this learner's progress says of it; ValueError where there is none."""
    return ExerciseWidget(attempt_at(slug), entry_of(slug))


def entry_of(slug: str) -> Mapping[str, Any] | None:
    """The exercise in the learner's progress; None where it was not tried yet, or the progress cannot be read."""
    from labkit.course import ProgressError, open_progress

    try:
        return open_progress().entry(slug)
    except (ProgressError, OSError):
        return None


def commands_of(answer: Any) -> list[str]:
    """An answer in commands as the inputs that it consists of; none where it is no such answer."""
    from labkit.course.play import AnswerError, inputs_of

    try:
        return inputs_of(answer)
    except AnswerError:
        return []


def standing_of(entry: Mapping[str, Any] | None) -> str:
    """What the learner's progress says: "Solved", "Tried 2 times", or "" for an exercise not yet tried."""
    if not entry:
        return ""
    tries = int(entry.get("tries") or 1)
    return "Solved" if entry.get("passed") else f"Tried {tries} time{'' if tries == 1 else 's'}"
