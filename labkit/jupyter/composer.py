"""mount_composer(): one mount as a form, as -v and as --mount, each following the others.

What Docker says to a flag is what the simulated Docker says: every flag is run on the lesson's machine, which is then
put back as it was. Only "Try it", where that is asked for, leaves something there.
"""

from __future__ import annotations

import contextlib
import html
import re
import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import traitlets

from labkit.course.session import InputOutcome
from labkit.dockercli.mountform import (
    FIELD,
    FIELDS,
    MountForm,
    WrittenFlag,
    read_mount,
    read_volume,
    write_mount,
    write_volume,
)
from labkit.dockercli.mountparts import PARTS, MountPart, culprits, missing
from labkit.engine.core.core import Event, HostFolderCreated, VolumeCreated, VolumePopulated
from labkit.engine.core.mountkeys import TYPES
from labkit.jupyter.magics import LessonMachine
from labkit.jupyter.panel import Panel, bundle, listed, pieces, table
from labkit.jupyter.view import told
from labkit.kernel.golang import Json, JsonObject, items, number, text, texts
from labkit.machine import Completed, Machine

START = "--mount type=volume,source=data_volume,target=/var/lib/mysql"
IMAGE = "busybox"
LONGEST = 2000  # characters of one field or flag
READ = {"-v": read_volume, "--mount": read_mount}
WRITE = {"-v": write_volume, "--mount": write_mount}
SOURCES = {"bind": "/data/mysql", "volume": "data_volume", "tmpfs": "", "image": "busybox"}  # where none was typed yet
SPELT = re.compile(r"\s*(-v|--volume|--mount)(?:=|\s+)(.*)", re.DOTALL)
SHELL_SIGNS = re.compile(r"^~|[$`\\'\"]")
HOLDS_ALL = re.compile(r"[\w./-]+")
TOLD = (HostFolderCreated, VolumeCreated, VolumePopulated)  # what a mount brings about
EMPTY = "(nothing)"  # stands for a part of no characters

Told = TypeVar("Told", bound=Event)
SOURCE_SAYS = {"volume": "the volume's name", "tmpfs": "a tmpfs has no source", "image": "the image's name"}


@dataclass(frozen=True)
class Trial:
    """What a docker run gave on a machine that was then put back."""

    done: Completed | InputOutcome
    events: tuple[Event, ...]

    def made(self, kind: type[Told]) -> Told | None:
        """The first event of this kind, or None."""
        return next((event for event in self.events if isinstance(event, kind)), None)


def trial_of(machine: Machine, run: Callable[[str], Completed | InputOutcome], line: str) -> Trial:
    before = len(machine.events)
    done = run(line)
    return Trial(done, tuple(machine.events[before:]))


def attempt(machine: Machine, line: str) -> Trial:
    """Run a line on a machine with busybox on it, and put the machine back as it was."""
    saved = machine.snapshot()
    try:
        machine.run(f"docker pull --quiet {IMAGE}")
        return trial_of(machine, machine.run, line)
    finally:
        machine.restore(saved)


