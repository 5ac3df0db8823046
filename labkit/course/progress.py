"""What a learner has done: a small versioned JSON file that saves itself; two copies of it merge in either order.

    {"labkit-progress": 1, "learner": {"name": "ann", "seed": "2026", "at": 12},
     "answers": {"ann": {"first-image@1": {"answer": [...], "passed": true, "points": 2, "tries": 3, "at": 99,
                                           "best": 4}}},
     "drafts": {"ann": {"first-image@1": {"answer": [...], "hints": 1, "at": 99123}}}}

An answer merges with its twin field by field: the answer (with passed, points, at: seconds) is the one that passed,
then the later one; tries is the larger; best, the fewest inputs that ever passed, the smaller. A draft is what was done
and not yet checked, with how many hints are open; the later one wins (at: milliseconds). What is read from elsewhere
is checked as hostile input.

The file is written whole and renamed, under a lock that ends with its process; the one before stays beside it as
progress.before.json. A file of a version that this labkit does not know, or that cannot be read, is put aside under
another name and never written over; then the one before is taken.

Here too is whose course this is (the learner and the course's seed, from which variants are drawn), and where its files
lie.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NotRequired, Protocol, TypedDict, TypeVar

from labkit.course.judge import KINDS, Judgement
from labkit.course.record import Answer, Exercise
from labkit.kernel.golang import BadJsonError, Json, JsonObject, at, read_json

DEMO = "demo"
COURSE = "docker-storage"  # its name in a browser's storage, which other courses may share


@dataclass(frozen=True)
class Whose:
    learner: str
    seed: str


def whose(learner: str, seed: str) -> Whose:
    """$LABKIT_LEARNER and $LABKIT_SEED; else what the progress says, which `labkit learner` writes; else demo."""
    name = os.environ.get("LABKIT_LEARNER") or learner or os.environ.get("JUPYTERHUB_USER") or DEMO
    return Whose(name, os.environ.get("LABKIT_SEED") or seed or "")


def home() -> Path:
    """$LABKIT_HOME, else `.labkit` in the course's folder if that can be written, else the user's data folder."""
    if chosen := os.environ.get("LABKIT_HOME"):
        return Path(chosen)
    course = course_folder()
    if course is not None and os.access(course, os.W_OK):
        return course / ".labkit"
    return _user_data() / "labkit"


def course_folder() -> Path | None:
    """The folder above which has the lessons in it, counted from where the notebook or the shell is."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        if any((folder / "notebooks").glob("*-*.ipynb")):
            return folder
    return None


def _user_data() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")


VERSION = 1
FORMAT: Final = "labkit-progress"
LARGEST = 8 << 20  # bytes
MOST_ENTRIES = 2000
KEY = re.compile(r"[a-z][a-z0-9-]{0,80}@[1-9][0-9]{0,5}")
OLD = 600  # seconds, of a temporary file that nobody renames any more
LONGEST_WAIT = 3.0  # seconds for another session that is saving; then it is saved without the lock, merged all the same


class AnswerEntry(TypedDict):
    """What is remembered of the answers to one exercise: the best of them, and how many there were."""

    answer: Json
    passed: bool
    points: int
    at: int  # seconds since 1970
    tries: int
    best: NotRequired[int]  # the fewest commands that solved it
    revision: NotRequired[int]  # where it is asked for by slug alone


class DraftEntry(TypedDict):
    """What was last done at an exercise and need not have been checked."""

    answer: Json
    hints: int  # that are open
    at: int  # milliseconds since 1970


class LearnerEntry(TypedDict):
    name: str
    seed: str
    at: int  # seconds since 1970


E = TypeVar("E", "AnswerEntry", "DraftEntry")
L = TypeVar("L", "DraftEntry", "LearnerEntry")
Tables = dict[str, dict[str, E]]  # LEARNER -> SLUG@REVISION -> entry
ProgressDocument = TypedDict(
    "ProgressDocument",
    {
        "labkit-progress": int,
        "learner": LearnerEntry,
        "answers": dict[str, dict[str, AnswerEntry]],
        "drafts": dict[str, dict[str, DraftEntry]],
    },
)


class ProgressError(Exception):
    """What was to be read as progress is none; str() is one line that says why."""


