"""docker build: from a request to an image.

The steps of a graph are taken in order; one whose key the cache knows is not made again. Where a later step is known,
those below it are not needed. (BuildKit works on branches at once; the order here is one that it may take.) At the end
the topmost layer and what the Dockerfile says become an image (moby/buildkit exporter/containerimage).
"""

from __future__ import annotations

import stat
from contextlib import suppress
from dataclasses import replace

from labkit.engine.build import outputs
from labkit.engine.build.cache import BuildCache, Views
from labkit.engine.build.client import BuildClient, BuildInputs, BuildRequest, Emit, Progress, ProgressStep, check_tags
from labkit.engine.build.context import (
    Matcher,
    PatternError,
    SourceTree,
    context_paths,
    context_tree,
    matcher,
    read_ignore_file,
)
from labkit.engine.build.copying import CopyError, Copying, find_owner, make_folders
from labkit.engine.build.graph import (
    CopyVertex,
    Graph,
    ImageVertex,
    MkdirVertex,
    RunVertex,
    StepError,
    Vertex,
    VertexResult,
    VertexResults,
    base_key,
    keep_base,
)
from labkit.engine.build.plan import BuildPlan, plan
from labkit.engine.build.running import RunError, RunMounts, Runner, prepare_layer
from labkit.engine.build.stages import Bases
from labkit.engine.core.core import Core
from labkit.engine.core.names import Reference
from labkit.engine.core.records import (
    CACHED,
    CANCELED,
    FAILED,
    MADE,
    REGULAR,
    CacheRecord,
    Journal,
    MadeStep,
    StepOutcome,
    chain_ids,
    new_config,
)
from labkit.engine.dockerfile.diagnostics import BuildError, DockerfileError, Lines, Linter, excerpt, failed, unsolved
from labkit.engine.images import manifestremoval
from labkit.engine.images.imagestore import ImageStore, LayerStore
from labkit.files import Layer
from labkit.kernel.golang import JsonObject, parse_time, rfc3339, text

_CONFIG_ORDER = (
    "User", "ExposedPorts", "Env", "Entrypoint", "Cmd", "Volumes", "WorkingDir", "Labels", "StopSignal",
    "ArgsEscaped", "Healthcheck", "OnBuild", "Shell",
)  # fmt: skip


def export(core: Core, cache: BuildCache, planned: BuildPlan, chain: str | None, *, provenance: bool) -> str:
    """The id of the image. The same layers and Dockerfile give the same one, but in the containerd store."""
    layers = _layers(core, cache, chain)
    history = _dated(planned.history, [made for _, made in layers], core.now())
    created = parse_time(text(history[-1], "created")) if history else core.now()
    config = {key: planned.config[key] for key in _CONFIG_ORDER if key in planned.config}
    more = {"author": planned.author} if planned.author else {}
    digests = [digest for digest, _ in layers]
    image = ImageStore(core).add(new_config(digests, config, history, created, **more), built=provenance)
    if image.stored:
        cache.exported(chain_ids(image.diff_ids))
    return image.id


def _layers(core: Core, cache: BuildCache, chain: str | None) -> list[tuple[str, int | None]]:
    """The layers from the bottom up: their digests, and when the cache made each."""
    made = {record.chain: record.created for record in cache.all() if record.type == REGULAR}
    layers = []
    while record := LayerStore(core).get(chain):
        layers.append((record.diff_id, made.get(record.chain_id)))
        chain = record.parent
    return layers[::-1]


def _dated(history: list[JsonObject], made: list[int | None], now: int) -> list[JsonObject]:
    """The history with times: a layer's own, and for what made no layer that of the layer before it.

    What comes first without a time gets that of the next layer, else of the one before it.
    """
    layers = iter(made)
    moments: list[str] = []
    for entry in history:
        time = None if entry.get("empty_layer") else next(layers, None)
        moments.append(text(entry, "created") or ("" if time is None else rfc3339(time)))
    first = moments.index("") if "" in moments else len(moments)
    moment = next(filter(None, [*moments[first:], *moments[first - 1 : first]]), rfc3339(now))
    for place in range(first, len(moments)):
        moment = moments[place] = moments[place] or moment
    return [
        entry if "created" in entry else {"created": time, **entry}
        for entry, time in zip(history, moments, strict=True)
    ]


