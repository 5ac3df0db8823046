"""One learner at one exercise, and the history of what was typed: what widgets, plain cells and the grader share.

A history has the machine as it was after each input. The moments are a tree: who goes back and types something else
starts a new line of inputs from there, and the former line stays. `line` is the one that is being looked at, `at` the
moment in it that the machine is now in. A snapshot costs almost nothing, so each moment keeps one. What is saved to a
disk or handed on is the list of inputs. Exercises, lessons and playgrounds have their history here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from labkit.course.checks import CheckResult
from labkit.course.judge import KINDS, Form, Judgement, goal_machine, judge, judged
from labkit.course.machines import Facts, answer_text, fresh_machine
from labkit.course.progress import current
from labkit.course.record import Answer, Exercise, for_learner
from labkit.course.setups import write_file
from labkit.course.verdict import Verdict, check_all, facts_of
from labkit.engine.core.core import Event
from labkit.machine import WAITING, Machine, SavedTerminal, Snapshot, Terminal


@dataclass(frozen=True)
class RecordedInput:
    """One thing that was done: RecordedInput("typed", "docker ps"). `kind` is a row of KINDS."""

    kind: str
    text: str
    path: str = ""  # of a file that was written, by an editor too

    @property
    def title(self) -> str:
        """One line that names it."""
        lines = self.text.split("\n") if self.kind != "file" else [f"write {self.path}"]
        return f"{lines[0]} ..." if len(lines) > 1 else lines[0]


@dataclass(frozen=True)
class InputOutcome:
    """What an input gave: pieces of (stream, text) in their order."""

    returncode: int = 0
    written: tuple[tuple[int, str], ...] = ()

    @property
    def stdout(self) -> str:
        return self._text(1)

    @property
    def stderr(self) -> str:
        return self._text(2)

    def _text(self, stream: int) -> str:
        return "".join(text for number, text in self.written if number == stream)


@dataclass(frozen=True)
class Saved:
    """A machine and its terminal, where there is one, at a moment."""

    machine: Snapshot
    terminal: Terminal | None
    shell: SavedTerminal | None


@dataclass(frozen=True)
class Moment:
    """The machine after an input; the first has none."""

    number: int
    parent: int
    input: RecordedInput | None = None
    outcome: InputOutcome = InputOutcome()
    prompt: str = ""  # of the terminal, before the input
    inside: bool = False  # the terminal is in a container's shell, after the input
    waits: bool = False  # the command goes on, after the input
    events: tuple[Event, ...] = ()  # what the engine did
    saved: Saved | None = None
    notes: Mapping[str, object] = field(default_factory=dict, compare=False)  # what whoever looks at it keeps with it


class Timeline:
    """A machine and its history. `options`: what the machine was made with."""

    def __init__(self, machine: Machine, options: Mapping[str, object] | None = None) -> None:
        self.machine = machine
        self.options = dict(options or {})
        self.watchers: list[Callable[[], None]] = []  # called after every change
        self._terminal: Terminal | None = None
        self.moments = [Moment(0, -1)]
        self.at = 0
        self.tip = 0  # of the line that is looked at

    @property
    def terminal(self) -> Terminal:
        """The terminal; made when it is first asked for."""
        if self._terminal is None:
            self._terminal = self.machine.session()
        return self._terminal

    @property
    def now(self) -> Moment:
        return self.moments[self.at]

    @property
    def line(self) -> list[Moment]:
        """From the start to the end of the line of inputs that is looked at."""
        moments = [self.moments[self.tip]]
        while moments[-1].parent >= 0:
            moments.append(self.moments[moments[-1].parent])
        return moments[::-1]

    @property
    def past(self) -> list[Moment]:
        """The line as far as the moment that the machine is in, without the start."""
        return [moment for moment in self.line[1:] if moment.number <= self.at]

    @property
    def inputs(self) -> list[RecordedInput]:
        return [moment.input for moment in self.past if moment.input is not None]

    @property
    def others(self) -> list[Moment]:
        """The ends of the other lines, the newest first."""
        parents = {moment.parent for moment in self.moments}
        line = {moment.number for moment in self.line}
        return [moment for moment in reversed(self.moments) if moment.number not in parents | line]

    def branching(self, tip: Moment) -> list[Moment]:
        """What another line has that the one looked at has not, in order."""
        line = {moment.number for moment in self.line}
        ahead = []
        while tip.number not in line:
            ahead.append(tip)
            tip = self.moments[tip.parent]
        return ahead[::-1]

    def do(self, given: RecordedInput) -> InputOutcome:
        """Do this now. In the past, it starts a new line of inputs there; the former one stays among the `others`."""
        self._keep()
        prompt = self.terminal.prompt if given.kind == "typed" else ""
        start = len(self.machine.events)
        outcome = INPUT_KINDS[given.kind](self, given)
        moment = Moment(
            number=len(self.moments),
            parent=self.at,
            input=given,
            outcome=outcome,
            prompt=prompt,
            inside=bool(self._terminal and self._terminal.inside),
            waits=bool(self._terminal and self._terminal.prompt in WAITING),
            events=tuple(self.machine.events[start:]),
        )
        self.moments.append(moment)
        self.at = self.tip = moment.number
        self._changed()
        return outcome

    def go(self, number: int) -> None:
        """To this moment, of whatever line."""
        if not 0 <= number < len(self.moments):
            raise ValueError(f"there is no moment {number}")
        self._keep()
        if number not in {moment.number for moment in self.line}:
            self.tip = number
        self.at = number
        saved = self.moments[number].saved
        assert saved is not None  # every moment but the present one is kept
        self.machine.restore(saved.machine)
        self._terminal = saved.terminal
        if self._terminal is not None and saved.shell is not None:
            self._terminal.restore(saved.shell)
        self._changed()

    def undo(self) -> RecordedInput | None:
        """One input back: which; None at the start."""
        taken = self.now.input
        if taken is not None:
            self.go(self.now.parent)
        return taken

    def redo(self) -> RecordedInput | None:
        """One input forth on the line: which; None at its end."""
        following = [moment for moment in self.line if moment.number > self.at]
        if not following:
            return None
        self.go(following[0].number)
        return self.now.input

    def note(self, **notes: object) -> None:
        """Keep something with the moment that the machine is in."""
        self.moments[self.at] = replace(self.now, notes={**self.now.notes, **notes})

    def _keep(self) -> None:
        """The moment that the machine is in, kept; as it is now, whatever was done to it beside this timeline."""
        shell = self._terminal.snapshot() if self._terminal else None
        saved = Saved(self.machine.snapshot(), self._terminal, shell)
        self.moments[self.at] = replace(self.now, saved=saved)

    def _changed(self) -> None:
        for watcher in self.watchers:
            watcher()


def _written(terminal: Terminal) -> tuple[tuple[int, str], ...]:
    """What the last line gave, as text, whatever bytes a program may have printed."""
    return tuple((each.stream, each.text.decode("utf-8", "replace")) for each in terminal.written)


def _typed(timeline: Timeline, given: RecordedInput) -> InputOutcome:
    """A line, or several, in the timeline's own terminal."""
    done = timeline.terminal.run(given.text)
    return InputOutcome(done.returncode, _written(timeline.terminal))


