"""playground(): a terminal, the live picture beside it, and a way back and forth through time.

The history is the Timeline's; this draws the moment that it is in. widgets/src/playground.js shows it.

A machine to hand on: as a short text that holds its inputs, and as a script for a real Docker.

The text is "labkit:1:" and then JSON, compressed, in base64's alphabet for addresses. It may come from anybody: it is
read within limits of size, its inputs are played as any others are, on a machine of their own, and never more than
MOST_STEPS of them.
"""

from __future__ import annotations

import base64
import binascii
import html
import json
import re
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import traitlets

from labkit.course.session import INPUT_KINDS, Moment, RecordedInput, Timeline
from labkit.course.setups import MachineOptions, machine_with
from labkit.jupyter.magics import LessonMachine, choices
from labkit.jupyter.panel import PROMPT, TerminalPanel, bundle, line_of, picture_trait
from labkit.jupyter.picture import Picture
from labkit.jupyter.view import UNMARKED, MachineView, Marks, compare, count, cut, look, only, told, written
from labkit.kernel.golang import Json, JsonObject

VERSION = 1
MARK = re.compile(r"labkit:(\d{1,6}):([A-Za-z0-9_=-]*)\Z")
MOST_INPUTS = 400
LONGEST = 128 << 10  # characters of all inputs
LONGEST_TEXT = 256 << 10  # characters of the shared text
LARGEST = 1 << 20  # bytes of its JSON
MOST_STEPS = 3_000_000  # of all inputs
KEYS = ("\x03", "\x04")  # ^C and ^D, which no script has


class ShareError(ValueError):
    """A text that is no shared machine; str() says why."""


@dataclass(frozen=True)
class Shared:
    """What a machine is made from: options, and inputs to be played."""

    options: Mapping[str, object]
    inputs: tuple[RecordedInput, ...]


def shared_text(options: Mapping[str, object], inputs: Sequence[RecordedInput]) -> str:
    """The machine as a text. Raises ShareError where it would be longer than what is read back."""
    check_limits(inputs)
    rows = [[each.kind, each.text, *([each.path] if each.kind == "file" else [])] for each in inputs]
    data = json.dumps({"machine": dict(options), "inputs": rows}, ensure_ascii=False, separators=(",", ":"))
    packed = zlib.compress(data.encode("utf-8", "surrogatepass"), 9)
    return f"labkit:{VERSION}:{base64.urlsafe_b64encode(packed).decode().rstrip('=')}"


def read_shared(text: str) -> Shared:
    """A machine from its text. Raises ShareError."""
    squeezed = "".join(text.split())
    found = MARK.match(squeezed) if len(squeezed) <= LONGEST_TEXT else None
    if found is None:
        raise ShareError("this is no shared machine: its text starts with labkit:1: and holds letters, digits, - and _")
    if int(found[1]) != VERSION:
        raise ShareError(f"it was made by another version of labkit (format {found[1]}, here {VERSION})")
    data = _unpacked(found[2])
    if not isinstance(data, dict):
        raise ShareError("its content is none of a machine")
    return Shared(_options(data.get("machine")), _inputs(data.get("inputs")))


def _unpacked(text: str) -> Json:
    try:
        packed = base64.urlsafe_b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4))
        unpacking = zlib.decompressobj()
        data = unpacking.decompress(packed, LARGEST)
        if not unpacking.eof:
            raise ShareError("it is cut off, or too large")
        found: Json = json.loads(data.decode("utf-8", "surrogatepass"))
        return found
    except ShareError:
        raise
    except (ValueError, binascii.Error, zlib.error, RecursionError):
        raise ShareError("it is damaged: copy the whole text again") from None


def _options(found: Json) -> dict[str, Json]:
    known = MachineOptions.__annotations__
    if not isinstance(found, dict):
        raise ShareError("a machine has no such option: ''")
    for name, value in found.items():
        words = value if isinstance(value, list) else [value]
        plain = all(word is None or (isinstance(word, str) and len(word) < 100) for word in words)
        if name not in known or not plain or len(words) > 20:
            raise ShareError(f"a machine has no such option: {name!r:.60}")
    return found


