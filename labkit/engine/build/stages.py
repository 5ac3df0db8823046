"""A stage of a Dockerfile while it is worked out, what it is worked out with, and the images that stages start from.

A stage has variables, folder, user, image configuration and topmost vertex. Base images are those that the core
has, and those that a build fetches without giving them a name.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Protocol

from labkit.engine.build.client import BuildRequest, Progress, human_size
from labkit.engine.build.graph import Vertex
from labkit.engine.core.core import Core, RemoteImage
from labkit.engine.core.names import Reference, parse
from labkit.engine.core.records import chain_id
from labkit.engine.dockerfile.diagnostics import DockerfileError, Lines, Linter, suggestion
from labkit.engine.dockerfile.expand import ExpandError, Expansion, Lexer
from labkit.engine.dockerfile.instructions import Instruction, Stage
from labkit.engine.images.imagestore import ImageStore, LayerStore
from labkit.kernel import limits
from labkit.kernel.golang import JsonObject

COMMENT = "buildkit.dockerfile.v0"


@dataclass(frozen=True)
class BaseImage:
    """An image as a stage's base. `reference`: its whole name; with a digest where the registry gave one."""

    reference: str
    config: JsonObject  # the whole configuration: config, history, rootfs…
    chain: str = ""
    remote: bool = False


class BaseImages(Protocol):
    """Where base images come from."""

    def find(self, reference: str) -> BaseImage:
        """By its whole name. Raises DockerfileError."""


