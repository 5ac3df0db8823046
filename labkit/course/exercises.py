"""Exercises read from their TOML records; every fault of a record is one sentence that names the file and the place.

`labkit/course/exercises/LESSON.toml` holds the exercises of a lesson, `selftest/LESSON.toml` the questions of its
self-test: exercises of 0 points with a table `again`, which says in which lesson and in which other words the same is
asked again (with other values: as SLUG-once-more, an exercise of its own). When an exercise changes so that old answers
would be judged otherwise, its revision goes up, and its record of before moves to `old/SLUG@REVISION.toml`.

A course may have exercises of its own beside these, in files of the same form: those of an installed package that an
entry point of the group `labkit.course` names, and those that `use_course` is given (`labkit grade --course PATH`).
"""

from __future__ import annotations

import difflib
import re
import tomllib
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from functools import lru_cache
from importlib.metadata import entry_points
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from labkit.course.checks import CHECKS
from labkit.course.compare import COMPARE
from labkit.course.judge import KINDS
from labkit.course.machines import AnswerError
from labkit.course.record import (
    PLACEHOLDER,
    Assertion,
    Exercise,
    Mistake,
    Own,
    Setup,
    Solution,
    for_learner,
    number_fault,
    validate_values,
)
from labkit.kernel.golang import Json, JsonObject, at, items, members
from labkit.kernel.golang import number as number_at
from labkit.kernel.golang import text as text_at

SCHEMA = 1
AGAIN = "-once-more"  # after the slug of a question that is asked again
SLUG = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
NEEDED = {
    "slug": str,
    "revision": int,
    "title": str,
    "points": int,
    "kind": str,
    "task": str,
    "hints": list,
    "solution": list,
}
ALLOWED = {
    **NEEDED,
    "mistake": list,
    "check": list,
    "values": dict,
    "setup": dict,
    "misconceptions": list,
    "harmless": dict,
    "again": dict,
    "sealed": bool,
}
SETUP = {"machine": dict, "files": dict, "commands": list}
MISTAKE = {
    "name": str,
    "example": object,
    "reply": str,
    "when": list,
    "claims": list,
    "matches": str,
    "observe": str,
    "marks": dict,
    "misconception": int,
}
NAMES = {str: "a text", int: "a whole number", list: "a list", dict: "a table"}


