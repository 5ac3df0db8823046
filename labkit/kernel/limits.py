"""What one command may use: steps, and bytes made at once. Every loop and every producer of bytes asks here.

Counts, never seconds or free memory, so that the same command ends in the same way on every computer. Who has a process
at hand ticks its kernel; a function that has none ticks the meter of the command that runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from labkit.files.contents import TooLarge

HELD = 16 << 20  # bytes of one text
_BYTES_A_STEP = 256  # so a command's steps are also all the bytes that it can make


class Runaway(Exception):
    """A command used up what one command may use (steps, output, depth); str() says which."""


STOPPED = (Runaway, RecursionError, MemoryError, TooLarge)  # what ends a command that takes too much
_REASONS = {
    RecursionError: "nested too deeply",
    MemoryError: "it takes too much memory",
    TooLarge: "so many bytes do not fit into memory",
}


def reason(error: BaseException) -> str:
    """One of STOPPED in words. MemoryError goes on to who has limited the memory."""
    if isinstance(error, MemoryError) and _memory_limited.get():
        raise error
    return str(error) if isinstance(error, Runaway) else _REASONS[type(error)]


_meter: ContextVar[Callable[[int], object] | None] = ContextVar("meter", default=None)


@dataclass
class StepCount:
    """The steps of all commands while it counts."""

    steps: int = 0


_count: ContextVar[StepCount | None] = ContextVar("count", default=None)


@contextmanager
def counting() -> Iterator[StepCount]:
    """The steps of all commands in here."""
    count = StepCount()
    before = _count.set(count)
    try:
        yield count
    finally:
        _count.reset(before)


def count(steps: int) -> None:
    """A command took so many."""
    if counted := _count.get():
        counted.steps += steps


_memory_limited: ContextVar[bool] = ContextVar("memory_limited", default=False)


@contextmanager
def memory_is_limited() -> Iterator[None]:
    """In here somebody else deals with MemoryError: what it ends depends on the computer."""
    before = _memory_limited.set(True)
    try:
        yield
    finally:
        _memory_limited.reset(before)


@contextmanager
def metered(meter: Callable[[int], object]) -> Iterator[None]:
    """In here a command runs, whose steps this counts; a number that Python refuses to make is too much as well."""
    before = _meter.set(meter)
    try:
        yield
    except OverflowError:
        raise Runaway("a number is too large") from None
    except ValueError as error:
        if "integer string conversion" not in str(error):  # more than 4,300 digits, in every CPython since 3.11
            raise
        raise Runaway("a number has too many digits") from None
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
