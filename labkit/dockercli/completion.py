"""What the Tab key offers after `docker`: commands, flags, and what the usage line of the command asks for.

Commands come from the table of commands, flags and usage from the help texts, names from the engine.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from labkit.dockercli.commands import GROUPS, DockerCommand, places
from labkit.dockercli.flags import Flag, flags_of, help_of, sections, usage_of
from labkit.engine.api import Engine
from labkit.engine.core.errors import EngineError
from labkit.engine.core.mountkeys import BY_NAME, KEYS
from labkit.files.namespace import paths
from labkit.kernel.golang import text, texts

Offer = tuple[list[str], bool]  # words, and whether a path of the host may stand there too
NOTHING: Offer = ([], False)
PATHS: Offer = ([], True)


def complete(engine: Engine, before: Sequence[str], word: str) -> Offer:
    """What may stand where `word` is being typed, the words between `docker` and it given."""
    words = [*before]
    while words and words[0].startswith("-"):  # docker's own flags
        words.pop(0)
    for length in (2, 1):
        name = " ".join(words[:length])
        if len(words) >= length and name in places():
            return _arguments(engine, *places()[name], words[length:], word)
    if words and (words[0] not in GROUPS or len(words) > 1):
        return NOTHING
    if word.startswith("-"):
        return _flags(flags_of(sections()["docker"]), word), False
    return _commands(words, word), False


def _commands(group: list[str], word: str) -> list[str]:
    """The commands of docker or of a group that its help lists, as far as this docker has them."""
    text = sections()[" ".join(["docker", *("builder" if name == "buildx" else name for name in group)])]
    listed = re.findall(r"^  ([a-z]+)\*? ", text, re.MULTILINE)
    found = [name for name in listed if " ".join([*group, name]) in places() or (not group and name in GROUPS)]
    return [name for name in found if name.startswith(word)]


class _Typed(NamedTuple):
    """A command's arguments so far."""

    positionals: list[str]
    flag: Flag | None  # whose value comes next
    ended: bool  # by --, or by the first argument of a command that takes another one


def _read(flags: Sequence[Flag], words: Sequence[str], interspersed: bool) -> _Typed:
    by_name, by_short = {flag.name: flag for flag in flags}, {flag.short: flag for flag in flags if flag.short}
    positionals: list[str] = []
    waiting: Flag | None = None
    ended = False
    for word in words:
        if waiting is not None:
            waiting = None
        elif ended or len(word) < 2 or word[0] != "-":
            positionals.append(word)
            ended = ended or not interspersed
        elif word == "--":
            ended = True
        elif "=" not in word:
            flag = by_name.get(word[2:]) if word.startswith("--") else by_short.get(word[-1])
            waiting = flag if flag is not None and flag.kind != "bool" else None
    return _Typed(positionals, waiting, ended)


def _arguments(engine: Engine, command: DockerCommand, shown: str, words: list[str], word: str) -> Offer:
    text = help_of(f"docker {shown}", f"docker {command.name}")
    flags = flags_of(text)
    typed = _read(flags, words, command.interspersed)
    if typed.flag is not None:
        return _value(engine, typed.flag.name, word)
    if word.startswith("-") and not typed.ended:
        name, equals, value = word.partition("=")
        if not equals:
            return _flags(flags, word), False
        found, _ = _value(engine, name.removeprefix("--"), value)
        return [f"{name}={each}" for each in found], False
    return _positional(engine, command, usage_of(text), typed.positionals, word)


def _flags(flags: Sequence[Flag], word: str) -> list[str]:
    shown = [f"--{flag.name}" for flag in flags]
    if word == "-":
        shown += [f"-{flag.short}" for flag in flags if flag.short]
    return [flag for flag in shown if flag.startswith(word)]


def _positional(engine: Engine, command: DockerCommand, usage: str, given: list[str], word: str) -> Offer:
    """What the usage line has at this place; its last word stands for all that follow."""
    if command.name == "cp":
        return _both_ways(engine, word)
    words = re.sub(r" \| \S+", "", usage).split()  # of "PATH | URL | -" the first
    asked = [name for part in words if (name := part.strip("[]")).isupper() or "_" in name]
    asked = [name for name in asked if name != "OPTIONS"]
    if not asked:
        return NOTHING
    kind = asked[min(len(given), len(asked) - 1)]
    if len(given) >= len(asked) and "..." not in usage:
        return NOTHING
    return next((offer(engine, word) for start, offer in _PLACES.items() if kind.startswith(start)), PATHS)


