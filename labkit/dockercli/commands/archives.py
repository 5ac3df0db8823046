"""save, load, import, export, commit: images and containers as archives (docker/cli cli/command/image, container)."""

from __future__ import annotations

from labkit.files import Content

from ..errors import StatusError
from ..invocation import Invocation, plain_os_error
from ..reference import parse


def save(run: Invocation) -> int:
    _check_terminal(run)
    content = run.engine.save(run.arguments)
    return _write(run, content, "failed to save image")


def export(run: Invocation) -> int:
    _check_terminal(run)
    content = run.engine.export(run.arguments[0])
    return _write(run, content, "failed to export container")


def _check_terminal(run: Invocation) -> None:
    if not run.options["output"] and run.process.stdout.isatty:
        raise StatusError("cowardly refusing to save to a terminal. Use the -o flag or redirect")


def _write(run: Invocation, content: Content, failure: str) -> int:
    """To standard output or, with -o, to a file that only its owner can read."""
    path = run.options["output"]
    files = run.process.files
    if not path:
        run.process.stdout.write_content(content)
        return 0
    folder = path.rpartition("/")[0] or ("/" if path.startswith("/") else ".")
    if not files.is_dir(folder):
        raise StatusError(f'{failure}: invalid output path: directory "{folder}" does not exist')
    try:
        files.write(path, content)
        files.chmod(path, 0o600)
    except OSError as error:
        raise StatusError(f"{failure}: {plain_os_error(error)}") from None
    return 0


def _read(run: Invocation, path: str) -> Content:
    try:
        return run.process.files.content(path)
    except OSError as error:
        raise StatusError(plain_os_error(error)) from None


def load(run: Invocation) -> int:
    path = run.options["input"]
    if not path and run.process.stdin.isatty:
        raise StatusError("requested load from stdin, but stdin is empty")
    archive = _read(run, path) if path else run.process.stdin.read_content()
    for line in run.engine.load(archive, run.options["quiet"]):
        run.out(line)
    return 0


def import_image(run: Invocation) -> int:
    source = run.arguments[0]
    name = run.arguments[1] if len(run.arguments) > 1 else ""
    if "://" in source:
        raise StatusError("docker import: this simulated Docker has no network to fetch a URL from")
    archive = run.process.stdin.read_content() if source == "-" else _read(run, source)
    if name:
        parse(name)
    options = run.options
    run.out(run.engine.import_image(archive, name, options["change"], options["message"]))
    return 0


def commit(run: Invocation) -> int:
    container, name = (*run.arguments, "")[:2]
    if name and parse(name).digest:
        raise StatusError("refusing to create a tag with a digest reference")
    options = run.options
    if options["no-pause"] and options.changed("pause"):
        raise StatusError("conflicting options: --no-pause and --pause cannot be used together")
    pause = options["pause"] if options.changed("pause") else not options["no-pause"]
    changes = options["change"]
    run.out(run.engine.commit(container, name, options["author"], options["message"], changes, pause))
    return 0
