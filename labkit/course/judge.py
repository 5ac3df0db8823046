"""The nine kinds of exercise: what a record of each has of its own, what an answer looks like, and how it is judged.

A judgement says what was asked, what is so instead, and which mistake it is where it is one that people make.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Generic, TypedDict, TypeVar

from labkit.course.checks import CheckResult, evaluate
from labkit.course.compare import COMPARE
from labkit.course.flaganswer import judge_flags, parse_flags
from labkit.course.machines import AnswerError, Played, fresh_machine, inputs_of, known, play
from labkit.course.record import Exercise, Mistake, told
from labkit.course.setups import write_file
from labkit.course.verdict import Verdict, answer_lines, answer_word, check_all, facts_of
from labkit.machine import Machine

Parsed = TypeVar("Parsed", str, list[str], dict[str, str])
LETTERS = "abcdefghijklmnopqrstuvwxyz"


class FormOption(TypedDict):
    value: str
    text: str


class Form(TypedDict, total=False):
    """How an answer is given: see the package's docstring."""

    type: str
    label: str
    placeholder: str
    options: list[FormOption]
    items: list[FormOption]


def _options(texts: Iterable[str]) -> list[FormOption]:
    return [{"value": text, "text": text} for text in texts]


@dataclass(frozen=True)
class Kind(Generic[Parsed]):
    """A row of the table. `keys`: what its records have beside what all have, and is it needed?"""

    form: Callable[[Exercise], Form]
    parse: Callable[[Exercise, object], Parsed]  # raises AnswerError
    judge: Callable[[Exercise, Parsed], Verdict]
    keys: Mapping[str, bool] = field(default_factory=dict)
    terminal: bool = False  # the answer is what was done in a terminal
    machine: bool = False  # the answer changes a machine, so that checks can be asked of it

    def verdict(self, exercise: Exercise, answer: object) -> tuple[Parsed, Verdict]:
        """The answer as it was understood, and what was found out about it. Raises AnswerError."""
        parsed = self.parse(exercise, answer)
        return parsed, self.judge(exercise, parsed)


# do, repair, explain: commands


def _parse_some_commands(exercise: Exercise, answer: object) -> list[str]:
    if inputs := inputs_of(answer):
        return inputs
    raise AnswerError("nothing is written yet")


def _judge_commands(exercise: Exercise, parsed: list[str]) -> Verdict:
    facts = facts_of(exercise)
    played = play(facts.machine, parsed)
    return Verdict(check_all(facts, exercise.checks), "\n".join(parsed), facts, tuple(played))


# predict


def _predict_form(exercise: Exercise) -> Form:
    if exercise.own.options:
        return {"type": "choice", "options": _options(exercise.own.options)}
    return {"type": "text", "label": "What will it print?", "placeholder": exercise.own.example}


def prediction(exercise: Exercise, observe: str = "") -> str:
    """What the simulator says: the command is run, then what is observed (by default the command's own output)."""
    look = observe or exercise.own.observe

    def printed() -> str:
        machine = fresh_machine(exercise)
        done = machine.run(exercise.own.command)
        return (machine.run(look) if look else done).stdout.strip()

    return known(("prediction", exercise.setup, exercise.own.command, look), printed)


def same_prediction(exercise: Exercise, one: str, other: str) -> bool:
    return COMPARE[exercise.own.compare](one, other)


def _judge_prediction(exercise: Exercise, parsed: str) -> Verdict:
    printed = prediction(exercise)
    ok = same_prediction(exercise, parsed, printed)
    looked = exercise.own.observe or exercise.own.command
    result = CheckResult(
        ok, f"`{looked}` prints what you said", "" if ok else f"it prints something else than {parsed[:80]!r}"
    )
    return Verdict((result,), parsed, printed=printed)


# mark


def shown_items(exercise: Exercise) -> list[str]:
    """What is to be marked, in an order of this learner's own."""
    return exercise.draw("items").shuffle(exercise.own.items)


def _marks_form(exercise: Exercise) -> Form:
    return {"type": "marks", "items": _options(shown_items(exercise)), "options": _options(exercise.own.labels)}


def _parse_marks(exercise: Exercise, answer: object) -> dict[str, str]:
    """A table item -> label, labels in the order shown, or lines `item: label` (or an item's number)."""
    items, labels = shown_items(exercise), exercise.own.labels
    pairs = _mark_pairs(items, labels, answer)
    for item, label in pairs.items():
        if item not in items:
            raise AnswerError(f"there is nothing called {item[:80]!r} to mark")
        if label not in labels:
            raise AnswerError(f"{label[:80]!r} is not one of the marks: {', '.join(labels)}")
    if missing := [item for item in items if item not in pairs]:
        raise AnswerError(f"'{missing[0]}' has no mark yet")
    return pairs


