"""Where files are judged: here, in processes of this computer, or on a Dask cluster; all of them `concurrent.futures`.

A worker that dies takes its file with it, not the class: what it was working on is tried once more, alone, and what
kills its worker then as well is stopped and not graded.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, ProcessPoolExecutor, wait
from concurrent.futures import CancelledError as FutureCancelledError
from functools import partial
from typing import ParamSpec, TypeVar

import labkit
from labkit.course.exercises import CourseFiles
from labkit.grading.filework import STOPPED, FileTask, judge_file, start_worker
from labkit.grading.store import JudgedFile

P = ParamSpec("P")
T = TypeVar("T")
AHEAD = 4  # files a worker that are handed out at a time


class ExecutorError(Exception):
    """There is no such executor, or it cannot be reached; str() is one line that says why."""


class Here(Executor):
    """In this process, at once."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future: Future[T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


def _processes(jobs: int) -> Executor:
    """Each started clean: nothing of this process, open files least of all, is theirs."""
    methods = multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("forkserver" if "forkserver" in methods else "spawn")
    if "forkserver" in methods:
        context.set_forkserver_preload(["labkit.grading.filework"])
    return ProcessPoolExecutor(jobs, context)


class DaskExecutor(Executor):
    """On a cluster that has the same labkit; what a worker had when it died is done by another. ExecutorError."""

    def __init__(self, address: str) -> None:
        try:
            from distributed import Client
        except ModuleNotFoundError:
            raise ExecutorError(f"Dask is missing: pip install '{labkit.DISTRIBUTION}[dask]'") from None
        try:
            self._client = Client(address, timeout="10s", set_as_default=False)
        except (OSError, ValueError) as error:
            raise ExecutorError(f"no Dask scheduler answers at {address}: {str(error)[:200]}") from None
        self._cluster = self._client.get_executor(pure=False)

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future: Future[T] = self._cluster.submit(fn, *args, **kwargs)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._cluster.shutdown(wait=wait)
        self._client.close()


def open_executor(name: str, jobs: int) -> Executor:
    """processes, here, or dask:ADDRESS. Raises ExecutorError."""
    kind, _, rest = name.partition(":")
    if kind == "dask" and rest:
        return DaskExecutor(rest)
    if name not in ("processes", "here"):
        raise ExecutorError(f"there is no executor '{name}': it is processes, here, or dask:ADDRESS")
    return _processes(jobs) if name == "processes" else Here()


def jobs_here(jobs: int) -> int:
    """So many, or one a processor that this process may use."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return jobs or cores or 1


def judge_in(course: CourseFiles, task: FileTask) -> JudgedFile:
    """In a worker, which may be new."""
    start_worker(course)
    return judge_file(task)


def judge_all(tasks: Iterable[FileTask], name: str, jobs: int, course: CourseFiles) -> Iterator[JudgedFile]:
    """What comes of each, as it comes. Few are under way at a time: memory does not grow with the class."""
    jobs = jobs_here(jobs)
    pool = _Pool(name, jobs, partial(judge_in, course))
    try:
        for task in tasks:
            pool.hand_out(task)
            while len(pool.waiting) >= (1 if name == "here" else jobs * AHEAD):
                yield from pool.some()
        while pool.waiting:
            yield from pool.some()
    finally:
        pool.executor.shutdown(wait=True, cancel_futures=True)


class _Pool:
    """An executor that is opened anew when it breaks."""

    def __init__(self, name: str, jobs: int, work: Callable[[FileTask], JudgedFile]) -> None:
        self.name = name
        self.jobs = jobs
        self.work = work
        self.executor = open_executor(name, jobs)
        self.waiting: dict[Future[JudgedFile], FileTask] = {}

    def hand_out(self, task: FileTask) -> None:
        try:
            self.waiting[self.executor.submit(self.work, task)] = task
        except BrokenExecutor:  # noticed only now; those that wait are tried anew by `some`
            broken: Future[JudgedFile] = Future()
            broken.set_exception(BrokenExecutor())
            self.waiting[broken] = task

    def some(self) -> Iterator[JudgedFile]:
        """Those that are done; where the pool broke, each that was under way, alone."""
        done = wait(self.waiting, return_when=FIRST_COMPLETED).done
        suspects = []
        for future in done:
            task = self.waiting.pop(future)
            found = _result(future, task)
            if found is None:
                suspects.append(task)
            else:
                yield found
        if suspects:
            suspects += self.waiting.values()
            self.waiting.clear()
            self.executor.shutdown(wait=False, cancel_futures=True)
            for task in suspects:
                yield self._alone(task)
            self.executor = open_executor(self.name, self.jobs)

    def _alone(self, task: FileTask) -> JudgedFile:
        with open_executor(self.name, 1) as executor:
            return _result(executor.submit(self.work, task), task) or JudgedFile(task.key, faults=(STOPPED,))


def _result(future: Future[JudgedFile], task: FileTask) -> JudgedFile | None:
    """None where the pool broke, and it is not known which file broke it."""
    try:
        return future.result()
    except BrokenExecutor:
        return None
    except FutureCancelledError:
        raise ExecutorError("the executor went away; the same command goes on from here") from None
    except Exception as error:  # Dask names the task that its workers died of: KilledWorker
        if type(error).__name__ == "KilledWorker":
            return JudgedFile(task.key, faults=(STOPPED,))
        raise
