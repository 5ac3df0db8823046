"""What can be asserted about a machine: a table of named predicates.

A check is a function of the machine's Facts and of its own arguments. It returns "" where it holds, else the difference
in plain words: what is so instead; where the facts have no such thing, that is the difference. Its signature is what a
record may write; the sentence in `@check` is what a learner reads in the list of what is checked.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import takewhile
from typing import ParamSpec, Protocol, cast, get_args, get_type_hints

from labkit.course.machines import Facts, MissingError, MountFacts, content_of, written
from labkit.course.record import Assertion
from labkit.engine.core.errors import EngineError
from labkit.engine.images.images import ImageStep
from labkit.engine.images.layerreport import entry_of, walk
from labkit.kernel.golang import Json, JsonObject, at, human_size, texts

UNITS = {"": 1, "B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([kMG]?B|[KMG]iB|)\s*")
READ_LIMIT = 1 << 20  # bytes of a file that a check looks at


class Predicate(Protocol):
    """What is so instead; "" where it holds. Its arguments are a record's, held against its signature by `faults`."""

    def __call__(self, facts: Facts, /, **arguments: object) -> str: ...


@dataclass(frozen=True)
class Check:
    name: str
    holds: Predicate
    says: str

    @property
    def parameters(self) -> dict[str, inspect.Parameter]:
        """Its arguments, without the facts."""
        return dict(list(inspect.signature(self.holds).parameters.items())[1:])

    def faults(self, arguments: Mapping[str, object]) -> list[str]:
        """What is wrong with these arguments, a clause each."""
        known, types = self.parameters, get_type_hints(self.holds)
        unknown = [name for name in arguments if name not in known]
        required = [name for name, parameter in known.items() if parameter.default is parameter.empty]
        wrong = [name for name in arguments if name in known and not _fits(arguments[name], types[name])]
        return [
            *(f"'{name}' is no argument of {self.name} ({', '.join(known)})" for name in unknown),
            *(f"{self.name} needs '{name}'" for name in required if name not in arguments),
            *(f"'{name}' of {self.name} has the wrong type" for name in wrong),
        ]

    def words(self, arguments: Mapping[str, object], *, hidden: bool = False) -> str:
        """The sentence, with these arguments; {where} is the container or the host, {layers} how many they may be."""
        defaults = {name: each.default for name, each in self.parameters.items() if each.default is not each.empty}
        known = {**defaults, **arguments}
        container = known.get("container")
        known["where"] = f"in the container {container}" if container else "on the host"
        known["layers"] = _layers(_bounds(*(known.get(name) for name in ("count", "at_least", "at_most"))))
        says = self.says
        if hidden:
            says = says.replace("the text '{text}'", "the right text").replace(
                "prints '{text}'", "prints what it is to print"
            )
        return says.format(**known)


def _fits(value: object, kind: object) -> bool:
    """Is this TOML value one that the argument takes? Text stands for numbers too: it may be a learner's value."""
    kinds = get_args(kind) or (kind,)
    if isinstance(value, bool):
        return bool in kinds
    if isinstance(value, str):
        return str in kinds or int in kinds
    return isinstance(value, tuple(each for each in kinds if isinstance(each, type)))


CHECKS: dict[str, Check] = {}
P = ParamSpec("P")


def check(says: str) -> Callable[[Callable[P, str]], Callable[P, str]]:
    """Enter the function into the table, under its own name."""

    def enter(function: Callable[P, str]) -> Callable[P, str]:
        CHECKS[function.__name__] = Check(function.__name__, cast(Predicate, function), says)
        return function

    return enter


@dataclass(frozen=True)
class CheckResult:
    ok: bool
    text: str  # what is checked
    difference: str = ""  # what is so instead
    kept: bool = False  # it holds, and did before anything was done: it is not shown as done until all is


def evaluate(facts: Facts, assertion: Assertion) -> CheckResult:
    """One assertion on the machine as it is, or as it would be after the assertion's commands."""
    if assertion.after:
        with facts.after(assertion.after) as (later, _):
            return _evaluate(later, assertion)
    return _evaluate(facts, assertion)


