"""The lesson's machine: the one that the magics run on and show() draws; with an undo for every input."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from labkit.jupyter.show import Picture, picture
from labkit.jupyter.view import View, look


@dataclass(frozen=True)
class Done:
    """What an input gave."""

    returncode: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class Before:
    """The machine as it was before an input."""

    line: str
    snapshot: object


def new_machine(**options: Any) -> Any:
    """A fresh labkit.Machine; imported here so that `import labkit.jupyter` stays quick."""
    from labkit.machine import Machine

    return Machine(**options)


class Lesson:
    """A machine, what was typed on it, and the view that was last shown."""

    def __init__(self, make: Callable[..., Any] = new_machine) -> None:
        self._make = make
        self._machine: Any = None
        self._before: list[Before] = []
        self._shown: View | None = None

    @property
    def machine(self) -> Any:
        """The machine; made when it is first asked for."""
        if self._machine is None:
            self._machine = self._make()
        return self._machine

    def fresh(self, **options: Any) -> None:
        """Start over on a fresh machine."""
        self._machine = self._make(**options)
        self._before = []
        self._shown = None

    def run(self, line: str) -> Done:
        """Run what a person would type; the machine as it was can be had back."""
        self._remember(line)
        done = self.machine.run(line)
        return Done(int(done.returncode), as_text(done.stdout), as_text(done.stderr))

    def type(self, text: str) -> str:
        """What a terminal shows when these lines are typed one after the other, into whatever shell waits for them."""
        self._remember(text)
        terminal = self.machine.session()
        screen = []
        for line in text.splitlines():
            screen.append(f"{terminal.prompt}{line}\n")
            terminal.run(line)
            screen += [as_text(piece.text) for piece in terminal.written]
        return "".join(screen)

    def write_file(self, path: str, text: str) -> None:
        """Write a file on the host, its folder too where that is missing; a relative path starts in /home/learner."""
        self._remember(f"write {path}")
        files = self.machine.files
        full = path if path.startswith("/") else f"/home/learner/{path}"
        folder = full.rpartition("/")[0]
        if folder and not files.is_dir(folder):
            files.makedirs(folder)
        files.write(full, text)

    def undo(self) -> str | None:
        """Take back the last input, and say which it was; None where there is none."""
        if not self._before:
            return None
        last = self._before.pop()
        self.machine.restore(last.snapshot)
        return last.line

    def show(self, *names: str) -> Picture:
        """The machine as a picture; what changed since the last one stands out."""
        found = picture(self.machine, names, self._shown)
        self._shown = look(self.machine)
        return found

    def _remember(self, line: str) -> None:
        self._before.append(Before(line, self.machine.snapshot()))


def as_text(output: str | bytes | None) -> str:
    """Output as text, whatever bytes a program may have printed."""
    return output.decode("utf-8", "replace") if isinstance(output, bytes) else output or ""
