"""What a build gives and takes besides an image of its own engine: files for the client, a push, a registry's cache.

Rules and messages: moby/buildkit exporter/local, exporter/tar, solver/llbsolver/bridge.go; docker/buildx build/build.go
(pushWithMoby).
"""

from __future__ import annotations

import posixpath

from labkit.engine.build.client import Output, Progress
from labkit.engine.build.context import SourceTree
from labkit.engine.build.copying import CopyError, Copying, make_folders
from labkit.engine.build.stages import Bases
from labkit.engine.containers.archive import entries
from labkit.engine.core.core import Core
from labkit.engine.core.errors import EngineError
from labkit.engine.core.names import Reference, parse
from labkit.engine.dockerfile.diagnostics import DockerfileError, failed, unsolved
from labkit.files import Files, layers

_DENIED = "push access denied, repository does not exist or may require authorization"


def give(output: Output, built: Files, client: Files, progress: Progress) -> None:
    """The files of a build, in a folder of the client or as an archive."""
    if output.type == "local":
        step = progress.step("exporting to client directory")
        path = posixpath.normpath(posixpath.join(client.cwd, output.dest))
        tree = SourceTree(built)
        try:
            make_folders(client, path, None)
            Copying(tree, client).copy("/", path + "/")
        except (CopyError, OSError) as error:
            step.failed(str(error))
            raise unsolved(str(error)) from None
        step.status("copying files", sum(about.st_size for _, about in tree.walk("/")))
    else:
        step = progress.step("exporting to client tarball")
        archive = layers.write(entries(built, "/", ""))
        if output.stdout:
            output.stdout.write_content(archive)
        else:
            client.write(output.dest, archive)
        step.status("sending tarball")
    step.done()


def push(tags: list[Reference], progress: Progress) -> None:
    """--push: the simulated registry takes nothing, as one where nobody is logged in."""
    for tag in tags:
        step = progress.step(f"pushing {tag} with docker")
        step.failed(_DENIED)
        raise failed(_DENIED)


def import_caches(core: Core, names: tuple[str, ...], progress: Progress) -> None:
    """--cache-from: an image that is there brings no more than this engine has; one that is not is no failure."""
    for name in names:
        step = progress.step(f"importing cache manifest from {name}")
        if mistake := _missing(core, name):
            step.line(f"ERROR: failed to configure registry cache importer: {mistake}")
        else:
            step.done()


def _missing(core: Core, name: str) -> str:
    """Why there is no cache to import; "" where there may be one."""
    try:
        Bases(core).look_up(parse(name).tagged())
    except (DockerfileError, EngineError) as error:
        return error.message
    return ""
