"""A stage of a Dockerfile while it is worked out: variables, folder, user, image configuration, topmost vertex."""

from __future__ import annotations

import math
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Protocol

from labkit.engine.dockerfile.errors import Lines
from labkit.engine.dockerfile.instructions import Instruction, Stage

from .graph import Vertex

COMMENT = "buildkit.dockerfile.v0"


@dataclass(frozen=True)
class BaseImage:
    """An image as a stage's base. `reference`: its whole name; with a digest where the registry gave one."""

    reference: str
    config: Mapping[str, Any]  # the whole configuration: config, history, rootfs…
    chain: str = ""
    remote: bool = False


class BaseImages(Protocol):
    """Where base images come from."""

    def find(self, reference: str) -> BaseImage:
        """By its whole name. Raises DockerfileError."""


@dataclass(frozen=True)
class PlanSettings:
    target: str = ""
    build_args: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    platform: str = "linux/amd64"


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
        self.config: dict[str, Any] = {}
        self.history: list[dict[str, Any]] = []
        self.args: list[tuple[str, str | None]] = []
        self.used: dict[str, Lines] = {}  # CMD, ENTRYPOINT and HEALTHCHECK of this stage
        self.image: Mapping[str, Any] = {}

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
        self.args, self.workdir_set, self.image = list(base.args), base.workdir_set, base.image

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
        entry = {"created_by": text + (" # buildkit" if suffix else ""), "comment": COMMENT}
        self.history.append(entry if layer else {**entry, "empty_layer": True})

    def set_env(self, name: str, value: str) -> None:
        self.env.pop(name, None)
        self.env[name] = value


@dataclass
class PlannedInstruction:
    instruction: Instruction
    sources: list[StageState | None]  # one for COPY --from, one a mount for RUN
    onbuild: bool = False  # it is a trigger of the base image
