"""BuildKit's plain progress: what `docker build` prints to stderr while it works.

The format is that of moby/buildkit util/progress/progressui; the whole of it is seen in examples/build.txt.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

HEADER = '#0 building with "default" instance using docker driver\n'
_SHOWN_LOGS = 10  # lines of a step's output that are printed again when it fails
_SLOW = 0.01  # seconds; what is faster is printed without a time

Emit = Callable[[str], object]


class Progress:
    """Prints the steps, one after the other."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._count = 0

    def start(self) -> None:
        self._emit(HEADER)

    def step(self, name: str) -> ProgressStep:
        self._count += 1
        self._emit(f"\n#{self._count} {name}\n")
        return ProgressStep(self._emit, self._count, name)


class ProgressStep:
    """One vertex of the build graph, as it is printed."""

    def __init__(self, emit: Emit, number: int, name: str) -> None:
        self._emit = emit
        self.number = number
        self.name = name
        self._logs: deque[str] = deque(maxlen=_SHOWN_LOGS)
        self._partial = ""

    def line(self, text: str) -> None:
        self._emit(f"#{self.number} {text}\n")

    def status(self, text: str, size: int = 0, seconds: float = 0.0) -> None:
        """`transferring context: 48B done`."""
        amount = f" {human_size(size)}" if size else ""
        time = f" {seconds:.1f}s" if seconds > _SLOW else ""
        self.line(f"{text}{amount}{time} done")

    def log(self, text: str, seconds: float) -> None:
        """Output of the step's process, at this time since its start; a line is printed once it is whole."""
        *lines, self._partial = (self._partial + text).split("\n")
        for line in lines:
            self._log_line(line, seconds)

    def _log_line(self, line: str, seconds: float) -> None:
        written = f"{stamp(seconds)} {line}"
        self._logs.append(written)
        self.line(written)

    def flush(self, seconds: float) -> None:
        """The last line, which may have no end."""
        if self._partial:
            self._log_line(self._partial, seconds)
            self._partial = ""

    def done(self, seconds: float = 0.0) -> None:
        self.line(f"DONE {seconds:.1f}s")

    def cached(self) -> None:
        self.line("CACHED")

    def failed(self, message: str) -> None:
        """The error, and below it the step's name and last lines again."""
        self.line(f"ERROR: {message}")
        again = "".join(f"{line}\n" for line in self._logs)
        self._emit(f"------\n > {self.name}:\n{again}------\n")


def stamp(seconds: float) -> str:
    """Seconds in five characters: 0.153, 12.34."""
    text = f"{seconds:#.4g}" if seconds >= 0.001 else f"{seconds:.3f}"
    return text[:5]


_UNITS = ("B", "kB", "MB", "GB", "TB")


def human_size(size: int) -> str:
    """48B, 1.50kB, 3.41MB."""
    amount: float = size
    for unit in _UNITS:
        if amount < 1000 or unit == _UNITS[-1]:
            return f"{size}B" if unit == "B" else f"{amount:.2f}{unit}"
        amount /= 1000
    raise AssertionError
