"""What docker's commands do where no daemon answers.

Facts: docker/cli, cli/command/system/{version,info}.go, container/run.go; docker/buildx.
"""

from __future__ import annotations

from .commands import DockerCommand
from .errors import StatusError
from .invocation import Invocation

_WITH_HELP = {"run": 125, "create": 1}  # the commands whose errors point to their help, and their exit status


def without_daemon(command: DockerCommand, run: Invocation, said: str) -> int:
    """The command's end; what is known of the client alone is shown first."""
    name = command.name.split()[-1]
    if command.name in ("version", "info"):
        from .commands import system

        shown = {"version": system.client_version, "info": system.client_info}[command.name](run)
        run.process.stdout.write(shown)
    elif command.plugin:
        said = f"ERROR: {said}"
    elif name in _WITH_HELP:
        raise StatusError(f"docker: {said}\n\nRun 'docker {name} --help' for more information", _WITH_HELP[name])
    raise StatusError(said)