class StageState:
    """A stage while it is worked out."""

    def __init__(self, stage: Stage | None, name: str, base_name: str, place: Lines) -> None:
        self.stage = stage
        self.name = name  # as shown
        self.base_name = base_name
        self.place = place
        self.base: StageState | None = None
        self.deps: dict[StageState, Lines] = {}
        self.commands: list[PlannedInstruction] = []
        self.implicit = stage is None  # an image that only COPY --from names
        self.dispatched = self.resolved = self.triggered = self.workdir_set = False
        self.total = self.index = 0
        self.at_work: PlannedInstruction | None = None
        self.top: Vertex | None = None
        self.env: dict[str, str] = {}
        self.cwd = "/"
        self.user = ""
        self.author = ""
        self.config: JsonObject = {}
        self.history: list[JsonObject] = []
        self.args: list[tuple[str, str | None]] = []
        self.used: dict[str, Lines] = {}  # CMD, ENTRYPOINT and HEALTHCHECK of this stage

    @property
    def given_name(self) -> str:
        return self.stage.head.name if self.stage else ""

    @property
    def sources(self) -> list[StageState | None]:
        """What the command at work copies or mounts from."""
        return self.at_work.sources if self.at_work else []

    def inherit(self) -> None:
        """Go on from the stage that this one is FROM."""
        base = self.base
        if base is None:
            return
        self.top, self.env, self.cwd, self.user, self.author = (
            base.top,
            dict(base.env),
            base.cwd,
            base.user,
            base.author,
        )
        self.config, self.history = deepcopy(base.config), list(base.history)
        self.args, self.workdir_set = list(base.args), base.workdir_set

    def prefixed(self, text: str) -> str:
        """The name of the next step."""
        if not self.total:
            return text
        self.index += 1
        stage = f"{self.name} " if self.name else ""
        width = int(1 + math.log10(self.total))
        trigger = "ONBUILD " if self.at_work and self.at_work.onbuild else ""
        return f"[{stage}{self.index:{width}d}/{self.total}] {trigger}{text}"

    def record(self, text: str, *, layer: bool = False, suffix: bool = False) -> None:
        """One more line of history."""
        limits.tick(1 + len(self.history) // 8)
        entry: JsonObject = {"created_by": text + (" # buildkit" if suffix else ""), "comment": COMMENT}
        self.history.append(entry if layer else {**entry, "empty_layer": True})

    def set_env(self, name: str, value: str) -> None:
        self.env.pop(name, None)
        self.env[name] = value


@dataclass
class PlannedInstruction:
    instruction: Instruction
    sources: list[StageState | None]  # one for COPY --from, one a mount for RUN
    onbuild: bool = False  # it is a trigger of the base image


NOT_IN_ENV = ("BUILDKIT_SBOM_SCAN_CONTEXT", "BUILDKIT_SBOM_SCAN_STAGE")


@dataclass
class Planning:
    request: BuildRequest
    lint: Linter
    lexer: Lexer = field(default_factory=Lexer)
    globals: dict[str, str] = field(default_factory=dict)  # arguments before the first FROM
    context_paths: dict[str, None] = field(default_factory=dict)  # what is copied from the build context

    def expand(self, word: str, env: Mapping[str, str], place: Lines, lexer: Lexer | None = None) -> Expansion:
        try:
            return (lexer or self.lexer).expand(word, env)
        except ExpandError as error:
            raise DockerfileError(str(error), place) from None

    def word(self, state: StageState, word: str, place: Lines, lexer: Lexer | None = None) -> str:
        """A word with the stage's variables; those it does not know are warned of."""
        found = self.expand(word, state.env, place, lexer)
        self._warn_undefined(state, found.unmatched, place)
        return found.text

    def _warn_undefined(self, state: StageState, names: Iterable[str], place: Lines) -> None:
        declared = {name for name, _ in state.args}
        for name in names:
            if name in declared or name in NOT_IN_ENV:
                continue
            meant = suggestion(name, state.env)
            self.lint.warn("UndefinedVar", place, name, f" (did you mean ${meant}?)" if meant else "")

    def step_name(self, state: StageState, text: str, lexer: Lexer | None = None) -> str:
        """A step's name: the line with its variables, its keyword in capitals."""
        with suppress(ExpandError):
            text = (lexer or self.lexer).expand(text, state.env).text
        keyword, blank, rest = text.partition(" ")
        return state.prefixed(f"{keyword.upper()}{blank}{rest}")


_DENIED = (
    "pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: "
    "authorization failed"
)


@dataclass
class Bases:
    """Finds images by their whole names, and remembers what was looked up, for the progress."""

    core: Core
    always_ask: bool = False  # --pull: the registry first
    lookups: list[tuple[str, str]] = field(default_factory=list)  # name and error ("" where it was found)
    fetched: dict[str, RemoteImage] = field(default_factory=dict)  # whole name -> the registry's image

    def find(self, reference: str) -> BaseImage:
        known = next((name for name, error in self.lookups if name == reference and not error), None)
        try:
            image = self.look_up(parse(reference))
        except DockerfileError as error:
            self.lookups.append((reference, error.message))
            message = f"failed to resolve source metadata for {reference}: {error.message}"
            raise DockerfileError(message) from None
        if not known:
            self.lookups.append((reference, ""))
        return image

    def look_up(self, reference: Reference) -> BaseImage:
        """Raises DockerfileError."""
        local = self.core.tables.references.get(str(reference))
        image = ImageStore(self.core).get(local) if local and not self.always_ask else None
        if image:
            shown = f"{reference}@{image.id}" if self.core.keeps_manifests else str(reference)
            return BaseImage(shown, image.config, image.chain or "")
        return self._ask(reference)

    def _ask(self, reference: Reference) -> BaseImage:
        registry = self.core.registry
        image = registry.get(reference.name, reference.digest or reference.tag or "latest") if registry else None
        if image is None:
            raise DockerfileError(f"{reference}: not found" if registry and registry.has(reference.name) else _DENIED)
        full = str(reference) if reference.digest else f"{reference}@{image.digest}"
        self.fetched[full] = image
        chain = chain_id(layer.diff_id for layer in image.layers) or ""
        remote = LayerStore(self.core).get(chain) is None
        return BaseImage(full, image.config, chain, remote)

    def show(self, progress: Progress) -> None:
        """The steps that look for images."""
        for name, error in self.lookups:
            step = progress.step(f"[internal] load metadata for {name}")
            if error:
                step.failed(error)
            else:
                step.done()

    def fetch(self, reference: str, line: Callable[[str], None]) -> None:
        """Take the layers of a registry's image; the caller holds the topmost afterwards."""
        image = self.fetched[reference]
        line(f"resolve {reference} done")
        for blob, layer in zip(image.blobs, image.layers, strict=True):
            line(f"{blob} {human_size(layer.size)} / {human_size(layer.size)} done")
        chain: str | None = None
        for blob, layer in zip(image.blobs, image.layers, strict=True):
            line(f"extracting {blob} done")
            record = LayerStore(self.core).register(layer, chain)
            if chain:
                LayerStore(self.core).release(chain)  # the layer above holds it now
            chain = record.chain_id
