"""A last resort against an answer that takes for ever where no budget of the machine sees it.

The machine counts steps, so that what it stops does not depend on the computer. One step may still be made long (a path
of thousands of folders); then the clock decides, where the system has an alarm (not on Windows).
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class OvertimeError(BaseException):
    """The time is up. Not an Exception, so that nothing on the way takes it for a fault of its own."""


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Raise OvertimeError in here when it takes longer; without effect where there is no alarm."""
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGALRM, _ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _ring(number: int, frame: object) -> None:
    raise OvertimeError
