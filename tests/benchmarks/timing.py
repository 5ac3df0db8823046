"""How long something takes."""

from __future__ import annotations

import time
from collections.abc import Callable


def best(call: Callable[[], object], runs: int = 5) -> float:
    """Seconds of the fastest of several runs."""
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)
