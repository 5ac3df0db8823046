"""The build graph: what is to be made from what, and what is known of each vertex: its cache key and its record.

A vertex is immutable and knows the vertices below it. Its `identity` covers what it does and what it stands on, so
that the same step in two stages is one vertex; names and places in the Dockerfile are no part of it (BuildKit: the
digest of a vertex).
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256

from labkit.engine.build.cache import BuildCache, Views
from labkit.engine.build.client import BuildRequest
from labkit.engine.build.context import SourceTree, digest_of, has_wildcards, listing, matcher
from labkit.engine.core.core import Core
from labkit.engine.core.records import BASE, COPY, MKDIR, RUN, CacheKey, CacheRecord, KeyPart, Listing, key_digest
from labkit.engine.dockerfile.diagnostics import Lines
from labkit.engine.dockerfile.instructions import RunMount
from labkit.engine.images.contentstore import packed_size
from labkit.engine.images.imagestore import LayerStore
from labkit.kernel import limits
from labkit.kernel.golang import quote


@dataclass(frozen=True, eq=False)
class Vertex:
    name: str
    place: Lines
    below: Vertex | None
    stage: str = field(default="", kw_only=True)  # the name that its stage is given

    @property
    def operation(self) -> str:
        """What it does, as text; inputs are not in it."""
        raise NotImplementedError

    @property
    def sources(self) -> tuple[Vertex, ...]:
        """The other vertices that it reads from."""
        return ()

    @cached_property
    def identity(self) -> str:
        inputs = [vertex.identity for vertex in (self.below, *self.sources) if vertex]
        return sha256("\0".join([self.operation, *inputs]).encode("utf-8", "replace")).hexdigest()


@dataclass(frozen=True, eq=False)
class ImageVertex(Vertex):
    """FROM an image."""

    reference: str = ""  # as it is shown
    chain: str = ""  # chain id of the image's top layer
    remote: bool = False  # still to be fetched

    @property
    def operation(self) -> str:
        return f"base {self.reference} {self.chain}"


@dataclass(frozen=True)
class VertexMount:
    """A RUN's mount and the vertex it comes from (None: the build context, or nothing)."""

    mount: RunMount
    source: Vertex | None = None
    context: bool = False


@dataclass(frozen=True, eq=False)
class RunVertex(Vertex):
    args: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    hidden_env: tuple[tuple[str, str], ...] = ()  # proxies: given to the process, unknown to the cache
    arguments: tuple[str, ...] = ()  # those of env that an ARG gave
    cwd: str = "/"
    user: str = ""
    mounts: tuple[VertexMount, ...] = ()
    network: str = "default"
    hosts: tuple[tuple[str, str], ...] = ()  # more lines of its hosts file: name and address
    shm_size: int = 0  # bytes of its /dev/shm; 0: as usual
    script: tuple[str, str] | None = None  # a heredoc that is run as a file: its name and text

    @property
    def operation(self) -> str:
        mounts = [each.mount for each in self.mounts]
        about = (self.args, self.env, self.cwd, self.user, mounts, self.network, self.script, self.hosts, self.shm_size)
        return repr(("run", *about))

    @property
    def sources(self) -> tuple[Vertex, ...]:
        return tuple(each.source for each in self.mounts if each.source)


@dataclass(frozen=True)
class CopySource:
    """One source of a COPY: a path of a vertex's files or of the context, or a text."""

    path: str
    vertex: Vertex | None = None
    context: bool = False
    text: str | None = None
    include: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class CopyVertex(Vertex):
    from_: tuple[CopySource, ...] = ()
    target: str = "/"
    chown: str = ""
    chmod: str = ""
    exclude: tuple[str, ...] = ()
    unpack: bool = False

    @property
    def options(self) -> tuple[object, ...]:
        return (self.target, self.chown, self.chmod, self.exclude, self.unpack)

    @property
    def operation(self) -> str:
        return repr(("copy", [(each.path, each.context, each.text, each.include) for each in self.from_], self.options))

    @property
    def sources(self) -> tuple[Vertex, ...]:
        return tuple(each.vertex for each in self.from_ if each.vertex)


@dataclass(frozen=True, eq=False)
class MkdirVertex(Vertex):
    path: str = "/"
    user: str = ""

    @property
    def operation(self) -> str:
        return repr(("mkdir", self.path, self.user))


_STEPS = 20  # that a vertex takes


@dataclass
class Graph:
    """All vertices that a top needs, each once, those that others stand on first."""

    vertices: list[Vertex] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)  # identity -> the name it is shown under
    _added: set[Vertex] = field(default_factory=set)

    def add(self, vertex: Vertex | None) -> None:
        if vertex is None or vertex in self._added:
            return
        self._added.add(vertex)
        limits.tick(_STEPS)
        for other in (vertex.below, *vertex.sources):
            self.add(other)
        if vertex.identity not in self.names:
            self.vertices.append(vertex)
        self.names[vertex.identity] = vertex.name  # the last one wins, as in the definition that BuildKit is sent

    def under(self, identities: Iterable[str]) -> set[str]:
        """These, and all that they stand on or read from."""
        below = set(identities)
        for vertex in reversed(self.vertices):
            if vertex.identity in below:
                below |= {other.identity for other in (vertex.below, *vertex.sources) if other}
        return below

    def __iter__(self) -> Iterator[Vertex]:
        return iter(self.vertices)