def _inputs(found: Json) -> tuple[RecordedInput, ...]:
    if not isinstance(found, list):
        raise ShareError("it has no inputs")
    inputs = tuple(_input(row) for row in found)
    check_limits(inputs)
    return inputs


def _input(row: Json) -> RecordedInput:
    words = [word for word in row if isinstance(word, str)] if isinstance(row, list) else []
    fits = isinstance(row, list) and len(words) == len(row) == (3 if words[:1] == ["file"] else 2)
    if not fits or words[0] not in INPUT_KINDS:
        raise ShareError("one of its inputs is none")
    return RecordedInput(*words)


def check_limits(inputs: Sequence[RecordedInput]) -> None:
    """Raises ShareError where there are too many inputs, or too long ones."""
    if len(inputs) > MOST_INPUTS or sum(len(each.text) + len(each.path) for each in inputs) > LONGEST:
        raise ShareError(f"it has more than {MOST_INPUTS} inputs or {LONGEST >> 10} KiB of them")
    if any("\0" in each.text + each.path for each in inputs):
        raise ShareError("one of its inputs has a NUL character in it")


def play_shared(shared: Shared) -> Timeline:
    """The shared machine, with its history. Raises ShareError."""
    try:
        timeline = Timeline(machine_with(shared.options), shared.options)
    except (ValueError, TypeError) as error:  # TypeError: a list where a word should be
        raise ShareError(f"there is no such machine: {error}") from None
    for each in shared.inputs:
        if timeline.machine.spent > MOST_STEPS:
            raise ShareError("its inputs do too much")
        try:
            timeline.do(each)
        except OSError as error:  # of a file that cannot be written
            raise ShareError(f"an input fails: {error.strerror}") from None
    return timeline


HEAD = """#!/bin/sh
# What was typed on a simulated machine{machine}, as a script for a real Docker.
# It makes images, containers and volumes: run it where that does no harm.
home=$(mktemp -d) && cd "$home" || exit
"""


def script(options: Mapping[str, object], moments: Sequence[Moment]) -> str:
    """The inputs as a script: what was typed in a container's shell becomes a here-document for it."""
    about = ", ".join(f"{name}={value}" for name, value in options.items())
    head = HEAD.format(machine=f" ({_comment(about)})" if about else "")
    return "\n".join([head, *(piece for group in _groups(moments) for piece in _scripted(group))]) + "\n"


def _groups(moments: Sequence[Moment]) -> Iterator[list[Moment]]:
    """Inputs that belong together: a command that is typed over several lines, a stay in a container's shell."""
    group: list[Moment] = []
    for moment in moments:
        group.append(moment)
        if not (moment.inside or moment.waits):
            yield group
            group = []
    if group:
        yield group


def _scripted(group: list[Moment]) -> Iterator[str]:
    for kind, run in groupby(group, lambda moment: moment.input.kind if moment.input else ""):
        moments = [moment for moment in run if moment.input]
        texts = [moment.input.text for moment in moments if moment.input]
        if kind == "typed":
            yield _typed(moments, texts)
        elif kind == "file":
            yield from (
                _heredoc(f"cat > {_quoted(each.input.path)}", each.input.text) for each in moments if each.input
            )
        else:  # in a shell of its own, in the learner's folder
            yield from (f'(\ncd "$home" || exit\n{_sound(text)}\n)' for text in texts)


def _typed(moments: list[Moment], texts: list[str]) -> str:
    inside = next((place for place, moment in enumerate(moments) if moment.inside), None)
    if inside is None:
        return _sound("\n".join(texts))
    opening, lines = texts[: inside + 1], [text for text in texts[inside + 1 :] if text not in KEYS]
    opening[-1] = re.sub(r"(?<=\s)(-it|-ti|-i -t|-t -i)(?=\s)", "-i", opening[-1])
    return _heredoc("\n".join(opening), "\n".join(lines))


def _heredoc(command: str, text: str) -> str:
    mark = "EOF"
    while mark in text.split("\n"):
        mark += "_"
    return f"{command} <<'{mark}'\n{text}{'' if text.endswith(chr(10)) or not text else chr(10)}{mark}"


