"""What counts of a learner's hand-ins: so many of each exercise, in order of time, the last of them or the best.

The same answer handed in again is no further attempt, and keeps the time at which it first came.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from labkit.course.judge import Judgement
from labkit.course.record import Exercise
from labkit.grading.filework import read_judgement
from labkit.grading.lateness import Lateness, TimeError, read_time
from labkit.grading.roster import Learner
from labkit.grading.store import HandIn, JudgedAnswer, JudgedFile, Marked, Store

MOST_LINES = 3  # refused answers of one file that get a line each


@dataclass(frozen=True)
class Counted:
    """An exercise of a learner: the attempt that counts, and what it earns."""

    exercise: Exercise
    asked: str
    answer: str  # as it was typed; JSON where it is no text
    judgement: Judgement
    points: float
    attempt: int
    attempts: int
    said: tuple[str, ...] = ()  # what there is to say of its time and of those that do not count
    marked: Marked | None = None

    @property
    def waits(self) -> bool:
        """It is for a person to mark, and nobody has."""
        return self.exercise.kind == "write" and self.marked is None

    @property
    def rubric(self) -> list[tuple[str, float]]:
        """What a person gave for each criterion."""
        return list(zip(self.exercise.own.rubric, self.marked.criteria if self.marked else (), strict=False))

    @property
    def lines(self) -> list[tuple[str, str]]:
        """What was checked and what was so instead, and commands that failed; each with whether it is good or bad."""
        judgement = self.judgement
        found = [("bad", f"not an answer: {judgement.error}")] if judgement.error else []
        for each in judgement.results:
            said = f"{'ok' if each.ok else 'missed'}: {each.text}" + (
                f" ({each.difference})" if each.difference else ""
            )
            found.append(("good" if each.ok else "bad", said))
        return [*found, *(("soft", note) for note in judgement.notes)]


@dataclass
class Result:
    """All that came from one learner."""

    learner: Learner
    files: list[str] = field(default_factory=list)
    counted: dict[str, Counted] = field(default_factory=dict)  # by slug
    faults: list[str] = field(default_factory=list)  # one line each
    on_roster: bool = True
    codes: list[str] = field(default_factory=list)  # receipts

    @property
    def points(self) -> float:
        return round(sum(each.points for each in self.counted.values()), 2)


class Rules(Protocol):
    """What of the command counting asks for."""

    @property
    def attempts(self) -> int: ...
    @property
    def keep(self) -> str: ...
    @property
    def lateness(self) -> Lateness: ...


@dataclass(frozen=True)
class _Attempt:
    answer: JudgedAnswer
    left: float
    said: str

    @property
    def worth(self) -> float:
        return self.answer.credit * self.left


def count(
    result: Result,
    files: Sequence[tuple[HandIn, JudgedFile | None]],
    store: Store,
    exercises: Mapping[str, Exercise],
    rules: Rules,
    marks: Mapping[str, Marked],
) -> Result:
    """`files` in order of time."""
    attempts: dict[str, list[_Attempt]] = {}
    extension = _moment(result, "extension", result.learner.extension)
    handed_in = _moment(result, "hand-in time", result.learner.handed_in)
    for hand_in, file in files:
        result.files.append(hand_in.name)
        result.faults += [f"{hand_in.name}: {line}" for line in _lines(hand_in, file)]
        if file is None or file.doubt:
            continue
        result.codes += [file.code] if file.code else []
        answers = store.answers(file.key)
        result.faults += [f"{hand_in.name}: {line}" for line in _refusals(answers)]
        left, said = rules.lateness.of(handed_in if hand_in.time is None else hand_in.time, hand_in.late, extension)
        for answer in answers:
            if answer.state == "judged" and answer.slug in exercises:
                _add(attempts.setdefault(answer.slug, []), _Attempt(answer, left, said))
    for slug, exercise in exercises.items():
        if slug in attempts:
            result.counted[slug] = _counted(exercise, attempts[slug], rules, marks.get(slug))
    return result


def _moment(result: Result, what: str, text: str) -> float | None:
    try:
        return read_time(text) if text else None
    except TimeError as error:
        result.faults.append(f"its {what} in the roster cannot be read: {error}")
        return None


def _lines(hand_in: HandIn, file: JudgedFile | None) -> list[str]:
    found = [hand_in.fault] if hand_in.fault else []
    if file:
        found += [*file.faults, *([f"not graded: {file.doubt}"] if file.doubt else [])]
    return found


def _refusals(answers: Sequence[JudgedAnswer]) -> list[str]:
    refused = [each.judgement for each in answers if each.state in ("refused", "stopped")]
    more = len(refused) - MOST_LINES
    return refused[:MOST_LINES] + ([f"and {more} more answers that are not graded"] if more > 0 else [])


def _add(attempts: list[_Attempt], attempt: _Attempt) -> None:
    """The same as before is no new attempt; `slug` and `slug@1` in one file are one answer, and the first counts."""
    before = attempts[-1].answer if attempts else None
    if before is None or (before.answer, before.asked) != (attempt.answer.answer, attempt.answer.asked):
        attempts.append(attempt)


def _counted(exercise: Exercise, attempts: list[_Attempt], rules: Rules, marked: Marked | None) -> Counted:
    first = attempts[: rules.attempts]
    standing = [each for each in first if each.left] or first[:1]
    last = rules.keep == "last" or exercise.kind == "write"  # of what a person reads nobody knows which is the best
    chosen = standing[-1] if last else max(standing, key=lambda each: each.worth)
    said = [chosen.said] if chosen.said else []
    if beyond := len(attempts) - len(first):
        said.append(f"{beyond} more hand-in{'s' if beyond > 1 else ''} after the first {len(first)} do not count")
    judgement = read_judgement(chosen.answer.judgement)
    points = marked.points if marked else judgement.of * chosen.worth
    return Counted(
        exercise,
        chosen.answer.asked,
        _as_typed(chosen.answer.answer),
        judgement,
        round(min(points, exercise.points), 2),
        attempts.index(chosen) + 1,
        len(attempts),
        tuple(said),
        marked,
    )


def _as_typed(text: str) -> str:
    answer = json.loads(text)
    if isinstance(answer, list) and all(isinstance(each, str) for each in answer):
        return "\n".join(answer)
    return answer if isinstance(answer, str) else json.dumps(answer, indent=1, ensure_ascii=False)