class MountComposer(Panel):
    """A form and two flags. `lesson` has the machine (`.machine`) and runs what is to stay (`.run`)."""

    _esm, _css = bundle("composer")
    says = "trouble"

    fields: traitlets.List[JsonObject] = traitlets.List().tag(sync=True)  # see fields_trait
    form = traitlets.Dict().tag(sync=True)  # name of a field -> text or bool
    flags = traitlets.Dict().tag(sync=True)  # "-v" and "--mount" -> see _flag_trait
    legend: traitlets.List[dict[str, str | int]] = traitlets.List().tag(
        sync=True
    )  # rows of number, title, what, -v, --mount
    differences: traitlets.List[str] = traitlets.List().tag(sync=True)
    image = traitlets.Unicode().tag(sync=True)
    command = traitlets.Unicode().tag(sync=True)  # what "Try it" runs in the container, if nothing else is typed
    tried = traitlets.Dict().tag(sync=True)  # {"line", "pieces", "status", "did", "kept"}
    trouble = traitlets.Unicode().tag(sync=True)  # an action that failed

    def __init__(self, lesson: LessonMachine, flag: str = START, image: str = IMAGE) -> None:
        self._lesson = lesson
        self._form = MountForm(target="/data")
        self._sources: dict[str, str] = {}  # what was typed for the other types
        self._written: dict[str, WrittenFlag] = {}
        self._stale = ""  # the flag that the other one and the form could not follow
        self._replaced = {"-v": 0, "--mount": 0}  # how often what was typed into a flag was replaced by its value
        name, value = spelt(flag)
        super().__init__(fields=fields_trait(), image=str(image))
        self._read(name, value)
        self._show()

    def __repr__(self) -> str:
        return "mount_composer: " + "   ".join(f"{name} {self.flags[name]['text']}" for name in WRITE)

    # what a person does

    def do_fill(self, name: str = "", value: Json = None) -> None:
        """A field of the form was filled in."""
        field, typed = FIELD[name], str(value)[:LONGEST]
        line = one_line(typed)
        if field.name == "type":
            self._sources[self._form.type] = self._form.source
            source = self._sources.get(line, SOURCES.get(line, self._form.source))
            self._form = self._form.changed({"source": source})
        kinds: dict[str, bool | tuple[str, ...]] = {
            "switch": bool(value),
            "lines": tuple(filter(None, typed.splitlines())),
        }
        self._form = self._form.changed({field.name: kinds.get(field.kind, line)})
        self._written, self._stale = {name: write(self._form) for name, write in WRITE.items()}, ""
        self._show()

    def do_write(self, flag: str = "", text: str = "") -> None:
        """A flag was typed; who writes the flag's name too means its value."""
        line = one_line(text[:LONGEST])
        if flag not in READ:
            return
        with contextlib.suppress(ValueError):  # not yet whole
            flag, line = spelt(line)
            self._replaced[flag] += 1
        self._read(flag, line)
        self._show()

    def _read(self, name: str, text: str) -> None:
        """Let the form and the other flag follow what was typed, if it can be read; nothing typed is no mount."""
        form = READ[name](text, self._form) if text.strip() else MountForm()
        if text.strip() and form is not None and form.source != self._form.source and form.target != self._form.target:
            form = READ[name](text, MountForm())  # another mount: what the flag cannot say belonged to the one before
        if form is not None:
            if form.type != self._form.type:
                self._sources[self._form.type] = self._form.source
            self._form = form
        written = {each: write(self._form) if text.strip() else WrittenFlag("", ()) for each, write in WRITE.items()}
        unsaid = written[name].unsaid if form is not None else ()
        self._written = (self._written if form is None and self._written else written) | {
            name: WrittenFlag(text, unsaid)
        }
        self._stale = name if form is None else ""

    def do_try(self, flag: str = "", image: str = "", command: str = "", keep: bool = False) -> None:
        """Run a container with the flag."""
        if flag not in self._written or self._says_nothing(self._written[flag]):
            return
        spoken = f"{flag} {shlex.quote(self._written[flag].text)}"
        image, command = one_line(image).strip() or IMAGE, one_line(command).strip()
        line = " ".join(filter(None, ["docker run --rm", spoken, shlex.quote(image), command]))
        machine = self._lesson.machine
        trial = trial_of(machine, self._lesson.run, line) if keep else attempt(machine, line)
        self.tried = {
            "line": line,
            "pieces": pieces([(2, trial.done.stderr), (1, trial.done.stdout)]),
            "status": trial.done.returncode,
            "did": told([event for event in trial.events if isinstance(event, TOLD)], self._lesson.machine.engine),
            "kept": keep,
        }
        self._show()

    # what is shown

    def _show(self) -> None:
        trials = {
            name: attempt(self._lesson.machine, f"docker run --rm {name} {shlex.quote(written.text)} {IMAGE} true")
            for name, written in self._written.items()
            if not self._says_nothing(written)
        }
        numbers = self._numbers()
        self.trouble = ""
        self.form = form_trait(self._form)
        self.flags = {name: self._flag_trait(name, numbers, trials.get(name)) for name in WRITE}
        self.legend = [self._legend_row(name, number) for name, number in numbers.items()]
        self.differences = list(differences(self._form, trials))
        self.command = look_command(self._form.target)

    @staticmethod
    def _says_nothing(written: WrittenFlag) -> bool:
        return not written.text and bool(written.unsaid)

    def _numbers(self) -> dict[str, int]:
        """The parts that are in either flag or asked for in the form, numbered in the form's order."""
        there = {part.name for name, written in self._written.items() for part in PARTS[name](written.text)}
        names = [field.name for field in FIELDS if field.name in there or self._form.asks(field.name)]
        return {name: number for number, name in enumerate(names, 1)}

    def _flag_trait(self, name: str, numbers: Mapping[str, int], trial: Trial | None) -> JsonObject:
        """A flag as the page needs it. `pieces`: its characters, each with the number of its part (0: of none)."""
        written = self._written[name]
        message = trial.done.stderr.rstrip("\n") if trial and trial.done.returncode else ""
        blamed = culprits(name, written.text, trial.done.stderr) if trial and message else ()
        notes = [reason for _, reason in written.unsaid]
        if SHELL_SIGNS.search(written.text):
            notes.append(
                "Here stands what Docker gets, after the shell: $PWD, ~ and quotes would go through as they are."
            )
        if self._stale not in ("", name):
            notes.append(f"This follows the last {self._stale} that could be read.")
        quoted = shlex.quote(written.text)
        return {
            "text": written.text,
            "pieces": flag_pieces(name, written.text, numbers, blamed),
            "tone": "none" if trial is None else "wrong" if message else "right",
            "verdict": verdict(trial),
            "message": message,
            "cause": cause(name, written.text, numbers, blamed, message),
            "notes": [*notes],
            "shell": f"{name} {quoted}" if quoted != written.text and written.text else "",
            "replaced": self._replaced[name],
        }

    def _legend_row(self, name: str, number: int) -> dict[str, str | int]:
        row: dict[str, str | int] = {
            "number": number,
            "title": FIELD[name].title,
            "what": what_it_says(name, self._form),
        }
        for flag, written in self._written.items():
            parts = [part for part in PARTS[flag](written.text) if part.name == name]
            unspoken = (FIELD[name].keys[0].unspoken if flag == "-v" else "") or "no word for it"
            row[flag] = "  ".join(written.text[part.start : part.end] for part in parts)
            row[f"{flag} none"] = "" if parts else unspoken  # how the flag says what it has no characters for
        return row

    def still(self) -> str:
        """Both flags with numbered parts, the table of the parts, and what differs."""
        flags = "".join(still_flag(name, self.flags[name]) for name in WRITE)
        names = ("number", "title", *WRITE, "what")
        rows = [[str(row[name] or row.get(f"{name} none", "")) for name in names] for row in self.legend]
        legend = table(("", "Part", "-v", "--mount", "What it says"), rows)
        title = "<p><strong>One mount, written as -v and as --mount</strong></p>"
        return f"{title}{flags}{legend}{listed(self.differences)}"


