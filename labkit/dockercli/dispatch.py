"""docker, the program: global flags, which command, its flags and arguments; then the command's function.

What the client says of mistakes is docker/cli's (cmd/docker/docker.go, cli/cobra.go, cli/required.go) and cobra's; what
its commands do where no daemon answers: docker/cli, cli/command/system/{version,info}.go, container/run.go;
docker/buildx.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from labkit.dockercli.commands import (
    GROUPS,
    MISSING,
    Count,
    DockerCommand,
    Invocation,
    ReferenceInvalid,
    daemon_says,
    load,
    places,
)
from labkit.dockercli.flags import (
    Flag,
    FlagError,
    FlagParser,
    Options,
    StatusError,
    flags_of,
    help_of,
    sections,
    usage_of,
)
from labkit.dockercli.validators import DEPRECATED, validators_for
from labkit.engine.core.errors import EngineError
from labkit.engine.daemon.daemon import Daemon
from labkit.files.contents import TooLarge
from labkit.kernel.golang import members
from labkit.kernel.process import Output, Process

if TYPE_CHECKING:
    from labkit.kernel.process import Program


_STEPS = 400  # that each docker command takes at least


def docker(daemon: Daemon) -> Program:
    """The program docker, as a client of this daemon."""

    def run(process: Process) -> int:
        process.tick(_STEPS)
        return run_docker(process, daemon)

    return run


_WITH_HELP = {"run": 125, "create": 1}  # the commands whose errors point to their help, and their exit status


def without_daemon(command: DockerCommand, run: Invocation, said: str) -> int:
    """The command's end; what is known of the client alone is shown first."""
    name = command.name.split()[-1]
    if command.name in ("version", "info"):
        from labkit.dockercli.commands import system

        shown = {"version": system.client_version, "info": system.client_info}[command.name](run)
        run.process.stdout.write(shown)
    elif command.plugin:
        said = f"ERROR: {said}"
    elif name in _WITH_HELP:
        raise StatusError(f"docker: {said}\n\nRun 'docker {name} --help' for more information", _WITH_HELP[name])
    raise StatusError(said)


_PLUGINS = ("compose", "scout", "model", "mcp", "init", "desktop", "debug", "sbom", "ai", "offload", "sandbox", "pass")
ROOT_USAGE = "docker [OPTIONS] COMMAND [ARG...]"
HELP = Flag("help", "h")


def run_docker(process: Process, daemon: Daemon) -> int:
    """The program docker; what goes wrong is a line on standard error and an exit status."""
    try:
        return _docker(process, daemon)
    except StatusError as error:
        if error.message:
            process.stderr.write(error.message + "\n")
        return error.status
    except EngineError as error:
        process.stderr.write(daemon_says(error) + "\n")
    except ReferenceInvalid as error:
        process.stderr.write(f"{error}\n")
    except TooLarge:
        raise
    except OSError as error:  # somebody took a file of the engine away
        said = f"open {error.filename}: {str(error.strerror).lower()}"
        process.stderr.write(daemon_says(EngineError(said)) + "\n")
    return 1


def _docker(process: Process, daemon: Daemon) -> int:
    parser = _parser("", sections()["docker"])
    options, arguments = _parse(parser, process.argv[1:], "docker", ROOT_USAGE, interspersed=False)
    _notes(process.stderr, options)
    if options.on("version"):
        version = daemon.engine.version()
        client = members(version, "Client") or version
        process.stdout.write(f"Docker version {client['Version']}, build {client.get('GitCommit', 'unknown-commit')}\n")
        return 0
    if options.on("help") or arguments[:1] == ["help"]:
        return _help(process, [] if options.on("help") else arguments[1:])
    if not arguments:
        process.stderr.write(sections()["docker"] + "\n")
        return 0
    return _find(process, daemon, arguments)


def _help(process: Process, path: list[str]) -> int:
    name = " ".join(path)
    if name in places():
        command, shown = places()[name]
        text = help_of(f"docker {shown}", f"docker {command.name}")
    elif name in GROUPS or not name:
        text = _group_help(name)
    else:
        raise StatusError(f"unknown help topic: {name}")
    process.stdout.write(text + "\n")
    return 0


def _group_help(name: str) -> str:
    return sections()[f"docker {'builder' if name == 'buildx' else name}".strip()]


def _find(process: Process, daemon: Daemon, arguments: list[str]) -> int:
    for length in (2, 1):
        name = " ".join(arguments[:length])
        if len(arguments) >= length and name in places():
            return _run(process, daemon, *places()[name], arguments[length:])
    if arguments[0] in GROUPS:
        return _group(process, arguments[0], arguments[1:])
    return _unknown(process, arguments)


