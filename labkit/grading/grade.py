"""A class graded: what was handed in is collected, judged where that is not done yet, and counted for each learner."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path

from labkit.course.exercises import CourseError, CourseFiles, load_all
from labkit.course.record import Exercise
from labkit.grading.collect import Collected, collect, natural
from labkit.grading.counting import Counted, Result, count
from labkit.grading.executors import judge_all
from labkit.grading.filework import FileTask, definition, start_worker
from labkit.grading.lateness import Lateness
from labkit.grading.roster import Learner, Roster
from labkit.grading.store import HandIn, JudgedFile, Store
from labkit.grading.submission import SubmissionError
from labkit.grading.whose import Whom, whom

__all__ = ["Asked", "Counted", "Result", "exercises_of", "judge_class", "recalled", "results", "title_of"]


PUNCTUAL = Lateness()


@dataclass(frozen=True)
class Asked:
    """What `labkit grade` is asked for."""

    folder: Path
    seed: str = ""
    roster: Roster | None = None
    variant: str = ""
    lessons: tuple[str, ...] = ()
    course: CourseFiles = ()
    attempts: int = 3
    keep: str = "best"
    lateness: Lateness = PUNCTUAL
    executor: str = "processes"
    jobs: int = 0
    fresh: bool = False


def exercises_of(lessons: tuple[str, ...]) -> list[Exercise]:
    """Those with points: of these lessons (02, 02-layered-images), or all. Raises CourseError."""
    every = load_all()
    names = list(dict.fromkeys(each.lesson for each in every))
    found = {asked: [each for each in names if asked in (each, each[:2])] for asked in lessons}
    for asked, lesson in found.items():
        if not lesson:
            raise CourseError([f"there is no lesson '{asked}'; they are {', '.join(names)}"])
    wanted = {lesson for each in found.values() for lesson in each} if lessons else set(names)
    return [each for each in every if each.lesson in wanted and not each.self_test]


def title_of(exercises: list[Exercise], lessons: tuple[str, ...]) -> str:
    """What the report is about: the lessons that were set."""
    named = list(dict.fromkeys(each.lesson for each in exercises))
    return ", ".join(named) if lessons else "Docker storage"


def remembered(asked: Asked) -> str:
    """What of a command counts for its results, as JSON: marks are given by hand without all of it."""
    learners = [asdict(each) for each in asked.roster.learners] if asked.roster else None
    counts = {"seed": asked.seed, "variant": asked.variant, "attempts": asked.attempts, "keep": asked.keep}
    return json.dumps({**counts, "lessons": asked.lessons, "course": asked.course, "roster": learners})


def recalled(text: str) -> Asked:
    """What `remembered` wrote."""
    said = json.loads(text)
    learners = said.pop("roster")
    roster = None if learners is None else Roster(tuple(Learner(**each) for each in learners))
    course = tuple((name, record) for name, record in said.pop("course"))
    return Asked(Path(), roster=roster, course=course, lessons=tuple(said.pop("lessons")), **said)


def judge_class(asked: Asked, store: Store, done: Callable[[], object] = lambda: None) -> None:
    """Judge what is not judged yet, and keep it. `done` is called for each file. Raises CourseError, ExecutorError."""
    start_worker(asked.course)
    slugs = frozenset(each.slug for each in exercises_of(asked.lessons))
    store.begin(asked.fresh, remembered(asked))
    for file in judge_all(_tasks(asked, store, slugs, done), asked.executor, asked.jobs, asked.course):
        store.keep(file)
        done()


def _tasks(asked: Asked, store: Store, slugs: frozenset[str], done: Callable[[], object]) -> Iterator[FileTask]:
    """What is still to be judged; every file is noted as handed in."""
    under_way: set[str] = set()
    for number, each in enumerate(files_of(asked)):
        who = whom(each, asked.roster, asked.variant)
        try:
            data = each.read()
        except SubmissionError as error:
            store.add_hand_ins([_hand_in(number, each, who, "", str(error))])
            done()
            continue
        key = _key(each, data, who, asked.seed)
        store.add_hand_ins([_hand_in(number, each, who, key, "")])
        only = _still_open(store, key, slugs)
        if key in under_way or only == frozenset():
            done()
            continue
        under_way.add(key)
        yield FileTask(key, each.file, data, who, asked.seed, slugs, only)


def files_of(asked: Asked) -> Iterator[Collected]:
    roster = asked.roster
    return collect(asked.folder, (lambda name: bool(roster.called(name))) if roster else (lambda name: False))


def _hand_in(number: int, each: Collected, who: Whom, key: str, fault: str) -> HandIn:
    sole = who.candidates[0].learner if len(who.candidates) == 1 else ""
    place = each.place
    return HandIn(number, each.name, sole, place.system, who.said, place.time, place.late, key, fault)


def _key(each: Collected, data: bytes, who: Whom, seed: str) -> str:
    """The same for the same file of the same learner."""
    names = [(one.learner, sorted(one.names), one.variant) for one in who.candidates]
    said = json.dumps([each.file.endswith(".ipynb"), names, who.open and who.said, seed]).encode()
    return hashlib.sha256(hashlib.sha256(data).digest() + said).hexdigest()


def _still_open(store: Store, key: str, slugs: frozenset[str]) -> frozenset[str] | None:
    """Its answers that are to be judged: all (None) of a new file, else those whose exercise was changed since."""
    judged = store.judged(key)
    if judged is None:
        return None
    return frozenset(
        asked
        for asked, by, state in judged
        if by != definition(asked) or (state == "skipped" and asked.partition("@")[0] in slugs)
    )


def results(asked: Asked, store: Store) -> Iterator[Result]:
    """Each learner in turn, those of the roster who handed nothing in too; last, without a name, what is nobody's."""
    exercises = {each.slug: each for each in exercises_of(asked.lessons)}
    waiting = list(asked.roster.learners)[::-1] if asked.roster else []
    known = {each.learner: each for each in waiting}
    marks = store.marks()
    nobodys = Result(Learner(""), on_roster=False)
    claimed_by = _claimed_twice(store) if asked.roster is None else {}
    for name, group in groupby(store.files(), key=_owner):
        files = sorted(group, key=_order)
        while waiting and name and waiting[-1].learner <= name:
            if (absent := waiting.pop()).learner != name:
                yield Result(absent)
        if not name or name in claimed_by:
            nobodys.faults += [_nobodys(hand_in, file, claimed_by.get(name)) for hand_in, file in files]
            continue
        learner = known.get(name, Learner(name, variant=asked.variant))
        on_roster = asked.roster is None or name in known
        mine = {slug: mark for (whose, slug), mark in marks.items() if whose == name}
        yield count(Result(learner, on_roster=on_roster), files, store, exercises, asked, mine)
    yield from (Result(each) for each in waiting[::-1])
    if nobodys.faults:
        yield nobodys


def _owner(pair: tuple[HandIn, JudgedFile | None]) -> str:
    hand_in, file = pair
    return file.learner if file and file.learner else hand_in.learner


def _order(pair: tuple[HandIn, JudgedFile | None]) -> tuple[float, tuple[tuple[str, int], ...]]:
    """By time; those whose time nobody knows first, by their names."""
    return pair[0].time or 0.0, natural(pair[0].name)


def _nobodys(hand_in: HandIn, file: JudgedFile | None, others: list[str] | None) -> str:
    why = "; ".join(filter(None, [hand_in.fault, file.doubt if file else "", *(file.faults if file else ())]))
    if others:
        why = f"{' and '.join(others)} handed in as the same learner"
    return f"{hand_in.name}: not graded: {why}"


def _claimed_twice(store: Store) -> dict[str, list[str]]:
    """Without a roster: learners as whom several people of an LMS handed in."""
    places: dict[str, set[str]] = {}
    for hand_in, file in store.files():
        if hand_in.system in ("Moodle", "Canvas") and file and file.learner:
            places.setdefault(file.learner, set()).add(hand_in.place)
    return {name: sorted(each) for name, each in places.items() if len(each) > 1}
