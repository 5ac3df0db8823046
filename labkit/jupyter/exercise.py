"""exercise("slug"): a whole exercise as a widget. The state is here, as traits; widgets/src/exercise.js draws it."""

from __future__ import annotations

import difflib
import html
import itertools
import re
import time
from collections.abc import Callable, Sequence

import traitlets

from labkit.course import Attempt, CheckResult, Judgement
from labkit.course.machines import AnswerError, inputs_of
from labkit.course.session import RecordedInput, Timeline
from labkit.dockercli.flags import ValueInvalid
from labkit.dockercli.mountflags import parse_mount, parse_volume
from labkit.dockercli.mountparts import PARTS
from labkit.jupyter.goal import veiled
from labkit.jupyter.panel import (
    PROMPT,
    SOLVED,
    RememberingPanel,
    TerminalPanel,
    bundle,
    picture_trait,
    prose,
    spans,
    standing_of,
)
from labkit.jupyter.picture import Picture
from labkit.jupyter.view import MachineView, added, compare, count, gone_lines, look
from labkit.kernel.golang import Json, JsonObject, items, text

DRAFTS: dict[str, type] = {"terminal": list, "choice": str, "text": str, "order": list, "marks": dict}  # answers
LONGEST_DRAFT = 64 << 10  # characters that are kept of what is not checked
LIVE = 0.15  # seconds that an exercise's checks may take after each input; slower ones wait for Check
MOST_DIFFERENCES = 8
SCRIPT = re.compile(r"`[^`]*[|$;][^`]*` prints")  # how a check looks; of no use to who reads what it looks for
FLAGS = {"-v": "-v", "--volume": "-v", "--mount": "--mount"}


