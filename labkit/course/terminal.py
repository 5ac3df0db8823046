"""A terminal of a machine: lines typed one after the other into one shell, which keeps its folder and variables.

It can be inside another shell (`docker run -it …`, `docker exec -it …`) until `exit`. What it did is the list of lines;
played on another machine they give the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from labkit.engine.process import Input, Output, Process
from labkit.shell.session import Session, Written

if TYPE_CHECKING:
    from labkit.machine import Completed, Machine


class Terminal:
    """`run` types a line and gives what was written until the next prompt."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self._session: Session | None = None
        self.runaway = False  # the last line had to be stopped
        self.spent = 0  # steps of all lines
        self.written: list[Written] = []  # what the last line wrote, both streams in their order

    @property
    def prompt(self) -> str:
        return self._session.prompt if self._session else ""

    @property
    def folder(self) -> str:
        """Where the shell is."""
        return str(self._at_prompt[1]) if self._session else self.machine.environment["HOME"]

    @property
    def _at_prompt(self) -> tuple[int, str]:
        """Exit status and folder, as the innermost shell had them at its prompt."""
        return self.machine.kernel.services.get("at prompt", (0, ""))  # type: ignore[return-value]

    def run(self, line: str) -> Completed:
        """One input, of one line or more. A shell that has ended, or had to be stopped, is followed by a new one."""
        from labkit.machine import Completed

        complaints: list[str] = []
        self.written = []
        status = self.machine.limited(lambda: self._type(line.split("\n")), complaints.append)
        if complaints:
            self._session = None
            self.written.append(Written(2, complaints[0].encode()))
        self.runaway = bool(complaints)
        return Completed(line, status, _text(self.written, 1), _text(self.written, 2))

    def _type(self, lines: list[str]) -> int:
        """Collect what is written, without the prompts in between; the exit status."""
        kernel = self.machine.kernel
        before, status = kernel.budget, 0
        try:
            for line in lines:
                session = self._session = self._session or self._shell()
                self.written += session.feed(line)
                status = self._status(session)
            return status
        finally:
            self.spent += before - kernel.budget

    def _status(self, session: Session) -> int:
        if session.status is None:
            return self._at_prompt[0]
        self._session = None
        return session.status

    def _shell(self) -> Session:
        from labkit.catalog.host import HOSTNAME

        files = self.machine.files.copy()
        files.chdir(self.machine.environment["HOME"])
        environment = dict(self.machine.environment)
        return Session(
            Process(["sh"], environment, files, Input(), Output(), Output(), self.machine.kernel, hostname=HOSTNAME)
        )


def _text(written: list[Written], stream: int) -> str:
    return b"".join(each.text for each in written if each.stream == stream).decode("utf-8", "replace")