def one_line(text: str) -> str:
    return " ".join(text.splitlines()) if len(text.splitlines()) > 1 else text.rstrip("\r\n")


def spelt(flag: str) -> tuple[str, str]:
    """A flag as a person types it, "-v a:/b", as ("-v", "a:/b"); ValueError where it is no such flag."""
    found = SPELT.fullmatch(flag) if isinstance(flag, str) else None
    words = shlex.split(found[2]) if found else []
    if not found or len(words) != 1:
        raise ValueError('write one flag with its value, as in: mount_composer("-v notes:/data")')
    return "--mount" if found[1] == "--mount" else "-v", words[0]


def fields_trait() -> list[JsonObject]:
    """The rows of the form, as the page needs them."""
    return [
        {
            "name": field.name,
            "title": field.title,
            "kind": field.kind,
            "choices": list(field.choices),
            "types": list(field.types),
            "always": field.types == tuple(TYPES),
            "key": field.key,
        }
        for field in FIELDS
    ]


def form_trait(form: MountForm) -> JsonObject:
    """The form's values; several lines as one text."""
    return {name: "\n".join(value) if isinstance(value, tuple) else value for name, value in form.values.items()}


def what_it_says(name: str, form: MountForm) -> str:
    """A part of this mount in words."""
    if name == "type":
        return TYPES.get(form.type, f"Docker on Linux knows no type {form.type}")
    if name == "source" and form.type == "volume" and not form.source:
        return "none: the volume gets a long name of its own"
    says = FIELD[name].keys[0].says
    return SOURCE_SAYS.get(form.type, says) if name == "source" else says


def flag_pieces(flag: str, text: str, numbers: Mapping[str, int], blamed: Iterable[MountPart]) -> list[Json]:
    """All characters of the flag in their order, in parts and what stands between them."""
    found: list[tuple[str, int, bool]] = []
    place, wrong = 0, set(blamed)
    for part in PARTS[flag](text):
        shown = text[part.start : part.end] or (EMPTY if part in wrong else "")
        between = [(text[place : part.start], 0, False)] if part.start > place else []
        found += [*between, (shown, numbers.get(part.name, 0), part in wrong)]
        place = part.end
    found += [(text[place:], 0, False)] if place < len(text) else []
    return [{"text": text, "number": number, "wrong": wrong} for text, number, wrong in found]