class ExerciseWidget(RememberingPanel, TerminalPanel):
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
    goal = traitlets.Dict().tag(sync=True)  # a picture
    goals = traitlets.Dict().tag(sync=True)  # do, repair: which checks hold now, see goals_trait
    reached = traitlets.Dict().tag(sync=True)  # a picture of what a form's answer led to, with "differs": clauses
    compared = traitlets.Dict().tag(sync=True)  # predict: see side_by_side
    hints: traitlets.List[str] = traitlets.List().tag(sync=True)  # those that are open
    hints_left = traitlets.Int().tag(sync=True)
    feedback = traitlets.Dict().tag(sync=True)  # see feedback_trait
    solutions: traitlets.List[dict[str, str]] = traitlets.List().tag(sync=True)  # rows of name, text
    may_see_solution = traitlets.Bool().tag(sync=True)
    can_undo = traitlets.Bool().tag(sync=True)
    standing = traitlets.Unicode().tag(sync=True)  # what the learner's progress says of this exercise
    best = traitlets.Unicode().tag(sync=True)  # do, repair: the fewest inputs that passed, and the shortest route
    earlier = traitlets.Int().tag(sync=True)  # how many commands of an earlier time can be run again
    trouble = traitlets.Unicode().tag(sync=True)  # why what was done could not be saved
    round = traitlets.Int().tag(sync=True)  # grows when all of the above has changed: another learner's variant

    def __init__(self, attempt: Attempt) -> None:
        self._begun = False
        super().__init__(asks=self.memory.bare())
        self._begin(attempt)
        self.live.add(self)

    def _begin(self, attempt: Attempt) -> None:
        """Start on this attempt, with what is remembered of it."""
        self._begun = False
        self._attempt = attempt
        self._fewest = 0  # inputs of an answer that passed; 0: none did
        self._earlier: list[str] = []  # the commands of an earlier time
        self._seen: MachineView | None = None
        self._slow = 0  # how often the checks took too long to be asked after each input
        self.hints, self.solutions, self.log, self.draft = [], [], [], None
        self.editor, self.feedback, self.goals, self.picture, self.goal = {}, {}, {}, {}, {}
        self.reached, self.compared, self.parts, self.may_see_solution = {}, {}, {}, False
        mine = attempt.exercise
        self.title, self.kind, self.points, self.task = mine.title, mine.kind, mine.points, mine.task
        self.form, self.prompt = dict(attempt.form), PROMPT
        self._draw()
        self._shown = self._seen or MachineView()  # the machine as it stood there at first
        self._recall()
        self.explore = not self._typing and (bool(self.picture) or self.kind == "explain")
        self._show_goal()
        self._begun = True
        self.round += 1

    def _show_goal(self) -> None:
        """The goal, with blanks for what the task does not say; none once it is solved."""
        goal = self._attempt.goal if self._typing else None
        if goal is None:
            return
        view = look(goal)
        if self.standing != SOLVED:
            view = veiled(view, self._shown, self.task, goal)
        self.goal = picture_trait(Picture(added(self._shown, view)))

    @property
    def _typing(self) -> bool:
        """Is what was typed the answer?"""
        return bool(self.form["type"] == "terminal")

    @property
    def timeline(self) -> Timeline:
        return self._attempt.timeline

    def _recall(self) -> None:
        """What the progress says of this exercise: how it stands, and what was filled in, or typed, last."""
        entry, draft = self.memory.entry(self._attempt.exercise.slug), self.memory.draft(self._attempt)
        answered = entry["answer"] if entry else None
        self._fewest = entry.get("best", 0) if entry else 0
        self.standing = standing_of(entry)
        self.may_see_solution = self.may_see_solution or self._honest(answered)
        self._open_hints(draft["hints"] if draft else 0)
        self._tell_best()
        self.kept = {**self.memory.document(self._attempt)}
        answer = (draft and draft["answer"]) or answered
        if self._typing:
            self._earlier = commands_of(answer)
            self.earlier = 0 if self.timeline.past else len(self._earlier)
        elif self._fits(answer) and self.draft is None:
            self.draft = answer

    def remember(self, brought: bool) -> None:
        if not brought:
            return
        now = self.memory.attempt(self._attempt.exercise.slug)
        if (now.learner, now.seed) != (self._attempt.learner, self._attempt.seed):
            self._begin(now)
        else:
            self._recall()
            self.round += 1

    def _fits(self, answer: Json) -> bool:
        """Is this what can be filled into the form?"""
        if not isinstance(answer, str | list | dict) or type(answer) is not DRAFTS[self.form["type"]] or not answer:
            return False
        parts = [*answer, *answer.values()] if isinstance(answer, dict) else [*answer]
        texts = [each for each in parts if isinstance(each, str)]
        return len(texts) == len(parts) and sum(map(len, texts)) <= LONGEST_DRAFT

    def _honest(self, answer: object) -> bool:
        """Is this an answer of the learner's own, and not what stood there at first?"""
        at_first = [value for value, _ in choices(self.form)] if self.form["type"] == "order" else None
        return bool(answer) and answer != at_first

    @traitlets.observe("draft")
    def _drafted(self, change: traitlets.Bunch) -> None:
        if not self._begun or self._typing:
            return
        if self.draft is None or self._fits(self.draft):
            self._keep()
        if self.kind == "compose":
            self.parts = flag_parts(str(self.draft or "")[:LONGEST_DRAFT])

    def _keep(self) -> None:
        """Save what is not checked yet."""
        answer = self._attempt.answer if self._typing else self.draft
        if answer and not self._fits(answer):
            return
        self.trouble = self.memory.keep(self._attempt, answer or DRAFTS[self.form["type"]](), len(self.hints))
        self.kept = {**self.memory.document(self._attempt)}

    def __repr__(self) -> str:
        return f"exercise({self._attempt.exercise.slug!r}): {self.title}"

    def still(self) -> str:
        """The exercise's task, and what can be answered, as a text."""
        worth = count(self.points, "point") if self.points else "self-test, no points"
        title = f"<strong>Exercise: {html.escape(self.title)}</strong> ({worth})"
        return f"<p>{title}</p>\n{prose(self.task)}\n{FORM_TEXTS[self.form['type']](self.form)}"

    def failed(self, sentence: str) -> None:
        self.feedback = {"tone": "error", "title": sentence, "items": [], "reply": ""}

    def give(self, given: RecordedInput) -> None:
        self._attempt.do(given)
        self._moved()

    def do_undo(self) -> None:
        if self.timeline.past:
            self._attempt.undo()
            self._moved()

    def do_reset(self) -> None:
        self._attempt.reset()
        self.editor, self.draft = {}, None
        self.feedback, self.reached, self.compared = {}, {}, {}
        self._seen = None
        self._moved()

    def do_bring_back(self) -> None:
        """Run the commands of the earlier time on a machine as it was at the start."""
        if not self.earlier:
            return
        self._attempt.reset()
        self.editor, self._seen = {}, None
        for line in self._earlier:
            self._attempt.run(line)
        self._moved()

    def do_check(self, answer: Json = None) -> None:
        given = answer if isinstance(answer, str | list | dict) and not self._typing else None
        judgement = self._attempt.check(given)
        trouble = self.memory.record(self._attempt, judgement)
        if self._typing:
            self.goals = goals_trait(judgement.results)
        self.feedback = feedback_trait(judgement, trouble)
        self._show_outcome(judgement)
        if judgement.passed:
            inputs = len(self.timeline.past)
            self.standing, self._fewest = SOLVED, min(inputs, self._fewest or inputs)
            self._show_goal()
        self._tell_best()
        answered = self._attempt.answer if self._typing else given
        self.may_see_solution = self.may_see_solution or (not judgement.error and self._honest(answered))
        self.kept = {**self.memory.document(self._attempt)}
        self.tell()

    def _show_outcome(self, judgement: Judgement) -> None:
        """What a form's answer led to, beside what it was to lead to."""
        self.compared, self.reached = {}, {}
        if judgement.error or self._typing:
            return
        if self.kind == "predict":
            self.compared = side_by_side(str(self._attempt.answer), self._attempt.printed, judgement.passed)
        elif self._attempt.reached is not None:
            view = look(self._attempt.reached)
            differs = differences(self._shown, view) if self.kind == "explain" and not judgement.passed else []
            self.reached = {**picture_trait(Picture(view, compare(self._shown, view))), "differs": differs}

    def _tell_best(self) -> None:
        """The learner's best, and the shortest of the routes that are known; both only once it is solved."""
        self.best = ""
        if self.standing == SOLVED and self._fewest and self._typing and self._attempt.solutions:
            shortest, name = min((len(commands_of(text)), name) for name, text in self._attempt.solutions)
            known = f"The shortest route that is known has {count(shortest, 'input')}: {name}."
            known = "No shorter route is known." if self._fewest <= shortest else known
            self.best = f"Your best: {count(self._fewest, 'input')}. {known}"

    def do_hint(self) -> None:
        self._open_hints(len(self.hints) + 1)
        self._keep()

    def _open_hints(self, number: int) -> None:
        hints = self._attempt.exercise.hints
        self.hints = list(hints[: max(number, len(self.hints))])
        self.hints_left = len(hints) - len(self.hints)

    def do_solution(self) -> None:
        if self.may_see_solution:
            self.solutions = [{"name": name, "text": text} for name, text in self._attempt.solutions]

    def _moved(self) -> None:
        """The machine is another than before: draw it, keep it, and drop what was said about the one before."""
        self.show_terminal()
        self.can_undo = bool(self.timeline.past)
        self._draw()
        if self._typing:
            self.feedback = {}
            self.earlier = 0 if self.can_undo else len(self._earlier)
            self._keep()

    def _draw(self) -> None:
        view = look(self._attempt.machine)
        if view == MachineView() and not self._typing:
            return
        self.picture = picture_trait(Picture(view, compare(self._seen, view)), self.timeline.now.events)
        self._seen = view
        if self._typing:
            self._look_at_goals()

    def _look_at_goals(self) -> None:
        if self._slow > 1:
            self.goals = {"title": "Press Check to see what is done", "items": []}
            return
        began = time.perf_counter()
        results = self._attempt.so_far()
        self.goals = goals_trait(results)
        self._slow += time.perf_counter() - began > LIVE


