"""Answers that must not pass: each solution with a slip in it, and those that take no skill.

A slip is made from the text of a solution: a command, a line of a file, a flag or an option is left out, a name is
misspelt, the two sides of a mount or a copy are swapped, a path is one part too long or too short, a host path loses
what makes it one. A trivial answer is nothing, what the task or the checks say, or one command of a solution alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from labkit.course.checks import CHECKS
from labkit.course.judge import KINDS
from labkit.course.machines import answer_text, inputs_of
from labkit.course.record import Answer, Exercise, draw_values
from labkit.dockercli.flags import flags_of, sections

WORD = re.compile(r"""(?:'[^']*'|"(?:\\.|[^"\\])*"|\\.|\$\([^()]*\)|[^\s'"\\])+""")
MOUNT_FLAGS = ("-v", "--volume", "--mount")
NAME_FLAGS = ("--name", "-t", "--tag")
HOST = re.compile(r"(?:\.{1,2}/|\$PWD/|/home/learner/|/Users/learner/|/)+")  # what makes a source a path of the host
KEYED = re.compile(r"\b(source|src|target|dst|destination)=([^,'\"]+)")


@dataclass(frozen=True)
class Slip:
    name: str
    answer: Answer


def slips(exercise: Exercise) -> list[Slip]:
    """The usual slips in each solution, each answer once; none that is a solution."""
    kind = exercise.kind
    solutions = [answer_text(each.answer) for each in exercise.solutions]
    make = {"order": _swapped_lines, "compose": _slips_of_flags}.get(kind, _slips_of_commands)
    if not KINDS[kind].machine:
        return []
    found = {answer_text(slip.answer): slip for text in solutions for slip in make(text)}
    return [slip for text, slip in found.items() if text not in solutions and text.strip()]


def _swapped_lines(text: str) -> Iterator[Slip]:
    lines = text.splitlines()
    for at in range(len(lines) - 1):
        yield Slip(f"line {at + 2} before line {at + 1}", [*lines[:at], lines[at + 1], lines[at], *lines[at + 2 :]])


def _slips_of_flags(text: str) -> Iterator[Slip]:
    yield from (Slip(name, wrong) for name, wrong in _in_words(text, ()))


def _slips_of_commands(text: str) -> Iterator[Slip]:
    inputs = inputs_of(text)
    for at, line in enumerate(inputs):
        before, after = inputs[:at], inputs[at + 1 :]
        if before or after:
            yield Slip(f"without `{line.splitlines()[0]}`", [*before, *after])
        head, *body = line.split("\n")
        for name, wrong in _in_line(head):
            yield Slip(name, [*before, "\n".join([wrong, *body]), *after])
        for row in range(len(body) - 1):  # of a here-document, without its end mark
            if body[row].strip():
                left = [head, *body[:row], *body[row + 1 :]]
                yield Slip(f"without the line `{body[row]}`", [*before, "\n".join(left), *after])


def _in_line(line: str) -> Iterator[tuple[str, str]]:
    parts = re.split(r"( && | \|\| |; (?!do |then |done|fi)| \| )", line)
    for at in range(0, len(parts), 2) if "'" not in line and "for " not in line else ():
        left = parts[: at - 1] + parts[at + 1 :] if at else parts[2:]
        if left:
            yield f"without `{parts[at].strip()}`", "".join(left)
    yield from _in_words(line, _command(line))


def _command(line: str) -> tuple[str, ...]:
    """The docker command that a line begins with: ("docker", "run")."""
    words = line.split()
    found = [words[:count] for count in (3, 2) if words[:1] == ["docker"] and " ".join(words[:count]) in sections()]
    return tuple(found[0]) if found else ()


