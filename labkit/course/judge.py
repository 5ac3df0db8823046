"""One answer judged: what was asked, what is so instead, and which mistake it is where it is one that people make."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from labkit.course.checks import CheckResult, evaluate
from labkit.course.facts import Facts
from labkit.course.kinds import KINDS, Verdict, prediction, same_prediction
from labkit.course.misconceptions import told
from labkit.course.play import AnswerError
from labkit.course.record import Assertion, Exercise, Mistake

__all__ = ["CheckResult", "Judgement", "judge"]

THERE = ("_exists", "_running")  # how the names of checks end by which something is there


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
        lines = [f"Solved: {self.points} of {self.of} points." if self.passed else "Not there yet."]
        lines += [f"  [{'x' if each.ok else ' '}] {each.text}{_but(each)}" for each in self.results]
        lines += ["", self.reply] if self.reply else []
        lines += ["", *self.notes] if self.notes and not self.passed else []
        return "\n".join(lines)

    def to_dict(self) -> dict:
        return {**asdict(self), "text": self.text}


def _but(result: CheckResult) -> str:
    return f": {result.difference}" if result.difference else ""


def judge(exercise: Exercise, answer: object) -> Judgement:
    """Judge an answer to a learner's variant (see record.for_learner). Whatever `answer` is, a Judgement comes back."""
    return judged(exercise, answer)[0]


def judged(exercise: Exercise, answer: object) -> tuple[Judgement, Verdict | None]:
    """The judgement, and what it rests on; None for what could not be read as an answer."""
    kind = KINDS[exercise.kind]
    try:
        parsed = kind.parse(exercise, [] if answer is None and kind.terminal else answer)
    except AnswerError as error:
        return Judgement(False, 0, exercise.points, error=str(error)), None
    verdict = kind.judge(exercise, parsed)
    passed = all(result.ok for result in verdict.results)
    named = None if passed else name_mistake(exercise, parsed, verdict)
    judgement = Judgement(
        passed,
        exercise.points if passed else 0,
        exercise.points,
        verdict.results,
        named.name if named else None,
        _reply(named) if named else None,
        notes=tuple(f"`{each.line.splitlines()[0]}` ended with: {each.error}" for each in verdict.played if each.error),
    )
    return judgement, verdict


def difference(exercise: Exercise, results: Sequence[CheckResult]) -> str:
    """What is missing, in one clause: "the volume db is there, but it is not mounted at /data"; "" where nothing is.

    Of the checks before it that hold, the last one by which something is there that it is about says what.
    """
    at = next((number for number, each in enumerate(results) if not each.ok), None)
    if at is None:
        return ""
    subject = _subjects(exercise.checks[at])
    there = [
        each.text
        for assertion, each in zip(exercise.checks[:at], results, strict=False)
        if each.ok and assertion.check.endswith(THERE) and not assertion.negated and subject & _subjects(assertion)
    ]
    missing = results[at].difference or "that is not so yet"
    if ", but " in missing:  # it says itself what is there
        return missing
    return f"{there[-1]}, but {missing}" if there else f"{results[at].text} (so far {missing})"


def _subjects(assertion: Assertion) -> set[str]:
    """What an assertion is about: the texts among its arguments."""
    return {each for each in assertion.arguments.values() if isinstance(each, str)}


def _reply(mistake: Mistake) -> str:
    belief = [told(mistake.misconception)] if mistake.misconception else []
    return "\n\n".join([*belief, mistake.reply.strip()])


def name_mistake(exercise: Exercise, parsed: object, verdict: Verdict) -> Mistake | None:
    """The first of the record's mistakes that this answer is."""
    return next((each for each in exercise.mistakes if _is_mistake(exercise, each, parsed, verdict)), None)


def _is_mistake(exercise: Exercise, mistake: Mistake, parsed: object, verdict: Verdict) -> bool:
    """Every way of recognising it that the record gives must agree; where it gives none, the answer is the example."""
    signs = []
    if mistake.when:
        facts = Facts(verdict.machine) if verdict.machine else None
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