def choices(form: JsonObject, what: str = "options") -> list[tuple[str, str]]:
    """What a form offers: its value, and how it is shown."""
    return [(text(each, "value"), text(each, "text")) for each in items(form, what)]


def _choice_text(form: JsonObject) -> str:
    options = choices(form)
    letters = any(value != shown for value, shown in options)
    marks = [f"<strong>{html.escape(value)})</strong> " if letters else "" for value, _ in options]
    listed = "".join(f"<li>{mark}{spans(shown)}</li>" for mark, (_, shown) in zip(marks, options, strict=True))
    return f"<p>Choose one:</p>\n<ul>{listed}</ul>"


def _lines(form: JsonObject, what: str) -> str:
    return f"<pre>{html.escape(chr(10).join(shown for _, shown in choices(form, what)))}</pre>"


def _marks_text(form: JsonObject) -> str:
    labels = ", ".join(f"<code>{html.escape(shown)}</code>" for _, shown in choices(form))
    return f"<p>Give each of these one of the marks {labels}:</p>\n{_lines(form, 'items')}"


FORM_TEXTS: dict[str, Callable[[JsonObject], str]] = {  # what can be answered, as HTML for where no kernel runs
    "terminal": lambda form: "<p>Answered in a terminal, which is here while the notebook runs.</p>",
    "text": lambda form: f"<p>Answered with a line of text: {html.escape(text(form, 'label'))}</p>",
    "choice": _choice_text,
    "order": lambda form: f"<p>Put these lines into order:</p>\n{_lines(form, 'options')}",
    "marks": _marks_text,
}


def commands_of(answer: object) -> list[str]:
    """An answer in commands as the inputs that it consists of; none where it is no such answer."""
    try:
        return inputs_of(answer)
    except AnswerError:
        return []


# --- what is said to an answer