@dataclass
class VertexResult:
    """What a vertex is. `record` is None as long as it has to be made."""

    digest: str | None  # of its cache key
    record: CacheRecord | None = None
    key: CacheKey | None = None  # None where only the digest is known
    loaded: bool = False  # its layer was taken in this build
    shown: bool = False


class StepError(Exception):
    """A step failed."""

    def __init__(self, vertex: Vertex, message: str) -> None:
        super().__init__(message)
        self.vertex = vertex
        self.message = message


@dataclass
class VertexResults:
    core: Core
    request: BuildRequest
    cache: BuildCache
    views: Views
    names: Mapping[str, str]  # identity -> what the step is called
    tree: SourceTree | None  # the build context
    _known: dict[str, VertexResult] = field(default_factory=dict)

    def of(self, vertex: Vertex) -> VertexResult:
        """What is known of a vertex without making anything. Raises StepError where a COPY's source is not there."""
        result = self._known.get(vertex.identity)
        return self.look_again(vertex) if result is None else result

    def look_again(self, vertex: Vertex) -> VertexResult:
        """The same, now that what it stands on is there."""
        found = self._key(vertex)
        key, digest = (found, found.digest) if isinstance(found, CacheKey) else (None, found)
        record = self.cache.find(digest) if digest and not self.ignores_cache(vertex) else None
        result = self._known[vertex.identity] = VertexResult(digest, record, key)
        return result

    def can_begin(self, vertex: Vertex) -> bool:
        """Whether what it stands on is there."""
        try:
            below = vertex.below
            return below is None or isinstance(below, ImageVertex) or self.of(below).record is not None
        except StepError:
            return False

    def ignores_cache(self, vertex: Vertex) -> bool:
        """RUN and COPY by --no-cache, or --no-cache-filter with their stage's name (dockerui, IsNoCache).

        A WORKDIR does not (dockerfile2llb, dispatchWorkdir); nor is anything found that stands on what was made again.
        """
        if not self.request.no_cache and not self.request.no_cache_filter:
            return False
        if not isinstance(vertex, ImageVertex | MkdirVertex) and (
            self.request.no_cache
            or vertex.stage in {name.lower() for text in self.request.no_cache_filter for name in text.split(",")}
        ):
            return True
        return vertex.below is not None and self.ignores_cache(vertex.below)

    def tree_of(self, source: CopySource) -> SourceTree | None:
        """The files that a source is taken from; None where they are not there yet."""
        if source.vertex is None:
            return self.tree if source.context else SourceTree(self.views.empty())
        record = self.of(source.vertex).record
        chain = record.chain if record else source.vertex.chain if isinstance(source.vertex, ImageVertex) else None
        if chain is None or LayerStore(self.core).get(chain) is None:
            return None
        return SourceTree(self.views.layer(chain))

    def _key(self, vertex: Vertex) -> CacheKey | str | None:
        """Its cache key; a text is the digest of one of which no more is known than that; None: the content of
        another stage has to be known for it."""
        if isinstance(vertex, ImageVertex):
            return base_key(vertex)
        below = self.of(vertex.below).digest if vertex.below else "scratch"
        if below is None:
            return None
        if isinstance(vertex, MkdirVertex):
            return CacheKey(MKDIR, (KeyPart("folder", "", vertex.path), KeyPart("user", "", vertex.user)), below)
        if isinstance(vertex, RunVertex):
            return self._run_key(vertex, below)
        assert isinstance(vertex, CopyVertex)
        return self._copy_key(vertex, below)

    def _run_key(self, vertex: RunVertex, below: str) -> CacheKey | None:
        parts = [KeyPart("command", "", repr(vertex.args))]
        parts += [KeyPart("variable", name, value) for name, value in vertex.env]
        parts += [
            KeyPart("folder", "", vertex.cwd),
            KeyPart("user", "", vertex.user),
            KeyPart("network", "", vertex.network),
        ]
        parts += [KeyPart("host", name, address) for name, address in vertex.hosts]
        parts += [KeyPart("shm-size", "", str(vertex.shm_size))] if vertex.shm_size else []
        parts += [KeyPart("mount", each.mount.target, repr(each.mount)) for each in vertex.mounts]
        parts += [KeyPart("script", *vertex.script)] if vertex.script else []
        files: dict[str, Listing] = {}
        for each in vertex.mounts:
            if each.source:
                digest = self.of(each.source).digest
                if digest is None:
                    return None
                parts.append(KeyPart("stage", each.mount.target, digest))
            elif each.context and self.tree is not None:
                name = each.mount.source or "."
                files[name] = self._mount_content(each)
                parts.append(KeyPart("content", name, digest_of(files[name])))
        return CacheKey(RUN, tuple(parts), below, files, frozenset(vertex.arguments))

    def _mount_content(self, mount: VertexMount) -> Listing:
        assert self.tree is not None
        try:
            return listing(self.tree, self.tree.resolve(posixpath.join("/", mount.mount.source)))
        except OSError:
            return {}

    def _copy_key(self, vertex: CopyVertex, below: str) -> CacheKey | str | None:
        by_name = key_digest(
            "copy by name", vertex.operation, below, *(self.of(each).digest for each in vertex.sources)
        )
        if any(self.tree_of(each) is None for each in vertex.from_ if each.vertex):
            unknown = self.ignores_cache(vertex) or any(self.ignores_cache(each) for each in vertex.sources)
            return None if unknown else self.cache.linked(by_name)
        parts = [KeyPart("option", name, str(value)) for name, value in zip(COPY_OPTIONS, vertex.options, strict=True)]
        files: dict[str, Listing] = {}
        for each in vertex.from_:
            name = posixpath.basename(each.path)
            if each.text is not None:
                parts.append(KeyPart("text", name, each.text))
                continue
            found = self._content(vertex, each)
            digests = [digest if last == name else (last, digest) for last, digest in _digests(found)]
            parts.append(KeyPart("content", name, repr(digests)))
            files[name] = found[0][1] if [last for last, _ in found] == [name] else _together(found)
        key = CacheKey(COPY, tuple(parts), below, files)
        if vertex.sources:
            self.cache.link(by_name, key.digest)
        return key

    def _content(self, vertex: CopyVertex, source: CopySource) -> list[tuple[str, Listing]]:
        """What a source names: the last name of each, and what is there."""
        tree = self.tree_of(source)
        assert tree
        exclude = matcher(vertex.exclude) if vertex.exclude else None
        include = matcher(source.include) if source.include else None
        required = posixpath.join(source.path, *source.include)  # of --parents; one with wildcards may name nothing
        try:
            if source.include and not has_wildcards(required):
                tree.lstat(required)
            found = tree.find(source.path)
        except OSError:
            if (exclude and not include) or _is_below(vertex, source):  # the copying will fail
                return []
            raise StepError(vertex, f"failed to compute cache key: {self._missing(required)}") from None
        return [(last, listing(tree, path, exclude, include)) for last, path in found]

    def missing_of(self, vertex: CopyVertex) -> StepError | None:
        """What is wrong with its sources, as far as those are there, whatever it stands on. They are looked for at
        once, and it is the last that is told (BuildKit 0.8; solver/llbsolver/ops/opsutils/contenthash.go)."""
        for source in reversed(vertex.from_):
            try:
                there = source.text is None and self.tree_of(source)
            except StepError:
                continue
            try:
                if there:
                    self._content(vertex, source)
            except StepError as error:
                return error
        return None

    def _missing(self, path: str) -> str:
        """Each daemon has a uuid of its own; what is looked into has a new key in each build."""
        ref = f"{_uuid(self.core)}::{self.core.ids.key('ref')}"
        return f"failed to calculate checksum of ref {ref}: {quote(path)}: not found"