def _evaluate(facts: Facts, assertion: Assertion) -> CheckResult:
    row = CHECKS[assertion.check]
    try:
        difference = row.holds(facts, **_numbers(row, assertion.arguments))
    except (MissingError, EngineError, OSError) as missing:  # EngineError: what a mount has made impossible to look at
        difference = str(missing)
    words = assertion.says or row.words(assertion.arguments, hidden=assertion.hidden)
    if not assertion.negated:
        return CheckResult(not difference, words, difference)
    return CheckResult(
        bool(difference),
        assertion.says or f"it is not so that {words}",
        "" if difference or assertion.says else row.words(assertion.arguments),
    )


def _numbers(row: Check, arguments: Mapping[str, object]) -> dict[str, object]:
    """Texts that came out of a learner's values, as the numbers that the check wants."""
    types = get_type_hints(row.holds)
    wants = {
        name
        for name in arguments
        if int in (get_args(types[name]) or (types[name],)) and str not in get_args(types[name])
    }
    return {
        name: int(str(value)) if name in wants and not isinstance(value, bool) else value
        for name, value in arguments.items()
    }


def size_of(text: str | int) -> int:
    """Bytes: 120, "3 kB", "1.5MB", "2 MiB"."""
    found = SIZE.fullmatch(str(text))
    if not found:
        raise ValueError(f"{text!r} is no size")
    return round(float(found[1]) * UNITS[found[2]])


def _bounds(count: object, at_least: object, at_most: object) -> str:
    if count is not None:
        return f"{count}"
    if at_least is not None and at_most is not None:
        return f"{at_least} to {at_most}"
    return f"at least {at_least}" if at_least is not None else f"at most {at_most}"


def _layers(number: object) -> str:
    return f"{number} layer" if str(number).split()[-1] == "1" else f"{number} layers"


def _within(number: int, count: int | None, at_least: int | None, at_most: int | None) -> bool:
    if count is not None:
        return number == count
    return (at_least is None or number >= at_least) and (at_most is None or number <= at_most)


# Images


@check("the image {image} is there")
def image_exists(facts: Facts, image: str) -> str:
    facts.image(image)
    return ""


@check("{image} has {layers}")
def image_layer_count(
    facts: Facts, image: str, count: int | None = None, at_least: int | None = None, at_most: int | None = None
) -> str:
    number = len(facts.image(image).layers)
    return "" if _within(number, count, at_least, at_most) else f"it has {_layers(number)}"


@check("{image} is smaller than {size}")
def image_size_under(facts: Facts, image: str, size: str | int) -> str:
    there = facts.image(image)
    return "" if there.size < size_of(size) else f"{image} is {human_size(there.size)}"


@check("{image} is built on {base}: its lowest layers are those of {base}")
def image_based_on(facts: Facts, image: str, base: str) -> str:
    mine, lower = facts.image(image).layers, facts.image(base).layers
    return "" if mine[: len(lower)] == lower else f"{image} does not begin with the layers of {base}"


@check("{image} and {other} share {layers}")
def images_share_layers(
    facts: Facts,
    image: str,
    other: str,
    count: int | None = None,
    at_least: int | None = None,
    at_most: int | None = None,
) -> str:
    pairs = zip(facts.image(image).layers, facts.image(other).layers, strict=False)
    shared = len(list(takewhile(lambda pair: pair[0] == pair[1], pairs)))
    return "" if _within(shared, count, at_least, at_most) else f"they share {_layers(shared)}"


@check("{image} and {other} are the same image")
def same_image(facts: Facts, image: str, other: str) -> str:
    return "" if facts.image(image).id == facts.image(other).id else f"{image} and {other} have different ids"


@check("the configuration of {image} has {key} = {value}")
def image_config_is(facts: Facts, image: str, key: str, value: str | list[str]) -> str:
    """`key` is a name below Config: Cmd, WorkingDir, User, Labels.NAME; Env.NAME is one variable."""
    is_value = _config(facts.image(image).config, key)
    if is_value == value:
        return ""
    return f"there {key} is {is_value!r}" if is_value else f"{image} has no {key}"