_PULL = 0.5  # seconds that fetching a base image is said to take
_AFTER = 0.05  # seconds between a process' last output and the end of its step (examples/build.txt)


def build(core: Core, request: BuildRequest, emit: Emit) -> str:
    """The id of the image. Raises BuildError, whose text is what is printed last."""
    views = Views(core)
    BuildCache(core).keep_journal(Journal())
    _remove_id_file(request)
    try:
        image_id = Build(core, request, views, emit).run()
    finally:
        views.close()
    try:
        if request.iidfile:
            request.files.write(request.iidfile, image_id)
    except OSError as error:
        raise failed(f"writing image ID file: open {request.iidfile}: {(error.strerror or '').lower()}") from None
    return image_id


def _remove_id_file(request: BuildRequest) -> None:
    """No stale id stays where a build fails (docker/buildx commands/build.go)."""
    if request.iidfile:
        with suppress(FileNotFoundError):
            request.files.unlink(request.iidfile)


class Build:
    """One build, from the Dockerfile to the graph and back to an image."""

    def __init__(self, core: Core, request: BuildRequest, views: Views, emit: Emit) -> None:
        self.core = core
        self.request = request
        self.views = views
        self.emit = emit
        self.tags: list[Reference] = []
        self.progress = Progress(emit)
        self.cache = BuildCache(core)
        self.client = BuildClient(request, views, self.cache)
        self.bases = Bases(core, always_ask=request.pull)
        self.lint = Linter()

    def find(self) -> BuildInputs:
        """Raises BuildError where there is no Dockerfile."""
        self.progress.start()
        self.tags = check_tags(self.request.tags)
        source = self.client.find()
        if source.nothing:
            message = "no local sources enabled"
            self.progress.step(f"[internal] load build definition from {source.name}").failed(message)
            raise unsolved(f"failed to read dockerfile: {message}")
        if source.text is None:
            self.show_definition(source)
            raise unsolved(f"failed to read dockerfile: open {source.name}: no such file or directory")
        return source

    def run(self) -> str:
        source = self.find()
        try:
            planned = plan(source.text or "", self.request, self.bases, self.lint)
        except DockerfileError as error:
            self.show_definition(source)
            self.bases.show(self.progress)
            raise self._broken(source, error.message, error.places) from None
        self.show_definition(source)
        self.bases.show(self.progress)
        if self.request.cache_from:
            outputs.import_caches(self.core, self.request.cache_from, self.progress)
        return self._solve(source, planned)

    def show_definition(self, source: BuildInputs) -> None:
        if source.archive:
            self.progress.step("[internal] load remote build context").done()
            self.progress.step("copy /context /").done()
            return
        step = self.progress.step(f"[internal] load build definition from {source.name}")
        step.status("transferring dockerfile:", source.sent)
        for warning in self.lint.warnings:
            step.line(f"WARN: {warning.text}")
        step.done()

    def _broken(self, source: BuildInputs, message: str, places: list[Lines]) -> BuildError:
        self.emit(self.lint.summary())
        return unsolved(message, "".join(excerpt(source.name, source.text or "", place) for place in places))

    def _solve(self, source: BuildInputs, planned: BuildPlan) -> str:
        ignore = self._load_ignore(source)
        graph = Graph()
        graph.add(planned.top)
        self._show_bases(graph)
        tree, journal = self._load_context(source, planned, ignore)
        results = VertexResults(self.core, self.request, self.cache, self.views, graph.names, tree)
        solver = Solver(results, self.progress, graph)
        try:
            record = solver.make(planned.top)
        except StepError as error:
            raise self._broken(source, error.message, [error.vertex.place]) from None
        finally:
            self.cache.keep_journal(replace(journal, outcomes=tuple(solver.outcomes), earlier=solver.earlier))
        image_id = ""
        for output in self.request.outputs:
            if output.type == "image":
                image_id = self._export(planned, record, new=solver.made > 0)
            else:
                built = self.views.layer(record.chain) if record and record.chain else self.views.empty()
                outputs.give(output, built, self.request.files, self.progress)
            if output.push:
                outputs.push(self.tags, self.progress)
        self.emit(self.lint.summary())
        return image_id

    def _load_ignore(self, source: BuildInputs) -> Matcher | None:
        text = source.ignore
        if text is None:
            text = self.client.send_ignore(source, self.progress)
        try:
            patterns = read_ignore_file(text)
            return matcher(patterns) if patterns else None
        except PatternError as error:
            raise unsolved(str(error)) from None

    def _load_context(
        self, source: BuildInputs, planned: BuildPlan, ignore: Matcher | None
    ) -> tuple[SourceTree | None, Journal]:
        """The files that the steps copy from, and the journal's page about what was sent."""
        if not planned.context_paths:
            return None, Journal()
        paths = list(context_paths(source.files, ignore, planned.context_paths))
        tree = context_tree(source.files, paths)
        if source.archive:
            return tree, Journal(context=tree.seen)
        sent, before = self.client.send_context(source, paths, self.progress)
        again = frozenset(
            path for path, known in sent.known.items() if before.get(path, known) != known and stat.S_ISREG(known[0])
        )
        return tree, Journal(sent=sent.sent, context=tree.seen, size=sent.size, again=again)

    def _show_bases(self, graph: Graph) -> None:
        for vertex in graph:
            if not isinstance(vertex, ImageVertex):
                continue
            step = self.progress.step(graph.names[vertex.identity])
            if vertex.remote and LayerStore(self.core).get(vertex.chain) is None:
                self.bases.fetch(vertex.reference, step.line)
                keep_base(self.core, self.cache, vertex, held=True)
                step.done(_PULL)
            elif self.cache.find(base_key(vertex).digest):
                step.cached()
            else:
                step.done()

    def _export(self, planned: BuildPlan, record: CacheRecord | None, *, new: bool) -> str:
        if self.request.inline_cache:
            self.progress.step("preparing layers for inline cache").done()
        chain = record.chain if record else None
        image_id = export(self.core, self.cache, planned, chain, provenance=self.request.provenance)
        step = self.progress.step("exporting to image")
        step.line(f"exporting layers{' 0.0s' if new else ''} done")
        for line in self._written(image_id):
            step.line(f"{line} done")
        for tag in self.tags:
            self._name_image(image_id, tag)
            step.line(f"naming to {tag} done")
            if self.core.keeps_manifests:
                step.line(f"unpacking to {tag}{' 0.0s' if new else ''} done")
        step.done()
        return image_id

    def _name_image(self, image_id: str, tag: Reference) -> None:
        """Give a name; in the containerd store BuildKit leaves no image behind that has lost its only one."""
        store, replaced = ImageStore(self.core), self.core.tables.references.get(str(tag))
        store.tag(image_id, tag)
        if self.core.keeps_manifests and replaced and not store.names(replaced):
            manifestremoval.forget(self.core, replaced)

    def _written(self, image_id: str) -> list[str]:
        """What the exporter of the engine's image store writes."""
        stored = self.core.tables.images[image_id].stored
        if stored is None:
            return [f"writing image {image_id}"]
        lines = [f"exporting manifest {stored.manifest.digest}", f"exporting config {stored.config.digest}"]
        if stored.attestation:
            lines.append(f"exporting attestation manifest {stored.attestation[0].digest}")
            lines.append(f"exporting manifest list {image_id}")
        return lines


