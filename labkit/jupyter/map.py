"""progress(): the map of the lessons with the learner's own progress; progress("03-the-build-cache"): one lesson's.

What a learner did shows only in the live widget. The text and the HTML that are saved with a notebook name the lessons
and exercises, the same for everyone.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import traitlets

from labkit.course import CourseError, Exercise, ProgressError, progress
from labkit.course.exercises import AGAIN
from labkit.course.lessons import LESSONS, Lesson, exercises_by_lesson, find_lesson
from labkit.course.progress import AnswerEntry
from labkit.course.record import for_learner
from labkit.jupyter.panel import RememberingPanel, bundle, listed, standing_of
from labkit.jupyter.view import count
from labkit.kernel.golang import JsonObject

Course = Mapping[str, Sequence[Exercise]]  # a lesson's stem -> its exercises
Entries = Mapping[str, AnswerEntry]  # slug -> what the progress says of it


@dataclass(frozen=True)
class Score:
    """How far a learner is with some exercises."""

    solved: int
    tried: int
    of: int
    points: int
    most: int

    @property
    def state(self) -> str:
        if not self.of:
            return "no exercises"
        return "solved" if self.solved == self.of else "begun" if self.tried else "not begun"

    @property
    def text(self) -> str:
        return f"{self.solved} of {count(self.of, 'exercise')} solved, {self.points} of {count(self.most, 'point')}"


def score(exercises: Iterable[Exercise], entries: Entries) -> Score:
    all_of_them = list(exercises)
    passed = [each for each in all_of_them if each.slug in entries and entries[each.slug]["passed"]]
    return Score(
        len(passed),
        sum(each.slug in entries for each in all_of_them),
        len(all_of_them),
        sum(each.points for each in passed),
        sum(each.points for each in all_of_them),
    )


def self_test_texts(questions: Iterable[Exercise], entries: Entries) -> Iterator[str]:
    """What has stuck: of a lesson's questions, and of an earlier lesson's that are asked again in it."""
    asked = list(questions)
    for title, again in (("Self-test", False), ("Asked again", True)):
        found = score((each for each in asked if each.slug.endswith(AGAIN) == again), entries)
        if found.of:
            yield f"{title}: {found.solved} of {found.of} right" if found.tried else f"{title}: not tried yet"


def where_to_go_on(course: Course, entries: Entries) -> Lesson | None:
    """The lesson of the last answer, else one after it, else any that is not solved; None where all are."""
    lessons = [lesson for lesson in LESSONS if course.get(lesson.stem)]
    latest = {
        lesson.stem: max(
            (entries[each.slug]["at"] if each.slug in entries else -1 for each in course[lesson.stem]),
            default=-1,
        )
        for lesson in lessons
    }
    last = max(lessons, key=lambda lesson: latest[lesson.stem], default=None)
    at = lessons.index(last) if last and latest[last.stem] >= 0 else 0
    around = lessons[at:] + lessons[:at]
    return next((each for each in around if score(course[each.stem], entries).state != "solved"), None)


class MapWidget(RememberingPanel):
    """The lessons, or the exercises of one lesson, with how far the learner is."""

    _esm, _css = bundle("map")
    says = "note"

    heading = traitlets.Unicode().tag(sync=True)
    whose = traitlets.Unicode().tag(sync=True)
    summary = traitlets.Unicode().tag(sync=True)
    rows: traitlets.List[JsonObject] = traitlets.List().tag(sync=True)  # see lesson_row and exercise_row
    onward = traitlets.Dict().tag(sync=True)  # {"text": …, "name": …, "stem": … or ""}: where to go on
    whole = traitlets.Bool().tag(sync=True)  # all lessons, with the file to take along
    copy = traitlets.Dict().tag(sync=True)  # {"name": …, "text": …, "number": …}: the file, once it is asked for
    note = traitlets.Unicode().tag(sync=True)  # what came of the last thing that was done

    def __init__(self, lesson: Lesson | None = None, folder: Path | None = None) -> None:
        self._lesson = lesson
        self._folder = folder or Path.cwd()
        super().__init__(asks=True, whole=lesson is None)
        self.remember(brought=False)
        self.live.add(self)

    def __repr__(self) -> str:
        if self._lesson:
            return f"progress({self._lesson.stem!r}): the exercises of {self._lesson.name}"
        return "\n".join(["progress(): the lessons", *(f"  {lesson.name}" for lesson in LESSONS)])

    def still(self) -> str:
        """The lessons with their links, or the exercises of the one; as learner demo has them."""
        if self._lesson is None:
            links = (f'<a href="{lesson.stem}.ipynb">{html.escape(lesson.name)}</a>' for lesson in LESSONS)
            return f"<p><strong>The lessons</strong></p>\n<ul>{''.join(f'<li>{each}</li>' for each in links)}</ul>"
        titles = [for_learner(each, progress.DEMO, "").title for each in exercises_by_lesson()[self._lesson.stem]]
        return f"<p><strong>The exercises of {html.escape(self._lesson.name)}</strong></p>\n{listed(titles)}"

    def remember(self, brought: bool) -> None:
        document = self.memory.document()
        whose = progress.whose(document["learner"]["name"], document["learner"]["seed"])
        course = exercises_by_lesson()
        entries = newest(document["answers"].get(whose.learner, {}))
        onward = where_to_go_on(course, entries)
        if self._lesson is None:
            self.heading = "The lessons"
            self.rows = [self._lesson_row(each, score(course[each.stem], entries), each is onward) for each in LESSONS]
            self.summary = score((each for stem in course for each in course[stem]), entries).text
            self.onward = self._onward(onward, course, entries)
        else:
            exercises = [for_learner(each, whose.learner, whose.seed) for each in course[self._lesson.stem]]
            open_ones = [each for each in exercises if not (each.slug in entries and entries[each.slug]["passed"])]
            self.heading = f"Your progress in {self._lesson.name}"
            self.rows = [exercise_row(each, entries.get(each.slug), each in open_ones[:1]) for each in exercises]
            tests = exercises_by_lesson(self_tests=True)[self._lesson.stem]
            self.summary = ". ".join([score(exercises, entries).text, *self_test_texts(tests, entries)])
            self.onward = self._onward_in_lesson(open_ones)
        self.whose = whose.learner
        self.kept = {**document}

    def _lesson_row(self, lesson: Lesson, found: Score, here: bool) -> JsonObject:
        return {
            "name": lesson.name,
            "stem": self._link(lesson),
            "state": found.state,
            "done": found.solved,
            "of": found.of,
            "points": f"{found.points} of {found.most}" if found.of else "",
            "next": here,
        }

    def _link(self, lesson: Lesson) -> str:
        """What a link to the lesson leads to; "" where its notebook is not there."""
        return lesson.stem if (self._folder / f"{lesson.stem}.ipynb").is_file() else ""

    def _onward(self, lesson: Lesson | None, course: Course, entries: Entries) -> dict[str, str]:
        if lesson is None:
            all_of_them = any(course.values())
            return {"text": "All exercises are solved." if all_of_them else "", "name": "", "stem": ""}
        found = score(course[lesson.stem], entries)
        text = "Go on with" if entries else "Begin with"
        return {"text": text, "name": lesson.name, "stem": self._link(lesson), "rest": found.text if entries else ""}

    def _onward_in_lesson(self, open_ones: Sequence[Exercise]) -> dict[str, str]:
        assert self._lesson
        if open_ones:
            return {"text": f"Next here: {open_ones[0].title}", "name": "", "stem": ""}
        following = LESSONS[LESSONS.index(self._lesson) + 1 :]
        if not following:
            return {"text": "All of them are solved, and this is the last lesson.", "name": "", "stem": ""}
        return {
            "text": "All of them are solved. Go on with",
            "name": following[0].name,
            "stem": self._link(following[0]),
        }

    def do_export(self) -> None:
        name = f"progress-{file_word(self.whose)}.json"
        self.copy = {"name": name, "text": self.memory.export(), "number": self.copy.get("number", 0) + 1}
        self.note = f"Saved as {name}, where your browser puts downloads."

    def do_import(self, text: str = "") -> None:
        try:
            came = self.memory.merge(text)
        except ProgressError as error:
            self.note = f"That file cannot be read as progress: {error}."
            return
        self.tell(brought=True)
        self.note = f"Added: {came}." if came else "Nothing in it is new."


def exercise_row(exercise: Exercise, entry: AnswerEntry | None, here: bool) -> JsonObject:
    """An exercise in a lesson's list."""
    state = "solved" if entry and entry["passed"] else "begun" if entry else "not begun"
    said = standing_of(entry) or "Not tried yet"
    return {"name": exercise.title, "kind": exercise.kind, "state": state, "said": said, "points": exercise.points,
            "next": here}  # fmt: skip


def newest(answers: Mapping[str, AnswerEntry]) -> Entries:
    """slug -> the entry of its newest revision."""
    by_revision = sorted(answers.items(), key=lambda item: int(item[0].partition("@")[2]))
    return {key.partition("@")[0]: entry for key, entry in by_revision}


def file_word(name: str) -> str:
    """A learner's name as a part of a file's name."""
    return "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in name) or "learner"


def open_map(name: object = "", folder: Path | None = None) -> MapWidget:
    """The map, or one lesson's progress; ValueError where there is no such lesson."""
    if not isinstance(name, str):
        raise ValueError('of which lesson? Write its name in quotes, as in: progress("02-layered-images")')
    try:
        return MapWidget(find_lesson(name) if name else None, folder)
    except CourseError as error:
        raise ValueError(str(error)) from None