def _sound(text: str) -> str:
    """What a shell can read; what it cannot, as a comment, so that the rest still runs."""
    from labkit.shell.parser import parse

    program = parse(text)
    if not any(key in text for key in KEYS) and not program.problem and not program.unended:
        return text
    return "\n".join(["# no whole command:", *(f"# {_comment(line)}" for line in text.split("\n"))])


def _comment(text: str) -> str:
    return "".join(char if char.isprintable() else "?" for char in text)


def _quoted(path: str) -> str:
    return "'" + path.replace("'", "'\\''") + "'"


MOST_FOLLOWERS = 3  # playgrounds that follow one lesson; the older ones are drawn when they are used


class PlaygroundWidget(TerminalPanel):
    """A machine to try things on."""

    _esm, _css = bundle("playground")
    says = "note"

    events: traitlets.List[str] = traitlets.List().tag(sync=True)  # what the engine did at the last input
    titles: traitlets.List[str] = traitlets.List().tag(sync=True)  # the inputs of the line that is looked at
    place = traitlets.Int().tag(sync=True)  # after how many of them the machine is
    others: traitlets.List[JsonObject] = traitlets.List().tag(sync=True)  # other futures: number, text
    names: traitlets.List[str] = traitlets.List().tag(sync=True)  # what can be looked at alone
    focus = traitlets.Unicode().tag(sync=True)  # the one that is; "": everything
    note = traitlets.Unicode().tag(sync=True)  # what there is to say about the last action
    shared = traitlets.Dict().tag(sync=True)  # {"text": …, "script": …} once it was asked for
    former = traitlets.Bool().tag(sync=True)  # is there a machine that an opened one took the place of?

    def __init__(self, lesson: LessonMachine) -> None:
        self._lesson = lesson
        self._former: Timeline | None = None
        self._drawn: tuple[object, ...] = ()
        self._followed: Timeline | None = None
        super().__init__()
        lesson.watchers = [*lesson.watchers, self._follow][-MOST_FOLLOWERS:]
        self._follow()

    @property
    def timeline(self) -> Timeline:
        return self._lesson.timeline

    @property
    def view(self) -> MachineView:
        """What there is on the machine at this moment."""
        noted = self.timeline.now.notes.get("view")
        if isinstance(noted, MachineView):
            return noted
        view = look(self.timeline.machine)
        self.timeline.note(view=view)
        return view

    @property
    def marks(self) -> Marks:
        """What the last input changed."""
        now = self.timeline.now
        before = self.timeline.moments[now.parent].notes.get("view") if now.parent >= 0 else None
        return compare(before, self.view) if isinstance(before, MachineView) else UNMARKED

    def __repr__(self) -> str:
        return f"playground():\n{Picture(self.view).text}"

    def still(self) -> str:
        """The picture and the inputs so far."""
        lines = "\n".join(f"{moment.prompt or PROMPT}{line_of(moment)}" for moment in self.timeline.past)
        typed = f"<pre>{html.escape(lines)}</pre>\n" if lines else ""
        return f"<p><strong>Playground</strong></p>\n{typed}{Picture(self.view).html()}"

    def handle(self, message: Json) -> None:
        """As every panel's; what changed goes to the page as one message."""
        with self.hold_sync():
            super().handle(message)
            self._draw()

    # --- what the page asks for

    def give(self, given: RecordedInput) -> None:
        ahead = len(self.timeline.line) - 1 - self.place
        self.note = ""
        self.timeline.do(given)
        if ahead > 0:
            former = f"The former one, {count(ahead, 'input')} long, is kept under Other futures."
            self.note = f"A new future starts here. {former}"

    def do_undo(self) -> None:
        taken = self.timeline.undo()
        self.note = f"Taken back: {cut(taken.title)}" if taken else "There is nothing to take back."

    def do_redo(self) -> None:
        done = self.timeline.redo()
        self.note = f"Done again: {cut(done.title)}" if done else "There is nothing to do again."

    def do_go(self, place: int = -1) -> None:
        """Along the line that is looked at."""
        line = self.timeline.line
        if 0 <= place < len(line):
            self.timeline.go(line[place].number)
            self.note = ""

    def do_branch(self, number: int = -1) -> None:
        """To the end of another line."""
        if number in {moment.number for moment in self.timeline.others}:
            self.timeline.go(number)
            self.note = "This is the other future. The one you come from is kept under Other futures."

    def do_reset(self) -> None:
        inputs = len(self.timeline.line) - 1
        self.timeline.go(0)
        back = f"Back at the start. The slider and Redo bring your {count(inputs, 'input')} back."
        self.note = back if inputs else ""

    def do_focus(self, name: str = "") -> None:
        self.focus = name

    def do_share(self) -> None:
        timeline = self.timeline
        text = shared_text(timeline.options, timeline.inputs)
        self.shared = {"text": text, "script": script(timeline.options, timeline.past)}

    def do_open(self, text: str = "") -> None:
        try:
            found = play_shared(read_shared(text))
        except ShareError as error:
            self.note = f"That was not opened: {error}."
            return
        self._former, self._lesson.timeline = self.timeline, found
        self.former = True
        self.note = f"Opened: a machine with {count(len(found.inputs), 'input')}. Yours is put aside, not lost."

    def do_bring_back(self) -> None:
        """The machine that an opened one took the place of, and that one aside."""
        if self._former is not None:
            self._former, self._lesson.timeline = self.timeline, self._former
            self.note = "The two machines have changed places."

    # --- what the page shows

    def _follow(self) -> None:
        """The lesson has another timeline: look at that one."""
        if self._followed is not None and self._changed in self._followed.watchers:
            self._followed.watchers.remove(self._changed)
        self._followed = self.timeline
        self.timeline.watchers = [*self.timeline.watchers, self._changed][-MOST_FOLLOWERS:]
        self._draw()

    def _changed(self) -> None:
        """An input was run, here or in a cell."""
        with self.hold_sync():
            self._draw()

    def _draw(self) -> None:
        """Show the moment that the machine is in; whatever a learner did to it, a cell must not end in a traceback."""
        try:
            self._show()
        except Exception as error:
            self.note = f"The machine cannot be drawn any more: {error}. Undo takes you back."

    def _show(self) -> None:
        timeline = self.timeline
        drawn = (timeline, timeline.at, timeline.tip, len(timeline.moments), self.focus)
        if drawn == self._drawn:
            return
        self._drawn = drawn
        line, past = timeline.line, timeline.past
        self.show_terminal()
        self.titles = [cut(moment.input.title) for moment in line if moment.input]
        self.place = len(past)
        events = timeline.now.events
        self.events = [*told(events, timeline.machine.engine), *written(events, self.marks)]
        self.others = [_other(timeline, tip) for tip in timeline.others]
        self.shared = {}
        self._draw_picture()

    def _draw_picture(self) -> None:
        view = self.view
        images = [name for image in view.images for name in image.names]
        self.names = [*(container.name for container in view.containers), *images, *view.volumes]
        if self.focus not in self.names:
            self.focus = ""
        shown = only(view, [self.focus]) if self.focus else view
        self.picture = picture_trait(Picture(shown, self.marks), self.timeline.now.events)


