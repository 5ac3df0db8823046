"""What is known of the nodes of a graph: their cache keys, and the records that have their layers."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from labkit.engine.dockerfile.expand import go_quote

from .cache import BuildCache, Record, key_of
from .checksum import Listing, digest_of, listing
from .graph import BaseNode, CopyNode, CopySource, MkdirNode, Node, ResolvedMount, RunNode
from .ignore import has_wildcards, matcher
from .recipe import BASE, COPY, MKDIR, RUN, Part, Recipe
from .request import BuildRequest
from .trees import SourceTree
from .views import Views

if TYPE_CHECKING:
    from labkit.engine.api import Engine


@dataclass
class Result:
    """What a node is. `record` is None as long as it has to be made."""

    key: str | None
    record: Record | None = None
    recipe: Recipe | None = None  # what the key is made of; None where only the key is known
    loaded: bool = False  # its layer was taken in this build
    shown: bool = False


class StepError(Exception):
    """A step failed."""

    def __init__(self, node: Node, message: str) -> None:
        super().__init__(message)
        self.node = node
        self.message = message


@dataclass
class Results:
    engine: Engine
    request: BuildRequest
    cache: BuildCache
    views: Views
    names: Mapping[str, str]  # identity -> what the step is called
    tree: SourceTree | None  # the build context
    _known: dict[str, Result] = field(default_factory=dict)

    def of(self, node: Node) -> Result:
        """What is known of a node without making anything. Raises StepError where a COPY's source is not there."""
        result = self._known.get(node.identity)
        return self.look_again(node) if result is None else result

    def look_again(self, node: Node) -> Result:
        """The same, now that what it stands on is there."""
        recipe = self._recipe(node)
        key = recipe.key if isinstance(recipe, Recipe) else recipe
        record = self.cache.find(key) if key and not self.ignores_cache(node) else None
        result = self._known[node.identity] = Result(key, record, recipe if isinstance(recipe, Recipe) else None)
        return result

    def ignores_cache(self, node: Node) -> bool:
        """RUN and COPY by --no-cache, or --no-cache-filter with their stage's name (dockerui, IsNoCache).

        A WORKDIR does not (dockerfile2llb, dispatchWorkdir); nor is anything found that stands on what was made again.
        """
        if node.below and self.ignores_cache(node.below):
            return True
        if isinstance(node, BaseNode | MkdirNode):
            return False
        names = {name.lower() for text in self.request.no_cache_filter for name in text.split(",")}
        return self.request.no_cache or node.stage in names

    def tree_of(self, source: CopySource) -> SourceTree | None:
        """The files that a source is taken from; None where they are not there yet."""
        if source.node is None:
            return self.tree
        record = self.of(source.node).record
        chain = record.chain if record else source.node.chain if isinstance(source.node, BaseNode) else None
        if chain is None or self.engine.layerstore.get(chain) is None:
            return None
        return SourceTree(self.views.layer(chain))

    def _recipe(self, node: Node) -> Recipe | str | None:
        """What the cache key is made of. A text is a key of which no more is known than that; None: the content of
        another stage has to be known for it."""
        if isinstance(node, BaseNode):
            return base_recipe(node)
        below = self.of(node.below).key if node.below else "scratch"
        if below is None:
            return None
        if isinstance(node, MkdirNode):
            return Recipe(MKDIR, (Part("folder", "", node.path), Part("user", "", node.user)), below)
        if isinstance(node, RunNode):
            return self._run_recipe(node, below)
        assert isinstance(node, CopyNode)
        return self._copy_recipe(node, below)

    def _run_recipe(self, node: RunNode, below: str) -> Recipe | None:
        parts = [Part("command", "", repr(node.args))]
        parts += [Part("variable", name, value) for name, value in node.env]
        parts += [Part("folder", "", node.cwd), Part("user", "", node.user), Part("network", "", node.network)]
        parts += [Part("mount", each.mount.target, repr(each.mount)) for each in node.mounts]
        parts += [Part("script", *node.script)] if node.script else []
        files: dict[str, Listing] = {}
        for each in node.mounts:
            if each.source:
                key = self.of(each.source).key
                if key is None:
                    return None
                parts.append(Part("stage", each.mount.target, key))
            elif each.context and self.tree is not None:
                name = each.mount.source or "."
                files[name] = self._mount_content(each)
                parts.append(Part("content", name, digest_of(files[name])))
        return Recipe(RUN, tuple(parts), below, files, frozenset(node.arguments))

    def _mount_content(self, mount: ResolvedMount) -> Listing:
        assert self.tree is not None
        try:
            return listing(self.tree, self.tree.resolve(posixpath.join("/", mount.mount.source)))
        except OSError:
            return {}

    def _copy_recipe(self, node: CopyNode, below: str) -> Recipe | str | None:
        by_name = key_of("copy by name", node.operation, below, *(self.of(each).key for each in node.sources))
        if any(self.tree_of(each) is None for each in node.from_ if each.node):
            unknown = self.ignores_cache(node) or any(self.ignores_cache(each) for each in node.sources)
            return None if unknown else self.cache.linked(by_name)
        parts = [Part("option", name, str(value)) for name, value in zip(COPY_OPTIONS, node.options, strict=True)]
        files: dict[str, Listing] = {}
        for each in node.from_:
            name = posixpath.basename(each.path)
            if each.text is not None:
                parts.append(Part("text", name, each.text))
                continue
            found = self._content(node, each)
            digests = [digest if last == name else (last, digest) for last, digest in _digests(found)]
            parts.append(Part("content", name, repr(digests)))
            files[name] = found[0][1] if [last for last, _ in found] == [name] else _together(found)
        recipe = Recipe(COPY, tuple(parts), below, files)
        if node.sources:
            self.cache.link(by_name, recipe.key)
        return recipe

    def _content(self, node: CopyNode, source: CopySource) -> list[tuple[str, Listing]]:
        """What a source names: the last name of each, and what is there."""
        tree = self.tree_of(source)
        assert tree
        exclude = matcher(node.exclude) if node.exclude else None
        include = matcher(source.include) if source.include else None
        required = posixpath.join(source.path, *source.include)  # of --parents; one with wildcards may name nothing
        try:
            if source.include and not has_wildcards(required):
                tree.lstat(required)
            found = tree.find(source.path)
        except OSError:
            raise StepError(node, f"failed to compute cache key: {self._missing(required)}") from None
        return [(last, listing(tree, path, exclude, include)) for last, path in found]

    def _missing(self, path: str) -> str:
        """Each daemon has a uuid of its own; what is looked into has a new key in each build."""
        ref = f"{_uuid(self.engine)}::{self.engine.ids.key('ref')}"
        return f"failed to calculate checksum of ref {ref}: {go_quote(path)}: not found"


COPY_OPTIONS = ("target", "--chown", "--chmod", "--exclude", "unpack")  # CopyNode.options


def base_recipe(node: BaseNode) -> Recipe:
    return Recipe(BASE, (Part("image", "", node.chain),))


def _digests(found: list[tuple[str, Listing]]) -> list[tuple[str, str]]:
    return [(last, digest_of(files)) for last, files in found]


def _together(found: list[tuple[str, Listing]]) -> Listing:
    """Several sources that one pattern names, as one listing."""
    return {posixpath.join(last, name) if name else last: head for last, files in found for name, head in files.items()}


def _uuid(engine: Engine) -> str:
    digits = engine.tables.other.get("build uuid")
    if digits is None:
        digits = engine.ids.new("cache manager")[:32]
        engine.tables.other.set("build uuid", digits)
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:32]}"