class Answered(Protocol):
    """One learner at one exercise, as far as it is remembered."""

    learner: str
    exercise: Exercise

    @property
    def answer(self) -> Answer | None: ...


def _canonical(data: object) -> str:
    return json.dumps(data, sort_keys=True, separators=(",", ":"))


# Merging: each rule is a maximum, so the order and the number of times do not matter


def _rank(entry: AnswerEntry) -> tuple[bool, int, int, str]:
    return entry["passed"], entry["at"], entry["points"], _canonical(entry["answer"])


def _merged_entry(one: AnswerEntry, other: AnswerEntry) -> AnswerEntry:
    winner = max(one, other, key=_rank)
    merged_entry: AnswerEntry = {
        "answer": winner["answer"], "passed": winner["passed"], "points": winner["points"], "at": winner["at"],
        "tries": max(one["tries"], other["tries"]),
    }  # fmt: skip
    if best := [each["best"] for each in (one, other) if "best" in each]:
        merged_entry["best"] = min(best)
    return merged_entry


def _later(one: L, other: L) -> L:
    return max(one, other, key=lambda each: (each["at"], _canonical(each)))


def _merged_tables(one: Tables[E], other: Tables[E], merge: Callable[[E, E], E]) -> Tables[E]:
    """LEARNER -> SLUG@REVISION -> entry, of both."""
    tables: Tables[E] = {}
    for learner in sorted({*one, *other}):
        mine, theirs = one.get(learner, {}), other.get(learner, {})
        both = {key: merge(mine[key], theirs[key]) for key in mine.keys() & theirs.keys()}
        tables[learner] = dict(sorted({**mine, **theirs, **both}.items()))
    return tables


def merged(one: ProgressDocument, other: ProgressDocument) -> ProgressDocument:
    """Two progress documents (checked ones) as one."""
    return {
        FORMAT: VERSION,
        "learner": _later(one["learner"], other["learner"]),
        "answers": _merged_tables(one["answers"], other["answers"], _merged_entry),
        "drafts": _merged_tables(one["drafts"], other["drafts"], _later),
    }


def empty() -> ProgressDocument:
    return {FORMAT: VERSION, "learner": {"name": "", "seed": "", "at": 0}, "answers": {}, "drafts": {}}


# Reading: nothing is believed


def parse(data: bytes) -> ProgressDocument:
    """A progress document from bytes of unknown origin. Raises ProgressError."""
    try:
        document = read_json(data, LARGEST)
    except BadJsonError as error:
        raise ProgressError(str(error)) from None
    if not isinstance(document, dict) or FORMAT not in document:
        raise ProgressError("it is not a progress file of labkit")
    if type(document[FORMAT]) is not int or document[FORMAT] != VERSION:
        raise ProgressError(f"it has version {str(document[FORMAT])[:20]}; this labkit reads version {VERSION}")
    return {
        FORMAT: VERSION,
        "learner": _learner(document.get("learner")),
        "answers": _tables(document.get("answers", {}), "answers", _entry),
        "drafts": _tables(document.get("drafts", {}), "drafts", _draft),
    }


def _learner(value: Json) -> LearnerEntry:
    name, seed = at(value, "name"), at(value, "seed")
    if not isinstance(name, str) or not isinstance(seed, str):
        raise ProgressError("its learner is not a name and a seed")
    return {"name": name[:200], "seed": seed[:200], "at": _whole(at(value, "at"), "the learner's time")}


