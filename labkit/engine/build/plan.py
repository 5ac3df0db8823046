"""From a Dockerfile to the build graph and the configuration of the image.

The rules and messages are those of moby/buildkit frontend/dockerfile/dockerfile2llb/convert.go. A *state* is a stage
while it is worked out: its variables, folder, user, image configuration and topmost vertex.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import TypeVar

from labkit.engine.build import dispatch
from labkit.engine.build.client import BuildRequest
from labkit.engine.build.graph import ImageVertex, Vertex
from labkit.engine.build.stages import BaseImage, BaseImages, PlannedInstruction, Planning, StageState
from labkit.engine.core.errors import EngineError
from labkit.engine.core.names import parse as parse_reference
from labkit.engine.dockerfile.diagnostics import DockerfileError, Lines, Linter, did_you_mean, suggestion
from labkit.engine.dockerfile.expand import Lexer
from labkit.engine.dockerfile.instructions import (
    ArgInstruction,
    CmdInstruction,
    CopyInstruction,
    EntrypointInstruction,
    EnvInstruction,
    ExposeInstruction,
    HealthcheckInstruction,
    Instruction,
    LabelInstruction,
    MaintainerInstruction,
    OnbuildInstruction,
    RunInstruction,
    ShellInstruction,
    Stage,
    StopSignalInstruction,
    UserInstruction,
    VolumeInstruction,
    WorkdirInstruction,
    parse_mount,
)
from labkit.engine.dockerfile.lines import Dockerfile, read_dockerfile
from labkit.engine.dockerfile.parser import parse_stages, parse_trigger
from labkit.kernel import limits
from labkit.kernel.golang import JsonObject, items, members, quote, text, texts

PLATFORM = "linux/amd64"
DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
SCRATCH = "scratch"
_STEPS = 5  # that an instruction takes
_RESERVED = ("context", "scratch")
_COMMON_IMAGES = ("alpine", "busybox", "centos", "debian", "golang", "ubuntu", "fedora")


@dataclass
class BuildPlan:
    """What to build: the topmost vertex (None: no layer at all) and the image's configuration on it."""

    top: Vertex | None
    config: JsonObject
    history: list[JsonObject]
    author: str
    context_paths: list[str]  # what is copied from the build context


def plan(written: str, request: BuildRequest, images: BaseImages, lint: Linter) -> BuildPlan:
    """Work out a Dockerfile; `lint` gets the warnings. Raises DockerfileError."""
    return _Planner(Planning(request, lint), images).plan(written)


