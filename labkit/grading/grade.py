"""Grading: each answer on a fresh machine, as the variant that the roster says, at the revision it was given to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from labkit.course.exercises import CourseError, load_all, load_exercise
from labkit.course.judge import Judgement, judge
from labkit.course.record import Exercise, for_learner
from labkit.grading.deadline import OvertimeError, deadline
from labkit.grading.roster import Learner, stem
from labkit.grading.submission import Given, Submission, SubmissionError, is_submission, read_submission

LONGEST = 10  # seconds for one answer; usual ones take hundredths
_load = lru_cache(maxsize=1024)(load_exercise)  # hundreds of learners answer the same few


@dataclass(frozen=True)
class Graded:
    """One answer with what came of it; `fault` where it could not be judged at all."""

    given: Given
    judgement: Judgement | None = None
    title: str = ""
    fault: str = ""

    @property
    def points(self) -> int:
        return self.judgement.points if self.judgement else 0


@dataclass
class Result:
    """All that came from one learner."""

    learner: Learner
    files: list[str] = field(default_factory=list)
    graded: dict[str, Graded] = field(default_factory=dict)  # by slug: the best answer to each exercise
    faults: list[str] = field(default_factory=list)  # one line each
    on_roster: bool = True

    @property
    def points(self) -> int:
        return sum(each.points for each in self.graded.values())


def grade_folder(
    folder: Path, seed: str = "", roster: Mapping[str, Learner] | None = None, variant: str = ""
) -> tuple[list[Result], list[Exercise]]:
    """Grade all submissions in a folder; learners of the roster who sent none have a result without files."""
    results = {key: Result(learner) for key, learner in (roster or {}).items()}
    for path, key in submissions_in(folder):
        if key not in results:
            results[key] = Result(Learner(key, variant=variant), on_roster=roster is None)
        grade_file(results[key], path, str(path.relative_to(folder)), seed)
    return [results[key] for key in sorted(results)], load_all()


def submissions_in(folder: Path) -> Iterator[tuple[Path, str]]:
    """Files to grade with the name of their learner: ann.labkit.json, ann.ipynb, or anything in the folder ann/."""
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        hidden = any(part.startswith(".") for part in inside.parts)
        if is_submission(path) and not hidden:
            yield path, stem(path.name) if len(inside.parts) == 1 else stem(inside.parts[0])


def grade_file(result: Result, path: Path, name: str, seed: str) -> None:
    """Add what one file has; a fault of the file is one line of the result."""
    result.files.append(name)
    try:
        submission = read_submission(path)
    except SubmissionError as error:
        result.faults.append(f"{name}: {error}")
        return
    if not submission.answers:
        result.faults.append(f"{name}: it has no answers")
    if submission.claimed not in ("", result.learner.learner, result.learner.drawn_by):
        result.faults.append(
            f"{name}: it says that it is from {submission.claimed!r}; graded as {result.learner.drawn_by!r}"
        )
    if submission.course not in (None, seed):
        result.faults.append(f"{name}: it says that its course's seed is {submission.course!r}; graded with {seed!r}")
    for graded in grade(submission, result.learner.drawn_by, seed):
        if graded.fault:
            result.faults.append(f"{name}: {graded.fault}")
        _keep_best(result.graded, graded)


def _keep_best(kept: dict[str, Graded], graded: Graded) -> None:
    """Of several answers to one exercise (revisions, files) the best counts; among equals the first."""
    before = kept.get(graded.given.slug)
    if graded.judgement and (before is None or graded.points > before.points):
        kept[graded.given.slug] = graded


def grade(submission: Submission, learner: str, seed: str) -> Iterator[Graded]:
    """Each answer of a submission. An exercise is judged once: a second answer to the same revision is a fault."""
    seen = set()
    for given in submission.answers:
        if given.exercise in seen:
            yield Graded(given, fault=f"a second answer to '{_short(given.exercise)}' is not graded")
            continue
        seen.add(given.exercise)
        yield grade_answer(given, learner, seed)


def grade_answer(given: Given, learner: str, seed: str) -> Graded:
    try:
        exercise = _load(given.exercise)
    except CourseError:
        return Graded(given, fault=f"there is no exercise '{_short(given.exercise)}'")
    try:
        with deadline(LONGEST):
            judgement = judge(for_learner(exercise, learner, seed), given.answer)
    except OvertimeError:
        return Graded(given, fault=f"'{given.exercise}' was stopped: it takes longer than {LONGEST} seconds")
    except Exception as error:  # a fault of labkit's own must not keep everyone else from being graded
        return Graded(
            given, fault=f"'{given.exercise}' could not be judged: {type(error).__name__}: {_short(str(error))}"
        )
    return Graded(given, judgement, exercise.title)


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 80 else text[:80] + "…"
