"""docker build: from a request to an image.

The steps of a graph are taken in order; one whose key the cache knows is not made again. Where a later step is known,
those below it are not needed. (BuildKit works on branches at once; the order here is one that it may take.)
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from labkit.engine import images as engine_images
from labkit.engine import times
from labkit.engine.errors import EngineError
from labkit.engine.references import parse as parse_reference
from labkit.files import BadArchive, Files, Namespace, tmpfs
from labkit.files import tar as archives

from . import cache as caching
from .bases import Bases
from .cache import BuildCache, Record, key_of
from .checksum import checksum
from .context import context_paths, context_tree, send
from .copying import CopyError, Copying, extract, find_owner, make_folders, unpacked
from .errors import BuildError, DockerfileError, Lines, excerpt, failed, unsolved
from .expand import go_quote
from .graph import BaseNode, CopyNode, CopySource, Graph, MkdirNode, Node, ResolvedMount, RunNode
from .ignore import Matcher, PatternError, matcher, read_ignore_file
from .lint import Linter
from .plan import Plan, Settings, plan
from .progress import Emit, Progress, Step
from .request import BuildRequest
from .running import Attached, RunError, Runner
from .trees import SourceTree

if TYPE_CHECKING:
    from labkit.engine.engine import Engine

_CONFIG_ORDER = (
    "User", "ExposedPorts", "Env", "Entrypoint", "Cmd", "Volumes", "WorkingDir", "Labels", "StopSignal",
    "ArgsEscaped", "Healthcheck", "OnBuild", "Shell",
)  # fmt: skip
_REMOTE = re.compile(r"(https?|git|ssh)://|git@|github\.com/")
_DEFAULT = "Dockerfile"


class Stream(Protocol):
    """Where the progress goes: the client's stderr."""

    def write(self, data: str) -> object: ...


def build(engine: Engine, request: BuildRequest, progress: Stream) -> str:
    """The id of the image. Raises BuildError, whose text is what is printed last."""
    image_id = _Build(engine, request, progress.write).run()
    if request.iidfile:
        request.files.write(request.iidfile, image_id)
    return image_id


@dataclass(frozen=True)
class Source:
    """The Dockerfile and the context, as they are found on the client."""

    name: str  # of the Dockerfile
    text: str
    files: Files  # the context, from its own root
    folder: str  # of the context on the client, "" where it has none
    own_ignore: str | None = None  # the text of NAME.dockerignore


@dataclass
class Result:
    """What a node is. `record` is None as long as nothing has to be made of it."""

    key: str | None
    record: Record | None = None
    loaded: bool = False
    shown: bool = False


class _StepError(Exception):
    """A step failed."""

    def __init__(self, node: Node, message: str) -> None:
        super().__init__(message)
        self.node = node
        self.message = message


