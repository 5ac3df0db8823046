"""One exercise held to its word: untouched it fails, each solution passes, each mistake gets just its answer.

Two exercises with one skeleton are one exercise under two names. Of a command there remain the docker commands, the
utilities, the instructions of a Dockerfile and the flags; of a check its name and the names of its arguments; of a
question the words of its options.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import lru_cache

from labkit.course.judge import KINDS, Judgement, judge, options_of, shown_lines
from labkit.course.machines import answer_text, fresh_machine, inputs_of, reusing_machines
from labkit.course.record import PLACEHOLDER, Assertion, Exercise, for_learner
from labkit.course.selfcheck.cheats import BESIDE
from labkit.course.selfcheck.wronganswers import SEED, wrong_answers_that_pass
from labkit.dockercli.commands import COMMANDS, GROUPS
from labkit.userland import BUSYBOX_APPLETS, GNU_TOOLS

WIPE = [  # an answer that leaves nothing
    "docker rm -vf $(docker ps -aq)",
    "docker volume rm $(docker volume ls -q)",
    "docker rmi -f $(docker images -aq)",
    "rm -rf /home/learner/*",
]
SPREAD = 1.2  # of the longest option to the shortest
VARIANTS = 20
FLAG = re.compile(r"(--?[A-Za-z][\w-]*)=?(.*)")
KEY = re.compile(
    r"(?:^|,)((?:type|volume-driver)=\w+|[a-z-]+(?==|,|$))"
)  # of a --mount: its keys, and the kind of mount
SIGNS = {"|", "&&", "||", ">", ">>", "<"}
MORE = "docker FROM RUN COPY ADD WORKDIR ENV ARG CMD LABEL EXPOSE USER ENTRYPOINT VOLUME ONBUILD AS cd set umask exec"


def check_exercise(exercise: Exercise, variants: int = VARIANTS) -> list[str]:
    """What is wrong with one exercise; with the first variant in which it shows."""
    faults: dict[str, str] = {}
    for number in range(variants):
        variant = for_learner(exercise, f"learner-{number}", SEED)
        try:
            with reusing_machines():
                found = [*_variant_faults(variant), *(_once(variant) if not number else ())]
        except Exception as error:  # such as an `observe` that prints too few marks
            found = [f"it cannot be judged: {type(error).__name__}: {error}"]
        for fault in found:
            faults.setdefault(fault.partition(": ")[0], f"{fault} (variant of learner-{number})")
    return [*_taken_names(exercise), *faults.values()]


def _taken_names(exercise: Exercise) -> Iterator[str]:
    yield from (f"two solutions are called '{name}'" for name in _twice(each.name for each in exercise.solutions))
    yield from (f"two mistakes are called '{name}'" for name in _twice(each.name for each in exercise.mistakes))
    answers = [answer_text(each.answer) for each in exercise.solutions]
    yield from (f"two solutions are the same: {text.splitlines()[0]}" for text in _twice(answers))


def _twice(names: Iterable[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]


def _variant_faults(variant: Exercise) -> Iterator[str]:
    if judge(variant, untouched(variant)).passed:
        yield "it passes when nothing has been done"
    for route in variant.solutions:
        yield from _solution_faults(route.name, judge(variant, route.answer))
    for mistake in variant.mistakes:
        judgement = judge(variant, mistake.example)
        if judgement.passed:
            yield f"the example of the mistake '{mistake.name}' passes"
        elif judgement.mistake != mistake.name:
            yield f"the example of the mistake '{mistake.name}' is taken for {judgement.mistake!r}"


def _solution_faults(name: str, judgement: Judgement) -> Iterator[str]:
    if not judgement.passed:
        missed = (f"{each.text}: {each.difference}" for each in judgement.results if not each.ok)
        yield f"the solution '{name}' does not pass: {next(missed, judgement.error)}"
    if judgement.notes:
        yield f"a command of the solution '{name}' fails: {judgement.notes[0]}"


def untouched(variant: Exercise) -> object:
    """What is there before the learner does anything."""
    if variant.kind == "order":
        return shown_lines(variant)
    return [] if KINDS[variant.kind].terminal else ""


# What lies around in a record


def _once(variant: Exercise) -> Iterator[str]:
    """What one variant shows for all."""
    yield from _unused(variant)
    yield from _telling_options(variant)
    yield from wrong_answers_that_pass(variant)


def _telling_options(variant: Exercise) -> Iterator[str]:
    """Options of one length: that of the right one says nothing."""
    lengths = sorted(map(len, options_of(variant))) if variant.kind == "choose" and variant.points else [1]
    if lengths[-1] > SPREAD * lengths[0]:
        yield f"its options have from {lengths[0]} to {lengths[-1]} characters"


def _unused(variant: Exercise) -> Iterator[str]:
    yield from _setup_faults(variant)
    yield from _never_missed(variant)
    for path in variant.setup.files:
        if path.rpartition("/")[2] not in _words(variant) and not _matters(variant, path):
            yield f"the file '{path}' of the setup is used nowhere"


def _never_missed(variant: Exercise) -> Iterator[str]:
    """Checks that hold where nothing is done, where all is taken away, and in every mistake: can they fail at all?"""
    if not KINDS[variant.kind].machine:
        return
    wrong: list[object] = [untouched(variant), *(each.example for each in variant.mistakes)]
    wrong += [["true"], WIPE] if variant.kind in ("do", "repair", "explain") else []
    if variant.kind == "explain":
        wrong += [[*inputs_of(route.answer), more] for route in variant.solutions for more in BESIDE]
    rows = [found.results for answer in wrong if (found := judge(variant, answer)).results]
    for number, results in enumerate(list(zip(*rows, strict=True))[: len(variant.checks)], 1):
        if all(each.ok for each in results):
            yield f"check {number} is missed by no mistake: {results[0].text}"


def _setup_faults(variant: Exercise) -> Iterator[str]:
    """Commands of the setup (and explain's cause) that fail, or after which the machine is as it was."""
    machine = fresh_machine(replace(variant, setup=replace(variant.setup, commands=())))
    for command in [*variant.setup.commands, *variant.own.cause]:
        before, events = machine.snapshot(), len(machine.events)
        done = machine.run(command)
        same = list(before.store.changed.items()) == list(machine.snapshot().store.changed.items())
        if done.returncode:
            yield f"the command `{command}` of the setup fails: {done.stderr.strip()[:200]}"
        elif same and len(machine.events) == events and "sleep" not in command:
            yield f"the command `{command}` of the setup changes nothing"


def _words(variant: Exercise) -> str:
    """All that a learner reads or runs: where a file of the setup may be named."""
    return repr([variant.task, variant.hints, variant.setup.commands, variant.checks, variant.solutions, variant.own])


def _matters(variant: Exercise, path: str) -> bool:
    """Is any answer judged otherwise, or a command of the setup refused, where this file is missing?"""
    kept = {name: text for name, text in variant.setup.files.items() if name != path}
    without = replace(variant, setup=replace(variant.setup, files=kept))
    if any("fails" in fault for fault in _setup_faults(without)):
        return True
    answers = [untouched(variant), *(each.answer for each in variant.solutions)]
    answers += [each.example for each in variant.mistakes]
    return any(judge(variant, answer) != judge(without, answer) for answer in answers)


# The skeleton: what is left of checks and answer when names, numbers and paths are blanked out


@lru_cache(maxsize=1)
def _known() -> frozenset[str]:
    docker = {word for command in COMMANDS for name in (command.name, *command.places) for word in name.split()}
    return frozenset((docker | {*GROUPS, *GNU_TOOLS, *BUSYBOX_APPLETS, *MORE.split()}) - {"busybox"})


def skeleton(exercise: Exercise) -> tuple[str, ...]:
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
    own, setup = exercise.own, exercise.setup
    texts = [own.command, own.observe, *own.cause, *own.items, *setup.files.values(), *setup.commands]
    return [word for text in texts for word in commands(text)]


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
