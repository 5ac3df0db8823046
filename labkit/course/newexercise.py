"""`labkit new-exercise`: a record to be filled in, one for each kind, appended to its lesson's file.

What is to be filled in stands in capitals. As it is appended the record can be read and is judged, so that the course
goes on working while its author writes.
"""

from __future__ import annotations

from pathlib import Path

from labkit.course.exercises import SLUG, CourseError, exercises_folder, parse_records, slugs
from labkit.course.judge import KINDS
from labkit.course.lessons import find_lesson


class NewExerciseError(Exception):
    """An exercise that cannot be made; str() is one line that says why."""


SKELETON = """
[[exercise]]
slug = "{slug}"
revision = 1
points = 1
kind = "{kind}"
title = "TITLE"
task = '''
THE SITUATION, with @word@ and what else differs from learner to learner. WHAT TO {do}.

You pass when {checked}.
'''
{keys}hints = ["A SMALL HINT.", "A LARGER ONE."]

[exercise.values]
word = ["ready", "built", "fresh"]
{setup}{check}
[[exercise.solution]]
name = "{route}"
answer = {answer}

[[exercise.mistake]]
name = "{mistake}"
{sign}example = {example}
reply = '''
{reply}
'''
{more}"""
PULLED = """
[exercise.setup]
commands = ["docker pull -q busybox"]
"""
# What a kind has in the skeleton's places, where it is something else than this.
USUAL = {
    "keys": "",
    "setup": "",
    "check": "",
    "route": "THE RIGHT ONE",
    "mistake": "WHAT PEOPLE EXPECT",
    "sign": "",
    "reply": "WHY PEOPLE EXPECT IT, AND WHAT HAPPENS INSTEAD.",
    "more": "",
}
A_VOLUME = {
    "check": """
[[exercise.check]]
is = "volume_exists"
volume = "@word@"

[[exercise.check]]
not = "file_exists"
path = "/home/learner/@word@"
""",
    "sign": 'when = [{ not = "volume_exists", volume = "@word@" }]\n',
}
DO = {
    **A_VOLUME,
    "do": "DO",
    "checked": "the volume `@word@` is there",
    "setup": PULLED,
    "route": "THE RIGHT ROUTE",
    "answer": "'''\ndocker volume create @word@\n'''",
    "mistake": "WHAT PEOPLE DO",
    "example": "'''\nmkdir @word@\n'''",
}
FORMS: dict[str, dict[str, str]] = {
    "do": DO,
    "repair": {**DO, "do": "REPAIR"},
    "predict": {
        "do": "PREDICT",
        "checked": "what you say is what `docker volume ls -q` prints",
        "keys": """command = "docker volume create @word@"
observe = "docker volume ls -q"
compare = "text"
example = "A WORD"
""",
        "answer": '"@word@"',
        "example": '"nothing"',
    },
    "explain": {
        **A_VOLUME,
        "check": A_VOLUME["check"]
        + """
[[exercise.check]]
is = "as_shown"
""",
        "do": "EXPLAIN",
        "checked": "your command makes the volume `@word@` too",
        "keys": 'cause = ["docker volume create @word@"]\n',
        "route": "THE CAUSE",
        "answer": '"docker volume create @word@"',
        "mistake": "WHAT PEOPLE TAKE FOR THE CAUSE",
        "example": '"mkdir @word@"',
        "reply": "WHAT THAT COMMAND LEAVES, AND WHAT IS SEEN HERE.",
    },
    "mark": {
        "do": "MARK",
        "checked": "each of the lines has the right mark",
        "keys": """items = ["RUN echo @word@ > /a", "ENV WORD=@word@"]
labels = ["layer", "only metadata"]
right = ["layer", "only metadata"]
""",
        "route": "THE RIGHT MARKS",
        "answer": '["layer", "only metadata"]',
        "mistake": "WHAT PEOPLE MARK",
        "sign": 'marks = { "ENV WORD=@word@" = "layer" }\n',
        "example": '["layer", "layer"]',
    },
    "order": {
        "do": "PUT INTO ORDER",
        "checked": "the Dockerfile of your lines builds",
        "keys": """file = "@word@/Dockerfile"
lines = ["FROM busybox", "WORKDIR /@word@", "RUN touch made"]
then = ["docker build -q -t @word@ @word@"]
""",
        "check": """
[[exercise.check]]
is = "image_has_file"
image = "@word@"
path = "/@word@/made"
""",
        "route": "THE RIGHT ORDER",
        "answer": '["FROM busybox", "WORKDIR /@word@", "RUN touch made"]',
        "mistake": "WHAT PEOPLE PUT FIRST",
        "sign": 'when = [{ not = "image_has_file", image = "@word@", path = "/@word@/made" }]\n',
        "example": '["FROM busybox", "RUN touch made", "WORKDIR /@word@"]',
    },
    "compose": {
        "do": "MOUNT WHERE",
        "checked": "in the container `box`, the volume `@word@` is mounted at /data",
        "keys": """flags = ["-v", "--volume", "--mount"]
then = ["docker run -d --name box @answer@ busybox sleep 1000"]
""",
        "setup": PULLED,
        "check": """
[[exercise.check]]
is = "mount_is"
container = "box"
target = "/data"
type = "volume"
source = "@word@"
""",
        "route": "-v",
        "answer": '''"-v @word@:/data"

[[exercise.solution]]
name = "--mount"
answer = "--mount type=volume,source=@word@,target=/data"''',
        "mistake": "WHAT PEOPLE WRITE",
        "sign": 'when = [{ not = "mount_is", container = "box", target = "/data", type = "volume", '
        'source = "@word@" }]\n',
        "example": '"-v ./@word@:/data"',
        "reply": "WHY PEOPLE WRITE IT, AND WHAT HAPPENS INSTEAD.",
    },
    "choose": {
        "do": "CHOOSE",
        "checked": "the letter of the option that is so",
        "answer": '"ONE OPTION, WHICH IS SO, with @word@."',
        "mistake": "A WRONG ONE",
        "example": '"ONE THAT PEOPLE BELIEVE, with @word@."',
        "reply": "WHY PEOPLE BELIEVE IT, AND WHAT HAPPENS INSTEAD.",
        "more": """
[[exercise.mistake]]
name = "ANOTHER WRONG ONE"
example = "ONE THAT OTHERS BELIEVE, with @word@."
reply = '''
WHY PEOPLE BELIEVE IT, AND WHAT HAPPENS INSTEAD.
'''
""",
    },
}


