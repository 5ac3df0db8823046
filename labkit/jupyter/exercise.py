"""exercise("slug"): a whole exercise as a widget. The state is here, as traits; widgets/src/exercise.js draws it."""

from __future__ import annotations

import html
import itertools
import posixpath
import re
import time
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import traitlets

from labkit.course.timeline import as_text
from labkit.jupyter.feedback import differences, feedback_trait, flag_parts, goals_trait, side_by_side
from labkit.jupyter.magics import attempt_at
from labkit.jupyter.panel import KEEPING, Keeps, Memory, Panel, bundle, count, prose, spans
from labkit.jupyter.picture import DrawingError, Picture, draw, svg_address, svg_width
from labkit.jupyter.view import MachineView, added, compare, look

HOME = "/home/learner"
EDIT = re.compile(r"(?:nano|vi|vim|edit)\s+([^\s'\"$;|&<>*?]+)")  # an editor and one plain path: opens the text pane
DRAFTS: dict[str, type] = {"terminal": list, "choice": str, "text": str, "order": list, "marks": dict}  # answers
KEPT_LINES = 200  # how many inputs with their output the terminal shows
PROMPT, GOES_ON = "# ", "> "  # root's shell, at a new command and within one
KEPT_OUTPUT = 20_000  # characters of one output
MOST_CHOICES = 80  # words that Tab lists
LONGEST_DRAFT = 64 << 10  # characters that are kept of what is not checked
LIVE = 0.15  # seconds that an exercise's checks may take after each input; slower ones wait for Check