def _config(config: JsonObject, key: str) -> Json:
    name, _, below = key.partition(".")
    if name == "Env" and below:
        return next((each.partition("=")[2] for each in texts(config, name) if each.partition("=")[0] == below), None)
    return at(config, name, below) if below else config.get(name)


@check("the file {path} of {image} is in the layer of '{step}'")
def file_is_in_layer(facts: Facts, image: str, path: str, step: str) -> str:
    if _has(facts.step(image, step), path):
        return ""
    places = [other.text for other in facts.layers(image) if _has(other, path, whiteout=True)]
    return f"it is in the layer of '{places[-1]}'" if places else f"no layer of {image} has {path}"


def _has(step: ImageStep, path: str, *, whiteout: bool = False) -> bool:
    """Does the step's layer have an entry at this path? A whiteout counts only where that is asked for."""
    entry = entry_of(step.layer, path) if step.layer else None
    return entry is not None and (whiteout or not entry.is_whiteout)


@check("{path} is in no layer of {image}")
def no_file_in_any_layer(facts: Facts, image: str, path: str) -> str:
    place = next((step.text for step in facts.layers(image) if _has(step, path)), None)
    return f"it is in the layer of '{place}'" if place else ""


@check("no file in any layer of {image} has the text '{text}' in it")
def no_text_in_any_layer(facts: Facts, image: str, text: str) -> str:
    for step in facts.layers(image):
        for path, inode in walk(step.layer.root, "") if step.layer else ():
            content = content_of(inode)
            if content.size <= READ_LIMIT and text.encode() in written(content):
                return f"it stands in {path}, in the layer of '{step.text}'"
    return ""


@check("{image} has no other file than {path}")
def image_has_only(facts: Facts, image: str, path: str) -> str:
    for step in facts.layers(image):
        for name, inode in walk(step.layer.root, "") if step.layer else ():
            if f"/{name.strip('/')}" != path and not inode.is_dir:
                return f"/{name.strip('/')} is in it too"
    return ""


@check("a container of {image} has the file {path}")
def image_has_file(facts: Facts, image: str, path: str) -> str:
    facts.seen(image, path)
    return ""


@check("in a container of {image}, {path} has the text '{text}' in it")
def image_file_contains(facts: Facts, image: str, path: str, text: str) -> str:
    content = content_of(facts.seen(image, path))
    has = content.size <= READ_LIMIT and text.encode() in bytes(content)
    return "" if has else "the file is there, with another content"


@check("{path} is the same in {image} and in {other}")
def images_agree_on(facts: Facts, image: str, other: str, path: str) -> str:
    """Both have the file, with one content."""
    same = content_of(facts.seen(image, path)) == content_of(facts.seen(other, path))
    return "" if same else "it is there in both, with different contents"


@check("the comment of {image} is '{text}'")
def image_comment_is(facts: Facts, image: str, text: str) -> str:
    comment = facts.image(image).comment
    if comment == text:
        return ""
    return f"its comment is '{comment}'" if comment else "it has no comment"


# Containers, and files as they are seen


@check("the container {container} is there")
def container_exists(facts: Facts, container: str) -> str:
    facts.container(container)
    return ""


@check("the container {container} is running")
def container_running(facts: Facts, container: str) -> str:
    there = facts.container(container)
    return "" if there.running else f"the container is there, but {there.state}"


@check("the container {container} was made from {image}")
def container_from(facts: Facts, container: str, image: str) -> str:
    there = facts.container(container)
    same = there.image == facts.image(image).id
    return "" if same else f"it was made from {there.image_name}, which is another image"


@check("{path} exists {where}")
def file_exists(facts: Facts, path: str, container: str = "") -> str:
    files = facts.files(container)
    if files.exists(path):
        return ""
    folder = path.rstrip("/").rpartition("/")[0] or "/"
    if not files.is_dir(folder):
        return f"{path} is not there, nor is its folder"
    names = sorted(files.listdir(folder))
    return (
        f"{path} is not there; in {folder} there is {', '.join(names[:6]) or 'nothing'}{' and more' * (len(names) > 6)}"
    )


