"""docker cp (docker/cli cli/command/container/cp.go)."""

from __future__ import annotations

import posixpath
import stat

from labkit.dockercli.commands import Invocation, plain_os_error
from labkit.dockercli.flags import StatusError
from labkit.engine.core.errors import EngineError
from labkit.files import BadArchiveError, Content, layers

from ..copyrules import (
    CopyInfo,
    asserts_current,
    keep_ending,
    pack,
    plan,
    rebase,
    source_info,
    split_entry,
    target_info,
    unpack,
)


def split_argument(text: str) -> tuple[str, str]:
    """CONTAINER:PATH as both; a path alone as "" and the path. ./a:b and /a:b are paths."""
    container, colon, path = text.partition(":")
    if text.startswith("/") or not colon or container.startswith("."):
        return "", text
    return container, path


def cp(run: Invocation) -> int:
    source, target = run.arguments
    if not source:
        raise StatusError("source can not be empty")
    if not target:
        raise StatusError("destination can not be empty")
    source_container, source_path = split_argument(source)
    target_container, target_path = split_argument(target)
    if source_container and target_container:
        raise StatusError("copying between containers is not supported")
    try:
        if source_container:
            return _from_container(run, source_container, source_path, target_path)
        if target_container:
            return _to_container(run, source_path, target_container, target_path)
    except OSError as error:
        raise StatusError(plain_os_error(error)) from None
    except BadArchiveError as error:
        raise StatusError(str(error)) from None
    raise StatusError("must specify at least one container source")


def _local(run: Invocation, path: str) -> str:
    return keep_ending(run.resolve(path), path)


def _from_container(run: Invocation, container: str, source: str, target: str) -> int:
    if target != "-":
        target = _local(run, target)
        _check_output(run, target)
    rebased = ""
    if run.options.on("follow-link"):
        source, rebased = _followed(run, container, source)
    about, archive = run.engine.archive_get(container, source)
    if target == "-":
        run.process.stdout.write_content(archive)
        return 0
    info = CopyInfo(source, True, stat.S_ISDIR(about.st_mode), rebased)
    entries = layers.read(archive)
    if rebased:
        entries = rebase(entries, split_entry(source)[1], rebased)
    files = run.process.files
    folder, old, new = plan(info, target_info(files, target))
    unpack(files, folder, rebase(entries, old, new) if new else entries)
    return 0


def _check_output(run: Invocation, path: str) -> None:
    """cli/command/utils.go ValidateOutputPath."""
    folder = posixpath.dirname(posixpath.normpath(path))
    files = run.process.files
    if folder and not files.exists(folder):
        raise StatusError(f'invalid output path: directory "{folder}" does not exist')
    try:
        kind = stat.S_IFMT(files.stat(path).st_mode)
    except FileNotFoundError:
        return
    except OSError as error:
        raise StatusError(f"stat {path}: {(error.strerror or '').lower()}") from None
    if kind in (stat.S_IFCHR, stat.S_IFBLK):
        raise StatusError(f'invalid output path: "{path}" must be a directory or a regular file: got a device')


def _followed(run: Invocation, container: str, path: str) -> tuple[str, str]:
    """With -L: where a link leads, and its own name where that differs."""
    about = run.engine.archive_stat(container, path)
    if about is None or not stat.S_ISLNK(about.st_mode):
        return path, ""
    link = run.engine.archive_link(container, path)
    target = link if link.startswith("/") else posixpath.join(split_entry(path)[0], link)
    base = posixpath.basename(path.rstrip("/"))
    return target, "" if posixpath.basename(target) == base or asserts_current(path) else base


def _to_container(run: Invocation, source: str, container: str, target: str) -> int:
    if source != "-":
        source = _local(run, source)
    info = _container_target(run, container, target)
    if source == "-":
        if not info.is_dir:
            raise StatusError(f'destination "{container}:{target}" must be a directory')
        _put(run, container, info.path, run.process.stdin.read_content())
        return 0
    files = run.process.files
    about = source_info(files, source, follow=run.options.on("follow-link"))
    folder, old, new = plan(about, info)
    entries = pack(files, about)
    _put(run, container, folder, layers.write(rebase(entries, old, new) if new else entries))
    return 0


def _put(run: Invocation, container: str, folder: str, archive: Content) -> None:
    run.engine.archive_put(container, folder, archive, copy_uid_gid=run.options.on("archive"))


def _container_target(run: Invocation, container: str, path: str) -> CopyInfo:
    """What is at the destination; a link is followed once. What cannot be seen is taken for not there."""
    place = path
    try:
        about = run.engine.archive_stat(container, path)
        if about is not None and stat.S_ISLNK(about.st_mode):
            link = run.engine.archive_link(container, path)
            place = link if link.startswith("/") else posixpath.join(split_entry(path)[0], link)
            about = run.engine.archive_stat(container, place)
    except EngineError:
        about = None
    if about is None:
        return CopyInfo(place)
    if stat.S_IFMT(about.st_mode) in (stat.S_IFCHR, stat.S_IFBLK):
        raise StatusError(f'destination "{container}:{path}" must be a directory or a regular file: got a device')
    return CopyInfo(place, True, stat.S_ISDIR(about.st_mode))