class _Build:
    def __init__(self, engine: Engine, request: BuildRequest, emit: Emit) -> None:
        self.engine = engine
        self.request = request
        self.progress = Progress(emit)
        self.emit = emit
        self.cache = BuildCache(engine)
        self.bases = Bases(engine, always_ask=request.pull)
        self.lint = Linter()
        self.results: dict[str, Result] = {}
        self.names: dict[str, str] = {}
        self.new_layers = False
        self.tree: SourceTree | None = None
        self.source: Source

    def run(self) -> str:
        self.progress.start()
        tags = [self._tag(text) for text in self.request.tags]
        self.source = self._find_source()
        try:
            return self._solve(tags)
        finally:
            self.source.files.namespace.discard()

    def _tag(self, text: str) -> Any:
        try:
            return parse_reference(text).tagged()
        except EngineError as error:
            message = "repository name must be lowercase" if "must be lowercase" in error.message else error.message
            raise failed(f"invalid tag {go_quote(text)}: {message}") from None

    # the client's side

    def _find_source(self) -> Source:
        request = self.request
        if request.context == "-":
            return self._from_stdin()
        if not request.files.is_dir(request.context):
            if _REMOTE.match(request.context):
                raise unsolved(f"failed to fetch remote {request.context}: no such host")
            raise failed(f"unable to prepare context: path {go_quote(request.context)} not found")
        folder = request.files.realpath(request.context)
        files = self._rooted(folder)
        if request.dockerfile == "-":
            return Source(_DEFAULT, _decoded(bytes(request.stdin)), files, folder)
        where = posixpath.dirname(request.dockerfile) or "." if request.dockerfile else folder
        name = posixpath.basename(request.dockerfile) or _DEFAULT
        if not request.files.exists(where):
            raise failed(f"resolve : lstat {where}: no such file or directory")
        return self._send_dockerfile(self._rooted(request.files.realpath(where)), name, files, folder)

    def _rooted(self, folder: str) -> Files:
        return Namespace(self.request.files.store, self.request.files.source(folder)).files()

    def _empty(self) -> Files:
        store = self.request.files.store
        return Namespace(store, tmpfs(store, mode=0o755)).files()

    def _from_stdin(self) -> Source:
        request = self.request
        if request.dockerfile == "-":
            raise failed("invalid argument: can't use stdin for both build context and dockerfile")
        content = unpacked(request.stdin)
        files = self._empty()
        if content.read(257, 5) != b"ustar":
            if request.dockerfile:
                raise failed("ambiguous Dockerfile source: both stdin and flag correspond to Dockerfiles")
            return Source(_DEFAULT, _decoded(bytes(content)), files, "")
        try:
            for entry in archives.read(content):
                if entry.path:
                    extract(files, "/", entry)
        except BadArchive as error:
            raise unsolved(f"failed to load remote context: {error}") from None
        name = request.dockerfile or _DEFAULT
        if not files.exists(f"/{name}"):
            raise unsolved(f"failed to read dockerfile: open {name}: no such file or directory")
        return Source(name, _decoded(files.read(f"/{name}")), files, "")

    def _send_dockerfile(self, files: Files, name: str, context: Files, folder: str) -> Source:
        """The first step: the Dockerfile, and the ignore file that belongs to it."""
        if name == _DEFAULT and not files.exists(f"/{name}") and files.exists("/dockerfile"):
            name = "dockerfile"
        ignore = f"{name}.dockerignore"
        paths = [each for each in sorted((name, ignore)) if files.exists(f"/{each}") and not files.is_dir(f"/{each}")]
        sent = send(files, paths, {})
        self.definition = sent.sent
        self.cache.remember(f"dockerfile {folder}", sent.known, sent.size, "local source for dockerfile")
        try:
            text = _decoded(files.read(f"/{name}"))
        except OSError:
            self._show_definition(name)
            raise unsolved(f"failed to read dockerfile: open {name}: no such file or directory") from None
        own = _decoded(files.read(f"/{ignore}")) if ignore in paths else None
        files.namespace.discard()
        return Source(name, text, context, folder, own)

    definition = 0  # bytes that the Dockerfile took

    def _show_definition(self, name: str) -> None:
        step = self.progress.step(f"[internal] load build definition from {name}")
        step.status("transferring dockerfile:", self.definition or len(self.source_text()) + 40)
        for warning in self.lint.warnings:
            step.line(f"WARN: {warning.text}")
        step.done()

    def source_text(self) -> str:
        return self.source.text if hasattr(self, "source") else ""

    # solving

    def _solve(self, tags: list[Any]) -> str:
        request, source = self.request, self.source
        settings = Settings(request.target, request.build_args, request.labels)
        try:
            planned, self.lint = plan(source.text, settings, self.bases)
        except DockerfileError as error:
            self.lint = getattr(error, "lint", self.lint)
            self._show_definition(source.name)
            self.bases.show(self.progress)
            raise self._broken(error.message, error.places) from None
        self._show_definition(source.name)
        self.bases.show(self.progress)
        ignore = self._load_ignore()
        graph = Graph()
        graph.add(planned.top)
        self.names = graph.names
        self._show_bases(graph)
        self._load_context(planned, ignore)
        try:
            self._make(graph, planned.top)
        except _StepError as error:
            raise self._broken(error.message, [error.node.place]) from None
        image_id = self._export(planned, tags)
        self._emit_warnings()
        return image_id

    def _broken(self, message: str, places: list[Lines]) -> BuildError:
        self._emit_warnings()
        excerpts = "".join(excerpt(self.source.name, self.source.text, place) for place in places)
        return unsolved(message, excerpts)

    def _emit_warnings(self) -> None:
        if summary := self.lint.summary():
            self.emit(summary)

    def _load_ignore(self) -> Matcher | None:
        text = self.source.own_ignore
        if text is None:
            text = self._send_ignore()
        try:
            patterns = read_ignore_file(text)
            return matcher(patterns) if patterns else None
        except PatternError as error:
            raise unsolved(f"failed to parse dockerignore: {error}") from None

    def _send_ignore(self) -> str:
        files = self.source.files
        paths = [".dockerignore"] if files.exists("/.dockerignore") else []
        sent = send(files, paths, {})
        step = self.progress.step("[internal] load .dockerignore")
        step.status("transferring context:", sent.sent)
        step.done()
        name = f"dockerignore {self.source.folder}"
        self.cache.remember(name, sent.known, sent.size, "local source for context")
        return _decoded(files.read("/.dockerignore")) if paths else ""

    def _show_bases(self, graph: Graph) -> None:
        for node in graph:
            if isinstance(node, BaseNode):
                step = self.progress.step(graph.names[node.identity])
                if node.remote:
                    self._fetch(node, step)
                    step.done(0.5)
                elif self.cache.find(key_of("base", node.chain)):
                    step.cached()
                else:
                    step.done()

    def _fetch(self, node: BaseNode, step: Step) -> None:
        if self.engine.layerstore.get(node.chain):
            return
        self.bases.fetch(node.reference, step.line)
        self._base_record(node, held=True)

    def _load_context(self, planned: Plan, ignore: Matcher | None) -> None:
        if not planned.context_paths:
            return
        files = self.source.files
        paths = list(context_paths(files, ignore, planned.context_paths))
        name = f"context {self.source.folder}"
        sent = send(files, paths, self.cache.known(name) if self.source.folder else {})
        step = self.progress.step("[internal] load build context")
        step.status("transferring context:", sent.sent)
        step.done()
        self.cache.remember(name, sent.known, sent.size, "local source for context")
        self.tree = context_tree(files, paths)

    # keys

    def _result(self, node: Node) -> Result:
        """What is known of a node without making anything."""
        result = self.results.get(node.identity)
        if result is None:
            key = self._key(node)
            record = self.cache.find(key) if key and not self._no_cache(node) else None
            result = self.results[node.identity] = Result(key, record)
        return result

    def _no_cache(self, node: Node) -> bool:
        if isinstance(node, BaseNode):
            return False
        stage = re.match(r"\[(\S+) +\d+/\d+\]", self.names[node.identity])
        return self.request.no_cache or bool(stage and stage[1] in self.request.no_cache_filter)

    def _key(self, node: Node) -> str | None:
        """The cache key; None as long as the content of another stage has to be known for it."""
        if isinstance(node, BaseNode):
            return key_of("base", node.chain)
        below = self._result(node.below).key if node.below else "scratch"
        if below is None:
            return None
        if isinstance(node, MkdirNode):
            return key_of("mkdir", node.path, node.user, below)
        if isinstance(node, RunNode):
            return self._run_key(node, below)
        assert isinstance(node, CopyNode)
        return self._copy_key(node, below)

    def _run_key(self, node: RunNode, below: str) -> str | None:
        contents = [self._mount_content(each) for each in node.mounts]
        if any(content is None for content in contents):
            return None
        mounts = [each.mount for each in node.mounts]
        what = (node.args, node.env, node.cwd, node.user, mounts, node.network, node.script)
        return key_of("run", what, *contents, below)

    def _mount_content(self, mount: ResolvedMount) -> str | None:
        if mount.context:
            assert self.tree
            try:
                return checksum(self.tree, self.tree.resolve(posixpath.join("/", mount.mount.source)))
            except OSError:
                return "missing"
        if mount.source is None:
            return ""
        return self._result(mount.source).key

    def _copy_key(self, node: CopyNode, below: str) -> str | None:
        by_name = key_of("copy by name", node.operation, below, *(self._result(each).key for each in node.sources))
        if any(self._tree_of(each) is None for each in node.from_ if each.node):
            return None if self._no_cache(node) else self.cache.linked(by_name)
        contents = [self._content(node, each) for each in node.from_]
        key = key_of("copy", node.options, *contents, below)
        if node.sources:
            self.cache.link(by_name, key)
        return key

    def _content(self, node: CopyNode, source: CopySource) -> str:
        """What a source is, by its last name and its content."""
        name = posixpath.basename(source.path)
        if source.text is not None:
            return key_of(name, source.text)
        tree = self._tree_of(source)
        assert tree
        exclude = matcher(node.exclude) if node.exclude else None
        include = matcher(source.include) if source.include else None
        try:
            found = [(posixpath.basename(path), path) for path in tree.find(source.path)]
        except OSError:
            raise _StepError(node, self._missing(source)) from None
        digests = [(last, checksum(tree, path, exclude, include)) for last, path in found]
        return key_of(name, [digest if last == name else (last, digest) for last, digest in digests])

    def _missing(self, source: CopySource) -> str:
        """Each daemon has its own uuid; the context has a new key in each build."""
        return (
            f"failed to calculate checksum of ref {_uuid(self.engine)}::{self._context_key()}: "
            f"{go_quote(source.path)}: not found"
        )

    def _context_key(self) -> str:
        return self.engine.ids.key("ref")

    def _tree_of(self, source: CopySource) -> SourceTree | None:
        """The files that a source is taken from; None where they are not there yet."""
        if source.context or source.text is not None:
            return self.tree
        assert source.node
        record = self._result(source.node).record
        if record is None:
            if not isinstance(source.node, BaseNode) or not self.engine.layerstore.get(source.node.chain):
                return None
            chain: str | None = source.node.chain
        else:
            chain = record.chain
        cache_id = self.engine.layerstore.cache_id(chain)
        assert cache_id
        return SourceTree(Namespace(self.engine.host.store, self.engine.driver.mount(cache_id)).files())

    # making

    def _make(self, graph: Graph, top: Node | None) -> None:
        self._look_for_missing(graph)
        wanted = self._needed(top)
        for node in graph:
            if isinstance(node, BaseNode):
                continue
            result = self._result(node)
            if result.record or node.identity not in wanted:
                self._show_cached(node, result)
                continue
            result = self.results[node.identity] = Result(self._key(node))
            if result.key and not self._no_cache(node):
                result.record = self.cache.find(result.key)
            if result.record:
                self._show_cached(node, result)
            else:
                self._make_node(node, result)
        if top:
            self._load(top)

    def _needed(self, top: Node | None) -> set[str]:
        """The nodes whose results have to be there: the top, and what those that must be made stand on."""
        wanted: set[str] = set()
        waiting = [top] if top else []
        while waiting:
            node = waiting.pop()
            if node.identity in wanted:
                continue
            wanted.add(node.identity)
            if self._result(node).record is None or not self._result(node).key:
                waiting += [other for other in (node.below, *node.sources) if other]
        return wanted

    def _show_cached(self, node: Node, result: Result) -> None:
        if not result.shown:
            result.shown = True
            self.progress.step(self.names[node.identity]).cached()

    def _look_for_missing(self, graph: Graph) -> None:
        """A file that is not in the context is noticed before anything else is made."""
        failing: _StepError | None = None
        for node in graph:
            try:
                self._result(node)
            except _StepError as error:
                failing = error
                break
        if failing is None:
            return
        running = False
        for node in graph:
            if node is failing.node:
                break
            if isinstance(node, BaseNode):
                continue
            result = self._result(node)
            if result.record:
                self._show_cached(node, result)
            elif isinstance(node, MkdirNode) and not running:
                self._make_node(node, result)
            elif not running:
                self.progress.step(self.names[node.identity]).line("CANCELED")
                running = True
        message = f"failed to compute cache key: {failing.message}"
        self.progress.step(self.names[failing.node.identity]).failed(message)
        raise _StepError(failing.node, message)

    def _load(self, node: Node) -> Record | None:
        """Take a node's result, for a step on it or for the image."""
        result = self._result(node)
        if result.record is None and isinstance(node, BaseNode):
            result.record = self._base_record(node)
            result.loaded = True
        elif result.record and not result.loaded:
            result.record = self.cache.use(result.record)
            result.loaded = True
        return result.record

    def _base_record(self, node: BaseNode, *, held: bool = False) -> Record:
        key = key_of("base", node.chain)
        if known := self.cache.find(key):
            return known
        if not held:
            self.engine.layerstore.hold(node.chain)
        reference = node.reference.partition("@")[0]
        record_id = self.engine.ids.key("build")
        return self.cache.add(Record(record_id, key, chain=node.chain, description=f"pulled from {reference}"))

    def _make_node(self, node: Node, result: Result) -> None:
        step = self.progress.step(self.names[node.identity])
        result.shown = True
        parent = self._load(node.below) if node.below else None
        for source in node.sources:
            self._load(source)
        if result.key is None:
            result.key = self._key_when_made(node, step)
            result.record = None if self._no_cache(node) else self.cache.find(result.key)
            if result.record:
                step.cached()
                return
        layer_id = self.engine.ids.key("build")
        self.engine.driver.create(layer_id, self.engine.layerstore.cache_id(parent.chain) if parent else None)
        done = False
        try:
            seconds = self._apply(node, layer_id, step)
            layer = self.engine.driver.commit(layer_id)
            self.engine.driver.unmount(layer_id)
            done = True
        except (CopyError, RunError, OSError) as error:
            message = _reason(error)
            step.failed(message)
            raise _StepError(node, message) from None
        finally:
            if not done:
                self.engine.driver.unmount(layer_id)
                self.engine.driver.remove(layer_id)
        result.record = self._keep(node, layer_id, layer, parent, result.key)
        result.loaded = True
        self.new_layers = True
        step.done(seconds)

    def _key_when_made(self, node: Node, step: Step) -> str:
        try:
            key = self._key(node)
        except _StepError as error:
            message = f"failed to compute cache key: {error.message}"
            step.failed(message)
            raise _StepError(node, message) from None
        assert key
        return key

    def _keep(self, node: Node, layer_id: str, layer: Any, parent: Record | None, key: str) -> Record:
        store = self.engine.layerstore
        layer_record = store.adopt(layer, layer_id, parent.chain if parent else None)
        if layer_record.cache_id != layer_id:
            self.engine.driver.remove(layer_id)
        name = self.names[node.identity]
        description = f"mount / from exec {' '.join(node.args)}" if isinstance(node, RunNode) else name
        return self.cache.add(
            Record(
                layer_id,
                key,
                chain=layer_record.chain_id,
                parent=parent.id if parent else "",
                description=description,
                size=layer.size,
            )
        )

    def _apply(self, node: Node, layer_id: str, step: Step) -> float:
        """Do what a node says in a fresh layer; how many seconds it took."""
        if isinstance(node, RunNode):
            return self._run(node, layer_id, step)
        files = Namespace(self.engine.host.store, self.engine.driver.mount(layer_id)).files()
        try:
            if isinstance(node, MkdirNode):
                make_folders(files, node.path, find_owner(files, node.user))
            elif isinstance(node, CopyNode):
                self._copy(node, files, layer_id)
        finally:
            files.namespace.discard()
        return 0.0

    def _copy(self, node: CopyNode, files: Files, layer_id: str) -> None:
        owner = find_owner(files, node.chown)
        merged = self.engine.driver.data(layer_id).get("MergedDir") or f"{self.engine.driver.root}/{layer_id}"
        for source in node.from_:
            copying = Copying(
                self._tree_of(source) or SourceTree(files),
                files,
                owner,
                node.chmod,
                node.exclude,
                source.include,
                node.unpack and source.context,
                merged,
            )
            if source.text is not None:
                copying.write(source.path, source.text, node.target)
            else:
                copying.copy(source.path, node.target)

    def _run(self, node: RunNode, layer_id: str, step: Step) -> float:
        runner = Runner(self.engine, self.engine.driver.mount(layer_id), layer_id, self._attached(node))
        try:
            runner.run(node, step.log)
        finally:
            step.flush(runner.seconds)
        return runner.seconds + 0.05

    # RUN --mount

    def _attached(self, node: RunNode) -> list[Attached]:
        mounts = [found for each in node.mounts if (found := self._attach(node, each))]
        if node.script:
            name, text = node.script
            files = self._empty()
            files.write(f"/{name}", text)
            files.chmod(f"/{name}", 0o755)
            mounts.append(Attached("/dev/pipes", files.source("/"), readonly=True))
        return mounts

    def _attach(self, node: RunNode, each: ResolvedMount) -> Attached | None:
        mount = each.mount
        if mount.type == "bind":
            return self._attach_bind(node, each)
        if mount.type == "tmpfs":
            return Attached(mount.target, tmpfs(self.engine.host.store, mount.size or None), readonly=False)
        if mount.type == "cache":
            return self._attach_cache(each)
        if mount.type == "secret":
            return self._attach_secret(node, each)
        return None

    def _attach_bind(self, node: RunNode, each: ResolvedMount) -> Attached:
        source = CopySource(each.mount.source or "/", node=each.source, context=each.context)
        tree = self._tree_of(source)
        assert tree
        path = posixpath.normpath(posixpath.join("/", source.path))
        try:
            path = tree.resolve(path)
        except OSError:
            raise _StepError(node, f"failed to compute cache key: {self._missing(CopySource(path))}") from None
        return Attached(each.mount.target, tree.files.source(path), each.mount.readonly, tree.files.is_dir(path))

    def _attach_cache(self, each: ResolvedMount) -> Attached:
        mount = each.mount
        key = key_of(caching.MOUNT, mount.id or mount.target)
        record = self.cache.find(key)
        if record is None:
            record_id = self.engine.ids.key("build")
            self.engine.driver.create(record_id)
            files = Namespace(self.engine.host.store, self.engine.driver.mount(record_id)).files()
            files.chmod("/", mount.mode if mount.mode is not None else 0o755)
            files.chown("/", mount.uid or 0, mount.gid or 0)
            name = f"cached mount {mount.target} from exec"
            record = self.cache.add(Record(record_id, key, caching.MOUNT, description=name, scratch=record_id))
        else:
            record = self.cache.use(record)
        return Attached(mount.target, self.engine.driver.mount(record.scratch), mount.readonly)

    def _attach_secret(self, node: RunNode, each: ResolvedMount) -> Attached | None:
        mount = each.mount
        name = mount.id or mount.source or posixpath.basename(mount.target)
        if name not in self.request.secrets:
            if mount.required:
                raise _StepError(node, f"secret {name}: not found")
            return None
        files = self._empty()
        files.write("/secret", self.request.secrets[name])
        files.chmod("/secret", mount.mode if mount.mode is not None else 0o400)
        files.chown("/secret", mount.uid or 0, mount.gid or 0)
        return Attached(mount.target, files.source("/secret"), readonly=True, is_dir=False)

    # the image

    def _export(self, planned: Plan, tags: list[Any]) -> str:
        engine = self.engine
        record = self._result(planned.top).record if planned.top else None
        layers = self._layers(record.chain if record else None)
        history = self._dated(planned.history, [created for _, created in layers])
        created = times.parse(history[-1]["created"]) if history else engine.now()
        config = engine_images.new_config(
            [diff_id for diff_id, _ in layers],
            {key: planned.config[key] for key in _CONFIG_ORDER if key in planned.config},
            history,
            created,
            **({"author": planned.author} if planned.author else {}),
        )
        image = engine.imagestore.add(config)
        for tag in tags:
            engine.imagestore.tag(image.id, tag)
        step = self.progress.step("exporting to image")
        step.line("exporting layers 0.0s done" if self.new_layers else "exporting layers done")
        step.line(f"writing image {image.id} done")
        for tag in tags:
            step.line(f"naming to {tag} done")
        step.done()
        return image.id  # type: ignore[no-any-return]

    def _layers(self, chain: str | None) -> list[tuple[str, int | None]]:
        """The layers from the bottom up: their digests, and when the cache made each."""
        made = {record.chain: record.created for record in self.cache.all() if record.type == caching.REGULAR}
        layers = []
        while record := self.engine.layerstore.get(chain):
            layers.append((record.diff_id, made.get(record.chain_id)))
            chain = record.parent
        return layers[::-1]

    def _dated(self, history: list[dict[str, Any]], made: list[int | None]) -> list[dict[str, Any]]:
        """The history with times: a layer's own; for what made no layer that of the step before, or the first after."""
        dated, layer = [], 0
        for entry in history:
            if not entry.get("empty_layer"):
                if "created" not in entry and layer < len(made) and made[layer] is not None:
                    entry = {"created": times.rfc3339(made[layer]), **entry}
                layer += 1
            dated.append(entry)
        moment = _first_new(history, dated) or times.rfc3339(self.engine.now())
        return _filled(dated, moment)


def _first_new(history: list[dict[str, Any]], dated: list[dict[str, Any]]) -> str | None:
    """When the first new layer was made; where there is none, the last time that the base's history tells."""
    new = (entry for entry, old in zip(dated, history, strict=True) if "created" not in old)
    old = [entry["created"] for entry in history if "created" in entry]
    return next((entry["created"] for entry in new if "created" in entry), old[-1] if old else None)


def _filled(dated: list[dict[str, Any]], moment: str) -> list[dict[str, Any]]:
    """What has no time gets that of the new layer before it, else `moment`."""
    filled, started = [], False
    for entry in dated:
        if "created" not in entry:
            entry, started = {"created": moment, **entry}, True
        elif started:
            moment = entry["created"]
        filled.append(entry)
    return filled


def _decoded(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"{error.filename}: {(error.strerror or '').lower()}"
    return str(error)


def _uuid(engine: Engine) -> str:
    """The cache manager's, the same for the whole life of a daemon."""
    digits = engine.tables.other.get("build uuid")
    if digits is None:
        digits = engine.ids.new("cache manager")[:32]
        engine.tables.other.set("build uuid", digits)
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:32]}"