def verdict(trial: Trial | None) -> str:
    if trial is None:
        return "This syntax cannot say it."
    return (
        f"Docker refuses it, with exit status {trial.done.returncode}:" if trial.done.returncode else "Docker takes it."
    )


def cause(flag: str, text: str, numbers: Mapping[str, int], blamed: tuple[MountPart, ...], message: str) -> str:
    """Which part a refusal is about, in words; "" where Docker does not refuse."""
    if not message:
        return ""
    if name := missing(message):
        return f"What is missing: the {name}."
    if not blamed:
        return "It is about the flag as a whole."
    return "The cause: " + " and ".join(_named(part, text, numbers) for part in blamed) + "."


def _named(part: MountPart, text: str, numbers: Mapping[str, int]) -> str:
    shown = text[part.start : part.end] or EMPTY
    return f"part {numbers[part.name]}, {FIELD[part.name].title.lower()}, {shown}" if part.name in numbers else shown


def differences(form: MountForm, trials: Mapping[str, Trial]) -> Iterable[str]:
    """Where the same mount goes differently with -v and with --mount, and what both do; as it is on this machine."""
    if form.type == "bind" and set(trials) == {"-v", "--mount"} and not trials["-v"].done.returncode:
        yield _missing_source(form, trials["-v"].made(HostFolderCreated))
    if form.type == "bind" and form.target:
        yield f"With both, what the image has at {form.target} is hidden, and nothing of it is copied to the host."
    taken = {flag: trial for flag, trial in trials.items() if not trial.done.returncode}
    makes = {flag: made for flag, trial in taken.items() if (made := trial.made(VolumeCreated))}
    for made in list(makes.values())[:1]:
        named = f"Docker makes the volume {made.name}, which is not there yet."
        yield f"{_who(makes, taken)}, {'each new container gets a volume of its own.' if made.anonymous else named}"
    fills = {flag: filled for flag, trial in taken.items() if (filled := trial.made(VolumePopulated))}
    for filled in list(fills.values())[:1]:
        yield f"{_who(fills, taken)}, the empty volume is filled with what the image has at {filled.path}."


def _who(does: Mapping[str, object], taken: Mapping[str, object]) -> str:
    """Which of the flags that Docker takes bring it about."""
    if len(does) == len(READ):
        return "With both"
    others = [flag for flag in taken if flag not in does]
    return f"With {', '.join(does)}" + (f", and not with {others[0]}" if others else "")


def _missing_source(form: MountForm, created: HostFolderCreated | None) -> str:
    create = FIELD["create_source"].key
    if created and form["create_source"]:
        return f"There is no {created.path} on the host. Both make it: an empty folder that belongs to root."
    if created:
        return (
            f"There is no {created.path} on the host. -v makes it, an empty folder that belongs to root; --mount "
            f"refuses, unless it says {create}."
        )
    does = f"would make it too, as it says {create}" if form["create_source"] else "would refuse"
    return f"If {form.source} were missing on the host, -v would make it, as an empty folder of root's; --mount {does}."


def look_command(target: str) -> str:
    """What shows a mount from inside the container."""
    if HOLDS_ALL.fullmatch(target):
        return f"""sh -c 'ls -la {target}; grep " {target} " /proc/mounts'"""
    return f"ls -la {shlex.quote(target)}" if target else "cat /proc/mounts"


def still_flag(name: str, flag: JsonObject) -> str:
    """One flag where no kernel runs."""
    numbered = ((html.escape(text(each, "text")), number(each, "number")) for each in items(flag, "pieces"))
    spans = "".join(f"{shown}<sup>{at}</sup>" if at else shown for shown, at in numbered)
    message, words = text(flag, "message"), " ".join(filter(None, [text(flag, "cause"), *texts(flag, "notes")]))
    said = f"<pre>{html.escape(message)}</pre>" if message else ""
    more = f"<p>{html.escape(words)}</p>" if words else ""
    return f"<p><code>{name} {spans}</code></p><p>{html.escape(text(flag, 'verdict'))}</p>{said}{more}"
