"""Five walks through labkit, each the files in which a function is entered, in the order in which they are met.

`make walks` prints the counts, `make walks NAMES=-v` the files too. A walk starts when its input is there (a machine
made, a lesson open) and ends with its effect; what only loading a module runs is not counted.
"""

from __future__ import annotations

import inspect
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import CodeType, FrameType

import labkit
from labkit import Machine

PACKAGE = str(Path(labkit.__file__).parent) + "/"
SLUG = "your-first-container"
FUNCTION = inspect.CO_OPTIMIZED | inspect.CO_NEWLOCALS  # what a module's and a class' body have not both of


def walk(call: Callable[[], object]) -> list[str]:
    """The files below labkit/ whose functions this call enters, each once, as they are met."""
    met: dict[str, None] = {}
    known: set[CodeType] = set()
    loading: list[CodeType] = []  # the modules that are being loaded

    def enter(frame: FrameType, event: str, _: object) -> None:
        code = frame.f_code
        if code.co_name == "<module>":
            if event == "call":
                loading.append(code)
            elif event == "return":
                loading.pop()
        elif event == "call" and not loading and code not in known:
            known.add(code)
            if code.co_flags & FUNCTION == FUNCTION and code.co_filename.startswith(PACKAGE):
                met[code.co_filename.removeprefix(PACKAGE)] = None

    sys.setprofile(enter)
    try:
        call()
    finally:
        sys.setprofile(None)
    return list(met)


def succeed(machine: Machine, line: str) -> None:
    done = machine.run(line)
    assert done.returncode == 0, done.stderr


def run_with_a_volume() -> Callable[[], object]:
    machine = Machine()
    succeed(machine, "docker pull -q busybox")
    return lambda: succeed(machine, "docker run -v data:/data busybox sh -c 'echo hi >/data/greeting'")


def append_that_copies_up() -> Callable[[], object]:
    machine = Machine()
    succeed(machine, "docker run -d --name web nginx")
    files = machine.container("web").files

    def append() -> None:
        with files.open("/etc/nginx/nginx.conf", os.O_WRONLY | os.O_APPEND) as handle:
            handle.write(b"# more\n")

    return append


def build_of_two_steps() -> Callable[[], object]:
    machine = Machine()
    succeed(machine, "mkdir app && echo one >app/a")
    succeed(machine, "printf 'FROM busybox\\nCOPY a /a\\nRUN echo hi >/b\\n' >app/Dockerfile")
    return lambda: succeed(machine, "docker build -t app app")


def answer_to_verdict() -> Callable[[], object]:
    from labkit.course import Attempt, load_exercise
    from labkit.jupyter.exercise import ExerciseWidget

    attempt = Attempt(load_exercise(SLUG), "ann", "")
    widget = ExerciseWidget(attempt)
    solution = attempt.solution

    def answer() -> None:
        widget.handle({"do": "run", "line": solution})
        widget.handle({"do": "check"})
        assert widget.feedback["tone"] == "right", widget.feedback

    return answer


def submission_to_row() -> Callable[[], object]:
    from labkit.cli import main
    from labkit.course import Attempt, load_exercise

    folder = Path(tempfile.mkdtemp())
    (folder / "in").mkdir()
    answer = Attempt(load_exercise(SLUG), "ann", "").solution
    text = json.dumps(
        {"labkit-submission": 1, "learner": "ann", "answers": [{"exercise": SLUG, "revision": 1, "answer": answer}]}
    )
    (folder / "in" / "ann.labkit.json").write_text(text)
    return lambda: main(["grade", str(folder / "in"), "--out", str(folder / "out"), "--executor", "here"])


WALKS = {
    "docker run -v": run_with_a_volume,
    "an append that copies up": append_that_copies_up,
    "a build of two steps": build_of_two_steps,
    "a widget's answer to its verdict": answer_to_verdict,
    "a submission to its row": submission_to_row,
}


def main(names: bool) -> None:
    """Each walk in a process of its own, so that what one has loaded or remembered makes no other shorter."""
    for number, title in enumerate(WALKS):
        command = [sys.executable, __file__, str(number)]
        home = {"LABKIT_HOME": tempfile.mkdtemp(), "LABKIT_LEARNER": "demo"}
        done = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, **home})
        files = done.stderr.splitlines()
        print(f"{len(files):3}  {title}")
        if names:
            print(*(f"       {name}" for name in files), sep="\n")


if __name__ == "__main__":
    if sys.argv[-1].isdigit():
        prepare = list(WALKS.values())[int(sys.argv[-1])]
        print(*walk(prepare()), sep="\n", file=sys.stderr)
    else:
        main("-v" in sys.argv)
