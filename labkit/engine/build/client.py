"""The client's side of a build: what it asks for, where the Dockerfile and the context are, and what docker prints.

Rules and messages: docker/buildx build/opt.go (loadInputs), moby/buildkit frontend/dockerui. The plain progress is
that of moby/buildkit util/progress/progressui; the whole of it is seen in examples/build.txt.
"""

from __future__ import annotations

import posixpath
import re
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from labkit.engine.build.cache import BuildCache, Views
from labkit.engine.build.context import Transfer, send
from labkit.engine.build.copying import extract
from labkit.engine.core.errors import EngineError
from labkit.engine.core.names import Reference, parse
from labkit.engine.core.records import Known
from labkit.engine.dockerfile.diagnostics import failed, unsolved
from labkit.files import BadArchiveError, Content, Files, layers
from labkit.kernel.golang import quote
from labkit.kernel.process import Output as Stdout
from labkit.kernel.unpacking import PackingError, unpacked

HEADER = '#0 building with "default" instance using docker driver\n'
_SHOWN_LOGS = 10  # lines of a step's output that are printed again when it fails
_SLOW = 0.01  # seconds; what is faster is printed without a time

Emit = Callable[[str], object]


class Progress:
    """Prints the steps, one after the other."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._count = 0

    def start(self) -> None:
        self._emit(HEADER)

    def step(self, name: str) -> ProgressStep:
        self._count += 1
        self._emit(f"\n#{self._count} {name}\n")
        return ProgressStep(self._emit, self._count, name)


class ProgressStep:
    """One vertex of the build graph, as it is printed."""

    def __init__(self, emit: Emit, number: int, name: str) -> None:
        self._emit = emit
        self.number = number
        self.name = name
        self._logs: deque[str] = deque(maxlen=_SHOWN_LOGS)
        self._partial = ""

    def line(self, text: str) -> None:
        self._emit(f"#{self.number} {text}\n")

    def status(self, text: str, size: int = 0, seconds: float = 0.0) -> None:
        """`transferring context: 48B done`."""
        amount = f" {human_size(size)}" if size else ""
        time = f" {seconds:.1f}s" if seconds > _SLOW else ""
        self.line(f"{text}{amount}{time} done")

    def log(self, text: str, seconds: float) -> None:
        """Output of the step's process, at this time since its start.

        Of a line that came in pieces only the last one is printed again (buildkit, progressui/printer.go, logsOffset).
        """
        before = len(self._partial)
        *lines, self._partial = (self._partial + text).split("\n")
        for line in lines:
            self._log_line(line, seconds, before)
            before = 0

    def _log_line(self, line: str, seconds: float, before: int = 0) -> None:
        written = f"{stamp(seconds)} {line}"
        self._logs.append(line[before:] if before else written)
        self.line(written)

    def flush(self, seconds: float) -> None:
        """The last line, which may have no end."""
        if self._partial:
            self._log_line(self._partial, seconds)
            self._partial = ""

    def done(self, seconds: float = 0.0) -> None:
        self.line(f"DONE {seconds:.1f}s")

    def cached(self) -> None:
        self.line("CACHED")

    def failed(self, message: str) -> None:
        """The error, and below it the step's name and last lines again."""
        self.line(f"ERROR: {message}")
        again = "".join(f"{line}\n" for line in self._logs)
        self._emit(f"------\n > {self.name}:\n{again}------\n")


def stamp(seconds: float) -> str:
    """Seconds in five characters: 0.153, 12.34."""
    text = f"{seconds:#.4g}" if seconds >= 0.001 else f"{seconds:.3f}"
    return text[:5]


_UNITS = ("B", "kB", "MB", "GB", "TB")


def human_size(size: int) -> str:
    """48B, 1.50kB, 3.41MB."""
    amount: float = size
    for unit in _UNITS:
        if amount < 1000 or unit == _UNITS[-1]:
            return f"{size}B" if unit == "B" else f"{amount:.2f}{unit}"
        amount /= 1000
    raise AssertionError


@dataclass(frozen=True)
class Output:
    """One --output: an image for the engine, or files for the client."""

    type: str = "image"  # or "local", "tar"
    dest: str = ""  # a path of the client
    stdout: Stdout | None = None  # where it goes instead
    push: bool = False


@dataclass(frozen=True)
class BuildRequest:
    """`docker build`. Paths are the client's, from `files.cwd`."""

    files: Files  # the client's
    context: str  # a folder, or "-" for what is on stdin: a Dockerfile or a tar archive
    dockerfile: str = ""  # -f; "" is Dockerfile in the context, "-" is stdin
    stdin: Content = field(default_factory=Content)
    tags: tuple[str, ...] = ()
    build_args: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    target: str = ""
    no_cache: bool = False
    no_cache_filter: tuple[str, ...] = ()  # names of stages
    pull: bool = False
    secrets: Mapping[str, bytes] = field(default_factory=dict)  # id -> content
    iidfile: str = ""
    hosts: tuple[tuple[str, str], ...] = ()  # names and addresses for RUN's hosts file
    shm_size: int = 0
    network: str = "default"  # of a RUN that names none
    cache_from: tuple[str, ...] = ()  # images of a registry
    inline_cache: bool = False
    provenance: bool = True  # whether an image of the containerd store gets its attestation
    outputs: tuple[Output, ...] = (Output(),)