def _run(timeline: Timeline, given: RecordedInput) -> InputOutcome:
    """A command in a shell of its own."""
    done = timeline.machine.run(given.text)
    pieces = ((1, done.stdout), (2, done.stderr))
    return InputOutcome(done.returncode, tuple(piece for piece in pieces if piece[1]))


def _session(timeline: Timeline, given: RecordedInput) -> InputOutcome:
    """Lines in a terminal of their own; what it shows, the lines themselves included."""
    terminal = timeline.machine.session()
    screen: list[tuple[int, str]] = []
    status = 0
    for line in given.text.splitlines():
        screen.append((1, f"{terminal.prompt}{line}\n"))
        status = terminal.run(line).returncode
        screen += _written(terminal)
    return InputOutcome(status, tuple(screen))


def _file(timeline: Timeline, given: RecordedInput) -> InputOutcome:
    write_file(timeline.machine, given.path, given.text)
    return InputOutcome()


def typed_file(path: str, text: str) -> RecordedInput:
    """A file saved by an editor, as the input that would have written it."""
    mark = "EOF"
    while mark in text.splitlines():
        mark += "_"
    quoted = "'" + path.replace("'", "'\\''") + "'"
    whole = text if text.endswith("\n") or not text else f"{text}\n"
    return RecordedInput("typed", f"cat > {quoted} <<'{mark}'\n{whole}{mark}", path)


INPUT_KINDS: dict[str, Callable[[Timeline, RecordedInput], InputOutcome]] = {
    "typed": _typed,
    "run": _run,
    "session": _session,
    "file": _file,
}