def feedback_trait(judgement: Judgement, trouble: str = "") -> JsonObject:
    """A judgement as the page needs it: {"tone", "title", "items": [{"ok", "text", "note"}], "reply"}."""
    if judgement.error:
        return {"tone": "error", "title": judgement.text, "items": [], "reply": trouble}
    points = f": {judgement.points:g} of {count(judgement.of, 'point')}" if judgement.of else ""
    tone, title = ("right", f"Right{points}.") if judgement.passed else ("not yet", f"Not yet{points}.")
    slips = () if judgement.passed else judgement.notes  # who is right need not hear of a slip on the way
    reply = "\n\n".join(filter(None, [judgement.reply, *slips, trouble]))
    return {"tone": tone, "title": title, "items": items_trait(judgement.results), "reply": reply}


def items_trait(results: Sequence[CheckResult]) -> list[Json]:
    """Checks as rows; the same difference is told only once."""
    notes = [each.difference or "" for each in results]
    return [
        {
            "ok": each.ok,
            "text": SCRIPT.sub("a look at the machine shows", each.text),
            "note": note if note not in notes[:number] else "",
        }
        for number, (each, note) in enumerate(zip(results, notes, strict=True))
    ]


def goals_trait(results: Sequence[CheckResult]) -> JsonObject:
    """The checks as they are now: {"title", "items"}."""
    done = sum(each.ok for each in results)
    title = f"{done} of {count(len(results), 'check')} {'is' if done == 1 else 'are'} done"
    if done == len(results):
        title = f"{title}: press Check to hand it in"
    return {"title": title, "items": items_trait(results)}


ComparedLine = tuple[
    str | None, str | None, bool
]  # a line that was predicted, the one that is printed, are they alike?


def side_by_side(said: str, real: str, right: bool) -> JsonObject:
    """A prediction beside what is really printed: rows of {"said", "real", "same"}, and where they first differ.

    "row" is -1 where they nowhere do, a missing line is None.
    """
    mine, theirs = said.strip().splitlines(), real.strip().splitlines()
    keys = [[" ".join(line.split()) for line in lines] for lines in (mine, theirs)]
    parts = difflib.SequenceMatcher(None, keys[0], keys[1], autojunk=False).get_opcodes()
    blocks = [(name == "equal", mine[a:b], theirs[c:d]) for name, a, b, c, d in parts]
    blocks = [(True, mine, theirs)] if right else blocks
    rows = [(*pair, same) for same, ours, printed in blocks for pair in itertools.zip_longest(ours, printed)]
    first = next((number for number, row in enumerate(rows) if not row[2]), -1)
    shown: list[Json] = [{"said": said, "real": real, "same": same} for said, real, same in rows]
    return {"rows": shown, "row": first, "column": _column(rows[first]) if first >= 0 else 0}


def _column(row: ComparedLine) -> int:
    """The first character in which the two lines differ."""
    said, real = row[0] or "", row[1] or ""
    same = (at for at, (a, b) in enumerate(zip(said, real, strict=False)) if a != b)
    return next(same, min(len(said), len(real)))


def differences(wanted: MachineView, reached: MachineView) -> list[str]:
    """What an answer's machine has otherwise than the one it was to lead to, a clause each."""
    missing = [f"not there: {line}" for line in gone_lines(compare(wanted, reached))]
    extra = [f"there as well: {line}" for line in gone_lines(compare(reached, wanted))]
    left = len(missing + extra) - MOST_DIFFERENCES
    return [*(missing + extra)[:MOST_DIFFERENCES], *([f"and {left} more"] if left > 0 else [])]


def flag_parts(text: str) -> JsonObject:
    """What the mount flags in a text say, part by part, and what docker's client says against them.

    {"parts": [{"name": "source", "text": "data"}, …], "message": …}
    """
    parts: list[Json] = []
    messages: list[str] = []
    for flag, value in _flag_values(text):
        parts += [{"name": part.name or "?", "text": value[part.start : part.end]} for part in PARTS[flag](value)]
        try:
            parse_mount(value, lambda path: path) if flag == "--mount" else parse_volume(value)
        except ValueInvalid as error:
            messages.append(f"{flag}: {error}")
    return {"parts": parts, "message": "\n".join(messages)}


def _flag_values(text: str) -> list[tuple[str, str]]:
    """Each mount flag with its value, as far as it is typed."""
    words = text.split()
    found = []
    for word, following in zip(words, [*words, ""][1:], strict=True):
        name, equals, value = word.partition("=")
        if word in FLAGS and following:
            found.append((FLAGS[word], following))
        elif name in FLAGS and equals and value:
            found.append((FLAGS[name], value))
    return found


def widget(slug: object) -> ExerciseWidget:
    """The widget for an exercise, with what this learner's progress says of it; ValueError where there is none."""
    if not isinstance(slug, str) or not slug:
        raise ValueError('which one? Write its name in quotes, as in: exercise("three-layers")')
    return ExerciseWidget(RememberingPanel.memory.attempt(slug))
