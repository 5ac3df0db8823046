"""Machines for exercises: made as the record says, played on, and asked what the checks want to know.

The facts are images with their layers, containers, volumes, files. Layers are read as they are, never a driver's
folders, so that the answers are the same for every storage driver.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from labkit.course.record import Exercise
from labkit.course.setups import Fact, SetupStep, SetupTree, set_up
from labkit.engine.core.errors import EngineError
from labkit.engine.images.images import ImageStep, image_steps, instruction
from labkit.engine.images.layerreport import Stack, image_stack
from labkit.files import Content, Files, Inode
from labkit.kernel.golang import JsonObject, items, members, objects, texts
from labkit.kernel.golang import text as text_at
from labkit.machine import Completed, Machine, Snapshot, Terminal

MOST_INPUTS = 400  # of one answer
SHOWN = 300  # characters of a line that is told
LONGEST = 64 << 10  # characters of one answer
MOST_STEPS = 500_000  # of one answer; the solutions take up to 29,000
ADVICE = re.compile(r"Run '.*' for more information$|Usage: ")  # what docker prints below its message
_tree: SetupTree | None = None  # see reusing_machines
HEREDOC = re.compile(r"<<-?\s*(['\"]?)([A-Za-z_][A-Za-z_0-9]*)\1")


class AnswerError(Exception):
    """An answer that cannot be read as one; str() is the sentence that its author gets."""


@dataclass(frozen=True)
class Played:
    """One input and how it ended."""

    line: str
    returncode: int
    error: str  # the last line that it wrote to stderr, apart from docker's advice; "" where it succeeded

    @property
    def title(self) -> str:
        """Its first line, cut where that is long."""
        return shortened(self.line.strip().partition("\n")[0])


@contextmanager
def reusing_machines(tree: SetupTree | None = None) -> Iterator[SetupTree]:
    """In here a fresh machine may be one of before, put back as it was: for who is done with each before the next.

    `tree`: what is known already from another time.
    """
    global _tree
    _tree, before = tree or SetupTree(), _tree
    try:
        yield _tree
    finally:
        _tree = before


def fresh_machine(exercise: Exercise, *, shown: bool = False) -> Machine:
    """A machine as the exercise starts from; `shown`: as the learner sees it, explain's cause included."""
    setup = exercise.setup
    commands = [*setup.commands, *(exercise.own.cause if shown else ())]
    steps = [SetupStep(text, path) for path, text in setup.files.items()] + [SetupStep(line) for line in commands]
    return (_tree.set_up if _tree else set_up)(setup.machine, steps)


def known(key: tuple[object, ...], find: Callable[[], Fact]) -> Fact:
    """What `find` finds out about a fresh machine; once, where machines are used again."""
    return _tree.known(key, find) if _tree else find()


def play(machine: Machine, inputs: Sequence[str]) -> list[Played]:
    """All of an answer's inputs, in a terminal; after one that had to be stopped, or too many steps, no further one."""
    terminal = Terminal(machine)
    played = []
    for line in inputs:
        done = terminal.run(line)
        played.append(Played(line, done.returncode, _last_line(done)))
        if terminal.runaway or terminal.spent > MOST_STEPS:
            break
    return played


def shortened(text: str) -> str:
    return text if len(text) <= SHOWN else text[:SHOWN] + "…"


def _last_line(done: Completed) -> str:
    lines = [line for line in (done.stderr or "").splitlines() if line.strip() and not ADVICE.match(line)]
    return shortened(lines[-1]) if lines and done.returncode else ""


def inputs_of(answer: object) -> list[str]:
    """The inputs of an answer by commands: a list of them, or a text with one a line (a here-document stays one)."""
    inputs = split_inputs(answer) if isinstance(answer, str) else answer
    if not isinstance(inputs, list) or not all(isinstance(line, str) for line in inputs):
        raise AnswerError("the answer must be commands: a text, or a list of texts")
    if len(inputs) > MOST_INPUTS or sum(map(len, inputs)) > LONGEST:
        raise AnswerError(f"the answer is longer than {MOST_INPUTS} commands or {LONGEST >> 10} KiB")
    if any("\0" in line for line in inputs):
        raise AnswerError("the answer has a NUL character in it")
    return inputs


