"""What a person types at a terminal: a stream that has no line yet when it is read."""

from __future__ import annotations

from labkit.files import Content
from labkit.kernel.process import Input, Killed, Output, Parked

INTERRUPTED = 130  # exit status after SIGINT


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
        self.echoing = False
        self.interrupted = False  # ^C

    def _interrupt(self) -> None:
        if self.interrupted:
            self.interrupted, self.typed = False, b""
            raise Killed(INTERRUPTED)

    def echo(self, line: bytes, output: Output) -> None:
        """What is typed is part of what the terminal shows, so a container's log has it; the person sees it anyway."""
        self.echoing = True
        output.write(line)
        self.echoing = False

    def read_content(self, size: int = -1) -> Content:
        return Content(self.read(size))

    def read(self, size: int = -1) -> bytes:
        """All up to ^D where the size is negative, else what there is of the line."""
        self._interrupt()
        if not self.ended and (size < 0 or not self.typed):
            raise NeedsInput
        if size < 0 or (self.ended and not self.typed):
            data, self.typed, self.ended = self.typed, b"", False
            return data
        line = self.typed[: self.typed.find(b"\n") + 1 or None][:size]
        self.typed = self.typed[len(line) :]
        return line

    def readline(self) -> bytes:
        self._interrupt()
        if b"\n" not in self.typed:
            if not self.ended:
                raise NeedsInput
            data, self.typed, self.ended = self.typed, b"", False
            return data
        line, _, self.typed = self.typed.partition(b"\n")
        return line + b"\n"