def images(engine: Engine, word: str = "") -> list[str]:
    """The names of images; an id's beginning where one was begun."""
    found = engine.images(all=True)
    names = {tag for row in found for tag in texts(row, "RepoTags") if tag != "<none>:<none>"}
    latest = {name.removesuffix(":latest") for name in names if name.endswith(":latest")}
    short = {text(row, "Id").removeprefix("sha256:")[:12] for row in found} if word else set()
    return _that_begin({name for name in names if name.removesuffix(":latest") not in latest} | latest | short, word)


def containers(engine: Engine, word: str = "") -> list[str]:
    found = engine.containers(all=True)
    short = {text(row, "Id")[:12] for row in found} if word else set()
    return _that_begin({texts(row, "Names")[0].removeprefix("/") for row in found} | short, word)


def volumes(engine: Engine, word: str = "") -> list[str]:
    return _that_begin({text(row, "Name") for row in engine.volumes()}, word)


def _that_begin(names: set[str], word: str) -> list[str]:
    return sorted(name for name in names if name.startswith(word))


def _networks(engine: Engine, word: str) -> list[str]:
    return _that_begin({"bridge", "host", "none"} | {f"container:{name}" for name in containers(engine)}, word)


def _both_ways(engine: Engine, word: str) -> Offer:
    """docker cp: a container and a path in it, or a path of the host."""
    name, colon, path = word.partition(":")
    if not colon:
        return [f"{each}:" for each in containers(engine, word)], True
    try:
        return [f"{name}:{each}" for each in paths(engine.container(name).files, path or "/")], False
    except EngineError:
        return NOTHING


def _mount(engine: Engine, word: str) -> Offer:
    """--mount: its keys, its types, the names of volumes."""
    done, comma, last = word.rpartition(",")
    key, equals, value = last.partition("=")
    before = done + comma
    if not equals:
        return [f"{before}{each}" for each in _that_begin(set(_MOUNT_KEYS), key)], False
    row = BY_NAME.get(key)
    choices = (
        volumes(engine, value) if row and row.kind == "path" else _that_begin(set(row.choices if row else ()), value)
    )
    if choices:
        return [f"{before}{key}={each}" for each in choices], False
    return NOTHING


def _volume(engine: Engine, word: str) -> Offer:
    """-v: a volume's name, or a path of the host."""
    if ":" in word:
        return NOTHING
    return [f"{name}:" for name in volumes(engine, word)], True


def _value(engine: Engine, flag: str, word: str) -> Offer:
    """What a flag's value may be."""
    offer = _VALUES.get(flag)
    return offer(engine, word) if offer else PATHS


_MOUNT_KEYS = [name if key.alone else f"{name}=" for key in KEYS for name in key.names]
_Offering = Callable[[Engine, str], Offer]
_VALUES: dict[str, _Offering] = {
    "volume": _volume,
    "v": _volume,
    "mount": _mount,
    "volumes-from": lambda engine, word: (containers(engine, word), False),
    "network": lambda engine, word: (_networks(engine, word), False),
    "name": lambda engine, word: NOTHING,
}
_PLACES: dict[str, _Offering] = {  # how a word of a usage line begins -> what stands there
    "IMAGE": lambda engine, word: (images(engine, word), False),
    "SOURCE_IMAGE": lambda engine, word: (images(engine, word), False),
    "TARGET_IMAGE": lambda engine, word: (images(engine, word), False),
    "REPOSITORY": lambda engine, word: (images(engine, word), False),
    "CONTAINER": lambda engine, word: (containers(engine, word), False),
    "VOLUME": lambda engine, word: (volumes(engine, word), False),
    "NAME|ID": lambda engine, word: ([*images(engine, word), *containers(engine, word), *volumes(engine, word)], False),
    "NAME": lambda engine, word: (_known(engine, word), False),
    "NEW_NAME": lambda engine, word: NOTHING,
    "COMMAND": lambda engine, word: NOTHING,
    "ARG": lambda engine, word: NOTHING,
}


def _known(engine: Engine, word: str) -> list[str]:
    """docker pull: what the registry has; its tags where a name stands there already."""
    name, colon, _ = word.partition(":")
    registry = engine.registry
    if registry is None:
        return []
    found = {f"{name}:{tag}" for tag in registry.tags(name)} if colon else set(registry.names())
    return _that_begin(found, word)