class CourseError(Exception):
    """Faults of records: one sentence each in `faults`; str() is the first."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__(faults[0])
        self.faults = faults


def exercises_folder() -> Traversable:
    return files("labkit.course") / "exercises"


CourseFiles = tuple[tuple[str, str], ...]  # names of record files and their texts
_outside: CourseFiles = ()


def course_files(path: Path) -> CourseFiles:
    """The record files of a course outside the package: in a folder, in its `exercises/`, or in a wheel.

    Raises CourseError.
    """
    try:
        if path.is_dir():
            found = sorted({*path.glob("*.toml"), *path.glob("exercises/**/*.toml")} - {path / "pyproject.toml"})
            records = [(each.name, each.read_text(encoding="utf-8")) for each in found]
        else:
            with zipfile.ZipFile(path) as wheel:
                named = [each for each in sorted(wheel.namelist()) if each.endswith(".toml")]
                records = [(each.rpartition("/")[2], wheel.read(each).decode("utf-8")) for each in named]
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise CourseError([f"{path}: it cannot be read as a course: {error}"]) from None
    if not records:
        raise CourseError([f"{path}: there are no exercises (files NAME.toml) in it"])
    return tuple(records)


def use_course(records: CourseFiles) -> bool:
    """From now on these exercises are there too, before all others; is that new? Raises CourseError with all faults."""
    global _outside
    if records == _outside:
        return False
    faults = [fault for name, text in records for fault in parse_records(name, text)[1]]
    if faults:
        raise CourseError(faults)
    _outside = records
    return True


@lru_cache(maxsize=1)
def _installed() -> CourseFiles:
    """What packages with an entry point `labkit.course` have."""
    folders = [files(each.value) for each in entry_points(group="labkit.course")]
    return tuple((each.name, each.read_text(encoding="utf-8")) for folder in folders for each in toml_files(folder))


def _current() -> Iterator[tuple[str, str]]:
    """All record files with exercises as they are now."""
    yield from _outside
    yield from _installed()
    yield from ((each.name, each.read_text(encoding="utf-8")) for each in record_files(exercises_folder()))


def load_exercise(name: str) -> Exercise:
    """The exercise with this slug; `SLUG@REVISION` for the record of an older revision."""
    slug, _, revision = name.partition("@")
    for exercise in _candidates(slug):
        if exercise.slug == slug and (not revision or str(exercise.revision) == revision):
            return exercise
    newest = next((each.revision for each in load_all() if each.slug == slug), 0)
    if revision.isdecimal() and int(revision) < newest:
        raise CourseError([f"revision {revision} of '{slug}' is not graded any more: it is at revision {newest}"])
    near = difflib.get_close_matches(slug, slugs(), 1)
    hint = f"; did you mean '{near[0]}'?" if near else ""
    raise CourseError([f"there is no exercise '{name}'{hint}"])


def _candidates(slug: str) -> Iterator[Exercise]:
    """All exercises of the files that have this slug written in them."""
    for name, text in _current():
        if slug.removesuffix(AGAIN) in text:
            yield from _load_file(name, text)
    for file in toml_files(exercises_folder() / "old"):
        if slug in (text := file.read_text(encoding="utf-8")):
            yield from _load_file(file.name, text)


def load_all() -> list[Exercise]:
    """Every exercise of the course in its current revision, lesson by lesson. Raises CourseError with all faults."""
    exercises: list[Exercise] = []
    faults: list[str] = []
    for name, text in _current():
        try:
            exercises += _load_file(name, text)
        except CourseError as error:
            faults += error.faults
    newest: dict[str, Exercise] = {}
    for each in exercises:
        newest[each.slug] = max(newest.get(each.slug, each), each, key=lambda one: one.revision)
    if faults:
        raise CourseError(faults)
    return [each for each in exercises if newest[each.slug] is each]


def slugs() -> list[str]:
    return [exercise.slug for exercise in load_all()]


def record_files(folder: Traversable) -> list[Traversable]:
    """The files with exercises as they are now."""
    return [*toml_files(folder), *toml_files(folder / "selftest")]


def toml_files(folder: Traversable) -> list[Traversable]:
    """Those of a folder, by name; none where there is no such folder."""
    found = (each for each in folder.iterdir() if each.name.endswith(".toml")) if folder.is_dir() else ()
    return sorted(found, key=lambda file: file.name)


@lru_cache(maxsize=64)
def _load_file(name: str, text: str) -> tuple[Exercise, ...]:
    exercises, faults = parse_records(name, text)
    if faults:
        raise CourseError(faults)
    return tuple(exercises)


def parse_records(name: str, text: str) -> tuple[list[Exercise], list[str]]:
    """The exercises of one file, and what is wrong with it."""
    try:
        data: JsonObject = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return [], [f"{name}: this is not TOML: {error}"]
    if data.get("schema") != SCHEMA:
        return [], [f"{name}: 'schema' must be {SCHEMA}"]
    faults = [f"{name}: unknown key '{key}'" for key in data if key not in ("schema", "lesson", "exercise")]
    if not isinstance(data.get("lesson"), str):
        faults.append(f"{name}: 'lesson' must be the name of a lesson")
    exercises = []
    tables = [
        (each, lesson) for table in items(data, "exercise") for each, lesson in _asked(table, text_at(data, "lesson"))
    ]
    for number, (table, lesson) in enumerate(tables, 1):
        place = f"{name}: exercise '{table.get('slug', number)}'"
        wrong = list(_faults(table))
        exercise = None if wrong else _exercise(table, lesson)
        wrong += list(_faults_in_use(exercise)) if exercise else []
        faults += [f"{place}: {fault}" for fault in wrong]
        exercises += [exercise] if exercise else []
    taken = [exercise.slug for exercise in exercises]
    faults += [f"{name}: the slug '{slug}' is there twice" for slug in sorted(set(taken)) if taken.count(slug) > 1]
    return exercises, faults


def _asked(table: Json, lesson: str) -> Iterator[tuple[JsonObject, str]]:
    """The table of an exercise with its lesson; of a question of a self-test also the one that is asked again."""
    first = _as_table(table)
    yield first, lesson
    again = members(first, "again")
    if again:
        later = {**first, **again, "slug": f"{first.get('slug')}{AGAIN}"}
        yield {key: value for key, value in later.items() if key not in ("again", "lesson")}, text_at(again, "lesson")


def _faults(table: JsonObject) -> Iterator[str]:
    """What is wrong with the table of one exercise, before an Exercise can be made of it."""
    kind = table.get("kind")
    if kind not in KINDS:
        yield f"'kind' must be one of {', '.join(KINDS)}"
        return
    keys = KINDS[str(kind)].keys
    own = {each.name: str if isinstance(each.default, str) else list for each in fields(Own) if each.name in keys}
    needed = [*NEEDED, *(key for key, is_needed in keys.items() if is_needed)]
    spared = ("solution",) if table.get("sealed") else ()
    yield from _key_faults(table, {**ALLOWED, **own}, [key for key in needed if key not in spared])
    if not SLUG.fullmatch(str(table.get("slug"))) or re.match(r"\d", str(table.get("slug"))):
        yield "'slug' must be words of a-z and 0-9 with - between them"
    asked_again = "again" in table or str(table.get("slug")).endswith(AGAIN)
    if (table.get("points") == 0 and not asked_again) or (table.get("points") and asked_again):
        yield "'points' must be 1 or more, and 0 for a question of a self-test, which has 'again'"
    yield from _part_faults(table)


def _key_faults(table: JsonObject, types: Mapping[str, type], needed: Iterable[str], where: str = "") -> Iterator[str]:
    for key, value in table.items():
        if key not in types:
            near = difflib.get_close_matches(key, types, 1)
            yield f"{where}unknown key '{key}'" + (f"; did you mean '{near[0]}'?" if near else "")
        elif not isinstance(value, types[key]) or (types[key] is int and isinstance(value, bool)):
            yield f"{where}'{key}' must be {NAMES.get(types[key], 'something else')}"
    for key in needed:
        if key not in table:
            yield f"{where}'{key}' is missing"
        elif table[key] in ("", []):
            yield f"{where}'{key}' is empty"


def _part_faults(table: JsonObject) -> Iterator[str]:
    yield from _key_faults(_as_table(table.get("setup", {})), SETUP, (), "setup: ")
    yield from validate_values(members(table, "values"))
    for number, check in enumerate(items(table, "check"), 1):
        yield from _assertion_faults(check, f"check {number}: ")
    for number, solution in enumerate(items(table, "solution"), 1):
        yield from _key_faults(
            _as_table(solution), {"name": str, "answer": object}, ("name", "answer"), f"solution {number}: "
        )
    for number, mistake in enumerate(items(table, "mistake"), 1):
        where = f"mistake {number}: "
        yield from _key_faults(_as_table(mistake), MISTAKE, ("name", "example", "reply"), where)
        for key, word in (("when", "sign"), ("claims", "claim")):
            for place, sign in enumerate(items(mistake, key), 1):
                yield from _assertion_faults(sign, f"{where}{word} {place}: ")
        if "misconception" in _as_table(mistake) and (fault := number_fault(at(mistake, "misconception"))):
            yield where + fault
    yield from (
        f"'misconceptions': {fault}" for number in items(table, "misconceptions") if (fault := number_fault(number))
    )


def _as_table(value: Json) -> JsonObject:
    return value if isinstance(value, dict) else {"": value}


def _assertion_faults(table: Json, where: str) -> Iterator[str]:
    given = dict(_as_table(table))
    names = [given.pop(key) for key in ("is", "not") if key in given]
    if len(names) != 1:
        yield f"{where}it must name its check with either 'is' or 'not'"
        return
    if names[0] not in CHECKS:
        near = difflib.get_close_matches(str(names[0]), CHECKS, 1)
        yield f"{where}there is no check '{names[0]}'" + (f"; did you mean '{near[0]}'?" if near else "")
        return
    for key in ("after", "says"):
        given.pop(key, None)
    yield from (f"{where}{fault}" for fault in CHECKS[str(names[0])].faults(given))


def _exercise(table: JsonObject, lesson: str) -> Exercise:
    files = {path: str(content) for path, content in members(table, "setup", "files").items()}
    beliefs = [*items(table, "misconceptions"), *(at(each, "misconception") for each in items(table, "mistake"))]
    return Exercise(
        slug=text_at(table, "slug"),
        revision=number_at(table, "revision"),
        lesson=lesson,
        title=text_at(table, "title"),
        points=number_at(table, "points"),
        kind=text_at(table, "kind"),
        task=text_at(table, "task").strip(),
        setup=Setup(members(table, "setup", "machine"), files, _texts(table, "setup", "commands")),
        specs=members(table, "values"),
        checks=tuple(_assertion(each, text_at(table, "task")) for each in items(table, "check")),
        hints=_texts(table, "hints"),
        solutions=tuple(
            Solution(text_at(each, "name"), _marked(table, at(each, "answer"))) for each in items(table, "solution")
        ),
        mistakes=tuple(_mistake(each, table) for each in items(table, "mistake")),
        own=_own(table),
        harmless={slip: str(reason) for slip, reason in members(table, "harmless").items()},
        misconceptions=tuple(sorted({each for each in beliefs if isinstance(each, int)})),
        sealed=table.get("sealed") is True,
    )


def _texts(table: Json, *path: str) -> tuple[str, ...]:
    """A list's texts; its numbers are texts too."""
    return tuple(str(each) for each in items(table, *path))


