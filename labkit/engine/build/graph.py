"""The build graph: what is to be made from what. A node is immutable and knows the nodes below it.

A node's `identity` covers what it does and what it stands on, so that the same step in two stages is one node; names
and places in the Dockerfile are no part of it (BuildKit: the digest of a vertex).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256

from labkit.engine.dockerfile.errors import Lines
from labkit.engine.dockerfile.parser import Mount


@dataclass(frozen=True, eq=False)
class Node:
    name: str
    place: Lines
    below: Node | None
    stage: str = field(default="", kw_only=True)  # the name that its stage is given

    @property
    def operation(self) -> str:
        """What it does, as text; inputs are not in it."""
        raise NotImplementedError

    @property
    def sources(self) -> tuple[Node, ...]:
        """The other nodes that it reads from."""
        return ()

    @cached_property
    def identity(self) -> str:
        inputs = [node.identity for node in (self.below, *self.sources) if node]
        return sha256("\0".join([self.operation, *inputs]).encode("utf-8", "replace")).hexdigest()


@dataclass(frozen=True, eq=False)
class BaseNode(Node):
    """FROM an image."""

    reference: str = ""  # as it is shown
    chain: str = ""  # chain id of the image's top layer
    remote: bool = False  # still to be fetched

    @property
    def operation(self) -> str:
        return f"base {self.reference} {self.chain}"


@dataclass(frozen=True)
class ResolvedMount:
    """A RUN's mount and the node it comes from (None: the build context, or nothing)."""

    mount: Mount
    source: Node | None = None
    context: bool = False


@dataclass(frozen=True, eq=False)
class RunNode(Node):
    args: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    hidden_env: tuple[tuple[str, str], ...] = ()  # proxies: given to the process, unknown to the cache
    arguments: tuple[str, ...] = ()  # those of env that an ARG gave
    cwd: str = "/"
    user: str = ""
    mounts: tuple[ResolvedMount, ...] = ()
    network: str = "default"
    script: tuple[str, str] | None = None  # a heredoc that is run as a file: its name and text

    @property
    def operation(self) -> str:
        mounts = [each.mount for each in self.mounts]
        return repr(("run", self.args, self.env, self.cwd, self.user, mounts, self.network, self.script))

    @property
    def sources(self) -> tuple[Node, ...]:
        return tuple(each.source for each in self.mounts if each.source)


@dataclass(frozen=True)
class CopySource:
    """One source of a COPY: a path of a node's files or of the context, or a text."""

    path: str
    node: Node | None = None
    context: bool = False
    text: str | None = None
    include: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class CopyNode(Node):
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
    def sources(self) -> tuple[Node, ...]:
        return tuple(each.node for each in self.from_ if each.node)


@dataclass(frozen=True, eq=False)
class MkdirNode(Node):
    path: str = "/"
    user: str = ""

    @property
    def operation(self) -> str:
        return repr(("mkdir", self.path, self.user))


@dataclass
class Graph:
    """All nodes that a top needs, each once, those that others stand on first."""

    nodes: list[Node] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)  # identity -> the name it is shown under

    def add(self, node: Node | None) -> None:
        if node is None:
            return
        self._visit(node)

    def _visit(self, node: Node) -> None:
        for other in (node.below, *node.sources):
            if other:
                self._visit(other)
        if node.identity not in self.names:
            self.nodes.append(node)
        self.names[node.identity] = node.name  # the last one wins, as in the definition that BuildKit is sent

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes)