def _mark_pairs(items: Sequence[str], labels: Sequence[str], answer: object) -> dict[str, str]:
    numbers = {str(number): item for number, item in enumerate(items, 1)}
    if isinstance(answer, str):
        lines = [_mark_of(line, labels) for line in answer_lines(answer)]
        return {numbers.get(item.strip(), item.strip()): label.strip() for item, label in lines}
    if isinstance(answer, list) and len(answer) == len(items):
        answer = dict(zip(items, answer, strict=True))
    if not isinstance(answer, Mapping) or not all(isinstance(each, str) for pair in answer.items() for each in pair):
        raise AnswerError("the answer must give one mark to each item")
    return {numbers.get(item.strip(), item.strip()): label.strip() for item, label in answer.items()}


def _mark_of(line: str, labels: Sequence[str]) -> tuple[str, str]:
    """`item: label`, each of which may have a colon in it."""
    for label in sorted(labels, key=len, reverse=True):
        item, mark, rest = line.removesuffix(label).rstrip().rpartition(":")
        if line.endswith(label) and mark and not rest:
            return item, label
    item, _, label = line.rpartition(":")
    return item, label


def right_marks(exercise: Exercise) -> Sequence[str]:
    """As the record says, or, one a line, as the simulator says."""
    own = exercise.own
    return own.right or fresh_machine(exercise, shown=True).run(own.observe).stdout.split("\n")[:-1]


def _judge_marks(exercise: Exercise, parsed: dict[str, str]) -> Verdict:
    right = dict(zip(exercise.own.items, right_marks(exercise), strict=True))
    results = tuple(
        CheckResult(
            parsed[item] == right[item], item, "" if parsed[item] == right[item] else f"it is not '{parsed[item]}'"
        )
        for item in right
    )
    return Verdict(results, "\n".join(f"{item}: {label}" for item, label in parsed.items()))


# order


def shown_lines(exercise: Exercise) -> list[str]:
    """The lines in the order in which they are shown first: never a solution."""
    lines = exercise.draw("lines").shuffle(exercise.own.lines)
    right = [answer_lines(route.answer) for route in exercise.solutions]
    while lines in right:
        lines = lines[1:] + lines[:1]
    return lines


def _order_form(exercise: Exercise) -> Form:
    return {"type": "order", "options": _options(shown_lines(exercise))}


def _parse_order(exercise: Exercise, answer: object) -> list[str]:
    lines = answer_lines(answer)
    if sorted(lines) != sorted(exercise.own.lines):
        raise AnswerError("the answer must be all of the given lines, each as often as it is given")
    return lines


def _judge_order(exercise: Exercise, parsed: list[str]) -> Verdict:
    facts = facts_of(exercise)
    write_file(facts.machine, exercise.own.file, "\n".join(parsed) + "\n")
    played = play(facts.machine, exercise.own.then)
    return Verdict(check_all(facts, exercise.checks), "\n".join(parsed), facts, tuple(played))


# compose


def _compose_form(exercise: Exercise) -> Form:
    return {"type": "text", "label": "The flag", "placeholder": f"{exercise.own.flags[0]} …"}


# choose


def options_of(exercise: Exercise) -> list[str]:
    """The right ones and the wrong ones, in an order of this learner's own."""
    texts = [str(each.answer) for each in exercise.solutions] + [str(each.example) for each in exercise.mistakes]
    texts = texts if not exercise.sealed else list(exercise.own.options)
    return exercise.draw("options").shuffle([text.strip() for text in texts])


def _choose_form(exercise: Exercise) -> Form:
    if exercise.sealed:  # a letter would be another option to the grader, whose record has another order
        return {"type": "choice", "options": _options(options_of(exercise))}
    options = zip(LETTERS, options_of(exercise), strict=False)
    return {"type": "choice", "options": [{"value": letter, "text": text} for letter, text in options]}


def _parse_choice(exercise: Exercise, answer: object) -> str:
    """A letter, or the option's whole text. Gives the text."""
    given = answer_word(answer)
    options = options_of(exercise)
    by_letter = dict(zip(LETTERS, options, strict=False))
    chosen = given if exercise.sealed else by_letter.get(given.lower().rstrip(".)"), given)
    if chosen not in options and exercise.sealed:
        raise AnswerError("the answer must be the whole text of one of the options")
    if chosen not in options:
        raise AnswerError(f"the answer must be one of the letters a to {LETTERS[len(options) - 1]}")
    return chosen


