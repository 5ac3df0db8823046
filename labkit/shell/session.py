"""A terminal: an interactive shell that takes one line at a time.

The terminal itself is a stream that has no line yet when it is read: it raises NeedsInput, which is a wait like any
other (Parked), and passes through whatever programs run: the shell of `docker run -it`, the engine, docker, the host's
shell. The session keeps that wait; the next line resumes it. So a shell within a shell needs no hook of its own: a
program that is not the last to run wraps the wait with `Parked.then`, as it must for a detached process that sleeps.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from labkit.engine.process import Input, Output, Parked, Process, Runaway
from labkit.files import Content


class NeedsInput(Parked):
    """A terminal was read before anything was typed."""

    def __init__(self) -> None:
        super().__init__(None)


class Keyboard(Input):
    """What has been typed and not read yet."""

    def __init__(self) -> None:
        super().__init__(b"", isatty=True)
        self.typed = b""
        self.ended = False  # ^D at the beginning of a line

    def read_content(self, size: int = -1) -> Content:
        return Content(self.read(size))

    def read(self, size: int = -1) -> bytes:
        """All up to ^D where the size is negative, else what there is of the line."""
        if not self.ended and (size < 0 or not self.typed):
            raise NeedsInput
        if size < 0 or (self.ended and not self.typed):
            data, self.typed, self.ended = self.typed, b"", False
            return data
        line = self.typed[: self.typed.find(b"\n") + 1 or None][:size]
        self.typed = self.typed[len(line) :]
        return line

    def readline(self) -> bytes:
        if b"\n" not in self.typed:
            if not self.ended:
                raise NeedsInput
            data, self.typed, self.ended = self.typed, b"", False
            return data
        line, _, self.typed = self.typed.partition(b"\n")
        return line + b"\n"


class Written(NamedTuple):
    """Text and where it was written: 1 (stdout) or 2 (stderr)."""

    stream: int
    text: bytes


class Screen(Output):
    """One of a terminal's two streams; both write to the same list."""

    isatty = True

    def __init__(self, number: int, shown: list[Written]) -> None:
        super().__init__()
        self.number = number
        self.shown = shown

    def _add(self, piece: Content | bytes, cost: int) -> None:
        if len(piece) > self.limit:
            raise Runaway(f"the output is longer than {self.limit >> 20} MiB")
        self.size += len(piece)
        if self.size > self.limit:
            raise Runaway(f"the output is longer than {self.limit >> 20} MiB")
        self.shown.append(Written(self.number, bytes(piece)))


class Session:
    """A shell at a terminal. `process` is the shell to start: its argv, env and files; its streams are replaced."""

    def __init__(self, process: Process) -> None:
        self._shown: list[Written] = []
        self._keyboard = Keyboard()
        self._screens = (Screen(1, self._shown), Screen(2, self._shown))
        self._process = replace(
            process, stdin=self._keyboard, stdout=self._screens[0], stderr=self._screens[1], tty=True, detached=False
        )
        self._waiting: Parked | None = None
        self.prompt = ""  # what the innermost shell shows before the cursor
        self.status: int | None = None  # of the shell, when it has ended
        self._continue(lambda: process.kernel.execute(self._process))
        self.banner = self._take()

    @property
    def ended(self) -> bool:
        return self.status is not None

    @property
    def incomplete(self) -> bool:
        """Whether the shell waits for the rest of a command."""
        return self.prompt == "> "

    def feed(self, line: str | None) -> list[Written]:
        """Type a line (None: ^D) and give what is written until the next prompt, which is not part of it."""
        if self._waiting is None:
            return []
        for part in [None] if line is None else (line + "\n" if not line.endswith("\n") else line).splitlines(True):
            if part is None:
                self._keyboard.ended = True
            else:
                self._keyboard.typed += part.encode("utf-8", "surrogateescape")
        waiting = self._waiting
        while waiting is not None:
            typed = self._keyboard.typed, self._keyboard.ended
            self._continue(lambda waiting=waiting: waiting.resume(self._process))  # type: ignore[misc]
            waiting = self._waiting
            if waiting is not None and (
                not self._keyboard.typed or typed == (self._keyboard.typed, self._keyboard.ended)
            ):
                break
        return self._take()

    def _continue(self, run: object) -> None:
        """Run until the shell ends or waits for a line."""
        before, self._waiting = self._waiting, None
        try:
            self.status = run()  # type: ignore[operator]
        except Parked as parked:
            self._waiting = parked
        except (Runaway, RecursionError):
            self._waiting, self._keyboard.typed = before, b""  # as if ^C had been pressed
            raise

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
