"""The second wall around a submission: what the machine's own counts have let pass is stopped by the system.

The first wall counts steps and bytes, and gives the same verdict on every computer. Nothing should come to this one;
who does is stopped and not graded, since how far it came depends on the computer.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from labkit.kernel import limits

SECONDS = 60  # of the processor, for one submission
MEMORY = 1 << 30  # bytes of the process


class WallError(BaseException):
    """The time is up. Not an Exception, so that nothing on the way takes it for a fault of its own."""


@contextmanager
def wall(seconds: int = SECONDS, memory: int = MEMORY) -> Iterator[None]:
    """Raise WallError, or MemoryError, in here when it takes more.

    Without effect where the system has no such limits (Windows, a browser), and in a thread: others would meet it too.
    """
    if sys.platform in ("win32", "emscripten") or threading.current_thread() is not threading.main_thread():
        yield
        return
    import resource

    kinds = (resource.RLIMIT_CPU, resource.RLIMIT_DATA)
    before = {kind: resource.getrlimit(kind) for kind in kinds}
    handler = signal.signal(signal.SIGXCPU, _ring)
    wanted = {resource.RLIMIT_CPU: _used() + seconds, resource.RLIMIT_DATA: memory}
    try:
        for kind, (soft, hard) in before.items():
            most = [each for each in (soft, hard, wanted[kind]) if each != resource.RLIM_INFINITY]
            resource.setrlimit(kind, (min(most), hard))
        with limits.memory_is_limited():
            yield
    finally:
        for kind, limit in before.items():
            resource.setrlimit(kind, limit)
        signal.signal(signal.SIGXCPU, handler)


def _used() -> int:
    """Whole seconds of the processor that this process has taken."""
    import resource

    usage = resource.getrusage(resource.RUSAGE_SELF)
    return int(usage.ru_utime + usage.ru_stime) + 1


def _ring(number: int, frame: object) -> None:
    raise WallError