def _judge_choice(exercise: Exercise, parsed: str) -> Verdict:
    ok = parsed in [str(route.answer).strip() for route in exercise.solutions]
    return Verdict((CheckResult(ok, "the right option is chosen", "" if ok else "another one is right"),), parsed)


COMMANDS = Kind(
    lambda _: {"type": "terminal"},
    lambda _, answer: inputs_of(answer),
    _judge_commands,
    terminal=True,
    machine=True,
)
KINDS: dict[str, Kind[str] | Kind[list[str]] | Kind[dict[str, str]]] = {
    "do": COMMANDS,
    "repair": COMMANDS,
    "explain": Kind(
        lambda _: {"type": "text", "label": "Which command was it?", "placeholder": "docker …"},
        _parse_some_commands,
        _judge_commands,
        {"cause": True},
        machine=True,
    ),
    "predict": Kind(
        _predict_form,
        lambda _, answer: answer_word(answer),
        _judge_prediction,
        {"command": True, "observe": False, "compare": False, "options": False, "example": False},
    ),
    "mark": Kind(
        _marks_form, _parse_marks, _judge_marks, {"items": True, "labels": True, "right": False, "observe": False}
    ),
    "order": Kind(_order_form, _parse_order, _judge_order, {"lines": True, "file": True, "then": False}, machine=True),
    "compose": Kind(_compose_form, parse_flags, judge_flags, {"flags": True, "then": True}, machine=True),
    "choose": Kind(_choose_form, _parse_choice, _judge_choice, {"options": False}),
    "write": Kind(
        lambda _: {"type": "text", "label": "Your answer", "placeholder": "in your own words"},
        lambda _, answer: answer_word(answer),
        lambda _, parsed: Verdict((), parsed),
        {"rubric": True},
    ),
}


def goal_machine(exercise: Exercise) -> Machine | None:
    """The machine after the first solution; None where the answer is no change of the machine."""
    kind = KINDS[exercise.kind]
    if not kind.machine or not exercise.solutions:
        return None
    return kind.verdict(exercise, exercise.solutions[0].answer)[1].machine


@dataclass(frozen=True)
class Judgement:
    passed: bool
    points: int
    of: int
    results: tuple[CheckResult, ...] = ()
    mistake: str | None = None
    reply: str | None = None  # what is said to it; first the belief that it comes from, where it is a known one
    error: str | None = None
    notes: tuple[str, ...] = ()  # commands of the answer that ended with an error

    @property
    def text(self) -> str:
        """All of it, as plain text."""
        if self.error:
            return f"This cannot be read as an answer: {self.error}."
        solved = f"Solved: {self.points} of {self.of} points." if self.of else "Right."
        lines = [solved if self.passed else "Not there yet."]
        lines += [f"  [{'x' if each.ok else ' '}] {each.text}{_but(each)}" for each in self.results]
        lines += ["", self.reply] if self.reply else []
        lines += ["", *self.notes] if self.notes and not self.passed else []
        return "\n".join(lines)

    def to_dict(self) -> dict[str, object]:
        return {**asdict(self), "text": self.text}


def _but(result: CheckResult) -> str:
    return f": {result.difference}" if result.difference else ""


def judge(exercise: Exercise, answer: object) -> Judgement:
    """Judge an answer to a learner's variant (see record.for_learner). Whatever `answer` is, a Judgement comes back."""
    return judged(exercise, answer)[0]


def judged(exercise: Exercise, answer: object) -> tuple[Judgement, Verdict | None]:
    """The judgement, and what it rests on; None for what could not be read as an answer."""
    kind = KINDS[exercise.kind]
    if is_left_to_grader(exercise):
        return _left_to_grader(exercise, answer), None
    try:
        parsed, verdict = kind.verdict(exercise, [] if answer is None and kind.terminal else answer)
    except AnswerError as error:
        return Judgement(False, 0, exercise.points, error=str(error)), None
    passed = all(result.ok for result in verdict.results)
    named = None if passed else name_mistake(exercise, parsed, verdict)
    failed = [each for each in verdict.played if each.error] if passed else still_wrong(verdict.played)
    judgement = Judgement(
        passed,
        exercise.points if passed else 0,
        exercise.points,
        verdict.results,
        named.name if named else None,
        _reply(named) if named else explained(exercise, verdict.results),
        notes=tuple(f"`{each.title}` ended with: {each.error}" for each in failed),
    )
    return judgement, verdict


