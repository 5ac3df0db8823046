"""The program of hello-world."""

from __future__ import annotations

from labkit.catalog.programs.support import say
from labkit.kernel.process import Process


def main(process: Process) -> int:
    say(
        process,
        "",
        "Hello from Docker!",
        "This message shows that your installation appears to be working correctly.",
        "",
    )
    return 0
