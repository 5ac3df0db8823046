"""Executors by name give the same; a worker that dies costs its own file at most."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from classroom import letter, marks, submission

from labkit.grading import executors
from labkit.grading.executors import STOPPED, ExecutorError, judge_all
from labkit.grading.filework import FileTask, judge_file
from labkit.grading.roster import Learner
from labkit.grading.store import JudgedFile
from labkit.grading.whose import Whom

SLUGS = frozenset(["which-layer-is-it-from", "a-tag-moves"])


def task(name: str, text: str | None = None) -> FileTask:
    text = submission(("a-tag-moves", letter(name)), ("which-layer-is-it-from", marks(name))) if text is None else text
    return FileTask(name, f"{name}.labkit.json", text.encode(), Whom(name, (Learner(name),)), "", SLUGS)


def told(files: list[JudgedFile]) -> dict[str, object]:
    return {each.key: each.faults or [answer.credit for answer in each.answers] for each in files}


def die(course: object, task: FileTask) -> JudgedFile:
    """A judge that the kernel kills at one file."""
    if task.data == b"poison":
        os.kill(os.getpid(), signal.SIGKILL)
    return judge_file(task)


def test_here_and_in_processes() -> None:
    tasks = [task(f"s{number}") for number in range(9)]
    here = told(list(judge_all(tasks, "here", 0, ())))
    assert here == {f"s{number}": [1.0, 1.0] for number in range(9)}
    assert told(list(judge_all(tasks, "processes", 2, ()))) == here


@pytest.mark.long
def test_a_process_that_dies_costs_one_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(Path(__file__).parents[2])  # workers find `die` there
    monkeypatch.setattr(executors, "judge_in", die)
    tasks = [task("a"), task("b", "poison"), *(task(f"s{number}") for number in range(5)), task("c", "poison")]
    found = told(list(judge_all(tasks, "processes", 2, ())))
    assert {key for key, each in found.items() if each == (STOPPED,)} == {"b", "c"}
    assert len(found) == 8


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("threads", "there is no executor 'threads': it is processes, here, or dask:ADDRESS"),
        ("dask:nonsense://x", "no Dask scheduler answers at nonsense://x: unknown address scheme"),
        ("dask:", "there is no executor 'dask:': it is processes, here, or dask:ADDRESS"),
    ],
)
def test_no_executors(name: str, message: str) -> None:
    with pytest.raises(ExecutorError) as caught:
        list(judge_all([], name, 1, ()))
    assert str(caught.value).startswith(message)


@pytest.mark.long
@pytest.mark.filterwarnings("ignore")  # Dask's own, of sockets and loops that it closes late
def test_a_dask_cluster_with_a_worker_that_dies() -> None:
    """What the dead worker had is done by the other."""
    from distributed import LocalCluster

    tasks = [task(f"s{number}") for number in range(40)]
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50) as cluster:
        victim = next(iter(cluster.workers.values())).pid
        found: list[JudgedFile] = []
        for each in judge_all(tasks, f"dask:{cluster.scheduler_address}", 2, ()):
            found.append(each)
            if len(found) == 3:
                os.kill(victim, signal.SIGKILL)
    assert told(found) == {f"s{number}": [1.0, 1.0] for number in range(40)}
