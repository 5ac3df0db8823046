"""What one command may use: steps, and bytes made at once. Every loop and every producer of bytes asks here.

Counts, never seconds or free memory, so that the same command ends in the same way on every computer. Who has a process
at hand ticks its kernel; a function that has none ticks the meter of the command that runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

HELD = 16 << 20  # bytes of one text
_BYTES_A_STEP = 256  # so a command's steps are also all the bytes that it can make


class Runaway(Exception):
    """A command used up what one command may use (steps, output, depth); str() says which."""


_meter: ContextVar[Callable[[int], object] | None] = ContextVar("meter", default=None)


@contextmanager
def metered(meter: Callable[[int], object]) -> Iterator[None]:
    """In here a command runs, whose steps this counts."""
    before = _meter.set(meter)
    try:
        yield
    finally:
        _meter.reset(before)


def tick(steps: int = 1) -> None:
    """So many steps are taken. Raises Runaway where there are none left."""
    if meter := _meter.get():
        meter(steps)


def hold(size: int, who: str) -> None:
    """`who` is about to make a text of so many bytes. Raises Runaway."""
    if size > HELD:
        raise Runaway(f"{who} holds more than {HELD >> 20} MiB")
    if size >= _BYTES_A_STEP:
        tick(size // _BYTES_A_STEP)