def _in_words(line: str, command: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """What a slip in one word, or one word and its value, makes of a line."""
    words = [(found.start(), found.end(), found[0]) for found in WORD.finditer(line)]
    flags = flags_of(sections()[" ".join(command)]) if command else ()
    valued = {name for each in flags if each.kind != "bool" for name in (f"-{each.short}", f"--{each.name}")}
    valued |= set(() if command else MOUNT_FLAGS)
    values = {at + 1 for at, (_, _, word) in enumerate(words) if word in valued}
    own = (
        len(words)
        if not command
        else next(
            (at for at, (_, _, word) in enumerate(words) if at >= len(command) and word[0] != "-" and at not in values),
            len(words),
        )
    )  # where the flags end that are docker's own
    for at, (start, end, word) in enumerate(words):
        following = words[at + 1] if at + 1 < len(words) else (end, end, "")
        if re.match(r"--?[A-Za-z]", word) and (at < own or command[1:2] not in (("run",), ("create",), ("exec",))):
            last = following[1] if word in valued else end
            yield f"without `{line[start:last]}`", f"{line[:start].rstrip(' ')} {line[last:].lstrip(' ')}".strip()
        flag, equals, value = word.partition("=")
        begin = start + len(flag) + 1
        if word in MOUNT_FLAGS:
            begin, end, value = following
        if flag in MOUNT_FLAGS and (equals or word in MOUNT_FLAGS) and value:
            wrongs = _in_mount(value) if flag == "--mount" else _in_volume(value)
            yield from ((name, line[:begin] + wrong + line[end:]) for name, wrong in wrongs)
        if word in NAME_FLAGS and command:
            yield f"`{following[2]}` misspelt", line[: following[0]] + _misspelt(following[2]) + line[following[1] :]
    if command[1:] == ("cp",) and len(words) == 4:
        (a, b, source), (c, d, target) = words[2:]
        yield "the two sides of cp swapped", line[:a] + target + line[b:c] + source + line[d:]
        for place, (first, last, word) in (("source", words[2]), ("destination", words[3])):
            yield from ((f"{place} {name}", line[:first] + wrong + line[last:]) for name, wrong in _paths(word))


def _misspelt(name: str) -> str:
    body, colon, tag = name.partition(":")
    return f"{body}s{colon}{tag}"


def _paths(path: str) -> Iterator[tuple[str, str]]:
    yield "one part too deep", f"{path.rstrip('/')}/more"
    if path.strip("/").count("/"):
        yield "one part too high", path.rstrip("/").rpartition("/")[0]


def _source(source: str) -> Iterator[tuple[str, str]]:
    """Slips in what is mounted."""
    if prefix := HOST.match(source):
        yield f"without `{prefix[0]}`", source[prefix.end() :]
        yield from ((f"source {name}", wrong) for name, wrong in _paths(source))
    yield f"`{source}` misspelt", _misspelt(source)


def _in_volume(value: str) -> Iterator[tuple[str, str]]:
    parts = value.split(":")
    if len(parts) > 1:
        source, target, options = parts[0], parts[1], parts[2:]
        yield "source and target swapped", ":".join([target, source, *options])
        yield from ((name, ":".join([wrong, target, *options])) for name, wrong in _source(source))
        yield from ((f"target {name}", ":".join([source, wrong, *options])) for name, wrong in _paths(target))
        yield "without the source", ":".join([target, *options])
        if options:
            yield f"without `:{options[0]}`", f"{source}:{target}"
    else:
        yield from ((f"target {name}", wrong) for name, wrong in _paths(value))


def _in_mount(value: str) -> Iterator[tuple[str, str]]:
    parts = value.split(",")
    for at, part in enumerate(parts):
        if len(parts) > 1:
            yield f"without `{part}`", ",".join(parts[:at] + parts[at + 1 :])
        key, _, given = part.partition("=")
        if key in ("source", "src"):
            wrongs: Iterable[tuple[str, str]] = _source(given)
        elif key in ("target", "dst", "destination"):
            wrongs = ((f"target {name}", wrong) for name, wrong in _paths(given))
        else:
            continue
        yield from ((name, ",".join([*parts[:at], f"{key}={wrong}", *parts[at + 1 :]])) for name, wrong in wrongs)
    places = KEYED.findall(value)
    if len(places) == 2:
        swapped = dict(zip([key for key, _ in places], [text for _, text in reversed(places)], strict=True))
        yield "source and target swapped", KEYED.sub(lambda found: f"{found[1]}={swapped[found[1]]}", value)


# --- answers that take no skill

CODE = re.compile(r"`([^`\n]+)`|^ {4,}(\S.*)$", re.MULTILINE)
FILE = re.compile(r"(?<![\w<>=])(?:/?[\w.-]+/)*[\w.-]+\b")


def trivial_answers(exercise: Exercise) -> list[Slip]:
    """Nothing, the task's own words, what the checks name written by hand, each command of a solution alone."""
    makes = TRIVIAL.get(exercise.kind)
    solutions = [answer_text(each.answer) for each in exercise.solutions]
    found = {answer_text(each.answer): each for each in (makes(exercise) if makes else ())}
    return [each for text, each in found.items() if text not in solutions]


def _of_commands(exercise: Exercise) -> Iterator[Slip]:
    said = [one or two for one, two in CODE.findall(exercise.task)]
    yield from (Slip(f"the task's `{text}`", [text]) for text in said)
    yield Slip("all that the task says", [*said])
    echoes = list(dict.fromkeys(_echoes(exercise)))
    yield from (Slip(f"by hand: {line}", [line]) for line in echoes)
    if len(echoes) > 1:
        yield Slip("all that the checks name, by hand", [*echoes])
    for route in exercise.solutions:
        inputs = inputs_of(route.answer)
        alone = [line for line in inputs if len(inputs) > 1 and _is_told(exercise, line)]
        yield from (Slip(f"only `{line.splitlines()[0]}`", [line]) for line in alone)


def _shown(exercise: Exercise) -> str:
    """What a learner reads before anything is done."""
    checks = [each.says or CHECKS[each.check].words(each.arguments, hidden=each.hidden) for each in exercise.checks]
    return "\n".join([exercise.title, exercise.task, *checks])


def _is_told(exercise: Exercise, line: str) -> bool:
    """Are all of the variant's own words in this command told? One that has to be found out takes skill."""
    words = set(re.findall(r"[\w.-]+", line))
    return all(
        value in _shown(exercise) for value in draw_values(exercise.specs, exercise.key).values() if value in words
    )


def _echoes(exercise: Exercise) -> Iterator[str]:
    """Commands that write what the checks ask for into the files that they name."""
    shown = _shown(exercise)
    for check in exercise.checks:
        wanted = {name: str(value) for name, value in check.arguments.items()}
        text, path, container = (wanted.get(name, "") for name in ("text", "path", "container"))
        if check.negated or text not in shown:
            continue
        paths = (
            [path] if path else [each for each in FILE.findall(wanted.get("command", "")) if "." in each or "/" in each]
        )
        paths += FILE.findall(wanted.get("command", ""))[-1:] if "command" in wanted and not container else []
        for each in dict.fromkeys(paths):
            write = f"echo '{text}' > {each}"
            yield f'docker exec {container} sh -c "{write}"' if container else write


def _of_a_flag(exercise: Exercise) -> Iterator[Slip]:
    yield from (Slip(f"the task's `{one or two}`", one or two) for one, two in CODE.findall(exercise.task))
    yield from (Slip(f"only {flag}", flag) for flag in exercise.own.flags)


def _of_lines(exercise: Exercise) -> Iterator[Slip]:
    yield Slip("as the record has them, backwards", "\n".join(exercise.own.lines[::-1]))


TRIVIAL: dict[str, Callable[[Exercise], Iterator[Slip]]] = {
    "do": _of_commands,
    "repair": _of_commands,
    "explain": _of_commands,
    "compose": _of_a_flag,
    "order": _of_lines,
}