DEFAULT = "Dockerfile"
_REMOTE = re.compile(r"(https?|git|ssh)://|git@|github\.com/")


@dataclass(frozen=True)
class BuildInputs:
    """What was found: the Dockerfile (None: it is not there), and the context from its own root."""

    name: str  # of the Dockerfile
    text: str | None
    files: Files
    folder: str = ""  # of the context on the client
    sent: int = 0  # bytes that the Dockerfile took
    ignore: str | None = None  # the text of NAME.dockerignore
    archive: bool = False  # the context came as a tar archive
    nothing: bool = False  # stdin was empty: nothing is sent, not even the Dockerfile


def check_tags(tags: tuple[str, ...]) -> list[Reference]:
    """The names for the image. Raises BuildError."""
    found = []
    for text in tags:
        try:
            found.append(parse(text).tagged())
        except EngineError as error:
            message = "repository name must be lowercase" if "must be lowercase" in error.message else error.message
            raise failed(f"invalid tag {quote(text)}: {message}") from None
    return found


@dataclass
class BuildClient:
    """Finds and sends what a request names."""

    request: BuildRequest
    views: Views
    cache: BuildCache

    def find(self) -> BuildInputs:
        """Raises BuildError."""
        request = self.request
        if request.context == "-":
            return self._from_stdin()
        if not request.files.is_dir(request.context):
            if _REMOTE.match(request.context):
                raise unsolved(f"failed to fetch remote {request.context}: no such host")
            raise failed(f"unable to prepare context: path {quote(request.context)} not found")
        folder = request.files.realpath(request.context)
        files = self.views.folder(request.files, folder)
        if request.dockerfile == "-":
            return self._given(bytes(request.stdin), files, folder)
        where = (posixpath.dirname(request.dockerfile) or ".") if request.dockerfile else folder
        if not request.files.is_dir(where):
            raise failed(f"resolve : lstat {where}: no such file or directory")
        name = posixpath.basename(request.dockerfile) or DEFAULT
        return self._send_dockerfile(self.views.folder(request.files, where), name, files, folder)

    def _given(self, text: bytes, files: Files, folder: str = "") -> BuildInputs:
        """A Dockerfile that came on stdin is sent as a file of a folder of its own."""
        own = self.views.empty()
        own.write(f"/{DEFAULT}", text)
        return BuildInputs(DEFAULT, decoded(text), files, folder, send(own, [DEFAULT], {}).sent)

    def _from_stdin(self) -> BuildInputs:
        request = self.request
        if request.dockerfile == "-":
            raise failed("invalid argument: can't use stdin for both build context and dockerfile")
        files = self.views.empty()
        if not request.stdin:  # docker/buildx, build/opt.go, loadInputs
            return BuildInputs(request.dockerfile or DEFAULT, None, files, nothing=True)
        content = request.stdin
        with suppress(PackingError):
            content = unpacked(content)
        if content.read(257, 5) != b"ustar":
            if request.dockerfile:
                raise failed("ambiguous Dockerfile source: both stdin and flag correspond to Dockerfiles")
            return self._given(bytes(content), files)
        try:
            for entry in layers.read(content):
                if entry.path:
                    extract(files, "/", entry)
        except BadArchiveError as error:
            raise unsolved(f"failed to load remote context: {error}") from None
        name = request.dockerfile or DEFAULT
        text = decoded(files.read(f"/{name}")) if files.exists(f"/{name}") else None
        return BuildInputs(name, text, files, archive=True)

    def _send_dockerfile(self, files: Files, name: str, context: Files, folder: str) -> BuildInputs:
        """Send the Dockerfile and the ignore file that belongs to it."""
        if name == DEFAULT and not files.exists(f"/{name}") and files.exists("/dockerfile"):
            name = "dockerfile"
        ignore = f"{name}.dockerignore"
        paths = [each for each in (name, ignore) if files.exists(f"/{each}") and not files.is_dir(f"/{each}")]
        sent = send(files, paths, {})
        self.cache.remember(f"dockerfile {folder}", sent.known, sent.size, "local source for dockerfile")
        text = decoded(files.read(f"/{name}")) if name in paths else None
        own = decoded(files.read(f"/{ignore}")) if ignore in paths else None
        return BuildInputs(name, text, context, folder, sent.sent, own)

    def send_ignore(self, source: BuildInputs, progress: Progress) -> str:
        """The text of .dockerignore, "" where there is none: a step of its own."""
        paths = [".dockerignore"] if source.files.exists("/.dockerignore") else []
        sent = send(source.files, paths, {})
        step = progress.step("[internal] load .dockerignore")
        step.status("transferring context:", sent.sent)
        step.done()
        self.cache.remember(f"ignore {source.folder}", sent.known, sent.size, "local source for context")
        return decoded(source.files.read("/.dockerignore")) if paths else ""

    def send_context(
        self, source: BuildInputs, paths: list[str], progress: Progress
    ) -> tuple[Transfer, dict[str, Known]]:
        """Send what changed of these paths: a step of its own. What was sent, and what the builder knew before."""
        name = f"context {source.folder}"
        before = self.cache.known(name) if source.folder else {}
        sent = send(source.files, paths, before)
        step = progress.step("[internal] load build context")
        step.status("transferring context:", sent.sent)
        step.done()
        self.cache.remember(name, sent.known, sent.size, "local source for context")
        return sent, before


def decoded(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")