def split_inputs(text: str) -> list[str]:
    """A script as the inputs that a person would type; here-documents, continued lines, open quotes stay whole."""
    inputs: list[str] = []
    open_input: list[str] = []
    until = ""
    for line in text.splitlines():
        open_input.append(line)
        if until:
            until = "" if line.lstrip("\t") == until else until
        elif found := HEREDOC.search(line):
            until = found[2]
        if until or _goes_on("\n".join(open_input)):
            continue
        inputs.append("\n".join(open_input))
        open_input = []
    inputs += ["\n".join(open_input)] if open_input else []
    return [line for line in inputs if line.strip() and not line.lstrip().startswith("#")]


def _goes_on(text: str) -> bool:
    """Does a shell wait for more after this? (a backslash at the end, an open quote; not inside a here-document)"""
    if HEREDOC.search(text):
        return False
    quote, escaped = "", False
    for character in text:
        if escaped:
            escaped = False
        elif character == "\\" and quote != "'":
            escaped = True
        elif quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
    return bool(quote) or escaped


def answer_text(answer: object) -> str:
    """An answer as a person would type it."""
    if isinstance(answer, dict):
        answer = [f"{item}: {label}" for item, label in answer.items()]
    return "\n".join(map(str, answer)) if isinstance(answer, list) else str(answer).strip()


@dataclass(frozen=True)
class ImageFacts:
    """What `docker image inspect` says of an image."""

    id: str
    layers: tuple[str, ...]  # digests, the lowest first
    size: int
    comment: str
    config: JsonObject


@dataclass(frozen=True)
class MountFacts:
    """What covers a path of a container: MountFacts("volume", "data", "/data", True)."""

    kind: str
    source: str  # the volume's name, the host's path, or "" for a tmpfs
    target: str
    writable: bool


@dataclass(frozen=True)
class ContainerFacts:
    """What `docker container inspect` says of a container."""

    id: str
    name: str
    image: str  # image id
    image_name: str  # as it was given
    state: str
    running: bool
    mounts: tuple[MountFacts, ...]
    tmpfs: tuple[str, ...]  # what --tmpfs made, which is not among the mounts


class MissingError(Exception):
    """What is asked about is not there: str() says what."""