class _Planner:
    def __init__(self, planning: Planning, images: BaseImages) -> None:
        self.planning = planning
        self.request = planning.request
        self.lint = planning.lint
        self.images = images
        self.states: list[StageState] = []
        self.by_name: dict[str, StageState] = {}
        self.many_states = False  # even where there is one stage alone

    def plan(self, written: str) -> BuildPlan:
        if not written:
            raise DockerfileError("the Dockerfile cannot be empty")
        dockerfile = self._read(written)
        stages, before = parse_stages(dockerfile.nodes, self.lint)
        self._check_names(stages)
        self._check_casing(stages)
        self.planning.lexer = Lexer(dockerfile.escape)
        self._global_args(stages, before)
        self._add_stages(stages, before)
        target = self._target()
        self._find_sources()
        self._refuse_circles()
        if len(self.states) == 1 and not self.many_states:
            self.states[0].name = ""
        reachable = self._resolve_all(target)
        for state in self.states:
            if state in reachable and not state.dispatched:
                self._dispatch_state(state)
        if self.request.labels:
            target.config["Labels"] = {**members(target.config, "Labels"), **self.request.labels}
        self.lint.refuse()
        return BuildPlan(target.top, target.config, target.history, target.author, list(self.planning.context_paths))

    def _read(self, written: str) -> Dockerfile:
        dockerfile = read_dockerfile(written)
        self.lint.heed(dockerfile.check)
        for place in dockerfile.empty_continuations:
            self.lint.warn("NoEmptyContinuation", place)
        return dockerfile

    # checks of the whole file

    def _check_names(self, stages: list[Stage]) -> None:
        seen = set()
        for stage in stages:
            name = stage.head.name
            if name in _RESERVED:
                self.lint.warn("ReservedStageName", stage.head.place, name)
            if name in seen:
                self.lint.warn("DuplicateStageName", stage.head.place, name)
            if name:
                seen.add(name)

    def _check_casing(self, stages: list[Stage]) -> None:
        written = [each for stage in stages for each in (stage.head, *stage.instructions)]
        lower = sum(each.keyword == each.keyword.lower() for each in written)
        upper = sum(each.keyword == each.keyword.upper() for each in written)
        casing, fold = ("lowercase", str.lower) if lower > upper else ("uppercase", str.upper)
        for each in written:
            if fold(each.keyword) != each.keyword:
                self.lint.warn("ConsistentInstructionCasing", each.place, each.keyword, casing)

    # arguments before the first FROM

    def _global_args(self, stages: list[Stage], before: list[ArgInstruction]) -> None:
        os_, arch, *variant = PLATFORM.split("/")
        target = self.request.target or stages[-1].head.name
        about = {"PLATFORM": PLATFORM, "OS": os_, "OSVERSION": "", "ARCH": arch}
        about["VARIANT"] = variant[0] if variant else ""
        self.planning.globals = {f"{side}{key}": value for side in ("BUILD", "TARGET") for key, value in about.items()}
        self.planning.globals["TARGETSTAGE"] = target or "default"
        for name in self.planning.globals:
            self.planning.globals[name] = self.request.build_args.get(name, self.planning.globals[name])
        try:
            defaults = self._with_args(before, {})
            self._check_defaults(stages, defaults)
        except DockerfileError:
            pass
        self.planning.globals = self._with_args(before, self.request.build_args)

    def _with_args(self, before: list[ArgInstruction], given: Mapping[str, str]) -> dict[str, str]:
        env = dict(self.planning.globals)
        for arg in before:
            for pair in arg.pairs:
                if pair.name in given:
                    env[pair.name] = given[pair.name]
                elif pair.value is not None:
                    env[pair.name] = self.planning.expand(pair.value, env, arg.place).text
        return env

    def _check_defaults(self, stages: list[Stage], env: Mapping[str, str]) -> None:
        for stage in stages:
            name = self.planning.expand(stage.head.base, env, stage.head.place).text
            try:
                parse_reference(name)
            except EngineError:
                self.lint.warn("InvalidDefaultArgInFrom", stage.head.place, stage.head.base)

    # stages

    def _add_stages(self, stages: list[Stage], before: list[ArgInstruction]) -> None:
        declared = {pair.name for arg in before for pair in arg.pairs} | set(self.planning.globals)
        for number, stage in enumerate(stages):
            head = stage.head
            base = self.planning.expand(head.base, self.planning.globals, head.place)
            for name in base.unmatched:
                if name not in declared:
                    meant = suggestion(name, sorted(declared))
                    self.lint.warn("UndefinedArgInFrom", head.place, name, f" (did you mean {meant}?)" if meant else "")
            if not base.text:
                raise DockerfileError(f"base name ({head.base}) should not be blank", head.place)
            self._check_platform(stage)
            state = StageState(stage, head.name or f"stage-{number}", base.text, head.place)
            self._register(state, head.name)
            state.total = int(state.base_name != SCRATCH and state.base is None)
            state.total += sum(
                isinstance(each, CopyInstruction | RunInstruction | WorkdirInstruction) for each in stage.instructions
            )

    def _check_platform(self, stage: Stage) -> None:
        head = stage.head
        if not head.platform:
            return
        platform = self.planning.expand(head.platform, self.planning.globals, head.place)
        if not platform.text:
            raise DockerfileError(f"empty platform value from expression {head.platform}", head.place)
        if list(platform.matched) == ["TARGETPLATFORM"] and platform.text == self.planning.globals["TARGETPLATFORM"]:
            self.lint.warn("RedundantTargetPlatform", head.place, head.platform)
        parts = platform.text.split("/")
        if not platform.matched and not platform.unmatched and not any(part in head.name for part in parts[:2]):
            self.lint.warn("FromPlatformFlagConstDisallowed", head.place, platform.text)

    def _register(self, state: StageState, name: str = "") -> None:
        self.states.append(state)
        state.base = self.by_name.get(state.base_name)
        if name:
            self.by_name[name.lower()] = state

    def _target(self) -> StageState:
        wanted = self.request.target
        if not wanted:
            return self.states[-1]
        if wanted.lower() not in self.by_name:
            raise DockerfileError(f"target stage {quote(wanted)} could not be found")
        return self.by_name[wanted.lower()]

    def _find_sources(self) -> None:
        for state in list(self.states):
            assert state.stage
            state.commands = [self._command(state, each) for each in state.stage.instructions]

    def _command(self, state: StageState, instruction: Instruction, *, onbuild: bool = False) -> PlannedInstruction:
        sources: list[StageState | None] = []
        limits.tick(_STEPS)
        if isinstance(instruction, CopyInstruction) and instruction.from_:
            sources = [self._source(instruction.from_, instruction.place)]
        if isinstance(instruction, RunInstruction):
            sources = [self._mount_source(each, instruction.place) for each in instruction.mounts]
        for source in sources:
            if source:
                state.deps.setdefault(source, instruction.place)
        return PlannedInstruction(instruction, sources, onbuild)

    def _source(self, name: str, place: Lines) -> StageState:
        """The stage or image that --from means."""
        if re.fullmatch(r"[+-]?\d+", name):
            number = int(name)
            if not 0 <= number < len(self.states):
                raise DockerfileError(f"invalid stage index {number}")
            return self.states[number]
        if name.lower() in self.by_name:
            return self.by_name[name.lower()]
        state = StageState(None, "", name, place)
        self._register(state)
        return state

    def _mount_source(self, written: str, place: Lines) -> StageState | None:
        """The stage or image of a mount; one without `from` is counted as a stage all the same (detectRunMount)."""
        mount = parse_mount(written, None)
        self.many_states |= not mount.from_
        return self._source(mount.from_, place) if mount.from_ else None

    def _refuse_circles(self) -> None:
        visited: set[StageState] = set()
        path: set[StageState] = set()

        def visit(state: StageState, places: list[Lines]) -> list[Lines] | None:
            if state in visited:
                return None
            visited.add(state)
            path.add(state)
            for other, place in state.deps.items():
                found = [*places, place] if other in path else visit(other, [*places, place])
                if found:
                    return found
            path.discard(state)
            return None

        for state in self.states:
            if found := visit(state, []):
                raise DockerfileError(f"circular dependency detected on stage: {state.name}", *found)

    # base images and what they trigger

    def _resolve_all(self, target: StageState) -> set[StageState]:
        while True:
            reachable = _reachable(target)
            for state in list(self.states):
                if state in reachable and state.base is None and not state.resolved:
                    self._resolve(state)
            new = [self._trigger(state) for state in self.states if state in reachable]
            if not any(new):
                return reachable

    def _resolve(self, state: StageState) -> None:
        state.resolved = True
        state.dispatched = state.implicit
        if state.base_name == SCRATCH:
            return
        try:
            reference = str(parse_reference(state.base_name).tagged())
        except EngineError as error:
            message = f"failed to parse stage name {quote(state.base_name)}: {error.message}"
            raise DockerfileError(message, state.place) from None
        try:
            image = self.images.find(reference)
        except DockerfileError as error:
            known = [each.name for each in self.states if each.name]
            known += [form for name in _COMMON_IMAGES for form in (name, f"{name}:latest")]
            message = did_you_mean(f"{state.base_name}: {error.message}", state.base_name, known)
            raise DockerfileError(message, state.place) from None
        self._take(state, image)

    def _take(self, state: StageState, image: BaseImage) -> None:
        state.config = deepcopy(members(image.config, "config"))
        state.history = [dict(entry) for entry in items(image.config, "history") if isinstance(entry, dict)]
        state.author = text(image.config, "author")
        if image.chain:
            name = state.prefixed(f"FROM {image.reference}")
            state.top = ImageVertex(name, state.place, None, image.reference, image.chain, image.remote)

    def _trigger(self, state: StageState) -> bool:
        """Put the base's ONBUILD instructions first; whether they need other stages."""
        if state.triggered or (state.base and not state.base.triggered):
            return False
        state.triggered = True
        triggers = texts(state.config, "OnBuild")
        state.config.pop("OnBuild", None)
        if state.base:
            own = (each.instruction for each in state.base.commands)
            triggers += [each.expression for each in own if isinstance(each, OnbuildInstruction)]
        if not triggers or state.implicit:
            return False
        try:
            commands = [self._command(state, parse_trigger(each, state.place), onbuild=True) for each in triggers]
        except ValueError as error:
            raise DockerfileError(str(error), state.place) from None
        except DockerfileError as error:
            raise DockerfileError(error.message, state.place) from None
        state.commands = commands + state.commands
        state.total += len(commands)
        return any(source for command in commands for source in command.sources)

    # instructions

    def _dispatch_state(self, state: StageState) -> None:
        if state.base:
            state.inherit()
            state.config.pop("OnBuild", None)
        state.dispatched = True
        config = state.config
        env = [each.partition("=") for each in texts(config, "Env")]
        if "PATH" not in {name for name, _, _ in env}:
            config["Env"] = [*items(config, "Env"), f"PATH={DEFAULT_PATH}"]
            env.append(("PATH", "=", DEFAULT_PATH))
        for name, _, value in env:
            state.set_env(name, value)
        state.cwd = dispatch.joined("/", text(config, "WorkingDir"))
        state.user = text(config, "User")
        for command in state.commands:
            self._dispatch(state, command)

    def _dispatch(self, state: StageState, command: PlannedInstruction) -> None:
        state.at_work = command
        _HANDLERS[type(command.instruction)](self.planning, state, command.instruction)


