"""One learner at one exercise: what the widget, the plain-text cell and the grader have in common."""

from __future__ import annotations

from collections.abc import Sequence

from labkit.course.checks import CheckResult
from labkit.course.judge import KINDS, Form, Judgement, Verdict, check_all, difference, goal_machine, judge, judged
from labkit.course.machines import answer_text, fresh_machine
from labkit.course.progress import current
from labkit.course.record import Answer, Exercise, for_learner
from labkit.course.timeline import InputOutcome, RecordedInput, Timeline, typed_file
from labkit.machine import Machine, Terminal


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
            self._timeline = Timeline(fresh_machine(self.exercise, shown=True))
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
        return judgement

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
            return judge(self.exercise, self.inputs).results
        return check_all(self.machine, self.exercise.checks)

    def missing(self, results: Sequence[CheckResult]) -> str:
        """What is missing, in one clause; "" where nothing is."""
        return difference(self.exercise, results)