COPY_OPTIONS = ("target", "--chown", "--chmod", "--exclude", "unpack")  # CopyVertex.options


def _is_below(vertex: CopyVertex, source: CopySource) -> bool:
    """Whether a COPY takes from what it stands on, or from nothing: its key is without the content then
    (solver/llbsolver/ops/file.go, CacheMap)."""
    if source.vertex is None:
        return not source.context
    return vertex.below is not None and source.vertex.identity == vertex.below.identity


def base_key(vertex: ImageVertex) -> CacheKey:
    return CacheKey(BASE, (KeyPart("image", "", vertex.chain),))


def _digests(found: list[tuple[str, Listing]]) -> list[tuple[str, str]]:
    return [(last, digest_of(files)) for last, files in found]


def _together(found: list[tuple[str, Listing]]) -> Listing:
    """Several sources that one pattern names, as one listing."""
    return {posixpath.join(last, name) if name else last: head for last, files in found for name, head in files.items()}


def _uuid(core: Core) -> str:
    digits = core.tables.words.get("build uuid")
    if digits is None:
        digits = core.ids.new("cache manager")[:32]
        core.tables.words.set("build uuid", digits)
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:32]}"


def keep_base(core: Core, cache: BuildCache, vertex: ImageVertex, *, held: bool = False) -> CacheRecord:
    """The record of a base image, which holds its layers."""
    digest = base_key(vertex).digest
    if known := cache.find(digest):
        return known
    if not held:
        LayerStore(core).hold(vertex.chain)
    description = f"pulled from {vertex.reference.partition('@')[0]}"
    size = LayerStore(core).size(vertex.chain) if held else 0  # a local image's layers are counted with the image
    if core.keeps_manifests:  # there it is the blobs that count
        size = packed_size(core, vertex.chain)
    return cache.add(CacheRecord(core.ids.key("build"), digest, chain=vertex.chain, description=description, size=size))