def _group(process: Process, name: str, arguments: list[str]) -> int:
    """docker volume, alone or with a word that is none of its commands."""
    text = _group_help(name)
    path = f"docker {'buildx' if name == 'builder' else name}"
    usage = f"{path} COMMAND" if name not in ("builder", "buildx") else path
    if arguments and f"\n  {arguments[0]} " in text:
        raise StatusError(f"docker: this simulated Docker has no '{path} {arguments[0]}'\n\n{_where(path, usage)}")
    options, rest = _parse(FlagParser([*flags_of(text), HELP]), arguments, path, usage)
    _notes(process.stdout, options)
    if options.on("help"):
        process.stdout.write(text + "\n")
    elif rest and name in ("builder", "buildx"):
        raise StatusError(f"ERROR: unknown command: {path} {rest[0]}\n\n{_where(path, usage)}")
    elif rest:
        raise StatusError(f"docker: unknown command: {path} {rest[0]}\n\n{_where(path, usage)}")
    else:
        process.stderr.write(text + "\n")
    return 0


def _unknown(process: Process, arguments: list[str]) -> int:
    """A first word that is no command: the flags after it are taken for docker's own, and fail first.

    Not so where people know it as a command: that it is missing is what they have to hear.
    """
    if f"\n  {arguments[0]} " in sections()["docker"] or f"\n  {arguments[0]}* " in sections()["docker"]:
        raise StatusError(
            f"docker: this simulated Docker has no 'docker {arguments[0]}'\n\nRun 'docker --help' for more information"
        )
    if arguments[0] in _PLUGINS:
        raise StatusError(f"docker: unknown command: docker {arguments[0]}\n\nRun 'docker --help' for more information")
    parser = _parser("", sections()["docker"])
    options, rest = _parse(parser, arguments, "docker", ROOT_USAGE)
    _notes(process.stderr, options)
    if options.on("help"):
        return _help(process, [])
    raise StatusError(f"docker: unknown command: docker {rest[0]}\n\nRun 'docker --help' for more information")


def _where(path: str, usage: str, see: str = "Run") -> str:
    return f"Usage:  {usage}\n\n{see} '{path} --help' for more information"


def _parse(
    parser: FlagParser, arguments: list[str], path: str, usage: str, *, interspersed: bool = True
) -> tuple[Options, list[str]]:
    try:
        return parser.parse(arguments, interspersed=interspersed)
    except FlagError as error:
        raise StatusError(f"{error}\n\n{_where(path, usage)}", 125) from None


def _notes(stream: Output, options: Options) -> None:
    """On standard error for docker's own flags, on standard output for a command's (cobra ParseFlags after SetOut)."""
    for note in options.notes:
        stream.write(note + "\n")


def _run(process: Process, daemon: Daemon, command: DockerCommand, shown: str, arguments: list[str]) -> int:
    text = help_of(f"docker {shown}", f"docker {command.name}")
    usage = usage_of(text)
    path = "docker buildx " + command.name.split()[-1] if command.plugin else f"docker {shown}"
    parser = _parser(command.name, text).checking(validators_for(command.name, process))
    options, rest = _parse(parser, arguments, path, usage, interspersed=command.interspersed)
    _notes(process.stdout, options)
    if options.on("help"):
        process.stdout.write(text + "\n")
        return 0
    _check_count(command, path, usage, rest)
    for name in MISSING.get(command.name, ()):
        if options.changed(name):
            raise StatusError(f"{'ERROR: ' if command.plugin else ''}{path}: this simulated Docker has no --{name}")
    run = Invocation(process, daemon.engine, path, options, rest)
    said = daemon.unreachable()
    return without_daemon(command, run, said) if said else load(command.run)(run)


@lru_cache(maxsize=128)
def _parser(name: str, text: str) -> FlagParser:
    """For the flags of a command with this help."""
    found = [*flags_of(text), *DEPRECATED.get(name, ())]
    return FlagParser(found if any(flag.name == "help" for flag in found) else [*found, HELP])


def _check_count(command: DockerCommand, path: str, usage: str, arguments: list[str]) -> None:
    count: Count = command.count
    if count.fits(len(arguments)):
        return
    words = count.words or "accepts no arguments"
    prefix = "ERROR: docker" if command.plugin else "docker"
    raise StatusError(f"{prefix}: '{path}' {words}\n\n{_where(path, usage, count.see)}")
