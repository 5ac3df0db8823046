"""The lesson's machine: the one that the magics run on and show() draws; with an undo for every input."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from labkit.course.play import machine_with
from labkit.course.timeline import InputOutcome, RecordedInput, Timeline, as_text
from labkit.jupyter.show import Picture, picture
from labkit.jupyter.view import MachineView, look

if TYPE_CHECKING:
    from labkit.machine import Machine

__all__ = ["LessonMachine", "as_text"]


class LessonMachine:
    """A machine with all that was typed on it, and the view that was last shown."""

    def __init__(self) -> None:
        self._timeline: Timeline | None = None
        self._shown: MachineView | None = None
        self.watchers: list[Callable[[], None]] = []  # called when the timeline is another one

    @property
    def timeline(self) -> Timeline:
        """What was typed; begun, with the machine, when it is first asked for."""
        if self._timeline is None:
            self._timeline = Timeline(machine_with({}))
        return self._timeline

    @timeline.setter
    def timeline(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._shown = None
        for watcher in self.watchers:
            watcher()

    @property
    def machine(self) -> Machine:
        return self.timeline.machine

    def fresh(self, **options: object) -> None:
        """Start over on a fresh machine."""
        self.timeline = Timeline(machine_with(options), options)

    def run(self, line: str) -> InputOutcome:
        """Run what a person would type; the machine as it was can be had back."""
        return self.timeline.do(RecordedInput("run", line))

    def type(self, text: str) -> str:
        """What a terminal shows when these lines are typed one after the other, into whatever shell waits for them."""
        outcome = self.timeline.do(RecordedInput("session", text))
        return "".join(piece for _, piece in outcome.written)

    def write_file(self, path: str, text: str) -> None:
        """Write a file on the host, its folder too where that is missing; a relative path starts in /home/learner."""
        self.timeline.do(RecordedInput("file", text, path))

    def undo(self) -> str | None:
        """Take back the last input, and say which it was; None where there is none."""
        taken = self.timeline.undo()
        if taken is None:
            return None
        return taken.title if taken.kind == "file" else taken.text

    def show(self, *names: str) -> Picture:
        """The machine as a picture; what changed since the last one stands out."""
        found = picture(self.machine, names, self._shown)
        self._shown = look(self.machine)
        return found