def is_left_to_grader(exercise: Exercise) -> bool:
    """Nothing here can tell whether an answer is right: a person reads it, or the record is sealed."""
    known = exercise.own.right or exercise.own.observe
    return exercise.kind == "write" or (
        exercise.sealed and (exercise.kind == "choose" or (exercise.kind == "mark" and not known))
    )


def _left_to_grader(exercise: Exercise, answer: object) -> Judgement:
    try:
        KINDS[exercise.kind].parse(exercise, answer)
    except AnswerError as error:
        return Judgement(False, 0, exercise.points, error=str(error))
    return Judgement(False, 0, exercise.points, reply="Kept, to be handed in; who grades it says what it is worth.")


def still_wrong(played: Sequence[Played]) -> list[Played]:
    """The commands that failed and that nothing has mended: no later one of the same words succeeded."""
    done = [{_command_words(each.line) for each in played[at:] if not each.error} for at in range(len(played))]
    return [
        each for each, later in zip(played, done, strict=True) if each.error and _command_words(each.line) not in later
    ]


def _command_words(line: str) -> str:
    """What a command does, without what it does it to: "docker run", "cp"."""
    words = line.split()
    return " ".join(words[:2] if words[:1] == ["docker"] else words[:1])


def explained(exercise: Exercise, results: Sequence[CheckResult]) -> str | None:
    """For an answer that is none of the record's mistakes: the first check that it misses, and what is so instead."""
    missed = next((each for each in results if not each.ok), None)
    if missed is None or not KINDS[exercise.kind].machine:
        return None
    return (
        f"Still open: {missed.text}. {f'So far: {missed.difference}.' if missed.difference else 'That is not so yet.'}"
    )


def _reply(mistake: Mistake) -> str:
    belief = [told(mistake.misconception)] if mistake.misconception else []
    return "\n\n".join([*belief, mistake.reply.strip()])


def name_mistake(exercise: Exercise, parsed: object, verdict: Verdict) -> Mistake | None:
    """The first of the record's mistakes that this answer is: its signs are there, what it says of the machine is so.

    A reply is written for the machine that the mistake's example leads to, so it is told where the same is missed.
    """
    signed = [each for each in exercise.mistakes if _is_mistake(exercise, each, parsed, verdict)]
    if facts := verdict.facts:
        signed = [each for each in signed if all(evaluate(facts, claim).ok for claim in each.claims)]
    return next((each for each in signed if _misses_the_same(exercise, each, verdict)), None)


def _misses_the_same(exercise: Exercise, mistake: Mistake, verdict: Verdict) -> bool:
    if verdict.machine is None:
        return True
    kind = KINDS[exercise.kind]
    key = "misses", exercise.kind, exercise.setup, exercise.own, exercise.checks, mistake.example
    here = _missed(verdict)
    return here == known(key, lambda: _missed(kind.verdict(exercise, mistake.example)[1]))


def _missed(verdict: Verdict) -> list[tuple[int, str]]:
    """Which checks are missed, and by what."""
    return [
        (number, each.difference.partition(":")[0].partition(";")[0])
        for number, each in enumerate(verdict.results)
        if not each.ok
    ]


def _is_mistake(exercise: Exercise, mistake: Mistake, parsed: object, verdict: Verdict) -> bool:
    """Every way of recognising it that the record gives must agree; where it gives none, the answer is the example."""
    signs = []
    if mistake.when:
        facts = verdict.facts
        signs.append(facts is not None and all(evaluate(facts, each).ok for each in mistake.when))
    if mistake.matches:
        signs.append(re.search(mistake.matches, verdict.text, re.MULTILINE) is not None)
    if mistake.observe:
        signs.append(same_prediction(exercise, str(parsed), prediction(exercise, mistake.observe)))
    if mistake.marks and isinstance(parsed, dict):
        signs.append(all(parsed.get(item) == label for item, label in mistake.marks.items()))
    return all(signs) if signs else _is_example(exercise, mistake, parsed)


def _is_example(exercise: Exercise, mistake: Mistake, parsed: object) -> bool:
    example = KINDS[exercise.kind].parse(exercise, mistake.example)
    if exercise.kind == "predict":
        return same_prediction(exercise, str(parsed), str(example))
    return parsed == example