class Solver:
    """Makes the vertices of a graph that the cache does not have."""

    def __init__(self, results: VertexResults, progress: Progress, graph: Graph) -> None:
        self.results = results
        self.core = results.core
        self.cache = results.cache
        self.progress = progress
        self.graph = graph
        self.made = 0  # layers
        self.earlier = results.cache.made()
        self.outcomes: list[StepOutcome] = []
        self.mounts = RunMounts(results.core, results.request, results.cache, results.views, results.tree_of)

    def make(self, top: Vertex | None) -> CacheRecord | None:
        """The record of the topmost vertex, which has the image's layers. Raises StepError."""
        self._look_for_missing()
        needed = self._needed(top)
        for vertex in self.graph:
            if isinstance(vertex, ImageVertex):
                continue
            result = self.results.of(vertex)
            if result.record is None and vertex.identity in needed:
                result = self._look_again(vertex)
            if result.record or vertex.identity not in needed:
                self._show_cached(vertex, result)
            else:
                self._make_vertex(vertex, result)
        return self._load(top) if top else None

    def _needed(self, top: Vertex | None) -> set[str]:
        """The vertices whose results have to be there: the top, what ignores the cache, and what those stand on."""
        needed: set[str] = set()
        waiting = [vertex for vertex in self.graph if self.results.ignores_cache(vertex)] + ([top] if top else [])
        while waiting:
            vertex = waiting.pop()
            if vertex.identity in needed:
                continue
            needed.add(vertex.identity)
            if self.results.of(vertex).record is None:
                waiting += [other for other in (vertex.below, *vertex.sources) if other]
        return needed

    def _look_for_missing(self) -> None:
        """Files that are not in the context are noticed before anything else is made, all of them; the last is told."""
        copies = (vertex for vertex in self.graph if isinstance(vertex, CopyVertex))
        failing = {error.vertex.identity: error for copy in copies if (error := self.results.missing_of(copy))}
        if failing:
            self._cancel(failing)
            raise next(reversed(failing.values()))

    def _cancel(self, failing: dict[str, StepError]) -> None:
        """Show what had been begun when steps failed, and as cached what they stand on (solver/progress.go, append).

        What stands on the base alone is not done yet, but a folder there is made at once."""
        below = self.graph.under(failing)
        begun = {vertex.identity for vertex in self.graph if self.results.can_begin(vertex)}
        for vertex in self.graph:
            if error := failing.get(vertex.identity):
                self.progress.step(self._name(vertex)).failed(error.message)
                self._note(vertex, VertexResult(None), FAILED)
            elif vertex.identity in below and not isinstance(vertex, ImageVertex):
                self._show_begun(vertex, begun=vertex.identity in begun)

    def _show_begun(self, vertex: Vertex, *, begun: bool) -> None:
        """Show a step on which one stands that fails."""
        result = self.results.of(vertex) if begun else VertexResult(None)
        if result.record or not begun:
            self._show_cached(vertex, result)
        elif isinstance(vertex, MkdirVertex):
            self._make_vertex(vertex, result)
        else:
            self.progress.step(self._name(vertex)).line("CANCELED")
            self._note(vertex, result, CANCELED)

    def _look_again(self, vertex: Vertex) -> VertexResult:
        try:
            return self.results.look_again(vertex)
        except StepError as error:
            self.progress.step(self._name(vertex)).failed(error.message)
            self._note(vertex, VertexResult(None), FAILED)
            raise

    def _note(self, vertex: Vertex, result: VertexResult, state: str, seconds: float = 0.0) -> None:
        """A line of the journal."""
        made = self.cache.made_of(result.digest)
        forced = "--no-cache" if self.results.request.no_cache else "--no-cache-filter"
        outcome = StepOutcome(
            self._name(vertex),
            state,
            result.digest,
            result.key or (made.key if made else None),
            below=self._name(vertex.below) if vertex.below else "",
            line=vertex.place.start,
            forced=forced if state != CACHED and self.results.ignores_cache(vertex) else "",
            unneeded=state == CACHED and result.record is None,
            seconds=made.seconds if state == CACHED and made else seconds,
            size=result.record.size if result.record else made.size if made else 0,
        )
        self.outcomes.append(outcome)

    def _name(self, vertex: Vertex) -> str:
        return self.graph.names[vertex.identity]

    def _show_cached(self, vertex: Vertex, result: VertexResult) -> None:
        if not result.shown:
            result.shown = True
            self.progress.step(self._name(vertex)).cached()
            self._note(vertex, result, CACHED)

    def _load(self, vertex: Vertex) -> CacheRecord | None:
        """Take a vertex's layer, for a step on it or for the image."""
        result = self.results.of(vertex)
        if result.record is None and isinstance(vertex, ImageVertex):
            result.record = keep_base(self.core, self.cache, vertex)
        elif result.record and not result.loaded:
            result.record = self.cache.use(result.record)
        result.loaded = True
        return result.record

    def _make_vertex(self, vertex: Vertex, result: VertexResult) -> None:
        step = self.progress.step(self._name(vertex))
        result.shown = True
        parent = self._load(vertex.below) if vertex.below else None
        for source in vertex.sources:
            self._load(source)
        layer_id, layer = self.core.ids.key("build"), None
        try:
            prepare_layer(self.core, parent, layer_id)
            seconds = self._apply(vertex, layer_id, step)
            size = self.core.driver.size(layer_id) if self.core.keeps_manifests else 0
            layer = self.core.driver.commit(layer_id)
        except (CopyError, RunError, OSError) as error:
            step.failed(_reason(error))
            self._note(vertex, result, FAILED)
            raise StepError(vertex, _reason(error)) from None
        finally:
            if layer is None and layer_id in self.core.driver.ids():
                self.core.driver.remove(layer_id)
        result.record = self._keep(vertex, layer_id, layer, size or layer.size, parent, result.digest or "")
        result.loaded = True
        self.made += 1
        step.done(seconds)
        if result.key:
            self.cache.keep_made(
                MadeStep(result.key, self._name(vertex), seconds, layer.size, len(self.earlier) + self.made)
            )
        self._note(vertex, result, MADE, seconds)

    def _keep(
        self, vertex: Vertex, layer_id: str, layer: Layer, size: int, parent: CacheRecord | None, digest: str
    ) -> CacheRecord:
        kept = LayerStore(self.core).adopt(layer, layer_id, parent.chain if parent else None)
        if kept.cache_id != layer_id:
            self.core.driver.remove(layer_id)
        description = (
            f"mount / from exec {' '.join(vertex.args)}" if isinstance(vertex, RunVertex) else self._name(vertex)
        )
        below = parent.id if parent else ""
        return self.cache.add(
            CacheRecord(layer_id, digest, chain=kept.chain_id, parent=below, description=description, size=size)
        )

    def _apply(self, vertex: Vertex, layer_id: str, step: ProgressStep) -> float:
        """Do what a vertex says in a fresh layer; how many seconds it took."""
        root = self.results.views.mount(layer_id)
        if isinstance(vertex, RunVertex):
            runner = Runner(self.core, root, layer_id, self.mounts.of(vertex))
            try:
                runner.run(vertex, step.log)
            finally:
                step.flush(runner.seconds)
            return runner.seconds + _AFTER
        files = self.results.views.of(root)
        if isinstance(vertex, MkdirVertex):
            make_folders(files, vertex.path, find_owner(files, vertex.user))
        elif isinstance(vertex, CopyVertex):
            for source in vertex.from_:
                copying = Copying(
                    self.results.tree_of(source) or SourceTree(files),
                    files,
                    owner=find_owner(files, vertex.chown),
                    mode=vertex.chmod,
                    exclude=vertex.exclude,
                    include=source.include,
                    unpack=vertex.unpack and source.context,
                    merged=self.core.driver.merged_at(layer_id),
                )
                if source.text is not None:
                    copying.write(source.path, source.text, vertex.target)
                else:
                    copying.copy(source.path, vertex.target)
        return 0.0


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"{error.filename}: {(error.strerror or '').lower()}"
    return str(error)