@check("{path} {where} has the text '{text}' in it")
def file_contains(facts: Facts, path: str, text: str, container: str = "") -> str:
    if missing := file_exists(facts, path, container):
        return missing
    files = facts.files(container)
    if files.is_dir(path):
        return f"{path} is a folder"
    holds = files.content(path).read(0, READ_LIMIT).decode("utf-8", "replace")
    return "" if _stands_in(text, holds) else "the file is there, with another content"


@check("the container {container} has {path} in its own writable layer")
def file_is_in_upper(facts: Facts, container: str, path: str) -> str:
    changed = {name for kind, name in facts.engine.diff(facts.container(container).id) if kind in ("A", "C")}
    return "" if path in changed else f"the writable layer of {container} does not have {path}"


# Volumes and mounts


@check("the volume {volume} is there")
def volume_exists(facts: Facts, volume: str) -> str:
    facts.volume(volume)
    return ""


@check("the volume {volume} holds {path}")
def volume_has_file(facts: Facts, volume: str, path: str) -> str:
    there = facts.machine.files.exists(f"{facts.volume(volume)}/{path.lstrip('/')}")
    return "" if there else f"the volume is there, but {path} is not in it"


KINDS_OF_MOUNT = {"bind": "a folder of the host", "volume": "a volume", "tmpfs": "memory", "image": "an image"}
NO_NAME = re.compile(r"[0-9a-f]{64}")  # of a volume whose name nobody chose


def _mounted(mount: MountFacts) -> str:
    """A mount in words: "a volume named `conf`"."""
    if mount.kind == "volume":
        return "a volume without a name" if NO_NAME.fullmatch(mount.source) else f"a volume named `{mount.source}`"
    if mount.kind == "bind":
        return f"`{mount.source}` of the host"
    return f"the image `{mount.source}`" if mount.kind == "image" else "memory (tmpfs)"


@check("{container} has a {type} mount at {target}")
def mount_is(
    facts: Facts, container: str, target: str, type: str, source: str = "", readonly: bool | None = None
) -> str:
    mount = next((each for each in facts.container(container).mounts if each.target == target), None)
    if mount is None:
        there = type == "volume" and source in {str(row["Name"]) for row in facts.engine.volumes()}
        others = [f"{_mounted(each)} at {each.target}" for each in facts.container(container).mounts]
        instead = f"; there is {', '.join(others[:3])}" if others else ""
        return f"{'the volume is there, but ' if there else ''}nothing is mounted at {target}{instead}"
    if mount.kind != type:
        return f"{_mounted(mount)} is mounted at {target}; {KINDS_OF_MOUNT.get(type, type)} was asked for"
    if source and mount.source != source:
        return f"{_mounted(mount)} is mounted at {target}, not {source}"
    if readonly is not None and mount.writable == readonly:
        return f"the mount at {target} is {'writable' if mount.writable else 'read-only'}"
    return ""


def _stands_in(text: str, printed: str) -> bool:
    """Is this a part of it? A number at an end of the text is a whole one: 2 does not stand in 12."""
    first, last = (r"(?<!\d)" if text[:1].isdigit() else ""), (r"(?!\d)" if text[-1:].isdigit() else "")
    return re.search(f"{first}{re.escape(text)}{last}", printed) is not None


# What would happen


@check("`{build}` takes the step '{step}' from the cache")
def step_is_cached(facts: Facts, build: str, step: str) -> str:
    """`build` is run on a copy of the machine."""
    with facts.after([f"{build} --progress=plain"]) as (_, printed):
        number = re.search(rf"^#(\d+) \[[^\]]*\] .*{re.escape(step)}", printed, re.MULTILINE)
        if not number:
            return f"the build has no step '{step}'"
        return "" if re.search(rf"^#{number[1]} CACHED", printed, re.MULTILINE) else "that step runs again"


@check("`{command}` prints '{text}'")
def command_prints(facts: Facts, command: str, text: str) -> str:
    """`command` is run on a copy of the machine; `text` is a part of what it prints."""
    with facts.after([command]) as (_, printed):
        return "" if _stands_in(text, printed) else f"it prints: {printed.strip()[:200] or 'nothing'}"