def _whole(value: Json, what: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 53:
        raise ProgressError(f"{what} is not a whole number")
    return value


def _tables(value: Json, what: str, entry: Callable[[str, JsonObject], E]) -> Tables[E]:
    if not isinstance(value, dict):
        raise ProgressError(f"its {what} are not a table")
    if sum(len(each) for each in value.values() if isinstance(each, dict)) + len(value) > MOST_ENTRIES:
        raise ProgressError(f"it has more than {MOST_ENTRIES} {what}")
    return {
        learner: {key: entry(key, each) for key, each in _entries(learner, table, what)}
        for learner, table in value.items()
    }


def _entries(learner: str, table: Json, what: str) -> Iterator[tuple[str, JsonObject]]:
    if not isinstance(table, dict):
        raise ProgressError(f"the {what} of {learner[:40]!r} are not a table")
    for key, value in table.items():
        if not KEY.fullmatch(key):
            raise ProgressError(f"{key[:40]!r} is not an exercise with its revision")
        if not isinstance(value, dict) or not isinstance(value.get("answer"), str | list | dict):
            raise ProgressError(f"the entry of {key} has no answer")
        yield key, value


def _entry(key: str, value: JsonObject) -> AnswerEntry:
    passed = value.get("passed")
    if not isinstance(passed, bool):
        raise ProgressError(f"the entry of {key} does not say whether it passed")
    points, moment, tries = (_whole(value.get(name), f"{name} of {key}") for name in ("points", "at", "tries"))
    entry: AnswerEntry = {
        "answer": value["answer"], "passed": passed, "points": points, "at": moment, "tries": tries,
    }  # fmt: skip
    if "best" in value:
        entry["best"] = _whole(value["best"], f"best of {key}")
    return entry


def _draft(key: str, value: JsonObject) -> DraftEntry:
    hints, moment = (_whole(value.get(name), f"{name} of {key}") for name in ("hints", "at"))
    return {"answer": value["answer"], "hints": hints, "at": moment}


# The file


class Progress:
    """The progress in one file."""

    def __init__(self, path: Path, document: ProgressDocument, clock: Callable[[], float] = time.time) -> None:
        self.path = path
        self.document = document
        self._clock = clock

    @property
    def learner(self) -> str:
        return self.document["learner"]["name"]

    @property
    def seed(self) -> str:
        return self.document["learner"]["seed"]

    def set_learner(self, name: str, seed: str) -> None:
        """Whose variants are drawn from now on."""
        at = max(int(self._clock()), self.document["learner"]["at"] + 1)
        self.document["learner"] = {"name": name, "seed": seed, "at": at}
        self.save()

    def entries(self, learner: str | None = None) -> dict[str, AnswerEntry]:
        """SLUG@REVISION -> entry, of this learner or of the one whose course this is."""
        return self.document["answers"].get(current().learner if learner is None else learner, {})

    def entry(self, slug: str, learner: str | None = None) -> AnswerEntry | None:
        """The entry of the newest revision that was answered, with its revision."""
        answered = ((key.partition("@"), each) for key, each in self.entries(learner).items())
        revisions = {int(key[2]): each for key, each in answered if key[0] == slug}
        newest = max(revisions, default=0)
        if not newest:
            return None
        entry = revisions[newest].copy()
        entry["revision"] = newest
        return entry

    def draft(self, slug: str, revision: int, learner: str) -> DraftEntry | None:
        return self.document["drafts"].get(learner, {}).get(f"{slug}@{revision}")

    def record(self, attempt: Answered, judgement: Judgement) -> None:
        """Remember the attempt's answer, and save; what could not be read as an answer is not remembered."""
        if judgement.error:
            return
        table, key = self.document["answers"].setdefault(attempt.learner, {}), _key(attempt)
        before = table.get(key)
        new: AnswerEntry = {
            "answer": _writable(attempt.answer),
            "passed": judgement.passed,
            "points": judgement.points,
            "at": max(int(self._clock()), before["at"] + 1 if before else 0),
            "tries": before["tries"] + 1 if before else 1,
        }
        if judgement.passed and KINDS[attempt.exercise.kind].terminal and isinstance(attempt.answer, list):
            new["best"] = len(attempt.answer)
        table[key] = _merged_entry(before, new) if before else new
        self.save()

    def keep(self, attempt: Answered, answer: object, hints: int) -> None:
        """Remember what is not yet checked (inputs so far, or what is filled in), and how many hints are open; save."""
        table, key = self.document["drafts"].setdefault(attempt.learner, {}), _key(attempt)
        at = max(int(self._clock() * 1000), table[key]["at"] + 1 if key in table else 0)
        table[key] = {"answer": _writable(answer), "hints": hints, "at": at}
        self.save()

    def export(self) -> str:
        """The small file to take along."""
        return json.dumps(self.document, indent=1, ensure_ascii=False)

    def merge(self, text: str | bytes) -> None:
        """Add what another copy knows, and save. Raises ProgressError."""
        other = parse(text.encode("utf-8", "replace") if isinstance(text, str) else text)
        self.document = parse(
            json.dumps(merged(self.document, other), indent=1).encode()
        )  # together it may be too much
        self.save()

    def save(self) -> None:
        """Write the file whole, with what another session saved meanwhile; nobody ever reads half a file."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with locked(self.path.with_suffix(".lock")):
            there = _read(self.path)
            self.document = merged(self.document, there) if there else self.document
            if there:
                _keep_one_before(self.path)
            _sweep(self.path)
            write_whole(self.path, self.export())


def _key(attempt: Answered) -> str:
    return f"{attempt.exercise.slug}@{attempt.exercise.revision}"


def _writable(answer: object) -> Json:
    """An answer without half characters, which no file in UTF-8 can hold."""
    written: Json = json.loads(json.dumps(answer, ensure_ascii=False).encode("utf-8", "replace"))
    return written


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock that this file stands for. The system takes it from a process that ends, however it ends.

    Where there are no such locks (in the browser, on Windows, on some network drives), or one is held for long, it goes
    on without.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        end = time.monotonic() + LONGEST_WAIT
        while not _took(handle) and time.monotonic() < end:
            time.sleep(0.01)
        yield
    finally:
        os.close(handle)


def _took(handle: int) -> bool:
    """Is the lock ours now, or is there none to be had? False: somebody holds it."""
    try:
        import fcntl  # not on Windows; there a rename while somebody reads fails, and the next save tries again

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (ImportError, OSError, AttributeError) as error:
        return not isinstance(error, BlockingIOError)
    return True


def write_whole(path: Path, text: str) -> None:
    """Write to a temporary file beside it, bring that to the disk, then rename."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _swap(path, text.encode("utf-8", "backslashreplace"))


def _swap(path: Path, data: bytes) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _before(path: Path) -> Path:
    return path.with_name(f"{path.stem}.before{path.suffix}")


def _keep_one_before(path: Path) -> None:
    """The file as it is becomes the one before, too: a second name for it, or a copy where there are no such names."""
    name = path.with_name(f".{path.name}.{os.getpid()}.before")
    try:
        name.unlink(missing_ok=True)
        os.link(path, name)
        os.replace(name, _before(path))
    except (OSError, AttributeError, NotImplementedError):
        _swap(_before(path), path.read_bytes())
    finally:
        name.unlink(missing_ok=True)


def _sweep(path: Path) -> None:
    """Remove what a process that was killed while it wrote has left; what is young may be another session's."""
    for left in path.parent.glob(f".{path.name}.*"):
        with contextlib.suppress(OSError):
            if time.time() - left.stat().st_mtime > OLD:
                left.unlink()


def _parsed(path: Path) -> ProgressDocument:
    """What is in the file. Raises ProgressError, and OSError where there is none."""
    if path.stat().st_size > LARGEST:
        raise ProgressError(f"it is larger than {LARGEST >> 20} MiB")
    return parse(path.read_bytes())


def _read(path: Path) -> ProgressDocument | None:
    """What is in the file; None where there is none. One that cannot be read is put aside for the one before."""
    try:
        return _parsed(path)
    except OSError:
        return None
    except ProgressError as error:
        return _second(path, str(error))


def _second(path: Path, why: str) -> ProgressDocument | None:
    """Put the file aside, bring the one before to its place, and say so in one line."""
    kept = _put_aside(path)
    try:
        document, then = _parsed(_before(path)), "the state before the last save is used"
        _swap(path, _before(path).read_bytes())
    except (OSError, ProgressError):
        document, then = None, "progress begins anew"
    sys.stderr.write(f"labkit: {path.name} cannot be read ({why}); it is kept as {kept.name}, and {then}.\n")
    return document


def _put_aside(path: Path) -> Path:
    number = 1
    while (kept := path.with_name(f"{path.stem}.kept-{number}{path.suffix}")).exists():
        number += 1
    path.rename(kept)
    return kept


def open_progress(path: Path | None = None) -> Progress:
    """The progress where the rules of settings.home say; reading it changes nothing on disk if it is sound."""
    path = path or home() / "progress.json"
    return Progress(path, _read(path) or empty())


def current() -> Whose:
    """Whose course this is."""
    progress = open_progress()
    return whose(progress.learner, progress.seed)