class Attempt:
    """See the package's docstring for the whole of it."""

    def __init__(self, exercise: Exercise, learner: str | None = None, seed: str | None = None) -> None:
        whose = current()
        self.learner = whose.learner if learner is None else learner
        self.seed = whose.seed if seed is None else seed
        self.record = exercise
        self.exercise = variant = for_learner(exercise, self.learner, self.seed)
        self.slug, self.revision, self.lesson, self.kind = variant.slug, variant.revision, variant.lesson, variant.kind
        self.title, self.task, self.points, self.hints = variant.title, variant.task, variant.points, variant.hints
        self._given: Answer | None = None
        self._timeline: Timeline | None = None
        self._start: Snapshot | None = None  # of the machine, before anything was done
        self._verdict: Verdict | None = None

    @property
    def form(self) -> Form:
        return KINDS[self.exercise.kind].form(self.exercise)

    @property
    def by_commands(self) -> bool:
        """Is the answer what was done in a terminal?"""
        return KINDS[self.exercise.kind].terminal

    @property
    def answer(self) -> Answer | None:
        """What was last given to check(); else, where the answer is what was done, the inputs so far."""
        return [*self.inputs] if self._given is None and self.by_commands else self._given

    @property
    def timeline(self) -> Timeline:
        """The machine, and all that was typed on it; begun when it is first asked for."""
        if self._timeline is None:
            machine = fresh_machine(self.exercise, shown=True)
            self._start = machine.snapshot()
            self._timeline = Timeline(machine)
        return self._timeline

    @property
    def inputs(self) -> list[str]:
        """What was typed so far."""
        return [each.text for each in self._timeline.inputs] if self._timeline else []

    @property
    def machine(self) -> Machine:
        return self.timeline.machine

    @property
    def terminal(self) -> Terminal:
        """The terminal of that machine, in which `run` runs."""
        return self.timeline.terminal

    @property
    def prompt(self) -> str:
        return self.terminal.prompt

    @property
    def folder(self) -> str:
        return self.terminal.folder

    @property
    def goal(self) -> Machine | None:
        return goal_machine(self.exercise)

    @property
    def solution(self) -> str:
        return self.solutions[0][1]

    @property
    def solutions(self) -> list[tuple[str, str]]:
        parse = KINDS["mark"].parse if self.kind == "mark" else lambda _, answer: answer
        return [(route.name, answer_text(parse(self.exercise, route.answer))) for route in self.exercise.solutions]

    def run(self, line: str) -> InputOutcome:
        """Run one input on the learner's machine; where the answer is what was run, it becomes part of it."""
        return self.do(RecordedInput("typed", line))

    def write_file(self, path: str, text: str) -> InputOutcome:
        """A file saved by an editor, as the input that would have written it."""
        return self.do(typed_file(path, text))

    def do(self, given: RecordedInput) -> InputOutcome:
        self._given = None if self.by_commands else self._given
        return self.timeline.do(given)

    def undo(self) -> None:
        """The last input never happened."""
        self.timeline.undo()

    def reset(self) -> None:
        self._timeline = None

    def check(self, answer: Answer | None = None) -> Judgement:
        """Judge this answer on a fresh machine; without one, what was run (or given) so far."""
        if answer is None:
            answer = self.answer
        else:
            self._given = answer
        judgement, self._verdict = judged(self.exercise, answer)
        return replace(judgement, results=self._as_shown(judgement.results))

    @property
    def reached(self) -> Machine | None:
        """The machine that the answer which was checked last led to; None where it is no change of a machine."""
        return self._verdict.machine if self._verdict else None

    @property
    def printed(self) -> str:
        """predict: what the command prints, once an answer was checked."""
        return self._verdict.printed if self._verdict else ""

    def so_far(self) -> tuple[CheckResult, ...]:
        """do, repair: which checks hold on the machine as it is now. Nothing is handed in, and nothing is changed."""
        if any(each.after for each in self.exercise.checks):  # what it runs could meet the terminal's shell
            return self._as_shown(judge(self.exercise, self.inputs).results)
        return self._as_shown(check_all(Facts(self.machine, self._start), self.exercise.checks))

    @cached_property
    def _at_start(self) -> tuple[CheckResult, ...]:
        return check_all(facts_of(self.exercise), self.exercise.checks) if self.by_commands else ()

    def _as_shown(self, results: tuple[CheckResult, ...]) -> tuple[CheckResult, ...]:
        """What holds on the untouched machine already is not shown as done until all is."""
        if len(results) != len(self._at_start) or all(each.ok for each in results):
            return results
        return tuple(
            replace(each, ok=False, kept=True, text=f"{each.text} (so from the start: keep it)")
            if each.ok and before.ok
            else each
            for each, before in zip(results, self._at_start, strict=True)
        )
