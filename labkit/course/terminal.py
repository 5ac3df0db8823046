"""A terminal of a machine: lines typed one after the other into one shell, which keeps its folder and variables.

It can be inside another shell (`docker run -it …`, `docker exec -it …`) until `exit`. What it did is the list of lines;
played on another machine they give the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from labkit.engine.process import SECOND, Input, Output, Process, Runaway
from labkit.shell.session import Session, Written

if TYPE_CHECKING:
    from labkit.machine import Completed, Machine

BUDGET = 300_000  # steps of one line
INTERRUPTED = 130


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
        from labkit.machine import HOME

        return str(self._at_prompt[1]) if self._session else HOME

    @property
    def _at_prompt(self) -> tuple[int, str]:
        """Exit status and folder, as the innermost shell had them at its prompt."""
        return self.machine.kernel.services.get("at prompt", (0, ""))  # type: ignore[return-value]

    def run(self, line: str) -> Completed:
        """One input, of one line or more. A shell that has ended, or had to be stopped, is followed by a new one."""
        from labkit.machine import Completed

        kernel = self.machine.kernel
        kernel.clock.advance(SECOND)
        self.machine.engine.advance()
        kernel.budget = BUDGET
        try:
            written, status = self._type(line.split("\n"))
            self.written, self.runaway = written, False
        except (Runaway, RecursionError) as error:
            why = error if isinstance(error, Runaway) else "nested too deeply"
            self._session, self.runaway = None, True
            self.written = [Written(2, f"labkit: stopped: {why}\n".encode())]
            return Completed(line, 137, "", _text(self.written, 2))
        finally:
            self.spent += BUDGET - kernel.budget
        return Completed(line, status, _text(written, 1), _text(written, 2))

    def _type(self, lines: list[str]) -> tuple[list[Written], int]:
        """What was written, without the prompts in between, and the exit status."""
        written: list[Written] = []
        status = 0
        for line in lines:
            session = self._session = self._session or self._shell()
            written += session.feed(line)
            status = self._status(session)
        return written, status

    def _status(self, session: Session) -> int:
        if session.status is None:
            return self._at_prompt[0]
        self._session = None
        return session.status

    def _shell(self) -> Session:
        from labkit.catalog.host import HOSTNAME
        from labkit.machine import HOME

        files = self.machine.files.copy()
        files.chdir(HOME)
        environment = dict(self.machine.environment)
        return Session(
            Process(["sh"], environment, files, Input(), Output(), Output(), self.machine.kernel, hostname=HOSTNAME)
        )


def _text(written: list[Written], stream: int) -> str:
    return b"".join(each.text for each in written if each.stream == stream).decode("utf-8", "replace")
