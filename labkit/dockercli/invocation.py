"""One run of one docker command: what its function is handed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from labkit.engine.api import Engine
from labkit.engine.core.errors import EngineError
from labkit.kernel.process import Process

from .errors import StatusError
from .flags import Options
from .mountflags import Resolve, resolve_in

DAEMON = "Error response from daemon: "


def daemon_says(error: EngineError) -> str:
    """The daemon's answer as the client shows it."""
    return DAEMON + error.message


@dataclass
class Invocation:
    process: Process
    engine: Engine
    path: str  # "docker container rm": as it was typed, aliases replaced
    options: Options
    arguments: list[str]

    @property
    def now(self) -> int:
        """Nanoseconds since 1970."""
        return self.process.kernel.clock.now

    @property
    def resolve(self) -> Resolve:
        return resolve_in(self.process.files.cwd)

    def out(self, text: str) -> None:
        """A line to standard output."""
        self.process.stdout.write(text + "\n")

    def err(self, text: str) -> None:
        """A line to standard error."""
        self.process.stderr.write(text + "\n")

    def each(self, call: Callable[[str], object], *, show: bool = True) -> int:
        """Call for every argument in turn, which is printed when it went well; errors do not stop the rest."""
        failures = []
        for argument in self.arguments:
            try:
                call(argument)
            except EngineError as error:
                failures.append(daemon_says(error))
            else:
                if show:
                    self.out(argument)
        if failures:
            raise StatusError("\n".join(failures))
        return 0

    def confirmed(self, warning: str) -> bool:
        """The question, and whether the answer from standard input is y."""
        self.process.stdout.write(f"{warning} [y/N] ")
        answer = self.process.stdin.readline().decode("utf-8", "replace").strip()
        return answer.lower() == "y"


def plain_os_error(error: OSError, action: str = "open") -> str:
    """An OSError as Go prints it: open nosuch.tar: no such file or directory."""
    reason = (error.strerror or "").lower()
    return f"{action} {error.filename}: {reason}"
