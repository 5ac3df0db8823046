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


HEAD = """
[[exercise]]
slug = "{slug}"
revision = 1
points = 1
kind = "{kind}"
title = "TITLE"
task = \'\'\'
THE SITUATION, with @word@ and what else differs from learner to learner. WHAT TO {do}.

Checked is: {checked}.
\'\'\'
"""
HINTS = """hints = ["A SMALL HINT.", "A LARGER ONE."]
"""
VALUES = """
[exercise.values]
word = ["ready", "built", "fresh"]
"""
# What each kind has of its own: (what the learner is to do, what is checked, keys, then tables)
DO = (
    "DO",
    "the volume `@word@` is there",
    "",
    """
[exercise.setup]
commands = ["docker pull -q busybox"]

[[exercise.check]]
is = "volume_exists"
volume = "@word@"

[[exercise.solution]]
name = "THE RIGHT ROUTE"
answer = '''
docker volume create @word@
'''

[[exercise.mistake]]
name = "WHAT PEOPLE DO"
when = [{ not = "volume_exists", volume = "@word@" }]
example = '''
mkdir @word@
'''
reply = '''
WHY PEOPLE EXPECT IT, AND WHAT HAPPENS INSTEAD.
'''
""",
)
FORMS: dict[str, tuple[str, str, str, str]] = {
    "do": DO,
    "repair": ("REPAIR", *DO[1:]),
    "predict": (
        "PREDICT",
        "what you say is what `docker volume ls -q` prints",
        """command = "docker volume create @word@"
observe = "docker volume ls -q"
compare = "text"
example = "A WORD"
""",
        """
[[exercise.solution]]
name = "THE RIGHT ONE"
answer = "@word@"

[[exercise.mistake]]
name = "WHAT PEOPLE EXPECT"
example = "nothing"
reply = '''
WHY PEOPLE EXPECT IT, AND WHAT HAPPENS INSTEAD.
'''
""",
    ),
    "explain": (
        "EXPLAIN",
        "your command makes the volume `@word@` too",
        'cause = ["docker volume create @word@"]\n',
        """
[[exercise.check]]
is = "volume_exists"
volume = "@word@"

[[exercise.solution]]
name = "THE CAUSE"
answer = "docker volume create @word@"

[[exercise.mistake]]
name = "WHAT PEOPLE TAKE FOR THE CAUSE"
when = [{ not = "volume_exists", volume = "@word@" }]
example = "mkdir @word@"
reply = '''
WHAT THAT COMMAND LEAVES, AND WHAT IS SEEN HERE.
'''
""",
    ),
    "mark": (
        "MARK",
        "each of the lines has the right mark",
        """items = ["RUN echo @word@ > /a", "ENV WORD=@word@"]
labels = ["layer", "only metadata"]
right = ["layer", "only metadata"]
""",
        """
[[exercise.solution]]
name = "THE RIGHT MARKS"
answer = ["layer", "only metadata"]

[[exercise.mistake]]
name = "WHAT PEOPLE MARK"
marks = { "ENV WORD=@word@" = "layer" }
example = ["layer", "layer"]
reply = '''
WHY PEOPLE EXPECT IT, AND WHAT HAPPENS INSTEAD.
'''
""",
    ),
    "order": (
        "PUT INTO ORDER",
        "the Dockerfile of your lines builds",
        """file = "@word@/Dockerfile"
lines = ["FROM busybox", "WORKDIR /@word@", "RUN touch made"]
then = ["docker build -q -t @word@ @word@"]
""",
        """
[[exercise.check]]
is = "image_has_file"
image = "@word@"
path = "/@word@/made"

[[exercise.solution]]
name = "THE RIGHT ORDER"
answer = ["FROM busybox", "WORKDIR /@word@", "RUN touch made"]

[[exercise.mistake]]
name = "WHAT PEOPLE PUT FIRST"
when = [{ not = "image_has_file", image = "@word@", path = "/@word@/made" }]
example = ["FROM busybox", "RUN touch made", "WORKDIR /@word@"]
reply = '''
WHY PEOPLE EXPECT IT, AND WHAT HAPPENS INSTEAD.
'''
""",
    ),
    "compose": (
        "MOUNT WHERE",
        "in the container `box`, the volume `@word@` is mounted at /data",
        """flags = ["-v", "--volume", "--mount"]
then = ["docker run -d --name box @answer@ busybox sleep 1000"]
""",
        """
[exercise.setup]
commands = ["docker pull -q busybox"]

[[exercise.check]]
is = "mount_is"
container = "box"
target = "/data"
type = "volume"
source = "@word@"

[[exercise.solution]]
name = "-v"
answer = "-v @word@:/data"

[[exercise.solution]]
name = "--mount"
answer = "--mount type=volume,source=@word@,target=/data"

[[exercise.mistake]]
name = "WHAT PEOPLE WRITE"
when = [{ not = "mount_is", container = "box", target = "/data", type = "volume", source = "@word@" }]
example = "-v ./@word@:/data"
reply = '''
WHY PEOPLE WRITE IT, AND WHAT HAPPENS INSTEAD.
'''
""",
    ),
    "choose": (
        "CHOOSE",
        "the letter of the option that is so",
        "",
        """
[[exercise.solution]]
name = "THE RIGHT ONE"
answer = "WHAT IS SO, with @word@."

[[exercise.mistake]]
name = "A WRONG ONE"
example = "WHAT PEOPLE BELIEVE, with @word@."
reply = '''
WHY PEOPLE BELIEVE IT, AND WHAT HAPPENS INSTEAD.
'''

[[exercise.mistake]]
name = "ANOTHER WRONG ONE"
example = "WHAT OTHERS BELIEVE, with @word@."
reply = '''
WHY PEOPLE BELIEVE IT, AND WHAT HAPPENS INSTEAD.
'''
""",
    ),
}


def record(slug: str, kind: str) -> str:
    """The TOML of a new exercise."""
    do, checked, keys, tables = FORMS[kind]
    return HEAD.format(slug=slug, kind=kind, do=do, checked=checked) + keys + HINTS + VALUES + tables


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
    if not SLUG.fullmatch(slug):
        raise NewExerciseError(f"'{slug}' is no slug: words of a-z and 0-9 with - between them")
    try:
        taken = slugs()
    except CourseError as error:
        raise NewExerciseError(f"mend this first: {error}") from None
    if slug in taken:
        raise NewExerciseError(f"there is an exercise '{slug}' already")