def _own(table: JsonObject) -> Own:
    return Own(
        command=text_at(table, "command"),
        observe=text_at(table, "observe"),
        compare=text_at(table, "compare") or "text",
        example=text_at(table, "example"),
        file=text_at(table, "file"),
        options=_texts(table, "options"),
        cause=_texts(table, "cause"),
        items=_texts(table, "items"),
        labels=_texts(table, "labels"),
        right=_texts(table, "right"),
        lines=_texts(table, "lines"),
        flags=_texts(table, "flags"),
        then=_texts(table, "then"),
        rubric=_texts(table, "rubric"),
    )


def _assertion(table: Json, task: str = "") -> Assertion:
    """`task`: what the learner reads; a text to be found that does not stand there is kept back."""
    given = dict(_as_table(table))
    negated = "not" in given
    name = given.pop("not" if negated else "is")
    after, says = _texts(given.pop("after", [])), str(given.pop("says", ""))
    return Assertion(str(name), given, negated, after, says, bool(task) and text_at(given, "text") not in task)


def _marked(table: Json, answer: Json) -> Json:
    """A record may give its marks in the order of its items; learners see them in another one."""
    names = [str(each) for each in items(table, "items")]
    if not isinstance(answer, list) or not names or len(answer) != len(names):
        return answer
    return dict(zip(names, answer, strict=True))


