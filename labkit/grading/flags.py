"""What of a class's answers a person should look at: words that write among programs or Docker's files, equal texts.

A flag judges nobody, and changes no mark: repairing a service or reading Docker's folders needs such words too. What is
looked at is the text of an answer, so a flag that is missing says nothing either.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from labkit.course.exercises import CourseError
from labkit.course.record import draw_values, variant_key
from labkit.grading.judging import load

PROGRAMS = "programs"
DOCKERS_OWN = "docker's own files"
EQUAL_TEXT = "equal text"
CHANGES = r"(?<![\w-])(?<!docker )(?:rm|tee|touch|mkdir|rmdir|ln|chmod|chown|truncate|install|sed\s+-i)\s[^|;&\n]*"
MOVES = r"(?<![\w-])(?<!docker )(?:cp|mv|dd|tar)\s[^|;&\n]*\s(?:of=)?"  # the last word is written to
BIN = r"(?<![\w.:])(?:/usr)?(?:/local)?/s?bin/"
THERE = r"/var/lib/(?:docker|containerd)\b|\$\([^)]*\.(?:LogPath|HostnamePath|HostsPath|Mountpoint|GraphDriver)\b"
STARTS = r"\b(?:PATH|ENV|BASH_ENV)=|\.(?:profile|bashrc|bash_aliases)\b|/etc/profile"


def _written(place: str) -> str:
    """A command that writes there, or a redirection."""
    return rf"(?:{CHANGES}|>>?\s*[\"']?)(?:{place})|{MOVES}(?:{place})[^\s;|&]*(?: [^\n]*\))?\s*(?:$|[;|&])"


SIGNS = (
    (PROGRAMS, _written(BIN), "it writes to a folder of programs"),
    (PROGRAMS, r"(?:^|[;&\n])\s*alias\s+\w|\b\w+\s*\(\)\s*\{", "it gives a command another meaning"),
    (PROGRAMS, STARTS, "it changes how a shell starts"),
    (
        PROGRAMS,
        r"docker\s+(?:container\s+)?cp\s[^\n]*:(?:/usr)?(?:/local)?/s?bin/",
        "it copies a program into a container",
    ),
    (DOCKERS_OWN, _written(THERE), "it writes below Docker's own folder"),
    (DOCKERS_OWN, r"\bcd\s+/var/lib/(?:docker|containerd)", "it works within Docker's own folder"),
    (DOCKERS_OWN, r"(?:-v|--volume)[ =]?(?:/|/var|/var/lib|/var/lib/docker\S*):", "it mounts Docker's own folder"),
)
LEAST = 12  # characters of a text that two are not likely to write alike


@dataclass(frozen=True)
class AnswerText:
    """An answer as it was handed in. `asked`: the exercise, perhaps with its revision; `drawn_by`: whose variant."""

    learner: str
    drawn_by: str
    asked: str
    text: str


@dataclass(frozen=True)
class Flag:
    """One thing to look at: Flag("equal text", "the same text as bob's, with values of his variant", ("bob",))."""

    kind: str
    said: str
    others: tuple[str, ...] = ()


def flags_of(answers: Iterable[AnswerText], seed: str) -> dict[AnswerText, tuple[Flag, ...]]:
    """Of all answers of a class; those without a flag are left out."""
    known = list(dict.fromkeys(answers))
    copied = _equal_texts(known, seed)
    found = {each: (*flags_of_text(each.text), *copied.get(each, ())) for each in known}
    return {each: flags for each, flags in found.items() if flags}


def flags_of_text(text: str) -> tuple[Flag, ...]:
    """What one answer alone shows, each sentence once."""
    signs = (Flag(kind, said) for kind, sign, said in SIGNS if re.search(sign, text, re.MULTILINE))
    return tuple(dict.fromkeys(signs))


def _equal_texts(answers: Iterable[AnswerText], seed: str) -> Mapping[AnswerText, tuple[Flag, ...]]:
    """Of several that are equal, those in which stand values that their own variant has not."""
    alike: dict[tuple[str, str], list[AnswerText]] = {}
    for each in answers:
        if len(each.text.strip()) >= LEAST:
            alike.setdefault((each.asked, " ".join(each.text.split())), []).append(each)
    return dict(found for group in alike.values() if len(group) > 1 for found in _foreign(group, seed))


def _foreign(group: list[AnswerText], seed: str) -> Iterator[tuple[AnswerText, tuple[Flag, ...]]]:
    values = {each: _values(each, seed) for each in group}
    words = {each: {word for word in values[each] if word in each.text} for each in group}
    for each in group:
        others = [other for other in group if words[other] - values[each]]
        if others:
            names = tuple(sorted(other.learner for other in others))
            yield each, (Flag(EQUAL_TEXT, "the same text as another's, with values of the other's variant", names),)


def _values(answer: AnswerText, seed: str) -> frozenset[str]:
    """What was drawn for this learner; words of two characters and less say nothing."""
    try:
        exercise = load(answer.asked)
    except CourseError:
        return frozenset()
    drawn = draw_values(exercise.specs, variant_key(seed, answer.drawn_by, exercise.slug, exercise.revision))
    return frozenset(value for value in drawn.values() if len(value) > 2)
