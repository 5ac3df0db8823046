"""The machine's own time."""

from __future__ import annotations

SECOND = 1_000_000_000  # nanoseconds


class Clock:
    """The machine's own time, in nanoseconds since 1970 (UTC); it moves only when it is told to."""

    def __init__(self, now: int) -> None:
        self.now = now

    def advance(self, nanoseconds: int) -> None:
        self.now += nanoseconds