def record(slug: str, kind: str) -> str:
    """The TOML of a new exercise."""
    return SKELETON.format(slug=slug, kind=kind, **{**USUAL, **FORMS[kind]})


def append_exercise(lesson: str, slug: str, kind: str, folder: Path | None = None) -> tuple[Path, int]:
    """Append a new exercise to the lesson's file (made, where it is not there yet); the file and the record's line."""
    folder = folder or Path(str(exercises_folder()))
    path = folder / f"{_lesson_name(lesson)}.toml"
    _require_new(slug, kind)
    before = path.read_text(encoding="utf-8") if path.exists() else f'schema = 1\nlesson = "{path.stem}"\n'
    text = before.rstrip("\n") + "\n" + record(slug, kind)
    if faults := parse_records(path.name, text)[1]:
        raise NewExerciseError(f"mend this first: {faults[0]}")
    path.write_text(text, encoding="utf-8")
    return path, before.rstrip("\n").count("\n") + 3


def _lesson_name(lesson: str) -> str:
    try:
        return find_lesson(lesson).stem
    except CourseError as error:
        raise NewExerciseError(str(error)) from None


def _require_new(slug: str, kind: str) -> None:
    if kind not in KINDS:
        raise NewExerciseError(f"there is no kind '{kind}'; there are {', '.join(KINDS)}")
    if kind == "write":
        raise NewExerciseError("what a person reads is for a course of your own: see docs/for-instructors.md")
    if not SLUG.fullmatch(slug):
        raise NewExerciseError(f"'{slug}' is no slug: words of a-z and 0-9 with - between them")
    try:
        taken = slugs()
    except CourseError as error:
        raise NewExerciseError(f"mend this first: {error}") from None
    if slug in taken:
        raise NewExerciseError(f"there is an exercise '{slug}' already")