def _mistake(table: Json, of: Json) -> Mistake:
    return Mistake(
        name=text_at(table, "name"),
        example=_marked(of, at(table, "example")),
        reply=text_at(table, "reply"),
        when=tuple(_assertion(each) for each in items(table, "when")),
        claims=tuple(_assertion(each) for each in items(table, "claims")),
        matches=text_at(table, "matches"),
        observe=text_at(table, "observe"),
        marks={item: str(label) for item, label in members(table, "marks").items()},
        misconception=number_at(table, "misconception"),
    )


def _faults_in_use(exercise: Exercise) -> Iterator[str]:
    """What is wrong with an exercise once it is put together."""
    if exercise.points < 0 or exercise.revision < 1:
        yield "'points' and 'revision' must be 1 or more"
    least = 2 - (exercise.self_test or exercise.sealed)
    if not all(hint.strip() for hint in exercise.hints) or not least <= len(exercise.hints) <= 3:
        yield "'hints' must be two or three texts, none of them empty"
    if KINDS[exercise.kind].machine and not exercise.checks:
        yield "'check' is missing"
    if not KINDS[exercise.kind].machine and (
        exercise.checks or any(mistake.when + mistake.claims for mistake in exercise.mistakes)
    ):
        yield f"an exercise of kind {exercise.kind} leads to no machine, so it has no checks"
    if exercise.kind == "mark" and not exercise.sealed and bool(exercise.own.right) == bool(exercise.own.observe):
        yield "it must have either 'right' or 'observe'"
    if exercise.kind == "choose" and exercise.sealed != bool(exercise.own.options):
        yield "only a sealed exercise has 'options' beside its solutions and mistakes"
    if exercise.kind == "write" and sum(rubric_points(exercise)) != exercise.points:
        yield "'rubric' must be texts that begin with points, as in \"2 it says where\", which add up to 'points'"
    if exercise.own.compare not in COMPARE:
        yield f"'compare' must be one of {', '.join(COMPARE)}"
    yield from _unknown_values(exercise)
    yield from _unreadable_answers(exercise)


def rubric_points(exercise: Exercise) -> list[int]:
    """The most that each criterion gives."""
    return [int(each.split()[0]) if re.match(r"\d{1,3} \S", each) else 0 for each in exercise.own.rubric]


def _unknown_values(exercise: Exercise) -> Iterator[str]:
    known = {name for names in exercise.specs for name in names.split()} | (
        {"answer"} if exercise.kind == "compose" else set()
    )
    used = set(
        PLACEHOLDER.findall(repr([exercise.task, exercise.setup, exercise.checks, exercise.hints, exercise.own]))
    )
    used |= set(PLACEHOLDER.findall(repr([exercise.title, exercise.solutions, exercise.mistakes])))
    yield from (f"there is no value @{name}@" for name in sorted(used - known))
    computed = set(PLACEHOLDER.findall(repr([*exercise.specs.values()])))
    known = known if not exercise.sealed else set()  # what used them may have been taken out
    yield from (f"the value @{name}@ is used nowhere" for name in sorted(known - used - computed - {"answer"}))


def _unreadable_answers(exercise: Exercise) -> Iterator[str]:
    """Each answer that the record gives must be one that a learner could give."""
    variant = for_learner(exercise, "demo", "")
    given = [(f"solution '{each.name}'", each.answer) for each in variant.solutions]
    given += [(f"mistake '{each.name}'", each.example) for each in variant.mistakes]
    for place, answer in given:
        try:
            KINDS[exercise.kind].parse(variant, answer)
        except AnswerError as error:
            yield f"{place}: {error}"
