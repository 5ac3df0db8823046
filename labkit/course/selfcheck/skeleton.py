"""The skeleton of an exercise: what is left of its checks and its answer when names, numbers and paths are blanked out.

Two exercises with one skeleton are one exercise under two names. Of a command there remain the docker commands, the
utilities, the instructions of a Dockerfile and the flags; of a check its name and the names of its arguments; of a
question the words of its options.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from labkit.course.play import answer_text
from labkit.course.record import Assertion, Exercise
from labkit.course.variants import PLACEHOLDER
from labkit.dockercli.commands import COMMANDS, GROUPS
from labkit.userland import BUSYBOX_APPLETS, GNU_TOOLS

FLAG = re.compile(r"(--?[A-Za-z][\w-]*)=?(.*)")
KEY = re.compile(
    r"(?:^|,)((?:type|volume-driver)=\w+|[a-z-]+(?==|,|$))"
)  # of a --mount: its keys, and the kind of mount
SIGNS = {"|", "&&", "||", ">", ">>", "<"}
MORE = "docker FROM RUN COPY ADD WORKDIR ENV ARG CMD LABEL EXPOSE USER ENTRYPOINT VOLUME ONBUILD AS cd set umask exec"


@lru_cache(maxsize=1)
def _known() -> frozenset[str]:
    docker = {word for command in COMMANDS for name in (command.name, *command.places) for word in name.split()}
    return frozenset((docker | {*GROUPS, *GNU_TOOLS, *BUSYBOX_APPLETS, *MORE.split()}) - {"busybox"})


def skeleton(exercise: Exercise) -> tuple:
    """Equal for two exercises that differ in no more than values, names, numbers and paths."""
    checks = sorted(_check(each) for each in exercise.checks)
    return (exercise.kind, *checks, *_of_kind(exercise), *commands(answer_text(exercise.solutions[0].answer)))


def _check(check: Assertion) -> str:
    arguments = sorted(
        f"{name}={value}" if isinstance(value, bool) else name for name, value in check.arguments.items()
    )
    after = " ".join(word for line in check.after for word in commands(line))
    return f"{'not' if check.negated else 'is'} {check.check} {' '.join(arguments)} after {after}"


def _of_kind(exercise: Exercise) -> list[str]:
    """What tells apart exercises whose answer is a word, not commands."""
    if exercise.kind == "choose":
        options = [str(each.answer) for each in exercise.solutions] + [str(each.example) for each in exercise.mistakes]
        return sorted(_prose(text) for text in options)
    if exercise.kind not in ("predict", "mark", "explain"):
        return []
    own = [exercise.own.get(key, "") for key in ("command", "observe", "cause", "items")]
    texts = [*(text for each in own for text in ([each] if isinstance(each, str) else each))]
    return [
        word for text in [*texts, *exercise.setup.files.values(), *exercise.setup.commands] for word in commands(text)
    ]


def _prose(text: str) -> str:
    return " ".join(re.findall(r"[a-z]+", re.sub(r"`[^`]*`|@\w+@", "", text.lower())))


def commands(text: str) -> list[str]:
    """What remains of commands, or of a Dockerfile's lines."""
    blank = PLACEHOLDER.sub("0", text)
    return [left for word in re.split(r"[\s'\";()]+|(\|\||&&|>>|[|<>])", blank) if word for left in _left(word)]


def _left(word: str) -> Iterator[str]:
    if flag := FLAG.fullmatch(word):
        yield flag[1]
        yield from KEY.findall(flag[2])
    elif word in _known() | SIGNS:
        yield word
    elif "=" in word and "," in word:  # a --mount that stands apart from its flag
        yield from KEY.findall(word)
