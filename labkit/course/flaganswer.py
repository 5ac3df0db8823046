"""compose: an answer that is a flag of a command, and nothing beside it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import replace

from labkit.course.checks import CheckResult
from labkit.course.machines import AnswerError, Facts, Played, play
from labkit.course.record import Exercise
from labkit.course.setups import machine_with
from labkit.course.verdict import Verdict, answer_word, check_all, facts_of
from labkit.kernel.golang import Json, JsonObject, items, members, objects, text, texts

FOLDER = re.compile(r"\$(?:PWD\b|\{PWD\}|\(pwd\)|HOME\b|\{HOME\})")  # where the flag is given is the home folder
FLAG_AND_VALUE = re.compile(r"-v.+")  # -vSOURCE:TARGET
ASKED = "the answer asks for nothing else"
SAME = ("ro", "rw", "")  # modes of a -v that Mounts shows too


def parse_flags(exercise: Exercise, answer: object) -> list[str]:
    """The answer as words of a command line, none of which is more than a word to the shell; $PWD is its folder."""
    line = answer_word(answer).replace("\\\n", "")
    if FOLDER.search(line):
        line = FOLDER.sub(machine_with(exercise.setup.machine).run("pwd").stdout.strip(), line)
    try:
        words = shlex.split(line)
    except ValueError:
        raise AnswerError("a quote in the answer is not closed") from None
    allowed = exercise.own.flags
    if not words or (words[0].partition("=")[0] not in allowed and words[0][:2] not in allowed):  # -nm is -n -m
        raise AnswerError(f"the answer must begin with {' or '.join(allowed)}")
    return words


def judge_flags(exercise: Exercise, parsed: list[str]) -> Verdict:
    facts, played = _with_flags(exercise, parsed)
    results = check_all(facts, exercise.checks)
    asked = CheckResult(True, ASKED)
    if exercise.solutions and all(each.ok for each in results):
        wanted = [(_flag_names(words), _settings(exercise, words)) for words in _right_flags(exercise)]
        facts, played = _with_flags(exercise, parsed)
        if not any(_flag_names(parsed) == names and settings_of(facts) == settings for names, settings in wanted):
            asked = replace(
                asked, ok=False, difference="there is a word in it, or an option, that changes something else"
            )
    return Verdict((*results, asked), " ".join(parsed), facts, tuple(played))


def _with_flags(exercise: Exercise, words: Sequence[str]) -> tuple[Facts, list[Played]]:
    facts = facts_of(exercise)
    flags = " ".join(shlex.quote(word) for word in words)
    return facts, play(facts.machine, [line.replace("@answer@", flags) for line in exercise.own.then])


def _right_flags(exercise: Exercise) -> list[list[str]]:
    return [parse_flags(exercise, route.answer) for route in exercise.solutions]


def _settings(exercise: Exercise, words: Sequence[str]) -> list[Json]:
    return settings_of(_with_flags(exercise, words)[0])


def _flag_names(words: Sequence[str]) -> list[str]:
    """First letters of all flags, and how many values there are: -nm and --mount --net are alike."""
    names = [name for word in words for name in _names_in(word)]
    values = [word for word in words if not word.startswith("-") or "=" in word or FLAG_AND_VALUE.fullmatch(word)]
    return [*sorted(names), str(len(values))]


def _names_in(word: str) -> str:
    if word.startswith("--"):
        return word[2:3]
    return word[1:2] if FLAG_AND_VALUE.fullmatch(word) else word[1:] if word.startswith("-") else ""


def settings_of(facts: Facts) -> list[Json]:
    """All that was chosen for the containers there are; mounts alike, whichever flag made them."""
    documents = (facts.engine.inspect_container(name) for name in facts.names("container"))
    return [_chosen(document) for document in documents]


def _chosen(document: JsonObject) -> Json:
    host, config = dict(members(document, "HostConfig")), dict(members(document, "Config"))
    binds, mounts = texts(host, "Binds"), objects(host, "Mounts")
    for key in ("Binds", "Mounts"):
        host.pop(key, None)
    config.pop("Hostname", None)
    modes: list[Json] = [word for bind in binds for word in bind.split(":")[2:] if word not in SAME]
    options: list[Json] = [members(mount, f"{kind}Options") for mount in mounts for kind in ("Bind", "Volume", "Tmpfs")]
    seen: list[Json] = [
        {key: value for key, value in row.items() if key != "Mode"} for row in objects(document, "Mounts")
    ]
    return [
        host,
        config,
        modes,
        [each for each in options if each],
        seen,
        text(document, "Path"),
        items(document, "Args"),
    ]
