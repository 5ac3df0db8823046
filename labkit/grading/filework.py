"""One file that was handed in, read and judged: what a worker is given, and what it gives back."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import lru_cache

from labkit import __version__
from labkit.course.checks import CheckResult
from labkit.course.exercises import CourseError, CourseFiles, use_course
from labkit.course.judge import KINDS, Judgement
from labkit.course.record import Exercise, for_learner
from labkit.course.verdict import check_all, facts_of
from labkit.grading.judging import UngradedError, grade_answer, load, short
from labkit.grading.store import JudgedAnswer, JudgedFile
from labkit.grading.submission import Given, Submission, SubmissionError, parse_submission
from labkit.grading.wall import WallError, wall
from labkit.grading.whose import DoubtError, Whom
from labkit.kernel import limits

STOPPED = "stopped, not graded: it takes more time or memory than a submission may"
MOST_STEPS = 4_000_000  # of all answers in a file; the course's solutions take a tenth
MOST_IN_PART = 0.5  # of the points, for an answer that is not right
LONGEST_ANSWER = 1 << 16  # characters of an answer that are kept to be shown


@dataclass(frozen=True)
class FileTask:
    """A file to judge. `slugs`: the exercises that count; `only`: of its answers those, where the others are judged."""

    key: str
    name: str
    data: bytes
    whom: Whom
    seed: str
    slugs: frozenset[str]
    only: frozenset[str] | None = None


def start_worker(course: CourseFiles) -> None:
    """In each process that judges: the instructor's own exercises are there too."""
    if use_course(course):
        load.cache_clear()
        definition.cache_clear()
        _at_first.cache_clear()


@lru_cache(maxsize=2048)
def definition(asked: str) -> str:
    """A digest of the exercise that an answer asks for, and of the labkit that judges; "" where there is none."""
    try:
        exercise = load(asked)
    except CourseError:
        return ""
    return hashlib.sha256(f"{__version__} {exercise!r}".encode()).hexdigest()[:32]


def judge_file(task: FileTask) -> JudgedFile:
    """Whatever the file is, behind the wall; a fault of it is a line of what comes back."""
    try:
        with wall():
            return _judge_file(task)
    except (WallError, MemoryError):
        return JudgedFile(task.key, faults=(STOPPED,))


def _judge_file(task: FileTask) -> JudgedFile:
    try:
        submission = parse_submission(task.name, task.data)
        learner, drawn_by = task.whom.decide(submission.claimed)
    except SubmissionError as error:
        return JudgedFile(task.key, faults=(str(error),))
    except DoubtError as error:
        return JudgedFile(task.key, doubt=str(error))
    first = {_resolved(given): place for place, given in reversed(list(enumerate(submission.answers)))}
    with limits.counting() as count:
        answers = tuple(
            _judged(place, given, drawn_by, task, count.steps > MOST_STEPS)
            for place, given in enumerate(submission.answers)
            if first[_resolved(given)] == place and (task.only is None or given.exercise in task.only)
        )
    code, lesson = submission.code, submission.lesson
    return JudgedFile(task.key, learner, drawn_by, lesson, code, _faults(submission, task.seed), "", answers)


def _faults(submission: Submission, seed: str) -> tuple[str, ...]:
    """One line for each thing that is not right with a file as a whole."""
    faults = [] if submission.answers else ["it has no answers"]
    if submission.course not in (None, seed):
        faults.append(f"it says that its course's seed is {submission.course!r}; graded with {seed!r}")
    asked = [_resolved(each) for each in submission.answers]
    twice = [name for name in dict.fromkeys(asked) if asked.count(name) > 1] if len(set(asked)) < len(asked) else []
    faults += [f"a second answer to '{short(name)}' is not graded" for name in twice]
    return tuple(faults)


def _resolved(given: Given) -> str:
    """`slug` is the newest revision: that and `slug@1` may be one answer."""
    try:
        return f"{given.slug}@{load(given.exercise).revision}"
    except CourseError:
        return given.exercise


def _judged(place: int, given: Given, drawn_by: str, task: FileTask, tired: bool) -> JudgedAnswer:
    """`tired`: the answers before this one have taken all the steps that one file has."""
    text = json.dumps(given.answer, ensure_ascii=False)
    text = text if len(text) <= LONGEST_ANSWER else json.dumps(text[:LONGEST_ANSWER] + "…", ensure_ascii=False)
    digest = definition(given.exercise)

    def row(state: str, said: str, credit: float = 0.0) -> JudgedAnswer:
        return JudgedAnswer(place, given.slug[:200], given.exercise[:200], digest, state, credit, text, said)

    if digest and given.slug not in task.slugs:
        return row("skipped", "")
    if tired:
        return row("stopped", f"'{short(given.exercise)}' was not graded: the answers before it took too many steps")
    try:
        graded = grade_answer(given, drawn_by, task.seed)
        judgement = json.dumps(asdict(graded.judgement), ensure_ascii=False)
        return row(
            "judged", judgement, credit(for_learner(load(given.exercise), drawn_by, task.seed), graded.judgement)
        )
    except UngradedError as error:
        return row("refused", str(error))


def credit(exercise: Exercise, judgement: Judgement) -> float:
    """The part of the points that an answer earns: all where it is right, else at most half, by the checks that hold.

    What holds on an untouched machine earns nothing, and costs as much where it holds no longer. Of marks, what blind
    guessing gives is taken off. What has but one thing to get right is right or not. No more than half, so that a
    classmate's answers, of which something always fits, are worth next to nothing.
    """
    if judgement.passed or not judgement.results:
        return float(judgement.passed)
    return MOST_IN_PART * _part(exercise, judgement)


def _part(exercise: Exercise, judgement: Judgement) -> float:
    holds = [each.ok for each in judgement.results]
    if KINDS[exercise.kind].machine:
        first = _at_first(f"{exercise.slug}@{exercise.revision}")
        if len(first) > len(holds):
            return 0.0
        gained = sum(now and not before for now, before in zip(holds, first, strict=False))
        lost = sum(before and not now for now, before in zip(holds, first, strict=False))
        return max(0.0, (gained - lost) / max(1, first.count(False)))
    if exercise.kind == "mark":
        guessed = len(holds) / len(exercise.own.labels)
        return max(0.0, (sum(holds) - guessed) / (len(holds) - guessed))
    return 0.0


@lru_cache(maxsize=1024)
def _at_first(name: str) -> tuple[bool, ...]:
    """Which checks of an exercise hold before anything is done; the same in every variant."""
    exercise = for_learner(load(name), "demo", "")
    return tuple(each.ok for each in check_all(facts_of(exercise), exercise.checks))


def read_judgement(text: str) -> Judgement:
    """What was stored."""
    stored = json.loads(text)
    stored["results"] = tuple(CheckResult(**each) for each in stored["results"])
    return Judgement(**{**stored, "notes": tuple(stored["notes"])})
