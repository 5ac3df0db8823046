"""The build graph: what is to be made from what. A vertex is immutable and knows the vertices below it.

A vertex's `identity` covers what it does and what it stands on, so that the same step in two stages is one vertex;
names and places in the Dockerfile are no part of it (BuildKit: the digest of a vertex).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256

from labkit.engine.dockerfile.errors import Lines
from labkit.engine.dockerfile.runmount import RunMount


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
    script: tuple[str, str] | None = None  # a heredoc that is run as a file: its name and text

    @property
    def operation(self) -> str:
        mounts = [each.mount for each in self.mounts]
        return repr(("run", self.args, self.env, self.cwd, self.user, mounts, self.network, self.script))

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


@dataclass
class Graph:
    """All vertices that a top needs, each once, those that others stand on first."""

    vertices: list[Vertex] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)  # identity -> the name it is shown under

    def add(self, vertex: Vertex | None) -> None:
        if vertex is None:
            return
        self._visit(vertex)

    def _visit(self, vertex: Vertex) -> None:
        for other in (vertex.below, *vertex.sources):
            if other:
                self._visit(other)
        if vertex.identity not in self.names:
            self.vertices.append(vertex)
        self.names[vertex.identity] = vertex.name  # the last one wins, as in the definition that BuildKit is sent

    def __iter__(self) -> Iterator[Vertex]:
        return iter(self.vertices)
