"""create, run and exec (docker/cli cli/command/container: create.go, run.go, exec.go)."""

from __future__ import annotations

from labkit.dockercli.buildflags import platform_fault
from labkit.dockercli.commands import Invocation, ReferenceInvalid, attached, daemon_says, parse_any, plain_os_error
from labkit.dockercli.commands.images import show_pull
from labkit.dockercli.flags import StatusError, ValueInvalid
from labkit.dockercli.runconfig import container_body, read_pairs
from labkit.engine.containers.processes import Streams
from labkit.engine.core.errors import EngineError
from labkit.kernel.golang import JsonObject, quote
from labkit.kernel.process import Input, Null

PULLS = ("always", "missing", "never")
# What a start that fails is told apart by (run.go runStartContainerErr).
STATUSES = (
    (127, ("executable file not found", "no such file or directory", "system cannot find the file specified")),
    (126, ("permission denied", "is a directory")),
)


def start_status(message: str) -> int:
    for status, texts in STATUSES:
        if any(text in message for text in texts):
            return status
    return 125


def _with_help(run: Invocation, message: str, status: int) -> StatusError:
    name = run.path.split()[-1]
    return StatusError(f"docker: {message}\n\nRun 'docker {name} --help' for more information", status)


def _body(run: Invocation) -> JsonObject:
    """The container that the flags describe; what is wrong with them ends the command with 125."""
    pull = run.options.text("pull")
    try:
        if pull and pull not in PULLS:
            choices = f"{quote('always')}, {quote('missing')} or {quote('never')}"
            raise ValueInvalid(f"invalid pull option: '{pull}': must be one of {choices}")
        process = run.process
        return container_body(run.options, run.arguments, process.files, process.env, run.resolve)
    except ValueInvalid as error:
        raise _with_help(run, str(error), 125) from None


def create(run: Invocation) -> int:
    run.out(_create(run, _body(run)))
    return 0


def _create(run: Invocation, body: JsonObject) -> str:
    """Create the container, after a pull where its image is missing. Its id."""
    cidfile = run.options.text("cidfile")
    files = run.process.files
    if cidfile and files.exists(cidfile):
        complaint = "container ID file found, make sure the other container isn't running or delete"
        raise StatusError(f"{complaint} {cidfile}")
    image = parse_any(run.arguments[0])
    if run.options.on("oom-kill-disable") and not run.options.number("memory"):
        run.err(
            "WARNING: Disabling the OOM killer on containers without setting a '-m/--memory' limit may be dangerous."
        )
    platform = run.options.text("platform")
    if said := platform_fault(platform) if platform else "":
        raise StatusError(f"error parsing specified platform: {said}")
    if run.options.text("pull") == "always":
        _pull(run, run.arguments[0])
    try:
        identifier, warnings = run.engine.create_container(body, run.options.text("name"))
    except EngineError as error:
        missing = error.kind == "not-found"  # of whatever is missing
        if not missing or image is None or run.options.text("pull") not in ("missing", ""):
            raise
        if not run.options.on("quiet"):
            run.err(f"Unable to find image '{image.tagged().familiar}' locally")
        _pull(run, run.arguments[0])
        identifier, warnings = run.engine.create_container(body, run.options.text("name"))
    for warning in warnings or ():
        run.err(f"WARNING: {warning}")
    if cidfile:
        try:
            files.write(cidfile, identifier)
        except OSError as error:
            raise StatusError(f"failed to create the container ID file: {plain_os_error(error)}") from None
    return str(identifier)


def _pull(run: Invocation, image: str) -> None:
    show = (lambda line: None) if run.options.on("quiet") else run.err
    show_pull(run, image, run.options.text("platform"), show)


def run(run: Invocation) -> int:
    body = _body(run)
    detach, attach = run.options.on("detach"), run.options.texts("attach")
    if detach and attach:
        raise StatusError("conflicting options: cannot specify both --attach and --detach")
    if not detach:
        _check_terminal(run, bool(body["AttachStdin"]), bool(body["Tty"]))
    else:
        body |= {"AttachStdin": False, "AttachStdout": False, "AttachStderr": False, "StdinOnce": False}
    try:
        identifier = _create(run, body)
        if detach:
            run.out(identifier)  # run.go prints it beside the start, which may fail
            run.engine.start_container(identifier)
            return 0
        return attached(lambda: run.engine.start_container(identifier, attach=_streams(run, body)))
    except EngineError as error:
        raise _with_help(run, daemon_says(error), start_status(error.message)) from None
    except ReferenceInvalid as error:
        raise _with_help(run, str(error), 125) from None
    except StatusError as error:
        raise _with_help(run, error.message, 125) from None


def _check_terminal(run: Invocation, stdin: bool, tty: bool) -> None:
    """cli/streams/in.go CheckTty."""
    if stdin and tty and not run.process.stdin.isatty:
        raise StatusError("cannot attach stdin to a TTY-enabled container because stdin is not a terminal")


def _streams(run: Invocation, body: JsonObject) -> Streams:
    process = run.process
    stdout = process.stdout if body["AttachStdout"] else Null()
    stderr = process.stderr if body["AttachStderr"] else Null()
    stdin = process.stdin if body["AttachStdin"] else Input(b"")
    return Streams(stdout, process.stdout if body["Tty"] else stderr, stdin)


def execute(run: Invocation) -> int:
    """docker exec."""
    options, process = run.options, run.process
    name, *argv = run.arguments
    try:
        env = read_pairs(process.files, options.texts("env-file"), options.texts("env"), process.env.get)
    except ValueInvalid as error:
        raise StatusError(str(error)) from None
    run.engine.find_container(name)  # before the terminal is looked at
    if not options.on("detach"):
        _check_terminal(run, options.on("interactive"), options.on("tty"))
    stdin = process.stdin if options.on("interactive") else Input(b"")
    streams = Streams(process.stdout, process.stdout if options.on("tty") else process.stderr, stdin)
    status = run.engine.exec(
        name,
        argv,
        env=env,
        workdir=options.text("workdir"),
        user=options.text("user"),
        tty=options.on("tty"),
        streams=streams,
        detach=options.on("detach"),
        privileged=options.on("privileged"),
    )
    return int(status or 0)
