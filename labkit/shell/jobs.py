"""Commands in the background: each a process of its own, which ran at once and may wait."""

from __future__ import annotations

from dataclasses import dataclass, replace

from labkit.kernel.process import Kernel, Killed, Parked, Process


@dataclass(frozen=True)
class Job:
    """A command in the background: its status, or how it waits."""

    pid: int
    process: Process
    status: int | None = None
    parked: Parked | None = None

    @property
    def until(self) -> int | None:
        """When it goes on; None: never by itself, or it has ended."""
        return self.parked.until if self.parked else None


def resumed(job: Job) -> Job:
    """The job after its next piece of work."""
    assert job.parked is not None
    try:
        return replace(job, status=job.parked.resume(job.process), parked=None)
    except Parked as parked:
        return replace(job, parked=parked)
    except Killed as killed:
        return replace(job, status=killed.status, parked=None)


class Jobs(dict[int, Job]):
    """By process id, in the order in which they were started."""

    def end(self, job: Job, status: int) -> None:
        """A signal ends it."""
        self[job.pid] = replace(job, status=status, parked=None)

    def times(self) -> list[int]:
        """When those go on that wait for a time."""
        return [time for job in self.values() if (time := job.until) is not None]

    def go_on(self, kernel: Kernel) -> None:
        """Let those go on whose time has come, each at its time."""
        clock = kernel.clock
        kernel.tick(len(self))
        now = clock.now
        while due := [(until, job.pid) for job in self.values() if (until := job.until) is not None and until <= now]:
            until, pid = min(due)
            clock.now = until
            self[pid] = resumed(self[pid])
        clock.now = max(clock.now, now)

    def wait_for(self, job: Job, waiter: Process) -> int:
        """The status of a job when it has ended."""
        while job.status is None:
            assert job.parked is not None
            if waiter.detached:
                raise Parked(job.parked.until)
            if job.parked.until is None:
                return 130
            clock = waiter.kernel.clock
            clock.now = max(clock.now, job.parked.until)
            job = self[job.pid] = resumed(job)
        return job.status

    def leave(self, kernel: Kernel) -> None:
        """Those that still wait outlive the shell: the machine takes them on."""
        for job in self.values():
            if job.parked:
                kernel.services.adopt(job.process, job.parked)