class Facts:
    """One machine, looked at once: nothing here changes it. Each raises MissingError where there is no such.

    `start` is the machine as the exercise began, `shown` as its picture has it (explain); none: as it is now.
    """

    def __init__(self, machine: Machine, start: Snapshot | None = None, shown: Snapshot | None = None) -> None:
        self.machine, self.start, self.shown = machine, start, shown
        self.engine = machine.engine
        self._steps: dict[str, tuple[ImageStep, ...]] = {}
        self._stacks: dict[str, Stack] = {}

    def image(self, name: str) -> ImageFacts:
        return image_facts(self._inspected(self.engine.inspect_image, "image", name))

    def container(self, name: str) -> ContainerFacts:
        return container_facts(self._inspected(self.engine.inspect_container, "container", name))

    def volume(self, name: str) -> str:
        """The folder of a volume."""
        return str(self._inspected(self.engine.inspect_volume, "volume", name)["Mountpoint"])

    def _inspected(self, inspect: Callable[[str], JsonObject], kind: str, name: str) -> JsonObject:
        try:
            return inspect(name)
        except EngineError:
            near = difflib.get_close_matches(name, self.names(kind), 1, 0.7)
            raise MissingError(f"there is no {kind} {name}" + (f"; there is {near[0]}" if near else "")) from None

    def names(self, kind: str) -> list[str]:
        """Of all images, volumes or containers."""
        if kind == "image":
            return [tag for row in self.engine.images() for tag in texts(row, "RepoTags")]
        if kind == "volume":
            return [text_at(row, "Name") for row in self.engine.volumes()]
        return [name.lstrip("/") for row in self.engine.containers(all=True) for name in texts(row, "Names")]

    def steps(self, image: str) -> tuple[ImageStep, ...]:
        """The image's history, the oldest first, with the layer of each step that made one."""
        if image not in self._steps:
            self.image(image)
            self._steps[image] = image_steps(self.engine.find_image(image), self.engine.layerstore)
        return self._steps[image]

    def layers(self, image: str) -> list[ImageStep]:
        return [step for step in self.steps(image) if step.layer]

    def steps_of(self, image: str, text: str) -> list[ImageStep]:
        """The steps of a build whose instruction begins with `text`; a commit's or an import's is none of these."""
        history = objects(self.engine.find_image(image).config, "history")
        built = [text_at(entry, "comment").startswith("buildkit") for entry in history]
        steps = [step for step, by_build in zip(self.steps(image), built, strict=False) if by_build]
        if found := [step for step in steps if _squeezed(step.text).startswith(_squeezed(text))]:
            return found
        raise MissingError(f"no step of {image} begins with '{text}'")

    def seen(self, image: str, path: str) -> Inode:
        """What a container of this image starts with at a path."""
        if image not in self._stacks:
            self.image(image)
            self._stacks[image] = image_stack(self.engine.core, image)
        stack = self._stacks[image]
        if merged := stack.seen(len(stack.layers), path):
            return merged.inode
        raise MissingError(f"{path} is not there")

    def files(self, container: str = "", volume: str = "") -> Files:
        """The host's files, what a container sees, or what is in a volume, whose paths are then relative."""
        if volume:
            return self.engine.host.namespace.files(cwd=self.volume(volume))
        return self.machine.container(self.container(container).id).files if container else self.machine.files

    @contextmanager
    def after(self, commands: Iterable[str]) -> Iterator[Facts]:
        """The machine as it would be after these commands, run by no program of the learner's; then it is as it was."""
        saved = self.machine.snapshot()
        try:
            for command in commands:
                self.machine.run_clean(command)
            yield Facts(self.machine, self.start, self.shown)
        finally:
            self.machine.restore(saved)

    @contextmanager
    def at(self, moment: Snapshot | None) -> Iterator[Facts]:
        """The machine as it was at `start` or `shown`."""
        saved = self.machine.snapshot()
        try:
            if moment is not None:
                self.machine.restore(moment)
            yield Facts(self.machine)
        finally:
            self.machine.restore(saved)

    def first_image(self, name: str) -> ImageFacts:
        """The image that had this name at the beginning, whatever has it now; else the one that has it now."""
        with self.at(self.start) as before:
            if name in before.names("image") or f"{name}:latest" in before.names("image"):
                return before.image(name)
        return self.image(name)


def image_facts(document: JsonObject) -> ImageFacts:
    layers = tuple(str(layer) for layer in items(document, "RootFS", "Layers"))
    size, comment = int(str(document.get("Size") or 0)), str(document.get("Comment") or "")
    return ImageFacts(str(document["Id"]), layers, size, comment, members(document, "Config"))


def container_facts(document: JsonObject) -> ContainerFacts:
    state = members(document, "State")
    return ContainerFacts(
        id=str(document["Id"]),
        name=str(document["Name"]).removeprefix("/"),
        image=str(document["Image"]),
        image_name=text_at(document, "Config", "Image"),
        state=str(state["Status"]),
        running=bool(state["Running"]),
        mounts=tuple(_mount(each) for each in items(document, "Mounts") if isinstance(each, dict)),
        tmpfs=tuple(members(document, "HostConfig", "Tmpfs")),
    )


def _mount(row: JsonObject) -> MountFacts:
    source = row.get("Name") if row["Type"] == "volume" else row.get("Source")
    return MountFacts(str(row["Type"]), str(source or ""), str(row["Destination"]), bool(row.get("RW", True)))


def _squeezed(text: str) -> str:
    """A step as the Dockerfile has it, with one blank between words."""
    return " ".join(instruction(text).split())


def content_of(inode: Inode) -> Content:
    """What is in a file; what is none is empty."""
    return inode.data if isinstance(inode.data, Content) else Content()


def written(content: Content) -> bytes:
    """The bytes that somebody has written; those that a rule makes, as a package's are, have nobody's words in them."""
    return b"\0".join(piece for piece in content.pieces if isinstance(piece, bytes))
