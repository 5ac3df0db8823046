"""The terminal at which one types.

A terminal is an interactive shell that takes one line at a time: a stream that has no line yet when it is read. It
raises NeedsInput, which is a wait like any other (Parked), and passes through whatever programs run: the shell of
`docker run -it`, the engine, docker, the host's shell. The session keeps that wait; the next line resumes it. So a
shell within a shell needs no hook of its own: a program that is not the last to run wraps the wait with `Parked.then`,
as it must for a detached process that sleeps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from labkit.files import Content
from labkit.files.contents import length
from labkit.kernel.limits import Runaway
from labkit.kernel.process import Output, Parked, Process
from labkit.shell.terminal import Keyboard


class Written(NamedTuple):
    """Text and where it was written: 1 (stdout) or 2 (stderr)."""

    stream: int
    text: bytes


class Screen(Output):
    """One of a terminal's two streams; both write to the same list."""

    isatty = True

    def __init__(self, number: int, shown: list[Written], keyboard: Keyboard) -> None:
        super().__init__()
        self.keyboard = keyboard
        self.number = number
        self.shown = shown

    def _add(self, piece: Content | bytes, cost: int) -> None:
        if self.keyboard.echoing:
            return
        if length(piece) > self.limit:
            raise Runaway(f"the output is longer than {self.limit >> 20} MiB")
        self.size += length(piece)
        if self.size > self.limit:
            raise Runaway(f"the output is longer than {self.limit >> 20} MiB")
        self.shown.append(Written(self.number, bytes(piece)))


class SavedSession(NamedTuple):
    """A shell at a terminal, at one moment."""

    waiting: Parked | None
    prompt: str
    status: int | None
    held: bool


class Session:
    """A shell at a terminal. `process` is the shell to start: its argv, env and files; its streams are replaced."""

    def __init__(self, process: Process) -> None:
        self._shown: list[Written] = []
        self._keyboard = Keyboard()
        self._screens = (Screen(1, self._shown, self._keyboard), Screen(2, self._shown, self._keyboard))
        self._process = replace(
            process, stdin=self._keyboard, stdout=self._screens[0], stderr=self._screens[1], tty=True, detached=False
        )
        self._waiting: Parked | None = None
        self.prompt = ""  # what the innermost shell shows before the cursor
        self.status: int | None = None  # of the shell, when it has ended
        self._continue(partial(process.kernel.execute, self._process))
        self.banner = self._take()

    @property
    def ended(self) -> bool:
        return self.status is not None

    @property
    def incomplete(self) -> bool:
        """Whether the shell waits for the rest of a command."""
        return self.prompt == "> "

    def feed(self, line: str | None) -> list[Written]:
        """Type a line (None: ^D) and give what is written until the next prompt, which is not part of it.

        Where the line is a runaway, the shell is afterwards what it was before it, and Runaway goes on to the caller.
        """
        if line is None:
            self._keyboard.ended = True
        else:
            self._keyboard.typed += (line if line.endswith("\n") else line + "\n").encode("utf-8", "surrogateescape")
        return self._go_on()

    def interrupt(self) -> list[Written]:
        """Type ^C: what waits for input is killed; at a prompt the line is given up."""
        self._keyboard.interrupted = True
        return self._go_on()

    @property
    def held(self) -> bool:
        """Whether a command has the terminal until ^C; what is typed meanwhile is lost."""
        return self._keyboard.held

    def snapshot(self) -> SavedSession:
        """The shell as it is; its machine is not part of it."""
        return SavedSession(self._waiting, self.prompt, self.status, self.held)

    def restore(self, saved: SavedSession) -> None:
        self._waiting, self.prompt, self.status, self._keyboard.held = saved

    def _go_on(self) -> list[Written]:
        """Resume as long as something reads what was typed."""
        before = self.snapshot()
        while self._waiting is not None:
            keyboard, waiting = self._keyboard, self._waiting
            left = keyboard.typed
            try:
                self._continue(partial(waiting.resume, self._process))
            except BaseException:
                self.restore(before)
                self._shown.clear()
                keyboard.typed = b""
                raise
            if not keyboard.typed or keyboard.typed == left:
                break
        if self.held:
            self._keyboard.typed, self._keyboard.ended = b"", False
        return self._take()

    def _continue(self, run: Callable[[], int]) -> None:
        """Run until the shell ends or waits for a line."""
        self._waiting = None
        kernel, self._keyboard.held = self._process.kernel, False
        kernel.keys, before = self._keyboard, kernel.keys
        try:
            self.status = run()
        except Parked as parked:
            self._waiting = parked
        finally:
            kernel.keys = before

    def _take(self) -> list[Written]:
        """What was written, without the prompt at its end."""
        shown = list(self._shown)
        self._shown.clear()
        for screen in self._screens:
            screen.size = 0
        self.prompt = ""
        if self._waiting is not None and shown and not shown[-1].text.endswith(b"\n"):
            self.prompt = shown.pop().text.decode("utf-8", "replace")
        return shown