def _other(timeline: Timeline, tip: Moment) -> JsonObject:
    """An end of another line, and how it differs from the one that is looked at."""
    own = timeline.branching(tip)
    first = own[0].input
    more = f" and {len(own) - 1} more" if len(own) > 1 else ""
    after = len([moment for moment in timeline.line if 0 < moment.number <= own[0].parent])
    return {"number": tip.number, "text": f"after input {after}: {cut(first.title if first else '')}{more}"}


def open_playground(
    lines: tuple[str, ...], lesson: Callable[[], LessonMachine], fresh: bool, options: Mapping[str, object]
) -> PlaygroundWidget:
    """The widget that playground() shows; ValueError says what is wrong with the arguments."""
    for line in lines:
        if not isinstance(line, str):
            raise ValueError(f"{line!r:.60} is no line to type: write it in quotes")
    if lines and lines[0].strip().startswith("labkit:"):
        found = LessonMachine()
        found.timeline = play_shared(read_shared(lines[0]))
        lines = lines[1:]
    elif fresh or options:
        found = LessonMachine()
        try:
            found.fresh(**options)
        except TypeError:  # Machine has no such option
            raise ValueError(f"what can be chosen is {choices()}") from None
    else:
        found = lesson()
    for line in lines:
        found.timeline.do(RecordedInput("typed", line))
    return PlaygroundWidget(found)
