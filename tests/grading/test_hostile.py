"""Whatever is handed in ends with a verdict or a line, in little memory, and nothing of it reaches the computer.

Each is judged in a process of its own, whose memory and time are measured, with an ear on all that Python does there.
"""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import resource
import sys
import sysconfig
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest
from hostile import answers, submission

import labkit
from labkit.course.checks import CHECKS
from labkit.grading.filework import STOPPED, FileTask, judge_file
from labkit.grading.roster import Learner
from labkit.grading.whose import Whom
from labkit.kernel.golang import Json

pytestmark = [pytest.mark.long, pytest.mark.skipif(sys.platform != "linux", reason="measured by Linux' means")]

MEMORY = 200 << 20  # bytes that a process needs more as it judges; it has some 50 MiB before
SECONDS = 60  # of the processor, for one
TOLD = 64 << 10  # characters of a judgement
READ = (str(Path(labkit.__file__).parent), sysconfig.get_paths()["stdlib"], sysconfig.get_paths()["platstdlib"])
DEAF = (
    "object.",
    "sys._getframe",
    "compile",
    "marshal.",
    "sys.unraisablehook",
    "time.",
    "builtins.id",
    "gc.",
    "os.listdir",
    "os.scandir",
)


class Judged(NamedTuple):
    told: list[Json]
    heard: list[str]
    memory: int
    seconds: float


@pytest.fixture(scope="module", autouse=True)
def everything_is_loaded() -> None:
    """So that what is heard later is no import, and no annotation that is evaluated, of labkit's own."""
    for part in pkgutil.walk_packages(labkit.__path__, "labkit."):
        if not part.name.startswith(("labkit.jupyter", "labkit.__main__")):
            importlib.import_module(part.name)
    for row in CHECKS.values():
        assert isinstance(row.types, dict)
    for slug in {slug for _, slug, _ in answers()}:
        judge_file(_task(submission(slug, "docker run busybox true")))


def _task(data: bytes) -> FileTask:
    slugs = frozenset([json.loads(data)["answers"][0]["exercise"]])
    return FileTask("key", "ann.labkit.json", data, Whom("ann", (Learner("ann"),)), "", slugs)


def _harmless(event: str, args: tuple[object, ...]) -> bool:
    """Python's own modules and labkit's data may be read."""
    if event.startswith(DEAF):
        return True
    if event == "open":
        path, mode = str(args[0]), args[1]
        return path.startswith(READ) and (mode is None or "r" in str(mode))
    if event == "exec":
        return str(getattr(args[0], "co_filename", "")).startswith((*READ, "<frozen"))
    return event == "import" and str(args[0]).partition(".")[0] in {*sys.stdlib_module_names, "labkit"}


def judged(work: Callable[[], list[Json]]) -> Judged:
    read, write = os.pipe()
    before = (
        int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    )  # which the child begins with
    child = os.fork()
    if not child:
        _in_child(work, write)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        said = pipe.read()
    usage = os.wait4(child, 0)[2]
    told, heard = json.loads(said) if said else ([], ["it died"])
    return Judged(told, heard, (usage.ru_maxrss << 10) - before, usage.ru_utime + usage.ru_stime)


def _in_child(work: Callable[[], list[Json]], write: int) -> None:
    heard: list[str] = []
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    sys.addaudithook(lambda event, args: None if _harmless(event, args) else heard.append(f"{event} {str(args)[:200]}"))
    try:
        said = json.dumps([work(), [each for each in heard if not each.startswith("resource.")]])
    except BaseException as error:  # nothing of this may go on as a second pytest
        said = json.dumps([[], [f"it raised {error!r}"]])
    with os.fdopen(write, "wb") as pipe:
        pipe.write(said.encode("utf-8", "replace"))
    os._exit(0)


def _told(task: FileTask) -> list[Json]:
    """The state and the judgement of each answer, or the file's faults."""
    result = judge_file(task)
    return [[each.state, each.judgement] for each in result.answers] or [*result.faults]


ANSWERS = {name: (slug, answer) for name, slug, answer in answers()}


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_ends_with_a_verdict_or_a_line(name: str) -> None:
    found = judged(partial(_told, _task(submission(*ANSWERS[name]))))
    assert not found.heard, found.heard[:4]
    assert len(found.told) == 1
    assert found.told != [STOPPED]
    assert found.memory <= MEMORY, f"{found.memory >> 20} MiB"
    state, said = found.told[0]  # type: ignore[misc,str-unpack]
    assert state == "judged", said
    assert len(str(said)) <= TOLD
    assert "labkit has a fault" not in str(said)
