"""save, load, import, export, commit: images and containers as archives (docker/cli cli/command/image, container)."""

from __future__ import annotations

import posixpath
import stat

from labkit.dockercli.commands import Invocation, parse, plain_os_error
from labkit.dockercli.flags import StatusError
from labkit.engine.core.errors import EngineError
from labkit.files import Content


def save(run: Invocation) -> int:
    _check_output(run, "failed to save image")
    return _write(run, run.engine.save(run.arguments))


def export(run: Invocation) -> int:
    _check_output(run, "failed to export container")
    return _write(run, run.engine.export(run.arguments[0]))


def _check_output(run: Invocation, failure: str) -> None:
    """Before the daemon is asked (moby/sys atomicwriter, validateDestination)."""
    path = run.options.text("output")
    if not path and run.process.stdout.isatty:
        raise StatusError("cowardly refusing to save to a terminal. Use the -o flag or redirect")
    if path and (problem := _output_problem(run, path)):
        raise StatusError(f"{failure}: {problem}")


_KINDS = {
    stat.S_IFDIR: "a directory",
    stat.S_IFLNK: "a symbolic link directly",
    stat.S_IFIFO: "a named pipe (FIFO)",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a character device file",
    stat.S_IFBLK: "a block device file",
}


def _output_problem(run: Invocation, path: str) -> str:
    files, folder = run.process.files, posixpath.normpath(posixpath.dirname(path) or ".")
    try:
        if not stat.S_ISDIR(files.stat(folder).st_mode):
            return f"invalid output path: stat {folder}: not a directory"
    except OSError as error:
        return f"invalid output path: stat {folder}: {(error.strerror or '').lower()}"
    try:
        kind = stat.S_IFMT(files.lstat(path).st_mode)
    except OSError:
        return ""
    return f"cannot write to {_KINDS[kind]}" if kind in _KINDS else ""


def _write(run: Invocation, content: Content) -> int:
    """To standard output or, with -o, to a file that only its owner can read."""
    path = run.options.text("output")
    files = run.process.files
    if not path:
        run.process.stdout.write_content(content)
        return 0
    try:
        files.write(path, content)
        files.chmod(path, 0o600)
    except OSError as error:
        raise StatusError(plain_os_error(error)) from None
    return 0


def _read(run: Invocation, path: str) -> Content:
    if run.process.files.is_dir(path):
        raise StatusError(f"read {path}: is a directory")
    try:
        return run.process.files.content(path)
    except OSError as error:
        raise StatusError(plain_os_error(error)) from None


def load(run: Invocation) -> int:
    path = run.options.text("input")
    if not path and run.process.stdin.isatty:
        raise StatusError("requested load from stdin, but stdin is empty")
    archive = _read(run, path) if path else run.process.stdin.read_content()
    try:
        lines = run.engine.load(archive, run.options.on("quiet"))
    except EngineError as error:  # it comes in the stream of what is done (moby, postImagesLoad)
        raise StatusError(error.message) from None
    for line in lines:
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
    run.out(run.engine.import_image(archive, name, options.texts("change"), options.text("message")))
    return 0


def commit(run: Invocation) -> int:
    container, name = (*run.arguments, "")[:2]
    if name and parse(name).digest:
        raise StatusError("refusing to create a tag with a digest reference")
    options = run.options
    if options.on("no-pause") and options.changed("pause"):
        raise StatusError("conflicting options: --no-pause and --pause cannot be used together")
    pause = options.on("pause") if options.changed("pause") else not options.on("no-pause")
    changes = options.texts("change")
    run.out(run.engine.commit(container, name, options.text("author"), options.text("message"), changes, pause))
    return 0
