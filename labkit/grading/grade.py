"""A folder of submissions: whose each file is, and what came of each answer in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from labkit.course.exercises import load_all
from labkit.course.record import Exercise
from labkit.grading.judging import Graded, UngradedError, grade_answer, short
from labkit.grading.roster import Learner, stem
from labkit.grading.submission import SubmissionError, is_submission, read_submission


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
        return sum(each.judgement.points for each in self.graded.values())


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
    for place, given in enumerate(submission.answers):
        try:
            if given.exercise in {each.exercise for each in submission.answers[:place]}:  # it is judged once
                raise UngradedError(f"a second answer to '{short(given.exercise)}' is not graded")
            _keep_best(result.graded, grade_answer(given, result.learner.drawn_by, seed))
        except UngradedError as error:
            result.faults.append(f"{name}: {error}")


def _keep_best(kept: dict[str, Graded], graded: Graded) -> None:
    """Of several answers to one exercise (revisions, files) the best counts; among equals the first."""
    before = kept.get(graded.given.slug, graded)
    kept[graded.given.slug] = max(before, graded, key=lambda each: each.judgement.points)
