"""Jobs that outlive the shell that started them: each goes on when the machine's clock has passed its time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from labkit.kernel.limits import BACKGROUND_STEPS, RESUMES, Runaway
from labkit.kernel.process import Kernel, Killed, Parked, Process


@dataclass(frozen=True)
class LeftJob:
    """A process that waits. It is never run itself: a copy of it goes on."""

    process: Process
    parked: Parked
    until: int  # ns


class LeftJobs:
    """Those of one machine. `copied`: a process with streams of its own. `others` lets all else that waits go on."""

    def __init__(self, kernel: Kernel, copied: Callable[[Process], Process], others: Callable[[], None]) -> None:
        self.waiting: tuple[LeftJob, ...] = ()
        self._kernel = kernel
        self._copied = copied
        self._others = others

    def add(self, process: Process, parked: Parked) -> None:
        """What waits for ever is as good as gone."""
        if parked.until is not None:
            self.waiting += (LeftJob(process, parked, parked.until),)

    def advance(self) -> None:
        """Let all go on to what the clock says now, each job at its own time, in order."""
        clock = self._kernel.clock
        now = clock.now
        resumes = 0
        while job := min((job for job in self.waiting if job.until <= now), key=lambda job: job.until, default=None):
            self.waiting = tuple(other for other in self.waiting if other is not job)
            resumes += 1
            clock.now = job.until if resumes <= RESUMES else now
            self._others()
            self._go_on(job)
        clock.now = now
        self._others()

    def _go_on(self, job: LeftJob) -> None:
        kernel = self._kernel
        budget, kernel.budget = kernel.budget, BACKGROUND_STEPS
        process = self._copied(job.process)
        try:
            job.parked.resume(process)
        except Parked as parked:
            self.add(process, parked)
        except (Runaway, RecursionError, MemoryError, OSError, Killed):
            return  # there is nobody to tell
        finally:
            kernel.budget = budget
