"""Answers that look right and are none, made by machine for every exercise: none of them may pass.

What a mistake leaves, with programs replaced by ones that print what checks look for; names given to other things;
files written by hand where they had to be carried over; words beyond the flag that was asked for; more than what is to
be explained; a step's text without its work; a secret in another writing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from labkit.course.machines import answer_text, inputs_of
from labkit.course.record import Exercise
from labkit.course.selfcheck.slips import CODE, Slip

PROGRAMS = "docker sh cat ls wc grep sed find stat tar test cmp date jq systemctl getfattr sha256sum mysql python df"
PLACES = "/usr/local/bin /usr/bin /bin"
BEYOND = (
    "--privileged", "--rm", "-v other:/other", "--tmpfs /other", "--read-only", "--user 1", "-e A=1", "--name other",
    "-it", "busybox true", "'; true'", "--network none", "--label a=b", "-m 9m", "-i",
)  # fmt: skip
KEYS = (",volume-nocopy", ",bind-propagation=rshared", ",bind-create-src", ",volume-label=a=b", ",bind-nonrecursive")
MODES = (",z", ",nocopy", ",rshared", ":z", ":nocopy")
BESIDE = (
    "docker volume create more",
    "docker run --name more busybox true",
    "docker pull -q alpine",
    "docker run -d busybox sleep 1d",
)
WRITINGS = (
    "LABEL a={0}", "ENV A={0}", "RUN touch /{0}", "RUN mkdir /{0}", "RUN echo {0} | base64 > /x",
    "RUN echo {0} | gzip > /x",
    "RUN echo {0} > /x; dd if=/dev/zero bs=1000 count=90 >> /x", "RUN printf %s {0} | od -An -tx1 | tr -d ' ' > /x",
    "RUN echo {0} | rev > /x", "USER {0}", "ONBUILD RUN echo {0}",
)  # fmt: skip
BUILD = re.compile(r"docker (?:image )?build .*?([\w./-]+)$")


def cheats(exercise: Exercise) -> list[Slip]:
    """Each once; none that is a solution."""
    solutions = [answer_text(each.answer) for each in exercise.solutions]
    found = {answer_text(each.answer): each for each in _made(exercise)}
    return [each for text, each in found.items() if text.strip() and text not in solutions]


def _made(exercise: Exercise) -> Iterator[Slip]:
    """For what earns points."""
    kind = exercise.kind if exercise.points else ""
    if kind == "compose":
        yield from _beyond_the_flag(exercise)
    if kind == "mark":
        marks = exercise.own.labels
        yield from (Slip(f"'{each}' throughout", dict.fromkeys(exercise.own.items, each)) for each in marks)
    if kind in ("do", "repair", "explain"):
        yield from _after_mistakes(exercise)
        for route in exercise.solutions:
            inputs = inputs_of(route.answer)
            yield from _texts_for_work(inputs)
            yield from _secrets(exercise, inputs)
            yield from (Slip(f"and `{more}`", [*inputs, more]) for more in BESIDE if kind == "explain")


def _beyond_the_flag(exercise: Exercise) -> Iterator[Slip]:
    for text in (answer_text(each.answer) for each in exercise.solutions):
        yield from (Slip(f"and `{more}`", f"{text} {more}") for more in BEYOND)
        yield from (Slip(f"and `{more}`, before it", f"{more} {text}") for more in BEYOND)
        yield from (Slip(f"with `{more}`", text + more) for more in (KEYS if "--mount" in text else MODES))
        yield Slip("given twice", f"{text} {text}")


def _after_mistakes(exercise: Exercise) -> Iterator[Slip]:
    """What a learner may do who has gone wrong, or has done nothing, and knows what the checks say."""
    begun = [("nothing", list[str]()), *((each.name, inputs_of(each.example)) for each in exercise.mistakes)]
    for name, inputs in begun:
        for how, commands in (*_replaced(exercise), *_named(exercise), *_written(exercise)):
            yield Slip(f"{how}, after '{name}'", [*inputs, *commands])


def _wanted(exercise: Exercise) -> list[dict[str, str]]:
    """Of all checks that must hold, the arguments."""
    return [
        {name: value if isinstance(value, str) else "" for name, value in check.arguments.items()}
        for check in exercise.checks
        if not check.negated
    ]


def _replaced(exercise: Exercise) -> Iterator[tuple[str, list[str]]]:
    """Programs that print all that checks look for, and say that all is well."""
    texts = [value for each in _wanted(exercise) for value in each.values() if value]
    said = " ".join(dict.fromkeys(text.replace("'", "").replace("\n", " ") for text in texts))
    script = f"printf '#!/bin/sh\\necho \"{said}\"\\n' > /tmp/fake; chmod 755 /tmp/fake"
    if exercise.setup.machine.get("system") == "mac":
        yield "with an alias of docker", [f"alias docker='echo {said}'", f"docker() {{ echo {said}; }}"]
        return
    copies = f"for place in {PLACES}; do for name in {PROGRAMS}; do cp /tmp/fake $place/$name; done; done"
    yield "with programs replaced", [script, copies]
    yield (
        "with aliases, functions and settings",
        [
            script,
            f'for name in {PROGRAMS}; do echo "$name() {{ /tmp/fake; }}" >> /tmp/env; done',
            "cp /tmp/env ~/.profile; cp /tmp/env ~/.bashrc; cp /tmp/env /etc/profile",
            "export ENV=/tmp/env BASH_ENV=/tmp/env PATH=/tmp:$PATH; alias docker=/tmp/fake cat=/tmp/fake ls=/tmp/fake",
        ],
    )
    yield (
        "with programs of containers replaced",
        [
            script,
            f"for box in $(docker ps -aq); do for name in {PROGRAMS};"
            " do docker cp /tmp/fake $box:/bin/$name; done; done",
        ],
    )
    yield (
        "with programs of images replaced",
        [
            script,
            "for image in $(docker images --format '{{.Repository}}:{{.Tag}}'); do docker create --name forged $image;"
            f" for name in {PROGRAMS}; do docker cp /tmp/fake forged:/bin/$name; done;"
            " docker commit forged $image; docker rm forged; done",
        ],
    )


def _named(exercise: Exercise) -> Iterator[tuple[str, list[str]]]:
    """The names that checks ask for, given to other things."""
    wanted = _wanted(exercise)
    boxes = dict.fromkeys(each["container"] for each in wanted if each.get("container"))
    images = dict.fromkeys(each["image"] for each in wanted if each.get("image"))
    volumes = dict.fromkeys(each["volume"] for each in wanted if each.get("volume"))
    for box in boxes:
        yield (
            f"`docker rename` to {box}",
            [f"docker rm -f {box}; docker rename $(docker ps -aq | head -n 1) {box}; docker start {box}"],
        )
        yield f"a new {box}", [f"docker rm -f {box}; docker run -d --name {box} busybox sleep 100000"]
    for image in images:
        yield f"`docker tag` to {image}", [f"for id in $(docker images -q); do docker tag $id {image}; done"]
        yield f"`docker tag` of busybox to {image}", [f"docker tag busybox {image}"]
    yield (
        "all names",
        [
            *(f"docker tag busybox {image}" for image in images),
            *(f"docker volume create {volume}" for volume in volumes),
            *(f"docker run -d --name {box} busybox sleep 100000" for box in boxes),
        ],
    )


def _written(exercise: Exercise) -> Iterator[tuple[str, list[str]]]:
    """What checks look at, written by hand: every word of the task and of the checks in it."""
    words = [one or two for one, two in CODE.findall(exercise.task)]
    words += [each["text"] for each in _wanted(exercise) if each.get("text") and each["text"] in exercise.task]
    said = " ".join(dict.fromkeys(re.sub(r"['\"\n$`\\]", " ", word) for word in words))
    for write, what in ((f"echo {said}", "words"), ("date", "a date"), (":", "nothing")):
        commands = list(dict.fromkeys(_writes(exercise, write)))
        if commands:
            yield f"{what} written by hand", commands


def _writes(exercise: Exercise, write: str) -> Iterator[str]:
    for each in _wanted(exercise):
        path = each.get("path") or each.get("archive")
        if not path:
            continue
        target = f"'{path}'"
        if each.get("container"):
            yield f'docker exec {each["container"]} sh -c "mkdir -p $(dirname {target}); {write} > {target}"'
        elif each.get("volume"):
            yield f"docker run --rm -v {each['volume']}:/v busybox sh -c \"{write} > '/v/{path.lstrip('/')}'\""
        elif not each.get("image"):
            yield f"mkdir -p $(dirname {target}); {write} > {target}"


def _texts_for_work(inputs: list[str]) -> Iterator[Slip]:
    """The line of a RUN, printed in place of being run; its work left to nobody."""
    text = "\n".join(inputs)
    for run in dict.fromkeys(re.findall(r"RUN ([^\n'\\]+)", text)):
        printed = run.replace('"', "").replace(">", "to").replace("&&", "and")
        yield Slip(f"`RUN {run}` only as a text", text.replace(f"RUN {run}", f'RUN echo "RUN {printed}"'))
        yield Slip(f"`RUN {run}` only as a word", text.replace(f"RUN {run}", f"RUN true {run.split()[0]}"))


def _secrets(exercise: Exercise, inputs: list[str]) -> Iterator[Slip]:
    """The right image, and the secret in it after all."""
    secrets = [each.arguments["text"] for each in exercise.checks if each.check == "no_text_in_any_layer"]
    for at, line in enumerate(inputs):
        if secrets and (found := BUILD.match(line)):
            for writing in WRITINGS:
                added = f'echo "{writing.format(secrets[0])}" >> {found[1]}/Dockerfile'
                yield Slip(f"with `{writing.format('SECRET')}`", [*inputs[:at], added, *inputs[at:]])