class ExerciseWidget(Keeps, Panel):
    """One learner at one exercise."""

    _esm, _css = bundle("exercise")

    title = traitlets.Unicode().tag(sync=True)
    kind = traitlets.Unicode().tag(sync=True)
    points = traitlets.Int().tag(sync=True)
    task = traitlets.Unicode().tag(sync=True)
    form = traitlets.Dict().tag(sync=True)
    explore = traitlets.Bool().tag(sync=True)  # a terminal to look around in, beside a form
    draft = traitlets.Any().tag(sync=True)  # what is filled in, not yet checked
    parts = traitlets.Dict().tag(sync=True)  # compose: what the flag that is filled in says, see flag_parts
    log: traitlets.List[dict[str, Any]] = traitlets.List().tag(sync=True)  # rows of prompt, line, pieces, status
    prompt = traitlets.Unicode().tag(sync=True)  # what stands before the cursor
    picture = traitlets.Dict().tag(sync=True)  # {"src": …, "alt": …, "text": …, "width": …}
    goal = traitlets.Dict().tag(sync=True)
    goals = traitlets.Dict().tag(sync=True)  # do, repair: which checks hold now, see goals_trait
    reached = traitlets.Dict().tag(sync=True)  # a picture of what a form's answer led to, with "differs": clauses
    compared = traitlets.Dict().tag(sync=True)  # predict: see side_by_side
    hints: traitlets.List[str] = traitlets.List().tag(sync=True)  # those that are open
    hints_left = traitlets.Int().tag(sync=True)
    feedback = traitlets.Dict().tag(sync=True)  # see feedback_trait
    solutions: traitlets.List[dict[str, str]] = traitlets.List().tag(sync=True)  # rows of name, text
    may_see_solution = traitlets.Bool().tag(sync=True)
    can_undo = traitlets.Bool().tag(sync=True)
    editor = traitlets.Dict().tag(sync=True)  # {"path": …, "text": …} while a file is open in the text pane
    completion = traitlets.Dict().tag(sync=True)  # see completion_trait
    standing = traitlets.Unicode().tag(sync=True)  # what the learner's progress says of this exercise
    best = traitlets.Unicode().tag(sync=True)  # do, repair: the fewest inputs that passed, and the shortest route
    earlier = traitlets.Int().tag(sync=True)  # how many commands of an earlier time can be run again
    trouble = traitlets.Unicode().tag(sync=True)  # why what was done could not be saved
    round = traitlets.Int().tag(sync=True)  # grows when all of the above has changed: another learner's variant

    def __init__(self, attempt: Any, memory: Any = None) -> None:
        self.memory = memory or Memory()
        self._begun = False
        super().__init__(asks=self.memory.bare())
        self._begin(attempt)
        self.joins()

    def _begin(self, attempt: Any) -> None:
        """Start on this attempt, with what is remembered of it."""
        self._begun = False
        self._attempt = attempt
        self._fewest: int | None = None  # inputs of an answer that passed
        self._earlier: list[str] = []  # the commands of an earlier time
        self._inputs = 0
        self._seen: MachineView | None = None
        self._slow = 0  # how often the checks took too long to be asked after each input
        self.hints, self.solutions, self.log, self.draft = [], [], [], None
        self.editor, self.feedback, self.goals, self.picture, self.goal = {}, {}, {}, {}, {}
        self.reached, self.compared, self.parts, self.may_see_solution = {}, {}, {}, False
        self.title, self.kind, self.points, self.task = attempt.title, attempt.kind, attempt.points, attempt.task
        self.form, self.prompt = dict(attempt.form), PROMPT
        self._draw()
        self._shown = self._seen  # the machine as it stood there at first
        self._recall()
        self.explore = attempt.form["type"] != "terminal" and bool(self.picture)
        if attempt.form["type"] == "terminal" and attempt.goal is not None:
            self.goal = picture_trait(Picture(added(self._seen or MachineView(), look(attempt.goal))))
        self._begun = True
        self.round += 1

    def _recall(self) -> None:
        """What the progress says of this exercise: how it stands, and what was filled in, or typed, last."""
        entry = self.memory.entry(self._attempt.slug) or {}
        draft = self.memory.draft(self._attempt) or {}
        self._fewest = entry.get("best")
        self.standing = standing_of(entry)
        self.may_see_solution = self.may_see_solution or self._honest(entry.get("answer"))
        self._open_hints(int(draft.get("hints") or 0))
        self._tell_best(bool(entry.get("passed")))
        self.kept = self.memory.document(self._attempt)
        answer = draft.get("answer") or entry.get("answer")
        if self.form["type"] == "terminal":
            self._earlier = commands_of(answer)
            self.earlier = 0 if self._inputs else len(self._earlier)
        elif self._fits(answer) and self.draft is None:
            self.draft = answer

    def remember(self, brought: bool) -> None:
        if not brought:
            return
        now = self.memory.attempt(self._attempt.slug)
        if (now.learner, now.seed) != (self._attempt.learner, self._attempt.seed):
            self._begin(now)
        else:
            self._recall()
            self.round += 1

    def _fits(self, answer: object) -> bool:
        """Is this what can be filled into the form?"""
        if not isinstance(answer, DRAFTS[self.form["type"]]) or not answer:
            return False
        texts = texts_of(answer)
        return all(isinstance(each, str) for each in texts) and sum(map(len, texts)) <= LONGEST_DRAFT

    def _honest(self, answer: object) -> bool:
        """Is this an answer of the learner's own, and not what stood there at first?"""
        form = self._attempt.form
        if form["type"] == "order":
            return bool(answer) and answer != [option["value"] for option in form["options"]]
        return bool(answer)

    @traitlets.observe("draft")
    def _drafted(self, change: Any) -> None:
        if not self._begun or self.form["type"] == "terminal":
            return
        if change["new"] is None or self._fits(change["new"]):
            self._keep()
        if self.kind == "compose":
            self.parts = flag_parts(str(change["new"] or "")[:LONGEST_DRAFT])

    def _keep(self) -> None:
        """Save what is not checked yet."""
        kind = DRAFTS[self.form["type"]]
        answer = self._typed() if self.form["type"] == "terminal" else self.draft
        if answer and not self._fits(answer):
            return
        self.trouble = self.memory.keep(self._attempt, answer or kind(), len(self.hints))
        self.kept = self.memory.document(self._attempt)

    def _typed(self) -> list[str]:
        return list(self._attempt.answer or [])

    def __repr__(self) -> str:
        return f"exercise({self._attempt.slug!r}): {self.title}"

    def still(self) -> str:
        """The exercise's task, and what can be answered, as a text."""
        points = count(self.points, "point")
        return (
            f"<p><strong>Exercise: {html.escape(self.title)}</strong> ({points})</p>\n"
            f"{prose(self.task)}\n{form_text(self._attempt.form)}"
        )

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
        self._write(line, done)
        self._moved(self._inputs + 1)

    def _write(self, line: str, done: Any) -> None:
        entry = {
            "prompt": self.prompt,
            "line": line,
            "pieces": screen_pieces(self._attempt, done),
            "status": int(done.returncode),
        }
        self.log = [*self.log, entry][-KEPT_LINES:]
        self.prompt = prompt_of(self._attempt)

    def _read(self, path: str) -> str:
        """A file of the host as text, to edit it; a file that is not there yet is empty."""
        folder = getattr(self._attempt, "folder", HOME)
        whole = HOME + path[1:] if path.startswith("~/") else posixpath.join(folder, path)
        return text_of(self._attempt.machine.files, whole, path)

    def _save_file(self, message: Mapping[str, Any]) -> None:
        path, self.editor = str(self.editor.get("path", "")), {}
        if path:
            self._ran(f"nano {path}", self._attempt.write_file(path, str(message.get("text", ""))))

    def _close_file(self, message: Mapping[str, Any]) -> None:
        self.editor = {}

    def _complete(self, message: Mapping[str, Any]) -> None:
        self.completion = completion_trait(self._attempt.terminal, message)

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
        self.feedback, self.reached, self.compared = {}, {}, {}
        self._seen = None
        self._moved(0)

    def _bring_back(self, message: Mapping[str, Any]) -> None:
        """Run the commands of the earlier time on a machine as it was at the start."""
        if not self.earlier:
            return
        lines = self._earlier
        self._attempt.reset()
        self.log, self.editor, self._seen, self.prompt = [], {}, None, PROMPT
        for line in lines:
            self._write(line, self._attempt.run(line))
        self._moved(len(lines))

    def _check(self, message: Mapping[str, Any]) -> None:
        terminal = self.form["type"] == "terminal"
        judgement = self._attempt.check() if terminal else self._attempt.check(message.get("answer"))
        trouble = self.memory.record(self._attempt, judgement)
        if terminal:
            self.goals = goals_trait(judgement.results, self._attempt.missing(judgement.results))
        self.feedback = feedback_trait(judgement, trouble)
        self._show_outcome(judgement)
        if judgement.passed:
            self.standing = "Solved"
            self._fewest = min(self._inputs, self._fewest or self._inputs)
        self._tell_best(self.standing == "Solved")
        answer = self._typed() if terminal else message.get("answer")
        self.may_see_solution = self.may_see_solution or (not judgement.error and self._honest(answer))
        self.kept = self.memory.document(self._attempt)
        self.tell()

    def _show_outcome(self, judgement: Any) -> None:
        """What a form's answer led to, beside what it was to lead to."""
        self.compared, self.reached = {}, {}
        if judgement.error or self.form["type"] == "terminal":
            return
        if self.kind == "predict":
            said, real = str(self._attempt.answer), self._attempt.printed
            self.compared = side_by_side(said, real, judgement.passed)
        elif self._attempt.reached is not None:
            view = look(self._attempt.reached)
            shown = self._shown or MachineView()
            differs = differences(shown, view) if self.kind == "explain" and not judgement.passed else []
            self.reached = {**picture_trait(Picture(view, compare(shown, view))), "differs": differs}

    def _tell_best(self, passed: bool) -> None:
        """The learner's best, and the shortest of the routes that are known; both only once it is solved."""
        if not (passed and self._fewest and self.form["type"] == "terminal"):
            self.best = ""
            return
        routes = [(len(commands_of(text)), name) for name, text in self._attempt.solutions]
        shortest, name = min(routes)
        least = f"Your best: {count(self._fewest, 'input')}."
        if self._fewest <= shortest:
            self.best = f"{least} No shorter route is known."
        else:
            self.best = f"{least} The shortest route that is known has {count(shortest, 'input')}: {name}."

    def _hint(self, message: Mapping[str, Any]) -> None:
        self._open_hints(len(self.hints) + 1)
        self._keep()

    def _open_hints(self, number: int) -> None:
        self.hints = list(self._attempt.hints[: max(number, len(self.hints))])
        self.hints_left = len(self._attempt.hints) - len(self.hints)

    def _solution(self, message: Mapping[str, Any]) -> None:
        if self.may_see_solution:
            self.solutions = [{"name": name, "text": text} for name, text in self._attempt.solutions]

    def _moved(self, inputs: int) -> None:
        """The machine is another than before: draw it, keep it, and drop what was said about the one before."""
        self._inputs = inputs
        self.prompt = prompt_of(self._attempt)
        self.can_undo = inputs > 0
        self._draw()
        if self.form["type"] == "terminal":
            self.feedback = {}
            self.earlier = 0 if inputs else len(self._earlier)
            self._keep()

    def _draw(self) -> None:
        machine = self._attempt.machine
        if machine is None:
            return
        view = look(machine)
        if view == MachineView() and self.form["type"] != "terminal":
            return
        self.picture = picture_trait(Picture(view, compare(self._seen, view)))
        self._seen = view
        if self.form["type"] == "terminal":
            self._look_at_goals()

    def _look_at_goals(self) -> None:
        if self._slow > 1:
            self.goals = {"title": "Press Check to see what is done", "missing": "", "items": []}
            return
        began = time.perf_counter()
        results = self._attempt.so_far()
        self.goals = goals_trait(results, self._attempt.missing(results))
        self._slow += time.perf_counter() - began > LIVE

    actions: ClassVar[Mapping[str, Callable[[Any, Mapping[str, Any]], None]]] = {
        "run": _run,
        "save": _save_file,
        "close": _close_file,
        "complete": _complete,
        "undo": _undo,
        "reset": _reset,
        "bring back": _bring_back,
        "check": _check,
        "hint": _hint,
        "solution": _solution,
        **KEEPING,
    }