_Handler = Callable[[Planning, StageState, Instruction], None]
_Kind = TypeVar("_Kind", bound=Instruction)


def _row(kind: type[_Kind], work: Callable[[Planning, StageState, _Kind], None]) -> tuple[type[Instruction], _Handler]:
    def handle(planning: Planning, state: StageState, instruction: Instruction) -> None:
        assert isinstance(instruction, kind)
        work(planning, state, instruction)

    return kind, handle


_HANDLERS: dict[type[Instruction], _Handler] = dict(
    [
        _row(ArgInstruction, dispatch.arg),
        _row(CmdInstruction, dispatch.cmd),
        _row(CopyInstruction, dispatch.copy),
        _row(EntrypointInstruction, dispatch.entrypoint),
        _row(EnvInstruction, dispatch.env),
        _row(ExposeInstruction, dispatch.expose),
        _row(HealthcheckInstruction, dispatch.healthcheck),
        _row(LabelInstruction, dispatch.label),
        _row(MaintainerInstruction, dispatch.maintainer),
        _row(OnbuildInstruction, dispatch.onbuild),
        _row(RunInstruction, dispatch.run),
        _row(ShellInstruction, dispatch.shell),
        _row(StopSignalInstruction, dispatch.stop_signal),
        _row(UserInstruction, dispatch.user),
        _row(VolumeInstruction, dispatch.volume),
        _row(WorkdirInstruction, dispatch.workdir),
    ]
)


def _reachable(target: StageState) -> set[StageState]:
    found: set[StageState] = set()
    waiting = [target]
    while waiting:
        state = waiting.pop()
        if state not in found:
            found.add(state)
            waiting += [other for other in (state.base, *state.deps) if other]
    return found