def texts_of(answer: object) -> list[Any]:
    """What an answer is made of."""
    if isinstance(answer, dict):
        return [*answer, *answer.values()]
    return list(answer) if isinstance(answer, list) else [answer]


def text_of(files: Any, whole: str, path: str) -> str:
    """The file `whole` as a text; one that is not there yet is empty. ValueError names it as `path`."""
    try:
        return files.read(whole).decode("utf-8", "replace") if files.exists(whole) else ""
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}") from None


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


def completion_trait(terminal: Any, message: Mapping[str, Any]) -> dict[str, Any]:
    """What Tab offers at the end of the message's line: {"asked": …, "line": …, "choices": […], "more": …}."""
    found = terminal.complete(str(message.get("line", "")))
    choices = list(found.choices[:MOST_CHOICES])
    return {
        "asked": message.get("asked"),
        "line": found.line,
        "choices": choices,
        "more": len(found.choices) - len(choices),
    }


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


def form_text(form: Mapping[str, Any]) -> str:
    """What can be answered, as HTML for where no kernel runs."""
    return FORM_TEXTS[form["type"]](form)


def _choice_text(form: Mapping[str, Any]) -> str:
    letters = any(option["value"] != option["text"] for option in form["options"])
    marks = [f"<strong>{html.escape(option['value'])})</strong> " if letters else "" for option in form["options"]]
    items = [f"<li>{mark}{spans(option['text'])}</li>" for mark, option in zip(marks, form["options"], strict=True)]
    return f"<p>Choose one:</p>\n<ul>{''.join(items)}</ul>"


def _order_text(form: Mapping[str, Any]) -> str:
    lines = html.escape("\n".join(option["text"] for option in form["options"]))
    return f"<p>Put these lines into order:</p>\n<pre>{lines}</pre>"


def _marks_text(form: Mapping[str, Any]) -> str:
    labels = ", ".join(f"<code>{html.escape(option['text'])}</code>" for option in form["options"])
    lines = html.escape("\n".join(item["text"] for item in form["items"]))
    return f"<p>Give each of these one of the marks {labels}:</p>\n<pre>{lines}</pre>"


FORM_TEXTS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "terminal": lambda form: "<p>Answered in a terminal, which is here while the notebook runs.</p>",
    "text": lambda form: f"<p>Answered with a line of text: {html.escape(form['label'])}</p>",
    "choice": _choice_text,
    "order": _order_text,
    "marks": _marks_text,
}


def widget(slug: str) -> ExerciseWidget:
    """The widget for an exercise, with what this learner's progress says of it; ValueError where there is none."""
    return ExerciseWidget(attempt_at(slug))


def commands_of(answer: Any) -> list[str]:
    """An answer in commands as the inputs that it consists of; none where it is no such answer."""
    from labkit.course.machines import AnswerError, inputs_of

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
